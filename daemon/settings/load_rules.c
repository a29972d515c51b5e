/* The exceptions: rules in the order of the files, and copies. */
#include "base/err.h"
#include "core/time/moment.h"
#include "core/understand/route.h"
#include "settings/load.h"
#include "settings/types.h"

static uint32_t urgency_bits(struct scope s)
{
	struct texts names = scope_texts(s, "urgency");
	uint32_t bits = 0;

	for (size_t i = 0; i < names.n; i++) {
		int urgency = name_index(urgency_names, N_URGENCY, names.v[i]);

		if (urgency >= 0)
			bits |= 1u << urgency;
	}
	return bits;
}

static void load_during(struct scope s, struct when *when)
{
	const struct office *office = &s.l->settings->office;
	struct texts names = scope_texts(s, "during");
	const struct window **windows = arena_alloc(s.l->arena, (names.n + 1) * sizeof(*windows));

	for (size_t i = 0; i < names.n; i++)
		for (size_t k = 0; k < office->n_windows; k++)
			if (strcmp(office->windows[k].name, names.v[i]) == 0)
				windows[when->n_during++] = &office->windows[k];
	when->during = windows;
}

static void load_when(struct scope rule, struct when *when)
{
	struct scope s = scope_in(rule, "when"), text = scope_in(s, "text"), reporter = scope_in(s, "reporter");

	when->channel = scope_texts(s, "channel");
	when->category = scope_texts(s, "category");
	when->grid = scope_texts(s, "grid");
	when->device = scope_texts(s, "device");
	when->urgency = urgency_bits(s);
	load_during(s, when);
	when->any = scope_texts(text, "any");
	when->all = scope_texts(text, "all");
	when->none = scope_texts(text, "none");
	when->regex = scope_texts(text, "regex");
	when->secret = (int8_t)scope_bool(reporter, "secret");
}

static void load_then(struct scope rule, struct then *then)
{
	struct scope s = scope_in(rule, "then");
	struct department_list supports = scope_depts(s, "supports");

	then->dept = scope_dept(s, "dept");
	then->urgency = (int8_t)scope_enum(s, "urgency");
	then->policy = scope_policy(s, "policy");
	then->supports = supports.v;
	then->n_supports = supports.n;
	then->visibility = (int8_t)scope_enum(s, "visibility");
	then->horizon = scope_text(s, "horizon");
}

/* The item's id; E21 when an earlier item of the same list has it. */
static const char *load_id(struct scope s, struct map *seen)
{
	const struct node *node = scope_node(s, "id");
	const struct node *first;

	if (!node || node->kind != NODE_TEXT)
		return "";
	first = map_put(seen, node->text, (void *)(uintptr_t)node);
	if (first)
		lint_add(&s.l->lint, "E21", &node->at, _("give each an id of its own"),
			   _("the id “%s” is used already, in %s line %d"), node->text, first->at.source->name,
			   first->at.line);
	return node->text;
}

static void load_copies(struct loader *l)
{
	CLEANUP(map_done) struct map seen = {0};
	struct scope s = scope_in(scope_root(l), "copies");
	size_t n = s.map && s.map->kind == NODE_LIST ? s.map->n : 0;
	struct copy_rule *copies = arena_alloc(l->arena, (n + 1) * sizeof(*copies));

	for (size_t i = 0; i < n; i++) {
		struct scope one = scope_item(s, i);
		struct department_list to = scope_depts(one, "to");

		copies[i].id = load_id(one, &seen);
		load_when(one, &copies[i].when);
		copies[i].to = to.v;
		copies[i].n_to = to.n;
		copies[i].file = one.map->at.source->name;
		copies[i].line = one.map->at.line;
	}
	l->settings->office.copies = copies;
	l->settings->office.n_copies = n;
}

void load_rules(struct loader *l)
{
	CLEANUP(map_done) struct map seen = {0};
	struct scope s = scope_in(scope_root(l), "rules");
	size_t n = s.map && s.map->kind == NODE_LIST ? s.map->n : 0;
	struct rule *rules = arena_alloc(l->arena, (n + 1) * sizeof(*rules));
	struct office *office = &l->settings->office;

	for (size_t i = 0; i < n; i++) {
		struct scope one = scope_item(s, i);
		const char *until = scope_text(one, "until");
		int32_t day;

		rules[i].id = load_id(one, &seen);
		load_when(one, &rules[i].when);
		load_then(one, &rules[i].then);
		rules[i].owner = scope_text(one, "owner");
		rules[i].until = until && type_date(until, &day) ? moment_of_day(day, 1440) : MOMENT_NONE;
		rules[i].file = one.map->at.source->name;
		rules[i].line = one.map->at.line;
		map_put(&office->rule_by_id, rules[i].id, &rules[i]);
	}
	office->rules = rules;
	office->n_rules = n;
	load_copies(l);
}
