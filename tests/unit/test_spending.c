/* What may be spent, and what is said when it may not, as a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/statistics/spending.h"
#include "core/statistics/statistics.h"
#include "core/time/moment.h"

enum { BEFORE = 1, FIRST, LAST, AFTER };
static const struct {
	bool has_budget;
	int64_t budget, amount, of_case, of_pool;
	int when;
	const char *refused;            /* its beginning; NULL: it may */
} cases[] = {
	{true, 100, 100, 0, 0, FIRST, NULL},
	{true, 100, 101, 0, 0, FIRST, "not booked: of the budget of 100 元 there are 100 left, this is 101"},
	{true, 100, 40, 60, 900, FIRST, NULL},
	{true, 100, 41, 60, 60, FIRST, "not booked: of the budget of 100 元 there are 40 left"},
	{true, 0, 1, 0, 0, FIRST, "not booked: of the budget of 0 元"},
	{false, 0, 1000, 0, 0, FIRST, NULL},
	{false, 0, 1001, 0, 0, FIRST, "not booked: of the 1000 元 of “专项资金” there are 1000 left, this is 1001"},
	{false, 0, 1, 0, 1000, LAST, "not booked: of the 1000 元 of “专项资金” there are 0 left, this is 1"},
	{true, 5000, 1001, 0, 0, FIRST, "not booked: of the 1000 元"},
	{true, 100, -60, 60, 60, FIRST, NULL},
	{true, 100, -61, 60, 60, FIRST, "not booked: no more can be taken back than the 60 元 that were spent"},
	/* What was spent too much before there was a ceiling can be taken back. */
	{true, 100, -1, 500, 5000, LAST, NULL},
	{true, 100, 0, 500, 5000, LAST, NULL},
	{false, 0, 1, 0, 0, LAST, NULL},
	{false, 0, 1, 0, 0, BEFORE, "not booked: “专项资金” is open from 2026-01-01 on"},
	{false, 0, 1, 0, 0, AFTER, "not booked: “专项资金” was open until 2026-12-31"},
};

static void every_case_is_decided(void **state)
{
	struct pool pool = {.name = "专项资金", .unit = "元", .amount = 1000};
	struct arena a = {0};

	(void)state;
	assert_true(moment_parse("2026-01-01 00:00", &pool.from) && moment_parse("2027-01-01 00:00", &pool.until));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const int64_t at[] = {[BEFORE] = pool.from - 1, [FIRST] = pool.from, [LAST] = pool.until - 1, [AFTER] = pool.until};
		const struct spending s = {.pool = &pool, .unit = pool.unit, .has_budget = cases[i].has_budget, .budget = cases[i].budget,
					   .amount = cases[i].amount, .of_case = cases[i].of_case, .of_pool = cases[i].of_pool, .at = at[cases[i].when]};
		const char *said = spending_refused(&s, &a), *want = cases[i].refused;

		if ((said == NULL) != (want == NULL) || (want && strncmp(said, want, strlen(want)) != 0))
			fail_msg("case %zu: %s, not %s", i, said ? said : "it may", want ? want : "it may");
	}
	arena_done(&a);
}

static void without_a_pool_the_budget_alone_holds(void **state)
{
	struct spending s = {.unit = "元", .has_budget = true, .budget = 10, .amount = 10};
	struct arena a = {0};

	(void)state;
	assert_null(spending_refused(&s, &a));
	assert_string_equal(spending_said(&s, &a), "10 元");
	s.amount = 11;
	assert_non_null(spending_refused(&s, &a));
	s.has_budget = false;
	assert_null(spending_refused(&s, &a));
	arena_done(&a);
}

/* Whatever is tried in whatever order, the sum of what may be spent never leaves the ceiling, nor falls below nothing. */
static void no_order_of_entries_passes_the_ceiling(void **state)
{
	const struct pool pool = {.name = "工时", .unit = "小时", .amount = 500, .from = MOMENT_NONE, .until = MOMENT_NONE};
	struct spending s = {.pool = &pool, .unit = pool.unit, .has_budget = true, .budget = 300};
	struct arena a = {0};
	int64_t of[3] = {0}, all = 0;
	uint32_t dice = 7;
	int booked = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int who = (int)((dice = dice * 1664525u + 1013904223u) >> 20) % 3;

		s.amount = (int64_t)((dice = dice * 1664525u + 1013904223u) >> 20) % 200 - 90;
		s.of_case = of[who];
		s.of_pool = all;
		if (!spending_refused(&s, &a)) {
			of[who] += s.amount;
			all += s.amount;
			booked++;
		}
		assert_in_range(of[who], 0, 300);
		assert_in_range(all, 0, 500);
		arena_reset(&a);
	}
	assert_true(booked > 1000 && booked < 19000);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_is_decided),
		cmocka_unit_test(without_a_pool_the_budget_alone_holds),
		cmocka_unit_test(no_order_of_entries_passes_the_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
