#include "store/rows.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/time/moment.h"

static const char *const sql_types[] = {
	[COLUMN_TEXT] = "text",        [COLUMN_JSON] = "json",   [COLUMN_INT] = "int8",  [COLUMN_INT64] = "int8",
	[COLUMN_BOOL] = "bool",        [COLUMN_TIME] = "timestamptz", [COLUMN_DOUBLE] = "float8",
	[COLUMN_NAME] = "text",        [COLUMN_DIGEST] = "bytea", [COLUMN_BLOB] = "bytea",
};

static void list(struct str *sql, const struct table *t, size_t from, const char *format_first, const char *format)
{
	for (size_t i = from; i < t->n_columns; i++) {
		str_add(sql, i == from ? format_first : format);
		str_add(sql, t->columns[i].name);
	}
}

static void arrays(struct str *sql, const struct table *t)
{
	str_add(sql, " FROM unnest(");
	for (size_t i = 0; i < t->n_columns; i++)
		str_addf(sql, "%s$%zu::%s[]", i ? ", " : "", i + 2, sql_types[t->columns[i].type]);
	str_add(sql, ") u(");
	list(sql, t, 0, "", ", ");
	str_add(sql, ")");
}

/* What a row gets: what the column says of it, else the array's, where that is missing the usual. */
static void value(struct str *sql, const struct column *c, const char *own)
{
	if (own)
		str_add(sql, own);
	else if (c->often && c->type == COLUMN_BOOL)
		str_addf(sql, "coalesce(u.%s, %s)", c->name, c->usual ? "true" : "false");
	else if (c->often)
		str_addf(sql, "coalesce(u.%s, %d)", c->name, c->usual);
	else
		str_addf(sql, "u.%s", c->name);
}

static void insert(struct str *sql, const struct table *t)
{
	str_addf(sql, "INSERT INTO %s (tenant, ", t->name);
	list(sql, t, 0, "", ", ");
	str_add(sql, ") SELECT $1::text, ");
	for (size_t i = 0; i < t->n_columns; i++) {
		str_add(sql, i ? ", " : "");
		value(sql, &t->columns[i], t->columns[i].put);
	}
	arrays(sql, t);
	str_add(sql, t->then);
}

static void where_keys(struct str *sql, const struct table *t, const char *alias, size_t n)
{
	str_addf(sql, " WHERE %s.tenant = $1::text", alias);
	for (size_t i = 0; i < n; i++)
		str_addf(sql, " AND %s.%s = u.%s", alias, t->columns[i].name, t->columns[i].name);
}

/*
 * Each row by its place, and that by the first entry of the key's index from its key on: where the table was empty when
 * this was planned, any other index that begins with the tenant looks as good, and all of it would be read for each row.
 */
static void where_place(struct str *sql, const struct table *t)
{
	const char *last = t->columns[t->n_keys - 1].name;

	str_addf(sql, ", LATERAL (SELECT x.ctid AS place, x.%s AS found FROM %s x", last, t->name);
	where_keys(sql, t, "x", t->n_keys - 1);
	str_addf(sql, " AND x.%s >= u.%s ORDER BY x.%s LIMIT 1) k WHERE t.ctid = k.place AND k.found = u.%s", last, last, last,
		 last);
}

static void update(struct str *sql, const struct table *t)
{
	str_addf(sql, "UPDATE %s t SET ", t->name);
	for (size_t i = t->n_keys; i < t->n_columns; i++) {
		const struct column *c = &t->columns[i];

		str_addf(sql, "%s%s = ", i == t->n_keys ? "" : ", ", c->name);
		if (t->was && !c->merge)
			str_addf(sql, "CASE WHEN $%zu IS NULL THEN t.%s ELSE u.%s END", i + 2, c->name, c->name);
		else
			value(sql, c, c->merge);
	}
	arrays(sql, t);
	if (t->locked)
		where_place(sql, t);
	else
		where_keys(sql, t, "t", t->n_keys);
	str_add(sql, t->then);
}

void table_init(struct table *t)
{
	struct str sql = {0}, name = {0};

	if (t->query.sql)
		return;
	if (t->update)
		update(&sql, t);
	else
		insert(&sql, t);
	str_addf(&name, "%s_%s", t->update ? "set" : *t->then ? "put" : "add", t->name);
	t->query = (struct query){name.s, sql.s};
}

static const void *field(const void *row, const struct column *c)
{
	return (const char *)row + c->offset;
}

static bool is_usual(const void *at, const struct column *c)
{
	switch (c->type) {
	case COLUMN_TEXT:
	case COLUMN_JSON:
		return !*(const char *const *)at;
	case COLUMN_TIME:
		return *(const int64_t *)at == MOMENT_NONE;
	case COLUMN_DOUBLE:
		return isnan(*(const double *)at);
	case COLUMN_INT:
		return c->often && *(const int *)at == c->usual;
	case COLUMN_BOOL:
		return c->often && *(const bool *)at == c->usual;
	case COLUMN_INT64:
	case COLUMN_NAME:
	case COLUMN_DIGEST:
	case COLUMN_BLOB:
		break;
	}
	return false;
}

static bool is_same(const void *a, const void *b, const struct column *c)
{
	const char *const *text = a, *const *other = b;

	switch (c->type) {
	case COLUMN_TEXT:
	case COLUMN_JSON:
		return *text == *other || (*text && *other && strcmp(*text, *other) == 0);
	case COLUMN_TIME:
	case COLUMN_INT64:
		return *(const int64_t *)a == *(const int64_t *)b;
	case COLUMN_INT:
	case COLUMN_NAME:
		return *(const int *)a == *(const int *)b;
	case COLUMN_BOOL:
		return *(const bool *)a == *(const bool *)b;
	case COLUMN_DOUBLE:
	case COLUMN_DIGEST:
	case COLUMN_BLOB:
		break;
	}
	return false;
}

static bool is_unchanged(const struct table *t, const void *row, const struct column *c)
{
	const void *was = *(const void *const *)(const void *)((const char *)row + t->was);

	return was && is_same(field(row, c), field(was, c), c);
}

/*
 * Nearly half of a new case's columns are as usual, and most of an old one's as they were: each would be an array to send, to
 * read, and to walk beside the others.
 */
static bool can_be_left_out(const struct table *t, const struct column *c, const void *const *rows, size_t n)
{
	bool kept = t->was && !c->merge;
	size_t i = 0;

	if (c < t->columns + t->n_keys)
		return false;
	while (i < n && (kept ? is_unchanged(t, rows[i], c) : is_usual(field(rows[i], c), c)))
		i++;
	return i == n;
}

static void text_array(const struct column *c, const void *const *rows, size_t n, struct arena *a,
		       struct pg_args *args)
{
	const char **v = arena_alloc(a, n * sizeof(*v));

	for (size_t i = 0; i < n; i++) {
		if (c->type == COLUMN_NAME)
			v[i] = c->names[*(const int *)field(rows[i], c)];
		else
			v[i] = *(const char *const *)field(rows[i], c);
	}
	if (c->type == COLUMN_JSON)
		pg_jsons(args, rows ? v : NULL, n);
	else
		pg_texts(args, rows ? v : NULL, n);
}

static void number_array(const struct column *c, const void *const *rows, size_t n, struct arena *a,
			 struct pg_args *args)
{
	int64_t *v = arena_alloc(a, n * sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = c->type == COLUMN_INT ? *(const int *)field(rows[i], c) : *(const int64_t *)field(rows[i], c);
	if (c->type == COLUMN_TIME)
		pg_times(args, rows ? v : NULL, n);
	else
		pg_ints(args, rows ? v : NULL, n);
}

static void blob_array(const struct column *c, const void *const *rows, size_t n, struct arena *a,
		       struct pg_args *args)
{
	const void **v = arena_alloc(a, n * sizeof(*v));
	size_t *len = arena_alloc(a, n * sizeof(*len));

	for (size_t i = 0; i < n; i++) {
		const struct blob *b = field(rows[i], c);

		v[i] = c->type == COLUMN_DIGEST ? field(rows[i], c) : b->p;
		len[i] = c->type == COLUMN_DIGEST ? 16 : b->n;
	}
	pg_blobs(args, v, len, n);
}

static void other_array(const struct column *c, const void *const *rows, size_t n, struct arena *a,
			struct pg_args *args)
{
	double *d = arena_alloc(a, n * sizeof(*d));
	bool *b = arena_alloc(a, n * sizeof(*b));

	for (size_t i = 0; i < n; i++)
		if (c->type == COLUMN_BOOL)
			b[i] = *(const bool *)field(rows[i], c);
		else
			d[i] = *(const double *)field(rows[i], c);
	if (c->type == COLUMN_BOOL)
		pg_bools(args, rows ? b : NULL, n);
	else
		pg_doubles(args, rows ? d : NULL, n);
}

void table_args(const struct table *t, const char *tenant, const void *const *rows, size_t n, struct arena *a,
		struct pg_args *args)
{
	typedef void add_array(const struct column *, const void *const *, size_t, struct arena *, struct pg_args *);
	static add_array *const by_type[] = {
		[COLUMN_TEXT] = text_array,    [COLUMN_JSON] = text_array,   [COLUMN_NAME] = text_array,
		[COLUMN_INT] = number_array,   [COLUMN_INT64] = number_array, [COLUMN_TIME] = number_array,
		[COLUMN_DIGEST] = blob_array,  [COLUMN_BLOB] = blob_array,
		[COLUMN_BOOL] = other_array,   [COLUMN_DOUBLE] = other_array,
	};

	pg_text(args, tenant);
	for (size_t i = 0; i < t->n_columns; i++)
		if (can_be_left_out(t, &t->columns[i], rows, n))
			by_type[t->columns[i].type](&t->columns[i], NULL, 0, a, args);
		else
			by_type[t->columns[i].type](&t->columns[i], rows, n, a, args);
}
