#pragma once
/* Cases from the store into the core, locked for the transaction that is open. */
#include "core/life/case.h"
#include "core/life/event.h"
#include "store/pg.h"

struct arena;
struct err;

/*
 * Loads and locks (FOR UPDATE, in key order: no deadlocks) the cases of `numbers`; unknown ones are
 * left out. Department ids are taken as stored. *ret and its texts live in the arena.
 */
int cases_load(struct pg *pg, const char *tenant, const char *const *numbers, size_t n, struct arena *a,
	       struct case_record ***ret, size_t *ret_n, struct err *e);

/* What `get` shows beside the case: report, person, history. 0, or RECORD_NONE. */
enum { RECORD_NONE = 1 };
struct record {
	struct personal personal;
	struct whole_report whole;
	const char *category, *grid, *urgency, *device; /* as reported, or NULL */
};
int cases_record(struct pg *pg, const char *tenant, const struct case_record *c, struct arena *a,
		 struct record *ret, struct err *e);
