#pragma once
/*
 * Inside core/understand only: the `when` of a rule or copy, made ready once and then asked of many
 * reports. It looks at no rule and decides nothing.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/understand/match.h"
#include "core/understand/message.h"

struct err;

enum {
	REGEX_BYTES = 512,              /* of a pattern */
	REGEX_COMPILED_BYTES = 64 * 1024,
	REGEX_TEXT_BYTES = 4096,        /* of the shadow that a pattern is tried on */
	REGEX_STEPS = 10000,            /* for each place where a match may begin */
	REGEX_DEPTH = 1000,
	REGEX_HEAP_KIB = 1024,
};

struct when_words {
	uint32_t *ids;                  /* of the matcher, in the order of the configuration */
	size_t n;
};
struct when_ready {
	const struct when *when;
	uint32_t fields; /* bit per field that is asked for: the others cost nothing */
	struct when_words any, all, none;
	pcre2_code **regex;
	size_t n_regex;
};

/* A report as a `when` sees it; scratch for one message. */
struct sight {
	const struct report *report;
	const uint64_t *found;          /* words in the shadow */
	int minute;                     /* of the day on which it came */
	struct arena *arena;
	pcre2_match_context *limits;    /* read only, shared by all threads */
	pcre2_match_data *match_data;   /* made when the first pattern is tried */
};
void sight_init(struct sight *s, const struct report *r, const struct match *words,
		pcre2_match_context *limits, struct arena *a);

/* Compiles the patterns; the words are the caller's. ERR_BAD with the reason. */
int when_compile(const struct when *when, struct arena *a, struct when_ready *ret, struct err *e);
void when_free(struct when_ready *w);

/*
 * The path of the first field that fails, NULL when all match. *ret_n: how many fail (may be NULL:
 * stop early).
 */
const char *when_failed(struct sight *s, const struct when_ready *w, size_t *ret_n);
/* "text.any 煤气味, grid 410106003*": what of the report met which field. */
const char *when_why(struct sight *s, const struct when_ready *w);
