#pragma once
/* A list as files that offices open: CSV and XLSX, with headings. Written beside and renamed: never half a file. */
#include <stddef.h>

struct err;

struct sheet {
	const char *title;              /* above the headings; of the CSV no part */
	const char *const *headings;
	size_t columns;
	const char *const *const *rows; /* cells may be NULL */
	size_t n;
};
/* Makes the folder if need be. base: the file's name without its ending. */
int sheet_write(const char *folder, const char *base, const struct sheet *s, struct err *e);
int sheet_write_text(const char *folder, const char *name, const char *text, struct err *e);
