/*
 * Files of tests. They go through the same reader and the same kind of table as the configuration, but
 * they are no part of it: a test decides nothing, so it is not in the hash, and a name that only a
 * test uses counts as unused. What is expected is not looked up here: a department that does not exist
 * is a test that fails, and says so.
 */
#include "base/err.h"
#include "base/vec.h"
#include "core/time/moment.h"
#include "settings/load.h"
#include "settings/tests.h"
#include "settings/types.h"

typedef VEC(struct test_value) value_list;

static void flatten(struct scope s, const char *prefix, value_list *list)
{
	for (size_t i = 0; s.map && s.map->kind == NODE_MAP && i < s.map->n; i++) {
		const char *key = s.map->keys[i]->text;
		const struct key_info *row = key_child(s.row, key);
		const struct node *node = scope_node(s, key);
		const char *path = arena_printf(s.l->arena, "%s%s%s", prefix, *prefix ? "." : "", key);

		if (!row || !node)
			continue;
		if (row->type == KEY_MAP)
			flatten(scope_in(s, key), path, list);
		else
			VEC_PUSH(list, (struct test_value){.key = path, .row = row, .node = node, .texts = scope_texts(s, key),
							   .at = node->at});
	}
}

static struct test_values values_of(struct scope s)
{
	value_list list = {0};
	struct test_value *v;
	size_t n;

	flatten(s, "", &list);
	n = list.n;
	v = arena_alloc(s.l->arena, (n + 1) * sizeof(*v));
	if (n)
		memcpy(v, list.v, n * sizeof(*v));
	VEC_DONE(&list);
	return (struct test_values){v, n};
}

static void missing(struct loader *l, const struct mark *at, const char *what, const char *why)
{
	lint_add(&l->lint, "E11", at, arena_printf(l->arena, _("add `%s:`"), what), "%s", why);
}

static void check_do(struct scope s, const struct test_step *step)
{
	const struct test_value *action = test_value(&step->act, "action"), *kind = test_value(&step->act, "kind");

	if (!step->acts)
		return;
	if (!action && !kind)
		missing(s.l, &step->mark, "action", _("`do` says neither a department's action nor what a reporter does"));
	else if (action && kind)
		lint_add(&s.l->lint, "E12", &kind->at, _("make two moments of it"),
			 _("a department's action and what a reporter does in one `do`"));
	else if (action && !test_value(&step->act, "dept"))
		missing(s.l, &action->at, "dept", _("`do` does not say which department acts"));
}

static void load_step(struct scope s, struct test_step *step)
{
	const char *text = scope_text(s, "at");
	struct err e;
	size_t at;

	*step = (struct test_step){.mark = scope_mark(s, "at"), .text = text, .at = MOMENT_NONE,
				   .acts = scope_node(s, "do"), .act = values_of(scope_in(s, "do")),
				   .expect = values_of(scope_in(s, "expect"))};
	if (text && *text == '+')
		step->has_span = deadline_parse(text + 1, s.l->arena, &step->span, &at, &e) == 0;
	else if (text)
		moment_parse(text, &step->at);
	check_do(s, step);
}

static void load_timeline(struct scope s, struct test *test)
{
	size_t n = s.map && s.map->kind == NODE_LIST ? s.map->n : 0;
	struct test_step *steps = arena_alloc(s.l->arena, (n + 1) * sizeof(*steps));

	for (size_t i = 0; i < n; i++)
		load_step(scope_item(s, i), &steps[i]);
	test->steps = steps;
	test->n_steps = n;
}

/* A turn of a conversation: what stands beside `at` and `expect` is what is said. */
static void load_talk_turn(struct scope s, struct test_step *step)
{
	static const char *const said[] = {"say", "address", "picture", "hear"};
	struct test_values all = values_of(s);
	struct test_value *act = arena_alloc(s.l->arena, (all.n + 1) * sizeof(*act));
	const char *text = scope_text(s, "at");
	struct err e;
	size_t at;

	*step = (struct test_step){.mark = scope_mark(s, "at"), .text = text, .at = MOMENT_NONE,
				   .expect = values_of(scope_in(s, "expect"))};
	for (size_t i = 0; i < all.n; i++)
		for (size_t k = 0; k < ARRAY_LEN(said); k++)
			if (strcmp(all.v[i].key, said[k]) == 0)
				act[step->act.n++] = all.v[i];
	step->act.v = act;
	step->acts = step->act.n;
	if (text && *text == '+')
		step->has_span = deadline_parse(text + 1, s.l->arena, &step->span, &at, &e) == 0;
	else if (text)
		moment_parse(text, &step->at);
}

static void load_talk_turns(struct scope s, struct test *test)
{
	size_t n = s.map && s.map->kind == NODE_LIST ? s.map->n : 0;
	struct test_step *turns = arena_alloc(s.l->arena, (n + 1) * sizeof(*turns));

	for (size_t i = 0; i < n; i++)
		load_talk_turn(scope_item(s, i), &turns[i]);
	test->talk = turns;
	test->n_talk = n;
}

static void load_one(struct scope s, int64_t now, struct test *test)
{
	const char *name = scope_text(s, "name");

	*test = (struct test){.name = name ? name : "", .file = s.map->at.source->name, .mark = scope_mark(s, "name"),
			      .now = now, .in = values_of(scope_in(s, "in")), .expect = values_of(scope_in(s, "expect"))};
	load_timeline(scope_in(s, "timeline"), test);
	load_talk_turns(scope_in(s, "talk"), test);
	if (test->n_talk && (test->expect.n || test->n_steps))
		lint_add(&s.l->lint, "E12", &test->mark, _("make two tests of it"),
			 _("a conversation and one message in one test"));
	if (!test->expect.n && !test->n_steps && !test->n_talk)
		missing(s.l, &test->mark, "expect", _("the test expects nothing"));
}

static struct node *read_file(struct loader *l, const struct node *item)
{
	struct source *source = arena_alloc(l->arena, sizeof(*source));
	struct node *file;
	struct err e = {0};

	if (source_read(l->folder, item->text, SOURCE_MAX, l->arena, source, &e) < 0) {
		lint_add(&l->lint, "E52", &item->at, _("correct the name or take it out"), "%s", e.text);
		return NULL;
	}
	source->order = ++l->n_sources;
	loader_keep(l, source, FILE_TESTS);
	file = yaml_parse(source, &l->lint);
	if (!file || file->kind == NODE_BAD)
		return NULL;
	if (file->kind != NODE_MAP)
		lint_add(&l->lint, "E12", &file->at, _("begin with `now:`, then `tests:`"),
			 _("the file must hold keys with values"));
	return file->kind == NODE_MAP ? file : NULL;
}

typedef VEC(struct test) test_list;

static void load_file(struct loader *l, const struct node *item, test_list *list)
{
	const struct node *file = read_file(l, item);
	size_t n;
	struct scope s = {.l = l, .row = settings_test_keys(&n), .map = file}, tests;
	const char *now = file ? scope_text(s, "now") : NULL;
	int64_t at = MOMENT_NONE;

	if (!file)
		return;
	shape_check(l, s.row, file);
	if (now)
		moment_parse(now, &at);
	tests = scope_in(s, "tests");
	for (size_t i = 0; tests.map && tests.map->kind == NODE_LIST && i < tests.map->n; i++) {
		struct test test;

		if (tests.map->items[i]->kind != NODE_MAP)
			continue;
		load_one(scope_item(tests, i), at, &test);
		VEC_PUSH(list, test);
	}
}

void load_tests(struct loader *l)
{
	const struct node *files = scope_node(scope_root(l), "tests");
	size_t n = files && files->kind == NODE_LIST ? files->n : 0;
	struct settings *settings = l->settings;
	test_list list = {0};
	struct test *v;

	l->unsure = l->lint.n_errors;
	for (size_t i = 0; i < n; i++)
		if (files->items[i]->kind == NODE_TEXT && type_path(files->items[i]->text))
			load_file(l, files->items[i], &list);
	v = arena_alloc(l->arena, (list.n + 1) * sizeof(*v));
	if (list.n)
		memcpy(v, list.v, list.n * sizeof(*v));
	settings->tests = v;
	settings->n_tests = list.n;
	VEC_DONE(&list);
}

const struct test_value *test_value(const struct test_values *values, const char *key)
{
	for (size_t i = 0; i < values->n; i++)
		if (strcmp(values->v[i].key, key) == 0)
			return &values->v[i];
	return NULL;
}

bool test_value_is_yes(const struct test_value *value)
{
	bool yes = false;

	return value->texts.n && type_bool(value->texts.v[0], &yes) && yes;
}
