#pragma once
/*
 * The tests of a folder as they were written: a message, and what must become of it, at once or in
 * simulated time. Shape, times and the names of what is put in were checked like those of any other
 * file; whether a test holds is for daemon/trial to find out. Lives with the snapshot.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/office.h"
#include "core/time/deadline.h"
#include "settings/source.h"

struct key_info;
struct node;

/* One leaf below `in`, `do` or `expect`. */
struct test_value {
	const char *key;                /* path below it: "due.resolve", "reporter.secret" */
	const struct key_info *row;
	const struct node *node;        /* as written: what it is in JSON is the row's to say */
	struct texts texts;             /* one, or a list */
	struct mark at;
};
struct test_values {
	const struct test_value *v;
	size_t n;
};
/* NULL when it is not named. */
const struct test_value *test_value(const struct test_values *values, const char *key);
/* Of a yes or no. */
bool test_value_is_yes(const struct test_value *value);

struct test_step {
	struct mark mark;               /* of `at` */
	const char *text;               /* `at` as written */
	bool has_span;                  /* from the file's `now`, else … */
	struct deadline span;
	int64_t at;                     /* … the instant */
	bool acts;                      /* it has a `do` */
	struct test_values act, expect;
};
struct test {
	const char *name, *file;
	struct mark mark;
	int64_t now;
	struct test_values in, expect;
	const struct test_step *steps;
	size_t n_steps;
	const struct test_step *talk;   /* act: what is said or heard */
	size_t n_talk;
};
