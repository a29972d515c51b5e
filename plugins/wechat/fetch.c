/*
 * What callbacks only announce: files, the messages of customer service, orders of residents' reports. Each is
 * noted on the disk before and forgotten after; where a list was read to is written when all of the page has
 * been taken, so that a kill reads a page again, and what was taken is known by its id.
 */
#include <string.h>

#include "api.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/pulse.h"
#include "base/str.h"
#include "callback.h"
#include "media.h"
#include "shelf.h"
#include "wechat.h"

enum { PAGE = 100, PAGES_MAX = 1000, OVERLAP_S = 3600, BACK_S = 86400 };
#define SECOND_US INT64_C(1000000)

struct fetcher {
	struct wechat *w;
	struct caller caller;
	char folder[512];                       /* of the media */
	int64_t orders_at[ACCOUNTS_MAX], kf_at; /* monotonic: not before */
	int kf_fails;
};

static const char *text_of(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text && *text ? text : NULL;
}

/* Gives it to the conversation, and what is to be said to the courier. */
static int hear(struct fetcher *f, const struct person *who, const struct talk_message *m, struct err *e)
{
	struct people_answer answer;
	int r = people_hear(f->w->people, who, m, &answer, e);

	if (r >= 0 && answer.say)
		r = says_put(f->w, who, m->id, answer.say, e);
	free(answer.say);
	return r < 0 ? r : 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

static int load_file(struct fetcher *f, const struct wechat_account *account, const json_t *in, struct media_file *ret,
		     struct err *e)
{
	const char *id = text_of(in, "media"), *url = text_of(in, "url");
	int64_t code = 0;
	int r = url ? caller_ask(&f->caller, url, NULL, f->w->s.media_max, e) : ERR_BAD;

	if (r < 0 && id && account->secret)
		r = api_file(&f->caller, account, id, f->w->s.media_max, &code, e);
	else if (r < 0 && !url)
		r = err_code(e, ERR_BAD, "no-secret", "the account %s has no secret", account->name);
	if (r == API_NO)
		return err_set(e, ERR_BAD, "the platform gives no file: errcode %lld", (long long)code);
	return r < 0 ? r : media_store(f->folder, f->caller.answer.body.s, f->caller.answer.body.len, ret, e);
}

static int tell_message(struct fetcher *f, const struct person *who, const json_t *in, const struct media_file *file,
			struct err *e)
{
	struct arena a = {.block_size = 2048};
	struct talk_media media = {0};
	struct talk_message m = {.id = text_of(in, "id"), .at = json_integer_value(json_object_get(in, "at")),
				 .text = text_of(in, "text")};
	int r;

	if (file) {
		const char *before = f->w->s.media_link ? f->w->s.media_link : f->folder;

		media = (struct talk_media){arena_printf(&a, "%s%s%s", before, before[strlen(before) - 1] == '/' ? "" : "/",
							 file->name), file->type, file->sha256};
		m.media = &media;
		m.n_media = 1;
	} else if (!m.text) {
		m.text = callback_name(text_of(in, "type"));
	}
	r = hear(f, who, &m, e);
	arena_done(&a);
	return r;
}

static void one_file(struct fetcher *f, struct queue_item *item)
{
	json_t *in = json_loadb(item->payload, item->len, 0, NULL);
	const char *account = text_of(in, "account");
	struct person who = {account ? wechat_account(f->w, account) : NULL, text_of(in, "user"), text_of(in, "kf")};
	struct media_file file;
	struct err e = {0};
	bool late = clock_now_us() - item->put_us > f->w->s.media_retry_us;
	int r = !who.account || !who.user || !text_of(in, "id") ? 1 : load_file(f, who.account, in, &file, &e);

	if (r == ERR_BAD || (r < 0 && late))
		log_warn("wechat.media", "a file is left out: %s", e.text);
	if (r < 0 && e.class != ERR_BAD && !late) {
		queue_later(f->w->files, item->key, clock_mono_us() + SECOND_US * (item->tries < 6 ? 1 << item->tries : 60));
	} else if (r <= 0 && tell_message(f, &who, in, r == 0 ? &file : NULL, &e) < 0) {
		log_warn("wechat.not-taken", "a message is not taken: %s", e.text);
		queue_later(f->w->files, item->key, clock_mono_us() + 5 * SECOND_US);
	} else {
		queue_done(f->w->files, item->key, true);
	}
	json_decref(in);
}

static bool files(struct fetcher *f)
{
	int64_t now = clock_mono_us();
	struct queue_item item;
	struct err e = {0};

	if (queue_take(f->w->files, now, now + 120 * SECOND_US, &item, &e) != 0)
		return false;
	one_file(f, &item);
	queue_item_done(&item);
	return true;
}

/* ---- customer service ------------------------------------------------------------------------ */

static int kf_media(struct fetcher *f, const struct person *who, const char *id, int64_t at, const char *type,
		    const json_t *part, struct err *e)
{
	json_t *json = json_pack("{s:s,s:s,s:s,s:s,s:I,s:s,s:s*}", "account", who->account->name, "user", who->user, "kf", who->kf,
				 "id", id, "at", (json_int_t)at, "type", type, "media", text_of(part, "media_id"));
	CLEANUP(mem_freep) char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	int r = text ? queue_put(f->w->files, id, text, strlen(text), e) : 0;

	json_decref(json);
	return r < 0 ? r : 0;
}

static int kf_message(struct fetcher *f, const struct wechat_account *account, const char *kf, const json_t *in, struct err *e)
{
	struct person who = {account, text_of(in, "external_userid"), kf};
	const char *type = text_of(in, "msgtype"), *msgid = text_of(in, "msgid");
	const json_t *part = type ? json_object_get(in, type) : NULL;
	CLEANUP(str_done) struct str id = {0};
	int64_t now = clock_now_us(), at = json_integer_value(json_object_get(in, "send_time")) * SECOND_US;
	struct talk_message m = {.at = at > 0 && at < now ? at : now};

	/* 3: from the person; the rest is ours and the platform's. */
	if (json_integer_value(json_object_get(in, "origin")) != 3 || !who.user || !msgid || !type || strlen(msgid) > 80)
		return 0;
	str_addf(&id, "%s-%s", account->name, msgid);
	m.id = id.s;
	if (strcmp(type, "text") == 0) {
		m.text = text_of(part, "content");
	} else if (strcmp(type, "location") == 0) {
		m.address = text_of(part, "address") ? text_of(part, "address") : text_of(part, "name");
		m.lat = json_number_value(json_object_get(part, "latitude"));
		m.lon = json_number_value(json_object_get(part, "longitude"));
		m.has_position = m.lat >= -90 && m.lat <= 90 && m.lon >= -180 && m.lon <= 180 && (m.lat < 0 || m.lat > 0);
	} else if (strcmp(type, "link") == 0) {
		m.text = text_of(part, "title") ? text_of(part, "title") : text_of(part, "url");
	} else if (text_of(part, "media_id")) {
		return kf_media(f, &who, id.s, m.at, type, part, e);
	}
	return hear(f, &who, &m, e);
}

static int kf_page(struct fetcher *f, const struct wechat_account *account, const char *kf, const char *token, const char *place,
		   bool *ret_more, struct err *e)
{
	CLEANUP(mem_freep) char *cursor = shelf_get(f->w->shelf, place);
	json_t *body = json_pack("{s:s,s:s*,s:i,s:s}", "cursor", cursor ? cursor : "", "token", token, "limit", PAGE, "open_kfid", kf);
	json_t *answer = NULL, *item;
	const char *next;
	int64_t code = 0;
	size_t i;
	int r = api_call(&f->caller, account, "/cgi-bin/kf/sync_msg", "", body, &answer, &code, e);

	json_decref(body);
	if (r == API_NO)
		return err_set(e, ERR_AGAIN, "the platform does not give the messages of customer service: errcode %lld", (long long)code);
	json_array_foreach(json_object_get(answer, "msg_list"), i, item)
		if (r == 0)
			r = kf_message(f, account, kf, item, e);
	next = text_of(answer, "next_cursor");
	*ret_more = json_integer_value(json_object_get(answer, "has_more")) && next && !str_equal(next, cursor);
	if (r == 0 && next)
		r = shelf_put(f->w->shelf, place, next, e);
	json_decref(answer);
	return r;
}

struct name_list {
	VEC(char *) v, texts;
};

static void collect(void *arg, const char *name, const char *text)
{
	struct name_list *names = arg;

	VEC_PUSH(&names->v, mem_strdup(name));
	VEC_PUSH(&names->texts, mem_strdup(text));
}

static int one_kf(struct fetcher *f, char *name, const char *text, struct err *e)
{
	CLEANUP(str_done) struct str place = {0}, whole = {0};
	json_t *json = json_loads(text, 0, NULL);
	char *kf = strchr(name + 2, ':');
	const struct wechat_account *account;
	bool more = true;
	int r = 0;

	str_add(&whole, name);
	if (kf)
		*kf++ = '\0';
	account = wechat_account(f->w, name + 2);
	str_addf(&place, "c:%s:%s", name + 2, kf ? kf : "");
	for (int i = 0; account && kf && r == 0 && more && i < PAGES_MAX && !f->w->quit; i++)
		r = kf_page(f, account, kf, text_of(json, "token"), place.s, &more, e);
	json_decref(json);
	if (r == 0 && !f->w->quit)
		r = shelf_forget_if(f->w->shelf, whole.s, text, e);
	return r;
}

static void all_kf(struct fetcher *f)
{
	struct name_list names = {0};
	struct err e = {0};
	int r = 0;

	if (f->kf_at > clock_mono_us())
		return;
	shelf_each(f->w->shelf, "k:", collect, &names);
	for (size_t i = 0; i < names.v.n; i++) {
		if (one_kf(f, names.v.v[i], names.texts.v[i], &e) < 0)
			r = -1;
		free(names.v.v[i]);
		free(names.texts.v[i]);
	}
	VEC_DONE(&names.v);
	VEC_DONE(&names.texts);
	if (r < 0 && !f->kf_fails)
		log_warn("wechat.kf", "%s; it is tried again", e.text);
	f->kf_fails = r < 0 ? f->kf_fails + 1 : 0;
	f->kf_at = r < 0 ? clock_mono_us() + SECOND_US * (f->kf_fails < 6 ? 1 << (f->kf_fails - 1) : 60) : 0;
}

/* Events may have been missed while we were away: every list is read once from where it was read to. */
static void again(void *arg, const char *name, const char *text)
{
	struct name_list *names = arg;

	(void)text;
	VEC_PUSH(&names->v, mem_strdup(name));
}

static void look_at_all_kf(struct fetcher *f)
{
	struct name_list names = {0};

	shelf_each(f->w->shelf, "c:", again, &names);
	for (size_t i = 0; i < names.v.n; i++) {
		struct err e = {0};

		names.v.v[i][0] = 'k';
		if (shelf_put(f->w->shelf, names.v.v[i], "{}", &e) < 0)
			log_warn("wechat.shelf", "%s", e.text);
		free(names.v.v[i]);
	}
	VEC_DONE(&names.v);
}

/* ---- orders ---------------------------------------------------------------------------------- */

/* The whole order to the gateway, whose decoder knows it; 0 also when it was taken before. */
static int one_order(struct fetcher *f, const struct wechat_account *account, const char *id, struct err *e)
{
	CLEANUP(str_done) struct str key = {0};
	CLEANUP(mem_freep) char *text = NULL;
	json_t *body, *answer = NULL;
	char out[BRIDGE_KEY];
	int64_t code = 0;
	int r;

	str_addf(&key, "o:%s:%s", account->name, id);
	if (queue_knows(f->w->seen, key.s))
		return 0;
	body = json_pack("{s:s}", "order_id", id);
	r = api_call(&f->caller, account, "/cgi-bin/report/resident/get_order_info", "", body, &answer, &code, e);
	json_decref(body);
	if (r == API_NO)
		return err_set(e, ERR_AGAIN, "the platform does not give an order: errcode %lld", (long long)code);
	if (r == 0 && !json_is_object(json_object_get(answer, "order_info")))
		r = err_set(e, ERR_AGAIN, "the platform gives an order without order_info");
	if (r == 0) {
		text = json_dumps(json_object_get(answer, "order_info"), JSON_COMPACT | JSON_REAL_PRECISION(15));
		r = bridge_report(f->w->bridge, text, strlen(text), out, e);
	}
	json_decref(answer);
	if (r >= 0 && bridge_commit(f->w->bridge, e) == 0 && queue_put(f->w->seen, key.s, "", 0, e) == 0)
		queue_done(f->w->seen, key.s, true);
	return r < 0 ? r : 0;
}

static int orders_page(struct fetcher *f, const struct wechat_account *account, int64_t from, struct str *cursor, int64_t *newest,
		       struct err *e)
{
	json_t *body = json_pack("{s:I,s:s*,s:i}", "begin_create_time", (json_int_t)from, "cursor", cursor->s, "limit", PAGE);
	json_t *answer = NULL, *item;
	const char *next;
	int64_t code = 0;
	size_t i;
	int r = api_call(&f->caller, account, "/cgi-bin/report/resident/get_order_list", "", body, &answer, &code, e);

	json_decref(body);
	if (r == API_NO)
		return err_set(e, ERR_AGAIN, "the platform does not give the orders: errcode %lld", (long long)code);
	json_array_foreach(json_object_get(answer, "order_list"), i, item) {
		int64_t at = json_integer_value(json_object_get(item, "create_time"));

		if (r == 0 && text_of(item, "order_id"))
			r = one_order(f, account, text_of(item, "order_id"), e);
		if (at > *newest)
			*newest = at;
	}
	next = text_of(answer, "next_cursor");
	str_reset(cursor);
	if (next)
		str_add(cursor, next);
	json_decref(answer);
	return r;
}

static void orders(struct fetcher *f, size_t n)
{
	const struct wechat_account *account = &f->w->s.accounts[n];
	CLEANUP(str_done) struct str place = {0}, cursor = {0}, stamp = {0};
	CLEANUP(mem_freep) char *before = NULL;
	struct err e = {0};
	int64_t last = 0, from, newest;
	int r, pages = 0;

	if (!account->orders || f->orders_at[n] > clock_mono_us())
		return;
	f->orders_at[n] = clock_mono_us() + account->orders_every_us;
	str_addf(&place, "t:%s", account->name);
	before = shelf_get(f->w->shelf, place.s);
	if (!before || !str_to_int(before, 0, INT64_MAX, &last))
		last = clock_now_us() / SECOND_US - BACK_S + OVERLAP_S;
	from = last - OVERLAP_S;
	newest = last;
	do
		r = orders_page(f, account, from, &cursor, &newest, &e);
	while (r == 0 && cursor.len && ++pages < PAGES_MAX && !f->w->quit);
	str_addf(&stamp, "%lld", (long long)newest);
	if (r == 0 && !f->w->quit && newest != last)
		r = shelf_put(f->w->shelf, place.s, stamp.s, &e);
	if (r < 0)
		log_warn("wechat.orders", "%s; it is tried again", e.text);
}

/* ---- the thread ------------------------------------------------------------------------------ */

static bool is_stale(void *arg, const char *name, const char *text)
{
	const struct wechat *w = arg;
	struct arena a = {.block_size = 1024};
	struct talk_state state;
	json_t *known;
	bool over;

	if (strncmp(name, "p:", 2) != 0)
		return false;
	known = json_loads(text, 0, NULL);
	talk_state_load(json_object_get(known, "talk"), &a, &state);
	over = talk_is_over(w->office, &state, clock_now_us());
	json_decref(known);
	arena_done(&a);
	return over;
}

void *fetch_run(void *arg)
{
	struct fetcher f = {.w = arg};
	struct pulse *pulse = pulse_add("fetcher");
	bool busy = false;

	f.caller = (struct caller){.api = f.w->api, .client = f.w->fetch_client};
	snprintf(f.folder, sizeof(f.folder), "%.480s/media", bridge_settings(f.w->bridge)->state);
	look_at_all_kf(&f);
	do {
		struct err e = {0};

		pulse_beat(pulse);
		busy = files(&f);
		all_kf(&f);
		for (size_t i = 0; i < f.w->s.n_accounts; i++)
			orders(&f, i);
		people_tick(f.w->people, clock_now_us());
		if (shelf_tidy(f.w->shelf, is_stale, f.w, &e) < 0)
			log_warn("wechat.shelf", "%s", e.text);
	} while (busy ? !f.w->quit : wechat_wait(f.w, &f.w->fetch, clock_mono_us() + SECOND_US));
	caller_done(&f.caller);
	pulse_end(pulse);
	return NULL;
}
