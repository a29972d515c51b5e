#include "trial/sample.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "core/understand/message.h"

void sample_put(json_t *members, const char *path, json_t *value)
{
	for (const char *dot; (dot = strchr(path, '.')); path = dot + 1) {
		CLEANUP(mem_freep) char *name = strndup(path, (size_t)(dot - path));
		json_t *inner = name ? json_object_get(members, name) : NULL;

		if (!name)
			mem_die("sample");
		if (!json_is_object(inner)) {
			inner = json_object();
			json_object_set_new(members, name, inner);
		}
		members = inner;
	}
	json_object_set_new(members, path, value);
}

/* The office, with this one channel listening on `topic` for our own form. */
static const struct office *office_for(const struct office *office, const struct channel *channel, const char *topic,
				       struct arena *a)
{
	struct office *own = arena_alloc(a, sizeof(*own));
	struct channel *only = arena_alloc(a, sizeof(*only));
	const char **filters = arena_alloc(a, sizeof(*filters));

	filters[0] = topic;
	*only = *channel;
	only->filters = filters;
	only->n_filters = 1;
	only->decoder = only->charset = only->source_pointer = NULL;
	only->n_map = only->n_codes = only->n_formats = 0;
	only->source_level = -1;
	*own = *office;
	own->channels = only;
	own->n_channels = 1;
	return own;
}

int sample_understand(const struct office *office, const struct channel *channel, json_t *members, int64_t at,
		      struct arena *a, struct understood *ret, struct err *e)
{
	CLEANUP(mem_freep) char *payload = NULL;
	struct message m = {.received_at = at};

	json_object_set_new(members, "v", json_integer(1));
	if (!json_object_get(members, "id"))
		json_object_set_new(members, "id", json_string("sample"));
	payload = json_dumps(members, JSON_COMPACT);
	m.topic = arena_printf(a, "needle/%s/in/%s/sample", office->tenant, channel->id);
	m.payload = payload;
	m.payload_len = strlen(payload);
	return understand(office_for(office, channel, m.topic, a), NULL, NULL, &m, a, ret, e);
}
