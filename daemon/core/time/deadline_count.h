#pragma once
/*
 * Private to core/time: one computation under way, and the steps that all kinds of deadline
 * share. A count lives on the stack; it remembers whether a looked-at day was only guessed, and
 * which days counted, so that the walk can be told afterwards and costs nothing when nobody asks.
 */
#include "core/time/calendar.h"
#include "core/time/deadline.h"
#include "core/time/moment.h"

struct count {
	struct deadline d;              /* decided */
	const struct calendar *cal;     /* may be NULL where the deadline needs none */
	int64_t from;                   /* the receipt; for a backward deadline the due instant */
	int64_t begin;                  /* from where time is counted */
	int32_t first, last;            /* the days that count; none when first > last */
	bool provisional;
	struct err *e;
};

/* The longest run of rest days that is still a calendar and not a mistake in one. */
enum { COUNT_IDLE_DAYS = 400 };

#define MINUTE_US (INT64_C(60) * 1000000)
#define HOUR_US (60 * MINUTE_US)

/* ERR_BAD when the deadline needs a calendar that is not there (E42) or `from` is out of range. */
int count_init(struct count *c, const struct deadline *d, const struct calendar *cal, int64_t from,
	       struct err *e);
/* Looks at a day and remembers whether it was a guess. True: a working day. */
bool count_look(struct count *c, int32_t day, struct day_view *ret);
/*
 * The first working day at `day` or beyond it in `direction` (1 or -1). ERR_BAD (E43) when there
 * is none.
 */
int count_seek(struct count *c, int32_t day, int direction, int32_t *ret_day, struct day_view *ret);
int64_t count_opening(int32_t day, const struct day_view *v);
int64_t count_closing(int32_t day, const struct day_view *v);

/*
 * The end of a deadline that falls on `day`: moved off a rest day as `roll` says, then put to
 * `minute` if that is not negative, else to the time that 截止 says; `at` is that day's "same
 * time".
 */
int count_finish(struct count *c, int32_t day, int64_t at, int16_t minute, int32_t *ret_day,
		 int64_t *ret);
/*
 * The same, but later than `from`: else the end of the next working day. With 遇休不变, which knows no
 * working days, the next day's for a point and this midnight for a span.
 */
int count_finish_after(struct count *c, int32_t day, int64_t at, int16_t minute, int64_t *ret);

int count_span(struct count *c, int64_t *ret);
int count_point(struct count *c, int64_t *ret);
int count_series(struct count *c, size_t max, struct due *ret, size_t *ret_n);
int count_back(struct count *c, int64_t *ret);

/* The day that a due instant belongs to: midnight ends the day before it. */
int32_t count_day_of_end(int64_t at);
/* Fills the walk of a deadline that came out at ret->at. */
void count_walk(const struct count *c, struct arena *a, struct due *ret);
