#include "unit/deadline_office.h"

static void what_a_clerk_may_write_is_understood_and_printed_in_one_way(void **state)
{
	static const struct {
		const char *text, *canonical;
	} rows[] = {
		{ "2 工作日", "2 工作日 起算:次日 截止:下班" },
		{ "  2工作日\t", "2 工作日 起算:次日 截止:下班" },
		{ "2 wd 日历:机关", "2 工作日 起算:次日 截止:下班 日历:机关" },
		{ "002 工作日", "2 工作日 起算:次日 截止:下班" },
		{ "24小时", "24 小时 起算:立即" },
		{ "10 m", "10 分钟 起算:立即" },
		{ "4wh", "4 工作小时 起算:立即" },
		{ "3 d", "3 自然日 起算:次日 截止:24:00 遇休顺延" },
		{ "3 自然日 遇休不变", "3 自然日 起算:次日 截止:24:00 遇休不变" },
		{ "24 小时 截止:下班", "24 小时 起算:立即 截止:下班 遇休顺延" },
		{ "24 小时 截止:下班 遇休不变", "24 小时 起算:立即 截止:下班 遇休不变" },
		{ "2 工作日 日历:值班 下班后:次工作日 截止:同时刻 起算:立即",
		  "2 工作日 起算:立即 截止:同时刻 下班后:次工作日 日历:值班" },
		{ "2 工作日 下班后:当日", "2 工作日 起算:次日 截止:下班" },
		{ "当日", "当日 截止:下班 遇休顺延" },
		{ "当日18:00", "当日 18:00 遇休顺延" },
		{ "次日 9:00", "次日 09:00 遇休顺延" },
		{ "次日 24:00 日历:值班", "次日 24:00 遇休顺延 日历:值班" },
		{ "次工作日", "次工作日 截止:下班" },
		{ "次工作日 00:00", "次工作日 00:00" },
		{ "上不过午下不过夜", "上不过午下不过夜" },
		{ "上不过午下不过夜 最少:60 分钟 日历:值班", "上不过午下不过夜 日历:值班 最少:60 分钟" },
		{ "上不过午下不过夜 最少:1h", "上不过午下不过夜 最少:60 分钟" },
		{ "每旬", "每旬 遇休提前" },
		{ "每 10 自然日", "每10自然日 遇休顺延" },
		{ "每10自然日 16:00", "每10自然日 16:00 遇休顺延" },
		{ "每周日16:00", "每周日 16:00 遇休提前" },
		{ "每月 25 日", "每月25日 遇休提前" },
		{ "每月末 遇休顺延", "每月末 遇休顺延" },
		{ "每月最后工作日 12:00", "每月最后工作日 12:00 遇休提前" },
		{ "每季末 16:00", "每季末 16:00 遇休提前" },
		{ "每半年初 遇休顺延", "每半年初 遇休顺延" },
		{ "每年 末", "每年末 遇休提前" },
		{ "每工作日 8:30", "每工作日 08:30" },
		{ "到期前 4 工作小时", "到期前 4 工作小时" },
		{ "到期前4wh", "到期前 4 工作小时" },
		{ "到期前 1 工作日 截止:下班", "到期前 1 工作日 截止:下班" },
		{ "到期前 2 自然日 遇休提前 日历:机关", "到期前 2 自然日 遇休提前 日历:机关" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct deadline d = parsed(rows[i].text);

		assert_string_equal(deadline_text(&d, &office.arena), rows[i].canonical);
		d = parsed(rows[i].canonical);
		assert_string_equal(deadline_text(&d, &office.arena), rows[i].canonical);
	}
}

static void what_two_people_read_in_two_ways_is_refused_where_it_stands(void **state)
{
	static const struct {
		/* `from`: the text from where the finger points */
		const char *text, *code, *from;
	} rows[] = {
		{ "", "E40", "" },
		{ "   ", "E40", "" },
		{ "2 天", "E41", "2 天" },
		{ "2天", "E41", "2天" },
		{ "2 日", "E41", "2 日" },
		{ "2", "E41", "2" },
		{ "到期前 2 天", "E41", "2 天" },
		{ "到期前 2", "E41", "2" },
		{ "每10天", "E41", "10天" },
		{ "每天", "E41", "天" },
		{ "每日 9:00", "E41", "日 9:00" },
		{ "0 工作日", "E40", "0 工作日" },
		{ "-1 工作日", "E40", "-1 工作日" },
		{ "1.5 工作日", "E40", ".5 工作日" },
		{ "99999999999999999999 小时", "E40", "99999999999999999999 小时" },
		{ "4000 自然日", "E40", "4000 自然日" },
		{ "五 工作日", "E40", "五 工作日" },
		{ "2 工作", "E40", "工作" },
		{ "2 个工作日", "E40", "个工作日" },
		{ "2 工作日内", "E40", "工作日内" },
		{ "1 工作日 3 小时", "E40", "3 小时" },
		{ "2 工作日 起算:后天", "E40", "起算:后天" },
		{ "2 工作日 起算:", "E40", "起算:" },
		{ "2 工作日 日历:", "E40", "" },
		{ "2 工作日 起算:次日 起算:当日", "E40", "起算:当日" },
		{ "2 工作日 最少:60 分钟", "E40", "最少:60 分钟" },
		{ "24 小时起算:立即", "E40", "小时起算:立即" },
		{ "1 工作日 起算:当日 截止:同时刻", "E40", "1 工作日 起算:当日 截止:同时刻" },
		{ "当日 截止:同时刻", "E40", "当日 截止:同时刻" },
		{ "当日 起算:次日", "E40", "起算:次日" },
		{ "次日 12:00 截止:下班", "E40", "截止:下班" },
		{ "次日 25:00", "E40", "25:00" },
		{ "次日 24:01", "E40", "24:01" },
		{ "次日 12:60", "E40", "12:60" },
		{ "次日 12", "E40", "12" },
		{ "次日 12:000", "E40", "12:000" },
		{ "次日上午", "E40", "上午" },
		{ "后天", "E40", "后天" },
		{ "上不过午下不过夜 12:00", "E40", "12:00" },
		{ "上不过午下不过夜 遇休顺延", "E40", "遇休顺延" },
		{ "上不过午下不过夜 最少:0 分钟", "E40", "0 分钟" },
		{ "上不过午下不过夜 最少:13 小时", "E40", "13 小时" },
		{ "上不过午下不过夜 最少:60", "E40", "" },
		{ "每周", "E40", "" },
		{ "每周八", "E40", "八" },
		{ "每月32日", "E40", "32日" },
		{ "每月0日", "E40", "0日" },
		{ "每月25", "E40", "" },
		{ "每世纪", "E40", "世纪" },
		{ "每", "E40", "" },
		{ "每0自然日", "E40", "0自然日" },
		{ "每10工作日", "E40", "工作日" },
		{ "每旬 起算:次日", "E40", "起算:次日" },
		{ "到期前", "E40", "" },
		{ "到期前 当日", "E40", "当日" },
		{ "到期前 4 工作小时 起算:次日", "E40", "起算:次日" },
		{ "逾期 1 工作日", "E40", "逾期 1 工作日" },
		{ "2 工作日 起算：次日", "E03", "：次日" },
		{ "每周五 16：00", "E03", "：00" },
		{ "上不过午、下不过夜", "E03", "、下不过夜" },
		{ "2 工作日，遇休顺延", "E03", "，遇休顺延" },
		{ "2　工作日", "E03", "　工作日" },
		{ "２ 工作日", "E03", "２ 工作日" },
		{ "每月２５日", "E03", "２５日" },
		{ "次日 １２:00", "E03", "１２:00" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct deadline d = { .n = 77 };
		struct err e = { 0 };
		size_t where = 999;
		int r = deadline_parse(rows[i].text, &office.arena, &d, &where, &e);

		if (r != ERR_BAD || strcmp(e.code, rows[i].code) != 0 || d.n != 77)
			fail_msg("“%s” gave %d %s “%s”", rows[i].text, r, e.code, e.text);
		if (where > strlen(rows[i].text) || strcmp(rows[i].text + where, rows[i].from) != 0)
			fail_msg("“%s” was refused at %zu: %s", rows[i].text, where, e.text);
		assert_true(strlen(e.text) > 10);
	}
}

static void a_calendar_is_asked_for_only_when_it_matters(void **state)
{
	static const struct {
		const char *spec;
		bool needs;
	} rows[] = {
		{ "30 分钟", false }, { "24 小时", false }, { "24 小时 截止:24:00", false },
		{ "24 小时 遇休不变", false }, { "24 小时 遇休顺延", true }, { "24 小时 起算:次日", true },
		{ "24 小时 下班后:次工作日", true }, { "3 自然日", true }, { "3 自然日 遇休不变", false },
		{ "3 自然日 遇休不变 截止:下班", true }, { "1 工作日", true }, { "1 工作小时", true },
		{ "当日", true }, { "次日 12:00", true }, { "上不过午下不过夜", true }, { "每旬", true },
		{ "每旬 9:00 遇休不变", false }, { "每工作日 9:00", true }, { "每10自然日 9:00 遇休不变", false },
		{ "到期前 1 小时", false }, { "到期前 1 自然日", false }, { "到期前 1 工作小时", true },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct deadline d = parsed(rows[i].spec);
		struct err e = { 0 };
		struct due due;
		int r = deadline_due(&d, NULL, at("2026-03-02 10:00"), NULL, &due, &e);

		if (deadline_needs_calendar(&d) != rows[i].needs ||
		    r != (rows[i].needs ? ERR_BAD : 0))
			fail_msg("%s", rows[i].spec);
		if (rows[i].needs)
			assert_string_equal(e.code, "E42");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_OFFICE(what_a_clerk_may_write_is_understood_and_printed_in_one_way),
		IN_OFFICE(what_two_people_read_in_two_ways_is_refused_where_it_stands),
		IN_OFFICE(a_calendar_is_asked_for_only_when_it_matters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
