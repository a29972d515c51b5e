#include "base/format.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct out {
	char *to;
	size_t cap, len;        /* len: as it would be with room enough */
};

static void put(struct out *o, const char *s, size_t n)
{
	size_t room = o->len < o->cap ? o->cap - o->len : 0;

	if (room)
		memcpy(o->to + o->len, s, n < room ? n : room);
	o->len += n;
}

static void put_number(struct out *o, bool negative, unsigned long long v)
{
	char digits[24];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + v % 10);
	while (v /= 10);
	if (negative)
		digits[--at] = '-';
	put(o, digits + at, sizeof(digits) - at);
}

static void put_signed(struct out *o, long long v)
{
	put_number(o, v < 0, v < 0 ? 0 - (unsigned long long)v : (unsigned long long)v);
}

/* The conversion behind a %; what follows it, or NULL: one for the C library. */
static const char *convert(struct out *o, const char *at, va_list *ap)
{
	const char *s;
	int most;
	char c;

	switch (*at) {
	case 's':
		s = va_arg(*ap, const char *);
		put(o, s ? s : "(null)", s ? strlen(s) : 6);
		return at + 1;
	case 'd':
		put_signed(o, va_arg(*ap, int));
		return at + 1;
	case 'c':
		c = (char)va_arg(*ap, int);
		put(o, &c, 1);
		return at + 1;
	case '%':
		put(o, at, 1);
		return at + 1;
	default:
		break;
	}
	if (strncmp(at, "lld", 3) == 0) {
		put_signed(o, va_arg(*ap, long long));
		return at + 3;
	}
	if (strncmp(at, "llu", 3) == 0) {
		put_number(o, false, va_arg(*ap, unsigned long long));
		return at + 3;
	}
	if (strncmp(at, "zu", 2) == 0) {
		put_number(o, false, va_arg(*ap, size_t));
		return at + 2;
	}
	if (strncmp(at, ".*s", 3) == 0) {
		most = va_arg(*ap, int);
		s = va_arg(*ap, const char *);
		if (most < 0 || !s)
			return NULL;
		put(o, s, strnlen(s, (size_t)most));
		return at + 3;
	}
	return NULL;
}

int format_text(char *out, size_t cap, const char *fmt, va_list ap)
{
	struct out o = {.to = out, .cap = cap ? cap - 1 : 0};
	const char *at = fmt;
	va_list again;

	va_copy(again, ap);
	while (at && *at) {
		const char *percent = strchrnul(at, '%');

		put(&o, at, (size_t)(percent - at));
		at = *percent ? convert(&o, percent + 1, &again) : percent;
	}
	va_end(again);
	if (!at || o.len > INT_MAX)
		return vsnprintf(out, cap, fmt, ap);
	if (cap)
		out[o.len < o.cap ? o.len : o.cap] = '\0';
	return (int)o.len;
}
