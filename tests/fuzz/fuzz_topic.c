/* Topics and filters, one a line: who speaks, and which filters share a topic. */
#include "fuzz.h"

#include "core/understand/text.h"
#include "settings/types.h"
#include "unit/office_fixture.h"

static struct fixture fixture;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fixture_init(&fixture);
	return 0;
}

static void check_topic(const char *topic, struct arena *a)
{
	const char *source = NULL, *id;
	const struct channel *channel = message_channel(&fixture.office, topic, a, &source);

	if (channel)
		MUST(source && str_is_id(source));
	message_department(&fixture.office, topic);
	if (str_is_utf8(topic, strlen(topic))) {
		id = text_topic_id(a, topic);
		MUST(str_is_id(id) && (!str_is_id(topic) || strcmp(id, topic) == 0));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = {0};
	const char *text = fuzz_text(&a, data, size), *second = strchr(text, '\n');
	const char *x = second ? arena_strndup(&a, text, (size_t)(second - text)) : text, *y = second ? second + 1 : "";

	check_topic(x, &a);
	check_topic(y, &a);
	MUST(filters_overlap(x, y) == filters_overlap(y, x));
	if (type_filter(x))
		MUST(filters_overlap(x, x));
	arena_done(&a);
	return 0;
}
