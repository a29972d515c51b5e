#pragma once
/* May this be spent? A project has a budget, a pool a ceiling and a time; what was wrong is taken back by an amount below zero. Pure. */
#include <stdbool.h>
#include <stdint.h>

struct arena;
struct pool;

struct spending {
	const struct pool *pool;        /* or NULL */
	const char *unit;
	bool has_budget;
	int64_t budget, amount;
	int64_t of_case, of_pool;       /* spent by now */
	int64_t at;
};
/* NULL: it may; else one sentence for whoever spends. */
const char *spending_refused(const struct spending *s, struct arena *a);
/* "28000 元，资金“…”": as the history notes what was spent. */
const char *spending_said(const struct spending *s, struct arena *a);
