#pragma once
/*
 * lifecycle: (case, action, office, now) -> changed case and effects, or a refusal in one sentence.
 * One table, state x action; a test walks every cell. The store and the dispatcher carry effects out
 * and decide nothing. Pure.
 */
#include "core/life/case.h"
#include "core/understand/message.h"

struct arena;
struct decision;

enum life_action {
	LIFE_COMMAND,                                   /* + enum command_action */
	LIFE_SUPPLEMENT = LIFE_COMMAND + N_COMMAND_ACTION, /* what reporters and the clock do */
	LIFE_URGE,
	LIFE_AGAIN,
	LIFE_RATE,
	LIFE_WITHDRAW,
	LIFE_STATUS,
	LIFE_DELIVERED,
	LIFE_OTHER_CONTENT,                             /* the same id came again with other content */
	LIFE_TICK,                                      /* something may have fallen due */
	LIFE_REVISE,                                    /* the calendar has changed: count provisional limits anew */
	LIFE_SAME,                                      /* another report of the same matter came in */
	LIFE_PROPOSE,                                   /* it may be the same matter as `other_number`: triage decides */
	LIFE_TAKE_IN,                                   /* case `other` was joined into this one */
	LIFE_LET_GO,                                    /* case `other` is its own again */
	N_LIFE_ACTION
};
const char *life_action_name(enum life_action action);
/* Of a report about a case that exists: of every kind but `report` and `talk`. */
enum life_action life_action_of(enum report_kind kind);

struct action {
	enum life_action what;
	const struct command *command;                  /* of LIFE_COMMAND …, LIFE_TAKE_IN, LIFE_LET_GO */
	/* Of what reporters do. Of a command that decides anew (life_decides): the first report, NULL when it is gone. */
	const struct report *report;
	const char *person;                             /* of LIFE_SAME: who reports, as a keyed hash; or NULL */
	const struct case_record *other;                /* of what concerns two cases, or NULL: there is none */
	const char *other_number;                       /* of LIFE_PROPOSE */
	/* Of a supplement and of `progress` that spend: what is booked, or why it is not. */
	const char *spent, *overspent;
	double alike;
};

struct history_row {
	int seq;
	int64_t at;
	const char *kind, *department, *by, *note, *detail;     /* detail: JSON text or NULL */
};
struct event_row {
	int seq, prev;
	const char *kind;               /* NULL: no event, only the card below */
	const char *target;             /* department id, or "out/KIND" for a reply */
	const char *role, *to;          /* role of the department; to: "lead", "leader" … */
	const char *clock, *why;        /* or NULL */
	int level;                      /* 0: none */
	const char *more;               /* JSON members of this kind of event, beginning with a comma; or NULL */
	const char *topic, *payload;    /* filled when the step is over */
	bool card;                      /* the department's card is published with it */
};
struct queue_row {
	const char *department;
	bool present;                   /* false: it leaves this queue */
	const char *role, *card;
};
struct leg_row {
	struct leg leg;
	const char *department;
	int64_t ended_at;
};
struct effects {
	ALIST(struct history_row) history;
	ALIST(struct event_row) events;
	ALIST(struct queue_row) queue;
	ALIST(struct leg_row) legs;     /* legs that ended */
	int64_t wake_at;                /* when to look again; MOMENT_NONE: never */
	const char *refused;            /* one sentence, or NULL */
	bool stranger;                  /* refused to a department that the case is no business of */
	const char *note;               /* a reason to give with a success, or NULL */
	const char *address;            /* the reporter's place has another address now, or NULL */
	bool read;                      /* `get`: the caller adds the record */
	bool pending;                   /* done so far as it goes: somebody else has to grant it */
	const struct joined *split;     /* a report that becomes a case of its own: life_open_split */
};

enum { LIFE_REFUSED = 1 };
/* A new case from a decided report: fills *ret_case and the effects of its opening. */
void life_open(const struct office *office, const struct report *r, const struct decision *d, const char *number,
	       int64_t now, struct arena *a, struct case_record *ret_case, struct effects *fx);
/* Whether this command may decide where the case goes, so that it wants the first report. */
bool life_decides(const struct case_record *c, enum command_action action);
/* A case of its own for a report that had been joined into `from`: the same matter, its own reporter and clocks. */
void life_open_split(const struct office *office, const struct case_record *from, const struct joined *who,
		     const char *number, int64_t now, struct arena *a, struct case_record *ret_case, struct effects *fx);
/*
 * 0 or LIFE_REFUSED: fx->refused is set and the case is as it was. Where the history keeps the attempt
 * (fx->history is not empty), that is to be saved.
 */
int life_step(const struct office *office, struct case_record *c, const struct action *action, int64_t now,
	      struct arena *a, struct effects *fx);
/* The table for people and for the test: what a cell does, as a word ("accept", "-" for refused). */
const char *life_cell(enum case_state state, enum life_action action);
/* Whether an action can bring a case from one state to another: the arrows of the printed table. */
bool life_moves(enum life_action action, enum case_state from, enum case_state to);
