#include "table/sheet.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

struct reader {
	sheet_knows *knows;
	sheet_fn *fn;
	void *arg;
	struct arena arena;
	struct sheet sheet;
	size_t seen;                    /* rows before the header */
	const char *titles;             /* what the first of them begins with, for the message */
	bool may_be_second;             /* the next row may be the lower half of the header */
};

static bool is_header(struct reader *r, const char *const *names, size_t n)
{
	json_t *object = json_object();
	bool yes;

	for (size_t i = 0; i < n; i++)
		if (names[i] && *names[i])
			json_object_set_new(object, names[i], json_string("1"));
	yes = r->knows(r->arg, object);
	json_decref(object);
	return yes;
}

/* A name without the marks that people put round it: 工单编号*, 工单编号：, line breaks. */
static const char *name_of(struct arena *a, const char *cell)
{
	char *name = arena_strdup(a, cell), *to = name;
	size_t n;

	for (const char *s = name; *s; s++)
		if (*s != '\n' && *s != '\r' && *s != '\t' && *s != '*')
			*to++ = *s;
	*to = '\0';
	n = strlen(name);
	if (n > 3 && strcmp(name + n - 3, "：") == 0)
		name[n - 3] = '\0';
	else if (n && name[n - 1] == ':')
		name[n - 1] = '\0';
	return *name ? name : NULL;
}

static void take_names(struct reader *r, const struct table_row *row)
{
	r->sheet.names = arena_alloc(&r->arena, TABLE_COLUMNS * sizeof(*r->sheet.names));
	r->sheet.n = row->n;
	for (size_t i = 0; i < row->n; i++)
		r->sheet.names[i] = name_of(&r->arena, row->cells[i].text);
}

static int look_for_header(struct reader *r, const struct table_row *row, struct err *e)
{
	if (!r->seen)
		r->titles = arena_strdup(&r->arena, row->cells[0].text);
	if (++r->seen > SHEET_HEADER_ROWS)
		return err_code(e, ERR_BAD, "no-header", "no row among the first %d is a header that is known here",
				SHEET_HEADER_ROWS);
	take_names(r, row);
	if (!is_header(r, r->sheet.names, r->sheet.n))
		return 0;
	r->sheet.header = row->number;
	r->may_be_second = true;
	return 0;
}

/* The first column that has a name above has none below where a group is parted into columns. */
static bool is_second(const struct reader *r, const struct table_row *row)
{
	bool group = false;

	for (size_t i = 0; i < row->n; i++) {
		const char *above = i < r->sheet.n ? r->sheet.names[i] : NULL;
		bool next_empty = i + 1 >= r->sheet.n || !r->sheet.names[i + 1];

		if (!*row->cells[i].text)
			continue;
		/* Below a name that stands alone there is nothing; below a group, and where nothing is above, a name. */
		if (above && !next_empty)
			return false;
		if (strlen(row->cells[i].text) > 60 || strpbrk(row->cells[i].text, "0123456789"))
			return false;
		group |= !above;
	}
	return group;
}

static void take_second(struct reader *r, const struct table_row *row)
{
	const char *group = NULL;

	for (size_t i = 0; i < row->n || i < r->sheet.n; i++) {
		const char *below = i < row->n ? name_of(&r->arena, row->cells[i].text) : NULL;
		const char *above = i < r->sheet.n ? r->sheet.names[i] : NULL;

		if (above)
			group = above;
		if (below)
			r->sheet.names[i] = group ? arena_printf(&r->arena, "%s%s", group, below) : below;
		else
			r->sheet.names[i] = above;
	}
	if (row->n > r->sheet.n)
		r->sheet.n = row->n;
}

static int take_row(void *arg, const struct table_row *row, struct err *e)
{
	struct reader *r = arg;
	struct sheet_row named = {.number = row->number, .cells = row};
	int rc;

	if (!r->sheet.header)
		return look_for_header(r, row, e);
	if (r->may_be_second) {
		r->may_be_second = false;
		if (row->number == r->sheet.header + 1 && is_second(r, row)) {
			take_second(r, row);
			return 0;
		}
	}
	named.object = json_object();
	for (size_t i = 0; i < row->n && i < r->sheet.n; i++) {
		const struct table_cell *cell = &row->cells[i];
		double value;

		if (!r->sheet.names[i] || !*cell->text)
			continue;
		value = cell->rounded ? strtod(cell->text, NULL) : 0;
		json_object_set_new(named.object, r->sheet.names[i],
				    cell->rounded ? json_real(value) : json_string(cell->text));
	}
	rc = r->fn(r->arg, &r->sheet, &named, e);
	json_decref(named.object);
	return rc;
}

int sheet_read(const char *path, const struct table_options *options, sheet_knows *knows, sheet_fn *fn, void *arg,
	       struct err *e)
{
	struct reader r = {.knows = knows, .fn = fn, .arg = arg};
	int rc = table_read(path, options, take_row, &r, e);

	if (rc == 0 && !r.sheet.header)
		rc = r.seen ? err_code(e, ERR_BAD, "no-header", "no row is a header that is known here; the first begins with “%.60s”",
				       r.titles)
			    : err_code(e, ERR_BAD, "empty", "the table is empty");
	arena_done(&r.arena);
	return rc;
}
