#pragma once
/*
 * What can be counted of a case, as bits: what holds now, and what has happened at least once. A rate is
 * a question about bits; so every formula, however it is configured, is answered by one pass over narrow
 * columns. The bits of ratings are added by the database from the last score (schema/004).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fact {
	/* of the running leg and the present state */
	FACT_ACCEPTED, FACT_ACCEPTED_IN_TIME, FACT_CONTACTED, FACT_CONTACTED_IN_TIME, FACT_RESOLVED,
	FACT_RESOLVED_IN_TIME, FACT_FED_BACK, FACT_FED_BACK_IN_TIME, FACT_CLOSED, FACT_AGAIN, FACT_REPEATED,
	FACT_JOINED, FACT_RETURNED, FACT_OPEN, FACT_WITHDRAWN, FACT_REJECTED, FACT_SUSPENDED, FACT_UNRATED,
	/* of the last rating */
	FACT_RATED, FACT_SATISFIED, FACT_BASICALLY, FACT_DISSATISFIED,
	/* has happened, in whatever leg */
	FACT_OVERDUE, FACT_ACCEPTED_LATE, FACT_CONTACTED_LATE, FACT_RESOLVED_LATE, FACT_FED_BACK_LATE,
	FACT_SUPERVISED, FACT_ESCALATED, FACT_ASKED, FACT_EXTENDED, FACT_WAS_SUSPENDED, FACT_WHISTLED,
	FACT_REPORTED_IN, FACT_CONSULTED, FACT_URGED, FACT_EVER_DISSATISFIED, FACT_TRANSFERRED, FACT_ANSWERED,
	N_FACT
};
#define FACT_BIT(fact) (INT64_C(1) << (fact))
/* What stays once it is there. */
#define FACTS_LASTING (~(FACT_BIT(FACT_OVERDUE) - 1))

extern const char *const fact_names[N_FACT];

struct case_record;
struct history_row;
struct leg_row;
/* After a step: rows are what the step wrote, legs what ended with it. */
struct step_trace {
	const struct history_row *rows;
	size_t n_rows;
	const struct leg_row *legs;
	size_t n_legs;
};
int64_t facts_of(const struct case_record *c, const struct step_trace *trace);
/* The last score that the step brought, and who last acted for the lead; NULL: nobody did. */
const char *facts_score(const struct step_trace *trace);
const char *facts_officer(const struct step_trace *trace);
