#include "settings/csv.h"

#include "base/str.h"

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
		size_t i = r->n < r->columns ? r->n : r->columns;

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

static bool header_is_good(struct csv *r, const char *header)
{
	struct mark at = source_mark(r->source, 0);
	bool good = read_record(r) && r->n == r->columns;
	size_t len;
	const char *line = source_line(r->source, 1, &len);

	good = good && len == strlen(header) && memcmp(line, header, len) == 0;
	if (!good)
		lint_add(&r->l->lint, "E12", &at, arena_printf(r->l->arena, _("write as first line: %s"), header),
			   _("the header is not as it must be"));
	return good;
}

bool csv_open(struct loader *l, const char *name, const char *header, const struct mark *from, struct csv *r)
{
	struct source *source = loader_read(l, name, CSV_MAX, from);
	struct mark at;
	size_t wrong;
	const char *code;

	*r = (struct csv){.l = l, .source = source, .columns = 1};
	for (const char *c = header; (c = strchr(c, ',')); c++)
		r->columns++;
	if (!source)
		return false;
	if (!source_is_utf8(source, &wrong, &code)) {
		at = source_mark(source, wrong);
		lint_add(&l->lint, "E04", &at, _("save it as CSV UTF-8"), strcmp(code, "gb18030") == 0 ?
			   _("the file is not UTF-8 but GB18030 (GBK)") : _("the file is not UTF-8 text"));
		return false;
	}
	return header_is_good(r, header);
}

bool csv_next(struct csv *r)
{
	while (read_record(r)) {
		if (r->n == 1 && !*r->fields[0])
			continue;
		if (r->n == r->columns)
			return true;
		lint_add(&r->l->lint, "E12", &r->marks[0],
			   arena_printf(r->l->arena, _("each line has as many fields as the first, %zu"), r->columns),
			   _("%zu fields where %zu are wanted"), r->n, r->columns);
	}
	return false;
}
