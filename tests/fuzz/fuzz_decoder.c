/*
 * A channel's decoder, linked in as it is. The daemon gives it UTF-8 without NUL and nothing else; what
 * it emits is taken for a report in the contract's form, so it must be one JSON object each.
 */
#include "fuzz.h"

#include <jansson.h>

#include "needle_plugin.h"
#include "unit/office_fixture.h"

enum { OPTIONS = 32 };

static struct fixture fixture;
static void *self;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct needle_value values[OPTIONS];
	char why[200];

	(void)argc;
	(void)argv;
	fixture_init(&fixture);
	for (size_t i = 0; i < OPTIONS && needle_plugin.options && needle_plugin.options[i].name; i++) {
		const char *text = needle_plugin.options[i].default_text;

		values[i].text = text ? text : "";
		values[i].integer = text && strcmp(text, "true") == 0 ? 1 : text ? strtoll(text, NULL, 10) : 0;
	}
	if (needle_plugin.open)
		MUST(needle_plugin.open(values, &self, why, sizeof(why)) == 0);
	return 0;
}

static void take_report(void *context, const char *json, size_t len)
{
	struct arena a = {0};
	struct message m = {.topic = "needle/jyl/in/wechat/city", .payload = json, .payload_len = len,
			    .received_at = INT64_C(1795000000000000)};
	json_t *object = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	struct understood u = {0};
	struct err e = {0};

	(void)context;
	MUST(json_is_object(object));
	json_decref(object);
	if (understand(&fixture.office, NULL, NULL, &m, &a, &u, &e) != 0)
		MUST(strcmp(e.code, "not-json") != 0 && strcmp(e.code, "bad-utf8") != 0);
	understood_done(&u);
	arena_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct needle_output out = {.struct_size = sizeof(out), .emit = take_report};
	struct needle_message m = {.struct_size = sizeof(m), .topic = "needle/jyl/in/wechat/city", .channel = "wechat",
				   .source = "city", .received_us = INT64_C(1795000000000000)};
	struct arena a = {0};
	char *text = arena_strndup(&a, (const char *)data, size), why[200] = "";
	enum needle_verdict verdict;
	bool good;

	/* What is not UTF-8 never comes so far. */
	good = str_is_utf8(text, size);
	for (size_t i = 0; i < size && !good; i++)
		if ((unsigned char)text[i] >= 0x80 || !text[i])
			text[i] = '?';
	m.text = text;
	m.text_len = size;
	verdict = needle_plugin.decode(self, &m, &out, why, sizeof(why));
	MUST(verdict == NEEDLE_DONE || verdict == NEEDLE_NOT_MINE || verdict == NEEDLE_BAD);
	MUST(verdict != NEEDLE_BAD || *why);
	arena_done(&a);
	return 0;
}
