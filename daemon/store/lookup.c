#include "store/lookup.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/time/moment.h"

/*
 * Look-ups by key, one a row of the batch, whatever was believed of the tables when this was planned: a table that was
 * empty then must not be read whole. Of cases the first from the number on: several indexes begin with the tenant.
 */
#define REPORT "(SELECT * FROM report x WHERE x.tenant = $1::text AND x.channel = u.channel AND x.id = u.id OFFSET 0) r"
#define CASE_OF(n)                                                                                            \
	"(SELECT * FROM cases x WHERE x.tenant = $1::text AND x.number >= " n " ORDER BY x.number LIMIT 1) c ON c.number = " n

static const struct query known_reports = {
	"known_reports",
	"SELECT u.i, r.number, r.digest = u.digest, c.lead, micros(c.due_accept), micros(c.due_contact),"
	" micros(c.due_resolve), micros(c.due_feedback)"
	" FROM unnest($2::text[], $3::text[], $4::bytea[]) WITH ORDINALITY u(channel, id, digest, i)"
	" CROSS JOIN LATERAL " REPORT " LEFT JOIN LATERAL " CASE_OF("r.number")};
static const struct query about = {
	"about", "SELECT u.i, r.number FROM unnest($2::text[], $3::text[]) WITH ORDINALITY u(channel, id, i)"
		 " CROSS JOIN LATERAL " REPORT};
static const struct query known_numbers = {
	"known_numbers", "SELECT u.i, u.number FROM unnest($2::text[], $3::text[]) WITH ORDINALITY u(number, same, i)"
			 " JOIN LATERAL " CASE_OF("u.number")};
static const struct query known_commands = {
	"known_commands",
	"SELECT u.i, c.result, CASE WHEN c.action = 'get' AND c.result->>'result' = 'done' THEN c.number END"
	" FROM unnest($2::text[], $3::text[]) WITH ORDINALITY u(department, request, i)"
	" CROSS JOIN LATERAL (SELECT x.* FROM command x WHERE x.tenant = $1::text AND x.department = u.department"
	" AND x.request = u.request OFFSET 0) c"};
static const struct query lease = {
	"lease_numbers", "INSERT INTO number_day AS d (tenant, day, next) VALUES ($1::text, $2::text, 1 + $3::int8)"
			 " ON CONFLICT (tenant, day) DO UPDATE SET next = d.next + $3::int8 RETURNING next - $3::int8"};

static const char *text_at(const struct pg_rows *rows, int row, int column, struct arena *a)
{
	const char *s = pg_get(rows, row, column);

	return s ? arena_strdup(a, s) : NULL;
}

int lookup_reports(struct pg *pg, const char *tenant, const struct report_row *const *rows, size_t n,
		   struct arena *a, struct known_report *ret, struct err *e)
{
	const char **channels = arena_alloc(a, n * sizeof(*channels)), **ids = arena_alloc(a, n * sizeof(*ids));
	const void **digests = arena_alloc(a, n * sizeof(*digests));
	size_t *lengths = arena_alloc(a, n * sizeof(*lengths));
	struct pg_args args = {0};
	struct pg_rows found = {0};
	int r;

	for (size_t i = 0; i < n; i++) {
		channels[i] = rows[i]->channel;
		ids[i] = rows[i]->id;
		digests[i] = rows[i]->digest;
		lengths[i] = sizeof(rows[i]->digest);
		ret[i] = (struct known_report){0};
	}
	pg_text(&args, tenant);
	pg_texts(&args, channels, n);
	pg_texts(&args, ids, n);
	pg_blobs(&args, digests, lengths, n);
	r = pg_run(pg, &known_reports, &args, &found, e);
	if (r < 0)
		return r;
	for (int i = 0; i < found.n; i++) {
		struct known_report *k = &ret[pg_get_int(&found, i, 0) - 1];

		*k = (struct known_report){.known = true, .same = pg_get_bool(&found, i, 2),
					   .number = text_at(&found, i, 1, a), .lead = text_at(&found, i, 3, a)};
		for (int c = 0; c < N_CLOCKS; c++)
			k->due[c] = pg_get_time(&found, i, 4 + c);
	}
	pg_rows_done(&found);
	return 0;
}

/* All look up pairs of texts and give one text back, or another one beside it. */
static int lookup_pairs(struct pg *pg, const struct query *q, const char *tenant, const char *const *first,
			const char *const *second, size_t n, struct arena *a, const char **ret, const char **ret_other,
			struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows found = {0};
	int r;

	for (size_t i = 0; i < n; i++) {
		ret[i] = NULL;
		if (ret_other)
			ret_other[i] = NULL;
	}
	pg_text(&args, tenant);
	pg_texts(&args, first, n);
	pg_texts(&args, second, n);
	r = pg_run(pg, q, &args, &found, e);
	if (r < 0)
		return r;
	for (int i = 0; i < found.n; i++) {
		int64_t at = pg_get_int(&found, i, 0) - 1;

		ret[at] = text_at(&found, i, 1, a);
		if (ret_other)
			ret_other[at] = text_at(&found, i, 2, a);
	}
	pg_rows_done(&found);
	return 0;
}

int lookup_about(struct pg *pg, const char *tenant, const char *const *channels, const char *const *ids, size_t n,
		 struct arena *a, const char **ret, struct err *e)
{
	return lookup_pairs(pg, &about, tenant, channels, ids, n, a, ret, NULL, e);
}

int lookup_numbers(struct pg *pg, const char *tenant, const char *const *numbers, size_t n, struct arena *a,
		   bool *ret, struct err *e)
{
	const char **found = arena_alloc(a, n * sizeof(*found));
	int r = lookup_pairs(pg, &known_numbers, tenant, numbers, numbers, n, a, found, NULL, e);

	for (size_t i = 0; r == 0 && i < n; i++)
		ret[i] = found[i] != NULL;
	return r;
}

int lookup_commands(struct pg *pg, const char *tenant, const char *const *depts, const char *const *requests,
		    size_t n, struct arena *a, const char **ret, const char **ret_read, struct err *e)
{
	return lookup_pairs(pg, &known_commands, tenant, depts, requests, n, a, ret, ret_read, e);
}

enum { LEASE_LEAST = 32, LEASE_MOST = 1024, LEASE_LASTS_US = 1000000 };

static int64_t next_lease(const struct numbers *numbers, int64_t n)
{
	int64_t want = clock_mono_us() - numbers->leased_us < LEASE_LASTS_US ? 2 * numbers->lease : LEASE_LEAST;

	want = want > LEASE_MOST ? LEASE_MOST : want < LEASE_LEAST ? LEASE_LEAST : want;
	return want < 4 * n ? 4 * n : want;
}

int numbers_ensure(struct pg *pg, const char *tenant, struct numbers *numbers, int64_t now, size_t n,
		   struct err *e)
{
	struct civil c = moment_civil(now);
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int64_t want;
	char day[12];
	int r;

	snprintf(day, sizeof(day), "%02d%02d%02d", c.year % 100, c.month % 100, c.day % 100);
	if (strcmp(day, numbers->day) == 0 && numbers->end - numbers->next >= (int64_t)n)
		return 0;
	want = next_lease(numbers, (int64_t)n);
	pg_text(&args, tenant);
	pg_text(&args, day);
	pg_int(&args, want);
	r = pg_run(pg, &lease, &args, &rows, e);
	if (r < 0)
		return r;
	memcpy(numbers->day, day, sizeof(day));
	numbers->next = pg_get_int(&rows, 0, 0);
	numbers->end = numbers->next + want;
	numbers->lease = want;
	numbers->leased_us = clock_mono_us();
	pg_rows_done(&rows);
	return 0;
}

const char *numbers_take(struct numbers *numbers, const char *prefix, struct arena *a)
{
	return arena_printf(a, "%s%s%06lld", prefix, numbers->day, (long long)numbers->next++);
}
