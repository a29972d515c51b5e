/*
 * The stages in their order: topic, bytes, decoder, map, report or command. What a decoder makes is
 * treated exactly like a report that came in that form; a decoder that does not know a message
 * leaves it to the contract's own form, which every channel understands.
 */
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "core/device/device.h"
#include "core/understand/stages.h"
#include "core/understand/text.h"

static void json_done(json_t **json)
{
	json_decref(*json);
	*json = NULL;
}

struct understanding {
	const struct office *office;
	const struct message *m;
	struct arena *arena;
	struct understood *out;
	json_t *keep;                   /* array: owns every object of the message */
};

/* ---- reports --------------------------------------------------------------------------------- */

static const char *source_of(const struct understanding *u, json_t *theirs)
{
	const struct channel *channel = u->out->channel;
	const char *text = NULL;

	if (channel->source_pointer && !topic_names_source(u->office, u->m->topic))
		text = value_text(u->arena, pointer_get(theirs, channel->source_pointer));
	return text && *text ? text_topic_id(u->arena, text) : u->out->source;
}

/* The object's reference is taken over. */
static int add_report(struct understanding *u, json_t *theirs, struct err *e)
{
	struct understood *out = u->out;
	json_t *ours = map_object(out->channel, theirs, u->arena);
	struct report_origin from = {.office = u->office,
				     .channel = out->channel,
				     .source = source_of(u, theirs),
				     .received_at = u->m->received_at};
	const char *id = NULL;
	int r;

	json_array_append_new(u->keep, theirs);
	json_array_append_new(u->keep, ours);
	out->source = from.source;
	r = report_read(&from, ours, u->keep, u->arena, &out->reports[out->n_reports], &id, e);
	if (r < 0) {
		out->readable_id = id;
		return r;
	}
	device_fill(from.office, &out->reports[out->n_reports]);
	out->n_reports++;
	return 0;
}

static int add_reports(struct understanding *u, char *const *texts, const size_t *lens, size_t n,
		       struct err *e)
{
	u->out->reports = arena_alloc(u->arena, n * sizeof(*u->out->reports));
	for (size_t i = 0; i < n; i++) {
		json_t *object = NULL;
		int r = payload_object(texts[i], lens[i], u->arena, &object, e);

		if (r == 0)
			r = add_report(u, object, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_decoded(struct understanding *u, char *const *texts, size_t n, struct err *e)
{
	size_t *lens = arena_alloc(u->arena, n * sizeof(*lens));
	int r;

	if (n > REPORTS_PER_MESSAGE)
		return err_code(e, ERR_BAD, "too-many", "one message may hold at most %d reports",
				REPORTS_PER_MESSAGE);
	for (size_t i = 0; i < n; i++)
		lens[i] = strlen(texts[i]);
	r = add_reports(u, texts, lens, n, e);
	if (r < 0)
		err_prefix(e, "decoder %s: ", u->out->channel->decoder);
	return r;
}

/* Who cannot read a message for a number that is too big for a parser is asked once more, with a text for it. */
static int decode(struct understanding *u, const struct decoder_fn *d, const char *text, size_t len,
		  char ***ret, size_t *ret_n, struct err *e)
{
	int r = d->decode(d->self, u->m, text, len, u->arena, ret, ret_n, e);

	if (r == DECODER_NOT_MINE && (text = payload_quote_numbers(u->arena, text, len, &len)) != NULL)
		r = d->decode(d->self, u->m, text, len, u->arena, ret, ret_n, e);
	return r;
}

static int understand_reports(struct understanding *u, decoder_lookup *decoders, void *decoders_arg,
			      struct err *e)
{
	const struct channel *channel = u->out->channel;
	struct decoder_fn decoder;
	const char *text;
	char **decoded = NULL;
	size_t len, n = 0;
	int r = payload_text(channel->charset, u->m, u->arena, &text, &len, e);

	if (r < 0)
		return r;
	if (channel->decoder && decoders && decoders(decoders_arg, channel, &decoder)) {
		r = decode(u, &decoder, text, len, &decoded, &n, e);
		if (r != DECODER_NOT_MINE)
			return r < 0 ? r : add_decoded(u, decoded, n, e);
	}
	decoded = arena_alloc(u->arena, sizeof(*decoded));
	*decoded = arena_strndup(u->arena, text, len);
	return add_reports(u, decoded, &len, 1, e);
}

/* ---- commands -------------------------------------------------------------------------------- */

static int understand_command(struct understanding *u, struct err *e)
{
	json_t *object = NULL;
	const char *text;
	size_t len;
	int r = payload_text(NULL, u->m, u->arena, &text, &len, e);

	if (r == 0)
		r = payload_object(text, len, u->arena, &object, e);
	if (r < 0)
		return r;
	json_array_append_new(u->keep, object);
	return command_read(u->out->dept, object, u->arena, &u->out->command, &u->out->readable_id,
			    e);
}

/* The form is no channel's, but whoever sent it may still want to know which message it was. */
static void read_id_of_nobody(struct understanding *u)
{
	json_t *object = NULL;
	struct err ignored;
	const char *text;
	size_t len;

	if (payload_text(NULL, u->m, u->arena, &text, &len, &ignored) < 0 ||
	    payload_object(text, len, u->arena, &object, &ignored) < 0)
		return;
	json_array_append_new(u->keep, object);
	u->out->readable_id = value_id(u->arena, json_object_get(object, "id"));
}

/* ---- both ------------------------------------------------------------------------------------ */

int understand(const struct office *office, decoder_lookup *decoders, void *decoders_arg,
	       const struct message *m, struct arena *a, struct understood *ret, struct err *e)
{
	CLEANUP(json_done) json_t *keep = json_array();
	struct understanding u = {.office = office, .m = m, .arena = a, .out = ret, .keep = keep};
	int r;

	*ret = (struct understood){.kind = MESSAGE_REPORT};
	r = topic_read(office, m->topic, a, ret, e);
	if (r == 0)
		r = ret->kind == MESSAGE_COMMAND
			    ? understand_command(&u, e)
			    : understand_reports(&u, decoders, decoders_arg, e);
	else if (ret->kind == MESSAGE_REPORT)
		read_id_of_nobody(&u);
	if (r < 0) {
		/* A message stands or falls as one: no half of a batch could be sent again. */
		ret->reports = NULL;
		ret->n_reports = 0;
		ret->command = (struct command){.case_number = ret->command.case_number};
		return r;
	}
	ret->json[0] = TAKE(keep);
	return 0;
}

int understand_report(const struct office *office, const struct channel *channel, const char *source,
		      int64_t received_at, const char *json, struct arena *a, struct understood *ret, struct err *e)
{
	CLEANUP(json_done) json_t *keep = json_array();
	struct report_origin from = {office, channel, source, received_at};
	json_t *object = NULL;
	const char *id = NULL;
	int r = payload_object(json, strlen(json), a, &object, e);

	*ret = (struct understood){.kind = MESSAGE_REPORT, .channel = channel, .source = source};
	if (r < 0)
		return r;
	json_array_append_new(keep, object);
	ret->reports = arena_alloc(a, sizeof(*ret->reports));
	r = report_read(&from, object, keep, a, ret->reports, &id, e);
	if (r < 0)
		return r;
	device_fill(office, ret->reports);
	ret->n_reports = 1;
	ret->json[0] = TAKE(keep);
	return 0;
}

void understood_done(struct understood *u)
{
	for (size_t i = 0; i < sizeof(u->json) / sizeof(u->json[0]); i++)
		json_done(&u->json[i]);
}
