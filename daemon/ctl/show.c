/*
 * One case from its first word to its last, for a person on the phone: what it is, who has it, by
 * when, and what happened, one line each. Nothing personal: the masked title and place, as departments
 * see them; `do CASE get` is the way to the full record.
 */
#include "ctl/ctl.h"

#include <inttypes.h>

#include "core/time/moment.h"
#include "ctl/officers.h"
#include "settings/snapshot.h"
#include "store/pg.h"

/* due and met of every clock, in the order of enum clock_name */
#define CLOCK_COLUMNS                                                                                              \
	"needle.micros(due_accept), needle.micros(due_contact), needle.micros(due_resolve), "                      \
	"needle.micros(due_feedback), needle.micros(met_accept), needle.micros(met_contact), "                     \
	"needle.micros(met_resolve), needle.micros(met_feedback) "

static const struct query Q_CASE = {"ctl_case",
	"SELECT number, state, lead, title, category, urgency, grid, place, channel, report, rule, route_source, config, "
	"policy, visibility, close_reason, joined_into, supports, leg, level, reports, heat, returns, provisional, "
	"needle.micros(received_at), needle.micros(resolved_at), needle.micros(closed_at), needle.micros(leg_at), "
	CLOCK_COLUMNS "FROM needle.cases WHERE tenant = $1 AND number = $2"};
enum column { NUMBER, STATE, LEAD, TITLE, CATEGORY, URGENCY, GRID, PLACE, CHANNEL, REPORT, RULE, ROUTE_SOURCE, CONFIG,
	      POLICY, VISIBILITY, CLOSE_REASON, JOINED_INTO, SUPPORTS, LEG, LEVEL, REPORTS, HEAT, RETURNS, PROVISIONAL,
	      RECEIVED_AT, RESOLVED_AT, CLOSED_AT, LEG_AT, DUE, MET = DUE + N_CLOCKS };

static const struct query Q_LEGS = {"ctl_legs",
	"SELECT leg, department, policy, level, needle.micros(started_at), needle.micros(ended_at), "
	CLOCK_COLUMNS "FROM needle.leg WHERE tenant = $1 AND number = $2 ORDER BY leg"};
enum leg_column { LEG_N, LEG_DEPARTMENT, LEG_POLICY, LEG_LEVEL, LEG_STARTED, LEG_ENDED, LEG_DUE,
		  LEG_MET = LEG_DUE + N_CLOCKS };

static const struct query Q_HISTORY = {"ctl_history",
	"SELECT seq, needle.micros(at), kind, by, department, note FROM needle.v_history "
	"WHERE tenant = $1 AND number = $2 ORDER BY seq"};
enum history_column { SEQ, AT, KIND, BY, DEPARTMENT, NOTE };

struct life {
	struct pg_rows c, legs, history;
};

static void life_done(struct life *life)
{
	pg_rows_done(&life->c);
	pg_rows_done(&life->legs);
	pg_rows_done(&life->history);
}

static int load(struct ctl *ctl, struct pg *pg, struct life *life, struct err *e)
{
	const struct {
		const struct query *q;
		struct pg_rows *rows;
	} all[] = {{&Q_CASE, &life->c}, {&Q_LEGS, &life->legs}, {&Q_HISTORY, &life->history}};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct pg_args args = {0};
		int r;

		pg_text(&args, ctl->settings->office.tenant);
		pg_text(&args, ctl->args.operands[0]);
		r = pg_run(pg, all[i].q, &args, all[i].rows, e);
		if (r < 0)
			return r;
	}
	if (!life->c.n)
		return err_set(e, ERR_BAD, "there is no case %s", ctl->args.operands[0]);
	return 0;
}

/* ---- JSON ---- */

static json_t *clocks_json(const struct pg_rows *rows, int row, int due, int met)
{
	json_t *all = json_object();

	for (int i = 0; i < N_CLOCKS; i++) {
		int64_t due_at = pg_get_time(rows, row, due + i), met_at = pg_get_time(rows, row, met + i);

		if (due_at == MOMENT_NONE && met_at == MOMENT_NONE)
			continue;
		json_object_set_new(all, clock_names[i],
				    json_pack("{s:o,s:o,s:b}", "due", ctl_json_time(due_at), "met",
					      ctl_json_time(met_at), "late",
					      due_at != MOMENT_NONE && met_at != MOMENT_NONE && met_at > due_at));
	}
	return all;
}

static json_t *legs_json(const struct life *life)
{
	const struct pg_rows *c = &life->c, *l = &life->legs;
	json_t *all = json_array();

	for (int i = 0; i < l->n; i++)
		json_array_append_new(all, json_pack("{s:I,s:o,s:o,s:I,s:o,s:o,s:o}", "leg",
			(json_int_t)pg_get_int(l, i, LEG_N), "department", ctl_json_text(pg_get(l, i, LEG_DEPARTMENT)),
			"policy", ctl_json_text(pg_get(l, i, LEG_POLICY)), "level",
			(json_int_t)pg_get_int(l, i, LEG_LEVEL), "started", ctl_json_time(pg_get_time(l, i, LEG_STARTED)),
			"ended", ctl_json_time(pg_get_time(l, i, LEG_ENDED)), "clocks",
			clocks_json(l, i, LEG_DUE, LEG_MET)));
	json_array_append_new(all, json_pack("{s:I,s:o,s:o,s:I,s:o,s:o,s:o}", "leg",
		(json_int_t)pg_get_int(c, 0, LEG), "department", ctl_json_text(pg_get(c, 0, LEAD)), "policy",
		ctl_json_text(pg_get(c, 0, POLICY)), "level", (json_int_t)pg_get_int(c, 0, LEVEL), "started",
		ctl_json_time(pg_get_time(c, 0, LEG_AT)), "ended", json_null(), "clocks", clocks_json(c, 0, DUE, MET)));
	return all;
}

static json_t *history_json(const struct pg_rows *h)
{
	json_t *all = json_array();

	for (int i = 0; i < h->n; i++)
		json_array_append_new(all, json_pack("{s:I,s:o,s:o,s:o,s:o,s:o}", "seq",
			(json_int_t)pg_get_int(h, i, SEQ), "at", ctl_json_time(pg_get_time(h, i, AT)), "kind",
			ctl_json_text(pg_get(h, i, KIND)), "by", ctl_json_text(pg_get(h, i, BY)), "department",
			ctl_json_text(pg_get(h, i, DEPARTMENT)), "note", ctl_json_text(pg_get(h, i, NOTE))));
	return all;
}

static json_t *supports_json(const struct pg_rows *c)
{
	const char *text = pg_get(c, 0, SUPPORTS);
	json_t *all = text ? json_loads(text, 0, NULL) : NULL;

	return all ? all : json_array();
}

static void print_json(struct ctl *ctl, const struct life *life)
{
	static const struct {
		const char *name;
		enum column column;
	} texts[] = {
		{"case", NUMBER},	  {"state", STATE},	{"lead", LEAD},		{"title", TITLE},
		{"category", CATEGORY},	  {"urgency", URGENCY}, {"grid", GRID},		{"place", PLACE},
		{"channel", CHANNEL},	  {"report", REPORT},	{"rule", RULE},		{"source", ROUTE_SOURCE},
		{"config", CONFIG},	  {"policy", POLICY},	{"visibility", VISIBILITY},
		{"close_reason", CLOSE_REASON}, {"joined_into", JOINED_INTO},
	}, numbers[] = {{"leg", LEG}, {"level", LEVEL}, {"reports", REPORTS}, {"heat", HEAT}, {"returns", RETURNS}},
	  times[] = {{"received_at", RECEIVED_AT}, {"resolved_at", RESOLVED_AT}, {"closed_at", CLOSED_AT}};
	json_t *all = json_object();
	const struct pg_rows *c = &life->c;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		json_object_set_new(all, texts[i].name, ctl_json_text(pg_get(c, 0, (int)texts[i].column)));
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		json_object_set_new(all, numbers[i].name, json_integer(pg_get_int(c, 0, (int)numbers[i].column)));
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		json_object_set_new(all, times[i].name, ctl_json_time(pg_get_time(c, 0, (int)times[i].column)));
	json_object_set_new(all, "provisional", json_boolean(pg_get_bool(c, 0, PROVISIONAL)));
	json_object_set_new(all, "supports", supports_json(c));
	json_object_set_new(all, "legs", legs_json(life));
	json_object_set_new(all, "clocks", clocks_json(c, 0, DUE, MET));
	json_object_set_new(all, "history", history_json(&life->history));
	ctl_print_json(ctl, all);
	json_decref(all);
}

/* ---- text ---- */

static void line(struct ctl *ctl, const char *label, const char *value)
{
	if (!value || !*value)
		return;
	str_add(&ctl->out, "  ");
	grid_pad(&ctl->out, say(ctl, label), 12);
	grid_safe(&ctl->out, value);
	str_addc(&ctl->out, '\n');
}

static const char *human(struct ctl *ctl, int64_t at)
{
	char text[MOMENT_TEXT];

	return at == MOMENT_NONE ? NULL : arena_strdup(&ctl->arena, moment_human(at, false, text));
}

static const char *officer_name(const struct ctl *ctl, const char *dept, const char *id)
{
	const struct department *d = dept ? map_get(&ctl->settings->office.dept_by_id, dept) : NULL;

	for (size_t i = 0; d && i < d->n_officers; i++)
		if (str_equal(d->officers[i].id, id))
			return d->officers[i].name;
	return id;
}

static void print_head(struct ctl *ctl, const struct pg_rows *c)
{
	const char *rule = pg_get(c, 0, RULE), *source = pg_get(c, 0, ROUTE_SOURCE), *place = pg_get(c, 0, PLACE);
	const char *grid = pg_get(c, 0, GRID), *channel = pg_get(c, 0, CHANNEL);
	const struct channel *known = map_get(&ctl->settings->office.channel_by_id, channel);

	str_addf(&ctl->out, "%s  ", pg_get(c, 0, NUMBER));
	grid_safe(&ctl->out, pg_get(c, 0, TITLE));
	str_addf(&ctl->out, "\n%s", say(ctl, pg_get(c, 0, STATE)));
	str_addf(&ctl->out, ", %s %s", say(ctl, "lead"), ctl_dept_name(ctl, pg_get(c, 0, LEAD)));
	if (pg_get_int(c, 0, LEG) > 1)
		str_addf(&ctl->out, ", %s %" PRId64, say(ctl, "leg"), pg_get_int(c, 0, LEG));
	if (pg_get_int(c, 0, LEVEL))
		str_addf(&ctl->out, ", %s %" PRId64, say(ctl, "escalated to level"), pg_get_int(c, 0, LEVEL));
	str_add(&ctl->out, "\n\n");
	line(ctl, N_("received"), arena_printf(&ctl->arena, "%s, %s %s", human(ctl, pg_get_time(c, 0, RECEIVED_AT)),
					   known ? known->name : channel, pg_get(c, 0, REPORT)));
	line(ctl, N_("category"), pg_get(c, 0, CATEGORY));
	line(ctl, N_("urgency"), say(ctl, pg_get(c, 0, URGENCY)));
	if (place || grid)
		line(ctl, N_("place"), arena_printf(&ctl->arena, "%s%s%s", place ? place : "", place && grid ? ", " : "",
						grid ? grid : ""));
	line(ctl, N_("routed by"), rule ? arena_printf(&ctl->arena, "%s %s", say(ctl, "rule"), rule) : say(ctl, source));
	line(ctl, N_("policy"), pg_get(c, 0, POLICY));
	line(ctl, N_("joined into"), pg_get(c, 0, JOINED_INTO));
	line(ctl, N_("closed"), pg_get(c, 0, CLOSE_REASON) ? say(ctl, pg_get(c, 0, CLOSE_REASON)) : NULL);
}

static void print_supports(struct ctl *ctl, const struct pg_rows *c)
{
	json_t *all = supports_json(c), *one;
	size_t i;

	json_array_foreach(all, i, one) {
		const char *dept = json_string_value(json_object_get(one, "dept"));
		const char *task = json_string_value(json_object_get(one, "task"));
		bool done = json_is_true(json_object_get(one, "done"));

		line(ctl, i ? " " : N_("supports"),
		     arena_printf(&ctl->arena, "%s%s%s%s%s", ctl_dept_name(ctl, dept ? dept : "-"), task ? ": " : "",
				  task ? task : "", done ? ", " : "", done ? say(ctl, "done") : ""));
	}
	json_decref(all);
}

static void print_clocks(struct ctl *ctl, const struct pg_rows *c)
{
	struct grid_table table = {.columns = 4};

	for (int i = 0; i < N_CLOCKS; i++) {
		int64_t due = pg_get_time(c, 0, DUE + i), met = pg_get_time(c, 0, MET + i);
		char text[MOMENT_TEXT];

		if (due == MOMENT_NONE)
			continue;
		grid_cell(&table, arena_printf(&ctl->arena, "  %s", say(ctl, clock_names[i])));
		grid_cell(&table, arena_printf(&ctl->arena, "%s %s", say(ctl, "due"), moment_human(due, true, text)));
		grid_cell(&table, met == MOMENT_NONE ? say(ctl, "open")
						     : arena_printf(&ctl->arena, "%s %s", say(ctl, "done"),
								    human(ctl, met)));
		grid_cell(&table, met != MOMENT_NONE && met > due ? say(ctl, "late") : " ");
	}
	if (table.cells.n)
		str_addf(&ctl->out, "\n%s%s\n", say(ctl, "Clocks"),
			 pg_get_bool(c, 0, PROVISIONAL) ? say(ctl, " (provisional: a year has no calendar yet)") : "");
	grid_print(&table, &ctl->out);
	grid_done(&table);
}

static void print_history(struct ctl *ctl, const struct pg_rows *h)
{
	str_addf(&ctl->out, "\n%s\n", say(ctl, "History"));
	for (int i = 0; i < h->n; i++) {
		const char *dept = pg_get(h, i, DEPARTMENT), *by = pg_get(h, i, BY), *note = pg_get(h, i, NOTE);

		str_addf(&ctl->out, "%4s  %s  %s", pg_get(h, i, SEQ), human(ctl, pg_get_time(h, i, AT)),
			 say(ctl, pg_get(h, i, KIND)));
		if (dept)
			str_add(&ctl->out, ", ");
		grid_safe(&ctl->out, dept ? ctl_dept_name(ctl, dept) : NULL);
		if (by)
			str_add(&ctl->out, dept ? " " : ", ");
		grid_safe(&ctl->out, officer_name(ctl, dept, by));
		if (note)
			str_add(&ctl->out, ": ");
		grid_safe(&ctl->out, note ? say(ctl, note) : NULL);     /* some notes are codes: "resolve", "unrated" */
		str_addc(&ctl->out, '\n');
	}
}

static int run(struct ctl *ctl, struct err *e)
{
	CLEANUP(life_done) struct life life = {0};
	struct pg *pg = NULL;
	int r;

	if (ctl_flag(ctl, "officers"))
		return officers_show(ctl, ctl_flag(ctl, "officers"), e);
	if (!ctl->args.n_operands)
		return ctl_usage(e, "show needs a CASE, or --officers DEPT");
	if (!str_is_case_number(ctl->args.operands[0]))
		return ctl_usage(e, "%s is not a case number such as JYL261120000123", ctl->args.operands[0]);
	r = ctl_database(ctl, &pg, e);
	if (r == 0)
		r = load(ctl, pg, &life, e);
	pg_close(pg);
	if (r < 0)
		return r;
	if (ctl->json) {
		print_json(ctl, &life);
		return CTL_DONE;
	}
	print_head(ctl, &life.c);
	print_supports(ctl, &life.c);
	print_clocks(ctl, &life.c);
	print_history(ctl, &life.history);
	return CTL_DONE;
}

static const struct flag flags[] = {
	{"officers", 0, "DEPT", N_("instead of a case: what each officer of a department has in hand")},
	{0},
};

const struct verb verb_show = {
	.name = "show",
	.group = ctl_stored,
	.operands = "CASE",
	.flags = flags,
	.help = N_("Tell the life of one case: what, who, by when, and everything that happened."),
	.detail = N_("Title and place are masked as departments see them.\n"),
	.max_operands = 1,
	.run = run,
};
