/*
 * libmicrohttpd with one thread of its own. A call whose answer comes later is suspended and resumed by
 * whoever answers; its state is freed when the library says that the request is over.
 */
#include "bridge/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

enum { CONNECTIONS = 200, TIMEOUT_S = 15, MEMORY = 24 * 1024, BACKLOG = 256, SECOND_US = 1000000 };

struct server {
	struct MHD_Daemon *daemon;
	struct server_options options;
	server_fn *fn;
	void *arg;
	double tokens;                  /* of the rate limit; the server's thread only */
	int64_t filled_us;
	pthread_mutex_t lock;
	struct server_call *calls;      /* all that are under way */
};

struct server_call {
	struct server *server;
	struct MHD_Connection *connection;
	struct server_call *next, **at;
	char *path;
	char method[8];
	struct str body;
	int refused;                    /* a status, before the body was read */
	bool handed, suspended, answered;
	void *cookie;
	int status;
	char type[80];
	struct str answer;
};

/* ---- answers ------------------------------------------------------------------------------------- */

static enum MHD_Result send_answer(struct server_call *call)
{
	size_t len = call->answer.len;
	struct MHD_Response *r = MHD_create_response_from_buffer(len, TAKE(call->answer.s), MHD_RESPMEM_MUST_FREE);
	enum MHD_Result done;

	call->answer = (struct str){0};
	if (!r)
		return MHD_NO;
	if (*call->type)
		MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, call->type);
	MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (call->status == MHD_HTTP_TOO_MANY_REQUESTS)
		MHD_add_response_header(r, MHD_HTTP_HEADER_RETRY_AFTER, "1");
	done = MHD_queue_response(call->connection, (unsigned)call->status, r);
	MHD_destroy_response(r);
	return done;
}

void server_answer(struct server_call *call, int status, const char *type, const char *body, size_t len)
{
	struct server *s = call->server;

	pthread_mutex_lock(&s->lock);
	if (!call->answered) {
		call->answered = true;
		call->status = status;
		snprintf(call->type, sizeof(call->type), "%s", type);
		str_addn(&call->answer, body, len);
		if (call->suspended)
			MHD_resume_connection(call->connection);
	}
	pthread_mutex_unlock(&s->lock);
}

static void refuse(struct server_call *call, int status, const char *why)
{
	const struct server *s = call->server;
	char text[160];
	int n = snprintf(text, sizeof(text), "{\"error\":\"%s\"}\n", why);

	if (s->options.refuse)
		s->options.refuse(s->arg, call, status, why);
	else
		server_answer(call, status, "application/json", text, (size_t)n);
}

/* ---- requests ------------------------------------------------------------------------------------ */

static bool within_rate(struct server *s)
{
	int64_t now = clock_mono_us();

	if (!s->options.rate)
		return true;
	s->tokens += (double)(now - s->filled_us) * (double)s->options.rate / SECOND_US;
	if (s->tokens > (double)s->options.burst)
		s->tokens = (double)s->options.burst;
	s->filled_us = now;
	if (s->tokens < 1)
		return false;
	s->tokens -= 1;
	return true;
}

static struct server_call *call_new(struct server *s, struct MHD_Connection *c, const char *path, const char *method)
{
	struct server_call *call = mem_alloc(sizeof(*call));
	const char *length = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	int64_t n = 0;

	call->server = s;
	call->connection = c;
	call->path = mem_strdup(path);
	call->body.max = s->options.body_max;
	snprintf(call->method, sizeof(call->method), "%s", method);
	if (!within_rate(s))
		call->refused = MHD_HTTP_TOO_MANY_REQUESTS;
	else if (strcmp(method, "GET") != 0 && strcmp(method, "POST") != 0)
		call->refused = MHD_HTTP_METHOD_NOT_ALLOWED;
	else if (length && (!str_to_int(length, 0, INT64_MAX, &n) || (size_t)n > s->options.body_max))
		call->refused = MHD_HTTP_CONTENT_TOO_LARGE;
	pthread_mutex_lock(&s->lock);
	call->next = s->calls;
	call->at = &s->calls;
	if (call->next)
		call->next->at = &call->next;
	s->calls = call;
	pthread_mutex_unlock(&s->lock);
	return call;
}

static void on_completed(void *arg, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode code)
{
	struct server *s = arg;
	struct server_call *call = *state;

	(void)c;
	if (!call)
		return;
	*state = NULL;
	if (call->handed && !call->refused && s->options.over)
		s->options.over(s->arg, call, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
	pthread_mutex_lock(&s->lock);
	*call->at = call->next;
	if (call->next)
		call->next->at = call->at;
	pthread_mutex_unlock(&s->lock);
	str_done(&call->body);
	str_done(&call->answer);
	free(call->path);
	free(call);
}

static const struct {
	int status;
	const char *why;
} refusals[] = {{MHD_HTTP_TOO_MANY_REQUESTS, "too many requests; try again later"},
		{MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and POST are served"},
		{MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large"}};

/* The whole request is there. */
static enum MHD_Result hand_over(struct server *s, struct server_call *call)
{
	bool wait;

	call->handed = true;
	if (call->body.cut && !call->refused)
		call->refused = MHD_HTTP_CONTENT_TOO_LARGE;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i].status == call->refused)
			refuse(call, call->refused, refusals[i].why);
	if (!call->refused)
		s->fn(s->arg, call);
	pthread_mutex_lock(&s->lock);
	wait = !call->answered;
	if (wait) {
		call->suspended = true;
		MHD_suspend_connection(call->connection);
	}
	pthread_mutex_unlock(&s->lock);
	return wait ? MHD_YES : send_answer(call);
}

static enum MHD_Result serve(void *arg, struct MHD_Connection *c, const char *path, const char *method,
			     const char *version, const char *upload, size_t *upload_len, void **state)
{
	struct server *s = arg;
	struct server_call *call = *state;

	(void)version;
	if (!call) {
		*state = call_new(s, c, path, method);
		return MHD_YES;
	}
	if (*upload_len) {
		/* Of what is refused the body is read over: an answer in the middle would be lost. */
		if (!call->refused)
			str_addn(&call->body, upload, *upload_len);
		*upload_len = 0;
		return MHD_YES;
	}
	return call->handed ? send_answer(call) : hand_over(s, call);
}

/* ---- what a call is ------------------------------------------------------------------------------ */

const char *server_method(const struct server_call *call)
{
	return call->method;
}

const char *server_path(const struct server_call *call)
{
	return call->path;
}

const char *server_query(const struct server_call *call, const char *name)
{
	return MHD_lookup_connection_value(call->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *server_header(const struct server_call *call, const char *name)
{
	return MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, name);
}

const char *server_body(const struct server_call *call, size_t *ret_len)
{
	*ret_len = call->body.len;
	return call->body.s ? call->body.s : "";
}

void *server_cookie(const struct server_call *call)
{
	return call->cookie;
}

void server_set_cookie(struct server_call *call, void *cookie)
{
	call->cookie = cookie;
}

bool secret_equal(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned char da[EVP_MAX_MD_SIZE], db[EVP_MAX_MD_SIZE];

	/* Digests have one length whatever the texts have. */
	if (!EVP_Digest(a, na, da, NULL, EVP_sha256(), NULL) || !EVP_Digest(b, nb, db, NULL, EVP_sha256(), NULL))
		mem_die("sha256");
	return CRYPTO_memcmp(da, db, 32) == 0;
}

/* ---- life ---------------------------------------------------------------------------------------- */

static int listen_on(const char *address, int port, int *ret_fd, struct err *e)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	bool is_v4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
	const struct sockaddr *to = is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	int fd, on = 1;

	if (!is_v4 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1)
		return err_set(e, ERR_BAD, "listen: '%s' is not a numeric address", address);
	fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(e, ERR_SYS, "http: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, to, is_v4 ? sizeof(v4) : sizeof(v6)) < 0 || listen(fd, BACKLOG) < 0) {
		err_set(e, ERR_SYS, "cannot listen on %s port %d: %s", address, port, strerror(errno));
		close(fd);
		return ERR_SYS;
	}
	*ret_fd = fd;
	return 0;
}

int server_open(const struct server_options *options, server_fn *fn, void *arg, struct server **ret, struct err *e)
{
	struct server *s;
	int fd = -1, r = listen_on(options->address, options->port, &fd, e);

	if (r < 0)
		return r;
	s = mem_alloc(sizeof(*s));
	*s = (struct server){.options = *options, .fn = fn, .arg = arg, .tokens = (double)options->burst,
			     .filled_us = clock_mono_us()};
	pthread_mutex_init(&s->lock, NULL);
	s->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, serve, s,
				     MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
				     options->connections ? options->connections : (unsigned)CONNECTIONS,
				     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY, MHD_OPTION_NOTIFY_COMPLETED,
				     on_completed, s, MHD_OPTION_END);
	if (!s->daemon) {
		close(fd);
		free(s);
		return err_set(e, ERR_SYS, "http: the server could not be started");
	}
	*ret = s;
	return 0;
}

int server_port(const struct server *s)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);

	return info ? info->port : 0;
}

void server_close(struct server *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	for (struct server_call *call = s->calls; call; call = call->next)
		if (call->suspended && !call->answered) {
			call->answered = true;
			call->status = MHD_HTTP_SERVICE_UNAVAILABLE;
			MHD_resume_connection(call->connection);
		}
	pthread_mutex_unlock(&s->lock);
	MHD_stop_daemon(s->daemon);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
