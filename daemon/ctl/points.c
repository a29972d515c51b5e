/*
 * Points: balances, entries, and what people enter by hand. An entry is never changed; a wrong one is reversed. What a rule of the
 * office gives at a step of a case is no verb: the daemon adds it with the step.
 */
#include "ctl/ctl.h"

#include <inttypes.h>

#include "core/statistics/points.h"
#include "core/time/moment.h"
#include "settings/snapshot.h"
#include "store/pg.h"

#define NOW "(SELECT coalesce((SELECT now_at FROM needle.sim_clock WHERE tenant = $1::text), now()))"
static const struct query
	Q_LIST = {"ctl_points", "SELECT account, balance, pending, earned FROM needle.v_points WHERE tenant = $1::text"
				" AND ($2::text IS NULL OR account = $2::text) ORDER BY balance DESC, account"},
	Q_SHOW = {"ctl_points_show", "SELECT id, needle.micros(at), amount, counts::text, coalesce(rule, why), number, coalesce(reviewed_by, by)"
				     " FROM needle.v_point WHERE tenant = $1::text AND account = $2::text ORDER BY id"},
	Q_GIVE = {"ctl_points_give", "INSERT INTO needle.point (tenant, account, amount, at, rule, why, by, review) VALUES ($1::text, $2::text,"
				     " $3::int8, " NOW ", $4::text, $5::text, $6::text, $7::text) RETURNING id"},
	Q_SPEND = {"ctl_points_spend", "SELECT needle.point_spend($1::text, $2::text, $3::int8, $4::text, $5::text, " NOW ")"},
	Q_REVERSE = {"ctl_points_reverse", "SELECT needle.point_reverse($1::text, $2::int8, $3::text, $4::text, " NOW ")"},
	Q_REVIEW = {"ctl_points_review", "SELECT needle.point_review($1::text, $2::int8, $3::bool, $4::text, $5::text, " NOW ")"};

static const struct flag flags[] = {
	{"by", 0, "NAME", N_("of give, spend, reverse, approve, refuse: who says so")},
	{"dept", 0, "ID", N_("of approve, refuse: the body that reviews")},
	{"note", 0, "TEXT", N_("of give, reverse: why")},
	{0},
};

static const char *operand(const struct ctl *ctl, size_t i)
{
	return ctl->args.operands[i];
}

static int need_by(const struct ctl *ctl, struct err *e)
{
	return ctl_flag(ctl, "by") ? 0 : ctl_usage(e, "--by says who enters it");
}

static const char *when(struct ctl *ctl, int64_t at)
{
	char text[MOMENT_TEXT];

	return arena_strdup(&ctl->arena, moment_human(at, false, text));
}

/* ---- looking ---------------------------------------------------------------------------------- */
static void print_table(struct ctl *ctl, const char *const *heads, int columns, const struct pg_rows *rows, int time_column)
{
	struct grid_table table = {.columns = (size_t)columns};

	for (int k = 0; k < columns; k++)
		grid_cell(&table, say(ctl, heads[k]));
	for (int i = 0; i < rows->n; i++)
		for (int k = 0; k < columns; k++)
			grid_cell(&table, k == time_column ? when(ctl, pg_get_time(rows, i, k)) : pg_get(rows, i, k));
	if (rows->n)
		grid_print(&table, &ctl->out);
	else
		str_addf(&ctl->out, "%s\n", say(ctl, "There are no points."));
	grid_done(&table);
}

static int list(struct ctl *ctl, struct pg *pg, struct err *e)
{
	static const char *const heads[] = {N_("account"), N_("balance"), N_("pending"), N_("earned")};
	CLEANUP(pg_rows_done) struct pg_rows rows = {0};
	struct pg_args args = {0};
	int r;

	pg_text(&args, ctl->settings->office.tenant);
	pg_text(&args, operand(ctl, 1));
	r = pg_run(pg, &Q_LIST, &args, &rows, e);
	if (r < 0)
		return r;
	if (ctl->json) {
		json_t *items = json_array(), *all = json_pack("{s:o}", "accounts", items);

		for (int i = 0; i < rows.n; i++)
			json_array_append_new(items, json_pack("{s:o,s:I,s:I,s:I}", "account", ctl_json_text(pg_get(&rows, i, 0)), "balance",
							       (json_int_t)pg_get_int(&rows, i, 1), "pending", (json_int_t)pg_get_int(&rows, i, 2),
							       "earned", (json_int_t)pg_get_int(&rows, i, 3)));
		ctl_print_json(ctl, all);
		json_decref(all);
	} else {
		print_table(ctl, heads, 4, &rows, -1);
	}
	return CTL_DONE;
}

static int show(struct ctl *ctl, struct pg *pg, struct err *e)
{
	static const char *const heads[] = {N_("id"), N_("at"), N_("points"), N_("counts"), N_("rule"), N_("case"), N_("by")};
	CLEANUP(pg_rows_done) struct pg_rows rows = {0};
	struct pg_args args = {0};
	int r;

	pg_text(&args, ctl->settings->office.tenant);
	pg_text(&args, operand(ctl, 1));
	r = pg_run(pg, &Q_SHOW, &args, &rows, e);
	if (r < 0)
		return r;
	if (ctl->json) {
		json_t *items = json_array(), *all = json_pack("{s:o}", "entries", items);

		for (int i = 0; i < rows.n; i++) {
			const char *counts = pg_get(&rows, i, 3);

			json_array_append_new(items, json_pack("{s:I,s:o,s:I,s:o,s:o,s:o,s:o}", "id", (json_int_t)pg_get_int(&rows, i, 0), "at",
							       ctl_json_time(pg_get_time(&rows, i, 1)), "points",
							       (json_int_t)pg_get_int(&rows, i, 2), "counts",
							       counts ? json_boolean(*counts == 't') : json_null(), "why",
							       ctl_json_text(pg_get(&rows, i, 4)), "case", ctl_json_text(pg_get(&rows, i, 5)),
							       "by", ctl_json_text(pg_get(&rows, i, 6))));
		}
		ctl_print_json(ctl, all);
		json_decref(all);
	} else {
		print_table(ctl, heads, 7, &rows, 1);
	}
	return rows.n ? CTL_DONE : CTL_NO;
}

/* ---- entering --------------------------------------------------------------------------------- */
/* The statement's only value: the entry's id; null says no. */
static int enter(struct ctl *ctl, struct pg *pg, const struct query *q, struct pg_args *args, const char *no, struct err *e)
{
	CLEANUP(pg_rows_done) struct pg_rows rows = {0};
	int r = pg_run(pg, q, args, &rows, e);
	const char *id = r == 0 && rows.n ? pg_get(&rows, 0, 0) : NULL;

	if (r < 0)
		return r;
	if (ctl->json) {
		json_t *done = json_pack("{s:b,s:o,s:o}", "ok", id != NULL, "id", id ? json_integer((json_int_t)pg_get_int(&rows, 0, 0)) : json_null(),
					 "reason", id ? json_null() : json_string(say(ctl, no)));

		ctl_print_json(ctl, done);
		json_decref(done);
	} else if (id) {
		str_addf(&ctl->out, "%s %s\n", say(ctl, "entered as"), id);
	} else {
		str_addf(&ctl->out, "%s\n", say(ctl, no));
	}
	return id ? CTL_DONE : CTL_NO;
}

static int give(struct ctl *ctl, struct pg *pg, struct err *e)
{
	const struct statistics *st = &ctl->settings->office.statistics;
	struct pg_args args = {0};
	int r = need_by(ctl, e);

	for (size_t i = 0; r == 0 && i < st->n_point_rules; i++) {
		const struct point_rule *rule = &st->point_rules[i];

		if (strcmp(rule->name, operand(ctl, 1)) != 0 || rule->on != POINT_BY_HAND)
			continue;
		pg_text(&args, ctl->settings->office.tenant);
		pg_text(&args, operand(ctl, 2));
		pg_int(&args, rule->points);
		pg_text(&args, rule->name);
		pg_text(&args, ctl_flag(ctl, "note"));
		pg_text(&args, ctl_flag(ctl, "by"));
		pg_text(&args, rule->review ? rule->review->id : NULL);
		return enter(ctl, pg, &Q_GIVE, &args, "", e);
	}
	return r < 0 ? r : err_set(e, ERR_BAD, "there is no rule “%s” for points by hand", operand(ctl, 1));
}

static int spend(struct ctl *ctl, struct pg *pg, struct err *e)
{
	const struct statistics *st = &ctl->settings->office.statistics;
	struct pg_args args = {0};
	int r = need_by(ctl, e);

	for (size_t i = 0; r == 0 && i < st->n_shop; i++) {
		if (strcmp(st->shop[i].name, operand(ctl, 2)) != 0)
			continue;
		pg_text(&args, ctl->settings->office.tenant);
		pg_text(&args, operand(ctl, 1));
		pg_int(&args, st->shop[i].price);
		pg_text(&args, st->shop[i].name);
		pg_text(&args, ctl_flag(ctl, "by"));
		return enter(ctl, pg, &Q_SPEND, &args, N_("the account has not so many points"), e);
	}
	return r < 0 ? r : err_set(e, ERR_BAD, "the shop has no “%s”", operand(ctl, 2));
}

static int entry_id(struct ctl *ctl, int64_t *ret, struct err *e)
{
	if (!str_to_int(operand(ctl, 1), 1, INT64_MAX, ret))
		return ctl_usage(e, "%s is not the id of an entry", operand(ctl, 1));
	return need_by(ctl, e);
}

static int reverse(struct ctl *ctl, struct pg *pg, struct err *e)
{
	struct pg_args args = {0};
	int64_t id;
	int r = entry_id(ctl, &id, e);

	if (r < 0)
		return r;
	pg_text(&args, ctl->settings->office.tenant);
	pg_int(&args, id);
	pg_text(&args, ctl_flag(ctl, "note"));
	pg_text(&args, ctl_flag(ctl, "by"));
	return enter(ctl, pg, &Q_REVERSE, &args, N_("there is no such entry, or it is reversed already"), e);
}

static int review(struct ctl *ctl, struct pg *pg, bool ok, struct err *e)
{
	struct pg_args args = {0};
	int64_t id;
	int r = entry_id(ctl, &id, e);

	if (r == 0 && !ctl_flag(ctl, "dept"))
		r = ctl_usage(e, "--dept says which body reviews");
	if (r < 0)
		return r;
	pg_text(&args, ctl->settings->office.tenant);
	pg_int(&args, id);
	pg_bool(&args, ok);
	pg_text(&args, ctl_flag(ctl, "dept"));
	pg_text(&args, ctl_flag(ctl, "by"));
	return enter(ctl, pg, &Q_REVIEW, &args, N_("there is no such entry for this body, or it is reviewed already"), e);
}

static int approve(struct ctl *ctl, struct pg *pg, struct err *e)
{
	return review(ctl, pg, true, e);
}

static int refuse(struct ctl *ctl, struct pg *pg, struct err *e)
{
	return review(ctl, pg, false, e);
}

static const struct {
	const char *name;
	size_t least, most;
	int (*fn)(struct ctl *ctl, struct pg *pg, struct err *e);
} actions[] = {{"list", 1, 2, list}, {"show", 2, 2, show}, {"give", 3, 3, give}, {"spend", 3, 3, spend}, {"reverse", 2, 2, reverse},
	       {"approve", 2, 2, approve}, {"refuse", 2, 2, refuse}};

static int run(struct ctl *ctl, struct err *e)
{
	struct pg *pg = NULL;
	size_t i, n = ctl->args.n_operands;
	int r;

	for (i = 0; i < ARRAY_LEN(actions) && !str_equal(actions[i].name, operand(ctl, 0)); i++)
		;
	if (i == ARRAY_LEN(actions) || n < actions[i].least || n > actions[i].most)
		return ctl_usage(e, "points is used as: list [ACCOUNT], show ACCOUNT, give RULE ACCOUNT, spend ACCOUNT GOOD, reverse ID, "
				    "approve ID, refuse ID");
	r = ctl_database(ctl, &pg, e);
	if (r == 0)
		r = actions[i].fn(ctl, pg, e);
	pg_close(pg);
	return r;
}

const struct verb verb_points = {
	.name = "points",
	.group = ctl_stored,
	.operands = "list [ACCOUNT] | show ACCOUNT | give RULE ACCOUNT | spend ACCOUNT GOOD | reverse ID | approve ID | refuse ID",
	.help = N_("Points: balances and entries; give, spend, reverse, review."),
	.detail = N_("An account is reporter/REF, officer/DEPARTMENT/NAME, keeper/NAME or dept/ID. No entry is ever changed: a wrong one is "
		     "reversed by another. What needs a review counts once the body that its rule names has approved it.\n"),
	.flags = flags,
	.min_operands = 1,
	.max_operands = 3,
	.run = run,
};
