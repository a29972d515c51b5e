#pragma once
/* What the store knows already: reports by id, commands by request, cases by a report; case numbers. */
#include "core/office.h"
#include "store/save.h"

struct known_report {
	bool known, same;               /* same: its content too */
	const char *number;             /* or NULL (talk) */
	const char *lead;
	int64_t due[N_CLOCKS];
};
/* rows[i] -> ret[i] */
int lookup_reports(struct pg *pg, const char *tenant, const struct report_row *const *rows, size_t n,
		   struct arena *a, struct known_report *ret, struct err *e);
/* (channel, id) -> case number, NULL where unknown */
int lookup_about(struct pg *pg, const char *tenant, const char *const *channels, const char *const *ids, size_t n,
		 struct arena *a, const char **ret, struct err *e);
/* ret[i]: there is a case numbers[i] */
int lookup_numbers(struct pg *pg, const char *tenant, const char *const *numbers, size_t n, struct arena *a,
		   bool *ret, struct err *e);
/* (department, request) -> stored result, NULL where new; and the case whose record a `get` was given, else NULL */
int lookup_commands(struct pg *pg, const char *tenant, const char *const *depts, const char *const *requests,
		    size_t n, struct arena *a, const char **ret, const char **ret_read, struct err *e);

/*
 * Case numbers of one day from leased blocks: prefix + yymmdd + at least six digits. A block is leased in
 * a transaction of its own, so a number is never given twice; a restart leaves a gap.
 */
struct numbers {
	char day[12];
	int64_t next, end;
	int64_t lease, leased_us;       /* how many were taken last, and when by the monotonic clock */
};
/*
 * Makes sure that n numbers of the day of `now` are at hand. Outside of any transaction. They are leased from the database by the
 * hundred: a lease that lasts less than a second is followed by one twice as large. What is left at the end is a gap.
 */
int numbers_ensure(struct pg *pg, const char *tenant, struct numbers *numbers, int64_t now, size_t n,
		   struct err *e);
const char *numbers_take(struct numbers *numbers, const char *prefix, struct arena *a);
