#pragma once
/*
 * The same matter (并案): what an open case is known again by, and how alike two matters are. Pure; the
 * store keeps a row a matter and cell (table `matter`) and finds the few that can be meant.
 */
#include "core/life/lifecycle.h"

struct arena;

enum { MATTER_ROWS = 2, MATTER_LOOKS = 5 };
struct matter {
	const char *number;             /* of its case */
	const char *category;
	const char *grid;               /* or NULL */
	const char *place;              /* shadow of the masked address, or NULL */
	const char *text;               /* shadow of the masked text, cut */
	uint64_t numbers;               /* text_number_bits of it */
	double lat, lon;                /* NAN: none */
	const char *crs;                /* or NULL */
	int64_t at;                     /* when its case was received */
};
/*
 * What a report is known by. False: it has nothing to be known by (no known category, place or text), or it
 * never shares a case: a secret one, one about a body, one of a device.
 */
bool matter_of(const struct report *r, struct arena *a, struct matter *ret);
/* What is known of an open case from its stored report: `name` of the reporter, `text` and `place` as they were said. */
void matter_again(const char *name, const char *text, const char *place, struct arena *a, struct matter *inout);
/* Under which cells an open case is kept, a square before a grid; returns how many. A cell's name begins with the category. */
size_t matter_rows(const struct office *office, const struct matter *m, struct arena *a, const char *ret[MATTER_ROWS]);
/* A square of positions, not a grid. */
bool matter_is_square(const char *cell);
/* In which cells a report looks for others. Whoever can be meant has a row in one of them. */
size_t matter_looks(const struct office *office, const struct matter *m, struct arena *a,
		    const char *ret[MATTER_LOOKS]);
/* 0: another matter: another category or place, too old; else how alike what is told is, up to 1. */
double matter_alike(const struct office *office, const struct matter *newer, const struct matter *older);
/*
 * The reporter's keyed hash: tells whether two reports are of one person without saying who. NULL where the
 * report tells neither phone nor ref, or there is no key.
 */
const char *person_key(const char *key, const struct report *r, struct arena *a);
