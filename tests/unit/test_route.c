/* Which department, and why: each field of a rule, the order of evaluation, copies, the accused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"
#include "core/understand/text.h"
#include "unit/office_fixture.h"

/* 2026-11-20 10:00 in the office's zone */
static const int64_t ten = (INT64_C(20777) * 24 + 2) * 3600 * 1000000;
static const int64_t hour = INT64_C(3600) * 1000000;

static struct report a_report(struct fixture *f, const char *text)
{
	return (struct report){.channel = &f->channels[WECHAT],
			       .source = "x",
			       .id = "1",
			       .received_at = ten,
			       .time = ten,
			       .text = text,
			       .shadow = text ? text_shadow(&f->message, text) : "",
			       .urgency = -1};
}

static struct decision decide(struct fixture *f, const struct report *r)
{
	struct decision d;

	route(&f->office, r, &f->message, ROUTE_NEAR | ROUTE_ALSO, &d);
	return d;
}

/* ---- fields ---------------------------------------------------------------------------------- */

enum touch {
	NOTHING,
	NO_TEXT,
	CHANNEL,
	CATEGORY,
	CATEGORY_CHILD,
	CATEGORY_SIMILAR,
	GRID,
	GRID_OTHER,
	DEVICE_ID,
	URGENT,
	SECRET,
	LATE,
	EARLY
};

static void touch(struct fixture *f, struct report *r, enum touch what)
{
	static const struct {
		enum touch what;
		const char *category, *grid, *device;
		int64_t later;
	} touches[] = {
		{CATEGORY, "市政/井盖", NULL, NULL, 0},
		{CATEGORY_CHILD, "市政/井盖/丢失", NULL, NULL, 0},
		{CATEGORY_SIMILAR, "市政/井盖板", NULL, NULL, 0},
		{GRID, NULL, "410106003007012", NULL, 0},
		{GRID_OTHER, NULL, "410106004", NULL, 0},
		{DEVICE_ID, NULL, NULL, "ax-7", 0},
		{LATE, NULL, NULL, NULL, 12},
		{EARLY, NULL, NULL, NULL, -4},
	};

	for (size_t i = 0; i < ARRAY_LEN(touches); i++)
		if (touches[i].what == what) {
			r->category = touches[i].category;
			r->grid = touches[i].grid;
			r->device = touches[i].device;
			r->received_at += touches[i].later * hour;
		}
	if (what == CHANNEL)
		r->channel = &f->channels[HOTLINE];
	if (what == URGENT)
		r->urgency = URGENCY_URGENT;
	r->secret = what == SECRET;
	if (what == NO_TEXT) {
		r->text = NULL;
		r->shadow = "";
	}
}

static void every_field_says_yes_and_no(void **state)
{
	static const struct window night = {"夜间", 22 * 60, 6 * 60}, morning = {"上午", 8 * 60, 12 * 60},
				   until_ten = {"早", 0, 10 * 60}, all_day = {"全天", 0, 1440};
	static const struct window *const at_night[] = {&night}, *const either[] = {&night, &morning},
					  *const early[] = {&until_ten}, *const always[] = {&all_day};
	const struct {
		struct when when;
		enum touch touch;
		const char *failed;     /* NULL: the rule matches */
	} rows[] = {
		{ANY_REPORT, NOTHING, NULL},
		{WHEN(.channel = TEXTS("hotline", "wechat")), NOTHING, NULL},
		{WHEN(.channel = TEXTS("hotline", "device")), NOTHING, "channel"},
		{WHEN(.channel = TEXTS("hotline")), CHANNEL, NULL},
		{WHEN(.category = TEXTS("市政/井盖")), CATEGORY, NULL},
		{WHEN(.category = TEXTS("物业", "市政")), CATEGORY, NULL},
		{WHEN(.category = TEXTS("市政/井盖")), CATEGORY_CHILD, NULL},
		{WHEN(.category = TEXTS("市政/井盖")), CATEGORY_SIMILAR, "category"},
		{WHEN(.category = TEXTS("市政/井盖/丢失")), CATEGORY, "category"},
		{WHEN(.category = TEXTS("市政")), NOTHING, "category"},
		{WHEN(.grid = TEXTS("410106003007012")), GRID, NULL},
		{WHEN(.grid = TEXTS("410106003*")), GRID, NULL},
		{WHEN(.grid = TEXTS("*")), GRID, NULL},
		{WHEN(.grid = TEXTS("410106003")), GRID, "grid"},
		{WHEN(.grid = TEXTS("410106003*")), GRID_OTHER, "grid"},
		{WHEN(.grid = TEXTS("*")), NOTHING, "grid"},
		{WHEN(.device = TEXTS("ax-7")), DEVICE_ID, NULL},
		{WHEN(.device = TEXTS("bx-*", "ax-*")), DEVICE_ID, NULL},
		{WHEN(.device = TEXTS("ax")), DEVICE_ID, "device"},
		{WHEN(.device = TEXTS("ax-*")), NOTHING, "device"},
		{WHEN(.urgency = 1U << URGENCY_URGENT), URGENT, NULL},
		{WHEN(.urgency = 1U << URGENCY_URGENT | 1U << URGENCY_CRITICAL), NOTHING, "urgency"},
		{WHEN(.urgency = 1U << URGENCY_NORMAL), NOTHING, NULL},
		{{.secret = 1}, SECRET, NULL},
		{{.secret = 1}, NOTHING, "reporter.secret"},
		{{.secret = 0}, SECRET, "reporter.secret"},
		{{.secret = 0}, NOTHING, NULL},
		{WHEN(.during = at_night, .n_during = 1), NOTHING, "during"},
		{WHEN(.during = at_night, .n_during = 1), LATE, NULL},	    /* 22:00 belongs to it */
		{WHEN(.during = at_night, .n_during = 1), EARLY, "during"}, /* 06:00 does not */
		{WHEN(.during = either, .n_during = 2), NOTHING, NULL},
		{WHEN(.during = early, .n_during = 1), NOTHING, "during"},
		{WHEN(.during = always, .n_during = 1), NOTHING, NULL},
		{WHEN(.any = TEXTS("漏水", "煤气味")), NOTHING, NULL},
		{WHEN(.any = TEXTS("煤 气 味")), NOTHING, NULL},
		{WHEN(.any = TEXTS("ＷＩＦＩ")), NOTHING, NULL},
		{WHEN(.any = TEXTS("漏水")), NOTHING, "text.any"},
		{WHEN(.any = TEXTS("　")), NOTHING, "text.any"},
		{WHEN(.any = TEXTS("漏水")), NO_TEXT, "text.any"},
		{WHEN(.all = TEXTS("煤气味", "楼道")), NOTHING, NULL},
		{WHEN(.all = TEXTS("煤气味", "漏水")), NOTHING, "text.all"},
		{WHEN(.all = TEXTS("漏水")), NO_TEXT, "text.all"},
		{WHEN(.none = TEXTS("演练", "已处理")), NOTHING, NULL},
		{WHEN(.none = TEXTS("演练", "煤气")), NOTHING, "text.none"},
		{WHEN(.none = TEXTS("演练")), NO_TEXT, NULL},
		{WHEN(.regex = TEXTS("漏水", "楼道.{0,3}味")), NOTHING, NULL},
		{WHEN(.regex = TEXTS("(一|二)楼", "WiFi$")), NOTHING, NULL},
		{WHEN(.regex = TEXTS("^味")), NOTHING, "text.regex"},
		{WHEN(.regex = TEXTS("")), NO_TEXT, "text.regex"},
		{WHEN(.any = TEXTS("煤气味"), .channel = TEXTS("hotline")), NOTHING, "channel"},
		{WHEN(.any = TEXTS("煤气味"), .none = TEXTS("楼道"), .channel = TEXTS("wechat")), NOTHING,
		 "text.none"},
	};
	struct fixture f;

	(void)state;
	fixture_init(&f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rule rule = {.id = "r",
				    .when = rows[i].when,
				    .then = THEN(.dept = &f.departments[YINGJI]),
				    .until = MOMENT_NONE};
		struct report r = a_report(&f, "楼道煤气味，二楼没有WiFi");
		struct err e;
		const char *failed;

		touch(&f, &r, rows[i].touch);
		assert_int_equal(fixture_rules(&f, &rule, 1, NULL, 0, &e), 0);
		failed = route_failed_field(&f.office, &rule.when, &r, &f.message);
		if (!str_equal(failed, rows[i].failed))
			fail_msg("row %zu: failed %s, want %s", i, failed ? failed : "-",
				 rows[i].failed ? rows[i].failed : "-");
		assert_int_equal(decide(&f, &r).source, rows[i].failed ? ROUTE_FALLBACK : ROUTE_RULE);
		arena_reset(&f.message);
	}
	fixture_done(&f);
}

/* ---- order of evaluation --------------------------------------------------------------------- */

static void the_first_matching_rule_wins_and_says_which_words(void **state)
{
	struct fixture f;
	struct err e;

	(void)state;
	fixture_init(&f);
	{
		const struct department *const supports[] = {&f.departments[XUNFANG], &f.departments[YINGJI]};
		const struct rule rules[] = {
			{.id = "演练",
			 .when = WHEN(.any = TEXTS("演练")),
			 .then = THEN(.dept = &f.departments[DUCHA]),
			 .until = MOMENT_NONE},
			{.id = "旧规",
			 .when = WHEN(.any = TEXTS("煤气")),
			 .then = THEN(.dept = &f.departments[WUYE]),
			 .until = ten},           /* the end of its last day is no part of it */
			{.id = "燃气泄漏",
			 .when = WHEN(.any = TEXTS("燃气", "煤气味"), .none = TEXTS("已处理"),
				      .channel = TEXTS("wechat")),
			 .then = {.dept = &f.departments[YINGJI],
				  .urgency = URGENCY_CRITICAL,
				  .policy = &f.policies[2],
				  .supports = supports,
				  .n_supports = 2,
				  .visibility = VISIBLE_OPEN,
				  .horizon = "now"},
			 .until = ten + 1},
			{.id = "楼道",
			 .when = WHEN(.all = TEXTS("楼道", "味")),
			 .then = THEN(.dept = &f.departments[WUYE]),
			 .until = MOMENT_NONE},
			{.id = "远",
			 .when = WHEN(.any = TEXTS("漏水"), .channel = TEXTS("hotline")),
			 .then = THEN(.dept = &f.departments[WUYE]),
			 .until = MOMENT_NONE},
		};
		struct report r = a_report(&f, "楼道 煤 气味");
		struct decision d;

		assert_int_equal(fixture_rules(&f, rules, ARRAY_LEN(rules), NULL, 0, &e), 0);
		r.known_category = &f.categories[2];
		d = decide(&f, &r);
		assert_ptr_equal(d.rule, &rules[2]);
		assert_string_equal(d.dept->id, "yingji");
		assert_string_equal(d.why, "rule 燃气泄漏: channel wechat, text.any 煤气味");
		assert_int_equal(d.urgency, URGENCY_CRITICAL);
		assert_int_equal(d.visibility, VISIBLE_OPEN);
		assert_string_equal(d.policy->name, "特急");
		assert_string_equal(d.horizon, "now");
		assert_int_equal(d.n_supports, 1);
		assert_string_equal(d.supports[0]->id, "xunfang");
		assert_int_equal(d.n_near, 1);
		assert_ptr_equal(d.near[0].rule, &rules[0]);
		assert_string_equal(d.near[0].failed, "text.any");
		assert_int_equal(d.near[0].met, 0);
		assert_int_equal(d.n_also, 1);          /* it matches, but an earlier one won */
		assert_int_equal(d.also[0], 3);
		r.received_at++;        /* the day after `until` */
		d = decide(&f, &r);
		assert_ptr_equal(d.rule, &rules[3]);
		assert_string_equal(d.why, "rule 楼道: text.all 楼道+味");
		assert_string_equal(d.policy->name, "普通");
		assert_int_equal(d.visibility, VISIBLE_MASKED);
	}
	fixture_done(&f);
}

static void without_a_rule_the_category_decides_and_then_the_fallback(void **state)
{
	struct fixture f;
	struct err e;
	struct report r;
	struct decision d;

	(void)state;
	fixture_init(&f);
	assert_int_equal(fixture_rules(&f, NULL, 0, NULL, 0, &e), 0);
	r = a_report(&f, "井盖");
	r.category = "市政/井盖";
	r.known_category = &f.categories[1];
	r.urgency = URGENCY_URGENT;
	r.secret = true;
	d = decide(&f, &r);
	assert_int_equal(d.source, ROUTE_CATEGORY);
	assert_null(d.rule);
	assert_string_equal(d.dept->id, "chengguan");
	assert_string_equal(d.policy->name, "紧急");
	assert_string_equal(d.why, "category 市政/井盖");
	assert_int_equal(d.urgency, URGENCY_URGENT);
	assert_int_equal(d.visibility, VISIBLE_SEALED);
	r.known_category = &f.categories[3];    /* has a policy, but no department */
	d = decide(&f, &r);
	assert_int_equal(d.source, ROUTE_FALLBACK);
	assert_string_equal(d.dept->id, "dangzheng");
	assert_string_equal(d.policy->name, "紧急");
	r = a_report(&f, NULL);
	d = decide(&f, &r);
	assert_int_equal(d.source, ROUTE_FALLBACK);
	assert_string_equal(d.policy->name, "普通");
	assert_int_equal(d.urgency, URGENCY_NORMAL);
	assert_int_equal(d.n_copies, 0);
	assert_int_equal(d.n_supports, 0);
	fixture_done(&f);
}

static void a_sealed_report_stays_sealed_whatever_the_rule_says(void **state)
{
	struct fixture f;
	struct err e;

	(void)state;
	fixture_init(&f);
	{
		struct rule rule = {
			.id = "r",
			.when = ANY_REPORT,
			.until = MOMENT_NONE,
			.then = {.dept = &f.departments[DUCHA], .urgency = -1, .visibility = VISIBLE_OPEN}};
		struct report r = a_report(&f, "x");

		assert_int_equal(fixture_rules(&f, &rule, 1, NULL, 0, &e), 0);
		assert_int_equal(decide(&f, &r).visibility, VISIBLE_OPEN);
		assert_string_equal(decide(&f, &r).why, "rule r: any report");
		r.secret = true;
		assert_int_equal(decide(&f, &r).visibility, VISIBLE_SEALED);
	}
	fixture_done(&f);
}

static void copies_are_the_union_without_the_lead(void **state)
{
	struct fixture f;
	struct err e;

	(void)state;
	fixture_init(&f);
	{
		const struct department *const one[] = {&f.departments[XUNFANG], &f.departments[DANGZHENG]};
		const struct department *const two[] = {&f.departments[DUCHA], &f.departments[DANGZHENG],
							&f.departments[YINGJI]};
		const struct copy_rule copies[] = {
			{.id = "a", .when = WHEN(.any = TEXTS("信访")), .to = one, .n_to = 2},
			{.id = "b", .when = WHEN(.any = TEXTS("上访", "信访")), .to = two, .n_to = 3},
			{.id = "c", .when = WHEN(.any = TEXTS("记者")), .to = &one[0], .n_to = 1},
		};
		const struct rule rule = {.id = "r", .when = ANY_REPORT, .until = MOMENT_NONE,
					  .then = THEN(.dept = &f.departments[YINGJI])};
		struct report r = a_report(&f, "再不解决就去信访");
		struct decision d;

		assert_int_equal(fixture_rules(&f, &rule, 1, copies, 3, &e), 0);
		d = decide(&f, &r);
		assert_int_equal(d.n_copies, 3);
		assert_string_equal(d.copies[0]->id, "dangzheng");
		assert_string_equal(d.copies[1]->id, "ducha");
		assert_string_equal(d.copies[2]->id, "xunfang");
		assert_null(route_failed_field(&f.office, &copies[1].when, &r, &f.message));
		assert_string_equal(route_failed_field(&f.office, &copies[2].when, &r, &f.message), "text.any");
	}
	fixture_done(&f);
}

static void a_complaint_does_not_go_to_the_body_complained_of(void **state)
{
	static const struct {
		const char *accused, *dept;
		size_t supports, copies;
	} rows[] = {
		{"chengguan", "dangzheng", 1, 1}, {"城管办", "dangzheng", 1, 1}, {"huanwei", "chengguan", 0, 0},
		{"wuye", "chengguan", 1, 1},      {"nobody", "chengguan", 1, 1}, {NULL, "chengguan", 1, 1},
	};
	struct fixture f;
	struct err e;

	(void)state;
	fixture_init(&f);
	{
		const struct department *const others[] = {&f.departments[HUANWEI], &f.departments[CHENGGUAN]};
		const struct copy_rule copy = {.id = "a", .when = ANY_REPORT, .to = others, .n_to = 2};
		const struct rule rule = {
			.id = "r",
			.when = ANY_REPORT,
			.until = MOMENT_NONE,
			.then = THEN(.dept = &f.departments[CHENGGUAN], .supports = others, .n_supports = 2)};

		assert_int_equal(fixture_rules(&f, &rule, 1, &copy, 1, &e), 0);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct report r = a_report(&f, "态度恶劣");
			struct decision d;

			r.accused = rows[i].accused;
			r.name = "李某";
			d = decide(&f, &r);
			assert_string_equal(d.dept->id, rows[i].dept);
			assert_int_equal(d.n_supports, rows[i].supports);
			assert_int_equal(d.n_copies, rows[i].copies);
			assert_null(strstr(d.why, "李某"));
			assert_int_equal(strstr(d.why, "superior dangzheng") != NULL,
					 strcmp(d.dept->id, "dangzheng") == 0);
		}
	}
	fixture_done(&f);
}

/* About a head there is nobody above: triage, then who supervises, then the fallback, then any supervising body. */
static void a_complaint_about_the_head_goes_to_who_is_left(void **state)
{
	enum { NOBODY = -1 };
	static const struct {
		const char *accused;
		int lead, triage, supervisor, fallback;
		const char *dept;
	} rows[] = {
		{"dangzheng", DANGZHENG, WUYE, DUCHA, YINGJI, "wuye"},
		{"党政办", DANGZHENG, DANGZHENG, DUCHA, YINGJI, "ducha"},
		{"dangzheng", DANGZHENG, NOBODY, NOBODY, YINGJI, "yingji"},
		{"dangzheng", DANGZHENG, DANGZHENG, DANGZHENG, DANGZHENG, "ducha"},
		/* Two bodies of one name: past both of them. */
		{"城管", HUANWEI, NOBODY, NOBODY, YINGJI, "dangzheng"},
		{"城管", CHENGGUAN, NOBODY, NOBODY, YINGJI, "dangzheng"},
	};
	struct fixture f;
	struct err e;

	(void)state;
	fixture_init(&f);
	f.departments[CHENGGUAN].name = f.departments[HUANWEI].name = "城管";
	for (size_t i = 0; i <= ARRAY_LEN(rows); i++) {
		bool alone = i == ARRAY_LEN(rows);      /* the fourth, and nobody supervises */
		size_t k = alone ? 3 : i;
		const struct rule rule = {.id = "r", .when = ANY_REPORT, .until = MOMENT_NONE, .then = THEN(.dept = &f.departments[rows[k].lead])};
		struct report r = a_report(&f, "态度恶劣");
		const char *want = alone ? "dangzheng" : rows[k].dept;
		struct decision d;

		f.departments[DUCHA].kind = alone ? DEPT_OFFICE : DEPT_SUPERVISOR;
		f.office.life.triage = rows[k].triage == NOBODY ? NULL : &f.departments[rows[k].triage];
		f.office.life.supervisor = rows[k].supervisor == NOBODY ? NULL : &f.departments[rows[k].supervisor];
		f.office.fallback_dept = &f.departments[rows[k].fallback];
		assert_int_equal(fixture_rules(&f, &rule, 1, NULL, 0, &e), 0);
		r.accused = rows[k].accused;
		d = decide(&f, &r);
		if (strcmp(d.dept->id, want) != 0)
			fail_msg("%zu: %s leads, want %s (%s)", i, d.dept->id, want, d.why);
		assert_int_equal(strstr(d.why, "the complaint is about") != NULL, !alone);
	}
	fixture_done(&f);
}

/* ---- patterns -------------------------------------------------------------------------------- */

static void a_bad_pattern_is_refused_with_its_rule(void **state)
{
	static const struct {
		const char *pattern, *part;
	} rows[] = {
		{"井盖(", "missing closing parenthesis"},
		{"\\C", "\\C"},
		{"(?:(?:(?:ab|c){100}){100}){9}", "too"},
		{"\xff", "UTF-8"},
	};
	char lengthy[600];
	struct fixture f;
	struct err e;

	(void)state;
	fixture_init(&f);
	memset(lengthy, 'a', sizeof(lengthy) - 1);
	lengthy[sizeof(lengthy) - 1] = '\0';
	for (size_t i = 0; i <= ARRAY_LEN(rows); i++) {
		const char *pattern = i < ARRAY_LEN(rows) ? rows[i].pattern : lengthy;
		const struct rule rules[] = {
			{.id = "good", .when = WHEN(.regex = TEXTS("井盖")), .until = MOMENT_NONE},
			{.id = "坏", .when = {.secret = -1, .regex = {&pattern, 1}}, .until = MOMENT_NONE},
		};

		assert_int_equal(fixture_rules(&f, rules, 2, NULL, 0, &e), ERR_BAD);
		if (!strstr(e.text, "rule 坏") ||
		    !strstr(e.text, i < ARRAY_LEN(rows) ? rows[i].part : "longer"))
			fail_msg("%s: %s", pattern, e.text);
	}
	fixture_done(&f);
}

static void a_pattern_that_runs_wild_is_stopped(void **state)
{
	const struct rule rule = {
		.id = "wild", .when = WHEN(.regex = TEXTS("(a+)+b", "(?:a|aa)+$c")), .until = MOMENT_NONE};
	char text[20000];
	struct fixture f;
	struct report r;
	struct err e;
	int64_t started;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fixture_init(&f);
	assert_int_equal(fixture_rules(&f, &rule, 1, NULL, 0, &e), 0);
	r = a_report(&f, text);
	started = clock_mono_us();
	assert_int_equal(decide(&f, &r).source, ROUTE_FALLBACK);
	assert_true(clock_mono_us() - started < 1000000);
	fixture_done(&f);
}

/* ---- speed ----------------------------------------------------------------------------------- */

static void a_decision_over_hundred_rules_takes_microseconds(void **state)
{
	enum { RULES = 100, WORDS = 3, TIMES = 3000 };
	static const char *const text =
		"您好，济源路街道幸福里小区3号楼前面的井盖已经破损一个多星期了，晚上没有路灯，老人孩子路过非常危险，"
		"之前给物业打过电话，物业说归城管管，城管又说要等市政来修，请尽快安排人员到现场处理，谢谢，希望今天能够给一个答复。";
	static struct rule rules[RULES];
	static const char *words[RULES][WORDS];
	struct fixture f;
	struct report r;
	struct err e;
	int64_t started;

	(void)state;
	fixture_init(&f);
	for (int i = 0; i < RULES; i++) {
		for (int k = 0; k < WORDS; k++) {
			int c = 0x4e00 + (i * 37 + k * 911) % 9000;

			words[i][k] = arena_printf(&f.arena, "%c%c%c破损%d", 0xe0 | c >> 12,
						   0x80 | (c >> 6 & 0x3f), 0x80 | (c & 0x3f), k);
		}
		rules[i] = (struct rule){.id = "r",
					 .until = MOMENT_NONE,
					 .then = THEN(.dept = &f.departments[WUYE]),
					 .when = {.secret = -1, .any = {words[i], WORDS}}};
	}
	assert_int_equal(fixture_rules(&f, rules, RULES, NULL, 0, &e), 0);
	r = a_report(&f, text);
	started = clock_mono_us();
	for (int i = 0; i < TIMES; i++) {
		struct decision d;

		route(&f.office, &r, &f.message, 0, &d);
		assert_int_equal(d.source, ROUTE_FALLBACK);
		arena_reset(&f.message);
		r.shadow = text_shadow(&f.message, text);
	}
	print_message("%.2f us a decision with its shadow\n", (double)(clock_mono_us() - started) / TIMES);
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_says_yes_and_no),
		cmocka_unit_test(the_first_matching_rule_wins_and_says_which_words),
		cmocka_unit_test(without_a_rule_the_category_decides_and_then_the_fallback),
		cmocka_unit_test(a_sealed_report_stays_sealed_whatever_the_rule_says),
		cmocka_unit_test(copies_are_the_union_without_the_lead),
		cmocka_unit_test(a_complaint_does_not_go_to_the_body_complained_of),
		cmocka_unit_test(a_complaint_about_the_head_goes_to_who_is_left),
		cmocka_unit_test(a_bad_pattern_is_refused_with_its_rule),
		cmocka_unit_test(a_pattern_that_runs_wild_is_stopped),
		cmocka_unit_test(a_decision_over_hundred_rules_takes_microseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
