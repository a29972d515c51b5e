#include "store/retain.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/vec.h"
#include "core/time/moment.h"
#include "store/pg.h"

#define DAY_US INT64_C(86400000000)

static const struct query begin = {"retain_begin", "BEGIN"}, commit = {"retain_commit", "COMMIT"};

/* A case that was opened again meanwhile has another row for its next closing, or none yet: then this one only goes. */
static const struct query take = {
	"forget_take",
	"WITH gone AS (DELETE FROM closed d USING (SELECT at, number FROM closed WHERE tenant = $1::text AND at < $2::timestamptz"
	" ORDER BY at, number LIMIT $3::int8 FOR UPDATE SKIP LOCKED) o"
	" WHERE d.tenant = $1::text AND d.at = o.at AND d.number = o.number RETURNING d.number, d.at)"
	" SELECT g.number, c.number IS NOT NULL FROM gone g LEFT JOIN cases c ON c.tenant = $1::text AND c.number = g.number"
	" AND c.closed_at = g.at AND c.state IN ('closed', 'joined')"};

/* The reports of a case: the first, the joined ones, and those that its history names. */
#define REPORTS                                                                                                    \
	"WITH k AS (SELECT c.channel, c.report AS id FROM cases c WHERE c.tenant = $1::text AND c.number = ANY($2::text[])" \
	" UNION SELECT j.channel, j.report FROM cases c, json_to_recordset(c.joined) j(channel text, report text)"  \
	" WHERE c.tenant = $1::text AND c.number = ANY($2::text[]) AND c.joined IS NOT NULL"                        \
	" UNION SELECT h.detail->>'channel', h.detail->>'id' FROM history h"                                        \
	" WHERE h.tenant = $1::text AND h.number = ANY($2::text[]) AND h.detail->>'id' IS NOT NULL) "

static const struct query forgets[] = {
	{"forget_person", REPORTS "DELETE FROM person p USING k WHERE p.tenant = $1::text AND p.channel = k.channel AND p.id = k.id"},
	{"forget_report", REPORTS "UPDATE report r SET text = NULL, media = NULL, reply_to = NULL, extra = NULL, shown = NULL"
			  " FROM k WHERE r.tenant = $1::text AND r.channel = k.channel AND r.id = k.id"},
	{"forget_history", "UPDATE history SET note = NULL, detail = NULL WHERE tenant = $1::text AND number = ANY($2::text[])"
			   " AND kind NOT IN ('overdue', 'due_soon', 'reminded', 'escalated', 'cleared', 'supervised', 'rated',"
			   " 'deadline_revised', 'spent', 'overspent')"},
	/* Of a rating the score stays, and not what was said with it. */
	{"forget_comment", "UPDATE history SET note = split_part(note, ':', 1) WHERE tenant = $1::text AND number = ANY($2::text[])"
			   " AND kind = 'rated' AND strpos(note, ':') > 0"},
	{"forget_case", "UPDATE cases SET title = category, place = NULL, person = NULL, errands = NULL,"
			" supports = (SELECT json_agg((s::jsonb - 'task')::json) FROM json_array_elements(supports) s),"
			" joined = (SELECT json_agg((j::jsonb - 'reply_to' - 'person')::json) FROM json_array_elements(joined) j)"
			" WHERE tenant = $1::text AND number = ANY($2::text[])"},
};
/* An id is the microsecond that it came, times four, and the daemon: the key alone finds the oldest. */
static const struct query dead_letters = {
	"forget_dead", "DELETE FROM dead_letter WHERE tenant = $1::text AND id IN (SELECT id FROM dead_letter"
		       " WHERE tenant = $1::text AND id < $2::int8 ORDER BY id LIMIT $3::int8)"};

/* How far it was done; at first from before the office's first configuration, which is older than its first message. */
static const struct query talk_since = {
	"forget_talk_since", "SELECT micros(coalesce((SELECT talk FROM forgotten WHERE tenant = $1::text), (SELECT min(first_at) - interval '1 day'"
			     " FROM config_version WHERE tenant = $1::text)))"};
/* Words first, then who said them: both of the rows that are found here. */
static const struct query talk_page = {
	"forget_talk",
	"WITH k AS (SELECT r.channel, r.id FROM report r WHERE r.tenant = $1::text AND r.received_at >= $2::timestamptz AND r.received_at < $3::timestamptz"
	" AND r.kind = 'talk' AND (r.text IS NOT NULL OR r.extra IS NOT NULL OR r.media IS NOT NULL OR r.reply_to IS NOT NULL OR EXISTS (SELECT FROM person p"
	" WHERE p.tenant = r.tenant AND p.channel = r.channel AND p.id = r.id)) LIMIT $4::int8 FOR UPDATE OF r SKIP LOCKED),"
	" gone AS (DELETE FROM person p USING k WHERE p.tenant = $1::text AND p.channel = k.channel AND p.id = k.id),"
	" said AS (UPDATE report r SET text = NULL, media = NULL, reply_to = NULL, extra = NULL, shown = NULL, device = NULL FROM k"
	" WHERE r.tenant = $1::text AND r.channel = k.channel AND r.id = k.id) SELECT count(*) FROM k"};
static const struct query talk_until = {
	"forget_talk_until", "INSERT INTO forgotten AS f VALUES ($1::text, $2::timestamptz) ON CONFLICT (tenant) DO UPDATE SET talk = greatest(f.talk, excluded.talk)"};

static int run_plain(struct pg *pg, const struct query *q, struct err *e)
{
	struct pg_args none = {0};

	return pg_run(pg, q, &none, NULL, e);
}

static int forget(struct pg *pg, const char *tenant, const char *const *numbers, size_t n, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && n && i < ARRAY_LEN(forgets); i++) {
		struct pg_args args = {0};

		pg_text(&args, tenant);
		pg_texts(&args, numbers, n);
		r = pg_run(pg, &forgets[i], &args, NULL, e);
	}
	return r;
}

static int forget_page(struct pg *pg, const char *tenant, int64_t before, size_t max, struct arena *a, size_t *ret_n,
		       struct err *e)
{
	struct pg_args args = {0}, dead = {0};
	struct pg_rows rows = {0};
	const char **numbers;
	size_t n = 0;
	int r;

	pg_text(&args, tenant);
	pg_time(&args, before);
	pg_int(&args, (int64_t)max);
	r = pg_run(pg, &take, &args, &rows, e);
	if (r < 0)
		return r;
	*ret_n = (size_t)rows.n;
	numbers = arena_alloc(a, (*ret_n + 1) * sizeof(*numbers));
	for (int i = 0; i < rows.n; i++)
		if (pg_get_bool(&rows, i, 1))
			numbers[n++] = arena_strdup(a, pg_get(&rows, i, 0));
	pg_rows_done(&rows);
	r = forget(pg, tenant, numbers, n, e);
	if (r < 0)
		return r;
	pg_text(&dead, tenant);
	pg_int(&dead, before * 4);
	pg_int(&dead, (int64_t)max);
	return pg_run(pg, &dead_letters, &dead, NULL, e);
}

int store_forget(struct pg *pg, const char *tenant, int64_t before, size_t max, struct arena *a, size_t *ret_n,
		 struct err *e)
{
	int r = run_plain(pg, &begin, e);

	*ret_n = 0;
	if (r == 0)
		r = forget_page(pg, tenant, before, max, a, ret_n, e);
	if (r == 0)
		r = run_plain(pg, &commit, e);
	if (r < 0)
		pg_rollback(pg);
	return r;
}

/* A day at most: what is looked through for a page is then small, however long nobody had looked. */
static int talk_slice(struct pg *pg, const char *tenant, int64_t before, int64_t *ret_from, int64_t *ret_to, struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r;

	pg_text(&args, tenant);
	r = pg_run(pg, &talk_since, &args, &rows, e);
	if (r < 0)
		return r;
	*ret_from = pg_get_time(&rows, 0, 0);
	pg_rows_done(&rows);
	*ret_to = before - *ret_from > DAY_US ? *ret_from + DAY_US : before;
	return 0;
}

static int forget_talk_page(struct pg *pg, const char *tenant, int64_t before, size_t max, bool *ret_more, size_t *ret_n, struct err *e)
{
	struct pg_args args = {0}, mark = {0};
	struct pg_rows rows = {0};
	int64_t from, to;
	int r = talk_slice(pg, tenant, before, &from, &to, e);

	if (r < 0 || from == MOMENT_NONE || from >= before)
		return r;
	pg_text(&args, tenant);
	pg_time(&args, from);
	pg_time(&args, to);
	pg_int(&args, (int64_t)max);
	r = pg_run(pg, &talk_page, &args, &rows, e);
	if (r < 0)
		return r;
	*ret_n = (size_t)pg_get_int(&rows, 0, 0);
	pg_rows_done(&rows);
	*ret_more = *ret_n == max || to < before;
	if (*ret_n == max)
		return 0;
	pg_text(&mark, tenant);
	pg_time(&mark, to);
	return pg_run(pg, &talk_until, &mark, NULL, e);
}

int store_forget_talk(struct pg *pg, const char *tenant, int64_t before, size_t max, bool *ret_more, size_t *ret_n, struct err *e)
{
	int r = run_plain(pg, &begin, e);

	*ret_more = false;
	*ret_n = 0;
	if (r == 0)
		r = forget_talk_page(pg, tenant, before, max, ret_more, ret_n, e);
	if (r == 0)
		r = run_plain(pg, &commit, e);
	if (r < 0)
		pg_rollback(pg);
	return r;
}
