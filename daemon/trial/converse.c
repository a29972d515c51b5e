/*
 * A conversation: each turn goes through the same functions as in the bridge, and what a report of it would
 * become through the gateway's own.
 */
#include <string.h>

#include "base/err.h"
#include "base/tongue.h"
#include "core/talk/talk.h"
#include "core/time/moment.h"
#include "trial/parts.h"
#include "trial/sample.h"

struct talk_play {
	struct attempt *at;
	struct talk_state state;
	int64_t now;
	size_t n;
	const struct talk_action *sent, *said;  /* of this turn, or NULL */
};

static const char *text_of(const struct test_step *turn, const char *key)
{
	const struct test_value *value = test_value(&turn->act, key);

	return value && value->texts.n ? value->texts.v[0] : NULL;
}

static void note(struct talk_play *p, const struct talk_result *result)
{
	for (size_t i = 0; i < result->n; i++)
		if (result->v[i].kind == TALK_SAY)
			p->said = &result->v[i];
		else
			p->sent = &result->v[i];
}

static void take_turn(struct talk_play *p, const struct test_step *turn)
{
	static const struct talk_media picture = {"https://example.invalid/1.jpg", "image/jpeg", NULL};
	struct arena *a = &p->at->scratch;
	const struct test_value *has_picture = test_value(&turn->act, "picture");
	struct talk_message m = {.id = arena_printf(a, "m%zu", p->n), .at = p->now, .text = text_of(turn, "say"),
				 .address = text_of(turn, "address"), .media = &picture,
				 .n_media = has_picture && test_value_is_yes(has_picture)};
	struct talk_result *result = arena_alloc(a, sizeof(*result));

	if (text_of(turn, "hear"))
		talk_heard(&p->state, text_of(turn, "hear"), p->state.about, a);
	talk_step(p->at->office, &p->state, &m, a, result);
	note(p, result);
}

/* Who takes the report that was sent; "-" for what is none. */
static const char *dept_of(struct talk_play *p, struct err *e)
{
	struct attempt *at = p->at;
	const struct test_value *id = test_value(&at->test->in, "channel");
	const struct channel *channel = id ? map_get(&at->office->channel_by_id, id->texts.v[0]) : NULL;
	const struct talk_message *m = p->sent ? &p->sent->message : NULL;
	struct decision decision = {0};
	struct understood u = {0};
	json_t *members;
	int r;

	if (!channel || !m || p->sent->kind != TALK_REPORT)
		return NULL;
	members = json_pack("{s:s*}", "text", m->text);
	if (m->address)
		sample_put(members, "place.address", json_string(m->address));
	r = sample_understand(at->office, channel, members, p->now, &at->scratch, &u, e);
	json_decref(members);
	if (r == 0 && u.n_reports)
		route(at->office, &u.reports[0], &at->scratch, 0, &decision);
	understood_done(&u);
	return decision.dept ? decision.dept->id : NULL;
}

static const char *kind_of(const struct talk_play *p)
{
	return p->sent ? talk_kind_names[p->sent->kind] : "nothing";
}

static void check_turn(struct talk_play *p, const struct test_step *turn)
{
	const struct talk_action *x = p->sent;

	for (size_t i = 0; i < turn->expect.n; i++) {
		const struct test_value *value = &turn->expect.v[i];
		const char *got = NULL, *key = value->key, *want = value->texts.n ? value->texts.v[0] : "";
		struct err e = {0};

		if (strcmp(key, "kind") == 0)
			got = kind_of(p);
		else if (strcmp(key, "text") == 0)
			got = x ? x->message.text : NULL;
		else if (strcmp(key, "address") == 0)
			got = x ? x->message.address : NULL;
		else if (strcmp(key, "score") == 0)
			got = x && x->kind == TALK_RATE ? talk_word_names[x->score] : NULL;
		else if (strcmp(key, "line") == 0)
			got = p->said ? talk_line_names[p->said->line] : NULL;
		else
			got = dept_of(p, &e);
		if (!got || strcmp(want, got) != 0)
			attempt_fail(p->at, &value->at, key, want, got, *e.text ? err_said(&e) : NULL);
	}
}

static bool turn_time(struct talk_play *p, const struct test_step *turn)
{
	const struct attempt *at = p->at;
	struct due due = {.at = turn->text ? turn->at : p->now};
	struct err e = {0};

	if (turn->has_span && deadline_due(&turn->span, at->office->default_calendar, at->test->now, NULL, &due, &e) < 0) {
		attempt_fail(p->at, &turn->mark, "at", turn->text, err_said(&e), NULL);
		return false;
	}
	if (due.at < p->now) {
		attempt_fail(p->at, &turn->mark, "at", attempt_time(p->now, &p->at->scratch),
			     attempt_time(due.at, &p->at->scratch), _("times of a timeline must grow"));
		return false;
	}
	p->now = due.at;
	return true;
}

void attempt_talk(struct attempt *at)
{
	struct talk_play p = {.at = at, .now = at->test->now};

	for (size_t i = 0; i < at->test->n_talk; i++) {
		const struct test_step *turn = &at->test->talk[i];

		p.n++;
		p.sent = p.said = NULL;
		if (!turn_time(&p, turn))
			return;
		/* A turn without words is time that passes. */
		if (turn->acts) {
			take_turn(&p, turn);
		} else {
			struct talk_result *result = arena_alloc(&at->scratch, sizeof(*result));

			talk_tick(at->office, &p.state, p.now, &at->scratch, result);
			note(&p, result);
		}
		check_turn(&p, turn);
	}
}
