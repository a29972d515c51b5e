/* After a burst the process is as small as before; what it needs every second stays with it. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

enum { BLOCK = 64 * 1024, BURST = 60, USUAL = 8, SECONDS = 30 };

/* Memory with pages of its own, as blocks of arenas have. */
static size_t mapped(void)
{
	return mallinfo2().hblkhd;
}

static void work(size_t blocks)
{
	struct arena a = {0};

	for (size_t i = 0; i < blocks; i++)
		arena_alloc(&a, BLOCK);
	arena_done(&a);
}

static void a_burst_is_given_back(void **state)
{
	size_t before = mapped();

	(void)state;
	work(BURST);
#ifndef __SANITIZE_ADDRESS__
	assert_true(mapped() - before >= BURST * BLOCK);
#endif
	for (int i = 0; i < SECONDS; i++)
		mem_tidy();
	assert_int_equal(mapped(), before);
}

static void what_is_needed_again_and_again_is_kept(void **state)
{
	size_t before = mapped();

	(void)state;
	work(BURST);
	for (int i = 0; i < SECONDS; i++) {
		work(USUAL);
		mem_tidy();
	}
#ifndef __SANITIZE_ADDRESS__
	assert_in_range(mapped() - before, USUAL * BLOCK, (USUAL + 1) * (BLOCK + 8192));
#endif
	for (int i = 0; i < SECONDS; i++)
		mem_tidy();
	assert_int_equal(mapped(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_is_given_back),
		cmocka_unit_test(what_is_needed_again_and_again_is_kept),
	};

	mem_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
