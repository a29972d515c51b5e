#pragma once
/*
 * The HTTP server to which the other side pushes: GET and POST, bodies up to a limit, a rate limit, and
 * answers that may come later (after the gateway's receipt). One thread of its own. TLS is left to
 * a reverse proxy before it; docs say how.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct server;
struct server_call;

/* Answers what is refused before it is handed over (405, 413, 429), in the platform's shape. */
typedef void server_refuse(void *arg, struct server_call *call, int status, const char *why);
struct server_options {
	const char *address;            /* numeric */
	int port;                       /* 0: a free one */
	size_t body_max;                /* more is answered 413 */
	unsigned connections;           /* 0: 200 */
	int64_t rate, burst;            /* calls a second over all, and at once; 0: no limit. More is answered 429 */
	void (*over)(void *arg, struct server_call *call, bool sent);   /* or NULL; see below */
	server_refuse *refuse;          /* NULL: {"error":…} */
};
/*
 * A whole request, on the server's thread: it must not wait. It answers by server_answer, at once or
 * later from any thread, exactly once.
 */
typedef void server_fn(void *arg, struct server_call *call);
/*
 * options.over: a call that was handed over is done and dies on return; on the server's thread. sent: its answer
 * was written whole; else the other side had gone.
 */
int server_open(const struct server_options *options, server_fn *fn, void *arg, struct server **ret, struct err *e);
int server_port(const struct server *s);
/* Calls that are not answered yet are cut off. */
void server_close(struct server *s);    /* NULL-safe */

const char *server_method(const struct server_call *call);      /* "GET", "POST" */
const char *server_path(const struct server_call *call);
const char *server_query(const struct server_call *call, const char *name);     /* decoded, or NULL */
const char *server_header(const struct server_call *call, const char *name);    /* or NULL */
const char *server_body(const struct server_call *call, size_t *ret_len);       /* NUL behind it */
/* The caller's own, NULL at first. */
void *server_cookie(const struct server_call *call);
void server_set_cookie(struct server_call *call, void *cookie);
void server_answer(struct server_call *call, int status, const char *type, const char *body, size_t len);

/* Are the two texts the same? In a time that does not depend on where they differ. */
bool secret_equal(const char *a, size_t na, const char *b, size_t nb);
