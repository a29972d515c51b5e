#pragma once
/*
 * Finds many words in one pass over a text (Aho-Corasick over bytes; UTF-8 synchronises itself, so
 * no character is ever split). Built once in an arena, then read from any thread.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct match;

#define MATCH_NONE UINT32_MAX   /* id of an empty word: it is never found */

/*
 * Fills ids[i] with the id of words[i]; equal words have equal ids. Everything is in the arena;
 * `words` may go afterwards.
 */
const struct match *match_new(const char *const *words, size_t n, struct arena *a, uint32_t *ids);
/* Words that the result of a search needs: a uint64_t holds 64 ids. */
size_t match_set_size(const struct match *m);
/* Sets the bits of all words in the text; `found` must be zero before. */
void match_find(const struct match *m, const char *text, size_t len, uint64_t *found);
/* False for MATCH_NONE. */
bool match_has(const uint64_t *found, uint32_t id);
size_t match_bytes(const struct match *m);      /* of memory, for tests and figures */
