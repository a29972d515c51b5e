/*
 * The broker session: connected while this daemon is active and the inbox has room. After each connect:
 * subscribe, say online, reconcile the cards; only then does publishing begin.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/log.h"
#include "base/str.h"
#include "core/time/moment.h"
#include "dispatch/parts.h"

enum { SUBSCRIBE_MS = 10000 };

static const char *status_topic(struct dispatch *d, struct arena *a)
{
	return arena_printf(a, "needle/%s/gateway/%s/status", tenant_of(d), d->o.instance);
}

static const char *status_payload(struct dispatch *d, const char *status, struct arena *a)
{
	char at[MOMENT_TEXT];

	return arena_printf(a, "{\"v\":1,\"status\":\"%s\",\"version\":\"%s\",\"config\":\"%s\",\"at\":\"%s\"}", status,
			    NEEDLE_VERSION, d->settings->office.hash, moment_rfc3339(clock_now_us(), at));
}

/* ---- the link's callbacks, on Paho's thread --------------------------------------------------- */
static void on_message(void *arg, const struct link_message *m)
{
	struct dispatch *d = arg;

	if (d->o.message(d->o.arg, m))
		return;
	/* At once: the dispatcher may be settling, and a backlog fills the reserve faster than that. */
	atomic_store(&d->left, true);
	link_leave(d->link);
}

static void on_connected(void *arg, bool session_present)
{
	struct dispatch *d = arg;

	count_set(COUNT_BROKER_CONNECTED, 1);
	log_info("link.connected", "connected to the broker, session %s", session_present ? "kept" : "new");
	atomic_store(&d->fresh_connection, true);
	atomic_store(&d->connected, true);
	mailbox_wake(d->o.meeting->box);
}

static void on_disconnected(void *arg, const char *reason, bool taken_over)
{
	struct dispatch *d = arg;

	count_set(COUNT_BROKER_CONNECTED, 0);
	if (taken_over)
		atomic_store(&d->taken_over, true);
	if (atomic_exchange(&d->connected, false) || taken_over)
		log_warn("link.disconnected", "%s%s", reason, taken_over ? " (another daemon took the session)" : "");
	mailbox_wake(d->o.meeting->box);
}

/*
 * Mosquitto 2.0.11 closes a session that another takes without a word. So before each connect the lock
 * must be held, not only believed: two daemons that come back in turn would serve nobody.
 */
static bool may_connect(void *arg)
{
	struct dispatch *d = arg;

	return atomic_load(&d->o.meeting->locked);
}

static int make_link(struct dispatch *d, struct err *e)
{
	const struct broker_settings *b = &d->settings->broker;
	struct arena a = {0};
	struct link_options options = {
		.host = b->host, .port = b->port, .user = b->user, .password = b->password,
		.tls = {b->tls_ca, b->tls_cert, b->tls_key}, .session_expiry_s = 7 * 24 * 3600,
		.client_id = arena_printf(&a, "needle-%s", tenant_of(d)), .will_topic = status_topic(d, &a),
		.will_payload = status_payload(d, "offline", &a)};
	struct link_callbacks callbacks = {d, on_message, on_connected, on_disconnected, may_connect};
	int r = auditor_new(d, e);

	if (r == 0)
		r = link_new(&options, &callbacks, &d->link, e);
	if (r == 0)
		link_on_done(d->link, publish_done, d);
	else
		auditor_free(d);
	arena_done(&a);
	return r;
}

/* ---- subscriptions ---------------------------------------------------------------------------- */
/* R/in/# once, so that an unknown channel ends as a dead letter; foreign topics as channels name them, each one once (E26). */
static size_t wanted_filters(struct dispatch *d, struct arena *a, const char ***ret)
{
	const struct office *o = &d->settings->office;
	const char *own = arena_printf(a, "needle/%s/in/", o->tenant);
	size_t n = 0, most = 2;

	for (size_t i = 0; i < o->n_channels; i++)
		most += o->channels[i].n_filters;
	*ret = arena_alloc(a, most * sizeof(**ret));
	(*ret)[n++] = arena_printf(a, "%s#", own);
	(*ret)[n++] = arena_printf(a, "needle/%s/dept/+/cmd", o->tenant);
	for (size_t i = 0; i < o->n_channels; i++)
		for (size_t k = 0; k < o->channels[i].n_filters; k++)
			if (strncmp(o->channels[i].filters[k], own, strlen(own)) != 0)
				(*ret)[n++] = o->channels[i].filters[k];
	return n;
}

static bool contains(const char *const *list, size_t n, const char *filter)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], filter) == 0)
			return true;
	return false;
}

static void keep_filters(struct dispatch *d, const char *const *filters, size_t n)
{
	for (size_t i = 0; i < d->filters.n; i++)
		free(d->filters.v[i]);
	d->filters.v = mem_resize(d->filters.v, n * sizeof(*d->filters.v));
	for (size_t i = 0; i < n; i++)
		d->filters.v[i] = mem_strdup(filters[i]);
	d->filters.n = n;
}

/* After a connect the broker is told all, after a reload what is new. */
static int subscribe(struct dispatch *d, bool all, struct err *e)
{
	struct arena a = {0};
	const char **filters, **gone, **fresh;
	size_t n = wanted_filters(d, &a, &filters), n_gone = 0, n_fresh = 0;
	int r = 0;

	gone = arena_alloc(&a, (d->filters.n + 1) * sizeof(*gone));
	fresh = arena_alloc(&a, n * sizeof(*fresh));
	for (size_t i = 0; i < d->filters.n; i++)
		if (!contains(filters, n, d->filters.v[i]))
			gone[n_gone++] = d->filters.v[i];
	for (size_t i = 0; i < n; i++)
		if (all || !contains((const char *const *)d->filters.v, d->filters.n, filters[i]))
			fresh[n_fresh++] = filters[i];
	if (n_fresh)
		r = link_subscribe(d->link, fresh, n_fresh, 2, SUBSCRIBE_MS, e);
	if (r == 0 && n_gone)
		r = link_unsubscribe(d->link, gone, n_gone, SUBSCRIBE_MS, e);
	if (r == 0)
		keep_filters(d, filters, n);
	arena_done(&a);
	return r;
}

/* What the link does not take now is said in the next turn. */
static void say_online(struct dispatch *d)
{
	struct arena a = {0};

	if (publish_plain(d, status_topic(d, &a), status_payload(d, "online", &a), true))
		memcpy(d->hash, d->settings->office.hash, sizeof(d->hash));
	else
		d->hash[0] = '\0';
	arena_done(&a);
}

/* False: it is not sure that the broker has it. */
static bool say_offline(struct dispatch *d)
{
	struct arena a = {0};
	bool said = atomic_load(&d->connected) && publish_plain(d, status_topic(d, &a), status_payload(d, "offline", &a), true);

	for (int i = 0; said && d->flying && i < 50; i++) {
		struct timespec nap = {0, 10 * 1000000};

		nanosleep(&nap, NULL);
		publish_land(d);
	}
	arena_done(&a);
	return said && !d->flying;
}

static void leave(struct dispatch *d, int timeout_ms)
{
	if (!say_offline(d))
		link_leave(d->link);
	link_stop(d->link, timeout_ms);
	d->link_started = false;
	atomic_store(&d->connected, false);
}

/* ---- the turn --------------------------------------------------------------------------------- */
static void stay_or_leave(struct dispatch *d)
{
	bool active = atomic_load(&d->o.meeting->active);
	bool full = d->o.paused(d->o.arg), want = active && !full, left = atomic_exchange(&d->left, false);
	struct err e;

	if (want && !d->link && make_link(d, &e) < 0) {
		log_error("link.new", "%s", e.text);
		return;
	}
	/* The session was taken from us. The tenant's lock says who is right: who holds it comes back. */
	if (atomic_exchange(&d->taken_over, false))
		d->link_started = false;
	if (want && !d->link_started && atomic_load(&d->o.meeting->locked)) {
		d->link_started = true;
		link_start(d->link);
	} else if (d->link_started && (!want || left)) {
		log_notice("link.leave", "%s", active ? "the inbox is full: leaving the broker until it has room"
						      : "no longer active: leaving the broker");
		leave(d, 2000);
	}
	/*
	 * Without the broker no answer is acknowledged and nothing leaves the inbox, which would stay full
	 * for ever. So nobody is told now: events are in the outbox, and who wants a receipt asks again.
	 */
	if (!full && d->full)
		atomic_store(&d->o.meeting->scan, true);
	d->full = full;
	if ((!active || full) && !d->flying && (d->first || d->in_hand.n || d->again.n))
		publish_drop_all(d);
}

/* What a new connection needs before publishing begins. */
static int look_at_broker(struct dispatch *d, struct err *e)
{
	bool ok = true;
	int r = audit_begin(d, e);

	if (r == 0 && !d->shown.probe_ok)
		r = probe_broker(d, &ok, e);
	if (r == 0) {
		pthread_mutex_lock(&d->shown_lock);
		d->shown.probe_known = true;
		d->shown.probe_ok = ok;
		pthread_mutex_unlock(&d->shown_lock);
		r = reconcile_cards(d, e);
	}
	audit_end(d);
	return r;
}

static bool settle(struct dispatch *d)
{
	struct err e;
	int r = subscribe(d, true, &e);

	if (r == 0) {
		d->subscribed = true;
		say_online(d);
		r = look_at_broker(d, &e);
	}
	if (r < 0) {
		log_warn("link.settle", "%s", e.text);
		return false;
	}
	d->reconciled = true;
	for (size_t i = 0; i < d->settings->office.n_departments; i++)
		summary_mark(d, d->settings->office.departments[i].id);
	wall_mark(d, true);
	d->lists.due = d->lists.all = true;
	return true;
}

void session_turn(struct dispatch *d)
{
	struct err e;
	int r;

	stay_or_leave(d);
	if (!atomic_load(&d->connected)) {
		d->subscribed = d->reconciled = false;
		return;
	}
	if (atomic_exchange(&d->fresh_connection, false))
		d->subscribed = d->reconciled = false;
	if (!d->reconciled && d->pg && clock_mono_us() >= d->next_connect_us && !settle(d))
		d->next_connect_us = clock_mono_us() + 1000000;
	if (!d->reconciled || memcmp(d->hash, d->settings->office.hash, sizeof(d->hash)) == 0 || clock_mono_us() < d->next_subscribe_us)
		return;
	r = subscribe(d, false, &e);
	if (r < 0)
		log_warn("link.subscribe", "%s", e.text);
	/* Without an answer it is asked again: until then what a new channel is sent goes nowhere. */
	if (r == ERR_AGAIN)
		d->next_subscribe_us = clock_mono_us() + 1000000;
	else
		say_online(d);
}

void session_end(struct dispatch *d, int timeout_ms)
{
	if (d->link_started)
		leave(d, timeout_ms);
	count_set(COUNT_BROKER_CONNECTED, 0);
	keep_filters(d, NULL, 0);
	free(d->filters.v);
	d->filters.v = NULL;
}
