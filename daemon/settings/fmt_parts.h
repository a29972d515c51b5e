#pragma once
/*
 * Inside fmt only: a file as what is printed. An entry is what gets a line of its own: a key with its value, or
 * an item of a list; what stands in braces on one line is one value. Every comment belongs to an entry (before
 * it, or behind it in its line) or to the end of a block.
 */
#include "base/vec.h"
#include "settings/table.h"
#include "settings/yaml.h"

struct fmt_lines {
	VEC(const char *) v;            /* comments; NULL is a blank line */
};
struct fmt_entry {
	struct fmt_block *in;           /* where it stands */
	struct fmt_block *block;        /* what stands below it, or NULL: the value is in its line */
	const struct node *key;         /* NULL: an item */
	const struct node *value;
	const struct key_info *row;     /* of the value; NULL: not in the table */
	int line, column;               /* of the key, or of the item's dash */
	bool spaced;                    /* a blank line stands before it and its comments, or between them and it */
	struct fmt_lines lead;
	const char *tail;
	int tail_cells;                 /* where the tail stood: cells before it */
};
struct fmt_block {
	struct fmt_block *up;
	bool list;
	const struct key_info *row;
	struct fmt_entry *v;
	size_t n;
	int column;
	struct fmt_lines foot;
};
/* A piece of the source that is no syntax: bytes from…to. */
struct fmt_extent {
	size_t from, to;
};
struct fmt_comment {
	const char *text;               /* with its # */
	int line, column, cells;
	bool alone, spaced;             /* nothing before it in its line; a blank line before it */
};
struct fmt_page {
	const struct source *source;
	struct arena *a;
	struct fmt_block *root;         /* NULL: nothing but comments */
	VEC(struct fmt_entry *) order;  /* as in the source, parents first */
	VEC(struct fmt_extent) texts;
	VEC(struct fmt_comment) comments;
	struct fmt_lines header;        /* before everything, whatever comes first */
	struct fmt_lines foot;          /* of a file without entries */
};

/* Reads what fmt prints out of a parsed file. */
void fmt_layout(struct fmt_page *page, const struct source *source, const struct node *tree,
		const struct key_info *root, struct arena *a);
void fmt_layout_done(struct fmt_page *page);
/* The row of a value below `row`; NULL stays NULL. */
const struct key_info *fmt_row(const struct key_info *row, const struct node *key);
/* Bytes of the source at a place. */
const char *fmt_at(const struct source *source, int line, int column);
/* Display cells of n bytes. */
int fmt_cells(const char *s, size_t n);
