/*
 * Pipelines of daemon/store/pg.c against a real PostgreSQL: larger than a socket takes, used for the first time, refused,
 * and cut off in the middle. test_pipes.py runs it; NEEDLE_PG_DSN names the database, in which nothing is changed.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/vec.h"
#include "core/time/moment.h"
#include "store/pg.h"

enum { TEXTS = 256, TEXT_LEN = 1000, LARGE = 12 };      /* 12 statements of 256 KB */

static const struct query measure = {
	"measure", "SELECT count(*), coalesce(sum(length(t)), 0), max(t) FROM unnest($1::text[]) t"};
static const struct query echo = {"echo", "SELECT array_to_string($1::text[], '')"};
static const struct query divide = {"divide", "SELECT 10 / $1::int8"};
static const struct query twice = {"twice", "SELECT 2 * $1::int8"};
static const struct query thrice = {"thrice", "SELECT 3 * $1::int8"};
static const struct query nonsense = {"nonsense", "SELECT nothing FROM nowhere WHERE x = $1::int8"};
static const struct query leave = {"leave", "SELECT pg_terminate_backend(pg_backend_pid()), $1::int8"};
static const struct query nap = {"nap", "SELECT pg_sleep($1::int8 / 1000.0)"};
static const struct query who = {"who", "SELECT pg_backend_pid()"};
static const struct query end_of = {"end_of", "SELECT pg_terminate_backend($1::int8::int)"};
static const struct query prepared = {"prepared", "SELECT count(*) FROM pg_prepared_statements WHERE name = $1::text"};

static struct pg *open_pg(void)
{
	struct pg *pg = NULL;
	struct err e = {0};

	if (pg_open(getenv("NEEDLE_PG_DSN"), "pipes", &pg, &e) < 0)
		fail_msg("%s", e.text);
	return pg;
}

static int setup(void **state)
{
	*state = open_pg();
	return 0;
}

static int teardown(void **state)
{
	pg_close(*state);
	return 0;
}

static void pipe_int(struct pg *pg, const struct query *q, int64_t v, struct pg_rows *ret)
{
	struct pg_args args = {0};

	pg_int(&args, v);
	pg_pipe(pg, q, &args, ret);
}

/* What one statement says to a number; it must work. */
static int64_t ask(struct pg *pg, const struct query *q, int64_t v)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	struct err e = {0};
	int64_t said;

	pg_int(&args, v);
	if (pg_run(pg, q, &args, &rows, &e) < 0)
		fail_msg("%s", e.text);
	said = pg_get_int(&rows, 0, 0);
	pg_rows_done(&rows);
	return said;
}

static int64_t times_prepared(struct pg *pg, const struct query *q)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	struct err e = {0};
	int64_t n;

	pg_text(&args, q->name);
	assert_int_equal(pg_run(pg, &prepared, &args, &rows, &e), 0);
	n = pg_get_int(&rows, 0, 0);
	pg_rows_done(&rows);
	return n;
}

static void is_usable(struct pg *pg)
{
	assert_true(pg_is_alive(pg));
	assert_int_equal(ask(pg, &divide, 5), 2);
	assert_int_equal(ask(pg, &twice, 21), 42);
	assert_int_equal(ask(pg, &thrice, 3), 9);
}

/* ---- larger than a socket takes --------------------------------------------------------------- */
struct counted {
	int calls, most;
};

static bool look(void *arg)
{
	struct counted *c = arg;

	return ++c->calls < c->most;
}

static void pipe_large(struct pg *pg, const struct query *q, const char *const *v, struct pg_rows rows[LARGE])
{
	struct err e = {0};

	pg_pipe_begin(pg);
	pipe_int(pg, &nap, 100, NULL);
	for (int i = 0; i < LARGE; i++) {
		struct pg_args args = {0};

		pg_texts(&args, v, TEXTS);
		pg_pipe(pg, q, &args, &rows[i]);
	}
	if (pg_pipe_end(pg, &e) < 0)
		fail_msg("%s", e.text);
}

static void three_megabytes_and_as_much_in_answer_pass(void **state)
{
	static char texts[TEXTS][TEXT_LEN + 1];
	const char *v[TEXTS];
	struct pg_rows rows[LARGE];
	struct counted c = {.most = 1 << 30};

	for (int i = 0; i < TEXTS; i++) {
		memset(texts[i], 'a' + i % 26, TEXT_LEN);
		v[i] = texts[i];
	}
	for (int with = 0; with < 2; with++) {
		pg_meanwhile(*state, with ? look : NULL, &c);
		pipe_large(*state, &measure, v, rows);
		for (int i = 0; i < LARGE; i++) {
			assert_int_equal(pg_get_int(&rows[i], 0, 0), TEXTS);
			assert_int_equal(pg_get_int(&rows[i], 0, 1), TEXTS * TEXT_LEN);
			assert_string_equal(pg_get(&rows[i], 0, 2), texts[25]);
			pg_rows_done(&rows[i]);
		}
		pipe_large(*state, &echo, v, rows);
		for (int i = 0; i < LARGE; i++) {
			assert_int_equal(strlen(pg_get(&rows[i], 0, 0)), TEXTS * TEXT_LEN);
			pg_rows_done(&rows[i]);
		}
		assert_int_equal(c.calls > 0, with);
	}
	is_usable(*state);
}

static void who_has_nothing_more_to_do_meanwhile_is_not_asked_again(void **state)
{
	struct counted c = {.most = 3};
	struct pg_rows rows;
	struct err e = {0};

	pg_meanwhile(*state, look, &c);
	for (int i = 1; i <= 2; i++) {
		pg_pipe_begin(*state);
		pipe_int(*state, &nap, 200, NULL);
		pipe_int(*state, &twice, i, &rows);
		assert_int_equal(pg_pipe_end(*state, &e), 0);
		assert_int_equal(pg_get_int(&rows, 0, 0), 2 * i);
		pg_rows_done(&rows);
		/* Three times of the first; of the next once more. */
		assert_int_equal(c.calls, 2 + i);
	}
	pg_meanwhile(NULL, look, &c);
	pg_meanwhile(*state, NULL, NULL);
	assert_int_equal(ask(*state, &nap, 50), 0);
	assert_int_equal(c.calls, 4);
}

/* ---- the first use ---------------------------------------------------------------------------- */
static void a_statement_is_prepared_once_where_it_is_used_first(void **state)
{
	struct pg_rows one, two, three;
	struct err e = {0};

	assert_int_equal(times_prepared(*state, &twice), 0);
	for (int i = 1; i <= 2; i++) {
		pg_pipe_begin(*state);
		pipe_int(*state, &twice, 10, &one);
		pipe_int(*state, &twice, 20, &two);
		pipe_int(*state, &thrice, 30, &three);
		assert_int_equal(pg_pipe_end(*state, &e), 0);
		assert_int_equal(pg_get_int(&one, 0, 0), 20);
		assert_int_equal(pg_get_int(&two, 0, 0), 40);
		assert_int_equal(pg_get_int(&three, 0, 0), 90);
		pg_rows_done(&one);
		pg_rows_done(&two);
		pg_rows_done(&three);
		assert_int_equal(times_prepared(*state, &twice), 1);
	}
	is_usable(*state);
}

/* ---- refused ---------------------------------------------------------------------------------- */
struct refusal {
	const struct query *first;
	int64_t with;
	int decision;
	const char *code, *text;
};

/* In front, in the middle and at the end of what else is said. */
static void refuse(struct pg *pg, const struct refusal *r, int place)
{
	static const struct query *const others[] = {&twice, &thrice};
	struct pg_rows rows[3];
	struct err e = {0};

	assert_int_equal(pg_exec(pg, "BEGIN", &e), 0);
	pg_pipe_begin(pg);
	for (int i = 0, other = 0; i < 3; i++)
		if (i == place)
			pipe_int(pg, r->first, r->with, &rows[i]);
		else
			pipe_int(pg, others[other++], 7, &rows[i]);
	assert_int_equal(pg_pipe_end(pg, &e), r->decision);
	assert_string_equal(e.code, r->code);
	assert_non_null(strstr(e.text, r->text));
	for (int i = 0; i < 3; i++)
		assert_null(rows[i].result);
	pg_rollback(pg);
	is_usable(pg);
}

static void a_refused_pipeline_leaves_the_others_to_be_used(void **state)
{
	static const struct refusal refusals[] = {
		{&divide, 0, ERR_BAD, "22012", "divide: database: division by zero"},
		{&nonsense, 1, ERR_SYS, "42P01", "nonsense: database: relation \"nowhere\" does not exist"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		for (int place = 0; place < 3; place++) {
			struct pg *pg = open_pg();

			/* The first time nothing is prepared, then all of it that can be. */
			refuse(pg, &refusals[i], place);
			refuse(pg, &refusals[i], place);
			pg_close(pg);
		}
}

/* ---- cut off ---------------------------------------------------------------------------------- */
static void must_be_tried_again(struct pg *pg, struct pg_rows *rows)
{
	struct err e = {0};

	assert_int_equal(pg_pipe_end(pg, &e), ERR_AGAIN);
	assert_false(pg_is_alive(pg));
	assert_null(rows->result);
	pg_rollback(pg);
	/* Whoever goes on with it is told the same. */
	pg_pipe_begin(pg);
	pipe_int(pg, &twice, 1, rows);
	assert_int_equal(pg_pipe_end(pg, &e), ERR_AGAIN);
}

static void a_session_that_ends_in_the_middle_is_to_be_tried_again(void **state)
{
	struct pg_rows rows;

	pg_pipe_begin(*state);
	pipe_int(*state, &twice, 1, &rows);
	pipe_int(*state, &leave, 0, NULL);
	pipe_int(*state, &thrice, 1, NULL);
	must_be_tried_again(*state, &rows);
}

static int64_t session_of(struct pg *pg)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	struct err e = {0};
	int64_t pid;

	assert_int_equal(pg_run(pg, &who, &args, &rows, &e), 0);
	pid = pg_get_int(&rows, 0, 0);
	pg_rows_done(&rows);
	return pid;
}

struct victim {
	struct pg *by;
	int64_t pid;
};

static bool end_it(void *arg)
{
	struct victim *v = arg;

	if (v->pid)
		ask(v->by, &end_of, v->pid);
	v->pid = 0;
	return true;
}

static void a_session_that_ends_while_it_is_waited_for_is_to_be_tried_again(void **state)
{
	struct victim v = {open_pg(), session_of(*state)};
	struct pg_rows rows;

	pg_meanwhile(*state, end_it, &v);
	pg_pipe_begin(*state);
	pipe_int(*state, &twice, 1, &rows);
	pipe_int(*state, &nap, 60 * 1000, NULL);
	must_be_tried_again(*state, &rows);
	assert_int_equal(v.pid, 0);
	pg_close(v.by);
}

static void a_session_that_ended_before_is_to_be_tried_again(void **state)
{
	struct victim v = {open_pg(), session_of(*state)};
	struct pg_rows rows;

	end_it(&v);
	pg_close(v.by);
	pg_pipe_begin(*state);
	pipe_int(*state, &twice, 1, &rows);
	pipe_int(*state, &nap, 60 * 1000, NULL);
	must_be_tried_again(*state, &rows);
}

/* ---- what is sent ----------------------------------------------------------------------------- */
static const struct query whole = {
	"whole", "SELECT array_to_string($1::text[], ',', '-'), array_to_string($2::int8[], ',', '-'), array_to_string($3::bool[], ',', '-'),"
		 " array_to_string($4::float8[], ',', '-'), array_to_string($5::timestamptz[], ',', '-'), array_to_string($6::bytea[], ',', '-'),"
		 " ($7::json[])[1] ->> 'a', cardinality($8::text[]), $9::text[] IS NULL, $10::timestamptz IS NULL, $11::bytea, $12::bool, $13::text IS NULL"};

static void what_is_sent_arrives(void **state)
{
	static const char *const texts[] = {"一针通", NULL, "", "a\"b\\"}, *const jsons[] = {"{\"a\":1}"};
	static const int64_t ints[] = {INT64_MIN, 0, 1}, times[] = {0, MOMENT_NONE};
	static const bool bools[] = {true, false};
	static const void *const blobs[] = {"\0\377", NULL};
	static const size_t sizes[] = {2, 0};
	const double doubles[] = {1.5, (double)NAN, -0.25};
	static const char *const want[] = {"一针通,-,,a\"b\\", "-9223372036854775808,0,1", "t,f", "1.5,-,-0.25", "1970-01-01 08:00:00+08,-",
					   "\\x00ff,-", "1", "0", "t", "t", "\\x6e00", "t", "t"};
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	struct err e = {0};
	CLEANUP(mem_freep) char *bytes = NULL;
	size_t n;

	pg_texts(&args, texts, 4);
	pg_ints(&args, ints, 3);
	pg_bools(&args, bools, 2);
	pg_doubles(&args, doubles, 3);
	pg_times(&args, times, 2);
	pg_blobs(&args, blobs, sizes, 2);
	pg_jsons(&args, jsons, 1);
	pg_texts(&args, texts, 0);
	pg_texts(&args, NULL, 0);
	pg_time(&args, MOMENT_NONE);
	pg_bytes(&args, "n", 2);
	pg_bool(&args, true);
	pg_text(&args, NULL);
	if (pg_run(*state, &whole, &args, &rows, &e) < 0)
		fail_msg("%s", e.text);
	for (int i = 0; i < (int)ARRAY_LEN(want); i++)
		assert_string_equal(pg_get(&rows, 0, i), want[i]);
	bytes = pg_get_bytes(&rows, 0, 10, &n);
	assert_int_equal(n, 2);
	assert_memory_equal(bytes, "n", 2);
	pg_rows_done(&rows);
}

/* ---- what comes back -------------------------------------------------------------------------- */
static const struct query kinds = {
	"kinds", "SELECT true, false, NULL::bool, (-3)::int2, 70000::int4, (-9000000000)::int8, NULL::int8, 1.5::float8, NULL::float8,"
		 " to_timestamp(0), NULL::timestamptz, $1::int8"};

static void what_comes_as_it_is_stored_is_the_same_as_text(void **state)
{
	for (int binary = 0; binary < 2; binary++) {
		struct pg_args args = {0};
		struct pg_rows rows = {0};
		struct err e = {0};

		pg_int(&args, 5);
		assert_int_equal((binary ? pg_run_binary : pg_run)(*state, &kinds, &args, &rows, &e), 0);
		assert_true(pg_get_bool(&rows, 0, 0));
		assert_false(pg_get_bool(&rows, 0, 1) || pg_get_bool(&rows, 0, 2));
		assert_int_equal(pg_get_int(&rows, 0, 3), -3);
		assert_int_equal(pg_get_int(&rows, 0, 4), 70000);
		assert_true(pg_get_int(&rows, 0, 5) == INT64_C(-9000000000));
		assert_int_equal(pg_get_int(&rows, 0, 6), 0);
		assert_true(pg_get_double(&rows, 0, 7) == 1.5 && isnan(pg_get_double(&rows, 0, 8)));
		assert_true(pg_get_time(&rows, 0, 10) == MOMENT_NONE);
		if (binary)
			assert_int_equal(pg_get_time(&rows, 0, 9), 0);
		assert_int_equal(pg_get_int(&rows, 0, 11), 5);
		pg_rows_done(&rows);
	}
}

static void plain_sql_is_done_refused_or_nothing_at_all(void **state)
{
	struct err e = {0};

	assert_int_equal(pg_exec(*state, "", &e), 0);
	assert_int_equal(pg_exec(*state, "SELECT 1; SELECT 2", &e), 0);
	assert_int_equal(pg_exec(*state, "BEGIN", &e), 0);
	assert_int_equal(pg_exec(*state, "SELECT nothing", &e), ERR_SYS);
	assert_string_equal(e.code, "42703");
	assert_int_equal(pg_exec(*state, "SELECT 1", &e), ERR_SYS);
	pg_rollback(*state);
	pg_rollback(*state);    /* there is nothing any more */
	is_usable(*state);
	pg_rollback(NULL);
	pg_close(NULL);
	assert_false(pg_is_alive(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(three_megabytes_and_as_much_in_answer_pass, setup, teardown),
		cmocka_unit_test_setup_teardown(who_has_nothing_more_to_do_meanwhile_is_not_asked_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_statement_is_prepared_once_where_it_is_used_first, setup, teardown),
		cmocka_unit_test(a_refused_pipeline_leaves_the_others_to_be_used),
		cmocka_unit_test_setup_teardown(a_session_that_ends_in_the_middle_is_to_be_tried_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_session_that_ends_while_it_is_waited_for_is_to_be_tried_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_session_that_ended_before_is_to_be_tried_again, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_sent_arrives, setup, teardown),
		cmocka_unit_test_setup_teardown(what_comes_as_it_is_stored_is_the_same_as_text, setup, teardown),
		cmocka_unit_test_setup_teardown(plain_sql_is_done_refused_or_nothing_at_all, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
