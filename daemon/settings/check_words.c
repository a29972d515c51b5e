/* Words that do less than their author thinks, and rules that nobody answers for. */
#include "core/understand/match.h"
#include "core/understand/text.h"
#include "settings/check.h"
#include "settings/load.h"

static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* A list of words as the matcher sees it. */
struct word_list {
	const struct node *list;
	const char **shadows;
	uint32_t *ids;                  /* equal for equal words */
	size_t *first;                  /* id -> 1 + the first place of it */
	size_t *other;                  /* place -> 1 + the place of a word inside or around it */
	size_t n;
};

/* Which words stand in which: a text with the longer one has the shorter one, too. */
static void relate(struct word_list *w, bool every, struct arena *a)
{
	const struct match *m = match_new(w->shadows, w->n, a, w->ids);
	size_t n = match_set_size(m);
	uint64_t *found = arena_alloc(a, (n + 1) * sizeof(*found));

	w->first = arena_alloc(a, (w->n + 1) * sizeof(*w->first));
	w->other = arena_alloc(a, (w->n + 1) * sizeof(*w->other));
	for (size_t i = w->n; i-- > 0;)
		if (w->ids[i] != MATCH_NONE)
			w->first[w->ids[i]] = i + 1;
	for (size_t i = 0; i < w->n; i++) {
		memset(found, 0, n * sizeof(*found));
		match_find(m, w->shadows[i], strlen(w->shadows[i]), found);
		for (size_t k = 0; k < n; k++)
			for (uint64_t left = found[k]; left; left &= left - 1) {
				size_t id = 64 * k + (size_t)__builtin_ctzll(left), whole = i, part = w->first[id] - 1;

				if (id != w->ids[i])
					w->other[every ? part : whole] = 1 + (every ? whole : part);
			}
	}
}

/* One finding a word: the first of what can be said about it. */
static void check_word(struct loader *l, const struct word_list *w, size_t i, bool every)
{
	const struct node *word = scope_list_item(w->list, i);
	size_t same = w->ids[i] == MATCH_NONE ? 0 : w->first[w->ids[i]] - 1;

	if (w->ids[i] == MATCH_NONE)
		lint_add(&l->lint, "W06", &word->at, _("write a word"),
			 _("nothing is left of “%s”: blanks do not count"), word->text);
	else if (same < i)
		lint_add(&l->lint, "W07", &word->at, _("keep one of the two"),
			 _("“%s” is the same word as “%s” before it: width, case and blanks do not count"), word->text,
			 scope_list_item(w->list, same)->text);
	else if (w->other[i])
		lint_add(&l->lint, "W06", &word->at, _("take it out: it changes nothing"),
			 every ? _("“%s” stands inside “%s” of the same list, which is asked for as well") :
				 _("“%s” holds “%s” of the same list, which is found first"), word->text,
			 scope_list_item(w->list, w->other[i] - 1)->text);
	else if (characters(w->shadows[i]) == 1)
		lint_add(&l->lint, "W06", &word->at, _("write a longer word: one character stands in many texts"),
			 _("“%s” is a word of one character"), word->text);
}

static void check_words(struct loader *l, const struct node *when, const char *key)
{
	struct word_list w = {.list = node_get(node_get(when, "text"), key)};
	bool every = strcmp(key, "all") == 0;
	struct arena scratch = {0};

	w.n = scope_list_length(w.list);
	w.shadows = arena_alloc(&scratch, (w.n + 1) * sizeof(*w.shadows));
	w.ids = arena_alloc(&scratch, (w.n + 1) * sizeof(*w.ids));
	for (size_t i = 0; i < w.n; i++)
		w.shadows[i] = text_shadow(&scratch, scope_list_item(w.list, i)->text);
	if (w.n)
		relate(&w, every, &scratch);
	for (size_t i = 0; i < w.n; i++)
		check_word(l, &w, i, every);
	arena_done(&scratch);
}

/* An office that names no owner at all is told once. */
static void check_owners(struct loader *l, const struct node *rules)
{
	const struct office *office = &l->settings->office;
	size_t owned = 0;

	for (size_t i = 0; i < office->n_rules; i++)
		owned += office->rules[i].owner != NULL;
	if (office->n_rules && !owned)
		lint_add(&l->lint, "W09", &node_key(l->root, "rules")->at, _("add `owner:` to each: who answers for it"),
			 _("no rule names an owner"));
	for (size_t i = 0; owned && i < office->n_rules; i++) {
		const struct node *id = node_get(rules->items[i], "id");

		if (!office->rules[i].owner)
			lint_add(&l->lint, "W09", id ? &id->at : &rules->items[i]->at,
				 _("add `owner:`: who answers for it"), _("the rule “%s” has no owner"), office->rules[i].id);
	}
}

void check_style(struct loader *l)
{
	static const char *const sections[] = {"rules", "copies"}, *const keys[] = {"any", "all", "none"};

	for (size_t s = 0; s < ARRAY_LEN(sections); s++) {
		const struct node *list = node_get(l->root, sections[s]);

		for (size_t i = 0; list && list->kind == NODE_LIST && i < list->n; i++)
			for (size_t k = 0; k < ARRAY_LEN(keys); k++)
				check_words(l, node_get(list->items[i], "when"), keys[k]);
	}
	check_owners(l, node_get(l->root, "rules"));
}
