/*
 * Backward: the instant that lies a span before a limit, on the same calendar. It is the mirror
 * of the forward walk, not its sign: within the hours, walking forward again from there ends at
 * the limit.
 */
#include "base/err.h"
#include "core/time/deadline_count.h"
#include "core/time/deadline_words.h"

static bool spend_day(int32_t day, const struct day_view *v, int64_t due, int64_t *left,
		      int64_t *ret)
{
	for (size_t i = v->hours.n; i-- > 0;) {
		int64_t open = moment_of_day(day, v->hours.spans[i].from);
		int64_t close = moment_of_day(day, v->hours.spans[i].to);

		if (close > due)
			close = due;
		if (close <= open)
			continue;
		if (*left <= close - open) {
			*ret = close - *left;
			return true;
		}
		*left -= close - open;
	}
	return false;
}

static int back_hours(struct count *c, int64_t *ret)
{
	struct day_view v;
	int64_t left = c->d.n * HOUR_US;
	int idle = 0;

	for (int32_t day = count_day_of_end(c->from); idle < COUNT_IDLE_DAYS; day--) {
		idle = count_look(c, day, &v) ? 0 : idle + 1;
		if (spend_day(day, &v, c->from, &left, ret))
			return 0;
	}
	return err_code(c->e, ERR_BAD, "E43", "calendar “%s” has no working hour in %d days",
			c->cal->name ? c->cal->name : "", COUNT_IDLE_DAYS);
}

/* A limit on a rest day lies before all of the next working day: it goes back to an opening. */
static int back_workdays(struct count *c, int64_t *ret)
{
	struct day_view v;
	int32_t due_day = count_day_of_end(c->from), day = due_day;
	bool works = count_look(c, due_day, &v);
	int64_t opening, closing;
	int r = 0;

	for (int32_t i = 0; r == 0 && i < c->d.n; i++)
		r = count_seek(c, day - 1, -1, &day, &v);
	if (r < 0)
		return r;
	c->first = day;
	c->last = due_day - 1;
	opening = count_opening(day, &v);
	closing = count_closing(day, &v);
	*ret = c->from - (due_day - day) * MOMENT_DAY_US;
	if (c->d.end == END_MIDNIGHT)
		*ret = moment_of_day(day, 1440);
	else if (c->d.end == END_CLOSING || (works && *ret > closing))
		*ret = closing;
	else if (!works || *ret < opening)
		*ret = opening;
	return 0;
}

int count_back(struct count *c, int64_t *ret)
{
	static const int64_t unit_us[N_UNITS] = {
		[UNIT_MINUTE] = MINUTE_US, [UNIT_HOUR] = HOUR_US, [UNIT_DAY] = MOMENT_DAY_US,
	};
	int32_t end;
	int r;

	if (c->d.unit == UNIT_WORKDAY)
		return back_workdays(c, ret);
	if (c->d.unit == UNIT_WORKHOUR) {
		r = back_hours(c, ret);
		if (r < 0)
			return r;
	} else {
		*ret = c->from - c->d.n * unit_us[c->d.unit];
	}
	c->first = count_day_of_end(*ret);
	c->last = count_day_of_end(c->from) - (c->d.unit == UNIT_DAY);
	if (c->d.end == END_SAME_TIME && c->d.roll == ROLL_NONE)
		return 0;
	return count_finish(c, c->first, *ret, -1, &end, ret);
}
