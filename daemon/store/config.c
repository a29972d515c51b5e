/*
 * A case names the configuration that decided it by its hash. The text behind the hash is kept as the files
 * were, so that two configurations can be compared, and old messages tried on new rules, when nobody has
 * the old folder any more. It is written once; who brings the same text again only moves `last_at`.
 */
#include "store/config.h"

#include "base/err.h"
#include "base/mem.h"
#include "store/pg.h"

static const struct query note_config = {
	"note_config", "INSERT INTO config_version AS v (tenant, hash, first_at, last_at, source, findings, loaded_by)"
		       " VALUES ($1::text, $2::text, $3::timestamptz, $3::timestamptz, $4::text::json, $5::text::json,"
		       " $6::text) ON CONFLICT (tenant, hash) DO UPDATE SET last_at = excluded.last_at,"
		       " source = coalesce(v.source, excluded.source), findings = excluded.findings,"
		       " loaded_by = coalesce(v.loaded_by, excluded.loaded_by)"};
static const struct query config_source = {
	"config_source", "SELECT source FROM config_version WHERE tenant = $1::text AND source IS NOT NULL"
			 " AND ($2::text IS NULL OR starts_with(hash, $2::text)) ORDER BY last_at DESC LIMIT 1"};

int store_note_config(struct pg *pg, const char *tenant, const struct config_note *note, int64_t now, struct err *e)
{
	struct pg_args args = {0};

	pg_text(&args, tenant);
	pg_text(&args, note->hash);
	pg_time(&args, now);
	pg_text(&args, note->source);
	pg_text(&args, note->findings);
	pg_text(&args, note->by);
	return pg_run(pg, &note_config, &args, NULL, e);
}

int store_config_source(struct pg *pg, const char *tenant, const char *hash, struct arena *a, const char **ret,
			struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r;

	pg_text(&args, tenant);
	pg_text(&args, hash);
	r = pg_run(pg, &config_source, &args, &rows, e);
	if (r < 0)
		return r;
	*ret = rows.n ? arena_strdup(a, pg_get(&rows, 0, 0)) : NULL;
	pg_rows_done(&rows);
	return 0;
}
