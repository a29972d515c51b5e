#include "store/spending.h"

#include "base/mem.h"
#include "store/pg.h"

static const struct query words = {
	"project_words",
	"SELECT (SELECT (extra ->> 'budget')::int8 FROM report WHERE tenant = $1::text AND channel = $3::text AND number = $2::text"
	" AND extra ->> 'budget' ~ '^[0-9]{1,12}$' ORDER BY received_at DESC, id DESC LIMIT 1),"
	" (SELECT extra ->> 'pool' FROM report WHERE tenant = $1::text AND channel = $3::text AND number = $2::text"
	" AND kind = 'report' AND jsonb_typeof(extra -> 'pool') = 'string' ORDER BY received_at, id LIMIT 1)"};
static const struct query sums = {"spending_sums", "SELECT of_case, of_pool FROM needle.spent($1::text, $2::text, $3::text, $4::text[])"};
static const struct query put = {
	"spending_put", "INSERT INTO spending (tenant, number, pool, amount, at, source, refused) VALUES ($1::text, $2::text, $3::text, $4::int8,"
			" $5::timestamptz, $6::text, $7::text) ON CONFLICT DO NOTHING"};

int spending_words(struct pg *pg, const char *tenant, const char *number, const char *channel, struct arena *a, struct project_words *ret,
		   struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	const char *pool;
	int r;

	pg_text(&args, tenant);
	pg_text(&args, number);
	pg_text(&args, channel);
	r = pg_run(pg, &words, &args, &rows, e);
	if (r < 0)
		return r;
	pool = pg_get(&rows, 0, 1);
	*ret = (struct project_words){.has_budget = pg_get(&rows, 0, 0) != NULL, .pool = pool ? arena_strdup(a, pool) : NULL};
	if (ret->has_budget)
		ret->budget = pg_get_int(&rows, 0, 0);
	pg_rows_done(&rows);
	return 0;
}

int spending_sums(struct pg *pg, const char *tenant, const char *number, const char *pool, const char *const *like, size_t n_like,
		  int64_t *ret_case, int64_t *ret_pool, struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r;

	pg_text(&args, tenant);
	pg_text(&args, number);
	pg_text(&args, pool);
	pg_texts(&args, like, n_like);
	r = pg_run(pg, &sums, &args, &rows, e);
	if (r < 0)
		return r;
	*ret_case = pg_get_int(&rows, 0, 0);
	*ret_pool = pg_get_int(&rows, 0, 1);
	pg_rows_done(&rows);
	return 0;
}

int spending_put(struct pg *pg, const char *tenant, const struct spending_row *row, struct err *e)
{
	struct pg_args args = {0};

	pg_text(&args, tenant);
	pg_text(&args, row->number);
	pg_text(&args, row->pool);
	pg_int(&args, row->amount);
	pg_time(&args, row->at);
	pg_text(&args, row->source);
	pg_text(&args, row->refused);
	return pg_run(pg, &put, &args, NULL, e);
}
