/*
 * Series: the scheduled dates run on by themselves, each is moved off a rest day afterwards. So a
 * moved date never shifts the ones behind it, and two that meet at one instant are one.
 */
#include "core/time/deadline_count.h"

static int32_t month_end(int year, int month)
{
	return month == 12 ? moment_day_from_date(year + 1, 1, 1) - 1 :
			     moment_day_from_date(year, month + 1, 1) - 1;
}

static int32_t next_in_month(const struct civil *c, int32_t day, int wanted)
{
	int32_t first = day - c->day + 1, last = month_end(c->year, c->month);
	int32_t hit = first + wanted - 1 < last ? first + wanted - 1 : last;

	if (hit >= day)
		return hit;
	first = last + 1;
	last = month_end(c->month == 12 ? c->year + 1 : c->year, c->month == 12 ? 1 : c->month + 1);
	return first + wanted - 1 < last ? first + wanted - 1 : last;
}

/* The first or last day of a period of so many months, from January on. */
static int32_t next_of_period(const struct civil *c, int32_t day, int months, bool first)
{
	int begins = (c->month - 1) / months * months + 1, year = c->year;
	int32_t hit;

	for (;;) {
		hit = first ? moment_day_from_date(year, begins, 1) : month_end(year, begins + months - 1);
		if (hit >= day)
			return hit;
		begins += months;
		if (begins > 12) {
			begins = 1;
			year++;
		}
	}
}

/* The first scheduled date at `day` or after it. */
static int32_t scheduled(const struct count *c, int32_t day)
{
	struct civil at = moment_civil(moment_of_day(day, 0));
	int32_t origin = moment_day(c->from);

	switch (c->d.series) {
	case EVERY_N_DAYS:
		if (day <= origin)
			return origin + c->d.n;
		return origin + (day - origin + c->d.n - 1) / c->d.n * c->d.n;
	case EVERY_XUN:
		return next_in_month(&at, day, at.day <= 10 ? 10 : at.day <= 20 ? 20 : 31);
	case EVERY_WEEK:
		return day + (c->d.n - at.weekday + 7) % 7;
	case EVERY_MONTH_DAY:
		return next_in_month(&at, day, c->d.n);
	case EVERY_MONTH_END:
	case EVERY_MONTH_LAST_WORKDAY:
		return next_in_month(&at, day, 31);
	case EVERY_PERIOD_FIRST:
	case EVERY_PERIOD_END:
		return next_of_period(&at, day, c->d.n, c->d.series == EVERY_PERIOD_FIRST);
	case EVERY_WORKDAY:
		break;
	}
	return day;
}

/* Dates that lie before the start may have been moved behind it: where must the search begin? */
static int search_start(struct count *c, int32_t *ret)
{
	struct day_view v;
	int32_t day = moment_day(c->from);

	*ret = day;
	if (c->d.roll != ROLL_LATER || c->d.series == EVERY_N_DAYS)
		return 0;
	return count_seek(c, day - 1, -1, ret, &v);
}

int count_series(struct count *c, size_t max, struct due *ret, size_t *ret_n)
{
	size_t n = 0;
	int32_t day;
	int r;

	if (c->d.series == EVERY_MONTH_LAST_WORKDAY)
		c->d.roll = ROLL_EARLIER;
	else if (c->d.series == EVERY_WORKDAY)
		c->d.roll = ROLL_LATER;
	c->d.end = END_CLOSING;
	r = search_start(c, &day);
	for (; r == 0 && n < max; day++) {
		int32_t end;
		int64_t at;

		day = scheduled(c, day);
		c->provisional = false;
		r = count_finish(c, day, 0, c->d.time, &end, &at);
		if (r < 0 || at <= c->from)
			continue;
		c->first = end;
		c->last = end;
		if (n && ret[n - 1].at == at)
			ret[n - 1].provisional |= c->provisional;
		else
			ret[n++] = (struct due){ .at = at, .provisional = c->provisional };
	}
	*ret_n = n;
	return r;
}
