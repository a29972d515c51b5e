/* The life of a snapshot: many readers, one last one that takes everything away. */
#include "settings/snapshot.h"

#include "base/mem.h"
#include "base/str.h"
#include "core/understand/route.h"

struct settings *settings_ref(struct settings *s)
{
	__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	return s;
}

void settings_source_json(const struct settings *s, struct str *out)
{
	str_addc(out, '{');
	for (size_t i = 0; i < s->n_files; i++) {
		str_add(out, i ? "," : "");
		str_json(out, s->files[i].name);
		str_addc(out, ':');
		str_json(out, s->files[i].text);
	}
	str_addc(out, '}');
}

/* Freed memory is handed out again: a secret must not travel with it. */
static void wipe(const char *secret)
{
	if (secret)
		explicit_bzero((void *)(uintptr_t)secret, strlen(secret));
}

static void office_done(struct office *office)
{
	for (size_t i = 0; i < office->n_channels; i++)
		for (size_t k = 0; k < office->channels[i].n_codes; k++)
			map_done((struct map *)(uintptr_t)&office->channels[i].codes[k].values);
	map_done(&office->channel_by_id);
	map_done(&office->dept_by_id);
	map_done(&office->category_by_path);
	map_done(&office->category_by_code);
	map_done(&office->policy_by_name);
	map_done(&office->calendar_by_name);
	map_done(&office->grid_by_code);
	map_done(&office->rule_by_id);
	map_done(&office->device_by_id);
	/* The core hands it back as it was given: only the loader and this function may touch it. */
	if (office->index)
		route_index_free((struct route_index *)(uintptr_t)office->index);
}

void settings_unref(struct settings *s)
{
	if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL))
		return;
	office_done(&s->office);
	wipe(s->broker.password);
	wipe(s->privacy_keys);
	arena_done(s->arena);
	free(s->arena);
	free(s);
}
