/*
 * A timeline. The clock jumps from one thing that falls due to the next, as the dispatcher would wake
 * for it, so that what a step of the ladder does depends on nothing but the case; then the moment of the
 * timeline itself comes, with what is done there, and what happened since the moment before is compared.
 */
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "base/tongue.h"
#include "core/life/clocks.h"
#include "core/life/event.h"
#include "core/time/moment.h"
#include "trial/parts.h"
#include "trial/sample.h"

struct play {
	struct attempt *at;
	int64_t now, wake_at;
	ALIST(struct event_row) said;   /* since the moment before */
	const char *refused;            /* of this moment's `do`, or NULL */
	int n;                          /* moments so far */
};

static void hear(struct play *p, const struct effects *fx)
{
	for (size_t i = 0; i < fx->events.n; i++)
		ALIST_PUSH(&p->at->scratch, &p->said, fx->events.v[i]);
	p->wake_at = fx->wake_at;
}

static void take_step(struct play *p, const struct action *action)
{
	struct effects fx;

	if (life_step(p->at->office, &p->at->record, action, p->now, &p->at->scratch, &fx) == 0)
		hear(p, &fx);
	else
		p->refused = fx.refused;
}

static void wait_until(struct play *p, int64_t until)
{
	static const struct action tick = {.what = LIFE_TICK};

	while (p->wake_at != MOMENT_NONE && p->wake_at <= until) {
		if (p->now < p->wake_at)
			p->now = p->wake_at;
		take_step(p, &tick);
	}
	p->now = until;
}

/* ---- what is done ---- */

static json_t *members_of(const struct play *p, const struct test_step *step)
{
	json_t *members = json_pack("{s:i,s:s}", "v", 1, "case", p->at->record.number);

	for (size_t i = 0; i < step->act.n; i++)
		if (strcmp(step->act.v[i].key, "dept") != 0)
			sample_put(members, step->act.v[i].key, attempt_json(step->act.v[i].row, step->act.v[i].node));
	return members;
}

static int command_act(struct play *p, const char *dept, json_t *members, struct err *e)
{
	const struct office *office = p->at->office;
	CLEANUP(mem_freep) char *payload = NULL;
	struct understood u = {0};
	struct message m = {.received_at = p->now};
	int r;

	if (!json_object_get(members, "request"))
		json_object_set_new(members, "request", json_sprintf("test-%d", p->n));
	payload = json_dumps(members, JSON_COMPACT);
	m.topic = topic_dept(office, dept, "cmd", NULL, &p->at->scratch);
	m.payload = payload;
	m.payload_len = strlen(payload);
	r = understand(office, NULL, NULL, &m, &p->at->scratch, &u, e);
	if (r == 0)
		take_step(p, &(struct action){.what = (enum life_action)(LIFE_COMMAND + (int)u.command.action), .command = &u.command,
					      .report = &p->at->understood.reports[0]});
	understood_done(&u);
	return r;
}

static int report_act(struct play *p, json_t *members, struct err *e)
{
	struct attempt *at = p->at;
	struct understood u = {0};
	int r;

	if (!json_object_get(members, "id"))
		json_object_set_new(members, "id", json_sprintf("test-%d", p->n));
	r = sample_understand(at->office, at->understood.reports[0].channel, members, p->now, &at->scratch, &u, e);
	if (r == 0 && u.n_reports)
		take_step(p, &(struct action){.what = life_action_of(u.reports[0].kind), .report = &u.reports[0]});
	understood_done(&u);
	return r;
}

static void act(struct play *p, const struct test_step *step)
{
	const struct test_value *dept = test_value(&step->act, "dept"), *wanted = test_value(&step->expect, "result");
	json_t *members = members_of(p, step);
	struct err e = {0};

	if ((dept ? command_act(p, dept->texts.v[0], members, &e) : report_act(p, members, &e)) < 0)
		p->refused = arena_strdup(&p->at->scratch, err_said(&e));
	json_decref(members);
	if (p->refused && !wanted)
		attempt_fail(p->at, &step->act.v[0].at, "do", "done", p->refused, NULL);
}

/* ---- what is expected ---- */

static const char *event_kind(const struct event_row *ev, struct arena *a)
{
	(void)a;
	return ev->kind;
}

static const char *event_dept(const struct event_row *ev, struct arena *a)
{
	(void)a;
	return ev->target;
}

static const char *event_to(const struct event_row *ev, struct arena *a)
{
	(void)a;
	return ev->to;
}

static const char *event_role(const struct event_row *ev, struct arena *a)
{
	(void)a;
	return ev->role;
}

static const char *event_clock(const struct event_row *ev, struct arena *a)
{
	(void)a;
	return ev->clock;
}

static const char *event_level(const struct event_row *ev, struct arena *a)
{
	return ev->level ? arena_printf(a, "%d", ev->level) : NULL;
}

static const struct {
	const char *key;
	const char *(*get)(const struct event_row *ev, struct arena *a);
} members[] = {{"event", event_kind}, {"dept", event_dept}, {"to", event_to},
	       {"role", event_role}, {"level", event_level}, {"clock", event_clock}};

static bool agrees(struct play *p, const struct event_row *ev, size_t i, const struct test_value *value)
{
	return !value || str_equal(value->texts.v[0], members[i].get(ev, &p->at->scratch));
}

/* The event of that kind that agrees in most; NULL when there is none. */
static const struct event_row *nearest(struct play *p, const struct test_values *expect)
{
	const struct event_row *best = NULL;
	size_t most = 0;

	for (size_t k = 0; k < p->said.n; k++) {
		const struct event_row *ev = &p->said.v[k];
		size_t same = 0;

		if (!ev->kind || !agrees(p, ev, 0, test_value(expect, members[0].key)))
			continue;
		for (size_t i = 0; i < ARRAY_LEN(members); i++)
			same += agrees(p, ev, i, test_value(expect, members[i].key));
		if (!best || same > most) {
			best = ev;
			most = same;
		}
	}
	return best;
}

static const char *all_said(const struct play *p)
{
	CLEANUP(str_done) struct str t = {.max = 300};

	for (size_t i = 0; i < p->said.n; i++)
		if (p->said.v[i].kind)
			str_addf(&t, "%s%s %s", t.len ? ", " : "", p->said.v[i].kind, p->said.v[i].target);
	return t.len ? arena_strdup(&p->at->scratch, t.s) : NULL;
}

static void check_event(struct play *p, const struct test_values *expect)
{
	const struct test_value *first = NULL;
	const struct event_row *ev;

	for (size_t i = 0; !first && i < ARRAY_LEN(members); i++)
		first = test_value(expect, members[i].key);
	if (!first)
		return;
	ev = nearest(p, expect);
	if (!ev) {
		attempt_fail(p->at, &first->at, first->key, first->texts.v[0], all_said(p), NULL);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const struct test_value *value = test_value(expect, members[i].key);

		if (!agrees(p, ev, i, value))
			attempt_fail(p->at, &value->at, value->key, value->texts.v[0],
				     members[i].get(ev, &p->at->scratch), ev->why);
	}
}

static void check_no_event(struct play *p, const struct test_value *value)
{
	for (size_t i = 0; value && i < p->said.n; i++)
		if (str_equal(p->said.v[i].kind, value->texts.v[0])) {
			attempt_fail(p->at, &value->at, value->key, value->texts.v[0], all_said(p), p->said.v[i].why);
			return;
		}
}

/* "out/late", or "out/status-…" of one question among many; NULL: no reply. */
static const char *reply_kind(struct play *p, const struct event_row *ev)
{
	const char *kind = ev->target + strlen("out/");

	return strncmp(ev->target, "out/", 4) == 0 ? arena_strndup(&p->at->scratch, kind, strcspn(kind, "-")) : NULL;
}

static void check_reply(struct play *p, const struct test_value *value)
{
	CLEANUP(str_done) struct str heard = {.max = 300};

	for (size_t i = 0; value && i < p->said.n; i++) {
		const char *kind = reply_kind(p, &p->said.v[i]);

		if (!kind)
			continue;
		if (strcmp(kind, value->texts.v[0]) == 0)
			return;
		str_addf(&heard, "%s%s", heard.len ? ", " : "", kind);
	}
	if (value)
		attempt_fail(p->at, &value->at, value->key, value->texts.v[0], heard.len ? heard.s : NULL, NULL);
}

static void check_text(struct play *p, const struct test_value *value, const char *got, const char *why)
{
	if (value && !str_equal(value->texts.v[0], got))
		attempt_fail(p->at, &value->at, value->key, value->texts.v[0], got, why);
}

static void check(struct play *p, const struct test_step *step)
{
	const struct case_record *c = &p->at->record;

	check_event(p, &step->expect);
	check_no_event(p, test_value(&step->expect, "not_event"));
	check_reply(p, test_value(&step->expect, "reply"));
	check_text(p, test_value(&step->expect, "result"), !step->acts ? NULL : p->refused ? "refused" : "done",
		   p->refused);
	check_text(p, test_value(&step->expect, "state"), case_state_names[c->state], NULL);
	check_text(p, test_value(&step->expect, "lead"), c->lead, NULL);
}

/* ---- the moments ---- */

static bool moment_of(struct play *p, const struct test_step *step, int64_t *ret)
{
	const struct attempt *at = p->at;
	struct due due = {.at = step->at};
	struct err e = {0};

	if (step->has_span && deadline_due(&step->span, office_calendar(at->office, &step->span, at->decision.policy),
					   at->test->now, NULL, &due, &e) < 0) {
		attempt_fail(p->at, &step->mark, "at", step->text, err_said(&e), NULL);
		return false;
	}
	if (p->n > 1 ? due.at <= p->now : due.at < p->now) {
		attempt_fail(p->at, &step->mark, "at",
			     arena_printf(&p->at->scratch, _("later than %s"), attempt_time(p->now, &p->at->scratch)),
			     attempt_time(due.at, &p->at->scratch), _("times of a timeline must grow"));
		return false;
	}
	*ret = due.at;
	return true;
}

void attempt_play(struct attempt *at)
{
	struct play p = {.at = at, .now = at->test->now};

	hear(&p, &at->opening);
	for (size_t i = 0; i < at->test->n_steps; i++) {
		const struct test_step *step = &at->test->steps[i];
		int64_t until;

		p.n++;
		if (!moment_of(&p, step, &until))
			return;
		wait_until(&p, until);
		p.refused = NULL;
		if (step->acts)
			act(&p, step);
		check(&p, step);
		p.said.n = 0;
	}
}
