/* What a batch sends of its rows: what says something. And the cases that are late longest, kept in order. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/vec.h"
#include "core/time/moment.h"
#include "store/outbox.h"
#include "store/rows.h"

struct row {
	const char *key, *text;
	int64_t at, bits;
	double lat;
	int n;
	bool odd;
	const struct row *was;
};
#define AT(member, kind) .name = #member, .type = COLUMN_##kind, .offset = offsetof(struct row, member)
static const struct column columns[] = {
	{AT(key, TEXT)}, {AT(text, TEXT)}, {AT(at, TIME)}, {AT(lat, DOUBLE)},
	{AT(n, INT), .often = true, .usual = 1}, {AT(odd, BOOL), .often = true}, {AT(bits, INT64), .merge = "t.bits | u.bits"},
};
enum { KEY = 1, TEXT, INSTANT, LAT, N, ODD, BITS, N_ARGS };     /* behind the tenant */

/* A letter an argument: x sent, - SQL null in its place. */
static void assert_sent(const struct table *t, const struct row *const *rows, size_t n, const char *wanted)
{
	struct pg_args args = {0};
	struct arena a = {0};
	char sent[N_ARGS + 1] = "";

	table_args(t, "jyl", (const void *const *)(const void *)rows, n, &a, &args);
	assert_int_equal(args.n, N_ARGS);
	for (int i = 0; i < args.n; i++)
		sent[i] = args.value[i] ? 'x' : '-';
	assert_string_equal(sent, wanted);
	pg_args_done(&args);
	arena_done(&a);
}

static const struct row plain = {.key = "A", .at = MOMENT_NONE, .lat = (double)NAN, .n = 1};

static void what_is_as_usual_in_all_rows_is_not_sent(void **state)
{
	static struct table t = {.name = "x", .columns = columns, .n_columns = ARRAY_LEN(columns), .then = ""};
	struct row one = plain;
	const struct row *const rows[] = {&plain, &one};

	(void)state;
	table_init(&t);
	assert_non_null(strstr(t.query.sql, "SELECT $1::text, u.key, u.text, u.at, u.lat, coalesce(u.n, 1), coalesce(u.odd, false), u.bits"));
	assert_sent(&t, rows, 2, "xx-----x");
	one.n = 0;
	assert_sent(&t, rows, 2, "xx---x-x");
	assert_sent(&t, rows, 1, "xx-----x");
	one = plain, one.text = "", one.at = 0, one.lat = 0, one.odd = true;
	assert_sent(&t, rows, 2, "xxxxx-xx");
}

static void of_an_update_what_no_row_has_changed_is_not_sent(void **state)
{
	static struct table t = {.name = "x", .columns = columns, .n_columns = ARRAY_LEN(columns), .then = "", .n_keys = 1, .update = true,
			  .was = offsetof(struct row, was)};
	const struct row before = {.key = "A", .text = "said", .at = 5, .lat = (double)NAN, .n = 3, .odd = true};
	struct row now = before, other = before;
	const struct row *const rows[] = {&now, &other};
	char said[] = "said";

	(void)state;
	table_init(&t);
	assert_non_null(strstr(t.query.sql, "text = CASE WHEN $3 IS NULL THEN t.text ELSE u.text END"));
	assert_non_null(strstr(t.query.sql, "bits = t.bits | u.bits"));
	/* The number is what it was, though not as usual; a text may be told anew. A double is always sent. */
	now.was = other.was = &before, other.text = said;
	assert_sent(&t, rows, 2, "xx--x--x");
	other.text = NULL;
	assert_sent(&t, rows, 2, "xxx-x--x");
	assert_sent(&t, rows, 1, "xx--x--x");
	other.text = said, other.at = MOMENT_NONE, other.n = 1, other.odd = false;
	assert_sent(&t, rows, 2, "xx-xxxxx");
	other = before;         /* whoever does not know what it was sends all of it */
	assert_sent(&t, rows, 2, "xxxxxxxx");
}

static void the_cases_that_are_late_longest_are_kept_in_order(void **state)
{
	struct summary s = {0};
	char said[200] = "";

	(void)state;
	for (int i = 0; i < 50; i++) {
		struct late one = {.due = i * 7 % 50 / 2};

		snprintf(one.number, sizeof(one.number), "N%02d", i);
		summary_late(&s, &one, 4);
		assert_true(s.n_late <= 4);
	}
	for (size_t i = 0; i < s.n_late; i++)
		snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s %d; ", s.late[i].number, (int)s.late[i].due);
	assert_string_equal(said, "N00 0; N43 0; N29 1; N36 1; ");
	summary_late(&s, &(struct late){.number = "N99", .due = -1}, 0);
	assert_int_equal(s.n_late, 4);
	free(s.late);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_as_usual_in_all_rows_is_not_sent),
		cmocka_unit_test(of_an_update_what_no_row_has_changed_is_not_sent),
		cmocka_unit_test(the_cases_that_are_late_longest_are_kept_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
