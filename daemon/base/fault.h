#pragma once
/*
 * Named fault points. NEEDLE_FAULT="name" or "name:N" makes the process kill itself (SIGKILL) when
 * it passes that point (for the N-th time). NEEDLE_BREAK="name" switches one discipline off on
 * purpose, so that a test can show that it would notice. Both cost one load when unset.
 */
#include <stdbool.h>

void fault_init(void);              /* reads the environment; before threads start */
void fault_point(const char *name); /* may not return */
bool fault_broken(const char *discipline);
