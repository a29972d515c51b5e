/*
 * Reports that are made later than the word that they are made of: an alarm that is held, and a silence, of which there
 * is no word at all. Both are kept as JSON of the contract's form, so that what comes of them is read like any other.
 */
#include <jansson.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/tongue.h"
#include "core/device/device.h"
#include "core/time/moment.h"
#include "core/understand/message.h"

static const char *dumped(json_t *object, struct arena *a)
{
	char *text = json_dumps(object, JSON_COMPACT);
	const char *copy = text ? arena_strdup(a, text) : "{}";

	free(text);
	json_decref(object);
	return copy;
}

static void put(json_t *object, const char *name, const char *text)
{
	if (text)
		json_object_set_new(object, name, json_string(text));
}

static json_t *place_json(const struct report *r)
{
	json_t *place = json_object();

	put(place, "address", r->address);
	put(place, "grid", r->grid);
	put(place, "crs", r->crs);
	if (r->has_position) {
		json_object_set_new(place, "lat", json_real(r->lat));
		json_object_set_new(place, "lon", json_real(r->lon));
	}
	return place;
}

/* Whom it is from and about goes with it: a case that is to be sealed would be an open one. Gone when the alarm is told or over. */
static json_t *reporter_json(const struct report *r)
{
	json_t *rest = r->extra ? json_object_get(r->extra, "reporter") : NULL;
	json_t *reporter = json_is_object(rest) ? json_copy(rest) : json_object();

	put(reporter, "name", r->name);
	put(reporter, "phone", r->phone);
	put(reporter, "ref", r->ref);
	json_object_set_new(reporter, "secret", json_boolean(r->secret));
	return reporter;
}

const char *device_keep(const struct report *r, struct arena *a)
{
	json_t *o = r->extra ? json_copy(r->extra) : json_object();
	char time[MOMENT_TEXT];

	put(o, "id", r->id);
	put(o, "time", moment_rfc3339(r->time, time));
	put(o, "text", r->text);
	put(o, "category", r->category);
	put(o, "urgency", r->urgency >= 0 ? urgency_names[r->urgency] : NULL);
	put(o, "device", r->device);
	put(o, "accused", r->accused);
	json_object_set_new(o, "reporter", reporter_json(r));
	json_object_set_new(o, "place", place_json(r));
	if (r->media)
		json_object_set(o, "media", r->media);
	if (r->reply_to)
		json_object_set(o, "reply_to", r->reply_to);
	return dumped(o, a);
}

const char *device_silence(const struct device_kind *kind, const struct device_state *s, int64_t now, struct arena *a)
{
	json_t *o = json_object();
	char since[MOMENT_TEXT], at[MOMENT_TEXT];

	moment_human(s->seen_at, false, since);
	moment_rfc3339(now, at);
	/* One silence, one id: it lasts from the last sign of life. */
	put(o, "id", arena_printf(a, "%.64s:silent:%lld", s->device, (long long)(s->seen_at / 1000000)));
	put(o, "time", at);
	put(o, "text", arena_printf(a, _("device %s (%s) has not been heard of since %s"), s->device, kind->name, since));
	put(o, "category", kind->silence_category);
	put(o, "urgency", urgency_names[kind->silence_urgency]);
	put(o, "device", s->device);
	return dumped(o, a);
}
