/*
 * Wake-ups: rows of `timer` only say which cases to look at. What is due follows from the case itself,
 * locked, in the lifecycle's own step; so it does not matter who else looks, or how often.
 */
#include <string.h>

#include "base/clock.h"
#include "base/counter.h"
#include "dispatch/parts.h"
#include "store/cases.h"
#include "store/save.h"

enum { FIRE_MAX = 256 };

static void step(struct dispatch *d, struct case_record *c, int64_t now, struct save *save, struct handoff *h,
		 struct outbox_rows *rows)
{
	struct case_change change = {.c = c};
	struct effects fx;

	if (life_step(&d->settings->office, c, &(struct action){.what = LIFE_TICK}, now, &h->arena, &fx))
		return;
	case_change_add(&change, &fx, &h->arena);
	save_change(save, &change);
	change_rows(&change, &h->arena, rows);
	count_add(COUNT_TIMERS_FIRED, (int64_t)fx.history.n);
}

static int fire(struct dispatch *d, struct handoff *h, const char *const *numbers, size_t n, struct err *e)
{
	int64_t now = clock_now_us();
	struct case_record **cases;
	struct outbox_rows rows = {0};
	struct save save;
	size_t found;
	int r;

	save_init(&save, tenant_of(d), &h->arena);
	r = save_claim(d->pg, &save, NULL, e);
	if (r == 0)
		r = cases_load(d->pg, tenant_of(d), numbers, n, &h->arena, &cases, &found, e);
	if (r < 0) {
		pg_rollback(d->pg);
		return r;
	}
	for (size_t i = 0; i < found; i++)
		step(d, cases[i], now, &save, h, &rows);
	h->rows = rows.v;
	h->n_rows = rows.n;
	return save_commit(d->pg, &save, e);
}

int timers_fire(struct dispatch *d, struct err *e)
{
	struct handoff *h = mem_alloc(sizeof(*h));
	const char **numbers;
	size_t n = 0;
	int r = timers_due(d->pg, tenant_of(d), clock_now_us(), FIRE_MAX, &h->arena, &numbers, &n, e);

	if (r == 0 && n)
		r = fire(d, h, numbers, n, e);
	if (r < 0 || !n) {
		handoff_free(h);
		return r;
	}
	publish_parcel(d, h);
	/* A full page: more is due, look again at once. */
	if (n == FIRE_MAX)
		d->next_timer_us = 0;
	return 0;
}
