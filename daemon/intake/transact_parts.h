#pragma once
/* Inside intake only: one transaction, and what claim.c does of it. */
#include "base/counter.h"
#include "base/map.h"
#include "intake/batch.h"
#include "store/matters.h"

struct transaction {
	struct batch *b;
	struct pg *pg;
	struct numbers *numbers;
	struct unit *units;
	size_t n;
	int64_t now;
	struct save save;
	struct map changes;             /* case number -> struct case_change */
	struct map moved;               /* number that was meant for a report -> that of the case it was joined into */
	ALIST(struct case_change *) order;
	ALIST(enum counter) counts;     /* what it adds to the counters */
	struct device_desk *devices;    /* of devices.c, or NULL */
	int failed;                     /* of transaction_step: the batch cannot be stored; 0: it can */
	struct err failure;
};
static inline const char *transaction_tenant(const struct transaction *t)
{
	return t->b->office->tenant;
}
/* Counted once it is committed: a batch may be tried again, or fall apart. */
static inline void transaction_count(struct transaction *t, enum counter what)
{
	ALIST_PUSH(t->b->a, &t->counts, what);
}
/* BEGIN, and the ids of all reports: unit.fresh tells which were new. */
int transaction_claim(struct transaction *t, struct err *e);
/* life_step, and what it spends (spend.c). Where the store fails t->failed says so. */
int transaction_step(struct transaction *t, struct case_change *change, const struct action *action, struct effects *fx);
/* The report that opened a case, as it was stored, for what is to be decided anew; NULL when it is gone. */
int transaction_first_report(struct transaction *t, const struct case_change *change, const struct report **ret,
			     struct err *e);
/* read.c: a record into a result, or why it cannot be sent. */
struct result;
int transaction_read(struct transaction *t, const struct case_record *c, struct result *res, struct err *e);
/* What is stored under the ids that were not new: unit.known, number; of commands unit.stored_result, stored_read. */
int transaction_look_up_known(struct transaction *t, struct err *e);
int transaction_look_up_commands(struct transaction *t, struct err *e);

struct case_change *transaction_add_change(struct transaction *t, struct case_record *c, bool fresh);
void transaction_catch_up(struct transaction *t, struct case_change *change);
/* same.c: life_step whose effects are the batch's; where the case refuses it nothing has happened. */
bool transaction_happens(struct transaction *t, struct case_change *change, const struct action *action);
/* same.c: which open case each new report may be the same matter as (unit.like). */
struct same_search {
	struct look *cells;
	size_t n_cells;
	size_t *head;                   /* of each cell its last look, plus one */
	size_t *next;                   /* of each look the one before it, plus one */
	struct unit **who;              /* of each look */
	struct pg_rows rows;
};
void transaction_ask_same(struct transaction *t, struct same_search *s);     /* in the pipeline of the claim */
void transaction_find_same(struct transaction *t, struct same_search *s);    /* once it is known which were new */
/* Joins a report into the case that it is like; NULL: it is a case of its own. */
struct case_change *transaction_join(struct transaction *t, struct unit *u);
void transaction_opened(struct transaction *t, struct unit *u, struct case_change *change);
void transaction_moved(struct transaction *t, struct unit *u, const char *number);
/* A command that concerns two cases: 0 or LIFE_REFUSED; effects are taken in already. */
int transaction_pair(struct transaction *t, const struct unit *u, struct case_change *change, struct effects *fx);
/* What claim.c makes of a unit's report; with the unit's number. */
struct report_row *transaction_report_row(struct transaction *t, const struct unit *u);
/* A new case from u->report under u->number; a receipt for u. */
void transaction_open(struct transaction *t, struct unit *u);
void transaction_receipt(struct transaction *t, struct unit *u, const char *result, const struct case_record *c,
			 const char *reason);

/* ---- devices.c: what devices say and what time brings them; no-ops where a batch has nothing of the kind */
/* Has its id claimed: alarms and their ends. A figure and a sign of life change nothing when they come twice. */
bool transaction_claims(const struct unit *u);
/* Locks the devices of the batch; after the claim, before the cases, of which it tells how many more there are. */
int transaction_load_devices(struct transaction *t, struct err *e);
size_t transaction_device_cases(const struct transaction *t, const char **numbers);     /* NULL: only how many at most */
int transaction_device(struct transaction *t, struct unit *u, struct err *e);
void transaction_save_devices(struct transaction *t);
void transaction_devices_done(struct transaction *t);
