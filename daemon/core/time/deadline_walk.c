/*
 * The walk tells a person, day by day, how a deadline came about. It is told afterwards, from the
 * days that the count remembers, so that a deadline that nobody questions pays nothing for it.
 * Backward walks run backward, as they were counted.
 */
#include "base/mem.h"
#include "base/tongue.h"
#include "core/time/deadline_count.h"

static bool has_hours(const struct count *c)
{
	return c->d.kind != DEADLINE_POINT && c->d.kind != DEADLINE_SERIES &&
	       c->d.unit == UNIT_WORKHOUR;
}

/* Does any minute of the day's hours lie in (from, to]? */
static bool overlaps(int32_t day, const struct day_view *v, int64_t from, int64_t to)
{
	for (size_t i = 0; i < v->hours.n; i++) {
		if (moment_of_day(day, v->hours.spans[i].from) < to &&
		    moment_of_day(day, v->hours.spans[i].to) > from)
			return true;
	}
	return false;
}

static bool day_counts(const struct count *c, int32_t day, const struct day_view *v,
		       int32_t due_day, int64_t at)
{
	if (c->d.kind == DEADLINE_POINT || c->d.kind == DEADLINE_SERIES)
		return day == due_day;
	if (day < c->first || day > c->last)
		return false;
	if (c->d.unit == UNIT_WORKDAY)
		return v->kind == DAY_WORK;
	if (!has_hours(c))
		return true;
	if (c->d.kind == DEADLINE_BACKWARD)
		return overlaps(day, v, at, c->from);
	return overlaps(day, v, c->begin, moment_of_day(c->last, 1440));
}

static const char *reason_of(const struct count *c, int32_t day, const struct day_view *v,
			     bool counts)
{
	bool by_work = c->d.kind == DEADLINE_POINT || c->d.kind == DEADLINE_SERIES ||
		       c->d.unit == UNIT_WORKDAY || c->d.unit == UNIT_WORKHOUR;

	if (counts && !by_work)
		return _("calendar day");
	if (v->kind == DAY_REST)
		return v->special ? _("day off") : _("rest day");
	if (counts)
		return v->special ? _("make-up working day") : _("working day");
	if (c->d.kind == DEADLINE_BACKWARD && day == count_day_of_end(c->from))
		return _("day of the limit");
	if (day == moment_day(c->from))
		return _("day of receipt, not counted");
	return by_work ? _("working day, not counted") : _("moved here off a rest day");
}

static void tell_day(const struct count *c, struct arena *a, struct walk_day *w, int32_t day,
		     int32_t due_day, int64_t at)
{
	struct day_view v = { .kind = DAY_WORK };

	if (c->cal)
		calendar_day(c->cal, day, &v);
	w->day = day;
	w->counts = day_counts(c, day, &v, due_day, at);
	w->reason = reason_of(c, day, &v, w->counts);
	w->name = v.why;
	w->why = v.why ? arena_printf(a, "%s (%s)", w->reason, v.why) : w->reason;
}

void count_walk(const struct count *c, struct arena *a, struct due *ret)
{
	int32_t due_day = count_day_of_end(ret->at), first, last;
	bool back = c->d.kind == DEADLINE_BACKWARD;

	first = back ? due_day : moment_day(c->from);
	last = back ? count_day_of_end(c->from) : due_day;
	if (!back && c->last > last)
		last = c->last;
	if (back && c->last >= c->first && c->first < first)
		first = c->first;
	if (last < first)
		last = first;
	ret->n_walk = (size_t)(last - first + 1);
	ret->walk = arena_alloc(a, ret->n_walk * sizeof(*ret->walk));
	for (int32_t i = 0; i <= last - first; i++)
		tell_day(c, a, &ret->walk[i], back ? last - i : first + i, due_day, ret->at);
}
