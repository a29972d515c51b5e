/* Several departments at one case: whistles, tasks with limits, consultations, chains of steps. */
#include "unit/life_desk.h"

#define LIST(...) .departments = (const char *const[]){__VA_ARGS__}, \
		  .n_departments = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)
#define PARTIES(...) .parties = (const char *const[]){__VA_ARGS__}, \
		     .n_parties = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

static const struct command accept_it = {.action = CMD_ACCEPT}, report_in = {.action = CMD_REPORT_IN},
			    task_done = {.action = CMD_SUPPORT_DONE};

static int64_t partners_due(const struct desk *d, const char *dept)
{
	for (size_t i = 0; i < d->c.supports.n; i++)
		if (strcmp(d->c.supports.v[i].dept, dept) == 0)
			return d->c.supports.v[i].due;
	return MOMENT_NONE;
}

/* ---- whistle ---------------------------------------------------------------------------------- */
static void who_is_called_is_in_it_until_the_task_is_done(void **state)
{
	struct desk *d = *state;

	desk_open(d, "井盖破损", "市政/井盖");
	desk_done_by(d, CHENGGUAN, accept_it);
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_WHISTLE, LIST("wuye", "yingji", "wuye"), .task = "到现场"});
	assert_int_equal(d->fx.history.n, 2);
	assert_string_equal(desk_kept(d, "whistled", "wuye")->note, "到现场");
	assert_string_equal(desk_told(d, "whistled", "wuye")->role, "support");
	assert_non_null(strstr(desk_told(d, "whistled", "wuye")->payload, "\"report_in\":\"2026-11-20T09:00:00+08:00\""));
	assert_non_null(strstr(desk_told(d, "whistled", "yingji")->payload, "\"task\":\"到现场\""));
	assert_non_null(desk_told(d, "whistled", "chengguan"));
	assert_true(desk_queued(d, "wuye")->present);
	assert_int_equal(d->c.supports.n, 2);
	d->now += 10 * MINUTE;
	desk_done_by(d, WUYE, report_in);
	assert_string_equal(d->fx.history.v[0].kind, "reported_in");
	assert_non_null(desk_told(d, "reported_in", "chengguan"));
	desk_refuses(d, CHENGGUAN, (struct command){.action = CMD_RESOLVE, .answer = "x"}, "still open");
	desk_done_by(d, WUYE, task_done);
	assert_false(desk_queued(d, "wuye")->present);
	desk_refuses(d, YINGJI, task_done, "not reported in yet");
	desk_done_by(d, DUCHA, (struct command){.action = CMD_LIFT, .to = "yingji"});
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_RESOLVE, .answer = "好了"});
}

static void who_does_not_come_is_told_and_so_are_who_called_and_who_watches(void **state)
{
	struct desk *d = *state;

	desk_open(d, "井盖破损", "市政/井盖");
	desk_done_by(d, CHENGGUAN, accept_it);
	d->f.office.life.triage = &d->f.departments[WUYE];
	desk_done_by(d, WUYE, (struct command){.action = CMD_WHISTLE, LIST("yingji", "huanwei"), .task = "到现场"});
	assert_int_equal(d->fx.wake_at, d->c.leg.due[CLOCK_CONTACT]);
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_CONTACT});
	assert_int_equal(d->fx.wake_at, d->now + 30 * MINUTE);
	desk_done_by(d, YINGJI, report_in);
	desk_tick(d, 30 * MINUTE);
	assert_int_equal(d->fx.history.n, 1);
	assert_string_equal(desk_kept(d, "overdue", "huanwei")->note, "report_in");
	assert_string_equal(desk_told(d, "overdue", "huanwei")->clock, "report_in");
	assert_string_equal(desk_told(d, "overdue", "ducha")->role, "supervisor");
	assert_non_null(desk_told(d, "overdue", "wuye"));        /* who whistled */
	assert_non_null(desk_told(d, "overdue", "chengguan"));   /* the lead, and its superior besides */
	assert_null(desk_told(d, "overdue", "yingji"));
	desk_tick(d, MINUTE);
	assert_int_equal(d->fx.history.n, 0);
	desk_done_by(d, HUANWEI, report_in);
	assert_non_null(strstr(d->fx.history.v[0].detail, "\"late\":true"));
	assert_non_null(desk_told(d, "reported_in", "ducha"));
	assert_non_null(desk_told(d, "reported_in", "wuye"));
}

static void a_task_has_the_policys_limit_from_when_it_is_given_or_who_was_called_came(void **state)
{
	struct desk *d = *state;

	desk_open(d, "楼道垃圾", NULL);
	assert_string_equal(d->c.supports.v[0].dept, "xunfang");
	assert_int_equal(d->c.supports.v[0].due, d->now + 6 * HOUR);
	desk_done_by(d, HUANWEI, (struct command){.action = CMD_WHISTLE, LIST("wuye"), .task = "开门"});
	d->now += 20 * MINUTE;
	desk_done_by(d, WUYE, report_in);
	assert_int_equal(d->c.supports.v[1].due, d->now + 6 * HOUR);
	desk_done_by(d, XUNFANG, task_done);
	desk_tick(d, 6 * HOUR - MINUTE);
	assert_null(desk_kept(d, "overdue", "wuye"));
	desk_tick(d, MINUTE);
	assert_string_equal(desk_kept(d, "overdue", "wuye")->note, "support");
	assert_null(desk_kept(d, "overdue", "xunfang"));
}

static void a_task_rests_with_the_case_and_who_was_called_comes_all_the_same(void **state)
{
	struct desk *d = *state;
	struct command suspend = {.action = CMD_SUSPEND, .note = "等配件"};

	d->f.office.life.suspend_by = &d->f.departments[DUCHA];
	d->f.office.life.suspend_max = desk_limit(d, "90 自然日").in;
	d->f.office.default_calendar = NULL;
	desk_open(d, "楼道垃圾", NULL);
	desk_done_by(d, HUANWEI, accept_it);
	desk_done_by(d, HUANWEI, (struct command){.action = CMD_WHISTLE, LIST("wuye"), .task = "开门"});
	suspend.until = d->now + 30 * HOUR;
	desk_done_by(d, HUANWEI, suspend);
	desk_done_by(d, DUCHA, (struct command){.action = CMD_GRANT, .of = "r"});
	assert_int_equal(d->c.state, STATE_SUSPENDED);
	desk_tick(d, 20 * HOUR);
	assert_non_null(desk_kept(d, "overdue", "wuye"));
	assert_null(desk_kept(d, "overdue", "xunfang"));
	desk_done_by(d, HUANWEI, (struct command){.action = CMD_RESUME});
	assert_int_equal(partners_due(d, "xunfang"), d->c.received_at + 26 * HOUR);
	desk_tick(d, 6 * HOUR);
	assert_string_equal(desk_kept(d, "overdue", "xunfang")->note, "support");
}

static void a_department_may_be_called_again_when_its_task_is_done(void **state)
{
	struct desk *d = *state;
	const struct command whistle = {.action = CMD_WHISTLE, LIST("wuye"), .task = "到现场"};

	desk_open(d, "井盖破损", "市政/井盖");
	desk_done_by(d, CHENGGUAN, whistle);
	desk_refuses(d, CHENGGUAN, whistle, "was called already");
	desk_done_by(d, WUYE, report_in);
	desk_refuses(d, WUYE, report_in, "reported in already");
	desk_done_by(d, WUYE, task_done);
	desk_refuses(d, WUYE, report_in, "done already");
	desk_done_by(d, CHENGGUAN, whistle);
	assert_int_equal(d->c.supports.n, 1);
	desk_done_by(d, WUYE, report_in);
}

/* ---- consultations ---------------------------------------------------------------------------- */
static void a_consultation_has_an_outcome_and_parts_are_given_out_by_it(void **state)
{
	struct desk *d = *state;
	struct command consult = {.action = CMD_CONSULT, .topic = "违建怎么拆，找张三13812345678", PARTIES("wuye", "居民代表"),
				  .note = "社区会议室"};

	desk_open(d, "井盖破损", "市政/井盖");
	consult.at = d->now + 2 * HOUR;
	desk_done_by(d, CHENGGUAN, consult);
	assert_non_null(strstr(d->fx.history.v[0].note, "物业办, 居民代表"));
	assert_string_equal(desk_told(d, "consulted", "wuye")->role, "copy");
	assert_null(strstr(desk_told(d, "consulted", "wuye")->payload, "13812345678"));
	assert_null(desk_queued(d, "wuye"));
	desk_refuses(d, CHENGGUAN, consult, "still open");
	d->now += 3 * HOUR;
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_CONSULT_OUTCOME, .outcome = "分两步拆", .note = "全体同意",
						    LIST("wuye", "yingji"), .task = "配合拆除"});
	assert_non_null(strstr(desk_kept(d, "consulted", NULL)->note, "分两步拆; 全体同意"));
	assert_non_null(strstr(desk_told(d, "consulted", "chengguan")->payload, "\"outcome\":\"分两步拆\""));
	assert_string_equal(desk_told(d, "assigned", "wuye")->role, "support");
	assert_true(desk_queued(d, "yingji")->present);
	assert_string_equal(d->c.supports.v[1].task, "配合拆除");
	desk_refuses(d, CHENGGUAN, (struct command){.action = CMD_CONSULT_OUTCOME, .outcome = "x"}, "no consultation");
}

static void a_list_of_hundreds_is_no_list_of_people(void **state)
{
	struct desk *d = *state;
	const char *names[101];
	struct command consult = {.action = CMD_CONSULT, .topic = "x", .parties = names, .n_parties = 101},
		       whistle = {.action = CMD_WHISTLE, .task = "x", .departments = names, .n_departments = 101};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		names[i] = "wuye";
	desk_open(d, "井盖破损", "市政/井盖");
	desk_done_by(d, CHENGGUAN, accept_it);
	consult.at = d->now + 2 * HOUR;
	desk_refuses(d, CHENGGUAN, consult, "'parties' names 100 at most");
	desk_refuses(d, CHENGGUAN, whistle, "'departments' names 100 at most");
	consult.n_parties = whistle.n_departments = 100;
	desk_done_by(d, CHENGGUAN, consult);
	desk_done_by(d, CHENGGUAN, whistle);
}

static void an_outcome_that_is_not_entered_is_overdue_once(void **state)
{
	struct desk *d = *state;

	desk_open(d, "井盖破损", "市政/井盖");
	desk_done_by(d, CHENGGUAN, accept_it);
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_CONTACT});
	desk_done_by(d, DUCHA, (struct command){.action = CMD_CONSULT, .topic = "t", PARTIES("wuye"), .at = d->now + HOUR});
	d->c.leg.due[CLOCK_RESOLVE] = MOMENT_NONE;
	desk_tick(d, 25 * HOUR - MINUTE);
	assert_int_equal(d->fx.history.n, 0);
	desk_tick(d, MINUTE);
	assert_string_equal(d->fx.history.v[0].note, "consult");
	assert_non_null(desk_told(d, "overdue", "ducha"));
	assert_non_null(desk_told(d, "overdue", "chengguan"));
	desk_tick(d, DAY);
	assert_int_equal(d->fx.history.n, 0);
}

/* ---- chains ----------------------------------------------------------------------------------- */
static void a_resolved_step_opens_the_next_with_its_own_department_and_limits(void **state)
{
	struct desk *d = *state;

	desk_open(d, "井盖破损", "市政/井盖");
	desk_done_by(d, CHENGGUAN, accept_it);
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_NEXT_STEP, .text = "查漏水", .category = "物业/漏水"});
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_NEXT_STEP, .text = "清运垃圾"});
	assert_string_equal(desk_kept(d, "progress", "chengguan")->note, "next step: 清运垃圾");
	assert_non_null(strstr(desk_told(d, "progress", "chengguan")->payload, "\"next_step\":\"清运垃圾\""));
	d->now += HOUR;
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_RESOLVE, .answer = "井盖换了"});
	assert_int_equal(d->c.state, STATE_ASSIGNED);
	assert_string_equal(d->c.lead, "wuye");
	assert_int_equal(d->c.leg.n, 2);
	assert_int_equal(d->c.leg.due[CLOCK_RESOLVE], d->now + 48 * HOUR);
	assert_int_equal(d->fx.legs.n, 1);
	assert_string_equal(d->fx.legs.v[0].department, "chengguan");
	assert_int_equal(d->fx.legs.v[0].leg.met[CLOCK_RESOLVE], d->now);
	assert_non_null(strstr(desk_replied(d, "progress"), "井盖换了"));
	assert_null(desk_replied(d, "resolved"));
	assert_null(desk_replied(d, "ask_rating"));
	assert_false(desk_queued(d, "chengguan")->present);
	assert_non_null(strstr(desk_queued(d, "wuye")->card, "\"step\":\"查漏水\""));
	assert_non_null(strstr(desk_told(d, "assigned", "wuye")->why, "查漏水"));

	desk_done_by(d, WUYE, accept_it);
	desk_done_by(d, WUYE, (struct command){.action = CMD_RESOLVE, .answer = "漏水修了"});
	assert_string_equal(d->c.lead, "huanwei");               /* by the rule of its words */
	assert_string_equal(desk_told(d, "assigned", "xunfang")->role, "support");
	desk_done_by(d, HUANWEI, accept_it);
	desk_done_by(d, XUNFANG, task_done);
	desk_done_by(d, HUANWEI, (struct command){.action = CMD_RESOLVE, .answer = "清运完毕"});
	assert_int_equal(d->c.state, STATE_RESOLVED);
	assert_non_null(strstr(desk_replied(d, "resolved"), "清运完毕"));
	assert_non_null(desk_replied(d, "ask_rating"));
	assert_null(desk_replied(d, "progress"));
	desk_rate(d, SCORE_SATISFIED);
	assert_int_equal(d->c.state, STATE_CLOSED);
}

static void a_step_goes_to_nobody_whom_the_complaint_is_about(void **state)
{
	struct desk *d = *state;

	d->f.departments[WUYE].superior = &d->f.departments[DANGZHENG];
	desk_open(d, "井盖破损", "市政/井盖");
	d->report.accused = "wuye";
	desk_done_by(d, CHENGGUAN, accept_it);
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_NEXT_STEP, .text = "查漏水", .category = "物业/漏水"});
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_RESOLVE, .answer = "好了"});
	assert_string_equal(d->c.lead, "dangzheng");
}

static void a_withdrawn_case_forgets_its_steps_and_whom_it_waited_for(void **state)
{
	struct desk *d = *state;
	struct report r = {.channel = &d->f.channels[HOTLINE], .source = "h1", .id = "W", .shadow = ""};

	desk_open(d, "井盖破损", "市政/井盖");
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_NEXT_STEP, .text = "查漏水", .category = "物业/漏水"});
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_WHISTLE, LIST("yingji"), .task = "到现场"});
	assert_int_equal(life_step(&d->f.office, &d->c, &(struct action){.what = LIFE_WITHDRAW, .report = &r}, d->now, &d->f.message, &d->fx), 0);
	assert_non_null(desk_told(d, "closed", "chengguan"));
	assert_string_equal(desk_told(d, "closed", "yingji")->role, "support");
	assert_false(desk_queued(d, "yingji")->present);
	assert_int_equal(d->fx.wake_at, MOMENT_NONE);
	assert_int_equal(life_step(&d->f.office, &d->c, &(struct action){.what = LIFE_AGAIN, .report = &r}, d->now + DAY, &d->f.message, &d->fx), 0);
	d->now += DAY;
	desk_tick(d, MINUTE);
	assert_int_equal(d->fx.history.n, 0);
	desk_done_by(d, CHENGGUAN, accept_it);
	desk_done_by(d, DUCHA, (struct command){.action = CMD_LIFT, .to = "yingji"});
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_RESOLVE, .answer = "好了"});
	assert_int_equal(d->c.state, STATE_RESOLVED);
}

static void a_sealed_case_tells_no_word_of_what_is_arranged(void **state)
{
	struct desk *d = *state;

	desk_open(d, "井盖破损", "市政/井盖");
	d->c.visibility = VISIBLE_SEALED;
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_WHISTLE, LIST("wuye"), .task = "找李建国"});
	assert_null(strstr(desk_told(d, "whistled", "wuye")->payload, "李建国"));
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_CONSULT, .topic = "李建国的事", PARTIES("李建国"), .at = d->now});
	assert_null(strstr(desk_told(d, "consulted", "chengguan")->payload, "李建国"));
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_NEXT_STEP, .text = "李建国家查漏水", .category = "物业/漏水"});
	assert_null(strstr(desk_told(d, "progress", "chengguan")->payload, "李建国"));
	desk_done_by(d, WUYE, report_in);
	desk_done_by(d, WUYE, task_done);
	desk_done_by(d, CHENGGUAN, accept_it);
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_RESOLVE, .answer = "好了"});
	assert_string_equal(d->c.lead, "wuye");
	assert_null(strstr(desk_told(d, "assigned", "wuye")->payload, "李建国"));
	assert_null(strstr(desk_queued(d, "wuye")->card, "李建国"));
}

int main(void)
{
#define AT_DESK(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)
	const struct CMUnitTest tests[] = {
		AT_DESK(who_is_called_is_in_it_until_the_task_is_done),
		AT_DESK(who_does_not_come_is_told_and_so_are_who_called_and_who_watches),
		AT_DESK(a_task_has_the_policys_limit_from_when_it_is_given_or_who_was_called_came),
		AT_DESK(a_task_rests_with_the_case_and_who_was_called_comes_all_the_same),
		AT_DESK(a_department_may_be_called_again_when_its_task_is_done),
		AT_DESK(a_consultation_has_an_outcome_and_parts_are_given_out_by_it),
		AT_DESK(a_list_of_hundreds_is_no_list_of_people),
		AT_DESK(an_outcome_that_is_not_entered_is_overdue_once),
		AT_DESK(a_resolved_step_opens_the_next_with_its_own_department_and_limits),
		AT_DESK(a_step_goes_to_nobody_whom_the_complaint_is_about),
		AT_DESK(a_withdrawn_case_forgets_its_steps_and_whom_it_waited_for),
		AT_DESK(a_sealed_case_tells_no_word_of_what_is_arranged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
