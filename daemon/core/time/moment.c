/*
 * Civil time by hand. The office's zone has been a fixed UTC+8 since 1992, so a date is plain
 * integer arithmetic: no zone files, no locks, no environment variable can change what a deadline
 * means. The day number of a date counts years from 1 March, which puts the leap day at the end
 * of the year.
 */
#include "core/time/moment.h"

#include <stddef.h>

enum { DAYS_PER_ERA = 146097, DAYS_TO_1970 = 719468 };    /* 400 years; from 0000-03-01 */
enum { YEAR_MIN = 1970, YEAR_MAX = 9998 };

#define SECOND_US INT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)
/* The years 1 to 9999: what lies outside (MOMENT_NONE) is drawn to the edge, never overflows. */
#define EARLIEST_US (INT64_C(-62135596800) * SECOND_US)
#define LATEST_US (INT64_C(253402300799) * SECOND_US)

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int32_t moment_day_from_date(int year, int month, int day)
{
	int y = year - (month <= 2);
	int era = (y >= 0 ? y : y - 399) / 400;
	int of_era = y - era * 400;
	int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
	       DAYS_TO_1970;
}

static void date_from_day(int32_t day, struct civil *c)
{
	int z = day + DAYS_TO_1970;
	int era = (z >= 0 ? z : z - DAYS_PER_ERA + 1) / DAYS_PER_ERA;
	int of_era = z - era * DAYS_PER_ERA;
	int y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int of_year = of_era - (365 * y + y / 4 - y / 100);
	int m = (5 * of_year + 2) / 153;

	c->day = of_year - (153 * m + 2) / 5 + 1;
	c->month = m < 10 ? m + 3 : m - 9;
	c->year = y + era * 400 + (c->month <= 2);
	c->weekday = (int)(day + 3 - 7 * floor_div(day + 3, 7)) + 1;
}

bool moment_date_is_valid(int year, int month, int day)
{
	static const int8_t length[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1)
		return false;
	return day <= length[month - 1] + (month == 2 && is_leap(year));
}

static int64_t bounded(int64_t us)
{
	return us < EARLIEST_US ? EARLIEST_US : us > LATEST_US ? LATEST_US : us;
}

int32_t moment_day(int64_t us)
{
	return (int32_t)floor_div(bounded(us) + MOMENT_ZONE_US, MOMENT_DAY_US);
}

int64_t moment_of_day(int32_t day, int32_t minute)
{
	return day * MOMENT_DAY_US - MOMENT_ZONE_US + minute * MINUTE_US;
}

struct civil moment_civil(int64_t us)
{
	struct civil c = { 0 };
	int32_t day = moment_day(us);
	int64_t rest = bounded(us) - moment_of_day(day, 0);

	date_from_day(day, &c);
	c.us = (int)(rest % SECOND_US);
	rest /= SECOND_US;
	c.second = (int)(rest % 60);
	c.minute = (int)(rest / 60 % 60);
	c.hour = (int)(rest / 3600);
	return c;
}

int64_t moment_from_civil(const struct civil *c)
{
	int32_t day = moment_day_from_date(c->year, c->month, c->day);

	return moment_of_day(day, c->hour * 60 + c->minute) + c->second * SECOND_US + c->us;
}

/* Writes `value` with exactly `digits` digits; the caller knows that it fits. */
static char *put_digits(char *p, int value, int digits)
{
	for (int i = digits - 1; i >= 0; i--, value /= 10)
		p[i] = (char)('0' + value % 10);
	return p + digits;
}

static char *put_date(char *p, const struct civil *c)
{
	p = put_digits(p, c->year, c->year > 9999 ? 5 : 4);
	*p++ = '-';
	p = put_digits(p, c->month, 2);
	*p++ = '-';
	return put_digits(p, c->day, 2);
}

static char *put_time(char *p, int hour, int minute)
{
	p = put_digits(p, hour, 2);
	*p++ = ':';
	return put_digits(p, minute, 2);
}

const char *moment_rfc3339(int64_t us, char text[MOMENT_TEXT])
{
	struct civil c = moment_civil(us);
	char *p = put_date(text, &c);

	*p++ = 'T';
	p = put_time(p, c.hour, c.minute);
	*p++ = ':';
	p = put_digits(p, c.second, 2);
	*p++ = '+';
	p = put_time(p, 8, 0);
	*p = '\0';
	return text;
}

const char *moment_human(int64_t us, bool end_of_day, char text[MOMENT_TEXT])
{
	struct civil c = moment_civil(us);
	char *p;

	if (end_of_day && us == moment_of_day(moment_day(us), 0)) {
		c = moment_civil(us - 1);
		c.hour = 24;
		c.minute = 0;
	}
	p = put_date(text, &c);
	*p++ = ' ';
	p = put_time(p, c.hour, c.minute);
	*p = '\0';
	return text;
}

/* Takes between min and max digits off the front of *s. */
static bool take_digits(const char **s, int min, int max, int *ret)
{
	const char *p = *s;
	int value = 0, n = 0;

	for (; n < max && *p >= '0' && *p <= '9'; n++, p++)
		value = value * 10 + (*p - '0');
	if (n < min)
		return false;
	*s = p;
	*ret = value;
	return true;
}

static bool take_char(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

static bool take_date(const char **s, struct civil *c)
{
	char mark;

	if (!take_digits(s, 4, 4, &c->year))
		return false;
	mark = **s;
	if (mark != '-' && mark != '/')
		return false;
	return take_char(s, mark) && take_digits(s, 1, 2, &c->month) && take_char(s, mark) &&
	       take_digits(s, 1, 2, &c->day);
}

/* 20261120083107 */
static bool take_compact(const char **s, struct civil *c)
{
	return take_digits(s, 4, 4, &c->year) && take_digits(s, 2, 2, &c->month) &&
	       take_digits(s, 2, 2, &c->day) && take_digits(s, 2, 2, &c->hour) &&
	       take_digits(s, 2, 2, &c->minute) && take_digits(s, 2, 2, &c->second);
}

static bool take_fraction(const char **s, int *ret_us)
{
	int n = 0, us = 0;

	for (; **s >= '0' && **s <= '9'; (*s)++, n++) {
		if (n < 6)
			us = us * 10 + (**s - '0');
	}
	for (int i = n; i < 6; i++)
		us *= 10;
	*ret_us = us;
	return n > 0;
}

static bool take_time(const char **s, struct civil *c)
{
	if (!take_digits(s, 1, 2, &c->hour) || !take_char(s, ':') ||
	    !take_digits(s, 2, 2, &c->minute))
		return false;
	if (!take_char(s, ':'))
		return true;
	if (!take_digits(s, 2, 2, &c->second))
		return false;
	return !take_char(s, '.') || take_fraction(s, &c->us);
}

/* Z, +08:00, +0800, +08 or nothing, then the end. */
static bool take_zone(const char *s, int64_t *ret_us)
{
	int hour, minute = 0, sign;

	*ret_us = MOMENT_ZONE_US;
	if (*s == ' ' && s[1])
		s++;
	if (!*s)
		return true;
	if (*s == 'Z' || *s == 'z') {
		*ret_us = 0;
		return !s[1];
	}
	if (*s != '+' && *s != '-')
		return false;
	sign = *s++ == '-' ? -1 : 1;
	if (!take_digits(&s, 2, 2, &hour))
		return false;
	if (*s && ((*s == ':' && !*++s) || !take_digits(&s, 2, 2, &minute)))
		return false;
	*ret_us = sign * (hour * 60 + minute) * MINUTE_US;
	return !*s && hour <= 14 && minute < 60;
}

/* A leap second counts as the second after it; 24:00 is the midnight that ends the day. */
static bool time_is_valid(const struct civil *c)
{
	if (c->hour == 24)
		return !c->minute && !c->second && !c->us;
	return c->hour < 24 && c->minute < 60 && c->second <= 60;
}

bool moment_parse(const char *text, int64_t *ret)
{
	struct civil c = { 0 };
	int64_t zone;
	const char *p = text;

	if (take_date(&p, &c)) {
		if (*p == 'T' || *p == 't' || *p == ' ') {
			p++;
			if (!take_time(&p, &c))
				return false;
		} else if (*p) {
			return false;
		}
	} else {
		p = text;
		if (!take_compact(&p, &c))
			return false;
	}
	if (!moment_date_is_valid(c.year, c.month, c.day) || !time_is_valid(&c) ||
	    !take_zone(p, &zone))
		return false;
	*ret = moment_from_civil(&c) + MOMENT_ZONE_US - zone;
	return true;
}
