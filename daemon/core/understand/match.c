/*
 * A flat table of 256 successors a state is the fastest automaton and 1 KiB a state: 73 MB for
 * 10,000 Chinese keywords. Here states are numbered breadth first, so that the children of one are
 * neighbours and need no list: 13 bytes a state, one memchr a step, a direct table for the root
 * alone, where most bytes of most texts end.
 */
#include "core/understand/match.h"

#include <string.h>

#include "base/mem.h"

struct match {
	const uint32_t *first;          /* children of s are first[s] … first[s + 1] - 1 */
	const uint32_t *fail;           /* the state of the longest proper suffix */
	const uint32_t *hit;            /* 1 + the longest word that ends here; 0: none */
	const unsigned char *label;     /* the byte that leads to s */
	const uint32_t *next;           /* of a word: 1 + the longest word that is its suffix; 0 */
	size_t n_states, n_words;
	uint32_t root[256];
};

/* ---- building -------------------------------------------------------------------------------- */

struct entry {
	const char *word;
	size_t at;                      /* where it stands in the caller's list */
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->word, ((const struct entry *)b)->word);
}

/* A state is a range of the sorted words: those that begin with the text of the state. */
struct growing {
	const char **words;             /* sorted, distinct, none empty */
	uint32_t *lo, *hi, *depth, *parent;
	uint32_t *first, *fail, *hit, *next;
	unsigned char *label;
	uint32_t n;                     /* states so far */
};

static uint32_t sort_words(const char *const *words, size_t n, const char **sorted, uint32_t *ids)
{
	CLEANUP(mem_freep) struct entry *entries = mem_alloc(n * sizeof(*entries));
	uint32_t distinct = 0;

	for (size_t i = 0; i < n; i++)
		entries[i] = (struct entry){words[i], i};
	qsort(entries, n, sizeof(*entries), compare);
	for (size_t i = 0; i < n; i++) {
		if (!*entries[i].word) {
			ids[entries[i].at] = MATCH_NONE;
			continue;
		}
		if (!distinct || strcmp(sorted[distinct - 1], entries[i].word) != 0)
			sorted[distinct++] = entries[i].word;
		ids[entries[i].at] = distinct - 1;
	}
	return distinct;
}

/* Gives state s its children and, where a word ends, its hit. */
static void grow_state(struct growing *g, uint32_t s)
{
	uint32_t lo = g->lo[s], hi = g->hi[s], depth = g->depth[s];

	g->first[s] = g->n;
	if (lo < hi && !g->words[lo][depth])
		g->hit[s] = 1 + lo++;   /* the word itself sorts before all that go on */
	while (lo < hi) {
		char byte = g->words[lo][depth];
		uint32_t child = g->n++;

		g->lo[child] = lo;
		while (lo < hi && g->words[lo][depth] == byte)
			lo++;
		g->hi[child] = lo;
		g->depth[child] = depth + 1;
		g->parent[child] = s;
		g->label[child] = (unsigned char)byte;
	}
}

static uint32_t child_of(const uint32_t *first, const unsigned char *label, uint32_t s,
			 unsigned char byte)
{
	const unsigned char *from = label + first[s], *at;
	size_t n = first[s + 1] - first[s];

	at = n ? memchr(from, byte, n) : NULL;
	return at ? first[s] + (uint32_t)(at - from) : 0;
}

/* Breadth first: whatever a state falls back to is shorter, so it is finished. */
static void link_state(struct growing *g, uint32_t s)
{
	uint32_t back = g->parent[s], own = g->hit[s];

	while (back && !g->fail[s]) {
		back = g->fail[back];
		g->fail[s] = child_of(g->first, g->label, back, g->label[s]);
	}
	if (own)
		g->next[own - 1] = g->hit[g->fail[s]];
	else
		g->hit[s] = g->hit[g->fail[s]];
}

static const void *kept(struct arena *a, const void *from, size_t size)
{
	return memcpy(arena_alloc(a, size + 1), from, size);
}

static const struct match *freeze(const struct growing *g, size_t n_words, struct arena *a)
{
	struct match *m = arena_alloc(a, sizeof(*m));

	m->n_states = g->n;
	m->n_words = n_words;
	m->first = kept(a, g->first, (g->n + 1) * sizeof(*g->first));
	m->fail = kept(a, g->fail, g->n * sizeof(*g->fail));
	m->hit = kept(a, g->hit, g->n * sizeof(*g->hit));
	m->label = kept(a, g->label, g->n);
	m->next = kept(a, g->next, n_words * sizeof(*g->next));
	for (uint32_t s = m->first[0]; s < m->first[1]; s++)
		m->root[m->label[s]] = s;
	return m;
}

const struct match *match_new(const char *const *words, size_t n, struct arena *a, uint32_t *ids)
{
	CLEANUP(mem_freep) const char **sorted = mem_alloc((n + 1) * sizeof(*sorted));
	uint32_t distinct = sort_words(words, n, sorted, ids);
	CLEANUP(mem_freep) uint32_t *numbers = NULL;
	CLEANUP(mem_freep) unsigned char *label = NULL;
	size_t room = 2;
	struct growing g = {.words = sorted, .n = 1};

	for (size_t i = 0; i < distinct; i++)
		room += strlen(sorted[i]);
	numbers = mem_alloc(8 * room * sizeof(*numbers));
	label = mem_alloc(room);
	g.lo = numbers;
	g.hi = g.lo + room;
	g.depth = g.hi + room;
	g.parent = g.depth + room;
	g.first = g.parent + room;
	g.fail = g.first + room;
	g.hit = g.fail + room;
	g.next = g.hit + room;
	g.label = label;
	g.hi[0] = distinct;
	for (uint32_t s = 0; s < g.n; s++)
		grow_state(&g, s);
	g.first[g.n] = g.n;
	for (uint32_t s = 1; s < g.n; s++)
		link_state(&g, s);
	return freeze(&g, distinct, a);
}

/* ---- searching ------------------------------------------------------------------------------- */

size_t match_set_size(const struct match *m)
{
	return (m->n_words + 63) / 64;
}

bool match_has(const uint64_t *found, uint32_t id)
{
	return id != MATCH_NONE && (found[id / 64] >> id % 64 & 1);
}

/* A word that was found before has told of its suffixes already. */
static void note(const struct match *m, uint32_t hit, uint64_t *found)
{
	for (; hit && !match_has(found, hit - 1); hit = m->next[hit - 1])
		found[(hit - 1) / 64] |= UINT64_C(1) << (hit - 1) % 64;
}

void match_find(const struct match *m, const char *text, size_t len, uint64_t *found)
{
	uint32_t s = 0;

	if (!m->n_words)
		return;
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];
		uint32_t to = 0;

		while (s && !(to = child_of(m->first, m->label, s, byte)))
			s = m->fail[s];
		s = to ? to : m->root[byte];
		if (m->hit[s])
			note(m, m->hit[s], found);
	}
}

size_t match_bytes(const struct match *m)
{
	return sizeof(*m) + m->n_states * (3 * sizeof(uint32_t) + 1) +
	       m->n_words * sizeof(uint32_t);
}
