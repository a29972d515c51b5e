#include "base/counter.h"

#include <stdatomic.h>

const struct counter_info counter_info[N_COUNTERS] = {
#define X(id, name, type, help) {name, type, help},
	COUNTERS(X)
#undef X
};

static _Atomic int64_t values[N_COUNTERS];

void count_add(enum counter c, int64_t n)
{
	atomic_fetch_add_explicit(&values[c], n, memory_order_relaxed);
}

void count_set(enum counter c, int64_t value)
{
	atomic_store_explicit(&values[c], value, memory_order_relaxed);
}

int64_t count_get(enum counter c)
{
	return atomic_load_explicit(&values[c], memory_order_relaxed);
}
