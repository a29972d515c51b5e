/*
 * Nearly any two rules have some message in common: a text may speak of two matters. That is no
 * mistake. Worth a word are rules that meet in the same matter: by a word that one of them names
 * inside a word of the other's, or by a category, grid or device of both. And a narrow rule before a
 * wide one is how exceptions are written, so only those count of which neither holds the other.
 */
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/understand/text.h"
#include "settings/shadow_parts.h"

struct meeting {
	struct shadow *s;
	size_t a, b;                    /* the earlier rule and the one that is looked at */
	struct arena *arena;
	struct shadow_sample *sample;
};

static const struct when *when_of(const struct shadow *s, size_t rule)
{
	return &s->office->rules[rule].when;
}

static bool has_words(const struct shadow_rule *rule)
{
	return rule->asks_any || rule->all.n;
}

/* ---- text ------------------------------------------------------------------------------------ */

static void add_word(struct str *text, const char *word, struct arena *a)
{
	/* What stands in the text by another word need not be said twice. */
	if (text->len && strstr(text_shadow(a, text->s), text_shadow(a, word)))
		return;
	str_add(text, text->len ? "，" : "");
	str_add(text, word);
}

static bool holds_forbidden(const struct shadow *s, size_t rule, const char *shadow, struct arena *a)
{
	const struct texts *none = &when_of(s, rule)->none;

	for (size_t i = 0; i < none->n; i++) {
		const char *word = text_shadow(a, none->v[i]);

		if (*word && strstr(shadow, word))
			return true;
	}
	return false;
}

static void add_words_of(struct meeting *m, size_t rule, size_t entry, struct str *text)
{
	const struct when *when = when_of(m->s, rule);

	if (entry < when->any.n)
		add_word(text, when->any.v[entry], m->arena);
	for (size_t i = 0; i < when->all.n; i++)
		add_word(text, when->all.v[i], m->arena);
}

/* A text that meets both by these entries of their `any`; false when a `none` forbids it. */
static bool write_text(struct meeting *m, size_t entry_a, size_t entry_b)
{
	CLEANUP(str_done) struct str text = {0};
	const struct when *a = when_of(m->s, m->a), *b = when_of(m->s, m->b);
	const char *shadow;
	bool longer = entry_a < a->any.n && entry_b < b->any.n && strlen(a->any.v[entry_a]) > strlen(b->any.v[entry_b]);

	if (longer)
		add_words_of(m, m->a, entry_a, &text);
	add_words_of(m, m->b, entry_b, &text);
	add_words_of(m, m->a, entry_a, &text);
	if (!text.len) {
		m->sample->text = NULL;
		return true;
	}
	shadow = text_shadow(m->arena, text.s);
	if (holds_forbidden(m->s, m->a, shadow, m->arena) || holds_forbidden(m->s, m->b, shadow, m->arena))
		return false;
	m->sample->text = arena_strdup(m->arena, text.s);
	return true;
}

/* ---- who holds whom -------------------------------------------------------------------------- */

/* Is every message that meets `inner` by that entry one of the outer rule's, too? */
static bool is_within(struct shadow *s, size_t inner, size_t entry, size_t outer)
{
	if (!box_holds(&s->pieces, &s->rules[outer].box, &s->rules[inner].box))
		return false;
	shadow_mark(s, &s->rules[inner], entry);
	return shadow_words_met(s, &s->rules[outer]);
}

static bool is_word(const struct shadow_rule *rule, size_t entry)
{
	return !rule->asks_any || rule->any.v[entry] != MATCH_NONE;
}

static bool is_partial(struct meeting *m, size_t entry_a, size_t entry_b)
{
	return is_word(&m->s->rules[m->a], entry_a) && is_word(&m->s->rules[m->b], entry_b) &&
	       !is_within(m->s, m->a, entry_a, m->b) &&
	       !is_within(m->s, m->b, entry_b, m->a) && write_text(m, entry_a, entry_b);
}

static bool related(const struct shadow *s, uint32_t x, uint32_t y)
{
	for (size_t i = 0; x != MATCH_NONE && y != MATCH_NONE && i < s->inside[x].n; i++)
		if (s->inside[x].v[i] == y)
			return true;
	for (size_t i = 0; x != MATCH_NONE && y != MATCH_NONE && i < s->inside[y].n; i++)
		if (s->inside[y].v[i] == x)
			return true;
	return false;
}

static size_t n_entries(const struct shadow_rule *rule)
{
	return rule->asks_any ? rule->any.n : 1;
}

static uint32_t word_at(const struct shadow_rule *rule, size_t k, size_t entry)
{
	return k < rule->all.n ? rule->all.v[k] : entry < rule->any.n ? rule->any.v[entry] : MATCH_NONE;
}

static bool entries_related(const struct shadow *s, const struct shadow_rule *a, size_t i,
			    const struct shadow_rule *b, size_t k)
{
	for (size_t x = 0; x <= a->all.n; x++)
		for (size_t y = 0; y <= b->all.n; y++)
			if (related(s, word_at(a, x, i), word_at(b, y, k)))
				return true;
	return false;
}

static void mark_near(struct shadow *s)
{
	const struct shadow_rule *rule = &s->rules[s->rule];
	const struct ids *lists[] = {&rule->any, &rule->all};

	s->near_rule = s->rule;
	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (size_t k = 0; k < lists[l]->n; k++) {
			uint32_t word = lists[l]->v[k];

			for (size_t i = 0; word != MATCH_NONE && i < s->inside[word].n; i++)
				s->near[s->inside[word].v[i]] = (uint32_t)s->rule + 1;
			for (size_t i = 0; word != MATCH_NONE && i < s->around[word].n; i++)
				s->near[s->around[word].v[i]] = (uint32_t)s->rule + 1;
		}
}

/* A quick look before the words are compared one with another. */
static bool has_near_word(struct shadow *s, const struct shadow_rule *rule)
{
	const struct ids *lists[] = {&rule->any, &rule->all};

	if (s->near_rule != s->rule)
		mark_near(s);
	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (size_t k = 0; k < lists[l]->n; k++)
			if (lists[l]->v[k] != MATCH_NONE && s->near[lists[l]->v[k]] == (uint32_t)s->rule + 1)
				return true;
	return false;
}

static bool meet_in_words(struct meeting *m)
{
	const struct shadow_rule *a = &m->s->rules[m->a], *b = &m->s->rules[m->b];

	if (!has_near_word(m->s, a))
		return false;
	for (size_t k = 0; k < n_entries(b); k++)
		for (size_t i = 0; i < n_entries(a); i++)
			if (entries_related(m->s, a, i, b, k) && is_partial(m, i, k))
				return true;
	return false;
}

/* No words stand against each other, so the matter must be the same by category, grid or device. */
static bool meet_in_fields(struct meeting *m)
{
	const struct shadow_rule *a = &m->s->rules[m->a], *b = &m->s->rules[m->b];
	bool common = false;

	for (int d = DIM_CATEGORY; d <= DIM_DEVICE; d++)
		common |= a->box.dim[d] && b->box.dim[d];
	for (size_t k = 0; common && k < n_entries(b); k++)
		for (size_t i = 0; i < n_entries(a); i++)
			if (is_partial(m, i, k))
				return true;
	return false;
}

/* ---- the sample's other fields --------------------------------------------------------------- */

static const char *common_pattern(const struct shadow *s, enum shadow_dim dim, const struct texts *x,
				  const struct texts *y)
{
	const char *both;

	if (!x->n || !y->n)
		return x->n ? x->v[0] : y->n ? y->v[0] : NULL;
	for (size_t i = 0; i < x->n; i++)
		for (size_t k = 0; k < y->n; k++) {
			both = pieces_both(&s->pieces, dim, x->v[i], y->v[k]);
			if (both)
				return both;
		}
	return NULL;
}

/* The first bit of both sets; -1 where neither asks. */
static int common_bit(const struct shadow *s, enum shadow_dim dim, const struct box *x, const struct box *y)
{
	for (size_t i = 0; (x->dim[dim] || y->dim[dim]) && i < s->pieces.words[dim]; i++) {
		uint64_t bits = (x->dim[dim] ? x->dim[dim][i] : UINT64_MAX) & (y->dim[dim] ? y->dim[dim][i] : UINT64_MAX);

		if (bits)
			return (int)(64 * i) + __builtin_ctzll(bits);
	}
	return -1;
}

static void write_fields(struct meeting *m)
{
	const struct when *a = when_of(m->s, m->a), *b = when_of(m->s, m->b);
	const struct box *x = &m->s->rules[m->a].box, *y = &m->s->rules[m->b].box;
	int manner = common_bit(m->s, DIM_MANNER, x, y);

	m->sample->channel = common_pattern(m->s, DIM_CHANNEL, &a->channel, &b->channel);
	m->sample->category = common_pattern(m->s, DIM_CATEGORY, &a->category, &b->category);
	m->sample->grid = common_pattern(m->s, DIM_GRID, &a->grid, &b->grid);
	m->sample->device = common_pattern(m->s, DIM_DEVICE, &a->device, &b->device);
	m->sample->minute = common_bit(m->s, DIM_DURING, x, y);
	m->sample->urgency = a->urgency || b->urgency ? manner / 2 : -1;
	m->sample->secret = a->secret >= 0 || b->secret >= 0 ? manner % 2 : -1;
}

bool shadow_meets(struct shadow *s, size_t earlier, struct arena *a, struct shadow_sample *ret)
{
	struct meeting m = {.s = s, .a = earlier, .b = s->rule, .arena = a, .sample = ret};
	const struct shadow_rule *x = &s->rules[earlier], *y = &s->rules[s->rule];
	bool met;

	*ret = (struct shadow_sample){.urgency = -1, .secret = -1, .minute = -1};
	if (x->regex || y->regex || x->never || y->never || !box_meets(&s->pieces, &x->box, &y->box))
		return false;
	met = has_words(x) && has_words(y) ? meet_in_words(&m) : meet_in_fields(&m);
	if (met)
		write_fields(&m);
	return met;
}
