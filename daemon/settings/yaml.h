#pragma once
/*
 * A YAML file as a tree with marks: the only part that knows libyaml. Every scalar stays the text
 * that was written: `no`, `0012` and `12:30` are texts until the table of keys says what they are.
 * The tree lives in the arena of the findings.
 */
#include <stdbool.h>
#include <stddef.h>

#include "settings/lint.h"
#include "settings/source.h"

enum node_kind { NODE_TEXT, NODE_LIST, NODE_MAP, NODE_BAD };    /* NODE_BAD: reported already, ask nothing */
enum { YAML_DEPTH = 32, YAML_NODES = 100000 };

struct node {
	enum node_kind kind;
	bool plain;                     /* written without quotes */
	char style;                     /* how a text is written: 0 plain, ' " | >; a list or map: [ or 0 */
	struct mark at;
	int end_line, end_column;       /* behind it; of what is not in brackets without meaning */
	const char *text;               /* NODE_TEXT, else NULL */
	struct node **keys;             /* NODE_MAP: n NODE_TEXTs */
	struct node **items;            /* NODE_LIST and NODE_MAP: n values */
	size_t n, cap;
};

/* NULL when the file cannot be understood as a whole; then there is a finding that says why. */
struct node *yaml_parse(const struct source *source, struct lint *lint);

/* The value of a key, NULL when absent or when `map` is no map (or NULL). */
struct node *node_get(const struct node *map, const char *key);
/* The node of that key itself, for its mark. */
struct node *node_key(const struct node *map, const char *key);
/* key may be NULL for lists. */
void node_add(struct arena *a, struct node *to, struct node *key, struct node *value);
/* Nothing written behind the key, or no node at all. */
bool node_is_empty(const struct node *node);
/* The place of the byte at `offset` of a scalar's text: exact where the text stands as written. */
struct mark node_mark(const struct node *node, size_t offset);
