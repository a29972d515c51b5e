#pragma once
/*
 * Rows that were refused, as a CSV to mend and to send again: the header as it was, the rows as they
 * were, and two columns more, the row's number and why. UTF-8 with a BOM, for spreadsheets.
 */
#include "base/str.h"
#include "table/sheet.h"

struct rejected {
	struct str csv;
	size_t n;
};
void rejected_add(struct rejected *r, const struct sheet *sheet, const struct sheet_row *row, const char *reason);
void rejected_done(struct rejected *r);
/* One cell with what it needs of quotes; what a spreadsheet would take for a formula gets a ' before it. */
void csv_cell_add(struct str *out, const char *text, bool first);
