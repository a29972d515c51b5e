#pragma once
/*
 * Deadlines as the office writes them ("5 工作日", "上不过午下不过夜", "每旬 16:00 遇休提前"), parsed once,
 * computed as often as wanted, with the walk over the days on request. configuration.md and
 * docs/…/deadlines state what each word means.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct calendar;
struct err;

enum deadline_kind { DEADLINE_SPAN, DEADLINE_POINT, DEADLINE_SERIES, DEADLINE_BACKWARD };
enum deadline_unit { UNIT_MINUTE, UNIT_HOUR, UNIT_DAY, UNIT_WORKDAY, UNIT_WORKHOUR };
enum deadline_point { POINT_TODAY, POINT_NEXT_DAY, POINT_NEXT_WORKDAY, POINT_NOON_NIGHT };
enum deadline_series { EVERY_N_DAYS, EVERY_XUN, EVERY_WEEK, EVERY_MONTH_DAY, EVERY_MONTH_END,
		       EVERY_MONTH_LAST_WORKDAY, EVERY_WORKDAY,
		       EVERY_PERIOD_FIRST, EVERY_PERIOD_END };     /* of quarters, half-years, years */
enum deadline_roll { ROLL_DEFAULT, ROLL_EARLIER, ROLL_LATER, ROLL_NONE };   /* 遇休提前 遇休顺延 遇休不变 */
enum deadline_start { START_DEFAULT, START_NEXT_DAY, START_SAME_DAY, START_AT_ONCE };      /* 起算: */
enum deadline_end { END_DEFAULT, END_CLOSING, END_MIDNIGHT, END_SAME_TIME };               /* 截止: */
enum deadline_late { LATE_SAME_DAY, LATE_NEXT_WORKDAY };                              /* 下班后: */

/* Plain data, no pointers but the calendar's name (in the arena given to parse). */
struct deadline {
	enum deadline_kind kind;
	enum deadline_unit unit;
	enum deadline_point point;
	enum deadline_series series;
	int32_t n;                      /* span length; N of 每N自然日; weekday 1…7; day of month; months of a period */
	int16_t time;                   /* minute of the day of "次日 12:00", -1: none */
	int16_t at_least;               /* minutes of 最少:, 0: none */
	enum deadline_roll roll;
	enum deadline_start start;
	enum deadline_end end;
	enum deadline_late late;
	const char *calendar;           /* 日历:NAME or NULL */
};

struct walk_day {
	int32_t day;
	bool counts;
	const char *why;                /* `reason`, with a special day's name: "day off (春节)" */
	const char *reason;             /* one phrase, catalogue text: "day off" */
	const char *name;               /* of a special day ("春节", "台风停工"), else NULL */
};
struct due {
	int64_t at;                     /* instant */
	bool provisional;               /* some day on the way lies in a year without data */
	struct walk_day *walk;          /* only when asked for; in the arena */
	size_t n_walk;
};

/* ERR_BAD with code E40, E41 or E03 and the byte offset of the trouble in *ret_at. */
int deadline_parse(const char *text, struct arena *a, struct deadline *ret, size_t *ret_at,
		   struct err *e);
/* The canonical text, which parses to the same value. */
const char *deadline_text(const struct deadline *d, struct arena *a);
bool deadline_needs_calendar(const struct deadline *d);

/*
 * When something that started at `from` is due. `cal` may be NULL where deadline_needs_calendar is
 * false. `walk` is an arena for the day-by-day walk, or NULL. For a series: the first occurrence
 * after `from`; deadline_next gives the following ones.
 */
int deadline_due(const struct deadline *d, const struct calendar *cal, int64_t from,
		 struct arena *walk, struct due *ret, struct err *e);
int deadline_next(const struct deadline *d, const struct calendar *cal, int64_t from, size_t max,
		  struct due *ret, size_t *ret_n, struct err *e);
/* The instant that lies `d` (a span) before `due`, walking the same calendar backwards. */
int deadline_before(const struct deadline *d, const struct calendar *cal, int64_t due,
		    struct arena *walk, struct due *ret, struct err *e);
