#pragma once
/* Inside core/life only: the working context of one step and what all its parts use. */
#include "base/mem.h"
#include "core/life/event.h"

struct life {
	const struct office *office;
	struct case_record *c;
	const struct action *act;
	int64_t now;
	struct arena *a;
	struct effects *fx;
	const struct command *said, *discreet;  /* the command as written, and as act has it: masked */
	const char *media;              /* JSON of what goes with the answer to the reporter, or NULL */
	int64_t met[N_CLOCKS];          /* of the running leg, as far as life_settle has looked */
};
/* Appends a history row and returns its seq. */
int life_record(struct life *l, const char *kind, const char *department, const char *by, const char *note,
		const char *detail);
struct tell {
	const char *kind, *dept, *role, *to, *clock, *why;
	int level;
	const char *more;               /* as in struct event_row */
};
/* Queues an event about history row `seq` for one department. */
void life_tell(struct life *l, int seq, const struct tell *what);
/* … for the lead and every support whose task is open. */
void life_tell_queue(struct life *l, int seq, const char *kind, const char *why);
void life_tell_all(struct life *l, int seq, const struct tell *what);   /* likewise; dept and role are filled in */
void life_reply(struct life *l, const char *kind, const char *answer);  /* to every reporter */
/* To one of them: its place in c->joined, or REPORTER_FIRST. */
enum { REPORTER_FIRST = -1 };
void life_reply_to(struct life *l, int reporter, const char *kind, const char *answer);
int life_reporter(const struct case_record *c, const struct report *r);
void life_answer(struct life *l, const char *kind, const struct report *question);
const struct policy *life_policy(const struct life *l);    /* of the running leg; the fallback's when it is gone */
const char *life_lead_role(const struct case_record *c);
/* What a department is to this case: lead, triage, support, supervisor, else copy. */
const char *life_role(const struct life *l, const struct department *dept);
/* Begins an errand that history row `e.seq` tells of; times that it does not name must be MOMENT_NONE. */
void life_add_errand(struct life *l, struct errand e);
/* The newest open errand of a kind, to a department or to any (NULL); NULL when there is none. */
struct errand *life_errand(const struct case_record *c, enum errand_kind kind, const char *to);
/* secrecy.c: whom the case complains about has no part in it; triage, or who stands in for it where it is the accused. */
bool life_is_accused(const struct case_record *c, const char *dept);
const struct department *life_triage(const struct life *l);
/*
 * Free text as events, cards and history may show it: names, phones and ids masked; of a sealed case "***". A command's
 * own texts are masked already when a verb sees it; life_reply finds the officer's words again.
 */
const char *life_masked(const struct life *l, const char *text);
const struct command *life_discreet(struct life *l, const struct command *said);
const char *life_plain(const struct life *l, const char *text);
const char *life_heard(const struct life *l);           /* what the reporter says now, masked; NULL: nothing that may be told */
const char *life_comment(const struct life *l);         /* … beside a score, all of it */
const char *life_source(struct life *l);                /* detail: which report */
void life_warm(struct life *l);                         /* one person's repetition */
/* … of which an ask is open under a request's id. */
struct errand *life_errand_asked(const struct case_record *c, const char *request);
/* A new leg knows nothing of what is done in the last one, but of links of a chain and who gave the case back. */
void life_drop_errands(struct case_record *c);
/*
 * After a verb has done its work: orders go where the case goes and end with it, what was asked for in vain is denied,
 * and who heard of an escalation hears of its end.
 */
void life_settle(struct life *l);
void grants_settle(struct life *l);     /* its part in grants.c */
/* To the lead's leader, and to its superior where it has one. */
void life_tell_leader(struct life *l, int seq, struct tell what);
/* What a clerk wrote, as events may repeat it: numbers masked, one line; NULL of a sealed case. */
const char *life_said(const struct life *l, const char *text);
/* … of a limit that has moved, to the queue; `more` has what it was. */
void life_tell_revised(struct life *l, int seq, const char *why, const char *more);
/* A supervision order to the lead that history row `seq` tells of; from whom may be NULL. Its limit from now on. */
struct errand life_add_order(struct life *l, int seq, const struct department *from, const char *text, int64_t due);
int64_t life_order_due(const struct life *l, const struct deadline *within);    /* NULL: the office's */
const char *life_order_json(const struct life *l, const struct errand *order); /* for `more` */
/* Beside the ladder: a row `escalated`, told to the leader, at level 1. */
void life_raise(struct life *l, const char *clock, const char *why, const char *detail);
/* What the office does when a reporter was dissatisfied again, or has urged once more. */
void life_dissatisfied(struct life *l);
void life_urged(struct life *l);
/* A suspended case goes on as of `at`; by whom, NULL: by itself. */
void life_resume(struct life *l, int64_t at, const char *dept, const char *by, const char *note, const char *detail);
bool life_is_done(const struct case_record *c);        /* resolved, closed or joined: in no queue */

/* When something from `start` has to be done; MOMENT_NONE where the office sets no such limit. */
int64_t life_limit(const struct life *l, const struct limit *limit, int64_t start);
/* `members` (may be NULL) with one more JSON member, for tell.more and history details; left alone when `value` is NULL. */
const char *life_member(const struct life *l, const char *members, const char *name, const char *value);
const char *life_member_time(const struct life *l, const char *members, const char *name, int64_t at);
const char *life_detail(const struct life *l, const char *members);    /* in braces; NULL for none */

void life_spend(struct life *l, const char *dept, const char *by, const char *detail);
int life_refuse(struct life *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* … and the history keeps that it was tried: where departments argue about whose case it is. */
int life_refuse_on_record(struct life *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int life_refuse_said(struct life *l, const char *sentence);     /* … and the sentence is made already */
void life_close(struct life *l, const char *reason, const char *by, const char *note);
/* A new leg for the same lead: the case's own received_at stays. */
void life_new_leg(struct life *l, const char *by, const char *note);

/* Lead, support, triage, supervisors and who was asked for something have to do with a case; others learn nothing of it. */
bool command_is_concerned(const struct life *l);
bool command_is_lead(const struct life *l);
bool command_is_triage(const struct life *l);
bool command_is_supervisor(const struct life *l);
struct support *command_own_task(const struct life *l);         /* of the speaker, done or not; NULL: none */
int command_refuse_stranger(struct life *l);
int command_check_lead(struct life *l);

/* partners.c: a department's part in the case, new or once more, with the limit that the policy sets for it. */
struct support *partners_add(struct life *l, const char *dept, const char *task);
struct support *partners_find(const struct case_record *c, const char *dept);
void partners_drop(struct case_record *c, const char *dept);
/* The case stood still from … to: open tasks get that time back. */
void partners_pay_back(struct life *l, int64_t from, int64_t to);
/* The case is over: nobody is waited for any more. */
void partners_end(struct case_record *c);
/* For the lead, the departments whose task is open, and who spoke; `what` says all but whom. */
void partners_tell(struct life *l, int seq, const struct tell *what);
/* The next link of the chain, if one is planned, opens now; false: there is none. */
bool partners_go_on(struct life *l);
/* ballot.c: what the command's `votes` have chosen, and the outcome in words; chosen is NULL where nobody voted. 0 or LIFE_REFUSED. */
int ballot_count(struct life *l, const char **ret_chosen, const char **ret_outcome);
/* triage.c: another lead, told to whom it concerns. */
void triage_hand_over(struct life *l, const struct department *next, const char *note, const char *why);
/* amend.c: the case's first report as it is decided now: what is known of it, and what the case has corrected. */
struct report amend_report(const struct life *l);
/* The verbs, one function a cell; 0 or LIFE_REFUSED. */
typedef int life_fn(struct life *l);
life_fn command_accept, command_contact, command_progress, command_return, command_transfer, command_resolve,
	command_support_done, command_lift, command_get, command_whistle, command_report_in, command_consult,
	command_consult_outcome, command_next_step, command_reject, command_amend, command_extend, command_suspend,
	command_resume, command_grant, command_deny, command_supervise, command_answer, command_feed_back;
life_fn reporter_supplement, reporter_urge, reporter_again_open, reporter_again_done, reporter_rate_open,
	reporter_rate_resolved, reporter_rate_closed, reporter_withdraw, reporter_withdraw_closed, reporter_status,
	reporter_delivered, reporter_other_content;
life_fn clock_tick, clock_revise;
life_fn command_join, command_split, command_split_self, reporter_same, same_propose, same_take_in, same_let_go;
int command_check_officer(struct life *l);

struct life_cell {
	life_fn *fn;                    /* NULL: refused */
	const char *word;               /* for people; of a refusal: the sentence after "case X " */
};
extern const struct life_cell life_table[N_LIFE_ACTION][N_CASE_STATE];
