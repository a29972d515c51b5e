/*
 * Rates of a month, a quarter, a year or any stretch, each with its formula and, when asked, its cases. The numbers are
 * those of v_rates: one function of the database makes both.
 */
#include "ctl/ctl.h"

#include <inttypes.h>
#include <math.h>

#include "core/time/moment.h"
#include "settings/snapshot.h"
#include "store/pg.h"
#include "store/statistics.h"

enum { SETS = 3 };                      /* now, the period before, a year ago */

static const struct query Q_SIM = {"ctl_sim_now",
	"SELECT needle.micros(coalesce((SELECT now_at FROM needle.sim_clock WHERE tenant = $1), now()))"};

static const struct flag flags[] = {
	{"period", 0, "PERIOD", N_("2026-11, 2026-Q4, 2026 or FROM..TO (this month)")},
	{"by", 0, "DIMENSION", N_("all, department, community, grid, channel, category or officer (all)")},
	{"name", 0, "RATE", N_("this rate only")},
	{"scope", 0, "SCOPE", N_("this part only, such as department:chengguan")},
	{"cases", 0, NULL, N_("list the cases of each number: + counts, - does not")},
	{0},
};

struct question {
	enum period_covers covers;
	struct stretch when;
	const char *period, *dim, *part;
};

/* ---- which period ----------------------------------------------------------------------------- */
static int64_t month(int year, int m)
{
	int n = year * 12 + m - 1;

	return moment_of_day(moment_day_from_date(n / 12, n % 12 + 1, 1), 0);
}

static bool read_part(const char *text, int year, struct question *q)
{
	int64_t n;

	if (!*text) {
		q->covers = COVERS_YEAR;
		q->when = (struct stretch){month(year, 1), month(year + 1, 1)};
	} else if (text[0] == '-' && text[1] == 'Q' && str_to_int(text + 2, 1, 4, &n)) {
		q->covers = COVERS_QUARTER;
		q->when = (struct stretch){month(year, (int)n * 3 - 2), month(year, (int)n * 3 + 1)};
	} else if (text[0] == '-' && strlen(text) == 3 && str_to_int(text + 1, 1, 12, &n)) {
		q->covers = COVERS_MONTH;
		q->when = (struct stretch){month(year, (int)n), month(year, (int)n + 1)};
	} else {
		return false;
	}
	return true;
}

static bool read_stretch(struct ctl *ctl, const char *text, struct question *q)
{
	const char *dots = strstr(text, "..");

	q->covers = COVERS_SINCE;
	return dots && moment_parse(arena_strndup(&ctl->arena, text, (size_t)(dots - text)), &q->when.from) &&
	       moment_parse(dots + 2, &q->when.to) && q->when.from < q->when.to;
}

static int read_period(struct ctl *ctl, struct pg *pg, struct question *q, struct err *e)
{
	const char *text = ctl_flag(ctl, "period");
	CLEANUP(pg_rows_done) struct pg_rows rows = {0};
	struct pg_args args = {0};
	int64_t year;
	int r;

	if (!text) {
		struct civil c;

		pg_text(&args, ctl->settings->office.tenant);
		r = pg_run(pg, &Q_SIM, &args, &rows, e);
		if (r < 0)
			return r;
		c = moment_civil(pg_get_time(&rows, 0, 0));
		text = arena_printf(&ctl->arena, "%04d-%02d", c.year, c.month);
	}
	q->period = text;
	if (strlen(text) >= 4 && str_to_int(arena_strndup(&ctl->arena, text, 4), 1970, 9000, &year) &&
	    read_part(text + 4, (int)year, q))
		return 0;
	if (read_stretch(ctl, text, q))
		return 0;
	return ctl_usage(e, "--period %s: write 2026-11, 2026-Q4, 2026, or 2026-11-01..2026-11-11", text);
}

static int read_question(struct ctl *ctl, struct question *q, struct err *e)
{
	const char *scope = ctl_flag(ctl, "scope"), *colon = scope ? strchr(scope, ':') : NULL;

	q->dim = ctl_flag(ctl, "by") ? ctl_flag(ctl, "by") : "all";
	if (colon) {
		q->dim = arena_strndup(&ctl->arena, scope, (size_t)(colon - scope));
		q->part = colon + 1;
	}
	if (name_index(rate_dims, N_RATE_DIMS, q->dim) < 0)
		return ctl_usage(e, "there is nothing to count by %s: all, department, community, grid, channel, category or officer",
				 q->dim);
	if (scope && !colon && !str_equal(scope, "all"))
		return ctl_usage(e, "--scope is written as department:chengguan");
	return 0;
}

/* ---- the numbers ------------------------------------------------------------------------------ */
static int load(struct ctl *ctl, struct pg *pg, const struct question *q, struct rate_rows sets[SETS], struct err *e)
{
	const struct stretch when[SETS] = {q->when, stretch_before(q->covers, q->when), stretch_year_ago(q->when)};

	return store_rates(pg, ctl->settings->office.tenant, when, SETS, q->dim, &ctl->arena, sets, e);
}

static double value_of(const struct rate_row *r)
{
	return r->denominator ? (double)r->numerator / (double)r->denominator : NAN;
}

static double value_in(const struct rate_rows *set, const struct rate_row *like)
{
	for (size_t i = 0; i < set->n; i++)
		if (str_equal(set->v[i].name, like->name) && str_equal(set->v[i].scope, like->scope))
			return value_of(&set->v[i]);
	return NAN;
}

static bool is_wanted(const struct ctl *ctl, const struct rate_row *r)
{
	const char *name = ctl_flag(ctl, "name"), *scope = ctl_flag(ctl, "scope");

	return (!name || str_equal(name, r->name)) && (!scope || str_equal(scope, r->scope));
}

static json_t *number(double value)
{
	return isnan(value) ? json_null() : json_real(value);
}

static int load_cases(struct ctl *ctl, struct pg *pg, const struct question *q, const struct rate_row *r,
		      struct rate_case **ret, size_t *ret_n, struct err *e)
{
	const char *colon = strchr(r->scope, ':');

	return store_rate_cases(pg, ctl->settings->office.tenant, r->name, q->when.from, q->when.to, q->dim,
				colon ? colon + 1 : NULL, &ctl->arena, ret, ret_n, e);
}

/* ---- JSON ------------------------------------------------------------------------------------- */
static int add_cases(struct ctl *ctl, struct pg *pg, const struct question *q, const struct rate_row *r, json_t *one,
		     struct err *e)
{
	struct rate_case *cases;
	json_t *list;
	size_t n;
	int result;

	if (!ctl_flag(ctl, "cases"))
		return 0;
	result = load_cases(ctl, pg, q, r, &cases, &n, e);
	if (result < 0)
		return result;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s,s:b}", "case", cases[i].number, "counts", (int)cases[i].counts));
	json_object_set_new(one, "cases", list);
	return 0;
}

static int print_json(struct ctl *ctl, struct pg *pg, const struct question *q, const struct rate_rows sets[SETS],
		      struct err *e)
{
	json_t *list = json_array(), *all = json_pack("{s:s,s:o,s:o,s:o}", "period", q->period, "from",
						      ctl_json_time(q->when.from), "to", ctl_json_time(q->when.to), "rates", list);
	int result = 0;

	for (size_t i = 0; result == 0 && i < sets[0].n; i++) {
		const struct rate_row *r = &sets[0].v[i];
		json_t *one;

		if (!is_wanted(ctl, r))
			continue;
		one = json_pack("{s:s,s:s,s:s,s:I,s:I,s:o,s:o,s:o,s:s}", "name", r->name, "scope", r->scope, "period",
				q->period, "numerator", (json_int_t)r->numerator, "denominator", (json_int_t)r->denominator,
				"value", number(value_of(r)), "before", number(value_in(&sets[1], r)), "year_ago",
				number(value_in(&sets[2], r)), "formula", r->formula);
		json_array_append_new(list, one);
		result = add_cases(ctl, pg, q, r, one, e);
	}
	if (result == 0)
		ctl_print_json(ctl, all);
	json_decref(all);
	return result;
}

/* ---- text ------------------------------------------------------------------------------------- */
static const char *percent(struct ctl *ctl, double value)
{
	return isnan(value) ? "-" : arena_printf(&ctl->arena, "%.2f %%", 100 * value);
}

static const char *change(struct ctl *ctl, double value, double before)
{
	return isnan(value) || isnan(before) ? "-" : arena_printf(&ctl->arena, "%+.2f", 100 * (value - before));
}

static void print_row(struct ctl *ctl, struct grid_table *table, const struct rate_row *r, const struct rate_rows sets[SETS])
{
	double value = value_of(r);

	grid_cell(table, r->name);
	grid_cell(table, say(ctl, r->scope));
	grid_cell(table, arena_printf(&ctl->arena, "%" PRId64 " / %" PRId64, r->numerator, r->denominator));
	grid_cell(table, percent(ctl, value));
	grid_cell(table, change(ctl, value, value_in(&sets[1], r)));
	grid_cell(table, change(ctl, value, value_in(&sets[2], r)));
	grid_cell(table, r->formula);
}

static int print_cases(struct ctl *ctl, struct pg *pg, const struct question *q, const struct rate_row *r, struct err *e)
{
	struct rate_case *cases;
	size_t n;
	int result = load_cases(ctl, pg, q, r, &cases, &n, e);

	if (result < 0)
		return result;
	str_addf(&ctl->out, "\n%s, %s\n", r->name, say(ctl, r->scope));
	for (size_t i = 0; i < n; i++)
		str_addf(&ctl->out, "  %c %s\n", cases[i].counts ? '+' : '-', cases[i].number);
	return 0;
}

static int print_text(struct ctl *ctl, struct pg *pg, const struct question *q, const struct rate_rows sets[SETS],
		      struct err *e)
{
	static const char *const heads[] = {N_("rate"), N_("scope"), N_("cases"), N_("value"), N_("to the one before"),
					    N_("to a year ago"), N_("formula")};
	struct grid_table table = {.columns = ARRAY_LEN(heads)};
	int result = 0;

	str_addf(&ctl->out, "%s\n", q->period);
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		grid_cell(&table, say(ctl, heads[i]));
	for (size_t i = 0; i < sets[0].n; i++)
		if (is_wanted(ctl, &sets[0].v[i]))
			print_row(ctl, &table, &sets[0].v[i], sets);
	grid_print(&table, &ctl->out);
	grid_done(&table);
	for (size_t i = 0; result == 0 && ctl_flag(ctl, "cases") && i < sets[0].n; i++)
		if (is_wanted(ctl, &sets[0].v[i]))
			result = print_cases(ctl, pg, q, &sets[0].v[i], e);
	return result;
}

static int run(struct ctl *ctl, struct err *e)
{
	struct rate_rows sets[SETS] = {0};
	struct question q = {0};
	struct pg *pg = NULL;
	int r = ctl_database(ctl, &pg, e);

	if (r == 0)
		r = read_question(ctl, &q, e);
	if (r == 0)
		r = read_period(ctl, pg, &q, e);
	if (r == 0)
		r = load(ctl, pg, &q, sets, e);
	if (r == 0)
		r = ctl->json ? print_json(ctl, pg, &q, sets, e) : print_text(ctl, pg, &q, sets, e);
	pg_close(pg);
	return r < 0 ? r : CTL_DONE;
}

const struct verb verb_rates = {
	.name = "rates",
	.group = ctl_stored,
	.operands = "",
	.help = N_("The office's rates of a month, a quarter or a year, compared with the one before and a year ago."),
	.detail = N_("What is counted, and how, stands under `rates` in the folder; the daemon tells the database. Changes are "
		     "in percentage points. A change of a formula changes what this prints, never a list that was published.\n"),
	.flags = flags,
	.run = run,
};
