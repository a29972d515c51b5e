#include "bridge/figures.h"

#include <stdatomic.h>

#include "health/metrics.h"

static const struct {
	const char *name, *type, *help;
} table[N_FIGURES] = {
#define X(id, name, type, help) {name, type, help},
	FIGURES(X)
#undef X
};

static _Atomic int64_t values[N_FIGURES];

void figure_add(enum figure f, int64_t n)
{
	atomic_fetch_add_explicit(&values[f], n, memory_order_relaxed);
}

void figure_set(enum figure f, int64_t value)
{
	atomic_store_explicit(&values[f], value, memory_order_relaxed);
}

int64_t figure_get(enum figure f)
{
	return atomic_load_explicit(&values[f], memory_order_relaxed);
}

void figures_text(const char *program, struct str *out)
{
	const struct metrics_label labels[] = {{"program", program}, {"version", NEEDLE_VERSION}};

	metrics_family(out, "needle_bridge_info", "gauge", "The program that answers");
	metrics_sample(out, "needle_bridge_info", labels, 2, 1);
	for (int i = 0; i < N_FIGURES; i++) {
		metrics_family(out, table[i].name, table[i].type, table[i].help);
		metrics_sample(out, table[i].name, NULL, 0, figure_get((enum figure)i));
	}
}
