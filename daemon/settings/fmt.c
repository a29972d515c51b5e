/*
 * Values are copied as they were written, quotes and all: a formatter that rewrites what it need not is one
 * that people stop using. Only what must change does: the order of known keys, indentation, blank lines, codes
 * without quotes, and texts that ran over several lines.
 *
 * Where the author lined values up below each other, they are lined up again; where he did not, they are not.
 * Comments behind a line stay in their column as long as the line leaves room.
 */
#include "settings/fmt.h"

#include "base/err.h"
#include "base/str.h"
#include "settings/fmt_parts.h"
#include "settings/lint.h"
#include "settings/types.h"

struct printer {
	const struct source *source;
	struct arena *a;
	struct str *out;
};

/* ---- order ----------------------------------------------------------------------------------- */

/* Known keys in the table's order; unknown ones, and free names, as they came. */
static size_t *order_of(const struct key_info *row, const struct node *map, struct arena *a)
{
	size_t *order = arena_alloc(a, (map->n + 1) * sizeof(*order));
	const struct key_info *child = NULL;
	size_t n = 0;

	if (row && row->type == KEY_MAP && map->kind == NODE_MAP)
		while ((child = key_next(row, child)))
			for (size_t i = 0; i < map->n; i++)
				if (strcmp(map->keys[i]->text, key_leaf(child)) == 0)
					order[n++] = i;
	for (size_t i = 0; i < map->n; i++) {
		bool there = false;

		for (size_t k = 0; k < n && !there; k++)
			there = order[k] == i;
		if (!there)
			order[n++] = i;
	}
	return order;
}

static struct fmt_entry **sorted(const struct fmt_block *block, struct arena *a)
{
	struct fmt_entry **list = arena_alloc(a, (block->n + 1) * sizeof(struct fmt_entry *));
	const struct node **keys = arena_alloc(a, (block->n + 1) * sizeof(struct node *));
	struct node map = {.kind = block->list ? NODE_LIST : NODE_MAP, .n = block->n};
	size_t *order;

	for (size_t i = 0; i < block->n; i++)
		keys[i] = block->v[i].key;
	map.keys = (struct node **)(uintptr_t)keys;
	order = order_of(block->row, &map, a);
	for (size_t i = 0; i < block->n; i++)
		list[i] = &block->v[order[i]];
	return list;
}

/* ---- values in their line -------------------------------------------------------------------- */

static const struct key_info *scalar_row(const struct key_info *row)
{
	return row && row->type == KEY_LIST ? key_child(row, "[]") : row;
}

static bool wants_quotes(const struct key_info *row, const struct node *node)
{
	return row && node->plain && (row->type == KEY_CODE || row->type == KEY_GRID) && type_looks_typed(node->text);
}

static void add_text(struct printer *p, const struct key_info *row, const struct node *node)
{
	const char *from = fmt_at(p->source, node->at.line, node->at.column);
	const char *to = fmt_at(p->source, node->end_line, node->end_column);
	bool one_line = node->at.line == node->end_line && node->style != '|' && node->style != '>';

	if (wants_quotes(scalar_row(row), node))
		str_json(p->out, node->text);
	else if (one_line)
		str_addn(p->out, from, (size_t)(to - from));
	else if (node->plain && !strchr(node->text, '\n'))
		str_add(p->out, node->text);
	else
		str_json(p->out, node->text);
}

static void add_flow(struct printer *p, const struct key_info *row, const struct node *node)
{
	size_t *order;

	if (node->kind == NODE_TEXT) {
		add_text(p, row, node);
		return;
	}
	order = order_of(row, node, p->a);
	str_addc(p->out, node->kind == NODE_MAP ? '{' : '[');
	for (size_t i = 0; i < node->n; i++) {
		const struct node *key = node->kind == NODE_MAP ? node->keys[order[i]] : NULL;

		str_add(p->out, i ? ", " : "");
		if (key) {
			add_text(p, NULL, key);
			str_add(p->out, ": ");
		}
		add_flow(p, fmt_row(row, key), node->items[order[i]]);
	}
	str_addc(p->out, node->kind == NODE_MAP ? '}' : ']');
}

/* Can the text be written as a block of lines (|) that reads back the same? */
static bool is_lines(const struct node *node)
{
	const char *s = node->text, *end;

	if ((node->style != '|' && node->style != '>') || !*s || strchr(" \n\t", *s))
		return false;
	end = s + strlen(s);
	if (end[-1] == '\n' && (end[-2] == '\n' || end - s < 2))
		return false;
	for (; *s; s++)
		if ((unsigned char)*s < ' ' && *s != '\n')
			return false;
	return true;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void pad(struct printer *p, int n)
{
	str_addf(p->out, "%*s", n, "");
}

/* At most one, and none at the top of a block. */
static void blank_line(struct printer *p)
{
	const struct str *t = p->out;

	if (t->len && t->s[t->len - 1] == '\n' && !(t->len > 1 && t->s[t->len - 2] == '\n'))
		str_addc(p->out, '\n');
}

static void add_lines(struct printer *p, const struct fmt_lines *lines, int indent, bool first)
{
	for (size_t i = 0; i < lines->v.n; i++) {
		if (lines->v.v[i]) {
			pad(p, indent);
			str_addf(p->out, "%s\n", lines->v.v[i]);
			first = false;
		} else if (!first) {
			blank_line(p);
		}
	}
}

static void end_line(struct printer *p, const struct fmt_entry *e)
{
	size_t begin = p->out->len;
	int cells;

	while (begin && p->out->s[begin - 1] != '\n')
		begin--;
	cells = fmt_cells(p->out->s + begin, p->out->len - begin);
	if (e->tail) {
		pad(p, e->tail_cells > cells ? e->tail_cells - cells : 2);
		str_add(p->out, e->tail);
	}
	str_addc(p->out, '\n');
}

static void add_block_text(struct printer *p, const struct fmt_entry *e, int indent)
{
	const char *s = e->value->text;

	str_add(p->out, s[strlen(s) - 1] == '\n' ? "|" : "|-");
	end_line(p, e);
	while (*s) {
		size_t n = strcspn(s, "\n");

		if (n)
			pad(p, indent);
		str_addn(p->out, s, n);
		str_addc(p->out, '\n');
		s += n + (s[n] == '\n');
	}
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static int key_cells(struct printer *p, const struct fmt_entry *e)
{
	CLEANUP(str_done) struct str t = {0};
	struct printer in = {p->source, p->a, &t};

	add_text(&in, NULL, e->key);
	return fmt_cells(t.s, t.len);
}

/* Has it a value in its line, so that it can stand below another? */
static bool is_row(const struct fmt_entry *e)
{
	return e->key && !e->block && !node_is_empty(e->value) && !is_lines(e->value);
}

static bool was_lined_up(const struct fmt_entry *e)
{
	return e->value->at.line == e->key->end_line && e->value->at.column > e->key->end_column + 2;
}

/* The width that the keys of each run of rows are filled to; 0: one blank behind the colon. */
static int *widths_of(struct printer *p, struct fmt_entry **list, size_t n)
{
	int *widths = arena_alloc(p->a, (n + 1) * sizeof(*widths));

	for (size_t i = 0, end; i < n; i = end > i ? end : i + 1) {
		bool lined_up = false;
		int widest = 0;

		for (end = i; end < n && is_row(list[end]) && (end == i || !list[end]->spaced); end++) {
			int cells = key_cells(p, list[end]);

			widest = cells > widest ? cells : widest;
			lined_up |= was_lined_up(list[end]);
		}
		for (size_t k = i; k < end; k++)
			widths[k] = lined_up ? widest : 0;
	}
	return widths;
}

static void add_block(struct printer *p, const struct fmt_block *block, int indent, bool in_line);

/* The comments of an item stand above its dash, and so do those of what stands first in the dash's line. */
static void add_lead(struct printer *p, const struct fmt_entry *e, int indent, bool first)
{
	add_lines(p, &e->lead, indent, first);
	if (!e->key && e->block && !e->block->list)
		add_lines(p, &sorted(e->block, p->a)[0]->lead, indent, first && !e->lead.v.n);
	if (e->spaced && !(first && !e->lead.v.n))
		blank_line(p);
}

static void add_value(struct printer *p, const struct fmt_entry *e, int indent, int width)
{
	if (e->key) {
		int cells = key_cells(p, e);

		add_text(p, NULL, e->key);
		str_addc(p->out, ':');
		if (!e->block && !node_is_empty(e->value))
			pad(p, 1 + (width > cells ? width - cells : 0));
	}
	if (e->block && (e->key || e->block->list)) {
		end_line(p, e);
		add_block(p, e->block, indent + 2, false);
	} else if (e->block) {
		add_block(p, e->block, indent + 2, true);
	} else if (is_lines(e->value)) {
		add_block_text(p, e, indent + 2);
	} else {
		add_flow(p, e->row, e->value);
		end_line(p, e);
	}
}

static void add_block(struct printer *p, const struct fmt_block *block, int indent, bool in_line)
{
	struct fmt_entry **list = sorted(block, p->a);
	int *widths = widths_of(p, list, block->n);

	for (size_t i = 0; i < block->n; i++) {
		if (i || !in_line) {
			add_lead(p, list[i], indent, !i);
			pad(p, indent);
		}
		if (block->list)
			str_add(p->out, "- ");
		add_value(p, list[i], indent, widths[i]);
	}
	add_lines(p, &block->foot, indent, false);
}

static void print(struct fmt_page *page, struct str *out)
{
	struct printer p = {page->source, page->a, out};

	add_lines(&p, &page->header, 0, true);
	if (page->header.v.n)
		blank_line(&p);
	if (page->root)
		add_block(&p, page->root, 0, false);
	add_lines(&p, &page->foot, 0, !page->root);
}

/* ---- is it still the same? ------------------------------------------------------------------- */

static bool same(const struct key_info *row, const struct node *a, const struct node *b)
{
	if (a->kind != b->kind || a->n != b->n)
		return false;
	if (a->kind == NODE_TEXT)
		return strcmp(a->text, b->text) == 0 && node_is_empty(a) == node_is_empty(b);
	for (size_t i = 0; i < a->n; i++) {
		const struct node *key = a->kind == NODE_MAP ? a->keys[i] : NULL, *other = b->items[i];

		if (key && row && row->type == KEY_MAP)
			other = node_get(b, key->text);
		else if (key && strcmp(key->text, b->keys[i]->text) != 0)
			return false;
		if (!other || !same(fmt_row(row, key), a->items[i], other))
			return false;
	}
	return true;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct fmt_comment *)a)->text, ((const struct fmt_comment *)b)->text);
}

static bool same_comments(const struct fmt_page *a, const struct fmt_page *b)
{
	if (a->comments.n != b->comments.n)
		return false;
	if (a->comments.n) {
		qsort(a->comments.v, a->comments.n, sizeof(*a->comments.v), by_text);
		qsort(b->comments.v, b->comments.n, sizeof(*b->comments.v), by_text);
	}
	for (size_t i = 0; i < a->comments.n; i++)
		if (by_text(&a->comments.v[i], &b->comments.v[i]) != 0)
			return false;
	return true;
}

/* What libyaml takes for the end of a line, but nobody sees. */
static bool has_odd_breaks(const struct source *source)
{
	const char *cr = source->text;

	while ((cr = strchr(cr, '\r')))
		if (*++cr != '\n')
			return true;
	return strstr(source->text, "\xc2\x85") || strstr(source->text, "\xe2\x80\xa8") ||
	       strstr(source->text, "\xe2\x80\xa9");
}

static void lint_end(struct lint *lint)
{
	struct findings ignored;

	lint_finish(lint, &ignored);
	lint_done(lint);
}

struct formatting {
	struct arena arena;
	struct lint lint;
	struct fmt_page before, after;
	struct source result;           /* findings may point into it until the end */
	struct str again;
};

static void formatting_done(struct formatting *f)
{
	fmt_layout_done(&f->before);
	fmt_layout_done(&f->after);
	str_done(&f->again);
	lint_end(&f->lint);
	arena_done(&f->arena);
}

int fmt_text(const struct source *source, const struct key_info *root, struct str *out, struct err *e)
{
	CLEANUP(formatting_done) struct formatting f = {.again = {0}};
	struct node *before, *after;

	f.lint.arena = &f.arena;
	if (has_odd_breaks(source))
		return err_set(e, ERR_BAD, "%s: a line ends with an unusual character", source->name);
	before = yaml_parse(source, &f.lint);
	if (!before || before->kind != NODE_MAP || f.lint.n_errors)
		return err_set(e, ERR_BAD, "%s has errors: see needlectl check", source->name);
	fmt_layout(&f.before, source, before, root, &f.arena);
	print(&f.before, out);
	source_init(&f.result, source->name, out->s ? out->s : "", out->len, &f.arena);
	after = out->cut ? NULL : yaml_parse(&f.result, &f.lint);
	if (!after || !same(root, before, after))
		return err_set(e, ERR_BAD, "%s cannot be formatted without changing what it means", source->name);
	fmt_layout(&f.after, &f.result, after, root, &f.arena);
	print(&f.after, &f.again);
	if (!same_comments(&f.before, &f.after) || !str_equal(f.again.s ? f.again.s : "", out->s ? out->s : ""))
		return err_set(e, ERR_BAD, "%s cannot be formatted so that it stays as it is", source->name);
	return 0;
}
