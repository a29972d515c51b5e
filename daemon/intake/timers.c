/*
 * Wake-ups: rows of `timer` only say which cases to look at. What is due follows from the case itself,
 * locked, in the lifecycle's own step; so it does not matter who else looks, or how often.
 */
#include "base/counter.h"
#include "base/err.h"
#include "core/office.h"
#include "intake/chores.h"
#include "store/cases.h"
#include "store/outbox.h"
#include "store/save.h"

enum { FIRE_MAX = 256 };

/* Returns the steps of deadlines that fell due. */
static size_t step(const struct office *office, struct case_record *c, int64_t now, struct save *save,
		   struct handoff *h, struct outbox_rows *rows)
{
	struct case_change change = {.c = c, .was = case_change_was(c, &h->arena)};
	struct effects fx;

	if (life_step(office, c, &(struct action){.what = LIFE_TICK}, now, &h->arena, &fx))
		return 0;
	case_change_add(&change, &fx, &h->arena);
	save_change(save, &change);
	change_rows(&change, &h->arena, rows);
	return fx.history.n;
}

static int fire(struct pg *pg, const struct office *office, int64_t now, struct handoff *h,
		const char *const *numbers, size_t n, struct err *e)
{
	struct case_record **cases;
	struct outbox_rows rows = {0};
	struct save save;
	size_t found, fired = 0;
	int r;

	save_init(&save, office, &h->arena);
	r = save_claim(pg, &save, NULL, e);
	if (r == 0)
		r = cases_load(pg, office->tenant, numbers, n, &h->arena, &cases, &found, e);
	if (r < 0) {
		pg_rollback(pg);
		return r;
	}
	for (size_t i = 0; i < found; i++)
		fired += step(office, cases[i], now, &save, h, &rows);
	h->rows = rows.v;
	h->n_rows = rows.n;
	r = save_commit(pg, &save, e);
	if (r == 0)
		count_add(COUNT_TIMERS_FIRED, (int64_t)fired);
	return r;
}

int timers_fire(struct pg *pg, const struct office *office, int64_t now, int64_t *wait_us, struct handoff *h, bool *ret_more,
		struct err *e)
{
	const char **numbers;
	struct due_case *due;
	size_t n = 0, passed = 0;
	int r = timers_due(pg, office->tenant, now + *wait_us, FIRE_MAX, &h->arena, &due, &n, e);

	if (r < 0)
		return r;
	numbers = arena_alloc(&h->arena, n * sizeof(*numbers));
	for (; passed < n && due[passed].at <= now; passed++)
		numbers[passed] = due[passed].number;
	*ret_more = passed == FIRE_MAX;
	if (passed < n)
		*wait_us = due[passed].at - now;
	return passed ? fire(pg, office, now, h, numbers, passed, e) : 0;
}
