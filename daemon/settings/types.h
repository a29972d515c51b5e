#pragma once
/*
 * What values look like: texts of the configuration to typed values. Pure; each returns false and
 * leaves *ret alone when the text is not of that form.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/time/calendar.h"

struct arena;

bool type_number(const char *text, double *ret);                        /* 0.85, .85 */
bool type_bool(const char *text, bool *ret);                            /* on off true false yes no, in any case */
bool type_size(const char *text, int64_t *ret);                         /* 512 MiB, 1 GiB; bytes where no unit is said */
bool type_age(const char *text, int64_t *ret_days);                     /* 5y, 90d, 5 年, 90 自然日 */
bool type_date(const char *text, int32_t *ret_day);                     /* 2026-07-21 */
bool type_mmdd(const char *text, int16_t *ret);                         /* 06-01 -> 601 */
bool type_weekdays(const char *text, uint8_t *ret_mask);                /* 周一-周五: bit 0 is Monday */
bool type_weekday(const char *text, size_t n, int *ret);                /* 周一 -> 1 */
/* 08:30-12:00; the end may be 24:00. False for the form only: the order is the caller's to judge. */
bool type_hours(const char *text, struct span_of_day *ret);
/* 127.0.0.1:9470, [::1]:9470, localhost:9470; the address is numeric; off: NULL. */
bool type_listen(const char *text, struct arena *a, const char **ret_address, int *ret_port);
bool type_id(const char *text);
bool type_prefix(const char *text);
bool type_grid(const char *text);
bool type_category(const char *text);
bool type_member(const char *text);
bool type_pointer(const char *text);
bool type_filter(const char *text);
bool type_charset(const char *text, bool *ret_is_utf8);
bool type_path(const char *text);
/* The whole text is ${secret:NAME}: copies NAME. */
bool type_secret(const char *text, char name[65]);
/* Would a program that guesses types take this for something else than text: 0012, no, 12:30? */
bool type_looks_typed(const char *text);

/* Do two MQTT filters match some common topic? */
bool filters_overlap(const char *a, const char *b);
