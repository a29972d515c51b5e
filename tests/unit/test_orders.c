/* Orders from above, what brings them, what ends them; who hears that a limit was met after all; where clocks start. */
#include "unit/life_fixture.h"

static void accept(struct world *w)
{
	world_done(w, CHENGGUAN, (struct command){.action = CMD_ACCEPT});
	world_done(w, CHENGGUAN, (struct command){.action = CMD_CONTACT});
}

static void resolve(struct world *w)
{
	world_done(w, CHENGGUAN, (struct command){.action = CMD_RESOLVE, .answer = "好了"});
}

/* ---- orders ----------------------------------------------------------------------------------- */
static void an_order_is_told_to_the_lead_with_its_limit_and_answered(void **state)
{
	struct world *w = *state;

	accept(w);
	world_done(w, DUCHA, (struct command){.action = CMD_SUPERVISE, .order = "今天说明情况", .within = "4 工作小时"});
	assert_string_equal(told(w, "supervised", "chengguan")->to, "lead");
	assert_non_null(strstr(told(w, "supervised", "chengguan")->payload,
			       "\"order\":{\"seq\":5,\"from\":\"ducha\",\"text\":\"今天说明情况\",\"due\":\"2026-11-20T14:30:00+08:00\"}"));
	assert_string_equal(told(w, "supervised", "ducha")->role, "supervisor");
	w->now = at("2026-11-20 11:00");
	world_done(w, CHENGGUAN, (struct command){.action = CMD_ANSWER, .answer = "配件明天到"});
	assert_string_equal(happened(w, "answered")->note, "配件明天到");
	assert_non_null(told(w, "answered", "ducha"));
	assert_null(happened(w, "cleared"));
	world_tick(w, "2026-11-24 12:00");
	assert_int_equal(w->fx.history.n, 0);
	assert_int_equal(world_do(w, CHENGGUAN, (struct command){.action = CMD_ANSWER, .answer = "再说"}), LIFE_REFUSED);
}

static void an_unanswered_order_is_late_then_raised_and_cleared_when_answered(void **state)
{
	struct world *w = *state;
	char text[256];

	accept(w);
	world_done(w, DUCHA, (struct command){.action = CMD_SUPERVISE, .order = "说明情况"});
	world_tick(w, "2026-11-23 17:30");
	assert_string_equal(kinds(w, text), "overdue escalated");
	assert_string_equal(told(w, "overdue", "chengguan")->clock, "order");
	assert_non_null(told(w, "overdue", "ducha"));
	assert_string_equal(told(w, "escalated", "chengguan")->to, "leader");
	assert_non_null(told(w, "escalated", "dangzheng"));
	assert_int_equal(w->c.leg.level, 1);
	w->now += 60 * 1000000;
	world_done(w, CHENGGUAN, (struct command){.action = CMD_ANSWER, .answer = "好"});
	assert_string_equal(kinds(w, text), "answered cleared");
	assert_non_null(strstr(happened(w, "answered")->detail, "\"late\":true"));
	assert_non_null(told(w, "cleared", "ducha"));
}

static void an_office_may_leave_time_between_late_and_raised(void **state)
{
	struct world *w = *state;
	char text[256];

	w->f.office.life.supervise_raises = true;
	w->f.office.life.supervise_raise = deadline(w, "1 工作日");
	accept(w);
	world_done(w, DUCHA, (struct command){.action = CMD_SUPERVISE, .order = "说明情况"});
	world_tick(w, "2026-11-23 17:30");
	assert_string_equal(kinds(w, text), "overdue");
	world_tick(w, "2026-11-24 17:30");
	assert_string_equal(kinds(w, text), "escalated");
}

static void the_work_done_answers_every_order(void **state)
{
	struct world *w = *state;
	char text[256];

	accept(w);
	world_done(w, DUCHA, (struct command){.action = CMD_SUPERVISE, .order = "一"});
	world_done(w, DUCHA, (struct command){.action = CMD_SUPERVISE, .order = "二"});
	resolve(w);
	assert_string_equal(kinds(w, text), "resolved answered answered");
	assert_string_equal(happened(w, "answered")->note, "好了");
	assert_non_null(told(w, "answered", "ducha"));
	world_done(w, DUCHA, (struct command){.action = CMD_SUPERVISE, .order = "回访"});
	assert_int_equal(world_do(w, CHENGGUAN, (struct command){.action = CMD_ANSWER}), LIFE_REFUSED);
	world_done(w, CHENGGUAN, (struct command){.action = CMD_ANSWER, .answer = "已回访"});
}

static void an_order_goes_where_the_case_goes(void **state)
{
	struct world *w = *state;

	world_done(w, DUCHA, (struct command){.action = CMD_SUPERVISE, .order = "说明情况"});
	world_done(w, DUCHA, (struct command){.action = CMD_TRANSFER, .to = "wuye"});
	assert_string_equal(told(w, "supervised", "wuye")->to, "lead");
	assert_int_equal(world_do(w, CHENGGUAN, (struct command){.action = CMD_ANSWER, .answer = "x"}), LIFE_REFUSED);
	world_done(w, WUYE, (struct command){.action = CMD_ANSWER, .answer = "在办"});
}

static void of_two_orders_the_one_that_is_named_is_answered(void **state)
{
	struct world *w = *state;

	world_done(w, DUCHA, (struct command){.action = CMD_SUPERVISE, .order = "一"});        /* 3 */
	world_done(w, DUCHA, (struct command){.action = CMD_SUPERVISE, .order = "二"});        /* 4 */
	world_done(w, CHENGGUAN, (struct command){.action = CMD_ANSWER, .of = "4", .answer = "x"});
	assert_non_null(strstr(happened(w, "answered")->detail, "\"order\":4"));
	world_done(w, CHENGGUAN, (struct command){.action = CMD_ANSWER, .answer = "x"});
	assert_non_null(strstr(happened(w, "answered")->detail, "\"order\":3"));
}

static void the_ladders_order_is_an_order(void **state)
{
	struct world *w = *state;
	char text[256];

	accept(w);
	world_tick(w, "2026-11-30 17:30");
	assert_string_equal(told(w, "supervised", "chengguan")->to, "lead");
	assert_int_equal(told(w, "supervised", "ducha")->level, 2);
	assert_non_null(strstr(told(w, "supervised", "ducha")->payload, "\"text\":\"限时督办\",\"due\":\"2026-12-02T17:30:00+08:00\""));
	world_tick(w, "2026-12-02 17:30");
	assert_string_equal(kinds(w, text), "overdue escalated");
	assert_int_equal(told(w, "escalated", "dangzheng")->level, 1);
	resolve(w);
	assert_string_equal(kinds(w, text), "resolved cleared answered cleared");
}

static void each_refusal_says_why_and_changes_nothing(void **state)
{
	static const struct {
		enum fixture_dept dept;
		struct command cmd;
		const char *says;
	} rows[] = {
		{CHENGGUAN, {.action = CMD_SUPERVISE, .order = "x"}, "only a supervisor"},
		{DANGZHENG, {.action = CMD_SUPERVISE, .order = "x"}, "only a supervisor"},
		{WUYE, {.action = CMD_SUPERVISE, .order = "x"}, "not in the queue"},
		{DUCHA, {.action = CMD_SUPERVISE}, "'order'"},
		{DUCHA, {.action = CMD_SUPERVISE, .order = "x", .within = "很快"}, "'within'"},
		{DUCHA, {.action = CMD_SUPERVISE, .order = "x", .within = "每周五"}, "'within'"},
		{CHENGGUAN, {.action = CMD_ANSWER, .answer = "x"}, "no supervision order"},
		{DUCHA, {.action = CMD_ANSWER, .answer = "x"}, "not in the queue"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct case_record before = w->c;

		assert_int_equal(world_do(w, rows[i].dept, rows[i].cmd), LIFE_REFUSED);
		if (!strstr(w->fx.refused, rows[i].says))
			fail_msg("row %zu: «%s» does not say «%s»", i, w->fx.refused, rows[i].says);
		assert_memory_equal(&before, &w->c, sizeof(before));
	}
}

/* ---- what reporters bring about --------------------------------------------------------------- */
static void twice_dissatisfied_brings_an_order_and_three_times_the_leader(void **state)
{
	struct world *w = *state;
	char text[256];

	for (int i = 1; i <= 3; i++) {
		accept(w);
		resolve(w);
		world_report(w, LIFE_RATE, SCORE_DISSATISFIED);
		assert_string_equal(kinds(w, text), i == 1 ? "rated reopened"
					: i == 2 ? "rated reopened supervised" : "rated reopened escalated");
		assert_int_equal(told(w, "supervised", "ducha") != NULL, i == 2);
		assert_int_equal(told(w, "escalated", "dangzheng") != NULL, i == 3);
	}
	assert_int_equal(w->c.leg.level, 1);
}

static void every_so_many_urges_the_leader_hears_of_it_once(void **state)
{
	struct world *w = *state;

	for (int i = 1; i <= 11; i++) {
		world_report(w, LIFE_URGE, SCORE_SATISFIED);
		assert_int_equal(told(w, "escalated", "dangzheng") != NULL, i % 5 == 0);
	}
	assert_int_equal(w->c.urged, 11);
}

/* ---- the ends of limits ----------------------------------------------------------------------- */
static void a_limit_that_is_met_after_all_is_told_to_who_heard_of_it(void **state)
{
	struct world *w = *state;
	char text[256];

	world_tick(w, "2026-11-20 15:00");
	world_done(w, CHENGGUAN, (struct command){.action = CMD_ACCEPT});
	assert_string_equal(kinds(w, text), "accepted cleared");
	assert_string_equal(told(w, "cleared", "chengguan")->clock, "accept");
	assert_null(told(w, "cleared", "dangzheng"));
	world_tick(w, "2026-11-27 17:30");
	world_done(w, CHENGGUAN, (struct command){.action = CMD_CONTACT});
	resolve(w);
	assert_string_equal(told(w, "cleared", "dangzheng")->clock, "resolve");
	assert_null(told(w, "cleared", "ducha"));
	assert_non_null(strstr(happened(w, "cleared")->detail, "\"late\":"));
}

static void what_is_met_in_time_is_not_cleared(void **state)
{
	struct world *w = *state;

	world_tick(w, "2026-11-20 14:30");
	world_open(w, "2026-11-20 09:00");
	accept(w);
	world_tick(w, "2026-11-27 14:00");
	assert_non_null(happened(w, "due_soon"));
	resolve(w);
	assert_null(happened(w, "cleared"));
}

static void a_result_that_the_reporter_does_not_hear_is_late_and_supervised(void **state)
{
	struct world *w = *state;
	char text[256];

	accept(w);
	resolve(w);
	assert_moment(w->c.leg.due[CLOCK_FEEDBACK], "2026-11-24 17:30");
	world_tick(w, "2026-11-24 17:30");
	assert_string_equal(kinds(w, text), "overdue supervised");
	assert_string_equal(told(w, "overdue", "chengguan")->clock, "feedback");
	w->now = at("2026-11-25 09:00");
	world_done(w, CHENGGUAN, (struct command){.action = CMD_CONTACT, .note = "已回访"});
	assert_int_equal(w->c.leg.met[CLOCK_FEEDBACK], w->now);
	assert_int_equal(w->c.state, STATE_RESOLVED);
	assert_string_equal(kinds(w, text), "contacted cleared");
	assert_non_null(told(w, "cleared", "ducha"));
	world_done(w, CHENGGUAN, (struct command){.action = CMD_ANSWER, .answer = "已回访"});
}

static void a_delivered_result_needs_no_more(void **state)
{
	struct world *w = *state;

	accept(w);
	resolve(w);
	world_report(w, LIFE_DELIVERED, SCORE_SATISFIED);
	world_tick(w, "2026-11-26 09:00");
	assert_int_equal(w->fx.history.n, 0);
}

/* ---- where clocks start ----------------------------------------------------------------------- */
static void a_clock_may_wait_for_acceptance_or_start_anew_with_each_department(void **state)
{
	struct world *w = *state;

	w->f.policies[0].from[CLOCK_CONTACT] = FROM_ACCEPTED;
	w->f.policies[0].from[CLOCK_RESOLVE] = FROM_DISPATCHED;
	w->f.policies[0].from[CLOCK_ACCEPT] = FROM_RECEIVED;
	world_open(w, "2026-11-20 09:00");
	assert_moment(w->c.leg.due[CLOCK_CONTACT], "none");
	w->now = at("2026-11-20 10:00");
	world_done(w, CHENGGUAN, (struct command){.action = CMD_ACCEPT});
	assert_moment(w->c.leg.due[CLOCK_CONTACT], "2026-11-22 10:00");
	w->now = at("2026-11-23 10:00");
	world_done(w, DUCHA, (struct command){.action = CMD_TRANSFER, .to = "wuye"});
	assert_moment(w->c.leg.due[CLOCK_CONTACT], "none");
	assert_moment(w->c.leg.due[CLOCK_ACCEPT], "2026-11-20 14:30");
	assert_moment(w->c.leg.due[CLOCK_RESOLVE], "2026-11-30 17:30");
	assert_moment(w->c.whole_due, "2026-11-27 17:30");
}

static void the_matters_own_limit_outlives_returns_transfers_and_legs(void **state)
{
	struct world *w = *state;

	world_done(w, CHENGGUAN, (struct command){.action = CMD_RETURN, .reason = "not-ours"});
	assert_moment(w->c.leg.due[CLOCK_RESOLVE], "2026-11-27 17:30");
	w->now = at("2026-11-24 09:00");
	world_done(w, DANGZHENG, (struct command){.action = CMD_TRANSFER, .to = "chengguan"});
	assert_moment(w->c.leg.due[CLOCK_RESOLVE], "2026-11-27 17:30");
	accept(w);
	resolve(w);
	w->now = at("2026-11-25 09:00");
	world_report(w, LIFE_RATE, SCORE_DISSATISFIED);
	assert_moment(w->c.leg.due[CLOCK_RESOLVE], "2026-12-02 17:30");
	assert_moment(w->c.whole_due, "2026-11-27 17:30");
}

static void quiet_hours_hold_reminders_and_orders_but_never_a_raise(void **state)
{
	struct world *w = *state;
	struct step raise = w->steps[2], remind = w->steps[1], order = w->steps[3];
	int64_t night = at("2026-11-20 23:00");

	w->ladder.quiet = &w->hours.cal;
	assert_int_equal(ladder_heard_at(&w->ladder, &raise, night), night);
	assert_moment(ladder_heard_at(&w->ladder, &remind, night), "2026-11-23 08:30");
	assert_moment(ladder_heard_at(&w->ladder, &order, night), "2026-11-23 08:30");
	w->ladder.quiet_except = 1u << DO_SUPERVISE;
	assert_int_equal(ladder_heard_at(&w->ladder, &order, night), night);
}

/* Every step once, in order, however the clock jumps: the kinds, without what only late work has to say. */
static void clock_jumps_neither_repeat_nor_lose_nor_reorder_anything(void **state)
{
	static const int64_t jumps[][6] = {
		/* hours */
		{24, 24, 240, 24, 240, 720}, {720, 1, 1, 1, 720, 720}, {2, -1, 1, -1, 300, 720}, {300, -300, 310, -1, 1, 720},
	};
	struct world *w = *state;
	char first[1024] = "", all[1024], text[256];

	for (size_t j = 0; j < ARRAY_LEN(jumps); j++) {
		all[0] = '\0';
		world_open(w, "2026-11-20 09:00");
		for (size_t i = 0; i < 6; i++) {
			w->now += jumps[j][i] * 3600 * INT64_C(1000000);
			assert_int_equal(life_step(&w->f.office, &w->c, &(struct action){.what = LIFE_TICK}, w->now, &w->f.message,
						   &w->fx), 0);
			if (w->fx.history.n)
				snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s ", kinds(w, text));
		}
		if (!j)
			memcpy(first, all, sizeof(first));
		assert_string_equal(all, first);
	}
	assert_string_equal(first, "overdue reminded overdue due_soon overdue escalated supervised overdue escalated ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVES(an_order_is_told_to_the_lead_with_its_limit_and_answered),
		LIVES(an_unanswered_order_is_late_then_raised_and_cleared_when_answered),
		LIVES(an_office_may_leave_time_between_late_and_raised),
		LIVES(the_work_done_answers_every_order),
		LIVES(an_order_goes_where_the_case_goes),
		LIVES(of_two_orders_the_one_that_is_named_is_answered),
		LIVES(the_ladders_order_is_an_order),
		LIVES(each_refusal_says_why_and_changes_nothing),
		LIVES(twice_dissatisfied_brings_an_order_and_three_times_the_leader),
		LIVES(every_so_many_urges_the_leader_hears_of_it_once),
		LIVES(a_limit_that_is_met_after_all_is_told_to_who_heard_of_it),
		LIVES(what_is_met_in_time_is_not_cleared),
		LIVES(a_result_that_the_reporter_does_not_hear_is_late_and_supervised),
		LIVES(a_delivered_result_needs_no_more),
		LIVES(a_clock_may_wait_for_acceptance_or_start_anew_with_each_department),
		LIVES(the_matters_own_limit_outlives_returns_transfers_and_legs),
		LIVES(clock_jumps_neither_repeat_nor_lose_nor_reorder_anything),
		LIVES(quiet_hours_hold_reminders_and_orders_but_never_a_raise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
