#include "link/paho/sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum {
	BUFFER = 16384,
	SOCKETS = 64,             /* connections at a time; one beyond them has no buffers and works all the same */
	LEFT_MS = 10,           /* between two tries to write what the socket did not take */
	GATHER_US = 250,        /* between two reads, or two turns of sending: what comes meanwhile comes with one wake-up */
	LOOK_US = 10000,        /* where as much as this passes in that time: */
	BUSY_BYTES = 50000,     /* 2,000 tickets a second; with less there is nothing to gather, and each would only wait */
};

struct buffered {
	int fd;
	size_t at, end;         /* of what has come and is not read */
	size_t out_at, out_end; /* of what is not written */
	unsigned char in[BUFFER], out[BUFFER];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct buffered *sockets[SOCKETS];
static size_t n_sockets;
static size_t n_passed;         /* bytes, both ways, since `counted_us` */
static int64_t counted_us;
static _Atomic bool busy;
static int64_t read_us;         /* when something was read last; of the reading thread */
static int64_t woken_us;        /* when the sending thread had work last; its own */

/* All that follow: locked. */
static struct buffered *find(int fd)
{
	for (size_t i = 0; i < n_sockets; i++)
		if (sockets[i]->fd == fd)
			return sockets[i];
	return NULL;
}

static void forget(int fd)
{
	for (size_t i = 0; i < n_sockets; i++) {
		if (sockets[i]->fd != fd)
			continue;
		free(sockets[i]);
		sockets[i] = sockets[--n_sockets];
		return;
	}
}

static void passed(size_t n)
{
	int64_t now = clock_mono_us();

	n_passed += n;
	if (now - counted_us < LOOK_US)
		return;
	busy = (int64_t)n_passed * LOOK_US >= (now - counted_us) * BUSY_BYTES;
	n_passed = 0;
	counted_us = now;
}

/* False: the socket takes no more for now. A broken one is Paho's to find out, by reading. */
static bool flush(struct buffered *s)
{
	while (s->out_at < s->out_end) {
		ssize_t n = send(s->fd, s->out + s->out_at, s->out_end - s->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return false;
		if (n < 0)
			break;
		s->out_at += (size_t)n;
	}
	passed(s->out_end);
	s->out_at = s->out_end = 0;
	return true;
}

static bool flush_all(void)
{
	bool all = true;

	for (size_t i = 0; i < n_sockets; i++)
		all &= flush(sockets[i]);
	return all;
}

static size_t take(struct buffered *s, unsigned char *to, size_t n)
{
	size_t here = s->end - s->at;

	n = n < here ? n : here;
	memcpy(to, s->in + s->at, n);
	s->at += n;
	return n;
}

static ssize_t read_through(struct buffered *s, void *to, size_t n, int flags)
{
	size_t got = take(s, to, n);
	ssize_t more;

	if (got == n)
		return (ssize_t)got;
	/* Nothing is left of the buffer. What is larger than it needs none. */
	if (n - got >= BUFFER) {
		more = recv(s->fd, (unsigned char *)to + got, n - got, flags);
		return more < 0 ? (got ? (ssize_t)got : more) : (ssize_t)got + more;
	}
	more = recv(s->fd, s->in, BUFFER, flags);
	if (more <= 0)
		return got ? (ssize_t)got : more; /* Paho asks again and gets the answer */
	s->at = 0;
	s->end = (size_t)more;
	read_us = clock_mono_us();
	passed((size_t)more);
	return (ssize_t)(got + take(s, (unsigned char *)to + got, n - got));
}

/* How many of them have something here: those are ready, the others can wait that long. */
static int already_here(struct pollfd *fds, nfds_t n)
{
	int ready = 0;

	for (nfds_t i = 0; i < n; i++) {
		struct buffered *s = find(fds[i].fd);

		fds[i].revents = s && s->at < s->end ? fds[i].events & (POLLIN | POLLOUT) : 0;
		ready += fds[i].revents != 0;
	}
	return ready;
}

/* The broker writes packet by packet, and we publish one by one; woken by each, a thread is in everybody's way. */
static void gather(int64_t since_us)
{
	int64_t left = since_us + GATHER_US - clock_mono_us();
	struct timespec pause = {.tv_nsec = left * 1000};

	if (busy && left > 0 && left <= GATHER_US)
		nanosleep(&pause, NULL);
}

/* ---- Paho's calls --------------------------------------------------------------------------- */

int paho_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	const int on = 1;
	struct buffered *s;

	/* Small packets would wait for the acknowledgement of those before, 40 ms at worst. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	pthread_mutex_lock(&lock);
	if (!find(fd) && n_sockets < SOCKETS) {
		s = mem_alloc(sizeof(*s));
		s->fd = fd;
		sockets[n_sockets++] = s;
	}
	pthread_mutex_unlock(&lock);
	return connect(fd, address, len);
}

ssize_t paho_recv(int fd, void *to, size_t n, int flags)
{
	struct buffered *s;
	ssize_t got;

	pthread_mutex_lock(&lock);
	s = find(fd);
	got = s && n ? read_through(s, to, n, flags) : recv(fd, to, n, flags);
	pthread_mutex_unlock(&lock);
	return got;
}

ssize_t paho_writev(int fd, const struct iovec *parts, int n)
{
	struct buffered *s;
	size_t total = 0;
	ssize_t done;

	for (int i = 0; i < n; i++)
		total += parts[i].iov_len;
	pthread_mutex_lock(&lock);
	s = find(fd);
	if (s && s->out_end + total > BUFFER && !flush(s)) {
		errno = EAGAIN;
		done = -1;
	} else if (!s || total > BUFFER) {
		done = writev(fd, parts, n);
	} else {
		for (int i = 0; i < n; i++) {
			if (parts[i].iov_len)
				memcpy(s->out + s->out_end, parts[i].iov_base, parts[i].iov_len);
			s->out_end += parts[i].iov_len;
		}
		done = (ssize_t)total;
	}
	pthread_mutex_unlock(&lock);
	return done;
}

int paho_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	int ready;
	bool all;

	pthread_mutex_lock(&lock);
	ready = already_here(fds, n);
	all = ready || timeout_ms == 0 || flush_all();
	pthread_mutex_unlock(&lock);
	if (ready)
		return ready;
	if (timeout_ms != 0)
		gather(read_us);
	if (!all && (timeout_ms < 0 || timeout_ms > LEFT_MS))
		timeout_ms = LEFT_MS;
	return poll(fds, n, timeout_ms);
}

/* Paho's conditions go by the clock of the day; who is woken early by it looks and waits again. */
static void at_most(struct timespec *until, int ms)
{
	struct timespec soon;

	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec += ms * 1000000L;
	soon.tv_sec += soon.tv_nsec / 1000000000;
	soon.tv_nsec %= 1000000000;
	if (soon.tv_sec < until->tv_sec || (soon.tv_sec == until->tv_sec && soon.tv_nsec < until->tv_nsec))
		*until = soon;
}

int paho_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
	struct timespec end = *until;
	bool all;
	int rc;

	pthread_mutex_lock(&lock);
	all = flush_all();
	pthread_mutex_unlock(&lock);
	if (!all)
		at_most(&end, LEFT_MS);
	rc = pthread_cond_timedwait(cond, mutex, &end);
	if (rc)
		return rc;
	pthread_mutex_unlock(mutex);
	gather(woken_us);
	pthread_mutex_lock(mutex);
	woken_us = clock_mono_us();
	return 0;
}

int paho_shutdown(int fd, int how)
{
	struct buffered *s;

	pthread_mutex_lock(&lock);
	s = find(fd);
	if (s)
		flush(s);
	pthread_mutex_unlock(&lock);
	return shutdown(fd, how);
}

int paho_close(int fd)
{
	pthread_mutex_lock(&lock);
	forget(fd);
	pthread_mutex_unlock(&lock);
	return close(fd);
}

char *paho_getenv(const char *name)
{
	return strstr(name, "proxy") ? NULL : getenv(name);
}
