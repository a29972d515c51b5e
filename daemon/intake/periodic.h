#pragma once
/*
 * What happens again and again: lists that are made, sites that are visited. When is derived from the calendar; how far
 * it got is a row that moves in the transaction of the occurrence, so that each happens once, whoever restarts or jumps.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "store/handoff.h"

struct analyst;
struct err;
struct hot_result;
struct office;
struct pg;
struct serie;
struct settings;

struct periodic {
	bool known, waits;              /* waits: the earliest is due, but what it tells is still being found */
	struct analyst *analyst;        /* the caller's */
	struct arena arena;
	struct serie *v;
	size_t n;
};
/* Another snapshot, or another daemon: what was known does not hold any more. */
void periodic_forget(struct periodic *p);
int periodic_know(struct periodic *p, struct pg *pg, const struct office *office, int64_t now, struct err *e);
/* The next instant at which something happens; MOMENT_NONE: never. */
int64_t periodic_next(const struct periodic *p);
/* Does the earliest occurrence that lies not after `now`, with its files below `folder`. What must go out is in h. One that waits
 * (p->waits) holds back those behind it, so that they are made in their order. */
int periodic_turn(struct periodic *p, struct pg *pg, struct settings *settings, const char *folder, int64_t now,
		  struct handoff *h, struct err *e);

/* ---- what an occurrence is: bulletin.c, visits.c; inside the transaction ---- */
struct occurrence {
	const struct office *office;
	const char *name, *folder;      /* report/weekly */
	int64_t since, at, now;         /* the one before; this one; when it is done */
	const struct hot_result *hot;   /* of a list of hot words: what was found */
};
struct period;
struct inspection;
struct grade;
int bulletin_make(struct pg *pg, const struct occurrence *o, const struct period *period, struct handoff *h, struct err *e);
int visits_make(struct pg *pg, const struct occurrence *o, const struct inspection *in, const struct grade *grade,
		struct handoff *h, struct err *e);
