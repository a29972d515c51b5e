/*
 * Replies, from the disk to whoever carries them. What happened to one is written down in two steps:
 * first that it is settled and how, then that `delivered` is in the outbox. A kill between the two
 * repeats only the second, so the other side is never told twice because of it.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/str.h"
#include "bridge/bridge_parts.h"
#include "core/time/moment.h"

enum { SECOND_US = 1000000, DOUBLINGS = 12, ID_MAX = 128 - 10 };     /* with ":delivered" behind it */
/* While somebody is at it; whoever takes it says what came of it. */
static const int64_t taken_us = INT64_C(3600) * SECOND_US;
static const int64_t pause_max_us = INT64_C(3600) * SECOND_US;

static const char *text_of(const json_t *json, const char *member)
{
	const char *text = json_string_value(json_object_get(json, member));

	return text ? text : "";
}

static void reply_free(struct bridge_reply *r)
{
	json_decref(r->json);
	queue_item_done(&r->item);
	*r = (struct bridge_reply){0};
}

/* `how`: "1 way" or "0 way", as it was settled. */
static int tell_gateway(struct bridge *b, const struct bridge_reply *r, const char *how, struct err *e)
{
	json_t *report = json_pack("{s:i, s:o, s:s, s:s, s:s, s:b, s:s}", "v", 1, "id",
				   json_sprintf("%s:delivered", r->id), "kind", "delivered", "case", r->case_number, "reply",
				   r->id, "ok", how[0] == '1', "way", how[0] ? how + 2 : "");
	CLEANUP(mem_freep) char *text = report ? json_dumps(report, JSON_COMPACT) : NULL;
	int rc = 0;

	json_decref(report);
	/*
	 * Beyond the outbox's limit: one for each reply, and those are limited. An answer to a question with a
	 * very long id has one itself: the gateway would not take it, and no clock waits for it.
	 */
	if (text && str_is_case_number(r->case_number) && strlen(r->id) <= ID_MAX) {
		char key[BRIDGE_KEY];

		bridge_key(text, strlen(text), key);
		rc = queue_put(b->outbox, key, text, strlen(text), e);
		if (rc == 0)
			bridge_wake_for_new(b);
	}
	return rc < 0 ? rc : 0;
}

/* The second step; what fails is tried again by the next take. */
static void finish(struct bridge *b, struct bridge_reply *r, const char *how)
{
	struct err e = {0};

	fault_point("bridge-settled");
	if (tell_gateway(b, r, how, &e) < 0) {
		log_error("bridge.outbox", "%s", e.text);
		queue_later(b->replies, r->item.key, clock_mono_us() + b->s->first_retry_us);
	} else {
		queue_done(b->replies, r->item.key, true);
	}
	reply_free(r);
}

static void read_reply(struct bridge_reply *r)
{
	r->json = json_loadb(r->item.payload, r->item.len, 0, NULL);
	r->id = r->item.key;
	r->case_number = text_of(r->json, "case");
	r->about = text_of(r->json, "about");
	r->kind = text_of(r->json, "kind");
	r->text = text_of(r->json, "text");
	r->to = json_object_get(r->json, "to");
}

int bridge_reply_take(struct bridge *b, struct bridge_reply *ret, struct err *e)
{
	for (;;) {
		int64_t now = clock_mono_us();
		int r;

		*ret = (struct bridge_reply){0};
		r = queue_take(b->replies, now, now + taken_us, &ret->item, e);
		if (r != 0)
			return r;
		read_reply(ret);
		if (!ret->item.settled)
			return 0;
		finish(b, ret, ret->item.settled);
	}
}

void bridge_reply_done(struct bridge *b, struct bridge_reply *r, bool ok, const char *way, const char *why)
{
	char how[64];
	struct err e = {0};

	snprintf(how, sizeof(how), "%d %s", ok, way);
	figure_count(ok ? FIGURE_DELIVERED : FIGURE_UNDELIVERED);
	if (!ok) {
		log_warn("bridge.undelivered", "reply %s of case %s is given up: %s", r->kind, r->case_number, why);
		bridge_set_aside(b, "reply", why, NULL, r->item.payload, r->item.len);
	}
	if (queue_settle(b->replies, r->item.key, how, &e) < 0)
		log_error("bridge.replies", "%s", e.text);
	finish(b, r, how);
}

void bridge_reply_later(struct bridge *b, struct bridge_reply *r, const char *way, const char *why)
{
	int tries = r->item.tries < DOUBLINGS ? r->item.tries : DOUBLINGS;
	int64_t pause = b->s->first_retry_us << tries;

	if (clock_now_us() - r->item.put_us > b->s->give_up_us) {
		bridge_reply_done(b, r, false, way, why);
		return;
	}
	figure_count(FIGURE_RETRIES);
	if (!tries)
		log_warn("bridge.retry", "reply %s of case %s: %s; it is tried again", r->kind, r->case_number, why);
	queue_later(b->replies, r->item.key, clock_mono_us() + (pause < pause_max_us ? pause : pause_max_us));
	reply_free(r);
}

void bridge_reply_put_back(struct bridge *b, struct bridge_reply *r, int64_t pause_us)
{
	queue_later(b->replies, r->item.key, clock_mono_us() + pause_us);
	reply_free(r);
}

void bridge_reply_drop(struct bridge *b, struct bridge_reply *r)
{
	queue_done(b->replies, r->item.key, false);
	reply_free(r);
}

int64_t bridge_reply_next_due(struct bridge *b)
{
	return queue_next_due(b->replies);
}
