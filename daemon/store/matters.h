#pragma once
/* Open cases that a report may be the same matter as: the newest few of each cell, one query a batch. */
#include "core/life/same.h"
#include "store/pg.h"

struct arena;
struct err;

struct look {
	const char *cell;
	uint64_t numbers;               /* of the report that looks */
	bool any_numbers;               /* several do: whatever numbers the others name */
};
struct found_matter {
	size_t look;                    /* place in `looks` */
	struct matter m;                /* without category */
};
/* Everything lives in the arena. Of the 64 newest of a cell the 16 newest whose numbers may agree. */
int matters_find(struct pg *pg, const char *tenant, const struct look *looks, size_t n, struct arena *a,
		 struct found_matter **ret, size_t *ret_n, struct err *e);
