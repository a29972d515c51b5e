/* What is remembered of a person, as it stands on a bridge's disk. */
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "core/talk/talk.h"

const char *const talk_kind_names[N_TALK_KIND] = {"report", "supplement", "urge", "withdraw", "status", "rate", "say"};
const char *const talk_word_names[N_TALK_WORD] = {"satisfied", "basically", "dissatisfied", "urge", "withdraw", "status",
						  "another", "greeting"};
const char *const talk_line_names[N_TALK_LINE] = {"ask_place", "ask_text", "added", "urged", "withdrawn", "dropped", "rated",
						  "nothing", "greeting"};

static void put_text(json_t *to, const char *name, const char *text)
{
	if (text)
		json_object_set_new(to, name, json_string(text));
}

json_t *talk_media_json(const struct talk_message *m)
{
	json_t *media = json_array();

	for (size_t i = 0; i < m->n_media; i++)
		json_array_append_new(media, json_pack("{s:s,s:s*,s:s*}", "url", m->media[i].url, "type", m->media[i].type,
						       "sha256", m->media[i].sha256));
	return media;
}

static json_t *draft_json(const struct talk_message *m)
{
	json_t *draft = json_object();

	put_text(draft, "id", m->id);
	json_object_set_new(draft, "at", json_integer(m->at));
	put_text(draft, "text", m->text);
	put_text(draft, "address", m->address);
	if (m->has_position) {
		json_object_set_new(draft, "lat", json_real(m->lat));
		json_object_set_new(draft, "lon", json_real(m->lon));
	}
	if (m->n_media)
		json_object_set_new(draft, "media", talk_media_json(m));
	return draft;
}

json_t *talk_state_json(const struct talk_state *state)
{
	json_t *json = json_object();

	if (state->draft.id) {
		json_object_set_new(json, "draft", draft_json(&state->draft));
		json_object_set_new(json, "asked", json_integer(state->asked));
	}
	put_text(json, "about", state->about);
	if (state->about)
		json_object_set_new(json, "about_at", json_integer(state->about_at));
	put_text(json, "rate_about", state->rate_about);
	return json;
}

static const char *text_of(const json_t *json, const char *name, struct arena *a)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text ? arena_strdup(a, text) : NULL;
}

static void load_media(const json_t *json, struct arena *a, struct talk_message *m)
{
	struct talk_media *media = arena_alloc(a, (json_array_size(json) + 1) * sizeof(*media));
	const json_t *item;
	size_t i;

	json_array_foreach(json, i, item) {
		const char *url = text_of(item, "url", a);

		if (url)
			media[m->n_media++] = (struct talk_media){url, text_of(item, "type", a), text_of(item, "sha256", a)};
	}
	m->media = media;
}

void talk_state_load(const json_t *json, struct arena *a, struct talk_state *ret)
{
	const json_t *draft = json_object_get(json, "draft"), *lat = json_object_get(draft, "lat");

	*ret = (struct talk_state){
		.asked = (uint8_t)json_integer_value(json_object_get(json, "asked")),
		.about = text_of(json, "about", a), .rate_about = text_of(json, "rate_about", a),
		.about_at = json_integer_value(json_object_get(json, "about_at")),
		.draft = {.id = text_of(draft, "id", a), .at = json_integer_value(json_object_get(draft, "at")),
			  .text = text_of(draft, "text", a), .address = text_of(draft, "address", a),
			  .has_position = json_is_number(lat), .lat = json_number_value(lat),
			  .lon = json_number_value(json_object_get(draft, "lon"))},
	};
	load_media(json_object_get(draft, "media"), a, &ret->draft);
}
