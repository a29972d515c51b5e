#pragma once
/*
 * Working time as a length: how much of it lies between two instants of a calendar, and where so much
 * of it ends. Microseconds. Pure.
 */
#include <stdbool.h>
#include <stdint.h>

struct calendar;
struct deadline;

/* Whether a deadline is a length of working days or hours. */
bool work_is_counted(const struct deadline *d);
/* Without a calendar every minute is one. */
int64_t work_between(const struct calendar *cal, int64_t from, int64_t to);
/* A limit that stood still for so much working time is that much working time later; without a calendar, any time. */
int64_t work_shift(const struct calendar *cal, int64_t limit, int64_t paused);
