/*
 * The effective configuration as one file: every key in the table's order, defaults filled in, secrets
 * as ***. It loads again (offline: the masked secrets are missing), which is how a test proves that
 * nothing was left out.
 */
#include "base/str.h"
#include "settings/snapshot.h"
#include "settings/table.h"
#include "settings/types.h"
#include "settings/yaml.h"

static const char digits[] = "0123456789";
static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./";

/* Types whose text may look like a number or a time without anybody taking it for something else. */
static bool is_free(const struct key_info *row)
{
	return row->type == KEY_TEXT || row->type == KEY_WORD || row->type == KEY_CODE || row->type == KEY_GRID;
}

/* Plain where no reader could take it for something else; else a quoted text. */
static void add_text(struct str *out, const char *text, bool free)
{
	bool plain = *text && *text != '.' && !(free && (type_looks_typed(text) || !text[strspn(text, digits)]));

	for (const char *s = text; *s && plain; s++)
		plain = (unsigned char)*s >= 0x80 || strchr(safe, *s) ||
			(strchr(" -", *s) && s != text && s[1] && s[1] != ' ') ||
			(*s == ':' && s != text && s[1] && (strchr(safe, s[1]) || (unsigned char)s[1] >= 0x80));
	/* Full-width marks are refused unquoted where they may be slips. */
	if (plain && (strstr(text, "，") || strstr(text, "、") || strstr(text, "“") || strstr(text, "\xe3\x80\x80")))
		plain = false;
	if (plain)
		str_add(out, text);
	else
		str_json(out, text);
}

static void indent(struct str *out, int depth)
{
	str_addf(out, "%*s", 2 * depth, "");
}

static bool is_flat(const struct node *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i]->kind != NODE_TEXT)
			return false;
	return true;
}

static void add_flat(struct str *out, const struct node *list, bool free)
{
	str_addc(out, '[');
	for (size_t i = 0; i < list->n; i++) {
		if (i)
			str_add(out, ", ");
		add_text(out, list->items[i]->text, free);
	}
	str_addc(out, ']');
}

static bool has_default(const struct key_info *row)
{
	const struct key_info *child = NULL;

	if (row->fallback)
		return true;
	while (row->type == KEY_MAP && (child = key_next(row, child)))
		if (has_default(child))
			return true;
	return false;
}

struct printer {
	struct str *out;
	const struct node *root;
};

/* A default that is a name counts only where that name exists. */
static bool applies(const struct printer *p, const struct key_info *row)
{
	if (row->type == KEY_MAP)
		return has_default(row);
	return row->fallback && (row->type != KEY_REF || node_get(node_get(p->root, row->ref), row->fallback));
}

/* Connection strings show where they lead, not what opens the door. */
static void add_masked(struct str *out, const struct key_info *row, const char *text)
{
	CLEANUP(str_done) struct str t = {0};
	const char *at;

	if (row->type == KEY_DSN) {
		for (; (at = strstr(text, "${")) && strchr(at, '}'); text = strchr(at, '}') + 1) {
			str_addn(&t, text, (size_t)(at - text));
			str_add(&t, "***");
		}
		str_add(&t, text);
	} else {
		str_add(&t, "***");
	}
	str_json(out, t.s);
}

static void add_value(const struct printer *p, const struct key_info *row, const struct node *node, int depth);

static void add_key(const struct printer *p, const struct key_info *row, const char *name, const struct node *node,
		    int depth)
{
	static const struct node nothing = {.kind = NODE_MAP};

	if (node_is_empty(node))
		node = NULL;
	if (!node && !applies(p, row))
		return;
	indent(p->out, depth);
	add_text(p->out, name, true);
	str_addc(p->out, ':');
	if (node || row->type == KEY_MAP) {
		add_value(p, row, node ? node : &nothing, depth);
		return;
	}
	str_addc(p->out, ' ');
	if (row->type == KEY_NAMED || row->type == KEY_LIST)
		str_add(p->out, row->fallback);
	else
		add_text(p->out, row->fallback, is_free(row));
	str_addc(p->out, '\n');
}

/* The keys of a map: the table's, or free names; the first stands where the cursor is. */
static void add_keys(const struct printer *p, const struct key_info *row, const struct node *node, int depth)
{
	const struct key_info *child = NULL;

	if (row->type == KEY_NAMED)
		for (size_t i = 0; i < node->n; i++) {
			static const struct node nothing = {.kind = NODE_MAP};
			const struct node *item = node_is_empty(node->items[i]) ? &nothing : node->items[i];

			add_key(p, key_child(row, "*"), node->keys[i]->text, item, depth);
		}
	else
		while ((child = key_next(row, child)))
			if (strcmp(child->path, "include") != 0)
				add_key(p, child, key_leaf(child), node_get(node, key_leaf(child)), depth);
}

static void add_items(const struct printer *p, const struct key_info *row, const struct node *list, int depth)
{
	str_addc(p->out, '\n');
	for (size_t i = 0; i < list->n; i++) {
		CLEANUP(str_done) struct str one = {0};
		const struct printer inner = {.out = &one, .root = p->root};

		add_keys(&inner, key_child(row, "[]"), list->items[i], depth + 2);
		indent(p->out, depth + 1);
		str_add(p->out, "- ");
		str_add(p->out, one.s ? one.s + (size_t)(2 * (depth + 2)) : "{}\n");
	}
}

static void add_value(const struct printer *p, const struct key_info *row, const struct node *node, int depth)
{
	size_t before;

	if (node->kind == NODE_TEXT) {
		str_addc(p->out, ' ');
		if (row->flags & KEY_SECRET)
			add_masked(p->out, row, node->text);
		else
			add_text(p->out, node->text, is_free(row));
		str_addc(p->out, '\n');
	} else if (node->kind == NODE_LIST && is_flat(node)) {
		str_addc(p->out, ' ');
		add_flat(p->out, node, row->type == KEY_LIST && is_free(key_child(row, "[]")));
		str_addc(p->out, '\n');
	} else if (node->kind == NODE_LIST) {
		add_items(p, row, node, depth);
	} else {
		before = p->out->len;
		str_addc(p->out, '\n');
		add_keys(p, row, node, depth + 1);
		if (p->out->len == before + 1) {
			p->out->len = before;
			str_add(p->out, " {}\n");
		}
	}
}

void settings_print(const struct settings *s, struct str *out)
{
	const struct printer p = {.out = out, .root = s->tree};
	size_t n;

	add_keys(&p, settings_keys(&n), s->tree, 0);
}
