#pragma once
/*
 * A named calendar: which days count as working days and which minutes of them are working hours.
 * Pure data, filled by settings, frozen afterwards. Precedence for one date:
 *   extra_rest / extra_work of the office  >  the year file's off / on days  >  the weekly hours.
 * A year without data is a third state: computed from the weekly pattern, and said so.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;

struct span_of_day {            /* half-open, minutes 0…1440 */
	int16_t from, to;
};
enum { CALENDAR_SPANS = 8, CALENDAR_SEASONS = 8 };

struct day_hours {
	struct span_of_day spans[CALENDAR_SPANS];   /* ordered, not touching */
	uint8_t n;
};
struct season {
	const char *name;
	int16_t from_mmdd, to_mmdd;                 /* 601 = 1 June; inclusive; may wrap */
	struct day_hours week[7];                   /* [0] = Monday */
};
enum day_kind { DAY_REST, DAY_WORK };
struct special_day {
	int32_t day;                                /* moment_day */
	enum day_kind kind;
	const char *why;                            /* "春节", "台风停工" */
	bool local;                                 /* from extra_rest / extra_work */
};
struct calendar {
	const char *name;
	struct day_hours week[7];
	struct season seasons[CALENDAR_SEASONS];
	uint8_t n_seasons;
	struct day_hours makeup;                    /* of a working day that the week leaves free */
	uint8_t makeup_weekday;                     /* 1…7: hours of that weekday; 0: makeup */
	bool round_the_clock;                       /* every day 00:00-24:00: no holiday matters */
	struct special_day *special;                /* ordered by day, one a day */
	size_t n_special;
	const int16_t *years;                       /* years whose list is loaded and not empty */
	size_t n_years;
	const char *hash;                           /* of everything above, for the case's record */
};

struct day_view {
	enum day_kind kind;
	const char *why;                            /* name of the special day, or NULL */
	bool special;
	bool provisional;                           /* that year has no data and it would matter */
	struct day_hours hours;                     /* empty on a rest day */
};
void calendar_day(const struct calendar *cal, int32_t day, struct day_view *ret);
/* Sorts, removes duplicates (local wins); ERR_BAD (E44) when one date is both rest and work. */
int calendar_finish(struct calendar *cal, struct err *e);
