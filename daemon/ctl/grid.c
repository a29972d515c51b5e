#include "ctl/grid.h"

#include <utf8proc.h>

#include "base/str.h"

/* The next character, or -1 for a byte that is none. */
static utf8proc_int32_t next(const char **at)
{
	utf8proc_int32_t c;
	utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)*at, -1, &c);

	*at += n > 0 ? n : 1;
	return n > 0 ? c : -1;
}

/* Control, and what turns the direction of writing: neither belongs on an operator's screen. */
static bool is_odd(utf8proc_int32_t c)
{
	return c < ' ' || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

static int width(const char *text, const char *end)
{
	int cells = 0;

	while (text < end) {
		utf8proc_int32_t c = next(&text);

		cells += is_odd(c) ? 1 : utf8proc_charwidth(c);
	}
	return cells;
}

static void safe(struct str *out, const char *text, const char *end)
{
	while (text < end) {
		const char *from = text;

		if (is_odd(next(&text)))
			str_add(out, "·");
		else
			str_addn(out, from, (size_t)(text - from));
	}
}

int grid_width(const char *text)
{
	return width(text, text + strlen(text));
}

void grid_safe(struct str *out, const char *text)
{
	if (text)
		safe(out, text, text + strlen(text));
}

void grid_pad(struct str *out, const char *text, int cells)
{
	int have = grid_width(text);

	grid_safe(out, text);
	if (have < cells)
		str_addf(out, "%*s", cells - have, "");
}

/* Chinese is broken between any two characters, but no line begins with what closes a sentence. */
static bool closes(utf8proc_int32_t c)
{
	static const utf8proc_int32_t marks[] = {0x3001, 0x3002, 0xff0c, 0xff1b, 0xff1a, 0xff1f, 0xff01, 0xff09, 0x201d};

	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (marks[i] == c)
			return true;
	return false;
}

/* The end of what must stay together on a line: a word, or one Chinese character with its marks. */
static const char *piece_end(const char *text)
{
	const char *at = text;

	while (*at && *at != ' ' && *at != '\n') {
		const char *here = at, *peek;
		utf8proc_int32_t c = next(&at), after;

		if (here > text && c >= 0 && utf8proc_charwidth(c) == 2 && !closes(c))
			return here;
		peek = at;
		after = *at ? next(&peek) : -1;
		if (c >= 0 && (utf8proc_charwidth(c) == 2 || closes(c)) && !closes(after))
			return at;
	}
	return at;
}

void grid_wrap(struct str *out, const char *text, int indent, int cells)
{
	bool blank = false;
	int at = 0;

	while (*text) {
		const char *end = piece_end(text);
		int w = width(text, end);

		if (at && at + blank + w > cells) {
			str_addc(out, '\n');
			at = 0;
		}
		if (at && blank)
			str_addc(out, ' ');
		else if (!at)
			str_addf(out, "%*s", indent, "");
		safe(out, text, end);
		at += w + (at && blank ? 1 : 0);
		blank = *end == ' ';
		if (*end == '\n') {
			str_addc(out, '\n');
			at = 0;
		}
		text = end + (*end == ' ' || *end == '\n' ? 1 : 0);
	}
	if (at)
		str_addc(out, '\n');
}

void grid_cell(struct grid_table *t, const char *text)
{
	VEC_PUSH(&t->cells, text && *text ? text : "-");
}

void grid_print(const struct grid_table *t, struct str *out)
{
	int widths[GRID_COLUMNS] = {0};

	for (size_t i = 0; i < t->cells.n; i++) {
		int w = grid_width(t->cells.v[i]);

		if (w > widths[i % t->columns])
			widths[i % t->columns] = w;
	}
	for (size_t i = 0; i < t->cells.n; i++) {
		size_t column = i % t->columns;

		if (column + 1 < t->columns) {
			grid_pad(out, t->cells.v[i], widths[column] + 2);
			continue;
		}
		grid_safe(out, t->cells.v[i]);
		while (out->len && out->s[out->len - 1] == ' ')
			out->len--;
		str_addc(out, '\n');
	}
}

void grid_done(struct grid_table *t)
{
	VEC_DONE(&t->cells);
}
