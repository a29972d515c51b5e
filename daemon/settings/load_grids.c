/*
 * grids.csv: a table that comes from a spreadsheet, so RFC 4180 with what spreadsheets do: a BOM, CRLF,
 * quotes. The file may be missing: an office without grids has none.
 */
#include "base/str.h"
#include "settings/load.h"

enum { GRIDS_MAX = 16 * 1024 * 1024, N_COLUMNS = 5 };
static const char header[] = "grid,name,community,dept,keeper";

struct reader {
	struct loader *l;
	const struct source *source;
	size_t at;                              /* offset of the next byte */
	struct mark marks[N_COLUMNS + 1];
	const char *fields[N_COLUMNS + 1];      /* one more, to notice too many */
	size_t n;
};

/* One field; leaves r->at on what ended it. False when a quote has no end. */
static bool read_field(struct reader *r, struct str *t)
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
static bool read_record(struct reader *r)
{
	CLEANUP(str_done) struct str t = {0};
	const char *text = r->source->text;
	size_t len = r->source->len;

	for (r->n = 0; r->at < len;) {
		size_t i = r->n < N_COLUMNS ? r->n : N_COLUMNS;

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

static bool header_is_good(struct reader *r)
{
	struct mark at = source_mark(r->source, 0);
	bool good = read_record(r) && r->n == N_COLUMNS;
	size_t len;
	const char *line = source_line(r->source, 1, &len);

	good = good && len == strlen(header) && memcmp(line, header, len) == 0;
	if (!good)
		lint_add(&r->l->lint, "E12", &at, arena_printf(r->l->arena, _("write as first line: %s"), header),
			   _("the header is not as it must be"));
	return good;
}

static bool code_is_good(const char *code)
{
	size_t n = strlen(code);

	return (n == 6 || n == 9 || n == 12 || n == 15) && strspn(code, "0123456789") == n;
}

static void read_grid(struct reader *r, struct grid *grid)
{
	struct loader *l = r->l;
	struct office *office = &l->settings->office;
	const char *dept = r->fields[3];

	if (r->n != N_COLUMNS) {
		lint_add(&l->lint, "E12", &r->marks[0], _("each line has grid,name,community,dept,keeper"),
			   _("%zu fields where %d are wanted"), r->n, N_COLUMNS);
		return;
	}
	*grid = (struct grid){.code = r->fields[0], .name = r->fields[1], .community = r->fields[2],
			      .keeper = *r->fields[4] ? r->fields[4] : NULL};
	r->marks[0].width = (int)strlen(grid->code);
	r->marks[3].width = (int)strlen(dept);
	if (!code_is_good(grid->code))
		lint_add(&l->lint, "E12", &r->marks[0], _("6+3+3+3 digits, or the first 6, 9 or 12 of them"),
			   _("“%s” is not a grid code"), grid->code);
	else if (map_put(&office->grid_by_code, grid->code, grid))
		lint_add(&l->lint, "E21", &r->marks[0], _("keep one of the two"),
			   _("the grid %s stands here a second time"), grid->code);
	if (*dept && names_check(l, "departments", dept, &r->marks[3]))
		grid->dept = map_get(&office->dept_by_id, dept);
}

void load_grids(struct loader *l)
{
	struct source *source = loader_read(l, "grids.csv", GRIDS_MAX, NULL);
	struct reader r = {.l = l, .source = source};
	struct office *office = &l->settings->office;
	struct grid *grids;
	struct mark at;
	size_t wrong;
	const char *code;

	if (!source)
		return;
	if (!source_is_utf8(source, &wrong, &code)) {
		at = source_mark(source, wrong);
		lint_add(&l->lint, "E04", &at, _("save it as CSV UTF-8"), strcmp(code, "gb18030") == 0 ?
			   _("the file is not UTF-8 but GB18030 (GBK)") : _("the file is not UTF-8 text"));
		return;
	}
	if (!header_is_good(&r))
		return;
	grids = arena_alloc(l->arena, (source->n_lines + 1) * sizeof(*grids));
	while (read_record(&r))
		if (r.n > 1 || *r.fields[0])
			read_grid(&r, &grids[office->n_grids++]);
	office->grids = grids;
}
