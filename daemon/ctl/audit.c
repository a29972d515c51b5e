/*
 * Who asked for a full record, when, and why: what `get` leaves behind. Newest first. The reason is as the
 * officer gave it, names and numbers in it masked like in any note.
 */
#include "ctl/ctl.h"

#include "core/time/moment.h"
#include "settings/snapshot.h"
#include "store/pg.h"

enum { MANY = 200, MOST = 100000 };

static const struct query Q_AUDIT = {"ctl_audit",
	"SELECT needle.micros(a.at), a.department, a.by, a.number, a.note, a.result->>'result', c.visibility, a.result->>'request' "
	"FROM needle.command a LEFT JOIN needle.cases c ON c.tenant = a.tenant AND c.number = a.number "
	"WHERE a.tenant = $1 AND a.action = 'get' AND ($2::text IS NULL OR a.number = $2) "
	"AND ($3::text IS NULL OR a.by = $3) AND ($4::text IS NULL OR a.department = $4) "
	"AND ($5::timestamptz IS NULL OR a.at >= $5) ORDER BY a.at DESC, a.request LIMIT $6"};
enum column { AT, DEPARTMENT, BY, NUMBER, NOTE, RESULT, VISIBILITY, REQUEST };

static void print_json(struct ctl *ctl, const struct pg_rows *rows)
{
	static const struct {
		const char *name;
		enum column column;
	} texts[] = {{"department", DEPARTMENT}, {"by", BY}, {"case", NUMBER}, {"note", NOTE}, {"result", RESULT},
		     {"visibility", VISIBILITY}, {"request", REQUEST}};
	json_t *items = json_array(), *all;

	for (int i = 0; i < rows->n; i++) {
		json_t *item = json_pack("{s:o}", "at", ctl_json_time(pg_get_time(rows, i, AT)));

		for (size_t k = 0; k < ARRAY_LEN(texts); k++)
			json_object_set_new(item, texts[k].name, ctl_json_text(pg_get(rows, i, (int)texts[k].column)));
		json_array_append_new(items, item);
	}
	all = json_pack("{s:o}", "items", items);
	ctl_print_json(ctl, all);
	json_decref(all);
}

static void print_text(struct ctl *ctl, const struct pg_rows *rows)
{
	struct grid_table table = {.columns = 6};

	if (!rows->n)
		str_addf(&ctl->out, "%s\n", say(ctl, N_("nobody has asked for a record")));
	for (int i = 0; i < rows->n; i++) {
		char at[MOMENT_TEXT];
		const char *result = pg_get(rows, i, RESULT);

		grid_cell(&table, arena_strdup(&ctl->arena, moment_human(pg_get_time(rows, i, AT), false, at)));
		grid_cell(&table, ctl_dept_name(ctl, pg_get(rows, i, DEPARTMENT)));
		grid_cell(&table, pg_get(rows, i, BY) ? pg_get(rows, i, BY) : "-");
		grid_cell(&table, pg_get(rows, i, NUMBER));
		grid_cell(&table, say(ctl, result));
		grid_cell(&table, pg_get(rows, i, NOTE) ? pg_get(rows, i, NOTE) : say(ctl, N_("no reason given")));
	}
	grid_print(&table, &ctl->out);
	grid_done(&table);
}

static int load(struct ctl *ctl, struct pg *pg, struct pg_rows *ret, struct err *e)
{
	struct pg_args args = {0};
	int64_t since, limit;
	int r = ctl_time(ctl, "since", MOMENT_NONE, &since, e);

	if (r == 0)
		r = ctl_number(ctl, "limit", 1, MOST, MANY, &limit, e);
	if (r < 0)
		return r;
	pg_text(&args, ctl->settings->office.tenant);
	pg_text(&args, ctl->args.n_operands ? ctl->args.operands[0] : NULL);
	pg_text(&args, ctl_flag(ctl, "by"));
	pg_text(&args, ctl_flag(ctl, "dept"));
	pg_time(&args, since);
	pg_int(&args, limit);
	return pg_run(pg, &Q_AUDIT, &args, ret, e);
}

static int run(struct ctl *ctl, struct err *e)
{
	CLEANUP(pg_rows_done) struct pg_rows rows = {0};
	struct pg *pg = NULL;
	int r;

	if (ctl->args.n_operands && !str_is_case_number(ctl->args.operands[0]))
		return ctl_usage(e, "%s is not a case number such as JYL261120000123", ctl->args.operands[0]);
	r = ctl_database(ctl, &pg, e);
	if (r == 0)
		r = load(ctl, pg, &rows, e);
	pg_close(pg);
	if (r < 0)
		return r;
	if (ctl->json)
		print_json(ctl, &rows);
	else
		print_text(ctl, &rows);
	return CTL_DONE;
}

static const struct flag flags[] = {
	{"by", 0, "OFFICER", N_("only what this officer asked for")},
	{"dept", 0, "DEPT", N_("only what this department asked for")},
	{"since", 0, "TIME", N_("only from then on")},
	{"limit", 0, "N", N_("at most so many, the newest (200)")},
	{0},
};

const struct verb verb_audit = {
	.name = "audit",
	.group = ctl_stored,
	.operands = "[CASE]",
	.help = N_("Tell who asked for full records with get, when, and why; newest first."),
	.detail = N_("Refused requests are listed too. The reason is the note that the officer gave.\n"),
	.flags = flags,
	.max_operands = 1,
	.run = run,
};
