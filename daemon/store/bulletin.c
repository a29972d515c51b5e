#include "store/bulletin.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/time/moment.h"
#include "store/outbox.h"

static const struct query series_put = {
	"series_put", "INSERT INTO needle.series AS s VALUES ($1::text, $2::text, $3::text, $4::timestamptz, $4::timestamptz)"
		      " ON CONFLICT (tenant, name) DO UPDATE SET spec = excluded.spec,"
		      " began_at = CASE WHEN s.spec = excluded.spec THEN s.began_at ELSE excluded.began_at END,"
		      " last_at = CASE WHEN s.spec = excluded.spec THEN s.last_at ELSE greatest(s.last_at, excluded.last_at) END"
		      " RETURNING micros(began_at), micros(last_at)"};
static const struct query series_move = {
	"series_move", "UPDATE needle.series SET last_at = $4::timestamptz WHERE tenant = $1::text AND name = $2::text"
		       " AND last_at = $3::timestamptz RETURNING 1"};
static const struct query put = {
	"bulletin_put", "INSERT INTO needle.bulletin VALUES ($1::text, $2::text, $3::timestamptz, $4::timestamptz,"
			" $5::timestamptz, $6::text, $7::text::json) ON CONFLICT DO NOTHING"};
static const struct query newest = {
	"bulletin_newest", "SELECT DISTINCT ON (name) name, micros(due_at), payload FROM needle.bulletin"
			   " WHERE tenant = $1::text ORDER BY name, due_at DESC"};
static const struct query since = {
	"bulletin_since", "SELECT name, micros(due_at), payload FROM needle.bulletin WHERE tenant = $1::text"
			  " AND due_at >= $2::timestamptz ORDER BY due_at, name"};
static const struct query visits = {
	"visits_put", "INSERT INTO outbox (tenant, number, seq, target, topic, payload, card) SELECT $1::text, u.number,"
		      " u.seq::int4, u.target, u.topic, u.payload, false FROM unnest($2::text[], $3::int8[], $4::text[],"
		      " $5::text[], $6::text[]) u(number, seq, target, topic, payload) ON CONFLICT DO NOTHING"};

int series_load(struct pg *pg, const char *tenant, struct series_row *rows, size_t n, int64_t now,
		struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct pg_args args = {0};
		struct pg_rows found = {0};
		int r;

		pg_text(&args, tenant);
		pg_text(&args, rows[i].name);
		pg_text(&args, rows[i].spec);
		pg_time(&args, now);
		r = pg_run(pg, &series_put, &args, &found, e);
		if (r < 0)
			return r;
		rows[i].began_at = pg_get_time(&found, 0, 0);
		rows[i].last_at = pg_get_time(&found, 0, 1);
		pg_rows_done(&found);
	}
	return 0;
}

int series_advance(struct pg *pg, const char *tenant, const char *name, int64_t last, int64_t at, struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows found = {0};
	bool moved;
	int r;

	pg_text(&args, tenant);
	pg_text(&args, name);
	pg_time(&args, last);
	pg_time(&args, at);
	r = pg_run(pg, &series_move, &args, &found, e);
	if (r < 0)
		return r;
	moved = found.n == 1;
	pg_rows_done(&found);
	return moved ? 0 : SERIES_DONE;
}

int bulletin_put(struct pg *pg, const char *tenant, const struct bulletin *b, struct err *e)
{
	struct pg_args args = {0};

	pg_text(&args, tenant);
	pg_text(&args, b->name);
	pg_time(&args, b->due_at);
	pg_time(&args, b->made_at);
	pg_time(&args, b->since);
	pg_text(&args, b->config);
	pg_text(&args, b->payload);
	return pg_run(pg, &put, &args, NULL, e);
}

int bulletin_newest(struct pg *pg, const char *tenant, int64_t after, struct arena *a, struct bulletin **ret,
		    size_t *ret_n, struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r;

	*ret_n = 0;
	pg_text(&args, tenant);
	if (after != MOMENT_NONE)
		pg_time(&args, after);
	r = pg_run(pg, after == MOMENT_NONE ? &newest : &since, &args, &rows, e);
	if (r < 0)
		return r;
	*ret = arena_alloc(a, ((size_t)rows.n + 1) * sizeof(**ret));
	for (int i = 0; i < rows.n; i++)
		(*ret)[(*ret_n)++] = (struct bulletin){.name = arena_strdup(a, pg_get(&rows, i, 0)),
						       .due_at = pg_get_time(&rows, i, 1),
						       .payload = arena_strdup(a, pg_get(&rows, i, 2))};
	pg_rows_done(&rows);
	return 0;
}

int visits_put(struct pg *pg, const char *tenant, const struct outbox_rows *rows, struct err *e)
{
	struct arena a = {0};
	const char **texts[4];
	int64_t *seqs = arena_alloc(&a, rows->n * sizeof(*seqs));
	struct pg_args args = {0};
	int r;

	for (int k = 0; k < 4; k++)
		texts[k] = arena_alloc(&a, rows->n * sizeof(*texts[k]));
	for (size_t i = 0; i < rows->n; i++) {
		const struct outbox_row *row = &rows->v[i];

		texts[0][i] = row->number;
		texts[1][i] = row->target;
		texts[2][i] = row->topic;
		texts[3][i] = row->payload;
		seqs[i] = row->seq;
	}
	pg_text(&args, tenant);
	pg_texts(&args, texts[0], rows->n);
	pg_ints(&args, seqs, rows->n);
	for (int k = 1; k < 4; k++)
		pg_texts(&args, texts[k], rows->n);
	r = pg_run(pg, &visits, &args, NULL, e);
	arena_done(&a);
	return r;
}
