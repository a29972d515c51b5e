#pragma once
/* Open cases that a report may be the same matter as: the newest few of each cell, one query a batch. */
#include "core/life/same.h"
#include "store/pg.h"

struct arena;
struct err;

struct found_matter {
	size_t look;                    /* place in `cells` */
	struct matter m;                /* without category */
};
/* Everything lives in the arena. The newest 32 a cell, whatever it holds. */
int matters_find(struct pg *pg, const char *tenant, const char *const *cells, size_t n, struct arena *a,
		 struct found_matter **ret, size_t *ret_n, struct err *e);
