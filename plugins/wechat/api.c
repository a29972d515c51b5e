#include "api.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

enum { EARLY_S = 300, BRIEF_S = 60, TIMEOUT_MS = 10000, ANSWER_MAX = 4 << 20 };
/* The token is not or no longer good; the platform is busy or the day's calls are used up. */
static const int64_t token_codes[] = {40001, 40014, 41001, 42001}, busy_codes[] = {-1, 45009, 45011, 50001};

struct token {
	char *text;
	int64_t until_us;
};
struct api {
	const struct wechat_settings *s;
	pthread_mutex_t lock;
	struct token tokens[ACCOUNTS_MAX];
};

struct api *api_new(const struct wechat_settings *s)
{
	struct api *a = mem_alloc(sizeof(*a));

	a->s = s;
	pthread_mutex_init(&a->lock, NULL);
	return a;
}

void api_free(struct api *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < ACCOUNTS_MAX; i++)
		free(a->tokens[i].text);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

void caller_done(struct caller *c)
{
	str_done(&c->answer.body);
}

/* "https://host/path?key" -> "host" */
static void host_of(const char *url, char *ret, size_t size)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	snprintf(ret, size, "%.*s", (int)strcspn(host, "/?#@"), host);
}

int caller_ask(struct caller *c, const char *url, const char *json, size_t max, struct err *e)
{
	static const char *const headers[] = {"Content-Type: application/json"};
	struct client_request q = {.url = url, .headers = headers, .n_headers = json ? 1 : 0, .body = json,
				   .len = json ? strlen(json) : 0, .timeout_ms = TIMEOUT_MS, .max = max ? max : ANSWER_MAX};
	char host[128];
	long status;

	host_of(url, host, sizeof(host));
	str_done(&c->answer.body);
	if (client_do(c->client, &q, &c->answer, e) < 0) {
		c->answer = (struct client_answer){0};
		err_prefix(e, "%s: ", host);
		return ERR_AGAIN;
	}
	status = c->answer.status;
	if (status >= 200 && status <= 299)
		return 0;
	return err_code(e, status >= 500 || status == 408 || status == 429 ? ERR_AGAIN : ERR_BAD, "status",
			"%s answers with status %ld", host, status);
}

void api_escape(struct str *out, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";

	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if ((*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') || strchr("-_.~", *p))
			str_addc(out, (char)*p);
		else
			str_addf(out, "%%%c%c", hex[*p >> 4], hex[*p & 15]);
}

static bool is_one_of(const int64_t *codes, size_t n, int64_t code)
{
	for (size_t i = 0; i < n; i++)
		if (codes[i] == code)
			return true;
	return false;
}

/* The answer as JSON with its errcode; a page of some proxy is no answer. */
static int read_answer(const struct caller *c, const struct wechat_account *account, json_t **ret, int64_t *ret_code,
		       struct err *e)
{
	json_t *json = json_loadb(c->answer.body.s ? c->answer.body.s : "", c->answer.body.len, 0, NULL);

	if (!json_is_object(json)) {
		json_decref(json);
		return err_code(e, ERR_AGAIN, "not-json", "%s answers with something that is no JSON", account->name);
	}
	*ret_code = json_integer_value(json_object_get(json, "errcode"));
	if (is_one_of(busy_codes, ARRAY_LEN(busy_codes), *ret_code)) {
		json_decref(json);
		return err_code(e, ERR_AGAIN, "busy", "%s is busy: errcode %lld", account->name, (long long)*ret_code);
	}
	if (*ret_code) {
		json_decref(json);
		return API_NO;
	}
	*ret = json;
	return 0;
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static struct token *token_of(struct api *a, const struct wechat_account *account)
{
	return &a->tokens[account - a->s->accounts];
}

static void drop_token(struct api *a, const struct wechat_account *account)
{
	pthread_mutex_lock(&a->lock);
	token_of(a, account)->until_us = 0;
	pthread_mutex_unlock(&a->lock);
}

static int fetch_token(struct caller *c, const struct wechat_account *account, struct token *token, struct err *e)
{
	CLEANUP(str_done) struct str url = {0};
	const char *text;
	int64_t code = 0, seconds;
	json_t *json = NULL;
	int r;

	if (!account->secret)
		return err_code(e, ERR_BAD, "no-secret", "the account %s has no secret", account->name);
	str_addf(&url, account->kind == ACCOUNT_MP ? "%s/cgi-bin/token?grant_type=client_credential&appid="
						   : "%s/cgi-bin/gettoken?corpid=", account->api);
	api_escape(&url, account->app);
	str_add(&url, account->kind == ACCOUNT_MP ? "&secret=" : "&corpsecret=");
	api_escape(&url, account->secret);
	r = caller_ask(c, url.s, NULL, 0, e);
	if (r == 0)
		r = read_answer(c, account, &json, &code, e);
	if (r != 0)
		return r < 0 ? (e->class = ERR_AGAIN) : err_code(e, ERR_AGAIN, "token", "%s gives no token: errcode %lld",
								 account->name, (long long)code);
	text = json_string_value(json_object_get(json, "access_token"));
	seconds = json_integer_value(json_object_get(json, "expires_in"));
	if (text && *text) {
		free(token->text);
		token->text = mem_strdup(text);
		token->until_us = clock_mono_us() + (seconds > 2 * EARLY_S ? seconds - EARLY_S : BRIEF_S) * 1000000;
	} else {
		r = err_code(e, ERR_AGAIN, "token", "%s gives no token", account->name);
	}
	json_decref(json);
	return r;
}

/* One thread fetches while the others wait for it: the platform gives only the newest token its power. */
static int get_token(struct caller *c, const struct wechat_account *account, char **ret, struct err *e)
{
	struct token *token = token_of(c->api, account);
	int r = 0;

	pthread_mutex_lock(&c->api->lock);
	if (token->until_us <= clock_mono_us())
		r = fetch_token(c, account, token, e);
	if (r == 0)
		*ret = mem_strdup(token->text);
	pthread_mutex_unlock(&c->api->lock);
	return r;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static int ask(struct caller *c, const struct wechat_account *account, const char *path, const char *query, const char *body,
	       size_t max, struct err *e)
{
	CLEANUP(mem_freep) char *token = NULL;
	CLEANUP(str_done) struct str url = {0};
	int r = get_token(c, account, &token, e);

	if (r < 0)
		return r;
	str_addf(&url, "%s%s?access_token=", account->api, path);
	api_escape(&url, token);
	str_add(&url, query);
	return caller_ask(c, url.s, body, max, e);
}

int api_call(struct caller *c, const struct wechat_account *account, const char *path, const char *query, const json_t *body,
	     json_t **ret, int64_t *ret_code, struct err *e)
{
	CLEANUP(mem_freep) char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	int r = 0;

	for (int tries = 0; tries < 2; tries++) {
		r = ask(c, account, path, query, text, 0, e);
		if (r == 0)
			r = read_answer(c, account, ret, ret_code, e);
		/* A 404 of a proxy on the way is not the platform's word. */
		else if (r == ERR_BAD && strcmp(e->code, "status") == 0)
			e->class = r = ERR_AGAIN;
		if (r != API_NO || !is_one_of(token_codes, ARRAY_LEN(token_codes), *ret_code))
			return r;
		drop_token(c->api, account);
	}
	return err_code(e, ERR_AGAIN, "token", "%s does not take its own token", account->name);
}

int api_file(struct caller *c, const struct wechat_account *account, const char *media_id, size_t max, int64_t *ret_code,
	     struct err *e)
{
	CLEANUP(str_done) struct str query = {0};
	json_t *json = NULL;
	int r = 0;

	str_add(&query, "&media_id=");
	api_escape(&query, media_id);
	for (int tries = 0; tries < 2; tries++) {
		r = ask(c, account, "/cgi-bin/media/get", query.s, NULL, max, e);
		/* A file, unless it is an excuse. */
		if (r != 0 || *c->answer.body.s != '{')
			return r;
		r = read_answer(c, account, &json, ret_code, e);
		json_decref(json);
		json = NULL;
		if (r != API_NO || !is_one_of(token_codes, ARRAY_LEN(token_codes), *ret_code))
			return r == 0 ? err_code(e, ERR_BAD, "type", "%s gives no file", account->name) : r;
		drop_token(c->api, account);
	}
	return err_code(e, ERR_AGAIN, "token", "%s does not take its own token", account->name);
}
