#include "store/devices.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "core/time/moment.h"

/* One row a device is there to be locked before anything else of it is read: two daemons take turns. */
static const struct query make = {
	"devices_make", "INSERT INTO device (tenant, device, alarm) SELECT $1::text, d, '' FROM unnest($2::text[]) d"
			" ON CONFLICT DO NOTHING"};
static const struct query lock = {
	"devices_lock", "SELECT device FROM device WHERE tenant = $1::text AND device = ANY($2::text[]) AND alarm = ''"
			" ORDER BY device FOR UPDATE"};
/* A case that was joined into another is that one. */
static const struct query load = {
	"devices_load",
	"SELECT u.i, d.alarm, d.kind, coalesce(d.channel, 'device'), coalesce(d.source, 'device'), d.phase,"
	" micros(d.since), micros(d.said_at), micros(d.alarm_at),"
	" micros(d.seen_at), micros(d.changed_at), micros(d.changes_since), d.changes, d.flapping, d.repeats,"
	" coalesce(c.joined_into, d.number), d.cause, d.report, micros(d.wake_at), micros(t.due_at)"
	" FROM unnest($2::text[]) WITH ORDINALITY u(device, i)"
	" JOIN device d ON d.tenant = $1::text AND d.device = u.device"
	" LEFT JOIN cases c ON c.tenant = d.tenant AND c.number = d.number"
	" LEFT JOIN device_timer t ON t.tenant = d.tenant AND t.device = d.device"
	" ORDER BY u.i, d.alarm"};
static const struct query cause_make = {
	"cause_make", "INSERT INTO device_cause (tenant, cause) VALUES ($1::text, $2::text) ON CONFLICT DO NOTHING"};
static const struct query cause_load = {
	"cause_load", "SELECT coalesce(c.joined_into, d.number), micros(d.last_at), d.devices, d.active FROM device_cause d"
		      " LEFT JOIN cases c ON c.tenant = d.tenant AND c.number = d.number"
		      " WHERE d.tenant = $1::text AND d.cause = $2::text FOR UPDATE OF d"};
static const struct query due = {
	"devices_due", "SELECT device FROM device_timer WHERE tenant = $1::text AND due_at <= $2::timestamptz"
		       " ORDER BY due_at LIMIT $3::int8"};
static const struct query expect = {
	"devices_expect",
	"WITH wanted AS (SELECT * FROM unnest($2::text[], $3::text[], $4::text[]) u(device, kind, channel)),"
	" new AS (INSERT INTO device (tenant, device, alarm, kind, channel, source, seen_at)"
	" SELECT $1::text, device, '', kind, channel, 'register', $5::timestamptz FROM wanted ON CONFLICT DO NOTHING)"
	" INSERT INTO device_timer (tenant, device, due_at) SELECT $1::text, device, $5::timestamptz FROM wanted"
	" ON CONFLICT (tenant, device) DO UPDATE SET due_at = least(device_timer.due_at, excluded.due_at)"};

static const struct query put_off = {
	"devices_put_off", "UPDATE device_timer SET due_at = $3::timestamptz WHERE tenant = $1::text AND device = $2::text"};

struct cursor {
	const struct pg_rows *rows;
	int row, column;
	struct arena *a;
};

static const char *next_text(struct cursor *at)
{
	const char *s = pg_get(at->rows, at->row, at->column++);

	return s ? arena_strdup(at->a, s) : NULL;
}

static int64_t next_time(struct cursor *at)
{
	return pg_get_time(at->rows, at->row, at->column++);
}

static int next_int(struct cursor *at)
{
	return (int)pg_get_int(at->rows, at->row, at->column++);
}

static void read_row(const struct pg_rows *rows, int row, struct arena *a, struct device_rows *ret)
{
	struct device_state *s = arena_alloc(a, sizeof(*s));
	struct cursor at = {rows, row, 1, a};
	int phase;

	device_state_init(s, ret->device, next_text(&at));
	s->kind = next_text(&at);
	s->channel = next_text(&at);
	s->source = next_text(&at);
	phase = name_index(device_phase_names, N_DEVICE_PHASE, next_text(&at));
	s->phase = phase < 0 ? DEVICE_CALM : (enum device_phase)phase;
	s->since = next_time(&at);
	s->said_at = next_time(&at);
	s->alarm_at = next_time(&at);
	s->seen_at = next_time(&at);
	s->changed_at = next_time(&at);
	s->changes_since = next_time(&at);
	s->changes = next_int(&at);
	s->flapping = pg_get_bool(rows, row, at.column++);
	s->repeats = next_int(&at);
	s->number = next_text(&at);
	s->cause = next_text(&at);
	s->report = next_text(&at);
	s->wake_at = next_time(&at);
	ret->timer_at = next_time(&at);
	ret->states[ret->n++] = s;
}

static void read_rows(const struct pg_rows *rows, struct arena *a, struct device_rows *ret)
{
	for (int from = 0, to; from < rows->n; from = to) {
		struct device_rows *one = &ret[pg_get_int(rows, from, 0) - 1];

		for (to = from; to < rows->n && pg_get_int(rows, to, 0) == pg_get_int(rows, from, 0); to++)
			;
		/* Room for one more: what the device says now may be new. */
		one->states = arena_alloc(a, (size_t)(to - from + 1) * sizeof(struct device_state *));
		for (int i = from; i < to; i++)
			read_row(rows, i, a, one);
	}
}

int devices_lock(struct pg *pg, const char *tenant, const char *const *devices, size_t n, struct arena *a,
		 struct device_rows *ret, struct err *e)
{
	struct pg_rows rows = {0};
	int r;

	pg_pipe_begin(pg);
	for (int i = 0; i < 3; i++) {
		static const struct query *const all[] = {&make, &lock, &load};
		struct pg_args args = {0};

		pg_text(&args, tenant);
		pg_texts(&args, devices, n);
		pg_pipe(pg, all[i], &args, i == 2 ? &rows : NULL);
	}
	r = pg_pipe_end(pg, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		ret[i] = (struct device_rows){.device = devices[i], .timer_at = MOMENT_NONE};
	read_rows(&rows, a, ret);
	pg_rows_done(&rows);
	return 0;
}

int cause_lock(struct pg *pg, const char *tenant, const char *cause, struct arena *a, struct cause_state *ret,
	       struct err *e)
{
	struct pg_rows rows = {0};
	struct cursor at = {&rows, 0, 0, a};
	int r;

	pg_pipe_begin(pg);
	for (int i = 0; i < 2; i++) {
		struct pg_args args = {0};

		pg_text(&args, tenant);
		pg_text(&args, cause);
		pg_pipe(pg, i ? &cause_load : &cause_make, &args, i ? &rows : NULL);
	}
	r = pg_pipe_end(pg, e);
	if (r < 0)
		return r;
	*ret = (struct cause_state){.cause = cause, .last_at = MOMENT_NONE};
	if (rows.n) {
		ret->number = next_text(&at);
		ret->last_at = next_time(&at);
		ret->devices = next_int(&at);
		ret->active = next_int(&at);
	}
	pg_rows_done(&rows);
	return 0;
}

int devices_due(struct pg *pg, const char *tenant, int64_t now, size_t max, struct arena *a, const char ***ret,
		size_t *ret_n, struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r;

	*ret_n = 0;
	pg_text(&args, tenant);
	pg_time(&args, now);
	pg_int(&args, (int64_t)max);
	r = pg_run(pg, &due, &args, &rows, e);
	if (r < 0)
		return r;
	*ret = arena_alloc(a, (size_t)rows.n * sizeof(**ret));
	for (int i = 0; i < rows.n; i++)
		(*ret)[(*ret_n)++] = arena_strdup(a, pg_get(&rows, i, 0));
	pg_rows_done(&rows);
	return 0;
}

int devices_expect(struct pg *pg, const char *tenant, const char *const *devices, const char *const *kinds,
		   const char *const *channels, size_t n, int64_t now, struct err *e)
{
	struct pg_args args = {0};

	pg_text(&args, tenant);
	pg_texts(&args, devices, n);
	pg_texts(&args, kinds, n);
	pg_texts(&args, channels, n);
	pg_time(&args, now);
	return pg_run(pg, &expect, &args, NULL, e);
}

int devices_put_off(struct pg *pg, const char *tenant, const char *device, int64_t until, struct err *e)
{
	struct pg_args args = {0};

	pg_text(&args, tenant);
	pg_text(&args, device);
	pg_time(&args, until);
	return pg_run(pg, &put_off, &args, NULL, e);
}
