#include "core/statistics/facts.h"

#include <string.h>

#include "core/life/lifecycle.h"
#include "core/time/moment.h"

const char *const fact_names[N_FACT] = {
	[FACT_ACCEPTED] = "accepted", [FACT_ACCEPTED_IN_TIME] = "accepted_in_time", [FACT_CONTACTED] = "contacted",
	[FACT_CONTACTED_IN_TIME] = "contacted_in_time", [FACT_RESOLVED] = "resolved",
	[FACT_RESOLVED_IN_TIME] = "resolved_in_time", [FACT_FED_BACK] = "fed_back",
	[FACT_FED_BACK_IN_TIME] = "fed_back_in_time", [FACT_CLOSED] = "closed", [FACT_AGAIN] = "again",
	[FACT_REPEATED] = "repeated", [FACT_JOINED] = "joined", [FACT_RETURNED] = "returned", [FACT_OPEN] = "open",
	[FACT_WITHDRAWN] = "withdrawn", [FACT_REJECTED] = "rejected", [FACT_SUSPENDED] = "suspended",
	[FACT_UNRATED] = "unrated", [FACT_RATED] = "rated", [FACT_SATISFIED] = "satisfied",
	[FACT_BASICALLY] = "basically", [FACT_DISSATISFIED] = "dissatisfied", [FACT_OVERDUE] = "overdue",
	[FACT_ACCEPTED_LATE] = "accepted_late", [FACT_CONTACTED_LATE] = "contacted_late",
	[FACT_RESOLVED_LATE] = "resolved_late", [FACT_FED_BACK_LATE] = "fed_back_late",
	[FACT_SUPERVISED] = "supervised", [FACT_ESCALATED] = "escalated", [FACT_ASKED] = "asked",
	[FACT_EXTENDED] = "extended", [FACT_WAS_SUSPENDED] = "was_suspended", [FACT_WHISTLED] = "whistled",
	[FACT_REPORTED_IN] = "reported_in", [FACT_CONSULTED] = "consulted", [FACT_URGED] = "urged",
	[FACT_EVER_DISSATISFIED] = "ever_dissatisfied", [FACT_TRANSFERRED] = "transferred",
	[FACT_ANSWERED] = "answered",
};

/* The five kinds of late are kept apart; the order is that of the clocks. */
static const struct {
	enum fact met, in_time, late;
} by_clock[N_CLOCKS] = {
	[CLOCK_ACCEPT] = {FACT_ACCEPTED, FACT_ACCEPTED_IN_TIME, FACT_ACCEPTED_LATE},
	[CLOCK_CONTACT] = {FACT_CONTACTED, FACT_CONTACTED_IN_TIME, FACT_CONTACTED_LATE},
	[CLOCK_RESOLVE] = {FACT_RESOLVED, FACT_RESOLVED_IN_TIME, FACT_RESOLVED_LATE},
	[CLOCK_FEEDBACK] = {FACT_FED_BACK, FACT_FED_BACK_IN_TIME, FACT_FED_BACK_LATE},
};

static const struct {
	const char *kind;
	enum fact fact;
} by_kind[] = {
	{"supervised", FACT_SUPERVISED}, {"escalated", FACT_ESCALATED}, {"asked", FACT_ASKED},
	{"suspended", FACT_WAS_SUSPENDED}, {"whistled", FACT_WHISTLED},
	{"reported_in", FACT_REPORTED_IN}, {"consulted", FACT_CONSULTED}, {"urged", FACT_URGED},
	{"transferred", FACT_TRANSFERRED}, {"answered", FACT_ANSWERED},
};

static int64_t of_clocks(const struct leg *leg)
{
	int64_t facts = 0;

	for (int k = 0; k < N_CLOCKS; k++) {
		if (leg->met[k] == MOMENT_NONE)
			continue;
		facts |= FACT_BIT(by_clock[k].met);
		facts |= leg->due[k] == MOMENT_NONE || leg->met[k] <= leg->due[k] ? FACT_BIT(by_clock[k].in_time)
										   : FACT_BIT(by_clock[k].late);
	}
	return facts;
}

static int64_t of_state(const struct case_record *c)
{
	const char *reason = c->close_reason ? c->close_reason : "";
	int64_t facts = 0;

	switch (c->state) {
	case STATE_CLOSED:
		facts = strcmp(reason, "withdrawn") == 0   ? FACT_BIT(FACT_WITHDRAWN)
			: strcmp(reason, "rejected") == 0 ? FACT_BIT(FACT_REJECTED)
							   : FACT_BIT(FACT_CLOSED);
		facts |= strcmp(reason, "unrated") == 0 ? FACT_BIT(FACT_UNRATED) : 0;
		break;
	case STATE_JOINED:
		facts = FACT_BIT(FACT_JOINED);
		break;
	case STATE_SUSPENDED:
		facts = FACT_BIT(FACT_SUSPENDED) | FACT_BIT(FACT_OPEN);
		break;
	case STATE_RECEIVED:
	case STATE_TRIAGE:
	case STATE_ASSIGNED:
	case STATE_ACCEPTED:
		facts = FACT_BIT(FACT_OPEN);
		break;
	case STATE_RESOLVED:
	case N_CASE_STATE:
		break;
	}
	facts |= c->leg.n > 1 ? FACT_BIT(FACT_AGAIN) : 0;
	facts |= c->leg.n > 1 || c->reports > 1 || c->heat > 0 ? FACT_BIT(FACT_REPEATED) : 0;
	facts |= c->returns ? FACT_BIT(FACT_RETURNED) : 0;
	return facts;
}

static int64_t of_row(const struct history_row *row)
{
	int64_t facts = 0;

	for (size_t i = 0; i < sizeof(by_kind) / sizeof(by_kind[0]); i++)
		if (strcmp(row->kind, by_kind[i].kind) == 0)
			facts |= FACT_BIT(by_kind[i].fact);
	if (strcmp(row->kind, "overdue") == 0 && row->note && strcmp(row->note, clock_names[CLOCK_RESOLVE]) == 0)
		facts |= FACT_BIT(FACT_OVERDUE);
	if (strcmp(row->kind, "rated") == 0 && row->note && strncmp(row->note, "dissatisfied", 12) == 0)
		facts |= FACT_BIT(FACT_EVER_DISSATISFIED);
	if (strcmp(row->kind, "deadline_revised") == 0 && row->detail && strstr(row->detail, "\"granted\""))
		facts |= FACT_BIT(FACT_EXTENDED);
	return facts;
}

int64_t facts_of(const struct case_record *c, const struct step_trace *trace)
{
	int64_t facts = of_state(c) | of_clocks(&c->leg);

	for (size_t i = 0; i < trace->n_legs; i++)
		facts |= of_clocks(&trace->legs[i].leg) & FACTS_LASTING;
	for (size_t i = 0; i < trace->n_rows; i++)
		facts |= of_row(&trace->rows[i]);
	/* What is handed back or done again is not resolved any more, whatever the clock says. */
	if (facts & FACT_BIT(FACT_OPEN))
		facts &= ~(FACT_BIT(FACT_RESOLVED) | FACT_BIT(FACT_RESOLVED_IN_TIME));
	if (facts & FACT_BIT(FACT_RESOLVED_LATE))
		facts |= FACT_BIT(FACT_OVERDUE);
	return facts;
}

const char *facts_score(const struct step_trace *trace)
{
	static const char *const scores[] = {"satisfied", "basically", "dissatisfied"};

	for (size_t i = trace->n_rows; i-- > 0;) {
		const struct history_row *row = &trace->rows[i];

		for (size_t k = 0; strcmp(row->kind, "rated") == 0 && row->note && k < 3; k++)
			if (strncmp(row->note, scores[k], strlen(scores[k])) == 0)
				return scores[k];
	}
	return NULL;
}

const char *facts_officer(const struct step_trace *trace)
{
	static const char *const acts[] = {"accepted", "contacted", "resolved"};

	for (size_t i = trace->n_rows; i-- > 0;)
		for (size_t k = 0; trace->rows[i].by && k < sizeof(acts) / sizeof(acts[0]); k++)
			if (strcmp(trace->rows[i].kind, acts[k]) == 0)
				return trace->rows[i].by;
	return NULL;
}
