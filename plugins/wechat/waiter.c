/*
 * Replies of the gateway as they come. One about a report whose callback still waits for its answer goes out
 * with that answer; all others are handed to the courier. The thread never waits for anybody outside, so that
 * no callback is answered late because a platform is slow.
 *
 * A passive answer counts when it has been written whole to the platform; else the reply takes the next way.
 */
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/pulse.h"
#include "base/str.h"
#include "bridge/server.h"
#include "wechat.h"

enum { VISITS_MAX = 256, LIST_MAX = 64, MISSES = 8, PROBE_US = 1000000, LATER_US = 10000000 };

struct visit {
	struct server_call *rq;      /* NULL: free */
	char report[160];
	int64_t until_us;
	bool answered, carries;         /* answered, and its answer carries `reply` */
	struct bridge_reply reply;
};
struct waiter {
	struct wechat *w;
	pthread_t thread;
	bool runs, quit, fresh;
	pthread_mutex_t lock;           /* of all below */
	pthread_cond_t wake;
	pthread_mutex_t replies;        /* the bridge's reply functions */
	int misses;                     /* waits in a row that were for nothing */
	int64_t probe_us;
	struct visit visits[VISITS_MAX];
	VEC(struct bridge_reply) list;  /* for the courier, oldest first */
};

static void lock(struct waiter *x)
{
	pthread_mutex_lock(&x->lock);
}

static void unlock(struct waiter *x)
{
	pthread_mutex_unlock(&x->lock);
}

void waiter_reply_is_there(struct waiter *x)
{
	lock(x);
	x->fresh = true;
	pthread_cond_signal(&x->wake);
	unlock(x);
}

/* While the gateway is away or busy nobody waits for it in vain, but for one a second who sees whether it is back. */
static bool is_worth_it(struct waiter *x)
{
	int64_t now = clock_mono_us();

	if (x->quit || (x->misses >= MISSES && now - x->probe_us < PROBE_US))
		return false;
	x->probe_us = now;
	return true;
}

void waiter_add(struct waiter *x, struct server_call *rq, const char *report)
{
	struct visit *free_one = NULL;
	bool worth;

	lock(x);
	worth = is_worth_it(x);
	for (size_t i = 0; i < VISITS_MAX && !free_one && worth; i++)
		if (!x->visits[i].rq)
			free_one = &x->visits[i];
	if (free_one) {
		*free_one = (struct visit){.rq = rq, .until_us = clock_mono_us() + x->w->s.wait_us};
		snprintf(free_one->report, sizeof(free_one->report), "%s", report);
		pthread_cond_signal(&x->wake);
	}
	unlock(x);
	if (!free_one)
		door_answer(x->w, rq, NULL);
}

/* ---- the bridge's replies, one thread at a time ------------------------------------------------- */

void waiter_reply_done(struct waiter *x, struct bridge_reply *r, bool ok, const char *way, const char *why)
{
	pthread_mutex_lock(&x->replies);
	bridge_reply_done(x->w->bridge, r, ok, way, why);
	pthread_mutex_unlock(&x->replies);
}

void waiter_reply_later(struct waiter *x, struct bridge_reply *r, const char *way, const char *why)
{
	pthread_mutex_lock(&x->replies);
	bridge_reply_later(x->w->bridge, r, way, why);
	pthread_mutex_unlock(&x->replies);
}

static bool take_reply(struct waiter *x, struct bridge_reply *ret)
{
	struct err e = {0};
	int r;

	pthread_mutex_lock(&x->replies);
	r = bridge_reply_take(x->w->bridge, ret, &e);
	pthread_mutex_unlock(&x->replies);
	if (r < 0)
		log_error("wechat.replies", "%s", e.text);
	return r == 0;
}

/* ---- who carries it ------------------------------------------------------------------------------ */

static void note(struct waiter *x, const struct bridge_reply *r)
{
	const char *account = json_string_value(json_object_get(r->to, "account"));
	struct person who = {account ? wechat_account(x->w, account) : NULL, json_string_value(json_object_get(r->to, "user")),
			     json_string_value(json_object_get(r->to, "kf"))};

	if (who.account && who.user)
		people_told(x->w->people, &who, r->kind, r->about, r->case_number);
}

/*
 * What waits here is in memory and counts as taken: only as much as the courier carries in a few minutes when every
 * call takes its full time. The rest is looked at again later.
 */
static void hand_over(struct waiter *x, struct bridge_reply *r)
{
	bool full = x->list.n >= LIST_MAX;

	if (!full)
		VEC_PUSH(&x->list, *r);
	unlock(x);
	if (full) {
		pthread_mutex_lock(&x->replies);
		bridge_reply_put_back(x->w->bridge, r, LATER_US);
		pthread_mutex_unlock(&x->replies);
	}
	wechat_wake(x->w, &x->w->carry);
	lock(x);
}

static struct visit *visit_for(struct waiter *x, const struct bridge_reply *r)
{
	for (size_t i = 0; i < VISITS_MAX; i++)
		if (x->visits[i].rq && !x->visits[i].answered && *r->text && strcmp(x->visits[i].report, r->about) == 0)
			return &x->visits[i];
	return NULL;
}

/* Called and comes back with the lock held. */
static void place(struct waiter *x, struct bridge_reply *r)
{
	struct visit *v;
	char *text;

	unlock(x);
	if (!r->item.tries)
		note(x, r);
	lock(x);
	v = visit_for(x, r);
	if (!v) {
		hand_over(x, r);
		return;
	}
	v->reply = *r;
	v->answered = v->carries = true;
	x->misses = 0;
	text = mem_strdup(r->text);
	door_answer(x->w, v->rq, text);
	free(text);
}

void waiter_done(struct waiter *x, struct server_call *rq, bool sent)
{
	struct bridge_reply reply = {0};
	bool carried = false;

	lock(x);
	for (size_t i = 0; i < VISITS_MAX; i++)
		if (x->visits[i].rq == rq) {
			carried = x->visits[i].carries;
			reply = x->visits[i].reply;
			x->visits[i] = (struct visit){0};
			break;
		}
	if (carried && !sent)
		hand_over(x, &reply);
	unlock(x);
	if (carried && sent)
		waiter_reply_done(x, &reply, true, "passive", "");
}

bool waiter_take(struct waiter *x, struct bridge_reply *ret)
{
	bool got = false;

	lock(x);
	if (x->list.n) {
		*ret = x->list.v[0];
		x->list.n--;
		memmove(x->list.v, x->list.v + 1, x->list.n * sizeof(*x->list.v));
		got = true;
		pthread_cond_signal(&x->wake);
	}
	unlock(x);
	return got;
}

/* ---- the thread ---------------------------------------------------------------------------------- */

/* Answers what has waited long enough; returns when to look again. */
static int64_t end_waits(struct waiter *x, int64_t now)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < VISITS_MAX; i++) {
		struct visit *v = &x->visits[i];

		if (!v->rq || v->answered)
			continue;
		if (v->until_us <= now || x->quit) {
			v->answered = true;
			x->misses++;
			door_answer(x->w, v->rq, NULL);
		} else if (v->until_us < next) {
			next = v->until_us;
		}
	}
	return next;
}

static void wait_until(struct waiter *x, int64_t until_us)
{
	int64_t longest = clock_mono_us() + 1000000;
	struct timespec ts;

	if (until_us > longest)
		until_us = longest;
	ts = (struct timespec){until_us / 1000000, until_us % 1000000 * 1000};
	pthread_cond_timedwait(&x->wake, &x->lock, &ts);
}

static void *run(void *arg)
{
	struct waiter *x = arg;
	struct pulse *pulse = pulse_add("waiter");

	lock(x);
	for (;;) {
		struct bridge_reply r;
		bool got = false;
		int64_t next, due;

		pulse_beat(pulse);
		if (!x->quit) {
			x->fresh = false;
			unlock(x);
			got = take_reply(x, &r);
			lock(x);
		}
		if (got)
			place(x, &r);
		next = end_waits(x, clock_mono_us());
		if (x->quit)
			break;
		due = bridge_reply_next_due(x->w->bridge);
		if (!got && !x->fresh)
			wait_until(x, next < due ? next : due);
	}
	unlock(x);
	pulse_end(pulse);
	return NULL;
}

int waiter_start(struct wechat *w, struct err *e)
{
	struct waiter *x = mem_alloc(sizeof(*x));
	pthread_condattr_t attr;
	int r;

	x->w = w;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&x->lock, NULL);
	pthread_mutex_init(&x->replies, NULL);
	pthread_cond_init(&x->wake, &attr);
	pthread_condattr_destroy(&attr);
	w->waiter = x;
	r = pthread_create(&x->thread, NULL, run, x);
	x->runs = r == 0;
	return r ? err_set(e, ERR_SYS, "no thread: %s", strerror(r)) : 0;
}

/* Freed never: Paho's thread may call until the process ends. What is in the list stays in the bridge's queue. */
void waiter_stop(struct waiter *x)
{
	if (!x || !x->runs)
		return;
	lock(x);
	x->quit = true;
	pthread_cond_signal(&x->wake);
	unlock(x);
	pthread_join(x->thread, NULL);
	x->runs = false;
}
