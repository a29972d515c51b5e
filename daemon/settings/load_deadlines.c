/* Policies, ladders of escalation and periodic lists. */
#include "base/err.h"
#include "base/str.h"
#include "settings/load.h"

/* The part of `text` behind `word` and blanks, or NULL. */
static const char *after(const char *text, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(text, word, n) != 0)
		return NULL;
	text += n;
	return text + strspn(text, " ");
}

static bool step_span(const char *text, const char *span, struct arena *a, struct step *ret, size_t *ret_at,
		      struct err *e)
{
	size_t at = 0;

	if (deadline_parse(span, a, &ret->span, &at, e) < 0) {
		*ret_at = (size_t)(span - text) + at;
		return false;
	}
	if (ret->span.kind != DEADLINE_SPAN) {
		*ret_at = (size_t)(span - text);
		err_code(e, ERR_BAD, "E40", _("“%s” is not a length of time"), span);
		return false;
	}
	ret->has_span = true;
	return true;
}

/* "CLOCK 到期前 SPAN" or "CLOCK 逾期 [SPAN]" with the clock's name taken off. */
static bool clock_step(const char *text, const char *rest, struct arena *a, struct step *ret, size_t *ret_at,
		       struct err *e)
{
	const char *span;

	*ret_at = (size_t)(rest - text);
	span = after(rest, "到期前");
	if (span) {
		ret->when = STEP_BEFORE;
		if (!step_span(text, span, a, ret, ret_at, e))
			return false;
		ret->text = arena_printf(a, "%s 到期前 %s", clock_names[ret->clock], deadline_text(&ret->span, a));
		return true;
	}
	span = after(rest, "逾期");
	if (!span) {
		err_code(e, ERR_BAD, "E40", _("behind the clock stands 到期前 SPAN or 逾期 [SPAN]"));
		return false;
	}
	ret->when = STEP_AFTER;
	ret->text = arena_printf(a, "%s 逾期", clock_names[ret->clock]);
	if (!*span)
		return true;
	if (!step_span(text, span, a, ret, ret_at, e))
		return false;
	ret->text = arena_printf(a, "%s 逾期 %s", clock_names[ret->clock], deadline_text(&ret->span, a));
	return true;
}

bool step_parse(const char *text, struct arena *a, struct step *ret, size_t *ret_at, struct err *e)
{
	const char *rest;

	*ret_at = 0;
	if (strcmp(text, "created") == 0) {
		ret->when = STEP_CREATED;
		ret->text = "created";
		return true;
	}
	rest = after(text, "unassigned");
	if (rest) {
		ret->when = STEP_UNASSIGNED;
		if (!step_span(text, rest, a, ret, ret_at, e))
			return false;
		ret->text = arena_printf(a, "unassigned %s", deadline_text(&ret->span, a));
		return true;
	}
	for (int c = 0; c < N_CLOCKS; c++) {
		rest = after(text, clock_names[c]);
		if (rest && rest[-1] == ' ') {
			ret->clock = (enum clock_name)c;
			return clock_step(text, rest, a, ret, ret_at, e);
		}
	}
	err_code(e, ERR_BAD, "E40", _("“%s” is not a moment of a case"), text);
	return false;
}

static void load_to(struct scope s, struct step *step)
{
	static const char *const words[] = {"lead", "leader", "supports"};
	static const enum step_to values[] = {TO_LEAD, TO_LEADER, TO_SUPPORTS};
	int word = name_index(words, ARRAY_LEN(words), scope_text(s, "to"));

	step->to = word >= 0 ? values[word] : TO_DEPT;
	if (word < 0)
		step->dept = scope_dept(s, "to");
}

/* Two steps may happen at one moment; the second one's identity must still be its own. */
static void make_unique(struct step *steps, size_t i, struct arena *a)
{
	const char *text = steps[i].text;
	int n = 1;

	for (size_t k = 0; k < i; k++)
		n += steps[k].text && after(steps[k].text, text) &&
		     (!steps[k].text[strlen(text)] || strncmp(steps[k].text + strlen(text), " #", 2) == 0);
	if (n > 1)
		steps[i].text = arena_printf(a, "%s #%d", text, n);
}

static void load_steps(struct scope ladder, struct escalation *escalation)
{
	struct scope list = scope_in(ladder, "steps");
	size_t n = list.map && list.map->kind == NODE_LIST ? list.map->n : 0;
	struct step *steps = arena_alloc(ladder.l->arena, (n + 1) * sizeof(*steps));
	size_t good = 0;
	int place = 0, raised = 0;

	for (size_t i = 0; i < n; i++) {
		struct scope s = scope_item(list, i);
		struct step *step = &steps[good];
		const char *when = scope_text(s, "when");
		int act = scope_enum(s, "do");
		struct err e;
		size_t at;

		*step = (struct step){0};
		place += act != DO_REMIND;
		raised += act == DO_RAISE || act == DO_NOTIFY || act == DO_PUBLISH;
		if (!when || act < 0 || !step_parse(when, ladder.l->arena, step, &at, &e))
			continue;
		step->act = (enum step_do)act;
		load_to(s, step);
		step->has_within = scope_deadline(s, "within", &step->within);
		step->level = (int)scope_int(s, "level");
		step->mark = step->level ? step->level : act == DO_REMIND ? 0 : place;
		if (!step->level && act != DO_REMIND)
			step->level = act == DO_SUPERVISE ? place : raised;
		step->note = scope_text(s, "note");
		make_unique(steps, good, ladder.l->arena);
		good++;
	}
	escalation->steps = steps;
	escalation->n_steps = good;
}

static void load_escalations(struct loader *l)
{
	struct scope s = scope_in(scope_root(l), "escalations");
	size_t n = s.map && s.map->kind == NODE_MAP ? s.map->n : 0;
	struct escalation *escalations = arena_alloc(l->arena, (n + 1) * sizeof(*escalations));

	for (size_t i = 0; i < n; i++) {
		struct scope one = scope_item(s, i), quiet = scope_in(one, "quiet");
		struct texts except = scope_texts(quiet, "except");

		escalations[i].name = s.map->keys[i]->text;
		load_steps(one, &escalations[i]);
		escalations[i].quiet = scope_calendar(quiet, "outside");
		for (size_t k = 0; k < except.n; k++) {
			int act = name_index(step_do_names, N_STEP_DO, except.v[k]);

			if (act >= 0)
				escalations[i].quiet_except |= 1u << act;
		}
	}
	l->settings->office.escalations = escalations;
	l->settings->office.n_escalations = n;
}

static const struct escalation *find_escalation(struct loader *l, const char *name)
{
	const struct office *office = &l->settings->office;

	for (size_t i = 0; name && i < office->n_escalations; i++)
		if (strcmp(office->escalations[i].name, name) == 0) {
			names_use(l, SYM_ESCALATIONS, name);
			return &office->escalations[i];
		}
	return NULL;
}

static void load_starts(struct scope s, struct policy *policy)
{
	struct scope from = scope_in(s, "from");
	struct texts pauses = scope_texts(s, "pauses");

	for (int c = 0; c < CLOCK_FEEDBACK; c++)
		policy->from[c] = (enum clock_from)(FROM_RECEIVED + scope_enum(from, clock_names[c]));
	for (int c = 0; pauses.n && c < N_CLOCKS; c++)
		policy->runs_on |= 1u << c;
	for (size_t i = 0; i < pauses.n; i++) {
		int c = name_index(clock_names, N_CLOCKS, pauses.v[i]);

		if (c >= 0)
			policy->runs_on &= ~(1u << c);
	}
}

static void load_policy(struct scope s, struct scope defaults, struct policy *policy)
{
	for (int c = 0; c < N_CLOCKS; c++) {
		const struct node *node = scope_node(s, clock_names[c]);

		policy->has[c] = scope_deadline(s, clock_names[c], &policy->clock[c]);
		policy->text[c] = node ? node->text : NULL;
	}
	policy->support.set = scope_deadline(s, "support", &policy->support.in);
	load_starts(s, policy);
	policy->calendar = scope_calendar(s, "calendar");
	if (!policy->calendar && !scope_node(s, "calendar"))
		policy->calendar = scope_calendar(defaults, "calendar");
	policy->escalation = find_escalation(s.l, scope_text(s, "escalation"));
	if (!policy->escalation && !scope_node(s, "escalation"))
		policy->escalation = find_escalation(s.l, scope_text(defaults, "escalation"));
}

static void load_reports(struct loader *l)
{
	struct scope s = scope_in(scope_root(l), "reports");
	size_t n = s.map && s.map->kind == NODE_MAP ? s.map->n : 0;
	struct period *periods = arena_alloc(l->arena, (n + 1) * sizeof(*periods));
	struct office *office = &l->settings->office;

	for (size_t i = 0; i < n; i++) {
		struct scope one = scope_item(s, i);

		struct period *period = &periods[office->n_periods];

		period->to = scope_dept(one, "to");
		if (load_period(one, s.map->keys[i]->text, period) && period->to)
			office->n_periods++;
	}
	office->periods = periods;
}

void load_deadlines(struct loader *l)
{
	struct scope s = scope_in(scope_root(l), "policies"), defaults = scope_in(scope_root(l), "defaults");
	size_t n = s.map && s.map->kind == NODE_MAP ? s.map->n : 0;
	struct policy *policies = arena_alloc(l->arena, (n + 1) * sizeof(*policies));
	struct office *office = &l->settings->office;

	load_escalations(l);
	for (size_t i = 0; i < n; i++) {
		policies[i].name = s.map->keys[i]->text;
		load_policy(scope_item(s, i), defaults, &policies[i]);
		map_put(&office->policy_by_name, policies[i].name, &policies[i]);
	}
	office->policies = policies;
	office->n_policies = n;
	office->default_calendar = scope_calendar(defaults, "calendar");
	/* Limits that belong to no policy count in the first calendar where nobody names one. */
	if (!office->default_calendar && office->n_calendars)
		office->default_calendar = &office->calendars[0];
	load_reports(l);
}
