#pragma once
/* The end of personal data: what `privacy.retain` says must go, a page a call. */
#include <stdbool.h>
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
/* The same for talk, which belongs to no case: the words, and who said them. That it was said, when and where stays: hot places are counted by it. A page
 * a call; *ret_more: there is more that is old enough. */
int store_forget_talk(struct pg *pg, const char *tenant, int64_t before, size_t max, bool *ret_more, size_t *ret_n, struct err *e);
