/* Which time a list speaks of, and what it is compared with: 环比, 同比. */
#include "core/statistics/statistics.h"
#include "core/time/moment.h"

const char *const period_covers_names[N_PERIOD_COVERS] = {"since", "month", "quarter", "year"};

static int months_of(enum period_covers covers)
{
	return covers == COVERS_MONTH ? 1 : covers == COVERS_QUARTER ? 3 : 12;
}

/* The first instant of the month that lies `months` after the given one. */
static int64_t month_start(int year, int month, int months)
{
	int n = year * 12 + month - 1 + months;

	return moment_of_day(moment_day_from_date(n / 12, n % 12 + 1, 1), 0);
}

struct stretch stretch_covered(enum period_covers covers, int64_t since, int64_t at)
{
	struct civil c = moment_civil(at - MOMENT_DAY_US);
	int months = months_of(covers), first = (c.month - 1) / months * months + 1;
	struct stretch s = {month_start(c.year, first, 0), month_start(c.year, first, months)};

	if (covers == COVERS_SINCE)
		return (struct stretch){since, at};
	s.to = s.to > at ? at : s.to;
	return s;
}

struct stretch stretch_before(enum period_covers covers, struct stretch s)
{
	struct civil c = moment_civil(s.from);

	if (covers == COVERS_SINCE)
		return (struct stretch){s.from - (s.to - s.from), s.from};
	return (struct stretch){month_start(c.year, c.month, -months_of(covers)), s.from};
}

static int64_t year_before(int64_t at)
{
	struct civil c = moment_civil(at);

	c.year--;
	if (!moment_date_is_valid(c.year, c.month, c.day))
		c.day--;
	return moment_from_civil(&c);
}

struct stretch stretch_year_ago(struct stretch s)
{
	return (struct stretch){year_before(s.from), year_before(s.to)};
}
