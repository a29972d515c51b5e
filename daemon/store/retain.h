#pragma once
/* The end of personal data: what `privacy.retain` says must go, a page a call. */
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct pg;

/*
 * Anonymises at most `max` cases that were closed before `before`, and drops as many dead letters that came before it,
 * in one transaction. Counts, times, ratings, departments and officers stay. *ret_n: how many cases; max: there may be
 * more. Safe beside another daemon: rows that it has in hand are left to it.
 */
int store_forget(struct pg *pg, const char *tenant, int64_t before, size_t max, struct arena *a, size_t *ret_n,
		 struct err *e);
