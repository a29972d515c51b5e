/*
 * libmicrohttpd is driven from outside: its epoll descriptor sits in our loop, and a chore lets it
 * close what timed out. No thread of its own, so that pages may read what the main thread owns.
 */
#include "health/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"

enum { CONNECTIONS = 32, TIMEOUT_S = 10, MEMORY = 16 * 1024, TURNS = 16, CHORE_MS = 1000, BACKLOG = 16 };

struct http {
	struct MHD_Daemon *daemon;
	struct loop *loop;
	int epoll_fd;
	const struct http_page *pages;
	size_t n_pages;
};

int http_healthy(void *arg, struct str *out)
{
	(void)arg;
	str_add(out, "{\"ok\":true}\n");
	return MHD_HTTP_OK;
}

int http_ready(void *arg, struct str *out)
{
	const struct http_probes *probes = arg;
	const char *before = "{\"ready\":false,\"reasons\":[";

	for (size_t i = 0; i < probes->n; i++) {
		char reason[256] = "";

		if (probes->v[i].holds(probes->v[i].arg, reason, sizeof(reason)))
			continue;
		str_add(out, before);
		str_json(out, reason);
		before = ",";
	}
	if (!out->len) {
		str_add(out, "{\"ready\":true}\n");
		return MHD_HTTP_OK;
	}
	str_add(out, "]}\n");
	return MHD_HTTP_SERVICE_UNAVAILABLE;
}

static enum MHD_Result answer(struct MHD_Connection *c, int status, const char *type, struct str *body)
{
	size_t len = body->len;
	struct MHD_Response *r = MHD_create_response_from_buffer(len, TAKE(body->s), MHD_RESPMEM_MUST_FREE);
	enum MHD_Result done;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	done = MHD_queue_response(c, (unsigned)status, r);
	MHD_destroy_response(r);
	return done;
}

static enum MHD_Result refuse(struct MHD_Connection *c, int status, const char *why)
{
	struct str body = {0};

	str_addf(&body, "{\"error\":\"%s\"}\n", why);
	return answer(c, status, HTTP_JSON, &body);
}

static enum MHD_Result serve(void *arg, struct MHD_Connection *c, const char *path, const char *method,
			     const char *version, const char *upload, size_t *upload_len, void **state)
{
	static char seen;
	struct http *http = arg;
	struct str body = {0};

	(void)version;
	(void)upload;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are served");
	/* The first call comes before a body, which is read over; the answer belongs to the last. */
	if (!*state || *upload_len) {
		*state = &seen;
		*upload_len = 0;
		return MHD_YES;
	}
	for (size_t i = 0; i < http->n_pages; i++) {
		const struct http_page *page = &http->pages[i];
		int status;

		if (strcmp(page->path, path) != 0)
			continue;
		status = page->fn(page->arg, &body);
		return answer(c, status, page->type, &body);
	}
	return refuse(c, MHD_HTTP_NOT_FOUND, "no such page");
}

static void turn(void *arg)
{
	struct http *http = arg;
	MHD_UNSIGNED_LONG_LONG wait_ms;

	/* Its descriptors are edge-triggered: a wait of zero means that something is left to do. */
	for (int i = 0; i < TURNS; i++) {
		MHD_run(http->daemon);
		if (MHD_get_timeout(http->daemon, &wait_ms) != MHD_YES || wait_ms)
			return;
	}
}

static void on_event(void *arg, uint32_t events)
{
	(void)events;
	turn(arg);
}

static int listen_on(const char *address, int port, int *ret_fd, struct err *e)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
	const struct sockaddr *to = is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	socklen_t len = is_v4 ? sizeof(v4) : sizeof(v6);
	int fd, on = 1;

	if (!is_v4 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1)
		return err_set(e, ERR_BAD, "http.listen: '%s' is not a numeric address", address);
	fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(e, ERR_SYS, "http: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, to, len) < 0 || listen(fd, BACKLOG) < 0) {
		err_set(e, ERR_SYS, "http: cannot listen on %s port %d: %s", address, port, strerror(errno));
		close(fd);
		return ERR_SYS;
	}
	*ret_fd = fd;
	return 0;
}

static int start(struct http *http, int fd, struct err *e)
{
	const union MHD_DaemonInfo *info;

	/* From here on the listening socket is the library's. */
	http->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, serve, http, MHD_OPTION_LISTEN_SOCKET, fd,
					MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
					MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
					MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY, MHD_OPTION_END);
	if (!http->daemon) {
		close(fd);
		return err_set(e, ERR_SYS, "http: the server could not be started");
	}
	info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return err_set(e, ERR_SYS, "http: libmicrohttpd was built without epoll");
	http->epoll_fd = info->epoll_fd;
	return loop_add(http->loop, http->epoll_fd, EPOLLIN, on_event, http, e);
}

int http_open(struct loop *loop, const char *address, int port, const struct http_page *pages, size_t n_pages,
	      struct http **ret, struct err *e)
{
	struct http *http;
	int fd = -1, r;

	r = listen_on(address, port, &fd, e);
	if (r < 0)
		return r;
	http = mem_alloc(sizeof(*http));
	*http = (struct http){.loop = loop, .epoll_fd = -1, .pages = pages, .n_pages = n_pages};
	r = start(http, fd, e);
	if (r < 0) {
		http_close(http);
		return r;
	}
	loop_every(loop, CHORE_MS, turn, http);
	*ret = http;
	return 0;
}

int http_port(const struct http *http)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);

	return info ? info->port : 0;
}

void http_close(struct http *http)
{
	if (!http)
		return;
	if (http->epoll_fd >= 0)
		loop_remove(http->loop, http->epoll_fd);
	if (http->daemon)
		MHD_stop_daemon(http->daemon);
	free(http);
}
