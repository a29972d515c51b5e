/*
 * What a configuration means, beyond its shape: one function a question, in one table. A check that
 * reasons about the whole runs only while the names hold, so that one wrong name does not draw a dozen
 * findings after it.
 */
#include "settings/check.h"
#include "settings/load.h"
#include "settings/types.h"

static const struct {
	void (*run)(struct loader *l);
	bool needs_sound;               /* skipped once there is an error */
} checks[] = {
	{check_departments, false},
	{check_topics, false},
	{check_hours, false},
	{check_policies, false},
	{check_statistics, false},
	{check_rules, false},
	{check_shadow, true},
	{check_style, true},
	{check_duty, true},
	{check_ladders, true},
	{check_categories, true},
	{check_years, true},
	{check_unused, true},
};

void check_all(struct loader *l)
{
	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		if (!checks[i].needs_sound || !l->lint.n_errors)
			checks[i].run(l);
}

void check_departments(struct loader *l)
{
	static const char *const reserved[] = {"lead", "leader", "supports"};
	const struct office *office = &l->settings->office;
	const struct node *section = node_get(l->root, "departments");

	for (size_t i = 0; i < office->n_departments; i++) {
		const struct department *dept = &office->departments[i], *up = dept->superior;
		const struct node *superior = node_get(section->items[i], "superior");

		if (name_index(reserved, ARRAY_LEN(reserved), dept->id) >= 0)
			lint_add(&l->lint, "E25", &section->keys[i]->at, _("choose another id"),
				   _("“%s” has a meaning of its own in `to:`"), dept->id);
		for (size_t steps = 0; up && up != dept && steps < office->n_departments; steps++)
			up = up->superior;
		if (up == dept && superior)
			lint_add(&l->lint, "E23", &superior->at, _("the top department has no superior"),
				   _("“%s” is its own superior, over others"), dept->id);
	}
}

void check_categories(struct loader *l)
{
	const struct office *office = &l->settings->office;
	const struct node *section = node_get(l->root, "categories");

	for (size_t i = 0; i < office->n_categories; i++)
		if (!office->categories[i].dept)
			lint_add(&l->lint, "W02", &section->keys[i]->at, _("add `dept:` here or to a category above"),
				   _("“%s” has no department and goes to the fallback"), office->categories[i].path);
}

static const struct node *filter_node(const struct loader *l, size_t channel, size_t i)
{
	const struct node *section = node_get(l->root, "channels");
	const struct node *list = node_get(section->items[channel], "subscribe");

	return list && i < scope_list_length(list) ? scope_list_item(list, i) : section->keys[channel];
}

static void check_loop(struct loader *l, size_t channel, size_t i)
{
	static const char *const outputs[] = {"receipt/+/+", "dept/+/event/+", "dept/+/queue/+", "dept/+/summary",
					      "dept/+/cmd", "dept/+/result", "out/+/+", "report/+", "public/+", "wall",
					      "gateway/+/status"};
	const struct office *office = &l->settings->office;
	const char *filter = office->channels[channel].filters[i];

	for (size_t k = 0; k < ARRAY_LEN(outputs); k++) {
		const char *topic = arena_printf(l->arena, "needle/%s/%s", office->tenant, outputs[k]);

		if (!filters_overlap(filter, topic))
			continue;
		lint_add(&l->lint, "E27", &filter_node(l, channel, i)->at,
			   _("subscribe to what others send, such as needle/{tenant}/in/{channel}/+"),
			   _("“%s” would take in what the gateway or a department sends (%s)"), filter, topic);
		return;
	}
}

/* The first filter before (channel, i) that shares topics with it. */
static void check_overlap(struct loader *l, size_t channel, size_t i)
{
	const struct channel *channels = l->settings->office.channels;
	const char *filter = channels[channel].filters[i];

	for (size_t c = 0; c <= channel; c++)
		for (size_t k = 0; k < (c == channel ? i : channels[c].n_filters); k++)
			if (filters_overlap(channels[c].filters[k], filter)) {
				lint_add(&l->lint, "E26", &filter_node(l, channel, i)->at,
					   _("make the two filters differ in a level that is no wildcard"),
					   _("“%s” overlaps “%s” of channel “%s”: a message would enter twice"), filter,
					   channels[c].filters[k], channels[c].id);
				return;
			}
}

void check_topics(struct loader *l)
{
	const struct office *office = &l->settings->office;

	for (size_t c = 0; c < office->n_channels; c++)
		for (size_t i = 0; i < office->channels[c].n_filters; i++) {
			check_loop(l, c, i);
			check_overlap(l, c, i);
		}
}

/* A body that is called by hand (a whistle, a transfer) needs no rule. */
static bool is_used(const struct loader *l, enum symbols kind, const struct symbol *symbol)
{
	const struct department *dept;

	if (symbol->used || kind == SYM_CHANNELS || kind == SYM_CATEGORIES)
		return true;
	dept = kind == SYM_DEPARTMENTS ? map_get(&l->settings->office.dept_by_id, symbol->key->text) : NULL;
	return dept && (dept->n_covers || dept->kind == DEPT_PARTNER || dept->kind == DEPT_SUPERVISOR);
}

void check_unused(struct loader *l)
{
	for (size_t k = 0; k < N_SYMBOLS; k++) {
		const struct node *section = node_get(l->root, symbol_sections[k]);

		for (size_t i = 0; section && i < section->n; i++) {
			const struct symbol *symbol = map_get(&l->symbols[k], section->keys[i]->text);

			if (symbol && !is_used(l, (enum symbols)k, symbol))
				lint_add(&l->lint, "W01", &symbol->key->at, _("use it or take it out"),
					   _("“%s” is defined under %s, but nothing uses it"), symbol->key->text,
					   symbol_sections[k]);
		}
	}
}
