#include "core/understand/candidates.h"

#include <string.h>

#include "base/mem.h"

enum { BITS = 64 };

static void set_bit(uint64_t *set, size_t i)
{
	set[i / BITS] |= UINT64_C(1) << i % BITS;
}

/* Counts first, so that one array holds all lists; a word that is never found has none. */
static void index_words(struct candidates *c, const struct when_ready *whens, struct arena *a)
{
	size_t n_ids = c->n_found * BITS, total = 0;
	uint32_t *next = arena_alloc(a, (n_ids + 1) * sizeof(*next));

	c->first = arena_alloc(a, (n_ids + 1) * sizeof(*c->first));
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; k < whens[i].any.n; k++)
			if (whens[i].any.ids[k] < n_ids) {
				c->first[whens[i].any.ids[k] + 1]++;
				total++;
			}
	for (size_t id = 0; id < n_ids; id++)
		c->first[id + 1] += c->first[id];
	memcpy(next, c->first, (n_ids + 1) * sizeof(*next));
	c->whens = arena_alloc(a, (total + 1) * sizeof(*c->whens));
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; k < whens[i].any.n; k++)
			if (whens[i].any.ids[k] < n_ids)
				c->whens[next[whens[i].any.ids[k]]++] = (uint32_t)i;
}

void candidates_init(struct candidates *c, const struct when_ready *whens, size_t n, size_t n_found, struct arena *a)
{
	*c = (struct candidates){.n = n, .size = n / BITS + 1, .n_found = n_found};
	c->always = arena_alloc(a, c->size * sizeof(*c->always));
	for (size_t i = 0; i < n; i++)
		if (!whens[i].any.n)
			set_bit(c->always, i);
	index_words(c, whens, a);
}

void candidates_find(const struct candidates *c, const uint64_t *found, uint64_t *set)
{
	memcpy(set, c->always, c->size * sizeof(*set));
	for (size_t i = 0; i < c->n_found; i++)
		for (uint64_t bits = found[i]; bits; bits &= bits - 1) {
			size_t id = i * BITS + (size_t)__builtin_ctzll(bits);

			for (uint32_t k = c->first[id]; k < c->first[id + 1]; k++)
				set_bit(set, c->whens[k]);
		}
}

size_t candidates_next(const struct candidates *c, const uint64_t *set, size_t i)
{
	size_t word = i / BITS;
	uint64_t bits;

	if (i >= c->n)
		return c->n;
	bits = set[word] & ~UINT64_C(0) << i % BITS;
	while (!bits && ++word < c->size)
		bits = set[word];
	return bits ? word * BITS + (size_t)__builtin_ctzll(bits) : c->n;
}
