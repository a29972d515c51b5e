/*
 * What only shows when time runs: a year of receipts is played through every policy, with the same
 * functions that will wake the case. Said is what happens often, not what one holiday brings about.
 */
#include "core/life/clocks.h"
#include "core/time/moment.h"
#include "settings/check.h"
#include "settings/load.h"

enum { RECEIPTS = 366, OFTEN = RECEIPTS / 10, RECEIPTS_IN_ALL = 20 * RECEIPTS, STEPS = 32 };

/* ---- W24 ------------------------------------------------------------------------------------- */

/* The first clock of the policy that also runs at night, or -1. */
static int night_clock(const struct office *office, const struct policy *policy)
{
	for (int c = 0; c < N_CLOCKS; c++) {
		const struct deadline *d = &policy->clock[c];
		bool wall = d->kind == DEADLINE_SPAN && (d->unit == UNIT_MINUTE || d->unit == UNIT_HOUR);
		const struct calendar *cal = policy->has[c] ? office_calendar(office, d, policy) : NULL;

		if (policy->has[c] && (wall || (cal && cal->round_the_clock && deadline_needs_calendar(d))))
			return c;
	}
	return -1;
}

struct duty {
	struct loader *l;
	bool *told;                     /* department -> said once */
};

static void check_one_duty(struct duty *in, const struct department *dept, const struct policy *policy,
			   const struct node *from, const char *what)
{
	const struct office *office = &in->l->settings->office;
	const struct node *section = node_get(in->l->root, "departments");
	int clock = dept && policy && !dept->duty ? night_clock(office, policy) : -1;

	/* An office with no calendar that is always open has no duty to speak of. */
	if (clock < 0 || in->told[dept - office->departments])
		return;
	in->told[dept - office->departments] = true;
	lint_add(&in->l->lint, "W24", &node_key(section, dept->id)->at,
		 _("add `duty:` with the calendar of who is there, or choose deadlines in working time"),
		 _("“%s” of the policy “%s” runs day and night, and %s (%s:%d) gives it to “%s”, which has no duty calendar"),
		 clock_names[clock], policy->name, what, from->at.source->name, from->at.line, dept->id);
}

void check_duty(struct loader *l)
{
	const struct office *office = &l->settings->office;
	const struct node *rules = node_get(l->root, "rules"), *categories = node_get(l->root, "categories");
	struct duty in = {.l = l};
	bool has_duty = false;

	for (size_t i = 0; i < office->n_calendars; i++)
		has_duty |= office->calendars[i].round_the_clock;
	if (!has_duty)
		return;
	in.told = arena_alloc(l->arena, (office->n_departments + 1) * sizeof(*in.told));
	for (size_t i = 0; i < office->n_categories; i++)
		check_one_duty(&in, office->categories[i].dept, office->categories[i].policy, categories->keys[i],
			       _("a category"));
	for (size_t i = 0; i < office->n_rules; i++)
		check_one_duty(&in, office->rules[i].then.dept, office->rules[i].then.policy, rules->items[i], _("a rule"));
}

/* ---- W30, W31 -------------------------------------------------------------------------------- */

struct ladder {
	struct loader *l;
	const struct policy *policy;
	const struct node *steps;
	int *late;                      /* step -> receipts whose reminder comes when it is too late */
	int *meet;                      /* step × step -> receipts for which both fall due at one instant */
	int64_t *sample;                /* likewise: the first of these receipts */
};

/* Day by day through a year, at another time of the day each. */
static int64_t receipt_at(const struct loader *l, int i)
{
	struct civil now = moment_civil(l->now);

	return moment_of_day(moment_day_from_date(now.year, 1, 1) + i, (8 * 60 + i * 37) % 1440);
}

static void play_receipt(struct ladder *in, int64_t at)
{
	const struct office *office = &in->l->settings->office;
	const struct escalation *ladder = in->policy->escalation;
	struct case_record c = {.state = STATE_ASSIGNED, .received_at = at};
	size_t n = ladder->n_steps;
	int64_t due[STEPS];

	leg_start(office, &c.leg, 1, in->policy, at);
	for (size_t i = 0; i < n; i++) {
		const struct step *s = &ladder->steps[i];

		due[i] = ladder_step_at(office, &c, in->policy, s);
		if (due[i] == MOMENT_NONE)
			continue;
		if (s->when == STEP_BEFORE && ladder_heard_at(ladder, s, due[i]) >= c.leg.due[s->clock])
			in->late[i]++;
		for (size_t k = 0; k < i; k++)
			if (due[k] == due[i] && !in->meet[k * n + i]++)
				in->sample[k * n + i] = at;
	}
}

static const struct node *when_node(const struct ladder *in, size_t i)
{
	return node_get(in->steps->items[i], "when");
}

/* Two steps that are written for one moment are meant so, unless they do the same. */
static bool is_meant(const struct ladder *in, size_t k, size_t i)
{
	const struct step *x = &in->policy->escalation->steps[k], *y = &in->policy->escalation->steps[i];

	return strcmp(when_node(in, k)->text, when_node(in, i)->text) == 0 &&
	       (x->act != y->act || x->to != y->to || x->dept != y->dept);
}

/* Many policies share a ladder: what was said of it for one is not said again. */
static bool is_said(const struct ladder *in, const char *code, const struct mark *at)
{
	for (size_t i = 0; i < in->l->lint.entries.n; i++) {
		const struct lint_entry *e = &in->l->lint.entries.v[i];

		if (e->source == at->source && e->finding.line == at->line && e->finding.column == at->column &&
		    strcmp(e->finding.code, code) == 0)
			return true;
	}
	return false;
}

static void report_ladder(const struct ladder *in)
{
	const struct escalation *ladder = in->policy->escalation;
	size_t n = ladder->n_steps;
	char text[MOMENT_TEXT];

	for (size_t i = 0; i < n; i++) {
		const struct node *when = when_node(in, i);

		if (in->late[i] >= OFTEN && ladder->steps[i].act == DO_REMIND && !is_said(in, "W31", &when->at))
			lint_add(&in->l->lint, "W31", &when->at, _("except remind from `quiet:`, or remind earlier"),
				 _("“%s” waits for the end of the quiet hours until the limit has passed, for %d of %d receipts "
				   "under the policy “%s”"), when->text, in->late[i], RECEIPTS, in->policy->name);
		for (size_t k = 0; k < i; k++)
			if (in->meet[k * n + i] >= OFTEN && !is_meant(in, k, i) && !is_said(in, "W30", &when->at))
				lint_add(&in->l->lint, "W30", &when->at, _("give one of them another moment"),
					 _("“%s” falls at the instant of “%s” (line %d) for %d of %d receipts under the policy "
					   "“%s”, such as %s"), when->text, when_node(in, k)->text, when_node(in, k)->at.line,
					 in->meet[k * n + i], RECEIPTS, in->policy->name,
					 moment_human(in->sample[k * n + i], false, text));
	}
}

static void check_ladder(struct loader *l, const struct policy *policy, int n_receipts)
{
	const struct escalation *e = policy->escalation;
	struct arena scratch = {0};
	struct ladder in = {.l = l, .policy = policy};

	in.steps = node_get(node_get(node_get(l->root, "escalations"), e->name), "steps");
	in.late = arena_alloc(&scratch, (e->n_steps + 1) * sizeof(*in.late));
	in.meet = arena_alloc(&scratch, (e->n_steps * e->n_steps + 1) * sizeof(*in.meet));
	in.sample = arena_alloc(&scratch, (e->n_steps * e->n_steps + 1) * sizeof(*in.sample));
	for (int i = 0; i < n_receipts; i++)
		play_receipt(&in, receipt_at(l, i));
	report_ladder(&in);
	arena_done(&scratch);
}

/* With more ladders than any office has, the year is cut short rather than the reload made slow. */
void check_ladders(struct loader *l)
{
	const struct office *office = &l->settings->office;
	int left = RECEIPTS_IN_ALL;

	for (size_t i = 0; i < office->n_policies; i++) {
		const struct policy *policy = &office->policies[i];
		int n = left < RECEIPTS ? left : RECEIPTS;

		if (policy->escalation && policy->escalation->n_steps && policy->escalation->n_steps <= STEPS)
			check_ladder(l, policy, n);
		left -= n;
	}
}
