/*
 * A batch is what has arrived while the last one committed: no timer, so one message alone is stored at
 * once, and under load batches grow by themselves to BATCH_MAX. It is read and understood while the database
 * works on the last one.
 *
 * Between batches it does what time brings (chores.h).
 *
 * The inbox is retired in order and only when every answer of a batch has its PUBACK: a crash in between
 * processes the batch again, which changes nothing but says "duplicate" to who still waits.
 */
#include "intake/worker.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/fault.h"
#include "base/log.h"
#include "core/time/moment.h"
#include "intake/analyst.h"
#include "intake/batch.h"
#include "intake/chores.h"
#include "intake/pending.h"
#include "intake/periodic.h"
#include "intake/reading.h"
#include "plugin/decoder.h"
#include "settings/snapshot.h"
#include "store/outbox.h"
#include "store/statistics.h"
#include "store/version.h"
#include "store/young.h"

enum { WAIT_US = 250000, LOCK_EVERY_US = 500000, CHORES_US = 250000, BACKOFF_MAX_MS = 1000,
       SLICE = 16 };                    /* messages read ahead, less than half a millisecond's work, between two looks at the database */

struct worker {
	struct worker_options o;
	pthread_t thread;
	pthread_mutex_t lock;           /* of `offered` */
	struct settings *offered;
	struct decoders *offered_decoders;
	struct pending pending;
	_Atomic bool stop;

	/* the thread's own */
	struct settings *settings;
	struct decoders *decoders;
	struct reading *reading, *storing;
	struct pg *pg;
	bool noted;                     /* the database knows this snapshot */
	struct numbers numbers;
	struct revision revision, expected;
	int64_t listening;              /* since when devices are listened to; MOMENT_NONE: not yet */
	bool heard_all;                 /* with this connection the inbox was empty once */
	struct retention retention;
	int backoff_ms;
	int64_t next_lock_us, next_chores_us;
	struct periodic periodic;
	_Atomic bool woken;             /* the clock was set */
	_Atomic int64_t next_us;        /* when a list or a visit falls due; MOMENT_NONE: never */
	_Atomic int64_t settled_us;     /* of the wall clock: all that was due then is done */
};

/* ---- snapshots -------------------------------------------------------------------------------- */
void worker_offer(struct worker *w, struct settings *settings, struct decoders *decoders)
{
	struct settings *old;
	struct decoders *old_decoders;

	pthread_mutex_lock(&w->lock);
	old = w->offered;
	old_decoders = w->offered_decoders;
	w->offered = settings;
	w->offered_decoders = decoders;
	pthread_mutex_unlock(&w->lock);
	settings_unref(old);
	decoders_close(old_decoders);
	inbox_wake(w->o.inbox);
}

static void take_offer(struct worker *w)
{
	struct settings *settings;
	struct decoders *decoders;

	pthread_mutex_lock(&w->lock);
	settings = TAKE(w->offered);
	decoders = TAKE(w->offered_decoders);
	pthread_mutex_unlock(&w->lock);
	if (!settings)
		return;
	decoders_close(w->decoders);
	settings_unref(w->settings);
	w->settings = settings;
	w->decoders = decoders;
	w->noted = false;
	periodic_forget(&w->periodic);
}

/* ---- the database and the lock ---------------------------------------------------------------- */
/* Waits in short pieces, so that the thread's sign of life goes on. */
static void wait_ms(struct worker *w, int ms)
{
	int64_t until = clock_mono_us() + (int64_t)ms * 1000;

	while (!w->stop && clock_mono_us() < until) {
		struct timespec nap = {0, 50 * 1000000};

		w->o.beat(w->o.arg);
		nanosleep(&nap, NULL);
	}
}

static void back_off(struct worker *w)
{
	w->backoff_ms = w->backoff_ms ? w->backoff_ms * 2 : 100;
	if (w->backoff_ms > BACKOFF_MAX_MS)
		w->backoff_ms = BACKOFF_MAX_MS;
	wait_ms(w, w->backoff_ms / 2 + (int)((uint64_t)clock_mono_us() % (uint64_t)(w->backoff_ms / 2 + 1)));
}

static void drop_connection(struct worker *w)
{
	atomic_store(&w->o.meeting->locked, false);
	pg_close(w->pg);
	w->pg = NULL;
	w->heard_all = false;
	count_set(COUNT_DATABASE_CONNECTED, 0);
}

static void set_active(struct worker *w, bool active)
{
	/* What the one before left comes before anything that is handed over now. */
	if (active && !atomic_load(&w->o.meeting->active))
		atomic_store(&w->o.meeting->scan, true);
	if (atomic_exchange(&w->o.meeting->active, active) == active)
		return;
	count_set(COUNT_ACTIVE, active);
	log_notice("daemon.role", "%s", active ? "active: this daemon holds the tenant's lock"
					       : "standby: another daemon holds the tenant's lock");
	mailbox_wake(w->o.meeting->box);
}

/* A simulated clock was moved where the work was: it goes on from there. */
static int follow_clock(struct worker *w, struct err *e)
{
	int64_t now = clock_now_us();
	int r = clock_is_simulated() ? store_sim_clock(w->pg, w->settings->office.tenant, &now, e) : 0;

	if (r == 0)
		clock_set_us(now);
	return r;
}

static void try_lock(struct worker *w)
{
	struct err e;
	int r;

	if (clock_mono_us() < w->next_lock_us)
		return;
	w->next_lock_us = clock_mono_us() + LOCK_EVERY_US;
	r = store_try_lock(w->pg, w->settings->office.tenant, &e);
	if (r == 0)
		r = follow_clock(w, &e);
	if (r < 0) {
		log_warn("store.lock", "%s", e.text);
		drop_connection(w);
		return;
	}
	atomic_store(&w->o.meeting->locked, r == 0);
	set_active(w, r == 0);
	/* Advisory locks count: once held there is nothing more to ask on this connection. */
	if (r == 0)
		w->next_lock_us = INT64_MAX;
}

/* Which configuration works from now on; a case that names it is stored only after it. */
static bool keep_noted(struct worker *w)
{
	struct err e;

	if (!w->noted && note_config(w->pg, w->settings, &e) < 0) {
		log_warn("store.config", "%s", e.text);
		drop_connection(w);
		return false;
	}
	w->noted = true;
	return true;
}

static bool connect_store(struct worker *w)
{
	struct err e;

	if (w->pg && !pg_is_alive(w->pg))
		drop_connection(w);
	if (w->pg)
		return keep_noted(w);
	if (pg_open(w->settings->dsn, "needled worker", &w->pg, &e) < 0 || version_check(w->pg, &e) < 0) {
		log_warn("store.away", "%s", e.text);
		drop_connection(w);
		return false;
	}
	w->backoff_ms = 0;
	w->next_lock_us = 0;
	count_set(COUNT_DATABASE_CONNECTED, 1);
	log_info("store.connected", "worker connected to the database");
	w->noted = false;
	return keep_noted(w);
}

/* ---- handing over ------------------------------------------------------------------------------ */
/* To the dispatcher. A standby tells nobody: what it stored is in the outbox. */
static bool give(struct worker *w, struct handoff *h)
{
	handoff_pack(h);
	while (!w->stop && atomic_load(&w->o.meeting->active)) {
		h->put_at_us = clock_mono_us();
		if (mailbox_put(w->o.meeting->box, h))
			return true;
		wait_ms(w, 50);
	}
	return false;
}

static void hand_over(struct worker *w, struct handoff *h, uint64_t seq)
{
	while (!w->stop && !pending_add(&w->pending, seq))
		wait_ms(w, 50);
	h->answered = pending_answered;
	h->arg = &w->pending;
	h->inbox_seq = seq;
	if (give(w, h))
		return;
	if (!w->stop)
		pending_answered(&w->pending, seq);
	handoff_free(h);
}

/* ---- batches ---------------------------------------------------------------------------------- */
/*
 * How many, or -1: a new snapshot waits for its turn. None comes while something is read, so whoever was told of it knows that what
 * he sends from then on is understood by it.
 */
static int read_more(struct worker *w, size_t max)
{
	int n;

	pthread_mutex_lock(&w->lock);
	n = w->offered ? -1 : (int)reading_more(w->reading, w->o.inbox, w->settings, max);
	pthread_mutex_unlock(&w->lock);
	if (n > 0)
		reading_understand(w->reading, w->decoders, (size_t)n);
	return n;
}

/* While the database works. What comes after a jump of a simulated clock must wait for it. */
static bool read_ahead(void *arg)
{
	return !clock_is_simulated() && read_more(arg, SLICE) == SLICE;
}

static bool store_batch(struct worker *w, struct batch *b)
{
	struct err e;
	int r;

	while (!w->stop) {
		w->o.beat(w->o.arg);
		if (!connect_store(w)) {
			back_off(w);
			continue;
		}
		try_lock(w);
		pg_meanwhile(w->pg, read_ahead, w);
		r = w->pg ? batch_store(b, w->pg, &w->numbers, &e) : ERR_AGAIN;
		pg_meanwhile(w->pg, NULL, NULL);
		if (r == 0)
			return true;
		/* What an unsure commit left in the outbox is not in memory: the dispatcher must look. */
		atomic_store(&w->o.meeting->scan, true);
		count(COUNT_BATCHES_RETRIED);
		if (w->pg) {
			if (r == ERR_SYS)
				log_error("intake.store", "%s", e.text);
			else
				log_warn("intake.store", "%s", e.text);
		}
		back_off(w);
	}
	return false;
}

static void run_batch(struct worker *w)
{
	struct reading *r = w->reading;
	uint64_t seq = r->records[r->n - 1].seq;
	struct handoff *h = r->batch.handoff;
	bool stored;

	w->reading = w->storing;
	w->storing = r;
	r->batch.instance = w->o.instance;
	r->batch.listening = w->listening == MOMENT_NONE ? clock_now_us() : w->listening;
	if (fault_broken("retire-before-commit"))
		inbox_retire(w->o.inbox, seq);
	stored = store_batch(w, &r->batch);
	reading_taken(r);
	if (stored)
		hand_over(w, h, seq);
	else
		handoff_free(h);
}

/* ---- chores ----------------------------------------------------------------------------------- */
/* A failed one is met again: timers and limits stay as they are, what was stored is in the outbox. */
static void chore_done(struct worker *w, const char *what, struct handoff *h, int r, const struct err *e)
{
	if (r < 0) {
		if (r == ERR_SYS)
			log_error("intake.chore", "%s: %s", what, e->text);
		else
			log_warn("intake.chore", "%s: %s", what, e->text);
		atomic_store(&w->o.meeting->scan, true);
		if (!pg_is_alive(w->pg))
			drop_connection(w);
	}
	if (r < 0 || !h->n_rows || !give(w, h))
		handoff_free(h);
}

/* What devices say waits in the inbox, also while the database is away; while the broker is, it may be lost. */
static void listen_to_devices(struct worker *w, bool inbox_is_empty)
{
	bool deaf = !atomic_load(&w->o.meeting->active) || !count_get(COUNT_BROKER_CONNECTED);

	w->heard_all = !deaf && (w->heard_all || (w->pg && inbox_is_empty));
	if (deaf)
		w->listening = MOMENT_NONE;
	else if (w->listening == MOMENT_NONE && w->heard_all)
		w->listening = clock_now_us();
}

static bool watch_devices(struct worker *w, bool *ret_more)
{
	const struct office *office = &w->settings->office;
	struct handoff *h;
	struct err e = {0};
	int r;

	if (!office->n_device_kinds || !w->heard_all)
		return true;
	h = mem_alloc(sizeof(*h));
	r = devices_expect_turn(&w->expected, w->pg, office, &h->arena, &e);
	if (r == 0)
		r = devices_look(w->pg, office, &w->numbers, w->o.instance, w->listening, h, ret_more, &e);
	*ret_more |= r == 0 && !w->expected.done;
	chore_done(w, "devices", h, r, &e);
	return r == 0;
}

static bool fire_timers(struct worker *w, int64_t now, bool *ret_more)
{
	struct handoff *h = mem_alloc(sizeof(*h));
	/* A clock that is moved by hand wakes us itself. */
	int64_t wait_us = clock_is_simulated() ? 0 : CHORES_US, began_us = clock_mono_us();
	struct err e = {0};
	int r = timers_fire(w->pg, &w->settings->office, now, &wait_us, h, ret_more, &e);

	if (r == 0 && wait_us && began_us + wait_us < w->next_chores_us)
		w->next_chores_us = began_us + wait_us;
	chore_done(w, "timers", h, r, &e);
	return r == 0;
}

/* Lists and visits, one a call. */
static bool do_periodic(struct worker *w, int64_t now, bool *ret_more)
{
	struct handoff *h = mem_alloc(sizeof(*h));
	int64_t next = periodic_next(&w->periodic);
	struct err e = {0};
	int r = periodic_turn(&w->periodic, w->pg, w->settings, w->o.folder, now, h, &e);
	bool waits = w->periodic.waits;

	if (r == 0 && !waits && next != MOMENT_NONE && next <= now) {
		atomic_store(&w->o.meeting->lists, true);
		mailbox_wake(w->o.meeting->box);
	}
	chore_done(w, "lists", h, r, &e);
	*ret_more = !waits && (!w->periodic.known || (periodic_next(&w->periodic) != MOMENT_NONE && periodic_next(&w->periodic) <= now));
	return r == 0;
}

static bool revise_limits(struct worker *w, bool *ret_more)
{
	struct handoff *h = mem_alloc(sizeof(*h));
	struct err e = {0};
	int r = revise_turn(&w->revision, w->pg, &w->settings->office, h, &e);

	chore_done(w, "limits", h, r, &e);
	*ret_more = r == 0 && !w->revision.done;
	return r == 0;
}

static bool forget_old(struct worker *w, bool *ret_more)
{
	struct handoff *h = mem_alloc(sizeof(*h));
	struct err e = {0};
	int r = retain_turn(&w->retention, w->pg, &w->settings->office, h, ret_more, &e);

	chore_done(w, "retention", h, r, &e);
	return r == 0;
}

static bool know_periodic(struct worker *w, int64_t now)
{
	struct err e;

	if (periodic_know(&w->periodic, w->pg, &w->settings->office, now, &e) == 0)
		return true;
	log_warn("intake.chore", "lists: %s", e.text);
	if (!pg_is_alive(w->pg))
		drop_connection(w);
	return false;
}

/* True: there is more to do at once. */
static bool do_chores(struct worker *w)
{
	bool timers = false, devices = false, lists = false, limits = false, old = false, more;
	int64_t now;

	if (!atomic_load(&w->o.meeting->active))
		periodic_forget(&w->periodic);
	if (!w->pg || !atomic_load(&w->o.meeting->active))
		return false;
	if (!atomic_exchange(&w->woken, false) && clock_mono_us() < w->next_chores_us)
		return false;
	w->next_chores_us = clock_mono_us() + CHORES_US;
	now = clock_now_us();
	if (!know_periodic(w, now))
		return false;
	/* A list shows the office as it is when all that fell due before has been done. */
	if (!fire_timers(w, now, &timers) || !watch_devices(w, &devices) || (!timers && !devices && !do_periodic(w, now, &lists)) || !revise_limits(w, &limits) ||
	    !forget_old(w, &old))
		return false;
	more = timers || devices || lists || limits || old;
	atomic_store(&w->next_us, periodic_next(&w->periodic));
	if (!timers && !devices && !lists && !w->periodic.waits) {
		atomic_store(&w->settled_us, now);
		w->o.settled(w->o.arg);
	}
	w->next_chores_us = more ? 0 : w->next_chores_us;
	return more;
}

int64_t worker_next(struct worker *w)
{
	return atomic_load(&w->next_us);
}

bool worker_settled(struct worker *w, int64_t now)
{
	/* In whole seconds, as things fall due: messages move a clock that stands by microseconds. */
	return atomic_load(&w->settled_us) / 1000000 >= now / 1000000;
}

static int64_t patience_us(const struct worker *w)
{
	int64_t left = w->next_chores_us - clock_mono_us();

	return left <= 0 || left > WAIT_US ? WAIT_US : left;
}

static void turn(struct worker *w)
{
	bool hurry, drained;

	w->o.beat(w->o.arg);
	/* What is read is understood by one snapshot. */
	if (!w->reading->n)
		take_offer(w);
	if (!connect_store(w)) {
		listen_to_devices(w, false);
		back_off(w);
		return;
	}
	try_lock(w);
	hurry = do_chores(w);
	/* What a jump of a simulated clock brings lies before what was sent after it. */
	if (hurry && clock_is_simulated())
		return;
	drained = read_more(w, BATCH_MAX) >= 0 && !reading_is_full(w->reading);
	/* So does what a jump brings that came before they were read. */
	for (bool late = w->reading->n && clock_is_simulated() && atomic_load(&w->woken); late; late = do_chores(w))
		w->o.beat(w->o.arg);
	listen_to_devices(w, drained);
	if (w->reading->n)
		run_batch(w);
	else if (!hurry)
		inbox_wait(w->o.inbox, patience_us(w));
}

/* The lock lives in the connection: a connection that died in silence must not look like a held lock. */
static void check_connection(struct worker *w, int64_t *next_us)
{
	struct err e;

	if (!w->pg || clock_mono_us() < *next_us)
		return;
	*next_us = clock_mono_us() + 1000000;
	if (young_look(w->pg, &e) < 0) {
		log_warn("store.lost", "%s", e.text);
		drop_connection(w);
	}
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	int64_t next_check_us = 0;

	while (!w->stop) {
		turn(w);
		check_connection(w, &next_check_us);
	}
	pg_close(w->pg);
	reading_drop(w->reading);       /* it stays in the inbox */
	return NULL;
}

static void wake_up(void *arg)
{
	worker_wake(arg);
}

int worker_start(const struct worker_options *options, struct settings *settings, struct decoders *decoders,
		 struct worker **ret, struct err *e)
{
	struct worker *w = mem_alloc(sizeof(*w));

	w->o = *options;
	w->settings = settings;
	w->decoders = decoders;
	w->listening = MOMENT_NONE;
	w->next_us = MOMENT_NONE;
	w->reading = mem_alloc(sizeof(*w->reading));
	w->storing = mem_alloc(sizeof(*w->storing));
	pthread_mutex_init(&w->lock, NULL);
	pending_init(&w->pending, w->o.inbox);
	w->periodic.analyst = analyst_new(wake_up, w);
	if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
		analyst_free(TAKE(w->periodic.analyst));
		worker_free(w);
		return err_set(e, ERR_SYS, "cannot start the worker thread");
	}
	*ret = w;
	return 0;
}

void worker_wake(struct worker *w)
{
	atomic_store(&w->woken, true);
	inbox_wake(w->o.inbox);
}

void worker_stop(struct worker *w, int timeout_ms)
{
	int64_t until = clock_mono_us() + (int64_t)timeout_ms * 1000;
	struct timespec nap = {0, 20 * 1000000};
	struct inbox_figures f;
	uint64_t target;

	/* What comes after this moment waits on disk for the next start. */
	inbox_figures(w->o.inbox, &f);
	for (target = f.appended; f.retired < target && clock_mono_us() < until; inbox_figures(w->o.inbox, &f))
		nanosleep(&nap, NULL);
	w->stop = true;
	inbox_wake(w->o.inbox);
	pthread_join(w->thread, NULL);
	analyst_free(TAKE(w->periodic.analyst));
}

void worker_free(struct worker *w)
{
	take_offer(w);
	periodic_forget(&w->periodic);
	decoders_close(w->decoders);
	settings_unref(w->settings);
	free(w->reading);
	free(w->storing);
	pthread_mutex_destroy(&w->lock);
	pending_done(&w->pending);
	free(w);
}
