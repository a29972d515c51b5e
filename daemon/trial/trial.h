#pragma once
/*
 * The tests of a folder, run: each message goes the gateway's own way (understand, route, the life of a
 * case) in simulated time, and what comes of it is compared with what the test names. Nothing is
 * published, nothing stored, no clock read: `needlectl test`, `check --all` and a reload do the same.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"
#include "settings/snapshot.h"
#include "settings/source.h"

struct rule;
struct test;

/* One thing that differs. Texts live in the trial's arena. */
struct trial_failure {
	const struct test *test;
	struct mark mark;               /* of what was expected */
	const char *field;              /* "dept", "due.resolve", of a timeline "event", "at", "do" */
	const char *want, *got;         /* as a test writes them; got: NULL for none */
	const char *why;                /* what led there, or NULL */
	bool unwanted;                  /* of not_rule, not_event: `want` must not be */
};
struct trial {
	size_t passed, failed;          /* tests */
	struct trial_failure *failures; /* in the order of the tests */
	size_t n_failures;
	size_t rules, won, near;        /* near: rules that some test misses by one condition */
	int percent;                    /* of the rules that won, rounded down; 100 when there are none */
	bool *rule_won;                 /* by rule, in the office's order */
	struct arena arena;
};

void trial_run(const struct settings *settings, struct trial *ret);
void trial_done(struct trial *trial);
/* What the snapshot's own findings and the trial say together: an E60 a failed test, one for too little coverage. */
void trial_findings(struct trial *trial, const struct settings *settings, struct findings *ret);
