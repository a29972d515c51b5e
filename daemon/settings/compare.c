/*
 * The table of keys walks both trees side by side, so that a new key is compared without a line here. Only
 * what stands in files of data (grids, the years of calendars) is compared as the office has it.
 */
#include "settings/compare.h"

#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/time/moment.h"
#include "settings/compare_parts.h"
#include "settings/snapshot.h"

const char *const change_kind_names[N_CHANGE_KIND] = {"added", "removed", "changed", "moved"};

void compare_add(struct comparison *c, struct change change)
{
	change.section = c->section;
	change.id = c->id;
	VEC_PUSH(&c->changes, change);
}

static void add_flow(struct str *out, const struct node *node)
{
	bool map = node->kind == NODE_MAP;

	if (node->kind == NODE_TEXT) {
		str_add(out, node->text);
		return;
	}
	str_addc(out, map ? '{' : '[');
	for (size_t i = 0; i < node->n; i++) {
		str_add(out, i ? ", " : "");
		if (map)
			str_addf(out, "%s: ", node->keys[i]->text);
		add_flow(out, node->items[i]);
	}
	str_addc(out, map ? '}' : ']');
}

static const char *text_of(struct comparison *c, const struct node *node)
{
	CLEANUP(str_done) struct str t = {0};

	if (node_is_empty(node))
		return NULL;
	add_flow(&t, node);
	return arena_strdup(c->a, t.s);
}

static const char *field_of(struct comparison *c, const char *path, const char *name)
{
	return arena_printf(c->a, "%s%s%s", path, *path ? "." : "", name);
}

/* ---- lists ----------------------------------------------------------------------------------- */

struct items {
	const char **v;
	size_t n;
};

static struct items items_of(struct comparison *c, const struct node *list)
{
	size_t n = node_is_empty(list) ? 0 : list->kind == NODE_LIST ? list->n : 1;
	struct items items = {.v = arena_alloc(c->a, (n + 1) * sizeof(*items.v))};

	for (size_t i = 0; i < n; i++) {
		const char *text = text_of(c, list->kind == NODE_LIST ? list->items[i] : list);

		items.v[items.n++] = text ? text : "";
	}
	return items;
}

/* What `of` has and `in` has not. */
static struct items only(struct comparison *c, const struct items *of, const struct items *in)
{
	struct items left = {.v = arena_alloc(c->a, (of->n + 1) * sizeof(*left.v))};

	for (size_t i = 0; i < of->n; i++) {
		bool there = false;

		for (size_t k = 0; k < in->n && !there; k++)
			there = strcmp(of->v[i], in->v[k]) == 0;
		if (!there)
			left.v[left.n++] = of->v[i];
	}
	return left;
}

static void compare_lists(struct comparison *c, const struct node *a, const struct node *b, const char *path)
{
	struct items before = items_of(c, a), after = items_of(c, b);
	struct items plus = only(c, &after, &before), minus = only(c, &before, &after);
	bool same = before.n == after.n;

	for (size_t i = 0; i < before.n && same; i++)
		same = strcmp(before.v[i], after.v[i]) == 0;
	if (!same)
		compare_add(c, (struct change){.kind = CHANGE_CHANGED, .field = path, .from = text_of(c, a), .to = text_of(c, b),
					       .plus = plus.v, .n_plus = plus.n, .minus = minus.v, .n_minus = minus.n});
}

/* ---- fields ---------------------------------------------------------------------------------- */

static void compare_fields(struct comparison *c, const struct key_info *row, const struct node *a,
			   const struct node *b, const char *path);

static void compare_scalars(struct comparison *c, const struct key_info *row, const struct node *a,
			    const struct node *b, const char *path)
{
	const char *from = text_of(c, a), *to = text_of(c, b);

	from = from ? from : row->fallback;
	to = to ? to : row->fallback;
	if (!str_equal(from, to))
		compare_add(c, (struct change){.kind = CHANGE_CHANGED, .field = path, .from = from, .to = to});
}

static void compare_names(struct comparison *c, const struct key_info *row, const struct node *a,
			  const struct node *b, const char *path)
{
	static const struct node nothing = {.kind = NODE_MAP};
	const struct key_info *child = key_child(row, "*");

	a = node_is_empty(a) ? &nothing : a;
	b = node_is_empty(b) ? &nothing : b;
	for (size_t i = 0; i < a->n; i++)
		compare_fields(c, child, a->items[i], node_get(b, a->keys[i]->text),
			       field_of(c, path, a->keys[i]->text));
	for (size_t i = 0; i < b->n; i++)
		if (!node_get(a, b->keys[i]->text))
			compare_fields(c, child, NULL, b->items[i], field_of(c, path, b->keys[i]->text));
}

static void compare_fields(struct comparison *c, const struct key_info *row, const struct node *a,
			   const struct node *b, const char *path)
{
	const struct key_info *child = NULL;

	if (row->type == KEY_MAP)
		while ((child = key_next(row, child)))
			compare_fields(c, child, node_get(a, key_leaf(child)), node_get(b, key_leaf(child)),
				       field_of(c, path, key_leaf(child)));
	else if (row->type == KEY_NAMED)
		compare_names(c, row, a, b, path);
	else if (row->type == KEY_LIST)
		compare_lists(c, a, b, path);
	else
		compare_scalars(c, row, a, b, path);
}

/* ---- entries --------------------------------------------------------------------------------- */

static void compare_entry(struct comparison *c, const struct key_info *row, const char *id, const struct node *a,
			  const struct node *b)
{
	c->id = id;
	if (!a)
		compare_add(c, (struct change){.kind = CHANGE_ADDED, .to = text_of(c, b)});
	else if (!b)
		compare_add(c, (struct change){.kind = CHANGE_REMOVED, .from = text_of(c, a)});
	else
		compare_fields(c, row, a, b, "");
	c->id = NULL;
}

static void compare_section_names(struct comparison *c, const struct key_info *row, const struct node *a,
				  const struct node *b)
{
	for (size_t i = 0; a && i < a->n; i++)
		compare_entry(c, key_child(row, "*"), a->keys[i]->text, a->items[i], node_get(b, a->keys[i]->text));
	for (size_t i = 0; b && i < b->n; i++)
		if (!node_get(a, b->keys[i]->text))
			compare_entry(c, key_child(row, "*"), b->keys[i]->text, NULL, b->items[i]);
}

static const char *id_of(const struct node *list, size_t i)
{
	const struct node *id = node_get(list->items[i], "id");

	return id && id->text ? id->text : "";
}

static size_t find_id(const struct node *list, const char *id)
{
	size_t i = 0;

	while (i < list->n && strcmp(id_of(list, i), id) != 0)
		i++;
	return i;
}

/* Marks a longest run of entries that kept their order: the others are those that moved. */
static bool *kept_order(struct comparison *c, const size_t *was, size_t n)
{
	size_t *longest = arena_alloc(c->a, (n + 1) * sizeof(*longest)), *before = arena_alloc(c->a, (n + 1) * sizeof(*before));
	bool *kept = arena_alloc(c->a, (n + 1) * sizeof(*kept));
	size_t best = n;

	for (size_t i = 0; i < n; i++) {
		longest[i] = 1;
		before[i] = n;
		for (size_t k = 0; k < i; k++)
			if (was[k] < was[i] && longest[k] >= longest[i]) {
				longest[i] = longest[k] + 1;
				before[i] = k;
			}
		if (best == n || longest[i] > longest[best])
			best = i;
	}
	for (; best < n; best = before[best])
		kept[best] = true;
	return kept;
}

static void compare_order(struct comparison *c, const struct node *a, const struct node *b)
{
	size_t *was = arena_alloc(c->a, (b->n + 1) * sizeof(*was)), *place = arena_alloc(c->a, (b->n + 1) * sizeof(*place));
	size_t n = 0;
	bool *kept;

	for (size_t i = 0; i < b->n; i++) {
		was[n] = find_id(a, id_of(b, i));
		place[n] = i;
		n += was[n] < a->n;
	}
	kept = kept_order(c, was, n);
	for (size_t i = 0; i < n; i++) {
		size_t at = place[i];

		if (kept[i])
			continue;
		c->id = id_of(b, at);
		compare_add(c, (struct change){.kind = CHANGE_MOVED, .after = at ? id_of(b, at - 1) : NULL,
					       .before = at + 1 < b->n ? id_of(b, at + 1) : NULL});
	}
	c->id = NULL;
}

static void compare_section_list(struct comparison *c, const struct key_info *row, const struct node *a,
				 const struct node *b, bool ordered)
{
	static const struct node nothing = {.kind = NODE_LIST};

	a = node_is_empty(a) ? &nothing : a;
	b = node_is_empty(b) ? &nothing : b;
	for (size_t i = 0; i < a->n; i++) {
		size_t other = find_id(b, id_of(a, i));

		compare_entry(c, key_child(row, "[]"), id_of(a, i), a->items[i], other < b->n ? b->items[other] : NULL);
	}
	for (size_t i = 0; i < b->n; i++)
		if (find_id(a, id_of(b, i)) == a->n)
			compare_entry(c, key_child(row, "[]"), id_of(b, i), NULL, b->items[i]);
	if (ordered)
		compare_order(c, a, b);
}

static void compare_section(struct comparison *c, const struct key_info *row, const struct node *a,
			    const struct node *b)
{
	const struct key_info *item = row->type == KEY_LIST ? key_child(row, "[]") : NULL;

	c->section = row->path;
	if (row->type == KEY_NAMED)
		compare_section_names(c, row, node_is_empty(a) ? NULL : a, node_is_empty(b) ? NULL : b);
	else if (item && item->type == KEY_MAP)
		compare_section_list(c, row, a, b, strcmp(row->path, "rules") == 0);
	else if (strcmp(row->path, "include") != 0)
		compare_fields(c, row, a, b, "");
}

void settings_compare(const struct settings *from, const struct settings *to, struct arena *a, struct change **ret,
		      size_t *ret_n)
{
	struct comparison c = {.a = a};
	const struct key_info *root, *row = NULL;
	size_t n;

	root = settings_keys(&n);
	while ((row = key_next(root, row))) {
		compare_section(&c, row, node_get(from->tree, row->path), node_get(to->tree, row->path));
		if (strcmp(row->path, "calendars") == 0)
			compare_calendars(&c, &from->office, &to->office);
	}
	compare_grids(&c, &from->office, &to->office);
	*ret = arena_alloc(a, (c.changes.n + 1) * sizeof(**ret));
	if (c.changes.n)
		memcpy(*ret, c.changes.v, c.changes.n * sizeof(**ret));
	*ret_n = c.changes.n;
	VEC_DONE(&c.changes);
}
