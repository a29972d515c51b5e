/*
 * The canonical text says what a reader must know to count along: a span's start, the end of a
 * day span, where a rest day moves it. What could not be otherwise is left unsaid.
 */
#include "base/mem.h"
#include "base/str.h"
#include "core/time/deadline_words.h"

static void add_option(struct str *t, enum deadline_option option, int value)
{
	for (const struct option_word *w = option_words; w->text; w++) {
		if (w->option == option && w->value == value)
			str_addf(t, " %s", w->text);
	}
}

static void add_series(struct str *t, const struct deadline *d)
{
	static const char *const fixed[] = {
		[EVERY_XUN] = "每旬", [EVERY_MONTH_END] = "每月末",
		[EVERY_MONTH_LAST_WORKDAY] = "每月最后工作日", [EVERY_WORKDAY] = "每工作日",
	};

	if (d->series == EVERY_N_DAYS)
		str_addf(t, "每%d自然日", (int)d->n);
	else if (d->series == EVERY_WEEK)
		str_addf(t, "每周%s", weekday_words[(d->n + 6) % 7]);
	else if (d->series == EVERY_MONTH_DAY)
		str_addf(t, "每月%d日", (int)d->n);
	else if (d->series == EVERY_PERIOD_FIRST || d->series == EVERY_PERIOD_END)
		str_addf(t, "每%s%s", d->n == 3 ? "季" : d->n == 6 ? "半年" : "年",
			 d->series == EVERY_PERIOD_END ? "末" : "初");
	else
		str_add(t, fixed[d->series]);
}

static void add_body(struct str *t, const struct deadline *d)
{
	if (d->kind == DEADLINE_SERIES)
		add_series(t, d);
	else if (d->kind == DEADLINE_POINT)
		str_add(t, point_words[d->point]);
	else
		str_addf(t, "%s%d %s", d->kind == DEADLINE_BACKWARD ? "到期前 " : "", (int)d->n,
			 unit_words[d->unit].text);
	if (d->time >= 0 && (d->kind == DEADLINE_POINT || d->kind == DEADLINE_SERIES))
		str_addf(t, " %02d:%02d", d->time / 60, d->time % 60);
}

/* Is this end or roll worth a word: the default of a day-wise deadline, or not the default? */
static void add_end_and_roll(struct str *t, const struct deadline *d)
{
	struct deadline open = *d, usual;
	bool by_day = d->kind == DEADLINE_SPAN && (d->unit == UNIT_DAY || d->unit == UNIT_WORKDAY);
	unsigned options = deadline_options(d);

	open.end = END_DEFAULT;
	open.roll = ROLL_DEFAULT;
	usual = deadline_decided(&open);
	open.end = d->end;
	usual.roll = deadline_decided(&open).roll;
	if ((options & OPTION_END) && (by_day || d->kind == DEADLINE_POINT || d->end != usual.end))
		add_option(t, OPTION_END, (int)d->end);
	if ((options & OPTION_LATE) && d->late == LATE_NEXT_WORKDAY)
		add_option(t, OPTION_LATE, (int)d->late);
	if ((options & OPTION_ROLL) && (d->roll != ROLL_NONE || d->roll != usual.roll))
		add_option(t, OPTION_ROLL, (int)d->roll);
}

const char *deadline_text(const struct deadline *d, struct arena *a)
{
	struct deadline all = deadline_decided(d);
	CLEANUP(str_done) struct str t = { 0 };

	add_body(&t, &all);
	if (deadline_options(&all) & OPTION_START)
		add_option(&t, OPTION_START, (int)all.start);
	add_end_and_roll(&t, &all);
	if (all.calendar)
		str_addf(&t, " 日历:%s", all.calendar);
	if (all.at_least)
		str_addf(&t, " 最少:%d 分钟", all.at_least);
	return arena_strdup(a, t.s);
}
