/* After a burst the process is as small as before; what it needs every second stays with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

enum { KIB = 1024, BLOCK_KIB = 64, BURST = 400, KEPT_MOST = 160, USUAL = 40, SECONDS = 40, NOISE_KIB = 512 };

static long anonymous_kib(void)
{
	char line[200];
	long kib = -1;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "RssAnon: %ld", &kib);
	assert_non_null(f);
	fclose(f);
	return kib;
}

/* Small pieces, as of messages, that fill so many blocks. */
static void work(long blocks)
{
	struct arena a = {0};

	for (long i = 0; i < blocks * BLOCK_KIB; i++)
		arena_alloc(&a, KIB);
	arena_done(&a);
}

static void tidy(int seconds)
{
	while (seconds--)
		mem_tidy();
}

/* The sanitizer keeps for a while what was given back. */
#ifdef __SANITIZE_ADDRESS__
#define SKIP_WITH_SANITIZER() skip()
#else
#define SKIP_WITH_SANITIZER() (void)0
#endif

static void a_burst_is_given_back(void **state)
{
	long before = anonymous_kib();

	(void)state;
	SKIP_WITH_SANITIZER();
	work(BURST);
	assert_in_range(anonymous_kib() - before, BLOCK_KIB * KEPT_MOST / 2, BLOCK_KIB * KEPT_MOST + NOISE_KIB);
	tidy(SECONDS);
	assert_true(anonymous_kib() - before < NOISE_KIB);
}

static void what_is_needed_again_and_again_is_kept(void **state)
{
	long before = anonymous_kib(), kept;

	(void)state;
	SKIP_WITH_SANITIZER();
	work(BURST);
	for (int i = 0; i < SECONDS; i++) {
		work(USUAL);
		tidy(1);
	}
	kept = anonymous_kib() - before;
	assert_in_range(kept, BLOCK_KIB * USUAL - NOISE_KIB, BLOCK_KIB * USUAL + NOISE_KIB);
	tidy(SECONDS);
	assert_true(anonymous_kib() - before < NOISE_KIB);
}

static void what_lies_below_something_that_stays_is_given_back(void **state)
{
	enum { PIECES = 8192 };
	static char *piece[PIECES];
	long before = anonymous_kib();
	char *stays;

	(void)state;
	SKIP_WITH_SANITIZER();
	for (int i = 0; i < PIECES; i++)
		piece[i] = mem_alloc(KIB);
	stays = mem_alloc(KIB);
	for (int i = 0; i < PIECES; i++)
		free(piece[i]);
	assert_true(anonymous_kib() - before > PIECES / 2);
	tidy(SECONDS);
	assert_true(anonymous_kib() - before < NOISE_KIB);
	free(stays);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_is_given_back),
		cmocka_unit_test(what_is_needed_again_and_again_is_kept),
		cmocka_unit_test(what_lies_below_something_that_stays_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
