/* Whose case is it: returns and their arbitration, hand-overs, what is not taken up, what is put right. */
#include "unit/life_desk.h"

static const struct command accept_it = {.action = CMD_ACCEPT}, not_ours = {.action = CMD_RETURN, .reason = "not-ours"};

static struct command to(const char *dept)
{
	return (struct command){.action = CMD_TRANSFER, .to = dept};
}

/* ---- returns ---------------------------------------------------------------------------------- */
static void triage_has_a_time_of_its_own_and_supervision_hears_when_it_is_over(void **state)
{
	struct desk *d = *state;

	desk_open(d, "井盖破损", "市政/井盖");
	desk_done_by(d, CHENGGUAN, accept_it);
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_CONTACT});
	desk_done_by(d, CHENGGUAN, not_ours);
	assert_int_equal(d->fx.wake_at, d->now + 4 * HOUR);
	desk_tick(d, 4 * HOUR - MINUTE);
	assert_int_equal(d->fx.history.n, 0);
	desk_tick(d, MINUTE);
	assert_string_equal(desk_kept(d, "overdue", "dangzheng")->note, "triage");
	assert_string_equal(desk_told(d, "overdue", "dangzheng")->role, "triage");
	assert_string_equal(desk_told(d, "overdue", "ducha")->clock, "triage");
	assert_null(desk_told(d, "overdue", "chengguan"));
	desk_done_by(d, DANGZHENG, to("wuye"));
	assert_false(desk_queued(d, "dangzheng")->present);
	assert_true(desk_queued(d, "wuye")->present);
	d->c.leg.met[CLOCK_ACCEPT] = d->c.leg.met[CLOCK_CONTACT] = d->now;
	desk_tick(d, 10 * HOUR);
	assert_int_equal(d->fx.history.n, 0);
}

static void handed_out_in_time_triage_is_not_late(void **state)
{
	struct desk *d = *state;

	desk_open(d, "井盖破损", "市政/井盖");
	desk_done_by(d, CHENGGUAN, not_ours);
	d->now += 3 * HOUR;
	desk_done_by(d, DANGZHENG, to("wuye"));
	desk_done_by(d, WUYE, accept_it);
	desk_done_by(d, WUYE, (struct command){.action = CMD_CONTACT});
	desk_tick(d, 3 * HOUR);
	assert_int_equal(d->fx.history.n, 0);
}

static void returns_are_counted_for_the_case_the_department_and_the_pair(void **state)
{
	struct desk *d = *state;

	desk_open(d, "井盖破损", "市政/井盖");
	desk_done_by(d, CHENGGUAN, not_ours);
	assert_non_null(strstr(desk_kept(d, "returned", NULL)->detail, "\"returns\":1,\"of_department\":1"));
	desk_done_by(d, DANGZHENG, to("chengguan"));
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_RETURN, .reason = "no-place"});
	assert_non_null(strstr(desk_kept(d, "returned", NULL)->detail, "\"reason\":\"no-place\",\"returns\":2,\"of_department\":2"));
	desk_done_by(d, DANGZHENG, to("wuye"));
	assert_non_null(strstr(desk_kept(d, "transferred", NULL)->detail,
			       "\"from\":\"dangzheng\",\"to\":\"wuye\",\"returned_by\":\"chengguan\",\"pair\":1"));
}

static void from_a_to_b_and_back_to_a_ends_there_and_the_attempt_is_on_record(void **state)
{
	struct desk *d = *state;

	desk_open(d, "井盖破损", "市政/井盖");
	desk_done_by(d, CHENGGUAN, not_ours);
	desk_done_by(d, DANGZHENG, to("wuye"));
	desk_done_by(d, WUYE, not_ours);
	desk_done_by(d, DANGZHENG, to("chengguan"));
	assert_int_equal(d->c.returns, 2);                /* of three that the office allows */
	desk_refuses(d, CHENGGUAN, not_ours, "may not be returned again");
	assert_int_equal(d->fx.history.n, 1);
	assert_string_equal(d->fx.history.v[0].kind, "refused");
	assert_string_equal(d->fx.history.v[0].note, d->fx.refused);
	assert_string_equal(d->fx.history.v[0].detail, "{\"action\":\"return\"}");
	assert_int_equal(d->fx.wake_at, d->c.leg.due[CLOCK_ACCEPT]);
	desk_done_by(d, CHENGGUAN, accept_it);
}

static void a_link_of_a_chain_may_be_returned_by_whom_it_was_routed_to(void **state)
{
	struct desk *d = *state;

	d->f.office.life.arbitrate_after = 1;
	desk_open(d, "井盖破损", "市政/井盖");
	desk_done_by(d, CHENGGUAN, not_ours);
	desk_done_by(d, DANGZHENG, to("yingji"));
	desk_refuses(d, YINGJI, not_ours, "may not be returned again");
	desk_done_by(d, YINGJI, accept_it);
	desk_done_by(d, YINGJI, (struct command){.action = CMD_NEXT_STEP, .text = "查漏水", .category = "物业/漏水"});
	desk_done_by(d, YINGJI, (struct command){.action = CMD_RESOLVE, .answer = "好了"});
	assert_string_equal(d->c.lead, "wuye");
	desk_done_by(d, WUYE, not_ours);
}

static void where_evidence_is_asked_for_a_return_without_a_note_is_refused(void **state)
{
	struct desk *d = *state;

	d->f.office.life.return_evidence = true;
	desk_open(d, "井盖破损", "市政/井盖");
	desk_refuses(d, CHENGGUAN, not_ours, "'note'");
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_RETURN, .reason = "not-ours", .note = "小区红线内，见图"});
}

/* ---- hand-overs ------------------------------------------------------------------------------- */
static void a_case_is_not_handed_round_in_a_circle(void **state)
{
	struct desk *d = *state;

	desk_open(d, "井盖破损", "市政/井盖");
	desk_done_by(d, DUCHA, to("wuye"));
	desk_done_by(d, DANGZHENG, to("yingji"));
	desk_refuses(d, DUCHA, to("chengguan"), "in a circle");
	assert_string_equal(desk_kept(d, "refused", "ducha")->detail, "{\"action\":\"transfer\"}");
	desk_done_by(d, YINGJI, not_ours);
	desk_done_by(d, DANGZHENG, to("chengguan"));      /* triage decides */
}

/* ---- not taken up ----------------------------------------------------------------------------- */
static void a_rejected_case_is_closed_with_a_reason_that_all_hear(void **state)
{
	struct desk *d = *state;

	desk_open(d, "楼道垃圾", NULL);
	desk_done_by(d, DANGZHENG, (struct command){.action = CMD_REJECT, .reason = "not-ours", .by = "li", .note = "属市级"});
	assert_int_equal(d->c.state, STATE_CLOSED);
	assert_string_equal(d->c.close_reason, "rejected");
	assert_int_equal(d->c.closed_at, d->now);
	assert_string_equal(desk_kept(d, "rejected", "dangzheng")->note, "非本部门职责; 属市级");
	assert_string_equal(desk_told(d, "rejected", "huanwei")->role, "lead");
	assert_string_equal(desk_told(d, "rejected", "xunfang")->role, "support");
	assert_non_null(desk_told(d, "rejected", "dangzheng"));
	assert_false(desk_queued(d, "huanwei")->present);
	assert_false(desk_queued(d, "xunfang")->present);
	assert_non_null(strstr(desk_replied(d, "rejected"), "不予受理：非本部门职责"));
	assert_null(desk_replied(d, "closed"));
	assert_int_equal(d->fx.wake_at, MOMENT_NONE);
}

static void a_rejected_case_that_is_dispatched_again_comes_back(void **state)
{
	struct desk *d = *state;
	struct report r = {.channel = &d->f.channels[HOTLINE], .source = "h1", .id = "GD1#2", .shadow = ""};

	desk_open(d, "井盖破损", "市政/井盖");
	desk_done_by(d, DUCHA, (struct command){.action = CMD_REJECT, .reason = "诉求不清"});
	assert_int_equal(life_step(&d->f.office, &d->c, &(struct action){.what = LIFE_AGAIN, .report = &r}, d->now, &d->f.message, &d->fx), 0);
	assert_int_equal(d->c.state, STATE_ASSIGNED);
	assert_int_equal(d->c.leg.n, 2);
}

/* ---- put right -------------------------------------------------------------------------------- */
static struct command category(const char *path)
{
	return (struct command){.action = CMD_AMEND, .category = path};
}

static void another_category_sends_the_case_where_a_new_one_would_go(void **state)
{
	struct desk *d = *state;

	desk_open(d, "水漏到楼下", "市政/井盖");
	desk_done_by(d, CHENGGUAN, accept_it);
	d->now += HOUR;
	desk_done_by(d, DUCHA, category("物业/漏水"));
	assert_string_equal(d->c.lead, "wuye");
	assert_int_equal(d->c.state, STATE_ASSIGNED);
	assert_string_equal(d->c.category, "物业/漏水");
	assert_string_equal(desk_kept(d, "amended", "ducha")->note,
			    "category 市政/井盖 → 物业/漏水; policy 紧急 → 普通; lead chengguan → wuye");
	assert_non_null(strstr(desk_kept(d, "amended", NULL)->detail, "\"category\":{\"from\":\"市政/井盖\",\"to\":\"物业/漏水\"}"));
	assert_non_null(desk_told(d, "amended", "chengguan"));
	assert_non_null(desk_told(d, "transferred", "ducha"));
	assert_string_equal(desk_told(d, "recalled", "chengguan")->role, "lead");
	assert_string_equal(desk_told(d, "assigned", "wuye")->role, "lead");
	assert_non_null(desk_told(d, "copied", "yingji"));
	assert_false(desk_queued(d, "chengguan")->present);
	assert_true(desk_queued(d, "wuye")->present);
	/* The whole of it was due 24 hours after it came, and is due 48 hours after it came; who has it now has time to accept. */
	assert_int_equal(d->c.leg.due[CLOCK_RESOLVE], d->c.received_at + 48 * HOUR);
	assert_int_equal(d->c.leg.due[CLOCK_ACCEPT], d->now + 30 * MINUTE);
}

static void a_lead_puts_right_what_leaves_the_case_where_it_is(void **state)
{
	struct desk *d = *state;

	desk_open(d, "井盖破损", "市政");
	desk_done_by(d, CHENGGUAN, category("市政/井盖"));
	assert_string_equal(d->c.lead, "chengguan");
	assert_string_equal(d->c.leg.policy, "紧急");
	assert_null(desk_told(d, "transferred", "chengguan"));
	desk_refuses(d, CHENGGUAN, category("物业/漏水"), "return it instead");
	assert_non_null(desk_kept(d, "refused", "chengguan"));
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_AMEND, .address = "幸福里8号楼3单元702"});
	assert_non_null(strstr(d->fx.history.v[0].note, "幸福里8号楼"));
	assert_null(strstr(d->fx.history.v[0].note, "702"));
	assert_string_equal(d->fx.address, "幸福里8号楼3单元702");
	assert_null(strstr(desk_queued(d, "chengguan")->card, "702"));
}

static void the_limits_of_a_new_policy_count_from_where_the_leg_began_and_fire_again(void **state)
{
	struct desk *d = *state;

	desk_open(d, "有点事", "市政");
	desk_done_by(d, CHENGGUAN, accept_it);
	desk_done_by(d, CHENGGUAN, (struct command){.action = CMD_CONTACT});
	d->now += 25 * HOUR;
	desk_done_by(d, CHENGGUAN, category("市政/井盖"));
	assert_int_equal(d->c.leg.due[CLOCK_RESOLVE], d->c.received_at + 24 * HOUR);
	desk_tick(d, 0);
	assert_string_equal(desk_kept(d, "overdue", NULL)->note, "resolve");
}

static void limits_that_were_granted_stay_when_a_case_is_put_right(void **state)
{
	struct desk *d = *state;

	desk_open(d, "有点事", "市政");
	ALIST_PUSH(&d->f.message, &d->c.errands,
		   (struct errand){.kind = ERRAND_EXTEND, .at = d->now, .due = MOMENT_NONE, .until = MOMENT_NONE, .done = true});
	d->c.leg.due[CLOCK_RESOLVE] += 96 * HOUR;
	desk_done_by(d, CHENGGUAN, category("市政/井盖"));
	assert_int_equal(d->c.leg.due[CLOCK_RESOLVE], d->c.received_at + 144 * HOUR);
}

static void in_triage_the_right_category_hands_the_case_out(void **state)
{
	struct desk *d = *state;

	desk_open(d, "水漏到楼下", "市政/井盖");
	desk_done_by(d, CHENGGUAN, not_ours);
	desk_done_by(d, DANGZHENG, (struct command){.action = CMD_AMEND, .address = "幸福里8号楼"});
	assert_int_equal(d->c.state, STATE_TRIAGE);       /* what it says of the place sends it nowhere */
	desk_done_by(d, DANGZHENG, category("物业/漏水"));
	assert_int_equal(d->c.state, STATE_ASSIGNED);
	assert_string_equal(d->c.lead, "wuye");
	desk_done_by(d, WUYE, accept_it);
	desk_done_by(d, WUYE, (struct command){.action = CMD_CONTACT});
	desk_tick(d, 5 * HOUR);
	assert_int_equal(d->fx.history.n, 0);             /* triage is not late */
}

static void what_people_handed_on_stays_there_when_something_else_is_put_right(void **state)
{
	struct desk *d = *state;

	desk_open(d, "井盖破损", "市政");
	desk_done_by(d, DUCHA, to("wuye"));
	desk_done_by(d, DUCHA, (struct command){.action = CMD_AMEND, .grid = "410106003001001"});
	assert_string_equal(d->c.lead, "wuye");
	assert_string_equal(d->c.grid, "410106003001001");
	desk_done_by(d, DUCHA, category("市政/井盖"));
	assert_string_equal(d->c.lead, "wuye");
}

static void helpers_of_a_rule_that_no_longer_holds_are_recalled(void **state)
{
	struct desk *d = *state;

	d->rules[0].when.category = (struct texts){(const char *const[]){"市政"}, 1};
	route_index_free(d->f.index);
	d->f.index = NULL;
	assert_int_equal(route_index_new(&d->f.office, &d->f.arena, &d->f.index, &(struct err){0}), 0);
	d->f.office.index = d->f.index;
	desk_open(d, "楼道垃圾", "市政");
	assert_string_equal(d->c.lead, "huanwei");
	assert_int_equal(d->c.supports.n, 1);
	desk_done_by(d, DUCHA, category("物业/漏水"));
	assert_string_equal(d->c.lead, "wuye");
	assert_null(d->c.rule);
	assert_int_equal(d->c.supports.n, 0);
	assert_string_equal(desk_told(d, "recalled", "xunfang")->role, "support");
	assert_false(desk_queued(d, "xunfang")->present);
}

static void putting_right_needs_something_that_is_right_and_new(void **state)
{
	struct desk *d = *state;

	desk_open(d, "井盖破损", "市政/井盖");
	desk_refuses(d, DUCHA, (struct command){.action = CMD_AMEND}, "needs a 'category'");
	desk_refuses(d, DUCHA, category("没有的类"), "no category");
	desk_refuses(d, DUCHA, category("020301"), "changes nothing");
	desk_refuses(d, DUCHA, (struct command){.action = CMD_AMEND, .grid = "999999"}, "no grid");
	desk_refuses(d, DUCHA, (struct command){.action = CMD_AMEND, .address = "幸福里3号楼1单元101"}, "changes nothing");
}

static void a_sealed_case_is_put_right_without_a_word_of_its_place(void **state)
{
	struct desk *d = *state;

	desk_open(d, "井盖破损", "市政/井盖");
	d->c.visibility = VISIBLE_SEALED;
	d->c.title = d->c.category;
	d->c.place = NULL;
	desk_done_by(d, DUCHA, (struct command){.action = CMD_AMEND, .category = "物业/漏水", .address = "幸福里8号楼"});
	for (size_t i = 0; i < d->fx.events.n; i++)
		assert_null(strstr(d->fx.events.v[i].payload ? d->fx.events.v[i].payload : "", "幸福里"));
	assert_null(strstr(desk_kept(d, "amended", NULL)->note, "幸福里"));
	assert_null(strstr(desk_kept(d, "amended", NULL)->detail, "幸福里"));
	assert_string_equal(d->c.title, "物业/漏水");
	assert_null(d->c.place);
}

int main(void)
{
#define AT_DESK(name) cmocka_unit_test_setup_teardown(name, desk_set_up, desk_tear_down)
	const struct CMUnitTest tests[] = {
		AT_DESK(triage_has_a_time_of_its_own_and_supervision_hears_when_it_is_over),
		AT_DESK(handed_out_in_time_triage_is_not_late),
		AT_DESK(returns_are_counted_for_the_case_the_department_and_the_pair),
		AT_DESK(from_a_to_b_and_back_to_a_ends_there_and_the_attempt_is_on_record),
		AT_DESK(a_link_of_a_chain_may_be_returned_by_whom_it_was_routed_to),
		AT_DESK(where_evidence_is_asked_for_a_return_without_a_note_is_refused),
		AT_DESK(a_case_is_not_handed_round_in_a_circle),
		AT_DESK(a_rejected_case_is_closed_with_a_reason_that_all_hear),
		AT_DESK(a_rejected_case_that_is_dispatched_again_comes_back),
		AT_DESK(another_category_sends_the_case_where_a_new_one_would_go),
		AT_DESK(a_lead_puts_right_what_leaves_the_case_where_it_is),
		AT_DESK(the_limits_of_a_new_policy_count_from_where_the_leg_began_and_fire_again),
		AT_DESK(limits_that_were_granted_stay_when_a_case_is_put_right),
		AT_DESK(in_triage_the_right_category_hands_the_case_out),
		AT_DESK(what_people_handed_on_stays_there_when_something_else_is_put_right),
		AT_DESK(helpers_of_a_rule_that_no_longer_holds_are_recalled),
		AT_DESK(putting_right_needs_something_that_is_right_and_new),
		AT_DESK(a_sealed_case_is_put_right_without_a_word_of_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
