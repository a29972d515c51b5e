/*
 * The names that sections define, who uses them, and which one a wrong name was meant to be. People
 * know a department by its name and the files know it by its id, so the name is a hint as well.
 */
#include "base/str.h"
#include "settings/load.h"

const char *const symbol_sections[N_SYMBOLS] = {
	"channels", "departments", "categories", "policies", "calendars", "escalations", "windows",
};

/* One word each, as the message says it. */
static const char *const symbol_words[N_SYMBOLS] = {
	N_("channel"), N_("department"), N_("category"), N_("policy"), N_("calendar"), N_("escalation"), N_("window"),
};

enum { WORD_MAX = 64 };

static size_t code_points(const char *s, uint32_t out[WORD_MAX])
{
	size_t n = 0;

	for (const unsigned char *p = (const unsigned char *)s; *p && n < WORD_MAX; n++) {
		uint32_t c = *p++;

		/* Comparing needs equality only: the bytes of a character packed together will do. */
		while ((*p & 0xc0) == 0x80)
			c = (c << 8) | *p++;
		out[n] = c;
	}
	return n;
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* How many characters must be added, dropped, changed or swapped with their neighbour. */
static size_t distance(const char *x, const char *y)
{
	uint32_t a[WORD_MAX], b[WORD_MAX];
	size_t na = code_points(x, a), nb = code_points(y, b);
	size_t rows[3][WORD_MAX + 1];

	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
	}
	return rows[na % 3][nb];
}

const char *suggest(const char *wrong, const char *const *known, size_t n)
{
	uint32_t scratch[WORD_MAX];
	size_t length = code_points(wrong, scratch);
	size_t best = length <= 1 ? 1 : length <= 3 ? 2 : 3;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t d = distance(wrong, known[i]);

		if (d < best) {
			best = d;
			found = known[i];
		}
	}
	return found;
}

const char *suggest_remedy(struct loader *l, const char *suggestion, const char *otherwise)
{
	return suggestion ? arena_printf(l->arena, _("did you mean “%s”?"), suggestion) : otherwise;
}

void names_collect(struct loader *l)
{
	for (size_t k = 0; k < N_SYMBOLS; k++) {
		const struct node *section = node_get(l->root, symbol_sections[k]);

		if (!section || section->kind != NODE_MAP)
			continue;
		for (size_t i = 0; i < section->n; i++) {
			struct symbol *symbol = arena_alloc(l->arena, sizeof(*symbol));
			const struct node *name = node_get(section->items[i], "name");
			const char *text = section->keys[i]->text, *wide = strstr(text, "：");

			symbol->key = section->keys[i];
			symbol->title = name && name->kind == NODE_TEXT ? name->text : NULL;
			/* The colon is wrong, and said to be; the name before it was meant. */
			map_put(&l->symbols[k], wide ? arena_strndup(l->arena, text, (size_t)(wide - text)) : text, symbol);
		}
	}
}

struct symbol *names_use(struct loader *l, enum symbols kind, const char *name)
{
	struct symbol *symbol = map_get(&l->symbols[kind], name);

	if (symbol)
		symbol->used = true;
	return symbol;
}

/* A category that is only an ancestor of listed ones is a name as well. */
static bool is_ancestor(const struct map *categories, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < categories->cap; i++) {
		const char *path = categories->slots[i].key;

		if (path && strncmp(path, name, n) == 0 && path[n] == '/')
			return true;
	}
	return false;
}

static const char *guess(const struct map *names, const char *wrong, const struct symbol **ret)
{
	const char **known = mem_alloc((names->n + 1) * sizeof(*known));
	const char *found = NULL;
	size_t n = 0;

	for (size_t i = 0; i < names->cap; i++) {
		const struct symbol *symbol = names->slots[i].value;

		if (!names->slots[i].key)
			continue;
		known[n++] = names->slots[i].key;
		if (symbol->title && distance(symbol->title, wrong) <= 1 && strlen(wrong) > 3)
			found = names->slots[i].key;
	}
	if (!found)
		found = suggest(wrong, known, n);
	*ret = found ? map_get(names, found) : NULL;
	free(known);
	return found;
}

static const char *remedy_for(struct loader *l, enum symbols kind, const char *wrong)
{
	const struct symbol *symbol;
	const char *found = guess(&l->symbols[kind], wrong, &symbol);

	if (!found)
		return arena_printf(l->arena, _("define it under `%s:` or name another"), symbol_sections[kind]);
	return arena_printf(l->arena, _("did you mean “%s”? (%s:%d)"), found, symbol->key->at.source->name,
			    symbol->key->at.line);
}

bool names_check(struct loader *l, const char *ref, const char *name, const struct mark *at)
{
	int kind = name_index(symbol_sections, N_SYMBOLS, ref);

	if (kind < 0 || names_use(l, (enum symbols)kind, name))
		return true;
	if (kind == SYM_CATEGORIES && is_ancestor(&l->symbols[kind], name))
		return true;
	/* What a file that could not be read defines is not missing, nor what stands under a misspelt key. */
	if (l->unsure || (!node_get(l->root, ref) && (l->broken || !key_is_missing(scope_root(l).row, l->root, ref))))
		return true;
	lint_add(&l->lint, "E20", at, remedy_for(l, (enum symbols)kind, name), _("%s “%s” is not defined"),
		   _(symbol_words[kind]), name);
	return false;
}
