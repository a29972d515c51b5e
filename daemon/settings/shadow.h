#pragma once
/*
 * Which rules can never win, proved over the office's rules as they are: a rule is a conjunction of
 * sets, one a field, so that "everything of B is taken by the rules before it" is set inclusion, field
 * by field (docs/lint.md). What is claimed is certain; what cannot be proved is not claimed. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

struct arena;
struct office;
struct shadow;

/* The lists of a `when` whose entries are alternatives. */
enum shadow_list { SHADOW_ANY, SHADOW_CHANNEL, SHADOW_CATEGORY, SHADOW_GRID, SHADOW_DEVICE, SHADOW_URGENCY,
		   SHADOW_DURING, N_SHADOW_LISTS };

enum { SHADOW_BY = 3 };         /* rules that are named */
struct shadow_proof {
	size_t by[SHADOW_BY];   /* the rules that take it together, in their order */
	size_t n_by;            /* how many they are; may be more than are named */
};

/* A message that two rules both match; what is NULL or negative does not matter. */
struct shadow_sample {
	const char *text, *channel, *category, *grid, *device;
	int urgency, secret, minute;
};

/* The office's rules must stay as they are; `a` holds what is made. */
struct shadow *shadow_new(const struct office *office, struct arena *a);
void shadow_done(struct shadow *s);

/*
 * Looks at one rule; the questions below are about it until the next is looked at. True: no message is
 * ever won by it.
 */
bool shadow_rule(struct shadow *s, size_t rule, struct shadow_proof *ret);
/* Is entry i of that list without effect, because earlier rules take all that it would bring? */
bool shadow_entry(struct shadow *s, enum shadow_list list, size_t i, struct shadow_proof *ret);
/* The word of the rule's own `none` that keeps word i of its `any` from ever counting, or NULL. */
const char *shadow_forbidden(struct shadow *s, size_t i);
/* Why the words do not save it from an earlier rule: a word of its own, and the other's that stands in it. */
bool shadow_word(struct shadow *s, size_t earlier, const char **ret_own, const char **ret_inside);
/*
 * Do the rule and an earlier one meet in what both speak of (a word, a category, a grid, a device),
 * neither of them inside the other? Then a message that both match, for which only the order decides.
 */
bool shadow_meets(struct shadow *s, size_t earlier, struct arena *a, struct shadow_sample *ret);
/* May some message match both? False only where it is certain that none does; words do not count. */
bool shadow_may_meet(const struct shadow *s, size_t rule, size_t other);
