/*
 * Several bodies at one matter: supports and their tasks, who is called by a whistle and came, consultations,
 * and the chain of steps of which each is done by whom it falls to. To the resident all of it is one case.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/tongue.h"
#include "core/life/clocks.h"
#include "core/life/step.h"
#include "core/time/moment.h"
#include "core/time/worktime.h"
#include "core/understand/route.h"
#include "core/understand/text.h"

/* Who is called, or takes part, is a list for people; all the parties stand in every event of a consultation. */
enum { NAMES_MAX = 100 };

static const struct command *command(const struct life *l)
{
	return l->act->command;
}

static const struct department *department(const struct life *l, const char *id)
{
	return map_get(&l->office->dept_by_id, id);
}

static const char *name_of(const struct life *l, const char *id)
{
	const struct department *d = department(l, id);

	return d ? d->name : id;
}

/* ---- tasks ------------------------------------------------------------------------------------ */
struct support *partners_find(const struct case_record *c, const char *dept)
{
	for (size_t i = 0; i < c->supports.n; i++)
		if (strcmp(c->supports.v[i].dept, dept) == 0)
			return &c->supports.v[i];
	return NULL;
}

struct support *partners_add(struct life *l, const char *dept, const char *task)
{
	const struct support fresh = {.dept = dept, .task = task, .seq = l->c->seq, .reported_at = MOMENT_NONE,
				      .due = life_limit(l, &life_policy(l)->support, l->now)};
	struct support *old = partners_find(l->c, dept);

	if (old) {
		*old = fresh;
		return old;
	}
	ALIST_PUSH(l->a, &l->c->supports, fresh);
	return &l->c->supports.v[l->c->supports.n - 1];
}

void partners_drop(struct case_record *c, const char *dept)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->supports.n; i++)
		if (strcmp(c->supports.v[i].dept, dept) != 0)
			c->supports.v[kept++] = c->supports.v[i];
	c->supports.n = kept;
}

void partners_pay_back(struct life *l, int64_t from, int64_t to)
{
	const struct limit *limit = &life_policy(l)->support;
	const struct calendar *cal = limit->set && work_is_counted(&limit->in)
					     ? office_calendar(l->office, &limit->in, life_policy(l)) : NULL;
	int64_t paused = work_between(cal, from - from % 1000000, to - to % 1000000);

	for (size_t i = 0; i < l->c->supports.n; i++) {
		struct support *s = &l->c->supports.v[i];

		if (!s->done && !support_waits(s) && s->due != MOMENT_NONE && s->due > from)
			s->due = work_shift(cal, s->due, paused);
	}
}

void partners_end(struct case_record *c)
{
	/* Leave and orders end by life_settle. */
	for (size_t i = 0; i < c->errands.n; i++)
		c->errands.v[i].done |= c->errands.v[i].kind > ERRAND_ORDER;
	for (size_t i = 0; i < c->supports.n; i++)
		c->supports.v[i].due = MOMENT_NONE;
}

static void tell_one(struct life *l, int seq, struct tell what, const struct department *d)
{
	if (!d)
		return;
	what.dept = d->id;
	what.role = life_role(l, d);
	life_tell(l, seq, &what);
}

void partners_tell(struct life *l, int seq, const struct tell *what)
{
	tell_one(l, seq, *what, department(l, l->c->lead));
	for (size_t i = 0; i < l->c->supports.n; i++)
		if (!l->c->supports.v[i].done)
			tell_one(l, seq, *what, department(l, l->c->supports.v[i].dept));
	tell_one(l, seq, *what, command(l)->dept);
}

/* Lead, triage and supervisors arrange who does what; a support does its part. */
static int check_arranges(struct life *l)
{
	if (command_is_lead(l) || command_is_triage(l) || command_is_supervisor(l))
		return 0;
	return life_refuse(l, "only the lead, triage (%s) or a supervisor does that; ask them", life_triage(l)->name);
}

static void finish_task(struct life *l, struct support *task, const char *detail)
{
	int seq;

	task->done = true;
	seq = life_record(l, "support_done", task->dept, command(l)->by, command(l)->note, detail);
	life_tell(l, seq, &(struct tell){.kind = "support_done", .dept = l->c->lead, .role = life_lead_role(l->c)});
	life_tell(l, seq, &(struct tell){.kind = "support_done", .dept = task->dept, .role = "support"});
}

int command_support_done(struct life *l)
{
	struct support *task = command_own_task(l);

	if (!task)
		return command_is_lead(l) || command_is_triage(l) || command_is_supervisor(l)
			? life_refuse(l, "%s has no task as a support of this case", command(l)->dept->name)
			: command_refuse_stranger(l);
	if (task->done)
		return life_refuse(l, "the task of %s is done already", command(l)->dept->name);
	if (support_waits(task))
		return life_refuse(l, "%s was called and has not reported in yet: first report_in, then support_done",
				   command(l)->dept->name);
	finish_task(l, task, NULL);
	return 0;
}

/* Whose task is meant; NULL: nobody is named. Some systems write who speaks into whatever they send. */
static const char *whose_task(const struct life *l)
{
	const struct command *cmd = command(l);
	const char *department = json_string_value(json_object_get(cmd->json, "department"));

	if (cmd->to || cmd->n_departments)
		return cmd->to ? cmd->to : cmd->departments[0];
	return str_equal(department, cmd->dept->id) ? NULL : department;
}

/* … then the only one that is open; NULL: refused, *ret says how. */
static struct support *only_task(struct life *l, int *ret)
{
	const char *open = NULL;
	struct support *task = NULL;
	size_t n = 0;

	for (size_t i = 0; i < l->c->supports.n; i++)
		if (!l->c->supports.v[i].done) {
			task = &l->c->supports.v[i];
			open = n++ ? arena_printf(l->a, "%s, %s", open, task->dept) : task->dept;
		}
	if (!n)
		*ret = life_refuse(l, "no support of this case has a task that is open");
	else if (n > 1)
		*ret = life_refuse(l, "several tasks are open: lift needs 'to', one of %s", open);
	return n == 1 ? task : NULL;
}

int command_lift(struct life *l)
{
	const char *whose = whose_task(l);
	struct support *task;
	int r = 0;

	if (!command_is_supervisor(l))
		return life_refuse(l, "only a supervisor lifts a support's task");
	if (!command(l)->to && command(l)->n_departments > 1)
		return life_refuse(l, "lift closes one task at a time: 'to' names its department");
	task = whose ? partners_find(l->c, whose) : only_task(l, &r);
	if (r)
		return r;
	if (!task || task->done)
		return life_refuse(l, "lift needs 'to', a department whose task is open");
	finish_task(l, task, arena_printf(l->a, "{\"lifted\":true,\"from\":\"%s\"}", command(l)->dept->id));
	return 0;
}

static int check_length(struct life *l, const char *what, const char *member, size_t n)
{
	return n > NAMES_MAX ? life_refuse(l, "%s: '%s' names %d at most", what, member, NAMES_MAX) : 0;
}

/* Every department of a command's list; `what` is the action, for the sentence. */
static int check_departments(struct life *l, const char *what)
{
	int r = check_length(l, what, "departments", command(l)->n_departments);

	if (r)
		return r;
	for (size_t i = 0; i < command(l)->n_departments; i++) {
		const char *id = command(l)->departments[i];
		const struct support *task = partners_find(l->c, id);

		if (!department(l, id))
			return life_refuse(l, "%s: there is no department '%s'", what, id);
		if (life_is_accused(l->c, id))
			return life_refuse(l, "the complaint is about %s: it cannot handle it", name_of(l, id));
		if (strcmp(id, l->c->lead) == 0)
			return life_refuse(l, "%s: %s leads this case itself", what, name_of(l, id));
		if (task && !task->done && support_waits(task))
			return life_refuse(l, "%s: %s was called already and has not reported in yet", what, name_of(l, id));
	}
	return 0;
}

static bool named_before(const struct life *l, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(command(l)->departments[k], command(l)->departments[i]) == 0)
			return true;
	return false;
}

/* ---- whistle and report in -------------------------------------------------------------------- */
static void call(struct life *l, const struct department *d)
{
	const struct command *cmd = command(l);
	int64_t due = life_limit(l, &l->office->life.whistle_within, l->now);
	const char *by_when = life_member_time(l, NULL, "report_in", due);
	int seq = life_record(l, "whistled", d->id, cmd->by, cmd->task,
			      life_detail(l, life_member(l, by_when, "from", cmd->dept->id)));
	struct support *task = partners_add(l, d->id, cmd->task);
	struct tell what = {.kind = "whistled", .why = life_said(l, cmd->task)};

	task->called = true;
	task->from = cmd->dept->id;
	task->due = due;
	what.more = life_member(l, life_member(l, by_when, "task", what.why), "called", d->id);
	tell_one(l, seq, what, d);
	tell_one(l, seq, what, department(l, l->c->lead));
	tell_one(l, seq, what, cmd->dept);
}

int command_whistle(struct life *l)
{
	const struct command *cmd = command(l);
	int r = check_arranges(l);

	if (r)
		return r;
	if (!cmd->n_departments)
		return life_refuse(l, "whistle needs 'departments', the ids of those who are called");
	if (!cmd->task)
		return life_refuse(l, "whistle needs 'task', what they are called for");
	if ((r = check_departments(l, "whistle")))
		return r;
	for (size_t i = 0; i < cmd->n_departments; i++)
		if (!named_before(l, i))
			call(l, department(l, cmd->departments[i]));
	return 0;
}

int command_report_in(struct life *l)
{
	const struct command *cmd = command(l);
	struct support *task = command_own_task(l);
	struct tell what = {.kind = "reported_in"};
	bool late;
	int seq;

	if (!task || !task->called)
		return life_refuse(l, "%s was not called to this case by a whistle", cmd->dept->name);
	if (task->done)
		return life_refuse(l, "the task of %s is done already", cmd->dept->name);
	if (!support_waits(task))
		return life_refuse(l, "%s has reported in already", cmd->dept->name);
	late = task->due != MOMENT_NONE && l->now > task->due;
	task->reported_at = l->now;
	task->due = life_limit(l, &life_policy(l)->support, l->now);
	seq = life_record(l, "reported_in", task->dept, cmd->by, cmd->note, late ? "{\"late\":true}" : "{\"late\":false}");
	what.more = late ? ",\"late\":true" : ",\"late\":false";
	tell_one(l, seq, what, department(l, l->c->lead));
	tell_one(l, seq, what, cmd->dept);
	tell_one(l, seq, what, task->from ? department(l, task->from) : NULL);
	/* Who heard that it did not come hears that it came. */
	if (late)
		tell_one(l, seq, what, l->office->life.supervisor);
	return 0;
}

/* ---- consultations ---------------------------------------------------------------------------- */
static const char *parties(const struct life *l)
{
	const char *all = NULL;

	for (size_t i = 0; i < command(l)->n_parties; i++)
		all = arena_printf(l->a, "%s%s%s", all ? all : "", all ? _(", ") : "",
				   name_of(l, command(l)->parties[i]));
	return all;
}

static int check_consult(struct life *l)
{
	const struct command *cmd = command(l);
	const struct errand *open = life_errand(l->c, ERRAND_CONSULT, NULL);
	int r = check_arranges(l);

	if (r)
		return r;
	if (open)
		return life_refuse(l, "a consultation about “%s” is still open: enter its consult_outcome first", open->text);
	if (!cmd->topic)
		return life_refuse(l, "consult needs 'topic', what is to be talked over");
	if (!cmd->n_parties)
		return life_refuse(l, "consult needs 'parties', who takes part");
	if (cmd->at == MOMENT_NONE)
		return life_refuse(l, "consult needs 'at', when it takes place, such as 2026-11-20T09:00:00+08:00");
	if (cmd->at < l->now)
		return life_refuse(l, "consult: 'at' lies in the past");
	return check_length(l, "consult", "parties", cmd->n_parties);
}

int command_consult(struct life *l)
{
	const struct command *cmd = command(l);
	const char *who, *members;
	struct tell what = {.kind = "consulted"};
	int r = check_consult(l), seq;

	if (r)
		return r;
	who = parties(l);
	members = life_member_time(l, life_member(l, NULL, "parties", who), "at", cmd->at);
	seq = life_record(l, "consulted", cmd->dept->id, cmd->by,
			  arena_printf(l->a, "%s (%s)%s%s", cmd->topic, who, cmd->note ? ": " : "",
				       cmd->note ? cmd->note : ""),
			  life_detail(l, life_member(l, members, "topic", cmd->topic)));
	life_add_errand(l, (struct errand){.kind = ERRAND_CONSULT, .seq = seq, .from = cmd->dept->id, .text = cmd->topic,
					   .request = cmd->request, .more = life_detail(l, members), .until = cmd->at,
					   .due = life_limit(l, &l->office->life.consult_within, cmd->at)});
	what.why = life_said(l, cmd->topic);
	what.more = life_member_time(l, life_member(l, life_member(l, NULL, "topic", what.why), "parties",
						    life_said(l, who)), "takes_place", cmd->at);
	partners_tell(l, seq, &what);
	for (size_t i = 0; i < cmd->n_parties; i++)
		tell_one(l, seq, what, department(l, cmd->parties[i]));
	return 0;
}

/* The part that falls to a department by what was agreed. */
static void assign_part(struct life *l, const struct department *d)
{
	const struct command *cmd = command(l);
	int seq = life_record(l, "assigned", d->id, cmd->by, cmd->task, NULL);
	struct support *task = partners_add(l, d->id, cmd->task);
	struct tell what = {.kind = "assigned", .why = life_said(l, cmd->task)};

	what.more = life_member_time(l, life_member(l, NULL, "task", what.why), "task_due", task->due);
	tell_one(l, seq, what, d);
}

static int check_outcome(struct life *l)
{
	const struct command *cmd = command(l);
	const char *chosen, *outcome;
	int r = check_arranges(l);

	if (r)
		return r;
	if (!life_errand(l->c, ERRAND_CONSULT, NULL))
		return life_refuse(l, "no consultation of this case is open");
	r = ballot_count(l, &chosen, &outcome);
	if (r)
		return r;
	if (!outcome)
		return life_refuse(l, "consult_outcome needs 'outcome', what was agreed");
	if (cmd->n_departments && !cmd->task)
		return life_refuse(l, "consult_outcome: 'departments' need their 'task'");
	return check_departments(l, "consult_outcome");
}

int command_consult_outcome(struct life *l)
{
	const struct command *cmd = command(l);
	struct errand *open = life_errand(l->c, ERRAND_CONSULT, NULL);
	const char *chosen = NULL, *outcome = NULL;
	struct tell what = {.kind = "consulted"};
	int r = check_outcome(l), seq;

	if (r)
		return r;
	ballot_count(l, &chosen, &outcome);
	what.why = life_said(l, outcome);
	open->done = true;
	seq = life_record(l, "consulted", cmd->dept->id, cmd->by,
			  cmd->note ? arena_printf(l->a, "%s: %s; %s", open->text, outcome, cmd->note)
				    : arena_printf(l->a, "%s: %s", open->text, outcome),
			  life_detail(l, life_member(l, life_member(l, arena_printf(l->a, ",\"of\":%d", open->seq), "outcome", outcome), "chosen", chosen)));
	what.more = life_member(l, life_member(l, life_member(l, NULL, "topic", life_said(l, open->text)), "outcome", what.why), "chosen",
				life_said(l, chosen));
	partners_tell(l, seq, &what);
	tell_one(l, seq, what, open->from ? department(l, open->from) : NULL);
	for (size_t i = 0; i < cmd->n_departments; i++)
		if (!named_before(l, i))
			assign_part(l, department(l, cmd->departments[i]));
	return 0;
}

/* ---- the chain of steps ----------------------------------------------------------------------- */
int command_next_step(struct life *l)
{
	const struct command *cmd = command(l);
	const struct category *category = cmd->category ? office_category(l->office, cmd->category) : NULL;
	struct tell what = {.kind = "progress"};
	const char *more;
	int r = check_arranges(l), seq;

	if (r)
		return r;
	if (!cmd->text)
		return life_refuse(l, "next_step needs 'text', what is to be done then");
	if (cmd->category && !category)
		return life_refuse(l, "'%s' is no category of categories.yaml", cmd->category);
	more = life_member(l, NULL, "category", category ? category->path : NULL);
	seq = life_record(l, what.kind, cmd->dept->id, cmd->by, arena_printf(l->a, _("next step: %s"), cmd->text),
			  life_detail(l, life_member(l, more, "next_step", cmd->text)));
	life_add_errand(l, (struct errand){.kind = ERRAND_STEP, .seq = seq, .from = cmd->dept->id, .text = cmd->text,
					   .request = cmd->request, .more = life_detail(l, more),
					   .until = MOMENT_NONE, .due = MOMENT_NONE});
	what.more = life_member(l, NULL, "next_step", life_said(l, cmd->text));
	if (category)
		what.more = life_member(l, what.more, "next_category", category->path);
	partners_tell(l, seq, &what);
	return 0;
}

/* Steps open in the order in which they were planned. */
static struct errand *first_step(const struct case_record *c)
{
	for (size_t i = 0; i < c->errands.n; i++)
		if (c->errands.v[i].kind == ERRAND_STEP && !c->errands.v[i].done)
			return &c->errands.v[i];
	return NULL;
}

/* A step goes where a report of that text, category and place would go today. */
static void route_step(const struct life *l, const struct errand *step, struct decision *ret)
{
	struct report r = amend_report(l);
	json_t *more = step->more ? json_loads(step->more, 0, NULL) : NULL;
	const char *category = json_string_value(json_object_get(more, "category"));

	r.text = step->text;
	r.shadow = text_shadow(l->a, step->text);
	r.category = category ? arena_strdup(l->a, category) : NULL;
	r.received_at = r.time = l->now;
	json_decref(more);
	report_locate(l->office, l->a, &r);
	route(l->office, &r, l->a, 0, ret);
}

static void assign_step(struct life *l, const struct errand *step, const struct decision *d)
{
	struct tell what = {.kind = "assigned"};
	int seq = life_record(l, "assigned", l->c->lead, NULL, arena_printf(l->a, _("next step: %s"), step->text),
			      arena_printf(l->a, "{\"of\":%d}", step->seq));

	what.why = l->c->visibility == VISIBLE_SEALED ? _("next step")
						      : arena_printf(l->a, _("next step: %s"), life_said(l, step->text));
	what.more = life_member(l, NULL, "step", life_said(l, step->text));
	tell_one(l, seq, what, d->dept);
	for (size_t i = 0; i < d->n_supports; i++) {
		seq = life_record(l, "assigned", d->supports[i]->id, NULL, "support", NULL);
		partners_add(l, d->supports[i]->id, step->text);
		tell_one(l, seq, what, d->supports[i]);
	}
}

bool partners_go_on(struct life *l)
{
	struct case_record *c = l->c;
	struct errand *step = first_step(c), *consult = life_errand(c, ERRAND_CONSULT, NULL);
	struct decision d;

	if (consult)
		consult->done = true;
	if (!step)
		return false;
	route_step(l, step, &d);
	life_settle(l);
	ALIST_PUSH(l->a, &l->fx->legs, (struct leg_row){c->leg, c->lead, l->now});
	leg_start(l->office, &c->leg, c->leg.n + 1, d.policy, l->now);
	memcpy(l->met, c->leg.met, sizeof(l->met));
	step->done = true;
	step->to = d.dept->id;
	c->lead = d.dept->id;
	c->state = STATE_ASSIGNED;
	partners_drop(c, c->lead);
	assign_step(l, step, &d);
	return true;
}
