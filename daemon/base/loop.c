/* Few descriptors, few chores: a list walked once a turn is enough, and easy to be sure of. */
#include "base/loop.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

enum { N_CHORES = 16, N_EVENTS = 32 };

struct watch {
	struct watch *next;
	int fd;
	bool is_signal, gone;
	loop_fn *fn;
	void *arg;
};

struct chore {
	int64_t period_us, next_us;
	loop_chore *fn;
	void *arg;
};

struct loop {
	int epoll_fd;
	bool stop;
	struct watch *watches;
	struct chore chores[N_CHORES];
	size_t n_chores;
};

int loop_new(struct loop **ret, struct err *e)
{
	struct loop *loop = mem_alloc(sizeof(*loop));

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		free(loop);
		return err_set(e, ERR_SYS, "epoll: %s", strerror(errno));
	}
	*ret = loop;
	return 0;
}

static struct watch *find(struct loop *loop, int fd)
{
	struct watch *w;

	for (w = loop->watches; w && (w->fd != fd || w->gone); w = w->next)
		;
	return w;
}

/* A removed watch may still be named by events of this turn, so it is freed between turns. */
static void sweep(struct loop *loop)
{
	struct watch **at = &loop->watches, *w;

	while ((w = *at)) {
		if (!w->gone) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		free(w);
	}
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	for (struct watch *w = loop->watches; w; w = w->next) {
		if (w->is_signal)
			close(w->fd);
		w->gone = true;
	}
	sweep(loop);
	close(loop->epoll_fd);
	free(loop);
}

int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn *fn, void *arg, struct err *e)
{
	struct watch *w = mem_alloc(sizeof(*w));
	struct epoll_event ev = {.events = events, .data.ptr = w};

	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		free(w);
		return err_set(e, ERR_SYS, "epoll add: %s", strerror(errno));
	}
	*w = (struct watch){.next = loop->watches, .fd = fd, .fn = fn, .arg = arg};
	loop->watches = w;
	return 0;
}

int loop_change(struct loop *loop, int fd, uint32_t events, struct err *e)
{
	struct epoll_event ev = {.events = events, .data.ptr = find(loop, fd)};

	if (!ev.data.ptr || epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &ev) < 0)
		return err_set(e, ERR_SYS, "epoll change: %s", strerror(errno));
	return 0;
}

void loop_remove(struct loop *loop, int fd)
{
	struct watch *w = find(loop, fd);

	if (!w)
		return;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	w->gone = true;
}

int loop_signal(struct loop *loop, int signo, loop_fn *fn, void *arg, struct err *e)
{
	sigset_t set;
	int fd, r;

	sigemptyset(&set);
	sigaddset(&set, signo);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_set(e, ERR_SYS, "signalfd: %s", strerror(errno));
	r = loop_add(loop, fd, EPOLLIN, fn, arg, e);
	if (r < 0)
		close(fd);
	else
		loop->watches->is_signal = true;
	return r;
}

void loop_every(struct loop *loop, int64_t period_ms, loop_chore *fn, void *arg)
{
	if (loop->n_chores < N_CHORES)
		loop->chores[loop->n_chores++] = (struct chore){
			period_ms * 1000, clock_mono_us() + period_ms * 1000, fn, arg};
}

static int wait_ms(const struct loop *loop)
{
	int64_t next = clock_mono_us() + 1000000, now = clock_mono_us();

	for (size_t i = 0; i < loop->n_chores; i++)
		if (loop->chores[i].next_us < next)
			next = loop->chores[i].next_us;
	return next <= now ? 0 : (int)((next - now + 999) / 1000);
}

static void run_chores(struct loop *loop)
{
	for (size_t i = 0; i < loop->n_chores; i++) {
		struct chore *c = &loop->chores[i];
		int64_t now = clock_mono_us();

		if (c->next_us > now)
			continue;
		c->next_us = now + c->period_us;
		c->fn(c->arg);
	}
}

static void serve(struct watch *w, uint32_t events)
{
	struct signalfd_siginfo info;

	if (w->gone)
		return;
	if (!w->is_signal)
		w->fn(w->arg, events);
	else if (read(w->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		w->fn(w->arg, info.ssi_signo);
}

int loop_run(struct loop *loop, struct err *e)
{
	struct epoll_event events[N_EVENTS];

	while (!loop->stop) {
		int n = epoll_wait(loop->epoll_fd, events, N_EVENTS, wait_ms(loop));

		if (n < 0 && errno != EINTR)
			return err_set(e, ERR_SYS, "epoll wait: %s", strerror(errno));
		for (int i = 0; i < n; i++)
			serve(events[i].data.ptr, events[i].events);
		sweep(loop);
		run_chores(loop);
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stop = true;
}
