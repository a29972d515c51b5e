/* The front of the calculator: which count serves which deadline. */
#include "base/err.h"
#include "core/time/deadline_count.h"

static int forward(struct count *c, struct due *ret)
{
	size_t n;

	if (c->d.kind == DEADLINE_SERIES)
		return count_series(c, 1, ret, &n);
	if (c->d.kind == DEADLINE_POINT)
		return count_point(c, &ret->at);
	return count_span(c, &ret->at);
}

int deadline_due(const struct deadline *d, const struct calendar *cal, int64_t from,
		 struct arena *walk, struct due *ret, struct err *e)
{
	struct count c;
	struct due due = { 0 };
	int r;

	if (d->kind == DEADLINE_BACKWARD)
		return deadline_before(d, cal, from, walk, ret, e);
	r = count_init(&c, d, cal, from, e);
	if (r == 0)
		r = forward(&c, &due);
	if (r < 0)
		return r;
	due.provisional = c.provisional;
	if (walk)
		count_walk(&c, walk, &due);
	*ret = due;
	return 0;
}

int deadline_next(const struct deadline *d, const struct calendar *cal, int64_t from, size_t max,
		  struct due *ret, size_t *ret_n, struct err *e)
{
	struct count c;
	int r;

	*ret_n = 0;
	if (!max)
		return 0;
	if (d->kind != DEADLINE_SERIES) {
		r = deadline_due(d, cal, from, NULL, ret, e);
		*ret_n = r == 0;
		return r;
	}
	r = count_init(&c, d, cal, from, e);
	return r < 0 ? r : count_series(&c, max, ret, ret_n);
}

int deadline_before(const struct deadline *d, const struct calendar *cal, int64_t due,
		    struct arena *walk, struct due *ret, struct err *e)
{
	struct deadline back = *d;
	struct due before = { 0 };
	struct count c;
	int r;

	if (d->kind != DEADLINE_SPAN && d->kind != DEADLINE_BACKWARD)
		return err_code(e, ERR_BAD, "E40",
				"only a span such as 4 工作小时 can be counted backward");
	if (d->kind == DEADLINE_SPAN) {
		/* Written for counting forward: its start and its end say nothing here. */
		back = (struct deadline){ .kind = DEADLINE_BACKWARD, .unit = d->unit, .n = d->n };
		back.time = -1;
		back.calendar = d->calendar;
	}
	r = count_init(&c, &back, cal, due, e);
	if (r == 0)
		r = count_back(&c, &before.at);
	if (r < 0)
		return r;
	before.provisional = c.provisional;
	if (walk)
		count_walk(&c, walk, &before);
	*ret = before;
	return 0;
}
