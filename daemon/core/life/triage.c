/*
 * Whose case is it: returned, handed on, not taken up. Each hand-over leaves an errand (from, to),
 * so that departments cannot play a case back and forth, and triage has a time of its own.
 */
#include <string.h>

#include "base/str.h"
#include "base/tongue.h"
#include "core/life/clocks.h"
#include "core/life/step.h"
#include "core/time/moment.h"

static const struct command *command(const struct life *l)
{
	return l->act->command;
}

static const struct department *department(const struct life *l, const char *id)
{
	return map_get(&l->office->dept_by_id, id);
}

/* ---- return ----------------------------------------------------------------------------------- */
static const char *code_text(const struct lifecycle *life, const char *code)
{
	for (size_t i = 0; i < life->n_returns; i++)
		if (strcmp(life->returns[i].code, code) == 0)
			return life->returns[i].text;
	return NULL;
}

/* The newest hand-over, NULL when the case is where it was routed. */
static const struct errand *last_hand_over(const struct case_record *c)
{
	for (size_t i = c->errands.n; i-- > 0;)
		if (c->errands.v[i].kind == ERRAND_TRIAGE && c->errands.v[i].done)
			return &c->errands.v[i];
	return NULL;
}

/* A hand-over has a `text`, the reason's code, where the department gave the case back itself. */
static bool gave_back(const struct case_record *c, const char *dept)
{
	for (size_t i = 0; i < c->errands.n; i++) {
		const struct errand *e = &c->errands.v[i];

		if (e->kind == ERRAND_TRIAGE && e->text && strcmp(e->from, dept) == 0)
			return true;
	}
	return false;
}

static int check_arbitration(struct life *l)
{
	const struct errand *last = last_hand_over(l->c);
	int limit = l->office->life.arbitrate_after;

	/* A step of a chain that was routed to this department was not handed to it by triage. */
	if (last && !str_equal(last->to, l->c->lead))
		return 0;
	if (limit && l->c->returns >= limit)
		return life_refuse_on_record(l, "the case was returned %d times and then assigned by triage: it may not be returned again",
					     l->c->returns);
	if (last && strcmp(last->from, l->c->lead) != 0 && gave_back(l->c, l->c->lead))
		return life_refuse_on_record(l, "%s returned the case before, and after another department it was given back to it: it may not be returned again",
					     command(l)->dept->name);
	return 0;
}

static int check_return(struct life *l)
{
	const struct lifecycle *life = &l->office->life;
	const char *reason = command(l)->reason;
	int r = command_check_lead(l);

	if (r)
		return r;
	if (!reason)
		return life_refuse(l, "a return needs its 'reason', a code of lifecycle.yaml returns");
	if (life->n_returns && !code_text(life, reason))
		return life_refuse(l, "'%s' is no reason code of lifecycle.yaml returns", reason);
	if (life->return_evidence && !command(l)->note)
		return life_refuse(l, "a return needs a 'note' that proves its reason");
	return check_arbitration(l);
}

/* Who gave the case back, and how often this department has: counted per case and per department. */
static int times_given_back(const struct case_record *c, const char *dept)
{
	int n = 0;

	for (size_t i = 0; i < c->errands.n; i++)
		n += c->errands.v[i].kind == ERRAND_TRIAGE && c->errands.v[i].text &&
		     strcmp(c->errands.v[i].from, dept) == 0;
	return n;
}

int command_return(struct life *l)
{
	const char *triage = life_triage(l)->id, *back = l->c->lead, *why = command(l)->reason;
	int r = check_return(l), seq;

	if (r)
		return r;
	l->c->returns++;
	l->c->state = STATE_TRIAGE;
	l->c->lead = triage;
	seq = life_record(l, "returned", back, command(l)->by, command(l)->note,
			  life_detail(l, arena_printf(l->a, "%s,\"returns\":%d,\"of_department\":%d",
						      life_member(l, NULL, "reason", why), l->c->returns,
						      times_given_back(l->c, back) + 1)));
	life_add_errand(l, (struct errand){.kind = ERRAND_TRIAGE, .seq = seq, .from = back, .to = triage, .text = why,
					   .request = command(l)->request, .until = MOMENT_NONE,
					   .due = life_limit(l, &l->office->life.return_within, l->now)});
	life_tell(l, seq, &(struct tell){.kind = "returned", .dept = back, .role = "lead", .why = why});
	life_tell(l, seq, &(struct tell){.kind = "returned", .dept = triage, .role = "triage", .why = why});
	seq = life_record(l, "assigned", triage, NULL, "triage", NULL);
	life_tell(l, seq, &(struct tell){.kind = "assigned", .dept = triage, .role = "triage",
					 .why = arena_printf(l->a, _("returned by %s: %s"), back, why)});
	life_reply(l, "returned", NULL);
	return 0;
}

/* ---- from one to another ---------------------------------------------------------------------- */
/* Triage is done with what came back, or a hand-over without a return begins and ends here. */
static void note_hand_over(struct life *l, int seq, const char *from, const char *to)
{
	struct errand *open = life_errand(l->c, ERRAND_TRIAGE, NULL);

	if (!open) {
		life_add_errand(l, (struct errand){.kind = ERRAND_TRIAGE, .seq = seq, .from = from,
						   .request = command(l)->request, .until = MOMENT_NONE,
						   .due = MOMENT_NONE});
		open = life_errand(l->c, ERRAND_TRIAGE, NULL);
	}
	open->to = to;
	open->done = true;
}

static const char *transfer_detail(struct life *l, const char *from, const char *to)
{
	const struct errand *open = life_errand(l->c, ERRAND_TRIAGE, NULL);
	const char *members = life_member(l, life_member(l, NULL, "from", from), "to", to);
	int n = 0;

	if (!open)
		return life_detail(l, members);
	for (size_t i = 0; i < l->c->errands.n; i++) {
		const struct errand *e = &l->c->errands.v[i];

		n += e == open || (e->kind == ERRAND_TRIAGE && e->text && strcmp(e->from, open->from) == 0 &&
				   str_equal(e->to, to));
	}
	return life_detail(l, arena_printf(l->a, "%s,\"pair\":%d", life_member(l, members, "returned_by", open->from), n));
}

void triage_hand_over(struct life *l, const struct department *next, const char *note, const char *why)
{
	const char *from = l->c->lead, *from_role = life_lead_role(l->c), *detail = transfer_detail(l, from, next->id);
	const struct department *actor = command(l)->dept;
	int seq;

	partners_drop(l->c, next->id);
	l->c->lead = next->id;
	l->c->state = STATE_ASSIGNED;
	leg_hand_on(l->office, &l->c->leg, life_policy(l), l->now);
	seq = life_record(l, "transferred", next->id, command(l)->by, note, detail);
	note_hand_over(l, seq, from, next->id);
	life_tell(l, seq, &(struct tell){.kind = "transferred", .dept = actor->id,
					 .role = command_is_supervisor(l) ? "supervisor" : "triage"});
	seq = life_record(l, "recalled", from, NULL, NULL, NULL);
	life_tell(l, seq, &(struct tell){.kind = "recalled", .dept = from, .role = from_role});
	seq = life_record(l, "assigned", next->id, NULL, note, NULL);
	life_tell(l, seq, &(struct tell){.kind = "assigned", .dept = next->id, .role = "lead", .why = why});
}

/* Handed on, from it, in this leg, without having given it back: who hands it there again goes in a circle. */
static bool goes_in_a_circle(const struct case_record *c, const char *next)
{
	for (size_t i = 0; i < c->errands.n; i++) {
		const struct errand *e = &c->errands.v[i];

		if (e->kind == ERRAND_TRIAGE && e->done && !e->text && e->at >= c->leg.started_at &&
		    strcmp(e->from, next) == 0)
			return true;
	}
	return false;
}

int command_transfer(struct life *l)
{
	const struct department *next = command(l)->to ? department(l, command(l)->to) : NULL;

	if (!command_is_triage(l) && !command_is_supervisor(l))
		return life_refuse(l, "only triage (%s) or a supervisor hands a case on; return it instead",
				   life_triage(l)->name);
	if (!next)
		return life_refuse(l, "transfer needs 'to', the id of a department");
	if (life_is_accused(l->c, next->id))
		return life_refuse(l, "the complaint is about %s: it cannot handle it", next->name);
	if (l->c->state != STATE_TRIAGE && strcmp(next->id, l->c->lead) == 0)
		return life_refuse(l, "%s has the case already", next->name);
	if (l->c->state != STATE_TRIAGE && goes_in_a_circle(l->c, next->id))
		return life_refuse_on_record(l, "%s had the case and it was handed on: a case does not go in a circle; let who has it return it, then triage decides",
					     next->name);
	triage_hand_over(l, next, command(l)->note, arena_printf(l->a, _("transferred by %s"), command(l)->dept->id));
	return 0;
}

/* ---- not taken up ----------------------------------------------------------------------------- */
int command_reject(struct life *l)
{
	const char *reason = command(l)->reason, *text, *role = life_lead_role(l->c);
	struct tell what = {.kind = "rejected"};
	int seq;

	if (!command_is_triage(l) && !command_is_supervisor(l))
		return life_refuse(l, "only triage (%s) or a supervisor rejects a case; return it instead",
				   life_triage(l)->name);
	if (!reason)
		return life_refuse(l, "reject needs its 'reason', which the reporter will read");
	text = code_text(&l->office->life, reason);
	text = text ? text : reason;
	l->c->state = STATE_CLOSED;
	l->c->closed_at = l->now;
	l->c->close_reason = "rejected";
	seq = life_record(l, "rejected", command(l)->dept->id, command(l)->by,
			  command(l)->note ? arena_printf(l->a, "%s; %s", text, command(l)->note) : text,
			  life_detail(l, life_member(l, NULL, "reason", reason)));
	what.why = life_said(l, text);
	life_tell(l, seq, &(struct tell){.kind = "rejected", .dept = l->c->lead, .role = role, .why = what.why});
	partners_tell(l, seq, &what);
	partners_end(l->c);
	life_reply(l, "rejected", text);
	return 0;
}
