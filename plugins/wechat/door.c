/*
 * Callbacks. The order is: limits, signature, timestamp, nonce, envelope, XML; then the message is on the disk,
 * and only then it is answered, with "success", or sealed with what is to be said at once. A nonce that comes a
 * second time with the same body is the platform's next try and does nothing twice; with another body it is
 * refused.
 */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "bridge/figures.h"
#include "bridge/server.h"
#include "callback.h"
#include "shelf.h"
#include "wechat.h"
#include "xml.h"

enum { CONNECTIONS = 512, NONCE_MAX = 64 };

static const char text_plain[] = "text/plain; charset=utf-8", text_xml[] = "application/xml; charset=utf-8";

/* What has to be known of a callback to answer it; lives with the request. */
struct visit {
	const struct wechat_account *account;
	char *to, *from;                /* of the message, for a passive answer */
	bool sealed;
};

static void plain(struct server_call *rq, int status, const char *text)
{
	server_answer(rq, status, text_plain, text, strlen(text));
}

static void refuse(struct server_call *rq, int status, const char *why)
{
	figure_count(FIGURE_REFUSED);
	log_info("wechat.refused", "a callback is refused: %s", why);
	plain(rq, status, why);
}

/* ---- who is it ------------------------------------------------------------------------------- */

static const struct wechat_account *account_of(const struct wechat *w, const char *path)
{
	for (size_t i = 0; i < w->s.n_accounts; i++)
		if (strcmp(w->s.accounts[i].path, path) == 0)
			return &w->s.accounts[i];
	return NULL;
}

static bool is_fresh(const struct wechat *w, const char *timestamp)
{
	int64_t seconds, now = clock_now_us();

	return str_to_int(timestamp, 0, INT32_MAX * INT64_C(4), &seconds) && seconds * 1000000 - now < w->s.window_us &&
	       now - seconds * 1000000 < w->s.window_us;
}

static void hex_digest(const char *a, const char *b, const char *c, char ret[65])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	const char *parts[] = {a, b, c};

	if (!md || !EVP_DigestInit_ex(md, EVP_sha256(), NULL))
		mem_die("sha256");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		EVP_DigestUpdate(md, parts[i], strlen(parts[i]) + 1);
	EVP_DigestFinal_ex(md, digest, NULL);
	EVP_MD_CTX_free(md);
	str_hex(digest, 32, ret);
}

/*
 * The nonce's first use, or the same body again, or somebody's who has seen one. What was used stays known for
 * the newest tens of thousands, over a restart too.
 */
enum nonce { NONCE_NEW, NONCE_AGAIN, NONCE_STOLEN };
static enum nonce check_nonce(struct wechat *w, const struct wechat_account *account, const char *timestamp, const char *nonce,
			      const char *body)
{
	char used[65 + 2] = "n:", whole[65 + 2] = "b:";
	struct err e = {0};

	hex_digest(account->name, timestamp, nonce, used + 2);
	hex_digest(used + 2, body, "", whole + 2);
	if (queue_knows(w->seen, used))
		return queue_knows(w->seen, whole) ? NONCE_AGAIN : NONCE_STOLEN;
	if (queue_mark(w->seen, (const char *const[]){used, whole}, 2, &e) < 0)
		log_warn("wechat.seen", "%s", e.text);
	return NONCE_NEW;
}

/* ---- answers --------------------------------------------------------------------------------- */

static void seal(const struct wechat_account *account, const struct str *message, struct str *out)
{
	CLEANUP(str_done) struct str sealed = {0};
	unsigned char random[CRYPT_RANDOM + 8];
	char nonce[20], stamp[24], signature[CRYPT_SIGNATURE];
	const char *parts[4] = {account->token, stamp, nonce, NULL};
	uint64_t n = 0;

	if (RAND_bytes(random, sizeof(random)) != 1)
		mem_die("random");
	memcpy(&n, random + CRYPT_RANDOM, 8);
	snprintf(nonce, sizeof(nonce), "%llu", (unsigned long long)(n % 10000000000ULL));
	snprintf(stamp, sizeof(stamp), "%lld", (long long)(clock_now_us() / 1000000));
	crypt_seal(account->key, account->app, random, message->s, message->len, &sealed);
	parts[3] = sealed.s;
	crypt_sign(parts, 4, signature);
	str_addf(out, "<xml><Encrypt><![CDATA[%s]]></Encrypt><MsgSignature><![CDATA[%s]]></MsgSignature><TimeStamp>%s</TimeStamp>"
		      "<Nonce><![CDATA[%s]]></Nonce></xml>", sealed.s, signature, stamp, nonce);
}

/* NULL: nothing to say. */
void door_answer(struct wechat *w, struct server_call *rq, const char *text)
{
	const struct visit *v = server_cookie(rq);
	CLEANUP(str_done) struct str message = {0}, out = {0};

	(void)w;
	if (!text || !*text || !v || !v->from) {
		plain(rq, 200, "success");
		return;
	}
	str_add(&message, "<xml><ToUserName>");
	xml_cdata(&message, v->from);
	str_add(&message, "</ToUserName><FromUserName>");
	xml_cdata(&message, v->to ? v->to : "");
	str_addf(&message, "</FromUserName><CreateTime>%lld</CreateTime><MsgType><![CDATA[text]]></MsgType><Content>",
		 (long long)(clock_now_us() / 1000000));
	xml_cdata(&message, text);
	str_add(&message, "</Content></xml>");
	if (v->sealed)
		seal(v->account, &message, &out);
	server_answer(rq, 200, text_xml, v->sealed ? out.s : message.s, v->sealed ? out.len : message.len);
}

/* ---- what is said ---------------------------------------------------------------------------- */

static void answer_error(struct server_call *rq, const struct err *e)
{
	log_warn("wechat.not-taken", "a callback is not taken: %s", e->text);
	plain(rq, e->class == ERR_BAD ? 400 : 503, "not taken");
}

static void hear_words(struct wechat *w, struct server_call *rq, const struct person *who, const struct talk_message *m)
{
	struct people_answer answer;
	struct err e = {0};
	int r = people_hear(w->people, who, m, &answer, &e);

	if (r < 0)
		answer_error(rq, &e);
	else if (answer.say || r == PEOPLE_KNOWN || !*answer.report || !w->s.wait_us || !bridge_is_connected(w->bridge))
		door_answer(w, rq, answer.say);
	else
		waiter_add(w->waiter, rq, answer.report);
	free(answer.say);
}

/* What the fetcher needs, and then the message as it came. */
static void hear_media(struct wechat *w, struct server_call *rq, const struct person *who, const struct heard *h,
		       const char *id, int64_t at)
{
	json_t *json = json_pack("{s:s,s:s,s:s,s:I,s:s*,s:s*,s:s*,s:s*}", "account", who->account->name, "user", who->user, "id", id,
				 "at", (json_int_t)at, "text", h->text, "type", h->type, "media", h->media_id, "url", h->url);
	CLEANUP(mem_freep) char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	struct err e = {0};
	int r = text ? queue_put(w->files, id, text, strlen(text), &e) : err_set(&e, ERR_BAD, "not UTF-8");

	json_decref(json);
	if (r >= 0 && bridge_settings(w->bridge)->power)
		r = queue_sync(w->files, &e);
	if (r < 0) {
		answer_error(rq, &e);
		return;
	}
	wechat_wake(w, &w->fetch);
	door_answer(w, rq, NULL);
}

/* Where customer service's list must be read on: survives a kill as a line of the shelf. */
static void hear_kf(struct wechat *w, struct server_call *rq, const struct wechat_account *account, const struct heard *h)
{
	CLEANUP(str_done) struct str name = {0};
	CLEANUP(mem_freep) char *text = NULL;
	json_t *json = json_pack("{s:s*}", "token", h->token);
	struct err e = {0};

	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	str_addf(&name, "k:%s:%s", account->name, h->kf);
	if (!text || shelf_put(w->shelf, name.s, text, &e) < 0) {
		answer_error(rq, &e);
		return;
	}
	wechat_wake(w, &w->fetch);
	door_answer(w, rq, NULL);
}

static void hear(struct wechat *w, struct server_call *rq, const struct wechat_account *account, const struct heard *h)
{
	struct person who = {account, h->from, NULL};
	int64_t now = clock_now_us(), at = h->at < now ? h->at : now;
	CLEANUP(str_done) struct str id = {0};

	str_addf(&id, "%s-%s", account->name, h->id ? h->id : "");
	switch (h->kind) {
	case HEARD_WORDS:
		hear_words(w, rq, &who, &(struct talk_message){.id = id.s, .at = at, .text = h->text, .address = h->address,
							       .lat = h->lat, .lon = h->lon, .has_position = h->has_position});
		break;
	case HEARD_MEDIA:
		hear_media(w, rq, &who, h, id.s, at);
		break;
	case HEARD_HELLO:
		door_answer(w, rq, w->talk->lines[LINE_GREETING]);
		break;
	case HEARD_KF:
		hear_kf(w, rq, account, h);
		break;
	case HEARD_SENT:
	case HEARD_NOTHING:
		door_answer(w, rq, NULL);
		break;
	}
}

/* ---- a callback ------------------------------------------------------------------------------ */

static char *copy_of(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

/* The message inside; *ret_status is what a wrong one is answered with. */
static int read_message(const struct wechat_account *account, const struct server_call *rq, struct arena *a,
			struct xml *xml, bool *ret_sealed, struct err *e)
{
	CLEANUP(str_done) struct str clear = {0};
	const char *signature = server_query(rq, "msg_signature"), *encrypted;
	const char *parts[4] = {account->token, server_query(rq, "timestamp"), server_query(rq, "nonce"), NULL};
	size_t len;
	const char *body = server_body(rq, &len);
	int r = xml_read(body, len, a, xml, e);

	if (r < 0)
		return r;
	encrypted = xml_get(xml, "Encrypt");
	*ret_sealed = encrypted;
	if (!encrypted)
		return account->sealed ? err_code(e, ERR_BAD, "clear", "a callback in the clear, where there is a key") : 0;
	if (!account->sealed)
		return err_code(e, ERR_BAD, "sealed", "a sealed callback, and the account has no aes_key");
	parts[3] = encrypted;
	if (!crypt_is_signed(signature, parts, 4))
		return err_code(e, ERR_BAD, "signature", "the signature is wrong");
	r = crypt_open(account->key, account->app, encrypted, strlen(encrypted), &clear, e);
	return r < 0 ? r : xml_read(clear.s ? clear.s : "", clear.len, a, xml, e);
}

static void take(struct wechat *w, struct server_call *rq, const struct wechat_account *account, const char *timestamp,
		 const char *nonce)
{
	struct arena a = {.block_size = 16384};
	struct xml *xml = arena_alloc(&a, sizeof(*xml));
	struct visit *v = mem_alloc(sizeof(*v));
	struct heard h;
	struct err e = {0};
	size_t len;
	int r = read_message(account, rq, &a, xml, &v->sealed, &e);

	v->account = account;
	server_set_cookie(rq, v);
	if (r == 0)
		r = callback_read(xml, clock_now_us(), &h, &e);
	if (r < 0) {
		refuse(rq, strcmp(e.code, "signature") == 0 || strcmp(e.code, "id") == 0 || strcmp(e.code, "clear") == 0 ? 403 : 400,
		       e.text);
	} else if (check_nonce(w, account, timestamp, nonce, server_body(rq, &len)) == NONCE_STOLEN) {
		refuse(rq, 403, "the nonce was used for another message");
	} else {
		v->from = copy_of(h.from);
		v->to = copy_of(h.to);
		hear(w, rq, account, &h);
	}
	arena_done(&a);
}

/* The platform asks whether the address is ours: the echo, opened where it is sealed. */
static void verify(const struct wechat_account *account, struct server_call *rq, const char *timestamp, const char *nonce)
{
	const char *echo = server_query(rq, "echostr"), *sealed = server_query(rq, "msg_signature");
	const char *signature = sealed ? sealed : server_query(rq, "signature");
	const char *parts[4] = {account->token, timestamp, nonce, echo};
	CLEANUP(str_done) struct str clear = {0};
	struct err e = {0};

	if (!echo || !crypt_is_signed(signature, parts, sealed ? 4 : 3))
		refuse(rq, 403, "the signature is wrong");
	else if (!sealed)
		plain(rq, 200, echo);
	else if (!account->sealed || crypt_open(account->key, account->app, echo, strlen(echo), &clear, &e) < 0)
		refuse(rq, 403, *e.text ? e.text : "a sealed callback, and the account has no aes_key");
	else
		server_answer(rq, 200, text_plain, clear.s ? clear.s : "", clear.len);
}

static void on_request(void *arg, struct server_call *rq)
{
	struct wechat *w = arg;
	const struct wechat_account *account = account_of(w, server_path(rq));
	const char *timestamp = server_query(rq, "timestamp"), *nonce = server_query(rq, "nonce");
	const char *parts[3] = {account ? account->token : NULL, timestamp, nonce};

	if (!account)
		plain(rq, 404, "no such account");
	else if (!timestamp || !nonce || strlen(nonce) > NONCE_MAX || !is_fresh(w, timestamp))
		refuse(rq, 403, "the timestamp is missing or too far from now");
	else if (strcmp(server_method(rq), "GET") == 0)
		verify(account, rq, timestamp, nonce);
	/* Without a key this signature is all there is; with one, the envelope's is checked behind it. */
	else if (!account->sealed && !crypt_is_signed(server_query(rq, "signature"), parts, 3))
		refuse(rq, 403, "the signature is wrong");
	else
		take(w, rq, account, timestamp, nonce);
}

static void on_over(void *arg, struct server_call *rq, bool sent)
{
	struct wechat *w = arg;
	struct visit *v = server_cookie(rq);

	waiter_done(w->waiter, rq, sent);
	if (!v)
		return;
	free(v->to);
	free(v->from);
	free(v);
}

int door_open(struct wechat *w, struct err *e)
{
	struct server_options o = {.address = w->s.address, .port = w->s.port, .body_max = w->s.body_max,
				   .connections = CONNECTIONS, .rate = w->s.per_second, .burst = w->s.per_second, .over = on_over};

	return server_open(&o, on_request, w, &w->server, e);
}
