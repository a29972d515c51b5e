/*
 * Two round trips a batch: BEGIN + claim, then everything else + COMMIT. The claim comes first because
 * a report whose id is known must leave no other row behind, and only the unique key can say so.
 */
#include "store/save.h"

#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/device/device.h"
#include "core/life/same.h"
#include "core/office.h"
#include "core/statistics/facts.h"
#include "store/points.h"
#include "core/time/moment.h"
#include "store/lists.h"
#include "store/outbox.h"

/* Rows as the tables want them: the case's number beside what the core made. */
struct case_row {
	struct case_record c;
	const char *supports, *errands, *joined, *told, *fired, *basis;
	int64_t facts;
	const char *rated, *officer;
	const struct case_row *was;
};
struct history_put {
	const char *number;
	struct history_row h;
};
struct outbox_put {
	const char *number;
	struct event_row ev;
};
struct queue_put {
	const char *number, *state;
	int64_t due_resolve;
	struct queue_row q;
};
struct timer_put {
	const char *number;
	int64_t due_at;
};
struct matter_put {
	const char *number, *square, *area;
	int64_t numbers;
};
struct matter_drop {
	const char *cell, *number;
};
struct leg_put {
	const char *number;
	struct leg_row leg;
};

#define AT(row, member, column, kind) {.name = column, .type = COLUMN_##kind, .offset = offsetof(struct row, member)}
#define NAMED(row, member, column, words)                                                                                  \
	{.name = column, .type = COLUMN_NAME, .offset = offsetof(struct row, member), .names = words}
#define MERGED(row, member, column, kind, with)                                                                            \
	{.name = column, .type = COLUMN_##kind, .offset = offsetof(struct row, member), .merge = with}
#define MADE(row, member, column, kind, of)                                                                                \
	{.name = column, .type = COLUMN_##kind, .offset = offsetof(struct row, member), .put = of}
#define USUAL(row, member, column, kind, value)                                                                            \
	{.name = column, .type = COLUMN_##kind, .offset = offsetof(struct row, member), .often = true, .usual = value}

static const struct column report_columns[] = {
	AT(report_row, channel, "channel", TEXT), AT(report_row, id, "id", TEXT),
	AT(report_row, number, "number", TEXT), NAMED(report_row, kind, "kind", report_kind_names),
	AT(report_row, source, "source", TEXT), AT(report_row, at, "at", TIME),
	AT(report_row, received_at, "received_at", TIME), AT(report_row, text, "text", TEXT),
	AT(report_row, category, "category", TEXT), AT(report_row, grid, "grid", TEXT),
	AT(report_row, urgency, "urgency", TEXT), AT(report_row, device, "device", TEXT),
	AT(report_row, media, "media", JSON), AT(report_row, reply_to, "reply_to", JSON),
	AT(report_row, extra, "extra", JSON), AT(report_row, shown, "shown", JSON), AT(report_row, digest, "digest", DIGEST),
};
static const struct column person_columns[] = {
	AT(person_row, channel, "channel", TEXT), AT(person_row, id, "id", TEXT),
	AT(person_row, name, "name", TEXT), AT(person_row, phone, "phone", TEXT),
	AT(person_row, ref, "ref", TEXT), AT(person_row, address, "address", TEXT),
	AT(person_row, lat, "lat", DOUBLE), AT(person_row, lon, "lon", DOUBLE),
	AT(person_row, crs, "crs", TEXT), AT(person_row, accused, "accused", TEXT),
	USUAL(person_row, secret, "secret", BOOL, false),
};
static const struct column case_columns[] = {
	AT(case_row, c.number, "number", TEXT), AT(case_row, c.channel, "channel", TEXT),
	AT(case_row, c.source, "source", TEXT), AT(case_row, c.report, "report", TEXT),
	NAMED(case_row, c.state, "state", case_state_names), AT(case_row, c.lead, "lead", TEXT),
	AT(case_row, supports, "supports", JSON), AT(case_row, errands, "errands", JSON),
	AT(case_row, joined, "joined", JSON), AT(case_row, told, "told", JSON),
	AT(case_row, c.seq, "seq", INT), AT(case_row, c.category, "category", TEXT),
	AT(case_row, c.grid, "grid", TEXT), NAMED(case_row, c.urgency, "urgency", urgency_names),
	AT(case_row, c.title, "title", TEXT), AT(case_row, c.place, "place", TEXT),
	NAMED(case_row, c.visibility, "visibility", visibility_names), AT(case_row, c.horizon, "horizon", TEXT),
	AT(case_row, c.rule, "rule", TEXT), AT(case_row, c.route_source, "route_source", TEXT),
	AT(case_row, c.config, "config", TEXT), AT(case_row, c.leg.policy, "policy", TEXT),
	USUAL(case_row, c.leg.n, "leg", INT, 1), AT(case_row, c.leg.started_at, "leg_at", TIME),
	USUAL(case_row, c.leg.level, "level", INT, 0),
	AT(case_row, c.leg.due[CLOCK_ACCEPT], "due_accept", TIME),
	AT(case_row, c.leg.due[CLOCK_CONTACT], "due_contact", TIME),
	AT(case_row, c.leg.due[CLOCK_RESOLVE], "due_resolve", TIME),
	AT(case_row, c.leg.due[CLOCK_FEEDBACK], "due_feedback", TIME),
	AT(case_row, c.leg.met[CLOCK_ACCEPT], "met_accept", TIME),
	AT(case_row, c.leg.met[CLOCK_CONTACT], "met_contact", TIME),
	AT(case_row, c.leg.met[CLOCK_RESOLVE], "met_resolve", TIME),
	AT(case_row, c.leg.met[CLOCK_FEEDBACK], "met_feedback", TIME),
	USUAL(case_row, c.leg.provisional, "provisional", BOOL, false), AT(case_row, fired, "fired", JSON),
	AT(case_row, basis, "basis", JSON),
	USUAL(case_row, c.reports, "reports", INT, 1), USUAL(case_row, c.returns, "returns", INT, 0),
	USUAL(case_row, c.heat, "heat", INT, 0), USUAL(case_row, c.urges, "urges", INT, 0),
	USUAL(case_row, c.urge_day, "urge_day", INT, 0), USUAL(case_row, c.dissatisfied, "dissatisfied", INT, 0),
	AT(case_row, c.received_at, "received_at", TIME), AT(case_row, c.resolved_at, "resolved_at", TIME),
	AT(case_row, c.closed_at, "closed_at", TIME), AT(case_row, c.close_reason, "close_reason", TEXT),
	AT(case_row, c.joined_into, "joined_into", TEXT), AT(case_row, c.accused, "accused", TEXT),
	AT(case_row, c.person, "person", TEXT), USUAL(case_row, c.score, "score", INT, -1),
	AT(case_row, c.cells, "cells", TEXT),
	USUAL(case_row, c.urged, "urged", INT, 0),
	AT(case_row, c.whole_due, "due_whole", TIME),
	/* What has happened once stays (FACTS_LASTING), and so does what this step says nothing of. */
	MERGED(case_row, facts, "facts", INT64, "(t.facts & (-1::int8 << 22)) | u.facts"),
	MERGED(case_row, rated, "rated", TEXT, "coalesce(u.rated, t.rated)"),
	MERGED(case_row, officer, "officer", TEXT, "coalesce(u.officer, t.officer)"),
};
static const struct column leg_columns[] = {
	AT(leg_put, number, "number", TEXT), AT(leg_put, leg.leg.n, "leg", INT),
	AT(leg_put, leg.department, "department", TEXT), AT(leg_put, leg.leg.policy, "policy", TEXT),
	AT(leg_put, leg.leg.started_at, "started_at", TIME), AT(leg_put, leg.ended_at, "ended_at", TIME),
	AT(leg_put, leg.leg.due[CLOCK_ACCEPT], "due_accept", TIME),
	AT(leg_put, leg.leg.due[CLOCK_CONTACT], "due_contact", TIME),
	AT(leg_put, leg.leg.due[CLOCK_RESOLVE], "due_resolve", TIME),
	AT(leg_put, leg.leg.due[CLOCK_FEEDBACK], "due_feedback", TIME),
	AT(leg_put, leg.leg.met[CLOCK_ACCEPT], "met_accept", TIME),
	AT(leg_put, leg.leg.met[CLOCK_CONTACT], "met_contact", TIME),
	AT(leg_put, leg.leg.met[CLOCK_RESOLVE], "met_resolve", TIME),
	AT(leg_put, leg.leg.met[CLOCK_FEEDBACK], "met_feedback", TIME),
	AT(leg_put, leg.leg.level, "level", INT),
};
static const struct column history_columns[] = {
	AT(history_put, number, "number", TEXT), AT(history_put, h.seq, "seq", INT),
	AT(history_put, h.at, "at", TIME), AT(history_put, h.kind, "kind", TEXT),
	AT(history_put, h.department, "department", TEXT), AT(history_put, h.by, "by", TEXT),
	AT(history_put, h.note, "note", TEXT), AT(history_put, h.detail, "detail", JSON),
};
static const struct column outbox_columns[] = {
	AT(outbox_put, number, "number", TEXT), AT(outbox_put, ev.seq, "seq", INT),
	AT(outbox_put, ev.target, "target", TEXT), AT(outbox_put, ev.topic, "topic", TEXT),
	AT(outbox_put, ev.payload, "payload", TEXT), AT(outbox_put, ev.card, "card", BOOL),
};
static const struct column queue_columns[] = {
	AT(queue_put, q.department, "department", TEXT), AT(queue_put, number, "number", TEXT),
	AT(queue_put, q.role, "role", TEXT), AT(queue_put, state, "state", TEXT),
	AT(queue_put, due_resolve, "due_resolve", TIME), AT(queue_put, q.card, "card", TEXT),
};
static const struct column timer_columns[] = {
	AT(timer_put, number, "number", TEXT), AT(timer_put, due_at, "due_at", TIME),
};
static const struct column matter_columns[] = {
	AT(matter_put, number, "number", TEXT), AT(matter_put, numbers, "numbers", INT64),
	MADE(matter_put, square, "square", TEXT, "hashtextextended(u.square, 0)"),
	MADE(matter_put, area, "area", TEXT, "hashtextextended(u.area, 0)"),
};
static const struct column closed_columns[] = {
	AT(timer_put, number, "number", TEXT), AT(timer_put, due_at, "at", TIME),
};
static const struct column moved_columns[] = {
	AT(report_row, channel, "channel", TEXT), AT(report_row, id, "id", TEXT), AT(report_row, number, "number", TEXT),
};
static const struct column command_columns[] = {
	AT(command_row, department, "department", TEXT), AT(command_row, request, "request", TEXT),
	AT(command_row, number, "number", TEXT), AT(command_row, action, "action", TEXT),
	AT(command_row, by, "by", TEXT), AT(command_row, note, "note", TEXT),
	AT(command_row, at, "at", TIME), AT(command_row, result, "result", JSON),
};
static const struct column dead_columns[] = {
	AT(dead_row, id, "id", INT64), AT(dead_row, at, "at", TIME), AT(dead_row, channel, "channel", TEXT),
	AT(dead_row, topic, "topic", TEXT), AT(dead_row, topic_raw, "topic_raw", BLOB),
	AT(dead_row, code, "code", TEXT), AT(dead_row, reason, "reason", TEXT),
	AT(dead_row, payload, "payload", BLOB),
};

static const struct column device_columns[] = {
	AT(device_state, device, "device", TEXT), AT(device_state, alarm, "alarm", TEXT),
	AT(device_state, kind, "kind", TEXT), AT(device_state, channel, "channel", TEXT),
	AT(device_state, source, "source", TEXT), NAMED(device_state, phase, "phase", device_phase_names),
	AT(device_state, since, "since", TIME), AT(device_state, said_at, "said_at", TIME),
	AT(device_state, alarm_at, "alarm_at", TIME), AT(device_state, seen_at, "seen_at", TIME),
	AT(device_state, changed_at, "changed_at", TIME), AT(device_state, changes_since, "changes_since", TIME),
	AT(device_state, changes, "changes", INT), AT(device_state, flapping, "flapping", BOOL),
	AT(device_state, repeats, "repeats", INT), AT(device_state, number, "number", TEXT),
	AT(device_state, cause, "cause", TEXT), AT(device_state, report, "report", JSON),
	AT(device_state, wake_at, "wake_at", TIME),
};
static const struct column cause_columns[] = {
	AT(cause_state, cause, "cause", TEXT), AT(cause_state, number, "number", TEXT),
	AT(cause_state, last_at, "last_at", TIME), AT(cause_state, devices, "devices", INT),
	AT(cause_state, active, "active", INT),
};
static const struct column device_timer_columns[] = {
	AT(device_timer_row, device, "device", TEXT), AT(device_timer_row, due_at, "due_at", TIME),
};

#define COLUMNS(c) .columns = c, .n_columns = sizeof(c) / sizeof((c)[0])
static struct table tables[N_SAVE_TABLE] = {
	[SAVE_REPORT] = {"report", COLUMNS(report_columns),
			 .then = " ON CONFLICT DO NOTHING RETURNING channel, id"},
	[SAVE_PERSON] = {"person", COLUMNS(person_columns), .then = ""},
	/* Of a device's report, which may have been claimed before. */
	[SAVE_PERSON_PUT] = {"person", COLUMNS(person_columns), .then = " ON CONFLICT DO NOTHING"},
	[SAVE_CASE_NEW] = {"cases", COLUMNS(case_columns), .then = ""},
	[SAVE_CASE_OLD] = {"cases", COLUMNS(case_columns), .then = "", .n_keys = 1, .update = true, .locked = true,
			   .was = offsetof(struct case_row, was)},
	[SAVE_LEG] = {"leg", COLUMNS(leg_columns), .then = ""},
	[SAVE_HISTORY] = {"history", COLUMNS(history_columns), .then = ""},
	[SAVE_OUTBOX] = {"outbox", COLUMNS(outbox_columns), .then = ""},
	/* Of a new case: nothing can be there, and looking for it costs as much as the insert. */
	[SAVE_QUEUE_NEW] = {"queue", COLUMNS(queue_columns), .then = ""},
	[SAVE_TIMER_NEW] = {"timer", COLUMNS(timer_columns), .then = ""},
	[SAVE_QUEUE_PUT] = {"queue", COLUMNS(queue_columns),
			    .then = " ON CONFLICT (tenant, department, number) DO UPDATE SET role = excluded.role,"
				    " state = excluded.state, due_resolve = excluded.due_resolve, card = excluded.card"},
	[SAVE_TIMER_PUT] = {"timer", COLUMNS(timer_columns),
			    .then = " ON CONFLICT (tenant, number) DO UPDATE SET due_at = excluded.due_at"},
	[SAVE_COMMAND] = {"command", COLUMNS(command_columns), .then = ""},
	/* A record that was read again, by a message that may have been stored before. */
	[SAVE_COMMAND_AGAIN] = {"command", COLUMNS(command_columns), .then = " ON CONFLICT DO NOTHING"},
	[SAVE_MATTER_PUT] = {"matter", COLUMNS(matter_columns), .then = ""},
	[SAVE_CLOSED] = {"closed", COLUMNS(closed_columns), .then = " ON CONFLICT DO NOTHING"},
	[SAVE_REPORT_MOVED] = {"report", COLUMNS(moved_columns), .then = "", .n_keys = 2, .update = true},
	[SAVE_DEAD] = {"dead_letter", COLUMNS(dead_columns), .then = " ON CONFLICT DO NOTHING"},
	/* What a device said, once it is known which case it belongs to; claimed before, or never. */
	[SAVE_REPORT_MADE] = {"needle.report", COLUMNS(report_columns),
			      .then = " ON CONFLICT (tenant, channel, id) DO UPDATE SET number = excluded.number,"
				      " kind = excluded.kind WHERE report.number IS NULL"},
	[SAVE_DEVICE] = {"device", COLUMNS(device_columns),
			 .then = " ON CONFLICT (tenant, device, alarm) DO UPDATE SET (kind, channel, source, phase, since, said_at,"
				 " alarm_at, seen_at, changed_at, changes_since, changes, flapping, repeats, number, cause,"
				 " report, wake_at) = (excluded.kind, excluded.channel, excluded.source, excluded.phase,"
				 " excluded.since, excluded.said_at, excluded.alarm_at, excluded.seen_at,"
				 " excluded.changed_at, excluded.changes_since, excluded.changes, excluded.flapping,"
				 " excluded.repeats, excluded.number, excluded.cause, excluded.report, excluded.wake_at)"},
	[SAVE_CAUSE] = {"device_cause", COLUMNS(cause_columns), .then = "", .n_keys = 1, .update = true},
	[SAVE_DEVICE_TIMER] = {"device_timer", COLUMNS(device_timer_columns),
			       .then = " ON CONFLICT (tenant, device) DO UPDATE SET due_at = excluded.due_at"},
};
static const struct query queue_drop = {
	"drop_queue", "DELETE FROM queue q USING unnest($2::text[], $3::text[]) u(department, number)"
		      " WHERE q.tenant = $1::text AND q.department = u.department AND q.number = u.number"};
/* By their places, as cases are updated (rows.c). One that another daemon has moved meanwhile stays, and wakes in vain. */
static const struct query timer_drop = {
	"drop_timer", "DELETE FROM timer WHERE ctid = ANY(ARRAY(SELECT k.place FROM unnest($2::text[]) u(number), LATERAL"
		      " (SELECT x.ctid AS place, x.number FROM timer x WHERE x.tenant = $1::text AND x.number >= u.number"
		      " ORDER BY x.number LIMIT 1) k WHERE k.number = u.number))"};
/* The place that a report is about turned out to be another: what measured the old one goes with it. */
static const struct query address_put = {
	"put_address", "INSERT INTO person (tenant, channel, id, address)"
		       " SELECT $1::text, u.channel, u.id, u.address"
		       " FROM unnest($2::text[], $3::text[], $4::text[]) u(channel, id, address)"
		       " ON CONFLICT (tenant, channel, id) DO UPDATE SET address = excluded.address, lat = NULL, lon = NULL"};
static const struct query device_timer_drop = {
	"drop_device_timer", "DELETE FROM device_timer WHERE tenant = $1::text AND device = ANY($2::text[])"};
#define DROP_MATTER(column)                                                                                                \
	"DELETE FROM matter WHERE ctid = ANY(ARRAY(SELECT m.ctid FROM unnest($2::text[], $3::text[]) u(cell, number)"      \
	" CROSS JOIN LATERAL (SELECT x.ctid FROM matter x WHERE x.tenant = $1::text AND x.number = u.number"               \
	" AND x." column " = hashtextextended(u.cell, 0) OFFSET 0) m))"
static const struct query square_drop = {"drop_square", DROP_MATTER("square")}, area_drop = {"drop_area", DROP_MATTER("area")};
static const struct query begin = {"begin", "BEGIN"}, commit = {"commit", "COMMIT"};

void save_init_tables(void)
{
	for (int i = 0; i < N_SAVE_TABLE; i++)
		if (tables[i].name)
			table_init(&tables[i]);
}

const struct query *save_query(enum save_table table)
{
	if (table == SAVE_QUEUE_DROP)
		return &queue_drop;
	if (table == SAVE_ADDRESS)
		return &address_put;
	if (table == SAVE_DEVICE_TIMER_DROP)
		return &device_timer_drop;
	if (table == SAVE_SQUARE_DROP)
		return &square_drop;
	if (table == SAVE_AREA_DROP)
		return &area_drop;
	return table == SAVE_TIMER_DROP ? &timer_drop : &tables[table].query;
}

void save_init(struct save *s, const struct office *office, struct arena *a)
{
	*s = (struct save){.tenant = office->tenant, .office = office, .a = a};
}

void save_row(struct save *s, enum save_table table, const void *row)
{
	ALIST_PUSH(s->a, &s->rows[table], row);
}

/* ---- what happened to a case ------------------------------------------------------------------ */
static void add_queue(struct case_change *change, const struct queue_row *row, struct arena *a)
{
	for (size_t i = 0; i < change->queue.n; i++)
		if (strcmp(change->queue.v[i].department, row->department) == 0) {
			change->queue.v[i] = *row;
			return;
		}
	ALIST_PUSH(a, &change->queue, *row);
}

const struct case_record *case_change_was(const struct case_record *c, struct arena *a)
{
	struct case_record *was = arena_alloc(a, sizeof(*was));

	*was = *c;
	return was;
}

void case_change_add(struct case_change *change, const struct effects *fx, struct arena *a)
{
	for (size_t i = 0; i < fx->history.n; i++)
		ALIST_PUSH(a, &change->history, fx->history.v[i]);
	for (size_t i = 0; i < fx->events.n; i++)
		ALIST_PUSH(a, &change->events, fx->events.v[i]);
	for (size_t i = 0; i < fx->queue.n; i++)
		add_queue(change, &fx->queue.v[i], a);
	for (size_t i = 0; i < fx->legs.n; i++)
		ALIST_PUSH(a, &change->legs, fx->legs.v[i]);
	if (fx->address)
		change->address = fx->address;
	change->wake_at = fx->wake_at;
	change->touched = true;
}

#define ROW(type, ...) ({ struct type *row_ = arena_alloc(s->a, sizeof(*row_)); *row_ = (struct type){__VA_ARGS__}; row_; })

static void save_queue(struct save *s, const struct case_change *change)
{
	for (size_t i = 0; i < change->queue.n; i++) {
		const struct queue_row *q = &change->queue.v[i];
		enum save_table put = change->fresh ? SAVE_QUEUE_NEW : SAVE_QUEUE_PUT;

		save_row(s, q->present ? put : SAVE_QUEUE_DROP,
			 ROW(queue_put, change->c->number, case_state_names[change->c->state],
			     /* Nobody is late with what is suspended. */
			     change->c->state == STATE_SUSPENDED ? MOMENT_NONE : change->c->leg.due[CLOCK_RESOLVE], *q));
	}
}

/* An open case can be met again as the same matter; one that was resolved is another matter when it comes back. */
static void save_matter(struct save *s, const struct case_change *change)
{
	struct case_record *c = change->c;
	bool open = c->state != STATE_RESOLVED && c->state != STATE_CLOSED && c->state != STATE_JOINED;

	if (!open && c->cells) {
		/* Up to schema 6 a case had a row a cell, and a line for each. */
		for (const char *at = c->cells; *at && !change->fresh; at += strcspn(at, "\n"), at += *at == '\n') {
			const char *cell = arena_strndup(s->a, at, strcspn(at, "\n"));

			save_row(s, matter_is_square(cell) ? SAVE_SQUARE_DROP : SAVE_AREA_DROP, ROW(matter_drop, cell, c->number));
		}
		c->cells = NULL;
	}
	if (open && change->n_cells) {
		struct matter_put *put = ROW(matter_put, c->number, .numbers = (int64_t)change->matter->numbers);

		for (size_t i = 0; i < change->n_cells; i++)
			*(matter_is_square(change->cells[i]) ? &put->square : &put->area) = change->cells[i];
		save_row(s, SAVE_MATTER_PUT, put);
	}
	if (c->closed_at != MOMENT_NONE && !open)
		save_row(s, SAVE_CLOSED, ROW(timer_put, c->number, c->closed_at));
}

/* The row as the table has it. Lists are written anew, but where there were none. */
static const struct case_row *stored_row(struct save *s, const struct case_record *was)
{
	const char *some;

	if (!was)
		return NULL;
	some = was->supports.n || was->errands.n || was->joined.n || was->leg.fired.n ? "" : NULL;
	return ROW(case_row, .c = *was, .supports = some, .errands = some, .joined = some, .fired = some,
		   .basis = lists_basis(was, s->a));
}

void save_change(struct save *s, const struct case_change *change)
{
	const struct step_trace trace = {change->history.v, change->history.n, change->legs.v, change->legs.n};
	struct case_record *c = change->c;
	int64_t facts;

	_Static_assert(FACT_OVERDUE == 22, "the database keeps the bits from here on");
	if (!change->touched)
		return;
	facts = facts_of(c, &trace);
	save_matter(s, change);
	save_row(s, change->fresh ? SAVE_CASE_NEW : SAVE_CASE_OLD,
		 ROW(case_row, *c, lists_supports(c, s->a), lists_errands(c, s->a), lists_joined(c, s->a),
		     lists_told(c, s->a), fault_broken("forget-fired") ? "[]" : lists_fired(c, s->a),
		     lists_basis(c, s->a), facts,
		     facts_score(&trace), facts_officer(&trace), change->fresh ? NULL : stored_row(s, change->was)));
	for (size_t i = 0; i < change->history.n; i++)
		save_row(s, SAVE_HISTORY, ROW(history_put, c->number, change->history.v[i]));
	points_save(s, change, facts);
	for (size_t i = 0; i < change->events.n; i++) {
		struct outbox_put *put = ROW(outbox_put, c->number, change->events.v[i]);

		if (!put->ev.topic)
			put->ev.topic = "";
		save_row(s, SAVE_OUTBOX, put);
	}
	for (size_t i = 0; i < change->legs.n; i++)
		save_row(s, SAVE_LEG, ROW(leg_put, c->number, change->legs.v[i]));
	save_queue(s, change);
	if (change->address)
		save_row(s, SAVE_ADDRESS, change);
	if (change->wake_at != MOMENT_NONE)
		save_row(s, change->fresh ? SAVE_TIMER_NEW : SAVE_TIMER_PUT, ROW(timer_put, c->number, change->wake_at));
	else if (!change->fresh)
		save_row(s, SAVE_TIMER_DROP, ROW(timer_put, c->number, MOMENT_NONE));
}

/* ---- the transaction -------------------------------------------------------------------------- */
static void pipe_table(struct pg *pg, struct save *s, enum save_table table, struct pg_rows *ret)
{
	const struct rows *rows = &s->rows[table];
	struct pg_args args = {0};

	table_args(&tables[table], s->tenant, rows->v, rows->n, s->a, &args);
	pg_pipe(pg, &tables[table].query, &args, ret);
}

/* Deletes rows that have two names, or one: what each is called is at these places of the row. */
static void pipe_drop(struct pg *pg, struct save *s, enum save_table table, size_t first, size_t second)
{
	const struct rows *rows = &s->rows[table];
	const char **names = arena_alloc(s->a, rows->n * sizeof(*names));
	const char **others = arena_alloc(s->a, rows->n * sizeof(*others));
	struct pg_args args = {0};

	if (!rows->n)
		return;
	for (size_t i = 0; i < rows->n; i++) {
		names[i] = *(const char *const *)(const void *)((const char *)rows->v[i] + first);
		others[i] = *(const char *const *)(const void *)((const char *)rows->v[i] + second);
	}
	pg_text(&args, s->tenant);
	pg_texts(&args, names, rows->n);
	if (first != second)
		pg_texts(&args, others, rows->n);
	pg_pipe(pg, save_query(table), &args, NULL);
}

static void pipe_drops(struct pg *pg, struct save *s)
{
	pipe_drop(pg, s, SAVE_QUEUE_DROP, offsetof(struct queue_put, q.department), offsetof(struct queue_put, number));
	pipe_drop(pg, s, SAVE_TIMER_DROP, offsetof(struct timer_put, number), offsetof(struct timer_put, number));
	pipe_drop(pg, s, SAVE_SQUARE_DROP, offsetof(struct matter_drop, cell), offsetof(struct matter_drop, number));
	pipe_drop(pg, s, SAVE_AREA_DROP, offsetof(struct matter_drop, cell), offsetof(struct matter_drop, number));
}

static void pipe_addresses(struct pg *pg, struct save *s)
{
	const struct rows *rows = &s->rows[SAVE_ADDRESS];
	const char **channels = arena_alloc(s->a, rows->n * sizeof(*channels));
	const char **ids = arena_alloc(s->a, rows->n * sizeof(*ids));
	const char **addresses = arena_alloc(s->a, rows->n * sizeof(*addresses));
	struct pg_args args = {0};

	if (!rows->n)
		return;
	for (size_t i = 0; i < rows->n; i++) {
		const struct case_change *change = rows->v[i];

		channels[i] = change->c->channel;
		ids[i] = change->c->report;
		addresses[i] = change->address;
	}
	pg_text(&args, s->tenant);
	pg_texts(&args, channels, rows->n);
	pg_texts(&args, ids, rows->n);
	pg_texts(&args, addresses, rows->n);
	pg_pipe(pg, &address_put, &args, NULL);
}

static void pipe_device_timers(struct pg *pg, struct save *s)
{
	const struct rows *drop = &s->rows[SAVE_DEVICE_TIMER_DROP];
	struct pg_args args = {0};

	if (!drop->n)
		return;
	pg_text(&args, s->tenant);
	pg_texts(&args, (const char *const *)(const void *)drop->v, drop->n);
	pg_pipe(pg, &device_timer_drop, &args, NULL);
}

static bool is_row(const struct pg_rows *claimed, int at, const struct report_row *r)
{
	return strcmp(pg_get(claimed, at, 1), r->id) == 0 && strcmp(pg_get(claimed, at, 0), r->channel) == 0;
}

/* The new ids come back in the order of the rows, with holes where an id was known; SQL does not
 * promise the order, so a row that is not where it should be is looked for. */
static void mark_new(const struct rows *rows, const struct pg_rows *claimed, bool *ret_new)
{
	int at = 0;

	for (size_t i = 0; i < rows->n; i++) {
		ret_new[i] = at < claimed->n && is_row(claimed, at, rows->v[i]);
		at += ret_new[i];
	}
	if (at == claimed->n)
		return;
	for (size_t i = 0; i < rows->n; i++)
		for (int j = 0; j < claimed->n && !ret_new[i]; j++)
			ret_new[i] = is_row(claimed, j, rows->v[i]);
}

void save_claim_pipe(struct pg *pg, struct save *s, struct pg_rows *claimed)
{
	struct pg_args none = {0};

	*claimed = (struct pg_rows){0};
	pg_pipe_begin(pg);
	pg_pipe(pg, &begin, &none, NULL);
	if (s->rows[SAVE_REPORT].n)
		pipe_table(pg, s, SAVE_REPORT, claimed);
}

int save_claim_end(struct pg *pg, struct save *s, struct pg_rows *claimed, bool *ret_new, struct err *e)
{
	int r = pg_pipe_end(pg, e);

	if (r < 0) {
		pg_rollback(pg);
		return r;
	}
	mark_new(&s->rows[SAVE_REPORT], claimed, ret_new);
	pg_rows_done(claimed);
	return 0;
}

int save_claim(struct pg *pg, struct save *s, bool *ret_new, struct err *e)
{
	struct pg_rows claimed;

	save_claim_pipe(pg, s, &claimed);
	return save_claim_end(pg, s, &claimed, ret_new, e);
}

int save_commit(struct pg *pg, struct save *s, struct err *e)
{
	struct pg_args none = {0};
	int r;

	pg_pipe_begin(pg);
	for (int i = SAVE_PERSON; i < N_SAVE_TABLE; i++)
		if (s->rows[i].n && tables[i].name)
			pipe_table(pg, s, (enum save_table)i, NULL);
	pipe_drops(pg, s);
	pipe_addresses(pg, s);
	pipe_device_timers(pg, s);
	points_pipe(pg, s);
	if (clock_is_simulated())
		store_sim_clock_pipe(pg, s->tenant, clock_now_us());
	fault_point("before-commit");
	pg_pipe(pg, &commit, &none, NULL);
	r = pg_pipe_end(pg, e);
	if (r < 0)
		pg_rollback(pg);
	else
		fault_point("after-commit");
	return r;
}
