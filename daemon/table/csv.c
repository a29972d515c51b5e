/*
 * CSV, a character at a time. Two passes: the first finds out in which characters it is written and
 * what parts the cells, the second reads. A quote that is never closed would take the rest of the file
 * for one cell: it is noticed when the cell is longer than any cell may be, or at the end.
 */
#include <errno.h>
#include <iconv.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "table/table.h"

enum { CHUNK = 64 * 1024, SNIFF = 16 * 1024 };

enum state { START, PLAIN, QUOTED, AFTER_QUOTE };

struct csv {
	table_fn *fn;
	void *arg;
	char delimiter;
	enum state state;
	size_t line, row_line, quote_line, rows;
	bool after_cr;
	struct str text;                /* the cells of this row, each with a NUL behind it */
	size_t starts[TABLE_COLUMNS];
	size_t n, cell_start;
	struct table_cell cells[TABLE_COLUMNS];
};

static int end_cell(struct csv *c, struct err *e)
{
	if (c->n == TABLE_COLUMNS)
		return err_code(e, ERR_BAD, "too-large", "line %zu: more columns than a table may have", c->line);
	c->starts[c->n++] = c->cell_start;
	str_addc(&c->text, '\0');
	c->cell_start = c->text.len;
	c->state = START;
	return 0;
}

static int end_row(struct csv *c, struct err *e)
{
	struct table_row row = {.number = c->row_line, .cells = c->cells};
	int r = end_cell(c, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < c->n; i++) {
		cell_clean(c->text.s + c->starts[i], &c->cells[i]);
		if (*c->cells[i].text)
			row.n = i + 1;
	}
	if (row.n && ++c->rows > TABLE_ROWS)
		return err_code(e, ERR_BAD, "too-large", "line %zu: more rows than a table may have", c->line);
	r = row.n ? c->fn(c->arg, &row, e) : 0;
	str_reset(&c->text);
	c->n = c->cell_start = 0;
	c->row_line = c->line;
	return r;
}

static int put(struct csv *c, char ch, struct err *e)
{
	if (c->text.len - c->cell_start < TABLE_CELL) {
		str_addc(&c->text, ch ? ch : ' ');
		return 0;
	}
	if (c->state == QUOTED)
		return err_code(e, ERR_BAD, "quote", "line %zu: a quote opens here and is never closed", c->quote_line);
	return err_code(e, ERR_BAD, "too-large", "line %zu: a cell is longer than a cell may be", c->line);
}

static int take(struct csv *c, char ch, struct err *e)
{
	bool second = c->after_cr && ch == '\n';

	c->after_cr = ch == '\r';
	if (second)
		return 0;
	if (ch == '\n' || ch == '\r') {
		c->line++;
		return c->state == QUOTED ? put(c, '\n', e) : end_row(c, e);
	}
	if (c->state == QUOTED) {
		if (ch != '"')
			return put(c, ch, e);
		c->state = AFTER_QUOTE;
		return 0;
	}
	if (ch == '"' && c->state == AFTER_QUOTE) {
		c->state = QUOTED;
		return put(c, '"', e);
	}
	if (ch == '"' && c->state == START) {
		c->state = QUOTED;
		c->quote_line = c->line;
		return 0;
	}
	if (ch == c->delimiter)
		return end_cell(c, e);
	c->state = PLAIN;
	return put(c, ch, e);
}

static int finish(struct csv *c, struct err *e)
{
	if (c->state == QUOTED)
		return err_code(e, ERR_BAD, "quote", "line %zu: a quote opens here and is never closed", c->quote_line);
	return c->text.len || c->n ? end_row(c, e) : 0;
}

/* ---- characters --------------------------------------------------------------------------------- */

/* The whole file as UTF-8? Chunks may cut a character in two: the rest waits for the next. */
static bool is_utf8(FILE *file)
{
	char buf[CHUNK + 4];
	size_t kept = 0, n;

	while ((n = fread(buf + kept, 1, CHUNK, file)) > 0) {
		size_t len = kept + n, whole = len;

		for (int back = 1; back <= 3 && (size_t)back <= len; back++) {
			unsigned char ch = (unsigned char)buf[len - (size_t)back];

			if ((ch & 0xc0) == 0x80)
				continue;
			if (ch >= 0xc0 && back < (ch >= 0xf0 ? 4 : ch >= 0xe0 ? 3 : 2))
				whole = len - (size_t)back;
			break;
		}
		for (size_t i = 0; i < whole; i++)
			if (!buf[i])
				buf[i] = ' ';
		if (!str_is_utf8(buf, whole))
			return false;
		kept = len - whole;
		memmove(buf, buf + whole, kept);
	}
	return !kept;
}

/* What stands between cells: the mark of which most stand outside of quotes in the first lines. */
static char sniff_delimiter(const char *text, size_t n)
{
	static const char marks[] = ",\t;";
	size_t counts[3] = {0}, best = 0;
	bool quoted = false;

	for (size_t i = 0; i < n; i++) {
		const char *mark = quoted || !text[i] ? NULL : strchr(marks, text[i]);

		quoted ^= text[i] == '"';
		if (mark)
			counts[mark - marks]++;
	}
	for (size_t i = 1; i < 3; i++)
		if (counts[i] > counts[best])
			best = i;
	return marks[best];
}

static void close_iconv(iconv_t *cd)
{
	if (*cd != (iconv_t)-1)
		iconv_close(*cd);
}

static const char *charset_of(FILE *file, long *ret_skip)
{
	unsigned char head[4] = {0};
	size_t n = fread(head, 1, 3, file);

	*ret_skip = 0;
	if (n >= 2 && head[0] == 0xff && head[1] == 0xfe)
		return *ret_skip = 2, "UTF-16LE";
	if (n >= 2 && head[0] == 0xfe && head[1] == 0xff)
		return *ret_skip = 2, "UTF-16BE";
	if (n == 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0)
		*ret_skip = 3;
	rewind(file);
	return is_utf8(file) ? "UTF-8" : "GB18030";
}

static int take_all(struct csv *c, const char *text, size_t n, struct err *e)
{
	int r = 0;

	if (!c->delimiter)
		c->delimiter = sniff_delimiter(text, n < SNIFF ? n : SNIFF);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = take(c, text[i], e);
	return r;
}

static int convert(struct csv *c, FILE *file, iconv_t cd, struct err *e)
{
	char in[CHUNK + 8], out[4 * CHUNK];
	size_t kept = 0, n;

	while ((n = fread(in + kept, 1, CHUNK, file)) > 0 || kept) {
		char *from = in, *to = out;
		size_t left = kept + n, room = sizeof(out);
		int r;

		if (iconv(cd, &from, &left, &to, &room) == (size_t)-1 && (errno != EINVAL || !n))
			return err_code(e, ERR_BAD, "encoding", "line %zu: its characters are neither UTF-8 nor GB18030",
					c->line);
		r = take_all(c, out, sizeof(out) - room, e);
		if (r != 0)
			return r;
		memmove(in, from, left);
		kept = left;
	}
	return finish(c, e);
}

int csv_read(FILE *file, table_fn *fn, void *arg, struct err *e)
{
	CLEANUP(mem_freep) struct csv *c = mem_alloc(sizeof(*c));
	CLEANUP(close_iconv) iconv_t cd = (iconv_t)-1;
	const char *charset;
	long skip;
	int r;

	c->fn = fn;
	c->arg = arg;
	c->line = c->row_line = 1;
	charset = charset_of(file, &skip);
	cd = iconv_open("UTF-8", charset);
	if (cd == (iconv_t)-1 || fseek(file, skip, SEEK_SET) < 0)
		return err_set(e, ERR_SYS, "the file cannot be read: %s", strerror(errno));
	r = convert(c, file, cd, e);
	str_done(&c->text);
	return r;
}
