#pragma once
/* The outbox, the queues and the timers, as the dispatcher reads them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/pg.h"

struct arena;
struct err;

struct outbox_row {
	const char *number, *target, *topic, *payload;  /* payload NULL: only the card */
	int seq;
	bool card;
	const char *card_json;          /* the department's card now, NULL when it left the queue */
};
struct outbox_rows {
	struct outbox_row *v;
	size_t n, cap;
};
struct case_change;
/* The rows that saving this change writes, as they are published from memory. */
void change_rows(const struct case_change *change, struct arena *a, struct outbox_rows *rows);
/* Where a sweep over the outbox stands; all zero: before the first row. */
struct outbox_mark {
	char number[40], target[80];
	int seq;
};
/*
 * The next rows behind the mark that are older than age_us, with their cards as they are now. Case by
 * case, and of a case in the order of its history. Moves the mark.
 */
int outbox_scan(struct pg *pg, const char *tenant, int64_t age_us, struct outbox_mark *mark, size_t max,
		struct arena *a, struct outbox_row **ret, size_t *ret_n, struct err *e);
int outbox_delete(struct pg *pg, const char *tenant, const char *const *numbers, const int64_t *seqs,
		  const char *const *targets, size_t n, struct err *e);
int outbox_count(struct pg *pg, const char *tenant, int64_t *ret, struct err *e);

/* The cards of some cases in one department's queue: ret[i] NULL where it is not (any more) there. */
int queue_cards(struct pg *pg, const char *tenant, const char *const *depts, const char *const *numbers, size_t n,
		struct arena *a, const char **ret, struct err *e);
/* One page of the whole queue, in key order after (dept, number); both "" to begin. */
struct queue_card {
	const char *dept, *number, *card;
};
int queue_page(struct pg *pg, const char *tenant, const char *after_dept, const char *after_number, size_t max,
	       struct arena *a, struct queue_card **ret, size_t *ret_n, struct err *e);

/* A case whose limit has passed. */
struct late {
	char number[40];
	int64_t due;
	const char *dept;               /* for whoever brings several departments together */
};
enum { LATE_MAX = 100 };
struct summary {
	const char *dept;
	int64_t to_accept, in_progress, due_today, overdue, total;
	/* Of cases of which it is the lead or triage: over all departments, the open cases. */
	int64_t leads, leads_due_today, leads_overdue, leads_suspended, leads_triage;
	struct late *late;              /* the oldest of them; mem, or NULL */
	size_t n_late;
	char after[40];                 /* counted up to this case; "" to begin */
	bool whole;                     /* nothing is behind it */
};
/*
 * Counts on, and keeps the n_late (at most LATE_MAX) cases that are late longest: of each department that is not yet whole the next `max` cases of its queue. A long queue is counted in
 * slices, so that nobody waits for it; what changes meanwhile is marked, and counted in the next round.
 */
struct summary_question {
	size_t max, n_late;
	int64_t now, end_of_day;
};
int queue_summary(struct pg *pg, const char *tenant, struct summary *inout, size_t n, const struct summary_question *q,
		  struct arena *a, struct err *e);
/* Among the `max` that are late longest, where it belongs there. */
void summary_late(struct summary *s, const struct late *one, size_t max);

/* Cases whose wake-up has come by then, oldest first, and when it was to come. */
struct due_case {
	const char *number;
	int64_t at;
};
int timers_due(struct pg *pg, const char *tenant, int64_t until, size_t max, struct arena *a, struct due_case **ret,
	       size_t *ret_n, struct err *e);
/* The next wake-up of all; MOMENT_NONE: none. */
int timers_next(struct pg *pg, const char *tenant, int64_t *ret, struct err *e);

/* Open cases with a provisional limit, in order after `after` ("" to begin). */
int store_provisional(struct pg *pg, const char *tenant, const char *after, size_t max, struct arena *a,
		      const char ***ret, size_t *ret_n, struct err *e);
/* The latest of the given instant, the one stored last, and what has been stamped since. */
int store_sim_clock(struct pg *pg, const char *tenant, int64_t *now_inout, struct err *e);
/* Stores it, unless another daemon of the tenant is further: then that instant comes back. */
int store_sim_clock_save(struct pg *pg, const char *tenant, int64_t *now_inout, struct err *e);
/* The same as a part of a transaction: who takes over is never behind what was written last. */
void store_sim_clock_pipe(struct pg *pg, const char *tenant, int64_t now);
/* Has this broker passed the probe within a day? Real time, also where the clock is simulated. */
int store_probe_passed(struct pg *pg, const char *tenant, const char *broker, bool *ret, struct err *e);
int store_note_probe(struct pg *pg, const char *tenant, const char *broker, struct err *e);
/* The tenant's session lock: 0 held by this connection, LOCK_TAKEN: another daemon has it. */
enum { LOCK_TAKEN = 1 };
int store_try_lock(struct pg *pg, const char *tenant, struct err *e);
