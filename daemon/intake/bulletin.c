/*
 * A list as it is published, kept and opened: columns with headings, rows of texts, and the rates of its time with their
 * formulas. Once made it never changes, whatever is configured later.
 */
#include <math.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "core/office.h"
#include "core/time/moment.h"
#include "intake/hotlist.h"
#include "intake/periodic.h"
#include "intake/sheet.h"
#include "store/bulletin.h"
#include "store/statistics.h"

enum { LATE_US = 60 * 1000000, ROWS_SENT = 1000, RATE_COLUMNS = 10, PAYLOAD_MAX = 64 << 20 };

static const char *const rate_headings[RATE_COLUMNS] = {"指标", "范围", "分子", "分母", "数值", "上期", "环比", "去年同期",
							"同比", "算法"};
static const struct {
	const char *word, *print;
} words[] = {{"received", "待分派"}, {"triage", "待转派"}, {"assigned", "待签收"}, {"accepted", "办理中"},
	     {"suspended", "挂账"}, {"resolved", "待评价"}, {"closed", "已销号"}, {"joined", "已并案"},
	     {"satisfied", "满意"}, {"basically", "基本满意"}, {"dissatisfied", "不满意"}};

enum { NOW, BEFORE, YEAR_AGO, SPANS };
struct rates {
	struct rate_rows of[SPANS];
};

/* ---- rates ------------------------------------------------------------------------------------ */
static int load_rates(struct pg *pg, const struct occurrence *o, enum period_covers covers, struct stretch s,
		      const char *dim, struct arena *a, struct rates *ret, struct err *e)
{
	const struct stretch of[SPANS] = {s, stretch_before(covers, s), stretch_year_ago(s)};

	return store_rates(pg, o->office->tenant, of, SPANS, dim, a, ret->of, e);
}

static double value_of(const struct rate_row *r)
{
	return r && r->denominator ? (double)r->numerator / (double)r->denominator : NAN;
}

static double value_in(const struct rate_rows *rows, const struct rate_row *like)
{
	for (size_t i = 0; i < rows->n; i++)
		if (strcmp(rows->v[i].name, like->name) == 0 && strcmp(rows->v[i].scope, like->scope) == 0)
			return value_of(&rows->v[i]);
	return NAN;
}

static const char *percent(double value, struct arena *a)
{
	return isnan(value) ? NULL : arena_printf(a, "%.2f%%", 100 * value);
}

/* In percentage points. */
static const char *change(double value, double before, struct arena *a)
{
	return isnan(value) || isnan(before) ? NULL : arena_printf(a, "%+.2f", 100 * (value - before));
}

static const char *const *rate_cells(const struct rates *all, const struct rate_row *r, struct arena *a)
{
	double value = value_of(r), before = value_in(&all->of[BEFORE], r), ago = value_in(&all->of[YEAR_AGO], r);
	const char **cells = arena_alloc(a, RATE_COLUMNS * sizeof(*cells));

	cells[0] = r->name;
	cells[1] = strcmp(r->scope, "all") == 0 ? "全部" : r->scope;
	cells[2] = arena_printf(a, "%lld", (long long)r->numerator);
	cells[3] = arena_printf(a, "%lld", (long long)r->denominator);
	cells[4] = percent(value, a);
	cells[5] = percent(before, a);
	cells[6] = change(value, before, a);
	cells[7] = percent(ago, a);
	cells[8] = change(value, ago, a);
	cells[9] = r->formula;
	return cells;
}

static void add_number(struct str *t, const char *name, double value)
{
	if (isnan(value))
		str_addf(t, ",\"%s\":null", name);
	else
		str_addf(t, ",\"%s\":%.6f", name, value);
}

static void add_rates(struct str *t, const struct rates *all)
{
	str_add(t, ",\"rates\":[");
	for (size_t i = 0; i < all->of[NOW].n; i++) {
		const struct rate_row *r = &all->of[NOW].v[i];

		str_add(t, i ? ",{\"name\":" : "{\"name\":");
		str_json(t, r->name);
		str_add(t, ",\"scope\":");
		str_json(t, r->scope);
		str_addf(t, ",\"numerator\":%lld,\"denominator\":%lld", (long long)r->numerator, (long long)r->denominator);
		add_number(t, "value", value_of(r));
		add_number(t, "before", value_in(&all->of[BEFORE], r));
		add_number(t, "year_ago", value_in(&all->of[YEAR_AGO], r));
		str_add(t, ",\"formula\":");
		str_json(t, r->formula);
		str_addc(t, '}');
	}
	str_addc(t, ']');
}

/* ---- rows ------------------------------------------------------------------------------------- */
static const char *spoken(const char *cell)
{
	for (size_t i = 0; cell && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, cell) == 0)
			return words[i].print;
	return cell;
}

/* Ids become names. What everybody reads shows no word that a sender chose: a category that we do not know is one. */
static void make_readable(const struct office *office, const char *const *headings, struct list_rows *rows, bool everybody)
{
	for (size_t k = 0; k < rows->columns; k++)
		for (size_t i = 0; i < rows->n; i++) {
			const char **cell = &rows->rows[i][k];
			const struct department *d = *cell ? map_get(&office->dept_by_id, *cell) : NULL;

			if (strcmp(headings[k], "承办单位") == 0 && d)
				*cell = d->name;
			else if (strcmp(headings[k], "状态") == 0 || strcmp(headings[k], "评价") == 0)
				*cell = spoken(*cell);
			else if (everybody && strcmp(headings[k], "类别") == 0 && *cell &&
				 !map_get(&office->category_by_path, *cell))
				*cell = "其他";
		}
}

static int rates_as_rows(struct pg *pg, const struct occurrence *o, const struct period *period, struct stretch s,
			 struct arena *a, struct list_rows *rows, struct err *e)
{
	struct rates of[2] = {0};
	int r = load_rates(pg, o, period->covers, s, "all", a, &of[0], e);

	if (r == 0)
		r = load_rates(pg, o, period->covers, s, "department", a, &of[1], e);
	if (r < 0)
		return r;
	rows->rows = arena_alloc(a, (of[0].of[NOW].n + of[1].of[NOW].n + 1) * sizeof(*rows->rows));
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < of[k].of[NOW].n; i++)
			rows->rows[rows->n++] = (const char **)(uintptr_t)rate_cells(&of[k], &of[k].of[NOW].v[i], a);
	rows->columns = RATE_COLUMNS;
	return 0;
}

static int load_rows(struct pg *pg, const struct occurrence *o, const struct period *period, struct stretch s,
		     struct arena *a, struct list_rows *rows, struct err *e)
{
	bool everybody = !period->to;
	/* What happened is of the time that the list covers; what is open, of now. */
	bool of_time = period->content == CONTENT_RECEIVED || period->content == CONTENT_CLOSED ||
		       period->content == CONTENT_BULLETIN || period->content == CONTENT_INSPECTIONS ||
		       period->content == CONTENT_PROJECTS;
	struct list_query q = {.tenant = o->office->tenant, .content = period->content, .since = s.from,
			       .at = of_time ? s.to : o->at, .until = o->at + (s.to - s.from), .everybody = everybody};
	int r;

	if (period->content == CONTENT_PROJECTS)
		q.only = o->office->statistics.projects ? o->office->statistics.projects->id : "";

	if (period->content == CONTENT_RATES)
		return rates_as_rows(pg, o, period, s, a, rows, e);
	r = list_load(pg, &q, a, rows, e);
	if (r == 0)
		make_readable(o->office, list_headings(period->content, everybody, &rows->columns), rows, everybody);
	return r;
}

/* ---- the whole -------------------------------------------------------------------------------- */
static void add_texts(struct str *t, const char *const *texts, size_t n)
{
	str_addc(t, '[');
	for (size_t i = 0; i < n; i++) {
		str_add(t, i ? "," : "");
		if (texts[i])
			str_json(t, texts[i]);
		else
			str_add(t, "null");
	}
	str_addc(t, ']');
}

static void add_head(struct str *t, const struct occurrence *o, const struct period *period, struct stretch s)
{
	char at[MOMENT_TEXT];

	str_addf(t, "{\"v\":1,\"%s\":", period->to ? "report" : "list");
	str_json(t, period->name);
	str_add(t, ",\"name\":");
	str_json(t, period->title);
	str_addf(t, ",\"content\":\"%s\"", period_content_names[period->content]);
	if (period->to)
		str_addf(t, ",\"to\":\"%s\"", period->to->id);
	str_addf(t, ",\"period\":{\"from\":\"%s\",", moment_rfc3339(s.from, at));
	str_addf(t, "\"to\":\"%s\"}", moment_rfc3339(s.to, at));
	str_addf(t, ",\"at\":\"%s\",\"late\":%s,\"config\":\"%s\"", moment_rfc3339(o->at, at),
		 o->now - o->at > LATE_US ? "true" : "false", o->office->hash);
}

static const char *payload(const struct occurrence *o, const struct period *period, struct stretch s,
			   const struct sheet *sheet, const struct rates *rates, struct arena *a)
{
	CLEANUP(str_done) struct str t = {.max = PAYLOAD_MAX};
	size_t shown = sheet->n < ROWS_SENT ? sheet->n : ROWS_SENT;

	add_head(&t, o, period, s);
	str_add(&t, ",\"columns\":");
	add_texts(&t, sheet->headings, sheet->columns);
	str_addf(&t, ",\"total\":%zu,\"rows\":[", sheet->n);
	for (size_t i = 0; i < shown; i++) {
		str_add(&t, i ? "," : "");
		add_texts(&t, sheet->rows[i], sheet->columns);
	}
	str_addc(&t, ']');
	add_rates(&t, rates);
	str_addc(&t, '}');
	return t.cut ? NULL : arena_strdup(a, t.s);
}

/* The list is in the database and at the broker in any case: a full disk keeps the files away, not the list. */
static void write_files(const struct occurrence *o, const struct period *period, const struct sheet *sheet,
			const char *payload, struct arena *a)
{
	const char *folder = arena_printf(a, "%s/%s", o->folder, period->to ? "lists" : "public");
	struct civil c = moment_civil(o->at);
	const char *base = period->to ? arena_printf(a, "%s-%04d%02d%02d-%02d%02d", period->name, c.year, c.month, c.day,
						     c.hour, c.minute)
				      : period->name;
	struct err e;
	int r = sheet_write(folder, base, sheet, &e);

	if (r == 0 && !period->to)
		r = sheet_write_text(folder, arena_printf(a, "%s.json", period->name), payload, &e);
	if (r < 0)
		log_warn("periodic.file", "%s", e.text);
}

int bulletin_make(struct pg *pg, const struct occurrence *o, const struct period *period, struct handoff *h, struct err *e)
{
	struct arena *a = &h->arena;
	struct stretch s = stretch_covered(period->covers, o->since, o->at);
	struct list_rows rows = {0};
	struct rates rates = {0};
	struct sheet sheet;
	struct bulletin b;
	int r = period->content == CONTENT_HOTWORDS ? hotlist_rows(pg, o, h, &rows, e) : load_rows(pg, o, period, s, a, &rows, e);

	if (r == 0)
		r = load_rates(pg, o, period->covers, s, "all", a, &rates, e);
	if (r < 0)
		return r;
	sheet = (struct sheet){.title = arena_printf(a, "%s%s", o->office->name, period->title), .headings = rate_headings,
			       .columns = rows.columns, .rows = (const char *const *const *)rows.rows, .n = rows.n};
	if (period->content != CONTENT_RATES)
		sheet.headings = list_headings(period->content, !period->to, &sheet.columns);
	b = (struct bulletin){.name = o->name, .due_at = o->at, .made_at = o->now, .since = s.from,
			      .config = o->office->hash, .payload = payload(o, period, s, &sheet, &rates, a)};
	if (!b.payload)
		return err_set(e, ERR_SYS, "the list %s is too long", o->name);
	write_files(o, period, &sheet, b.payload, a);
	return bulletin_put(pg, o->office->tenant, &b, e);
}
