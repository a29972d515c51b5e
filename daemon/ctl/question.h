#pragma once
/*
 * Offline verbs answer questions: one from the command line, or with --stdin one JSON object a line, the
 * flags as members, each answered by one line. Both become the same JSON object first.
 */
#include <jansson.h>

struct ctl;
struct err;

/* Answers one question: 0 and *ret, or an error. */
typedef int question_fn(struct ctl *ctl, const json_t *question, json_t **ret, struct err *e);
/* Prints one answer for people; `question` as above. */
typedef void question_text(struct ctl *ctl, const json_t *question, const json_t *answer);

/* The operands joined by blanks become `operand` (may be NULL) of the question. */
int question_run(struct ctl *ctl, const char *operand, question_fn *fn, question_text *text, struct err *e);
/* A member's text, or NULL. */
const char *question_get(const json_t *question, const char *name);
