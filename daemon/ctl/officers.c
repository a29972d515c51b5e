/*
 * Who of a department has what in hand: an open case is its officer's who last did something with it there.
 */
#include "ctl/officers.h"

#include <inttypes.h>

#include "core/time/moment.h"
#include "ctl/ctl.h"
#include "settings/snapshot.h"
#include "store/pg.h"

static const struct query Q_LOAD = {"ctl_officers",
	"WITH n AS (SELECT coalesce((SELECT now_at FROM needle.sim_clock WHERE tenant = $1), now()) AS now), "
	"t AS (SELECT now, (date_trunc('day', now AT TIME ZONE 'Asia/Shanghai') + interval '1 day') AT TIME ZONE 'Asia/Shanghai' "
	"AS day_end FROM n) "
	"SELECT w.by, count(*), count(*) FILTER (WHERE w.due_resolve < t.now), "
	"count(*) FILTER (WHERE w.due_resolve >= t.now AND w.due_resolve < t.day_end), needle.micros(min(w.due_resolve)) "
	"FROM t, (SELECT q.due_resolve, h.by FROM needle.queue q LEFT JOIN LATERAL "
	"(SELECT h.by FROM needle.history h WHERE h.tenant = q.tenant AND h.number = q.number AND h.department = q.department "
	"AND h.by IS NOT NULL ORDER BY h.seq DESC LIMIT 1) h ON true WHERE q.tenant = $1 AND q.department = $2) w "
	"GROUP BY w.by"};
enum column { BY, OPEN, OVERDUE, TODAY, NEXT_DUE };

struct load {
	const char *id, *name;          /* id NULL: nobody yet */
	int64_t open, overdue, today, next_due;
	bool leader;
};

static int ask(struct ctl *ctl, struct pg *pg, const char *dept, struct pg_rows *ret, struct err *e)
{
	struct pg_args args = {0};

	pg_text(&args, ctl->settings->office.tenant);
	pg_text(&args, dept);
	return pg_run(pg, &Q_LOAD, &args, ret, e);
}

static void fill(struct load *l, const struct pg_rows *rows)
{
	for (int i = 0; i < rows->n; i++)
		if (str_equal(pg_get(rows, i, BY), l->id)) {
			l->open = pg_get_int(rows, i, OPEN);
			l->overdue = pg_get_int(rows, i, OVERDUE);
			l->today = pg_get_int(rows, i, TODAY);
			l->next_due = pg_get_time(rows, i, NEXT_DUE);
		}
}

static bool is_listed(const struct load *v, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (str_equal(v[i].id, id))
			return true;
	return false;
}

/* The officers of the folder first, in its order, then who else acted, then what nobody has taken. */
static struct load *loads(struct ctl *ctl, const struct department *d, const struct pg_rows *rows, size_t *ret_n)
{
	struct load *all = arena_alloc(&ctl->arena, (d->n_officers + (size_t)rows->n + 1) * sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < d->n_officers; i++)
		all[n++] = (struct load){.id = d->officers[i].id, .name = d->officers[i].name,
					 .leader = str_equal(d->officers[i].id, d->leader)};
	for (int i = 0; i < rows->n; i++) {
		const char *by = pg_get(rows, i, BY);

		if (by && !is_listed(all, n, by))
			all[n++] = (struct load){.id = arena_strdup(&ctl->arena, by), .name = arena_strdup(&ctl->arena, by)};
	}
	all[n++] = (struct load){.name = say(ctl, N_("nobody yet"))};
	for (size_t i = 0; i < n; i++) {
		all[i].next_due = MOMENT_NONE;
		fill(&all[i], rows);
	}
	*ret_n = n;
	return all;
}

static void print_json(struct ctl *ctl, const struct department *d, const struct load *all, size_t n)
{
	json_t *list = json_array(), *whole;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:o,s:s,s:b,s:I,s:I,s:I,s:o}", "officer", ctl_json_text(all[i].id), "name",
			all[i].name, "leader", all[i].leader, "open", (json_int_t)all[i].open, "overdue",
			(json_int_t)all[i].overdue, "due_today", (json_int_t)all[i].today, "next_due",
			ctl_json_time(all[i].next_due)));
	whole = json_pack("{s:s,s:o}", "department", d->id, "officers", list);
	ctl_print_json(ctl, whole);
	json_decref(whole);
}

static void print_text(struct ctl *ctl, const struct department *d, const struct load *all, size_t n)
{
	struct grid_table table = {.columns = 5};

	str_addf(&ctl->out, "%s\n", d->name);
	for (size_t i = 0; i < n; i++) {
		char due[MOMENT_TEXT];

		grid_cell(&table, arena_printf(&ctl->arena, "  %s%s", all[i].name, all[i].leader ? say(ctl, N_(" (leader)")) : ""));
		grid_cell(&table, arena_printf(&ctl->arena, "%" PRId64 " %s", all[i].open, say(ctl, "open")));
		grid_cell(&table, arena_printf(&ctl->arena, "%" PRId64 " %s", all[i].overdue, say(ctl, "overdue")));
		grid_cell(&table, arena_printf(&ctl->arena, "%" PRId64 " %s", all[i].today, say(ctl, N_("due today"))));
		grid_cell(&table, all[i].next_due == MOMENT_NONE ? " "
				: arena_printf(&ctl->arena, "%s %s", say(ctl, N_("next due")), moment_human(all[i].next_due, true, due)));
	}
	grid_print(&table, &ctl->out);
	grid_done(&table);
}

int officers_show(struct ctl *ctl, const char *dept, struct err *e)
{
	CLEANUP(pg_rows_done) struct pg_rows rows = {0};
	const struct department *d;
	struct load *all;
	struct pg *pg = NULL;
	size_t n;
	int r = ctl_database(ctl, &pg, e);

	if (r < 0)
		return r;
	d = map_get(&ctl->settings->office.dept_by_id, dept);
	r = d ? ask(ctl, pg, dept, &rows, e) : err_set(e, ERR_BAD, "there is no department %s", dept);
	pg_close(pg);
	if (r < 0)
		return r;
	all = loads(ctl, d, &rows, &n);
	if (ctl->json)
		print_json(ctl, d, all, n);
	else
		print_text(ctl, d, all, n);
	return CTL_DONE;
}
