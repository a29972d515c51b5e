#pragma once
/*
 * A batch: some messages of the inbox become one transaction. Understanding is pure and done once;
 * storing may be done again (lost connection, conflict, a bad row that is looked for by halving).
 */
#include "core/life/same.h"
#include "core/understand/message.h"
#include "intake/inbox.h"
#include "store/handoff.h"
#include "store/lookup.h"
#include "store/outbox.h"
#include "store/save.h"

enum { BATCH_MAX = 256 };

enum unit_kind { UNIT_REPORT, UNIT_COMMAND, UNIT_DEAD, UNIT_DEVICE,
		 UNIT_NOTHING };        /* a message that a decoder knows and that makes nothing */

/* One report, one command or one dead message, with all that becomes of it. */
struct unit {
	enum unit_kind kind;
	const struct inbox_record *rec;
	const struct channel *channel;          /* of a report topic, or NULL */
	const struct department *dept;          /* of a command topic, or NULL */
	const char *source, *readable_id;
	struct report *report;
	struct command *command;                /* of a dead one its case_number alone, if that */
	struct err why;                         /* of UNIT_DEAD */
	const char *device;                     /* of UNIT_DEVICE: a device that is due */
	int is_reading;                         /* as unit_is_reading says; 0: a report like any other */

	/* while it is stored */
	struct report_row *row;
	const struct unit *twin;                /* the same id or request earlier in this batch */
	bool fresh;                             /* its id was not known */
	struct known_report known;
	const char *number;                     /* the case it belongs to */
	struct matter *matter;                  /* what a new report is known by, or NULL */
	const char *like;                       /* the open case that it is most like, or NULL */
	double alike;
	bool opened, joined;                    /* what became of a new report */
	const char *stored_result;              /* of a command that was carried out before */
	const char *stored_read;                /* … the case whose record it was given, or NULL */
	const char *answer;                     /* receipt or result, JSON */
	const struct rule *rule;                /* that won a new case, or NULL */
	const uint32_t *also;                   /* places of later rules that match it too */
	size_t n_also;
	const char *belongs;                    /* … and this is the case that it belongs to, or NULL */
};

struct batch {
	const struct office *office;
	struct rule_hits *const *hits;          /* by rule of the office; NULL where there are no messages */
	const char *privacy_keys;               /* or NULL */
	int instance;                           /* 0…3, part of dead letters' ids */
	int64_t listening;                      /* since when nothing that devices say can have been missed */
	struct arena *a;
	ALIST(struct understood *) understood;  /* one a message */
	struct unit *units;
	size_t n_units, cap_units;
	struct handoff *handoff;                /* collects rows and answers of committed parts */
	struct outbox_rows rows;
	ALIST(struct answer) answers;
};

/* Understands n more records; units are in the order of the records. Not once it is being stored. */
void batch_understand(struct batch *b, decoder_lookup *decoders, void *arg, const struct inbox_record *records,
		      size_t n);
/*
 * Stores the whole batch; halves it where the database calls a row bad. 0: every unit has its answer and is
 * committed. ERR_AGAIN, ERR_SYS: what was not committed can be tried again with the same batch.
 */
int batch_store(struct batch *b, struct pg *pg, struct numbers *numbers, struct err *e);
void batch_done(struct batch *b);

/* As it was before it was tried. */
void unit_forget(struct unit *u);
/* A report of a device that is watched, or a word that by itself makes no case. */
enum { READING_WATCHED = 1, READING_UNWATCHED };
int unit_is_reading(const struct office *office, const struct report *r);
/* Inside: one transaction for units[from … from+n); one that failed leaves nothing behind, in memory either. */
int transact(struct batch *b, struct pg *pg, struct numbers *numbers, size_t from, size_t n, struct err *e);
