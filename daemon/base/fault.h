#pragma once
/*
 * Named fault points. NEEDLE_FAULT="name" or "name:N" makes the process kill itself (SIGKILL) when
 * it passes that point (for the N-th time), and say "fault name" on standard error right before.
 * NEEDLE_BREAK="name" switches one discipline off on purpose, so that a test can show that it would
 * notice. NEEDLE_CLOCK="file" names eight bytes, a number of microseconds by which the wall clock is
 * wrong; whoever writes them makes it jump. All cost one load when unset.
 */
#include <stdbool.h>
#include <stdint.h>

void fault_init(void);              /* reads the environment; before threads start */
void fault_point(const char *name); /* may not return */
bool fault_broken(const char *discipline);
int64_t fault_clock_us(void);       /* to be added to the wall clock; 0 */
