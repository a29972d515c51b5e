#pragma once
/*
 * A case at the hands of the fixture's departments, for the tests of what several bodies do with it: 井盖 is 城管办's,
 * 漏水 is 物业办's, the rule 垃圾 is 环卫所's. Round the clock, so that times are plain sums.
 *
 *	struct desk d;
 *	desk_init(&d);  desk_open(&d, "井盖破损", "市政/井盖");  …  desk_done(&d);
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "core/life/clocks.h"
#include "core/life/event.h"
#include "core/understand/text.h"
#include "unit/office_fixture.h"

#define MINUTE INT64_C(60000000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* What is not there is NULL: a test that goes on with it fails by it. Kept out of line, where gcc sees no such NULL. */
#define DESK_FIND static __attribute__((noinline, unused))

struct desk {
	struct fixture f;
	struct rule rules[1];
	struct copy_rule copies[1];
	const struct department *rule_supports[1], *copy_to[1];
	struct return_code returns[2];
	struct reply_text replies[5];
	struct report report;
	struct case_record c;
	struct effects fx;
	int64_t now;
};

static inline struct limit desk_limit(struct desk *d, const char *text)
{
	struct limit limit = {.set = true};
	struct err e;
	size_t at;

	assert_int_equal(deadline_parse(text, &d->f.arena, &limit.in, &at, &e), 0);
	return limit;
}

static inline void desk_policies(struct desk *d)
{
	static const char *const texts[3][N_CLOCKS] = {{"30 分钟", "1 小时", "48 小时", "2 小时"},
						       {"10 分钟", "20 分钟", "24 小时", "2 小时"},
						       {"5 分钟", "5 分钟", "2 小时", "2 小时"}};

	for (size_t i = 0; i < 3; i++)
		for (int k = 0; k < N_CLOCKS; k++) {
			struct policy *p = &d->f.policies[i];

			p->has[k] = true;
			p->text[k] = texts[i][k];
			p->clock[k] = desk_limit(d, texts[i][k]).in;
			p->support = desk_limit(d, "6 小时");
		}
}

static inline void desk_rules(struct desk *d)
{
	static const char *const words[] = {"垃圾"}, *const leaks[] = {"物业/漏水"};
	struct err e;

	d->rule_supports[0] = &d->f.departments[XUNFANG];
	d->copy_to[0] = &d->f.departments[YINGJI];
	d->rules[0] = (struct rule){.id = "垃圾", .when = WHEN(.any = {words, 1}), .until = MOMENT_NONE,
				    .then = THEN(.dept = &d->f.departments[HUANWEI], .supports = d->rule_supports,
						 .n_supports = 1)};
	d->copies[0] = (struct copy_rule){.id = "漏水抄送", .when = WHEN(.category = {leaks, 1}), .to = d->copy_to,
					  .n_to = 1};
	assert_int_equal(fixture_rules(&d->f, d->rules, 1, d->copies, 1, &e), 0);
}

static inline void desk_init(struct desk *d)
{
	struct lifecycle *life = &d->f.office.life;

	memset(d, 0, sizeof(*d));
	fixture_init(&d->f);
	desk_policies(d);
	desk_rules(d);
	d->returns[0] = (struct return_code){"not-ours", "非本部门职责"};
	d->returns[1] = (struct return_code){"no-place", "地点不明"};
	d->replies[0] = (struct reply_text){"registered", "已受理"};
	d->replies[1] = (struct reply_text){"progress", "进展：{answer}"};
	d->replies[2] = (struct reply_text){"resolved", "{answer}"};
	d->replies[3] = (struct reply_text){"ask_rating", "请评价"};
	d->replies[4] = (struct reply_text){"rejected", "不予受理：{reason}"};
	*life = (struct lifecycle){.triage = &d->f.departments[DANGZHENG], .closing = CLOSE_SATISFIED,
				   .closing_window = desk_limit(d, "168 小时").in, .unrated_close = true,
				   .supervisor = &d->f.departments[DUCHA], .returns = d->returns, .n_returns = 2,
				   .arbitrate_after = 3, .return_within = desk_limit(d, "4 小时"),
				   .whistle_within = desk_limit(d, "30 分钟"), .consult_within = desk_limit(d, "24 小时"),
				   .urges_per_day = 3, .replies = d->replies, .n_replies = 5};
	assert_true(moment_parse("2026-11-20 08:30", &d->now));
}

static inline void desk_done(struct desk *d)
{
	fixture_done(&d->f);
}

/* A report comes in and is decided as in production. */
static inline void desk_open(struct desk *d, const char *text, const char *category)
{
	struct decision decision;

	d->report = (struct report){.channel = &d->f.channels[HOTLINE], .source = "h1", .id = "GD1", .text = text,
				    .shadow = text_shadow(&d->f.arena, text), .category = category, .urgency = -1,
				    .name = "李建国", .address = "幸福里3号楼2单元501", .received_at = d->now, .time = d->now};
	report_locate(&d->f.office, &d->f.arena, &d->report);
	route(&d->f.office, &d->report, &d->f.arena, 0, &decision);
	life_open(&d->f.office, &d->report, &decision, "JYL261120000001", d->now, &d->f.message, &d->c, &d->fx);
}

static inline int desk_do(struct desk *d, enum fixture_dept dept, struct command cmd)
{
	struct action act = {.what = (enum life_action)(LIFE_COMMAND + (int)cmd.action), .command = &cmd, .report = &d->report};

	cmd.dept = &d->f.departments[dept];
	cmd.request = "r";
	cmd.case_number = d->c.number;
	if (!cmd.until)
		cmd.until = MOMENT_NONE;
	if (!cmd.at)
		cmd.at = MOMENT_NONE;
	return life_step(&d->f.office, &d->c, &act, d->now, &d->f.message, &d->fx);
}

/* For rows of a test: what must be done, or refused with these words in the sentence. */
static inline void desk_done_by(struct desk *d, enum fixture_dept dept, struct command cmd)
{
	if (desk_do(d, dept, cmd) != 0)
		fail_msg("refused: %s", d->fx.refused);
}

static inline void desk_refuses(struct desk *d, enum fixture_dept dept, struct command cmd, const char *says)
{
	struct case_record before = d->c;

	assert_int_equal(desk_do(d, dept, cmd), LIFE_REFUSED);
	if (!strstr(d->fx.refused, says))
		fail_msg("«%s» does not say «%s»", d->fx.refused, says);
	before.seq = d->c.seq;  /* the attempt may be on record */
	assert_memory_equal(&before, &d->c, sizeof(before));
	assert_int_equal(d->fx.events.n + d->fx.queue.n, 0);
}

static inline void desk_tick(struct desk *d, int64_t later)
{
	d->now += later;
	assert_int_equal(life_step(&d->f.office, &d->c, &(struct action){.what = LIFE_TICK}, d->now, &d->f.message, &d->fx), 0);
}

static inline void desk_rate(struct desk *d, enum score score)
{
	struct report r = {.channel = &d->f.channels[HOTLINE], .source = "h1", .id = "X", .shadow = "", .score = score};

	assert_int_equal(life_step(&d->f.office, &d->c, &(struct action){.what = LIFE_RATE, .report = &r}, d->now, &d->f.message, &d->fx), 0);
}

/* Of the last step: the event for a department, a reply, a place in a queue, a history row of a kind; or NULL. */
DESK_FIND const struct event_row *desk_told(const struct desk *d, const char *kind, const char *target)
{
	for (size_t i = 0; i < d->fx.events.n; i++)
		if (d->fx.events.v[i].kind && strcmp(d->fx.events.v[i].kind, kind) == 0 &&
		    strcmp(d->fx.events.v[i].target, target) == 0)
			return &d->fx.events.v[i];
	return NULL;
}

DESK_FIND const char *desk_replied(const struct desk *d, const char *kind)
{
	for (size_t i = 0; i < d->fx.events.n; i++)
		if (strncmp(d->fx.events.v[i].target, "out/", 4) == 0 && strcmp(d->fx.events.v[i].target + 4, kind) == 0)
			return d->fx.events.v[i].payload;
	return NULL;
}

DESK_FIND const struct queue_row *desk_queued(const struct desk *d, const char *dept)
{
	for (size_t i = 0; i < d->fx.queue.n; i++)
		if (strcmp(d->fx.queue.v[i].department, dept) == 0)
			return &d->fx.queue.v[i];
	return NULL;
}

DESK_FIND const struct history_row *desk_kept(const struct desk *d, const char *kind, const char *dept)
{
	for (size_t i = 0; i < d->fx.history.n; i++)
		if (strcmp(d->fx.history.v[i].kind, kind) == 0 &&
		    (!dept || (d->fx.history.v[i].department && strcmp(d->fx.history.v[i].department, dept) == 0)))
			return &d->fx.history.v[i];
	return NULL;
}

static inline int desk_set_up(void **state)
{
	struct desk *d = mem_alloc(sizeof(*d));

	desk_init(d);
	*state = d;
	return 0;
}

static inline int desk_tear_down(void **state)
{
	desk_done(*state);
	free(*state);
	return 0;
}
