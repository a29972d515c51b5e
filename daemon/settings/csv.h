#pragma once
/*
 * Tables of the folder that come from a spreadsheet: RFC 4180 with what spreadsheets do: a BOM, CRLF, quotes. Whatever
 * is wrong is a finding.
 */
#include "settings/load.h"

enum { CSV_COLUMNS = 12 };
struct csv {
	struct loader *l;
	const struct source *source;
	const char *header;                     /* as its first line must be */
	size_t n_columns;
	size_t at;                              /* offset of the next byte */
	struct mark marks[CSV_COLUMNS + 1];
	const char *fields[CSV_COLUMNS + 1];    /* one more, to notice too many */
	size_t n;
};
/* False: there is no such file (which is no fault), or it cannot be read, which is said. */
bool csv_open(struct loader *l, const char *name, const char *header, struct csv *ret);
/* The next record that is not empty and has as many fields as the header; false at the end. */
bool csv_next(struct csv *r);
