#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/vec.h"
#include "unit/office_hours.h"

static struct office_hours office;

static int setup(void **state)
{
	(void)state;
	office_hours_init(&office);
	return office.cal.n_years == 3 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	arena_done(&office.arena);
	return 0;
}

static void holidays_rest_and_makeup_days_work(void **state)
{
	static const struct {
		const char *date;
		enum day_kind kind;
		const char *why;
	} rows[] = {
		{ "2026-02-13", DAY_WORK, NULL },       /* an ordinary Friday */
		{ "2026-02-14", DAY_WORK, "春节" },     /* a Saturday that works */
		{ "2026-02-15", DAY_REST, "春节" },
		{ "2026-02-23", DAY_REST, "春节" },     /* a Monday that rests */
		{ "2026-02-24", DAY_WORK, NULL },
		{ "2026-02-28", DAY_WORK, "春节" },
		{ "2026-03-01", DAY_REST, NULL },       /* an ordinary Sunday */
		{ "2026-01-04", DAY_WORK, "元旦" },
		{ "2026-05-09", DAY_WORK, "劳动节" },
		{ "2026-10-10", DAY_WORK, "国庆节" },
		{ "2025-10-08", DAY_REST, "国庆节、中秋节" },
		{ "2025-02-08", DAY_WORK, "春节" },
		{ "2024-02-09", DAY_WORK, NULL },       /* New Year's Eve 2024: no day off by the notice */
		{ "2024-02-29", DAY_WORK, NULL },
		{ "2024-10-12", DAY_WORK, "国庆节" },
	};
	struct day_view v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		calendar_day(&office.cal, day_of(rows[i].date), &v);
		if (v.kind != rows[i].kind || v.special != (rows[i].why != NULL) || v.provisional ||
		    (rows[i].why && strcmp(v.why, rows[i].why) != 0))
			fail_msg("%s: kind %d why %s", rows[i].date, (int)v.kind, v.why ? v.why : "-");
		assert_int_equal(v.hours.n, rows[i].kind == DAY_WORK ? 2 : 0);
	}
}

/* By hand from the notices: working days are Monday to Friday less the days off among them plus make-up. */
static void a_year_has_as_many_working_days_as_the_notice_says(void **state)
{
	static const struct {
		int year, working;
	} rows[] = { { 2024, 251 }, { 2025, 248 }, { 2026, 248 } };
	struct day_view v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int n = 0;

		for (int32_t d = moment_day_from_date(rows[i].year, 1, 1);
		     d < moment_day_from_date(rows[i].year + 1, 1, 1); d++) {
			calendar_day(&office.cal, d, &v);
			n += v.kind == DAY_WORK;
		}
		assert_int_equal(n, rows[i].working);
	}
}

static void a_year_without_a_list_is_said_to_be_a_guess(void **state)
{
	struct day_view v;

	(void)state;
	calendar_day(&office.cal, day_of("2027-02-08"), &v);    /* in truth within Spring Festival */
	assert_true(v.provisional && v.kind == DAY_WORK && !v.special);
	calendar_day(&office.cal, day_of("2027-02-07"), &v);
	assert_true(v.provisional && v.kind == DAY_REST);
	calendar_day(&office.cal, day_of("2026-12-31"), &v);
	assert_false(v.provisional);
	assert_false(load_year(&office, 2027));
}

static void a_day_that_the_office_named_itself_is_no_guess(void **state)
{
	struct day_view v;
	struct err e;

	(void)state;
	add_special(&office, "2027-02-08", DAY_REST, "春节", true);
	assert_int_equal(calendar_finish(&office.cal, &e), 0);
	calendar_day(&office.cal, day_of("2027-02-08"), &v);
	assert_true(v.kind == DAY_REST && v.special && !v.provisional);
}

static void the_offices_own_word_beats_the_list_and_the_list_beats_the_week(void **state)
{
	struct day_view v;
	struct err e;

	(void)state;
	add_special(&office, "2026-07-21", DAY_REST, "台风停工", true);
	add_special(&office, "2026-02-16", DAY_WORK, "防汛", true);      /* a Monday of the holiday */
	add_special(&office, "2026-02-14", DAY_REST, "轮休", true);      /* a make-up Saturday */
	assert_int_equal(calendar_finish(&office.cal, &e), 0);
	calendar_day(&office.cal, day_of("2026-07-21"), &v);
	assert_true(v.kind == DAY_REST && v.special);
	assert_string_equal(v.why, "台风停工");
	calendar_day(&office.cal, day_of("2026-02-16"), &v);
	assert_true(v.kind == DAY_WORK && v.hours.n == 2);
	assert_string_equal(v.why, "防汛");
	calendar_day(&office.cal, day_of("2026-02-14"), &v);
	assert_int_equal(v.kind, DAY_REST);
}

static void a_date_listed_twice_is_one_day(void **state)
{
	struct err e;
	size_t before = office.cal.n_special;

	(void)state;
	add_special(&office, "2026-02-15", DAY_REST, "春节", false);
	add_special(&office, "2026-10-01", DAY_REST, "国庆节", true);
	assert_int_equal(calendar_finish(&office.cal, &e), 0);
	assert_int_equal(office.cal.n_special, before);
	for (size_t i = 1; i < office.cal.n_special; i++)
		assert_true(office.special[i - 1].day < office.special[i].day);
}

static void a_date_that_is_off_and_on_at_once_is_refused_by_name(void **state)
{
	static const bool local[] = { false, true };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(local); i++) {
		struct err e = { 0 };

		office.cal.n_special = 0;
		add_special(&office, "2026-05-09", DAY_WORK, "劳动节", local[i]);
		add_special(&office, "2026-05-09", DAY_REST, NULL, local[i]);
		assert_int_equal(calendar_finish(&office.cal, &e), ERR_BAD);
		assert_string_equal(e.code, "E44");
		assert_non_null(strstr(e.text, "2026-05-09"));
	}
}

static void summer_hours_hold_from_the_first_to_the_last_day(void **state)
{
	static const struct {
		const char *date;
		int closing;
	} rows[] = {
		{ "2026-05-29", 1050 }, { "2026-06-01", 1080 }, { "2026-09-30", 1080 }, { "2026-10-08", 1050 },
		{ "2026-09-20", 1080 },         /* a make-up Sunday has that season's Monday */
		{ "2026-10-10", 1050 },
	};
	struct day_view v;

	(void)state;
	office_hours_add_summer(&office);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		calendar_day(&office.cal, day_of(rows[i].date), &v);
		assert_int_equal(v.hours.n, 2);
		assert_int_equal(v.hours.spans[1].to, rows[i].closing);
	}
}

static void a_season_may_go_over_new_year(void **state)
{
	struct day_view v;

	(void)state;
	office_hours_add_summer(&office);
	office.cal.seasons[0].from_mmdd = 1101;
	office.cal.seasons[0].to_mmdd = 229;
	calendar_day(&office.cal, day_of("2025-12-31"), &v);
	assert_int_equal(v.hours.spans[1].to, 1080);
	calendar_day(&office.cal, day_of("2024-02-29"), &v);
	assert_int_equal(v.hours.spans[1].to, 1080);
	calendar_day(&office.cal, day_of("2024-03-01"), &v);
	assert_int_equal(v.hours.spans[1].to, 1050);
	calendar_day(&office.cal, day_of("2025-10-31"), &v);
	assert_int_equal(v.hours.spans[1].to, 1050);
}

static void a_makeup_day_may_have_hours_of_its_own(void **state)
{
	struct day_view v;
	struct err e;

	(void)state;
	office.cal.makeup_weekday = 0;
	office.cal.makeup = (struct day_hours){ .spans = { { 540, 960 } }, .n = 1 };
	add_special(&office, "2026-10-05", DAY_WORK, "防汛", true);      /* a Monday: the week has its hours */
	assert_int_equal(calendar_finish(&office.cal, &e), 0);
	calendar_day(&office.cal, day_of("2026-05-09"), &v);
	assert_true(v.hours.n == 1 && v.hours.spans[0].from == 540 && v.hours.spans[0].to == 960);
	calendar_day(&office.cal, day_of("2026-10-05"), &v);
	assert_int_equal(v.hours.n, 2);
	office.cal.makeup.n = 0;
	calendar_day(&office.cal, day_of("2026-05-09"), &v);    /* a working day without a minute is none */
	assert_int_equal(v.kind, DAY_REST);
}

static void a_duty_desk_knows_no_holiday_and_no_guess(void **state)
{
	static const char *const dates[] = { "2026-02-17", "2026-03-01", "2027-02-06", "2031-10-01" };
	struct calendar duty;
	struct day_view v;

	(void)state;
	duty_hours_init(&duty);
	duty.special = office.special;
	duty.n_special = office.cal.n_special;
	for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
		calendar_day(&duty, day_of(dates[i]), &v);
		assert_true(v.kind == DAY_WORK && !v.provisional && v.hours.n == 1);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(holidays_rest_and_makeup_days_work),
		T(a_year_has_as_many_working_days_as_the_notice_says),
		T(a_year_without_a_list_is_said_to_be_a_guess),
		T(a_day_that_the_office_named_itself_is_no_guess),
		T(the_offices_own_word_beats_the_list_and_the_list_beats_the_week),
		T(a_date_listed_twice_is_one_day),
		T(a_date_that_is_off_and_on_at_once_is_refused_by_name),
		T(summer_hours_hold_from_the_first_to_the_last_day),
		T(a_season_may_go_over_new_year),
		T(a_makeup_day_may_have_hours_of_its_own),
		T(a_duty_desk_knows_no_holiday_and_no_guess),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
