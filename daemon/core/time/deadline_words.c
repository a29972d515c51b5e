/*
 * The defaults follow Civil Code articles 201 to 204: the day of the event is not counted, a last
 * day on a rest day moves behind it, and the last day ends at closing time where there are
 * business hours. Hours run at once. Periodic lists are for people, who want them before the
 * holiday.
 */
#include "core/time/deadline_words.h"

const struct unit_word unit_words[N_UNITS] = {
	[UNIT_MINUTE] = { "分钟", "m", 5270400 },
	[UNIT_HOUR] = { "小时", "h", 87840 },
	[UNIT_DAY] = { "自然日", "d", 3660 },
	[UNIT_WORKDAY] = { "工作日", "wd", 2610 },
	[UNIT_WORKHOUR] = { "工作小时", "wh", 20880 },
};

const char *const point_words[N_POINTS] = {
	[POINT_TODAY] = "当日",
	[POINT_NEXT_DAY] = "次日",
	[POINT_NEXT_WORKDAY] = "次工作日",
	[POINT_NOON_NIGHT] = "上不过午下不过夜",
};

const char *const weekday_words[7] = { "一", "二", "三", "四", "五", "六", "日" };

const struct option_word option_words[] = {
	{ "起算:次日", OPTION_START, START_NEXT_DAY },
	{ "起算:当日", OPTION_START, START_SAME_DAY },
	{ "起算:立即", OPTION_START, START_AT_ONCE },
	{ "截止:下班", OPTION_END, END_CLOSING },
	{ "截止:24:00", OPTION_END, END_MIDNIGHT },
	{ "截止:同时刻", OPTION_END, END_SAME_TIME },
	{ "下班后:当日", OPTION_LATE, LATE_SAME_DAY },
	{ "下班后:次工作日", OPTION_LATE, LATE_NEXT_WORKDAY },
	{ "遇休提前", OPTION_ROLL, ROLL_EARLIER },
	{ "遇休顺延", OPTION_ROLL, ROLL_LATER },
	{ "遇休不变", OPTION_ROLL, ROLL_NONE },
	{ 0 },
};

unsigned deadline_options(const struct deadline *d)
{
	if (d->kind == DEADLINE_SPAN)
		return OPTION_START | OPTION_END | OPTION_LATE | OPTION_ROLL | OPTION_CALENDAR;
	if (d->kind == DEADLINE_BACKWARD)
		return OPTION_END | OPTION_ROLL | OPTION_CALENDAR;
	if (d->kind == DEADLINE_SERIES)
		return OPTION_ROLL | OPTION_CALENDAR;
	if (d->point == POINT_NOON_NIGHT)
		return OPTION_CALENDAR | OPTION_AT_LEAST;
	return (d->time < 0 ? OPTION_END : 0) | OPTION_LATE | OPTION_ROLL | OPTION_CALENDAR;
}

static enum deadline_end end_of(const struct deadline *d)
{
	if (d->kind == DEADLINE_SPAN && d->unit == UNIT_DAY)
		return END_MIDNIGHT;
	if (d->kind == DEADLINE_SPAN && d->unit != UNIT_WORKDAY)
		return END_SAME_TIME;
	if (d->kind == DEADLINE_BACKWARD)
		return END_SAME_TIME;
	return END_CLOSING;
}

static enum deadline_roll roll_of(const struct deadline *d)
{
	bool by_clock = d->unit == UNIT_MINUTE || d->unit == UNIT_HOUR;

	if (d->kind == DEADLINE_SPAN && by_clock)   /* only a working day has a closing time */
		return d->end == END_CLOSING ? ROLL_LATER : ROLL_NONE;
	if (d->kind == DEADLINE_SPAN)
		return d->unit == UNIT_DAY ? ROLL_LATER : ROLL_NONE;
	if (d->kind == DEADLINE_POINT)
		return d->point == POINT_NEXT_WORKDAY ? ROLL_NONE : ROLL_LATER;
	if (d->kind == DEADLINE_BACKWARD || d->series == EVERY_WORKDAY)
		return ROLL_NONE;
	return d->series == EVERY_N_DAYS ? ROLL_LATER : ROLL_EARLIER;
}

struct deadline deadline_decided(const struct deadline *d)
{
	struct deadline ret = *d;
	unsigned options = deadline_options(d);
	bool by_day = d->unit == UNIT_DAY || d->unit == UNIT_WORKDAY;

	if (ret.start == START_DEFAULT && (options & OPTION_START))
		ret.start = by_day ? START_NEXT_DAY : START_AT_ONCE;
	if (ret.end == END_DEFAULT && (options & OPTION_END))
		ret.end = end_of(d);
	if (ret.roll == ROLL_DEFAULT && (options & OPTION_ROLL))
		ret.roll = roll_of(&ret);
	return ret;
}
