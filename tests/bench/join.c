/*
 * What it costs to find the open cases that a report may be the same matter as: cells, one query, likeness;
 * the same functions as at intake, a report a query.
 *
 *	join DSN FOLDER fill N		N open cases that are there become such, spread over the street's places and categories
 *	join DSN FOLDER ask N		20,000 reports; one JSON object: asked, p50_ms, p99_ms, candidates, same
 *
 * One case in three tells a position, one a grid alone, one both.
 */
#include <err.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/vec.h"
#include "core/life/same.h"
#include "settings/snapshot.h"
#include "store/matters.h"

enum { BATCH = 10000, ASKS = 20000, WARM_UP = 500 };

static const char *const places[] = {"幸福里", "三湾街", "济源路口", "九冶院东门", "零六社区广场", "四方菜市场", "颍河路小学", "华山路西侧"};
static const char *const troubles[] = {"卫生间顶部持续漏水没有人管", "电梯有异响多次停在两层之间", "垃圾桶满了三天没有清运", "路面塌陷形成一个深坑",
				       "路灯连续几盏不亮", "井盖破损翘起担心有人踩空", "商贩长期占道经营", "工地夜间施工影响休息"};
static const char *const wishes[] = {"请尽快处理", "希望有人来看看", "已经反映过一次", "居民意见很大", "老人孩子不方便"};

/* What the cases are known by lies in the reports and persons that are there; the rows are as the daemon makes them. */
static const struct query fills[] = {
	{"bench_report", "UPDATE needle.report r SET text = u.text, grid = u.grid, received_at = u.at"
			 " FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) u(number, text, grid, at)"
			 " JOIN needle.cases c ON c.tenant = $1::text AND c.number = u.number"
			 " WHERE r.tenant = c.tenant AND r.channel = c.channel AND r.id = c.report"},
	{"bench_person", "UPDATE needle.person p SET address = u.address, lat = u.lat, lon = u.lon, crs = NULL"
			 " FROM unnest($2::text[], $3::text[], $4::float8[], $5::float8[]) u(number, address, lat, lon)"
			 " JOIN needle.cases c ON c.tenant = $1::text AND c.number = u.number"
			 " WHERE p.tenant = c.tenant AND p.channel = c.channel AND p.id = c.report"},
	{"bench_matter", "INSERT INTO needle.matter (tenant, number, square, area, numbers)"
			 " SELECT $1::text, number, hashtextextended(square, 0), hashtextextended(area, 0), numbers"
			 " FROM unnest($2::text[], $3::text[], $4::text[], $5::int8[]) u(number, square, area, numbers)"},
};

static uint64_t seed = 20261120;

static uint32_t dice(uint32_t n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(seed >> 33) % n;
}

static int64_t now_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static struct report make_report(const struct office *office, int64_t at, struct arena *a)
{
	uint32_t kind = dice(3), house = dice(60) + 1;
	const char *place = places[dice(ARRAY_LEN(places))];
	struct report r = {.received_at = at, .known_category = &office->categories[dice((uint32_t)office->n_categories)]};

	r.text = arena_printf(a, "%s%u号楼%s，%s", place, house, troubles[dice(ARRAY_LEN(troubles))], wishes[dice(ARRAY_LEN(wishes))]);
	r.address = arena_printf(a, "%s%u号楼", place, house);
	r.has_position = kind != 1;
	r.lat = 34.75 + dice(50000) / 1e6;
	r.lon = 113.58 + dice(50000) / 1e6;
	if (kind != 0)
		r.grid = office->grids[dice((uint32_t)office->n_grids)].code;
	return r;
}

struct filling {
	const char *numbers[BATCH], *texts[BATCH], *grids[BATCH], *addresses[BATCH], *squares[BATCH], *areas[BATCH];
	double lat[BATCH], lon[BATCH];
	int64_t times[BATCH], bits[BATCH];
};

static void fill_one(struct filling *f, size_t i, const struct office *office, long number, int64_t at, struct arena *a)
{
	struct report r = make_report(office, at, a);
	const char *cells[MATTER_ROWS];
	struct matter m;

	if (!matter_of(&r, a, &m))
		errx(1, "a report that is no matter");
	f->numbers[i] = arena_printf(a, "AAA%012ld", number);
	f->texts[i] = r.text;
	f->grids[i] = r.grid;
	f->addresses[i] = r.address;
	f->lat[i] = m.lat;
	f->lon[i] = m.lon;
	f->times[i] = at;
	f->bits[i] = (int64_t)m.numbers;
	f->squares[i] = f->areas[i] = NULL;
	for (size_t k = matter_rows(office, &m, a, cells); k > 0; k--)
		*(matter_is_square(cells[k - 1]) ? &f->squares[i] : &f->areas[i]) = cells[k - 1];
}

static void fill_batch(struct pg *pg, const struct office *office, long from, int64_t at, struct arena *a)
{
	static struct filling f;
	struct pg_args args[ARRAY_LEN(fills)] = {0};
	struct err e;

	for (size_t i = 0; i < BATCH; i++)
		fill_one(&f, i, office, from + (long)i, at, a);
	for (size_t i = 0; i < ARRAY_LEN(fills); i++) {
		pg_text(&args[i], office->tenant);
		pg_texts(&args[i], f.numbers, BATCH);
	}
	pg_texts(&args[0], f.texts, BATCH);
	pg_texts(&args[0], f.grids, BATCH);
	pg_times(&args[0], f.times, BATCH);
	pg_texts(&args[1], f.addresses, BATCH);
	pg_doubles(&args[1], f.lat, BATCH);
	pg_doubles(&args[1], f.lon, BATCH);
	pg_texts(&args[2], f.squares, BATCH);
	pg_texts(&args[2], f.areas, BATCH);
	pg_ints(&args[2], f.bits, BATCH);
	for (size_t i = 0; i < ARRAY_LEN(fills); i++)
		if (pg_run(pg, &fills[i], &args[i], NULL, &e) < 0)
			errx(1, "%s", e.text);
}

struct asked {
	double ms;
	size_t candidates;
	bool same;
};

static struct asked ask(struct pg *pg, const struct office *office, const struct report *r, struct arena *a)
{
	int64_t since = now_us(CLOCK_MONOTONIC);
	const char *cells[MATTER_LOOKS];
	struct look looks[MATTER_LOOKS];
	struct found_matter *found;
	struct asked ret = {0};
	struct pg_rows rows;
	struct matter m;
	struct err e;
	size_t n;

	if (!matter_of(r, a, &m))
		errx(1, "a report that is no matter");
	n = matter_looks(office, &m, a, cells);
	for (size_t i = 0; i < n; i++)
		looks[i] = (struct look){.cell = cells[i], .numbers = m.numbers};
	pg_pipe_begin(pg);
	matters_pipe(pg, office->tenant, looks, n, a, &rows);
	if (pg_pipe_end(pg, &e) < 0)
		errx(1, "%s", e.text);
	found = matters_found(&rows, a, &ret.candidates);
	for (size_t i = 0; i < ret.candidates; i++) {
		found[i].m.category = m.category;
		ret.same = ret.same || matter_alike(office, &m, &found[i].m) > 0.5;
	}
	ret.ms = (double)(now_us(CLOCK_MONOTONIC) - since) / 1e3;
	return ret;
}

static int by_value(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return a < b ? -1 : a > b;
}

static void ask_all(struct pg *pg, const struct office *office)
{
	static double ms[ASKS];
	int64_t at = now_us(CLOCK_REALTIME);
	struct arena a = {0};
	size_t candidates = 0, same = 0;

	seed = 7;
	for (int i = -WARM_UP; i < ASKS; i++) {
		struct report r = make_report(office, at, &a);
		struct asked one = ask(pg, office, &r, &a);

		if (i >= 0) {
			ms[i] = one.ms;
			candidates += one.candidates;
			same += one.same;
		}
		arena_reset(&a);
	}
	qsort(ms, ASKS, sizeof(ms[0]), by_value);
	printf("{\"asked\":%d,\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"worst_ms\":%.3f,\"candidates\":%.2f,\"same\":%zu}\n", ASKS, ms[ASKS / 2],
	       ms[ASKS * 99 / 100], ms[ASKS - 1], (double)candidates / ASKS, same);
	arena_done(&a);
}

int main(int argc, char **argv)
{
	struct load_options options = {.flags = LOAD_SECRETS_OPTIONAL};
	struct settings *s = NULL;
	struct arena a = {0};
	struct pg *pg = NULL;
	struct err e;
	long n;

	if (argc != 5)
		errx(2, "join DSN FOLDER fill|ask N");
	n = strtol(argv[4], NULL, 10);
	if (settings_load(argv[2], &options, &s, &e) < 0 || pg_open(argv[1], "bench", &pg, &e) < 0)
		errx(1, "%s", e.text);
	if (strcmp(argv[3], "fill") == 0) {
		for (long i = 0; i < n; i += BATCH) {
			fill_batch(pg, &s->office, i, now_us(CLOCK_REALTIME), &a);
			arena_reset(&a);
		}
	} else {
		ask_all(pg, &s->office);
	}
	arena_done(&a);
	pg_close(pg);
	settings_unref(s);
	return 0;
}
