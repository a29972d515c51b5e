#include "base/fault.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *point, *broken;
static size_t point_len;
static _Atomic long passes_left;
static const _Atomic int64_t *clock_us;

static void map_clock(const char *path)
{
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *p = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*clock_us), PROT_READ, MAP_SHARED, fd, 0);

	if (p != MAP_FAILED)
		clock_us = p;
	if (fd >= 0)
		close(fd);
}

void fault_init(void)
{
	const char *colon;

	map_clock(getenv("NEEDLE_CLOCK"));
	broken = getenv("NEEDLE_BREAK");
	point = getenv("NEEDLE_FAULT");
	if (!point)
		return;
	colon = strchr(point, ':');
	point_len = colon ? (size_t)(colon - point) : strlen(point);
	passes_left = colon ? strtol(colon + 1, NULL, 10) : 1;
}

/* So that whoever looks for this end does not take another one for it. */
static void say(const char *name)
{
	char line[80];
	int n = snprintf(line, sizeof(line), "fault %s\n", name);

	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

void fault_point(const char *name)
{
	if (!point || strlen(name) != point_len || memcmp(name, point, point_len) != 0)
		return;
	if (atomic_fetch_sub(&passes_left, 1) == 1) {
		say(name);
		kill(getpid(), SIGKILL);
	}
}

bool fault_broken(const char *discipline)
{
	return broken && strcmp(broken, discipline) == 0;
}

int64_t fault_clock_us(void)
{
	return clock_us ? atomic_load(clock_us) : 0;
}
