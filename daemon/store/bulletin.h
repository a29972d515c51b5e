#pragma once
/* Series that run on, and the lists that were made of them. */
#include "core/office.h"
#include "store/pg.h"

struct arena;
struct err;
struct outbox_rows;

struct series_row {
	const char *name, *spec;
	int64_t began_at, last_at;
};
/* As the database has it; a series that it does not know, or knew by another spec, begins at `now`. */
int series_load(struct pg *pg, const char *tenant, struct series_row *rows, size_t n, int64_t now,
		struct err *e);
/*
 * Within the caller's transaction: this occurrence is ours. SERIES_DONE: somebody else was faster, or it was
 * done before; nothing may be written of it.
 */
enum { SERIES_DONE = 1 };
int series_advance(struct pg *pg, const char *tenant, const char *name, int64_t last, int64_t at, struct err *e);

struct bulletin {
	const char *name;               /* report/weekly, public/closed */
	int64_t due_at, made_at, since;
	const char *config, *payload;
};
int bulletin_put(struct pg *pg, const char *tenant, const struct bulletin *b, struct err *e);
/* Of each name the newest; or all from the instant `after` on (MOMENT_NONE: only the newest), oldest first. */
int bulletin_newest(struct pg *pg, const char *tenant, int64_t after, struct arena *a, struct bulletin **ret,
		    size_t *ret_n, struct err *e);

/* Messages to ourselves, through the broker as any adapter's: written to the outbox in the caller's transaction. */
int visits_put(struct pg *pg, const char *tenant, const struct outbox_rows *rows, struct err *e);

/* The rows of a list, texts as they are printed. Cells may be NULL. */
struct list_query {
	const char *tenant;
	enum period_content content;
	int64_t since, at, until;       /* the period that ends at `at`; what is due before `until` is due soon */
	bool everybody;                 /* nothing personal at all: no titles, no places */
	const char *only;               /* of inspections: this one, NULL: all; of projects: their channel */
};
struct list_rows {
	const char ***rows;
	size_t n, columns;
};
int list_load(struct pg *pg, const struct list_query *q, struct arena *a, struct list_rows *ret, struct err *e);
/* Headings of that list, `columns` of them. */
const char *const *list_headings(enum period_content content, bool everybody, size_t *ret_columns);

struct wall_figures {
	int64_t received_today, closed_today, resolved_today, open, overdue, due_today, suspended, triage;
};
/* What is counted of cases and their history since the day began; the rest is the summaries'. */
int wall_today(struct pg *pg, const char *tenant, int64_t day, struct wall_figures *ret, struct err *e);
/* The category of each case, or NULL. */
int wall_categories(struct pg *pg, const char *tenant, const char *const *numbers, size_t n, struct arena *a, const char **ret,
		    struct err *e);
