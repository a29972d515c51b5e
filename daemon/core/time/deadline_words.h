#pragma once
/*
 * Private to core/time: the words of a deadline as tables that the parser reads and the writer
 * prints, so that neither can know a word that the other does not; and what is meant where
 * nothing is said.
 */
#include "core/time/deadline.h"

enum deadline_option {
	OPTION_START = 1, OPTION_END = 2, OPTION_LATE = 4, OPTION_ROLL = 8, OPTION_CALENDAR = 16,
	OPTION_AT_LEAST = 32
};
enum { N_UNITS = UNIT_WORKHOUR + 1, N_POINTS = POINT_NOON_NIGHT + 1 };

struct unit_word {
	const char *text, *alias;
	int32_t max;                    /* ten years of it */
};
struct option_word {
	const char *text;
	enum deadline_option option;
	int value;
};

extern const struct unit_word unit_words[N_UNITS];
extern const char *const point_words[N_POINTS];
extern const char *const weekday_words[7];
extern const struct option_word option_words[];     /* ends with text NULL */

/* The options that mean something for this deadline (bits of enum deadline_option). */
unsigned deadline_options(const struct deadline *d);
/* `d` with every open choice decided. What no option of this kind can change keeps its default. */
struct deadline deadline_decided(const struct deadline *d);
