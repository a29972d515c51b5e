#pragma once
/* Inside hotwords*.c: the texts as characters, and the runs of characters that occur, level by level. */
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "core/statistics/hotwords.h"

struct hot_text {
	uint32_t from, to, grid;        /* half-open, in `chars`; empty: forgotten. grid: index + 1 */
	enum hot_class what;
};
/* A run of n characters: its first n-1 and its last n-1, as index + 1 of the level below. */
struct gram {
	uint32_t prefix, suffix;
	uint32_t n[N_HOT_CLASS];
	uint32_t seen;                  /* the last text that was counted, + 1 */
};
struct level {
	struct gram *v;
	uint32_t n;
};
struct candidate {
	uint32_t length, gram;          /* gram: index in its level */
	double cohesion, left, right;
};
struct hotwords {
	VEC(uint16_t) chars;            /* Han characters; 0 stands for all others */
	VEC(struct hot_text) texts;
	VEC(const char *) grids;
	struct map grid_by_code;        /* code -> (void *)(index + 1) */
	struct arena codes;
	const _Atomic bool *stop;       /* or NULL */
	int64_t n[N_HOT_CLASS];         /* texts whose words are known */
	int64_t placed[N_HOT_CLASS];    /* those and forgotten ones */
	struct level levels[HOT_LONGEST + 1];
	uint32_t *ids;                  /* of the run that begins there, on the present level: index + 1; 0: none */
	uint64_t total;                 /* characters of the time itself */
	VEC(struct candidate) candidates;
};

static inline bool hot_is_now(enum hot_class what)
{
	return what == HOT_REPORT || what == HOT_TALK;
}
static inline uint64_t hot_now(const uint32_t n[N_HOT_CLASS])
{
	return (uint64_t)n[HOT_REPORT] + n[HOT_TALK];
}
/* hotwords_grams.c: fills levels and candidates. */
void hot_grams(struct hotwords *h, const struct hot_settings *s);
/* The characters of a run. */
void hot_spell(const struct hotwords *h, uint32_t length, uint32_t gram, uint16_t *ret);
