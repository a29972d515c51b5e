/*
 * One turn: take what the worker handed over, keep the session, land, sweep, send, delete.
 *
 * What a former life or an unsure commit left in the outbox is older than what is handed over: it goes
 * first, so that a department hears of a case in the order of its history.
 */
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

enum { TURN_US = 100000, SCAN_EVERY_US = 10000000, SCAN_AGE_US = 5000000, SWEEP_AGAIN_US = 1000000, TICK_US = 1000000,
       FAR_US = 60000000, BACKOFF_MAX_MS = 1000 };

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
	/*
	 * What it writes may be written again: a deletion from the outbox that a crash of the server takes back
	 * makes an event come twice, and nothing waits for the disk on its account.
	 */
	if (pg_open(d->settings->dsn, "needled dispatch", &d->pg, &e) < 0 || version_check(d->pg, &e) < 0 ||
	    pg_exec(d->pg, "SET synchronous_commit = off", &e) < 0) {
		log_debug("store.away", "%s", e.text);
		drop_connection(d);
		return;
	}
	d->backoff_ms = 0;
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

static bool must_sweep(const struct dispatch *d)
{
	return atomic_load(&d->o.meeting->active) && !d->full &&
	       (atomic_load(&d->o.meeting->scan) || (d->sweep.running && d->sweep.whole));
}

static bool may_sweep(const struct dispatch *d)
{
	return d->pg && atomic_load(&d->o.meeting->active) && !d->full && d->n_in_hand < IN_HAND_MAX / 2 &&
	       clock_mono_us() >= d->sweep.not_before_us;
}

/*
 * What was handed over before the sweep's last look may have been found by it, too, and its card
 * published as it was then: an older one from memory must not come after it.
 */
static int refresh_cards(struct dispatch *d, struct handoff *h, struct err *e)
{
	struct arena_mark mark = arena_mark(&h->arena);
	const char **depts = arena_alloc(&h->arena, h->n_rows * sizeof(*depts));
	const char **numbers = arena_alloc(&h->arena, h->n_rows * sizeof(*numbers));
	const char **cards = arena_alloc(&h->arena, h->n_rows * sizeof(*cards));
	size_t n = 0;
	int r;

	for (size_t i = 0; i < h->n_rows; i++)
		if (h->rows[i].card) {
			depts[n] = h->rows[i].target;
			numbers[n++] = h->rows[i].number;
		}
	r = n ? queue_cards(d->pg, tenant_of(d), depts, numbers, n, &h->arena, cards, e) : 0;
	n = 0;
	for (size_t i = 0; r == 0 && i < h->n_rows; i++)
		if (h->rows[i].card)
			h->rows[i].card_json = cards[n++];
	if (r < 0)      /* it is asked again, and perhaps for long */
		arena_release(&h->arena, mark);
	return r;
}

static bool refresh_held(struct dispatch *d)
{
	struct err e;

	for (size_t i = 0; i < d->n_held; i++) {
		struct handoff *h = d->held[i];

		if (h->put_at_us > d->sweep.looked_at_us || !atomic_load(&d->o.meeting->active))
			continue;
		if (!d->pg)
			return false;
		if (refresh_cards(d, h, &e) < 0) {
			failed(d, "cards", &e);
			return false;
		}
	}
	return true;
}

/* Many acknowledgements wake the box as well; a few, and rows that wait for their deletion, do not. */
static int64_t patience_us(const struct dispatch *d)
{
	int64_t most = d->first || d->again.n ? LAND_HUNGRY_US : d->flying ? LAND_WITHIN_US : TURN_US, left;

	if (must_sweep(d) && may_sweep(d))
		return 0;
	if (!d->done.n || !d->pg)
		return most;
	left = publish_must_delete(d) ? 0 : d->delete_at_us - clock_mono_us();
	return left < 0 ? 0 : left < most ? left : most;
}

static void take_handoffs(struct dispatch *d)
{
	size_t room = d->n_in_hand < IN_HAND_MAX && !d->n_held ? TAKE_MAX : 0;

	d->n_held += mailbox_take(d->o.meeting->box, d->held, room, patience_us(d));
	/* Asked after the taking: who leaves something in the outbox says so before the next hand-over. */
	if (must_sweep(d) || !refresh_held(d))
		return;
	for (size_t i = 0; i < d->n_held; i++)
		publish_parcel(d, d->held[i]);
	d->n_held = 0;
}

static void begin_sweep(struct dispatch *d, bool whole)
{
	d->sweep.running = true;
	d->sweep.whole = whole;
	d->sweep.after = (struct outbox_mark){.seq = 0};
	d->next_scan_us = clock_mono_us() + SCAN_EVERY_US;
}

static void look_into_outbox(struct dispatch *d)
{
	struct err e;

	if (!may_sweep(d))
		return;
	if (atomic_exchange(&d->o.meeting->scan, false))
		begin_sweep(d, true);
	else if (!d->sweep.running && clock_mono_us() >= d->next_scan_us)
		begin_sweep(d, false);
	if (!d->sweep.running)
		return;
	if (publish_scan(d, d->sweep.whole ? 0 : SCAN_AGE_US, &e) < 0) {
		d->sweep.not_before_us = clock_mono_us() + SWEEP_AGAIN_US;
		failed(d, "outbox", &e);
	}
	d->sweep.looked_at_us = clock_mono_us();
}

static void show_lists(struct dispatch *d)
{
	struct err e;

	if (!d->reconciled)
		return;
	if (atomic_exchange(&d->o.meeting->lists, false))
		d->lists.due = true;
	if (announce_lists(d, &e) < 0)
		failed(d, "lists", &e);
	if (d->pg && wall_publish(d, &e) < 0)
		failed(d, "wall", &e);
}

static void summarise(struct dispatch *d)
{
	struct err e;

	if (!d->reconciled || clock_mono_us() < d->next_summary_us || !(d->dirty.n + d->counting.n))
		return;
	if (summary_publish(d, &e) < 0)
		failed(d, "summary", &e);
}

/* A simulated clock goes on from here after a restart, and is one for all daemons of the tenant. */
static void keep_clock(struct dispatch *d)
{
	int64_t now = clock_now_us(), kept = now;
	struct err e;

	if (!clock_is_simulated())
		return;
	if (store_sim_clock_save(d->pg, tenant_of(d), &kept, &e) < 0)
		failed(d, "clock", &e);
	else if (kept > now)
		clock_set_us(kept);
}

/* Time alone changes "due today" and "overdue": every department once a minute. */
static void every_minute(struct dispatch *d)
{
	if (!atomic_exchange(&d->woken, false) && clock_mono_us() < d->next_sim_us)
		return;
	d->next_sim_us = clock_mono_us() + (clock_is_simulated() ? TICK_US : FAR_US);
	for (size_t i = 0; i < d->settings->office.n_departments; i++)
		summary_mark(d, d->settings->office.departments[i].id);
	d->wall.next_aims_us = 0;
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
	if (publish_must_delete(d) && publish_delete_rows(d, &e) < 0)
		failed(d, "outbox delete", &e);
	if (d->pg)
		look_into_outbox(d);
	if (d->pg)
		every_minute(d);
	if (d->pg)
		summarise(d);
	if (d->pg)
		show_lists(d);
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
	return !d->first && !d->again.n && !d->done.n && !d->flying && !d->n_held &&
	       mailbox_length(d->o.meeting->box) == 0;
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
	atomic_store(&d->o.meeting->scan, true);
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
	for (size_t i = 0; i < d->n_held; i++)
		handoff_free(d->held[i]);
	auditor_free(d);
	link_free(d->link);
	for (size_t i = 0; i < d->summaries.n; i++) {
		free((char *)(uintptr_t)d->summaries.v[i].dept);
		free(d->summaries.v[i].late);
	}
	VEC_DONE(&d->summaries);
	for (size_t i = 0; i < d->counting.n; i++) {
		free((char *)(uintptr_t)d->counting.v[i].dept);
		free(d->counting.v[i].late);
	}
	VEC_DONE(&d->counting);
	for (size_t i = 0; i < d->dirty.cap; i++)
		free(d->dirty.slots[i].value);
	map_done(&d->dirty);
	free(d->summary);
	for (size_t i = 0; i < d->lists.sent.n; i++)
		free(d->lists.sent.v[i].name);
	VEC_DONE(&d->lists.sent);
	free(d->wall.aims);
	free(d->wall.last);
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
