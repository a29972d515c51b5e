/*
 * After the snapshot changed: are there open cases whose limits were a guess, and does the calendar know
 * better now? A page of candidates a turn, each in the lifecycle's own step under its lock, so that what a
 * department does meanwhile is neither lost nor overwritten. A case without news is not written at all.
 *
 * The worker takes a new snapshot a moment after this thread: what it stored in between with the old one is
 * found by a second look.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "dispatch/parts.h"
#include "store/cases.h"
#include "store/save.h"

enum { PAGE = 256, SECOND_LOOK_US = 10000000 };

static bool step(struct dispatch *d, struct case_record *c, int64_t now, struct save *save, struct handoff *h,
		 struct outbox_rows *rows)
{
	struct case_change change = {.c = c};
	struct effects fx;

	if (life_step(&d->settings->office, c, &(struct action){.what = LIFE_REVISE}, now, &h->arena, &fx) ||
	    !fx.history.n)
		return false;
	case_change_add(&change, &fx, &h->arena);
	save_change(save, &change);
	change_rows(&change, &h->arena, rows);
	return true;
}

static int revise(struct dispatch *d, struct handoff *h, const char *const *numbers, size_t n, size_t *ret_revised,
		  struct err *e)
{
	int64_t now = clock_now_us();
	struct outbox_rows rows = {0};
	struct case_record **cases;
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
		*ret_revised += step(d, cases[i], now, &save, h, &rows);
	h->rows = rows.v;
	h->n_rows = rows.n;
	return save_commit(d->pg, &save, e);
}

static void next_page(struct dispatch *d, const char *const *numbers, size_t n)
{
	if (n == PAGE) {
		snprintf(d->revise.after, sizeof(d->revise.after), "%s", numbers[n - 1]);
		return;
	}
	d->revise.after[0] = '\0';
	d->revise.looks--;
	d->revise.at_us = clock_mono_us() + SECOND_LOOK_US;
}

static int look(struct dispatch *d, struct err *e)
{
	struct handoff *h = mem_alloc(sizeof(*h));
	const char **numbers;
	size_t n = 0, revised = 0;
	int r = store_provisional(d->pg, tenant_of(d), d->revise.after, PAGE, &h->arena, &numbers, &n, e);

	if (r == 0 && n)
		r = revise(d, h, numbers, n, &revised, e);
	if (r == 0)
		next_page(d, numbers, n);
	if (r == 0 && revised)
		log_notice("deadline.revised", "limits of %zu cases were counted anew", revised);
	if (r < 0 || !revised)
		handoff_free(h);
	else
		publish_parcel(d, h);
	return r;
}

int revise_turn(struct dispatch *d, struct err *e)
{
	const char *hash = d->settings->office.hash;

	if (memcmp(d->revise.hash, hash, sizeof(d->revise.hash)) != 0) {
		memcpy(d->revise.hash, hash, sizeof(d->revise.hash));
		d->revise.after[0] = '\0';
		d->revise.looks = 2;
		d->revise.at_us = 0;
	}
	if (!d->revise.looks || clock_mono_us() < d->revise.at_us)
		return 0;
	return look(d, e);
}
