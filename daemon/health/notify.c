/*
 * The protocol is a few bytes in a datagram; a library for it would be the daemon's only tie to
 * systemd. A message that cannot be sent is logged and forgotten: systemd then does what it would
 * do with a silent service, which is right.
 */
#include "health/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/pulse.h"
#include "base/str.h"

enum { CHORE_MS = 5000, CHORE_MIN_MS = 100 };

static struct {
	int64_t bound_us;
	const char *stuck;      /* already named in the log */
} watch;

static bool address(struct sockaddr_un *to, socklen_t *len)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = path ? strlen(path) : 0;

	if (n < 2 || n >= sizeof(to->sun_path) || (*path != '/' && *path != '@'))
		return false;
	*to = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(to->sun_path, path, n);
	if (*path == '@')
		to->sun_path[0] = '\0';
	/* An abstract name ends where the length says; a path ends with its NUL. */
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (*path == '/'));
	return true;
}

static void tell(const char *text)
{
	struct sockaddr_un to;
	socklen_t len;
	int fd;

	if (!address(&to, &len))
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to, len) < 0)
		log_warn("notify.failed", "systemd could not be told: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

void notify_ready(void)
{
	tell("READY=1");
}

void notify_reloading(void)
{
	char text[64];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono_us());
	tell(text);
}

void notify_stopping(void)
{
	tell("STOPPING=1");
}

void notify_status(const char *fmt, ...)
{
	char text[512] = "STATUS=";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + 7, sizeof(text) - 7, fmt, ap);
	va_end(ap);
	/* A line break would begin another assignment. */
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = ' ';
	tell(text);
}

int64_t notify_watchdog_us(void)
{
	const char *pid = getenv("WATCHDOG_PID");
	int64_t us, owner;

	if (!str_to_int(getenv("WATCHDOG_USEC"), 1, INT64_MAX, &us))
		return 0;
	if (pid && (!str_to_int(pid, 1, INT64_MAX, &owner) || owner != getpid()))
		return 0;
	return us;
}

static void look(void *arg)
{
	int64_t age_us = 0;
	const char *stuck = pulse_stuck(watch.bound_us, &age_us);

	(void)arg;
	if (stuck && stuck != watch.stuck)
		log_error("watchdog.stuck", "thread %s has not moved for %" PRId64 " s", stuck,
			  age_us / 1000000);
	if (!stuck && watch.stuck)
		log_notice("watchdog.moving", "thread %s moves again", watch.stuck);
	watch.stuck = stuck;
	if (!stuck && notify_watchdog_us())
		tell("WATCHDOG=1");
}

void notify_watch(struct loop *loop, int64_t bound_us)
{
	int64_t period_ms = notify_watchdog_us() / 2000;

	watch.bound_us = bound_us;
	watch.stuck = NULL;
	if (!period_ms || period_ms > CHORE_MS)
		period_ms = CHORE_MS;
	look(NULL);
	loop_every(loop, period_ms < CHORE_MIN_MS ? CHORE_MIN_MS : period_ms, look, NULL);
}
