#pragma once
/*
 * Asking the platform. An access token is fetched when it is needed, shared by the threads, and never
 * written anywhere: not to the disk, not to the log.
 */
#include <jansson.h>

#include "bridge/client.h"
#include "keys.h"

struct api;
struct err;

struct api *api_new(const struct wechat_settings *s);
void api_free(struct api *a);           /* NULL-safe */

/* A thread's own. The client is borrowed. */
struct caller {
	struct api *api;
	struct client *client;
	struct client_answer answer;    /* of the last request */
};
void caller_done(struct caller *c);
/*
 * One request; c->answer is what came. 0: with a status of 2xx. ERR_AGAIN: nobody there, too slow, too much of an
 * answer, or a status that says so; ERR_BAD: another status. Errors name the host and no more of the address.
 */
int caller_ask(struct caller *c, const char *url, const char *json, size_t max, struct err *e);
/*
 * POSTs `body` (NULL: GET) to the account's PATH with a token and `query` ("&media_id=…" or ""). 0: *ret is the
 * answer, the caller's to free. API_NO: the platform refuses; *ret_code is its errcode. ERR_AGAIN: away, slow,
 * busy, or it answers with something that is no JSON. ERR_BAD: there is no secret for it.
 */
enum { API_NO = 1 };
int api_call(struct caller *c, const struct wechat_account *account, const char *path, const char *query, const json_t *body,
	     json_t **ret, int64_t *ret_code, struct err *e);
/* GETs a file; what came is in c->answer. The same results. */
int api_file(struct caller *c, const struct wechat_account *account, const char *media_id, size_t max, int64_t *ret_code,
	     struct err *e);
/* Adds the text as it may stand in a query. */
void api_escape(struct str *out, const char *text);
