#include "store/outbox.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "core/time/moment.h"

static const struct query scan = {
	"outbox_scan",
	"SELECT o.number, o.seq, o.target, o.topic, o.payload, o.card, q.card FROM outbox o"
	" LEFT JOIN queue q ON o.card AND q.tenant = o.tenant AND q.department = o.target AND q.number = o.number"
	" WHERE o.tenant = $1::text AND o.created_at <= now() - $2::int8 * interval '1 microsecond'"
	" AND (o.number, o.seq, o.target) > ($3::text, $4::int8::int4, $5::text)"
	" ORDER BY o.number, o.seq, o.target LIMIT $6::int8"};
/* The table is empty whenever it is analyzed, and full of dead rows: a plain join would be planned as a scan
 * of it for the batch, or for each row of the batch. This form leaves nothing to choose; rows are never updated,
 * so that their places hold. */
static const struct query drop = {
	"outbox_delete",
	"DELETE FROM outbox WHERE ctid = ANY(ARRAY(SELECT o.ctid"
	" FROM unnest($2::text[], $3::int8[], $4::text[]) u(number, seq, target), LATERAL (SELECT ctid FROM outbox o"
	" WHERE o.tenant = $1::text AND o.number = u.number AND o.seq = u.seq::int4 AND o.target = u.target OFFSET 0) o))"};
static const struct query count_rows = {"outbox_count", "SELECT count(*) FROM outbox WHERE tenant = $1::text"};
static const struct query cards = {
	"queue_cards",
	"SELECT u.i, q.card FROM unnest($2::text[], $3::text[]) WITH ORDINALITY u(department, number, i)"
	" JOIN queue q ON q.tenant = $1::text AND q.department = u.department AND q.number = u.number"};
static const struct query page = {
	"queue_page", "SELECT department, number, card FROM queue WHERE tenant = $1::text"
		      " AND (department, number) > ($2::text, $3::text) ORDER BY department, number LIMIT $4::int8"};
/* What departments and the wall are told is counted in one pass over the rows, which are long for their cards. */
static const struct query summary = {
	"queue_summary",
	"SELECT u.i, s.* FROM unnest($2::text[], $3::text[]) WITH ORDINALITY u(department, after, i),"
	" LATERAL (WITH q AS MATERIALIZED (SELECT number, state, due_resolve, role <> 'support' AS leads FROM queue"
	" WHERE tenant = $1::text AND department = u.department AND number > u.after ORDER BY number LIMIT $6::int8)"
	" SELECT count(*), max(number), count(*) FILTER (WHERE state IN ('assigned', 'triage')),"
	" count(*) FILTER (WHERE due_resolve > $4::timestamptz AND due_resolve <= $5::timestamptz),"
	" count(*) FILTER (WHERE due_resolve <= $4::timestamptz), count(*) FILTER (WHERE leads),"
	" count(*) FILTER (WHERE leads AND due_resolve > $4::timestamptz AND due_resolve <= $5::timestamptz),"
	" count(*) FILTER (WHERE leads AND due_resolve <= $4::timestamptz),"
	" count(*) FILTER (WHERE leads AND state = 'suspended'), count(*) FILTER (WHERE leads AND state = 'triage'),"
	" (SELECT string_agg(number || ' ' || micros(due_resolve), ' ') FROM (SELECT number, due_resolve FROM q"
	" WHERE leads AND due_resolve <= $4::timestamptz ORDER BY due_resolve, number LIMIT $7::int8) l) FROM q) s"};
static const struct query due = {
	"timers_due", "SELECT number, due_at FROM timer WHERE tenant = $1::text AND due_at <= $2::timestamptz"
		      " ORDER BY due_at LIMIT $3::int8"};
static const struct query next = {
	"timers_next", "SELECT micros(due_at) FROM timer WHERE tenant = $1::text ORDER BY due_at LIMIT 1"};
/* By its own small index: of a million open cases hardly one is in doubt. */
static const struct query provisional = {
	"provisional", "SELECT number FROM cases WHERE tenant = $1::text AND basis IS NOT NULL AND number > $2::text"
		       " AND state NOT IN ('closed', 'joined') ORDER BY number LIMIT $3::int8"};
static const struct query sim_load = {
	"sim_clock", "SELECT micros(greatest((SELECT now_at FROM sim_clock WHERE tenant = $1::text),"
		     " (SELECT max(received_at) FROM report WHERE tenant = $1::text),"
		     " (SELECT max(at) FROM dead_letter WHERE tenant = $1::text)))"};
static const struct query sim_save = {
	"sim_clock_save", "INSERT INTO sim_clock VALUES ($1::text, $2::timestamptz)"
			  " ON CONFLICT (tenant) DO UPDATE SET now_at = greatest(sim_clock.now_at, excluded.now_at)"
			  " RETURNING micros(now_at)"};
static const struct query probe_passed = {
	"probe_passed", "SELECT 1 FROM broker_probe WHERE tenant = $1::text AND broker = $2::text"
			" AND passed_at > now() - interval '1 day'"};
static const struct query note_probe = {
	"note_probe", "INSERT INTO broker_probe VALUES ($1::text, $2::text, now())"
		      " ON CONFLICT (tenant, broker) DO UPDATE SET passed_at = excluded.passed_at"};
/* Two keys: Needle's own class, then the tenant; other users of advisory locks stay out of the way. */
static const struct query lock = {
	"try_lock", "SELECT pg_try_advisory_lock(19521, hashtext('needle/' || $1::text))"};

static const char *text_at(const struct pg_rows *rows, int row, int column, struct arena *a)
{
	const char *s = pg_get(rows, row, column);

	return s ? arena_strdup(a, s) : NULL;
}

int outbox_scan(struct pg *pg, const char *tenant, int64_t age_us, struct outbox_mark *mark, size_t max,
		struct arena *a, struct outbox_row **ret, size_t *ret_n, struct err *e)
{
	const struct outbox_row *last;
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r;

	pg_text(&args, tenant);
	pg_int(&args, age_us);
	pg_text(&args, mark->number);
	pg_int(&args, mark->seq);
	pg_text(&args, mark->target);
	pg_int(&args, (int64_t)max);
	r = pg_run(pg, &scan, &args, &rows, e);
	if (r < 0)
		return r;
	*ret_n = (size_t)rows.n;
	*ret = arena_alloc(a, (size_t)rows.n * sizeof(**ret));
	for (int i = 0; i < rows.n; i++)
		(*ret)[i] = (struct outbox_row){
			.number = text_at(&rows, i, 0, a), .seq = (int)pg_get_int(&rows, i, 1),
			.target = text_at(&rows, i, 2, a), .topic = text_at(&rows, i, 3, a),
			.payload = text_at(&rows, i, 4, a), .card = pg_get_bool(&rows, i, 5),
			.card_json = text_at(&rows, i, 6, a)};
	last = rows.n ? &(*ret)[rows.n - 1] : NULL;
	if (last) {
		snprintf(mark->number, sizeof(mark->number), "%s", last->number);
		snprintf(mark->target, sizeof(mark->target), "%s", last->target);
		mark->seq = last->seq;
	}
	pg_rows_done(&rows);
	return 0;
}

int outbox_delete(struct pg *pg, const char *tenant, const char *const *numbers, const int64_t *seqs,
		  const char *const *targets, size_t n, struct err *e)
{
	struct pg_args args = {0};

	pg_text(&args, tenant);
	pg_texts(&args, numbers, n);
	pg_ints(&args, seqs, n);
	pg_texts(&args, targets, n);
	return pg_run(pg, &drop, &args, NULL, e);
}

/* A query of the tenant alone that gives one number. */
static int one_number(struct pg *pg, const struct query *q, const char *tenant, int64_t none, int64_t *ret,
		      struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r;

	pg_text(&args, tenant);
	r = pg_run(pg, q, &args, &rows, e);
	if (r < 0)
		return r;
	*ret = rows.n && pg_get(&rows, 0, 0) ? pg_get_int(&rows, 0, 0) : none;
	pg_rows_done(&rows);
	return 0;
}

int outbox_count(struct pg *pg, const char *tenant, int64_t *ret, struct err *e)
{
	return one_number(pg, &count_rows, tenant, 0, ret, e);
}

int queue_cards(struct pg *pg, const char *tenant, const char *const *depts, const char *const *numbers, size_t n,
		struct arena *a, const char **ret, struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r;

	memset(ret, 0, n * sizeof(*ret));
	pg_text(&args, tenant);
	pg_texts(&args, depts, n);
	pg_texts(&args, numbers, n);
	r = pg_run(pg, &cards, &args, &rows, e);
	if (r < 0)
		return r;
	for (int i = 0; i < rows.n; i++)
		ret[pg_get_int(&rows, i, 0) - 1] = text_at(&rows, i, 1, a);
	pg_rows_done(&rows);
	return 0;
}

int queue_page(struct pg *pg, const char *tenant, const char *after_dept, const char *after_number, size_t max,
	       struct arena *a, struct queue_card **ret, size_t *ret_n, struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r;

	pg_text(&args, tenant);
	pg_text(&args, after_dept);
	pg_text(&args, after_number);
	pg_int(&args, (int64_t)max);
	r = pg_run(pg, &page, &args, &rows, e);
	if (r < 0)
		return r;
	*ret_n = (size_t)rows.n;
	*ret = arena_alloc(a, (size_t)rows.n * sizeof(**ret));
	for (int i = 0; i < rows.n; i++)
		(*ret)[i] = (struct queue_card){text_at(&rows, i, 0, a), text_at(&rows, i, 1, a),
						text_at(&rows, i, 2, a)};
	pg_rows_done(&rows);
	return 0;
}

static bool is_later(const struct late *a, const struct late *b)
{
	return a->due > b->due || (a->due == b->due && strcmp(a->number, b->number) > 0);
}

void summary_late(struct summary *s, const struct late *one, size_t max)
{
	size_t at;

	if (!max || (s->n_late == max && is_later(one, &s->late[max - 1])))
		return;
	if (!s->late)
		s->late = mem_alloc(LATE_MAX * sizeof(*s->late));
	for (at = s->n_late < max ? s->n_late++ : max - 1; at && is_later(&s->late[at - 1], one); at--)
		s->late[at] = s->late[at - 1];
	s->late[at] = *one;
}

static void add_late(struct summary *s, const char *list, size_t max)
{
	struct late one = {.dept = NULL};
	long long us;
	int read;

	for (; list && sscanf(list, "%39s %lld%n", one.number, &us, &read) == 2; list += read) {
		one.due = us;
		summary_late(s, &one, max);
	}
}

static void add_slice(struct summary *s, const struct pg_rows *rows, int row, const struct summary_question *q)
{
	int64_t *const to[] = {&s->to_accept, &s->due_today, &s->overdue, &s->leads, &s->leads_due_today, &s->leads_overdue,
			       &s->leads_suspended, &s->leads_triage};
	int64_t n = pg_get_int(rows, row, 1);
	const char *last = pg_get(rows, row, 2);

	s->in_progress += n - pg_get_int(rows, row, 3);
	s->total += n;
	for (int i = 0; i < 8; i++)
		*to[i] += pg_get_int(rows, row, 3 + i);
	add_late(s, pg_get(rows, row, 11), q->n_late);
	s->whole = n < (int64_t)q->max;
	if (last)
		snprintf(s->after, sizeof(s->after), "%s", last);
}

int queue_summary(struct pg *pg, const char *tenant, struct summary *inout, size_t n, const struct summary_question *q,
		  struct arena *a, struct err *e)
{
	const char **depts = arena_alloc(a, n * sizeof(*depts)), **after = arena_alloc(a, n * sizeof(*after));
	struct summary **who = arena_alloc(a, n * sizeof(struct summary *));
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	size_t left = 0;
	int r;

	for (size_t i = 0; i < n; i++)
		if (!inout[i].whole) {
			who[left] = &inout[i];
			depts[left] = inout[i].dept;
			after[left++] = inout[i].after;
		}
	pg_text(&args, tenant);
	pg_texts(&args, depts, left);
	pg_texts(&args, after, left);
	pg_time(&args, q->now);
	pg_time(&args, q->end_of_day);
	pg_int(&args, (int64_t)q->max);
	pg_int(&args, (int64_t)q->n_late);
	r = pg_run(pg, &summary, &args, &rows, e);
	if (r < 0)
		return r;
	for (int i = 0; i < rows.n; i++)
		add_slice(who[pg_get_int(&rows, i, 0) - 1], &rows, i, q);
	pg_rows_done(&rows);
	return 0;
}

/* A query whose rows are one text each; the arguments are used up. */
static int many_texts(struct pg *pg, const struct query *q, struct pg_args *args, struct arena *a, const char ***ret,
		      size_t *ret_n, struct err *e)
{
	struct pg_rows rows = {0};
	int r = pg_run(pg, q, args, &rows, e);

	if (r < 0)
		return r;
	*ret_n = (size_t)rows.n;
	*ret = arena_alloc(a, (size_t)rows.n * sizeof(**ret));
	for (int i = 0; i < rows.n; i++)
		(*ret)[i] = text_at(&rows, i, 0, a);
	pg_rows_done(&rows);
	return 0;
}

int timers_due(struct pg *pg, const char *tenant, int64_t until, size_t max, struct arena *a, struct due_case **ret,
	       size_t *ret_n, struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r;

	pg_text(&args, tenant);
	pg_time(&args, until);
	pg_int(&args, (int64_t)max);
	r = pg_run_binary(pg, &due, &args, &rows, e);
	if (r < 0)
		return r;
	*ret_n = (size_t)rows.n;
	*ret = arena_alloc(a, *ret_n * sizeof(**ret));
	for (int i = 0; i < rows.n; i++)
		(*ret)[i] = (struct due_case){text_at(&rows, i, 0, a), pg_get_time(&rows, i, 1)};
	pg_rows_done(&rows);
	return 0;
}

int store_provisional(struct pg *pg, const char *tenant, const char *after, size_t max, struct arena *a,
		      const char ***ret, size_t *ret_n, struct err *e)
{
	struct pg_args args = {0};

	pg_text(&args, tenant);
	pg_text(&args, after);
	pg_int(&args, (int64_t)max);
	return many_texts(pg, &provisional, &args, a, ret, ret_n, e);
}

int timers_next(struct pg *pg, const char *tenant, int64_t *ret, struct err *e)
{
	return one_number(pg, &next, tenant, MOMENT_NONE, ret, e);
}

int store_sim_clock(struct pg *pg, const char *tenant, int64_t *now_inout, struct err *e)
{
	int64_t stored;
	int r = one_number(pg, &sim_load, tenant, MOMENT_NONE, &stored, e);

	if (r == 0 && stored > *now_inout)
		*now_inout = stored;
	return r;
}

int store_sim_clock_save(struct pg *pg, const char *tenant, int64_t *now_inout, struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r;

	pg_text(&args, tenant);
	pg_time(&args, *now_inout);
	r = pg_run(pg, &sim_save, &args, &rows, e);
	if (r < 0)
		return r;
	*now_inout = pg_get_int(&rows, 0, 0);
	pg_rows_done(&rows);
	return 0;
}

void store_sim_clock_pipe(struct pg *pg, const char *tenant, int64_t now)
{
	struct pg_args args = {0};

	pg_text(&args, tenant);
	pg_time(&args, now);
	pg_pipe(pg, &sim_save, &args, NULL);
}

int store_probe_passed(struct pg *pg, const char *tenant, const char *broker, bool *ret, struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r;

	pg_text(&args, tenant);
	pg_text(&args, broker);
	r = pg_run(pg, &probe_passed, &args, &rows, e);
	if (r < 0)
		return r;
	*ret = rows.n > 0;
	pg_rows_done(&rows);
	return 0;
}

int store_note_probe(struct pg *pg, const char *tenant, const char *broker, struct err *e)
{
	struct pg_args args = {0};

	pg_text(&args, tenant);
	pg_text(&args, broker);
	return pg_run(pg, &note_probe, &args, NULL, e);
}

int store_try_lock(struct pg *pg, const char *tenant, struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	bool held;
	int r;

	pg_text(&args, tenant);
	r = pg_run(pg, &lock, &args, &rows, e);
	if (r < 0)
		return r;
	held = pg_get_bool(&rows, 0, 0);
	pg_rows_done(&rows);
	return held ? 0 : LOCK_TAKEN;
}
