#pragma once
/*
 * What the daemon tells systemd, by hand: one datagram to $NOTIFY_SOCKET. Without that variable
 * everything here does nothing, so that callers need not ask. Main thread.
 */
#include <stdint.h>

struct loop;

void notify_ready(void);
void notify_reloading(void);            /* notify_ready ends it */
void notify_stopping(void);
void notify_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* WatchdogSec= of the unit in microseconds; 0: none, or meant for another process. */
int64_t notify_watchdog_us(void);
/*
 * Watches all pulses (base/pulse.h) from the loop and answers the watchdog only while every one is
 * younger than bound_us. A stuck thread is named in the log once, also where there is no watchdog.
 */
void notify_watch(struct loop *loop, int64_t bound_us);
