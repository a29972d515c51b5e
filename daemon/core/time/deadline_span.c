/*
 * Spans and points: forward from the receipt. Three rules keep it fair: a rest day never makes
 * anything earlier, who comes later is never due earlier, and nothing is due before it was
 * received.
 */
#include "base/err.h"
#include "core/time/deadline_count.h"

enum { NOON = 720, MIDNIGHT = 1440 };

/*
 * Sets `begin`. Where a receipt after closing counts as the next working day's, it came at that
 * opening, and so did whatever came in the morning before the doors opened: else the later one
 * would be due first.
 */
static int receive(struct count *c)
{
	struct day_view v;
	int32_t day = moment_day(c->from);
	int r = 0;

	if (c->d.late != LATE_NEXT_WORKDAY)
		return 0;
	if (!count_look(c, day, &v) || c->from > count_closing(day, &v))
		r = count_seek(c, day + 1, 1, &day, &v);
	if (r == 0 && c->from < count_opening(day, &v))
		c->begin = count_opening(day, &v);
	return r;
}

/*
 * Hours that are not to run at once begin when the office opens, on the day of receipt or the
 * next.
 */
static int begin_hours(struct count *c)
{
	struct day_view v;
	int32_t day = moment_day(c->begin);
	int r;

	if (c->d.start == START_AT_ONCE)
		return 0;
	r = count_seek(c, c->d.start == START_SAME_DAY ? day : day + 1, 1, &day, &v);
	if (r == 0 && c->begin < count_opening(day, &v))
		c->begin = count_opening(day, &v);
	return r;
}

/*
 * Uses up working time on one day; true when nothing of `left` remains, then *ret is the instant.
 */
static bool spend_day(int32_t day, const struct day_view *v, int64_t begin, int64_t *left,
		      int64_t *ret)
{
	for (size_t i = 0; i < v->hours.n; i++) {
		int64_t open = moment_of_day(day, v->hours.spans[i].from);
		int64_t close = moment_of_day(day, v->hours.spans[i].to);

		if (open < begin)
			open = begin;
		if (close <= open)
			continue;
		if (*left <= close - open) {
			*ret = open + *left;
			return true;
		}
		*left -= close - open;
	}
	return false;
}

static int spend_hours(struct count *c, int64_t left, int64_t *ret)
{
	struct day_view v;
	int idle = 0;

	for (int32_t day = moment_day(c->begin); idle < COUNT_IDLE_DAYS; day++) {
		idle = count_look(c, day, &v) ? 0 : idle + 1;
		if (spend_day(day, &v, c->begin, &left, ret))
			return 0;
	}
	return err_code(c->e, ERR_BAD, "E43", "calendar “%s” has no working hour in %d days",
			c->cal->name ? c->cal->name : "", COUNT_IDLE_DAYS);
}

static int span_of_hours(struct count *c, int64_t *ret)
{
	int64_t unit_us = c->d.unit == UNIT_MINUTE ? MINUTE_US : HOUR_US;
	int r = begin_hours(c);

	if (r == 0 && c->d.unit == UNIT_WORKHOUR)
		r = spend_hours(c, c->d.n * HOUR_US, ret);
	else
		*ret = c->begin + c->d.n * unit_us;
	if (r < 0)
		return r;
	c->first = moment_day(c->begin);
	c->last = count_day_of_end(*ret);
	if (c->d.end == END_SAME_TIME && c->d.roll == ROLL_NONE)
		return 0;
	return count_finish_after(c, c->last, *ret, -1, ret);
}

static int span_of_days(struct count *c, int64_t *ret)
{
	int32_t day = moment_day(c->begin);

	c->first = c->d.start == START_SAME_DAY ? day : day + 1;
	c->last = c->first + c->d.n - 1;
	return count_finish_after(c, c->last, c->begin + (c->last - day) * MOMENT_DAY_US, -1, ret);
}

/* The first open moment at or after `at`; closing time itself still is in time. */
static int64_t open_moment(int32_t day, const struct day_view *v, int64_t at)
{
	int64_t close = count_closing(day, v);

	for (size_t i = 0; i < v->hours.n; i++) {
		int64_t open = moment_of_day(day, v->hours.spans[i].from);

		if (at < moment_of_day(day, v->hours.spans[i].to))
			return at > open ? at : open;
	}
	return at > close ? close : at;
}

/* 起算:立即 for days: they count from the moment when the office is open. */
static int begin_workdays(struct count *c)
{
	struct day_view v;
	int32_t day = moment_day(c->begin);
	int r;

	if (c->d.start != START_AT_ONCE)
		return 0;
	if (count_look(c, day, &v) && c->begin <= count_closing(day, &v)) {
		c->begin = open_moment(day, &v, c->begin);
		return 0;
	}
	r = count_seek(c, day + 1, 1, &day, &v);
	if (r == 0)
		c->begin = count_opening(day, &v);
	return r;
}

/*
 * The same time on the last working day, drawn into its hours. What came on a rest day has no
 * such time: it comes after all of the working day before and before all of the one after.
 */
static int64_t same_time(struct count *c, int32_t day, const struct day_view *v)
{
	int32_t received = moment_day(c->begin);
	struct day_view then;

	if (count_look(c, received, &then))
		return open_moment(day, v, c->begin + (day - received) * MOMENT_DAY_US);
	return c->d.start == START_SAME_DAY ? count_opening(day, v) : count_closing(day, v);
}

static int span_of_workdays(struct count *c, int32_t n, int64_t *ret)
{
	struct day_view v;
	int32_t day;
	int r = begin_workdays(c);

	day = moment_day(c->begin) + (c->d.start == START_SAME_DAY ? 0 : 1);
	c->first = day;
	for (int32_t i = 0; r == 0 && i < n; i++)
		r = count_seek(c, i ? day + 1 : day, 1, &day, &v);
	if (r < 0)
		return r;
	c->last = day;
	if (c->d.end != END_SAME_TIME)
		return count_finish_after(c, day, 0, -1, ret);
	*ret = same_time(c, day, &v);
	return 0;
}

int count_span(struct count *c, int64_t *ret)
{
	int r = receive(c);

	if (r < 0)
		return r;
	if (c->d.unit == UNIT_DAY)
		return span_of_days(c, ret);
	if (c->d.unit == UNIT_WORKDAY)
		return span_of_workdays(c, c->d.n, ret);
	return span_of_hours(c, ret);
}

/* 上不过午下不过夜: noon or midnight of the half day in which it came; a rest day's is the next noon. */
static int noon_or_night(struct count *c, int64_t *ret)
{
	struct day_view v;
	int32_t day = moment_day(c->from);
	int64_t least = c->d.at_least * MINUTE_US;
	int r;

	if (count_look(c, day, &v)) {
		for (int16_t minute = NOON; minute <= MIDNIGHT; minute = (int16_t)(minute + NOON)) {
			*ret = moment_of_day(day, minute);
			if (*ret > c->from && *ret - c->from >= least)
				return 0;
		}
	}
	r = count_seek(c, day + 1, 1, &day, &v);
	if (r == 0)
		*ret = moment_of_day(day, NOON);
	return r;
}

int count_point(struct count *c, int64_t *ret)
{
	struct day_view v;
	int32_t received, day;
	int r = 0;

	if (c->d.point == POINT_NOON_NIGHT)
		return noon_or_night(c, ret);
	r = receive(c);
	if (r < 0)
		return r;
	if (c->d.point == POINT_NEXT_WORKDAY && c->d.time < 0)
		return span_of_workdays(c, 1, ret);
	received = moment_day(c->begin);
	day = received + (c->d.point == POINT_TODAY ? 0 : 1);
	if (c->d.point == POINT_NEXT_WORKDAY)
		r = count_seek(c, day, 1, &day, &v);
	if (r < 0)
		return r;
	return count_finish_after(c, day, c->begin + (day - received) * MOMENT_DAY_US, c->d.time,
				  ret);
}
