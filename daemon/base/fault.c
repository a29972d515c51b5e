#include "base/fault.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *point, *broken;
static size_t point_len;
static _Atomic long passes_left;

void fault_init(void)
{
	const char *colon;

	broken = getenv("NEEDLE_BREAK");
	point = getenv("NEEDLE_FAULT");
	if (!point)
		return;
	colon = strchr(point, ':');
	point_len = colon ? (size_t)(colon - point) : strlen(point);
	passes_left = colon ? strtol(colon + 1, NULL, 10) : 1;
}

void fault_point(const char *name)
{
	if (!point || strlen(name) != point_len || memcmp(name, point, point_len) != 0)
		return;
	if (atomic_fetch_sub(&passes_left, 1) == 1)
		kill(getpid(), SIGKILL);
}

bool fault_broken(const char *discipline)
{
	return broken && strcmp(broken, discipline) == 0;
}
