/*
 * One function for all alarms of a device, silence among them: silence is an alarm that the clock raises and any word
 * of the device ends. Times of decisions are the gateway's (a device's clock may be wrong); the device's own time only
 * tells what is older than what is known.
 */
#include "core/device/device.h"

#include <string.h>

#include "base/mem.h"
#include "base/tongue.h"
#include "core/time/moment.h"

const char *const reading_state_names[N_READING_STATE] = {"alarm", "clear", "value", "alive"};
const char *const device_phase_names[N_DEVICE_PHASE] = {"calm", "held", "alarm"};

struct turn {
	struct device_state *s;
	const struct device_input *in;
	int64_t now;
	struct arena *a;
	struct device_outcome *out;
};

void device_state_init(struct device_state *s, const char *device, const char *alarm)
{
	*s = (struct device_state){.device = device, .alarm = alarm, .phase = DEVICE_CALM, .since = MOMENT_NONE,
				   .said_at = MOMENT_NONE, .alarm_at = MOMENT_NONE, .seen_at = MOMENT_NONE,
				   .changed_at = MOMENT_NONE, .changes_since = MOMENT_NONE, .wake_at = MOMENT_NONE};
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
	if (a == MOMENT_NONE || b == MOMENT_NONE)
		return a == MOMENT_NONE ? b : a;
	return a < b ? a : b;
}

static bool is_silence(const struct turn *t)
{
	return !*t->s->alarm;
}

/* ---- maintenance and promises ----------------------------------------------------------------- */
static int64_t pause_end(const struct device_pause *pauses, size_t n, int64_t now)
{
	int64_t end = MOMENT_NONE;

	for (size_t i = 0; i < n; i++)
		if (pauses[i].from <= now && now < pauses[i].to)
			end = later(end, pauses[i].to);
	return end;
}

/* When the maintenance of now ends; MOMENT_NONE: there is none. */
static int64_t maintenance(const struct turn *t)
{
	const struct device_entry *entry = t->in->entry;
	int64_t end = pause_end(t->in->kind->pauses, t->in->kind->n_pauses, t->now);

	return entry ? later(end, pause_end(entry->pauses, entry->n_pauses, t->now)) : end;
}

static int64_t heartbeat(const struct turn *t)
{
	const struct device_entry *entry = t->in->entry;

	return entry && entry->heartbeat >= 0 ? entry->heartbeat : t->in->kind->heartbeat;
}

static int64_t silent_at(const struct turn *t)
{
	if (!heartbeat(t) || t->s->seen_at == MOMENT_NONE)
		return MOMENT_NONE;
	return later(t->s->seen_at, t->in->listening) + heartbeat(t);
}

/* ---- saying ----------------------------------------------------------------------------------- */
static const char *span_text(const struct turn *t, int64_t span)
{
	int64_t minutes = (span + 30 * INT64_C(1000000)) / (60 * INT64_C(1000000));

	return minutes < 120 ? arena_printf(t->a, _("%lld minutes"), (long long)minutes)
			     : arena_printf(t->a, _("%lld hours"), (long long)(minutes / 60));
}

static void act(struct turn *t, enum device_act what, const char *note)
{
	t->out->act = what;
	t->out->note = note;
}

/* A word about the case, or, where it is damped, not wanted or nobody's, one that is only counted. */
static void say(struct turn *t, bool wanted, const char *note)
{
	act(t, wanted && t->in->case_open && !t->s->flapping ? DEVICE_SUPPLEMENT : DEVICE_COUNT, note);
	if (t->out->act == DEVICE_SUPPLEMENT)
		t->s->repeats = 0;
}

/* ---- flapping --------------------------------------------------------------------------------- */
/* True: it flaps from this change on, and that is what there is to say. */
static bool change(struct turn *t)
{
	const struct device_kind *kind = t->in->kind;
	struct device_state *s = t->s;

	if (!kind->flap_changes)
		return false;
	if (s->changes_since == MOMENT_NONE || t->now - s->changes_since > kind->flap_within) {
		s->changes_since = t->now;
		s->changes = s->flapping ? s->changes : 0;
	}
	s->changes++;
	s->changed_at = t->now;
	if (s->flapping || s->changes < kind->flap_changes)
		return false;
	say(t, true, arena_printf(t->a, _("it goes on and off: %d changes within %s; further ones are only counted"),
				  s->changes, span_text(t, kind->flap_within)));
	s->flapping = true;
	return true;
}

/* It has stood still long enough. */
static void settle(struct turn *t)
{
	struct device_state *s = t->s;

	s->flapping = false;
	say(t, true, arena_printf(t->a, s->phase == DEVICE_ALARM
					? _("it has stopped going on and off after %d changes: the alarm stands")
					: _("it has stopped going on and off after %d changes: all is calm"),
				  s->changes));
	s->changes = 0;
	s->changes_since = MOMENT_NONE;
}

/* ---- alarms ----------------------------------------------------------------------------------- */
static bool same_matter(const struct turn *t)
{
	return t->s->number && t->in->case_open && t->s->alarm_at != MOMENT_NONE &&
	       t->now - t->s->alarm_at <= t->in->kind->window;
}

static void begin(struct turn *t)
{
	struct device_state *s = t->s;
	bool same = same_matter(t), damped;

	s->phase = DEVICE_ALARM;
	s->since = t->now;
	t->out->begins = true;
	damped = change(t);
	s->alarm_at = t->now;
	if (!same) {
		act(t, DEVICE_REPORT, NULL);
		s->repeats = 0;
	} else if (!damped) {
		s->repeats++;
		say(t, true, is_silence(t) ? _("nothing is heard of it again") : _("the alarm has come back"));
	}
}

static void repeat(struct turn *t)
{
	struct device_state *s = t->s;

	if (!same_matter(t)) {
		act(t, DEVICE_REPORT, NULL);
		s->repeats = 0;
		t->out->begins = true;
	} else {
		s->repeats++;
		say(t, t->in->kind->repeats_told, arena_printf(t->a, _("the alarm came again (%d times)"), s->repeats));
	}
	s->alarm_at = t->now;
}

/* Held is what has yet to hold, or to wait until the maintenance is over. */
static void try_begin(struct turn *t)
{
	int64_t hold = is_silence(t) ? 0 : t->in->kind->hold, end = maintenance(t);

	if (end == MOMENT_NONE && t->now - t->s->since >= hold) {
		begin(t);
		return;
	}
	act(t, DEVICE_COUNT, end != MOMENT_NONE ? _("maintenance: nobody is told unless it outlasts it")
						: _("it counts when it has held long enough"));
	t->out->keep = true;
	t->out->look_at = sooner(t->out->look_at, later(end, t->s->since + hold));
}

static void alarm(struct turn *t)
{
	struct device_state *s = t->s;

	if (s->phase == DEVICE_ALARM) {
		if (maintenance(t) == MOMENT_NONE)
			repeat(t);
		else
			act(t, DEVICE_COUNT, _("maintenance: nobody is told unless it outlasts it"));
		return;
	}
	if (s->phase == DEVICE_CALM) {
		s->phase = DEVICE_HELD;
		s->since = t->now;
	}
	try_begin(t);
}

static void clear(struct turn *t)
{
	struct device_state *s = t->s;
	bool counted = s->phase == DEVICE_ALARM;

	if (s->phase == DEVICE_CALM) {
		act(t, DEVICE_NOTHING, _("nothing was wrong"));
		return;
	}
	s->phase = DEVICE_CALM;
	s->since = t->now;
	if (!counted) {
		act(t, DEVICE_COUNT, _("over before it counted"));
		return;
	}
	t->out->ends = true;
	if (!change(t))
		say(t, t->in->kind->recovery_told, is_silence(t) ? _("it is heard of again") : _("the alarm is over"));
}

static void value(struct turn *t)
{
	const struct device_kind *kind = t->in->kind;
	double v = t->in->value;
	bool beyond = kind->below ? v <= kind->limit : v >= kind->limit;
	bool back = kind->below ? v > kind->limit && v >= kind->clear : v < kind->limit && v <= kind->clear;

	if (!kind->has_limit)
		act(t, DEVICE_NOTHING, _("there is no limit for it"));
	else if (back && t->s->phase != DEVICE_CALM)
		clear(t);
	else if (beyond && t->s->phase != DEVICE_ALARM)
		alarm(t);
	else if (beyond)        /* as before: the matter goes on, which is no news */
		t->s->alarm_at = same_matter(t) ? t->now : t->s->alarm_at;
}

/* ---- time ------------------------------------------------------------------------------------- */
static void tick(struct turn *t)
{
	struct device_state *s = t->s;

	if (is_silence(t) && s->phase == DEVICE_CALM && silent_at(t) != MOMENT_NONE && silent_at(t) <= t->now) {
		s->phase = DEVICE_HELD;
		s->since = t->now;
	}
	if (s->phase == DEVICE_HELD)
		try_begin(t);
	else if (s->flapping && t->now - s->changed_at >= t->in->kind->flap_within)
		settle(t);
}

static void next_look(struct turn *t)
{
	struct device_state *s = t->s;

	/* Held first becomes an alarm or none: until then it does not stand still. */
	if (s->flapping && s->phase != DEVICE_HELD)
		t->out->look_at = sooner(t->out->look_at, later(s->changed_at + t->in->kind->flap_within, t->now + 1));
	if (is_silence(t) && s->phase == DEVICE_CALM)
		t->out->look_at = sooner(t->out->look_at, silent_at(t));
}

/* Of two words about one alarm the older changes nothing, whenever it comes. */
static bool is_old(const struct turn *t)
{
	const struct device_state *s = t->s;

	if (t->in->event == DEVICE_TICK || t->in->event == DEVICE_SPEAKS || s->said_at == MOMENT_NONE)
		return false;
	/* A figure of the same moment is the same figure; an alarm may come and go within a second. */
	return t->in->event == DEVICE_SAYS_VALUE ? t->in->at <= s->said_at : t->in->at < s->said_at;
}

void device_step(struct device_state *s, const struct device_input *in, int64_t now, struct arena *a,
		 struct device_outcome *ret)
{
	struct turn t = {s, in, now, a, ret};
	static void (*const turns[])(struct turn *) = {
		[DEVICE_SAYS_ALARM] = alarm, [DEVICE_SAYS_CLEAR] = clear, [DEVICE_SAYS_VALUE] = value,
		[DEVICE_SPEAKS] = clear, [DEVICE_TICK] = tick,
	};

	*ret = (struct device_outcome){.look_at = MOMENT_NONE};
	if (is_old(&t)) {
		ret->note = _("older than what is known");
	} else {
		if (in->event == DEVICE_SPEAKS)
			s->seen_at = later(s->seen_at, now);
		else if (in->event != DEVICE_TICK)
			s->said_at = in->at;
		turns[in->event](&t);
	}
	if (s->phase == DEVICE_HELD && ret->look_at == MOMENT_NONE)
		ret->look_at = later(maintenance(&t), later(s->since + in->kind->hold, now + 1));
	if (s->phase != DEVICE_HELD)
		s->report = NULL;
	next_look(&t);
}

/* ---- devices of one cause --------------------------------------------------------------------- */
/* 2, then 10, 100, 1000 …: who is out there hears how large it has grown, not of each device. */
static bool is_round(int n)
{
	while (n >= 10 && n % 10 == 0)
		n /= 10;
	return n == 1;
}

bool cause_join(struct cause_state *c, const struct device_kind *kind, bool case_open, int64_t now, struct arena *a,
		const char **ret_note)
{
	*ret_note = NULL;
	if (!kind->storm_within || !c->number || !case_open || now - c->last_at > kind->storm_within)
		return false;
	c->last_at = later(c->last_at, now);
	c->devices++;
	c->active++;
	if (c->devices == 2 || is_round(c->devices))
		*ret_note = arena_printf(a, _("%d devices of one area report the same"), c->devices);
	return true;
}

void cause_begin(struct cause_state *c, const char *number, int64_t now)
{
	c->number = number;
	c->last_at = now;
	c->devices = c->active = 1;
}

bool cause_leave(struct cause_state *c, struct arena *a, const char **ret_note)
{
	*ret_note = NULL;
	if (c->active > 0)
		c->active--;
	if (c->active == 0)
		*ret_note = c->devices > 1 ? arena_printf(a, _("all %d devices are calm again"), c->devices) : NULL;
	return c->active == 0;
}
