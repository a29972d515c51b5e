#pragma once
/*
 * A small read-only HTTP server inside the main loop: a table of pages, each a callback that fills a
 * text and returns the status code. GET and HEAD only; few connections, short time-outs. Callbacks
 * run in the main thread and must not wait.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;
struct http;
struct loop;
struct str;

#define HTTP_JSON "application/json"
#define HTTP_METRICS "text/plain; version=0.0.4; charset=utf-8"

typedef int http_fn(void *arg, struct str *out);    /* returns 200, 503 … */
struct http_page {
	const char *path;               /* "/metrics"; compared whole */
	const char *type;               /* content type of the page; errors are JSON */
	http_fn *fn;
	void *arg;
};

/* The page of /healthz: the loop turns, so the answer is yes. */
http_fn http_healthy;

/* The page of /readyz: 200 {"ready":true} or 503 {"ready":false,"reasons":["…"]}. */
struct http_probe {
	/* True, or false with one sentence in `reason`. */
	bool (*holds)(void *arg, char *reason, size_t size);
	void *arg;
};
struct http_probes {
	const struct http_probe *v;
	size_t n;
};
http_fn http_ready;                     /* arg: const struct http_probes * */

/*
 * Listens on a numeric address; port 0 takes a free one. The pages are borrowed. ERR_BAD: not an
 * address; ERR_SYS: it cannot be listened on. Close after the loop has ended.
 */
int http_open(struct loop *loop, const char *address, int port, const struct http_page *pages, size_t n_pages,
	      struct http **ret, struct err *e);
int http_port(const struct http *http);
void http_close(struct http *http);     /* NULL-safe */
