/* Our formatter says what the C library's says, whatever the room. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/format.h"

static int ours(char *out, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static int ours(char *out, size_t cap, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = format_text(out, cap, fmt, ap);
	va_end(ap);
	return n;
}

#define SAME(...) \
	do { \
		for (size_t cap = 0; cap < 80; cap++) { \
			char a[80], b[80]; \
			int m, n; \
			memset(a, 'x', sizeof(a)); \
			memset(b, 'x', sizeof(b)); \
			m = ours(cap ? a : NULL, cap, __VA_ARGS__); \
			n = snprintf(cap ? b : NULL, cap, __VA_ARGS__); \
			assert_int_equal(m, n); \
			assert_memory_equal(a, b, sizeof(a)); \
		} \
	} while (0)

static void test_what_messages_are_made_of(void **state)
{
	const char *volatile nothing = NULL;

	(void)state;
	SAME("plain");
	SAME("%s", "");
	SAME(",\"%s\":", "department");
	SAME("needle/%s/dept/%s/event/%s", "jiyuanlu", "chengguan", "assigned");
	SAME("%d %d %d %d", 0, -1, INT_MAX, INT_MIN);
	SAME("%lld %lld %llu", (long long)INT64_MIN, (long long)INT64_MAX, (unsigned long long)UINT64_MAX);
	SAME("%zu%%%c", (size_t)SIZE_MAX, '!');
	SAME("[%.*s]", 3, "abcdef");
	SAME("[%.*s]", 0, "abcdef");
	SAME("[%.*s]", 30, "abc");
	SAME("[%.*s]", -1, "abc");
	SAME("井盖%s破损", "🕳");
	assert_int_equal(ours(NULL, 0, "<%s>", nothing), 8);
}

static void test_anything_else_is_the_c_librarys(void **state)
{
	(void)state;
	SAME("%05d|%-6s|%6s", 42, "ab", "cd");
	SAME("%s %.6f %s", "a", 1.25, "b");
	SAME("%x %lu %u %ld", 255u, 7ul, 8u, -9l);
	SAME("%.2s|%s", "abcdef", "z");
	SAME("%016llx", 0xdeadbeefull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_messages_are_made_of),
		cmocka_unit_test(test_anything_else_is_the_c_librarys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
