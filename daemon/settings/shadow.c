/*
 * A rule's words are not sets that a box could hold: a text may contain anything beside. But a text
 * that contains 单元煤气味 contains 煤气味. So a rule is looked at word by word of its `any`: each is a
 * branch in which some words are surely there (those inside it, those of `all`) and some surely not
 * (those that hold a word of `none`). The earlier rules whose words are then met for certain are boxes
 * of the other fields, and what they leave of the rule's own box is found by cutting them out of it.
 * Whatever would cost too much counts as not proved.
 */
#include "settings/shadow.h"

#include "base/mem.h"
#include "base/vec.h"
#include "core/time/moment.h"
#include "core/understand/text.h"
#include "settings/shadow_parts.h"

enum { PIECES_MAX = 5000, PIECES_IN_ALL = 100000 };

/* ---- words ----------------------------------------------------------------------------------- */

static struct ids new_ids(struct arena *a, size_t n)
{
	return (struct ids){.v = arena_alloc(a, (n + 1) * sizeof(uint32_t)), .n = n};
}

static size_t list_words(const struct office *office, const char **v, struct arena *a)
{
	size_t n = 0;

	for (size_t i = 0; i < office->n_rules; i++) {
		const struct when *w = &office->rules[i].when;
		const struct texts *lists[] = {&w->any, &w->all, &w->none};

		for (size_t k = 0; k < ARRAY_LEN(lists); n += lists[k++]->n)
			for (size_t j = 0; v && j < lists[k]->n; j++)
				v[n + j] = text_shadow(a, lists[k]->v[j]);
	}
	return n;
}

/* The numbers of the words that stand in each word, and the other way round. */
static void relate_words(struct shadow *s, const struct match *m)
{
	size_t n = match_set_size(m);
	CLEANUP(mem_freep) uint64_t *found = mem_alloc((n + 1) * sizeof(*found));
	size_t *count = arena_alloc(&s->scratch, (s->n_words + 1) * sizeof(*count));

	for (size_t w = 0; w < s->n_words; w++) {
		memset(found, 0, n * sizeof(*found));
		match_find(m, s->texts[w], strlen(s->texts[w]), found);
		for (size_t i = 0; i < n; i++)
			s->inside[w].n += (size_t)__builtin_popcountll(found[i]);
		s->inside[w].v = arena_alloc(s->arena, (s->inside[w].n + 1) * sizeof(uint32_t));
		s->inside[w].n = 0;
		for (size_t i = 0; i < n; i++)
			for (uint64_t left = found[i]; left; left &= left - 1) {
				uint32_t in = (uint32_t)(64 * i + (size_t)__builtin_ctzll(left));

				s->inside[w].v[s->inside[w].n++] = in;
				count[in]++;
			}
	}
	for (size_t w = 0; w < s->n_words; w++) {
		s->around[w] = new_ids(s->arena, count[w]);
		s->around[w].n = 0;
	}
	for (size_t w = 0; w < s->n_words; w++)
		for (size_t i = 0; i < s->inside[w].n; i++) {
			struct ids *around = &s->around[s->inside[w].v[i]];

			around->v[around->n++] = (uint32_t)w;
		}
}

static struct ids *new_index(struct shadow *s)
{
	return arena_alloc(s->arena, (s->n_words + 1) * sizeof(struct ids));
}

static void init_words(struct shadow *s)
{
	size_t n = list_words(s->office, NULL, NULL), at = 0;
	const char **v = arena_alloc(s->arena, (n + 1) * sizeof(*v));
	uint32_t *ids = arena_alloc(s->arena, (n + 1) * sizeof(*ids));
	const struct match *m;

	list_words(s->office, v, s->arena);
	m = match_new(v, n, &s->scratch, ids);
	for (size_t i = 0; i < n; i++)
		if (ids[i] != MATCH_NONE && ids[i] >= s->n_words)
			s->n_words = ids[i] + 1;
	s->texts = arena_alloc(s->arena, (s->n_words + 1) * sizeof(*s->texts));
	for (size_t i = 0; i < n; i++)
		if (ids[i] != MATCH_NONE)
			s->texts[ids[i]] = v[i];
	s->inside = new_index(s);
	s->around = new_index(s);
	for (size_t i = 0; i < s->office->n_rules; i++) {
		const struct when *w = &s->office->rules[i].when;
		const size_t have[] = {w->any.n, w->all.n, w->none.n};
		struct ids *lists[] = {&s->rules[i].any, &s->rules[i].all, &s->rules[i].none};

		for (size_t k = 0; k < ARRAY_LEN(lists); at += have[k++])
			*lists[k] = (struct ids){ids + at, have[k]};
	}
	relate_words(s, m);
	arena_reset(&s->scratch);
}

/* ---- rules ----------------------------------------------------------------------------------- */

static void init_rule(struct shadow *s, size_t i)
{
	const struct when *when = &s->office->rules[i].when;
	struct shadow_rule *rule = &s->rules[i];
	size_t good = 0;

	rule->box = pieces_box(&s->pieces, when);
	rule->asks_any = when->any.n > 0;
	rule->regex = when->regex.n > 0;
	for (size_t k = 0; k < rule->any.n; k++)
		good += rule->any.v[k] != MATCH_NONE;
	rule->never = rule->asks_any && !good;
	for (size_t k = 0; k < rule->all.n; k++)
		rule->never |= rule->all.v[k] == MATCH_NONE;
}

static const struct ids *list_any(const struct shadow_rule *rule)
{
	return &rule->any;
}

static const struct ids *list_all(const struct shadow_rule *rule)
{
	return &rule->all;
}

/* word -> the rules that name it in that list */
static struct ids *index_rules(struct shadow *s, const struct ids *(*list)(const struct shadow_rule *rule))
{
	struct ids *index = new_index(s);

	for (int fill = 0; fill < 2; fill++) {
		for (size_t i = 0; i < s->office->n_rules; i++) {
			const struct ids *ids = list(&s->rules[i]);

			for (size_t k = 0; k < ids->n; k++) {
				struct ids *rules = ids->v[k] == MATCH_NONE ? NULL : &index[ids->v[k]];

				if (rules && fill)
					rules->v[rules->n] = (uint32_t)i;
				if (rules)
					rules->n++;
			}
		}
		for (size_t w = 0; !fill && w < s->n_words; w++) {
			index[w] = new_ids(s->arena, index[w].n);
			index[w].n = 0;
		}
	}
	return index;
}

struct shadow *shadow_new(const struct office *office, struct arena *a)
{
	struct shadow *s = arena_alloc(a, sizeof(*s));
	size_t n = office->n_rules;

	*s = (struct shadow){.office = office, .arena = a, .budget = PIECES_IN_ALL};
	s->rules = arena_alloc(a, (n + 1) * sizeof(*s->rules));
	pieces_init(&s->pieces, office, a);
	init_words(s);
	for (size_t i = 0; i < n; i++)
		init_rule(s, i);
	s->asked_any = index_rules(s, list_any);
	s->asked_all = index_rules(s, list_all);
	s->wordless = new_ids(a, n);
	s->wordless.n = 0;
	for (size_t i = 0; i < n; i++)
		if (!s->rules[i].asks_any)
			s->wordless.v[s->wordless.n++] = (uint32_t)i;
	s->present = new_ids(a, s->n_words).v;
	s->forbidden = new_ids(a, s->n_words).v;
	s->seen = new_ids(a, n).v;
	s->near = new_ids(a, s->n_words).v;
	s->near_rule = SIZE_MAX;
	return s;
}

void shadow_done(struct shadow *s)
{
	arena_done(&s->scratch);
	pieces_done(&s->pieces);
}

/* ---- branches -------------------------------------------------------------------------------- */

void shadow_mark(struct shadow *s, const struct shadow_rule *rule, size_t entry)
{
	uint32_t stamp = ++s->stamp;

	for (size_t k = 0; k < rule->none.n; k++)
		for (size_t i = 0; rule->none.v[k] != MATCH_NONE && i < s->around[rule->none.v[k]].n; i++)
			s->forbidden[s->around[rule->none.v[k]].v[i]] = stamp;
	for (size_t k = 0; k <= rule->all.n; k++) {
		uint32_t word = k < rule->all.n ? rule->all.v[k] : entry < rule->any.n ? rule->any.v[entry] : MATCH_NONE;

		for (size_t i = 0; word != MATCH_NONE && i < s->inside[word].n; i++)
			s->present[s->inside[word].v[i]] = stamp;
	}
}

static bool is_marked(const struct shadow *s, const uint32_t *marks, uint32_t word)
{
	return word != MATCH_NONE && marks[word] == s->stamp;
}

bool shadow_words_met(const struct shadow *s, const struct shadow_rule *rule)
{
	bool met = !rule->asks_any;

	if (rule->regex || rule->never)
		return false;
	for (size_t k = 0; k < rule->any.n && !met; k++)
		met = is_marked(s, s->present, rule->any.v[k]);
	for (size_t k = 0; k < rule->all.n && met; k++)
		met = is_marked(s, s->present, rule->all.v[k]);
	for (size_t k = 0; k < rule->none.n && met; k++)
		met = rule->none.v[k] == MATCH_NONE || is_marked(s, s->forbidden, rule->none.v[k]);
	return met;
}

/* A rule that ends takes only from rules that end no later. */
static bool lasts(const struct rule *earlier, const struct rule *rule)
{
	return earlier->until == MOMENT_NONE || (rule->until != MOMENT_NONE && earlier->until >= rule->until);
}

static void try_taker(struct shadow *s, struct branch *b, uint32_t i)
{
	if (i >= s->rule || s->seen[i] == s->stamp)
		return;
	s->seen[i] = s->stamp;
	if (lasts(&s->office->rules[i], &s->office->rules[s->rule]) &&
	    box_meets(&s->pieces, &s->rules[i].box, &s->rules[s->rule].box) && shadow_words_met(s, &s->rules[i]))
		b->takers.v[b->takers.n++] = i;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The rules that may be met: those with a word that is surely there, and those that ask for none. */
static void find_takers(struct shadow *s, struct branch *b)
{
	const struct shadow_rule *rule = &s->rules[s->rule];
	size_t room = s->wordless.n;

	for (int fill = 0; fill < 2; fill++) {
		if (fill)
			b->takers = new_ids(&s->scratch, room);
		b->takers.n = 0;
		for (size_t k = 0; k <= rule->all.n; k++) {
			uint32_t word = k < rule->all.n ? rule->all.v[k]
				      : b->entry < rule->any.n ? rule->any.v[b->entry] : MATCH_NONE;

			for (size_t i = 0; word != MATCH_NONE && i < s->inside[word].n; i++) {
				const struct ids *asked = &s->asked_any[s->inside[word].v[i]];

				for (size_t j = 0; j < asked->n && fill; j++)
					try_taker(s, b, asked->v[j]);
				room += asked->n;
			}
		}
	}
	for (size_t i = 0; i < s->wordless.n; i++)
		try_taker(s, b, s->wordless.v[i]);
	if (b->takers.n)
		qsort(b->takers.v, b->takers.n, sizeof(*b->takers.v), by_number);
}

static void look_at(struct shadow *s, size_t rule)
{
	const struct shadow_rule *r = &s->rules[rule];
	size_t n = r->asks_any ? r->any.n : 1;

	arena_reset(&s->scratch);
	s->rule = rule;
	s->branches = arena_alloc(&s->scratch, (n + 1) * sizeof(*s->branches));
	s->n_branches = n;
	for (size_t i = 0; i < n; i++) {
		struct branch *b = &s->branches[i];

		b->entry = r->asks_any ? i : SIZE_MAX;
		shadow_mark(s, r, b->entry);
		b->dead = r->asks_any && (r->any.v[i] == MATCH_NONE || is_marked(s, s->forbidden, r->any.v[i]));
		if (!b->dead)
			find_takers(s, b);
	}
}

/* ---- cutting --------------------------------------------------------------------------------- */

struct cutting {
	struct shadow *s;
	const struct ids *takers;
	bool *used;
	size_t budget;
};

/* Is all of the box in one of the takers from `from` on? */
static bool is_taken(struct cutting *c, const struct box *box, size_t from)
{
	struct shadow *s = c->s;
	struct box rest = *box;
	const struct box *by;
	size_t i = from;

	while (i < c->takers->n && !box_meets(&s->pieces, box, &s->rules[c->takers->v[i]].box))
		i++;
	if (i == c->takers->n || !c->budget || !s->budget)
		return false;
	c->used[i] = true;
	by = &s->rules[c->takers->v[i]].box;
	for (int d = 0; d < N_DIMS; d++) {
		struct box piece = rest;

		if (!by->dim[d])
			continue;
		c->budget -= c->budget > 0;
		s->budget -= s->budget > 0;
		piece.dim[d] = box_part(&s->pieces, &rest, by, (enum shadow_dim)d, false, &s->scratch);
		if (piece.dim[d] && !is_taken(c, &piece, i + 1))
			return false;
		rest.dim[d] = box_part(&s->pieces, &rest, by, (enum shadow_dim)d, true, &s->scratch);
	}
	return true;
}

static void note(struct shadow_proof *ret, size_t rule)
{
	for (size_t i = 0; i < ret->n_by && i < SHADOW_BY; i++)
		if (ret->by[i] == rule)
			return;
	if (ret->n_by < SHADOW_BY)
		ret->by[ret->n_by] = rule;
	ret->n_by++;
}

static bool branch_is_taken(struct shadow *s, const struct branch *b, const struct box *box,
			    struct shadow_proof *ret)
{
	struct cutting c = {.s = s, .takers = &b->takers, .budget = PIECES_MAX};

	for (size_t i = 0; i < b->takers.n; i++)
		if (box_holds(&s->pieces, &s->rules[b->takers.v[i]].box, box)) {
			note(ret, b->takers.v[i]);
			return true;
		}
	if (b->takers.n < 2)
		return false;
	c.used = arena_alloc(&s->scratch, b->takers.n * sizeof(*c.used));
	if (!is_taken(&c, box, 0))
		return false;
	for (size_t i = 0; i < b->takers.n; i++)
		if (c.used[i])
			note(ret, b->takers.v[i]);
	return true;
}

/* Do earlier rules take every message of the box, whichever word it has? */
static bool all_taken(struct shadow *s, const struct box *box, struct shadow_proof *ret)
{
	size_t alive = 0;

	*ret = (struct shadow_proof){.n_by = 0};
	for (size_t i = 0; i < s->n_branches; i++)
		if (!s->branches[i].dead && !s->branches[i].takers.n)
			return false;
	for (size_t i = 0; i < s->n_branches; i++) {
		alive += !s->branches[i].dead;
		if (!s->branches[i].dead && !branch_is_taken(s, &s->branches[i], box, ret))
			return false;
	}
	return alive > 0;
}

/* ---- questions ------------------------------------------------------------------------------- */

bool shadow_rule(struct shadow *s, size_t rule, struct shadow_proof *ret)
{
	look_at(s, rule);
	return all_taken(s, &s->rules[rule].box, ret);
}

/* The bits of one entry; NULL for a list that is not there. */
static const uint64_t *entry_bits(struct shadow *s, enum shadow_list list, size_t i, enum shadow_dim *ret_dim)
{
	static const enum shadow_dim dims[N_SHADOW_LISTS] = {
		[SHADOW_CHANNEL] = DIM_CHANNEL, [SHADOW_CATEGORY] = DIM_CATEGORY, [SHADOW_GRID] = DIM_GRID,
		[SHADOW_DEVICE] = DIM_DEVICE, [SHADOW_URGENCY] = DIM_MANNER, [SHADOW_DURING] = DIM_DURING,
	};
	const struct when *w = &s->office->rules[s->rule].when;
	const struct texts *texts = list == SHADOW_CHANNEL ? &w->channel : list == SHADOW_CATEGORY ? &w->category :
				    list == SHADOW_GRID ? &w->grid : &w->device;

	*ret_dim = dims[list];
	if (list == SHADOW_URGENCY)
		return pieces_of_manner(&s->pieces, 1u << i, w->secret, &s->scratch);
	if (list == SHADOW_DURING)
		return pieces_of_window(&s->pieces, w->during[i]->from, w->during[i]->to, &s->scratch);
	return pieces_of(&s->pieces, dims[list], texts->v[i], &s->scratch);
}

bool shadow_entry(struct shadow *s, enum shadow_list list, size_t i, struct shadow_proof *ret)
{
	struct box box = s->rules[s->rule].box;
	const uint64_t *bits;
	enum shadow_dim dim;

	*ret = (struct shadow_proof){.n_by = 0};
	if (list == SHADOW_ANY)
		return !s->branches[i].dead && branch_is_taken(s, &s->branches[i], &box, ret);
	bits = entry_bits(s, list, i, &dim);
	box.dim[dim] = bits;
	return all_taken(s, &box, ret);
}

const char *shadow_forbidden(struct shadow *s, size_t i)
{
	const struct shadow_rule *rule = &s->rules[s->rule];
	const struct texts *none = &s->office->rules[s->rule].when.none;

	for (size_t k = 0; rule->any.v[i] != MATCH_NONE && k < rule->none.n; k++)
		for (size_t j = 0; rule->none.v[k] != MATCH_NONE && j < s->around[rule->none.v[k]].n; j++)
			if (s->around[rule->none.v[k]].v[j] == rule->any.v[i])
				return none->v[k];
	return NULL;
}

bool shadow_word(struct shadow *s, size_t earlier, const char **ret_own, const char **ret_inside)
{
	const struct texts *own = &s->office->rules[s->rule].when.any, *other = &s->office->rules[earlier].when.any;
	const struct shadow_rule *rule = &s->rules[s->rule], *taker = &s->rules[earlier];

	for (size_t i = 0; i < own->n; i++)
		for (size_t k = 0; !s->branches[i].dead && k < other->n; k++)
			for (size_t j = 0; j < s->inside[rule->any.v[i]].n; j++)
				if (s->inside[rule->any.v[i]].v[j] == taker->any.v[k] && rule->any.v[i] != taker->any.v[k]) {
					*ret_own = own->v[i];
					*ret_inside = other->v[k];
					return true;
				}
	return false;
}

bool shadow_may_meet(const struct shadow *s, size_t rule, size_t other)
{
	return box_meets(&s->pieces, &s->rules[rule].box, &s->rules[other].box);
}
