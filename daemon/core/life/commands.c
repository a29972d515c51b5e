/* What departments do. Who may is checked first, then what is asked, then it is done. */
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

static struct support *own_task(const struct life *l)
{
	for (size_t i = 0; i < l->c->supports.n; i++)
		if (strcmp(l->c->supports.v[i].dept, command(l)->dept->id) == 0)
			return &l->c->supports.v[i];
	return NULL;
}

bool command_is_lead(const struct life *l)
{
	return strcmp(l->c->lead, command(l)->dept->id) == 0;
}

bool command_is_triage(const struct life *l)
{
	return life_triage(l) == command(l)->dept;
}

bool command_is_supervisor(const struct life *l)
{
	return command(l)->dept->kind == DEPT_SUPERVISOR || l->office->life.supervisor == command(l)->dept;
}

/* … and whoever was asked for something, or asked for it, as long as that is open. */
static bool has_errand(const struct life *l)
{
	for (size_t i = 0; i < l->c->errands.n; i++) {
		const struct errand *e = &l->c->errands.v[i];

		if (!e->done && (str_equal(e->to, command(l)->dept->id) || str_equal(e->from, command(l)->dept->id)))
			return true;
	}
	return false;
}

bool command_is_concerned(const struct life *l)
{
	return !life_is_accused(l->c, command(l)->dept->id) &&
	       (command_is_lead(l) || own_task(l) || command_is_triage(l) || command_is_supervisor(l) || has_errand(l));
}

/* One sentence for "unknown" and for "not yours". */
int command_refuse_stranger(struct life *l)
{
	return life_refuse(l, "case %s is not in the queue of %s", l->c->number, command(l)->dept->name);
}

int command_check_officer(struct life *l)
{
	const struct department *d = command(l)->dept;

	if (!d->n_officers || !command(l)->by)
		return 0;
	for (size_t i = 0; i < d->n_officers; i++)
		if (strcmp(d->officers[i].id, command(l)->by) == 0)
			return 0;
	return life_refuse(l, "%s has no officer '%s'; use one of departments.yaml", d->name, command(l)->by);
}

int command_check_lead(struct life *l)
{
	return command_is_lead(l) ? 0 : command_refuse_stranger(l);
}

int command_accept(struct life *l)
{
	int r = command_check_lead(l), seq;

	if (r)
		return r;
	l->c->state = STATE_ACCEPTED;
	if (l->c->leg.met[CLOCK_ACCEPT] == MOMENT_NONE)
		l->c->leg.met[CLOCK_ACCEPT] = l->now;
	leg_accept(l->office, &l->c->leg, life_policy(l), l->now);
	seq = life_record(l, "accepted", l->c->lead, command(l)->by, command(l)->note, NULL);
	life_tell_queue(l, seq, "accepted", NULL);
	life_reply(l, "accepted", NULL);
	return 0;
}

int command_contact(struct life *l)
{
	int r = command_check_lead(l), seq;

	if (r)
		return r;
	if (l->c->leg.met[CLOCK_CONTACT] == MOMENT_NONE)
		l->c->leg.met[CLOCK_CONTACT] = l->now;
	seq = life_record(l, "contacted", l->c->lead, command(l)->by, command(l)->note, NULL);
	life_tell_queue(l, seq, "contacted", NULL);
	life_reply(l, "contacted", command(l)->note);
	return 0;
}

int command_progress(struct life *l)
{
	int seq;

	if (!command_is_lead(l) && !own_task(l))
		return command_refuse_stranger(l);
	if (!command(l)->note)
		return life_refuse(l, "progress needs a 'note' that says what was done");
	seq = life_record(l, "progress", command(l)->dept->id, command(l)->by, command(l)->note, NULL);
	life_tell_queue(l, seq, "progress", NULL);
	life_reply(l, "progress", command(l)->note);
	return 0;
}

static bool knows_return_code(const struct lifecycle *life, const char *code)
{
	for (size_t i = 0; i < life->n_returns; i++)
		if (strcmp(life->returns[i].code, code) == 0)
			return true;
	return life->n_returns == 0;
}

static int check_return(struct life *l)
{
	const char *reason = command(l)->reason;
	int r = command_check_lead(l);

	if (r)
		return r;
	if (!reason)
		return life_refuse(l, "a return needs its 'reason', a code of lifecycle.yaml returns");
	if (!knows_return_code(&l->office->life, reason))
		return life_refuse(l, "'%s' is no reason code of lifecycle.yaml returns", reason);
	if (l->office->life.arbitrate_after && l->c->returns >= l->office->life.arbitrate_after)
		return life_refuse(l, "the case was returned %d times and then assigned by triage: it may not be returned again",
				   l->c->returns);
	return 0;
}

int command_return(struct life *l)
{
	const char *triage = life_triage(l)->id, *back = l->c->lead;
	int r = check_return(l), seq;
	struct str detail = {0};

	if (r)
		return r;
	l->c->returns++;
	l->c->state = STATE_TRIAGE;
	l->c->lead = triage;
	str_add(&detail, "{\"reason\":");
	str_json(&detail, command(l)->reason);
	str_addf(&detail, ",\"returns\":%d}", l->c->returns);
	seq = life_record(l, "returned", back, command(l)->by, command(l)->note, arena_strdup(l->a, detail.s));
	str_done(&detail);
	life_tell(l, seq, &(struct tell){.kind = "returned", .dept = back, .role = "lead", .why = command(l)->reason});
	if (strcmp(back, triage) != 0)
		life_tell(l, seq, &(struct tell){.kind = "returned", .dept = triage, .role = "triage",
						 .why = command(l)->reason});
	seq = life_record(l, "assigned", triage, NULL, "triage", NULL);
	life_tell(l, seq, &(struct tell){.kind = "assigned", .dept = triage, .role = "triage",
					 .why = arena_printf(l->a, _("returned by %s: %s"), back, command(l)->reason)});
	life_reply(l, "returned", NULL);
	return 0;
}

static void drop_support(struct case_record *c, const char *dept)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->supports.n; i++)
		if (strcmp(c->supports.v[i].dept, dept) != 0)
			c->supports.v[kept++] = c->supports.v[i];
	c->supports.n = kept;
}

int command_transfer(struct life *l)
{
	const char *from = l->c->lead, *to = command(l)->to, *actor = command(l)->dept->id;
	const struct department *next;
	int seq;

	if (!command_is_triage(l) && !command_is_supervisor(l))
		return command_is_lead(l) ? life_refuse(l, "only triage (%s) or a supervisor hands a case on; return it instead",
							life_triage(l)->name)
					  : command_refuse_stranger(l);
	next = to ? map_get(&l->office->dept_by_id, to) : NULL;
	if (!next)
		return life_refuse(l, "transfer needs 'to', the id of a department");
	if (life_is_accused(l->c, next->id))
		return life_refuse(l, "the complaint is about %s: it cannot handle it", next->name);
	if (l->c->state != STATE_TRIAGE && strcmp(next->id, from) == 0)
		return life_refuse(l, "%s has the case already", next->name);
	drop_support(l->c, next->id);
	l->c->lead = next->id;
	l->c->state = STATE_ASSIGNED;
	leg_hand_on(l->office, &l->c->leg, life_policy(l), l->now);
	seq = life_record(l, "transferred", next->id, command(l)->by, command(l)->note,
			  arena_printf(l->a, "{\"from\":\"%s\",\"to\":\"%s\"}", from, next->id));
	life_tell(l, seq, &(struct tell){.kind = "transferred", .dept = actor,
					 .role = command_is_supervisor(l) ? "supervisor" : "triage"});
	seq = life_record(l, "recalled", from, NULL, NULL, NULL);
	life_tell(l, seq, &(struct tell){.kind = "recalled", .dept = from,
					 .role = strcmp(from, l->office->life.triage->id) == 0 ? "triage" : "lead"});
	seq = life_record(l, "assigned", next->id, NULL, command(l)->note, NULL);
	life_tell(l, seq, &(struct tell){.kind = "assigned", .dept = next->id, .role = "lead",
					 .why = arena_printf(l->a, _("transferred by %s"), actor)});
	return 0;
}

static int check_resolve(struct life *l)
{
	int r = command_check_lead(l);

	if (r)
		return r;
	if (!command(l)->answer)
		return life_refuse(l, "resolve needs the 'answer' that the reporter will read");
	for (size_t i = 0; i < l->c->supports.n; i++)
		if (!l->c->supports.v[i].done)
			return life_refuse(l, "the task of %s is still open; it says support_done, or a supervisor lifts it",
					   l->c->supports.v[i].dept);
	return 0;
}

int command_resolve(struct life *l)
{
	int r = check_resolve(l), seq;
	struct str detail = {0};

	if (r)
		return r;
	l->c->state = STATE_RESOLVED;
	l->c->resolved_at = l->now;
	l->c->leg.met[CLOCK_RESOLVE] = l->now;
	leg_start_clock(l->office, &l->c->leg, CLOCK_FEEDBACK, life_policy(l), l->now);
	str_add(&detail, "{\"answer\":");
	str_json(&detail, command(l)->answer);
	str_addc(&detail, '}');
	seq = life_record(l, "resolved", l->c->lead, command(l)->by, command(l)->note, arena_strdup(l->a, detail.s));
	str_done(&detail);
	life_tell_queue(l, seq, "resolved", NULL);
	life_reply(l, "resolved", command(l)->answer);
	if (l->office->life.closing == CLOSE_RESOLVED)
		life_close(l, "resolved", NULL, NULL);
	else
		life_reply(l, "ask_rating", NULL);
	return 0;
}

int command_support_done(struct life *l)
{
	struct support *task = own_task(l);
	int seq;

	if (!task)
		return command_refuse_stranger(l);
	if (task->done)
		return life_refuse(l, "the task of %s is done already", command(l)->dept->name);
	task->done = true;
	seq = life_record(l, "support_done", task->dept, command(l)->by, command(l)->note, NULL);
	life_tell(l, seq, &(struct tell){.kind = "support_done", .dept = l->c->lead, .role = "lead"});
	if (strcmp(task->dept, l->c->lead) != 0)
		life_tell(l, seq, &(struct tell){.kind = "support_done", .dept = task->dept, .role = "support"});
	return 0;
}

int command_lift(struct life *l)
{
	struct support *task = NULL;
	int seq;

	if (!command_is_supervisor(l))
		return command_is_lead(l) || own_task(l) ? life_refuse(l, "only a supervisor lifts a support's task")
						 : command_refuse_stranger(l);
	for (size_t i = 0; i < l->c->supports.n; i++)
		if (!l->c->supports.v[i].done && str_equal(l->c->supports.v[i].dept, command(l)->to))
			task = &l->c->supports.v[i];
	if (!task)
		return life_refuse(l, "lift needs 'to', a department whose task is open");
	task->done = true;
	seq = life_record(l, "support_done", task->dept, command(l)->by, command(l)->note, "{\"lifted\":true}");
	life_tell(l, seq, &(struct tell){.kind = "support_done", .dept = l->c->lead, .role = "lead"});
	if (strcmp(task->dept, l->c->lead) != 0)
		life_tell(l, seq, &(struct tell){.kind = "support_done", .dept = task->dept, .role = "support"});
	return 0;
}

int command_get(struct life *l)
{
	l->fx->read = true;
	return 0;
}
