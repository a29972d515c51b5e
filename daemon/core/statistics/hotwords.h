#pragma once
/*
 * Hot words and hot places of a span of time, against the time before: what is said much, what is said more than
 * before, and what is talked about though hardly anybody reports it. There is no dictionary. A word is a run of 2 to 8
 * Han characters that is frequent, whose parts belong together (the weakest split has much mutual information) and
 * that is used freely (many different neighbours on both sides). Counted are texts, not occurrences; pure.
 *
 * Memory: 6 bytes a character of all texts, 16 a text, and one cell for each pair that occurs (at most 6 million).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct hotwords;
enum { HOT_LONGEST = 8 };

struct hot_settings {
	int64_t min;                    /* texts of the time that have it */
	double rise;                    /* times its share of the time before */
	double cohesion, boundary;      /* bits: mutual information of the weakest split; entropy of the poorer side */
	int64_t talk_min;               /* lines of talk that make a subject of talk … */
	double talk_ratio;              /* … when there are so many for each report */
	size_t top, proposals;          /* how many words and places; how many subjects */
	const char *const *ignore;      /* words that are no subject here */
	size_t n_ignore;
};
/* Of texts, by what they are. */
enum hot_class { HOT_REPORT_BEFORE, HOT_TALK_BEFORE, HOT_REPORT, HOT_TALK, N_HOT_CLASS };
struct hot_row {
	const char *text;               /* the word, or the grid */
	int64_t n[N_HOT_CLASS];
	double rise;                    /* 0: there is no time before to compare with */
	double cohesion, boundary;      /* 0 for places */
	bool rising;
	const char *also;               /* of subjects: other words for it, or NULL */
};
struct hot_result {
	struct hot_row *words, *rising, *subjects, *places;     /* subjects: much talk, few reports */
	size_t n_words, n_rising, n_subjects, n_places;
};

/* `stop` may be NULL. Once it is true, what is asked gives up soon and finds nothing. */
struct hotwords *hotwords_new(const _Atomic bool *stop);
bool hotwords_stopped(const struct hotwords *h);
void hotwords_free(struct hotwords *h);
/* text NULL: there was one, which is forgotten; it counts for its place. grid: NULL for none. Nothing is kept of the arguments. */
void hotwords_add(struct hotwords *h, const char *text, const char *grid, enum hot_class what);
/* Once, when all is added. The result lives in the arena. */
void hotwords_find(struct hotwords *h, const struct hot_settings *s, struct arena *a, struct hot_result *ret);
