#include "bridge/client.h"

#include <curl/curl.h>
#include <pthread.h>

#include "base/err.h"
#include "base/mem.h"

enum { TIMEOUT_MS = 20000, CONNECT_MS = 8000, ANSWER_MAX = 16 << 20 };

struct client {
	CURL *curl;
	_Atomic bool cancelled;
};

static void init_curl(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		mem_die("curl");
}

struct client *client_new(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct client *c = mem_alloc(sizeof(*c));

	pthread_once(&once, init_curl);
	c->curl = curl_easy_init();
	if (!c->curl)
		mem_die("curl");
	return c;
}

void client_free(struct client *c)
{
	if (!c)
		return;
	curl_easy_cleanup(c->curl);
	free(c);
}

void client_cancel(struct client *c)
{
	c->cancelled = true;
}

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
	struct str *body = arg;

	str_addn(body, data, size * n);
	return body->cut ? 0 : size * n;
}

static int on_progress(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up)
{
	(void)total;
	(void)now;
	(void)up_total;
	(void)up;
	return ((struct client *)arg)->cancelled;
}

static void free_list(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

static void set_up(struct client *c, const struct client_request *q, struct curl_slist *headers, struct str *body)
{
	CURL *curl = c->curl;

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_URL, q->url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "needle/" NEEDLE_VERSION);
	curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, NULL);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(q->timeout_ms ? q->timeout_ms : TIMEOUT_MS));
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, c);
	if (q->body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, q->body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->len);
	}
	if (q->method)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, q->method);
}

int client_do(struct client *c, const struct client_request *request, struct client_answer *ret, struct err *e)
{
	CLEANUP(free_list) struct curl_slist *headers = NULL;
	CURLcode code;

	*ret = (struct client_answer){.body = {.max = request->max ? request->max : ANSWER_MAX}};
	headers = curl_slist_append(headers, "Expect:");
	for (size_t i = 0; i < request->n_headers; i++)
		headers = curl_slist_append(headers, request->headers[i]);
	set_up(c, request, headers, &ret->body);
	code = curl_easy_perform(c->curl);
	if (code == CURLE_OK) {
		curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &ret->status);
		str_addn(&ret->body, "", 0);
		return 0;
	}
	if (ret->body.cut)
		err_set(e, ERR_AGAIN, "its answer is larger than %zu bytes", ret->body.max);
	else
		err_set(e, ERR_AGAIN, "%s", curl_easy_strerror(code));
	str_done(&ret->body);
	return ERR_AGAIN;
}
