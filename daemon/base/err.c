#include "base/err.h"

#include <stdio.h>
#include <string.h>

#include "base/tongue.h"

/* A sentence that did not fit must not end in half a character: it goes into JSON. */
static void end_whole(char *text, size_t size)
{
	size_t n = strlen(text), tail = 1, want;

	if (n + 1 < size)
		return;
	while (tail < 4 && tail < n && ((unsigned char)text[n - tail] & 0xc0) == 0x80)
		tail++;
	want = (unsigned char)text[n - tail] >= 0xf0   ? 4
	       : (unsigned char)text[n - tail] >= 0xe0 ? 3
	       : (unsigned char)text[n - tail] >= 0xc0 ? 2
						       : 1;
	if (tail < want)
		text[n - tail] = '\0';
}

static void __attribute__((format(printf, 4, 0)))
fill(struct err *e, int class, const char *code, const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	e->class = class;
	snprintf(e->code, sizeof(e->code), "%s", code);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	end_whole(e->text, sizeof(e->text));
	e->said[0] = '\0';
	if (tongue(fmt) != fmt) {
		vsnprintf(e->said, sizeof(e->said), tongue(fmt), again);
		end_whole(e->said, sizeof(e->said));
	}
	va_end(again);
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

int err_vcode(struct err *e, int class, const char *code, const char *fmt, va_list ap)
{
	fill(e, class, code, fmt, ap);
	return class;
}

const char *err_said(const struct err *e)
{
	return e->said[0] ? e->said : e->text;
}

/* Puts `before` in front of the text; what does not fit is lost at the end. */
static void put_before(char *text, size_t size, const char *before, const char *old)
{
	char all[800];

	snprintf(all, sizeof(all), "%s%s", before, old);
	snprintf(text, size, "%.*s", (int)size - 1, all);
	end_whole(text, size);
}

void err_prefix(struct err *e, const char *fmt, ...)
{
	char before[sizeof(e->text)], local[sizeof(e->said)];
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	vsnprintf(before, sizeof(before), fmt, ap);
	vsnprintf(local, sizeof(local), tongue(fmt), again);
	va_end(again);
	va_end(ap);
	if (tongue(fmt) != fmt || e->said[0])
		put_before(e->said, sizeof(e->said), local, err_said(e));
	put_before(e->text, sizeof(e->text), before, e->text);
}
