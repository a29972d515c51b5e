/* What a step of a case earns whom, as a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/life/case.h"
#include "core/life/lifecycle.h"
#include "core/office.h"
#include "core/statistics/points.h"

static const char *const rider[] = {"rider"}, *const dispute[] = {"邻里"};
static const struct department branch = {.id = "zhibu", .name = "党支部"};
static const struct point_rule rules[] = {
	{.name = "随手拍", .on = POINT_CLOSED, .who = POINT_REPORTER, .points = 5, .when = {.channels = {rider, 1}, .all = FACT_BIT(FACT_SATISFIED)}},
	{.name = "化解", .on = POINT_RESOLVED, .who = POINT_KEEPER, .points = 10, .when = {.categories = {dispute, 1}}, .review = &branch},
	{.name = "报到", .on = POINT_REPORTED_IN, .who = POINT_OFFICER, .points = 3},
	{.name = "到场", .on = POINT_REPORTED_IN, .who = POINT_LEAD, .points = 1},
	{.name = "受理", .on = POINT_REGISTERED, .who = POINT_REPORTER, .points = 1, .when = {.none = FACT_BIT(FACT_JOINED)}},
	{.name = "督办", .on = POINT_SUPERVISED, .who = POINT_OFFICER, .points = -2},
	{.name = "志愿", .on = POINT_BY_HAND, .points = 8},
};
enum { SATISFIED = 1, JOINED = 2 };
static const struct {
	const char *channel, *category, *grid;
	int seq;
	const char *kind, *department, *by;
	int facts;
	const char *earned;             /* "rule account points review;" … */
} cases[] = {
	{"rider", "市政", NULL, 7, "closed", "a", NULL, SATISFIED, "随手拍 - 5 -;"},
	{"rider", "市政", NULL, 7, "closed", "a", NULL, 0, ""},
	{"hotline", "市政", NULL, 7, "closed", "a", NULL, SATISFIED, ""},
	{"hotline", "邻里/噪声", "410106003001", 5, "resolved", "a", "li", 0, "化解 keeper/赵某 10 zhibu;"},
	{"hotline", "邻里", NULL, 5, "resolved", "a", "li", 0, ""},
	{"hotline", "邻里", "410106003002", 5, "resolved", "a", "li", 0, ""},
	{"hotline", "邻里", "410106003003", 5, "resolved", "a", "li", 0, ""},
	{"hotline", "邻里们", "410106003001", 5, "resolved", "a", "li", 0, ""},
	{"hotline", "市政", NULL, 4, "reported_in", "xiaofang", "王某", 0, "报到 officer/xiaofang/王某 3 -;到场 dept/xiaofang 1 -;"},
	{"hotline", "市政", NULL, 4, "reported_in", "xiaofang", NULL, 0, "报到 - 3 -;到场 dept/xiaofang 1 -;"},
	{"hotline", "市政", NULL, 1, "assigned", "a", NULL, 0, "受理 - 1 -;"},
	{"hotline", "市政", NULL, 1, "assigned", "a", NULL, JOINED, ""},
	{"hotline", "市政", NULL, 2, "assigned", "a", NULL, 0, ""},
	{"hotline", "市政", NULL, 6, "supervised", "a", NULL, 0, "督办 - -2 -;"},
	{"hotline", "市政", NULL, 6, "by_hand", "a", NULL, 0, ""},
};

static void every_step_earns_what_the_rules_say(void **state)
{
	struct grid grid = {.code = "410106003001", .keeper = "赵某"}, kept_by_nobody = {.code = "410106003002"};
	struct office office = {.statistics = {.point_rules = rules, .n_point_rules = sizeof(rules) / sizeof(rules[0])}};

	(void)state;
	map_put(&office.grid_by_code, grid.code, &grid);
	map_put(&office.grid_by_code, kept_by_nobody.code, &kept_by_nobody);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct case_record c = {.number = "X2026112000001", .channel = cases[i].channel, .category = cases[i].category,
					.grid = cases[i].grid, .lead = "a"};
		const struct history_row row = {.seq = cases[i].seq, .at = 9, .kind = cases[i].kind, .department = cases[i].department,
						.by = cases[i].by};
		int64_t facts = cases[i].facts == SATISFIED ? FACT_BIT(FACT_SATISFIED) : cases[i].facts ? FACT_BIT(FACT_JOINED) : 0;
		struct point_row rows[sizeof(rules) / sizeof(rules[0])];
		struct arena a = {0};
		const char *all = "";
		size_t n = points_of(&office, &c, facts, &row, &a, rows);

		for (size_t k = 0; k < n; k++) {
			all = arena_printf(&a, "%s%s %s %d %s;", all, rows[k].rule, rows[k].account ? rows[k].account : "-",
					   (int)rows[k].amount, rows[k].review ? rows[k].review : "-");
			assert_string_equal(rows[k].number, c.number);
			assert_int_equal(rows[k].seq, row.seq);
		}
		if (strcmp(all, cases[i].earned) != 0)
			fail_msg("%zu: %s, not %s", i, all, cases[i].earned);
		arena_done(&a);
	}
	map_done(&office.grid_by_code);
}

/* A selection is an "and" of what it names; what it does not name does not matter. */
static void a_selection_holds_for_what_it_names(void **state)
{
	static const char *const streets[] = {"chengguan", "wuye"}, *const urgent[] = {"urgent"}, *const far[] = {"远期"}, *const paths[] = {"市政", "环境/垃圾"};
	static const struct {
		struct selection s;
		const char *category, *lead, *horizon;
		enum urgency urgency;
		int64_t facts;
		bool holds;
	} rows[] = {
		{.holds = true},
		{.s = {.all = 3}, .facts = 7, .holds = true},
		{.s = {.all = 3}, .facts = 5},
		{.s = {.any = 6}, .facts = 4, .holds = true},
		{.s = {.any = 6}, .facts = 1},
		{.s = {.none = 6}, .facts = 1, .holds = true},
		{.s = {.none = 6}, .facts = 2},
		{.s = {.departments = {streets, 2}}, .lead = "wuye", .holds = true},
		{.s = {.departments = {streets, 2}}, .lead = "wuye2"},
		{.s = {.urgencies = {urgent, 1}}, .urgency = URGENCY_URGENT, .holds = true},
		{.s = {.urgencies = {urgent, 1}}, .urgency = URGENCY_NORMAL},
		{.s = {.horizons = {far, 1}}, .horizon = "远期", .holds = true},
		{.s = {.horizons = {far, 1}}, .horizon = NULL},
		{.s = {.categories = {paths, 2}}, .category = "环境/垃圾", .holds = true},
		{.s = {.categories = {paths, 2}}, .category = "环境/垃圾/桶", .holds = true},
		{.s = {.categories = {paths, 2}}, .category = "环境"},
		{.s = {.categories = {paths, 2}}, .category = NULL},
		{.s = {.categories = {paths, 2}, .departments = {streets, 2}}, .category = "市政/井盖", .lead = "chengguan", .holds = true},
		{.s = {.categories = {paths, 2}, .departments = {streets, 2}}, .category = "市政/井盖", .lead = "xiaofang"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct case_record c = {.channel = "hotline", .category = rows[i].category, .lead = rows[i].lead ? rows[i].lead : "a",
					      .horizon = rows[i].horizon, .urgency = rows[i].urgency};

		if (selection_holds(&rows[i].s, &c, rows[i].facts) != rows[i].holds)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_step_earns_what_the_rules_say),
		cmocka_unit_test(a_selection_holds_for_what_it_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
