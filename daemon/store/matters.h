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
/* Asked in a pipeline: of the 64 newest of a cell the 16 newest whose numbers may agree. */
void matters_pipe(struct pg *pg, const char *tenant, const struct look *looks, size_t n, struct arena *a, struct pg_rows *ret);
/* What it brought, in the arena; frees the rows. */
struct found_matter *matters_found(struct pg_rows *rows, struct arena *a, size_t *ret_n);
