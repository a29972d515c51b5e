/*
 * Devices at intake: each is locked, then what it says, and what time brings it, is decided by the pure core, and
 * carried out here in the batch's own transaction. A held alarm and a silence become reports of the gateway's own; what
 * only adds to a case becomes a supplement of it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/counter.h"
#include "base/err.h"
#include "base/str.h"
#include "base/tongue.h"
#include "core/time/moment.h"
#include "intake/transact_parts.h"
#include "store/cases.h"
#include "store/devices.h"

enum { ALARMS_MAX = 64 };               /* of one device; what it calls by further names is one more */

struct device_desk {
	struct device_rows *rows;
	size_t n;
	struct map by_device;           /* device -> struct device_rows */
	struct map causes;              /* cause -> struct cause_state */
	ALIST(struct understood) made;  /* reports that were read again */
};
/* One word of a device, or one look at it. */
struct hearing {
	struct transaction *t;
	struct unit *u;
	struct device_rows *rows;
	const struct device_kind *kind;
	const struct device_entry *entry;
	struct device_state *s;         /* the alarm that is being stepped */
	const char *held;               /* its report, should it be made now */
};

int unit_is_reading(const struct office *office, const struct report *r)
{
	const struct device_entry *entry;

	if (r->kind != REPORT_REPORT || !r->device)
		return 0;
	if (device_watched(office, r, &entry))
		return READING_WATCHED;
	return r->has_reading && r->reading != READING_ALARM ? READING_UNWATCHED : 0;
}

bool transaction_claims(const struct unit *u)
{
	return !u->is_reading || (u->is_reading == READING_WATCHED && (u->report->reading == READING_ALARM ||
								       u->report->reading == READING_CLEAR));
}

/* ---- loading ---------------------------------------------------------------------------------- */
static const char *device_of(const struct unit *u)
{
	if (u->kind == UNIT_DEVICE)
		return u->device;
	return u->kind == UNIT_REPORT && u->is_reading == READING_WATCHED && !u->twin && u->fresh ? u->report->device : NULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int transaction_load_devices(struct transaction *t, struct err *e)
{
	const char **devices = arena_alloc(t->b->a, (t->n + 1) * sizeof(*devices));
	struct device_desk *desk;
	size_t all = 0, n = 0;
	int r;

	for (size_t i = 0; i < t->n; i++) {
		devices[all] = device_of(&t->units[i]);
		all += devices[all] != NULL;
	}
	if (!all)
		return 0;
	qsort(devices, all, sizeof(*devices), by_text);
	for (size_t i = 0; i < all; i++)
		if (!n || strcmp(devices[n - 1], devices[i]) != 0)
			devices[n++] = devices[i];
	desk = t->devices = arena_alloc(t->b->a, sizeof(*desk));
	*desk = (struct device_desk){.rows = arena_alloc(t->b->a, n * sizeof(*desk->rows)), .n = n};
	r = devices_lock(t->pg, transaction_tenant(t), devices, n, t->b->a, desk->rows, e);
	for (size_t i = 0; r == 0 && i < n; i++)
		map_put(&desk->by_device, devices[i], &desk->rows[i]);
	return r;
}

size_t transaction_device_cases(const struct transaction *t, const char **numbers)
{
	size_t n = 0;

	for (size_t i = 0; t->devices && i < t->devices->n; i++)
		for (size_t k = 0; k < t->devices->rows[i].n; k++) {
			const char *number = t->devices->rows[i].states[k]->number;

			if (number && numbers)
				numbers[n] = number;
			n += number != NULL;
		}
	return n;
}

/* ---- cases and causes ------------------------------------------------------------------------- */
static struct case_change *open_case_of(const struct transaction *t, const char *number)
{
	struct case_change *change = number ? map_get(&t->changes, number) : NULL;
	enum case_state state = change ? change->c->state : STATE_CLOSED;

	return state == STATE_RESOLVED || state == STATE_CLOSED || state == STATE_JOINED ? NULL : change;
}

static int load_case(struct transaction *t, const char *number, struct err *e)
{
	struct case_record **cases = NULL;
	size_t n = 0;
	int r;

	if (!number || map_get(&t->changes, number))
		return 0;
	r = cases_load(t->pg, transaction_tenant(t), &number, 1, t->b->a, &cases, &n, e);
	for (size_t i = 0; r == 0 && i < n; i++)
		transaction_add_change(t, cases[i], false);
	return r;
}

/* Rarely wanted, so asked for one by one: a storm is one cause. */
static int cause_of(struct transaction *t, const char *cause, struct cause_state **ret, struct err *e)
{
	int r = 0;

	*ret = cause ? map_get(&t->devices->causes, cause) : NULL;
	if (!cause || *ret)
		return 0;
	*ret = arena_alloc(t->b->a, sizeof(**ret));
	r = cause_lock(t->pg, transaction_tenant(t), cause, t->b->a, *ret, e);
	if (r == 0)
		r = load_case(t, (*ret)->number, e);
	if (r == 0)
		map_put(&t->devices->causes, cause, *ret);
	return r;
}

/* ---- telling ---------------------------------------------------------------------------------- */
static const char *said(const struct hearing *h, const char *note)
{
	const struct report *r = h->u->report;

	return r && r->text ? arena_printf(h->t->b->a, "%s：%s", note, r->text)
			    : arena_printf(h->t->b->a, "%s：%s", h->rows->device, note);
}

static const struct channel *channel_of(const struct hearing *h)
{
	const struct channel *channel = map_get(&h->t->b->office->channel_by_id, h->s->channel);
	struct channel *gone;

	if (channel)
		return channel;
	gone = arena_alloc(h->t->b->a, sizeof(*gone));
	*gone = (struct channel){.id = h->s->channel, .name = "device"};
	return gone;
}

static void supplement(const struct hearing *h, const char *note)
{
	struct transaction *t = h->t;
	struct case_change *change = open_case_of(t, h->s->number);
	struct report r = {.channel = channel_of(h), .id = h->u->report ? h->u->report->id : h->rows->device,
			   .kind = REPORT_SUPPLEMENT, .text = said(h, note), .shadow = "", .urgency = -1};

	if (!change)
		return;
	transaction_catch_up(t, change);
	transaction_happens(t, change, &(struct action){.what = LIFE_SUPPLEMENT, .report = &r});
}

static void belong(const struct hearing *h, const char *number)
{
	struct unit *u = h->u;

	h->s->number = number;
	if (u->number && strcmp(u->number, number) != 0)
		map_put(&h->t->moved, u->number, arena_strdup(h->t->b->a, number));
	u->belongs = number;
}

static bool numbers_are_left(const struct transaction *t)
{
	return t->numbers->next < t->numbers->end;
}

static int open_one(struct hearing *h, struct cause_state *cause)
{
	struct transaction *t = h->t;
	struct unit *u = h->u;

	if (!u->number)
		u->number = numbers_take(t->numbers, t->b->office->prefix, t->b->a);
	u->opened = true;
	transaction_open(t, u);
	belong(h, u->number);
	h->s->cause = cause ? cause->cause : NULL;
	if (cause)
		cause_begin(cause, u->number, t->now);
	return 0;
}

/* What was held, and a silence, are reports that have to be read first. */
static int make_report(struct hearing *h, struct err *e)
{
	struct transaction *t = h->t;
	const char *json = *h->s->alarm ? h->held : device_silence(h->kind, h->s, t->now, t->b->a);
	struct understood made;
	int r;

	if (h->u->kind == UNIT_REPORT)
		return 0;
	r = understand_report(t->b->office, channel_of(h), h->s->source, t->now, json ? json : "{}", t->b->a, &made, e);
	if (r < 0)
		return r;
	ALIST_PUSH(t->b->a, &t->devices->made, made);
	h->u->report = made.reports;
	return 0;
}

static int report(struct hearing *h, struct err *e)
{
	struct transaction *t = h->t;
	struct cause_state *cause = NULL;
	const char *note = NULL;
	int r = make_report(h, e);

	if (r == 0)
		r = cause_of(t, device_cause(h->kind, h->s->alarm, h->u->report, t->b->a), &cause, e);
	if (r < 0)
		return r;
	if (!cause || !cause_join(cause, h->kind, open_case_of(t, cause->number) != NULL, t->now, t->b->a, &note))
		return open_one(h, cause);
	belong(h, cause->number);
	h->s->cause = cause->cause;
	if (note)
		supplement(h, note);
	return 0;
}

/* The alarm of a device that shares its case has come back, or is over. */
static int of_many(struct hearing *h, const struct device_outcome *out, bool *ret_told, struct err *e)
{
	struct cause_state *cause;
	const char *note = NULL;
	int r = cause_of(h->t, h->s->cause, &cause, e);

	*ret_told = false;
	if (r < 0 || !str_equal(cause->number, h->s->number) || cause->devices < 2)
		return r;
	*ret_told = true;
	if (out->begins)
		cause->active++;
	else if (cause_leave(cause, h->t->b->a, &note) && h->kind->recovery_told)
		supplement(h, note);
	return 0;
}

static int carry_out(struct hearing *h, const struct device_outcome *out, struct err *e)
{
	bool told = false;
	int r = 0;

	if (out->act == DEVICE_REPORT)
		return report(h, e);
	if (h->s->cause && (out->begins || out->ends))
		r = of_many(h, out, &told, e);
	if (r == 0 && out->act == DEVICE_SUPPLEMENT && !told)
		supplement(h, out->note);
	/* What is held belongs to no case yet. */
	if (out->act == DEVICE_SUPPLEMENT ||
	    (out->act == DEVICE_COUNT && (h->s->phase == DEVICE_ALARM || out->ends) && open_case_of(h->t, h->s->number)))
		h->u->belongs = h->s->number;
	return r;
}

/* ---- one step --------------------------------------------------------------------------------- */
static struct device_state *state_of(struct hearing *h, const char *alarm)
{
	struct device_rows *rows = h->rows;
	struct device_state *s, **more;

	for (size_t i = 0; i < rows->n; i++)
		if (strcmp(rows->states[i]->alarm, alarm) == 0)
			return rows->states[i];
	if (rows->n >= ALARMS_MAX && strcmp(alarm, "other") != 0)
		return state_of(h, "other");
	s = arena_alloc(h->t->b->a, sizeof(*s));
	device_state_init(s, rows->device, alarm);
	more = arena_alloc(h->t->b->a, (rows->n + 1) * sizeof(*more));
	memcpy(more, rows->states, rows->n * sizeof(*more));
	more[rows->n++] = s;
	rows->states = more;
	return s;
}

static int step(struct hearing *h, struct device_state *s, enum device_event event, struct device_outcome *out,
		struct err *e)
{
	const struct report *r = h->u->kind == UNIT_REPORT ? h->u->report : NULL;
	struct device_input in = {.kind = h->kind, .entry = h->entry, .event = event, .listening = h->t->b->listening,
				  .case_open = open_case_of(h->t, s->number) != NULL};

	h->s = s;
	h->held = s->report;
	s->kind = h->kind->name;
	s->touched = true;
	if (r) {
		in.value = r->value;
		in.at = r->time;
		s->channel = r->channel->id;
		s->source = r->source;
	}
	device_step(s, &in, h->t->now, h->t->b->a, out);
	if (out->keep && r)
		s->report = device_keep(r, h->t->b->a);
	s->wake_at = out->look_at;
	return carry_out(h, out, e);
}

static int clear_all(struct hearing *h, struct device_outcome *out, struct err *e)
{
	int r = 0;

	out->note = _("nothing was wrong");
	for (size_t i = 1; r == 0 && i < h->rows->n; i++)
		if (h->rows->states[i]->phase != DEVICE_CALM)
			r = step(h, h->rows->states[i], DEVICE_SAYS_CLEAR, out, e);
	return r;
}

static int hear(struct hearing *h, struct device_outcome *out, struct err *e)
{
	static const enum device_event events[] = {
		[READING_ALARM] = DEVICE_SAYS_ALARM, [READING_CLEAR] = DEVICE_SAYS_CLEAR,
		[READING_VALUE] = DEVICE_SAYS_VALUE, [READING_ALIVE] = DEVICE_SPEAKS};
	const struct report *said_now = h->u->report;
	int r = step(h, h->rows->states[0], DEVICE_SPEAKS, out, e);

	if (r < 0 || said_now->reading == READING_ALIVE)
		return r;
	*out = (struct device_outcome){.look_at = MOMENT_NONE};
	if (said_now->reading == READING_CLEAR && !said_now->alarm)
		return clear_all(h, out, e);
	return step(h, state_of(h, device_alarm(said_now)), events[said_now->reading], out, e);
}

static void answer(struct hearing *h, const struct device_outcome *out)
{
	struct transaction *t = h->t;
	struct unit *u = h->u;
	struct case_change *change = u->belongs ? map_get(&t->changes, u->belongs) : NULL;

	if (u->opened)          /* answered when it was opened */
		return;
	transaction_receipt(t, u, change && u->report->reading == READING_ALARM ? "joined" : "updated",
			    change ? change->c : NULL, out->act == DEVICE_REPORT ? NULL : out->note);
}

/* What made a case, or was said about one, is a report of that case. */
static void keep_report(struct hearing *h)
{
	struct unit *u = h->u;

	if (u->belongs && (u->opened || transaction_claims(u)))
		save_row(&h->t->save, SAVE_REPORT_MADE, transaction_report_row(h->t, u));
}

static int tick(struct hearing *h, struct err *e)
{
	struct device_outcome out;
	int r = 0;

	for (size_t i = 0; r == 0 && i < h->rows->n; i++) {
		struct device_state *s = h->rows->states[i];

		/* Every look at its own time; and never a case without a number. */
		if ((i && (s->wake_at == MOMENT_NONE || s->wake_at > h->t->now)) || !numbers_are_left(h->t))
			continue;
		h->u->report = NULL;
		h->u->belongs = h->u->number = NULL;
		h->u->opened = false;
		r = step(h, s, DEVICE_TICK, &out, e);
		if (r == 0 && h->u->report && h->u->belongs)
			save_row(&h->t->save, SAVE_REPORT_MADE, transaction_report_row(h->t, h->u));
	}
	return r;
}

static const struct device_kind *kind_of(const struct office *office, const struct device_rows *rows,
					 const struct device_entry *entry)
{
	if (entry)
		return entry->kind;
	for (size_t i = 0; i < office->n_device_kinds; i++)
		if (str_equal(office->device_kinds[i].name, rows->states[0]->kind))
			return &office->device_kinds[i];
	return NULL;
}

int transaction_device(struct transaction *t, struct unit *u, struct err *e)
{
	struct hearing h = {.t = t, .u = u};
	struct device_outcome out = {.look_at = MOMENT_NONE};
	int r;

	u->belongs = NULL;
	u->opened = false;
	if (u->is_reading == READING_UNWATCHED) {
		transaction_receipt(t, u, "updated", NULL, _("devices of this kind are not watched"));
		return 0;
	}
	h.rows = map_get(&t->devices->by_device, device_of(u));
	if (u->kind == UNIT_DEVICE) {
		h.entry = map_get(&t->b->office->device_by_id, u->device);
		h.kind = kind_of(t->b->office, h.rows, h.entry);
		h.rows->unwatched = !h.kind;
		return h.kind ? tick(&h, e) : 0;
	}
	h.kind = device_watched(t->b->office, u->report, &h.entry);
	r = hear(&h, &out, e);
	if (r < 0)
		return r;
	answer(&h, &out);
	keep_report(&h);
	return 0;
}

/* ---- saving ----------------------------------------------------------------------------------- */
static bool is_due(const struct transaction *t, const struct device_rows *rows)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->units[i].kind == UNIT_DEVICE && t->units[i].device == rows->device)
			return true;
	return rows->timer_at != MOMENT_NONE && rows->timer_at <= t->now;
}

/* A timer that is too early only looks in vain: it is moved forward when it is due, not with every sign of life. */
static void save_timer(struct transaction *t, const struct device_rows *rows)
{
	int64_t want = MOMENT_NONE;
	struct device_timer_row *row;

	/* What was to be looked at of one whose kind is gone is so once it is watched again, and says a word or is expected. */
	for (size_t i = 0; i < rows->n && !rows->unwatched; i++)
		if (rows->states[i]->wake_at != MOMENT_NONE && (want == MOMENT_NONE || rows->states[i]->wake_at < want))
			want = rows->states[i]->wake_at;
	if (want == MOMENT_NONE) {
		if (is_due(t, rows))
			save_row(&t->save, SAVE_DEVICE_TIMER_DROP, rows->device);
		return;
	}
	if (rows->timer_at != MOMENT_NONE && rows->timer_at <= want && !is_due(t, rows))
		return;
	row = arena_alloc(t->b->a, sizeof(*row));
	*row = (struct device_timer_row){rows->device, want};
	save_row(&t->save, SAVE_DEVICE_TIMER, row);
}

void transaction_save_devices(struct transaction *t)
{
	struct device_desk *desk = t->devices;

	for (size_t i = 0; desk && i < desk->n; i++) {
		for (size_t k = 0; k < desk->rows[i].n; k++)
			if (desk->rows[i].states[k]->touched)
				save_row(&t->save, SAVE_DEVICE, desk->rows[i].states[k]);
		save_timer(t, &desk->rows[i]);
	}
	for (size_t i = 0; desk && i < desk->causes.cap; i++)
		if (desk->causes.slots[i].key)
			save_row(&t->save, SAVE_CAUSE, desk->causes.slots[i].value);
}

void transaction_devices_done(struct transaction *t)
{
	struct device_desk *desk = t->devices;

	if (!desk)
		return;
	for (size_t i = 0; i < desk->made.n; i++)
		understood_done(&desk->made.v[i]);
	map_done(&desk->by_device);
	map_done(&desk->causes);
	t->devices = NULL;
}
