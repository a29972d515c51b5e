/*
 * The smallest channel that is complete: copy this folder, rename it, and change decode(). The tests
 * build and load it, so what it shows works. README.md beside it says what each part is for.
 *
 * Its shape:  {"no":"A-17","what":"路灯不亮","where":"幸福里3号楼"}
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "needle_plugin.h"

enum { OPTION_CATEGORY, OPTION_PREFIX };
static const struct needle_option options[] = {
	[OPTION_CATEGORY] = {"category", NEEDLE_OPTION_TEXT, "", "Category of every report; empty: none."},
	[OPTION_PREFIX] = {"prefix", NEEDLE_OPTION_BOOLEAN, "false", "Put the channel's id before the number."},
	{NULL, NEEDLE_OPTION_TEXT, NULL, NULL},
};

/* What open() keeps for decode(): nothing but the options. */
struct template {
	bool prefix;
	char category[];
};

static int template_open(const struct needle_value *values, void **self, char *why, size_t why_size)
{
	const char *category = values[OPTION_CATEGORY].text;
	struct template *t = calloc(1, sizeof(*t) + strlen(category) + 1);

	if (!t) {
		snprintf(why, why_size, "out of memory");
		return -1;
	}
	t->prefix = values[OPTION_PREFIX].integer != 0;
	memcpy(t->category, category, strlen(category) + 1);
	*self = t;
	return 0;
}

static void template_close(void *self)
{
	free(self);
}

static enum needle_verdict template_report(const struct template *t, json_t *in, const char *channel,
					   const struct needle_output *out, char *why, size_t why_size)
{
	const char *no = json_string_value(json_object_get(in, "no"));
	const char *what = json_string_value(json_object_get(in, "what"));
	const char *where = json_string_value(json_object_get(in, "where"));
	json_t *report;
	char *text;

	if (!no || !what) {
		/* `why` goes into a receipt and a log: it names members, it never quotes the message. */
		snprintf(why, why_size, "%s is missing or no text", no ? "what" : "no");
		return NEEDLE_BAD;
	}
	/* A star leaves a member out when its value is NULL. */
	report = json_pack("{so, ss, ss*, so*}",
			   "id", json_sprintf("%s%s%s", t->prefix ? channel : "", t->prefix ? "-" : "", no),
			   "text", what, "category", *t->category ? t->category : NULL,
			   "place", where ? json_pack("{ss}", "address", where) : NULL);
	text = json_dumps(report, JSON_COMPACT);
	json_decref(report);
	if (!text) {
		snprintf(why, why_size, "the report cannot be written");
		return NEEDLE_BAD;
	}
	out->emit(out->context, text, strlen(text));
	free(text);
	return NEEDLE_DONE;
}

static enum needle_verdict template_decode(void *self, const struct needle_message *m,
					   const struct needle_output *out, char *why, size_t why_size)
{
	json_t *in = json_loadb(m->text, m->text_len, 0, NULL);
	enum needle_verdict verdict = NEEDLE_NOT_MINE;

	/* Decide by a mark that only this shape has; leave the rest to the contract's own form. */
	if (json_object_get(in, "no"))
		verdict = template_report(self, in, m->channel, out, why, why_size);
	json_decref(in);
	return verdict;
}

const struct needle_plugin needle_plugin = {
	.abi = NEEDLE_PLUGIN_ABI,
	.struct_size = sizeof(struct needle_plugin),
	.name = "template",
	.version = "1",
	.help = "The example to copy: {\"no\":…,\"what\":…,\"where\":…}.",
	.options = options,
	.open = template_open,
	.decode = template_decode,
	.close = template_close,
};
