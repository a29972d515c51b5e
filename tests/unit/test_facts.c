/* What can be counted of a case after each step, and what a list covers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/life/lifecycle.h"
#include "core/statistics/statistics.h"
#include "core/time/moment.h"

static struct case_record open_case(void)
{
	struct case_record c = {.state = STATE_ASSIGNED, .reports = 1, .leg = {.n = 1}};

	for (int k = 0; k < N_CLOCKS; k++)
		c.leg.due[k] = c.leg.met[k] = MOMENT_NONE;
	return c;
}

static int64_t facts(const struct case_record *c, const char *kind, const char *note, const char *detail)
{
	struct history_row row = {.kind = kind, .note = note, .detail = detail};
	struct step_trace trace = {.rows = &row, .n_rows = kind != NULL};

	return facts_of(c, &trace);
}

static bool has(int64_t all, enum fact fact)
{
	return all & FACT_BIT(fact);
}

static void a_case_that_is_new_is_open_and_nothing_else(void **state)
{
	struct case_record c = open_case();

	(void)state;
	assert_int_equal(facts(&c, "assigned", NULL, NULL), FACT_BIT(FACT_OPEN));
}

static void in_time_is_up_to_the_limit_and_late_stays_for_ever(void **state)
{
	struct case_record c = open_case();
	struct leg_row ended;
	struct step_trace trace = {.legs = &ended, .n_legs = 1};
	int64_t all;

	(void)state;
	c.leg.due[CLOCK_ACCEPT] = c.leg.met[CLOCK_ACCEPT] = 1000;
	all = facts(&c, NULL, NULL, NULL);
	assert_true(has(all, FACT_ACCEPTED) && has(all, FACT_ACCEPTED_IN_TIME) && !has(all, FACT_ACCEPTED_LATE));
	c.leg.met[CLOCK_ACCEPT] = 1001;
	all = facts(&c, NULL, NULL, NULL);
	assert_true(has(all, FACT_ACCEPTED) && !has(all, FACT_ACCEPTED_IN_TIME) && has(all, FACT_ACCEPTED_LATE));
	/* A leg that ended late is told of when the next one begins. */
	ended = (struct leg_row){.leg = c.leg};
	c = open_case();
	c.leg.n = 2;
	all = facts_of(&c, &trace);
	assert_true(has(all, FACT_ACCEPTED_LATE) && !has(all, FACT_ACCEPTED) && has(all, FACT_AGAIN) && has(all, FACT_REPEATED));
	assert_true(FACT_BIT(FACT_ACCEPTED_LATE) & FACTS_LASTING && !(FACT_BIT(FACT_OPEN) & FACTS_LASTING));
}

static void a_case_handled_again_is_not_resolved(void **state)
{
	struct case_record c = open_case();

	(void)state;
	c.state = STATE_RESOLVED;
	c.leg.met[CLOCK_RESOLVE] = 5;
	assert_true(has(facts(&c, "resolved", NULL, NULL), FACT_RESOLVED));
	c.state = STATE_TRIAGE;
	assert_false(has(facts(&c, "returned", NULL, NULL), FACT_RESOLVED));
}

static void who_withdraws_or_is_rejected_is_not_struck_off(void **state)
{
	struct case_record c = open_case();

	(void)state;
	c.state = STATE_CLOSED;
	c.close_reason = "satisfied";
	assert_true(has(facts(&c, "closed", NULL, NULL), FACT_CLOSED));
	c.close_reason = "withdrawn";
	assert_true(has(facts(&c, "closed", NULL, NULL), FACT_WITHDRAWN) && !has(facts(&c, "closed", NULL, NULL), FACT_CLOSED));
	c.close_reason = "rejected";
	assert_true(has(facts(&c, "rejected", NULL, NULL), FACT_REJECTED) && !has(facts(&c, "closed", NULL, NULL), FACT_CLOSED));
}

static void what_happened_once_is_a_fact(void **state)
{
	static const struct {
		const char *kind, *note, *detail;
		enum fact fact;
	} rows[] = {{"supervised", NULL, NULL, FACT_SUPERVISED}, {"overdue", "resolve", NULL, FACT_OVERDUE},
		    {"whistled", NULL, NULL, FACT_WHISTLED}, {"suspended", NULL, NULL, FACT_WAS_SUSPENDED},
		    {"rated", "dissatisfied", NULL, FACT_EVER_DISSATISFIED},
		    {"rated", "dissatisfied: 还是不亮", NULL, FACT_EVER_DISSATISFIED}, {"consulted", NULL, NULL, FACT_CONSULTED},
		    {"deadline_revised", NULL, "{\"resolve\":{},\"granted\":2}", FACT_EXTENDED}};
	struct case_record c = open_case();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(has(facts(&c, rows[i].kind, rows[i].note, rows[i].detail), rows[i].fact));
	assert_false(has(facts(&c, "overdue", "accept", NULL), FACT_OVERDUE));
	assert_false(has(facts(&c, "deadline_revised", NULL, "{\"resolve\":{}}"), FACT_EXTENDED));
}

static void the_last_score_and_the_last_officer_count(void **state)
{
	const struct history_row rows[] = {{.kind = "accepted", .by = "wang"}, {.kind = "resolved", .by = "li"},
					   {.kind = "rated", .note = "dissatisfied"}, {.kind = "rated", .note = "satisfied: 又亮了"}};
	struct step_trace trace = {.rows = rows, .n_rows = 4};

	(void)state;
	assert_string_equal(facts_score(&trace), "satisfied");
	assert_string_equal(facts_officer(&trace), "li");
	trace.n_rows = 0;
	assert_null(facts_score(&trace));
	assert_null(facts_officer(&trace));
}

static int64_t at(const char *text)
{
	int64_t us;

	assert_true(moment_parse(text, &us));
	return us;
}

static void a_list_covers_the_month_of_the_day_before_it(void **state)
{
	struct stretch s = stretch_covered(COVERS_MONTH, at("2025-01-15 08:00"), at("2025-03-01 08:00"));

	(void)state;
	assert_true(s.from == at("2025-02-01") && s.to == at("2025-03-01"));
	assert_true(stretch_before(COVERS_MONTH, s).from == at("2025-01-01") && stretch_before(COVERS_MONTH, s).to == s.from);
	assert_true(stretch_year_ago(s).from == at("2024-02-01") && stretch_year_ago(s).to == at("2024-03-01"));
	s = stretch_covered(COVERS_MONTH, 0, at("2025-02-28 16:00"));
	assert_true(s.from == at("2025-02-01") && s.to == at("2025-02-28 16:00"));
	s = stretch_covered(COVERS_QUARTER, 0, at("2025-04-01 08:00"));
	assert_true(s.from == at("2025-01-01") && s.to == at("2025-04-01"));
	assert_true(stretch_before(COVERS_QUARTER, s).from == at("2024-10-01"));
	s = stretch_covered(COVERS_YEAR, 0, at("2025-01-01 08:30"));
	assert_true(s.from == at("2024-01-01") && s.to == at("2025-01-01"));
	s = stretch_covered(COVERS_SINCE, 7, 19);
	assert_true(s.from == 7 && s.to == 19 && stretch_before(COVERS_SINCE, s).from == -5);
	s = stretch_year_ago((struct stretch){at("2024-02-29"), at("2024-03-01")});
	assert_true(s.from == at("2023-02-28"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_case_that_is_new_is_open_and_nothing_else),
		cmocka_unit_test(in_time_is_up_to_the_limit_and_late_stays_for_ever),
		cmocka_unit_test(a_case_handled_again_is_not_resolved),
		cmocka_unit_test(who_withdraws_or_is_rejected_is_not_struck_off),
		cmocka_unit_test(what_happened_once_is_a_fact),
		cmocka_unit_test(the_last_score_and_the_last_officer_count),
		cmocka_unit_test(a_list_covers_the_month_of_the_day_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
