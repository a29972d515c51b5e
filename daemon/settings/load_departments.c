/* Who works: departments, and the categories by which they own matters. */
#include "settings/load.h"

static void load_officers(struct scope s, struct department *dept)
{
	const struct node *map = scope_node(s, "officers"), *leader = scope_node(s, "leader");
	size_t n = map && map->kind == NODE_MAP ? map->n : 0;
	struct officer *officers = arena_alloc(s.l->arena, (n + 1) * sizeof(*officers));
	const char **ids = arena_alloc(s.l->arena, (n + 1) * sizeof(*ids));

	for (size_t i = 0; i < n; i++) {
		ids[i] = officers[i].id = map->keys[i]->text;
		officers[i].name = map->items[i]->text ? map->items[i]->text : officers[i].id;
	}
	dept->officers = officers;
	dept->n_officers = n;
	dept->leader = scope_text(s, "leader");
	if (n && dept->leader && name_index(ids, n, dept->leader) < 0)
		lint_add(&s.l->lint, "E20", &leader->at,
			   suggest_remedy(s.l, suggest(dept->leader, ids, n), _("add the leader to `officers:`")),
			   _("the leader “%s” is not among the officers"), dept->leader);
}

void load_departments(struct loader *l)
{
	struct scope s = scope_in(scope_root(l), "departments");
	size_t n = s.map && s.map->kind == NODE_MAP ? s.map->n : 0;
	struct department *depts = arena_alloc(l->arena, (n + 1) * sizeof(*depts));
	struct office *office = &l->settings->office;

	for (size_t i = 0; i < n; i++) {
		depts[i].id = s.map->keys[i]->text;
		map_put(&office->dept_by_id, depts[i].id, &depts[i]);
	}
	for (size_t i = 0; i < n; i++) {
		struct scope one = scope_item(s, i);
		const char *name = scope_text(one, "name");
		struct texts covers = scope_texts(one, "covers");

		depts[i].name = name ? name : depts[i].id;
		depts[i].kind = (enum dept_kind)scope_enum(one, "kind");
		depts[i].superior = scope_dept(one, "superior");
		depts[i].covers = covers.v;
		depts[i].n_covers = covers.n;
		depts[i].duty = scope_calendar(one, "duty");
		depts[i].cards = scope_bool(one, "cards") != 0;
		load_officers(one, &depts[i]);
	}
	office->departments = depts;
	office->n_departments = n;
}

/* Puts the hotline's codes on the map; two categories cannot claim one. */
static void claim_codes(struct scope s, const struct category *category)
{
	const struct node *list = scope_node(s, "codes");
	struct office *office = &s.l->settings->office;

	for (size_t i = 0; list && list->kind != NODE_MAP && i < scope_list_length(list); i++) {
		const struct node *item = scope_list_item(list, i);
		const struct category *other;

		if (item->kind != NODE_TEXT)
			continue;
		other = map_put(&office->category_by_code, item->text, (void *)(uintptr_t)category);
		if (other)
			lint_add(&s.l->lint, "E22", &item->at, _("a code belongs to one category"),
				   _("the code %s belongs to “%s” already"), item->text, other->path);
	}
}

/* The nearest listed ancestor; paths between may be missing. */
static const struct category *parent_of(const struct office *office, const char *path, struct arena *a)
{
	char *up = arena_strdup(a, path), *slash;

	while ((slash = strrchr(up, '/'))) {
		const struct category *found;

		*slash = '\0';
		found = map_get(&office->category_by_path, up);
		if (found)
			return found;
	}
	return NULL;
}

static void inherit(struct office *office, struct category *category, struct arena *a)
{
	const struct category *up = category;

	while ((!category->dept || !category->policy) && (up = parent_of(office, up->path, a))) {
		if (!category->dept)
			category->dept = up->dept;
		if (!category->policy)
			category->policy = up->policy;
	}
}

void load_categories(struct loader *l)
{
	struct scope s = scope_in(scope_root(l), "categories");
	size_t n = s.map && s.map->kind == NODE_MAP ? s.map->n : 0;
	struct category *categories = arena_alloc(l->arena, (n + 1) * sizeof(*categories));
	struct office *office = &l->settings->office;

	for (size_t i = 0; i < n; i++) {
		struct scope one = scope_item(s, i);
		struct texts codes = scope_texts(one, "codes");

		categories[i].path = s.map->keys[i]->text;
		categories[i].dept = scope_dept(one, "dept");
		categories[i].policy = scope_policy(one, "policy");
		categories[i].codes = codes.v;
		categories[i].n_codes = codes.n;
		map_put(&office->category_by_path, categories[i].path, &categories[i]);
		claim_codes(one, &categories[i]);
	}
	office->categories = categories;
	office->n_categories = n;
	for (size_t i = 0; i < n; i++)
		inherit(office, &categories[i], l->arena);
}
