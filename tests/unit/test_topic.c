/* Whose message is it: filters, sources, departments, and topics that belong to nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "unit/office_fixture.h"

static void a_topic_finds_its_channel_and_source(void **state)
{
	static const struct {
		const char *topic, *channel, *source;
	} rows[] = {
		{"needle/jyl/in/hotline/city", "hotline", "city"},
		{"needle/jyl/in/wechat/a_b-9", "wechat", "a_b-9"},
		{"vendor/ax7/alarm", "device", "ax7"},
		{"needle/jyl/in/device/ax7", "device", "ax7"},
		{"city/jz/tickets/north/7", "legacy", "north"},
		{"city/jz/tickets", "legacy", "legacy"},        /* '#' also matches its parent */
		{"$patrol/team3", "patrol", "team3"},
		{"needle/jyl/in/patrol/team3", "patrol", "team3"},  /* the own tree always works */
		{"needle/jyl/in/hotline/", "hotline", "hotline"},
		{"needle/jyl/in/nobody/x", NULL, NULL},
		{"needle/other/in/hotline/x", NULL, NULL},
		{"needle/jyl/in/hotline", NULL, NULL},
		{"needle/jyl/in/hotline/x/y", NULL, NULL},
		{"vendor/ax7/alarms", NULL, NULL},
		{"vendor/ax7/alarm/x", NULL, NULL},
		{"/vendor/ax7/alarm", NULL, NULL},
		{"patrol/team3", NULL, NULL},
		{"", NULL, NULL},
	};
	struct fixture f;

	(void)state;
	fixture_init(&f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *source = NULL;
		const struct channel *c = message_channel(&f.office, rows[i].topic, &f.message, &source);

		if (!rows[i].channel) {
			if (c)
				fail_msg("%s belongs to nobody, but %s took it", rows[i].topic, c->id);
			continue;
		}
		assert_non_null(c);
		assert_string_equal(c->id, rows[i].channel);
		assert_string_equal(source, rows[i].source);
	}
	fixture_done(&f);
}

static void a_source_is_always_an_id(void **state)
{
	static const char *const topics[] = {
		"needle/jyl/in/wechat/ABC 1", "needle/jyl/in/wechat/$SYS", "vendor/井盖#7/alarm",
		"vendor/-/alarm",
		"needle/jyl/in/wechat/o0123456789012345678901234567890123456789012345678901234567890"};
	struct fixture f;

	(void)state;
	fixture_init(&f);
	for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
		const char *source = NULL;

		assert_non_null(message_channel(&f.office, topics[i], &f.message, &source));
		if (!str_is_id(source))
			fail_msg("%s gives the source %s", topics[i], source);
	}
	fixture_done(&f);
}

static void filters_follow_mqtt(void **state)
{
	static const struct {
		const char *filter, *topic;
		bool matches;
	} rows[] = {
		{"a/b", "a/b", true},	    {"a/b", "a/bc", false},   {"a/bc", "a/b", false},
		{"a/+", "a/b", true},	    {"a/+", "a/", true},      {"a/+", "a", false},
		{"a/+", "a/b/c", false},    {"+/+", "/b", true},      {"+", "/b", false},
		{"#", "a/b/c", true},	    {"a/#", "a", true},	      {"a/#", "a/b/c", true},
		{"a/#", "ab", false},	    {"#", "$SYS/x", false},   {"+/x", "$SYS/x", false},
		{"$SYS/#", "$SYS/x", true}, {"a/+/c", "a/b/c", true}, {"a/+/c", "a/b/d", false},
		{"+/b/#", "a/b", true},	    {"a//b", "a//b", true},   {"a/+/b", "a//b", true},
	};
	struct fixture f;

	(void)state;
	fixture_init(&f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct channel one = {
			.id = "one", .filters = &rows[i].filter, .n_filters = 1, .source_level = -1};
		const char *source;

		f.office.channels = &one;
		f.office.n_channels = 1;
		if ((message_channel(&f.office, rows[i].topic, &f.message, &source) != NULL) != rows[i].matches)
			fail_msg("filter %s, topic %s", rows[i].filter, rows[i].topic);
	}
	fixture_done(&f);
}

static void the_first_channel_in_the_configuration_gets_the_message(void **state)
{
	static const char *const all[] = {"vendor/#"};
	struct fixture f;
	const char *source;

	(void)state;
	fixture_init(&f);
	f.channels[PATROL].filters = all;
	assert_ptr_equal(message_channel(&f.office, "vendor/a/alarm", &f.message, &source),
			 &f.channels[DEVICE]);
	assert_ptr_equal(message_channel(&f.office, "vendor/a/b", &f.message, &source), &f.channels[PATROL]);
	assert_string_equal(source, "patrol");
	fixture_done(&f);
}

static void only_a_department_of_this_tenant_speaks_on_its_topic(void **state)
{
	static const struct {
		const char *topic, *dept;
	} rows[] = {
		{"needle/jyl/dept/chengguan/cmd", "chengguan"}, {"needle/jyl/dept/nobody/cmd", NULL},
		{"needle/other/dept/chengguan/cmd", NULL},      {"needle/jyl/dept/chengguan/cmd/x", NULL},
		{"needle/jyl/dept/chengguan/result", NULL},     {"needle/jyl/dept//cmd", NULL},
		{"needle/jyl/dept/chengguan", NULL},
	};
	struct fixture f;

	(void)state;
	fixture_init(&f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct department *dept = message_department(&f.office, rows[i].topic);

		assert_true(str_equal(dept ? dept->id : NULL, rows[i].dept));
	}
	fixture_done(&f);
}

static void a_topic_of_nobody_says_what_is_wrong_with_it(void **state)
{
	static const struct {
		const char *topic, *code;
	} rows[] = {
		{"needle/jyl/in/nobody/x", "unknown-channel"},
		{"needle/jyl/in/hotline", "wrong-topic"},
		{"needle/jyl/in/hotline/x/y", "wrong-topic"},
		{"needle/jyl/in/nobody/x/y", "wrong-topic"},
		{"needle/other/in/hotline/x", "wrong-topic"},
		{"needle/jyl/dept/nobody/cmd", "unknown-department"},
		{"needle/jyl/dept/wuye/do", "wrong-topic"},
		{"something/else", "wrong-topic"},
	};
	struct fixture f;

	(void)state;
	fixture_init(&f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message m = {.topic = rows[i].topic, .payload = "{}", .payload_len = 2};
		struct understood u;
		struct err e;

		assert_int_equal(understand(&f.office, NULL, NULL, &m, &f.message, &u, &e), ERR_BAD);
		assert_string_equal(e.code, rows[i].code);
		assert_null(u.channel);
		assert_null(u.dept);
		understood_done(&u);
	}
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_topic_finds_its_channel_and_source),
		cmocka_unit_test(a_source_is_always_an_id),
		cmocka_unit_test(filters_follow_mqtt),
		cmocka_unit_test(the_first_channel_in_the_configuration_gets_the_message),
		cmocka_unit_test(only_a_department_of_this_tenant_speaks_on_its_topic),
		cmocka_unit_test(a_topic_of_nobody_says_what_is_wrong_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
