#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/mem.h"

enum { STR_MAX = 16 * 1024 * 1024 };

/* Makes room for n more bytes and the NUL; returns how many of them fit. */
static size_t room(struct str *t, size_t n)
{
	size_t max = t->max ? t->max : STR_MAX;
	size_t cap = t->cap ? t->cap : 128;

	if (t->len + n > max) {
		t->cut = true;
		n = max - t->len;
	}
	while (cap < t->len + n + 1)
		cap *= 2;
	if (cap != t->cap) {
		t->s = mem_resize(t->s, cap);
		t->cap = cap;
	}
	return n;
}

void str_addn(struct str *t, const char *s, size_t n)
{
	n = room(t, n);
	if (n)
		memcpy(t->s + t->len, s, n);
	t->len += n;
	t->s[t->len] = '\0';
}

void str_add(struct str *t, const char *s)
{
	str_addn(t, s, strlen(s));
}

void str_addc(struct str *t, char c)
{
	str_addn(t, &c, 1);
}

void str_addf(struct str *t, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = format_text(NULL, 0, fmt, ap);
	va_end(ap);
	if (n > 0) {
		size_t fits = room(t, (size_t)n);

		format_text(t->s + t->len, fits + 1, fmt, again);
		t->len += fits;
	}
	va_end(again);
}

void str_json(struct str *t, const char *s)
{
	static const char hex[] = "0123456789abcdef";
	const char *from;

	if (!s) {
		str_add(t, "null");
		return;
	}
	str_addc(t, '"');
	for (from = s; *s; s++) {
		unsigned char c = (unsigned char)*s;
		char esc[7] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15], 0};

		if (c >= ' ' && c != '"' && c != '\\' && c != 0x7f)
			continue;
		str_addn(t, from, (size_t)(s - from));
		from = s + 1;
		if (c == '"' || c == '\\') {
			esc[1] = (char)c;
			esc[2] = 0;
		} else if (c == '\n') {
			esc[1] = 'n';
			esc[2] = 0;
		}
		str_add(t, esc);
	}
	str_addn(t, from, (size_t)(s - from));
	str_addc(t, '"');
}

void str_reset(struct str *t)
{
	t->len = 0;
	t->cut = false;
	if (t->s)
		t->s[0] = '\0';
}

void str_done(struct str *t)
{
	free(t->s);
	t->s = NULL;
	t->len = t->cap = 0;
}

bool str_to_int(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	char *end;
	long long v;

	if (!s || !((*s >= '0' && *s <= '9') || (*s == '-' && s[1] >= '0' && s[1] <= '9')))
		return false;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno || *end || v < min || v > max)
		return false;
	*ret = v;
	return true;
}

void str_hex(const unsigned char *bytes, size_t n, char *ret)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		ret[2 * i] = digits[bytes[i] >> 4];
		ret[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret[2 * n] = '\0';
}

bool str_is_id(const char *s)
{
	size_t n = 0;

	if (!s || *s == '-' || *s == '_')
		return false;
	for (; s[n]; n++)
		if (n >= 64 || !((s[n] >= 'a' && s[n] <= 'z') || (s[n] >= '0' && s[n] <= '9') ||
				 s[n] == '-' || s[n] == '_'))
			return false;
	return n > 0;
}

bool str_is_case_number(const char *s)
{
	size_t n, digits = 0, head;

	if (!s || *s < 'A' || *s > 'Z')
		return false;
	n = strlen(s);
	if (n > 8 + 15)
		return false;
	while (digits < n && s[n - 1 - digits] >= '0' && s[n - 1 - digits] <= '9')
		digits++;
	for (head = 0; head < n; head++)
		if (!((s[head] >= 'A' && s[head] <= 'Z') || (s[head] >= '0' && s[head] <= '9')))
			return false;
	/* Digits may belong to the prefix as well: some split must satisfy both halves. */
	for (size_t tail = 12; tail <= 15 && tail <= digits; tail++)
		if (n - tail >= 2 && n - tail <= 8)
			return true;
	return false;
}

bool str_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool str_is_utf8(const void *text, size_t n)
{
	const unsigned char *s = text, *end = s + n;

	while (s < end) {
		unsigned c = *s++, more, low;

		if (c == 0)
			return false;
		if (c < 0x80)
			continue;
		more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
		if (c < 0xc2 || c > 0xf4 || (size_t)(end - s) < more)
			return false;
		low = *s;
		if ((c == 0xe0 && low < 0xa0) || (c == 0xed && low > 0x9f) ||
		    (c == 0xf0 && low < 0x90) || (c == 0xf4 && low > 0x8f))
			return false;
		while (more--)
			if ((*s++ & 0xc0) != 0x80)
				return false;
	}
	return true;
}
