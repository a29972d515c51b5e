#pragma once
/*
 * What the worker does to cases besides messages: what time brings, what a new snapshot changes. It is
 * the worker's so that one thread alone steps cases and hands over what came of it: then events and
 * cards leave in the order in which they were committed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/handoff.h"

struct err;
struct arena;
struct numbers;
struct office;
struct pg;
struct settings;

/* Which configuration works from now on, and what its rates count. */
int note_config(struct pg *pg, const struct settings *settings, struct err *e);

/*
 * Steps what is due, a page a call; ret_more: there was a full page. Rows to be told are in `h`. On an
 * error the transaction is rolled back, and what was not told stays in the outbox. wait_us: how long the caller would
 * wait; less, where something falls due before.
 */
int timers_fire(struct pg *pg, const struct office *office, int64_t now, int64_t *wait_us, struct handoff *h, bool *ret_more,
		struct err *e);

struct revision {
	char hash[17], after[40];       /* of which snapshot; the last case looked at */
	bool done;
	size_t at;                      /* of a list in the snapshot */
};
/* Counts provisional limits anew after a new snapshot; a page a call. */
int revise_turn(struct revision *v, struct pg *pg, const struct office *office, struct handoff *h, struct err *e);
/* Looks at the devices that are due, a page a call. `listening`: since when their words cannot have been missed. */
int devices_look(struct pg *pg, const struct office *office, struct numbers *numbers, int instance, int64_t listening,
		 struct handoff *h, bool *ret_more, struct err *e);
/* After a new snapshot: who promised to be heard of is looked at; a page a call. */
int devices_expect_turn(struct revision *v, struct pg *pg, const struct office *office, struct arena *a, struct err *e);

struct retention {
	int64_t last_us, next_us;       /* when it was looked, when to look again */
};
/* Deletes personal data of what was closed long enough ago; a page a call. */
int retain_turn(struct retention *v, struct pg *pg, const struct office *office, struct handoff *h, bool *ret_more,
		struct err *e);
