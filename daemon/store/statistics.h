#pragma once
/* Rates: how the office counts, told to the database whole, and what comes of it. */
#include "core/office.h"
#include "store/pg.h"

struct arena;
struct err;

/* Replaces the rates and the grids' communities by the office's; in one transaction of its own. */
int store_put_rates(struct pg *pg, const struct office *office, struct err *e);

struct rate_row {
	const char *name, *scope, *formula;
	int64_t numerator, denominator;
	bool fewer;
};
struct rate_rows {
	struct rate_row *v;
	size_t n;
};
/* Of cases of each of n spans, into ret[n]; dim: all, department, community, grid, channel, category, officer. */
extern const char *const rate_dims[];
enum { N_RATE_DIMS = 7 };
int store_rates(struct pg *pg, const char *tenant, const struct stretch *of, size_t n, const char *dim, struct arena *a,
		struct rate_rows *ret, struct err *e);
struct rate_case {
	const char *number;
	bool counts;
};
/* The cases of one number; part: what follows "dim:" in its scope, NULL for all. */
int store_rate_cases(struct pg *pg, const char *tenant, const char *name, int64_t from, int64_t to, const char *dim,
		     const char *part, struct arena *a, struct rate_case **ret, size_t *ret_n, struct err *e);
