/*
 * While a client has answers that it did not read, its next question is not read either: memory
 * stays bounded by one line and one answer a client, whatever it does.
 */
#include "health/control.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"

enum { CLIENTS = 16, LINE_MAX_BYTES = 64 * 1024, CHORE_MS = 1000, BACKLOG = 16 };
#define IDLE_US (INT64_C(60) * 1000000)
#define STALLED_US (INT64_C(10) * 1000000)

struct client {
	struct control *control;
	int fd;                 /* -1: free */
	bool ended;             /* it has sent its last byte */
	bool waits;             /* the first line of `in` has no answer yet */
	int64_t moved_us;       /* last time that bytes moved */
	struct str in, out;
	size_t sent;            /* of out */
};

struct control {
	struct loop *loop;
	int fd;
	bool bound;             /* the name is ours to remove */
	struct sockaddr_un path;
	const struct control_verb *verbs;
	size_t n_verbs;
	void *arg;
	struct client clients[CLIENTS];
};

static void drop(struct client *c)
{
	loop_remove(c->control->loop, c->fd);
	close(c->fd);
	c->fd = -1;
	str_done(&c->in);
	str_done(&c->out);
	c->sent = 0;
}

static void run_verb(struct control *control, const char *line, size_t len, struct str *reply)
{
	json_error_t why;
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
	const char *verb = json_string_value(json_object_get(request, "verb"));
	size_t i;

	for (i = 0; i < control->n_verbs && !str_equal(verb, control->verbs[i].name); i++)
		;
	if (!json_is_object(request))
		str_add(reply, "{\"error\":\"a request is one JSON object in one line\"}");
	else if (!verb)
		str_add(reply, "{\"error\":\"the request names no verb\"}");
	else if (i == control->n_verbs)
		str_add(reply, "{\"error\":\"there is no such verb\"}");
	else
		control->verbs[i].fn(control->arg, request, reply);
	json_decref(request);
}

static void reply_to(struct client *c, const char *line, size_t len)
{
	run_verb(c->control, line, len, &c->out);
	c->waits = !c->out.len;
	if (c->waits)
		return;
	/* Outside of strings a line break is only white space, and inside it cannot be. */
	for (size_t i = 0; i < c->out.len; i++)
		if (c->out.s[i] == '\n' || c->out.s[i] == '\r')
			c->out.s[i] = ' ';
	if (c->out.cut) {
		str_reset(&c->out);
		str_add(&c->out, "{\"error\":\"the answer is too long\"}");
	}
	str_addc(&c->out, '\n');
}

/* Sends what is waiting; false when the client is gone. */
static bool flush(struct client *c)
{
	while (c->sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.s + c->sent, c->out.len - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		c->sent += (size_t)n;
		c->moved_us = clock_mono_us();
	}
	str_reset(&c->out);
	c->sent = 0;
	return true;
}

/* Answers whole lines until one answer waits to be read, or to be known; false when the client is to be dropped. */
static bool answer_lines(struct client *c)
{
	size_t at = 0;
	char *end;

	while (!c->out.len && c->in.len > at && (end = memchr(c->in.s + at, '\n', c->in.len - at))) {
		reply_to(c, c->in.s + at, (size_t)(end - c->in.s) - at);
		if (c->waits)
			break;
		at = (size_t)(end - c->in.s) + 1;
		if (!flush(c))
			return false;
	}
	if (at) {
		memmove(c->in.s, c->in.s + at, c->in.len - at);
		c->in.len -= at;
	}
	if (!c->out.len && !c->waits && c->in.len >= LINE_MAX_BYTES) {
		str_add(&c->out, "{\"error\":\"the line is too long\"}\n");
		flush(c);
		return false;
	}
	return true;
}

static bool take(struct client *c)
{
	char buf[4096];
	size_t room = LINE_MAX_BYTES - c->in.len;
	ssize_t n;

	if (!room) /* whole lines wait in there */
		return true;
	n = recv(c->fd, buf, room < sizeof(buf) ? room : sizeof(buf), MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->ended = n == 0;
	if (n)
		c->moved_us = clock_mono_us();
	str_addn(&c->in, buf, (size_t)n);
	return true;
}

static void go_on(struct client *c, bool alive)
{
	struct err e;

	alive = alive && answer_lines(c);
	if (alive && c->ended && !c->out.len && !c->waits)
		alive = false;
	alive = alive && loop_change(c->control->loop, c->fd, c->waits ? 0 : c->out.len ? EPOLLOUT : EPOLLIN, &e) == 0;
	if (!alive)
		drop(c);
}

static void on_client(void *arg, uint32_t events)
{
	struct client *c = arg;
	bool alive = flush(c);

	/* Nothing is read of who waits: what comes all the same is that it has left. */
	if (c->waits)
		alive = alive && !(events & (EPOLLHUP | EPOLLERR));
	else if (alive && !c->out.len && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		alive = take(c);
	if (!c->waits || !alive)
		go_on(c, alive);
}

void control_again(struct control *control)
{
	for (size_t i = 0; i < CLIENTS; i++)
		if (control->clients[i].fd >= 0 && control->clients[i].waits) {
			control->clients[i].waits = false;
			go_on(&control->clients[i], true);
		}
}

static void on_connect(void *arg, uint32_t events)
{
	static const char busy[] = "{\"error\":\"too many clients: try again\"}\n";
	struct control *control = arg;
	int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c = control->clients;
	struct err e;

	(void)events;
	if (fd < 0)
		return;
	while (c < control->clients + CLIENTS && c->fd >= 0)
		c++;
	if (c == control->clients + CLIENTS || loop_add(control->loop, fd, EPOLLIN, on_client, c, &e) < 0) {
		if (send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			errno = 0; /* it left already */
		close(fd);
		return;
	}
	*c = (struct client){.control = control, .fd = fd, .moved_us = clock_mono_us(),
			     .in = {.max = LINE_MAX_BYTES}};
}

static void drop_silent(void *arg)
{
	struct control *control = arg;
	int64_t now = clock_mono_us();

	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *c = &control->clients[i];

		if (c->fd >= 0 && now - c->moved_us > (c->out.len ? STALLED_US : IDLE_US))
			drop(c);
	}
}

/* Does a living daemon answer there? */
static bool is_taken(const struct sockaddr_un *path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool taken = fd >= 0 && (connect(fd, (const struct sockaddr *)path, sizeof(*path)) == 0 ||
				 errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return taken;
}

static int listen_on(struct control *control, struct err *e)
{
	const struct sockaddr *to = (const struct sockaddr *)&control->path;
	const char *path = control->path.sun_path;
	struct stat st;

	if (is_taken(&control->path))
		return err_set(e, ERR_SYS, "control socket %s: another daemon answers there", path);
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The mode is set before the name exists, so that there is no moment of a wider one. */
	control->bound = control->fd >= 0 && fchmod(control->fd, 0660) == 0 &&
			 bind(control->fd, to, sizeof(control->path)) == 0;
	if (!control->bound || chmod(path, 0660) < 0 || listen(control->fd, BACKLOG) < 0)
		return err_set(e, ERR_SYS, "control socket %s: %s", path, strerror(errno));
	return loop_add(control->loop, control->fd, EPOLLIN, on_connect, control, e);
}

void control_close(struct control *control)
{
	if (!control)
		return;
	for (size_t i = 0; i < CLIENTS; i++)
		if (control->clients[i].fd >= 0)
			drop(&control->clients[i]);
	if (control->fd >= 0) {
		loop_remove(control->loop, control->fd);
		close(control->fd);
	}
	if (control->bound)
		unlink(control->path.sun_path);
	free(control);
}

int control_open(struct loop *loop, const char *path, const struct control_verb *verbs, size_t n_verbs, void *arg,
		 struct control **ret, struct err *e)
{
	struct control *control;
	int r;

	if (strlen(path) >= sizeof(control->path.sun_path))
		return err_set(e, ERR_BAD, "control socket %s: the path is too long", path);
	control = mem_alloc(sizeof(*control));
	*control = (struct control){.loop = loop, .fd = -1, .path = {.sun_family = AF_UNIX},
				    .verbs = verbs, .n_verbs = n_verbs, .arg = arg};
	memcpy(control->path.sun_path, path, strlen(path));
	for (size_t i = 0; i < CLIENTS; i++)
		control->clients[i].fd = -1;
	r = listen_on(control, e);
	if (r < 0) {
		control_close(control);
		return r;
	}
	loop_every(loop, CHORE_MS, drop_silent, control);
	*ret = control;
	return 0;
}

void control_path(const char *tenant, const char *instance, char *ret, size_t size)
{
	snprintf(ret, size, "/run/needle/%s/ctl-%s.sock", tenant, instance);
}
