#include "store/cases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "core/time/moment.h"
#include "store/lists.h"

/*
 * Locked one after the other in the order of their numbers, each looked for from its number on: a table that was small when
 * this was planned must not be read whole for each batch, or for each case of it.
 */
static const struct query load = {
	"cases_load",
	"SELECT c.number, c.channel, c.source, c.report, c.state, c.lead, c.supports, c.errands, c.joined, c.told, c.seq, c.category, c.grid,"
	" c.urgency, c.title, c.place, c.visibility, c.horizon, c.rule, c.route_source, c.config, c.policy, c.leg,"
	" c.leg_at, c.level, c.due_accept, c.due_contact, c.due_resolve,"
	" c.due_feedback, c.met_accept, c.met_contact, c.met_resolve,"
	" c.met_feedback, c.provisional, c.fired, c.basis, c.reports, c.returns, c.heat, c.urges, c.urge_day,"
	" c.dissatisfied, c.received_at, c.resolved_at, c.closed_at, c.close_reason,"
	" c.joined_into, c.urged, c.due_whole, r.reply_to, r.device IS NOT NULL AND r.reply_to IS NULL,"
	" CASE WHEN c.visibility = 'open' THEN p.address END, c.accused, c.person, c.score, c.cells,"
	" p.name, CASE WHEN c.joined IS NOT NULL THEN (SELECT json_agg(q.name)"
	" FROM json_to_recordset(c.joined) j(channel text, report text)"
	" JOIN person q ON q.tenant = c.tenant AND q.channel = j.channel AND q.id = j.report WHERE q.name IS NOT NULL) END"
	" FROM (SELECT DISTINCT n.number COLLATE \"C\" AS number FROM unnest($2::text[]) n(number) ORDER BY 1) u"
	" CROSS JOIN LATERAL (SELECT * FROM cases x WHERE x.tenant = $1::text AND x.number >= u.number"
	" ORDER BY x.number LIMIT 1 FOR UPDATE) c"
	" LEFT JOIN LATERAL (SELECT x.reply_to, x.device FROM report x WHERE x.tenant = c.tenant AND x.channel = c.channel"
	" AND x.id = c.report OFFSET 0) r ON true"
	" LEFT JOIN LATERAL (SELECT x.name, x.address FROM person x WHERE x.tenant = c.tenant AND x.channel = c.channel"
	" AND x.id = c.report OFFSET 0) p ON true"
	" WHERE c.number = u.number"};

static const struct query record = {
	"cases_record",
	"SELECT r.text, r.media, CASE WHEN $5::text = 'open' THEN r.extra ELSE r.shown END, micros(r.at), p.name, p.phone, p.ref, p.address, p.accused, p.crs, p.secret,"
	" p.lat, p.lon, r.category, r.grid, r.urgency, r.device,"
	" (SELECT json_agg(json_build_object('seq', h.seq, 'at', to_char(h.at, 'YYYY-MM-DD\"T\"HH24:MI:SSOF:00'),"
	" 'kind', h.kind, 'by', h.by, 'department', h.department, 'note', h.note) ORDER BY h.seq)"
	" FROM history h WHERE h.tenant = $1::text AND h.number = $2::text)"
	" FROM report r LEFT JOIN person p USING (tenant, channel, id)"
	" WHERE r.tenant = $1::text AND r.channel = $3::text AND r.id = $4::text"};

/* Reads one row left to right, so that the order of the columns stands in one place. */
struct cursor {
	const struct pg_rows *rows;
	int row, column;
	struct arena *a;
};

/* As the row has it, until the rows are done. */
static const char *next_raw(struct cursor *at)
{
	return pg_get(at->rows, at->row, at->column++);
}

static const char *next_text(struct cursor *at)
{
	const char *s = next_raw(at);

	return s ? arena_strdup(at->a, s) : NULL;
}

static int next_int(struct cursor *at)
{
	return (int)pg_get_int(at->rows, at->row, at->column++);
}

static int64_t next_time(struct cursor *at)
{
	return pg_get_time(at->rows, at->row, at->column++);
}

static int next_name(struct cursor *at, const char *const *names, size_t n)
{
	int i = name_index(names, n, pg_get(at->rows, at->row, at->column++));

	return i < 0 ? 0 : i;
}

static void read_leg(struct cursor *at, struct leg *leg)
{
	leg->policy = next_text(at);
	leg->n = next_int(at);
	leg->started_at = next_time(at);
	leg->level = next_int(at);
	for (int k = 0; k < N_CLOCKS; k++)
		leg->due[k] = next_time(at);
	for (int k = 0; k < N_CLOCKS; k++)
		leg->met[k] = next_time(at);
	leg->provisional = pg_get_bool(at->rows, at->row, at->column++);
}

static struct case_record *read_case(const struct pg_rows *rows, int row, struct arena *a)
{
	struct case_record *c = arena_alloc(a, sizeof(*c));
	struct cursor at = {rows, row, 0, a};
	const char *first;

	c->number = next_text(&at);
	c->channel = next_text(&at);
	c->source = next_text(&at);
	c->report = next_text(&at);
	c->state = (enum case_state)next_name(&at, case_state_names, N_CASE_STATE);
	c->lead = next_text(&at);
	lists_read_supports(next_raw(&at), c, a);
	lists_read_errands(next_raw(&at), c, a);
	lists_read_joined(next_raw(&at), c, a);
	lists_read_told(next_raw(&at), c, a);
	c->seq = next_int(&at);
	c->category = next_text(&at);
	c->grid = next_text(&at);
	c->urgency = (enum urgency)next_name(&at, urgency_names, N_URGENCY);
	c->title = next_text(&at);
	c->place = next_text(&at);
	c->visibility = (enum visibility)next_name(&at, visibility_names, N_VISIBILITY);
	c->horizon = next_text(&at);
	c->rule = next_text(&at);
	c->route_source = next_text(&at);
	c->config = next_text(&at);
	read_leg(&at, &c->leg);
	lists_read_fired(next_raw(&at), c, a);
	lists_read_basis(next_raw(&at), c, a);
	c->reports = next_int(&at);
	c->returns = next_int(&at);
	c->heat = next_int(&at);
	c->urges = next_int(&at);
	c->urge_day = next_int(&at);
	c->dissatisfied = next_int(&at);
	c->received_at = next_time(&at);
	c->resolved_at = next_time(&at);
	c->closed_at = next_time(&at);
	c->close_reason = next_text(&at);
	c->joined_into = next_text(&at);
	c->urged = next_int(&at);
	c->whole_due = next_time(&at);
	c->reply_to = next_text(&at);
	c->from_device = pg_get_bool(rows, row, at.column++);
	c->address = next_text(&at);
	c->accused = next_text(&at);
	c->person = next_text(&at);
	c->score = next_int(&at);
	c->cells = next_text(&at);
	first = next_text(&at);
	lists_read_names(first, next_raw(&at), c, a);
	return c;
}

int cases_load(struct pg *pg, const char *tenant, const char *const *numbers, size_t n, struct arena *a,
	       struct case_record ***ret, size_t *ret_n, struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r;

	pg_text(&args, tenant);
	pg_texts(&args, numbers, n);
	r = pg_run_binary(pg, &load, &args, &rows, e);
	if (r < 0)
		return r;
	*ret = arena_alloc(a, (size_t)rows.n * sizeof(**ret));
	for (int i = 0; i < rows.n; i++)
		(*ret)[i] = read_case(&rows, i, a);
	*ret_n = (size_t)rows.n;
	pg_rows_done(&rows);
	return 0;
}

static double next_double(struct cursor *at)
{
	return pg_get_double(at->rows, at->row, at->column++);
}

int cases_record(struct pg *pg, const char *tenant, const struct case_record *c, struct arena *a,
		 struct record *ret, struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	struct cursor at = {&rows, 0, 0, a};
	int r;

	pg_text(&args, tenant);
	pg_text(&args, c->number);
	pg_text(&args, c->channel);
	pg_text(&args, c->report);
	pg_text(&args, visibility_names[c->visibility]);
	r = pg_run(pg, &record, &args, &rows, e);
	if (r < 0)
		return r;
	memset(ret, 0, sizeof(*ret));
	r = rows.n ? 0 : RECORD_NONE;
	if (rows.n) {
		ret->whole.text = next_text(&at);
		ret->whole.media = next_text(&at);
		ret->whole.extra = next_text(&at);
		ret->whole.at = next_time(&at);
		ret->personal.name = next_text(&at);
		ret->personal.phone = next_text(&at);
		ret->personal.ref = next_text(&at);
		ret->personal.address = next_text(&at);
		ret->personal.accused = next_text(&at);
		ret->personal.crs = next_text(&at);
		ret->personal.secret = pg_get_bool(&rows, 0, at.column++);
		ret->personal.lat = next_double(&at);
		ret->personal.lon = next_double(&at);
		ret->category = next_text(&at);
		ret->grid = next_text(&at);
		ret->urgency = next_text(&at);
		ret->device = next_text(&at);
		ret->whole.history = next_text(&at);
	}
	pg_rows_done(&rows);
	return r;
}
