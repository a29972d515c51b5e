/* Hot words and places: what a generated month of a street says, and small tables of what counts as a word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/statistics/hotwords.h"
#include "unit/street_talk.h"

static const struct hot_settings usual = {.min = 20, .rise = 3, .cohesion = 4, .boundary = 1.5, .talk_min = 30, .talk_ratio = 10, .top = 20,
					  .proposals = 5};

enum { DAYS = 28, LINES = 20000, REPORTS_A_DAY = 20, GRIDS = 12 };

/* The week that ends with day `end`, against the days before it. */
static struct hotwords *week(int end)
{
	struct street s = {.state = 7};
	struct hotwords *h = hotwords_new(NULL);
	char grid[16];

	for (int day = 0; day < DAYS; day++) {
		bool now = day >= end - 7;

		for (int n = 0; n < LINES / DAYS + (day < LINES % DAYS); n++) {
			const char *text = street_talk(&s, day);

			snprintf(grid, sizeof(grid), "4101060%02u", strstr(text, "高空抛物") ? 3 : street_next(&s, GRIDS));
			if (day < end)
				hotwords_add(h, text, grid, now ? HOT_TALK : HOT_TALK_BEFORE);
		}
		for (int n = 0; n < REPORTS_A_DAY; n++) {
			const char *text = street_report(&s, day, n);

			if (day < end)
				hotwords_add(h, text, NULL, now ? HOT_REPORT : HOT_REPORT_BEFORE);
		}
	}
	return h;
}

static bool has(const struct hot_row *rows, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].text, word) == 0)
			return true;
	return false;
}

static void what_is_thrown_surfaces_and_hardly_anything_else(void **state)
{
	size_t wrong = 0, right = 0;

	(void)state;
	for (int end = 7; end <= DAYS; end += 7) {
		struct hotwords *h = week(end);
		struct arena a = {0};
		struct hot_result r;

		hotwords_find(h, &usual, &a, &r);
		for (size_t i = 0; i < r.n_subjects; i++) {
			bool thrown = strcmp(r.subjects[i].text, "高空抛物") == 0;

			right += thrown;
			wrong += !thrown;
			if (!thrown)
				print_message("day %d: also proposes %s\n", end, r.subjects[i].text);
		}
		if (end == 21)
			assert_true(has(r.subjects, r.n_subjects, "高空抛物"));
		if (end == 14) {
			assert_true(has(r.rising, r.n_rising, "停水"));         /* many report it: nobody need be told */
			assert_false(has(r.subjects, r.n_subjects, "停水"));
		}
		assert_true(end > 7 || (!r.n_rising && !r.n_subjects));     /* nothing to compare with */
		hotwords_free(h);
		arena_done(&a);
	}
	assert_true(right >= 1);
	assert_true(wrong <= 5);
}

static void words_are_words(void **state)
{
	static const char *const words[] = {"高空抛物", "快递", "团购"}, *const none[] = {"空抛物", "高空抛", "抛物了", "又高空抛物", "暖气热", "购苹果"};
	struct hotwords *h = week(21);
	struct hot_settings all = usual;
	struct arena a = {0};
	struct hot_result r;

	(void)state;
	all.top = 100000;
	hotwords_find(h, &all, &a, &r);
	for (size_t i = 0; i < N_OF(words); i++)
		if (!has(r.words, r.n_words, words[i]))
			fail_msg("%s is no word", words[i]);
	for (size_t i = 0; i < N_OF(none); i++)
		if (has(r.words, r.n_words, none[i]))
			fail_msg("%s is a word", none[i]);
	hotwords_free(h);
	arena_done(&a);
}

static void every_setting_counts(void **state)
{
	static const char *const thrown[] = {"抛物"};
	struct hot_settings strict[] = {usual, usual, usual, usual, usual, usual, usual};
	struct hotwords *h;

	(void)state;
	strict[0].talk_min = 100000;
	strict[1].talk_ratio = 100000;
	strict[2].rise = 100000;
	strict[3].cohesion = 40;
	strict[4].boundary = 40;
	strict[5].proposals = 0;
	strict[6].ignore = thrown;
	strict[6].n_ignore = 1;
	for (size_t i = 0; i < N_OF(strict); i++) {
		struct arena a = {0};
		struct hot_result r;

		h = week(21);
		hotwords_find(h, &strict[i], &a, &r);
		if (has(r.subjects, r.n_subjects, "高空抛物"))
			fail_msg("setting %zu does not count", i);
		hotwords_free(h);
		arena_done(&a);
	}
}

static void a_place_is_compared_with_itself(void **state)
{
	struct hotwords *h = hotwords_new(NULL);
	struct arena a = {0};
	struct hot_result r;

	(void)state;
	for (int i = 0; i < 2000; i++)
		hotwords_add(h, "路灯不亮", i % 2 ? "1" : "2", HOT_REPORT_BEFORE);
	for (int i = 0; i < 500; i++)
		hotwords_add(h, "路灯不亮", i % 5 ? "1" : i % 2 ? "2" : "3", HOT_REPORT);
	hotwords_find(h, &usual, &a, &r);
	assert_int_equal(r.n_places, 1);
	assert_string_equal(r.places[0].text, "3");
	assert_int_equal(r.places[0].n[HOT_REPORT], 50);
	assert_int_equal(r.n_rising, 0);
	hotwords_free(h);
	arena_done(&a);
}

/* Of forgotten talk it is known where it was, not what it said: it counts for places, and makes no word rarer than it was. */
static void what_is_forgotten_counts_for_its_place(void **state)
{
	static const char *const said[] = {"路灯不亮", "东门快递", "团购苹果", "幼儿园放学", "菜市场白菜", "物业费几号", "晚安各位", "捡到钥匙", "电梯检修",
					   "停车占道", "水管漏水"};
	struct hotwords *h = hotwords_new(NULL);
	struct arena a = {0};
	struct hot_result r;

	(void)state;
	for (int i = 0; i < 2000; i++)
		hotwords_add(h, NULL, i % 2 ? "1" : "2", HOT_TALK_BEFORE);
	for (int i = 0; i < 2000; i++)
		hotwords_add(h, said[(size_t)i % N_OF(said)], NULL, HOT_TALK_BEFORE);
	for (int i = 0; i < 500; i++)
		hotwords_add(h, said[(size_t)i % N_OF(said)], i % 5 ? i % 2 ? "1" : "2" : "3", HOT_TALK);
	hotwords_find(h, &usual, &a, &r);
	assert_int_equal(r.n_places, 1);
	assert_string_equal(r.places[0].text, "3");
	assert_int_equal(r.n_rising, 0);
	assert_true(r.n_words >= 1 && r.words[0].rise > 0.9 && r.words[0].rise < 1.1);
	hotwords_free(h);
	arena_done(&a);
}

static void who_is_told_to_stop_finds_nothing(void **state)
{
	_Atomic bool stop = false;
	struct hotwords *h = hotwords_new(&stop);
	struct arena a = {0};
	struct hot_result r;

	(void)state;
	for (int i = 0; i < 500; i++)
		hotwords_add(h, "高空抛物", "1", i % 2 ? HOT_TALK : HOT_REPORT_BEFORE);
	assert_false(hotwords_stopped(h));
	stop = true;
	hotwords_find(h, &usual, &a, &r);
	assert_true(hotwords_stopped(h));
	assert_int_equal(r.n_words + r.n_rising + r.n_subjects + r.n_places, 0);
	hotwords_free(h);
	arena_done(&a);
}

static void nothing_is_nothing(void **state)
{
	static const char *const odd[] = {"", "abc 123", "\xf0\xa0\x80\x80\xf0\xa0\x80\x80", "\xff\xfe", "一", "，。！"};
	struct hotwords *h = hotwords_new(NULL);
	struct arena a = {0};
	struct hot_result r;

	(void)state;
	hotwords_find(h, &usual, &a, &r);
	assert_int_equal(r.n_words + r.n_rising + r.n_subjects + r.n_places, 0);
	hotwords_free(h);
	h = hotwords_new(NULL);
	for (int i = 0; i < 600; i++)
		hotwords_add(h, odd[i % 6], i % 2 ? "" : NULL, (enum hot_class)(i % N_HOT_CLASS));
	hotwords_find(h, &usual, &a, &r);
	assert_int_equal(r.n_words + r.n_places, 0);
	hotwords_free(h);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_thrown_surfaces_and_hardly_anything_else),
		cmocka_unit_test(words_are_words),
		cmocka_unit_test(every_setting_counts),
		cmocka_unit_test(a_place_is_compared_with_itself),
		cmocka_unit_test(what_is_forgotten_counts_for_its_place),
		cmocka_unit_test(who_is_told_to_stop_finds_nothing),
		cmocka_unit_test(nothing_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
