/*
 * Yesterday's messages on tomorrow's rules. The database is read through a cursor in one read-only
 * transaction, so that any number of messages costs the same memory and nothing can be changed.
 */
#include "ctl/replay.h"

#include "base/clock.h"
#include "core/time/moment.h"
#include "ctl/ctl.h"
#include "ctl/stored.h"
#include "settings/snapshot.h"
#include "store/pg.h"

enum { KEEP = 100, SHOWN = 5 };

static const struct flag flags[] = {
	{"since", 0, "SPAN|TIME", N_("messages from then on: 90 自然日, 12 小时, 2026-08-01 (90 自然日)")},
	{"against", 0, "CONFIG", N_("what to compare with: a folder, a hash, or running (running)")},
	{"list", 0, NULL, N_("name every case that differs, not only the first ones")},
	{0},
};

static const struct query Q_NOW = {"ctl_replay_now",
	"SELECT needle.micros(coalesce((SELECT now_at FROM needle.sim_clock WHERE tenant = $1::text), now()))"};
static const struct query Q_DECLARE = {"ctl_replay",
	"DECLARE replay NO SCROLL CURSOR FOR "
	"SELECT r.channel, r.number, r.text, r.category, r.grid, r.urgency, r.device, p.accused, "
	"coalesce(p.secret, false), c.channel = r.channel AND c.report = r.id, needle.micros(r.received_at), "
	"needle.micros(coalesce(l.met_resolve, CASE WHEN c.leg = 1 THEN c.met_resolve END, c.closed_at)) "
	"FROM needle.report r JOIN needle.cases c ON c.tenant = r.tenant AND c.number = r.number "
	"LEFT JOIN needle.leg l ON l.tenant = c.tenant AND l.number = c.number AND l.leg = 1 "
	"LEFT JOIN needle.person p ON p.tenant = r.tenant AND p.channel = r.channel AND p.id = r.id "
	"WHERE r.tenant = $1::text AND r.kind = 'report' AND r.received_at >= $2::timestamptz"};
static const struct query Q_FETCH = {"ctl_replay_fetch", "FETCH 1000 FROM replay"};

/* ---- since ----------------------------------------------------------------------------------- */

/* 天 has one meaning when one looks back. */
static const char *as_span(struct ctl *ctl, const char *text)
{
	size_t n = strlen(text), day = strlen("天");

	if (n > day && strcmp(text + n - day, "天") == 0)
		return arena_printf(&ctl->arena, "%.*s自然日", (int)(n - day), text);
	return text;
}

static int read_since(struct ctl *ctl, int64_t now, int64_t *ret, struct err *e)
{
	const char *text = ctl_flag(ctl, "since") ? ctl_flag(ctl, "since") : "90 自然日";
	struct deadline d;
	struct due due;
	struct err ignored;
	size_t at;

	if (moment_parse(text, ret))
		return 0;
	if (deadline_parse(as_span(ctl, text), &ctl->arena, &d, &at, &ignored) < 0 || d.kind != DEADLINE_SPAN)
		return ctl_usage(e, "--since: '%s' is neither a time nor a length such as 90 自然日", text);
	if (d.unit == UNIT_DAY) {
		*ret = now - d.n * MOMENT_DAY_US;
		return 0;
	}
	if (deadline_before(&d, ctl->settings->office.default_calendar, now, NULL, &due, e) < 0)
		return e->class;
	*ret = due.at;
	return 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void add_row(struct tally *t, const struct pg_rows *rows, int i)
{
	const struct stored_report r = {
		.channel = pg_get(rows, i, 0), .number = pg_get(rows, i, 1), .text = pg_get(rows, i, 2),
		.category = pg_get(rows, i, 3), .grid = pg_get(rows, i, 4), .urgency = pg_get(rows, i, 5),
		.device = pg_get(rows, i, 6), .accused = pg_get(rows, i, 7), .secret = pg_get_bool(rows, i, 8),
		.first = pg_get_bool(rows, i, 9), .received_at = pg_get_time(rows, i, 10), .done_at = pg_get_time(rows, i, 11)};

	tally_add(t, &r);
}

static int read_pages(struct pg *pg, struct tally *t, struct err *e)
{
	for (;;) {
		CLEANUP(pg_rows_done) struct pg_rows rows = {0};
		struct pg_args none = {0};
		int r = pg_run(pg, &Q_FETCH, &none, &rows, e);

		if (r < 0 || !rows.n)
			return r;
		for (int i = 0; i < rows.n; i++)
			add_row(t, &rows, i);
	}
}

static int read_all(struct pg *pg, const char *tenant, int64_t since, struct tally *t, struct err *e)
{
	struct pg_args args = {0};
	/* All rows will be fetched: the planner is not to hurry for the first ones. */
	int r = pg_exec(pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL cursor_tuple_fraction = 1", e);

	if (r < 0)
		return r;
	pg_text(&args, tenant);
	pg_time(&args, since);
	r = pg_run(pg, &Q_DECLARE, &args, NULL, e);
	if (r == 0)
		r = read_pages(pg, t, e);
	pg_rollback(pg);
	return r;
}

static int read_now(struct pg *pg, const char *tenant, int64_t *ret, struct err *e)
{
	CLEANUP(pg_rows_done) struct pg_rows rows = {0};
	struct pg_args args = {0};
	int r;

	pg_text(&args, tenant);
	r = pg_run(pg, &Q_NOW, &args, &rows, e);
	if (r == 0)
		*ret = pg_get_int(&rows, 0, 0);
	return r;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static json_t *cases_json(const case_list *list)
{
	json_t *all = json_array();

	for (size_t i = 0; i < list->n; i++)
		json_array_append_new(all, json_string(list->v[i]));
	return all;
}

static json_t *groups_json(const struct tally *t)
{
	json_t *all = json_array();

	for (size_t i = 0; i < t->groups.n; i++) {
		const struct replay_group *g = t->groups.v[i];

		json_array_append_new(all, json_pack("{s:o,s:o,s:I,s:o,s:s,s:o}", "from", ctl_json_text(g->from), "to",
						     ctl_json_text(g->to), "count", (json_int_t)g->count, "rule",
						     ctl_json_text(g->rule), "why", _(g->why), "cases",
						     cases_json(&g->cases)));
	}
	return all;
}

/* W41: it never won; W42: it matched, but never won. */
static const char *note_of(const struct replay_rule *rule)
{
	return rule->won ? NULL : rule->lost ? "W42" : "W41";
}

static json_t *rules_json(const struct tally *t)
{
	json_t *all = json_array();

	for (size_t i = 0; i < t->to->n_rules; i++)
		json_array_append_new(all, json_pack("{s:s,s:I,s:I,s:o}", "rule", t->to->rules[i].id, "won",
						     (json_int_t)t->rules[i].won, "lost", (json_int_t)t->rules[i].lost,
						     "note", ctl_json_text(note_of(&t->rules[i]))));
	return all;
}

static void print_json(struct ctl *ctl, const struct tally *t, int64_t since)
{
	json_t *all = json_pack("{s:o,s:s,s:s,s:I,s:I,s:o,s:{s:I,s:I,s:o},s:{s:I,s:I,s:I,s:o},s:o}", "since",
				ctl_json_time(since), "against", t->from->hash, "config", t->to->hash, "total",
				(json_int_t)t->total, "same", (json_int_t)t->same, "changed", groups_json(t), "late",
				"before", (json_int_t)t->late_before, "after", (json_int_t)t->late_after, "cases",
				cases_json(&t->late_cases), "deadlines", "changed", (json_int_t)t->changed_due, "earlier",
				(json_int_t)t->earlier, "later", (json_int_t)t->later, "cases", cases_json(&t->due_cases),
				"rules", rules_json(t));

	ctl_print_json(ctl, all);
	json_decref(all);
}

/* ---- text ------------------------------------------------------------------------------------ */

static const char *dept_name(const struct office *office, const char *id)
{
	const struct department *d = id ? map_get(&office->dept_by_id, id) : NULL;

	return !id ? _("dead letter") : d ? d->name : id;
}

static void print_cases(struct ctl *ctl, const case_list *list, size_t count)
{
	size_t shown = args_has(&ctl->args, "list") || list->n < SHOWN ? list->n : SHOWN;

	for (size_t i = 0; i < shown; i++)
		str_addf(&ctl->out, "%s%s", i ? ", " : "", list->v[i]);
	str_add(&ctl->out, count > shown ? " …\n" : "\n");
}

static void print_groups(struct ctl *ctl, const struct tally *t)
{
	for (size_t i = 0; i < t->groups.n; i++) {
		const struct replay_group *g = t->groups.v[i];
		const char *way = arena_printf(&ctl->arena, "%s → %s", dept_name(t->from, g->from), dept_name(t->to, g->to));

		str_add(&ctl->out, "  ");
		grid_pad(&ctl->out, way, 32);
		str_addf(&ctl->out, " %6zu  ", g->count);
		grid_safe(&ctl->out, arena_printf(&ctl->arena, "%s%s%s", g->rule ? g->rule : "", g->rule ? ": " : "", _(g->why)));
		str_add(&ctl->out, "  ");
		print_cases(ctl, &g->cases, g->count);
	}
}

static void print_rules(struct ctl *ctl, const struct tally *t)
{
	for (size_t i = 0; i < t->to->n_rules; i++) {
		const struct replay_rule *rule = &t->rules[i];

		if (rule->won)
			continue;
		str_addf(&ctl->out, "  %s ", note_of(rule));
		if (rule->lost)
			str_addf(&ctl->out, _("rule %s matched %zu times, but an earlier one always won"), t->to->rules[i].id,
				 rule->lost);
		else
			str_addf(&ctl->out, _("rule %s matched nothing"), t->to->rules[i].id);
		str_addc(&ctl->out, '\n');
	}
}

static void print_text(struct ctl *ctl, const struct tally *t, int64_t since)
{
	char at[MOMENT_TEXT];
	size_t moved = t->total - t->same;

	str_addf(&ctl->out, _("%zu reports since %s: %zu to the same department, %zu to another (%.1f %%)\n"), t->total,
		 moment_human(since, false, at), t->same, moved, t->total ? 100.0 * (double)moved / (double)t->total : 0.0);
	print_groups(ctl, t);
	str_addf(&ctl->out, _("limits changed: %zu; to resolve earlier %zu, later %zu\n"), t->changed_due, t->earlier, t->later);
	if (t->changed_due && args_has(&ctl->args, "list")) {
		str_add(&ctl->out, "  ");
		print_cases(ctl, &t->due_cases, t->due_cases.n);
	}
	str_addf(&ctl->out, _("late: %zu before, %zu after\n"), t->late_before, t->late_after);
	if (t->late_cases.n) {
		str_addf(&ctl->out, "  %s ", _("late only now:"));
		print_cases(ctl, &t->late_cases, t->late_cases.n);
	}
	print_rules(ctl, t);
}

/* ---- the verb -------------------------------------------------------------------------------- */

static int by_count(const void *a, const void *b)
{
	const struct replay_group *x = *(struct replay_group *const *)a, *y = *(struct replay_group *const *)b;

	return x->count == y->count ? 0 : x->count < y->count ? 1 : -1;
}

static int replay(struct ctl *ctl, struct pg *pg, const struct settings *against, struct err *e)
{
	const struct office *office = &ctl->settings->office;
	CLEANUP(tally_done) struct tally t = {0};
	int64_t now = 0, since = 0;
	int r = read_now(pg, office->tenant, &now, e);

	if (r == 0)
		r = read_since(ctl, now, &since, e);
	if (r < 0)
		return r;
	tally_init(&t, &against->office, office, now, args_has(&ctl->args, "list") ? SIZE_MAX : KEEP);
	r = read_all(pg, office->tenant, since, &t, e);
	if (r < 0)
		return r;
	if (t.groups.n)
		qsort(t.groups.v, t.groups.n, sizeof(*t.groups.v), by_count);
	(ctl->json ? print_json : print_text)(ctl, &t, since);
	return CTL_DONE;
}

static int run(struct ctl *ctl, struct err *e)
{
	const char *name = ctl_flag(ctl, "against") ? ctl_flag(ctl, "against") : "running";
	struct settings *against = NULL;
	struct pg *pg = NULL;
	int r = ctl_database(ctl, &pg, e);

	if (r == 0)
		r = stored_settings(ctl, name, &against, e);
	if (r == 0)
		r = replay(ctl, pg, against, e);
	settings_unref(against);
	pg_close(pg);
	return r;
}

const struct verb verb_replay = {
	.name = "replay",
	.group = ctl_stored,
	.operands = "",
	.help = N_("Put stored reports through the rules of the folder (-c) and say what would be different."),
	.detail = N_("For each report: which department, by which rule, until when, with both configurations. Counts what "
		     "changes hands and because of which rule, limits that move, cases that would be late, and rules that never "
		     "win. Reads only.\n"),
	.flags = flags,
	.run = run,
};
