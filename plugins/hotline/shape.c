/*
 * What a row of theirs means. With a `map:` it is the same mapping that channels.yaml has, by the same
 * code; without, the channel's own decoder reads it, which is linked in: so a file in the folder, a push
 * and a message on the topic are understood alike, and a bad row is known before it is sent.
 */
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/understand/message.h"
#include "hotline.h"

enum { FULL_PAUSE_US = 50000, MEDIA_MAX = 64 };

/* ---- by the map ---------------------------------------------------------------------------------- */

/* Addresses separated by commas, semicolons or blanks become a list, as the contract wants it. */
static void split_media(json_t *report)
{
	const char *text = json_string_value(json_object_get(report, "media"));
	json_t *list;

	if (!text)
		return;
	list = json_array();
	while (*text && json_array_size(list) < MEDIA_MAX) {
		size_t n = strcspn(text, ",; \t\r\n");
		const char *wide = strstr(text, "，"), *other = strstr(text, "；");

		if (wide && (size_t)(wide - text) < n)
			n = (size_t)(wide - text);
		if (other && (size_t)(other - text) < n)
			n = (size_t)(other - text);
		if (n)
			json_array_append_new(list, json_pack("{s:s%}", "url", text, n));
		text += n;
		if (*text)
			text += strncmp(text, "，", 3) == 0 || strncmp(text, "；", 3) == 0 ? 3 : 1;
	}
	json_object_set_new(report, "media", list);
}

/* `dispatch`, a count over one: the ticket comes again, as a new leg of the first. */
static int take_dispatch(json_t *report, struct err *e)
{
	json_t *value = json_object_get(report, "dispatch");
	const char *text = json_string_value(value), *id = json_string_value(json_object_get(report, "id"));
	int64_t count = json_is_integer(value) ? json_integer_value(value) : 1;

	if (!value)
		return 0;
	if ((text && !str_to_int(text, 0, 99, &count)) || (!text && !json_is_integer(value)))
		return err_set(e, ERR_BAD, "the count of dispatches is no number");
	json_object_del(report, "dispatch");
	if (count > 1 && id) {
		json_object_set_new(report, "kind", json_string("again"));
		json_object_set_new(report, "about", json_string(id));
		json_object_set_new(report, "id", json_sprintf("%s#%d", json_string_value(json_object_get(report, "about")),
							       (int)count));
	}
	return 0;
}

static int by_map(const struct hotline *h, json_t *row, json_t *reports, struct err *e)
{
	struct arena a = {0};
	json_t *report = map_object(&h->mapping, row, &a), *id = json_object_get(report, "id");
	int r = 0;

	if (json_is_integer(id))
		json_object_set_new(report, "id", json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(id)));
	if (json_is_real(id))
		r = err_set(e, ERR_BAD, "the ticket's number has lost its digits: make its column a text column");
	else if (!json_is_string(json_object_get(report, "id")) || !*json_string_value(json_object_get(report, "id")))
		r = err_set(e, ERR_BAD, "the ticket has no number");
	if (r == 0)
		r = take_dispatch(report, e);
	if (r == 0) {
		split_media(report);
		json_object_set_new(report, "v", json_integer(1));
		json_array_append(reports, report);
	}
	json_decref(report);
	arena_done(&a);
	return r;
}

/* ---- by the decoder ------------------------------------------------------------------------------ */

struct emitted {
	const struct hotline *h;
	json_t *reports;
};

static void emit(void *context, const char *json, size_t len)
{
	struct emitted *out = context;
	json_t *one = json_loadb(json, len, 0, NULL), *report;
	struct arena a = {0};

	/* Codes, formats and constants of our file speak of our members, so they come behind the decoder. */
	report = map_object(&out->h->mapping, one, &a);
	json_object_set_new(report, "v", json_integer(1));
	json_array_append_new(out->reports, report);
	json_decref(one);
	arena_done(&a);
}

static enum needle_verdict decode(const struct hotline *h, json_t *row, json_t *reports, char *why, size_t size)
{
	CLEANUP(mem_freep) char *text = json_dumps(row, JSON_COMPACT | JSON_REAL_PRECISION(15));
	struct emitted emitted = {h, reports};
	const struct needle_output out = {.struct_size = sizeof(out), .context = &emitted, .emit = emit};
	struct needle_message m = {.struct_size = sizeof(m), .topic = "", .channel = h->mapping.id ? h->mapping.id : "",
				   .source = "", .text = text, .text_len = text ? strlen(text) : 0};

	snprintf(why, size, "%s", "");
	return text ? needle_plugin.decode(h->decoder, &m, &out, why, size) : NEEDLE_BAD;
}

static int by_decoder(const struct hotline *h, json_t *row, json_t *reports, struct err *e)
{
	char why[200];
	size_t before = json_array_size(reports);
	enum needle_verdict verdict = decode(h, row, reports, why, sizeof(why));

	if (verdict == NEEDLE_DONE)
		return 0;
	while (json_array_size(reports) > before)
		json_array_remove(reports, json_array_size(reports) - 1);
	if (verdict == NEEDLE_NOT_MINE)
		return err_set(e, ERR_BAD, "none of its names is known here");
	err_set(e, ERR_BAD, "%s", *why ? why : "the row cannot be read");
	snprintf(e->said, sizeof(e->said), "%s", _(e->text));
	return ERR_BAD;
}

int shape_row(const struct hotline *h, json_t *row, json_t *reports, struct err *e)
{
	if (!json_is_object(row))
		return err_set(e, ERR_BAD, "a ticket must be an object with names");
	return h->mapping.n_map ? by_map(h, row, reports, e) : by_decoder(h, row, reports, e);
}

bool shape_knows(void *arg, json_t *names)
{
	const struct hotline *h = arg;
	json_t *reports = json_array();
	bool knows = false;
	char why[200];

	for (size_t i = 0; i < h->mapping.n_map; i++)
		knows |= strcmp(h->mapping.map[i].member, "id") == 0 && pointer_get(names, h->mapping.map[i].pointer);
	if (!h->mapping.n_map)
		knows = decode(h, names, reports, why, sizeof(why)) != NEEDLE_NOT_MINE;
	json_decref(reports);
	return knows;
}

int shape_open(struct hotline *h, struct err *e)
{
	char why[200] = "";

	if (needle_plugin.open(h->options, &h->decoder, why, sizeof(why)) < 0)
		return err_set(e, ERR_BAD, "%s", why);
	return 0;
}

void shape_close(struct hotline *h)
{
	if (h->decoder)
		needle_plugin.close(h->decoder);
}

/* ---- into the outbox ----------------------------------------------------------------------------- */

/* Members in one order, so that the same ticket has the same key whichever way it came. */
static char *text_of(const json_t *report)
{
	return json_dumps(report, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
}

void hotline_key(const json_t *report, char key[BRIDGE_KEY])
{
	CLEANUP(mem_freep) char *text = text_of(report);

	bridge_key(text ? text : "", text ? strlen(text) : 0, key);
}

int hotline_send(struct hotline *h, json_t *report, char key[BRIDGE_KEY], struct err *e)
{
	CLEANUP(mem_freep) char *text = text_of(report);
	char own[BRIDGE_KEY];

	if (!text)
		return err_set(e, ERR_BAD, "the ticket is no valid text");
	return bridge_report(h->bridge, text, strlen(text), key ? key : own, e);
}

int hotline_send_patiently(struct hotline *h, json_t *report, char key[BRIDGE_KEY], const _Atomic bool *stop,
			   struct err *e)
{
	int r;

	while ((r = hotline_send(h, report, key, e)) == ERR_AGAIN && !*stop)
		usleep(FULL_PAUSE_US);
	return r;
}
