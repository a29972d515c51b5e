#include "store/matters.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"

/* The key ends with the number, so the newest of a cell are the last of its range: neither sort nor a second index. */
static const struct query find = {
	"matters_find",
	"SELECT u.i, m.number, m.grid, m.place, m.text, m.lat, m.lon, m.crs, micros(m.received_at)"
	" FROM unnest($2::text[]) WITH ORDINALITY u(cell, i) CROSS JOIN LATERAL"
	" (SELECT * FROM matter x WHERE x.tenant = $1::text AND x.cell = u.cell ORDER BY x.number DESC LIMIT 32) m"};

static const char *text_at(const struct pg_rows *rows, int row, int column, struct arena *a)
{
	const char *s = pg_get(rows, row, column);

	return s ? arena_strdup(a, s) : NULL;
}

static double number_at(const struct pg_rows *rows, int row, int column)
{
	const char *s = pg_get(rows, row, column);

	return s ? strtod(s, NULL) : (double)NAN;
}

int matters_find(struct pg *pg, const char *tenant, const char *const *cells, size_t n, struct arena *a,
		 struct found_matter **ret, size_t *ret_n, struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r;

	pg_text(&args, tenant);
	pg_texts(&args, cells, n);
	r = pg_run(pg, &find, &args, &rows, e);
	if (r < 0)
		return r;
	*ret_n = (size_t)rows.n;
	*ret = arena_alloc(a, *ret_n * sizeof(**ret));
	for (int i = 0; i < rows.n; i++)
		(*ret)[i] = (struct found_matter){
			(size_t)pg_get_int(&rows, i, 0) - 1,
			{.number = text_at(&rows, i, 1, a), .grid = text_at(&rows, i, 2, a), .place = text_at(&rows, i, 3, a),
			 .text = text_at(&rows, i, 4, a), .lat = number_at(&rows, i, 5), .lon = number_at(&rows, i, 6),
			 .crs = text_at(&rows, i, 7, a), .at = pg_get_time(&rows, i, 8)}};
	pg_rows_done(&rows);
	return 0;
}
