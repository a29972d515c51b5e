#pragma once
/* The clocks of a leg and what its ladder does when. Pure. */
#include "core/life/case.h"

struct arena;

/* What a clock starts from: as the policy says, else dispatch for accept and contact, receipt for resolve. */
enum clock_from clock_starts(const struct policy *policy, enum clock_name k);
/* Starts leg n: every clock that does not wait for acceptance (or, as feedback, for the end of the work), from `start`. */
void leg_start(const struct office *office, struct leg *leg, int n, const struct policy *policy, int64_t start);
void leg_start_clock(const struct office *office, struct leg *leg, enum clock_name k, const struct policy *policy,
		     int64_t start);
/* The limit that such a clock would have, MOMENT_NONE without one. */
int64_t leg_limit(const struct office *office, enum clock_name k, const struct policy *policy, int64_t start);
/* Another body has the case: what starts with dispatch or acceptance starts anew. */
void leg_hand_on(const struct office *office, struct leg *leg, const struct policy *policy, int64_t now);
/* The body has accepted: what starts with that starts, once. */
void leg_accept(const struct office *office, struct leg *leg, const struct policy *policy, int64_t now);
/* What is met is no longer unsure: to be called after every step. */
void leg_settle(struct leg *leg);
/* Counts a limit anew; false when it cannot be: its calendar is gone, and the old guess is the best. */
bool basis_due(const struct office *office, const struct basis *basis, struct arena *a, struct due *ret);
/* Clock k has a new limit: what its old one had set off and the new one has still to come is to happen again. */
void leg_rearm(const struct office *office, struct case_record *c, enum clock_name k, int64_t now, struct arena *a);
/* The calendar that a deadline counts by: its own, else the policy's, else the office's. */
const struct calendar *office_calendar(const struct office *office, const struct deadline *d,
				       const struct policy *policy);

enum ladder_kind { LADDER_OVERDUE, LADDER_STEP, LADDER_ERRAND, LADDER_RAISE, LADDER_RESUME, LADDER_SUPPORT, LADDER_CLOSE };
struct ladder_item {
	enum ladder_kind kind;
	int64_t at;
	enum clock_name clock;
	const struct step *step;        /* of LADDER_STEP */
	size_t index;                   /* of LADDER_ERRAND, _RAISE (an order), _RESUME (a pause) in errands, of LADDER_SUPPORT in supports */
	const char *identity;           /* its name in leg.fired */
};
/* When a step falls due, MOMENT_NONE when its clock does not run; and when it is heard, quiet hours passed. */
int64_t ladder_step_at(const struct office *office, const struct case_record *c, const struct policy *policy,
		       const struct step *s);
int64_t ladder_heard_at(const struct escalation *ladder, const struct step *s, int64_t at);
/*
 * The earliest thing that is still to happen to the case, whether due or not. False: nothing.
 * Walking it until item.at > now, marking each as fired, is all that a clock tick does.
 */
bool ladder_next(const struct office *office, const struct case_record *c, struct arena *a,
		 struct ladder_item *ret);
/*
 * Whether the clock stands still while the case is suspended, and by which calendar it is paid back:
 * clocks of working days and hours get the working time that they had left, others (NULL) the wall's.
 */
bool pause_stops(const struct case_record *c, const struct policy *policy, enum clock_name k);
const struct calendar *pause_calendar(const struct office *office, const struct policy *policy, enum clock_name k);
/* What has fired in this leg and is not forgotten. */
bool ladder_has_fired(const struct leg *leg, const char *identity);
const char *ladder_step_identity(const struct step *s, struct arena *a);
