#pragma once
/*
 * Signs of life. Each thread owns one named pulse and beats it once a turn of its loop; the
 * watchdog is answered only while all of them are young (health/notify.h), so that systemd restarts
 * a daemon in which one thread is stuck although the others run.
 *
 * pulse_add and pulse_end from any thread, before and after the thread's life; pulse_beat from its owner.
 */
#include <stdint.h>

enum { PULSES = 16 };
struct pulse;

/* `name` is borrowed for the life of the process. NULL when the table is full. */
struct pulse *pulse_add(const char *name);
void pulse_beat(struct pulse *p);       /* NULL-safe */
void pulse_end(struct pulse *p);        /* NULL-safe: a thread that has ended is not stuck */
/* The pulse that has been silent longest and longer than bound_us, or NULL. Fills *ret_age_us then. */
const char *pulse_stuck(int64_t bound_us, int64_t *ret_age_us);
