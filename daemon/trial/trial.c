/*
 * What a test compares is a table: a name, and how the decision says it. A failure tells what was
 * wanted, what came, and why, so that a clerk need not ask `explain` as well.
 */
#include "trial/trial.h"

#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "core/life/clocks.h"
#include "core/time/moment.h"
#include "settings/lint.h"
#include "settings/table.h"
#include "settings/types.h"
#include "settings/yaml.h"
#include "trial/parts.h"
#include "trial/sample.h"

static const char *kept(struct attempt *at, const char *text)
{
	return text ? arena_strdup(&at->trial->arena, text) : NULL;
}

void attempt_fail(struct attempt *at, const struct mark *mark, const char *field, const char *want, const char *got,
		  const char *why)
{
	VEC_PUSH(at->failures, (struct trial_failure){.test = at->test, .mark = *mark, .field = kept(at, field),
						      .want = kept(at, want), .got = kept(at, got),
						      .why = kept(at, why),
						      .unwanted = strncmp(field, "not_", 4) == 0});
}

const char *attempt_time(int64_t at, struct arena *a)
{
	struct civil c = moment_civil(at);

	if (at == MOMENT_NONE)
		return NULL;
	if (!c.second)
		return arena_printf(a, "%04d-%02d-%02d %02d:%02d", c.year, c.month, c.day, c.hour, c.minute);
	return arena_printf(a, "%04d-%02d-%02d %02d:%02d:%02d", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

static json_t *scalar_json(const struct key_info *row, const char *text)
{
	double number;
	bool flag;

	if (row->type == KEY_BOOL && type_bool(text, &flag))
		return json_boolean(flag);
	if (row->type == KEY_NUMBER && type_number(text, &number))
		return json_real(number);
	return json_string(text);
}

json_t *attempt_json(const struct key_info *row, const struct node *node)
{
	bool is_list = row->type == KEY_LIST;
	json_t *json;

	if (node_is_empty(node) || node->kind == NODE_BAD || (!is_list && node->kind == NODE_LIST))
		return json_null();
	if (!is_list && node->kind == NODE_TEXT)
		return scalar_json(row, node->text);
	json = is_list ? json_array() : json_object();
	if (node->kind == NODE_TEXT)
		json_array_append_new(json, attempt_json(key_child(row, "[]"), node));
	for (size_t i = 0; i < node->n; i++) {
		const char *name = is_list ? "[]" : node->keys[i]->text;
		const struct key_info *child = key_child(row, row->type == KEY_NAMED ? "*" : name);

		if (is_list)
			json_array_append_new(json, attempt_json(child, node->items[i]));
		else if (child)
			json_object_set_new(json, name, attempt_json(child, node->items[i]));
	}
	return json;
}

/* ---- the decision ---- */

static const char *want_of(const struct test_value *value)
{
	return value->texts.n ? value->texts.v[0] : "";
}

/* Why a rule that was expected did not win. */
static const char *why_not(struct attempt *at, const char *id)
{
	const struct rule *rule = map_get(&at->office->rule_by_id, id);
	const struct report *report = &at->understood.reports[0];
	const char *failed, *place;

	if (!rule)
		return _("there is no rule of that name");
	place = arena_printf(&at->scratch, "%s:%d", rule->file, rule->line);
	failed = route_failed_field(at->office, &rule->when, report, &at->scratch);
	if (failed)
		return arena_printf(&at->scratch, _("%s does not match (%s)"), failed, place);
	if (rule->until != MOMENT_NONE && report->received_at >= rule->until)
		return arena_printf(&at->scratch, _("it has ended (%s)"), place);
	return arena_printf(&at->scratch, _("an earlier rule wins: %s"), at->decision.why);
}

/* `rule: null`, as explain prints it: the category or the fallback decides. */
static bool means_no_rule(const struct office *office, const char *want)
{
	return (str_equal(want, "null") || str_equal(want, "~")) && !map_get(&office->rule_by_id, want);
}

static void check_rule(struct attempt *at, const struct test_value *value)
{
	const char *want = want_of(value), *got = at->decision.rule ? at->decision.rule->id : NULL;

	if (means_no_rule(at->office, want)) {
		if (got)
			attempt_fail(at, &value->at, value->key, want, got, at->decision.why);
	} else if (!str_equal(want, got))
		attempt_fail(at, &value->at, value->key, want, got, why_not(at, want));
}

static void check_not_rule(struct attempt *at, const struct test_value *value)
{
	const char *id = want_of(value), *got = at->decision.rule ? at->decision.rule->id : NULL;

	/* A rule that was renamed would be missed for ever without a sound. */
	if (!map_get(&at->office->rule_by_id, id))
		attempt_fail(at, &value->at, value->key, id, got, _("there is no rule of that name"));
	else if (str_equal(id, got))
		attempt_fail(at, &value->at, value->key, id, got, at->decision.why);
}

static void compare(struct attempt *at, const struct test_value *value, const char *got)
{
	if (!str_equal(want_of(value), got))
		attempt_fail(at, &value->at, value->key, want_of(value), got, at->decision.why);
}

static void check_source(struct attempt *at, const struct test_value *value)
{
	compare(at, value, route_source_names[at->decision.source]);
}

static void check_dept(struct attempt *at, const struct test_value *value)
{
	compare(at, value, at->decision.dept->id);
}

static void check_urgency(struct attempt *at, const struct test_value *value)
{
	compare(at, value, urgency_names[at->decision.urgency]);
}

static bool is_copied(const struct decision *d, const char *dept)
{
	for (size_t i = 0; i < d->n_copies; i++)
		if (strcmp(d->copies[i]->id, dept) == 0)
			return true;
	return false;
}

static bool is_wanted(const struct test_value *value, const char *dept)
{
	for (size_t i = 0; i < value->texts.n; i++)
		if (strcmp(value->texts.v[i], dept) == 0)
			return true;
	return false;
}

/* These and no others, in whatever order. */
static void check_copies(struct attempt *at, const struct test_value *value)
{
	CLEANUP(str_done) struct str want = {0}, got = {0};
	const struct decision *d = &at->decision;
	bool same = true;

	str_addc(&want, '[');
	str_addc(&got, '[');
	for (size_t i = 0; i < value->texts.n; i++) {
		same = same && is_copied(d, value->texts.v[i]);
		str_addf(&want, "%s%s", i ? ", " : "", value->texts.v[i]);
	}
	for (size_t i = 0; i < d->n_copies; i++) {
		same = same && is_wanted(value, d->copies[i]->id);
		str_addf(&got, "%s%s", i ? ", " : "", d->copies[i]->id);
	}
	str_addc(&want, ']');
	str_addc(&got, ']');
	if (!same)
		attempt_fail(at, &value->at, value->key, want.s, got.s, at->decision.why);
}

static void check_provisional(struct attempt *at, const struct test_value *value)
{
	static const char *const words[] = {"false", "true"};
	bool want = test_value_is_yes(value), got = at->record.leg.provisional;

	if (want != got)
		attempt_fail(at, &value->at, value->key, words[want], words[got], NULL);
}

static void check_due(struct attempt *at, const struct test_value *value)
{
	int clock = name_index(clock_names, N_CLOCKS, value->key + strlen("due."));
	int64_t want = MOMENT_NONE, got = clock < 0 ? MOMENT_NONE : at->record.leg.due[clock];
	const struct policy *policy = at->decision.policy;
	const char *why = clock >= 0 && policy && policy->text[clock]
		? arena_printf(&at->scratch, "%s: %s", policy->name, policy->text[clock]) : NULL;

	moment_parse(want_of(value), &want);
	if (want != got)
		attempt_fail(at, &value->at, value->key, attempt_time(want, &at->scratch),
			     attempt_time(got, &at->scratch), why);
}

static const struct {
	const char *key;
	void (*check)(struct attempt *at, const struct test_value *value);
} checks[] = {
	{"rule", check_rule}, {"not_rule", check_not_rule}, {"source", check_source}, {"dept", check_dept},
	{"copies", check_copies}, {"urgency", check_urgency}, {"provisional", check_provisional},
	{"due.accept", check_due}, {"due.contact", check_due}, {"due.resolve", check_due}, {"due.feedback", check_due},
};

static void check_decision(struct attempt *at)
{
	for (size_t i = 0; i < at->test->expect.n; i++)
		for (size_t k = 0; k < ARRAY_LEN(checks); k++)
			if (strcmp(checks[k].key, at->test->expect.v[i].key) == 0)
				checks[k].check(at, &at->test->expect.v[i]);
}

/* ---- one test ---- */

static int understand_it(struct attempt *at, struct err *e)
{
	/* Members that stand flat here for a clerk's sake and deeper in a report. */
	static const struct {
		const char *key, *path;
	} deeper[] = {{"grid", "place.grid"}, {"address", "place.address"}};
	const struct test_values *in = &at->test->in;
	const struct test_value *id = test_value(in, "channel");
	const struct channel *channel = id ? map_get(&at->office->channel_by_id, want_of(id)) : NULL;
	json_t *members;
	int r;

	if (!channel)
		return err_set(e, ERR_BAD, "the message has no channel");
	members = json_object();
	for (size_t i = 0; i < in->n; i++) {
		const char *path = in->v[i].key;

		if (&in->v[i] == id)
			continue;
		for (size_t k = 0; k < ARRAY_LEN(deeper); k++)
			if (strcmp(deeper[k].key, path) == 0)
				path = deeper[k].path;
		sample_put(members, path, attempt_json(in->v[i].row, in->v[i].node));
	}
	r = sample_understand(at->office, channel, members, at->test->now, &at->scratch, &at->understood, e);
	json_decref(members);
	if (r == 0 && !at->understood.n_reports)
		r = err_set(e, ERR_BAD, "this is no report");
	return r;
}

static void note_rules(const struct attempt *at, bool *near)
{
	const struct rule *rules = at->office->rules;

	if (at->decision.rule)
		at->trial->rule_won[at->decision.rule - rules] = true;
	for (size_t i = 0; i < at->decision.n_near; i++)
		near[at->decision.near[i].rule - rules] = true;
}

static void run_one(struct attempt *at, bool *near)
{
	size_t before = at->failures->n;
	struct err e = {0};

	if (at->test->n_talk) {
		attempt_talk(at);
	} else if (understand_it(at, &e) < 0) {
		attempt_fail(at, &at->test->mark, "in", _("a report"), err_said(&e), NULL);
	} else {
		route(at->office, &at->understood.reports[0], &at->scratch, ROUTE_NEAR, &at->decision);
		note_rules(at, near);
		life_open(at->office, &at->understood.reports[0], &at->decision,
			  arena_printf(&at->scratch, "%s%012d", at->office->prefix, 1), at->test->now, &at->scratch,
			  &at->record, &at->opening);
		check_decision(at);
		attempt_play(at);
	}
	understood_done(&at->understood);
	if (at->failures->n == before)
		at->trial->passed++;
	else
		at->trial->failed++;
}

/* ---- all of them ---- */

static void keep_failures(struct trial *trial, failure_list *failures)
{
	trial->failures = arena_alloc(&trial->arena, (failures->n + 1) * sizeof(*trial->failures));
	if (failures->n)
		memcpy(trial->failures, failures->v, failures->n * sizeof(*trial->failures));
	trial->n_failures = failures->n;
}

void trial_run(const struct settings *settings, struct trial *ret)
{
	const struct office *office = &settings->office;
	failure_list failures = {0};
	bool *near;

	*ret = (struct trial){.rules = office->n_rules};
	ret->rule_won = arena_alloc(&ret->arena, office->n_rules + 1);
	near = arena_alloc(&ret->arena, office->n_rules + 1);
	for (size_t i = 0; i < settings->n_tests; i++) {
		struct attempt at = {.office = office, .test = &settings->tests[i], .trial = ret,
				     .failures = &failures};

		run_one(&at, near);
		arena_done(&at.scratch);
	}
	for (size_t i = 0; i < office->n_rules; i++) {
		ret->won += ret->rule_won[i];
		ret->near += near[i];
	}
	ret->percent = ret->rules ? (int)(100 * ret->won / ret->rules) : 100;
	keep_failures(ret, &failures);
	VEC_DONE(&failures);
}

void trial_done(struct trial *trial)
{
	arena_done(&trial->arena);
}

/* ---- as findings ---- */

static void add_failures(struct lint *lint, const struct trial *trial)
{
	for (size_t i = 0, next; i < trial->n_failures; i = next) {
		const struct trial_failure *f = &trial->failures[i];

		for (next = i + 1; next < trial->n_failures && trial->failures[next].test == f->test;)
			next++;
		lint_add(lint, "E60", &f->mark, _("correct the rule, or the test where it is the test that is wrong"),
			 f->unwanted ? _("the test “%s” fails: %s says that %s must not be, but there is %s")
				     : _("the test “%s” fails: %s should be %s, but is %s"),
			 f->test->name, f->field, f->want, f->got ? f->got : _("nothing"));
	}
}

static const char *not_won(const struct trial *trial, const struct settings *settings, struct arena *a)
{
	CLEANUP(str_done) struct str t = {.max = 300};

	for (size_t i = 0; i < trial->rules; i++)
		if (!trial->rule_won[i] && t.len < 200)
			str_addf(&t, "%s%s", t.len ? _(", ") : "", settings->office.rules[i].id);
		else if (!trial->rule_won[i]) {
			str_add(&t, " …");
			break;
		}
	return arena_printf(a, _("write a test for each of: %s"), t.len ? t.s : "");
}

static void add_coverage(struct lint *lint, const struct trial *trial, const struct settings *settings)
{
	const struct node *node = node_get(node_get(settings->tree, "reload"), "min_coverage");

	if (trial->percent < settings->reload.min_coverage)
		lint_add(lint, "E60", node ? &node->at : NULL, not_won(trial, settings, lint->arena),
			 _("the tests win %zu of %zu rules, %d %%; reload.min_coverage asks for %d %%"), trial->won,
			 trial->rules, trial->percent, settings->reload.min_coverage);
}

void trial_findings(struct trial *trial, const struct settings *settings, struct findings *ret)
{
	struct lint lint = {.arena = &trial->arena};
	struct findings more;

	add_failures(&lint, trial);
	add_coverage(&lint, trial, settings);
	lint_finish(&lint, &more);
	lint_done(&lint);
	*ret = settings->findings;
	findings_join(ret, &more, &trial->arena);
}
