#pragma once
/*
 * Text for a terminal: columns that stand under each other also where Han characters take two
 * cells, and nothing of what strangers wrote that could move the cursor. Pure.
 */
#include <stddef.h>

#include "base/vec.h"

struct str;

int grid_width(const char *text);                       /* in cells */
/* Adds `text` with control characters shown as a middle dot; NULL adds nothing. */
void grid_safe(struct str *out, const char *text);
/* The same, filled with blanks to `cells`. */
void grid_pad(struct str *out, const char *text, int cells);
/* Breaks `text` at blanks to lines of at most `cells`, each after `indent` blanks. */
void grid_wrap(struct str *out, const char *text, int indent, int cells);

enum { GRID_COLUMNS = 12 };
struct grid_table {
	size_t columns;
	VEC(const char *) cells;        /* borrowed; row by row, the heads first */
};
void grid_cell(struct grid_table *t, const char *text);     /* NULL: "-" */
void grid_print(const struct grid_table *t, struct str *out);
void grid_done(struct grid_table *t);
