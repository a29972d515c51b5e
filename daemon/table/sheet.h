#pragma once
/*
 * A table with a header, as rows of named values: the header is found below whatever titles stand
 * above it, also when it is written in two rows (a group above its columns). A value that has lost
 * digits becomes a JSON real, everything else a string; empty cells are left out.
 */
#include <jansson.h>
#include <stdbool.h>

#include "table/table.h"

enum { SHEET_HEADER_ROWS = 30 };        /* among so many the header must be */

/* Could these names (values: "1") be the header? */
typedef bool sheet_knows(void *arg, json_t *names);
struct sheet_row {
	size_t number;
	json_t *object;                 /* borrowed */
	const struct table_row *cells;
};
struct sheet {
	const char **names;             /* by column; NULL where there is none */
	size_t n;
	size_t header;                  /* the row's number; 0: not found yet */
};
/* Non-zero ends the reading. `sheet` stays the same from the first row on. */
typedef int sheet_fn(void *arg, const struct sheet *sheet, const struct sheet_row *row, struct err *e);

/* As table_read; also ERR_BAD "no-header": no row is known. */
int sheet_read(const char *path, const struct table_options *options, sheet_knows *knows, sheet_fn *fn, void *arg,
	       struct err *e);
