/* One turn: take what the worker handed over, keep the session, land, fire, scan, send, delete. */
#include "dispatch/dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/log.h"
#include "base/str.h"
#include "core/time/moment.h"
#include "dispatch/parts.h"
#include "settings/current.h"
#include "store/version.h"

enum { TURN_US = 100000, TAKE_MAX = 16, SCAN_EVERY_US = 30000000, SCAN_AGE_US = 15000000, TICK_US = 1000000,
       TIMER_US = 250000, FAR_US = 60000000, BACKOFF_MAX_MS = 5000 };

static void drop_connection(struct dispatch *d)
{
	pg_close(d->pg);
	d->pg = NULL;
	d->backoff_ms = d->backoff_ms ? 2 * d->backoff_ms : 100;
	if (d->backoff_ms > BACKOFF_MAX_MS)
		d->backoff_ms = BACKOFF_MAX_MS;
	d->next_connect_us = clock_mono_us() + d->backoff_ms * 1000;
}

static void connect_store(struct dispatch *d)
{
	struct err e;

	if (d->pg && !pg_is_alive(d->pg))
		drop_connection(d);
	if (d->pg || clock_mono_us() < d->next_connect_us)
		return;
	if (pg_open(d->settings->dsn, "needled dispatch", &d->pg, &e) < 0 || version_check(d->pg, &e) < 0) {
		log_debug("store.away", "%s", e.text);
		drop_connection(d);
		return;
	}
	d->backoff_ms = 0;
	atomic_store(&d->o.meeting->scan, true);
}

/* A failed statement: the work stays where it is (outbox, timer) and is met again. */
static void failed(struct dispatch *d, const char *what, const struct err *e)
{
	if (e->class == ERR_AGAIN)
		log_warn("dispatch.store", "%s: %s", what, e->text);
	else
		log_error("dispatch.store", "%s: %s", what, e->text);
	pg_rollback(d->pg);
	if (!pg_is_alive(d->pg))
		drop_connection(d);
}

static void take_handoffs(struct dispatch *d)
{
	void *items[TAKE_MAX];
	size_t room = d->n_in_hand < IN_HAND_MAX ? TAKE_MAX : 0, n;

	/* Acknowledgements wake the box as well; only rows that wait for their deletion do not. */
	n = mailbox_take(d->o.meeting->box, items, room, d->done.n ? 0 : TURN_US);
	for (size_t i = 0; i < n; i++)
		publish_parcel(d, items[i]);
}

static void fire_timers(struct dispatch *d)
{
	struct err e;

	if (clock_mono_us() < d->next_timer_us || !atomic_load(&d->o.meeting->active))
		return;
	d->next_timer_us = clock_mono_us() + TIMER_US;
	if (timers_fire(d, &e) < 0)
		failed(d, "timers", &e);
}

static void revise_limits(struct dispatch *d)
{
	struct err e;

	if (atomic_load(&d->o.meeting->active) && revise_turn(d, &e) < 0)
		failed(d, "revise", &e);
}

static void look_into_outbox(struct dispatch *d)
{
	struct err e;
	bool asked;

	if (!d->reconciled || d->n_in_hand >= IN_HAND_MAX / 2)
		return;
	asked = atomic_exchange(&d->o.meeting->scan, false);
	if (!asked && clock_mono_us() < d->next_scan_us)
		return;
	d->next_scan_us = clock_mono_us() + SCAN_EVERY_US;
	if (publish_scan(d, asked ? 0 : SCAN_AGE_US, &e) < 0)
		failed(d, "outbox", &e);
}

static void summarise(struct dispatch *d)
{
	struct err e;

	if (!d->reconciled || clock_mono_us() < d->next_summary_us || !d->dirty.n)
		return;
	if (summary_publish(d, &e) < 0)
		failed(d, "summary", &e);
}

/* A simulated clock goes on from here after a restart. */
static void keep_clock(struct dispatch *d)
{
	struct err e;

	if (clock_is_simulated() && store_sim_clock_save(d->pg, tenant_of(d), clock_now_us(), &e) < 0)
		failed(d, "clock", &e);
}

/* Time alone changes "due today" and "overdue": every department once a minute. */
static void every_minute(struct dispatch *d)
{
	if (!atomic_exchange(&d->woken, false) && clock_mono_us() < d->next_sim_us)
		return;
	d->next_sim_us = clock_mono_us() + (clock_is_simulated() ? TICK_US : FAR_US);
	for (size_t i = 0; i < d->settings->office.n_departments; i++)
		summary_mark(d, d->settings->office.departments[i].id);
	keep_clock(d);
}

static void show(struct dispatch *d)
{
	pthread_mutex_lock(&d->shown_lock);
	d->shown.connected = atomic_load(&d->connected);
	d->shown.subscribed = d->subscribed;
	d->shown.reconciled = d->reconciled;
	d->shown.in_hand = (int64_t)d->n_in_hand;
	pthread_mutex_unlock(&d->shown_lock);
	count_set(COUNT_OUTBOX_ROWS, (int64_t)d->n_in_hand);
}

static void with_store(struct dispatch *d)
{
	struct err e;

	if (!d->pg)
		return;
	if (publish_delete_rows(d, &e) < 0)
		failed(d, "outbox delete", &e);
	if (d->pg)
		fire_timers(d);
	if (d->pg)
		revise_limits(d);
	if (d->pg)
		look_into_outbox(d);
	if (d->pg)
		every_minute(d);
	if (d->pg)
		summarise(d);
}

static void turn(struct dispatch *d)
{
	d->o.beat(d->o.arg);
	d->settings = current_get(d->o.current);
	connect_store(d);
	session_turn(d);
	publish_land(d);
	with_store(d);
	publish_more(d);
	if (d->link && clock_mono_us() >= d->next_tick_us) {
		d->next_tick_us = clock_mono_us() + TICK_US;
		link_tick(d->link);
	}
	show(d);
	take_handoffs(d);
	publish_more(d);
	settings_unref(d->settings);
	d->settings = NULL;
}

static bool idle(const struct dispatch *d)
{
	return !d->first && !d->again.n && !d->done.n && !d->flying && mailbox_length(d->o.meeting->box) == 0;
}

static void *dispatch_main(void *arg)
{
	struct dispatch *d = arg;

	while (!d->stop_at_us || (clock_mono_us() < d->stop_at_us && atomic_load(&d->connected) && !idle(d)))
		turn(d);
	d->settings = current_get(d->o.current);
	if (d->pg)
		keep_clock(d);
	session_end(d, 2000);
	d->stop = true;
	publish_drop_all(d);
	settings_unref(d->settings);
	pg_close(d->pg);
	return NULL;
}

int dispatch_start(const struct dispatch_options *options, struct dispatch **ret, struct err *e)
{
	struct dispatch *d = mem_alloc(sizeof(*d));

	d->o = *options;
	pthread_mutex_init(&d->landed_lock, NULL);
	pthread_mutex_init(&d->shown_lock, NULL);
	if (pthread_create(&d->thread, NULL, dispatch_main, d) != 0) {
		free(d);
		return err_set(e, ERR_SYS, "cannot start the dispatch thread");
	}
	*ret = d;
	return 0;
}

void dispatch_wake(struct dispatch *d)
{
	atomic_store(&d->woken, true);
	mailbox_wake(d->o.meeting->box);
}

void dispatch_stop(struct dispatch *d, int timeout_ms)
{
	d->stop_at_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
	dispatch_wake(d);
	pthread_join(d->thread, NULL);
}

void dispatch_free(struct dispatch *d)
{
	void *item;

	while (mailbox_take(d->o.meeting->box, &item, 1, 0))
		handoff_free(item);
	auditor_free(d);
	link_free(d->link);
	for (size_t i = 0; i < d->summaries.n; i++)
		free((char *)(uintptr_t)d->summaries.v[i].dept);
	VEC_DONE(&d->summaries);
	for (size_t i = 0; i < d->dirty.cap; i++)
		free(d->dirty.slots[i].value);
	map_done(&d->dirty);
	free(d->summary);
	free(d->landed.v);
	pthread_mutex_destroy(&d->landed_lock);
	pthread_mutex_destroy(&d->shown_lock);
	free(d);
}

void dispatch_state(struct dispatch *d, struct dispatch_state *ret)
{
	pthread_mutex_lock(&d->shown_lock);
	*ret = d->shown;
	pthread_mutex_unlock(&d->shown_lock);
}

void dispatch_summary(struct dispatch *d, struct str *out)
{
	pthread_mutex_lock(&d->shown_lock);
	str_add(out, d->summary ? d->summary : "{}");
	pthread_mutex_unlock(&d->shown_lock);
}
