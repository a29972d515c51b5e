/*
 * After the snapshot changed: are there open cases whose limits were a guess, and does the calendar know
 * better now? A page of candidates a turn, each in the lifecycle's own step under its lock, so that what a
 * department does meanwhile is neither lost nor overwritten. A case without news is not written at all.
 */
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "core/office.h"
#include "intake/chores.h"
#include "store/cases.h"
#include "store/outbox.h"
#include "store/save.h"

enum { PAGE = 256 };

static bool step(const struct office *office, struct case_record *c, int64_t now, struct save *save,
		 struct handoff *h, struct outbox_rows *rows)
{
	struct case_change change = {.c = c, .was = case_change_was(c, &h->arena)};
	struct effects fx;

	if (life_step(office, c, &(struct action){.what = LIFE_REVISE}, now, &h->arena, &fx) || !fx.history.n)
		return false;
	case_change_add(&change, &fx, &h->arena);
	save_change(save, &change);
	change_rows(&change, &h->arena, rows);
	return true;
}

static int revise(struct pg *pg, const struct office *office, struct handoff *h, const char *const *numbers,
		  size_t n, size_t *ret_revised, struct err *e)
{
	int64_t now = clock_now_us();
	struct outbox_rows rows = {0};
	struct case_record **cases;
	struct save save;
	size_t found;
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
		*ret_revised += step(office, cases[i], now, &save, h, &rows);
	h->rows = rows.v;
	h->n_rows = rows.n;
	return save_commit(pg, &save, e);
}

int revise_turn(struct revision *v, struct pg *pg, const struct office *office, struct handoff *h, struct err *e)
{
	const char **numbers;
	size_t n = 0, revised = 0;
	int r;

	if (memcmp(v->hash, office->hash, sizeof(v->hash)) != 0) {
		memcpy(v->hash, office->hash, sizeof(v->hash));
		v->after[0] = '\0';
		v->done = false;
	}
	if (v->done)
		return 0;
	r = store_provisional(pg, office->tenant, v->after, PAGE, &h->arena, &numbers, &n, e);
	if (r == 0 && n)
		r = revise(pg, office, h, numbers, n, &revised, e);
	if (r < 0)
		return r;
	if (revised)
		log_notice("deadline.revised", "limits of %zu cases were counted anew", revised);
	v->done = n < PAGE;
	if (n)
		snprintf(v->after, sizeof(v->after), "%s", numbers[n - 1]);
	return 0;
}
