/* The life of a case: every cell of the table, the verbs one by one, the ladder, and random walks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/life/clocks.h"
#include "core/life/event.h"
#include "unit/office_fixture.h"

#define MINUTE INT64_C(60000000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

struct world {
	struct fixture f;
	struct escalation ladder;
	struct step steps[5];
	struct return_code returns[2];
	struct reply_text replies[4];
	struct report report;
	struct case_record c;
	struct effects fx;
	int64_t now;
	int walked;
};

static struct deadline deadline(struct world *w, const char *text)
{
	struct deadline d;
	struct err e;
	size_t at;

	assert_int_equal(deadline_parse(text, &w->f.arena, &d, &at, &e), 0);
	return d;
}

static void add_ladder(struct world *w)
{
	struct department *ducha = &w->f.departments[DUCHA];

	w->steps[0] = (struct step){.text = "accept 逾期", .when = STEP_AFTER, .clock = CLOCK_ACCEPT,
				    .act = DO_REMIND, .to = TO_LEAD};
	w->steps[1] = (struct step){.text = "resolve 到期前 4 小时", .when = STEP_BEFORE, .clock = CLOCK_RESOLVE,
				    .has_span = true, .span = deadline(w, "4 小时"), .act = DO_REMIND, .to = TO_LEAD};
	w->steps[2] = (struct step){.text = "resolve 逾期", .when = STEP_AFTER, .clock = CLOCK_RESOLVE,
				    .act = DO_RAISE, .to = TO_LEADER, .level = 1};
	w->steps[3] = (struct step){.text = "resolve 逾期 1 小时", .when = STEP_AFTER, .clock = CLOCK_RESOLVE,
				    .has_span = true, .span = deadline(w, "1 小时"), .act = DO_SUPERVISE,
				    .to = TO_DEPT, .dept = ducha, .level = 2};
	w->steps[4] = (struct step){.text = "unassigned 2 小时", .when = STEP_UNASSIGNED, .has_span = true,
				    .span = deadline(w, "2 小时"), .act = DO_NOTIFY, .to = TO_DEPT, .dept = ducha,
				    .level = 3};
	w->ladder = (struct escalation){.name = "标准", .steps = w->steps, .n_steps = 5};
}

static void add_policies(struct world *w)
{
	static const char *const texts[N_CLOCKS] = {"30 分钟", "1 小时", "24 小时", "2 小时"};

	for (size_t i = 0; i < ARRAY_LEN(w->f.policies); i++) {
		w->f.policies[i].escalation = &w->ladder;
		for (int k = 0; k < N_CLOCKS; k++) {
			w->f.policies[i].has[k] = true;
			w->f.policies[i].clock[k] = deadline(w, texts[k]);
		}
	}
}

static void add_life(struct world *w)
{
	struct lifecycle *life = &w->f.office.life;

	w->returns[0] = (struct return_code){"not-ours", "非本部门职责"};
	w->returns[1] = (struct return_code){"no-place", "地点不明"};
	w->replies[0] = (struct reply_text){"registered", "已受理，编号 {case}"};
	w->replies[1] = (struct reply_text){"resolved", "{answer}"};
	w->replies[2] = (struct reply_text){"ask_rating", "请评价"};
	w->replies[3] = (struct reply_text){"closed", ""};
	*life = (struct lifecycle){.triage = &w->f.departments[DANGZHENG], .closing = CLOSE_SATISFIED,
				   .closing_window = deadline(w, "168 小时"), .unrated_close = true,
				   .supervisor = &w->f.departments[DUCHA], .supervise_within = deadline(w, "24 小时"),
				   .extend_by = &w->f.departments[DUCHA], .extend_times = 1,
				   .extend_max = deadline(w, "48 小时"), .suspend_by = &w->f.departments[DANGZHENG],
				   .suspend_max = deadline(w, "720 小时"), .returns = w->returns, .n_returns = 2,
				   .arbitrate_after = 2, .urges_per_day = 2, .replies = w->replies, .n_replies = 4};
}

/* A case of 城管办, with 环卫所 as support, just assigned. */
static void open_case(struct world *w)
{
	static const struct department *supports[1];
	struct decision d = {.source = ROUTE_CATEGORY, .urgency = URGENCY_NORMAL, .visibility = VISIBLE_MASKED,
			     .why = "category 市政/井盖"};

	supports[0] = &w->f.departments[HUANWEI];
	d.dept = &w->f.departments[CHENGGUAN];
	d.supports = supports;
	d.n_supports = 1;
	d.policy = &w->f.policies[0];
	w->report = (struct report){.channel = &w->f.channels[HOTLINE], .source = "h1", .id = "GD1",
				    .text = "井盖破损，请找李建国13812345678", .name = "李建国", .shadow = "",
				    .category = "市政/井盖", .address = "幸福里3号楼2单元501", .received_at = w->now};
	life_open(&w->f.office, &w->report, &d, "JYL261120000001", w->now, &w->f.message, &w->c, &w->fx);
}

static int set_up(void **state)
{
	struct world *w = mem_alloc(sizeof(*w));

	fixture_init(&w->f);
	add_ladder(w);
	add_policies(w);
	add_life(w);
	assert_true(moment_parse("2026-11-20 08:30", &w->now));
	open_case(w);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	fixture_done(&w->f);
	free(w);
	return 0;
}

static int command(struct world *w, enum fixture_dept dept, struct command cmd)
{
	struct action act = {.what = (enum life_action)(LIFE_COMMAND + (int)cmd.action), .command = &cmd};

	cmd.dept = &w->f.departments[dept];
	cmd.request = "r";
	cmd.case_number = w->c.number;
	return life_step(&w->f.office, &w->c, &act, w->now, &w->f.message, &w->fx);
}

static int reporter(struct world *w, enum life_action what, enum score score)
{
	struct report r = {.channel = &w->f.channels[HOTLINE], .source = "h1", .id = "X", .shadow = "",
			   .text = "还没修好", .score = score, .delivered_ok = true, .received_at = w->now};

	return life_step(&w->f.office, &w->c, &(struct action){.what = what, .report = &r}, w->now, &w->f.message, &w->fx);
}

static int tick(struct world *w, int64_t at)
{
	w->now = at;
	return life_step(&w->f.office, &w->c, &(struct action){.what = LIFE_TICK}, w->now, &w->f.message, &w->fx);
}

static __attribute__((noinline)) const struct event_row *told(const struct world *w, const char *kind, const char *target)
{
	for (size_t i = 0; i < w->fx.events.n; i++) {
		const struct event_row *ev = &w->fx.events.v[i];

		if (ev->kind && strcmp(ev->kind, kind) == 0 && strcmp(ev->target, target) == 0)
			return ev;
	}
	return NULL;
}

static __attribute__((noinline)) const struct queue_row *queued(const struct world *w, const char *dept)
{
	for (size_t i = 0; i < w->fx.queue.n; i++)
		if (strcmp(w->fx.queue.v[i].department, dept) == 0)
			return &w->fx.queue.v[i];
	return NULL;
}

static __attribute__((noinline)) const char *replied(const struct world *w, const char *kind)
{
	for (size_t i = 0; i < w->fx.events.n; i++)
		if (strncmp(w->fx.events.v[i].target, "out/", 4) == 0 &&
		    strcmp(w->fx.events.v[i].target + 4, kind) == 0)
			return w->fx.events.v[i].payload;
	return NULL;
}

/* ---- the verbs -------------------------------------------------------------------------------- */
static void a_new_case_is_told_to_its_lead_and_its_support(void **state)
{
	struct world *w = *state;

	assert_int_equal(w->fx.history.n, 2);
	assert_int_equal(w->fx.history.v[0].seq, 1);
	assert_string_equal(w->fx.history.v[0].kind, "assigned");
	assert_non_null(told(w, "assigned", "chengguan"));
	assert_int_equal(told(w, "assigned", "chengguan")->prev, 0);
	assert_string_equal(told(w, "assigned", "huanwei")->role, "support");
	assert_true(queued(w, "chengguan")->present);
	assert_string_equal(queued(w, "huanwei")->role, "support");
	assert_non_null(strstr(replied(w, "registered"), "已受理，编号 JYL261120000001"));
	assert_int_equal(w->c.leg.due[CLOCK_ACCEPT], w->now + 30 * MINUTE);
	assert_int_equal(w->c.leg.due[CLOCK_FEEDBACK], MOMENT_NONE);
	assert_int_equal(w->fx.wake_at, w->now + 30 * MINUTE);
}

static void cards_and_events_hold_no_name_phone_or_flat(void **state)
{
	struct world *w = *state;
	const char *texts[] = {queued(w, "chengguan")->card, told(w, "assigned", "chengguan")->payload};

	for (size_t i = 0; i < 2; i++) {
		assert_null(strstr(texts[i], "李建国"));
		assert_null(strstr(texts[i], "13812345678"));
		assert_null(strstr(texts[i], "501"));
		assert_non_null(strstr(texts[i], "井盖破损"));
	}
}

static void from_accept_to_closed_by_a_satisfied_reporter(void **state)
{
	struct world *w = *state;

	assert_int_equal(command(w, CHENGGUAN, (struct command){.action = CMD_ACCEPT, .by = "wang"}), 0);
	assert_int_equal(w->c.state, STATE_ACCEPTED);
	assert_string_equal(w->fx.history.v[0].by, "wang");
	assert_int_equal(told(w, "accepted", "chengguan")->prev, 1);
	assert_int_equal(command(w, CHENGGUAN, (struct command){.action = CMD_CONTACT}), 0);
	assert_int_equal(w->c.leg.met[CLOCK_CONTACT], w->now);
	assert_int_equal(command(w, HUANWEI, (struct command){.action = CMD_SUPPORT_DONE}), 0);
	assert_false(queued(w, "huanwei")->present);
	assert_int_equal(command(w, CHENGGUAN, (struct command){.action = CMD_RESOLVE, .answer = "已更换"}), 0);
	assert_int_equal(w->c.state, STATE_RESOLVED);
	assert_false(queued(w, "chengguan")->present);
	assert_non_null(strstr(replied(w, "resolved"), "已更换"));
	assert_non_null(replied(w, "ask_rating"));
	assert_int_equal(w->c.leg.due[CLOCK_FEEDBACK], w->now + 2 * HOUR);
	assert_int_equal(reporter(w, LIFE_RATE, SCORE_SATISFIED), 0);
	assert_int_equal(w->c.state, STATE_CLOSED);
	assert_int_equal(w->fx.wake_at, MOMENT_NONE);
	assert_null(replied(w, "closed"));      /* its text is empty: this office does not say it */
}

static void a_returned_case_goes_to_triage_and_on(void **state)
{
	struct world *w = *state;
	int64_t resolve = w->c.leg.due[CLOCK_RESOLVE];

	assert_int_equal(command(w, CHENGGUAN, (struct command){.action = CMD_RETURN, .reason = "not-ours"}), 0);
	assert_int_equal(w->c.state, STATE_TRIAGE);
	assert_int_equal(w->c.returns, 1);
	assert_string_equal(queued(w, "dangzheng")->role, "triage");
	assert_false(queued(w, "chengguan")->present);
	assert_non_null(told(w, "returned", "dangzheng"));
	assert_non_null(told(w, "assigned", "dangzheng"));
	w->now += HOUR;
	assert_int_equal(command(w, DANGZHENG, (struct command){.action = CMD_TRANSFER, .to = "wuye"}), 0);
	assert_string_equal(w->c.lead, "wuye");
	assert_non_null(told(w, "recalled", "dangzheng"));
	assert_int_equal(told(w, "assigned", "wuye")->prev, 0);
	assert_int_equal(w->c.leg.due[CLOCK_RESOLVE], resolve);
	assert_int_equal(w->c.leg.due[CLOCK_ACCEPT], w->now + 30 * MINUTE);
}

static void what_was_returned_twice_may_not_be_returned_again(void **state)
{
	struct world *w = *state;
	const struct command back = {.action = CMD_RETURN, .reason = "not-ours"};

	assert_int_equal(command(w, CHENGGUAN, back), 0);
	assert_int_equal(command(w, DANGZHENG, (struct command){.action = CMD_TRANSFER, .to = "wuye"}), 0);
	assert_int_equal(command(w, WUYE, back), 0);
	assert_int_equal(command(w, DANGZHENG, (struct command){.action = CMD_TRANSFER, .to = "chengguan"}), 0);
	assert_int_equal(command(w, CHENGGUAN, back), LIFE_REFUSED);
}

static void dissatisfied_is_handled_again_on_a_new_leg(void **state)
{
	struct world *w = *state;

	assert_int_equal(command(w, CHENGGUAN, (struct command){.action = CMD_ACCEPT}), 0);
	assert_int_equal(command(w, DUCHA, (struct command){.action = CMD_LIFT, .to = "huanwei"}), 0);
	assert_int_equal(command(w, CHENGGUAN, (struct command){.action = CMD_RESOLVE, .answer = "好了"}), 0);
	w->now += DAY;
	assert_int_equal(reporter(w, LIFE_RATE, SCORE_DISSATISFIED), 0);
	assert_int_equal(w->c.state, STATE_ASSIGNED);
	assert_int_equal(w->c.leg.n, 2);
	assert_int_equal(w->c.leg.due[CLOCK_RESOLVE], w->now + DAY);
	assert_int_equal(w->fx.legs.n, 1);
	assert_true(queued(w, "chengguan")->present);
	assert_non_null(told(w, "reopened", "chengguan"));
}

static void after_the_window_an_unrated_case_closes_and_late_ratings_are_kept(void **state)
{
	struct world *w = *state;

	assert_int_equal(command(w, CHENGGUAN, (struct command){.action = CMD_ACCEPT}), 0);
	assert_int_equal(command(w, HUANWEI, (struct command){.action = CMD_SUPPORT_DONE}), 0);
	assert_int_equal(command(w, CHENGGUAN, (struct command){.action = CMD_RESOLVE, .answer = "好了"}), 0);
	assert_int_equal(w->fx.wake_at, w->now + 2 * HOUR);     /* nobody says that the reporter has heard of it */
	assert_int_equal(tick(w, w->now + 2 * HOUR), 0);
	assert_non_null(told(w, "overdue", "chengguan"));
	assert_int_equal(w->fx.wake_at, w->c.resolved_at + 7 * DAY);
	assert_int_equal(tick(w, w->c.resolved_at + 7 * DAY), 0);
	assert_int_equal(w->c.state, STATE_CLOSED);
	assert_string_equal(w->c.close_reason, "unrated");
	w->now += 1;
	assert_int_equal(reporter(w, LIFE_RATE, SCORE_DISSATISFIED), 0);
	assert_int_equal(w->c.state, STATE_CLOSED);
	assert_non_null(w->fx.note);
}

static void urges_over_the_days_limit_are_recorded_but_not_forwarded(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(reporter(w, LIFE_URGE, SCORE_SATISFIED), 0);
		assert_non_null(told(w, "urged", "chengguan"));
	}
	assert_int_equal(reporter(w, LIFE_URGE, SCORE_SATISFIED), 0);
	assert_null(told(w, "urged", "chengguan"));
	assert_int_equal(w->fx.history.n, 1);
	assert_non_null(w->fx.note);
	w->now += DAY;
	assert_int_equal(reporter(w, LIFE_URGE, SCORE_SATISFIED), 0);
	assert_non_null(told(w, "urged", "chengguan"));
}

/* ---- refusals --------------------------------------------------------------------------------- */
static void every_refusal_is_a_sentence_and_changes_nothing(void **state)
{
	static const char *const two[] = {"huanwei", "wuye"};
	static const struct {
		enum fixture_dept dept;
		struct command cmd;
		const char *says;
	} rows[] = {
		{WUYE, {.action = CMD_ACCEPT}, "not in the queue of 物业办"},
		{WUYE, {.action = CMD_GET}, "not in the queue of 物业办"},
		{CHENGGUAN, {.action = CMD_RESOLVE, .answer = "x"}, "accepted first"},
		{HUANWEI, {.action = CMD_ACCEPT}, "not in the queue of 环卫所"},
		{CHENGGUAN, {.action = CMD_RETURN}, "'reason'"},
		{CHENGGUAN, {.action = CMD_RETURN, .reason = "lazy"}, "no reason code"},
		{CHENGGUAN, {.action = CMD_TRANSFER, .to = "wuye"}, "only triage"},
		{DANGZHENG, {.action = CMD_TRANSFER, .to = "nobody"}, "id of a department"},
		{DANGZHENG, {.action = CMD_TRANSFER, .to = "chengguan"}, "has the case already"},
		{CHENGGUAN, {.action = CMD_SUPPORT_DONE}, "no task"},
		{CHENGGUAN, {.action = CMD_LIFT, .to = "huanwei"}, "only a supervisor"},
		{DUCHA, {.action = CMD_LIFT, .to = "wuye"}, "whose task is open"},
		{DUCHA, {.action = CMD_LIFT, .departments = two, .n_departments = 2}, "one task at a time"},
		{CHENGGUAN, {.action = CMD_WHISTLE}, "'departments'"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct case_record before = w->c;

		assert_int_equal(command(w, rows[i].dept, rows[i].cmd), LIFE_REFUSED);
		if (!strstr(w->fx.refused, rows[i].says))
			fail_msg("row %zu: «%s» does not say «%s»", i, w->fx.refused, rows[i].says);
		assert_memory_equal(&before, &w->c, sizeof(before));
		assert_int_equal(w->fx.history.n + w->fx.events.n + w->fx.queue.n, 0);
	}
}

static void an_officer_that_the_department_does_not_have_is_refused(void **state)
{
	static const struct officer officers[] = {{"wang", "王某"}};
	struct world *w = *state;

	w->f.departments[CHENGGUAN].officers = officers;
	w->f.departments[CHENGGUAN].n_officers = 1;
	assert_int_equal(command(w, CHENGGUAN, (struct command){.action = CMD_ACCEPT, .by = "zhao"}), LIFE_REFUSED);
	assert_int_equal(command(w, CHENGGUAN, (struct command){.action = CMD_ACCEPT, .by = "wang"}), 0);
}

static void the_lead_cannot_resolve_while_a_support_works(void **state)
{
	struct world *w = *state;

	assert_int_equal(command(w, CHENGGUAN, (struct command){.action = CMD_ACCEPT}), 0);
	assert_int_equal(command(w, CHENGGUAN, (struct command){.action = CMD_RESOLVE, .answer = "x"}), LIFE_REFUSED);
	assert_non_null(strstr(w->fx.refused, "huanwei"));
}

/* ---- the ladder ------------------------------------------------------------------------------- */
static void limits_and_steps_come_in_their_order(void **state)
{
	static const struct {
		int64_t after;
		const char *kind, *target;
	} rows[] = {
		{30 * MINUTE, "overdue", "chengguan"}, {30 * MINUTE, "reminded", "chengguan"},
		{HOUR, "overdue", "chengguan"},        {20 * HOUR, "due_soon", "chengguan"},
		{24 * HOUR, "overdue", "chengguan"},   {24 * HOUR, "escalated", "chengguan"},
		{25 * HOUR, "supervised", "ducha"},    {49 * HOUR, "overdue", "ducha"},
		{49 * HOUR, "escalated", "dangzheng"},
	};
	struct world *w = *state;
	int64_t start = w->now;
	size_t at = 0;

	for (int64_t t = start; t <= start + 60 * HOUR; t += MINUTE) {
		assert_int_equal(tick(w, t), 0);
		for (size_t i = 0; i < w->fx.history.n; i++, at++) {
			assert_true(at < ARRAY_LEN(rows));
			assert_string_equal(w->fx.history.v[i].kind, rows[at].kind);
			assert_int_equal(t - start, rows[at].after);
			assert_non_null(told(w, rows[at].kind, rows[at].target));
		}
	}
	assert_int_equal(at, ARRAY_LEN(rows));
	assert_int_equal(w->c.leg.level, 2);
}

static void a_jump_over_everything_does_each_thing_once_in_order_and_marks_it_late(void **state)
{
	struct world *w = *state;

	assert_int_equal(tick(w, w->now + 30 * DAY), 0);
	assert_int_equal(w->fx.history.n, 7);
	for (size_t i = 0; i < 7; i++)
		assert_non_null(strstr(w->fx.history.v[i].detail, "\"late\":true"));
	assert_string_equal(w->fx.history.v[6].kind, "supervised");
	/* An order is late when it has been in hand for its time, not for the time of the outage. */
	assert_int_equal(w->fx.wake_at, w->now + DAY);
	assert_int_equal(tick(w, w->now + DAY), 0);
	assert_int_equal(w->fx.history.n, 2);
	assert_string_equal(w->fx.history.v[1].kind, "escalated");
	assert_int_equal(tick(w, w->now + DAY), 0);
	assert_int_equal(w->fx.history.n, 0);
	assert_int_equal(w->fx.wake_at, MOMENT_NONE);
}

static void an_escalation_to_the_leader_also_reaches_the_superior(void **state)
{
	struct world *w = *state;

	assert_int_equal(tick(w, w->now + 24 * HOUR), 0);
	assert_string_equal(told(w, "escalated", "chengguan")->to, "leader");
	assert_int_equal(told(w, "escalated", "chengguan")->level, 1);
	assert_non_null(told(w, "escalated", "dangzheng"));
}

static void a_met_limit_is_not_overdue(void **state)
{
	struct world *w = *state;

	assert_int_equal(command(w, CHENGGUAN, (struct command){.action = CMD_ACCEPT}), 0);
	assert_int_equal(command(w, CHENGGUAN, (struct command){.action = CMD_CONTACT}), 0);
	assert_int_equal(w->fx.wake_at, w->now + 20 * HOUR);
	assert_int_equal(tick(w, w->now + 19 * HOUR), 0);
	assert_int_equal(w->fx.history.n, 0);
}

/* ---- the whole table -------------------------------------------------------------------------- */
static void every_cell_of_the_table_does_its_work_or_refuses_in_a_sentence(void **state)
{
	struct world *w = *state;
	const struct case_record fresh = w->c;

	for (int s = 0; s < N_CASE_STATE; s++)
		for (int a = 0; a < N_LIFE_ACTION; a++) {
			struct command cmd = {.dept = &w->f.departments[CHENGGUAN], .request = "r",
					      .case_number = "JYL261120000001", .answer = "好了", .note = "n",
					      .reason = "not-ours", .to = "wuye",
					      .action = a < LIFE_SUPPLEMENT ? (enum command_action)a : CMD_GET};
			struct report r = {.channel = &w->f.channels[HOTLINE], .id = "X", .shadow = "", .text = "t"};
			struct action act = {.what = (enum life_action)a, .command = &cmd, .report = &r, .other = &fresh, .other_number = fresh.number};
			int done;

			w->c = fresh;
			w->c.state = (enum case_state)s;
			w->c.supports.n = 0;
			done = life_step(&w->f.office, &w->c, &act, w->now, &w->f.message, &w->fx);
			assert_true(strlen(life_cell((enum case_state)s, (enum life_action)a)) > 0);
			assert_true(strlen(life_action_name((enum life_action)a)) > 0);
			/* A state that changes is an arrow of the table that needlectl prints (core/life/table.c). */
			if (w->c.state != (enum case_state)s && !life_moves((enum life_action)a, (enum case_state)s, w->c.state))
				fail_msg("no arrow: %s from %s to %s", life_action_name((enum life_action)a), case_state_names[s],
					 case_state_names[w->c.state]);
			if (done == LIFE_REFUSED)
				assert_true(strlen(w->fx.refused) > 20);
			else
				assert_int_equal(done, 0);
			for (size_t i = 0; i < w->fx.history.n; i++)
				assert_int_equal(w->fx.history.v[i].seq, fresh.seq + 1 + (int)i);
		}
}

/* ---- random walks ----------------------------------------------------------------------------- */
static uint32_t dice(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33) % n;
}

struct watcher {
	int told[N_FIXTURE_DEPTS];      /* seq of the last event of each department */
	bool in_queue[N_FIXTURE_DEPTS];
	int seq;
};

static size_t index_of(const struct world *w, const char *dept)
{
	for (size_t i = 0; i < N_FIXTURE_DEPTS; i++)
		if (strcmp(w->f.departments[i].id, dept) == 0)
			return i;
	return N_FIXTURE_DEPTS;
}

/* What any consumer may rely on, after any step. */
static void watch(const struct world *w, struct watcher *v)
{
	size_t leads = 0;

	for (size_t i = 0; i < w->fx.history.n; i++)
		assert_int_equal(w->fx.history.v[i].seq, ++v->seq);
	for (size_t i = 0; i < w->fx.events.n; i++) {
		const struct event_row *ev = &w->fx.events.v[i];
		size_t dept = index_of(w, ev->target);

		if (!ev->kind || dept == N_FIXTURE_DEPTS)
			continue;
		assert_int_equal(ev->prev, v->told[dept]);
		assert_true(ev->seq > ev->prev);
		v->told[dept] = ev->seq;
	}
	for (size_t i = 0; i < w->fx.queue.n; i++)
		v->in_queue[index_of(w, w->fx.queue.v[i].department)] = w->fx.queue.v[i].present;
	for (size_t i = 0; i < N_FIXTURE_DEPTS; i++) {
		bool lead = strcmp(w->c.lead, w->f.departments[i].id) == 0, support = false;

		for (size_t k = 0; k < w->c.supports.n; k++)
			support |= !w->c.supports.v[k].done &&
				   strcmp(w->c.supports.v[k].dept, w->f.departments[i].id) == 0;
		leads += lead;
		assert_int_equal(v->in_queue[i],
				 (lead || support) && w->c.state != STATE_RESOLVED && w->c.state != STATE_CLOSED);
	}
	assert_int_equal(leads, 1);
	if (w->c.state == STATE_CLOSED)
		assert_true(w->c.closed_at != MOMENT_NONE && w->c.close_reason);
}

static void random_step(struct world *w, uint64_t *seed)
{
	static const char *const texts[] = {NULL, "好了", "not-ours", "wuye", "chengguan", "huanwei", "nobody"};
	struct command cmd = {.action = (enum command_action)dice(seed, N_COMMAND_ACTION),
			      .answer = texts[dice(seed, 2)], .note = texts[dice(seed, 2)],
			      .reason = texts[dice(seed, 3)], .to = texts[dice(seed, 7)]};
	enum life_action what = (enum life_action)(LIFE_SUPPLEMENT + dice(seed, LIFE_TICK - LIFE_SUPPLEMENT));

	w->now += (int64_t)dice(seed, 7200) * 1000000;
	switch (dice(seed, 4)) {
	case 0:
		reporter(w, what, (enum score)dice(seed, N_SCORE));
		break;
	case 1:
		tick(w, w->now);
		break;
	default:
		command(w, (enum fixture_dept)dice(seed, N_FIXTURE_DEPTS), cmd);
	}
}

static void random_walks_keep_what_a_consumer_relies_on(void **state)
{
	struct world *w = *state;
	uint64_t seed = 20261120;

	for (int walk = 0; walk < 400; walk++) {
		struct watcher v = {0};

		open_case(w);
		watch(w, &v);
		for (int i = 0; i < 60; i++) {
			random_step(w, &seed);
			watch(w, &v);
		}
		arena_reset(&w->f.message);
	}
}

int main(void)
{
#define LIVES(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		LIVES(a_new_case_is_told_to_its_lead_and_its_support),
		LIVES(cards_and_events_hold_no_name_phone_or_flat),
		LIVES(from_accept_to_closed_by_a_satisfied_reporter),
		LIVES(a_returned_case_goes_to_triage_and_on),
		LIVES(what_was_returned_twice_may_not_be_returned_again),
		LIVES(dissatisfied_is_handled_again_on_a_new_leg),
		LIVES(after_the_window_an_unrated_case_closes_and_late_ratings_are_kept),
		LIVES(urges_over_the_days_limit_are_recorded_but_not_forwarded),
		LIVES(every_refusal_is_a_sentence_and_changes_nothing),
		LIVES(an_officer_that_the_department_does_not_have_is_refused),
		LIVES(the_lead_cannot_resolve_while_a_support_works),
		LIVES(limits_and_steps_come_in_their_order),
		LIVES(a_jump_over_everything_does_each_thing_once_in_order_and_marks_it_late),
		LIVES(an_escalation_to_the_leader_also_reaches_the_superior),
		LIVES(a_met_limit_is_not_overdue),
		LIVES(every_cell_of_the_table_does_its_work_or_refuses_in_a_sentence),
		LIVES(random_walks_keep_what_a_consumer_relies_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
