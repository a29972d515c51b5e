/* The steps that all deadlines share: looking at days, and ending on one of them. */
#include "core/time/deadline_count.h"

#include "base/err.h"
#include "core/time/deadline_words.h"

/* The year 9980: ten years on, a date still has four digits. */
#define LATEST_FROM_US (INT64_C(252771148800) * 1000000)

static bool span_needs_calendar(const struct deadline *d)
{
	if (d->unit == UNIT_WORKDAY || d->unit == UNIT_WORKHOUR)
		return true;
	if (d->roll == ROLL_EARLIER || d->roll == ROLL_LATER || d->end == END_CLOSING)
		return true;
	if (d->kind == DEADLINE_BACKWARD)
		return false;
	return d->late == LATE_NEXT_WORKDAY || (d->unit != UNIT_DAY && d->start != START_AT_ONCE);
}

bool deadline_needs_calendar(const struct deadline *d)
{
	struct deadline all = deadline_decided(d);

	if (all.kind == DEADLINE_SPAN || all.kind == DEADLINE_BACKWARD)
		return span_needs_calendar(&all);
	if (all.kind == DEADLINE_POINT || all.time < 0)
		return true;
	return all.roll != ROLL_NONE || all.series == EVERY_WORKDAY ||
	       all.series == EVERY_MONTH_LAST_WORKDAY;
}

int count_init(struct count *c, const struct deadline *d, const struct calendar *cal, int64_t from,
	       struct err *e)
{
	*c = (struct count){ .d = deadline_decided(d), .cal = cal, .e = e };
	c->from = from;
	c->begin = from;
	c->last = -1;
	if (!cal && deadline_needs_calendar(d))
		return err_code(e, ERR_BAD, "E42",
				"this deadline counts working time but has no calendar");
	if (from < -MOMENT_DAY_US || from > LATEST_FROM_US)
		return err_code(e, ERR_BAD, "bad-time",
				"a deadline starts in the years 1970 to 9979");
	return 0;
}

bool count_look(struct count *c, int32_t day, struct day_view *ret)
{
	calendar_day(c->cal, day, ret);
	c->provisional |= ret->provisional;
	return ret->kind == DAY_WORK;
}

int count_seek(struct count *c, int32_t day, int direction, int32_t *ret_day, struct day_view *ret)
{
	for (int i = 0; i < COUNT_IDLE_DAYS; i++, day += direction) {
		if (!count_look(c, day, ret))
			continue;
		*ret_day = day;
		return 0;
	}
	return err_code(c->e, ERR_BAD, "E43", "calendar “%s” has no working day in %d days",
			c->cal->name ? c->cal->name : "", COUNT_IDLE_DAYS);
}

int64_t count_opening(int32_t day, const struct day_view *v)
{
	return moment_of_day(day, v->hours.spans[0].from);
}

int64_t count_closing(int32_t day, const struct day_view *v)
{
	return moment_of_day(day, v->hours.spans[v->hours.n - 1].to);
}

int32_t count_day_of_end(int64_t at)
{
	return moment_day(at - 1);
}

/*
 * "The same time" of a day that follows hours. Who comes later must never be due earlier, so a
 * time that was moved off a rest day is the edge of the day it moved to, and no time on that day
 * lies beyond the edge.
 */
static int64_t same_time(const struct count *c, int32_t day, const struct day_view *v, bool moved,
			 int64_t at)
{
	int64_t edge;

	if (c->d.roll == ROLL_LATER) {
		edge = count_opening(day, v);
		return moved || at < edge ? edge : at;
	}
	edge = count_closing(day, v);
	return moved || at > edge ? edge : at;
}

int count_finish(struct count *c, int32_t day, int64_t at, int16_t minute, int32_t *ret_day,
		 int64_t *ret)
{
	struct day_view v = { 0 };
	bool rolls = c->d.roll == ROLL_LATER || c->d.roll == ROLL_EARLIER;
	bool works = false;
	int32_t end = day;

	if (rolls) {
		int r = count_seek(c, day, c->d.roll == ROLL_LATER ? 1 : -1, &end, &v);

		if (r < 0)
			return r;
		works = true;
	} else if (minute < 0 && c->d.end != END_MIDNIGHT && c->d.end != END_SAME_TIME) {
		works = count_look(c, day, &v);
	}
	*ret_day = end;
	if (minute >= 0)
		*ret = moment_of_day(end, minute);
	else if (c->d.end == END_SAME_TIME)
		*ret = rolls ? same_time(c, end, &v, end != day, at) : at;
	else if (c->d.end == END_MIDNIGHT || !works)
		*ret = moment_of_day(end, 1440);   /* a rest day has no closing time */
	else
		*ret = count_closing(end, &v);
	return 0;
}

/* 遇休不变 on a deadline that does not count working time: all days are alike. */
static bool keeps_rest_days(const struct deadline *d)
{
	bool by_work = d->unit == UNIT_WORKDAY || d->unit == UNIT_WORKHOUR;

	return d->roll == ROLL_NONE && !(d->kind == DEADLINE_SPAN && by_work);
}

int count_finish_after(struct count *c, int32_t day, int64_t at, int16_t minute, int64_t *ret)
{
	struct day_view v;
	int32_t end;
	int r = count_finish(c, day, at, minute, &end, ret);

	if (r < 0 || *ret > c->from)
		return r;
	if (minute < 0 && c->d.end == END_SAME_TIME) {
		*ret = at;      /* it cannot be moved before its receipt, so it stays */
		return 0;
	}
	if (keeps_rest_days(&c->d) && c->d.kind == DEADLINE_SPAN) {
		*ret = moment_of_day(end, 1440);
		return 0;
	}
	end++;
	if (!keeps_rest_days(&c->d))
		r = count_seek(c, end, 1, &end, &v);
	return r < 0 ? r : count_finish(c, end, at, minute, &end, ret);
}
