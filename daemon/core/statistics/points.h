#pragma once
/*
 * Points (积分): what a step of a case earns whom, by the office's rules. Pure; the database knows who the reporter and the
 * officer of the case are, and adds the entries in the transaction of the step (store/points.h).
 */
#include "core/statistics/statistics.h"

struct case_record;
struct history_row;
struct office;

enum point_who { POINT_REPORTER, POINT_OFFICER, POINT_KEEPER, POINT_LEAD, N_POINT_WHO };
extern const char *const point_who_names[N_POINT_WHO];
/* After which entry of the history; BY_HAND: only as somebody says so. */
enum point_on { POINT_REGISTERED, POINT_ACCEPTED, POINT_REPORTED_IN, POINT_SUPPORT_DONE, POINT_RESOLVED, POINT_RATED, POINT_CLOSED,
		POINT_REOPENED, POINT_SUPERVISED, POINT_BY_HAND, N_POINT_ON };
extern const char *const point_on_names[N_POINT_ON];

struct point_rule {
	const char *name;
	enum point_on on;
	enum point_who who;
	int64_t points;                 /* negative: taken away */
	struct selection when;
	const struct department *review;/* must approve it before it counts; NULL: nobody */
};
struct point_good {                     /* in the shop */
	const char *name;
	int64_t price;
};
struct point_row {
	const char *number, *account;   /* account: NULL where the database knows it */
	const char *who, *rule, *review;
	int64_t seq, at, amount;
};

/* Is the case among them, with these facts? */
bool selection_holds(const struct selection *s, const struct case_record *c, int64_t facts);
/* What one row of the history earns; at most one entry a rule, into ret. Returns how many. */
size_t points_of(const struct office *office, const struct case_record *c, int64_t facts, const struct history_row *row, struct arena *a,
		 struct point_row *ret);
