#include "store/hotwords.h"

#include "base/mem.h"
#include "store/pg.h"

#define DAY_US INT64_C(86400000000)

static const struct query texts = {
	"hot_texts", "SELECT r.text, r.grid, r.kind = 'talk' FROM report r WHERE r.tenant = $1::text AND r.received_at >= $2::timestamptz"
		     " AND r.received_at < $3::timestamptz AND (r.text IS NOT NULL OR (r.kind = 'talk' AND r.grid IS NOT NULL)) AND r.kind IN ('report', 'supplement', 'talk')"
		     " AND r.channel IS DISTINCT FROM $4::text AND NOT coalesce(r.extra ? 'inspection', false)"
		     " AND NOT EXISTS (SELECT FROM person p WHERE p.tenant = r.tenant AND p.channel = r.channel AND p.id = r.id AND p.secret)"};
static const struct query known = {
	"subjects_known", "SELECT word FROM subject WHERE tenant = $1::text AND at >= $2::timestamptz ORDER BY 1"};
static const struct query put = {
	"subject_put", "INSERT INTO needle.subject VALUES ($1::text, $2::text, $3::timestamptz) ON CONFLICT DO NOTHING"};

int hot_texts(struct pg *pg, const char *tenant, const char *but, int64_t from, int64_t to,
	      bool (*each)(void *arg, const struct heard_text *text), void *arg, struct err *e)
{
	bool go_on = true;

	for (int64_t day = from; go_on && day < to; day += DAY_US) {
		struct pg_args args = {0};
		struct pg_rows rows = {0};
		int r;

		pg_text(&args, tenant);
		pg_time(&args, day);
		pg_time(&args, day + DAY_US < to ? day + DAY_US : to);
		pg_text(&args, but);
		r = pg_run(pg, &texts, &args, &rows, e);
		if (r < 0)
			return r;
		for (int i = 0; go_on && i < rows.n; i++)
			go_on = each(arg, &(struct heard_text){pg_get(&rows, i, 0), pg_get(&rows, i, 1), pg_get_bool(&rows, i, 2)});
		pg_rows_done(&rows);
	}
	return 0;
}

int subjects_known(struct pg *pg, const char *tenant, int64_t since, struct arena *a, const char *const **ret, size_t *ret_n,
		   struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	const char **words;
	int r;

	*ret_n = 0;
	pg_text(&args, tenant);
	pg_time(&args, since);
	r = pg_run(pg, &known, &args, &rows, e);
	if (r < 0)
		return r;
	words = arena_alloc(a, ((size_t)rows.n + 1) * sizeof(*words));
	for (int i = 0; i < rows.n; i++)
		words[(*ret_n)++] = arena_strdup(a, pg_get(&rows, i, 0));
	*ret = words;
	pg_rows_done(&rows);
	return 0;
}

int subject_put(struct pg *pg, const char *tenant, const char *word, int64_t at, struct err *e)
{
	struct pg_args args = {0};

	pg_text(&args, tenant);
	pg_text(&args, word);
	pg_time(&args, at);
	return pg_run(pg, &put, &args, NULL, e);
}
