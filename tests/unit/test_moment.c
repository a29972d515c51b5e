#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/vec.h"
#include "core/time/moment.h"

/* 2026-11-20 08:31:07 in Shanghai */
#define NOV_20 (INT64_C(1795134667) * 1000000)

static void every_way_a_form_writes_a_time_is_read(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} rows[] = {
		{ "2026-11-20T08:31:07+08:00", NOV_20 },
		{ "2026-11-20t00:31:07z", NOV_20 },
		{ "2026-11-20T00:31:07Z", NOV_20 },
		{ "2026-11-20 08:31:07", NOV_20 },
		{ "2026-11-20T08:31:07", NOV_20 },
		{ "2026-11-20 08:31:07 +0800", NOV_20 },
		{ "2026-11-20 08:31:07+08", NOV_20 },
		{ "2026-11-19T19:31:07-05:00", NOV_20 },
		{ "2026-11-20T06:01:07+05:30", NOV_20 },
		{ "20261120083107", NOV_20 },
		{ "2026/11/20 8:31:07", NOV_20 },
		{ "2026-11-20 08:31:07.5", NOV_20 + 500000 },
		{ "2026-11-20 08:31:07.123", NOV_20 + 123000 },
		{ "2026-11-20T00:31:07.123456789Z", NOV_20 + 123456 },
		{ "2026-11-20 08:31", NOV_20 - 7000000 },
		{ "2026/11/20 8:31", NOV_20 - 7000000 },
		{ "2026-11-20", NOV_20 - INT64_C(30667000000) },
		{ "2026-11-19 24:00", NOV_20 - INT64_C(30667000000) },
		{ "2026/1/5", INT64_C(1767542400000000) },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01", -MOMENT_ZONE_US },
		{ "2024-02-29", INT64_C(1709136000000000) },
		{ "2026-06-30 23:59:60", INT64_C(1782835200000000) },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t us = 1;

		if (!moment_parse(rows[i].text, &us) || us != rows[i].us)
			fail_msg("“%s” was read as %lld, not %lld", rows[i].text, (long long)us,
				 (long long)rows[i].us);
	}
}

static void what_is_no_time_is_refused_and_changes_nothing(void **state)
{
	static const char *const rows[] = {
		"", " ", "now", "2026", "2026-11", "2026-11-20T", "2026-11-20 ", "2026-11-20 8",
		"2026-13-01",
		"2026-00-10", "2026-02-29", "1900-02-28", "2100-02-29", "2026-04-31", "1969-12-31",
		"9999-01-01",
		"2026-11-20 25:00", "2026-11-20 24:01", "2026-11-20 24:00:01", "2026-11-20 12:60",
		"2026-11-20 12:00:61", "2026-11-20 12:00:00.", "2026-11-20 12:00:00x",
		"2026-11-20 12:00+8",
		"2026-11-20 12:00+08:", "2026-11-20 12:00+08:60", "2026-11-20 12:00+15:00",
		"2026-11-20 12:00ZZ",
		"2026-11/20", "2026-11-20Z08:00", "202611200831", "20261120", "20261320083107",
		"20261120083107x",
		"+026-11-20", "2026-11-20 -1:00", " 2026-11-20", "２０２６-11-20", "1795134667",
		"2026.11.20",
		/* Cut off, or broken, at each place. */
		"202", "2026-", "2026-x", "2026-1", "2026-1/2", "2026-1-", "2026-1-x", "2026/1-2", "20261", "2026xx",
		"202611xx083107", "20261120xx3107", "2026112008xx07", "20261120083xxx", "2026112008310",
		"2026-11-20 x", "2026-11-20 08:", "2026-11-20 08:x1", "2026-11-20 08:31:", "2026-11-20 08:31:x7",
		"2026-11-20 08:31:07 ", "2026-11-20 08:31:07x", "2026-11-20 08:31:07+", "2026-11-20 08:31:07+x",
		"2026-11-20 08:31:07+08x", "2026-11-20 08:31:07+08:xx", "2026-11-20 08:31:07+0800x", "2026-11-20 08:31:07-15",
		"2026-11-20 24:00:00.5",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t us = 77;

		if (moment_parse(rows[i], &us) || us != 77)
			fail_msg("“%s” was taken for a time (%lld)", rows[i], (long long)us);
	}
}

static void a_time_is_written_for_machines_and_for_people(void **state)
{
	char text[MOMENT_TEXT];
	const int64_t midnight = INT64_C(1795104000000000);     /* 2026-11-20 00:00 */

	(void)state;
	assert_string_equal(moment_rfc3339(NOV_20, text), "2026-11-20T08:31:07+08:00");
	assert_string_equal(moment_rfc3339(NOV_20 + 999999, text), "2026-11-20T08:31:07+08:00");
	assert_string_equal(moment_rfc3339(0, text), "1970-01-01T08:00:00+08:00");
	assert_string_equal(moment_rfc3339(-MOMENT_ZONE_US - 1, text), "1969-12-31T23:59:59+08:00");
	assert_string_equal(moment_human(NOV_20, true, text), "2026-11-20 08:31");
	assert_string_equal(moment_human(midnight, false, text), "2026-11-20 00:00");
	assert_string_equal(moment_human(midnight, true, text), "2026-11-19 24:00");
	assert_string_equal(moment_rfc3339(midnight, text), "2026-11-20T00:00:00+08:00");
}

static void an_absent_time_is_written_without_harm(void **state)
{
	char text[MOMENT_TEXT];

	(void)state;
	assert_string_equal(moment_rfc3339(MOMENT_NONE, text), "0001-01-01T08:00:00+08:00");
	assert_string_equal(moment_rfc3339(INT64_MAX, text), "10000-01-01T07:59:59+08:00");
	assert_string_equal(moment_human(INT64_MAX, true, text), "10000-01-01 07:59");
}

static void every_day_of_four_centuries_has_one_number_and_the_right_weekday(void **state)
{
	static const int length[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int32_t day = 0;
	int weekday = 4;        /* 1970-01-01 was a Thursday */

	(void)state;
	for (int year = 1970; year <= 2400; year++) {
		bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

		for (int month = 1; month <= 12; month++) {
			int last = length[month - 1] + (month == 2 && leap);

			assert_false(moment_date_is_valid(year, month, last + 1));
			for (int d = 1; d <= last; d++, day++, weekday = weekday % 7 + 1) {
				struct civil c = moment_civil(moment_of_day(day, 1439));

				assert_true(moment_date_is_valid(year, month, d));
				assert_int_equal(moment_day_from_date(year, month, d), day);
				assert_true(c.year == year && c.month == month && c.day == d &&
					    c.weekday == weekday && c.hour == 23 && c.minute == 59);
				assert_int_equal(moment_day(moment_of_day(day, 0)), day);
				assert_int_equal(moment_day(moment_of_day(day, 0) - 1), day - 1);
			}
		}
	}
}

static void an_instant_survives_the_way_through_its_civil_fields(void **state)
{
	uint64_t seed = 20261120;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int64_t us;
		struct civil c;

		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		us = (int64_t)(seed >> 13) % INT64_C(253000000000000000);
		c = moment_civil(us);
		assert_true(moment_from_civil(&c) == us);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_a_form_writes_a_time_is_read),
		cmocka_unit_test(what_is_no_time_is_refused_and_changes_nothing),
		cmocka_unit_test(a_time_is_written_for_machines_and_for_people),
		cmocka_unit_test(an_absent_time_is_written_without_harm),
		cmocka_unit_test(every_day_of_four_centuries_has_one_number_and_the_right_weekday),
		cmocka_unit_test(an_instant_survives_the_way_through_its_civil_fields),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
