/* What departments do. Who may is checked first, then what is asked, then it is done. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/tongue.h"
#include "core/life/clocks.h"
#include "core/life/step.h"
#include "core/time/moment.h"

static const struct command *command(const struct life *l)
{
	return l->act->command;
}

struct support *command_own_task(const struct life *l)
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

		if (!e->done && e->kind <= ERRAND_ORDER && (str_equal(e->to, command(l)->dept->id) || str_equal(e->from, command(l)->dept->id)))
			return true;
	}
	return false;
}

bool command_is_concerned(const struct life *l)
{
	return !life_is_accused(l->c, command(l)->dept->id) &&
	       (command_is_lead(l) || command_own_task(l) || command_is_triage(l) || command_is_supervisor(l) || has_errand(l));
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

/* What was spent is history, and so is what could not be. */
void life_spend(struct life *l, const char *dept, const char *by, const char *detail)
{
	const char *note = l->act->overspent ? l->act->overspent : l->act->spent;

	if (note)
		life_record(l, l->act->overspent ? "overspent" : "spent", dept, by, note, detail);
}

int command_progress(struct life *l)
{
	int seq;

	if (!command_is_lead(l) && !command_own_task(l))
		return command_refuse_stranger(l);
	if (l->act->overspent)
		return life_refuse_said(l, l->act->overspent);
	seq = life_record(l, "progress", command(l)->dept->id, command(l)->by, command(l)->note, NULL);
	life_tell_queue(l, seq, "progress", NULL);
	life_spend(l, command(l)->dept->id, command(l)->by, NULL);
	life_reply(l, "progress", command(l)->note);
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
	const char *shown = media_json(command(l), l->a), *more = shown ? arena_printf(l->a, ",\"media\":%s", shown) : "";
	int r = check_resolve(l), seq;

	if (r)
		return r;
	l->c->leg.met[CLOCK_RESOLVE] = l->now;
	/* As the answer: the reporter has it as it was written, unless the case shows nothing. */
	l->media = shown ? media_json(l->said, l->a) : NULL;
	seq = life_record(l, "resolved", l->c->lead, command(l)->by, command(l)->note,
			  life_detail(l, arena_printf(l->a, "%s%s", life_member(l, NULL, "answer", command(l)->answer), more)));
	life_tell_all(l, seq, &(struct tell){.kind = "resolved", .more = more});
	/* A link of a chain is progress to the resident, who is asked about the whole. */
	if (life_decides(l->c, CMD_RESOLVE))
		life_reply(l, "progress", command(l)->answer);
	if (partners_go_on(l))
		return 0;
	l->c->state = STATE_RESOLVED;
	l->c->resolved_at = l->now;
	leg_start_clock(l->office, &l->c->leg, CLOCK_FEEDBACK, life_policy(l), l->now);
	life_reply(l, "resolved", command(l)->answer);
	if (l->office->life.closing == CLOSE_RESOLVED)
		life_close(l, "resolved", NULL, NULL);
	else
		life_reply(l, "ask_rating", NULL);
	return 0;
}

int command_get(struct life *l)
{
	l->fx->read = true;
	return 0;
}
