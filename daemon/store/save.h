#pragma once
/*
 * What one transaction writes: new cases and changed ones, their history, events, cards, timers, the
 * reports and commands that caused them, and dead letters. Collected in memory, written in one pipeline.
 */
#include "base/err.h"
#include "core/life/lifecycle.h"
#include "core/understand/message.h"
#include "store/pg.h"
#include "store/rows.h"

struct arena;

/* Everything that happened to one case in this transaction, over all its steps. */
struct case_change {
	struct case_record *c;
	const struct case_record *was;          /* as it was loaded, or NULL */
	bool fresh;                             /* insert, not update */
	bool touched;                           /* something is to be written */
	ALIST(struct history_row) history;
	ALIST(struct event_row) events;
	ALIST(struct queue_row) queue;          /* the last word for each department */
	ALIST(struct leg_row) legs;
	const char *address;                    /* amended, or NULL */
	const struct matter *matter;            /* of a new case that others may be the same as, or NULL */
	const char *const *cells;               /* under which it is kept: one of a kind */
	size_t n_cells;
	int64_t wake_at;
};
/* A copy of a case that has just been loaded, before anything is done to it. */
const struct case_record *case_change_was(const struct case_record *c, struct arena *a);
/* Adds the effects of one more step. */
void case_change_add(struct case_change *change, const struct effects *fx, struct arena *a);

struct report_row {
	const char *channel, *id, *number;
	enum report_kind kind;
	const char *source;
	int64_t at, received_at;
	const char *text, *category, *grid, *urgency, *device, *media, *reply_to, *extra, *shown;
	unsigned char digest[16];
};
struct person_row {
	const char *channel, *id, *name, *phone, *ref, *address;
	double lat, lon;
	const char *crs, *accused;
	bool secret;
};
struct command_row {
	const char *department, *request, *number, *action, *by, *note;
	int64_t at;
	const char *result;                     /* JSON text; of `get` without the record */
};
struct device_timer_row {
	const char *device;
	int64_t due_at;
};
struct dead_row {
	int64_t id, at;
	const char *channel, *topic;
	struct blob topic_raw;
	const char *code, *reason;
	struct blob payload;
};

struct rows {
	const void **v;
	size_t n, cap;
};
enum save_table { SAVE_REPORT, SAVE_PERSON, SAVE_PERSON_PUT, SAVE_CASE_NEW, SAVE_CASE_OLD, SAVE_LEG, SAVE_HISTORY, SAVE_OUTBOX,
		  SAVE_QUEUE_NEW, SAVE_TIMER_NEW, SAVE_QUEUE_PUT, SAVE_QUEUE_DROP, SAVE_TIMER_PUT, SAVE_TIMER_DROP,
		  SAVE_ADDRESS, SAVE_COMMAND, SAVE_COMMAND_AGAIN, SAVE_DEAD,
		  SAVE_MATTER_PUT, SAVE_SQUARE_DROP, SAVE_AREA_DROP, SAVE_CLOSED,
		  SAVE_REPORT_MOVED,            /* struct report_row: a report that became part of another case */
		  SAVE_REPORT_MADE, SAVE_DEVICE, SAVE_CAUSE, SAVE_DEVICE_TIMER, SAVE_DEVICE_TIMER_DROP,
		  SAVE_POINT,                   /* struct point_row */
		  N_SAVE_TABLE };
struct save {
	const char *tenant;
	const struct office *office;
	struct arena *a;
	struct rows rows[N_SAVE_TABLE];
};

void save_init_tables(void);                    /* once, before threads start */
void save_init(struct save *s, const struct office *office, struct arena *a);
void save_change(struct save *s, const struct case_change *change);
void save_row(struct save *s, enum save_table table, const void *row);
/*
 * BEGIN and the claim of the reports' ids in one round trip: ret_new[i] tells whether reports[i] was
 * new. The rows must be ordered by (channel, id) and hold no id twice. Leaves the transaction open.
 */
int save_claim(struct pg *pg, struct save *s, bool *ret_new, struct err *e);
/* The same in two halves, between which more may be asked in the round trip. */
void save_claim_pipe(struct pg *pg, struct save *s, struct pg_rows *claimed);
int save_claim_end(struct pg *pg, struct save *s, struct pg_rows *claimed, bool *ret_new, struct err *e);
/* Writes the rest and commits. On any error the transaction is rolled back. */
int save_commit(struct pg *pg, struct save *s, struct err *e);
/* Every statement of this file, for the test that prepares them all. */
const struct query *save_query(enum save_table table);
