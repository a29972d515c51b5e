#pragma once
/*
 * A table that comes from a spreadsheet: RFC 4180 with what spreadsheets do: a BOM, CRLF, quotes. The first line must
 * be the expected header, to the letter.
 */
#include "settings/load.h"

enum { CSV_COLUMNS = 12, CSV_MAX = 16 * 1024 * 1024 };

struct csv {
	struct loader *l;
	const struct source *source;
	size_t at, columns;                     /* offset of the next byte; how many columns there must be */
	struct mark marks[CSV_COLUMNS + 1];
	const char *fields[CSV_COLUMNS + 1];    /* one more, to notice too many */
	size_t n;
};

/* False when there is no such file or it is not that table; what is wrong was reported. `from`: as of loader_read. */
bool csv_open(struct loader *l, const char *name, const char *header, const struct mark *from, struct csv *ret);
/* One record; false at the end of the file or after an error that was reported. Empty lines are left out. */
bool csv_next(struct csv *r);
