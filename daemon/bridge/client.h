#pragma once
/*
 * HTTP requests to the other side, one at a time, with limits on time and size. A client belongs to one
 * thread and keeps its connection. Only http and https; certificates are checked; redirects are not
 * followed (a platform that redirects has moved, and its key must not go along).
 */
#include <stddef.h>

#include "base/str.h"

struct client;
struct err;

struct client_request {
	const char *method;             /* NULL: GET, or POST where there is a body */
	const char *url;                /* may hold secrets: never logged */
	const char *const *headers;     /* "Name: value" */
	size_t n_headers;
	const char *body;               /* NULL: none */
	size_t len;
	int timeout_ms;                 /* 0: 20,000 */
	size_t max;                     /* bytes of the answer; 0: 16 MiB */
};
struct client_answer {
	long status;
	struct str body;                /* NUL behind it; the caller's to free */
};

struct client *client_new(void);
void client_free(struct client *c);     /* NULL-safe */
/*
 * 0: there is an answer, whatever its status. ERR_AGAIN: none, with a reason that holds no secret.
 * client_cancel from another thread ends a request that is under way.
 */
int client_do(struct client *c, const struct client_request *request, struct client_answer *ret, struct err *e);
void client_cancel(struct client *c);
