#include "store/lists.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/time/moment.h"

/* TEXT: NULL is left out. JSON: a text that is JSON. TIME: microseconds, MOMENT_NONE is left out. INT: `none` is left out. */
enum member_type { MEMBER_TEXT, MEMBER_JSON, MEMBER_INT, MEMBER_BOOL, MEMBER_TIME, MEMBER_NAME };
struct member {
	const char *name;
	enum member_type type;
	size_t offset;
	int none;                       /* of MEMBER_INT */
	const char *const *names;       /* of MEMBER_NAME */
	size_t n_names;
};
struct list {
	const struct member *members;
	size_t n_members, size;
};

#define M(type, member, kind) {#member, MEMBER_##kind, offsetof(struct type, member), 0, NULL, 0}
static const struct member support_members[] = {
	M(support, dept, TEXT), M(support, task, TEXT), M(support, done, BOOL), M(support, called, BOOL),
	M(support, from, TEXT),
	M(support, seq, INT), M(support, due, TIME), M(support, reported_at, TIME),
};
static const struct member errand_members[] = {
	{"kind", MEMBER_NAME, offsetof(struct errand, kind), 0, errand_kind_names, N_ERRAND_KIND},
	M(errand, seq, INT), M(errand, from, TEXT), M(errand, to, TEXT), M(errand, text, TEXT),
	M(errand, request, TEXT), M(errand, more, JSON), M(errand, at, TIME), M(errand, until, TIME),
	M(errand, due, TIME), M(errand, done, BOOL),
};
static const struct member joined_members[] = {
	M(joined, channel, TEXT), M(joined, source, TEXT), M(joined, report, TEXT), M(joined, reply_to, JSON),
	M(joined, number, TEXT), M(joined, person, TEXT), {"score", MEMBER_INT, offsetof(struct joined, score), -1, NULL, 0},
};
#undef M
#define LIST(members, type) {members, ARRAY_LEN(members), sizeof(struct type)}
static const struct list supports = LIST(support_members, support), errands = LIST(errand_members, errand),
			 joined = LIST(joined_members, joined);
#undef LIST

static const char *taken(struct str *t, struct arena *a)
{
	const char *s = t->s ? arena_strdup(a, t->s) : NULL;

	str_done(t);
	return s;
}

/* ---- writing ---------------------------------------------------------------------------------- */
static void write_name(struct str *t, const char *name)
{
	str_addf(t, "%s\"%s\":", t->s[t->len - 1] == '{' ? "" : ",", name);
}

static void write_member(struct str *t, const struct member *m, const char *row)
{
	const void *at = row + m->offset;
	const char *text = m->type == MEMBER_TEXT || m->type == MEMBER_JSON ? *(const char *const *)at : NULL;

	switch (m->type) {
	case MEMBER_TEXT:
	case MEMBER_JSON:
		if (!text)
			return;
		write_name(t, m->name);
		if (m->type == MEMBER_TEXT)
			str_json(t, text);
		else
			str_add(t, text);
		return;
	case MEMBER_INT:
		if (*(const int *)at == m->none)
			return;
		write_name(t, m->name);
		str_addf(t, "%d", *(const int *)at);
		return;
	case MEMBER_BOOL:
		write_name(t, m->name);
		str_add(t, *(const bool *)at ? "true" : "false");
		return;
	case MEMBER_TIME:
		if (*(const int64_t *)at == MOMENT_NONE)
			return;
		write_name(t, m->name);
		str_addf(t, "%lld", (long long)*(const int64_t *)at);
		return;
	case MEMBER_NAME:
		write_name(t, m->name);
		str_json(t, m->names[*(const unsigned *)at]);
		return;
	}
}

static const char *write_list(const struct list *list, const void *rows, size_t n, struct arena *a)
{
	struct str t = {0};

	for (size_t i = 0; i < n; i++) {
		str_add(&t, i ? ",{" : "[{");
		for (size_t m = 0; m < list->n_members; m++)
			write_member(&t, &list->members[m], (const char *)rows + i * list->size);
		str_addc(&t, '}');
	}
	if (n)
		str_addc(&t, ']');
	return taken(&t, a);
}

const char *lists_supports(const struct case_record *c, struct arena *a)
{
	return write_list(&supports, c->supports.v, c->supports.n, a);
}

const char *lists_errands(const struct case_record *c, struct arena *a)
{
	return write_list(&errands, c->errands.v, c->errands.n, a);
}

const char *lists_joined(const struct case_record *c, struct arena *a)
{
	return write_list(&joined, c->joined.v, c->joined.n, a);
}

const char *lists_told(const struct case_record *c, struct arena *a)
{
	struct str t = {0};

	str_addc(&t, '{');
	for (size_t i = 0; i < c->told.n; i++)
		str_addf(&t, "%s\"%s\":%d", i ? "," : "", c->told.v[i].dept, c->told.v[i].seq);
	str_addc(&t, '}');
	return taken(&t, a);
}

const char *lists_fired(const struct case_record *c, struct arena *a)
{
	struct str t = {0};

	for (size_t i = 0; i < c->leg.fired.n; i++) {
		str_addc(&t, i ? ',' : '[');
		str_json(&t, c->leg.fired.v[i]);
	}
	if (c->leg.fired.n)
		str_addc(&t, ']');
	return taken(&t, a);
}

/* Null where every limit is firm, as nearly always. */
const char *lists_basis(const struct case_record *c, struct arena *a)
{
	struct str t = {0};

	for (int k = 0; k < N_CLOCKS; k++) {
		const struct basis *b = &c->leg.unsure[k];

		if (!b->spec)
			continue;
		str_addf(&t, "%s\"%s\":{\"from\":%lld,\"paused\":%lld,\"spec\":", t.len ? "," : "{", clock_names[k],
			 (long long)b->from, (long long)b->paused);
		str_json(&t, b->spec);
		str_add(&t, ",\"calendar\":");
		str_json(&t, b->calendar);
		str_addc(&t, '}');
	}
	if (t.len)
		str_addc(&t, '}');
	return taken(&t, a);
}

/* ---- reading ---------------------------------------------------------------------------------- */
static json_t *parsed(const char *json)
{
	return json ? json_loads(json, 0, NULL) : NULL;
}

static const char *copied(struct arena *a, const json_t *value)
{
	return json_is_string(value) ? arena_strdup(a, json_string_value(value)) : NULL;
}

static const char *dumped(struct arena *a, const json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	const char *copy = text ? arena_strdup(a, text) : NULL;

	free(text);
	return copy;
}

static void read_member(const struct member *m, const json_t *object, char *row, struct arena *a)
{
	const json_t *value = json_object_get(object, m->name);
	void *at = row + m->offset;
	int name;

	switch (m->type) {
	case MEMBER_TEXT:
		*(const char **)at = copied(a, value);
		return;
	case MEMBER_JSON:
		*(const char **)at = dumped(a, value);
		return;
	case MEMBER_INT:
		*(int *)at = value ? (int)json_integer_value(value) : m->none;
		return;
	case MEMBER_BOOL:
		*(bool *)at = json_is_true(value);
		return;
	case MEMBER_TIME:
		*(int64_t *)at = value ? json_integer_value(value) : MOMENT_NONE;
		return;
	case MEMBER_NAME:
		name = name_index(m->names, m->n_names, json_is_string(value) ? json_string_value(value) : "");
		*(unsigned *)at = name < 0 ? 0 : (unsigned)name;
		return;
	}
}

/* The rows as an array in the arena. */
static void *read_list(const struct list *list, const char *json, size_t *ret_n, struct arena *a)
{
	json_t *all = parsed(json), *one;
	char *rows = arena_alloc(a, (json_array_size(all) + 1) * list->size);
	size_t i;

	json_array_foreach(all, i, one)
		for (size_t m = 0; m < list->n_members; m++)
			read_member(&list->members[m], one, rows + i * list->size, a);
	*ret_n = json_array_size(all);
	json_decref(all);
	return rows;
}

#define READ(list, json, c, member, a)                                                                     \
	do {                                                                                               \
		(c)->member.v = read_list(&(list), json, &(c)->member.n, a);                               \
		(c)->member.cap = (c)->member.n;                                                           \
	} while (0)

void lists_read_supports(const char *json, struct case_record *c, struct arena *a)
{
	READ(supports, json, c, supports, a);
}

void lists_read_errands(const char *json, struct case_record *c, struct arena *a)
{
	READ(errands, json, c, errands, a);
}

void lists_read_joined(const char *json, struct case_record *c, struct arena *a)
{
	READ(joined, json, c, joined, a);
}

void lists_read_names(const char *first, const char *json, struct case_record *c, struct arena *a)
{
	json_t *list = parsed(json), *one;
	const char **names = arena_alloc(a, (json_array_size(list) + 2) * sizeof(*names));
	size_t i;

	if (first)
		names[c->n_names++] = first;
	json_array_foreach(list, i, one)
		names[c->n_names++] = copied(a, one);
	c->names = names;
	json_decref(list);
}

void lists_read_told(const char *json, struct case_record *c, struct arena *a)
{
	json_t *map = parsed(json), *seq;
	const char *dept;

	json_object_foreach(map, dept, seq)
		ALIST_PUSH(a, &c->told, (struct told){arena_strdup(a, dept), (int)json_integer_value(seq)});
	json_decref(map);
}

void lists_read_fired(const char *json, struct case_record *c, struct arena *a)
{
	json_t *list = parsed(json), *one;
	size_t i;

	json_array_foreach(list, i, one)
		ALIST_PUSH(a, &c->leg.fired, copied(a, one));
	json_decref(list);
}

void lists_read_basis(const char *json, struct case_record *c, struct arena *a)
{
	json_t *map = parsed(json), *one;
	const char *name;

	json_object_foreach(map, name, one) {
		int k = name_index(clock_names, N_CLOCKS, name);

		if (k >= 0)
			c->leg.unsure[k] = (struct basis){json_integer_value(json_object_get(one, "from")),
							  copied(a, json_object_get(one, "spec")),
							  copied(a, json_object_get(one, "calendar")),
							  json_integer_value(json_object_get(one, "paused"))};
	}
	json_decref(map);
}
