#pragma once
/*
 * The sets of shadow.h: what a field may be, cut into the pieces that the office's rules tell apart, so
 * that a condition is a set of bits. The last piece is "something else, or nothing".
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

struct arena;
struct office;
struct when;

/* One dimension each; urgency and secrecy are one of six pieces together. */
enum shadow_dim { DIM_CHANNEL, DIM_CATEGORY, DIM_GRID, DIM_DEVICE, DIM_DURING, DIM_MANNER, N_DIMS };

struct box {
	const uint64_t *dim[N_DIMS];    /* NULL: everything */
};

/* The patterns of one field in an order in which those inside a pattern follow it. */
struct patterns {
	const char **v;
	size_t n;
	struct map at;                  /* pattern -> 1 + its piece */
	bool (*holds)(const char *pattern, const char *other);
};
struct pieces {
	struct patterns patterns[DIM_DEVICE + 1];
	size_t words[N_DIMS];           /* uint64_t of a set */
	uint64_t last[N_DIMS];          /* the bits in use of the last one */
	struct arena *arena;
};

void pieces_init(struct pieces *p, const struct office *office, struct arena *a);
void pieces_done(struct pieces *p);
/* The set of a pattern that some rule names. */
const uint64_t *pieces_of(const struct pieces *p, enum shadow_dim dim, const char *pattern, struct arena *a);
const uint64_t *pieces_of_window(const struct pieces *p, int from, int to, struct arena *a);
/* `bits`: a bit per enum urgency, 0 for any; secret -1 for any. */
const uint64_t *pieces_of_manner(const struct pieces *p, unsigned bits, int secret, struct arena *a);
struct box pieces_box(const struct pieces *p, const struct when *when);
/* The narrower of two patterns, NULL when they have nothing in common. */
const char *pieces_both(const struct pieces *p, enum shadow_dim dim, const char *x, const char *y);

bool box_meets(const struct pieces *p, const struct box *x, const struct box *y);
bool box_holds(const struct pieces *p, const struct box *x, const struct box *inner);
/* What of x is outside of y in this dimension, else (`inside`) what is in both; NULL when nothing is. */
const uint64_t *box_part(const struct pieces *p, const struct box *x, const struct box *y, enum shadow_dim dim,
			 bool inside, struct arena *a);
