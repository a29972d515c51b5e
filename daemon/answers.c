/* What the daemon answers: control verbs, metrics, health and readiness. Shows, and decides nothing. */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "needled.h"

#include "base/clock.h"
#include "base/counter.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/tongue.h"
#include "core/life/clocks.h"
#include "core/time/moment.h"
#include "dispatch/dispatch.h"
#include "health/control.h"
#include "health/http.h"
#include "health/metrics.h"
#include "intake/inbox.h"
#include "intake/worker.h"
#include "settings/hits.h"
#include "settings/snapshot.h"

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
	const char *by = json_string_value(json_object_get(request, "by"));
	bool ok = needled_reload(d, by ? by : "needlectl", &text);

	str_addf(reply, "{\"ok\":%s,\"config\":\"%s\",\"findings\":%s,\"text\":", ok ? "true" : "false",
		 d->reload.hash, d->reload.findings);
	str_json(reply, text.s ? text.s : "");
	str_addc(reply, '}');
	str_done(&text);
}

static void add_rule(const struct rule *rule, const struct rule_hits *hits, struct str *reply)
{
	str_add(reply, "{\"rule\":");
	str_json(reply, rule->id);
	str_add(reply, ",\"file\":");
	str_json(reply, rule->file);
	str_addf(reply, ",\"line\":%d,\"department\":\"%s\",\"won\":%lld,\"lost\":%lld}", rule->line,
		 rule->then.dept->id, (long long)hits->won, (long long)hits->lost);
}

static void verb_rules(void *arg, json_t *request, struct str *reply)
{
	struct daemon *d = arg;
	struct settings *s = current_get(&d->current);
	char at[MOMENT_TEXT];

	(void)request;
	str_addf(reply, "{\"since\":\"%s\",\"config\":\"%s\",\"rules\":[", moment_rfc3339(d->started_at, at),
		 s->office.hash);
	for (size_t i = 0; i < s->office.n_rules; i++) {
		str_add(reply, i ? "," : "");
		add_rule(&s->office.rules[i], s->hits[i], reply);
	}
	str_add(reply, "]}");
	settings_unref(s);
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
		str_add(reply, "{\"error\":");
		str_json(reply, _("the clock is not simulated: start the daemon with --simulate"));
		str_addc(reply, '}');
		return;
	}
	if (set && !moment_parse(set, &now))
		ok = err_set(&e, ERR_BAD, "not a time: write 2026-11-20 08:30") == 0;
	/* Messages that came while it stood still have moved it by microseconds, which nobody sees. */
	if (now < clock_now_us() && clock_now_us() - now < 1000000)
		now = clock_now_us();
	if (ok && add)
		ok = add_span(d, add, &now, &e);
	if (ok && (set || add) && !clock_set_us(now))
		ok = err_set(&e, ERR_BAD, "the clock never goes backwards") == 0;
	/* Who wants to know when all is done that is due hears it then. */
	if (ok && !set && !add && json_is_true(json_object_get(request, "settle")) && !worker_settled(d->worker, now))
		return;
	if (ok) {
		/* Whoever only looks does not disturb: scenarios look until all is settled. */
		str_addf(reply, "{\"now\":\"%s\",\"simulated\":%s,\"settled\":%s,\"next\":", moment_rfc3339(clock_now_us(), at),
			 clock_is_simulated() ? "true" : "false",
			 !set && !add && worker_settled(d->worker, now) ? "true" : "false");
		if (worker_next(d->worker) == MOMENT_NONE)
			str_add(reply, "null}");
		else
			str_addf(reply, "\"%s\"}", moment_rfc3339(worker_next(d->worker), at));
		if (!set && !add)
			return;
		worker_wake(d->worker);
		dispatch_wake(d->dispatch);
		return;
	}
	str_add(reply, "{\"error\":");
	str_json(reply, err_said(&e));
	str_addc(reply, '}');
}

static const struct control_verb verbs[] = {
	{"status", verb_status}, {"rules", verb_rules}, {"reload", verb_reload}, {"drain", verb_drain}, {"clock", verb_clock}};

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

static void rule_metrics(void *arg, struct str *out)
{
	const struct settings *s = arg;

	metrics_family(out, "needle_rule_won_total", "counter", "New cases that the rule decided");
	for (size_t i = 0; i < s->office.n_rules; i++)
		metrics_sample(out, "needle_rule_won_total", &(struct metrics_label){"rule", s->office.rules[i].id}, 1,
			       s->hits[i]->won);
	metrics_family(out, "needle_rule_lost_total", "counter", "New cases that the rule matched after an earlier one");
	for (size_t i = 0; i < s->office.n_rules; i++)
		metrics_sample(out, "needle_rule_lost_total", &(struct metrics_label){"rule", s->office.rules[i].id}, 1,
			       s->hits[i]->lost);
}

static int page_metrics(void *arg, struct str *out)
{
	struct daemon *d = arg;
	struct settings *s = current_get(&d->current);
	struct inbox_figures f;

	inbox_figures(d->inbox, &f);
	count_set(COUNT_INBOX_RECORDS, (int64_t)(f.appended - f.retired));
	count_set(COUNT_INBOX_BYTES, f.bytes);
	metrics_text(NEEDLE_VERSION, s->office.hash, &(struct metrics_source){rule_metrics, s}, 1, out);
	settings_unref(s);
	return 200;
}

static int page_summary(void *arg, struct str *out)
{
	struct daemon *d = arg;

	dispatch_summary(d->dispatch, out);
	return 200;
}

/* ---- the doors -------------------------------------------------------------------------------- */
void answers_settled(void *arg)
{
	const struct daemon *d = arg;

	/* It fails only when the main thread has very much not heard yet. */
	if (write(d->settled_fd, &(uint64_t){1}, sizeof(uint64_t)) < 0)
		errno = 0;
}

static void on_settled(void *arg, uint32_t events)
{
	struct daemon *d = arg;
	uint64_t times;

	(void)events;
	if (read(d->settled_fd, &times, sizeof(times)) > 0)
		control_again(d->control);
}

int answers_open(struct daemon *d, const struct settings *s, struct err *e)
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
	if (r == 0)
		r = loop_add(d->loop, d->settled_fd, EPOLLIN, on_settled, d, e);
	if (r == 0 && s->http.address)
		r = http_open(d->loop, s->http.address, s->http.port + d->instance[0] - 'a', pages, 4, &d->http, e);
	return r;
}
