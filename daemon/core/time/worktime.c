#include "core/time/worktime.h"

#include "core/time/calendar.h"
#include "core/time/deadline.h"
#include "core/time/moment.h"

/* The longest run of rest days that is still a calendar and not a mistake in one. */
enum { IDLE_DAYS = 400 };

bool work_is_counted(const struct deadline *d)
{
	return d->kind == DEADLINE_SPAN && (d->unit == UNIT_WORKDAY || d->unit == UNIT_WORKHOUR);
}

int64_t work_between(const struct calendar *cal, int64_t from, int64_t to)
{
	int64_t sum = 0;

	if (!cal)
		return to - from;
	for (int32_t day = moment_day(from); moment_of_day(day, 0) < to; day++) {
		struct day_view view;

		calendar_day(cal, day, &view);
		for (int i = 0; i < view.hours.n; i++) {
			int64_t open = moment_of_day(day, view.hours.spans[i].from);
			int64_t close = moment_of_day(day, view.hours.spans[i].to);

			open = open < from ? from : open;
			close = close > to ? to : close;
			sum += close > open ? close - open : 0;
		}
	}
	return sum;
}

static int64_t work_after(const struct calendar *cal, int64_t from, int64_t left)
{
	int idle = 0;

	for (int32_t day = moment_day(from); idle < IDLE_DAYS; day++) {
		struct day_view view;

		calendar_day(cal, day, &view);
		idle = view.hours.n ? 0 : idle + 1;
		for (int i = 0; i < view.hours.n; i++) {
			int64_t open = moment_of_day(day, view.hours.spans[i].from);
			int64_t close = moment_of_day(day, view.hours.spans[i].to);

			open = open < from ? from : open;
			if (close <= open)
				continue;
			if (left <= close - open)
				return open + left;
			left -= close - open;
		}
	}
	return from + left;
}

/* The closing time of the day that `at` ends or lies in; `at` itself on a rest day. */
static int64_t closing(const struct calendar *cal, int64_t at)
{
	int32_t day = moment_day(at - 1);
	struct day_view view;

	calendar_day(cal, day, &view);
	return view.hours.n ? moment_of_day(day, view.hours.spans[view.hours.n - 1].to) : at;
}

int64_t work_shift(const struct calendar *cal, int64_t limit, int64_t paused)
{
	int64_t close, moved;

	if (!cal || !paused)
		return limit + paused;
	close = closing(cal, limit);
	moved = work_after(cal, limit, paused);
	/* A limit that a day has until midnight stays one. */
	return limit > close && moved == closing(cal, moved) ? moved + (limit - close) : moved;
}
