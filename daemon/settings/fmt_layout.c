/*
 * Whose comment is it? libyaml drops comments, so they are found in the bytes between the texts, and given to
 * entries by where a reader would look: behind something in its line, above what comes next; and one that is
 * indented deeper than what comes next closes the block that it stands in.
 */
#include "settings/fmt_parts.h"

#include <string.h>
#include <utf8proc.h>

const char *fmt_at(const struct source *source, int line, int column)
{
	const char *end = source->text + source->len;
	/* What is left out at the end of a file without a last line break is in the line after it. */
	const char *s = (size_t)line > source->n_lines ? end : source->text + source->lines[line - 1];

	while (--column > 0 && s < end)
		for (s++; s < end && ((unsigned char)*s & 0xc0) == 0x80; s++)
			;
	return s;
}

int fmt_cells(const char *s, size_t n)
{
	const char *end = s + n;
	int cells = 0;

	while (s < end) {
		utf8proc_int32_t c;
		utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)s, end - s, &c);

		if (len <= 0)
			break;
		cells += utf8proc_charwidth(c);
		s += len;
	}
	return cells;
}

const struct key_info *fmt_row(const struct key_info *row, const struct node *key)
{
	if (!row)
		return NULL;
	if (row->type == KEY_LIST)
		return key_child(row, "[]");
	if (row->type == KEY_NAMED)
		return key_child(row, "*");
	return row->type == KEY_MAP && key ? key_child(row, key->text) : NULL;
}

/* ---- entries --------------------------------------------------------------------------------- */

static bool is_block(const struct node *node)
{
	if (node->kind == NODE_TEXT || !node->n)
		return false;
	return node->style != '[' || node->at.line != node->end_line;
}

static bool is_blank(const struct source *source, int line)
{
	size_t len;
	const char *s = source_line(source, line, &len);

	return s && strspn(s, " \t") >= len;
}

static void add_text(struct fmt_page *page, const struct node *node)
{
	const char *from = fmt_at(page->source, node->at.line, node->at.column);
	const char *to = fmt_at(page->source, node->end_line, node->end_column);

	/* Behind the head of a block text a comment may stand. */
	if (node->style == '|' || node->style == '>')
		from += strcspn(from, "\n");
	VEC_PUSH(&page->texts, (struct fmt_extent){(size_t)(from - page->source->text), (size_t)(to - page->source->text)});
}

static void add_texts(struct fmt_page *page, const struct node *node)
{
	if (node->kind == NODE_TEXT) {
		add_text(page, node);
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		if (node->kind == NODE_MAP)
			add_text(page, node->keys[i]);
		add_texts(page, node->items[i]);
	}
}

/* The line of an item's dash, which may stand above the item. */
static int dash_line(const struct fmt_page *page, const struct node *list, const struct node *item)
{
	for (int line = item->at.line; line > list->at.line; line--) {
		size_t len;
		const char *s = source_line(page->source, line, &len);

		if (list->style == '[' || (strspn(s, " ") == (size_t)list->at.column - 1 && s[list->at.column - 1] == '-'))
			return line;
	}
	return list->at.line;
}

static struct fmt_block *add_block(struct fmt_page *page, struct fmt_block *up, const struct node *node,
				   const struct key_info *row);

static void add_entry(struct fmt_page *page, struct fmt_block *block, const struct node *node, size_t i)
{
	struct fmt_entry *e = &block->v[i], *before;

	e->in = block;
	e->key = block->list ? NULL : node->keys[i];
	e->value = node->items[i];
	e->row = fmt_row(block->row, e->key);
	e->line = e->key ? e->key->at.line : node->style == '[' ? e->value->at.line : dash_line(page, node, e->value);
	e->column = e->key ? e->key->at.column : node->style == '[' ? e->value->at.column : node->at.column;
	before = page->order.n ? page->order.v[page->order.n - 1] : NULL;
	/* Of what begins in one line the outermost is what stands apart. */
	e->spaced = (!before || before->line != e->line) && e->line > 1 && is_blank(page->source, e->line - 1);
	VEC_PUSH(&page->order, e);
	if (e->key)
		add_text(page, e->key);
	if (is_block(e->value))
		e->block = add_block(page, block, e->value, e->row);
	else
		add_texts(page, e->value);
}

static struct fmt_block *add_block(struct fmt_page *page, struct fmt_block *up, const struct node *node,
				   const struct key_info *row)
{
	struct fmt_block *block = arena_alloc(page->a, sizeof(*block));

	*block = (struct fmt_block){.up = up, .list = node->kind == NODE_LIST, .row = row, .n = node->n,
				    .v = arena_alloc(page->a, node->n * sizeof(*block->v)), .column = node->at.column};
	for (size_t i = 0; i < node->n; i++)
		add_entry(page, block, node, i);
	if (node->style == '[')
		block->column = block->v[0].column;
	return block;
}

/* ---- comments -------------------------------------------------------------------------------- */

static void add_comment(struct fmt_page *page, int line, const char *begin, const char *hash, const char *end)
{
	while (end > hash && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	VEC_PUSH(&page->comments,
		 (struct fmt_comment){.text = arena_strndup(page->a, hash, (size_t)(end - hash)), .line = line,
				      .column = source_mark(page->source, (size_t)(hash - page->source->text)).column,
				      .cells = fmt_cells(begin, (size_t)(hash - begin)),
				      .alone = strspn(begin, " \t") == (size_t)(hash - begin),
				      .spaced = line > 1 && is_blank(page->source, line - 1)});
}

static void find_comments(struct fmt_page *page)
{
	const struct source *source = page->source;
	size_t next = 0, len;

	for (int line = 1; line <= (int)source->n_lines; line++) {
		const char *begin = source_line(source, line, &len), *end = begin + len;

		for (const char *s = begin; s < end; s++) {
			size_t at = (size_t)(s - source->text);

			while (next < page->texts.n && page->texts.v[next].to <= at)
				next++;
			if (next < page->texts.n && at >= page->texts.v[next].from) {
				s = source->text + page->texts.v[next].to - 1;
				continue;
			}
			if (*s == '#' && (s == begin || s[-1] == ' ' || s[-1] == '\t')) {
				add_comment(page, line, begin, s, end);
				break;
			}
		}
	}
}

static void put(struct fmt_lines *lines, const struct fmt_comment *c)
{
	if (c->spaced)
		VEC_PUSH(&lines->v, NULL);
	VEC_PUSH(&lines->v, c->text);
}

static void put_foot(struct fmt_page *page, const struct fmt_comment *c, const struct fmt_entry *before,
		     struct fmt_entry *after)
{
	struct fmt_block *block = before ? before->in : NULL;

	while (block && block->up && block->column > c->column)
		block = block->up;
	if (after && (!block || block == after->in))
		put(&after->lead, c);
	else
		put(block ? &block->foot : &page->foot, c);
}

/* A comment in a line of its own between two entries. */
static void put_alone(struct fmt_page *page, const struct fmt_comment *c, struct fmt_entry *before,
		      struct fmt_entry *after)
{
	if (before && !before->block && before->value->end_line > c->line)
		put(&before->lead, c);          /* inside: between the key and its value */
	else if (after && (c->column <= after->column || (before && after->in == before->block)))
		put(&after->lead, c);
	else
		put_foot(page, c, before, after);
}

static void put_tail(struct fmt_page *page, const struct fmt_comment *c, struct fmt_entry *before,
		     struct fmt_entry *after)
{
	bool dash = before && before->block && !before->key && before->block->v[0].line > c->line;

	if (!before || dash || before->tail) {
		put_alone(page, c, before, after);
		return;
	}
	before->tail = c->text;
	before->tail_cells = c->cells;
}

static void give_comments(struct fmt_page *page)
{
	size_t next = 0;

	for (size_t i = 0; i < page->comments.n; i++) {
		const struct fmt_comment *c = &page->comments.v[i];
		struct fmt_entry *before, *after;

		while (next < page->order.n && (page->order.v[next]->line < c->line ||
						(page->order.v[next]->line == c->line && page->order.v[next]->column < c->column)))
			next++;
		before = next ? page->order.v[next - 1] : NULL;
		after = next < page->order.n ? page->order.v[next] : NULL;
		(c->alone ? put_alone : put_tail)(page, c, before, after);
	}
}

/* What stands at the top with a blank line behind it speaks of the file, not of its first key. */
static void take_header(struct fmt_page *page)
{
	struct fmt_entry *first = page->order.n ? page->order.v[0] : NULL;
	size_t keep = 0, n = first ? first->lead.v.n : 0;

	if (!n)
		return;
	if (first->spaced)
		keep = n;
	for (size_t i = n; !keep && i-- > 1;)
		if (!first->lead.v.v[i])
			keep = i;
	for (size_t i = 0; i < keep; i++)
		VEC_PUSH(&page->header.v, first->lead.v.v[i]);
	while (keep && keep < n && !first->lead.v.v[keep])
		keep++;
	memmove(first->lead.v.v, first->lead.v.v + keep, (n - keep) * sizeof(*first->lead.v.v));
	first->lead.v.n -= keep;
}

void fmt_layout(struct fmt_page *page, const struct source *source, const struct node *tree,
		const struct key_info *root, struct arena *a)
{
	*page = (struct fmt_page){.source = source, .a = a};
	if (tree->n)
		page->root = add_block(page, NULL, tree, root);
	find_comments(page);
	give_comments(page);
	take_header(page);
}

void fmt_layout_done(struct fmt_page *page)
{
	for (size_t i = 0; i < page->order.n; i++) {
		VEC_DONE(&page->order.v[i]->lead.v);
		if (page->order.v[i]->block)
			VEC_DONE(&page->order.v[i]->block->foot.v);
	}
	if (page->root)
		VEC_DONE(&page->root->foot.v);
	VEC_DONE(&page->header.v);
	VEC_DONE(&page->foot.v);
	VEC_DONE(&page->order);
	VEC_DONE(&page->texts);
	VEC_DONE(&page->comments);
}
