/*
 * Typed reading. What is wrong was reported by shape_check, so these say nothing: a value that is
 * absent or wrong reads as the table's default, and building goes on.
 */
#include "base/str.h"
#include "base/err.h"
#include "settings/load.h"
#include "settings/types.h"

struct scope scope_root(struct loader *l)
{
	size_t n;

	return (struct scope){.l = l, .row = settings_keys(&n), .map = l->root};
}

const struct node *scope_node(struct scope s, const char *key)
{
	const struct node *node = node_get(s.map, key);

	return node && node->kind != NODE_BAD && !node_is_empty(node) ? node : NULL;
}

struct scope scope_in(struct scope s, const char *key)
{
	return (struct scope){.l = s.l, .row = key_child(s.row, key), .map = scope_node(s, key)};
}

struct scope scope_item(struct scope s, size_t i)
{
	const struct key_info *row = key_child(s.row, s.row->type == KEY_LIST ? "[]" : "*");

	return (struct scope){.l = s.l, .row = row, .map = s.map->items[i]};
}

struct mark scope_mark(struct scope s, const char *key)
{
	const struct node *node = key ? node_get(s.map, key) : NULL;

	if (!node && key)
		node = node_key(s.map, key);
	if (!node)
		node = s.map ? s.map : s.l->root;
	return node->at;
}

static const char *written(struct scope s, const char *key)
{
	const struct node *node = scope_node(s, key);

	return node && node->kind == NODE_TEXT ? node->text : NULL;
}

static const char *fallback(struct scope s, const char *key)
{
	const struct key_info *row = key_child(s.row, key);

	return row ? row->fallback : NULL;
}

const char *scope_text(struct scope s, const char *key)
{
	const char *text = written(s, key);

	return text ? text : fallback(s, key);
}

static bool whole(const struct key_info *row, const char *text, int64_t *ret)
{
	if (!row || !text)
		return false;
	if (row->type == KEY_SIZE)
		return type_size(text, ret) && *ret >= row->min && *ret <= row->max;
	if (row->type == KEY_AGE)
		return type_age(text, ret);
	return str_to_int(text, row->min, row->max, ret);
}

int64_t scope_int(struct scope s, const char *key)
{
	const struct key_info *row = key_child(s.row, key);
	int64_t n = 0;

	if (!whole(row, written(s, key), &n))
		whole(row, fallback(s, key), &n);
	return n;
}

double scope_number(struct scope s, const char *key)
{
	const char *text = written(s, key);
	double n = 0;

	if (!text || !type_number(text, &n)) {
		text = fallback(s, key);
		if (text)
			type_number(text, &n);
	}
	return n;
}

int scope_bool(struct scope s, const char *key)
{
	const char *text = scope_text(s, key);
	bool value;

	return text && type_bool(text, &value) ? value : -1;
}

int scope_enum(struct scope s, const char *key)
{
	const struct key_info *row = key_child(s.row, key);
	const char *text = written(s, key);
	int i = text ? name_index(row->values, row->n_values, text) : -1;

	return i < 0 && row->fallback ? name_index(row->values, row->n_values, row->fallback) : i;
}

bool scope_deadline(struct scope s, const char *key, struct deadline *ret)
{
	const char *text = written(s, key);
	struct err e;
	size_t at;

	if (text && deadline_parse(text, s.l->arena, ret, &at, &e) == 0)
		return true;
	text = fallback(s, key);
	return text && deadline_parse(text, s.l->arena, ret, &at, &e) == 0;
}

size_t scope_list_length(const struct node *list)
{
	return !list || node_is_empty(list) ? 0 : list->kind == NODE_TEXT ? 1 : list->n;
}

const struct node *scope_list_item(const struct node *list, size_t i)
{
	return list->kind == NODE_TEXT ? list : list->items[i];
}

struct texts scope_texts(struct scope s, const char *key)
{
	const struct node *list = scope_node(s, key);
	size_t n = list && list->kind != NODE_MAP ? scope_list_length(list) : 0;
	const char **v = arena_alloc(s.l->arena, (n + 1) * sizeof(*v));
	struct texts texts = {.v = v};

	for (size_t i = 0; i < n; i++) {
		const struct node *item = scope_list_item(list, i);

		if (item->kind == NODE_TEXT)
			v[texts.n++] = item->text;
	}
	return texts;
}

/* A name that is only a default may be undefined: that office has no such thing. */
static void *look_up(struct scope s, const char *key, const struct map *map, enum symbols kind)
{
	const char *name = scope_text(s, key);
	void *found = name ? map_get(map, name) : NULL;

	if (found)
		names_use(s.l, kind, name);
	return found;
}

const struct department *scope_dept(struct scope s, const char *key)
{
	return look_up(s, key, &s.l->settings->office.dept_by_id, SYM_DEPARTMENTS);
}

const struct policy *scope_policy(struct scope s, const char *key)
{
	return look_up(s, key, &s.l->settings->office.policy_by_name, SYM_POLICIES);
}

const struct calendar *scope_calendar(struct scope s, const char *key)
{
	return look_up(s, key, &s.l->settings->office.calendar_by_name, SYM_CALENDARS);
}

struct department_list scope_depts(struct scope s, const char *key)
{
	struct texts ids = scope_texts(s, key);
	const struct department **v = arena_alloc(s.l->arena, (ids.n + 1) * sizeof(*v));
	struct department_list list = {.v = v};

	for (size_t i = 0; i < ids.n; i++) {
		const struct department *dept = map_get(&s.l->settings->office.dept_by_id, ids.v[i]);
		bool twice = false;

		for (size_t k = 0; k < list.n; k++)
			twice |= v[k] == dept;
		if (dept && !twice)
			v[list.n++] = dept;
	}
	return list;
}
