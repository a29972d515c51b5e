#include "base/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static size_t hash(const char *s)
{
	uint64_t h = 1469598103934665603ULL; /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211ULL;
	return (size_t)(h ^ (h >> 29));
}

static struct map_slot *find(const struct map *m, const char *key)
{
	size_t i = hash(key) & (m->cap - 1);

	while (m->slots[i].key && strcmp(m->slots[i].key, key) != 0)
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

static void grow(struct map *m)
{
	struct map old = *m;

	m->cap = old.cap ? 2 * old.cap : 32;
	m->slots = mem_alloc(m->cap * sizeof(*m->slots));
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].key)
			*find(m, old.slots[i].key) = old.slots[i];
	free(old.slots);
}

void *map_get(const struct map *m, const char *key)
{
	return m->cap ? find(m, key)->value : NULL;
}

void *map_put(struct map *m, const char *key, void *value)
{
	struct map_slot *slot;
	void *before;

	if (2 * (m->n + 1) > m->cap)
		grow(m);
	slot = find(m, key);
	before = slot->value;
	if (!slot->key) {
		slot->key = key;
		m->n++;
	}
	slot->value = value;
	return before;
}

void *map_take(struct map *m, const char *key)
{
	struct map_slot *slot, moved;
	void *value;
	size_t i;

	if (!m->cap || !(slot = find(m, key))->key)
		return NULL;
	value = slot->value;
	*slot = (struct map_slot){0};
	m->n--;
	/* Re-seat the run behind the hole, so that no probe stops short. */
	for (i = (size_t)(slot - m->slots + 1) & (m->cap - 1); m->slots[i].key;
	     i = (i + 1) & (m->cap - 1)) {
		moved = m->slots[i];
		m->slots[i] = (struct map_slot){0};
		*find(m, moved.key) = moved;
	}
	return value;
}

void map_done(struct map *m)
{
	free(m->slots);
	*m = (struct map){0};
}
