#pragma once
/* Inside daemon/trial: one test at work, and how it fails. */
#include "base/vec.h"
#include "core/life/lifecycle.h"
#include "core/understand/route.h"
#include "settings/tests.h"
#include "trial/trial.h"

typedef VEC(struct trial_failure) failure_list;
struct attempt {
	const struct office *office;
	const struct test *test;
	struct trial *trial;
	failure_list *failures;                 /* of all tests */
	struct arena scratch;                   /* of this test */
	struct understood understood;
	struct decision decision;
	struct case_record record;
	struct effects opening;
};

/* Texts are copied. */
void attempt_fail(struct attempt *at, const struct mark *mark, const char *field, const char *want, const char *got,
		  const char *why);
/* "2026-02-13 18:40[:30]", as a test writes it; NULL for MOMENT_NONE. */
const char *attempt_time(int64_t at, struct arena *a);
/* What was written, as JSON of the row's types. */
json_t *attempt_json(const struct key_info *row, const struct node *node);
/* Holds the test's conversation. */
void attempt_talk(struct attempt *at);
/* Plays the timeline of a case that has just been opened. */
void attempt_play(struct attempt *at);
