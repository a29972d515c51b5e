/*
 * The ladder. What no callback carried goes by customer service while the person's last word is young enough,
 * then by a template message or a subscribed notice, then it is a task for staff: the gateway is told that it did not arrive, and
 * robots with `unreachable` say so. An app of WeCom reaches its members at any time. Which way it was goes back
 * with `delivered`.
 */
#include <openssl/evp.h>
#include <string.h>

#include "api.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/pulse.h"
#include "base/str.h"
#include "core/time/moment.h"
#include "wechat.h"

enum { TEXT_MAX = 2000, FIELD_MAX = 200, REST_US = 1000000, PAUSE_US = 5000000, READ_AGAIN_US = 60000000 };
static const int64_t robot_gives_up_us = INT64_C(86400000000);

enum rung { RUNG_DONE, RUNG_NEXT, RUNG_LATER };

struct courier {
	struct wechat *w;
	struct caller caller;
	int64_t robot_sent[ROBOTS_MAX][64];     /* of the last minute, a ring */
	size_t robot_at[ROBOTS_MAX];
};

/* At most n bytes, whole characters. */
static const char *cut(const char *text, size_t n, struct arena *a)
{
	size_t len = strlen(text);

	if (len <= n)
		return text;
	for (len = n - strlen("…"); len && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
		;
	return arena_printf(a, "%.*s…", (int)len, text);
}

static enum rung rung_of(int r, const struct err *e)
{
	if (r == 0)
		return RUNG_DONE;
	if (r < 0 && e->class == ERR_AGAIN)
		return RUNG_LATER;
	return RUNG_NEXT;
}

static enum rung post(struct courier *c, const struct wechat_account *account, const char *path, json_t *body, json_t **ret,
		      struct err *e)
{
	json_t *answer = NULL;
	int64_t code = 0;
	int r = api_call(&c->caller, account, path, "", body, &answer, &code, e);

	json_decref(body);
	if (r == API_NO)
		log_info("wechat.refused-reply", "%s: the platform refuses %s: errcode %lld", account->name, path, (long long)code);
	if (ret)
		*ret = answer;
	else
		json_decref(answer);
	return rung_of(r, e);
}

/* ---- the ways -------------------------------------------------------------------------------- */

static enum rung by_app(struct courier *c, const struct person *who, const char *text, struct err *e)
{
	json_t *answer = NULL;
	enum rung rung = post(c, who->account, "/cgi-bin/message/send",
			      json_pack("{s:s,s:s,s:I,s:{s:s}}", "touser", who->user, "msgtype", "text", "agentid",
					(json_int_t)who->account->agent, "text", "content", text), &answer, e);

	if (rung == RUNG_DONE && json_string_length(json_object_get(answer, "invaliduser")))
		rung = RUNG_NEXT;
	json_decref(answer);
	return rung;
}

/* 32 characters of the reply's own id: the platform then knows a second try. */
static void once_id(const char *id, char ret[33])
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (!EVP_Digest(id, strlen(id), digest, NULL, EVP_sha256(), NULL))
		mem_die("sha256");
	str_hex(digest, 16, ret);
}

static enum rung by_service(struct courier *c, const struct person *who, const char *id, const char *text, struct err *e)
{
	char once[33];
	enum rung rung;

	if (!people_may_hear(c->w->people, who, clock_now_us(), false))
		return RUNG_NEXT;
	once_id(id, once);
	if (who->kf)
		rung = post(c, who->account, "/cgi-bin/kf/send_msg",
			    json_pack("{s:s,s:s,s:s,s:s,s:{s:s}}", "touser", who->user, "open_kfid", who->kf, "msgid", once, "msgtype",
				      "text", "text", "content", text), NULL, e);
	else
		rung = post(c, who->account, "/cgi-bin/message/custom/send",
			    json_pack("{s:s,s:s,s:{s:s}}", "touser", who->user, "msgtype", "text", "text", "content", text), NULL, e);
	if (rung == RUNG_DONE)
		people_may_hear(c->w->people, who, clock_now_us(), true);
	return rung;
}

static const struct wechat_template *template_for(const struct wechat_account *account, const char *kind)
{
	const struct wechat_template *other = NULL;

	for (size_t i = 0; i < account->n_templates; i++) {
		if (strcmp(account->templates[i].kind, kind) == 0)
			return &account->templates[i];
		if (strcmp(account->templates[i].kind, "other") == 0)
			other = &account->templates[i];
	}
	return other;
}

static const char *filled(const char *form, const struct bridge_reply *r, struct arena *a)
{
	CLEANUP(str_done) struct str t = {0};
	char now[MOMENT_TEXT];
	const struct {
		const char *name, *text;
	} marks[] = {{"{case}", r->case_number}, {"{text}", r->text}, {"{kind}", r->kind},
		     {"{time}", moment_human(clock_now_us(), false, now)}};

	while (*form) {
		size_t i = 0;

		while (i < ARRAY_LEN(marks) && strncmp(form, marks[i].name, strlen(marks[i].name)) != 0)
			i++;
		if (i < ARRAY_LEN(marks)) {
			str_add(&t, marks[i].text);
			form += strlen(marks[i].name);
		} else {
			str_addc(&t, *form++);
		}
	}
	return cut(arena_strdup(a, t.s ? t.s : ""), FIELD_MAX, a);
}

static enum rung by_template(struct courier *c, const struct person *who, const struct bridge_reply *r, struct arena *a,
			     struct err *e)
{
	const struct wechat_template *t = template_for(who->account, r->kind);
	json_t *data;

	if (!t || who->kf)
		return RUNG_NEXT;
	data = json_object();
	for (size_t i = 0; i < t->n; i++)
		json_object_set_new(data, t->names[i], json_pack("{s:s}", "value", filled(t->texts[i], r, a)));
	return post(c, who->account, t->subscription ? "/cgi-bin/message/subscribe/bizsend" : "/cgi-bin/message/template/send",
		    json_pack("{s:s,s:s,s:s*,s:o}", "touser", who->user, "template_id", t->id, t->subscription ? "page" : "url", t->page,
			      "data", data), NULL, e);
}

/* ---- a reply --------------------------------------------------------------------------------- */

static bool reader_of(const struct courier *c, const json_t *to, struct person *ret)
{
	const char *account = json_string_value(json_object_get(to, "account"));

	*ret = (struct person){account ? wechat_account(c->w, account) : NULL, json_string_value(json_object_get(to, "user")),
			       json_string_value(json_object_get(to, "kf"))};
	return ret->account && ret->user;
}

/* A reply's kind as people in a group read it. */
static const char *kind_name(const char *kind)
{
	static const struct {
		const char *kind, *name;
	} names[] = {{"registered", "登记"}, {"accepted", "签收"}, {"contacted", "联系"}, {"progress", "进展"},
		     {"returned", "重新分派"}, {"extended", "延期"}, {"late", "超期"}, {"resolved", "办结"},
		     {"ask_rating", "请评价"}, {"closed", "销号"}, {"rejected", "不予受理"}, {"status", "进度"}};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i].kind, kind) == 0)
			return names[i].name;
	return kind;
}

/*
 * A kill between the outbox and the shelf: the answer is here before the message has been read again, and
 * nobody remembers who has said it. It is read again soon.
 */
static bool is_too_early(struct courier *c, const struct person *who, const struct bridge_reply *r)
{
	return strcmp(r->kind, "registered") == 0 && (who->kf || who->account->kind == ACCOUNT_MP) &&
	       clock_now_us() - r->item.put_us < READ_AGAIN_US && !people_know(c->w->people, who);
}

static void for_staff(struct courier *c, struct bridge_reply *r)
{
	CLEANUP(str_done) struct str text = {0};

	str_addf(&text, "【答复未送达】%s 的答复（%s）无法经微信送达，请电话联系诉求人。", r->case_number, kind_name(r->kind));
	news_put(c->w, "unreachable", r->id, text.s);
	waiter_reply_done(c->w->waiter, r, false, "staff", "no way in WeChat reaches this person");
}

static void carry(struct courier *c, struct bridge_reply *r)
{
	struct arena a = {.block_size = 4096};
	const char *text = cut(r->text, TEXT_MAX, &a), *way = "service";
	enum rung rung = RUNG_NEXT;
	struct person who;
	struct err e = {0};

	if (!*text) {
		waiter_reply_done(c->w->waiter, r, true, "none", "");
		arena_done(&a);
		return;
	}
	if (reader_of(c, r->to, &who)) {
		if (is_too_early(c, &who, r)) {
			waiter_reply_later(c->w->waiter, r, way, "its message is not remembered yet");
			arena_done(&a);
			return;
		}
		if (who.account->kind == ACCOUNT_WECOM && !who.kf) {
			way = "app";
			rung = by_app(c, &who, text, &e);
		} else {
			rung = by_service(c, &who, r->id, text, &e);
		}
		if (rung == RUNG_NEXT && who.account->kind == ACCOUNT_MP) {
			way = "template";
			rung = by_template(c, &who, r, &a, &e);
		}
	}
	if (rung == RUNG_DONE)
		waiter_reply_done(c->w->waiter, r, true, way, "");
	else if (rung == RUNG_LATER)
		waiter_reply_later(c->w->waiter, r, way, e.text);
	else
		for_staff(c, r);
	arena_done(&a);
}

/* A reply that robots asked for, by its kind. */
static void tell_of(struct courier *c, const struct bridge_reply *r)
{
	CLEANUP(str_done) struct str text = {0};

	str_addf(&text, "【%s】%s", kind_name(r->kind), r->case_number);
	news_put(c->w, r->kind, r->id, text.s);
}

/* ---- our own lines --------------------------------------------------------------------------- */

static json_t *payload_of(const struct queue_item *item)
{
	return json_loadb(item->payload, item->len, 0, NULL);
}

static bool one_line(struct courier *c)
{
	struct arena a = {.block_size = 4096};
	int64_t now = clock_mono_us();
	enum rung rung = RUNG_NEXT;
	struct queue_item item;
	struct person who;
	struct err e = {0};
	json_t *json;

	if (queue_take(c->w->says, now, now + 60 * INT64_C(1000000), &item, &e) != 0)
		return false;
	json = payload_of(&item);
	if (reader_of(c, json, &who)) {
		const char *text = json_string_value(json_object_get(json, "text"));

		rung = who.account->kind == ACCOUNT_WECOM && !who.kf ? by_app(c, &who, text ? text : "", &e)
								     : by_service(c, &who, item.key, text ? text : "", &e);
	}
	/* A question is of use for a while only. */
	if (rung == RUNG_LATER && clock_now_us() - item.put_us < 600 * INT64_C(1000000))
		queue_later(c->w->says, item.key, clock_mono_us() + PAUSE_US);
	else
		queue_done(c->w->says, item.key, true);
	json_decref(json);
	queue_item_done(&item);
	arena_done(&a);
	return true;
}

/* ---- robots ---------------------------------------------------------------------------------- */

/* When this robot may speak again; now or earlier: at once. */
static int64_t robot_free_at(struct courier *c, size_t i)
{
	size_t n = (size_t)c->w->s.robots[i].per_minute;
	int64_t oldest;

	if (n > ARRAY_LEN(c->robot_sent[i]))
		n = ARRAY_LEN(c->robot_sent[i]);
	oldest = c->robot_sent[i][(c->robot_at[i] + ARRAY_LEN(c->robot_sent[i]) - n) % ARRAY_LEN(c->robot_sent[i])];
	return oldest ? oldest + 60 * INT64_C(1000000) : 0;
}

static bool speak(struct courier *c, const struct wechat_robot *robot, const char *text, struct err *e)
{
	json_t *body = json_pack("{s:s,s:{s:s}}", "msgtype", "text", "text", "content", text), *answer;
	CLEANUP(mem_freep) char *out = json_dumps(body, JSON_COMPACT);
	int r = caller_ask(&c->caller, robot->url, out, 0, e);

	json_decref(body);
	if (r < 0)
		return false;
	answer = json_loadb(c->caller.answer.body.s, c->caller.answer.body.len, 0, NULL);
	r = json_is_object(answer) && json_integer_value(json_object_get(answer, "errcode")) == 0;
	if (!r)
		err_set(e, ERR_AGAIN, "the robot %s is refused: errcode %lld", robot->name,
			(long long)json_integer_value(json_object_get(answer, "errcode")));
	json_decref(answer);
	return r;
}

static void one_news(struct courier *c, size_t i, struct queue_item *item, const char *text)
{
	struct err e = {0};
	int64_t now = clock_mono_us(), free_at = robot_free_at(c, i);

	if (free_at > now) {
		queue_later(c->w->news, item->key, free_at);
		return;
	}
	c->robot_sent[i][c->robot_at[i]++ % ARRAY_LEN(c->robot_sent[i])] = now;
	c->robot_at[i] %= ARRAY_LEN(c->robot_sent[i]);
	if (speak(c, &c->w->s.robots[i], text, &e)) {
		queue_done(c->w->news, item->key, true);
	} else if (clock_now_us() - item->put_us > robot_gives_up_us) {
		log_warn("wechat.robot", "%s; given up", e.text);
		bridge_set_aside(c->w->bridge, "news", e.text, NULL, item->payload, item->len);
		queue_done(c->w->news, item->key, true);
	} else {
		if (!item->tries)
			log_warn("wechat.robot", "%s; it is tried again", e.text);
		queue_later(c->w->news, item->key, now + PAUSE_US * (item->tries < 8 ? 1 << item->tries : 256));
	}
}

static bool news(struct courier *c)
{
	int64_t now = clock_mono_us();
	struct queue_item item;
	struct err e = {0};
	const char *robot, *text;
	json_t *json;
	size_t i = 0;

	if (queue_take(c->w->news, now, now + 60 * INT64_C(1000000), &item, &e) != 0)
		return false;
	json = payload_of(&item);
	robot = json_string_value(json_object_get(json, "robot"));
	text = json_string_value(json_object_get(json, "text"));
	while (i < c->w->s.n_robots && !str_equal(c->w->s.robots[i].name, robot))
		i++;
	if (i < c->w->s.n_robots && text)
		one_news(c, i, &item, text);
	else
		queue_done(c->w->news, item.key, true);
	json_decref(json);
	queue_item_done(&item);
	return true;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void *courier_run(void *arg)
{
	struct courier c = {.w = arg};
	struct pulse *pulse = pulse_add("courier");
	int64_t until = 0;
	bool busy = true;

	c.caller = (struct caller){.api = c.w->api, .client = c.w->courier_client};
	while (busy ? !c.w->quit : wechat_wait(c.w, &c.w->carry, until)) {
		struct bridge_reply r;

		pulse_beat(pulse);
		busy = false;
		if (waiter_take(c.w->waiter, &r)) {
			busy = true;
			tell_of(&c, &r);
			carry(&c, &r);
		}
		busy |= one_line(&c);
		busy |= news(&c);
		until = earlier(clock_mono_us() + REST_US, earlier(queue_next_due(c.w->says), queue_next_due(c.w->news)));
	}
	caller_done(&c.caller);
	pulse_end(pulse);
	return NULL;
}
