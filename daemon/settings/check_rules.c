/* Rules that cannot do what their author meant. Keywords are compared as the matcher sees them. */
#include "core/time/moment.h"
#include "core/understand/text.h"
#include "settings/load.h"

enum { SOON_DAYS = 30 };

static const char *const *shadows(struct loader *l, const struct texts *words)
{
	const char **v = arena_alloc(l->arena, (words->n + 1) * sizeof(*v));

	for (size_t i = 0; i < words->n; i++)
		v[i] = text_shadow(l->arena, words->v[i]);
	return v;
}

/* A word of `none` that stands inside `word`: a text with the one has the other. */
static const char *forbidden(const char *word, const char *const *none, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (*none[i] && strstr(word, none[i]))
			return none[i];
	return NULL;
}

static void check_words(struct loader *l, const struct when *when, const struct node *at)
{
	const char *const *none = shadows(l, &when->none), *const *any = shadows(l, &when->any);
	const char *const *all = shadows(l, &when->all);
	const char *word = NULL;
	size_t dead = 0;

	for (size_t i = 0; i < when->any.n; i++)
		dead += forbidden(any[i], none, when->none.n) != NULL;
	if (when->any.n && dead == when->any.n)
		word = any[0];
	for (size_t i = 0; i < when->all.n && !word; i++)
		if (forbidden(all[i], none, when->none.n))
			word = all[i];
	if (word)
		lint_add(&l->lint, "E30", &at->at, _("take the word out of `none`, or the rule out"),
			   _("this can never match: a text with “%s” also has “%s”, which `none` forbids"), word,
			   forbidden(word, none, when->none.n));
}

static bool is_below(const char *path, const char *tree)
{
	size_t n = strlen(tree);

	return strncmp(path, tree, n) == 0 && (!path[n] || path[n] == '/');
}

/* A channel that sets a constant category or urgency decides some conditions before any message comes. */
static bool constant_fails(const struct channel *channel, const struct when *when)
{
	for (size_t i = 0; i < channel->n_set; i++) {
		const struct member_set *set = &channel->set[i];
		int urgency = name_index(urgency_names, N_URGENCY, set->text);
		bool fits = !when->category.n;

		if (strcmp(set->member, "urgency") == 0 && when->urgency && urgency >= 0 &&
		    !(when->urgency & (1u << urgency)))
			return true;
		if (strcmp(set->member, "category") != 0)
			continue;
		for (size_t k = 0; k < when->category.n; k++)
			fits |= is_below(set->text, when->category.v[k]);
		if (!fits)
			return true;
	}
	return false;
}

static void check_constants(struct loader *l, const struct when *when, const struct node *at)
{
	const struct office *office = &l->settings->office;

	/* A name that nobody defines was said to be wrong: nothing follows from it. */
	for (size_t i = 0; i < when->category.n; i++)
		if (!map_get(&office->category_by_path, when->category.v[i]))
			return;
	for (size_t i = 0; i < when->channel.n; i++) {
		const struct channel *channel = map_get(&office->channel_by_id, when->channel.v[i]);

		if (!channel || !constant_fails(channel, when))
			return;
	}
	if (when->channel.n)
		lint_add(&l->lint, "E30", &at->at, _("compare with `set:` of the channel"),
			   _("this can never match: channel “%s” sets another category or urgency"),
			   when->channel.v[0]);
}

static bool has_condition(const struct when *when)
{
	return when->channel.n || when->category.n || when->grid.n || when->device.n || when->urgency ||
	       when->n_during || when->any.n || when->all.n || when->none.n || when->regex.n || when->secret >= 0;
}

static void check_when(struct loader *l, const struct when *when, const struct node *item)
{
	const struct node *at = node_key(item, "when");

	if (!at)
		return;
	check_words(l, when, at);
	check_constants(l, when, at);
}

static void check_until(struct loader *l, const struct rule *rule, const struct node *item)
{
	const struct node *at = node_get(item, "until");

	if (rule->until == MOMENT_NONE || !at)
		return;
	if (rule->until <= l->now)
		lint_add(&l->lint, "W08", &at->at, _("give it a later day or take the rule out"),
			   _("the rule “%s” has ended and never matches"), rule->id);
	else if (rule->until - l->now <= SOON_DAYS * MOMENT_DAY_US)
		lint_add(&l->lint, "W08", &at->at, _("give it a later day in time, if it shall go on"),
			   _("the rule “%s” ends within %d days"), rule->id, SOON_DAYS);
}

static const struct key_info *rule_row(struct loader *l)
{
	return key_child(scope_in(scope_root(l), "rules").row, "[]");
}

/* `when:` left out, or {}, or {text: {}}: no more is said by the one than by the other. */
static bool says_nothing(const struct node *node)
{
	if (node->kind != NODE_MAP)
		return false;
	for (size_t i = 0; i < node->n; i++)
		if (!says_nothing(node->items[i]))
			return false;
	return true;
}

void check_rules(struct loader *l)
{
	const struct office *office = &l->settings->office;
	const struct node *rules = node_get(l->root, "rules"), *copies = node_get(l->root, "copies");

	for (size_t i = 0; i < office->n_rules; i++) {
		const struct rule *rule = &office->rules[i];
		const struct node *item = rules->items[i], *id = node_get(item, "id"), *when = node_get(item, "when");

		check_when(l, &rule->when, item);
		check_until(l, rule, item);
		/* A `when` that is wrong reads as none; then the wrong part is what is said. */
		if (!has_condition(&rule->when) && i + 1 < office->n_rules &&
		    (when ? says_nothing(when) : key_is_missing(rule_row(l), item, "when")))
			lint_add(&l->lint, "E32", id ? &id->at : &item->at,
				   _("give it a condition, or make it the last rule"),
				   _("the rule “%s” has no condition, so no rule after it ever matches"), rule->id);
	}
	for (size_t i = 0; i < office->n_copies; i++)
		check_when(l, &office->copies[i].when, copies->items[i]);
}
