/* What becomes of provisional limits when their year's calendar has come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/life/lifecycle.h"
#include "unit/office_fixture.h"

struct world {
	struct fixture f;
	struct calendar calendar;
	struct special_day special[4];
	int16_t years[2];
	struct escalation ladder;
	struct step steps[2];
	struct case_record c;
	struct effects fx;
	int64_t now;
};

static int64_t at(const char *text)
{
	int64_t us = 0;

	assert_true(moment_parse(text, &us));
	return us;
}

static struct deadline deadline(struct world *w, const char *text)
{
	struct deadline d;
	struct err e;
	size_t where;

	assert_int_equal(deadline_parse(text, &w->f.arena, &d, &where, &e), 0);
	return d;
}

static void set_clock(struct world *w, enum clock_name k, const char *text)
{
	struct policy *policy = &w->f.policies[0];

	policy->has[k] = true;
	policy->clock[k] = deadline(w, text);
	policy->text[k] = text;
}

/* 2026 is known, 2027 is not: its 1 January, a Friday, counts as a working day. */
static void add_calendar(struct world *w)
{
	static const struct day_hours open = {.spans = {{510, 720}, {810, 1050}}, .n = 2};

	w->calendar = (struct calendar){.name = "机关", .makeup_weekday = 1, .special = w->special,
					.years = w->years, .n_years = 1, .hash = "x"};
	for (int i = 0; i < 5; i++)
		w->calendar.week[i] = open;
	w->years[0] = 2026;
	w->years[1] = 2027;
	map_put(&w->f.office.calendar_by_name, "机关", &w->calendar);
	w->f.office.default_calendar = &w->calendar;
}

static void publish_2027(struct world *w)
{
	static const char *const rest[] = {"2027-01-01", "2027-01-02", "2027-01-03"};

	w->calendar.n_years = 2;
	for (size_t i = 0; i < ARRAY_LEN(rest); i++)
		w->special[w->calendar.n_special++] =
			(struct special_day){.day = moment_day(at(rest[i])), .kind = DAY_REST, .why = "元旦"};
}

static void open_case(struct world *w, const char *when)
{
	static const struct department *supports[1];
	struct report r = {.channel = &w->f.channels[HOTLINE], .source = "h1", .id = "GD1", .text = "漏水",
			   .shadow = "", .category = "市政/井盖"};
	struct decision d = {.source = ROUTE_CATEGORY, .visibility = VISIBLE_MASKED, .why = "category",
			     .dept = &w->f.departments[CHENGGUAN], .supports = supports, .n_supports = 1,
			     .policy = &w->f.policies[0]};

	supports[0] = &w->f.departments[HUANWEI];
	w->now = r.received_at = at(when);
	life_open(&w->f.office, &r, &d, "JYL261230000001", w->now, &w->f.message, &w->c, &w->fx);
}

static int set_up(void **state)
{
	struct world *w = mem_alloc(sizeof(*w));

	fixture_init(&w->f);
	add_calendar(w);
	set_clock(w, CLOCK_ACCEPT, "4 工作小时");
	set_clock(w, CLOCK_RESOLVE, "5 工作日");
	w->steps[0] = (struct step){.text = "resolve 逾期", .when = STEP_AFTER, .clock = CLOCK_RESOLVE,
				    .act = DO_RAISE, .to = TO_LEADER, .level = 1};
	w->ladder = (struct escalation){.name = "标准", .steps = w->steps, .n_steps = 1};
	w->f.policies[0].escalation = &w->ladder;
	w->f.policies[0].calendar = &w->calendar;
	w->f.office.life.triage = &w->f.departments[DANGZHENG];
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	map_done(&w->f.office.calendar_by_name);
	fixture_done(&w->f);
	free(w);
	return 0;
}

static int step(struct world *w, enum life_action what)
{
	return life_step(&w->f.office, &w->c, &(struct action){.what = what}, w->now, &w->f.message, &w->fx);
}

static const struct event_row *told(const struct world *w, const char *target)
{
	for (size_t i = 0; i < w->fx.events.n; i++) {
		const struct event_row *ev = &w->fx.events.v[i];

		if (ev->kind && strcmp(ev->kind, "deadline_revised") == 0 && strcmp(ev->target, target) == 0)
			return ev;
	}
	fail_msg("%s was not told", target);
	return NULL;
}

static void nothing_is_said(const struct world *w)
{
	assert_int_equal(w->fx.history.n + w->fx.events.n + w->fx.queue.n, 0);
}

static void a_limit_moves_when_the_year_brings_a_holiday_and_everyone_hears_why(void **state)
{
	struct world *w = *state;
	const struct event_row *ev;

	open_case(w, "2026-12-30 10:00");
	assert_true(w->c.leg.provisional);
	assert_int_equal(w->c.leg.due[CLOCK_RESOLVE], at("2027-01-06 17:30"));
	publish_2027(w);
	assert_int_equal(step(w, LIFE_REVISE), 0);
	assert_int_equal(w->c.leg.due[CLOCK_RESOLVE], at("2027-01-07 17:30"));
	assert_false(w->c.leg.provisional);
	assert_int_equal(w->fx.history.n, 1);
	assert_string_equal(w->fx.history.v[0].kind, "deadline_revised");
	assert_string_equal(w->fx.history.v[0].note, "resolve 2027-01-06 17:30 → 2027-01-07 17:30");
	assert_non_null(strstr(w->fx.history.v[0].detail, "\"new\":\"2027-01-07T17:30:00+08:00\""));
	ev = told(w, "chengguan");
	assert_non_null(strstr(ev->payload, "\"old\":{\"resolve\":\"2027-01-06T17:30:00+08:00\"}"));
	assert_non_null(strstr(ev->payload, "\"resolve\":\"2027-01-07T17:30:00+08:00\""));
	assert_true(ev->card);
	assert_string_equal(told(w, "huanwei")->role, "support");
	assert_int_equal(step(w, LIFE_REVISE), 0);
	nothing_is_said(w);
}

static void a_limit_that_holds_is_said_to_be_firm_now(void **state)
{
	struct world *w = *state;

	open_case(w, "2026-12-31 10:00");
	w->calendar.n_years = 2;        /* a year without any holiday */
	assert_int_equal(step(w, LIFE_REVISE), 0);
	assert_int_equal(w->c.leg.due[CLOCK_RESOLVE], at("2027-01-07 17:30"));
	assert_false(w->c.leg.provisional);
	assert_string_equal(w->fx.history.v[0].note, "resolve 2027-01-07 17:30 holds");
	told(w, "chengguan");
}

static void nothing_is_said_while_the_year_is_still_missing(void **state)
{
	struct world *w = *state;

	open_case(w, "2026-12-30 10:00");
	assert_int_equal(step(w, LIFE_REVISE), 0);
	nothing_is_said(w);
	assert_true(w->c.leg.provisional);
}

static void a_firm_limit_never_moves(void **state)
{
	struct world *w = *state;
	int64_t accept;

	open_case(w, "2026-12-30 10:00");
	accept = w->c.leg.due[CLOCK_ACCEPT];
	publish_2027(w);
	w->calendar.week[2].n = w->calendar.week[3].n = 0;     /* and the office now rests on Wednesdays and Thursdays */
	assert_int_equal(step(w, LIFE_REVISE), 0);
	assert_int_equal(w->c.leg.due[CLOCK_ACCEPT], accept);
	open_case(w, "2026-11-02 10:00");
	assert_int_equal(step(w, LIFE_REVISE), 0);
	nothing_is_said(w);
}

static void a_policy_that_was_changed_meanwhile_does_not_come_in_by_the_back_door(void **state)
{
	struct world *w = *state;

	open_case(w, "2026-12-30 10:00");
	set_clock(w, CLOCK_RESOLVE, "9 工作日");
	publish_2027(w);
	assert_int_equal(step(w, LIFE_REVISE), 0);
	assert_int_equal(w->c.leg.due[CLOCK_RESOLVE], at("2027-01-07 17:30"));
}

static void a_limit_that_was_met_is_history(void **state)
{
	struct world *w = *state;

	open_case(w, "2026-12-31 16:00");
	assert_non_null(w->c.leg.unsure[CLOCK_ACCEPT].spec);
	w->c.leg.met[CLOCK_ACCEPT] = w->now;
	publish_2027(w);
	assert_int_equal(step(w, LIFE_REVISE), 0);
	assert_null(strstr(w->fx.history.v[0].note, "accept"));
	assert_int_equal(w->c.leg.due[CLOCK_ACCEPT], at("2027-01-01 11:00"));
}

static void what_was_overdue_too_early_is_overdue_again_in_its_time(void **state)
{
	struct world *w = *state;

	open_case(w, "2026-12-30 10:00");
	w->c.leg.met[CLOCK_ACCEPT] = w->now;
	w->now = at("2027-01-06 18:00");
	assert_int_equal(step(w, LIFE_TICK), 0);
	assert_int_equal(w->fx.history.n, 2);           /* overdue, raised */
	publish_2027(w);
	assert_int_equal(step(w, LIFE_REVISE), 0);
	assert_int_equal(w->fx.wake_at, at("2027-01-07 17:30"));
	w->now = at("2027-01-07 17:30");
	assert_int_equal(step(w, LIFE_TICK), 0);
	assert_int_equal(w->fx.history.n, 2);
}

static void a_calendar_that_is_gone_leaves_the_guess_as_it_was(void **state)
{
	struct world *w = *state;

	open_case(w, "2026-12-30 10:00");
	map_take(&w->f.office.calendar_by_name, "机关");
	assert_int_equal(step(w, LIFE_REVISE), 0);
	nothing_is_said(w);
	assert_true(w->c.leg.provisional);
}

static void the_next_department_starts_its_own_provisional_clock(void **state)
{
	struct world *w = *state;
	struct command back = {.dept = &w->f.departments[DANGZHENG], .request = "r", .case_number = "JYL261230000001",
			       .action = CMD_TRANSFER, .to = "wuye"};

	open_case(w, "2026-12-30 10:00");
	w->c.state = STATE_TRIAGE;
	w->c.lead = "dangzheng";
	w->now = at("2026-12-31 16:30");
	assert_int_equal(life_step(&w->f.office, &w->c, &(struct action){.what = LIFE_COMMAND + CMD_TRANSFER, .command = &back}, w->now,
				   &w->f.message, &w->fx), 0);
	assert_int_equal(w->c.leg.unsure[CLOCK_ACCEPT].from, w->now);
	publish_2027(w);
	assert_int_equal(step(w, LIFE_REVISE), 0);
	assert_int_equal(w->c.leg.due[CLOCK_ACCEPT], at("2027-01-04 11:30"));
	assert_int_equal(w->c.leg.due[CLOCK_RESOLVE], at("2027-01-07 17:30"));
}

int main(void)
{
#define REVISES(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		REVISES(a_limit_moves_when_the_year_brings_a_holiday_and_everyone_hears_why),
		REVISES(a_limit_that_holds_is_said_to_be_firm_now),
		REVISES(nothing_is_said_while_the_year_is_still_missing),
		REVISES(a_firm_limit_never_moves),
		REVISES(a_policy_that_was_changed_meanwhile_does_not_come_in_by_the_back_door),
		REVISES(a_limit_that_was_met_is_history),
		REVISES(what_was_overdue_too_early_is_overdue_again_in_its_time),
		REVISES(a_calendar_that_is_gone_leaves_the_guess_as_it_was),
		REVISES(the_next_department_starts_its_own_provisional_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
