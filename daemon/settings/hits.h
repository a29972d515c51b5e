#pragma once
/*
 * How often each rule won, and how often it lost: it matched, but an earlier rule won. Counted by the
 * worker when a case is committed, shown in metrics and by `needlectl rules`. The counts belong to the
 * rule's id and live as long as the process: a reload loses none, and a rule that comes back goes on.
 */
#include <stdatomic.h>
#include <stdint.h>

struct settings;

struct rule_hits {
	_Atomic int64_t won, lost;
};
/* Gives every rule of the snapshot its counts (settings->hits). Main thread, before others see it. */
void hits_attach(struct settings *settings);
