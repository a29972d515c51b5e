#pragma once
/*
 * report -> decision: the first rule whose every field matches, else the category's department, else the
 * fallback; copies beside. Keywords of all rules are found in one pass of an Aho-Corasick automaton.
 */
#include "core/understand/message.h"

enum route_source { ROUTE_RULE, ROUTE_CATEGORY, ROUTE_FALLBACK, N_ROUTE_SOURCE };
extern const char *const route_source_names[N_ROUTE_SOURCE];

struct near_miss {                      /* a rule with exactly one failing field */
	const struct rule *rule;
	const char *failed;             /* "text.any", "grid" */
	int met;                        /* how many others hold */
};
enum route_want { ROUTE_NEAR = 1, ROUTE_ALSO = 2 };     /* what costs a look at every rule */
struct decision {
	const struct department *dept;
	const struct department *const *supports;   /* never holds the lead */
	size_t n_supports;
	const struct department **copies;           /* union, without the lead, in the office's order */
	size_t n_copies;
	const struct rule *rule;                    /* NULL unless ROUTE_RULE */
	enum route_source source;
	const struct policy *policy;
	enum urgency urgency;
	enum visibility visibility;
	const char *horizon;
	const char *why;                            /* one sentence: which words, which field */
	struct near_miss *near;                     /* ROUTE_NEAR only */
	size_t n_near;
	uint32_t *also;                             /* ROUTE_ALSO only: places of later rules that match too */
	size_t n_also;
};

struct route_index;
/* Built once per snapshot, in its arena. ERR_BAD for a regex that does not compile or is too heavy. */
int route_index_new(const struct office *office, struct arena *a, struct route_index **ret, struct err *e);
void route_index_free(struct route_index *index);    /* compiled regexes only; the rest is the arena's */
/* `want`: bits of enum route_want. Cannot fail. Thread-safe: scratch lives in the arena. */
void route(const struct office *office, const struct report *r, struct arena *a, unsigned want,
	   struct decision *ret);
/* The same for one rule or copy: the path of the first failing field, NULL when it matches. */
const char *route_failed_field(const struct office *office, const struct when *when, const struct report *r,
			       struct arena *a);
