/*
 * A sheet of an XLSX, a row at a time. A cell says what it is by its type (t) and its style: `s` is an
 * index into the shared strings, `str` the text of a formula, `inlineStr` a text of its own, none a
 * number, which is a date where its style shows it so. Rows and cells may leave their places out.
 */
#include <zip.h>

#include "base/err.h"
#include "table/xlsx.h"

enum kind { KIND_NUMBER, KIND_SHARED, KIND_TEXT, KIND_INLINE, KIND_BOOL, KIND_ERROR };

struct sheet {
	XML_Parser parser;              /* first: xlsx_book.c looks for it there */
	struct book *b;
	table_fn *fn;
	void *arg;
	struct err *e;
	int result;
	size_t number, rows;
	struct arena cells_arena;       /* texts of this row */
	struct table_cell cells[TABLE_COLUMNS];
	size_t n, column;               /* n: cells of this row so far; column: of this cell */
	enum kind kind;
	int64_t style;
	bool in_value;
	int phonetic;
	struct str value;
};

static const char *local(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon ? colon + 1 : name;
}

static void stop(struct sheet *s, int result)
{
	s->result = result;
	XML_StopParser(s->parser, XML_FALSE);
}

/* "BC12": the column, counted from 0; TABLE_COLUMNS when it is none. */
static size_t column_of(const char *ref)
{
	size_t column = 0;

	if (*ref < 'A' || *ref > 'Z')
		return TABLE_COLUMNS;
	for (; *ref >= 'A' && *ref <= 'Z' && column < 100000; ref++)
		column = column * 26 + (size_t)(*ref - 'A') + 1;
	return column - 1;
}

static enum kind kind_of(const char *type)
{
	static const struct {
		const char *type;
		enum kind kind;
	} rows[] = {{"s", KIND_SHARED}, {"str", KIND_TEXT}, {"inlineStr", KIND_INLINE}, {"b", KIND_BOOL},
		    {"e", KIND_ERROR}, {"n", KIND_NUMBER}, {"d", KIND_TEXT}};

	for (size_t i = 0; type && i < ARRAY_LEN(rows); i++)
		if (strcmp(type, rows[i].type) == 0)
			return rows[i].kind;
	return type ? KIND_TEXT : KIND_NUMBER;
}

static void begin_cell(struct sheet *s, const char *const *a)
{
	const char *ref = xml_attribute(a, "r"), *style = xml_attribute(a, "s");

	s->column = ref ? column_of(ref) : s->n;
	s->kind = kind_of(xml_attribute(a, "t"));
	s->style = -1;
	if (style)
		str_to_int(style, 0, 100000, &s->style);
	str_reset(&s->value);
}

static void start(void *arg, const char *name, const char **attributes)
{
	struct sheet *s = arg;
	const char *const *a = (const char *const *)attributes;
	const char *ref;
	int64_t number;

	name = local(name);
	if (strcmp(name, "row") == 0) {
		ref = xml_attribute(a, "r");
		s->number = ref && str_to_int(ref, 1, 1 << 24, &number) ? (size_t)number : s->number + 1;
		s->n = 0;
	} else if (strcmp(name, "c") == 0) {
		begin_cell(s, a);
	}
	s->phonetic += strcmp(name, "rPh") == 0;
	s->in_value = !s->phonetic && (strcmp(name, "v") == 0 || (strcmp(name, "t") == 0 && s->kind == KIND_INLINE));
}

static bool is_date(const struct sheet *s)
{
	return s->style >= 0 && (size_t)s->style < s->b->dates.n && s->b->dates.v[s->style];
}

static void number_cell(struct sheet *s, struct table_cell *cell)
{
	char text[64], *end;
	double value = strtod(s->value.s, &end);

	if (!is_date(s) || *end || !cell_date(value, s->b->from_1904, text))
		cell_number(s->value.s, text, &cell->rounded);
	cell->text = arena_strdup(&s->cells_arena, text);
}

static void end_cell(struct sheet *s)
{
	struct table_cell cell = {.text = ""};
	int64_t index;

	if (!s->value.len || s->column >= TABLE_COLUMNS || s->kind == KIND_ERROR)
		return;
	if (s->kind == KIND_NUMBER) {
		number_cell(s, &cell);
	} else if (s->kind == KIND_BOOL) {
		cell.text = s->value.s[0] == '1' ? "是" : "否";
	} else if (s->kind == KIND_SHARED) {
		if (!str_to_int(s->value.s, 0, (int64_t)s->b->strings.n - 1, &index)) {
			stop(s, err_code(s->e, ERR_BAD, "broken", "row %zu points at a text that is not there", s->number));
			return;
		}
		cell_clean(arena_strdup(&s->cells_arena, s->b->strings.v[index]), &cell);
	} else {
		cell_clean(arena_strndup(&s->cells_arena, s->value.s, s->value.len), &cell);
	}
	while (s->n <= s->column)
		s->cells[s->n++] = (struct table_cell){.text = ""};
	s->cells[s->column] = cell;
}

static void end_row(struct sheet *s)
{
	struct table_row row = {.number = s->number, .cells = s->cells};
	int r;

	for (size_t i = 0; i < s->n; i++)
		if (*s->cells[i].text)
			row.n = i + 1;
	if (row.n && ++s->rows > TABLE_ROWS) {
		stop(s, err_code(s->e, ERR_BAD, "too-large", "row %zu: more rows than a table may have", s->number));
		return;
	}
	r = row.n ? s->fn(s->arg, &row, s->e) : 0;
	arena_reset(&s->cells_arena);
	if (r != 0)
		stop(s, r);
}

static void end(void *arg, const char *name)
{
	struct sheet *s = arg;

	name = local(name);
	if (s->result)
		return;
	s->in_value = false;
	s->phonetic -= strcmp(name, "rPh") == 0;
	if (strcmp(name, "c") == 0)
		end_cell(s);
	else if (strcmp(name, "row") == 0)
		end_row(s);
}

static void text(void *arg, const char *piece, int n)
{
	struct sheet *s = arg;

	if (s->in_value)
		str_addn(&s->value, piece, (size_t)n);
	if (s->value.cut && !s->result)
		stop(s, err_code(s->e, ERR_BAD, "too-large", "row %zu: a cell is longer than a cell may be", s->number));
}

int xlsx_read(struct zip *zip, const struct table_options *options, table_fn *fn, void *arg, struct err *e)
{
	CLEANUP(mem_freep) struct sheet *s = mem_alloc(sizeof(*s));
	struct book b = {.zip = zip};
	int r;

	*s = (struct sheet){.b = &b, .fn = fn, .arg = arg, .e = e, .value = {.max = TABLE_CELL}};
	r = book_open(&b, options->sheet, e);
	if (r == 0) {
		s->parser = book_parser(s, start, end, text);
		e->code[0] = '\0';
		r = book_parse(&b, b.sheet, s->parser, false, e);
		if (s->result)
			r = s->result;
		else if (r < 0 && !*e->code)
			r = err_code(e, ERR_BAD, "broken", "%s has more in it than such a file has", b.sheet);
		XML_ParserFree(s->parser);
	}
	str_done(&s->value);
	arena_done(&s->cells_arena);
	book_done(&b);
	return r;
}
