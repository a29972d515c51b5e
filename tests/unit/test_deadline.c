#include "unit/deadline_office.h"

struct row {
	const char *spec, *from, *due;
};

static void check_rows(const struct row *rows, size_t n)
{
	char got[MOMENT_TEXT], want[MOMENT_TEXT];

	for (size_t i = 0; i < n; i++) {
		struct due due = due_of(rows[i].spec, &office.cal, at(rows[i].from));

		if (due.at != at(rows[i].due))
			fail_msg("%s from %s: due %s, not %s", rows[i].spec, rows[i].from,
				 moment_human(due.at, true, got),
				 moment_human(at(rows[i].due), true, want));
	}
}
#define CHECK_ROWS(rows) check_rows(rows, ARRAY_LEN(rows))

static void the_worked_deadlines_of_the_manual_come_out(void **state)
{
	static const struct row rows[] = {
		{ "2 工作日", "2026-02-13 16:40", "2026-02-24 17:30" },
		{ "2 工作日", "2026-05-08 15:00", "2026-05-11 17:30" },
		{ "4 工作小时", "2026-09-30 16:00", "2026-10-08 11:00" },
		{ "上不过午下不过夜", "2026-05-09 11:59", "2026-05-09 12:00" },
		{ "上不过午下不过夜", "2026-05-09 12:00", "2026-05-09 24:00" },
		{ "每旬 遇休提前", "2026-02-01", "2026-02-10 17:30" },
		{ "每旬 遇休顺延", "2026-02-11", "2026-02-24 17:30" },
		{ "2 工作日", "2026-12-31 09:00", "2027-01-04 17:30" },
	};
	(void)state;
	CHECK_ROWS(rows);
}

static void hours_and_minutes_run_through_nights_and_holidays(void **state)
{
	static const struct row rows[] = {
		{ "24 小时", "2026-02-14 16:40", "2026-02-15 16:40" },
		{ "24h", "2026-12-31 16:40", "2027-01-01 16:40" },
		{ "30 分钟", "2026-02-28 23:45:30", "2026-03-01 00:15:30" },
		{ "90m", "2024-02-28 23:00", "2024-02-29 00:30" },
		{ "2 小时 起算:次日", "2026-02-14 16:00", "2026-02-24 10:30" },
		{ "2 小时 起算:当日", "2026-02-14 16:00", "2026-02-14 18:00" },
		{ "2 小时 起算:当日", "2026-03-02 07:00", "2026-03-02 10:30" },
		{ "2 小时 起算:当日", "2026-02-15 16:00", "2026-02-24 10:30" },
		{ "2 小时 下班后:次工作日", "2026-02-14 17:31", "2026-02-24 10:30" },
		{ "2 小时 下班后:次工作日", "2026-03-02 07:00", "2026-03-02 10:30" },
		{ "2 小时 下班后:次工作日", "2026-02-14 17:30", "2026-02-14 19:30" },
		{ "24 小时 遇休顺延 截止:24:00", "2026-02-14 16:40", "2026-02-24 24:00" },
		{ "24 小时 截止:下班", "2026-02-14 16:40", "2026-02-24 17:30" },
		{ "24 小时 截止:下班", "2026-03-02 20:00", "2026-03-03 17:30" },
		{ "10 分钟 截止:下班 遇休不变", "2026-03-02 18:00", "2026-03-02 24:00" },
		{ "10 分钟 截止:下班", "2026-03-02 18:00", "2026-03-03 17:30" },
	};
	(void)state;
	CHECK_ROWS(rows);
}

static void working_hours_pass_only_while_the_office_is_open(void **state)
{
	static const struct row rows[] = {
		/* three and a half before lunch */
		{ "4 工作小时", "2026-03-02 08:30", "2026-03-02 14:00" },
		{ "1 工作小时", "2026-03-02 11:30", "2026-03-02 14:00" },
		{ "1 工作小时", "2026-03-02 12:15", "2026-03-02 14:30" },
		/* ends at noon, not at 13:30 */
		{ "1 工作小时", "2026-03-02 11:00", "2026-03-02 12:00" },
		{ "1 工作小时", "2026-03-02 06:00", "2026-03-02 09:30" },
		{ "1 工作小时", "2026-03-02 17:30", "2026-03-03 09:30" },
		{ "1 工作小时", "2026-03-02 16:30", "2026-03-02 17:30" },
		{ "1 wh", "2026-02-14 17:00", "2026-02-24 09:00" },
		{ "1 工作小时", "2026-02-27 17:00", "2026-02-28 09:00" },    /* a make-up Saturday */
		{ "15 工作小时", "2026-03-02 08:30", "2026-03-03 17:30" },
		{ "16 工作小时", "2026-03-02 08:30", "2026-03-04 09:30" },
		{ "1 工作小时 起算:次日", "2026-03-02 08:30", "2026-03-03 09:30" },
		{ "1 工作小时 截止:下班", "2026-03-02 17:00", "2026-03-03 17:30" },
		{ "24 工作小时 日历:值班", "2026-02-15 16:40", "2026-02-16 16:40" },
	};
	(void)state;
	CHECK_ROWS(rows);
}

static void working_days_leave_the_day_of_receipt_out_and_end_at_closing(void **state)
{
	static const struct row rows[] = {
		{ "1 工作日", "2026-03-02 08:00", "2026-03-03 17:30" },
		{ "1wd", "2026-03-02 23:59", "2026-03-03 17:30" },
		/* Saturday: Monday is the first */
		{ "1 工作日", "2026-03-07 10:00", "2026-03-09 17:30" },
		{ "1 工作日", "2026-02-27 10:00", "2026-02-28 17:30" },
		{ "5 工作日", "2026-02-13 16:40", "2026-02-27 17:30" },
		{ "5 工作日", "2026-09-28 09:00", "2026-10-10 17:30" },      /* 29 30 | 8 9 10 */
		{ "1 工作日 起算:次日", "2026-03-07 10:00", "2026-03-09 17:30" },
		{ "1 工作日 起算:当日", "2026-03-02 08:00", "2026-03-02 17:30" },
		{ "1 工作日 起算:当日", "2026-03-02 17:29:59", "2026-03-02 17:30" },
		{ "1 工作日 起算:当日", "2026-03-02 17:30", "2026-03-03 17:30" },
		{ "2 工作日 起算:当日", "2026-03-02 18:00", "2026-03-03 17:30" },
		{ "1 工作日 起算:当日", "2026-03-07 10:00", "2026-03-09 17:30" },
		{ "1 工作日 下班后:次工作日", "2026-03-02 17:30", "2026-03-03 17:30" },
		{ "1 工作日 下班后:次工作日", "2026-03-02 17:30:01", "2026-03-04 17:30" },
		{ "1 工作日 下班后:当日", "2026-03-02 17:30:01", "2026-03-03 17:30" },
		{ "1 工作日 下班后:次工作日", "2026-03-06 18:00", "2026-03-10 17:30" },
		{ "1 工作日 下班后:次工作日", "2026-03-02 07:00", "2026-03-03 17:30" },
		{ "1 工作日 截止:24:00", "2026-03-02 08:00", "2026-03-03 24:00" },
		{ "2 工作日 截止:同时刻", "2026-02-13 16:40", "2026-02-24 16:40" },
		{ "1 工作日 截止:同时刻", "2026-03-02 20:00", "2026-03-03 17:30" },
		{ "1 工作日 截止:同时刻", "2026-03-02 06:00", "2026-03-03 08:30" },
		{ "1 工作日 截止:同时刻", "2026-03-02 12:30", "2026-03-03 13:30" },
		{ "1 工作日 起算:立即 截止:同时刻", "2026-03-06 20:00", "2026-03-10 08:30" },
		{ "1 工作日 起算:立即 截止:同时刻", "2026-03-06 10:00", "2026-03-09 10:00" },
		{ "3 工作日 日历:值班", "2026-02-15 10:00", "2026-02-18 24:00" },
		{ "2 工作日", "2024-02-28 10:00", "2024-03-01 17:30" },      /* over the leap day */
	};
	(void)state;
	CHECK_ROWS(rows);
}

static void calendar_days_end_at_midnight_and_move_off_a_rest_day(void **state)
{
	static const struct row rows[] = {
		{ "3 自然日", "2026-03-02 10:00", "2026-03-05 24:00" },
		{ "3 自然日", "2026-03-04 10:00", "2026-03-09 24:00" },      /* Saturday -> Monday */
		{ "3d", "2026-03-04 10:00", "2026-03-09 24:00" },
		{ "3 自然日 遇休提前", "2026-03-04 10:00", "2026-03-06 24:00" },
		{ "3 自然日 遇休不变", "2026-03-04 10:00", "2026-03-07 24:00" },
		{ "3 自然日 截止:下班", "2026-03-04 10:00", "2026-03-09 17:30" },
		{ "3 自然日 截止:同时刻", "2026-03-02 10:10", "2026-03-05 10:10" },
		{ "3 自然日 遇休不变 截止:同时刻", "2026-03-04 10:10", "2026-03-07 10:10" },
		{ "3 自然日 遇休不变 截止:下班", "2026-03-04 10:10", "2026-03-07 24:00" },
		{ "3 自然日 起算:当日", "2026-03-02 10:00", "2026-03-04 24:00" },
		{ "1 自然日", "2026-02-14 10:00", "2026-02-24 24:00" },
		/* make-up Saturday stays */
		{ "1 自然日", "2026-02-13 10:00", "2026-02-14 24:00" },
		{ "1 自然日 遇休提前 截止:下班", "2026-03-06 18:00", "2026-03-09 17:30" },
		{ "1 自然日", "2024-02-28 23:59", "2024-02-29 24:00" },
		{ "7 自然日 日历:值班", "2026-02-13 10:00", "2026-02-20 24:00" },
	};
	(void)state;
	CHECK_ROWS(rows);
}

static void points_end_at_their_time_else_at_closing(void **state)
{
	static const struct row rows[] = {
		{ "当日", "2026-03-02 10:00", "2026-03-02 17:30" },
		{ "当日", "2026-03-02 17:30", "2026-03-03 17:30" },
		{ "当日", "2026-03-02 18:00", "2026-03-03 17:30" },
		{ "当日", "2026-03-07 10:00", "2026-03-09 17:30" },
		{ "当日", "2026-02-14 10:00", "2026-02-14 17:30" },
		{ "当日 日历:值班", "2026-03-07 10:00", "2026-03-07 24:00" },
		{ "当日 20:00", "2026-03-02 18:00", "2026-03-02 20:00" },
		{ "当日 12:00", "2026-03-06 12:00", "2026-03-09 12:00" },
		{ "当日 24:00", "2026-03-02 23:59", "2026-03-02 24:00" },
		{ "当日 截止:24:00", "2026-03-02 23:59", "2026-03-02 24:00" },
		{ "当日 18:00 遇休不变", "2026-03-07 10:00", "2026-03-07 18:00" },
		{ "当日 遇休不变", "2026-03-07 10:00", "2026-03-07 24:00" },
		{ "当日 遇休不变", "2026-03-02 18:00", "2026-03-03 17:30" },
		{ "次日", "2026-03-02 10:00", "2026-03-03 17:30" },
		{ "次日 12:00", "2026-03-02 10:00", "2026-03-03 12:00" },
		{ "次日 12:00", "2026-03-06 10:00", "2026-03-09 12:00" },
		{ "次日 12:00 遇休不变", "2026-03-06 10:00", "2026-03-07 12:00" },
		{ "次日 12:00 日历:值班", "2026-03-06 10:00", "2026-03-07 12:00" },
		{ "次日 12:00", "2026-02-27 10:00", "2026-02-28 12:00" },
		{ "次工作日", "2026-02-14 18:00", "2026-02-24 17:30" },
		{ "次工作日 9:00", "2026-03-06 10:00", "2026-03-09 09:00" },
		{ "次工作日 下班后:次工作日", "2026-03-06 18:00", "2026-03-10 17:30" },
		{ "次工作日 截止:24:00", "2026-03-06 18:00", "2026-03-09 24:00" },
		{ "次工作日 截止:同时刻", "2026-03-06 10:00", "2026-03-09 10:00" },
	};
	(void)state;
	CHECK_ROWS(rows);
}

static void morning_ends_at_noon_and_afternoon_at_night(void **state)
{
	static const struct row rows[] = {
		{ "上不过午下不过夜", "2026-03-02 00:00", "2026-03-02 12:00" },
		{ "上不过午下不过夜", "2026-03-02 11:59:59", "2026-03-02 12:00" },
		{ "上不过午下不过夜", "2026-03-02 12:00", "2026-03-02 24:00" },
		{ "上不过午下不过夜", "2026-03-02 23:59:59", "2026-03-02 24:00" },
		{ "上不过午下不过夜", "2026-03-07 09:00", "2026-03-09 12:00" },
		{ "上不过午下不过夜", "2026-03-07 15:00", "2026-03-09 12:00" },
		{ "上不过午下不过夜 日历:值班", "2026-03-07 15:00", "2026-03-07 24:00" },
		{ "上不过午下不过夜 最少:60 分钟", "2026-03-02 11:00", "2026-03-02 12:00" },
		{ "上不过午下不过夜 最少:60 分钟", "2026-03-02 11:00:01", "2026-03-02 24:00" },
		{ "上不过午下不过夜 最少:60 分钟", "2026-03-02 23:01", "2026-03-03 12:00" },
		{ "上不过午下不过夜 最少:1 小时 日历:值班", "2026-03-06 23:01", "2026-03-07 12:00" },
		{ "上不过午下不过夜 最少:60 分钟", "2026-02-14 23:30", "2026-02-24 12:00" },
	};
	(void)state;
	CHECK_ROWS(rows);
}

static void a_change_of_season_changes_the_closing_time(void **state)
{
	static const struct row rows[] = {
		{ "1 工作日", "2026-05-29 10:00", "2026-06-01 18:00" },
		{ "1 工作日", "2026-09-29 10:00", "2026-09-30 18:00" },
		{ "1 工作日", "2026-09-30 10:00", "2026-10-08 17:30" },
		{ "1 工作日 截止:同时刻", "2026-09-30 17:45", "2026-10-08 17:30" },
		{ "4 工作小时", "2026-09-30 16:30", "2026-10-08 11:00" },
		/* make-up Sunday in summer */
		{ "1 工作日", "2026-09-18 10:00", "2026-09-20 18:00" },
	};
	struct due due;

	(void)state;
	office_hours_add_summer(&office);
	CHECK_ROWS(rows);
	due = due_of("到期前 1 工作日", &office.cal, at("2026-06-01 18:00"));
	assert_true(due.at == at("2026-05-29 17:30"));
}

static void series_run_on_by_themselves_and_move_off_rest_days(void **state)
{
	static const struct {
		const char *spec, *from, *due[5];
	} rows[] = {
		{ "每旬 遇休提前", "2026-02-01",
		  { "2026-02-10 17:30", "2026-02-14 17:30", "2026-02-28 17:30",
		    "2026-03-10 17:30" } },
		{ "每旬", "2024-02-20 17:30", { "2024-02-29 17:30", "2024-03-08 17:30" } },
		{ "每旬 遇休顺延", "2026-02-10 17:30", { "2026-02-24 17:30", "2026-02-28 17:30" } },
		{ "每旬 遇休顺延", "2026-02-21", { "2026-02-24 17:30" } },
		{ "每旬 16:00 遇休不变", "2026-02-11", { "2026-02-20 16:00", "2026-02-28 16:00" } },
		{ "每周五 16:00 遇休提前", "2026-02-13 16:00",
		  { "2026-02-14 16:00", "2026-02-27 16:00", "2026-03-06 16:00" } },
		{ "每周五 16:00", "2026-02-13 15:59", { "2026-02-13 16:00", "2026-02-14 16:00" } },
		{ "每周日", "2026-03-02", { "2026-03-06 17:30", "2026-03-13 17:30" } },
		{ "每周六 16:00 遇休顺延", "2026-03-08", { "2026-03-09 16:00", "2026-03-16 16:00" } },
		{ "每月31日", "2026-01-31 17:30",
		  { "2026-02-28 17:30", "2026-03-31 17:30", "2026-04-30 17:30",
		    "2026-05-29 17:30" } },
		{ "每月31日 遇休不变", "2024-02-01",
		  { "2024-02-29 17:30", "2024-03-31 24:00", "2024-04-30 17:30" } },
		{ "每月30日 遇休不变 ", "2025-01-31", { "2025-02-28 17:30", "2025-03-30 24:00" } },
		{ "每月25日 9:00", "2026-10-01", { "2026-10-23 09:00", "2026-11-25 09:00" } },
		{ "每月末", "2026-01-01",
		  { "2026-01-30 17:30", "2026-02-28 17:30", "2026-03-31 17:30" } },
		{ "每月最后工作日 12:00", "2026-01-30 12:00", { "2026-02-28 12:00", "2026-03-31 12:00" } },
		{ "每月最后工作日", "2026-05-01", { "2026-05-29 17:30", "2026-06-30 17:30" } },
		/* 15 and 25 Feb, 7 and 17 Mar: never shifted */
		{ "每10自然日", "2026-02-05 10:00",
		  { "2026-02-24 17:30", "2026-02-25 17:30", "2026-03-09 17:30",
		    "2026-03-17 17:30" } },
		{ "每1自然日", "2026-02-13 10:00",         /* ten dates that meet on one day are one */
		  { "2026-02-14 17:30", "2026-02-24 17:30", "2026-02-25 17:30" } },
		{ "每工作日 9:00", "2026-02-13 09:00", { "2026-02-14 09:00", "2026-02-24 09:00" } },
		{ "每工作日", "2026-12-30 18:00", { "2026-12-31 17:30", "2027-01-01 17:30" } },
		{ "每季末 16:00", "2026-03-31 16:00", { "2026-06-30 16:00", "2026-09-30 16:00", "2026-12-31 16:00" } },
		{ "每季初 09:00 遇休顺延", "2026-01-01", { "2026-01-04 09:00", "2026-04-01 09:00" } },
		{ "每半年末", "2026-01-01", { "2026-06-30 17:30", "2026-12-31 17:30" } },
		{ "每半年初 9:00 遇休不变", "2026-02-01", { "2026-07-01 09:00", "2027-01-01 09:00" } },
		{ "每年末", "2025-12-31 17:30", { "2026-12-31 17:30" } },
		{ "每旬 24:00", "2026-03-05", { "2026-03-10 24:00", "2026-03-20 24:00" } },
		{ "每旬 日历:值班", "2026-02-11", { "2026-02-20 24:00" } },
	};
	char got[MOMENT_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct due due[5] = { 0 };
		struct err e = { 0 };
		struct deadline d;
		size_t want = 0, n = 0;

		while (want < 5 && rows[i].due[want])
			want++;
		d = parsed(rows[i].spec);
		assert_int_equal(deadline_next(&d, d.calendar ? &duty : &office.cal,
					       at(rows[i].from), want, due, &n, &e), 0);
		assert_int_equal(n, want);
		for (size_t k = 0; k < want; k++) {
			if (due[k].at != at(rows[i].due[k]))
				fail_msg("%s from %s, no. %zu: %s, not %s", rows[i].spec,
					 rows[i].from, k + 1, moment_human(due[k].at, true, got),
						rows[i].due[k]);
		}
	}
}

static void a_reminder_lies_before_the_limit_on_the_same_calendar(void **state)
{
	static const struct row rows[] = {
		{ "到期前 4 工作小时", "2026-02-24 17:30", "2026-02-24 13:30" },
		{ "到期前 4 工作小时", "2026-02-24 10:30", "2026-02-14 15:30" },
		{ "到期前 4 工作小时", "2026-02-24 12:00", "2026-02-14 17:00" },
		{ "到期前 2 工作小时", "2026-03-09 24:00", "2026-03-09 15:30" },
		{ "到期前 1 工作小时", "2026-03-08 10:00", "2026-03-06 16:30" },
		{ "到期前 1 工作小时", "2026-03-09 08:30", "2026-03-06 16:30" },
		{ "到期前 1 小时", "2026-03-09 08:30", "2026-03-09 07:30" },
		{ "到期前 30 分钟", "2026-03-09 00:10", "2026-03-08 23:40" },
		{ "到期前 1 工作日", "2026-02-24 17:30", "2026-02-14 17:30" },
		{ "到期前 2 工作日", "2026-02-24 17:30", "2026-02-13 17:30" },
		{ "到期前 1 工作日", "2026-03-09 24:00", "2026-03-06 17:30" },
		{ "到期前 1 工作日", "2026-03-08 10:00", "2026-03-06 08:30" },
		{ "到期前 1 工作日", "2026-03-10 10:00", "2026-03-09 10:00" },
		{ "到期前 1 工作日 截止:下班", "2026-03-10 10:00", "2026-03-09 17:30" },
		{ "到期前 1 自然日", "2026-03-09 24:00", "2026-03-08 24:00" },
		{ "到期前 1 自然日 遇休提前", "2026-03-09 10:00", "2026-03-06 17:30" },
		{ "到期前 1 工作小时 日历:值班", "2026-03-08 10:00", "2026-03-08 09:00" },
	};
	struct deadline span = parsed("4 工作小时 起算:次日 截止:24:00");
	struct due due;
	struct err e;

	(void)state;
	CHECK_ROWS(rows);
	assert_int_equal(deadline_before(&span, &office.cal, at("2026-02-24 10:30"), NULL, &due,
					 &e), 0);
	assert_true(due.at == at("2026-02-14 15:30"));
	span = parsed("每旬");
	assert_int_equal(deadline_before(&span, &office.cal, at("2026-02-24 10:30"), NULL, &due,
					 &e), ERR_BAD);
}

static void only_a_way_through_a_year_without_a_list_is_provisional(void **state)
{
	static const struct {
		const char *spec, *from;
		bool provisional;
	} rows[] = {
		{ "2 工作日", "2026-12-31 10:00", true },
		{ "1 工作日", "2026-12-30 10:00", false },
		{ "4 工作小时", "2026-12-31 16:00", true },
		{ "1 工作小时", "2026-12-31 16:00", false },
		{ "24 小时", "2026-12-31 16:00", false },
		{ "3 自然日", "2026-12-31 16:00", true },
		{ "3 自然日 遇休不变", "2026-12-31 16:00", false },
		{ "1 自然日", "2026-12-30 16:00", false },
		{ "5 工作日 日历:值班", "2026-12-31 16:00", false },
		{ "次工作日", "2026-12-31 16:00", true },
		{ "上不过午下不过夜", "2026-12-31 16:00", false },
		{ "上不过午下不过夜", "2027-03-01 16:00", true },
		{ "每月末", "2026-12-31 18:00", true },
		{ "到期前 1 工作日", "2027-01-01 17:30", true },
		{ "到期前 1 工作小时", "2026-12-31 17:30", false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (due_of(rows[i].spec, &office.cal,
			   at(rows[i].from)).provisional != rows[i].provisional)
			fail_msg("%s from %s", rows[i].spec, rows[i].from);
	}
}

static void a_due_date_over_new_year_moves_when_the_list_comes(void **state)
{
	struct err e;
	struct due before = due_of("2 工作日", &office.cal, at("2026-12-31 10:00")), after;

	(void)state;
	add_special(&office, "2027-01-01", DAY_REST, "元旦", false);
	office.years[office.cal.n_years++] = 2027;
	assert_int_equal(calendar_finish(&office.cal, &e), 0);
	after = due_of("2 工作日", &office.cal, at("2026-12-31 10:00"));
	assert_true(before.provisional && !after.provisional);
	assert_true(after.at == at("2027-01-05 17:30") && before.at == at("2027-01-04 17:30"));
}

static void a_calendar_that_never_opens_is_an_error_and_no_endless_loop(void **state)
{
	static const char *const specs[] = {
		"1 工作日", "1 工作小时", "3 自然日", "当日", "次日 12:00", "次工作日", "上不过午下不过夜",
		"每旬", "每工作日 9:00", "每周五 遇休顺延", "到期前 1 工作日", "到期前 1 工作小时",
		"24 小时 起算:次日",
	};
	struct calendar closed = { .name = "关门" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
		struct deadline d = parsed(specs[i]);
		struct err e = { 0 };
		struct due due;

		assert_int_equal(deadline_due(&d, &closed, at("2026-03-02 10:00"), NULL, &due, &e),
				 ERR_BAD);
		assert_string_equal(e.code, "E43");
	}
}

static void a_start_outside_of_the_calendar_is_an_error(void **state)
{
	static const int64_t starts[] = { MOMENT_NONE, INT64_MAX, INT64_C(-1000000000000) };
	struct deadline d = parsed("1 工作日");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		struct err e = { 0 };
		struct due due;

		assert_int_equal(deadline_due(&d, &office.cal, starts[i], NULL, &due, &e), ERR_BAD);
	}
}

struct walk_row {
	const char *date;
	bool counts;
	const char *why;
};

static void check_walk(const char *spec, const char *from, const struct walk_row *rows, size_t n)
{
	struct deadline d = parsed(spec);
	struct due due;
	struct err e;

	assert_int_equal(deadline_due(&d, &office.cal, at(from), &office.arena, &due, &e), 0);
	assert_int_equal(due.n_walk, n);
	for (size_t i = 0; i < n; i++) {
		if (due.walk[i].day != day_of(rows[i].date) ||
		    due.walk[i].counts != rows[i].counts ||
		    strcmp(due.walk[i].why, rows[i].why) != 0)
			fail_msg("%s, day %zu (%s): %d %s", spec, i + 1, rows[i].date,
				 due.walk[i].counts, due.walk[i].why);
	}
}

static void the_walk_tells_each_day_and_why(void **state)
{
	static const struct walk_row spring[] = {
		{ "2026-02-13", false, "day of receipt, not counted" },
		{ "2026-02-14", true, "make-up working day (春节)" },
		{ "2026-02-15", false, "day off (春节)" }, { "2026-02-16", false, "day off (春节)" },
		{ "2026-02-17", false, "day off (春节)" }, { "2026-02-18", false, "day off (春节)" },
		{ "2026-02-19", false, "day off (春节)" }, { "2026-02-20", false, "day off (春节)" },
		{ "2026-02-21", false, "day off (春节)" }, { "2026-02-22", false, "day off (春节)" },
		{ "2026-02-23", false, "day off (春节)" }, { "2026-02-24", true, "working day" },
	};
	static const struct walk_row moved[] = {
		{ "2026-03-05", false, "day of receipt, not counted" },
		{ "2026-03-06", true, "calendar day" },
		{ "2026-03-07", true, "calendar day" }, { "2026-03-08", false, "rest day" },
		{ "2026-03-09", false, "moved here off a rest day" },
	};
	static const struct walk_row hours[] = {
		{ "2026-03-06", false, "day of receipt, not counted" },
		{ "2026-03-07", false, "rest day" },
		{ "2026-03-08", false, "rest day" }, { "2026-03-09", true, "working day" },
	};
	static const struct walk_row back[] = {
		{ "2026-03-09", true, "working day" }, { "2026-03-08", false, "rest day" },
		{ "2026-03-07", false, "rest day" }, { "2026-03-06", true, "working day" },
	};
	static const struct walk_row back_days[] = {
		{ "2026-03-09", false, "day of the limit" }, { "2026-03-08", false, "rest day" },
		{ "2026-03-07", false, "rest day" }, { "2026-03-06", true, "working day" },
	};
	static const struct walk_row point[] = {
		{ "2026-03-06", false, "day of receipt, not counted" },
		{ "2026-03-07", false, "rest day" },
		{ "2026-03-08", false, "rest day" }, { "2026-03-09", true, "working day" },
	};
	(void)state;
	check_walk("2 工作日", "2026-02-13 16:40", spring, ARRAY_LEN(spring));
	check_walk("2 自然日", "2026-03-05 10:00", moved, ARRAY_LEN(moved));
	check_walk("1 工作小时", "2026-03-06 17:30", hours, ARRAY_LEN(hours));
	check_walk("到期前 2 工作小时", "2026-03-09 09:30", back, ARRAY_LEN(back));
	check_walk("到期前 1 工作日", "2026-03-09 17:30", back_days, ARRAY_LEN(back_days));
	check_walk("次日 12:00", "2026-03-06 10:00", point, ARRAY_LEN(point));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_OFFICE(the_worked_deadlines_of_the_manual_come_out),
		IN_OFFICE(hours_and_minutes_run_through_nights_and_holidays),
		IN_OFFICE(working_hours_pass_only_while_the_office_is_open),
		IN_OFFICE(working_days_leave_the_day_of_receipt_out_and_end_at_closing),
		IN_OFFICE(calendar_days_end_at_midnight_and_move_off_a_rest_day),
		IN_OFFICE(points_end_at_their_time_else_at_closing),
		IN_OFFICE(morning_ends_at_noon_and_afternoon_at_night),
		IN_OFFICE(a_change_of_season_changes_the_closing_time),
		IN_OFFICE(series_run_on_by_themselves_and_move_off_rest_days),
		IN_OFFICE(a_reminder_lies_before_the_limit_on_the_same_calendar),
		IN_OFFICE(only_a_way_through_a_year_without_a_list_is_provisional),
		IN_OFFICE(a_due_date_over_new_year_moves_when_the_list_comes),
		IN_OFFICE(a_calendar_that_never_opens_is_an_error_and_no_endless_loop),
		IN_OFFICE(a_start_outside_of_the_calendar_is_an_error),
		IN_OFFICE(the_walk_tells_each_day_and_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
