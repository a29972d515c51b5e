#include "bridge/program.h"

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/pulse.h"
#include "base/str.h"
#include "base/tongue.h"
#include "bridge/figures.h"
#include "health/http.h"
#include "health/notify.h"
#include "settings/single.h"

enum { EXIT_USAGE = 2, EXIT_AWAY = 75, EXIT_CONFIG = 78, STUCK_US = 60000000, DRAIN_MS = 3000 };

struct running {
	const struct bridge_program *program;
	struct bridge_settings settings;
	struct bridge *bridge;
	struct loop *loop;
	struct http *http;
	struct pulse *pulse;
	struct http_page pages[3];
	struct http_probe probes[2];
	struct http_probes all_probes;
	char **argv;                    /* as it was started */
	pid_t looking;                  /* the process that looks at the file, or 0 */
	bool asked;                     /* once more, while it looked */
	bool anew;                      /* ends to begin anew with the file that is there now */
};

static void read_file(struct scope root, void *arg)
{
	struct running *run = arg;

	bridge_settings_read(root, &run->settings);
	run->program->read(run->program->self, root);
}

/* ---- health ------------------------------------------------------------------------------------- */

static int metrics_page(void *arg, struct str *out)
{
	struct running *run = arg;

	bridge_figures(run->bridge);
	figures_text(run->program->name, out);
	return 200;
}

static bool is_connected(void *arg, char *reason, size_t size)
{
	struct running *run = arg;

	snprintf(reason, size, "the broker is away");
	return bridge_is_connected(run->bridge);
}

static bool has_room(void *arg, char *reason, size_t size)
{
	struct running *run = arg;

	bridge_figures(run->bridge);
	snprintf(reason, size, "the outbox is full");
	return figure_get(FIGURE_OUTBOX) < (int64_t)run->settings.max_entries;
}

static int open_health(struct running *run, struct err *e)
{
	run->probes[0] = (struct http_probe){is_connected, run};
	run->probes[1] = (struct http_probe){has_room, run};
	run->all_probes = (struct http_probes){run->probes, 2};
	run->pages[0] = (struct http_page){"/metrics", HTTP_METRICS, metrics_page, run};
	run->pages[1] = (struct http_page){"/healthz", HTTP_JSON, http_healthy, NULL};
	run->pages[2] = (struct http_page){"/readyz", HTTP_JSON, http_ready, &run->all_probes};
	if (!run->settings.http.address)
		return 0;
	return http_open(run->loop, run->settings.http.address, run->settings.http.port, run->pages, 3, &run->http, e);
}

/* ---- a new file ---------------------------------------------------------------------------------- */

/* A process of its own looks, as -t does: what this one works with must not be touched by a file that is bad. */
static void look_at_file(struct running *run)
{
	posix_spawn_file_actions_t files;
	size_t n = 0;
	char **argv;
	int r;

	while (run->argv[n])
		n++;
	argv = mem_alloc((n + 2) * sizeof(*argv));
	memcpy(argv + 1, run->argv, n * sizeof(*argv));
	argv[0] = run->argv[0];
	argv[1] = (char[]){"-t"};
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	r = posix_spawnp(&run->looking, argv[0], &files, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	free(argv);
	if (!r)
		return;
	run->looking = 0;
	log_warn("bridge.reload", "the file could not be looked at: %s; going on as before", strerror(r));
}

static void hear_of_file(struct running *run)
{
	int status;

	if (!run->looking || waitpid(run->looking, &status, WNOHANG) == 0)
		return;
	run->looking = 0;
	if (run->asked) {
		run->asked = false;
		look_at_file(run);
		return;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		log_warn("bridge.reload", "the file is not taken; going on as before");
		return;
	}
	log_notice("bridge.reload", "the file is good: draining, then beginning anew with it");
	notify_reloading();
	run->anew = true;
	loop_stop(run->loop);
}

/* Only what this process opened is closed by it: libraries leave their sockets open for whoever comes. */
static int begin_anew(char **argv)
{
	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	execvp(argv[0], argv);
	log_error("bridge.reload", "%s cannot be started: %s", argv[0], strerror(errno));
	return 1;
}

/* ---- running ------------------------------------------------------------------------------------- */

static void on_signal(void *arg, uint32_t signo)
{
	struct running *run = arg;

	if (signo == SIGHUP) {
		if (run->looking)
			run->asked = true;
		else
			look_at_file(run);
		return;
	}
	log_notice("bridge.stop", "signal %u: draining", signo);
	loop_stop(run->loop);
}

static void each_second(void *arg)
{
	struct running *run = arg;

	pulse_beat(run->pulse);
	mem_tidy();
	hear_of_file(run);
	bridge_figures(run->bridge);
	notify_status("broker %s, %lld without receipt, %lld replies waiting",
		      bridge_is_connected(run->bridge) ? "connected" : "away", (long long)figure_get(FIGURE_OUTBOX),
		      (long long)figure_get(FIGURE_WAITING));
}

static int start(struct running *run, struct err *e)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
	const struct bridge_program *p = run->program;
	struct bridge_callbacks callbacks = {.arg = p->self, .receipt = p->receipt, .reply = p->reply};
	int r = loop_new(&run->loop, e);

	if (r == 0)
		r = bridge_open(&run->settings, &callbacks, &run->bridge, e);
	if (r == 0)
		r = open_health(run, e);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(signals); i++)
		r = loop_signal(run->loop, signals[i], on_signal, run, e);
	if (r == 0)
		r = bridge_start(run->bridge, e);
	return r == 0 ? p->start(p->self, run->bridge, run->loop, e) : r;
}

static int run_it(struct running *run, struct err *e)
{
	int r = start(run, e);

	if (r == 0) {
		log_notice("bridge.start", "%s %s, tenant %s, channel %s, source %s", run->program->name, NEEDLE_VERSION,
			   run->settings.tenant, run->settings.channel, run->settings.source);
		run->pulse = pulse_add("main");
		loop_every(run->loop, 1000, each_second, run);
		notify_watch(run->loop, STUCK_US);
		notify_ready();
		r = loop_run(run->loop, e);
	}
	if (!run->anew)
		notify_stopping();
	if (run->bridge) {
		run->program->stop(run->program->self);
		bridge_stop(run->bridge, DRAIN_MS);
	}
	http_close(run->http);
	bridge_free(run->bridge);
	loop_free(run->loop);
	return r;
}

/* ---- argv --------------------------------------------------------------------------------------- */

static void usage(const struct bridge_program *p, FILE *out)
{
	fprintf(out, _("usage: %s [-c FILE] [-t]\n"
		       "%s\n"
		       "  -c FILE          its configuration (default %s)\n"
		       "  -t               check the file and exit: 0 good, 78 not\n"
		       "  --env-file FILE  NAME=value lines for ${secret:NAME}\n"
		       "  -V, -h           version, this help\n"), p->name, _(p->help), p->file);
}

static int load_and_run(struct running *run, const char *file, const char *env_file, bool check)
{
	struct load_options options = {.env_file = env_file};
	struct single single = {0};
	struct str text = {0};
	struct err e = {0};
	int r = single_load(file, run->program->keys, &options, read_file, run, &single, &e);

	if (r < 0) {
		log_error("config.load", "%s", e.text);
		r = EXIT_CONFIG;
	} else if (r > 0 || check) {
		findings_text(&single.findings, &text);
		fputs(text.s ? text.s : "", stderr);
		if (r == 0 && run->program->check && run->program->check(run->program->self, &run->settings, &e) < 0) {
			log_error("config.load", "%s", e.text);
			r = SETTINGS_HAS_ERRORS;
		}
		r = r > 0 ? EXIT_CONFIG : 0;
	} else {
		r = run_it(run, &e);
		if (r < 0)
			log_error("bridge.start", "%s", e.text);
		else if (!run->anew)
			log_notice("bridge.end", "stopped");
		r = r == 0 ? 0 : r == ERR_BAD ? EXIT_CONFIG : r == ERR_AGAIN ? EXIT_AWAY : 1;
	}
	if (run->program->done)
		run->program->done(run->program->self);
	str_done(&text);
	single_done(&single);
	return r;
}

static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int bridge_main(int argc, char **argv, const struct bridge_program *program)
{
	static const struct option longs[] = {{"env-file", required_argument, NULL, 'e'},
					      {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'},
					      {NULL, 0, NULL, 0}};
	static struct running run;      /* Paho's thread may call back until the process ends */
	const char *file = program->file, *env_file = NULL;
	bool check = false, good = true;
	int option, r;

	tongue_init(NULL);
	while ((option = getopt_long(argc, argv, "c:tVh", longs, NULL)) != -1) {
		switch (option) {
		case 'c': file = optarg; break;
		case 't': check = true; break;
		case 'e': env_file = optarg; break;
		case 'V': printf("%s %s\n", program->name, NEEDLE_VERSION); return 0;
		case 'h': usage(program, stdout); return 0;
		default: good = false;
		}
	}
	if (!good || optind != argc) {
		usage(program, stderr);
		return EXIT_USAGE;
	}
	run.program = program;
	run.argv = argv;
	log_init(program->name, getenv("NEEDLE_DEBUG") ? LOG_DEBUG_ : LOG_INFO_);
	fault_init();
	block_signals();
	r = load_and_run(&run, file, env_file, check);
	return r == 0 && run.anew ? begin_anew(argv) : r;
}
