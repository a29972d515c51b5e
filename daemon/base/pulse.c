#include "base/pulse.h"

#include <stdatomic.h>
#include <stddef.h>

#include "base/clock.h"

enum { FREE = 0, TAKEN = -1 };  /* of at_us: a monotonic instant is always greater than 0 */

struct pulse {
	_Atomic(const char *) name;
	_Atomic int64_t at_us;
};

static struct pulse pulses[PULSES];

struct pulse *pulse_add(const char *name)
{
	for (size_t i = 0; i < PULSES; i++) {
		int64_t at = FREE;

		if (!atomic_compare_exchange_strong(&pulses[i].at_us, &at, TAKEN))
			continue;
		atomic_store(&pulses[i].name, name);
		atomic_store(&pulses[i].at_us, clock_mono_us());
		return &pulses[i];
	}
	return NULL;
}

void pulse_beat(struct pulse *p)
{
	if (p)
		atomic_store_explicit(&p->at_us, clock_mono_us(), memory_order_relaxed);
}

void pulse_end(struct pulse *p)
{
	if (p)
		atomic_store(&p->at_us, FREE);
}

const char *pulse_stuck(int64_t bound_us, int64_t *ret_age_us)
{
	const char *worst = NULL;
	int64_t now = clock_mono_us();

	for (size_t i = 0; i < PULSES; i++) {
		int64_t at = atomic_load(&pulses[i].at_us);

		if (at <= FREE || now - at <= bound_us)
			continue;
		bound_us = *ret_age_us = now - at;
		worst = atomic_load(&pulses[i].name);
	}
	return worst;
}
