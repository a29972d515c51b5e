/*
 * A message as the broker hands it over: the first line is the topic, the rest the payload. What is
 * understood is routed, masked and titled, as a report of the worker's would be.
 */
#include "fuzz.h"

#include "core/understand/text.h"
#include "unit/office_fixture.h"

static struct fixture fixture;

static const struct rule rules[] = {
	{.id = "煤气", .when = WHEN(.any = TEXTS("煤气味", "燃气泄漏"), .none = TEXTS("演练")),
	 .then = THEN(.dept = &fixture.departments[YINGJI]), .until = MOMENT_NONE},
	{.id = "噪声", .when = WHEN(.regex = TEXTS("噪[声音]", "(a|b)*c")), .then = THEN(.dept = &fixture.departments[WUYE]),
	 .until = MOMENT_NONE},
	{.id = "井盖", .when = {.category = TEXTS("市政"), .grid = TEXTS("410106*"), .secret = 0},
	 .then = THEN(.dept = &fixture.departments[CHENGGUAN]), .until = MOMENT_NONE},
};
static const struct copy_rule copies[] = {{.id = "抄送", .when = WHEN(.all = TEXTS("信访")), .n_to = 0}};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err e;

	(void)argc;
	(void)argv;
	fixture_init(&fixture);
	MUST(fixture_rules(&fixture, rules, ARRAY_LEN(rules), copies, ARRAY_LEN(copies), &e) == 0);
	return 0;
}

static void judge(const struct report *r, struct arena *a)
{
	struct decision d;

	MUST(r->id && *r->id && strlen(r->id) <= 128 && str_is_utf8(r->id, strlen(r->id)));
	MUST(r->shadow && str_is_utf8(r->shadow, strlen(r->shadow)));
	route(&fixture.office, r, a, true, &d);
	MUST(d.dept && d.policy && d.why);
	if (r->text) {
		MUST(str_is_utf8(r->text, strlen(r->text)));
		MUST(strcmp(text_shadow(a, r->shadow), r->shadow) == 0);
		text_mask(a, r->text, r->name);
		text_title(a, r->text, 30);
	}
	if (r->address)
		text_mask_address(a, r->address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);
	size_t topic = end ? (size_t)(end - data) : 0;
	struct arena a = {0};
	struct message m = {.payload = data + topic + (end != NULL), .payload_len = size - topic - (end != NULL),
			    .received_at = INT64_C(1795000000000000)};
	struct understood u = {0};
	struct err e = {0};

	m.topic = topic ? fuzz_text(&a, data, topic) : "needle/jyl/in/wechat/group-1";
	if (understand(&fixture.office, NULL, NULL, &m, &a, &u, &e) == 0) {
		for (size_t i = 0; u.kind == MESSAGE_REPORT && i < u.n_reports; i++)
			judge(&u.reports[i], &a);
	} else {
		MUST(*e.code && *e.text);
	}
	understood_done(&u);
	arena_done(&a);
	return 0;
}
