/* The same matter: likeness of texts and places, the cells of a look-up, and the life of a case with several reporters. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "core/life/same.h"
#include "core/life/step.h"
#include "core/understand/text.h"
#include "unit/office_fixture.h"

#define HOUR INT64_C(3600000000)

struct world {
	struct fixture f;
	struct reply_text replies[3];
	struct case_record c;
	struct effects fx;
	int64_t now;
};

static int set_up(void **state)
{
	struct world *w = mem_alloc(sizeof(*w));
	struct lifecycle *life;
	struct err e;
	size_t at;

	fixture_init(&w->f);
	life = &w->f.office.life;
	w->replies[0] = (struct reply_text){"registered", "已受理 {case}"};
	w->replies[1] = (struct reply_text){"resolved", "{answer}"};
	w->replies[2] = (struct reply_text){"closed", "销号"};
	*life = (struct lifecycle){.triage = &w->f.departments[DANGZHENG], .supervisor = &w->f.departments[DUCHA],
				   .replies = w->replies, .n_replies = 3, .join_radius_m = 10, .join_grid_prefix = 12,
				   .join_auto = 0.85, .join_propose = 0.6, .urges_raise_after = 2};
	assert_int_equal(deadline_parse("504 小时", &w->f.arena, &life->join_within, &at, &e), 0);
	assert_int_equal(deadline_parse("168 小时", &w->f.arena, &life->closing_window, &at, &e), 0);
	assert_true(moment_parse("2026-11-20 08:30", &w->now));
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

static struct report report(struct world *w, const char *id, const char *text)
{
	return (struct report){.channel = &w->f.channels[HOTLINE], .source = "city", .id = id, .text = text, .shadow = "",
			       .known_category = &w->f.categories[1], .grid = "410106003007012", .received_at = w->now,
			       .lat = 0, .lon = 0};
}

static struct case_record open_case(struct world *w, const char *number, const struct report *r)
{
	struct decision d = {.source = ROUTE_CATEGORY, .urgency = URGENCY_NORMAL, .visibility = VISIBLE_MASKED, .why = "category",
			     .dept = &w->f.departments[CHENGGUAN], .policy = &w->f.policies[0]};
	struct case_record c;

	life_open(&w->f.office, r, &d, number, w->now, &w->f.message, &c, &w->fx);
	return c;
}

static struct matter matter(struct world *w, const struct report *r)
{
	struct matter m = {0};

	assert_true(matter_of(r, &w->f.message, &m));
	return m;
}

static double alike(struct world *w, const struct report *newer, const struct report *older)
{
	struct matter a = matter(w, newer), b = matter(w, older);

	return matter_alike(&w->f.office, &a, &b);
}

/* ---- texts ------------------------------------------------------------------------------------ */
static void texts_that_say_the_same_are_alike_and_others_are_not(void **state)
{
	(void)state;
	assert_true(text_alike("幸福里3号楼前井盖破损", "幸福里3号楼前井盖破损") > 0.999);
	assert_true(text_alike("幸福里3号楼前井盖破损。", "幸福里3号楼前,井盖破损") > 0.999);
	assert_true(text_alike("幸福里3号楼前的井盖破损了请尽快修理", "幸福里3号楼前井盖破损请尽快修理") > 0.8);
	assert_true(text_alike("井盖破损", "路灯不亮") < 0.01);
	assert_true(text_alike("漏水", "三楼卫生间漏水楼上不管物业也不管") < 0.2);
	assert_true(text_alike("", "井盖破损") < 0.01 && text_alike("", "") < 0.01);
	assert_true(text_alike("水", "水") > 0.999);
}

static void likeness_does_not_ask_which_came_first(void **state)
{
	static const char *const texts[] = {"幸福里3号楼前井盖破损", "井盖破损", "路灯不亮已经三天了", "", "a", "路灯不亮"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
			double one = text_alike(texts[i], texts[k]), other = text_alike(texts[k], texts[i]);

			assert_true(fabs(one - other) < 1e-12 && one >= 0 && one <= 1);
		}
}

static void another_house_is_another_matter_but_another_hour_is_not(void **state)
{
	(void)state;
	assert_true(text_numbers_agree("3号楼漏水", "3号楼漏水了"));
	assert_true(text_numbers_agree("3号楼2单元漏水", "3号楼漏水"));
	assert_true(text_numbers_agree("漏水", "3号楼漏水"));
	assert_false(text_numbers_agree("3号楼漏水", "5号楼漏水"));
	assert_false(text_numbers_agree("3号楼2单元", "3号楼1单元"));
	assert_true(text_numbers_agree("22点还在施工", "23点还在施工"));
}

static bool bits_may_agree(const char *a, const char *b)
{
	uint64_t x = text_number_bits(a), y = text_number_bits(b);

	return (x & y) == x || (x & y) == y;
}

/* The store leaves out whose bits disagree: it must never leave out one that agrees. */
static void what_the_bits_of_numbers_leave_out_does_not_agree(void **state)
{
	static const char *const parts[] = {"3号楼", "5号楼", "2单元", "1单元", "501", "漏水", "22点", "17号院", "1203室", ""};
	uint64_t seed = 3;
	size_t out = 0;

	(void)state;
	assert_false(bits_may_agree("3号楼漏水", "5号楼漏水"));
	assert_true(bits_may_agree("3号楼2单元漏水", "3号楼漏水"));
	for (int i = 0; i < 20000; i++) {
		char text[2][200];

		for (int t = 0; t < 2; t++) {
			const char *part[4];

			for (int k = 0; k < 4; k++) {
				seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
				part[k] = parts[(seed >> 33) % ARRAY_LEN(parts)];
			}
			snprintf(text[t], sizeof(text[t]), "%s%s%s%s", part[0], part[1], part[2], part[3]);
		}
		if (!bits_may_agree(text[0], text[1])) {
			assert_false(text_numbers_agree(text[0], text[1]));
			out++;
		}
	}
	assert_true(out > 1000);
}

/* ---- matters ---------------------------------------------------------------------------------- */
static void what_has_no_place_category_or_text_is_no_matter_nor_is_what_must_stay_apart(void **state)
{
	struct world *w = *state;
	struct report good = report(w, "A", "井盖破损"), r;
	struct matter m;

	assert_true(matter_of(&good, &w->f.message, &m));
	r = good, r.known_category = NULL;
	assert_false(matter_of(&r, &w->f.message, &m));
	r = good, r.text = NULL;
	assert_false(matter_of(&r, &w->f.message, &m));
	r = good, r.grid = NULL;
	assert_false(matter_of(&r, &w->f.message, &m));
	r = good, r.secret = true;
	assert_false(matter_of(&r, &w->f.message, &m));
	r = good, r.accused = "chengguan";
	assert_false(matter_of(&r, &w->f.message, &m));
	r = good, r.device = "jg-17";
	assert_false(matter_of(&r, &w->f.message, &m));
}

static void place_category_and_time_must_agree(void **state)
{
	struct world *w = *state;
	struct report a = report(w, "A", "路口井盖破损"), b = a;

	assert_true(alike(w, &b, &a) > 0.999);
	b.known_category = &w->f.categories[2];
	assert_true(alike(w, &b, &a) < 0.001);
	b = a, b.grid = "410106003001001";
	assert_true(alike(w, &b, &a) < 0.001);
	b = a, b.grid = "410106003007015";      /* the first 12 digits decide */
	assert_true(alike(w, &b, &a) > 0.999);
	b = a, b.received_at = a.received_at + 20 * 24 * HOUR;
	assert_true(alike(w, &b, &a) > 0.999);
	b.received_at = a.received_at + 23 * 24 * HOUR;
	assert_true(alike(w, &b, &a) < 0.001);
}

static void positions_decide_where_both_are_told(void **state)
{
	struct world *w = *state;
	struct report a = report(w, "A", "路口井盖破损"), b;

	a.has_position = true, a.lat = 34.75, a.lon = 113.62, a.crs = "gcj02";
	b = a, b.lat += 8.0 / 111195;
	assert_true(alike(w, &b, &a) > 0.999);
	b.grid = NULL;
	assert_true(alike(w, &b, &a) > 0.999);
	b = a, b.lat += 12.0 / 111195;
	assert_true(alike(w, &b, &a) < 0.001);
	b = a, b.has_position = false;
	assert_true(alike(w, &b, &a) > 0.999);
	b = a, b.lat += 50.0 / 111195, b.crs = "wgs84"; /* not to be compared: the grid decides */
	assert_true(alike(w, &b, &a) > 0.999);
}

static void two_addresses_that_differ_are_not_joined_by_their_grid(void **state)
{
	struct world *w = *state;
	struct report a = report(w, "A", "天花板漏水"), b = a;

	a.address = "幸福里3号楼2单元501", b.address = "幸福里3号楼1单元";
	assert_true(alike(w, &b, &a) > 0.85);
	b.address = "幸福里5号楼2单元501";
	assert_true(alike(w, &b, &a) < 0.001);
	b.address = "平安里3号楼2单元501";
	assert_true(alike(w, &b, &a) < 0.85);
}

/* An open case is read from its report again, and is the matter that it was. */
static void a_stored_report_is_known_by_the_same(void **state)
{
	struct world *w = *state;
	struct report r = report(w, "A", "李某某说幸福里3号楼漏水，电话13800000001");
	struct matter m, again = {0};

	r.name = "李某某", r.address = "幸福里3号楼2单元501";
	m = matter(w, &r);
	matter_again(r.name, r.text, r.address, &w->f.message, &again);
	assert_string_equal(m.text, again.text);
	assert_string_equal(m.place, again.place);
	assert_true(m.numbers && m.numbers == again.numbers);
	assert_null(strstr(again.text, "13800000001"));
	matter_again(NULL, "漏水", NULL, &w->f.message, &again);
	assert_null(again.place);
}

static void a_cell_tells_its_kind_whatever_else_is_in_its_name(void **state)
{
	struct world *w = *state;
	struct report r = report(w, "A", "漏水");
	const char *cells[MATTER_ROWS];
	struct matter m;

	r.has_position = true, r.lat = 34.75, r.lon = 113.62, r.crs = "wgs 84 p";
	m = matter(w, &r);
	m.category = "市政/p 井盖 p1";
	assert_int_equal(matter_rows(&w->f.office, &m, &w->f.message, cells), 2);
	assert_true(matter_is_square(cells[0]) && !matter_is_square(cells[1]));
}

/* Whoever can be meant is in a cell that is looked at; the same pairs are alike or not by their place. */
static void a_look_up_finds_every_case_whose_place_agrees(void **state)
{
	struct world *w = *state;
	uint64_t seed = 7;

	for (int i = 0; i < 20000; i++) {
		struct report a = report(w, "A", "路口井盖破损"), b = a;
		const char *rows[MATTER_ROWS], *looks[MATTER_LOOKS];
		struct matter older, newer;
		size_t n_rows, n_looks;
		bool found = false;

		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		a.has_position = seed >> 40 & 3, b.has_position = seed >> 42 & 3;
		a.lat = 34.75 + (double)(seed >> 20 & 1023) * 1e-6, a.lon = 113.62 + (double)(seed >> 30 & 1023) * 1e-6;
		b.lat = a.lat + (double)((int)(seed >> 44 & 255) - 128) * 1e-6;
		b.lon = a.lon + (double)((int)(seed >> 52 & 255) - 128) * 1e-6;
		if (seed >> 60 & 1)
			b.grid = b.has_position ? NULL : "410106003001001";
		older = matter(w, &a), newer = matter(w, &b);
		n_rows = matter_rows(&w->f.office, &older, &w->f.message, rows);
		n_looks = matter_looks(&w->f.office, &newer, &w->f.message, looks);
		assert_true(n_rows >= 1 && n_rows <= MATTER_ROWS && n_looks <= MATTER_LOOKS);
		for (size_t k = 0; k < n_rows * n_looks; k++)
			found = found || strcmp(rows[k / n_looks], looks[k % n_looks]) == 0;
		if (matter_alike(&w->f.office, &newer, &older) > 0)
			assert_true(found);
		arena_reset(&w->f.message);
	}
}

static void a_person_is_known_again_by_phone_or_ref_and_only_with_the_key(void **state)
{
	struct world *w = *state;
	struct report a = report(w, "A", "x"), b = report(w, "B", "y");
	struct arena *m = &w->f.message;

	a.phone = b.phone = "13800000001", b.ref = "other";
	assert_string_equal(person_key("k", &a, m), person_key("k", &b, m));
	assert_string_not_equal(person_key("k", &a, m), person_key("k2", &b, m));
	assert_null(strstr(person_key("k", &a, m), "138"));
	b.phone = "13800000002";
	assert_string_not_equal(person_key("k", &a, m), person_key("k", &b, m));
	assert_null(person_key(NULL, &a, m));
	a.phone = b.phone = NULL, a.ref = b.ref = "o1";
	assert_string_equal(person_key("k", &a, m), person_key("k", &b, m));
	b.channel = &w->f.channels[WECHAT];
	assert_string_not_equal(person_key("k", &a, m), person_key("k", &b, m));
	a.ref = NULL;
	assert_null(person_key("k", &a, m));
}

/* ---- one case, several reporters -------------------------------------------------------------- */
static int say(struct world *w, enum life_action what, const struct report *r, const char *person)
{
	return life_step(&w->f.office, &w->c, &(struct action){.what = what, .report = r, .person = person}, w->now,
			 &w->f.message, &w->fx);
}

static int command(struct world *w, struct case_record *c, enum fixture_dept dept, struct command cmd,
		   const struct case_record *other)
{
	cmd.dept = &w->f.departments[dept];
	cmd.request = "r";
	cmd.case_number = c->number;
	return life_step(&w->f.office, c,
			 &(struct action){.what = (enum life_action)(LIFE_COMMAND + (int)cmd.action), .command = &cmd, .other = other},
			 w->now, &w->f.message, &w->fx);
}

static size_t replies(const struct world *w, const char *about)
{
	const char *wanted = arena_printf((struct arena *)(uintptr_t)&w->f.message, "\"about\":\"%s\"", about);
	size_t n = 0;

	for (size_t i = 0; i < w->fx.events.n; i++)
		n += !w->fx.events.v[i].kind && w->fx.events.v[i].payload && strstr(w->fx.events.v[i].payload, wanted);
	return n;
}

static const struct event_row *event(const struct world *w, const char *kind, const char *dept)
{
	for (size_t i = 0; i < w->fx.events.n; i++)
		if (str_equal(w->fx.events.v[i].kind, kind) && strcmp(w->fx.events.v[i].target, dept) == 0)
			return &w->fx.events.v[i];
	return NULL;
}

static void two_reporters(struct world *w)
{
	struct report first = report(w, "A", "路口井盖破损"), second = report(w, "B", "路口井盖破损");

	second.channel = &w->f.channels[WECHAT];
	w->c = open_case(w, "JYL261120000001", &first);
	w->c.person = "p1";
	assert_int_equal(say(w, LIFE_SAME, &second, "p2"), 0);
}

static void a_further_reporter_is_told_and_counted(void **state)
{
	struct world *w = *state;
	const struct event_row *joined;

	two_reporters(w);
	joined = event(w, "joined", "chengguan");
	assert_non_null(joined);
	assert_true(joined->card);
	assert_non_null(strstr(joined->payload, "\"reports\":2"));
	assert_int_equal(w->c.reports, 2);
	assert_int_equal(w->c.heat, 0);
	assert_int_equal(replies(w, "B"), 1);
	assert_int_equal(replies(w, "A"), 0);
	assert_string_equal(w->fx.history.v[0].kind, "joined");
}

static void the_same_person_again_is_heat_and_heat_reaches_the_leader(void **state)
{
	struct world *w = *state;
	struct report again = report(w, "C", "路口井盖破损");

	two_reporters(w);
	assert_int_equal(say(w, LIFE_SAME, &again, "p1"), 0);
	assert_int_equal(w->c.heat, 1);
	assert_null(event(w, "escalated", "chengguan"));
	again.id = "D";
	assert_int_equal(say(w, LIFE_SAME, &again, "p2"), 0);
	assert_int_equal(w->c.heat, 2);
	assert_int_equal(w->c.leg.level, 1);
	assert_string_equal(event(w, "escalated", "chengguan")->to, "leader");
	assert_non_null(event(w, "escalated", "dangzheng"));
	again.id = "E";
	assert_int_equal(say(w, LIFE_SAME, &again, NULL), 0);
	assert_int_equal(w->c.heat, 2);
}

static void every_reporter_hears_and_a_question_is_answered_to_who_asked(void **state)
{
	struct world *w = *state;
	struct report ask = report(w, "Q", NULL);

	two_reporters(w);
	assert_int_equal(command(w, &w->c, CHENGGUAN, (struct command){.action = CMD_ACCEPT}, NULL), 0);
	assert_int_equal(command(w, &w->c, CHENGGUAN, (struct command){.action = CMD_RESOLVE, .answer = "已换"}, NULL), 0);
	assert_int_equal(replies(w, "A"), 1);
	assert_int_equal(replies(w, "B"), 1);
	ask.channel = &w->f.channels[WECHAT], ask.about = "B";
	assert_int_equal(say(w, LIFE_STATUS, &ask, NULL), 0);
	assert_int_equal(replies(w, "B"), 1);
	assert_int_equal(replies(w, "A"), 0);
}

static void one_who_is_dissatisfied_is_enough_though_another_was_satisfied(void **state)
{
	struct world *w = *state;
	struct report rate = report(w, "R", NULL);

	two_reporters(w);
	assert_int_equal(command(w, &w->c, CHENGGUAN, (struct command){.action = CMD_ACCEPT}, NULL), 0);
	assert_int_equal(command(w, &w->c, CHENGGUAN, (struct command){.action = CMD_RESOLVE, .answer = "已换"}, NULL), 0);
	rate.about = "A", rate.score = SCORE_SATISFIED;
	assert_int_equal(say(w, LIFE_RATE, &rate, NULL), 0);
	assert_int_equal(w->c.state, STATE_CLOSED);
	assert_int_equal(w->c.score, SCORE_SATISFIED);
	rate.channel = &w->f.channels[WECHAT], rate.about = "B", rate.score = SCORE_DISSATISFIED;
	w->now += HOUR;
	assert_int_equal(say(w, LIFE_RATE, &rate, NULL), 0);
	assert_int_equal(w->c.state, STATE_ASSIGNED);
	assert_int_equal(w->c.leg.n, 2);
	assert_int_equal(w->c.score, -1);
}

static void who_withdraws_leaves_the_others_their_case(void **state)
{
	struct world *w = *state;
	struct report gone = report(w, "W", NULL);

	two_reporters(w);
	gone.about = "A";
	assert_int_equal(say(w, LIFE_WITHDRAW, &gone, NULL), 0);
	assert_int_equal(w->c.state, STATE_ASSIGNED);
	assert_string_equal(w->c.report, "B");
	assert_string_equal(w->c.channel, "wechat");
	assert_int_equal(w->c.joined.n, 0);
	assert_int_equal(replies(w, "A"), 1);
	gone.channel = &w->f.channels[WECHAT], gone.about = "B";
	assert_int_equal(say(w, LIFE_WITHDRAW, &gone, NULL), 0);
	assert_int_equal(w->c.state, STATE_CLOSED);
}

/* ---- triage ----------------------------------------------------------------------------------- */
static void triage_joins_and_takes_apart(void **state)
{
	struct world *w = *state;
	struct report third = report(w, "C", "井盖坏了");
	struct case_record b;

	two_reporters(w);
	b = open_case(w, "JYL261120000002", &third);
	assert_int_equal(command(w, &b, CHENGGUAN, (struct command){.action = CMD_JOIN, .into = w->c.number}, &w->c), LIFE_REFUSED);
	assert_int_equal(command(w, &b, DANGZHENG, (struct command){.action = CMD_JOIN, .into = w->c.number}, &w->c), 0);
	assert_int_equal(b.state, STATE_JOINED);
	assert_string_equal(b.joined_into, w->c.number);
	assert_false(w->fx.queue.v[0].present);
	assert_int_equal(w->fx.wake_at, MOMENT_NONE);
	assert_non_null(event(w, "joined", "chengguan"));

	assert_int_equal(life_step(&w->f.office, &w->c, &(struct action){.what = LIFE_TAKE_IN, .other = &b,
					.command = &(struct command){.dept = &w->f.departments[DANGZHENG]}},
				   w->now, &w->f.message, &w->fx), 0);
	assert_int_equal(w->c.reports, 3);
	assert_int_equal(w->c.joined.n, 2);
	assert_int_equal(command(w, &w->c, CHENGGUAN, (struct command){.action = CMD_PROGRESS, .note = "在修"}, NULL), 0);

	assert_int_equal(command(w, &b, DANGZHENG, (struct command){.action = CMD_SPLIT}, &w->c), 0);
	assert_int_equal(b.state, STATE_ASSIGNED);
	assert_null(b.joined_into);
	assert_true(w->fx.queue.v[0].present);
	assert_int_equal(life_step(&w->f.office, &w->c, &(struct action){.what = LIFE_LET_GO, .other = &b,
					.command = &(struct command){.dept = &w->f.departments[DANGZHENG]}},
				   w->now, &w->f.message, &w->fx), 0);
	assert_int_equal(w->c.reports, 2);
	assert_int_equal(w->c.joined.n, 1);
}

static void a_report_that_was_joined_becomes_a_case_of_its_own(void **state)
{
	struct world *w = *state;
	struct case_record own;
	struct effects fx;

	two_reporters(w);
	assert_int_equal(command(w, &w->c, DANGZHENG, (struct command){.action = CMD_SPLIT, .of = "Z"}, NULL), LIFE_REFUSED);
	assert_int_equal(command(w, &w->c, DANGZHENG, (struct command){.action = CMD_SPLIT, .of = "B"}, NULL), 0);
	assert_non_null(w->fx.split);
	assert_int_equal(w->c.reports, 1);
	life_open_split(&w->f.office, &w->c, w->fx.split, "JYL261120000009", w->now, &w->f.message, &own, &fx);
	assert_string_equal(own.report, "B");
	assert_string_equal(own.channel, "wechat");
	assert_string_equal(own.lead, "chengguan");
	assert_int_equal(own.state, STATE_ASSIGNED);
	assert_string_equal(fx.history.v[0].kind, "assigned");
	assert_int_equal(fx.queue.n, 1);
}

static void cases_that_must_stay_apart_are_not_joined(void **state)
{
	struct world *w = *state;
	struct report r = report(w, "B", "井盖坏了");
	struct case_record b, other;

	two_reporters(w);
	b = open_case(w, "JYL261120000002", &r);
#define REFUSED(o) assert_int_equal(command(w, &b, DANGZHENG, (struct command){.action = CMD_JOIN, .into = "JYL261120000001"}, o), LIFE_REFUSED)
	REFUSED(NULL);
	REFUSED(&b);
	other = w->c, other.state = STATE_CLOSED;
	REFUSED(&other);
	other = w->c, other.state = STATE_JOINED, other.joined_into = "JYL261120000003";
	REFUSED(&other);
	other = w->c, other.visibility = VISIBLE_SEALED;
	REFUSED(&other);
	other = w->c, other.accused = "chengguan";
	REFUSED(&other);
#undef REFUSED
	assert_int_equal(command(w, &b, DANGZHENG, (struct command){.action = CMD_JOIN}, &w->c), LIFE_REFUSED);
	assert_int_equal(b.state, STATE_ASSIGNED);
}

static void what_may_be_the_same_is_put_to_triage(void **state)
{
	struct world *w = *state;
	const struct event_row *asked;

	two_reporters(w);
	assert_int_equal(life_step(&w->f.office, &w->c, &(struct action){.what = LIFE_PROPOSE, .other_number = "JYL261120000007", .alike = 0.7},
				   w->now, &w->f.message, &w->fx), 0);
	asked = event(w, "asked", "dangzheng");
	assert_non_null(asked);
	assert_string_equal(asked->role, "triage");
	assert_non_null(strstr(asked->payload, "\"ask\":\"join\",\"into\":\"JYL261120000007\",\"likeness\":0.70"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(texts_that_say_the_same_are_alike_and_others_are_not),
		TEST(likeness_does_not_ask_which_came_first),
		TEST(another_house_is_another_matter_but_another_hour_is_not),
		TEST(what_the_bits_of_numbers_leave_out_does_not_agree),
		TEST(a_stored_report_is_known_by_the_same),
		TEST(a_cell_tells_its_kind_whatever_else_is_in_its_name),
		TEST(what_has_no_place_category_or_text_is_no_matter_nor_is_what_must_stay_apart),
		TEST(place_category_and_time_must_agree),
		TEST(positions_decide_where_both_are_told),
		TEST(two_addresses_that_differ_are_not_joined_by_their_grid),
		TEST(a_look_up_finds_every_case_whose_place_agrees),
		TEST(a_person_is_known_again_by_phone_or_ref_and_only_with_the_key),
		TEST(a_further_reporter_is_told_and_counted),
		TEST(the_same_person_again_is_heat_and_heat_reaches_the_leader),
		TEST(every_reporter_hears_and_a_question_is_answered_to_who_asked),
		TEST(one_who_is_dissatisfied_is_enough_though_another_was_satisfied),
		TEST(who_withdraws_leaves_the_others_their_case),
		TEST(triage_joins_and_takes_apart),
		TEST(a_report_that_was_joined_becomes_a_case_of_its_own),
		TEST(cases_that_must_stay_apart_are_not_joined),
		TEST(what_may_be_the_same_is_put_to_triage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
