#pragma once
/* Inside replay only: stored reports through two offices, and what differs. */
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/vec.h"
#include "core/office.h"

struct ctl;
struct err;
struct pg;

typedef VEC(const char *) case_list;   /* numbers, in the tally's arena */

/* Reports that went from one department to another, and what of the rules is the reason. */
struct replay_group {
	const char *from, *to;          /* NULL: it would be a dead letter */
	const char *rule, *why;         /* rule NULL: categories or fallback */
	size_t count;
	case_list cases;
};
struct replay_rule {
	size_t won, lost;               /* lost: it matched, but an earlier one won */
};
struct tally {
	const struct office *from, *to;
	int64_t now;
	size_t keep;                    /* how many numbers each list keeps */
	size_t total, same, changed_due, earlier, later, late_before, late_after;
	VEC(struct replay_group *) groups;
	struct map group_by_key;
	case_list due_cases, late_cases;        /* limits that moved; newly late */
	struct replay_rule *rules;      /* by rule of `to` */
	struct arena arena, scratch;
};

/* One stored report. */
struct stored_report {
	const char *channel, *number, *text, *category, *grid, *urgency, *device, *accused;
	bool secret, first;             /* first: the one that made the case */
	int64_t received_at;
	int64_t done_at;                /* when its first leg ended, MOMENT_NONE: it has not */
};
void tally_init(struct tally *t, const struct office *from, const struct office *to, int64_t now, size_t keep);
void tally_add(struct tally *t, const struct stored_report *r);
void tally_done(struct tally *t);
