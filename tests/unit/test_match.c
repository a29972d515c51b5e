/* The keyword automaton against the plainest way to look for words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/vec.h"
#include "core/understand/match.h"

static uint64_t seed = 1;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(seed >> 33) % n;
}

/* A text of 1…max characters out of `letters` different ones. */
static const char *random_text(struct arena *a, uint32_t max, uint32_t letters, bool han)
{
	uint32_t n = 1 + random_below(max);
	char *s = arena_alloc(a, 3 * n + 1), *to = s;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t c = random_below(letters);

		if (!han) {
			*to++ = (char)('a' + c);
			continue;
		}
		c += 0x4e00;
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return s;
}

static void check(const struct match *m, const char *const *words, const uint32_t *ids, size_t n,
		  const char *text, struct arena *a)
{
	uint64_t *found = arena_alloc(a, match_set_size(m) * sizeof(*found) + 1);

	match_find(m, text, strlen(text), found);
	for (size_t i = 0; i < n; i++) {
		bool want = *words[i] && strstr(text, words[i]);

		if (match_has(found, ids[i]) != want)
			fail_msg("%s in %s: want %d", words[i], text, want);
	}
}

static void every_word_is_found_where_a_plain_search_finds_it(void **state)
{
	static const struct {
		uint32_t words, word_len, texts, text_len, letters;
		bool han;
	} rounds[] = {
		{1, 3, 50, 20, 2, false},   {5, 4, 300, 30, 2, false},    {40, 6, 300, 60, 3, false},
		{200, 5, 100, 80, 4, true}, {300, 5, 200, 120, 40, true}, {2000, 4, 50, 120, 200, true},
	};

	(void)state;
	for (size_t r = 0; r < ARRAY_LEN(rounds); r++) {
		struct arena a = {0};
		size_t n = rounds[r].words;
		const char **words = arena_alloc(&a, n * sizeof(*words));
		uint32_t *ids = arena_alloc(&a, n * sizeof(*ids));
		const struct match *m;

		for (size_t i = 0; i < n; i++)
			words[i] = random_text(&a, rounds[r].word_len, rounds[r].letters, rounds[r].han);
		m = match_new(words, n, &a, ids);
		for (uint32_t i = 0; i < rounds[r].texts; i++)
			check(m, words, ids, n,
			      random_text(&a, rounds[r].text_len, rounds[r].letters, rounds[r].han), &a);
		arena_done(&a);
	}
}

static void words_inside_words_are_all_found(void **state)
{
	static const char *const words[] = {"煤气", "煤气味",	"气味",	  "味", "",
					    "煤气", "燃气泄漏", "气泄漏", "漏", "\xff"};
	static const char *const texts[] = {"楼道煤气味大", "燃气泄漏", "气", "", "漏漏", "煤", "味\xff"};
	uint32_t ids[ARRAY_LEN(words)];
	struct arena a = {0};
	const struct match *m = match_new(words, ARRAY_LEN(words), &a, ids);

	(void)state;
	assert_int_equal(ids[0], ids[5]);
	assert_int_equal(ids[4], MATCH_NONE);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		check(m, words, ids, ARRAY_LEN(words), texts[i], &a);
	arena_done(&a);
}

static void no_words_find_nothing(void **state)
{
	struct arena a = {0};
	const struct match *m = match_new(NULL, 0, &a, NULL);
	uint64_t found = 0;

	(void)state;
	assert_int_equal(match_set_size(m), 0);
	match_find(m, "煤气味", 9, &found);
	assert_int_equal(found, 0);
	assert_false(match_has(&found, MATCH_NONE));
	arena_done(&a);
}

static void ten_thousand_keywords_fit_into_a_few_megabytes(void **state)
{
	enum { N = 10000, TEXTS = 2000 };
	struct arena a = {0};
	const char **words = arena_alloc(&a, N * sizeof(*words));
	uint32_t *ids = arena_alloc(&a, N * sizeof(*ids));
	const char *texts[TEXTS];
	const struct match *m;
	uint64_t *found;
	int64_t started;

	(void)state;
	for (size_t i = 0; i < N; i++)
		words[i] = arena_printf(&a, "%s%s", random_text(&a, 1, 20000, true),
					random_text(&a, 4, 20000, true));
	for (size_t i = 0; i < TEXTS; i++)
		texts[i] = random_text(&a, 240, 20000, true);
	m = match_new(words, N, &a, ids);
	found = arena_alloc(&a, match_set_size(m) * sizeof(*found));
	started = clock_mono_us();
	for (size_t i = 0; i < TEXTS; i++)
		match_find(m, texts[i], strlen(texts[i]), found);
	print_message("%zu KiB, %.2f us a text\n", match_bytes(m) / 1024,
		      (double)(clock_mono_us() - started) / TEXTS);
	assert_true(match_bytes(m) < 4 * 1024 * 1024);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_is_found_where_a_plain_search_finds_it),
		cmocka_unit_test(words_inside_words_are_all_found),
		cmocka_unit_test(no_words_find_nothing),
		cmocka_unit_test(ten_thousand_keywords_fit_into_a_few_megabytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
