/*
 * The table: what each action does in each state. A cell is a function or a refusal; a refused action
 * changes nothing and says why in one sentence. A row an action, read across its states.
 */
#include "base/tongue.h"
#include "core/life/step.h"

#define NO_TRIAGE {NULL, N_("is in triage, which hands it out by transfer")}
#define NO_ACCEPTED {NULL, N_("was accepted already")}
#define NO_NOT_ACCEPTED {NULL, N_("must be accepted first")}
#define NO_SUSPENDED {NULL, N_("is suspended")}
#define NO_RUNNING {NULL, N_("is not suspended")}
#define NO_DONE {NULL, N_("is resolved already; it comes back when it must be handled again")}
#define NO_CLOSED {NULL, N_("is closed")}
#define NO_JOINED {NULL, N_("was joined into another case; use that one")}

#define ACCEPT {command_accept, "accept"}
#define CONTACT {command_contact, "contact"}
#define PROGRESS {command_progress, "progress"}
#define RETURN {command_return, "return"}
#define RESOLVE {command_resolve, "resolve"}
#define TRANSFER {command_transfer, "transfer"}
#define SUPPORT {command_support_done, "support done"}
#define LIFT {command_lift, "lift"}
#define WHISTLE {command_whistle, "whistle"}
#define REPORT_IN {command_report_in, "report in"}
#define CONSULT {command_consult, "consult"}
#define OUTCOME {command_consult_outcome, "consult outcome"}
#define NEXT_STEP {command_next_step, "plan a step"}
#define REJECT {command_reject, "close"}
#define AMEND {command_amend, "amend"}
#define GET {command_get, "get"}

#define JOIN {command_join, "join"}
#define SPLIT {command_split, "split off"}
#define SPLIT_SELF {command_split_self, "split"}
#define SAME {reporter_same, "one more"}
#define PROPOSE {same_propose, "ask triage"}
#define TAKE_IN {same_take_in, "take in"}
#define LET_GO {same_let_go, "let go"}
#define FEED_BACK {command_feed_back, "feed back"}
#define EXTEND {command_extend, "ask for time"}
#define SUSPEND {command_suspend, "ask for a pause"}
#define RESUME {command_resume, "go on"}
#define GRANT {command_grant, "grant"}
#define DENY {command_deny, "deny"}
#define SUPERVISE {command_supervise, "order"}
#define ANSWER {command_answer, "answer"}

#define SUPPLEMENT {reporter_supplement, "supplement"}
#define URGE {reporter_urge, "urge"}
#define AGAIN_OPEN {reporter_again_open, "supplement"}
#define AGAIN {reporter_again_done, "new leg"}
#define RATE_OPEN {reporter_rate_open, "record"}
#define RATE_RESOLVED {reporter_rate_resolved, "close or new leg"}
#define RATE_CLOSED {reporter_rate_closed, "record or new leg"}
#define WITHDRAW {reporter_withdraw, "close"}
#define WITHDRAWN {reporter_withdraw_closed, "nothing"}
#define STATUS {reporter_status, "status"}
#define DELIVERED {reporter_delivered, "delivered"}
#define OTHER_CONTENT {reporter_other_content, "duplicate"}
#define TICK {clock_tick, "tick"}
#define REVISE {clock_revise, "revise"}

/* received is the instant between arrival and decision: no stored case is in it. */
#define ACROSS(received, triage, assigned, accepted, suspended, resolved, closed, joined)                  \
	{[STATE_RECEIVED] = received, [STATE_TRIAGE] = triage, [STATE_ASSIGNED] = assigned,                \
	 [STATE_ACCEPTED] = accepted, [STATE_SUSPENDED] = suspended, [STATE_RESOLVED] = resolved,          \
	 [STATE_CLOSED] = closed, [STATE_JOINED] = joined}
/* Open cases differ, the others say what they are. (A cell has a comma, so no macro can hand it on to another.) */
#define OPEN(triage, assigned, accepted, suspended)                                                        \
	{[STATE_RECEIVED] = NO_NOT_ACCEPTED, [STATE_TRIAGE] = triage, [STATE_ASSIGNED] = assigned,         \
	 [STATE_ACCEPTED] = accepted, [STATE_SUSPENDED] = suspended, [STATE_RESOLVED] = NO_DONE,           \
	 [STATE_CLOSED] = NO_CLOSED, [STATE_JOINED] = NO_JOINED}
#define ALWAYS(cell) {cell, cell, cell, cell, cell, cell, cell, cell}

const struct life_cell life_table[N_LIFE_ACTION][N_CASE_STATE] = {
	/*                      triage     assigned         accepted     suspended */
	[CMD_ACCEPT] =       OPEN(NO_TRIAGE, ACCEPT,          NO_ACCEPTED, NO_SUSPENDED),
	[CMD_PROGRESS] =     OPEN(PROGRESS,  PROGRESS,        PROGRESS,    PROGRESS),
	[CMD_RETURN] =       OPEN(NO_TRIAGE, RETURN,          RETURN,      NO_SUSPENDED),
	[CMD_RESOLVE] =      OPEN(NO_TRIAGE, NO_NOT_ACCEPTED, RESOLVE,     NO_SUSPENDED),
	[CMD_TRANSFER] =     OPEN(TRANSFER,  TRANSFER,        TRANSFER,    NO_SUSPENDED),
	[CMD_SUPPORT_DONE] = OPEN(SUPPORT,   SUPPORT,         SUPPORT,     SUPPORT),
	[CMD_LIFT] =         OPEN(LIFT,      LIFT,            LIFT,        LIFT),
	[CMD_GET] = ALWAYS(GET),
	/* leave: grants.c */
	[CMD_EXTEND] =       OPEN(NO_TRIAGE, EXTEND,          EXTEND,      NO_SUSPENDED),
	[CMD_SUSPEND] =      OPEN(NO_TRIAGE, SUSPEND,         SUSPEND,     NO_SUSPENDED),
	[CMD_RESUME] =       OPEN(NO_RUNNING, NO_RUNNING,     NO_RUNNING,  RESUME),
	[CMD_GRANT] =        OPEN(NO_TRIAGE, GRANT,           GRANT,       NO_SUSPENDED),
	[CMD_DENY] =         OPEN(NO_TRIAGE, DENY,            DENY,        NO_SUSPENDED),
	/* several bodies: partners.c */
	[CMD_WHISTLE] =         OPEN(WHISTLE,   WHISTLE,   WHISTLE,   NO_SUSPENDED),
	[CMD_REPORT_IN] =       OPEN(REPORT_IN, REPORT_IN, REPORT_IN, REPORT_IN),
	[CMD_CONSULT] =         OPEN(CONSULT,   CONSULT,   CONSULT,   CONSULT),
	[CMD_CONSULT_OUTCOME] = OPEN(OUTCOME,   OUTCOME,   OUTCOME,   OUTCOME),
	[CMD_NEXT_STEP] =       OPEN(NEXT_STEP, NEXT_STEP, NEXT_STEP, NEXT_STEP),
	/* triage: triage.c */
	[CMD_REJECT] =          OPEN(REJECT,    REJECT,    REJECT,    REJECT),
	[CMD_AMEND] =           OPEN(AMEND,     AMEND,     AMEND,     NO_SUSPENDED),
	/* the same matter: same.c */
	[CMD_JOIN] =         OPEN(JOIN,      JOIN,            JOIN,        NO_SUSPENDED),
	[CMD_SPLIT] = ACROSS(NO_NOT_ACCEPTED, SPLIT, SPLIT, SPLIT, SPLIT, NO_DONE, NO_CLOSED, SPLIT_SELF),
	[LIFE_SAME] =        OPEN(SAME,      SAME,            SAME,        SAME),
	[LIFE_PROPOSE] =     OPEN(PROPOSE,   PROPOSE,         PROPOSE,     PROPOSE),
	[LIFE_TAKE_IN] =     OPEN(TAKE_IN,   TAKE_IN,         TAKE_IN,     TAKE_IN),
	[LIFE_LET_GO] = ALWAYS(LET_GO),

	/*                      received         triage     assigned   accepted   suspended  resolved   closed     joined */
	[CMD_CONTACT] =   ACROSS(NO_NOT_ACCEPTED, NO_TRIAGE, CONTACT,   CONTACT,   CONTACT,   FEED_BACK, NO_CLOSED, NO_JOINED),
	/* supervision: orders.c */
	[CMD_SUPERVISE] = ACROSS(NO_NOT_ACCEPTED, SUPERVISE, SUPERVISE, SUPERVISE, SUPERVISE, SUPERVISE, NO_CLOSED, NO_JOINED),
	[CMD_ANSWER] =    ACROSS(NO_NOT_ACCEPTED, ANSWER,    ANSWER,    ANSWER,    ANSWER,    ANSWER,    NO_CLOSED, NO_JOINED),

	[LIFE_SUPPLEMENT] = ALWAYS(SUPPLEMENT),
	[LIFE_URGE] = ALWAYS(URGE),
	[LIFE_STATUS] = ALWAYS(STATUS),
	[LIFE_DELIVERED] = ALWAYS(DELIVERED),
	[LIFE_OTHER_CONTENT] = ALWAYS(OTHER_CONTENT),
	[LIFE_TICK] = ALWAYS(TICK),
	/*                      received    triage      assigned    accepted    suspended   resolved       closed       joined */
	[LIFE_AGAIN] =    ACROSS(AGAIN_OPEN, AGAIN_OPEN, AGAIN_OPEN, AGAIN_OPEN, AGAIN_OPEN, AGAIN,         AGAIN,       AGAIN_OPEN),
	[LIFE_RATE] =     ACROSS(RATE_OPEN,  RATE_OPEN,  RATE_OPEN,  RATE_OPEN,  RATE_OPEN,  RATE_RESOLVED, RATE_CLOSED, RATE_OPEN),
	[LIFE_WITHDRAW] = ACROSS(WITHDRAW,   WITHDRAW,   WITHDRAW,   WITHDRAW,   WITHDRAW,   WITHDRAW,      WITHDRAWN,   WITHDRAWN),
	[LIFE_REVISE] =   ACROSS(REVISE,     REVISE,     REVISE,     REVISE,     REVISE,     REVISE,        NO_CLOSED,   NO_JOINED),
};

#define IN(state) (1u << STATE_##state)
#define OPEN_STATES (IN(TRIAGE) | IN(ASSIGNED) | IN(ACCEPTED) | IN(SUSPENDED))
/* Where a cell leads to, if anywhere; a test holds every step against it. */
static const struct {
	enum life_action what;
	unsigned from, to;
} moves[] = {
	{(enum life_action)CMD_ACCEPT, IN(ASSIGNED), IN(ACCEPTED)},
	{(enum life_action)CMD_RETURN, IN(ASSIGNED) | IN(ACCEPTED), IN(TRIAGE)},
	{(enum life_action)CMD_TRANSFER, IN(TRIAGE) | IN(ACCEPTED), IN(ASSIGNED)},
	/* … or to the next step of a chain */
	{(enum life_action)CMD_RESOLVE, IN(ACCEPTED), IN(RESOLVED) | IN(CLOSED) | IN(ASSIGNED)},
	{(enum life_action)CMD_REJECT, OPEN_STATES, IN(CLOSED)},
	{(enum life_action)CMD_AMEND, IN(TRIAGE) | IN(ACCEPTED), IN(ASSIGNED)},
	{(enum life_action)CMD_SUSPEND, IN(ASSIGNED) | IN(ACCEPTED), IN(SUSPENDED)},
	{(enum life_action)CMD_GRANT, IN(ASSIGNED) | IN(ACCEPTED), IN(SUSPENDED)},
	{(enum life_action)CMD_RESUME, IN(SUSPENDED), IN(ASSIGNED) | IN(ACCEPTED)},
	{(enum life_action)CMD_JOIN, IN(TRIAGE) | IN(ASSIGNED) | IN(ACCEPTED), IN(JOINED)},
	{(enum life_action)CMD_SPLIT, IN(JOINED), IN(TRIAGE) | IN(ASSIGNED) | IN(ACCEPTED)},
	{LIFE_TICK, IN(SUSPENDED), IN(ASSIGNED) | IN(ACCEPTED)},
	{LIFE_TICK, IN(RESOLVED), IN(CLOSED)},
	{LIFE_RATE, IN(RESOLVED), IN(CLOSED) | IN(ASSIGNED)},
	{LIFE_RATE, IN(CLOSED), IN(ASSIGNED)},
	{LIFE_AGAIN, IN(RESOLVED) | IN(CLOSED), IN(ASSIGNED)},
	{LIFE_WITHDRAW, OPEN_STATES | IN(RECEIVED) | IN(RESOLVED), IN(CLOSED)},
};

bool life_moves(enum life_action action, enum case_state from, enum case_state to)
{
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
		if (moves[i].what == action && moves[i].from & 1u << from && moves[i].to & 1u << to)
			return true;
	return false;
}
