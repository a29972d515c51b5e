/*
 * What kind of day is this date? One binary search and one look at the week, without memory,
 * because a deadline asks it for every day on its way. A make-up Saturday is a working day like
 * any other and a year whose list nobody has published yet is not "no holidays": both are where
 * calendars go wrong.
 */
#include "core/time/calendar.h"

#include "base/err.h"
#include "base/tongue.h"
#include "core/time/moment.h"

static bool season_holds(const struct season *s, int mmdd)
{
	if (s->from_mmdd <= s->to_mmdd)
		return mmdd >= s->from_mmdd && mmdd <= s->to_mmdd;
	return mmdd >= s->from_mmdd || mmdd <= s->to_mmdd;
}

static const struct day_hours *week_of(const struct calendar *cal, const struct civil *c)
{
	int mmdd = c->month * 100 + c->day;

	for (size_t i = 0; i < cal->n_seasons; i++) {
		if (season_holds(&cal->seasons[i], mmdd))
			return cal->seasons[i].week;
	}
	return cal->week;
}

static const struct special_day *special_of(const struct calendar *cal, int32_t day)
{
	size_t low = 0, high = cal->n_special;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (cal->special[middle].day < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low < cal->n_special && cal->special[low].day == day ? &cal->special[low] : NULL;
}

static bool has_year(const struct calendar *cal, int year)
{
	for (size_t i = 0; i < cal->n_years; i++) {
		if (cal->years[i] == year)
			return true;
	}
	return false;
}

/*
 * A weekday that the week already works keeps its hours; a free one borrows those of a make-up
 * day.
 */
static const struct day_hours *work_hours(const struct calendar *cal,
					  const struct day_hours week[7],
					  int weekday)
{
	const struct day_hours *own = &week[weekday - 1];

	if (own->n)
		return own;
	if (cal->makeup_weekday && week[cal->makeup_weekday - 1].n)
		return &week[cal->makeup_weekday - 1];
	return &cal->makeup;
}

void calendar_day(const struct calendar *cal, int32_t day, struct day_view *ret)
{
	const struct special_day *special = special_of(cal, day);
	const struct day_hours *week, *hours;
	struct civil c = moment_civil(moment_of_day(day, 0));

	if (special && cal->round_the_clock && !special->local)
		special = NULL;
	week = week_of(cal, &c);
	hours = &week[c.weekday - 1];
	if (special && special->kind == DAY_WORK)
		hours = work_hours(cal, week, c.weekday);

	ret->special = special != NULL;
	ret->why = special ? special->why : NULL;
	ret->provisional = !special && !cal->round_the_clock && !has_year(cal, c.year);
	ret->hours.n = 0;
	ret->kind = DAY_REST;
	if ((special && special->kind == DAY_REST) || !hours->n)
		return;
	ret->kind = DAY_WORK;
	ret->hours = *hours;
}

/* By day; on one day the office's own word comes first. */
static int special_compare(const void *a, const void *b)
{
	const struct special_day *x = a, *y = b;

	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	return (int)y->local - (int)x->local;
}

static const char *reason(const struct special_day *s)
{
	return s->why ? s->why : _("no reason given");
}

int calendar_finish(struct calendar *cal, struct err *e)
{
	size_t n = 0;

	if (cal->n_special)
		qsort(cal->special, cal->n_special, sizeof(*cal->special), special_compare);
	for (size_t i = 0; i < cal->n_special; i++) {
		const struct special_day *last = n ? &cal->special[n - 1] : NULL;
		const struct special_day *next = &cal->special[i];
		char text[MOMENT_TEXT];

		if (!last || last->day != next->day) {
			cal->special[n++] = *next;
			continue;
		}
		if (last->local == next->local && last->kind != next->kind)
			return err_code(e, ERR_BAD, "E44",
					"%.10s is both a day off (%s) and a working day (%s): "
					"keep one of them",
					moment_human(moment_of_day(next->day, 0), false, text),
					reason(last->kind == DAY_REST ? last : next),
					reason(last->kind == DAY_REST ? next : last));
	}
	cal->n_special = n;
	return 0;
}
