#pragma once
/*
 * Instants as people and JSON write them. An instant is microseconds since 1970 UTC (int64_t).
 * The office's zone is Asia/Shanghai: a fixed UTC+8 since 1992: the core needs no zone data.
 */
#include <stdbool.h>
#include <stdint.h>

#define MOMENT_NONE INT64_MIN
#define MOMENT_ZONE_US (INT64_C(8) * 3600 * 1000000)
#define MOMENT_DAY_US (INT64_C(86400) * 1000000)
enum { MOMENT_TEXT = 40 };  /* bytes that any text below needs at most */

struct civil {
	int year, month, day, hour, minute, second, us;
	int weekday;            /* 1 = Monday … 7 = Sunday */
};

struct civil moment_civil(int64_t us);                  /* in the office's zone */
int64_t moment_from_civil(const struct civil *c);   /* weekday is ignored; fields must be valid */
int32_t moment_day(int64_t us);                     /* day number since 1970-01-01, office zone */
int64_t moment_of_day(int32_t day, int32_t minute);     /* minute 0…1440 of that day */
int32_t moment_day_from_date(int year, int month, int day);
bool moment_date_is_valid(int year, int month, int day);

/* "2026-11-20T08:31:07+08:00" (seconds; office zone) */
const char *moment_rfc3339(int64_t us, char text[MOMENT_TEXT]);
/* "2026-11-20 08:31" for people; with `end_of_day` 00:00 is the day before's 24:00 */
const char *moment_human(int64_t us, bool end_of_day, char text[MOMENT_TEXT]);
/*
 * Reads RFC 3339 and what forms send instead: "2026-11-20 08:31[:07[.123]]", "2026-11-20",
 * "2026/11/20 8:31", "20261120083107"; T or blank; Z, +08:00, +0800 or no zone (= office zone).
 * Years 1970 to 9998. False leaves *ret alone.
 */
bool moment_parse(const char *text, int64_t *ret);
