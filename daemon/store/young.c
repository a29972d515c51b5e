#include "store/young.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/pg.h"

/* Names of ours alone: they are part of a statement. */
static const struct query never = {
	"young_tables",
	"SELECT string_agg('needle.' || relname, ', ') FROM pg_class WHERE relnamespace = 'needle'::regnamespace AND relkind = 'r'"
	" AND reltuples <= 0 AND pg_stat_get_mod_since_analyze(oid) >= 500 AND pg_stat_get_last_analyze_time(oid) IS NULL"
	" AND pg_stat_get_last_autoanalyze_time(oid) IS NULL"};

int young_look(struct pg *pg, struct err *e)
{
	CLEANUP(str_done) struct str sql = {0};
	struct pg_args none = {0};
	struct pg_rows rows = {0};
	const char *tables;
	int r = pg_run(pg, &never, &none, &rows, e);

	if (r < 0)
		return r;
	tables = pg_get(&rows, 0, 0);
	if (tables)
		str_addf(&sql, "ANALYZE (SKIP_LOCKED) %s", tables);
	pg_rows_done(&rows);
	return sql.s ? pg_exec(pg, sql.s, e) : 0;
}
