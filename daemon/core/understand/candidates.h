#pragma once
/*
 * Inside core/understand only: which rules and copies can match at all, told by the words that were found. A
 * rule that asks for words and of whose words none is there needs no look; with thousands of rules that is
 * nearly all of them.
 */
#include "core/understand/when.h"

struct candidates {
	size_t n, size;                 /* whens; uint64_t that a set of them needs */
	size_t n_found;                 /* uint64_t of a set of found words */
	uint64_t *always;               /* those that ask for no word of `any` */
	uint32_t *first;                /* by id of a word: where its whens begin, the next one's is the end */
	uint32_t *whens;
};
void candidates_init(struct candidates *c, const struct when_ready *whens, size_t n, size_t n_found, struct arena *a);
/* Fills `set` (c->size, zero before). */
void candidates_find(const struct candidates *c, const uint64_t *found, uint64_t *set);
/* The first of the set that is not before `i`; c->n when there is none. */
size_t candidates_next(const struct candidates *c, const uint64_t *set, size_t i);
