#pragma once
/* Text to pointer, open addressing; keys are borrowed and must outlive the map. One thread, or read-only. */
#include <stddef.h>

struct map_slot {
	const char *key;
	void *value;
};
struct map {
	struct map_slot *slots;
	size_t n, cap;
};

void *map_get(const struct map *m, const char *key);       /* NULL when absent */
/* Sets key; returns the value it had before, NULL when new. value must not be NULL. */
void *map_put(struct map *m, const char *key, void *value);
void *map_take(struct map *m, const char *key);            /* removes, returns the value or NULL */
void map_done(struct map *m);
