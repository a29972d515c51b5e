#pragma once
/*
 * One file of the folder, whole in memory, with the places in it that findings point at. Reading
 * stays inside the folder whatever a path or a symlink says. Lives in the loader's arena.
 */
#include <stdbool.h>
#include <stddef.h>

struct arena;
struct err;

enum { SOURCE_MAX = 1024 * 1024 };      /* bytes of a file that people edit */

struct source {
	const char *name;               /* relative to the folder, as written */
	const char *text;               /* NUL-terminated; a BOM at the start is left out */
	size_t len;
	size_t order;                   /* findings are sorted by it: the order of reading */
	bool is_text;                   /* valid UTF-8: lines may be shown */
	const size_t *lines;            /* offset of each line's first byte */
	size_t n_lines;
};
struct mark {
	const struct source *source;    /* NULL: nowhere in particular */
	int line, column, width;        /* 1-based; columns and width in characters */
};

/* A file that is no file of the folder: findings of the run as a whole, or a text in a test. */
void source_init(struct source *s, const char *name, const char *text, size_t len, struct arena *a);
/*
 * Reads folder/name. ERR_BAD with code "outside", "missing", "unreadable", "size" or "kind". `folder` is a real
 * path (no symlinks in it). Who may do without the file may do so only when it is missing.
 */
int source_read(const char *folder, const char *name, size_t max, struct arena *a, struct source *ret,
		struct err *e);
/* The place of the byte at `offset`. */
struct mark source_mark(const struct source *s, size_t offset);
/* Line n (1-based) without its end; NULL when there is none. */
const char *source_line(const struct source *s, int n, size_t *ret_len);
/*
 * Is it UTF-8 text, as a file must be? Otherwise the offset of the first wrong byte and why:
 * code "bom", "nul", "gb18030" or "utf8".
 */
bool source_is_utf8(const struct source *s, size_t *ret_offset, const char **ret_code);
