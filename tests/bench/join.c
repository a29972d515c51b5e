/*
 * What it costs to find the open cases that a report may be the same matter as: cells, one query, likeness;
 * the same functions as at intake, a report a query.
 *
 *	join DSN FOLDER fill N		N open cases, spread over the street's places and categories
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

static const struct query put = {"bench_matter",
	"INSERT INTO needle.matter (tenant, cell, number, received_at, grid, lat, lon, place, text) SELECT $1::text, * FROM"
	" unnest($2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::float8[], $7::float8[], $8::text[], $9::text[])"
	" ON CONFLICT DO NOTHING"};

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

static void fill_batch(struct pg *pg, const struct office *office, long from, int64_t at, struct arena *a)
{
	const char **cells = arena_alloc(a, 2 * BATCH * sizeof(*cells)), **numbers = arena_alloc(a, 2 * BATCH * sizeof(*numbers));
	const char **grids = arena_alloc(a, 2 * BATCH * sizeof(*grids)), **texts = arena_alloc(a, 2 * BATCH * sizeof(*texts));
	const char **where = arena_alloc(a, 2 * BATCH * sizeof(*where));
	double *lat = arena_alloc(a, 2 * BATCH * sizeof(*lat)), *lon = arena_alloc(a, 2 * BATCH * sizeof(*lon));
	int64_t *times = arena_alloc(a, 2 * BATCH * sizeof(*times));
	struct pg_args args = {0};
	struct err e;
	size_t n = 0;

	for (long i = 0; i < BATCH; i++) {
		struct report r = make_report(office, at, a);
		const char *rows[MATTER_ROWS];
		struct matter m;

		if (!matter_of(&r, a, &m))
			errx(1, "a report that is no matter");
		for (size_t k = matter_rows(office, &m, a, rows); k > 0; k--, n++) {
			cells[n] = rows[k - 1];
			numbers[n] = arena_printf(a, "AAA%012ld", from + i);
			grids[n] = m.grid;
			texts[n] = m.text;
			where[n] = m.place;
			lat[n] = m.lat;
			lon[n] = m.lon;
			times[n] = m.at;
		}
	}
	pg_text(&args, office->tenant);
	pg_texts(&args, cells, n);
	pg_texts(&args, numbers, n);
	pg_times(&args, times, n);
	pg_texts(&args, grids, n);
	pg_doubles(&args, lat, n);
	pg_doubles(&args, lon, n);
	pg_texts(&args, where, n);
	pg_texts(&args, texts, n);
	if (pg_run(pg, &put, &args, NULL, &e) < 0)
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
	struct found_matter *found;
	struct asked ret = {0};
	struct matter m;
	struct err e;
	size_t n;

	if (!matter_of(r, a, &m))
		errx(1, "a report that is no matter");
	n = matter_looks(office, &m, a, cells);
	if (matters_find(pg, office->tenant, cells, n, a, &found, &ret.candidates, &e) < 0)
		errx(1, "%s", e.text);
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
