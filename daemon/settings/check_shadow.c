/*
 * What rules do to one another: one that never wins, an entry without effect, one that says what the
 * category says anyway, two that only their order keeps apart. The proof is shadow.h's; here it
 * becomes sentences.
 */
#include "base/str.h"
#include "core/time/moment.h"
#include "settings/check.h"
#include "settings/load.h"
#include "settings/shadow.h"

struct shading {
	struct loader *l;
	struct shadow *shadow;
	const struct office *office;
	const struct node *rules;
	size_t *blamed;                 /* rule -> 1 + the last rule that lost something to it */
};

static const struct node *id_node(const struct shading *in, size_t rule)
{
	const struct node *item = in->rules->items[rule], *id = node_get(item, "id");

	return id ? id : item;
}

/* “燃气泄漏” (rules.yaml:4), “…” (…) and others */
static const char *takers(const struct shading *in, const struct shadow_proof *proof)
{
	struct arena *a = in->l->arena;
	const char *text = "";

	for (size_t i = 0; i < proof->n_by && i < SHADOW_BY; i++) {
		const struct rule *rule = &in->office->rules[proof->by[i]];
		const struct mark *at = &id_node(in, proof->by[i])->at;

		text = arena_printf(a, "%s%s“%s” (%s:%d)", text, i ? ", " : "", rule->id, at->source->name, at->line);
	}
	return proof->n_by > SHADOW_BY ? arena_printf(a, _("%s and others together"), text) :
	       proof->n_by > 1 ? arena_printf(a, _("%s together"), text) : text;
}

/* ---- E31, W03 -------------------------------------------------------------------------------- */

static void report_whole(const struct shading *in, size_t rule, const struct shadow_proof *proof)
{
	const char *id = in->office->rules[rule].id, *by = takers(in, proof), *own, *inside;
	const char *remedy = _("move it before that rule, or take it out");

	if (proof->n_by == 1 && shadow_word(in->shadow, proof->by[0], &own, &inside))
		remedy = arena_printf(in->l->arena,
				      _("every text with “%s” has “%s”: move this rule before that one, or take it out"),
				      own, inside);
	lint_add(&in->l->lint, "E31", &id_node(in, rule)->at, remedy,
		 _("the rule “%s” can never win: every message of it is taken before, by %s"), id, by);
}

static const struct {
	const char *group, *key;        /* below `when` */
	enum shadow_list list;
} lists[] = {
	{"text", "any", SHADOW_ANY},	     {NULL, "channel", SHADOW_CHANNEL}, {NULL, "category", SHADOW_CATEGORY},
	{NULL, "grid", SHADOW_GRID},	     {NULL, "device", SHADOW_DEVICE},	{NULL, "urgency", SHADOW_URGENCY},
	{NULL, "during", SHADOW_DURING},
};

static void report_entry(const struct shading *in, size_t rule, const struct node *entry,
			 const struct shadow_proof *proof)
{
	lint_add(&in->l->lint, "W03", &entry->at, _("take it out, or move the rule before that one"),
		 _("“%s” has no effect in the rule “%s”: it is taken before, by %s"), entry->text,
		 in->office->rules[rule].id, takers(in, proof));
	for (size_t i = 0; i < proof->n_by && i < SHADOW_BY; i++)
		in->blamed[proof->by[i]] = rule + 1;
}

static void check_list(const struct shading *in, size_t rule, size_t k)
{
	const struct node *when = node_get(in->rules->items[rule], "when"), *list;
	struct shadow_proof proof;

	list = node_get(lists[k].group ? node_get(when, lists[k].group) : when, lists[k].key);
	if (!list || list->kind != NODE_LIST || list->n < 2)
		return;
	for (size_t i = 0; i < list->n; i++) {
		const struct node *entry = list->items[i];
		const char *word = lists[k].list == SHADOW_ANY ? shadow_forbidden(in->shadow, i) : NULL;
		int urgency = name_index(urgency_names, N_URGENCY, entry->text);
		size_t at = lists[k].list == SHADOW_URGENCY ? (size_t)urgency : i;

		if (word)
			lint_add(&in->l->lint, "W03", &entry->at, _("take it out, or take the word out of `none`"),
				 _("“%s” has no effect in the rule “%s”: a text with it also has “%s”, which `none` forbids"),
				 entry->text, in->office->rules[rule].id, word);
		else if (shadow_entry(in->shadow, lists[k].list, at, &proof))
			report_entry(in, rule, entry, &proof);
	}
}

/* ---- W04 ------------------------------------------------------------------------------------- */

static bool is_below(const char *path, const char *tree)
{
	size_t n = strlen(tree);

	return strncmp(path, tree, n) == 0 && (!path[n] || path[n] == '/');
}

static bool gives(const struct then *then, const struct category *category)
{
	return category->dept == then->dept && (!then->policy || then->policy == category->policy);
}

/* Does every category that the rule names, and every one below, say the same by itself? */
static bool says_the_same(const struct office *office, const struct rule *rule)
{
	for (size_t i = 0; i < rule->when.category.n; i++) {
		const char *tree = rule->when.category.v[i];
		const struct category *own = map_get(&office->category_by_path, tree);

		/* A path that is only the beginning of others has no department of its own. */
		if (!own || !gives(&rule->then, own))
			return false;
		for (size_t k = 0; k < office->n_categories; k++)
			if (is_below(office->categories[k].path, tree) && !gives(&rule->then, &office->categories[k]))
				return false;
	}
	return rule->when.category.n > 0;
}

static bool same_then(const struct then *x, const struct then *y)
{
	return x->dept == y->dept && x->policy == y->policy && x->urgency == y->urgency && !y->n_supports &&
	       x->visibility == y->visibility && str_equal(x->horizon, y->horizon);
}

/* A rule that only keeps later ones away is not redundant. True: it was reported. */
static bool check_default(const struct shading *in, size_t i)
{
	const struct rule *rule = &in->office->rules[i];
	const struct then *then = &rule->then;

	if (then->urgency >= 0 || then->n_supports || then->visibility >= 0 || then->horizon ||
	    !says_the_same(in->office, rule))
		return false;
	for (size_t k = i + 1; k < in->office->n_rules; k++)
		if (shadow_may_meet(in->shadow, i, k) && !same_then(then, &in->office->rules[k].then))
			return false;
	lint_add(&in->l->lint, "W04", &id_node(in, i)->at, _("take the rule out: categories.yaml says it"),
		 _("the rule “%s” gives what its category gives anyway (%s)"), rule->id, then->dept->id);
	return true;
}

/* ---- W05 ------------------------------------------------------------------------------------- */

static const char *sample_text(struct arena *a, const struct shadow_sample *s)
{
	const struct {
		const char *name, *value;
	} fields[] = {
		{"text", s->text},	   {"channel", s->channel}, {"category", s->category},
		{"grid", s->grid},	   {"device", s->device},
		{"urgency", s->urgency < 0 ? NULL : urgency_names[s->urgency]},
		{"secret", s->secret < 0 ? NULL : s->secret ? "on" : "off"},
		{"at", s->minute < 0 ? NULL : arena_printf(a, "%02d:%02d", s->minute / 60, s->minute % 60)},
	};
	const char *text = "";

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].value)
			text = arena_printf(a, "%s%s%s: %s", text, *text ? ", " : "", fields[i].name, fields[i].value);
	return text;
}

static bool has_ended(const struct shading *in, const struct rule *rule)
{
	return rule->until != MOMENT_NONE && rule->until <= in->l->now;
}

/* The first earlier rule only: one finding a rule, however many it meets. */
static void check_order(const struct shading *in, size_t i)
{
	const struct rule *rule = &in->office->rules[i];
	struct shadow_sample sample;

	for (size_t k = 0; k < i && !has_ended(in, rule); k++) {
		const struct rule *earlier = &in->office->rules[k];
		const struct mark *at = &id_node(in, k)->at;

		if (earlier->then.dept == rule->then.dept || in->blamed[k] == i + 1 || has_ended(in, earlier) ||
		    !shadow_meets(in->shadow, k, in->l->arena, &sample))
			continue;
		lint_add(&in->l->lint, "W05", &id_node(in, i)->at,
			 _("put the one that shall decide first, or add a condition; then a test for this message"),
			 _("the rules “%s” and “%s” (%s:%d) both match {%s}: only their order gives it to %s, not to %s"),
			 rule->id, earlier->id, at->source->name, at->line, sample_text(in->l->arena, &sample),
			 earlier->then.dept->id, rule->then.dept->id);
		return;
	}
}

void check_shadow(struct loader *l)
{
	const struct office *office = &l->settings->office;
	struct arena scratch = {0};
	struct shading in = {.l = l, .office = office, .rules = node_get(l->root, "rules")};
	struct shadow_proof proof;

	if (office->n_rules) {
		in.blamed = arena_alloc(&scratch, office->n_rules * sizeof(*in.blamed));
		in.shadow = shadow_new(office, &scratch);
		for (size_t i = 0; i < office->n_rules; i++) {
			if (shadow_rule(in.shadow, i, &proof)) {
				report_whole(&in, i, &proof);
				continue;
			}
			for (size_t k = 0; k < ARRAY_LEN(lists); k++)
				check_list(&in, i, k);
			if (!check_default(&in, i))
				check_order(&in, i);
		}
		shadow_done(in.shadow);
	}
	arena_done(&scratch);
}
