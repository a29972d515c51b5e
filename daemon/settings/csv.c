#include "settings/csv.h"

#include "base/str.h"

enum { CSV_MAX = 16 * 1024 * 1024 };

/* One field; leaves r->at on what ended it. False when a quote has no end. */
static bool read_field(struct csv *r, struct str *t)
{
	const char *text = r->source->text;
	size_t len = r->source->len;

	str_reset(t);
	if (r->at >= len || text[r->at] != '"') {
		while (r->at < len && !strchr(",\r\n", text[r->at]))
			str_addc(t, text[r->at++]);
		return true;
	}
	for (r->at++; r->at < len; r->at++) {
		if (text[r->at] == '"' && text[r->at + 1] != '"') {
			r->at++;
			return true;
		}
		r->at += text[r->at] == '"';
		str_addc(t, text[r->at]);
	}
	return false;
}

/* One record; false at the end of the file or after an error that was reported. */
static bool read_record(struct csv *r)
{
	CLEANUP(str_done) struct str t = {0};
	const char *text = r->source->text;
	size_t len = r->source->len;

	for (r->n = 0; r->at < len;) {
		size_t i = r->n < r->n_columns ? r->n : r->n_columns;

		r->marks[i] = source_mark(r->source, r->at);
		if (!read_field(r, &t) || (r->at < len && !strchr(",\r\n", text[r->at]))) {
			lint_add(&r->l->lint, "E12", &r->marks[i], _("double each \" inside a quoted field"),
				   _("a quote is not closed where the field ends"));
			r->at = len;
			return false;
		}
		r->fields[i] = arena_strdup(r->l->arena, t.s ? t.s : "");
		r->n++;
		if (r->at < len && text[r->at] == ',') {
			r->at++;
			continue;
		}
		r->at += r->at < len && text[r->at] == '\r';
		r->at += r->at < len && text[r->at] == '\n';
		return true;
	}
	return r->n > 0;
}

static bool header_is_good(struct csv *r)
{
	struct mark at = source_mark(r->source, 0);
	bool good = read_record(r) && r->n == r->n_columns;
	size_t len;
	const char *line = source_line(r->source, 1, &len);

	good = good && len == strlen(r->header) && memcmp(line, r->header, len) == 0;
	if (!good)
		lint_add(&r->l->lint, "E12", &at, arena_printf(r->l->arena, _("write as first line: %s"), r->header),
			   _("the header is not as it must be"));
	return good;
}

static size_t columns_of(const char *header)
{
	size_t n = 1;

	for (; *header; header++)
		n += *header == ',';
	return n;
}

bool csv_open(struct loader *l, const char *name, const char *header, struct csv *ret)
{
	struct mark at;
	size_t wrong;
	const char *code;

	*ret = (struct csv){.l = l, .source = loader_read(l, name, CSV_MAX, NULL), .header = header,
			    .n_columns = columns_of(header)};
	if (!ret->source)
		return false;
	if (!source_is_utf8(ret->source, &wrong, &code)) {
		at = source_mark(ret->source, wrong);
		lint_add(&l->lint, "E04", &at, _("save it as CSV UTF-8"), strcmp(code, "gb18030") == 0 ?
			   _("the file is not UTF-8 but GB18030 (GBK)") : _("the file is not UTF-8 text"));
		return false;
	}
	return header_is_good(ret);
}

bool csv_next(struct csv *r)
{
	while (read_record(r)) {
		if (r->n == 1 && !*r->fields[0])
			continue;
		if (r->n == r->n_columns)
			return true;
		lint_add(&r->l->lint, "E12", &r->marks[0],
			   arena_printf(r->l->arena, _("each line has %s"), r->header),
			   _("%zu fields where %zu are wanted"), r->n, r->n_columns);
	}
	return false;
}
