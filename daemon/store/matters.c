#include "store/matters.h"

#include "base/mem.h"

/*
 * Each index ends with the number, so the newest of a cell are the last of its range and nothing is sorted. What a case
 * is known by is read from its report, of the few whose numbers may agree: a cell is a hash, and a clash costs a reading. Of
 * the 64 newest of a cell the 16 newest are read: each costs three look-ups, and who is older is hardly ever meant.
 */
#define NEWEST(column, cells, places, numbers)                                                                             \
	"SELECT u.i, m.number FROM unnest(" cells "::text[], " places "::int8[], " numbers "::int8[]) u(cell, i, numbers)"  \
	" CROSS JOIN LATERAL (SELECT y.number FROM (SELECT x.number, x.numbers FROM matter x WHERE x.tenant = $1::text"     \
	" AND x." column " = hashtextextended(u.cell, 0) ORDER BY x.number DESC LIMIT 64) y"                                \
	" WHERE (y.numbers & u.numbers) IN (y.numbers, u.numbers) IS NOT FALSE ORDER BY y.number DESC LIMIT 16) m"

static const struct query find = {
	"matters_find",
	"SELECT f.i, f.number, k.* FROM (" NEWEST("square", "$2", "$3", "$4") " UNION ALL " NEWEST("area", "$5", "$6", "$7") ") f"
	" CROSS JOIN LATERAL (SELECT p.name, r.text, p.address, r.grid, p.lat, p.lon, p.crs, r.received_at"
	" FROM (SELECT x.number, x.channel, x.report FROM cases x WHERE x.tenant = $1::text AND x.number >= f.number"
	" ORDER BY x.number LIMIT 1) c CROSS JOIN LATERAL (SELECT x.* FROM report x WHERE x.tenant = $1::text"
	" AND x.channel = c.channel AND x.id = c.report OFFSET 0) r LEFT JOIN LATERAL (SELECT x.* FROM person x"
	" WHERE x.tenant = $1::text AND x.channel = c.channel AND x.id = c.report OFFSET 0) p ON true"
	" WHERE c.number = f.number AND r.text IS NOT NULL) k"};

static const char *text_at(const struct pg_rows *rows, int row, int column, struct arena *a)
{
	const char *s = pg_get(rows, row, column);

	return s ? arena_strdup(a, s) : NULL;
}

/* The looks of one kind as three arrays. */
static void put_looks(struct pg_args *args, const struct look *looks, size_t n, bool squares, struct arena *a)
{
	const char **cells = arena_alloc(a, n * sizeof(*cells));
	int64_t *places = arena_alloc(a, n * sizeof(*places)), *numbers = arena_alloc(a, n * sizeof(*numbers));
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (matter_is_square(looks[i].cell) == squares) {
			cells[k] = looks[i].cell;
			/* All bits hold any others. */
			numbers[k] = looks[i].any_numbers ? -1 : (int64_t)looks[i].numbers;
			places[k++] = (int64_t)i;
		}
	pg_texts(args, cells, k);
	pg_ints(args, places, k);
	pg_ints(args, numbers, k);
}

void matters_pipe(struct pg *pg, const char *tenant, const struct look *looks, size_t n, struct arena *a, struct pg_rows *ret)
{
	struct pg_args args = {0};

	pg_text(&args, tenant);
	put_looks(&args, looks, n, true, a);
	put_looks(&args, looks, n, false, a);
	pg_pipe_binary(pg, &find, &args, ret);
}

struct found_matter *matters_found(struct pg_rows *rows, struct arena *a, size_t *ret_n)
{
	struct found_matter *found = arena_alloc(a, (size_t)rows->n * sizeof(*found));

	for (int i = 0; i < rows->n; i++) {
		found[i] = (struct found_matter){
			(size_t)pg_get_int(rows, i, 0),
			{.number = text_at(rows, i, 1, a), .grid = text_at(rows, i, 5, a), .lat = pg_get_double(rows, i, 6),
			 .lon = pg_get_double(rows, i, 7), .crs = text_at(rows, i, 8, a), .at = pg_get_time(rows, i, 9)}};
		matter_again(pg_get(rows, i, 2), pg_get(rows, i, 3), pg_get(rows, i, 4), a, &found[i].m);
	}
	*ret_n = (size_t)rows->n;
	pg_rows_done(rows);
	return found;
}
