#pragma once
/*
 * Rows of a file that people export: CSV (UTF-8 with or without BOM, UTF-16, GB18030; comma, semicolon
 * or tab) or XLSX. Streaming: one row at a time, within the limits below. What Excel does to data is
 * undone here where it can be, and marked where it cannot: `="00123"`, blanks round a cell, dates as
 * serial numbers, numbers of more digits than a spreadsheet keeps. Any thread; nothing global.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;

enum {
	TABLE_COLUMNS = 512,
	TABLE_CELL = 64 * 1024,         /* bytes */
	TABLE_ROWS = 200000,            /* that hold something */
	TABLE_STRINGS = 16 << 20,       /* bytes of an XLSX's shared strings */
	TABLE_UNPACKED = 256 << 20,     /* bytes of any one part of an XLSX */
	TABLE_RATIO = 250,              /* unpacked to packed, beyond the first MiB */
};

struct table_cell {
	const char *text;               /* "" when empty; UTF-8, valid */
	bool rounded;                   /* a number that has lost digits, or may have */
};
struct table_row {
	size_t number;                  /* as people count: the first is 1; of a CSV the line where it begins */
	const struct table_cell *cells; /* up to the last that holds something */
	size_t n;
};
/* Non-zero ends the reading and is returned. Rows without any text are left out. */
typedef int table_fn(void *arg, const struct table_row *row, struct err *e);

struct table_options {
	const char *sheet;              /* of an XLSX; NULL: the first that is not hidden */
};
/*
 * By content, not by name. ERR_BAD with a code: "xls" (the old format), "too-large", "quote" (never
 * closed), "encoding", "no-sheet", "broken". ERR_SYS: it cannot be read now.
 */
int table_read(const char *path, const struct table_options *options, table_fn *fn, void *arg, struct err *e);

/* The two kinds by themselves, for tests and fuzzing. */
int csv_read(FILE *file, table_fn *fn, void *arg, struct err *e);
struct zip;
int xlsx_read(struct zip *zip, const struct table_options *options, table_fn *fn, void *arg, struct err *e);

/* cell.c: trims, takes `="…"` and a leading ' off, sees numbers like 2.02611E+13. Works in place. */
void cell_clean(char *text, struct table_cell *ret);
/* A number cell of a spreadsheet as text: no exponent where the digits are all there. */
void cell_number(const char *raw, char text[64], bool *ret_rounded);
/* A serial date of a spreadsheet; false when it is none. */
bool cell_date(double serial, bool from_1904, char text[64]);
/* Does a number format (as in styles.xml) show dates or times? */
bool cell_format_is_date(const char *format);
