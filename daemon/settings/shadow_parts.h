#pragma once
/* Inside the shadow proof: what shadow.c and shadow_meet.c share. */
#include "base/mem.h"
#include "core/office.h"
#include "core/understand/match.h"
#include "settings/shadow.h"
#include "settings/shadow_sets.h"

/* Ids of words, or numbers of rules. */
struct ids {
	uint32_t *v;
	size_t n;
};
struct shadow_rule {
	struct box box;
	struct ids any, all, none;      /* any: as long as the list; MATCH_NONE for what is no word */
	bool asks_any;
	bool never;                     /* a word of `all` is empty, or every one of `any` is */
	bool regex;
};
/* One way to meet a rule's words, and which earlier rules are met as well in that case. */
struct branch {
	size_t entry;                   /* of `any`; SIZE_MAX when there is none */
	struct ids takers;
	bool dead;                      /* its own `none` forbids it, or it is no word */
};
struct shadow {
	const struct office *office;
	struct arena *arena;            /* of what stays */
	struct arena scratch;           /* of the rule that is looked at */
	struct pieces pieces;
	struct shadow_rule *rules;
	size_t n_words;
	const char **texts;             /* word -> its normalised text */
	struct ids *inside;             /* word -> the words in it, itself among them */
	struct ids *around;             /* word -> the words that it stands in */
	struct ids *asked_any;          /* word -> the rules with it in `any` */
	struct ids *asked_all;          /* word -> the rules with it in `all` */
	struct ids wordless;            /* rules without `any` */
	size_t budget;                  /* steps that the whole proof may still take */

	/* the rule that is looked at */
	size_t rule;
	uint32_t *present, *forbidden;  /* word -> stamp: surely in the text, surely not */
	uint32_t *seen;                 /* rule -> stamp: judged already */
	uint32_t stamp;
	uint32_t *near;                 /* word -> 1 + the last rule with a word inside or around it */
	size_t near_rule;               /* that rule */
	struct branch *branches;
	size_t n_branches;
};

/* Is every message of this branch (words marked present, forbidden) one of the rule's, as far as words go? */
bool shadow_words_met(const struct shadow *s, const struct shadow_rule *rule);
/* Marks what is surely in a text that meets the rule by entry `entry` of its `any`, and surely not. */
void shadow_mark(struct shadow *s, const struct shadow_rule *rule, size_t entry);
