#pragma once
/* What was spent on cases: entries that nobody changes. All within the caller's transaction. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct pg;

/* What a project's reports by `channel` say: its budget, where they name one, and the pool that it draws on, or NULL. */
struct project_words {
	bool has_budget;
	int64_t budget;
	const char *pool;
};
int spending_words(struct pg *pg, const char *tenant, const char *number, const char *channel, struct arena *a, struct project_words *ret,
		   struct err *e);
/* What was spent on the case from the pools `like` (or from none), and from `pool` (may be NULL), which is locked until the transaction ends. */
int spending_sums(struct pg *pg, const char *tenant, const char *number, const char *pool, const char *const *like, size_t n_like,
		  int64_t *ret_case, int64_t *ret_pool, struct err *e);
struct spending_row {
	const char *number, *pool, *source, *refused;   /* refused: why, or NULL */
	int64_t amount, at;
};
int spending_put(struct pg *pg, const char *tenant, const struct spending_row *row, struct err *e);
