#pragma once
/* What events, cards, replies, receipts and results say. JSON texts in the arena. Pure. */
#include "core/life/lifecycle.h"

const char *event_json(const struct office *office, const struct case_record *c, const struct event_row *ev,
		       int64_t at, struct arena *a);
const char *card_json(const struct case_record *c, const char *role, struct arena *a);
/*
 * Fills {case} {answer} {department} {due} {reason} {state}; NULL when the office names no such reply, or nothing is
 * left to say. `id` is the reply's own; `media` is what goes with the answer, or NULL.
 */
const char *reply_json(const struct office *office, const struct case_record *c, const char *kind,
		       const char *answer, const char *media, const char *id, struct arena *a);
const char *media_json(const struct command *cmd, struct arena *a);     /* a JSON array; NULL: it shows nothing */
const char *given_json(const json_t *value, struct arena *a);           /* as it came; NULL: nothing came */
const char *topic_dept(const struct office *office, const char *dept, const char *what, const char *name,
		       struct arena *a);
const char *topic_out(const struct office *office, const char *channel, const char *source, struct arena *a);

struct receipt {
	const char *id;                 /* NULL prints null */
	const char *result;             /* created duplicate joined updated dead */
	const char *number, *department, *reason;
	const int64_t *due;             /* [N_CLOCKS] or NULL */
};
const char *receipt_json(const struct receipt *r, struct arena *a);
struct result {
	const char *request, *result, *number, *state, *reason;
	bool pending;                   /* printed only where true */
	const char *record;             /* JSON members to add (", \"record\":…"), or NULL */
};
const char *result_json(const struct result *r, struct arena *a);
/* The record as the visibility lets a department see it: the report's members, history and clocks. */
struct personal {
	const char *name, *phone, *ref, *address, *accused, *crs;
	bool secret;
	double lat, lon;                /* NAN: none */
};
struct whole_report {
	int64_t at;                             /* at the source */
	const char *text, *media, *extra;       /* media and extra: JSON texts or NULL; extra as the visibility shows it */
	const char *history;                    /* JSON array */
};
const char *record_json(const struct case_record *c, const struct personal *p, const struct whole_report *r,
			struct arena *a);
