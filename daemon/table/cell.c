/*
 * What spreadsheets do to values. A long number keeps 15 digits and the rest becomes zeros, without a
 * word; so whatever may have gone through that is marked, and it is for the reader of the column to
 * refuse it (an id) or to take it (an amount).
 */
#include <ctype.h>
#include <math.h>

#include "base/str.h"
#include "core/time/moment.h"
#include "table/table.h"

enum { EXACT_DIGITS = 15 };

/* The length of a blank at s: also U+3000, U+00A0, U+FEFF, U+200B. */
static size_t blank(const char *s)
{
	static const char *const wide[] = {"\xe3\x80\x80", "\xc2\xa0", "\xef\xbb\xbf", "\xe2\x80\x8b"};

	if (*s && (isspace((unsigned char)*s) || (unsigned char)*s < ' ' || *s == 0x7f))
		return 1;
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		if (*s == *wide[i] && strncmp(s, wide[i], strlen(wide[i])) == 0)
			return strlen(wide[i]);
	return 0;
}

static char *trim(char *s)
{
	char *end = s, *at;
	size_t n;

	while ((n = blank(s)))
		s += n;
	for (at = end = s; *at;) {
		n = blank(at);
		at += n ? n : 1;
		if (!n)
			end = at;
	}
	*end = '\0';
	return s;
}

static bool all_digits(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!isdigit((unsigned char)*s))
			return false;
	return true;
}

/* 2.02611E+13, 1E+17: what a spreadsheet shows of a long number. */
static bool is_exponent(const char *s)
{
	if (!isdigit((unsigned char)*s++))
		return false;
	if (*s == '.')
		for (s++; isdigit((unsigned char)*s); s++)
			;
	return (*s == 'E' || *s == 'e') && s[1] == '+' && all_digits(s + 2);
}

void cell_clean(char *text, struct table_cell *ret)
{
	char *s = trim(text);
	size_t n = strlen(s);

	if (n >= 3 && s[0] == '=' && s[1] == '"' && s[n - 1] == '"') {
		s[n - 1] = '\0';
		s = trim(s + 2);
	} else if (s[0] == '\'' && all_digits(s + 1)) {
		s++;
	}
	/* Control characters inside mean nothing and are refused further on. */
	for (char *c = s; *c; c++)
		if ((unsigned char)*c < ' ' && *c != '\n' && *c != '\t')
			*c = ' ';
	*ret = (struct table_cell){.text = s, .rounded = is_exponent(s)};
}

void cell_number(const char *raw, char text[64], bool *ret_rounded)
{
	char *end;
	double value = strtod(raw, &end);
	size_t digits = strspn(raw + (*raw == '-'), "0123456789");

	*ret_rounded = false;
	if (*end || end == raw || !isfinite(value)) {
		snprintf(text, 64, "%.60s", raw);
	} else if (value == floor(value) && fabs(value) < 1e15) {
		snprintf(text, 64, "%.0f", value);
	} else if (value == floor(value)) {
		*ret_rounded = true;
		snprintf(text, 64, digits > EXACT_DIGITS && !raw[digits + (*raw == '-')] ? "%.60s" : "%.60s", raw);
	} else {
		snprintf(text, 64, "%.*g", EXACT_DIGITS, value);
	}
}

bool cell_date(double serial, bool from_1904, char text[64])
{
	double days = floor(serial), seconds = round((serial - days) * 86400);
	int64_t us;
	struct civil c;

	if (!isfinite(serial) || serial < 0 || serial > 2958465)
		return false;
	if (seconds >= 86400) {
		days += 1;
		seconds = 0;
	}
	if (days < 1) {
		/* A time of the day without a day. */
		snprintf(text, 64, "%02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60) % 60, (int)seconds % 60);
		return true;
	}
	/* Excel believes that 1900 was a leap year: its days behind 28 February 1900 count one too many. */
	if (!from_1904 && days < 60)
		days += 1;
	us = ((int64_t)days - (from_1904 ? 24107 : 25569)) * MOMENT_DAY_US + (int64_t)seconds * 1000000;
	c = moment_civil(us - MOMENT_ZONE_US);
	if (seconds == 0)
		snprintf(text, 64, "%04d-%02d-%02d", c.year, c.month, c.day);
	else
		snprintf(text, 64, "%04d-%02d-%02d %02d:%02d:%02d", c.year, c.month, c.day, c.hour, c.minute, c.second);
	return true;
}

/* y, m, d, h, s outside of quotes, brackets and escapes; not of "General" or colours. */
bool cell_format_is_date(const char *format)
{
	if (strcasecmp(format, "general") == 0)
		return false;
	for (const char *s = format; *s; s++) {
		if (*s == '\\' || *s == '_' || *s == '*') {
			if (!*++s)
				return false;
		} else if (*s == '"') {
			s = strchr(s + 1, '"');
			if (!s)
				return false;
		} else if (*s == '[') {
			/* [h]:mm counts hours; [Red], [$-804] say nothing. */
			if (strchr("hHmMsS", s[1]) && s[1] && strchr("hHmMsS]", s[2]))
				return true;
			s = strchr(s, ']');
			if (!s)
				return false;
		} else if (strchr("yYmMdDhHsS", *s)) {
			return true;
		}
	}
	return false;
}
