#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
	const char *program;
	enum log_level max;
	bool journal;
} logger = {"needle", LOG_INFO_, false};

void log_init(const char *program, enum log_level max)
{
	logger.program = program;
	logger.max = max;
	logger.journal = getenv("JOURNAL_STREAM") != NULL;
}

static int prefix(char *line, size_t size, enum log_level level)
{
	static const char *const names[] = {"", "", "", "error", "warn", "notice", "info", "debug"};
	struct timespec now;
	struct tm tm;
	char stamp[40];

	if (logger.journal)
		return snprintf(line, size, "<%d>", (int)level);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	return snprintf(line, size, "%s.%03ldZ %s %s ", stamp, now.tv_nsec / 1000000, logger.program,
			names[level]);
}

void log_line(enum log_level level, const char *event, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	size_t at;

	if (level > logger.max)
		return;
	at = (size_t)prefix(line, sizeof(line), level);
	at += (size_t)snprintf(line + at, sizeof(line) - at, "%s ", event);
	if (at < sizeof(line) - 1) {
		va_start(ap, fmt);
		vsnprintf(line + at, sizeof(line) - at - 1, fmt, ap);
		va_end(ap);
	}
	/* A line break inside a text would forge a second event. */
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	at = strlen(line);
	line[at] = '\n';
	if (write(STDERR_FILENO, line, at + 1) < 0)
		return; /* nobody listens: there is no better place to say so */
}
