/*
 * One case from its first word to its last, for a person on the phone: what it is, who has it, by
 * when, and what happened, one line each. Nothing personal: the masked title and place, as departments
 * see them; `do CASE get` is the way to the full record.
 */
#include "ctl/ctl.h"
#include "ctl/sentence.h"

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
	"policy, visibility, close_reason, joined_into, supports, errands, leg, level, reports, heat, returns, provisional, "
	"needle.micros(received_at), needle.micros(resolved_at), needle.micros(closed_at), needle.micros(leg_at), "
	"needle.micros(due_whole), "
	CLOCK_COLUMNS "FROM needle.cases WHERE tenant = $1 AND number = $2"};
enum column { NUMBER, STATE, LEAD, TITLE, CATEGORY, URGENCY, GRID, PLACE, CHANNEL, REPORT, RULE, ROUTE_SOURCE, CONFIG,
	      POLICY, VISIBILITY, CLOSE_REASON, JOINED_INTO, SUPPORTS, ERRANDS, LEG, LEVEL, REPORTS, HEAT, RETURNS, PROVISIONAL,
	      RECEIVED_AT, RESOLVED_AT, CLOSED_AT, LEG_AT, DUE_WHOLE, DUE, MET = DUE + N_CLOCKS };

static const struct query Q_LEGS = {"ctl_legs",
	"SELECT leg, department, policy, level, needle.micros(started_at), needle.micros(ended_at), "
	CLOCK_COLUMNS "FROM needle.leg WHERE tenant = $1 AND number = $2 ORDER BY leg"};
enum leg_column { LEG_N, LEG_DEPARTMENT, LEG_POLICY, LEG_LEVEL, LEG_STARTED, LEG_ENDED, LEG_DUE,
		  LEG_MET = LEG_DUE + N_CLOCKS };

static const struct query Q_HISTORY = {"ctl_history",
	"SELECT seq, needle.micros(at), kind, by, department, note, "
	/* Two kinds of which the detail says what they were. */
	"CASE WHEN kind = 'support_done' AND detail ->> 'lifted' = 'true' THEN 'lifted' WHEN kind = 'consulted' AND detail ->> 'outcome' IS NOT NULL THEN 'outcome' ELSE kind END "
	"FROM needle.v_history "
	"WHERE tenant = $1 AND number = $2 ORDER BY seq"};
enum history_column { SEQ, AT, KIND, BY, DEPARTMENT, NOTE, SAID };

static const struct query Q_LATE = {"ctl_late",
	"SELECT leg, late, needle.micros(due), needle.micros(met), department FROM needle.v_late "
	"WHERE tenant = $1 AND number = $2 ORDER BY leg, late"};
enum late_column { LATE_LEG, LATE_KIND, LATE_DUE, LATE_MET, LATE_DEPARTMENT };

struct life {
	struct pg_rows c, legs, history, late;
};

static void life_done(struct life *life)
{
	pg_rows_done(&life->c);
	pg_rows_done(&life->legs);
	pg_rows_done(&life->history);
	pg_rows_done(&life->late);
}

static int load(struct ctl *ctl, struct pg *pg, struct life *life, struct err *e)
{
	const struct {
		const struct query *q;
		struct pg_rows *rows;
	} all[] = {{&Q_CASE, &life->c}, {&Q_LEGS, &life->legs}, {&Q_HISTORY, &life->history}, {&Q_LATE, &life->late}};

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

static json_t *list_json(const struct pg_rows *c, enum column column)
{
	const char *text = pg_get(c, 0, (int)column);
	json_t *all = text ? json_loads(text, 0, NULL) : NULL;

	return all ? all : json_array();
}

static json_t *late_json(const struct pg_rows *late)
{
	json_t *all = json_array();

	for (int i = 0; i < late->n; i++)
		json_array_append_new(all, json_pack("{s:o,s:I,s:o,s:o,s:o}", "kind", ctl_json_text(pg_get(late, i, LATE_KIND)),
			"leg", (json_int_t)pg_get_int(late, i, LATE_LEG), "department",
			ctl_json_text(pg_get(late, i, LATE_DEPARTMENT)), "due", ctl_json_time(pg_get_time(late, i, LATE_DUE)),
			"met", ctl_json_time(pg_get_time(late, i, LATE_MET))));
	return all;
}

static int64_t errand_time(const json_t *errand, const char *name)
{
	const json_t *at = json_object_get(errand, name);

	return json_is_integer(at) ? json_integer_value(at) : MOMENT_NONE;
}

/* What is, or in this leg was, asked of one body by another: leave, orders and what else has a limit of its own. */
static json_t *errands_json(const struct pg_rows *c)
{
	json_t *rows = list_json(c, ERRANDS), *all = json_array(), *one;
	size_t i;

	json_array_foreach(rows, i, one)
		json_array_append_new(all, json_pack("{s:O?,s:O?,s:O?,s:O?,s:O?,s:O?,s:o,s:o,s:o,s:O?}", "kind",
			json_object_get(one, "kind"), "seq", json_object_get(one, "seq"), "from", json_object_get(one, "from"),
			"to", json_object_get(one, "to"), "text", json_object_get(one, "text"), "request",
			json_object_get(one, "request"), "at", ctl_json_time(errand_time(one, "at")), "until",
			ctl_json_time(errand_time(one, "until")), "due", ctl_json_time(errand_time(one, "due")), "done",
			json_object_get(one, "done")));
	json_decref(rows);
	return all;
}

static json_t *supports_json(const struct pg_rows *c)
{
	static const char *const times[] = {"due", "reported_at"};
	json_t *all = list_json(c, SUPPORTS), *one;
	size_t i;

	json_array_foreach(all, i, one)
		for (size_t k = 0; k < ARRAY_LEN(times); k++)
			json_object_set_new(one, times[k], ctl_json_time(errand_time(one, times[k])));
	return all;
}

/* Of who was called by a whistle: whether it came. */
static const char *came(struct ctl *ctl, const json_t *support)
{
	const char *at = json_string_value(json_object_get(support, "reported_at"));
	int64_t moment;
	char text[MOMENT_TEXT];

	if (!json_is_true(json_object_get(support, "called")))
		return "";
	if (!at || !moment_parse(at, &moment))
		return arena_printf(&ctl->arena, ", %s", say(ctl, "called, has not come yet"));
	return arena_printf(&ctl->arena, ", %s %s", say(ctl, "reported in"), moment_human(moment, false, text));
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
	  times[] = {{"due_whole", DUE_WHOLE}, {"received_at", RECEIVED_AT}, {"resolved_at", RESOLVED_AT}, {"closed_at", CLOSED_AT}};
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
	json_object_set_new(all, "errands", errands_json(c));
	json_object_set_new(all, "late", late_json(&life->late));
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

static void print_head(struct ctl *ctl, const struct pg_rows *c)
{
	char text[MOMENT_TEXT];
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
	if (pg_get_time(c, 0, DUE_WHOLE) != MOMENT_NONE)
		line(ctl, N_("whole limit"), moment_human(pg_get_time(c, 0, DUE_WHOLE), true, text));
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
		     arena_printf(&ctl->arena, "%s%s%s%s%s%s", ctl_dept_name(ctl, dept ? dept : "-"), task ? ": " : "",
				  task ? task : "", came(ctl, one), done ? ", " : "", done ? say(ctl, "done") : ""));
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

static void print_late(struct ctl *ctl, const struct pg_rows *late)
{
	static const struct {
		const char *kind, *words;
	} kinds[] = {
		{"accepted", N_("accepted late")}, {"contacted", N_("contacted late")}, {"open", N_("open past its limit")},
		{"closed", N_("closed late")}, {"fed_back", N_("fed back late")},
	};

	for (int i = 0; i < late->n; i++)
		for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
			if (str_equal(kinds[k].kind, pg_get(late, i, LATE_KIND)))
				line(ctl, i ? " " : N_("late"),
				     arena_printf(&ctl->arena, "%s %s, %s: %s", say(ctl, "leg"), pg_get(late, i, LATE_LEG),
						  ctl_dept_name(ctl, pg_get(late, i, LATE_DEPARTMENT)), say(ctl, kinds[k].words)));
}

static void print_legs(struct ctl *ctl, const struct pg_rows *l)
{
	for (int i = 0; i < l->n; i++)
		line(ctl, i ? " " : N_("legs before"),
		     arena_printf(&ctl->arena, "%s: %s, %s – %s", pg_get(l, i, LEG_N), ctl_dept_name(ctl, pg_get(l, i, LEG_DEPARTMENT)),
				  human(ctl, pg_get_time(l, i, LEG_STARTED)), human(ctl, pg_get_time(l, i, LEG_ENDED))));
}

static const char *errand_words(const char *kind)
{
	static const struct {
		const char *kind, *words;
	} all[] = {
		{"extend", N_("more time")}, {"suspend", N_("a pause")}, {"pause", N_("suspended")},
		{"order", N_("supervision order")}, {"consult", N_("joint diagnosis")}, {"step", N_("next step")},
		{"triage", N_("to be handed out")},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (str_equal(all[i].kind, kind))
			return all[i].words;
	return kind;
}

static void print_errand(struct ctl *ctl, const json_t *one)
{
	const char *from = json_string_value(json_object_get(one, "from")), *to = json_string_value(json_object_get(one, "to"));
	const char *text = json_string_value(json_object_get(one, "text"));
	int64_t until = errand_time(one, "until"), due = errand_time(one, "due");
	char at[MOMENT_TEXT];

	str_addf(&ctl->out, "%4d  %s", (int)json_integer_value(json_object_get(one, "seq")),
		 say(ctl, errand_words(json_string_value(json_object_get(one, "kind")))));
	str_addf(&ctl->out, ", %s → %s", from ? ctl_dept_name(ctl, from) : "-", to ? ctl_dept_name(ctl, to) : "-");
	if (until != MOMENT_NONE)
		str_addf(&ctl->out, ", %s %s", say(ctl, N_("until")), moment_human(until, true, at));
	if (due != MOMENT_NONE)
		str_addf(&ctl->out, ", %s %s", say(ctl, "due"), moment_human(due, true, at));
	str_addf(&ctl->out, ", %s", say(ctl, json_is_true(json_object_get(one, "done")) ? "done" : "open"));
	str_add(&ctl->out, text ? _(": ") : "");
	grid_safe(&ctl->out, text);
	str_addc(&ctl->out, '\n');
}

static void print_errands(struct ctl *ctl, const struct pg_rows *c)
{
	json_t *all = list_json(c, ERRANDS), *one;
	size_t i;

	if (json_array_size(all))
		str_addf(&ctl->out, "\n%s\n", say(ctl, N_("Asked and ordered")));
	json_array_foreach(all, i, one)
		print_errand(ctl, one);
	json_decref(all);
}

static void print_history(struct ctl *ctl, const struct pg_rows *h)
{
	str_addf(&ctl->out, "\n%s\n", say(ctl, "History"));
	for (int i = 0; i < h->n; i++) {
		str_addf(&ctl->out, "%4s  %s  ", pg_get(h, i, SEQ), human(ctl, pg_get_time(h, i, AT)));
		sentence_add(ctl, &ctl->out, pg_get(h, i, SAID), pg_get(h, i, DEPARTMENT), pg_get(h, i, BY), pg_get(h, i, NOTE));
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
	print_legs(ctl, &life.legs);
	print_late(ctl, &life.late);
	print_clocks(ctl, &life.c);
	print_errands(ctl, &life.c);
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
