#include "settings/hits.h"

#include "base/mem.h"
#include "settings/snapshot.h"

void hits_attach(struct settings *settings)
{
	static struct map counts;       /* rule id -> struct rule_hits; never taken out */
	const struct office *office = &settings->office;
	struct rule_hits **hits = arena_alloc(settings->arena, (office->n_rules + 1) * sizeof(*hits));

	for (size_t i = 0; i < office->n_rules; i++) {
		hits[i] = map_get(&counts, office->rules[i].id);
		if (hits[i])
			continue;
		hits[i] = mem_alloc(sizeof(*hits[i]));
		map_put(&counts, mem_strdup(office->rules[i].id), hits[i]);
	}
	settings->hits = hits;
}
