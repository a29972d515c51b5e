#pragma once
/*
 * One case of 城管办 in an office with working hours, and what may happen to it: for the tests of the
 * lifecycle that count working time. Supports: 环卫所. Supervisor: 督查室, triage: 党政办.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/life/clocks.h"
#include "core/life/event.h"
#include "unit/office_fixture.h"
#include "unit/office_hours.h"

struct world {
	struct fixture f;
	struct office_hours hours;
	struct escalation ladder;
	struct step steps[5];
	struct reply_text replies[2];
	struct case_record c;
	struct effects fx;
	int64_t now;
};

static inline struct deadline deadline(struct world *w, const char *text)
{
	struct deadline d;
	struct err e;
	size_t where;

	assert_int_equal(deadline_parse(text, &w->f.arena, &d, &where, &e), 0);
	return d;
}

static inline void world_clock(struct world *w, enum clock_name k, const char *text)
{
	w->f.policies[0].has[k] = true;
	w->f.policies[0].clock[k] = deadline(w, text);
	w->f.policies[0].text[k] = text;
}

static inline void world_policy(struct world *w)
{
	struct department *ducha = &w->f.departments[DUCHA];

	world_clock(w, CLOCK_ACCEPT, "4 工作小时");
	world_clock(w, CLOCK_CONTACT, "48 小时");
	world_clock(w, CLOCK_RESOLVE, "5 工作日");
	world_clock(w, CLOCK_FEEDBACK, "2 工作日");
	w->steps[0] = (struct step){.text = "accept 逾期", .when = STEP_AFTER, .clock = CLOCK_ACCEPT, .act = DO_REMIND};
	w->steps[1] = (struct step){.text = "resolve 到期前 4 工作小时", .when = STEP_BEFORE, .clock = CLOCK_RESOLVE,
				    .has_span = true, .span = deadline(w, "4 工作小时"), .act = DO_REMIND};
	w->steps[2] = (struct step){.text = "resolve 逾期", .when = STEP_AFTER, .clock = CLOCK_RESOLVE,
				    .act = DO_RAISE, .to = TO_LEADER, .level = 1};
	w->steps[3] = (struct step){.text = "resolve 逾期 1 工作日", .when = STEP_AFTER, .clock = CLOCK_RESOLVE,
				    .has_span = true, .span = deadline(w, "1 工作日"), .act = DO_SUPERVISE, .to = TO_DEPT,
				    .dept = ducha, .has_within = true, .within = deadline(w, "2 工作日"), .level = 2,
				    .note = "限时督办"};
	w->steps[4] = (struct step){.text = "feedback 逾期", .when = STEP_AFTER, .clock = CLOCK_FEEDBACK,
				    .act = DO_SUPERVISE, .to = TO_DEPT, .dept = ducha, .level = 2, .note = "限时反馈"};
	w->ladder = (struct escalation){.name = "标准", .steps = w->steps, .n_steps = 5};
	w->f.policies[0].escalation = &w->ladder;
	w->f.policies[0].calendar = &w->hours.cal;
	w->f.office.default_calendar = &w->hours.cal;
	map_put(&w->f.office.calendar_by_name, "机关", &w->hours.cal);
}

static inline void world_life(struct world *w)
{
	w->replies[0] = (struct reply_text){"extended", "{case} 延期至 {due}：{reason}"};
	w->f.office.life = (struct lifecycle){
		.triage = &w->f.departments[DANGZHENG], .closing = CLOSE_SATISFIED, .closing_window = deadline(w, "7 自然日"),
		.unrated_close = true, .again_second = "supervise", .again_third = "leader",
		.supervisor = &w->f.departments[DUCHA], .supervise_within = deadline(w, "1 工作日"),
		.extend_by = &w->f.departments[DUCHA], .extend_times = 1, .extend_max = deadline(w, "5 工作日"),
		.suspend_by = &w->f.departments[DANGZHENG], .suspend_max = deadline(w, "90 自然日"),
		.urges_per_day = 3, .urges_raise_after = 5, .replies = w->replies, .n_replies = 1};
}

static inline void world_open(struct world *w, const char *when)
{
	static const struct department *supports[1];
	struct report r = {.channel = &w->f.channels[HOTLINE], .source = "h1", .id = "GD1", .text = "井盖破损", .shadow = "",
			   .category = "市政/井盖"};
	struct decision d = {.source = ROUTE_CATEGORY, .visibility = VISIBLE_MASKED, .why = "category",
			     .dept = &w->f.departments[CHENGGUAN], .supports = supports, .n_supports = 1,
			     .policy = &w->f.policies[0]};

	supports[0] = &w->f.departments[HUANWEI];
	w->now = r.received_at = at(when);
	life_open(&w->f.office, &r, &d, "JYL261120000001", w->now, &w->f.message, &w->c, &w->fx);
	w->c.supports.v[0].done = true;
}

static inline int world_set_up(void **state)
{
	struct world *w = mem_alloc(sizeof(*w));

	fixture_init(&w->f);
	office_hours_init(&w->hours);
	world_policy(w);
	world_life(w);
	world_open(w, "2026-11-20 09:00");      /* a Friday: accept 14:30, resolve 11-27 17:30 */
	*state = w;
	return 0;
}

static inline int world_tear_down(void **state)
{
	struct world *w = *state;

	map_done(&w->f.office.calendar_by_name);
	arena_done(&w->hours.arena);
	fixture_done(&w->f);
	free(w);
	return 0;
}

static inline int world_do(struct world *w, enum fixture_dept dept, struct command cmd)
{
	struct action act = {.what = (enum life_action)(LIFE_COMMAND + (int)cmd.action), .command = &cmd};

	cmd.dept = &w->f.departments[dept];
	if (!cmd.request)
		cmd.request = "r";
	if (!cmd.until)
		cmd.until = MOMENT_NONE;
	cmd.case_number = w->c.number;
	return life_step(&w->f.office, &w->c, &act, w->now, &w->f.message, &w->fx);
}

static inline void world_done(struct world *w, enum fixture_dept dept, struct command cmd)
{
	if (world_do(w, dept, cmd))
		fail_msg("%s of %s was refused: %s", command_action_names[cmd.action], w->f.departments[dept].id, w->fx.refused);
}

static inline void world_report(struct world *w, enum life_action what, enum score score)
{
	struct report r = {.channel = &w->f.channels[HOTLINE], .source = "h1", .id = "X", .shadow = "", .text = "还没修好",
			   .score = score, .delivered_ok = true, .received_at = w->now};

	assert_int_equal(life_step(&w->f.office, &w->c, &(struct action){.what = what, .report = &r}, w->now, &w->f.message, &w->fx), 0);
}

static inline void world_tick(struct world *w, const char *when)
{
	w->now = at(when);
	assert_int_equal(life_step(&w->f.office, &w->c, &(struct action){.what = LIFE_TICK}, w->now, &w->f.message, &w->fx), 0);
}

/* What this step told a department, or NULL. */
static __attribute__((noinline, unused)) const struct event_row *told(const struct world *w, const char *kind,
								       const char *target)
{
	for (size_t i = 0; i < w->fx.events.n; i++) {
		const struct event_row *ev = &w->fx.events.v[i];

		if (ev->kind && strcmp(ev->kind, kind) == 0 && strcmp(ev->target, target) == 0)
			return ev;
	}
	return NULL;
}

static __attribute__((noinline, unused)) const struct history_row *happened(const struct world *w, const char *kind)
{
	for (size_t i = 0; i < w->fx.history.n; i++)
		if (strcmp(w->fx.history.v[i].kind, kind) == 0)
			return &w->fx.history.v[i];
	return NULL;
}

static inline const char *replied(const struct world *w, const char *kind)
{
	for (size_t i = 0; i < w->fx.events.n; i++)
		if (strncmp(w->fx.events.v[i].target, "out/", 4) == 0 && strcmp(w->fx.events.v[i].target + 4, kind) == 0)
			return w->fx.events.v[i].payload;
	return NULL;
}

/* The history of this step in one line: "granted deadline_revised". */
static inline const char *kinds(const struct world *w, char text[256])
{
	text[0] = '\0';
	for (size_t i = 0; i < w->fx.history.n; i++)
		snprintf(text + strlen(text), 256 - strlen(text), "%s%s", i ? " " : "", w->fx.history.v[i].kind);
	return text;
}

static inline void assert_moment(int64_t is, const char *wanted)
{
	char text[MOMENT_TEXT];

	assert_string_equal(is == MOMENT_NONE ? "none" : moment_human(is, false, text), wanted);
}

#define LIVES(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
