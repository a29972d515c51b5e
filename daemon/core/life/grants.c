/*
 * Leave: more time, and a pause. The lead asks, the body that lifecycle.yaml names grants or denies; where
 * that body is the lead itself, what it asks for it has. What was asked is an errand; so is the pause, which
 * ends at its time whether anybody thinks of it or not, and gives each clock back what it had left.
 */
#include <jansson.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "base/tongue.h"
#include "core/life/clocks.h"
#include "core/life/step.h"
#include "core/time/moment.h"
#include "core/time/worktime.h"

static const struct command *command(const struct life *l)
{
	return l->act->command;
}

static const char *word(enum errand_kind kind)
{
	return kind == ERRAND_EXTEND ? "extend" : "suspend";
}

static const struct department *grantor(const struct life *l, enum errand_kind kind)
{
	return kind == ERRAND_EXTEND ? l->office->life.extend_by : l->office->life.suspend_by;
}

static const char *why(const struct life *l)
{
	return command(l)->reason ? command(l)->reason : command(l)->note;
}

static void tell(struct life *l, int seq, const char *kind, const char *dept, const char *said, const char *more)
{
	const struct department *d = dept ? map_get(&l->office->dept_by_id, dept) : NULL;

	if (d)
		life_tell(l, seq, &(struct tell){.kind = kind, .dept = dept, .role = life_role(l, d), .why = said,
						 .more = more});
}

/* {"what":"extend","of":"request","until":"…"} with or without its braces: the first for history, the second for events. */
static const char *ask_json(struct life *l, const struct errand *ask, bool event)
{
	char until[MOMENT_TEXT];
	struct str t = {0};
	const char *json;

	str_addf(&t, "%s\"what\":\"%s\",\"of\":", event ? "," : "{", word(ask->kind));
	str_json(&t, ask->request);
	str_addf(&t, ",\"until\":\"%s\"%s", moment_rfc3339(ask->until, until), event ? "" : "}");
	json = arena_strdup(l->a, t.s);
	str_done(&t);
	return json;
}

/* ---- asking ----------------------------------------------------------------------------------- */
static int check_ask(struct life *l, enum errand_kind kind)
{
	int r = command_check_lead(l);

	if (r)
		return r;
	if (command(l)->until == MOMENT_NONE)
		return life_refuse(l, "%s needs 'until', a time such as 2026-12-01 17:30", word(kind));
	if (command(l)->until <= l->now)
		return life_refuse(l, "'until' lies in the past");
	/* A pause has a reason; more time may be asked for without. */
	if (kind == ERRAND_SUSPEND && !why(l))
		return life_refuse(l, "%s needs a 'note' that says why", word(kind));
	if (!grantor(l, kind))
		return life_refuse(l, "nobody grants that here; lifecycle.yaml names who does under grants.%s.by", word(kind));
	if (life_errand(l->c, ERRAND_EXTEND, NULL) || life_errand(l->c, ERRAND_SUSPEND, NULL))
		return life_refuse(l, "what was asked for before is not decided yet");
	return 0;
}

/* False when `until` lies beyond `max`, counted from `from`. */
static bool is_within(const struct life *l, const struct deadline *max, int64_t from, int64_t until, char latest[MOMENT_TEXT])
{
	struct due due;
	struct err e;

	if (deadline_due(max, office_calendar(l->office, max, life_policy(l)), from, NULL, &due, &e) < 0)
		return true;
	moment_human(due.at, true, latest);
	return until <= due.at;
}

static int times_extended(const struct case_record *c)
{
	int n = 0;

	for (size_t i = 0; i < c->errands.n; i++) {
		const struct errand *e = &c->errands.v[i];

		n += e->kind == ERRAND_EXTEND && e->done && e->until != MOMENT_NONE && e->at >= c->leg.started_at;
	}
	return n;
}

static int check_extend(struct life *l)
{
	const struct lifecycle *life = &l->office->life;
	int64_t limit = l->c->leg.due[CLOCK_RESOLVE];
	char text[MOMENT_TEXT];
	int r = check_ask(l, ERRAND_EXTEND);

	if (r)
		return r;
	if (limit == MOMENT_NONE)
		return life_refuse(l, "the case has no limit to resolve that could be moved");
	if (command(l)->until <= limit)
		return life_refuse(l, "the limit is %s; 'until' must be later", moment_human(limit, true, text));
	if (times_extended(l->c) >= life->extend_times)
		return life_refuse(l, "the case was extended %d times in this leg; lifecycle.yaml allows no more",
				   times_extended(l->c));
	if (!is_within(l, &life->extend_max, limit, command(l)->until, text))
		return life_refuse(l, "an extension of this case may last until %s at most", text);
	return 0;
}

static void ask(struct life *l, const struct errand *wanted)
{
	struct errand asked = *wanted;

	asked.seq = life_record(l, "asked", l->c->lead, command(l)->by, why(l), ask_json(l, wanted, false));
	life_add_errand(l, asked);
	tell(l, asked.seq, "asked", asked.from, life_said(l, asked.text), ask_json(l, wanted, true));
	tell(l, asked.seq, "asked", asked.to, life_said(l, asked.text), ask_json(l, wanted, true));
	l->fx->pending = true;
}

/* ---- granting --------------------------------------------------------------------------------- */
static void give_time(struct life *l, const struct errand *asked, int granted)
{
	struct leg *leg = &l->c->leg;
	char old[MOMENT_TEXT], new[MOMENT_TEXT], from[MOMENT_TEXT], to[MOMENT_TEXT];
	int64_t before = leg->due[CLOCK_RESOLVE];
	int seq;

	leg->due[CLOCK_RESOLVE] = asked->until;
	leg->unsure[CLOCK_RESOLVE] = (struct basis){0};
	if (l->c->whole_due != MOMENT_NONE && l->c->whole_due < asked->until)
		l->c->whole_due = asked->until;
	leg_rearm(l->office, l->c, CLOCK_RESOLVE, l->now, l->a);
	seq = life_record(l, "deadline_revised", l->c->lead, NULL,
			  arena_printf(l->a, "resolve %s → %s", moment_human(before, true, from),
				       moment_human(asked->until, true, to)),
			  arena_printf(l->a, "{\"resolve\":{\"old\":\"%s\",\"new\":\"%s\",\"provisional\":false},\"granted\":%d}",
				       moment_rfc3339(before, old), moment_rfc3339(asked->until, new), granted));
	life_tell_revised(l, seq, _("an extension was granted"), arena_printf(l->a, ",\"old\":{\"resolve\":\"%s\"}", old));
	life_reply(l, "extended", asked->text);
}

/* What the pause must remember to be paid back by, whatever the policy says then. */
static const char *pause_json(struct life *l)
{
	json_t *clocks = json_object(), *all = json_pack("{s:s}", "state", case_state_names[l->c->state]);
	const struct policy *policy = life_policy(l);
	const char *copy;
	char *text;

	for (int k = 0; k < N_CLOCKS; k++) {
		const struct calendar *cal = pause_calendar(l->office, policy, (enum clock_name)k);

		if (pause_stops(l->c, policy, (enum clock_name)k))
			json_object_set_new(clocks, clock_names[k], cal ? json_string(cal->name ? cal->name : "") : json_null());
	}
	json_object_set_new(all, "clocks", clocks);
	text = json_dumps(all, JSON_COMPACT);
	copy = arena_strdup(l->a, text);
	free(text);
	json_decref(all);
	return copy;
}

static void pause(struct life *l, const struct errand *asked)
{
	char until[MOMENT_TEXT];
	const char *said = life_said(l, asked->text);
	struct errand pause = {.kind = ERRAND_PAUSE, .from = asked->to, .to = asked->from, .text = asked->text,
			       .request = asked->request, .more = pause_json(l), .until = asked->until, .due = MOMENT_NONE};

	l->c->state = STATE_SUSPENDED;
	pause.seq = life_record(l, "suspended", l->c->lead, NULL, asked->text, ask_json(l, asked, false));
	life_add_errand(l, pause);
	life_tell_queue(l, pause.seq, "suspended", said);
	tell(l, pause.seq, "suspended", asked->to, said,
	     arena_printf(l->a, ",\"until\":\"%s\"", moment_rfc3339(asked->until, until)));
}

/* `asked` is no row of the case: the list of errands may move. */
static void give(struct life *l, const struct errand *asked, const char *note)
{
	int seq = life_record(l, "granted", asked->to, command(l)->by, note, ask_json(l, asked, false));

	tell(l, seq, "granted", asked->from, life_said(l, note), ask_json(l, asked, true));
	tell(l, seq, "granted", asked->to, life_said(l, note), ask_json(l, asked, true));
	if (asked->kind == ERRAND_EXTEND)
		give_time(l, asked, seq);
	else
		pause(l, asked);
}

static int ask_or_have(struct life *l, enum errand_kind kind)
{
	struct errand wanted = {.kind = kind, .from = l->c->lead, .to = grantor(l, kind)->id, .text = why(l),
				.request = command(l)->request, .until = command(l)->until, .due = MOMENT_NONE};

	wanted.until -= wanted.until % 1000000;
	if (strcmp(wanted.from, wanted.to) != 0) {
		ask(l, &wanted);
		return 0;
	}
	give(l, &wanted, wanted.text);
	wanted.done = true;
	wanted.seq = l->c->seq;
	life_add_errand(l, wanted);
	return 0;
}

int command_extend(struct life *l)
{
	int r = check_extend(l);

	return r ? r : ask_or_have(l, ERRAND_EXTEND);
}

int command_suspend(struct life *l)
{
	char latest[MOMENT_TEXT];
	int r = check_ask(l, ERRAND_SUSPEND);

	if (r)
		return r;
	if (!is_within(l, &l->office->life.suspend_max, l->now, command(l)->until, latest))
		return life_refuse(l, "a case may be suspended until %s at most", latest);
	return ask_or_have(l, ERRAND_SUSPEND);
}

/* The open request that is meant; NULL: refused, *ret says how. */
static struct errand *find_asked(struct life *l, int *ret)
{
	const char *of = command(l)->of;
	struct errand *asked = of ? life_errand_asked(l->c, of) : NULL;
	const struct department *by;

	if (!of)
		*ret = life_refuse(l, "%s needs 'of', the request that asked for it", command_action_names[command(l)->action]);
	else if (!asked)
		*ret = life_refuse(l, "no request '%s' about this case waits for an answer", of);
	else if (strcmp(asked->to, command(l)->dept->id) != 0) {
		by = map_get(&l->office->dept_by_id, asked->to);
		*ret = life_refuse(l, "only %s decides about that", by ? by->name : asked->to);
	}
	return *ret ? NULL : asked;
}

int command_grant(struct life *l)
{
	int r = 0;
	struct errand *open = find_asked(l, &r), asked;

	if (!open)
		return r;
	if (open->until <= l->now)
		return life_refuse(l, "the time that was asked for is over; deny it");
	asked = *open;
	open->done = true;
	give(l, &asked, command(l)->note);
	return 0;
}

/* What was refused leaves no time behind: it does not count as an extension. */
static void refuse_ask(struct life *l, struct errand *asked, const char *by, const char *note)
{
	const char *detail = ask_json(l, asked, false), *more = ask_json(l, asked, true);
	int seq = life_record(l, "denied", asked->to, by, note, detail);

	asked->done = true;
	asked->until = MOMENT_NONE;
	tell(l, seq, "denied", asked->from, life_said(l, note), more);
	tell(l, seq, "denied", asked->to, life_said(l, note), more);
}

int command_deny(struct life *l)
{
	int r = 0;
	struct errand *asked = find_asked(l, &r);

	if (!asked)
		return r;
	refuse_ask(l, asked, command(l)->by, why(l));
	return 0;
}

void grants_settle(struct life *l)
{
	bool over = life_is_done(l->c);

	for (size_t i = 0; i < l->c->errands.n; i++) {
		struct errand *e = &l->c->errands.v[i];

		if (e->done || (e->kind != ERRAND_EXTEND && e->kind != ERRAND_SUSPEND && e->kind != ERRAND_PAUSE))
			continue;
		if (e->kind == ERRAND_PAUSE)
			e->done = l->c->state != STATE_SUSPENDED;
		else if (over || strcmp(e->from, l->c->lead) != 0)
			refuse_ask(l, e, NULL, over ? _("no longer needed: the case is done") : _("the case went to another"));
	}
}

/* ---- going on --------------------------------------------------------------------------------- */
static const struct calendar *calendar_of(const struct life *l, const json_t *name)
{
	const struct calendar *cal;

	if (!json_is_string(name))
		return NULL;
	cal = map_get(&l->office->calendar_by_name, json_string_value(name));
	return cal ? cal : l->office->default_calendar;
}

/* Clock k had `due` when it stopped; a limit that had passed before stays where it was. */
static void pay_back(struct life *l, enum clock_name k, const struct calendar *cal, const struct errand *pause, int64_t at)
{
	struct leg *leg = &l->c->leg;
	int64_t paused = work_between(cal, pause->at - pause->at % 1000000, at - at % 1000000);

	if (k == CLOCK_RESOLVE && l->c->whole_due != MOMENT_NONE && l->c->whole_due > pause->at)
		l->c->whole_due = work_shift(cal, l->c->whole_due, paused);
	if (leg->due[k] == MOMENT_NONE || leg->met[k] != MOMENT_NONE || leg->due[k] <= pause->at)
		return;
	leg->due[k] = work_shift(cal, leg->due[k], paused);
	leg->unsure[k].paused += leg->unsure[k].spec ? paused : 0;
}

static const char *old_limits(struct life *l, const int64_t before[N_CLOCKS])
{
	char text[MOMENT_TEXT];
	struct str t = {0};
	const char *json;

	for (int k = 0; k < N_CLOCKS; k++)
		if (before[k] != l->c->leg.due[k])
			str_addf(&t, "%s\"%s\":\"%s\"", t.len ? "," : ",\"old\":{", clock_names[k],
				 moment_rfc3339(before[k], text));
	if (t.len)
		str_addc(&t, '}');
	json = arena_strdup(l->a, t.s ? t.s : "");
	str_done(&t);
	return json;
}

void life_resume(struct life *l, int64_t at, const char *dept, const char *by, const char *note, const char *detail)
{
	struct errand *pause = life_errand(l->c, ERRAND_PAUSE, NULL);
	json_t *more = pause && pause->more ? json_loads(pause->more, 0, NULL) : NULL;
	int state = name_index(case_state_names, N_CASE_STATE, json_string_value(json_object_get(more, "state")));
	int64_t before[N_CLOCKS];
	const char *name, *old;
	json_t *calendar;
	int seq;

	memcpy(before, l->c->leg.due, sizeof(before));
	json_object_foreach(json_object_get(more, "clocks"), name, calendar) {
		int k = name_index(clock_names, N_CLOCKS, name);

		if (k >= 0)
			pay_back(l, (enum clock_name)k, calendar_of(l, calendar), pause, at);
	}
	json_decref(more);
	if (pause)
		partners_pay_back(l, pause->at, at);
	l->c->state = state < 0 ? STATE_ACCEPTED : (enum case_state)state;
	old = old_limits(l, before);
	seq = life_record(l, "resumed", dept ? dept : l->c->lead, by, note, detail);
	tell(l, seq, "resumed", l->c->lead, life_said(l, note), old);
	life_tell_queue(l, seq, "resumed", life_said(l, note));
	if (!pause)
		return;
	pause->done = true;
	tell(l, seq, "resumed", pause->from, life_said(l, note), old);
}

int command_resume(struct life *l)
{
	const struct errand *pause = life_errand(l->c, ERRAND_PAUSE, NULL);
	const char *dept = command(l)->dept->id;

	if (!command_is_lead(l) && !(pause && str_equal(pause->from, dept)))
		return life_refuse(l, "only the lead or who granted the pause ends it");
	life_resume(l, l->now, dept, command(l)->by, command(l)->note, NULL);
	return 0;
}
