#include "base/err.h"

#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0)))
static void __attribute__((format(printf, 4, 0)))
fill(struct err *e, int class, const char *code, const char *fmt, va_list ap)
{
	e->class = class;
	snprintf(e->code, sizeof(e->code), "%s", code);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
}

int err_set(struct err *e, int class, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(e, class, "", fmt, ap);
	va_end(ap);
	return class;
}

int err_code(struct err *e, int class, const char *code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(e, class, code, fmt, ap);
	va_end(ap);
	return class;
}

void err_prefix(struct err *e, const char *fmt, ...)
{
	char before[sizeof(e->text)];
	char all[2 * sizeof(e->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(before, sizeof(before), fmt, ap);
	va_end(ap);
	snprintf(all, sizeof(all), "%s%s", before, e->text);
	memcpy(e->text, all, sizeof(e->text) - 1);
	e->text[sizeof(e->text) - 1] = '\0';
}
