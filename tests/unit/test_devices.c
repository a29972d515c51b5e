/*
 * Devices: what becomes of what they say and of what time brings, as tables of stories; and walks of any length after
 * each step of which everything holds that a clerk relies on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/vec.h"
#include "core/device/device.h"
#include "core/time/moment.h"
#include "core/understand/message.h"

#define MINUTE INT64_C(60000000)
#define START (INT64_C(1795134600) * 1000000)

/* ---- a desk that plays the store -------------------------------------------------------------- */
struct desk {
	struct arena a;
	struct device_kind kind;
	struct device_entry entry;
	struct device_pause pause;
	struct device_state s;
	struct device_outcome out;
	int64_t now, listening;
	bool case_open;
	int cases;
};

static void desk_init(struct desk *d, const char *alarm)
{
	*d = (struct desk){.now = START, .listening = START};
	d->kind = (struct device_kind){.name = "井盖", .window = 60 * MINUTE, .recovery_told = true, .flap_within = 30 * MINUTE};
	d->entry = (struct device_entry){.device = "mh-1", .kind = &d->kind, .heartbeat = -1};
	device_state_init(&d->s, "mh-1", alarm);
}

static enum device_act say(struct desk *d, int event, double value)
{
	struct device_input in = {.kind = &d->kind, .entry = &d->entry, .event = (enum device_event)event, .value = value,
				  .at = d->now,
				  .listening = d->listening, .case_open = d->case_open && d->s.number};

	device_step(&d->s, &in, d->now, &d->a, &d->out);
	d->s.wake_at = d->out.look_at;
	if (d->out.act == DEVICE_REPORT) {
		d->s.number = "JYL1";
		d->case_open = true;
		d->cases++;
	}
	return d->out.act;
}

/* Time passes; what is due is looked at when it is due. */
static void pass(struct desk *d, int64_t span)
{
	int64_t until = d->now + span;
	int looks = 0;

	while (d->s.wake_at != MOMENT_NONE && d->s.wake_at <= until) {
		d->now = d->s.wake_at > d->now ? d->s.wake_at : d->now;
		say(d, DEVICE_TICK, 0);
		assert_true(++looks < 100000);
		assert_true(d->s.wake_at == MOMENT_NONE || d->s.wake_at > d->now);
	}
	d->now = until;
}

/* ---- stories ---------------------------------------------------------------------------------- */
enum { A = DEVICE_SAYS_ALARM, C = DEVICE_SAYS_CLEAR, V = DEVICE_SAYS_VALUE, S = DEVICE_SPEAKS, T = DEVICE_TICK };
enum { NOTHING = DEVICE_NOTHING, COUNT = DEVICE_COUNT, REPORT = DEVICE_REPORT, TOLD = DEVICE_SUPPLEMENT };
struct word {
	int after;                      /* minutes; the story ends where `event` is -1 */
	int event, act;
	double value;
	int cases;                      /* so many by now */
};
#define END {0, -1, 0, 0, 0}

static void play(struct desk *d, const struct word *story)
{
	for (size_t i = 0; story[i].event >= 0; i++) {
		pass(d, story[i].after * MINUTE);
		if (story[i].event != T)
			assert_int_equal(say(d, story[i].event, story[i].value), story[i].act);
		assert_int_equal(d->cases, story[i].cases);
	}
	arena_done(&d->a);
}

static void an_alarm_is_a_case_its_repeats_and_its_end_belong_to_it(void **state)
{
	static const struct word story[] = {
		{0, A, REPORT, 0, 1}, {10, A, COUNT, 0, 1}, {59, A, COUNT, 0, 1}, {1, C, TOLD, 0, 1}, {0, C, NOTHING, 0, 1},
		{30, A, TOLD, 0, 1}, {61, A, REPORT, 0, 2}, END};
	struct desk d;

	(void)state;
	desk_init(&d, "tilt");
	play(&d, story);
	desk_init(&d, "tilt");
	d.kind.repeats_told = true;
	d.kind.recovery_told = false;
	play(&d, (const struct word[]){{0, A, REPORT, 0, 1}, {10, A, TOLD, 0, 1}, {1, C, COUNT, 0, 1}, END});
}

static void what_does_not_hold_is_nobodys_matter(void **state)
{
	static const struct word story[] = {
		{0, A, COUNT, 0, 0}, {4, C, COUNT, 0, 0}, {10, T, 0, 0, 0}, {0, A, COUNT, 0, 0}, {3, A, COUNT, 0, 0},
		{1, T, 0, 0, 0}, {1, T, 0, 0, 1}, {1, A, COUNT, 0, 1}, END};
	struct desk d;

	(void)state;
	desk_init(&d, "tilt");
	d.kind.hold = 5 * MINUTE;
	play(&d, story);
}

static void figures_have_two_limits(void **state)
{
	static const struct word above[] = {
		{0, V, NOTHING, 0.29, 0}, {1, V, REPORT, 0.3, 1}, {1, V, NOTHING, 0.25, 1}, {1, V, NOTHING, 0.9, 1},
		{1, V, TOLD, 0.2, 1}, {1, V, NOTHING, 0.29, 1}, {1, V, TOLD, 0.3, 1}, END};
	static const struct word below[] = {
		{0, V, NOTHING, 20, 0}, {1, V, REPORT, 9, 1}, {1, V, NOTHING, 11, 1}, {1, V, TOLD, 15, 1}, END};
	static const struct word sharp[] = {{0, V, REPORT, 10, 1}, {1, V, TOLD, 9.99, 1}, END};
	struct desk d;

	(void)state;
	desk_init(&d, "level");
	d.kind.has_limit = true;
	d.kind.limit = 0.3;
	d.kind.clear = 0.2;
	play(&d, above);
	desk_init(&d, "battery");
	d.kind.has_limit = d.kind.below = true;
	d.kind.limit = 10;
	d.kind.clear = 15;
	play(&d, below);
	desk_init(&d, "level");
	d.kind.has_limit = true;
	d.kind.limit = d.kind.clear = 10;
	play(&d, sharp);
	desk_init(&d, "level");
	play(&d, (const struct word[]){{0, V, NOTHING, 99, 0}, END});
}

static void a_figure_within_the_band_does_not_end_the_hold(void **state)
{
	struct desk d;

	(void)state;
	desk_init(&d, "level");
	d.kind.has_limit = true;
	d.kind.limit = 0.3;
	d.kind.clear = 0.2;
	d.kind.hold = 5 * MINUTE;
	play(&d, (const struct word[]){{0, V, COUNT, 0.4, 0}, {2, V, NOTHING, 0.25, 0}, {3, T, 0, 0, 1}, END});
}

static void who_goes_on_and_off_is_damped_until_it_stands_still(void **state)
{
	static const struct word story[] = {
		{0, A, REPORT, 0, 1}, {1, C, TOLD, 0, 1}, {1, A, TOLD, 0, 1},
		{1, C, TOLD, 0, 1},     /* the fourth change: that it flaps */
		{1, A, COUNT, 0, 1}, {1, C, COUNT, 0, 1}, {1, A, COUNT, 0, 1}, {29, A, COUNT, 0, 1}, END};
	struct desk d;

	(void)state;
	desk_init(&d, "tilt");
	d.kind.flap_changes = 4;
	play(&d, story);
	assert_true(d.s.flapping);
	pass(&d, MINUTE);
	assert_false(d.s.flapping);
	assert_int_equal(d.out.act, DEVICE_SUPPLEMENT);
	assert_int_equal(say(&d, A, 0), DEVICE_COUNT);
	assert_int_equal(say(&d, C, 0), DEVICE_SUPPLEMENT);
	arena_done(&d.a);
}

static void silence_is_a_matter_of_its_own_and_the_gateways_own_absence_is_not(void **state)
{
	struct desk d;

	(void)state;
	desk_init(&d, "");
	d.kind.heartbeat = 30 * MINUTE;
	play(&d, (const struct word[]){{0, S, NOTHING, 0, 0}, {29, S, NOTHING, 0, 0}, {29, T, 0, 0, 0}, {1, T, 0, 0, 1},
				       {100, S, TOLD, 0, 1}, {29, T, 0, 0, 1}, {1, T, 0, 0, 2}, END});
	desk_init(&d, "");
	d.kind.heartbeat = 30 * MINUTE;
	say(&d, S, 0);
	d.listening = d.now + 20 * MINUTE;
	pass(&d, 49 * MINUTE);
	assert_int_equal(d.cases, 0);
	pass(&d, MINUTE);
	assert_int_equal(d.cases, 1);
	arena_done(&d.a);
	desk_init(&d, "");
	d.kind.heartbeat = 30 * MINUTE;
	d.entry.heartbeat = 0;
	play(&d, (const struct word[]){{0, S, NOTHING, 0, 0}, {900, T, 0, 0, 0}, END});
	assert_true(d.s.wake_at == MOMENT_NONE);
}

static void maintenance_is_nobodys_matter_unless_the_alarm_outlasts_it(void **state)
{
	struct desk d;

	(void)state;
	desk_init(&d, "tilt");
	d.pause = (struct device_pause){START, START + 60 * MINUTE};
	d.entry.pauses = &d.pause;
	d.entry.n_pauses = 1;
	play(&d, (const struct word[]){{0, A, COUNT, 0, 0}, {1, C, COUNT, 0, 0}, {1, A, COUNT, 0, 0}, {57, T, 0, 0, 0},
				       {1, T, 0, 0, 1}, END});
	desk_init(&d, "");
	d.kind.heartbeat = 30 * MINUTE;
	d.pause = (struct device_pause){START, START + 60 * MINUTE};
	d.kind.pauses = &d.pause;
	d.kind.n_pauses = 1;
	play(&d, (const struct word[]){{0, S, NOTHING, 0, 0}, {59, T, 0, 0, 0}, {1, T, 0, 0, 1}, END});
}

static void a_closed_case_takes_nothing_in(void **state)
{
	struct desk d;

	(void)state;
	desk_init(&d, "tilt");
	say(&d, A, 0);
	d.case_open = false;
	d.now += MINUTE;
	assert_int_equal(say(&d, C, 0), DEVICE_COUNT);
	assert_int_equal(say(&d, A, 0), DEVICE_REPORT);
	arena_done(&d.a);
}

static void devices_of_one_cause_share_a_case_as_long_as_one_follows_the_other(void **state)
{
	static const int told[] = {2, 10, 100, 1000};
	struct cause_state c = {.cause = "x", .last_at = MOMENT_NONE};
	struct device_kind kind = {.name = "水位", .storm_within = 10 * MINUTE};
	struct arena a = {0};
	const char *note;
	int64_t now = START;
	size_t said = 0;

	(void)state;
	assert_false(cause_join(&c, &kind, false, now, &a, &note));
	cause_begin(&c, "JYL1", now);
	for (int i = 2; i <= 1000; i++) {
		now += 9 * MINUTE;
		assert_true(cause_join(&c, &kind, true, now, &a, &note));
		assert_int_equal(note != NULL, said < ARRAY_LEN(told) && told[said] == i);
		said += note != NULL;
	}
	assert_int_equal(said, ARRAY_LEN(told));
	assert_int_equal(c.devices, 1000);
	assert_false(cause_join(&c, &kind, false, now, &a, &note));
	assert_false(cause_join(&c, &kind, true, now + 11 * MINUTE, &a, &note));
	for (int i = 0; i < 999; i++)
		assert_false(cause_leave(&c, &a, &note));
	assert_true(cause_leave(&c, &a, &note));
	assert_non_null(note);
	kind.storm_within = 0;
	assert_false(cause_join(&c, &kind, true, now, &a, &note));
	arena_done(&a);
}

static void texts_of_the_settings(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;        /* -1: none */
	} spans[] = {{"90 秒", 90}, {"10 分钟", 600}, {"10分钟", 600}, {"2h", 7200}, {"3 天", 259200}, {"0 秒", 0}, {"", -1},
		     {"分钟", -1}, {"10", -1}, {"10 工作日", -1}, {"-1 秒", -1}, {"99999999 秒", -1}, {"1.5 小时", -1}};
	struct arena a = {0};
	const struct device_pause *p;
	int64_t us;
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
		assert_int_equal(device_span_parse(spans[i].text, &us), spans[i].seconds >= 0);
		if (spans[i].seconds >= 0)
			assert_int_equal(us, spans[i].seconds * 1000000);
	}
	assert_true(device_pauses_parse("", &a, &p, &n));
	assert_int_equal(n, 0);
	assert_true(device_pauses_parse("2026-12-01 08:00/2026-12-01 18:00; 2026-12-02/2026-12-03", &a, &p, &n));
	assert_int_equal(n, 2);
	assert_int_equal(p[0].to - p[0].from, 600 * MINUTE);
	assert_false(device_pauses_parse("2026-12-01 18:00/2026-12-01 08:00", &a, &p, &n));
	assert_false(device_pauses_parse("2026-12-01", &a, &p, &n));
	assert_false(device_pauses_parse("a/b", &a, &p, &n));
	arena_done(&a);
}

/* ---- walks ------------------------------------------------------------------------------------ */
static uint32_t dice(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33) % n;
}

static void random_kind(struct desk *d, uint64_t *seed)
{
	d->kind.hold = dice(seed, 3) * 2 * MINUTE;
	d->kind.window = (1 + dice(seed, 100)) * MINUTE;
	d->kind.repeats_told = dice(seed, 2);
	d->kind.recovery_told = dice(seed, 2);
	d->kind.flap_changes = (int)dice(seed, 6);
	d->kind.flap_within = (1 + dice(seed, 30)) * MINUTE;
	d->kind.heartbeat = dice(seed, 2) * 20 * MINUTE;
	d->kind.has_limit = true;
	d->kind.limit = 5;
	d->kind.clear = dice(seed, 6);
	d->pause = (struct device_pause){START + dice(seed, 100) * MINUTE, START + (100 + dice(seed, 100)) * MINUTE};
	d->kind.pauses = &d->pause;
	d->kind.n_pauses = dice(seed, 2);
}

static void check(const struct desk *d, const struct device_state *before, bool was_open)
{
	const struct device_state *s = &d->s;
	const struct device_outcome *out = &d->out;

	/* A word goes to a case that is at work, and a case is opened only where there is none to take it. */
	assert_false(out->act == DEVICE_SUPPLEMENT && !was_open);
	assert_false(out->act == DEVICE_REPORT && was_open && before->alarm_at != MOMENT_NONE &&
		     d->now - before->alarm_at <= d->kind.window);
	assert_false(out->act == DEVICE_REPORT && s->phase != DEVICE_ALARM);
	/* While it flaps nobody hears of it, but of a new matter. */
	assert_false(out->act == DEVICE_SUPPLEMENT && before->flapping && s->flapping);
	/* What has to be looked at again is not forgotten, and not looked at without end. */
	assert_false((s->phase == DEVICE_HELD || s->flapping) && out->look_at == MOMENT_NONE);
	assert_true(out->look_at == MOMENT_NONE || out->look_at > d->now);
	assert_false(!*s->alarm && s->phase == DEVICE_CALM && s->seen_at != MOMENT_NONE && d->kind.heartbeat &&
		     out->look_at == MOMENT_NONE);
	/* Nobody is told in maintenance. */
	assert_false(d->kind.n_pauses && d->pause.from <= d->now && d->now < d->pause.to &&
		     (out->act == DEVICE_REPORT || (out->act == DEVICE_SUPPLEMENT && out->begins)));
	if (out->act == DEVICE_SUPPLEMENT || out->act == DEVICE_COUNT)
		assert_non_null(out->note);
}

static void one_step(struct desk *d, enum device_event event, double value)
{
	struct device_state before = d->s;
	bool was_open = d->case_open && d->s.number;

	say(d, (int)event, value);
	check(d, &before, was_open);
}

static void walk(uint64_t *seed, bool silence)
{
	struct desk d;
	bool wrong = false;             /* what the device said last */
	int64_t since = START;

	desk_init(&d, silence ? "" : "tilt");
	random_kind(&d, seed);
	for (int i = 0; i < 400; i++) {
		int64_t until = d.now + dice(seed, 8) * MINUTE;
		uint32_t what = dice(seed, 4);

		for (int looks = 0; d.s.wake_at != MOMENT_NONE && d.s.wake_at <= until; looks++) {
			d.now = d.s.wake_at;
			one_step(&d, DEVICE_TICK, 0);
			assert_true(looks < 100);
		}
		d.now = until;
		if (what == 3) {
			d.case_open = d.case_open && dice(seed, 2);
			continue;
		}
		if (silence) {
			one_step(&d, DEVICE_SPEAKS, 0);
			continue;
		}
		one_step(&d, what ? DEVICE_SAYS_ALARM : DEVICE_SAYS_CLEAR, 0);
		if ((what != 0) != wrong)
			since = d.now;
		wrong = what != 0;
		/* What has held long enough counts; what is over does not. */
		assert_false(!wrong && d.s.phase != DEVICE_CALM);
		assert_false(wrong && d.s.phase != DEVICE_ALARM && d.now - since >= d.kind.hold &&
			     !(d.kind.n_pauses && d.now < d.pause.to));
		/* The same word of an earlier time changes nothing. */
		if (dice(seed, 8) == 0) {
			struct device_state before = d.s;
			struct device_input old = {.kind = &d.kind, .entry = &d.entry, .event = DEVICE_SAYS_CLEAR,
						   .at = d.now - MINUTE, .listening = d.listening};

			device_step(&d.s, &old, d.now, &d.a, &d.out);
			assert_int_equal(d.out.act, DEVICE_NOTHING);
			assert_int_equal(d.s.phase, before.phase);
			assert_int_equal(d.s.said_at, before.said_at);
		}
	}
	arena_done(&d.a);
}

static void random_walks_keep_every_promise(void **state)
{
	uint64_t seed = 20261129;

	(void)state;
	for (int i = 0; i < 2000; i++)
		walk(&seed, i % 4 == 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_alarm_is_a_case_its_repeats_and_its_end_belong_to_it),
		cmocka_unit_test(what_does_not_hold_is_nobodys_matter),
		cmocka_unit_test(figures_have_two_limits),
		cmocka_unit_test(a_figure_within_the_band_does_not_end_the_hold),
		cmocka_unit_test(who_goes_on_and_off_is_damped_until_it_stands_still),
		cmocka_unit_test(silence_is_a_matter_of_its_own_and_the_gateways_own_absence_is_not),
		cmocka_unit_test(maintenance_is_nobodys_matter_unless_the_alarm_outlasts_it),
		cmocka_unit_test(a_closed_case_takes_nothing_in),
		cmocka_unit_test(devices_of_one_cause_share_a_case_as_long_as_one_follows_the_other),
		cmocka_unit_test(texts_of_the_settings),
		cmocka_unit_test(random_walks_keep_every_promise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
