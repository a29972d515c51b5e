/* What values look like. */
#include "unit/settings_folder.h"

#include "settings/types.h"

/* ---- values ----------------------------------------------------------------------------------- */

static void filters_overlap_when_a_topic_fits_both(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} rows[] = {
		{"a/b", "a/b", true}, {"a/b", "a/c", false}, {"a/+", "a/c", true}, {"a/+/c", "a/b/+", true},
		{"a/+/c", "a/b/d", false}, {"a/#", "a", true}, {"a/#", "a/b/c", true}, {"#", "x/y", true},
		{"a/+", "a/b/c", false}, {"a/+/#", "a/b", true}, {"a/b/#", "a", false}, {"+/b", "a/#", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (filters_overlap(rows[i].a, rows[i].b) != rows[i].overlap ||
		    filters_overlap(rows[i].b, rows[i].a) != rows[i].overlap)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
}

static void days_of_the_week_are_read_as_clerks_write_them(void **state)
{
	static const struct {
		const char *text;
		int mask;
	} rows[] = {
		{"周一-周五", 0x1f}, {"周六", 0x20}, {"周日", 0x40}, {"周天", 0x40}, {"每天", 0x7f}, {"周一,周三", 0x05},
		{"周一-周三, 周六", 0x27}, {"周五-周一", -1}, {"周八", -1}, {"", -1}, {"周一-", -1}, {"周一,", -1},
	};
	uint8_t mask;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool good = type_weekdays(rows[i].text, &mask);

		if (good != (rows[i].mask >= 0) || (good && mask != rows[i].mask))
			fail_msg("%s", rows[i].text);
	}
}

static void sizes_ages_and_addresses_have_units(void **state)
{
	struct arena a = {0};
	const char *address;
	int64_t n;
	int port;

	(void)state;
	assert_true(type_size("1 GiB", &n) && n == 1 << 30);
	assert_true(type_size("512MiB", &n) && n == 512 << 20);
	assert_true(type_size("1073741824", &n) && n == 1 << 30);
	assert_false(type_size("12 ", &n) || type_size("-1", &n) || type_size("1.5 GiB", &n) || type_size("GiB", &n) || type_size("1 GIB", &n) || type_size("1  GiB", &n));
	assert_true(type_age("90d", &n) && n == 90);
	assert_true(type_age("5 年", &n) && n == 1827);
	assert_false(type_age("5", &n) || type_age("y", &n));
	assert_true(type_listen("[::1]:9470", &a, &address, &port) && strcmp(address, "::1") == 0 && port == 9470);
	assert_true(type_listen("off", &a, &address, &port) && !address);
	assert_false(type_listen("9470", &a, &address, &port) || type_listen("::1:9470", &a, &address, &port));
	arena_done(&a);
}

static void numbers_and_switches_are_read_as_yaml_s_readers_write_them(void **state)
{
	static const struct {
		const char *text;
		bool good, value;
	} rows[] = {
		{"on", true, true}, {"On", true, true}, {"TRUE", true, true}, {"Yes", true, true}, {"off", true, false}, {"OFF", true, false},
		{"False", true, false}, {"No", true, false}, {"y", false, false}, {"1", false, false}, {"", false, false}};
	double number = -1;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool value = !rows[i].value;

		if (type_bool(rows[i].text, &value) != rows[i].good || (rows[i].good && value != rows[i].value))
			fail_msg("%s", rows[i].text);
	}
	assert_true(type_number(".85", &number) && number > 0.849 && number < 0.851);
	assert_true(type_number("0.6", &number) && type_number("10", &number) && number > 9.9);
	assert_false(type_number(".", &number) || type_number("1.", &number) || type_number("1.5.", &number) || type_number("", &number) ||
		     type_number("-.5", &number));
}

/* What check lets through the start can listen on: it takes numbers, and a name only where it is one number for ever. */
static void an_address_to_listen_on_is_one_that_the_start_takes(void **state)
{
	static const char *const none[] = {"gateway.example:9470", "*:9470", ":9470", "300.1.1.1:9470", "[127.0.0.1]:9470", "[]:9470",
					   "[:9470", "]:9470", "[localhost]:9470", "127.0.0.1:", "127.0.0.1:70000", "127.1:9470"};
	struct arena a = {0};
	const char *address = "untouched";
	int port = 1;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		if (type_listen(none[i], &a, &address, &port) || strcmp(address, "untouched") != 0 || port != 1)
			fail_msg("%s", none[i]);
	assert_true(type_listen("localhost:9471", &a, &address, &port) && strcmp(address, "127.0.0.1") == 0 && port == 9471);
	assert_true(type_listen("0.0.0.0:80", &a, &address, &port) && strcmp(address, "0.0.0.0") == 0 && port == 80);
	assert_true(type_listen("[fe80::1]:80", &a, &address, &port) && strcmp(address, "fe80::1") == 0);
	arena_done(&a);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_overlap_when_a_topic_fits_both),
		cmocka_unit_test(days_of_the_week_are_read_as_clerks_write_them),
		cmocka_unit_test(sizes_ages_and_addresses_have_units),
		cmocka_unit_test(numbers_and_switches_are_read_as_yaml_s_readers_write_them),
		cmocka_unit_test(an_address_to_listen_on_is_one_that_the_start_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_in_february(run);
}
