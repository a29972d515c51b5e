#include "intake/sheet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <xlsxwriter.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

enum { PATH = 1024, TEXT_MAX = 256 << 20, WIDTH_MAX = 48 };

static int make_folder(const char *folder, struct err *e)
{
	if (mkdir(folder, 0750) < 0 && errno != EEXIST)
		return err_set(e, ERR_SYS, "cannot make the folder %s: %s", folder, strerror(errno));
	return 0;
}

static int put_in_place(const char *part, const char *path, struct err *e)
{
	if (rename(part, path) < 0)
		return err_set(e, ERR_SYS, "cannot write %s: %s", path, strerror(errno));
	return 0;
}

int sheet_write_text(const char *folder, const char *name, const char *text, struct err *e)
{
	char path[PATH], part[PATH + 8];
	bool good;
	FILE *f;
	int r = make_folder(folder, e);

	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	snprintf(part, sizeof(part), "%s.part", path);
	f = fopen(part, "we");
	if (!f)
		return err_set(e, ERR_SYS, "cannot write %s: %s", part, strerror(errno));
	good = fputs(text, f) >= 0;
	good &= fclose(f) == 0;
	return good ? put_in_place(part, path, e) : err_set(e, ERR_SYS, "cannot write %s", part);
}

/* ---- CSV -------------------------------------------------------------------------------------- */
/* Spreadsheets run what begins like a formula: of texts that others wrote, the sign is made harmless. */
static void add_cell(struct str *t, const char *cell)
{
	bool formula = cell && strchr("=@+-\t\r\n", cell[0]) && cell[0] && cell[strspn(cell, "+-.0123456789%")];

	if (!cell)
		return;
	if (!formula && !strpbrk(cell, ",\"\r\n")) {
		str_add(t, cell);
		return;
	}
	str_add(t, formula ? "\"'" : "\"");
	for (const char *c = cell; *c; c++) {
		if (*c == '"')
			str_addc(t, '"');
		str_addc(t, *c);
	}
	str_addc(t, '"');
}

static void add_line(struct str *t, const char *const *cells, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			str_addc(t, ',');
		add_cell(t, cells[i]);
	}
	str_add(t, "\r\n");
}

static int write_csv(const char *folder, const char *base, const struct sheet *s, struct err *e)
{
	CLEANUP(str_done) struct str t = {.max = TEXT_MAX};
	char name[PATH];

	/* The mark tells spreadsheets that it is UTF-8. */
	str_add(&t, "\xef\xbb\xbf");
	add_line(&t, s->headings, s->columns);
	for (size_t i = 0; i < s->n; i++)
		add_line(&t, s->rows[i], s->columns);
	if (t.cut)
		return err_set(e, ERR_SYS, "the list %s is too long for a file", base);
	snprintf(name, sizeof(name), "%s.csv", base);
	return sheet_write_text(folder, name, t.s, e);
}

/* ---- XLSX ------------------------------------------------------------------------------------- */
/* Chinese characters are twice as wide as letters, and three bytes long. */
static double width_of(const char *cell)
{
	double width = 0;

	for (const unsigned char *c = (const unsigned char *)(cell ? cell : ""); *c; c++)
		width += *c >= 0xe0 ? 2.1 : (*c & 0xc0) == 0x80 ? 0 : 1.1;
	return width;
}

static double column_width(const struct sheet *s, size_t column)
{
	double width = width_of(s->headings[column]);

	for (size_t i = 0; i < s->n && i < 200; i++) {
		double w = width_of(s->rows[i][column]);

		width = w > width ? w : width;
	}
	return (width > WIDTH_MAX ? WIDTH_MAX : width) + 2;
}

static void write_cell(lxw_worksheet *sheet, lxw_row_t row, lxw_col_t column, const char *cell, lxw_format *format)
{
	int64_t number;

	if (!cell)
		worksheet_write_blank(sheet, row, column, format);
	else if (strlen(cell) < 15 && str_to_int(cell, INT64_MIN / 2, INT64_MAX / 2, &number))
		worksheet_write_number(sheet, row, column, (double)number, format);
	else
		worksheet_write_string(sheet, row, column, cell, format);
}

static void fill(lxw_workbook *book, lxw_worksheet *sheet, const struct sheet *s)
{
	lxw_format *title = workbook_add_format(book), *head = workbook_add_format(book), *body = workbook_add_format(book);

	format_set_bold(title);
	format_set_font_size(title, 16);
	format_set_align(title, LXW_ALIGN_CENTER);
	format_set_bold(head);
	format_set_border(head, LXW_BORDER_THIN);
	format_set_align(head, LXW_ALIGN_CENTER);
	format_set_border(body, LXW_BORDER_THIN);
	worksheet_merge_range(sheet, 0, 0, 0, (lxw_col_t)(s->columns - 1), s->title, title);
	for (size_t k = 0; k < s->columns; k++) {
		worksheet_set_column(sheet, (lxw_col_t)k, (lxw_col_t)k, column_width(s, k), NULL);
		worksheet_write_string(sheet, 1, (lxw_col_t)k, s->headings[k], head);
	}
	for (size_t i = 0; i < s->n; i++)
		for (size_t k = 0; k < s->columns; k++)
			write_cell(sheet, (lxw_row_t)(i + 2), (lxw_col_t)k, s->rows[i][k], body);
	worksheet_freeze_panes(sheet, 2, 0);
	worksheet_repeat_rows(sheet, 0, 1);
	worksheet_set_landscape(sheet);
	worksheet_set_paper(sheet, 9);
	worksheet_fit_to_pages(sheet, 1, 0);
}

static int write_xlsx(const char *folder, const char *base, const struct sheet *s, struct err *e)
{
	char path[PATH], part[PATH + 8];
	lxw_workbook *book;
	lxw_error error;

	snprintf(path, sizeof(path), "%s/%s.xlsx", folder, base);
	snprintf(part, sizeof(part), "%s.part", path);
	book = workbook_new_opt(part, &(lxw_workbook_options){.constant_memory = LXW_FALSE, .tmpdir = NULL});
	if (!book)
		return err_set(e, ERR_SYS, "cannot write %s", part);
	fill(book, workbook_add_worksheet(book, NULL), s);
	error = workbook_close(book);
	if (error != LXW_NO_ERROR)
		return err_set(e, ERR_SYS, "cannot write %s: %s", part, lxw_strerror(error));
	return put_in_place(part, path, e);
}

int sheet_write(const char *folder, const char *base, const struct sheet *s, struct err *e)
{
	int r = make_folder(folder, e);

	if (r == 0)
		r = write_csv(folder, base, s, e);
	return r == 0 ? write_xlsx(folder, base, s, e) : r;
}
