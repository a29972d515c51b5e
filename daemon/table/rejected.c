#include "table/rejected.h"

#include <string.h>

enum { BYTES_MAX = 8 << 20 };

void csv_cell_add(struct str *out, const char *text, bool first)
{
	bool formula = *text && strchr("=+-@\t", *text) && !(*text == '-' && strspn(text + 1, "0123456789.") == strlen(text + 1));

	if (!first)
		str_addc(out, ',');
	str_addc(out, '"');
	if (formula)
		str_addc(out, '\'');
	for (; *text; text++) {
		if (*text == '"')
			str_addc(out, '"');
		str_addc(out, *text);
	}
	str_addc(out, '"');
}

void rejected_add(struct rejected *r, const struct sheet *sheet, const struct sheet_row *row, const char *reason)
{
	char number[24];

	r->csv.max = BYTES_MAX;
	if (!r->n++) {
		str_add(&r->csv, "\xef\xbb\xbf");
		for (size_t i = 0; i < sheet->n; i++)
			csv_cell_add(&r->csv, sheet->names[i] ? sheet->names[i] : "", i == 0);
		csv_cell_add(&r->csv, "行号", false);
		csv_cell_add(&r->csv, "原因", false);
		str_add(&r->csv, "\r\n");
	}
	for (size_t i = 0; i < sheet->n; i++)
		csv_cell_add(&r->csv, i < row->cells->n ? row->cells->cells[i].text : "", i == 0);
	snprintf(number, sizeof(number), "%zu", row->number);
	csv_cell_add(&r->csv, number, false);
	csv_cell_add(&r->csv, reason, false);
	str_add(&r->csv, "\r\n");
}

void rejected_done(struct rejected *r)
{
	str_done(&r->csv);
	r->n = 0;
}
