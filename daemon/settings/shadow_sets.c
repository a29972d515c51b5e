/*
 * Categories, grids and devices are named by patterns of which two are either one inside the other or
 * apart. So a field has as many pieces as there are patterns: of each, what is in no narrower one. A
 * piece that happens to be empty only makes the proof more careful. Sorted as texts, whatever begins
 * with a pattern stands right behind it.
 */
#include "settings/shadow_sets.h"

#include "base/mem.h"
#include "core/office.h"

enum { MINUTES = 1440 };

/* ---- patterns -------------------------------------------------------------------------------- */

/* 市政 holds 市政/井盖 */
static bool holds_category(const char *pattern, const char *other)
{
	size_t n = strlen(pattern);

	return strncmp(pattern, other, n) == 0 && (!other[n] || other[n] == '/');
}

static bool is_open(const char *pattern)
{
	size_t n = strlen(pattern);

	return n && pattern[n - 1] == '*';
}

/* 4101* holds 410106* and 410106003 */
static bool holds_prefix(const char *pattern, const char *other)
{
	size_t n = strlen(pattern);

	if (!is_open(pattern))
		return strcmp(pattern, other) == 0;
	n--;
	return strncmp(pattern, other, n) == 0 && strlen(other) - is_open(other) >= n;
}

static bool holds_equal(const char *pattern, const char *other)
{
	return strcmp(pattern, other) == 0;
}

static const struct texts *list_of(const struct when *when, enum shadow_dim dim)
{
	return dim == DIM_CHANNEL ? &when->channel : dim == DIM_CATEGORY ? &when->category :
	       dim == DIM_GRID ? &when->grid : &when->device;
}

static size_t stem(const char *pattern)
{
	return strlen(pattern) - is_open(pattern);
}

/* By stem, the open one first: 41* before 41 before 410. */
static int by_stem(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	size_t nx = stem(x), ny = stem(y);
	int r = memcmp(x, y, nx < ny ? nx : ny);

	if (r == 0)
		r = nx < ny ? -1 : nx > ny;
	return r ? r : is_open(y) - is_open(x);
}

static void patterns_init(struct patterns *p, const struct office *office, enum shadow_dim dim, struct arena *a)
{
	size_t room = 1;

	for (size_t i = 0; i < office->n_rules; i++)
		room += list_of(&office->rules[i].when, dim)->n;
	p->v = arena_alloc(a, room * sizeof(*p->v));
	for (size_t i = 0; i < office->n_rules; i++) {
		const struct texts *list = list_of(&office->rules[i].when, dim);

		for (size_t k = 0; k < list->n; k++)
			if (!map_put(&p->at, list->v[k], p))
				p->v[p->n++] = list->v[k];
	}
	if (p->n)
		qsort(p->v, p->n, sizeof(*p->v), by_stem);
	for (size_t i = 0; i < p->n; i++)
		map_put(&p->at, p->v[i], (void *)(uintptr_t)(i + 1));
}

void pieces_init(struct pieces *p, const struct office *office, struct arena *a)
{
	static const size_t fixed[N_DIMS] = {[DIM_DURING] = MINUTES, [DIM_MANNER] = 2 * N_URGENCY};

	*p = (struct pieces){.arena = a};
	for (int d = 0; d < N_DIMS; d++) {
		size_t n = fixed[d];

		if (d <= DIM_DEVICE) {
			patterns_init(&p->patterns[d], office, (enum shadow_dim)d, a);
			p->patterns[d].holds = d == DIM_CHANNEL ? holds_equal : d == DIM_CATEGORY ? holds_category
												  : holds_prefix;
			n = p->patterns[d].n + 1;
		}
		p->words[d] = (n + 63) / 64;
		p->last[d] = n % 64 ? (UINT64_C(1) << n % 64) - 1 : UINT64_MAX;
	}
}

void pieces_done(struct pieces *p)
{
	for (int d = 0; d <= DIM_DEVICE; d++)
		map_done(&p->patterns[d].at);
}

const char *pieces_both(const struct pieces *p, enum shadow_dim dim, const char *x, const char *y)
{
	return p->patterns[dim].holds(x, y) ? y : p->patterns[dim].holds(y, x) ? x : NULL;
}

/* ---- sets ------------------------------------------------------------------------------------ */

static void set(uint64_t *bits, size_t i)
{
	bits[i / 64] |= UINT64_C(1) << i % 64;
}

static uint64_t *new_set(const struct pieces *p, enum shadow_dim dim, struct arena *a)
{
	return arena_alloc(a, p->words[dim] * sizeof(uint64_t));
}

static void add_pattern(const struct pieces *p, enum shadow_dim dim, const char *pattern, uint64_t *bits)
{
	const struct patterns *all = &p->patterns[dim];
	size_t n = stem(pattern);

	for (size_t i = (size_t)(uintptr_t)map_get(&all->at, pattern) - 1;
	     i < all->n && strncmp(all->v[i], pattern, n) == 0; i++)
		if (all->holds(pattern, all->v[i]))
			set(bits, i);
}

static void add_window(uint64_t *bits, int from, int to)
{
	for (int m = from; m != to; m = (m + 1) % MINUTES) {
		set(bits, (size_t)m);
		if (m + 1 == to)
			return;
	}
}

const uint64_t *pieces_of(const struct pieces *p, enum shadow_dim dim, const char *pattern, struct arena *a)
{
	uint64_t *bits = new_set(p, dim, a);

	add_pattern(p, dim, pattern, bits);
	return bits;
}

const uint64_t *pieces_of_window(const struct pieces *p, int from, int to, struct arena *a)
{
	uint64_t *bits = new_set(p, DIM_DURING, a);

	add_window(bits, from, to);
	return bits;
}

const uint64_t *pieces_of_manner(const struct pieces *p, unsigned bits, int secret, struct arena *a)
{
	uint64_t *manner = new_set(p, DIM_MANNER, a);

	for (unsigned u = 0; u < N_URGENCY; u++)
		for (int s = 0; s < 2; s++)
			if ((!bits || (bits >> u & 1)) && (secret < 0 || secret == s))
				set(manner, 2 * u + (unsigned)s);
	return manner;
}

struct box pieces_box(const struct pieces *p, const struct when *when)
{
	struct box box = {0};
	uint64_t *bits;

	for (int d = 0; d <= DIM_DEVICE; d++) {
		const struct texts *list = list_of(when, (enum shadow_dim)d);

		if (!list->n)
			continue;
		bits = new_set(p, (enum shadow_dim)d, p->arena);
		for (size_t i = 0; i < list->n; i++)
			add_pattern(p, (enum shadow_dim)d, list->v[i], bits);
		box.dim[d] = bits;
	}
	if (when->n_during) {
		bits = new_set(p, DIM_DURING, p->arena);
		for (size_t i = 0; i < when->n_during; i++)
			add_window(bits, when->during[i]->from, when->during[i]->to);
		box.dim[DIM_DURING] = bits;
	}
	if (when->urgency || when->secret >= 0)
		box.dim[DIM_MANNER] = pieces_of_manner(p, when->urgency, when->secret, p->arena);
	return box;
}

/* ---- boxes ----------------------------------------------------------------------------------- */

bool box_meets(const struct pieces *p, const struct box *x, const struct box *y)
{
	for (int d = 0; d < N_DIMS; d++) {
		uint64_t common = 0;

		if (!x->dim[d] || !y->dim[d])
			continue;
		for (size_t i = 0; i < p->words[d] && !common; i++)
			common = x->dim[d][i] & y->dim[d][i];
		if (!common)
			return false;
	}
	return true;
}

static uint64_t all_bits(const struct pieces *p, enum shadow_dim dim, size_t i)
{
	return i + 1 == p->words[dim] ? p->last[dim] : UINT64_MAX;
}

bool box_holds(const struct pieces *p, const struct box *x, const struct box *inner)
{
	for (int d = 0; d < N_DIMS; d++)
		for (size_t i = 0; x->dim[d] && i < p->words[d]; i++)
			if ((inner->dim[d] ? inner->dim[d][i] : all_bits(p, (enum shadow_dim)d, i)) & ~x->dim[d][i])
				return false;
	return true;
}

const uint64_t *box_part(const struct pieces *p, const struct box *x, const struct box *y, enum shadow_dim dim,
			 bool inside, struct arena *a)
{
	uint64_t *bits = new_set(p, dim, a), any = 0;

	for (size_t i = 0; i < p->words[dim]; i++) {
		uint64_t have = x->dim[dim] ? x->dim[dim][i] : all_bits(p, dim, i);
		uint64_t take = y->dim[dim] ? y->dim[dim][i] : all_bits(p, dim, i);

		bits[i] = have & (inside ? take : ~take);
		any |= bits[i];
	}
	return any ? bits : NULL;
}
