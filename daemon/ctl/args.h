#pragma once
/*
 * Command lines by table: flags may stand anywhere, `--name VALUE` or `--name=VALUE`, short ones
 * `-n VALUE` or `-nVALUE`; `--` ends them. What is not in the table is refused with the nearest name. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;

struct flag {
	const char *name;               /* without "--"; NULL ends a table */
	char letter;                    /* of the short form, or 0 */
	const char *value;              /* what follows, for the help: "TIME"; NULL: a switch */
	const char *help;               /* one sentence without its full stop, catalogue text */
};

enum { ARGS_GIVEN = 96, ARGS_OPERANDS = 32, ARGS_TABLES = 2 };
struct args {
	const struct flag *tables[ARGS_TABLES];  /* may be NULL */
	struct {
		const struct flag *flag;
		const char *value;      /* "" for a switch */
	} given[ARGS_GIVEN];
	size_t n_given;
	const char *operands[ARGS_OPERANDS];
	size_t n_operands;
};

/*
 * Adds words[0…n-1] to what was given before; stops behind the first operand when asked to. Returns
 * how many words were used, or ERR_BAD with code "usage" and one sentence.
 */
int args_parse(struct args *args, char *const *words, int n, bool stop_at_operand, struct err *e);
const char *args_get(const struct args *args, const char *name);    /* the last one given, or NULL */
bool args_has(const struct args *args, const char *name);
/* Walks a flag that may be given often: `size_t at = 0; while ((v = args_next(a, "set", &at)))`. */
const char *args_next(const struct args *args, const char *name, size_t *at);

/* How many letters must be put in, taken out, changed or swapped; stops counting at 9. */
int args_distance(const char *a, const char *b);
/* Of the candidates, the one that `word` was probably meant to be, or NULL. */
const char *args_nearest(const char *word, const char *const *candidates, size_t n);
