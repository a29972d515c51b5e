/* More time and a pause: asked for by the lead, granted by whom lifecycle.yaml names, ending by themselves. */
#include "unit/life_fixture.h"

static void ask(struct world *w, enum command_action what, const char *until)
{
	world_done(w, CHENGGUAN, (struct command){.action = what, .request = "q1", .until = at(until), .note = "等配件",
						  .by = "wang"});
}

static void accept(struct world *w)
{
	world_done(w, CHENGGUAN, (struct command){.action = CMD_ACCEPT});
	world_done(w, CHENGGUAN, (struct command){.action = CMD_CONTACT});
}

static void what_is_asked_for_waits_for_who_grants_it(void **state)
{
	struct world *w = *state;

	accept(w);
	ask(w, CMD_EXTEND, "2026-12-02 17:30");
	assert_true(w->fx.pending);
	assert_string_equal(told(w, "asked", "ducha")->role, "supervisor");
	assert_non_null(strstr(told(w, "asked", "ducha")->payload, "\"of\":\"q1\""));
	assert_non_null(strstr(told(w, "asked", "ducha")->payload, "\"until\":\"2026-12-02T17:30:00+08:00\""));
	assert_non_null(told(w, "asked", "chengguan"));
	assert_moment(w->c.leg.due[CLOCK_RESOLVE], "2026-11-27 17:30");
	assert_string_equal(happened(w, "asked")->by, "wang");
	assert_int_equal(world_do(w, CHENGGUAN, (struct command){.action = CMD_SUSPEND, .until = at("2026-12-30 12:00"),
								 .note = "n"}), LIFE_REFUSED);
}

static void a_granted_extension_moves_the_limit_where_all_can_see_it(void **state)
{
	struct world *w = *state;
	char text[256];

	accept(w);
	ask(w, CMD_EXTEND, "2026-12-02 17:30");
	w->now = at("2026-11-23 09:00");
	world_done(w, DUCHA, (struct command){.action = CMD_GRANT, .of = "q1", .note = "同意"});
	assert_false(w->fx.pending);
	assert_string_equal(kinds(w, text), "granted deadline_revised");
	assert_moment(w->c.leg.due[CLOCK_RESOLVE], "2026-12-02 17:30");
	assert_moment(w->c.whole_due, "2026-12-02 17:30");
	assert_non_null(told(w, "granted", "chengguan"));
	assert_non_null(told(w, "granted", "ducha"));
	assert_non_null(strstr(told(w, "deadline_revised", "chengguan")->payload,
			       "\"old\":{\"resolve\":\"2026-11-27T17:30:00+08:00\"}"));
	assert_non_null(strstr(replied(w, "extended"), "JYL261120000001 延期至 2026-12-02 17:30：等配件"));
	assert_moment(w->fx.wake_at, "2026-12-02 13:30");
	world_tick(w, "2026-11-30 12:00");
	assert_int_equal(w->fx.history.n, 0);
}

static void more_time_may_be_asked_for_without_a_reason_and_the_reply_still_reads_well(void **state)
{
	struct world *w = *state;

	accept(w);
	world_done(w, CHENGGUAN, (struct command){.action = CMD_EXTEND, .request = "q1", .until = at("2026-12-02 17:30")});
	assert_null(happened(w, "asked")->note);
	world_done(w, DUCHA, (struct command){.action = CMD_GRANT, .of = "q1"});
	assert_moment(w->c.leg.due[CLOCK_RESOLVE], "2026-12-02 17:30");
	assert_non_null(strstr(replied(w, "extended"), "JYL261120000001 延期至 2026-12-02 17:30\""));
}

static void a_reminder_that_had_come_comes_again_before_the_new_limit(void **state)
{
	struct world *w = *state;

	accept(w);
	world_tick(w, "2026-11-27 14:00");
	assert_non_null(told(w, "due_soon", "chengguan"));
	ask(w, CMD_EXTEND, "2026-12-02 17:30");
	world_done(w, DUCHA, (struct command){.action = CMD_GRANT, .of = "q1"});
	world_tick(w, "2026-12-02 13:30");
	assert_non_null(told(w, "due_soon", "chengguan"));
}

static void what_is_denied_changes_nothing_and_may_be_asked_again(void **state)
{
	struct world *w = *state;

	accept(w);
	ask(w, CMD_EXTEND, "2026-12-02 17:30");
	world_done(w, DUCHA, (struct command){.action = CMD_DENY, .of = "q1", .reason = "抓紧办"});
	assert_string_equal(told(w, "denied", "chengguan")->why, "抓紧办");
	assert_moment(w->c.leg.due[CLOCK_RESOLVE], "2026-11-27 17:30");
	ask(w, CMD_EXTEND, "2026-11-30 17:30");
	world_done(w, DUCHA, (struct command){.action = CMD_GRANT, .of = "q1"});
	assert_moment(w->c.leg.due[CLOCK_RESOLVE], "2026-11-30 17:30");
	assert_int_equal(world_do(w, CHENGGUAN, (struct command){.action = CMD_EXTEND, .until = at("2026-12-02 17:30"),
								 .note = "还要"}), LIFE_REFUSED);
	assert_non_null(strstr(w->fx.refused, "extended 1 times"));
}

static void who_grants_for_others_has_at_once_what_it_asks_for(void **state)
{
	struct world *w = *state;
	char text[256];

	w->f.office.life.extend_by = w->f.office.life.suspend_by = &w->f.departments[CHENGGUAN];
	accept(w);
	ask(w, CMD_EXTEND, "2026-12-02 17:30");
	assert_false(w->fx.pending);
	assert_string_equal(kinds(w, text), "granted deadline_revised");
	assert_int_equal(world_do(w, CHENGGUAN, (struct command){.action = CMD_EXTEND, .until = at("2026-12-04 17:30"),
								 .note = "n"}), LIFE_REFUSED);
	ask(w, CMD_SUSPEND, "2026-12-20 12:00");
	assert_int_equal(w->c.state, STATE_SUSPENDED);
}

static void a_suspended_case_stays_in_its_queue_marked_and_its_clocks_stand(void **state)
{
	struct world *w = *state;
	char text[256];

	accept(w);
	w->now = at("2026-11-23 10:00");
	ask(w, CMD_SUSPEND, "2026-12-07 10:00");
	world_done(w, DANGZHENG, (struct command){.action = CMD_GRANT, .of = "q1"});
	assert_string_equal(kinds(w, text), "granted suspended");
	assert_int_equal(w->c.state, STATE_SUSPENDED);
	assert_true(w->fx.queue.n == 1 && w->fx.queue.v[0].present);
	assert_non_null(strstr(w->fx.queue.v[0].card, "\"state\":\"suspended\""));
	assert_non_null(strstr(w->fx.queue.v[0].card, "\"suspended_until\":\"2026-12-07T10:00:00+08:00\""));
	assert_moment(w->fx.wake_at, "2026-12-07 10:00");
	world_tick(w, "2026-12-07 09:59");
	assert_int_equal(w->fx.history.n, 0);
	world_tick(w, "2026-12-07 10:00");
	assert_string_equal(kinds(w, text), "resumed");
	assert_non_null(told(w, "resumed", "chengguan"));
	assert_non_null(told(w, "resumed", "dangzheng"));
	assert_int_equal(w->c.state, STATE_ACCEPTED);
	/* It had four days and seven hours and a half of working time left, and has them again. */
	assert_moment(w->c.leg.due[CLOCK_RESOLVE], "2026-12-11 17:30");
	assert_moment(w->c.whole_due, "2026-12-11 17:30");
}

static void a_pause_pays_back_working_time_and_the_wall_each_to_its_own(void **state)
{
	static const struct {
		const char *from, *to, *accept, *contact, *resolve;
	} rows[] = {
		/* over a weekend: nothing for working hours and days */
		{"2026-11-20 12:00", "2026-11-20 13:30", "2026-11-20 14:30", "2026-11-22 10:30", "2026-11-27 17:30"},
		{"2026-11-20 11:00", "2026-11-20 14:00", "2026-11-20 16:00", "2026-11-22 12:00", "2026-11-30 10:00"},
		{"2026-11-20 14:00", "2026-11-22 12:00", "2026-11-23 09:00", "2026-11-24 07:00", "2026-11-30 12:00"},
		{"2026-11-20 18:00", "2026-11-22 23:00", "2026-11-20 14:30", "2026-11-24 14:00", "2026-11-27 17:30"},
		/* what was late before stays as late as it was */
		{"2026-11-23 09:00", "2026-11-24 09:00", "2026-11-20 14:30", "2026-11-22 09:00", "2026-11-30 17:30"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		world_open(w, "2026-11-20 09:00");
		w->now = at(rows[i].from);
		ask(w, CMD_SUSPEND, "2026-12-20 12:00");
		world_done(w, DANGZHENG, (struct command){.action = CMD_GRANT, .of = "q1"});
		w->now = at(rows[i].to);
		world_done(w, i % 2 ? DANGZHENG : CHENGGUAN, (struct command){.action = CMD_RESUME});
		assert_int_equal(w->c.state, STATE_ASSIGNED);
		assert_moment(w->c.leg.due[CLOCK_ACCEPT], rows[i].accept);
		assert_moment(w->c.leg.due[CLOCK_CONTACT], rows[i].contact);
		assert_moment(w->c.leg.due[CLOCK_RESOLVE], rows[i].resolve);
	}
}

static void a_pause_that_ended_while_nobody_looked_ended_at_its_time(void **state)
{
	struct world *w = *state;
	char text[256];

	accept(w);
	w->now = at("2026-11-23 10:00");
	ask(w, CMD_SUSPEND, "2026-12-07 10:00");
	world_done(w, DANGZHENG, (struct command){.action = CMD_GRANT, .of = "q1"});
	world_tick(w, "2026-12-11 14:00");
	assert_string_equal(kinds(w, text), "resumed due_soon");
	assert_non_null(strstr(happened(w, "resumed")->detail, "\"late\":true"));
	assert_moment(w->c.leg.due[CLOCK_RESOLVE], "2026-12-11 17:30");
}

static void a_clock_that_the_policy_lets_run_on_is_late_in_a_pause(void **state)
{
	struct world *w = *state;

	w->f.policies[0].runs_on = 1u << CLOCK_CONTACT;
	ask(w, CMD_SUSPEND, "2026-12-07 10:00");
	world_done(w, DANGZHENG, (struct command){.action = CMD_GRANT, .of = "q1"});
	world_tick(w, "2026-11-25 09:00");
	assert_int_equal(w->fx.history.n, 1);
	assert_string_equal(told(w, "overdue", "chengguan")->clock, "contact");
	world_tick(w, "2026-12-07 10:00");
	assert_moment(w->c.leg.due[CLOCK_CONTACT], "2026-11-22 09:00");
}

static void what_is_asked_for_ends_with_the_leads_time(void **state)
{
	struct world *w = *state;

	ask(w, CMD_EXTEND, "2026-12-02 17:30");
	world_done(w, DUCHA, (struct command){.action = CMD_TRANSFER, .to = "wuye"});
	assert_non_null(told(w, "denied", "ducha"));
	assert_non_null(told(w, "denied", "chengguan"));
	assert_int_equal(world_do(w, DUCHA, (struct command){.action = CMD_GRANT, .of = "q1"}), LIFE_REFUSED);
	world_open(w, "2026-11-20 09:00");
	accept(w);
	ask(w, CMD_SUSPEND, "2026-12-02 17:30");
	world_done(w, CHENGGUAN, (struct command){.action = CMD_RESOLVE, .answer = "好了"});
	assert_non_null(told(w, "denied", "dangzheng"));
}

static void a_suspended_case_can_be_withdrawn(void **state)
{
	struct world *w = *state;

	ask(w, CMD_SUSPEND, "2026-12-02 17:30");
	world_done(w, DANGZHENG, (struct command){.action = CMD_GRANT, .of = "q1"});
	world_report(w, LIFE_WITHDRAW, SCORE_SATISFIED);
	assert_int_equal(w->c.state, STATE_CLOSED);
	assert_int_equal(w->fx.wake_at, MOMENT_NONE);
}

static void each_refusal_says_why_and_changes_nothing(void **state)
{
	static const struct {
		enum fixture_dept dept;
		struct command cmd;
		const char *until, *says;
	} rows[] = {
		{CHENGGUAN, {.action = CMD_EXTEND, .note = "n"}, NULL, "'until'"},
		{CHENGGUAN, {.action = CMD_EXTEND, .note = "n"}, "2026-11-19 09:00", "in the past"},
		{CHENGGUAN, {.action = CMD_EXTEND, .note = "n"}, "2026-11-26 17:30", "must be later"},
		{CHENGGUAN, {.action = CMD_EXTEND, .note = "n"}, "2026-12-05 17:30", "2026-12-04 17:30 at most"},
		{HUANWEI, {.action = CMD_EXTEND, .note = "n"}, "2026-12-01 17:30", "not in the queue"},
		{CHENGGUAN, {.action = CMD_SUSPEND, .note = "n"}, "2027-03-01 12:00", "2027-02-18 24:00 at most"},
		{CHENGGUAN, {.action = CMD_SUSPEND, .note = "n"}, NULL, "'until'"},
		{CHENGGUAN, {.action = CMD_SUSPEND}, "2026-12-01 17:30", "'note'"},
		{CHENGGUAN, {.action = CMD_RESUME}, NULL, "is not suspended"},
		{DUCHA, {.action = CMD_GRANT}, NULL, "'of'"},
		{DUCHA, {.action = CMD_GRANT, .of = "q9"}, NULL, "no request 'q9'"},
		{DUCHA, {.action = CMD_DENY, .of = "q9"}, NULL, "no request 'q9'"},
		{WUYE, {.action = CMD_GRANT, .of = "q9"}, NULL, "not in the queue"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct case_record before = w->c;
		struct command cmd = rows[i].cmd;

		cmd.until = rows[i].until ? at(rows[i].until) : MOMENT_NONE;
		assert_int_equal(world_do(w, rows[i].dept, cmd), LIFE_REFUSED);
		if (!strstr(w->fx.refused, rows[i].says))
			fail_msg("row %zu: «%s» does not say «%s»", i, w->fx.refused, rows[i].says);
		assert_memory_equal(&before, &w->c, sizeof(before));
		assert_int_equal(w->fx.history.n + w->fx.events.n + w->fx.queue.n, 0);
	}
}

static void only_who_was_asked_decides(void **state)
{
	struct world *w = *state;

	accept(w);
	ask(w, CMD_EXTEND, "2026-12-01 17:30");
	assert_int_equal(world_do(w, CHENGGUAN, (struct command){.action = CMD_GRANT, .of = "q1"}), LIFE_REFUSED);
	assert_non_null(strstr(w->fx.refused, "only 督查室"));
	assert_int_equal(world_do(w, DANGZHENG, (struct command){.action = CMD_GRANT, .of = "q1"}), LIFE_REFUSED);
	w->now = at("2026-12-02 09:00");
	assert_int_equal(world_do(w, DUCHA, (struct command){.action = CMD_GRANT, .of = "q1"}), LIFE_REFUSED);
	assert_non_null(strstr(w->fx.refused, "deny it"));
	w->f.office.life.extend_by = NULL;
	world_open(w, "2026-11-20 09:00");
	assert_int_equal(world_do(w, CHENGGUAN, (struct command){.action = CMD_EXTEND, .until = at("2026-12-01 17:30"),
								 .note = "n"}), LIFE_REFUSED);
	assert_non_null(strstr(w->fx.refused, "nobody grants"));
}

static void only_the_lead_and_who_granted_it_end_a_pause(void **state)
{
	struct world *w = *state;

	ask(w, CMD_SUSPEND, "2026-12-02 17:30");
	world_done(w, DANGZHENG, (struct command){.action = CMD_GRANT, .of = "q1"});
	assert_int_equal(world_do(w, DUCHA, (struct command){.action = CMD_RESUME}), LIFE_REFUSED);
	assert_int_equal(world_do(w, HUANWEI, (struct command){.action = CMD_RESUME}), LIFE_REFUSED);
	assert_int_equal(world_do(w, CHENGGUAN, (struct command){.action = CMD_ACCEPT}), LIFE_REFUSED);
	world_done(w, DANGZHENG, (struct command){.action = CMD_RESUME});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVES(what_is_asked_for_waits_for_who_grants_it),
		LIVES(a_granted_extension_moves_the_limit_where_all_can_see_it),
		LIVES(more_time_may_be_asked_for_without_a_reason_and_the_reply_still_reads_well),
		LIVES(a_reminder_that_had_come_comes_again_before_the_new_limit),
		LIVES(what_is_denied_changes_nothing_and_may_be_asked_again),
		LIVES(who_grants_for_others_has_at_once_what_it_asks_for),
		LIVES(a_suspended_case_stays_in_its_queue_marked_and_its_clocks_stand),
		LIVES(a_pause_pays_back_working_time_and_the_wall_each_to_its_own),
		LIVES(a_pause_that_ended_while_nobody_looked_ended_at_its_time),
		LIVES(a_clock_that_the_policy_lets_run_on_is_late_in_a_pause),
		LIVES(what_is_asked_for_ends_with_the_leads_time),
		LIVES(a_suspended_case_can_be_withdrawn),
		LIVES(each_refusal_says_why_and_changes_nothing),
		LIVES(only_who_was_asked_decides),
		LIVES(only_the_lead_and_who_granted_it_end_a_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
