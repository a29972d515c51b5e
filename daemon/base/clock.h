#pragma once
/*
 * The two clocks of the process. Everything that Needle means uses the wall clock in microseconds
 * since 1970 UTC; waits and time-outs use the monotonic one. Only the shell reads clocks: the core
 * gets `now` as a parameter.
 *
 * A simulated wall clock starts at a given instant and runs `speed` times as fast (0: stands still)
 * until it is moved; the monotonic clock is never simulated. Any thread.
 */
#include <stdbool.h>
#include <stdint.h>

int64_t clock_now_us(void);
int64_t clock_mono_us(void);

void clock_simulate(int64_t start_us, int64_t speed);  /* before threads start */
bool clock_is_simulated(void);
bool clock_set_us(int64_t now_us);   /* simulated only; false when that would be backwards */
