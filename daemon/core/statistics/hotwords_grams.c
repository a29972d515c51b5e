/*
 * Runs of characters that occur often, one character longer at a time: a run can only be frequent when the two runs
 * within it that are one shorter are (apriori), so each level looks at what the one before has left, and the cells of
 * a level that did not become frequent are gone before the next begins. What a run is worth (do its parts belong together, is it
 * used freely) is asked while the level is there.
 */
#include <math.h>
#include <string.h>

#include "core/statistics/hotwords_parts.h"

enum { CELLS_MAX = 6000000, FIRST_SLOTS = 1 << 16 };

/* Two numbers -> index of a cell. */
struct cells {
	uint32_t *slots;                /* index + 1 */
	size_t cap;
	VEC(struct gram) v;
};

static size_t mixed(uint32_t a, uint32_t b)
{
	uint64_t x = ((uint64_t)a << 32 | b) * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(x ^ x >> 29);
}

static size_t slot_of(const struct cells *c, uint32_t prefix, uint32_t suffix)
{
	size_t at = mixed(prefix, suffix) & (c->cap - 1);

	while (c->slots[at] && (c->v.v[c->slots[at] - 1].prefix != prefix || c->v.v[c->slots[at] - 1].suffix != suffix))
		at = (at + 1) & (c->cap - 1);
	return at;
}

static void grow(struct cells *c)
{
	free(c->slots);
	c->cap = c->cap ? 2 * c->cap : FIRST_SLOTS;
	c->slots = mem_alloc(c->cap * sizeof(*c->slots));
	for (size_t i = 0; i < c->v.n; i++)
		c->slots[slot_of(c, c->v.v[i].prefix, c->v.v[i].suffix)] = (uint32_t)i + 1;
}

/* Index + 1; 0 when it is not there and shall not, or cannot, be. */
static uint32_t cell(struct cells *c, uint32_t prefix, uint32_t suffix, bool make)
{
	size_t at;

	if (c->v.n * 10 >= c->cap * 7)
		grow(c);
	at = slot_of(c, prefix, suffix);
	if (!c->slots[at] && make && c->v.n < CELLS_MAX) {
		VEC_PUSH(&c->v, (struct gram){.prefix = prefix, .suffix = suffix});
		c->slots[at] = (uint32_t)c->v.n;
	}
	return c->slots[at];
}

static void cells_done(struct cells *c)
{
	free(c->slots);
	VEC_DONE(&c->v);
}

static void count(struct gram *g, size_t text, enum hot_class what)
{
	if (g->seen == text + 1)
		return;
	g->seen = (uint32_t)text + 1;
	g->n[what]++;
}

/* ---- one level -------------------------------------------------------------------------------- */
/* The texts of the time make cells; those of the time before are only counted in what is there. */
static void scan(struct hotwords *h, uint32_t length, struct cells *c, bool now)
{
	for (size_t t = 0; t < h->texts.n; t++) {
		const struct hot_text *text = &h->texts.v[t];

		if (hot_is_now(text->what) != now)
			continue;
		for (uint32_t i = text->from; i < text->to; i++) {
			uint32_t prefix = h->ids[i], suffix = i + 1 < text->to ? h->ids[i + 1] : 0, id = 0;

			if (length == 1)
				id = h->chars.v[i] ? cell(c, 1, (uint32_t)h->chars.v[i] + 1, now) : 0;
			else if (prefix && suffix)
				id = cell(c, prefix, suffix, now);
			h->ids[i] = id;
			if (id)
				count(&c->v.v[id - 1], t, text->what);
		}
	}
}

/* Only what is frequent stays, under new numbers. */
static void keep_frequent(struct hotwords *h, struct cells *c, int64_t min)
{
	uint32_t *renamed = mem_alloc((c->v.n + 1) * sizeof(*renamed));
	size_t n = 0;

	for (size_t i = 0; i < c->v.n; i++)
		if (hot_now(c->v.v[i].n) >= (uint64_t)min) {
			c->v.v[n] = c->v.v[i];
			renamed[i + 1] = (uint32_t)++n;
		}
	c->v.n = n;
	for (size_t t = 0; t < h->texts.n; t++)
		if (hot_is_now(h->texts.v[t].what))
			for (uint32_t i = h->texts.v[t].from; i < h->texts.v[t].to; i++)
				h->ids[i] = renamed[h->ids[i]];
	free(renamed);
	c->v.cap = n + 1;
	c->v.v = mem_resize(c->v.v, c->v.cap * sizeof(*c->v.v));
	c->cap = FIRST_SLOTS;
	while (c->cap < n)
		c->cap *= 2;
	grow(c);
}

/* ---- do the parts belong together? ------------------------------------------------------------ */
static double cohesion(const struct hotwords *h, uint32_t length, uint32_t gram)
{
	const struct gram *whole = &h->levels[length].v[gram];
	const uint64_t n = hot_now(whole->n);
	uint32_t heads[HOT_LONGEST + 1], tails[HOT_LONGEST + 1];
	double worst = INFINITY;

	heads[length] = tails[length] = gram;
	for (uint32_t k = length; k > 1; k--) {
		heads[k - 1] = h->levels[k].v[heads[k]].prefix - 1;
		tails[k - 1] = h->levels[k].v[tails[k]].suffix - 1;
	}
	for (uint32_t k = 1; k < length; k++) {
		double a = (double)hot_now(h->levels[k].v[heads[k]].n),
		       b = (double)hot_now(h->levels[length - k].v[tails[length - k]].n);
		double bits = log2((double)n * (double)h->total / (a * b));

		worst = bits < worst ? bits : worst;
	}
	return worst;
}

static size_t find_candidates(struct hotwords *h, const struct hot_settings *s, uint32_t length, uint32_t *numbers)
{
	size_t first = h->candidates.n;

	for (uint32_t g = 0; g < h->levels[length].n; g++) {
		double bits = cohesion(h, length, g);

		if (bits < s->cohesion)
			continue;
		VEC_PUSH(&h->candidates, (struct candidate){.length = length, .gram = g, .cohesion = bits});
		numbers[g] = (uint32_t)h->candidates.n;
	}
	return first;
}

/* ---- is it used freely? ----------------------------------------------------------------------- */
/* The edge of a text or of a run of Han characters is a new neighbour each time. */
static void add_entropy(struct candidate *c, bool right, double n, double times, double of)
{
	double *side = right ? &c->right : &c->left;

	*side += times * (n / of) * log2(of / n);
}

static void count_neighbours(const struct hotwords *h, uint32_t length, const uint32_t *numbers, struct cells *c, uint32_t *edges)
{
	for (size_t t = 0; t < h->texts.n; t++) {
		const struct hot_text *text = &h->texts.v[t];

		if (!hot_is_now(text->what))
			continue;
		for (uint32_t i = text->from; i < text->to; i++) {
			uint32_t number = h->ids[i] ? numbers[h->ids[i] - 1] : 0;
			uint16_t near[2];

			if (!number)
				continue;
			near[0] = i > text->from ? h->chars.v[i - 1] : 0;
			near[1] = i + length < text->to ? h->chars.v[i + length] : 0;
			for (uint32_t side = 0; side < 2; side++) {
				uint32_t id = near[side] ? cell(c, 2 * number + side, near[side], true) : 0;

				if (id)
					c->v.v[id - 1].n[0]++;
				else
					edges[2 * number + side]++;
			}
		}
	}
}

static void measure_neighbours(struct hotwords *h, uint32_t length, const uint32_t *numbers)
{
	size_t n = 2 * (h->candidates.n + 1);
	uint32_t *edges = mem_alloc(n * sizeof(*edges)), *all = mem_alloc(n * sizeof(*all));
	struct cells c = {0};

	count_neighbours(h, length, numbers, &c, edges);
	memcpy(all, edges, n * sizeof(*all));
	for (size_t i = 0; i < c.v.n; i++)
		all[c.v.v[i].prefix] += c.v.v[i].n[0];
	for (size_t i = 0; i < c.v.n; i++) {
		uint32_t of = c.v.v[i].prefix;

		add_entropy(&h->candidates.v[of / 2 - 1], of % 2, c.v.v[i].n[0], 1, all[of]);
	}
	for (size_t i = 2; i < n; i++)
		if (edges[i])
			add_entropy(&h->candidates.v[i / 2 - 1], i % 2, 1, edges[i], all[i]);
	cells_done(&c);
	free(edges);
	free(all);
}

static void keep_free(struct hotwords *h, const struct hot_settings *s, size_t first)
{
	size_t n = first;

	for (size_t i = first; i < h->candidates.n; i++)
		if (fmin(h->candidates.v[i].left, h->candidates.v[i].right) >= s->boundary)
			h->candidates.v[n++] = h->candidates.v[i];
	h->candidates.n = n;
}

void hot_grams(struct hotwords *h, const struct hot_settings *s)
{
	h->ids = mem_alloc((h->chars.n + 1) * sizeof(*h->ids));
	for (uint32_t length = 1; length <= HOT_LONGEST && !hotwords_stopped(h); length++) {
		struct cells c = {0};
		uint32_t *numbers;
		size_t first;

		scan(h, length, &c, true);
		keep_frequent(h, &c, s->min);
		scan(h, length, &c, false);
		free(c.slots);
		h->levels[length] = (struct level){c.v.v, (uint32_t)c.v.n};
		if (length == 1 || !c.v.n)
			continue;
		numbers = mem_alloc((c.v.n + 1) * sizeof(*numbers));
		first = find_candidates(h, s, length, numbers);
		if (h->candidates.n > first)
			measure_neighbours(h, length, numbers);
		keep_free(h, s, first);
		free(numbers);
	}
}

void hot_spell(const struct hotwords *h, uint32_t length, uint32_t gram, uint16_t *ret)
{
	for (uint32_t k = length; k > 0; k--) {
		uint32_t last = gram;

		for (uint32_t down = k; down > 1; down--)
			last = h->levels[down].v[last].suffix - 1;
		ret[k - 1] = (uint16_t)(h->levels[1].v[last].suffix - 1);
		if (k > 1)
			gram = h->levels[k].v[gram].prefix - 1;
	}
}
