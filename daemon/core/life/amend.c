/*
 * A category, a grid, a place that turned out to be wrong is put right, and the case decided anew by the present
 * rules. Compared is what they say of the report before and after: what people arranged meanwhile is kept
 * where the correction does not concern it.
 */
#include <string.h>

#include "base/str.h"
#include "base/tongue.h"
#include "core/life/clocks.h"
#include "core/life/step.h"
#include "core/time/moment.h"
#include "core/understand/route.h"
#include "core/understand/text.h"

static const struct command *command(const struct life *l)
{
	return l->act->command;
}

struct report amend_report(const struct life *l)
{
	const struct case_record *c = l->c;
	struct channel *gone = arena_alloc(l->a, sizeof(*gone));
	const struct channel *channel = map_get(&l->office->channel_by_id, c->channel);
	struct report r;

	*gone = (struct channel){.id = c->channel, .name = c->channel};
	if (l->act->report)
		r = *l->act->report;
	else
		r = (struct report){.channel = channel ? channel : gone, .source = c->source, .id = c->report,
				    .urgency = (int8_t)c->urgency, .secret = c->visibility == VISIBLE_SEALED};
	r.received_at = r.time = c->received_at;
	if (!r.accused)
		r.accused = c->accused;
	if (!r.shadow)
		r.shadow = "";
	/* A category as the reporter wrote it stands in the case masked: then the report knows better. */
	if (c->category && office_category(l->office, c->category))
		r.category = c->category;
	if (c->grid)
		r.grid = c->grid;
	report_locate(l->office, l->a, &r);
	return r;
}

struct amendment {
	struct report was, is;          /* the first report as the case has it, and as it is amended */
	struct decision before, after;  /* what the present rules say of each */
	struct str note;
	const char *members;
};

static void note_change(struct life *l, struct amendment *m, const char *what, const char *from, const char *to)
{
	const char *pair = life_detail(l, life_member(l, life_member(l, NULL, "from", from ? from : ""), "to", to ? to : ""));

	if (str_equal(from, to))
		return;
	str_addf(&m->note, "%s%s %s → %s", m->note.len ? "; " : "", _(what), from ? from : "-", to ? to : "-");
	m->members = arena_printf(l->a, "%s,\"%s\":%s", m->members ? m->members : "", what, pair);
}

static int check_amend(struct life *l)
{
	const struct command *cmd = command(l);

	if (!command_is_lead(l) && !command_is_triage(l) && !command_is_supervisor(l))
		return life_refuse(l, "only the lead, triage (%s) or a supervisor amends a case", life_triage(l)->name);
	if (!cmd->category && !cmd->grid && !cmd->address)
		return life_refuse(l, "amend needs a 'category', a 'grid' or a 'place' that is right");
	if (cmd->category && !office_category(l->office, cmd->category))
		return life_refuse(l, "'%s' is no category of categories.yaml", cmd->category);
	if (cmd->grid && !map_get(&l->office->grid_by_code, cmd->grid))
		return life_refuse(l, "'%s' is no grid of grids.csv", cmd->grid);
	return 0;
}

static int decide_anew(struct life *l, struct amendment *m)
{
	const struct command *cmd = command(l);

	m->was = m->is = amend_report(l);
	if (cmd->category)
		m->is.category = office_category(l->office, cmd->category)->path;
	if (cmd->grid)
		m->is.grid = cmd->grid;
	if (cmd->address)
		m->is.address = cmd->address;
	if (str_equal(m->was.category, m->is.category) && str_equal(m->was.grid, m->is.grid) &&
	    (!cmd->address || str_equal(text_mask_address(l->a, cmd->address), l->c->place)))
		return life_refuse(l, "amend changes nothing: the case has that already");
	report_locate(l->office, l->a, &m->is);
	route(l->office, &m->was, l->a, 0, &m->before);
	route(l->office, &m->is, l->a, 0, &m->after);
	return 0;
}

/* What was handed on by people stays where it is, unless what is amended changes what the rules say. */
static bool moves(const struct life *l, const struct amendment *m)
{
	return m->after.dept != m->before.dept && strcmp(m->after.dept->id, l->c->lead) != 0;
}

static void amend_place(struct life *l, struct amendment *m)
{
	struct case_record *c = l->c;
	const char *place;

	if (command(l)->category) {
		note_change(l, m, N_("category"), c->category, m->is.category);
		if (str_equal(c->title, c->category))
			c->title = m->is.category;
		c->category = m->is.category;
	}
	if (command(l)->grid) {
		note_change(l, m, N_("grid"), c->grid, m->is.grid);
		c->grid = m->is.grid;
	}
	if (command(l)->address) {
		place = text_mask_address(l->a, command(l)->address);
		if (c->visibility == VISIBLE_SEALED)
			note_change(l, m, N_("place"), NULL, "***");
		else
			note_change(l, m, N_("place"), c->place, place);
		c->place = c->visibility == VISIBLE_SEALED ? NULL : place;
		c->address = c->visibility == VISIBLE_OPEN ? command(l)->address : NULL;
		l->fx->address = command(l)->address;
	}
}

static bool has_leave(const struct case_record *c)
{
	for (size_t i = 0; i < c->errands.n; i++) {
		const struct errand *e = &c->errands.v[i];

		if ((e->kind == ERRAND_EXTEND || e->kind == ERRAND_PAUSE) && e->at >= c->leg.started_at)
			return true;
	}
	return false;
}

/* Other limits, from where the leg began. What was granted by people stands. */
static void amend_policy(struct life *l, struct amendment *m)
{
	struct leg fresh, *leg = &l->c->leg;

	if (m->after.policy == m->before.policy || strcmp(leg->policy, m->before.policy->name) != 0 || has_leave(l->c))
		return;
	note_change(l, m, N_("policy"), leg->policy, m->after.policy->name);
	leg->policy = m->after.policy->name;
	if (leg->n == 1)
		l->c->whole_due = leg_limit(l->office, CLOCK_RESOLVE, m->after.policy, l->c->received_at);
	leg_start(l->office, &fresh, leg->n, m->after.policy, leg->started_at);
	for (int k = 0; k < CLOCK_FEEDBACK; k++) {
		if (leg->met[k] != MOMENT_NONE)
			continue;
		leg->due[k] = fresh.due[k];
		leg->unsure[k] = fresh.unsure[k];
		if (clock_starts(m->after.policy, (enum clock_name)k) == FROM_ACCEPTED && leg->met[CLOCK_ACCEPT] != MOMENT_NONE)
			leg_start_clock(l->office, leg, (enum clock_name)k, m->after.policy, leg->met[CLOCK_ACCEPT]);
		leg_rearm(l->office, l->c, (enum clock_name)k, l->now, l->a);
	}
}

static void amend_decision(struct life *l, struct amendment *m)
{
	struct case_record *c = l->c;
	const char *rule = m->after.rule ? m->after.rule->id : NULL;

	note_change(l, m, N_("rule"), c->rule, rule);
	c->rule = rule;
	c->route_source = route_source_names[m->after.source];
	c->config = l->office->hash;
	if (m->after.urgency != m->before.urgency) {
		note_change(l, m, N_("urgency"), urgency_names[c->urgency], urgency_names[m->after.urgency]);
		c->urgency = m->after.urgency;
	}
	if (m->after.horizon)
		c->horizon = m->after.horizon;
	/* What is kept back stays kept back. */
	if (m->after.visibility > c->visibility) {
		note_change(l, m, N_("visibility"), visibility_names[c->visibility], visibility_names[m->after.visibility]);
		c->visibility = m->after.visibility;
		c->address = NULL;
		if (c->visibility == VISIBLE_SEALED) {
			c->title = c->category;
			c->place = NULL;
		}
	}
	amend_policy(l, m);
}

static bool among(const struct department *const *list, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i]->id, id) == 0)
			return true;
	return false;
}

/* Who helps by the rule of before helps no more; who was called by people, or is at it, goes on. */
static void amend_partners(struct life *l, const struct amendment *m)
{
	const struct decision *was = &m->before, *is = &m->after;
	int seq;

	for (size_t i = 0; i < was->n_supports; i++) {
		const struct support *task = partners_find(l->c, was->supports[i]->id);

		if (!task || task->done || task->task || among(is->supports, is->n_supports, task->dept))
			continue;
		seq = life_record(l, "recalled", task->dept, NULL, NULL, NULL);
		life_tell(l, seq, &(struct tell){.kind = "recalled", .dept = task->dept, .role = "support"});
		partners_drop(l->c, was->supports[i]->id);
	}
	for (size_t i = 0; i < is->n_supports; i++) {
		const char *id = is->supports[i]->id;

		if (partners_find(l->c, id) || strcmp(id, l->c->lead) == 0)
			continue;
		seq = life_record(l, "assigned", id, NULL, "support", NULL);
		partners_add(l, id, NULL);
		life_tell(l, seq, &(struct tell){.kind = "assigned", .dept = id, .role = "support", .why = is->why});
	}
	for (size_t i = 0; i < is->n_copies; i++) {
		const char *id = is->copies[i]->id;

		if (among((const struct department *const *)was->copies, was->n_copies, id))
			continue;
		seq = life_record(l, "copied", id, NULL, NULL, NULL);
		life_tell(l, seq, &(struct tell){.kind = "copied", .dept = id, .role = "copy"});
	}
}

static void do_amend(struct life *l, struct amendment *m)
{
	struct tell what = {.kind = "amended"};
	bool goes = moves(l, m);
	const char *why;
	int seq;

	amend_place(l, m);
	amend_decision(l, m);
	if (goes)
		note_change(l, m, N_("lead"), l->c->lead, m->after.dept->id);
	what.why = arena_strdup(l->a, m->note.s);
	why = l->c->visibility == VISIBLE_SEALED ? what.why : m->after.why;
	if (command(l)->note)
		str_addf(&m->note, "; %s", command(l)->note);
	seq = life_record(l, "amended", command(l)->dept->id, command(l)->by, arena_strdup(l->a, m->note.s),
			  life_detail(l, m->members));
	what.more = m->members ? arena_printf(l->a, ",\"changed\":%s", life_detail(l, m->members)) : NULL;
	partners_tell(l, seq, &what);
	if (goes)
		triage_hand_over(l, m->after.dept, what.why, why);
	amend_partners(l, m);
}

int command_amend(struct life *l)
{
	struct amendment m = {0};
	int r = check_amend(l);

	if (r == 0)
		r = decide_anew(l, &m);
	if (r)
		return r;
	if (moves(l, &m) && !command_is_triage(l) && !command_is_supervisor(l))
		return life_refuse_on_record(l, "so amended the case would go to %s: only triage (%s) or a supervisor does that; return it instead",
					     m.after.dept->name, life_triage(l)->name);
	do_amend(l, &m);
	str_done(&m.note);
	return 0;
}
