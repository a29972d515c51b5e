/*
 * needled: argv, wiring in order, exit codes. The only file that knows every part. Main thread: signals,
 * control socket, HTTP, watchdog; it never calls the broker link and never waits for the database.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "needled.h"

#include "base/clock.h"
#include "base/counter.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/pulse.h"
#include "base/str.h"
#include "base/tongue.h"
#include "core/time/moment.h"
#include "dispatch/dispatch.h"
#include "health/control.h"
#include "health/http.h"
#include "health/notify.h"
#include "plugin/decoder.h"
#include "intake/inbox.h"
#include "intake/worker.h"
#include "link/link.h"
#include "settings/current.h"
#include "settings/hits.h"
#include "settings/lint.h"
#include "settings/snapshot.h"
#include "settings/yaml.h"
#include "store/outbox.h"
#include "store/save.h"
#include "store/version.h"
#include "trial/trial.h"

enum { EXIT_USAGE = 2, EXIT_AWAY = 75, EXIT_CONFIG = 78 };
enum { STUCK_US = 60000000, DRAIN_MS = 8000, HANDOFFS = 16 };

/* ---- configuration ---------------------------------------------------------------------------- */
static int load(struct daemon *d, const char *by, unsigned flags, struct settings **ret, struct err *e)
{
	struct load_options options = {.flags = flags, .env_file = d->env_file, .decoder = decoders_info,
				       .decoder_arg = d->plugins, .loaded_by = by};

	return settings_load(d->folder, &options, ret, e);
}

static char *findings_array(const struct findings *f)
{
	struct str t = {0};
	json_t *all, *list;
	char *text;

	findings_json(f, &t);
	all = json_loads(t.s ? t.s : "{}", 0, NULL);
	list = json_object_get(all, "findings");
	text = json_dumps(list ? list : json_array(), JSON_COMPACT);
	json_decref(all);
	str_done(&t);
	return text;
}

static void note_reload(struct daemon *d, bool ok, const struct findings *f)
{
	struct settings *now = current_get(&d->current);

	d->reload.at = clock_now_us();
	d->reload.ok = ok;
	snprintf(d->reload.hash, sizeof(d->reload.hash), "%s", now->office.hash);
	free(d->reload.findings);
	d->reload.findings = findings_array(f);
	count(ok ? COUNT_RELOADS : COUNT_RELOADS_FAILED);
	count_set(COUNT_RELOAD_OK, ok);
	settings_unref(now);
}

/* What only a restart changes, for the log and the caller. */
static const char *needs_restart(const struct settings *a, const struct settings *b)
{
	if (!str_equal(a->broker.host, b->broker.host) || a->broker.port != b->broker.port ||
	    !str_equal(a->broker.user, b->broker.user) || !str_equal(a->broker.password, b->broker.password) ||
	    !str_equal(a->broker.tls_ca, b->broker.tls_ca) || !str_equal(a->broker.tls_cert, b->broker.tls_cert) ||
	    !str_equal(a->broker.tls_key, b->broker.tls_key))
		return "broker";
	if (!str_equal(a->dsn, b->dsn))
		return "database";
	if (!str_equal(a->http.address, b->http.address) || a->http.port != b->http.port)
		return "http";
	if (a->intake.power != b->intake.power || a->intake.inbox_bytes != b->intake.inbox_bytes)
		return "intake";
	if (!str_equal(a->office.tenant, b->office.tenant))
		return "tenant";
	return NULL;
}

static void put_to_work(struct daemon *d, struct settings *s, struct decoders *decoders)
{
	struct settings *old;

	hits_attach(s);
	old = current_swap(&d->current, s);
	worker_offer(d->worker, settings_ref(s), decoders);
	dispatch_wake(d->dispatch);
	settings_unref(old);
}

/* W40 for what the new one changes in vain. */
static void warn_restart(struct daemon *d, const struct settings *s, struct arena *a, struct findings *f)
{
	struct settings *now = current_get(&d->current);
	const char *section = needs_restart(now, s);
	const struct node *key = section ? node_key(s->tree, section) : NULL;
	struct lint lint = {.arena = a};
	struct findings own;

	settings_unref(now);
	if (!section)
		return;
	log_warn("config.restart", "the change of '%s' works only after a restart", section);
	lint_add(&lint, "W40", key ? &key->at : NULL, _("restart the daemon when it suits you"),
		 _("the change of “%s” works only after a restart"), section);
	lint_finish(&lint, &own);
	lint_done(&lint);
	findings_join(f, &own, a);
}

/* All that must hold before a snapshot works: no errors, and by its own policy no warnings and no failed test. */
static int judge(const struct settings *s, struct trial *trial, struct findings *f, struct str *text)
{
	if (f->n_warnings && s->reload.warnings_deny) {
		str_addf(text, "%s\n", _("reload.warnings is deny: warnings stop it too"));
		return SETTINGS_HAS_ERRORS;
	}
	if (!s->reload.tests_required)
		return 0;
	trial_run(s, trial);
	trial_findings(trial, s, f);
	return f->n_errors ? SETTINGS_HAS_ERRORS : 0;
}

/* The log keeps to codes and places: what findings say may be in the office's language. */
static void refuse(struct daemon *d, const struct findings *f, const struct err *e)
{
	const struct finding *first = NULL;

	for (size_t i = 0; !first && i < f->n; i++)
		if (f->v[i].severity == SEVERITY_ERROR)
			first = &f->v[i];
	if (first)
		log_error("config.refused", "%s: %zu errors, the first is %s in %s line %d (`needlectl check --all` tells all); "
					    "the former configuration works on",
			  d->folder, f->n_errors, first->code, first->file, first->line);
	else
		log_error("config.refused", "%s: %s; the former configuration works on", d->folder,
			  *e->text ? e->text : "it has warnings, and reload.warnings is deny");
}

bool needled_reload(struct daemon *d, const char *by, struct str *text)
{
	struct decoders *decoders = NULL;
	struct settings *s = NULL;
	struct findings f = {0};
	struct trial trial = {0};
	struct err e = {0};
	int r;

	notify_reloading();
	r = load(d, by, 0, &s, &e);
	if (s)
		f = s->findings;
	if (r == 0)
		r = judge(s, &trial, &f, text);
	if (r == 0)
		r = decoders_open(d->plugins, &s->office, &decoders, &e);
	if (r == 0) {
		fault_point("in-reload");     /* read, judged, and not at work */
		warn_restart(d, s, &trial.arena, &f);
		log_notice("config.loaded", "configuration %s at work", s->office.hash);
		put_to_work(d, settings_ref(s), decoders);
	} else {
		refuse(d, &f, &e);
	}
	if (s)
		findings_text(&f, text);
	if (r < 0)
		str_addf(text, "%s\n", err_said(&e));
	note_reload(d, r == 0, &f);
	settings_unref(s);
	trial_done(&trial);
	notify_ready();
	return r == 0;
}

/* ---- the parts' callbacks --------------------------------------------------------------------- */
/* On Paho's thread: when this returns, the broker gets its PUBACK. */
static bool on_message(void *arg, const struct link_message *m)
{
	struct daemon *d = arg;
	struct inbox_record r = {.topic = m->topic, .payload = m->payload, .payload_len = m->payload_len,
				 .qos = m->qos, .dup = m->dup, .response_topic = m->response_topic,
				 .correlation = m->correlation, .correlation_len = m->correlation_len,
				 .received_at = clock_now_us()};
	struct err e;
	uint64_t seq;
	int done;

	/* Strictly growing, so that it tells messages apart (ids of dead letters). */
	if (r.received_at <= d->last_received_us) {
		r.received_at = d->last_received_us + 1;
		clock_set_us(r.received_at);    /* one that stands still must not lag behind what it stamps */
	}
	d->last_received_us = r.received_at;
	done = inbox_append(d->inbox, &r, &seq, &e);
	if (done >= 0)
		return done != INBOX_RESERVE;
	log_error("inbox.append", "%s; stopping before the broker hears that we have it", e.text);
	_exit(1);
}

static bool inbox_is_full(void *arg)
{
	struct daemon *d = arg;
	struct inbox_figures f;

	inbox_figures(d->inbox, &f);
	return f.full;
}

static void beat_worker(void *arg)
{
	pulse_beat(((struct daemon *)arg)->worker_pulse);
}

static void beat_dispatch(void *arg)
{
	pulse_beat(((struct daemon *)arg)->dispatch_pulse);
}

static void each_second(void *arg)
{
	struct daemon *d = arg;
	struct dispatch_state st;
	struct inbox_figures f;

	pulse_beat(d->main_pulse);
	mem_tidy();
	dispatch_state(d->dispatch, &st);
	inbox_figures(d->inbox, &f);
	notify_status("%s, broker %s, inbox %llu, outbox %lld",
		      atomic_load(&d->meeting.active) ? "active" : "standby", st.connected ? "connected" : "away",
		      (unsigned long long)(f.appended - f.retired), (long long)st.in_hand);
}

static void on_signal(void *arg, uint32_t signo)
{
	struct daemon *d = arg;
	struct str text = {0};

	if (signo != SIGHUP) {
		log_notice("daemon.stop", "signal %u: draining", signo);
		loop_stop(d->loop);
		return;
	}
	needled_reload(d, "SIGHUP", &text);
	str_done(&text);
}

/* ---- start ------------------------------------------------------------------------------------ */
static int make_folder(const char *path, struct err *e)
{
	char part[600];

	snprintf(part, sizeof(part), "%s", path);
	for (char *c = part + 1; *c; c++)
		if (*c == '/') {
			*c = '\0';
			mkdir(part, 0750);
			*c = '/';
		}
	if (mkdir(part, 0750) < 0 && errno != EEXIST)
		return err_set(e, ERR_SYS, "cannot make the folder %s: %s", path, strerror(errno));
	return 0;
}

static int choose_folders(struct daemon *d, const char *tenant, struct err *e)
{
	const char *state = getenv("STATE_DIRECTORY"), *run = getenv("RUNTIME_DIRECTORY");
	int r;

	if (state)
		snprintf(d->state, sizeof(d->state), "%.400s/%s", state, d->instance);
	else
		snprintf(d->state, sizeof(d->state), "/var/lib/needle/%s/%s", tenant, d->instance);
	if (run)
		snprintf(d->run, sizeof(d->run), "%.300s/ctl-%s.sock", run, d->instance);
	else
		control_path(tenant, d->instance, d->run, sizeof(d->run));
	snprintf(d->inbox_folder, sizeof(d->inbox_folder), "%s/inbox", d->state);
	r = make_folder(d->inbox_folder, e);
	if (r == 0 && strrchr(d->run, '/') != d->run) {
		char folder[400];

		snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(d->run, '/') - d->run), d->run);
		r = make_folder(folder, e);
	}
	return r;
}

static int simulate(struct daemon *d, struct settings *s, struct err *e)
{
	int64_t start = d->simulate_from;
	struct pg *pg;
	int r = pg_open(s->dsn, "needled start", &pg, e);

	if (r < 0)
		return r;
	r = store_sim_clock(pg, s->office.tenant, &start, e);
	pg_close(pg);
	if (r == 0)
		clock_simulate(start, d->speed);
	d->last_received_us = start;
	return r;
}

/* A database that is away is waited for; one of another version is a mistake that waiting does not mend. */
static int refuse_other_schema(struct settings *s, struct err *e)
{
	struct pg *pg = NULL;
	int r = pg_open(s->dsn, "needled start", &pg, e);

	if (r == 0)
		r = version_check(pg, e);
	pg_close(pg);
	if (r != ERR_AGAIN)
		return r;
	log_warn("store.away", "%s; waiting for it", e->text);
	return 0;
}

static int start_parts(struct daemon *d, struct settings *s, struct err *e)
{
	struct inbox_options inbox = {.folder = d->inbox_folder, .max_bytes = s->intake.inbox_bytes,
				      .durability = s->intake.power ? INBOX_POWER : INBOX_PROCESS};
	struct worker_options worker = {.meeting = &d->meeting, .instance = (d->instance[0] - 'a') & 3,
					.beat = beat_worker, .settled = answers_settled, .arg = d};
	struct dispatch_options dispatch = {.meeting = &d->meeting, .current = &d->current, .instance = d->instance,
					    .message = on_message, .paused = inbox_is_full, .beat = beat_dispatch, .arg = d};
	struct decoders *decoders;
	int r;

	if ((r = inbox_open(&inbox, &d->inbox, e)) < 0 || (r = decoders_open(d->plugins, &s->office, &decoders, e)) < 0)
		return r;
	d->settled_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->settled_fd < 0) {
		decoders_close(decoders);
		return err_set(e, ERR_SYS, "eventfd: %s", strerror(errno));
	}
	hits_attach(s);
	d->started_at = clock_now_us();
	d->current.now = settings_ref(s);
	d->meeting.box = mailbox_new(HANDOFFS);
	d->worker_pulse = pulse_add("worker");
	d->dispatch_pulse = pulse_add("dispatch");
	d->main_pulse = pulse_add("main");
	worker.inbox = d->inbox;
	worker.folder = d->state;
	if ((r = worker_start(&worker, settings_ref(s), decoders, &d->worker, e)) < 0)
		return r;
	return dispatch_start(&dispatch, &d->dispatch, e);
}

static int run(struct daemon *d, struct settings *s, struct err *e)
{
	int r;

	if ((r = choose_folders(d, s->office.tenant, e)) < 0 || (r = refuse_other_schema(s, e)) < 0 ||
	    (d->simulate && (r = simulate(d, s, e)) < 0) || (r = loop_new(&d->loop, e)) < 0 ||
	    (r = start_parts(d, s, e)) < 0 || (r = answers_open(d, s, e)) < 0)
		return r;
	for (int i = 0; i < 3; i++)
		if ((r = loop_signal(d->loop, (int[]){SIGHUP, SIGTERM, SIGINT}[i], on_signal, d, e)) < 0)
			return r;
	note_reload(d, true, &s->findings);
	log_notice("daemon.start", "needled %s, tenant %s, instance %s, configuration %s", NEEDLE_VERSION,
		   s->office.tenant, d->instance, s->office.hash);
	loop_every(d->loop, 1000, each_second, d);
	notify_watch(d->loop, STUCK_US);
	notify_ready();
	return loop_run(d->loop, e);
}

/* Nobody took them any more, or there was no dispatcher; they are in the outbox. */
static void drop_handoffs(struct mailbox *box)
{
	void *item;

	while (box && mailbox_take(box, &item, 1, 0))
		handoff_free(item);
	mailbox_free(box);
}

static void stop(struct daemon *d)
{
	notify_stopping();
	if (d->worker)
		worker_stop(d->worker, DRAIN_MS);
	if (d->dispatch) {
		dispatch_stop(d->dispatch, DRAIN_MS);
		dispatch_free(d->dispatch);
	}
	if (d->worker)
		worker_free(d->worker);
	control_close(d->control);
	http_close(d->http);
	if (d->inbox)
		inbox_close(d->inbox);
	drop_handoffs(d->meeting.box);
	loop_free(d->loop);
	settings_unref(d->current.now);
	free(d->reload.findings);
}

/* ---- argv ------------------------------------------------------------------------------------- */
static void usage(FILE *out)
{
	fputs(_("usage: needled [-c DIR] [-i INSTANCE] [-t | -T] [--simulate TIME [--speed N]] [--env-file FILE]\n"
	      "  -c DIR           configuration folder (default /etc/needle)\n"
	      "  -i INSTANCE      one letter: state, run folder, HTTP port offset (default a)\n"
	      "  -t               check the folder and exit: 0 good, 78 not; its tests are not run (needlectl check --all)\n"
	      "  -T               print the effective configuration, secrets as ***\n"
	      "  --simulate TIME  the clock starts at TIME; it stands still, or runs --speed N times as fast\n"
	      "  --env-file FILE  NAME=value lines for ${secret:NAME}\n"
	      "  -V, -h           version, this help\n"), out);
}

static int print_or_check(const struct settings *s, int r, bool print)
{
	struct str text = {0};

	if (r == 0 && print)
		settings_print(s, &text);
	else
		findings_text(&s->findings, &text);
	fputs(text.s ? text.s : "", print && r == 0 ? stdout : stderr);
	str_done(&text);
	return r == 0 ? 0 : EXIT_CONFIG;
}

static int start(struct daemon *d, bool check, bool print)
{
	struct settings *s = NULL;
	struct err e = {0};
	int r, code;

	/* The year that a calendar lacks is the year of the time that is worked in. */
	if (d->simulate)
		clock_simulate(d->simulate_from, d->speed);
	/* A folder is looked at where its secrets need not be; it is worked with only where they are. */
	r = load(d, "start", check || print ? LOAD_SECRETS_OPTIONAL : 0, &s, &e);
	if (r < 0) {
		log_error("config.load", "%s", e.text);
		return EXIT_CONFIG;
	}
	if (r != 0 || check || print) {
		code = print_or_check(s, r, print);
		settings_unref(s);
		return code;
	}
	r = run(d, s, &e);
	if (r < 0)
		log_error("daemon.start", "%s", e.text);
	stop(d);
	settings_unref(s);
	if (r == 0)
		log_notice("daemon.end", "stopped");
	return r == 0 ? 0 : r == ERR_BAD ? EXIT_CONFIG : r == ERR_AGAIN ? EXIT_AWAY : 1;
}

static bool read_simulate(struct daemon *d, const char *time)
{
	d->simulate = moment_parse(time, &d->simulate_from);
	if (!d->simulate) {
		fputs("needled: ", stderr);
		fprintf(stderr, _("--simulate %s is not a time: write '2026-11-20 08:30'"), time);
		fputc('\n', stderr);
	}
	return d->simulate;
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

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"simulate", required_argument, NULL, 's'},
					      {"speed", required_argument, NULL, 'x'},
					      {"env-file", required_argument, NULL, 'e'},
					      {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'},
					      {NULL, 0, NULL, 0}};
	static struct daemon d = {.folder = "/etc/needle", .instance = "a", .current = CURRENT_INIT};
	bool check = false, print = false, good = true;
	int option;

	tongue_init(NULL);
	while ((option = getopt_long(argc, argv, "c:i:tTVh", longs, NULL)) != -1) {
		switch (option) {
		case 'c': d.folder = optarg; break;
		case 'i': d.instance = optarg; break;
		case 't': check = true; break;
		case 'T': print = true; break;
		case 's': good &= read_simulate(&d, optarg); break;
		case 'x': good &= str_to_int(optarg, 0, 100000000, &d.speed); break;
		case 'e': d.env_file = optarg; break;
		case 'V': printf("needled %s\n", NEEDLE_VERSION); return 0;
		case 'h': usage(stdout); return 0;
		default: good = false;
		}
	}
	good = good && optind == argc && d.instance[0] >= 'a' && d.instance[0] <= 'z' && !d.instance[1];
	if (!good) {
		usage(stderr);
		return EXIT_USAGE;
	}
	/* Without memory a good message would be "not JSON", a dead letter. */
	json_set_alloc_funcs(mem_raw, free);
	log_init("needled", getenv("NEEDLE_DEBUG") ? LOG_DEBUG_ : LOG_INFO_);
	fault_init();
	block_signals();
	decoders_folder(d.plugins, sizeof(d.plugins));
	save_init_tables();
	return start(&d, check, print);
}
