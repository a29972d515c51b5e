#include "store/statistics.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

const char *const rate_dims[N_RATE_DIMS] = {"all", "department", "community", "grid", "channel", "category", "officer"};

static const struct query drop_rates = {"drop_rates", "DELETE FROM needle.rate WHERE tenant = $1::text"};
static const struct query put_rates = {
	"put_rates",
	"INSERT INTO needle.rate SELECT $1::text, u.* FROM json_to_recordset($2::text::json) u(name text, place int4,"
	" of text, fewer bool, formula text, num_all int8, num_any int8, num_none int8, num_names json, den_all int8,"
	" den_any int8, den_none int8, den_names json)"};
static const struct query drop_grids = {"drop_grids", "DELETE FROM needle.grid WHERE tenant = $1::text"};
static const struct query put_grids = {
	"put_grids", "INSERT INTO needle.grid SELECT $1::text, u.* FROM unnest($2::text[], $3::text[]) u(code, community)"};
static const struct query drop_pools = {"drop_pools", "DELETE FROM needle.pool WHERE tenant = $1::text"};
static const struct query put_pools = {
	"put_pools", "INSERT INTO needle.pool SELECT $1::text, u.name, u.place, u.unit, u.amount, u.since, u.until FROM unnest($2::text[], $3::int8[],"
		     " $4::text[], $5::int8[], $6::timestamptz[], $7::timestamptz[]) u(name, place, unit, amount, since, until)"};
static const struct query drop_sources = {"drop_project_sources", "DELETE FROM needle.project_source WHERE tenant = $1::text"};
static const struct query put_source = {"put_project_source", "INSERT INTO needle.project_source VALUES ($1::text, $2::text, $3::text)"};
/* Several spans in one statement: the function's text is parsed and planned once for all of them, which is most of its cost. */
static const struct query rates = {
	"rates", "SELECT s.i, r.name, r.scope, r.numerator, r.denominator, r.fewer, r.formula"
		 " FROM unnest($2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY s(since, until, i),"
		 " LATERAL needle.rates($1::text, s.since, s.until, $4::text) r ORDER BY s.i, r.place, r.scope"};
static const struct query rate_cases = {
	"rate_cases", "SELECT number, counts FROM needle.rate_cases($1::text, $2::text, $3::timestamptz, $4::timestamptz,"
		      " $5::text, $6::text)"};

/* ---- how the office counts -------------------------------------------------------------------- */
static void add_names(struct str *t, const char *what, const struct names *names)
{
	if (!names->n)
		return;
	str_addf(t, "%s\"%s\":[", t->len ? "," : "", what);
	for (size_t i = 0; i < names->n; i++) {
		str_add(t, i ? "," : "");
		str_json(t, names->v[i]);
	}
	str_addc(t, ']');
}

static void add_selection(struct str *t, const char *prefix, const struct selection *s)
{
	CLEANUP(str_done) struct str names = {0};

	str_addf(t, ",\"%s_all\":%lld,\"%s_any\":%lld,\"%s_none\":%lld", prefix, (long long)s->all, prefix,
		 (long long)s->any, prefix, (long long)s->none);
	add_names(&names, "channel", &s->channels);
	add_names(&names, "category", &s->categories);
	add_names(&names, "department", &s->departments);
	add_names(&names, "urgency", &s->urgencies);
	add_names(&names, "horizon", &s->horizons);
	if (names.len)
		str_addf(t, ",\"%s_names\":{%s}", prefix, names.s);
}

static void rates_json(const struct statistics *st, struct str *t)
{
	str_addc(t, '[');
	for (size_t i = 0; i < st->n_rates; i++) {
		const struct rate *r = &st->rates[i];

		str_add(t, i ? ",{\"name\":" : "{\"name\":");
		str_json(t, r->name);
		str_addf(t, ",\"place\":%zu,\"of\":\"%s\",\"fewer\":%s,\"formula\":", i, rate_of_names[r->of],
			 r->fewer_is_better ? "true" : "false");
		str_json(t, r->formula);
		add_selection(t, "num", &r->numerator);
		add_selection(t, "den", &r->denominator);
		str_addc(t, '}');
	}
	str_addc(t, ']');
}

static int put_rates_of(struct pg *pg, const struct office *office, struct err *e)
{
	CLEANUP(str_done) struct str t = {.max = 4 << 20};
	struct pg_args drop = {0}, put = {0};
	int r;

	pg_text(&drop, office->tenant);
	r = pg_run(pg, &drop_rates, &drop, NULL, e);
	if (r < 0 || !office->statistics.n_rates)
		return r;
	rates_json(&office->statistics, &t);
	if (t.cut)
		return err_set(e, ERR_SYS, "the rates are too long to be kept");
	pg_text(&put, office->tenant);
	pg_text(&put, t.s);
	return pg_run(pg, &put_rates, &put, NULL, e);
}

static int put_grids_of(struct pg *pg, const struct office *office, struct arena *a, struct err *e)
{
	const char **codes = arena_alloc(a, (office->n_grids + 1) * sizeof(*codes));
	const char **communities = arena_alloc(a, (office->n_grids + 1) * sizeof(*communities));
	struct pg_args drop = {0}, put = {0};
	size_t n = 0;
	int r;

	for (size_t i = 0; i < office->n_grids; i++)
		if (office->grids[i].community && *office->grids[i].community) {
			codes[n] = office->grids[i].code;
			communities[n++] = office->grids[i].community;
		}
	pg_text(&drop, office->tenant);
	r = pg_run(pg, &drop_grids, &drop, NULL, e);
	if (r < 0 || !n)
		return r;
	pg_text(&put, office->tenant);
	pg_texts(&put, codes, n);
	pg_texts(&put, communities, n);
	return pg_run(pg, &put_grids, &put, NULL, e);
}

static int put_pools_of(struct pg *pg, const struct office *office, struct arena *a, struct err *e)
{
	const struct statistics *st = &office->statistics;
	const char **texts[2];
	int64_t *numbers[4];
	struct pg_args drop = {0}, put = {0};
	int r;

	pg_text(&drop, office->tenant);
	r = pg_run(pg, &drop_pools, &drop, NULL, e);
	if (r < 0 || !st->n_pools)
		return r;
	for (int k = 0; k < 2; k++)
		texts[k] = arena_alloc(a, st->n_pools * sizeof(*texts[k]));
	for (int k = 0; k < 4; k++)
		numbers[k] = arena_alloc(a, st->n_pools * sizeof(*numbers[k]));
	for (size_t i = 0; i < st->n_pools; i++) {
		const struct pool *p = &st->pools[i];
		const int64_t of_it[] = {(int64_t)i, p->amount, p->from, p->until};

		texts[0][i] = p->name;
		texts[1][i] = p->unit;
		for (int k = 0; k < 4; k++)
			numbers[k][i] = of_it[k];
	}
	pg_text(&put, office->tenant);
	pg_texts(&put, texts[0], st->n_pools);
	pg_ints(&put, numbers[0], st->n_pools);
	pg_texts(&put, texts[1], st->n_pools);
	pg_ints(&put, numbers[1], st->n_pools);
	pg_times(&put, numbers[2], st->n_pools);
	pg_times(&put, numbers[3], st->n_pools);
	return pg_run(pg, &put_pools, &put, NULL, e);
}

static int put_projects_of(struct pg *pg, const struct office *office, struct err *e)
{
	const struct statistics *st = &office->statistics;
	struct pg_args drop = {0}, put = {0};
	int r;

	pg_text(&drop, office->tenant);
	r = pg_run(pg, &drop_sources, &drop, NULL, e);
	if (r < 0 || !st->projects)
		return r;
	pg_text(&put, office->tenant);
	pg_text(&put, st->projects->id);
	pg_text(&put, st->project_pool ? st->project_pool->name : NULL);
	return pg_run(pg, &put_source, &put, NULL, e);
}

int store_put_rates(struct pg *pg, const struct office *office, struct err *e)
{
	struct arena a = {0};
	int r = pg_exec(pg, "BEGIN", e);

	if (r == 0)
		r = put_rates_of(pg, office, e);
	if (r == 0)
		r = put_grids_of(pg, office, &a, e);
	if (r == 0)
		r = put_pools_of(pg, office, &a, e);
	if (r == 0)
		r = put_projects_of(pg, office, e);
	if (r == 0)
		r = pg_exec(pg, "COMMIT", e);
	if (r < 0)
		pg_rollback(pg);
	arena_done(&a);
	return r;
}

/* ---- what comes of it ------------------------------------------------------------------------- */
static const char *copy(struct arena *a, const struct pg_rows *rows, int row, int column)
{
	const char *s = pg_get(rows, row, column);

	return s ? arena_strdup(a, s) : "";
}

int store_rates(struct pg *pg, const char *tenant, const struct stretch *of, size_t n, const char *dim, struct arena *a,
		struct rate_rows *ret, struct err *e)
{
	int64_t *from = arena_alloc(a, n * sizeof(*from)), *to = arena_alloc(a, n * sizeof(*to));
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	struct rate_row *all;
	int r;

	for (size_t i = 0; i < n; i++) {
		from[i] = of[i].from;
		to[i] = of[i].to;
		ret[i] = (struct rate_rows){0};
	}
	pg_text(&args, tenant);
	pg_times(&args, from, n);
	pg_times(&args, to, n);
	pg_text(&args, dim);
	r = pg_run(pg, &rates, &args, &rows, e);
	if (r < 0)
		return r;
	all = arena_alloc(a, ((size_t)rows.n + 1) * sizeof(*all));
	for (int i = 0; i < rows.n; i++) {
		struct rate_rows *span = &ret[pg_get_int(&rows, i, 0) - 1];

		all[i] = (struct rate_row){
			.name = copy(a, &rows, i, 1), .scope = copy(a, &rows, i, 2), .formula = copy(a, &rows, i, 6),
			.numerator = pg_get_int(&rows, i, 3), .denominator = pg_get_int(&rows, i, 4),
			.fewer = pg_get_bool(&rows, i, 5)};
		span->v = span->n++ ? span->v : &all[i];
	}
	pg_rows_done(&rows);
	return 0;
}

int store_rate_cases(struct pg *pg, const char *tenant, const char *name, int64_t from, int64_t to, const char *dim,
		     const char *part, struct arena *a, struct rate_case **ret, size_t *ret_n, struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r;

	*ret_n = 0;
	pg_text(&args, tenant);
	pg_text(&args, name);
	pg_time(&args, from);
	pg_time(&args, to);
	pg_text(&args, dim);
	pg_text(&args, part);
	r = pg_run(pg, &rate_cases, &args, &rows, e);
	if (r < 0)
		return r;
	*ret = arena_alloc(a, ((size_t)rows.n + 1) * sizeof(**ret));
	for (int i = 0; i < rows.n; i++)
		(*ret)[(*ret_n)++] = (struct rate_case){copy(a, &rows, i, 0), pg_get_bool(&rows, i, 1)};
	pg_rows_done(&rows);
	return 0;
}
