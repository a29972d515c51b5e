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
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/pulse.h"
#include "base/str.h"
#include "core/life/clocks.h"
#include "core/time/moment.h"
#include "dispatch/dispatch.h"
#include "health/control.h"
#include "health/http.h"
#include "health/metrics.h"
#include "health/notify.h"
#include "plugin/decoder.h"
#include "intake/inbox.h"
#include "intake/worker.h"
#include "link/link.h"
#include "settings/current.h"
#include "settings/snapshot.h"
#include "store/outbox.h"
#include "store/save.h"
#include "store/version.h"

enum { EXIT_USAGE = 2, EXIT_CONFIG = 78 };
enum { STUCK_US = 60000000, DRAIN_MS = 8000, HANDOFFS = 16 };

struct daemon {
	const char *folder, *instance, *env_file;
	const char *simulate;
	int64_t speed;
	char plugins[512], state[512], run[400], probe_file[600], inbox_folder[600];

	struct current current;
	struct meeting meeting;
	struct inbox *inbox;
	struct worker *worker;
	struct dispatch *dispatch;
	struct loop *loop;
	struct control *control;
	struct http *http;
	struct pulse *worker_pulse, *dispatch_pulse, *main_pulse;
	int64_t last_received_us;

	struct {
		int64_t at;
		bool ok;
		char hash[17];
		char *findings;         /* JSON array */
	} reload;
};

/* ---- configuration ---------------------------------------------------------------------------- */
static int load(struct daemon *d, struct settings **ret, struct err *e)
{
	struct load_options options = {.env_file = d->env_file, .decoder = decoders_info, .decoder_arg = d->plugins};

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

static void note_reload(struct daemon *d, bool ok, const struct settings *s)
{
	struct settings *now = current_get(&d->current);

	d->reload.at = clock_now_us();
	d->reload.ok = ok;
	snprintf(d->reload.hash, sizeof(d->reload.hash), "%s", now->office.hash);
	free(d->reload.findings);
	d->reload.findings = s ? findings_array(&s->findings) : strdup("[]");
	count(ok ? COUNT_RELOADS : COUNT_RELOADS_FAILED);
	count_set(COUNT_RELOAD_OK, ok);
	settings_unref(now);
}

/* What only a restart changes, for the log and the caller. */
static const char *needs_restart(const struct settings *a, const struct settings *b)
{
	if (!str_equal(a->broker.host, b->broker.host) || a->broker.port != b->broker.port ||
	    !str_equal(a->broker.user, b->broker.user) || !str_equal(a->broker.password, b->broker.password) ||
	    !str_equal(a->broker.tls_ca, b->broker.tls_ca))
		return "broker";
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
	struct settings *old = current_swap(&d->current, s);
	const char *restart = needs_restart(old, s);

	if (restart)
		log_warn("config.restart", "the change of '%s' works only after a restart", restart);
	worker_offer(d->worker, settings_ref(s), decoders);
	dispatch_wake(d->dispatch);
	settings_unref(old);
}

/* Whole snapshot or nothing. `text` gets the report for people. True when the new one works. */
static bool reload(struct daemon *d, struct str *text)
{
	struct decoders *decoders = NULL;
	struct settings *s = NULL;
	struct err e = {0};
	int r;

	notify_reloading();
	fault_point("in-reload");
	r = load(d, &s, &e);
	if (r == 0 && s->findings.n_warnings && s->reload.warnings_deny) {
		r = SETTINGS_HAS_ERRORS;
		str_add(text, "reload.warnings is deny\n");
	}
	if (s)
		findings_text(&s->findings, text);
	if (r == 0)
		r = decoders_open(d->plugins, &s->office, &decoders, &e);
	if (r == 0) {
		log_notice("config.loaded", "configuration %s at work", s->office.hash);
		put_to_work(d, settings_ref(s), decoders);
	} else {
		if (r < 0)
			str_addf(text, "%s\n", e.text);
		log_error("config.refused", "%s: %s; the former configuration works on", d->folder,
			  r < 0 ? e.text : "it has errors, see `needlectl check`");
	}
	note_reload(d, r == 0, s);
	settings_unref(s);
	notify_ready();
	return r == 0;
}

/* ---- control verbs ---------------------------------------------------------------------------- */
static void verb_status(void *arg, json_t *request, struct str *reply)
{
	struct daemon *d = arg;
	struct settings *s = current_get(&d->current);
	struct dispatch_state st;
	struct inbox_figures f;
	char at[MOMENT_TEXT];

	(void)request;
	dispatch_state(d->dispatch, &st);
	inbox_figures(d->inbox, &f);
	str_addf(reply, "{\"instance\":\"%s\",\"tenant\":\"%s\",\"version\":\"%s\",\"config\":\"%s\",\"active\":%s",
		 d->instance, s->office.tenant, NEEDLE_VERSION, s->office.hash,
		 atomic_load(&d->meeting.active) ? "true" : "false");
	str_addf(reply, ",\"broker\":{\"connected\":%s,\"reconciled\":%s},\"database\":{\"connected\":%s}",
		 st.connected ? "true" : "false", st.reconciled ? "true" : "false",
		 count_get(COUNT_DATABASE_CONNECTED) ? "true" : "false");
	str_addf(reply, ",\"inbox\":%llu,\"inbox_bytes\":%lld,\"outbox\":%lld,\"open_cases\":%lld",
		 (unsigned long long)(f.appended - f.retired), (long long)f.bytes, (long long)st.in_hand,
		 (long long)st.open_cases);
	str_addf(reply, ",\"clock\":{\"now\":\"%s\",\"simulated\":%s}", moment_rfc3339(clock_now_us(), at),
		 clock_is_simulated() ? "true" : "false");
	str_addf(reply, ",\"last_reload\":{\"at\":\"%s\",\"ok\":%s,\"config\":\"%s\",\"findings\":%s}}",
		 moment_rfc3339(d->reload.at, at), d->reload.ok ? "true" : "false", d->reload.hash,
		 d->reload.findings);
	settings_unref(s);
}

static void verb_reload(void *arg, json_t *request, struct str *reply)
{
	struct daemon *d = arg;
	struct str text = {0};
	bool ok = reload(d, &text);

	(void)request;
	str_addf(reply, "{\"ok\":%s,\"config\":\"%s\",\"findings\":%s,\"text\":", ok ? "true" : "false",
		 d->reload.hash, d->reload.findings);
	str_json(reply, text.s ? text.s : "");
	str_addc(reply, '}');
	str_done(&text);
}

static void verb_drain(void *arg, json_t *request, struct str *reply)
{
	struct daemon *d = arg;

	(void)request;
	str_add(reply, "{\"ok\":true}");
	loop_stop(d->loop);
}

static bool add_span(struct daemon *d, const char *span, int64_t *now, struct err *e)
{
	struct settings *s = current_get(&d->current);
	struct arena a = {0};
	struct deadline deadline;
	struct due due;
	size_t at;
	bool ok = deadline_parse(span, &a, &deadline, &at, e) == 0 &&
		  deadline_due(&deadline, office_calendar(&s->office, &deadline, s->office.fallback_policy), *now,
			       NULL, &due, e) == 0;

	if (ok)
		*now = due.at;
	arena_done(&a);
	settings_unref(s);
	return ok;
}

static void verb_clock(void *arg, json_t *request, struct str *reply)
{
	const char *set = json_string_value(json_object_get(request, "set"));
	const char *add = json_string_value(json_object_get(request, "add"));
	struct daemon *d = arg;
	int64_t now = clock_now_us();
	struct err e = {0};
	char at[MOMENT_TEXT];
	bool ok = true;

	if ((set || add) && !clock_is_simulated()) {
		str_add(reply, "{\"error\":\"the clock is not simulated: start the daemon with --simulate\"}");
		return;
	}
	if (set && !moment_parse(set, &now))
		ok = err_set(&e, ERR_BAD, "not a time: write 2026-11-20 08:30") == 0;
	if (ok && add)
		ok = add_span(d, add, &now, &e);
	if (ok && (set || add) && !clock_set_us(now))
		ok = err_set(&e, ERR_BAD, "the clock never goes backwards") == 0;
	if (ok) {
		str_addf(reply, "{\"now\":\"%s\",\"simulated\":%s}", moment_rfc3339(clock_now_us(), at),
			 clock_is_simulated() ? "true" : "false");
		dispatch_wake(d->dispatch);
		return;
	}
	str_add(reply, "{\"error\":");
	str_json(reply, e.text);
	str_addc(reply, '}');
}

static const struct control_verb verbs[] = {
	{"status", verb_status}, {"reload", verb_reload}, {"drain", verb_drain}, {"clock", verb_clock}};

/* ---- pages ------------------------------------------------------------------------------------ */
static bool probe_active(void *arg, char *reason, size_t size)
{
	struct daemon *d = arg;

	snprintf(reason, size, "standby: another daemon holds the tenant's lock, or the database is away");
	return atomic_load(&d->meeting.active);
}

static bool probe_database(void *arg, char *reason, size_t size)
{
	(void)arg;
	snprintf(reason, size, "the database is not connected");
	return count_get(COUNT_DATABASE_CONNECTED) != 0;
}

static bool probe_broker(void *arg, char *reason, size_t size)
{
	struct daemon *d = arg;
	struct dispatch_state st;

	dispatch_state(d->dispatch, &st);
	if (!st.connected)
		snprintf(reason, size, "the broker is not connected");
	else if (st.probe_known && !st.probe_ok)
		snprintf(reason, size, "the broker drops queued messages: raise max_queued_messages");
	else
		snprintf(reason, size, "the retained cards are not reconciled yet");
	return st.connected && st.reconciled && st.probe_ok;
}

static bool probe_inbox(void *arg, char *reason, size_t size)
{
	struct daemon *d = arg;
	struct inbox_figures f;

	inbox_figures(d->inbox, &f);
	snprintf(reason, size, "the inbox is full");
	return !f.full;
}

static int page_metrics(void *arg, struct str *out)
{
	struct daemon *d = arg;
	struct settings *s = current_get(&d->current);
	struct inbox_figures f;

	inbox_figures(d->inbox, &f);
	count_set(COUNT_INBOX_RECORDS, (int64_t)(f.appended - f.retired));
	count_set(COUNT_INBOX_BYTES, f.bytes);
	metrics_text(NEEDLE_VERSION, s->office.hash, NULL, 0, out);
	settings_unref(s);
	return 200;
}

static int page_summary(void *arg, struct str *out)
{
	struct daemon *d = arg;

	dispatch_summary(d->dispatch, out);
	return 200;
}

/* ---- the parts' callbacks --------------------------------------------------------------------- */
/* On Paho's thread: when this returns, the broker gets its PUBACK. */
static void on_message(void *arg, const struct link_message *m)
{
	struct daemon *d = arg;
	struct inbox_record r = {.topic = m->topic, .payload = m->payload, .payload_len = m->payload_len,
				 .qos = m->qos, .dup = m->dup, .response_topic = m->response_topic,
				 .correlation = m->correlation, .correlation_len = m->correlation_len,
				 .received_at = clock_now_us()};
	struct err e;
	uint64_t seq;

	/* Strictly growing, so that it tells messages apart (ids of dead letters). */
	if (r.received_at <= d->last_received_us)
		r.received_at = d->last_received_us + 1;
	d->last_received_us = r.received_at;
	if (inbox_append(d->inbox, &r, &seq, &e) == 0)
		return;
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
	reload(d, &text);
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
	snprintf(d->probe_file, sizeof(d->probe_file), "%s/broker-probe", d->state);
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
	int64_t start;
	struct pg *pg;
	int r;

	if (!moment_parse(d->simulate, &start))
		return err_set(e, ERR_BAD, "--simulate %s is not a time: write '2026-11-20 08:30'", d->simulate);
	r = pg_open(s->dsn, "needled start", &pg, e);
	if (r < 0)
		return r;
	r = store_sim_clock(pg, s->office.tenant, &start, e);
	pg_close(pg);
	if (r == 0)
		clock_simulate(start, d->speed);
	return r;
}

/* A database that is away is waited for; one of another version is a mistake that waiting does not mend. */
static int refuse_other_schema(struct settings *s, struct err *e)
{
	struct err away;
	struct pg *pg;
	int r;

	if (pg_open(s->dsn, "needled start", &pg, &away) < 0) {
		log_warn("store.away", "%s; waiting for it", away.text);
		return 0;
	}
	r = version_check(pg, e);
	pg_close(pg);
	return r;
}

static int start_parts(struct daemon *d, struct settings *s, struct err *e)
{
	struct inbox_options inbox = {.folder = d->inbox_folder, .max_bytes = s->intake.inbox_bytes,
				      .durability = s->intake.power ? INBOX_POWER : INBOX_PROCESS};
	struct worker_options worker = {.meeting = &d->meeting, .instance = (d->instance[0] - 'a') & 3,
					.beat = beat_worker, .arg = d};
	struct dispatch_options dispatch = {.meeting = &d->meeting, .current = &d->current, .instance = d->instance,
					    .probe_file = d->probe_file, .message = on_message,
					    .paused = inbox_is_full, .beat = beat_dispatch, .arg = d};
	struct decoders *decoders;
	int r;

	if ((r = decoders_open(d->plugins, &s->office, &decoders, e)) < 0 ||
	    (r = inbox_open(&inbox, &d->inbox, e)) < 0)
		return r;
	d->current.now = settings_ref(s);
	d->meeting.box = mailbox_new(HANDOFFS);
	d->worker_pulse = pulse_add("worker");
	d->dispatch_pulse = pulse_add("dispatch");
	d->main_pulse = pulse_add("main");
	worker.inbox = d->inbox;
	if ((r = worker_start(&worker, settings_ref(s), decoders, &d->worker, e)) < 0)
		return r;
	return dispatch_start(&dispatch, &d->dispatch, e);
}

static int start_doors(struct daemon *d, const struct settings *s, struct err *e)
{
	static struct http_probe probe[4];
	static struct http_probes probes = {probe, 4};
	static struct http_page pages[4];
	int r;

	probe[0] = (struct http_probe){probe_active, d};
	probe[1] = (struct http_probe){probe_database, d};
	probe[2] = (struct http_probe){probe_broker, d};
	probe[3] = (struct http_probe){probe_inbox, d};
	pages[0] = (struct http_page){"/metrics", HTTP_METRICS, page_metrics, d};
	pages[1] = (struct http_page){"/healthz", HTTP_JSON, http_healthy, NULL};
	pages[2] = (struct http_page){"/readyz", HTTP_JSON, http_ready, &probes};
	pages[3] = (struct http_page){"/api/v1/summary", HTTP_JSON, page_summary, d};
	r = control_open(d->loop, d->run, verbs, sizeof(verbs) / sizeof(verbs[0]), d, &d->control, e);
	if (r == 0 && s->http.address)
		r = http_open(d->loop, s->http.address, s->http.port + d->instance[0] - 'a', pages, 4, &d->http, e);
	for (int i = 0; r == 0 && i < 3; i++)
		r = loop_signal(d->loop, (int[]){SIGHUP, SIGTERM, SIGINT}[i], on_signal, d, e);
	return r;
}

static int run(struct daemon *d, struct settings *s, struct err *e)
{
	int r;

	if ((r = choose_folders(d, s->office.tenant, e)) < 0 || (r = refuse_other_schema(s, e)) < 0 ||
	    (d->simulate && (r = simulate(d, s, e)) < 0) || (r = loop_new(&d->loop, e)) < 0 ||
	    (r = start_parts(d, s, e)) < 0 || (r = start_doors(d, s, e)) < 0)
		return r;
	note_reload(d, true, s);
	log_notice("daemon.start", "needled %s, tenant %s, instance %s, configuration %s", NEEDLE_VERSION,
		   s->office.tenant, d->instance, s->office.hash);
	loop_every(d->loop, 1000, each_second, d);
	notify_watch(d->loop, STUCK_US);
	notify_ready();
	return loop_run(d->loop, e);
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
	mailbox_free(d->meeting.box);
	loop_free(d->loop);
	settings_unref(d->current.now);
	free(d->reload.findings);
}

/* ---- argv ------------------------------------------------------------------------------------- */
static void usage(FILE *out)
{
	fputs("usage: needled [-c DIR] [-i INSTANCE] [-t | -T] [--simulate TIME [--speed N]] [--env-file FILE]\n"
	      "  -c DIR           configuration folder (default /etc/needle)\n"
	      "  -i INSTANCE      one letter: state, run folder, HTTP port offset (default a)\n"
	      "  -t               check the folder and exit: 0 good, 78 not\n"
	      "  -T               print the effective configuration, secrets as ***\n"
	      "  --simulate TIME  the clock starts at TIME; it stands still, or runs --speed N times as fast\n"
	      "  --env-file FILE  NAME=value lines for ${secret:NAME}\n"
	      "  -V, -h           version, this help\n", out);
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
	int r = load(d, &s, &e), code;

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
	return r == 0 ? 0 : r == ERR_BAD ? EXIT_CONFIG : 1;
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

	while ((option = getopt_long(argc, argv, "c:i:tTVh", longs, NULL)) != -1) {
		switch (option) {
		case 'c': d.folder = optarg; break;
		case 'i': d.instance = optarg; break;
		case 't': check = true; break;
		case 'T': print = true; break;
		case 's': d.simulate = optarg; break;
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
	log_init("needled", getenv("NEEDLE_DEBUG") ? LOG_DEBUG_ : LOG_INFO_);
	fault_init();
	block_signals();
	decoders_folder(d.plugins, sizeof(d.plugins));
	save_init_tables();
	return start(&d, check, print);
}
