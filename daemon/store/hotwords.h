#pragma once
/* The texts that hot words are found in, and which subjects were proposed of them. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct pg;

struct heard_text {
	const char *text, *grid;        /* NULL: forgotten by now; none. Both live until the call returns */
	bool talk;
};
/* Of a half-open span, day by day, so that not all of it is in memory: reports, supplements, talk; nothing secret, no visits by register
 * and nothing of the channel `but` (may be NULL). Talk whose words were forgotten still tells where it was. `each` says whether to go on. */
int hot_texts(struct pg *pg, const char *tenant, const char *but, int64_t from, int64_t to,
	      bool (*each)(void *arg, const struct heard_text *text), void *arg, struct err *e);
/* Proposed since; and within the caller's transaction: proposed now. */
int subjects_known(struct pg *pg, const char *tenant, int64_t since, struct arena *a, const char *const **ret, size_t *ret_n,
		   struct err *e);
int subject_put(struct pg *pg, const char *tenant, const char *word, int64_t at, struct err *e);
