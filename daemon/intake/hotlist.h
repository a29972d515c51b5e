#pragma once
/* A list of hot words in two halves: what is found, which takes its time, and the rows of it, in the transaction of the list. */
#include "core/statistics/statistics.h"
#include "intake/periodic.h"

struct arena;
struct list_rows;
/* Reads the texts of the time and of the time before; once *stop is true it soon gives up, with nothing found. */
int hotlist_find(struct pg *pg, const struct office *office, struct stretch s, const _Atomic bool *stop, struct arena *a, struct hot_result *ret,
		 struct err *e);
/* Of what was found (o->hot). Its proposals go out with the hand-off. */
int hotlist_rows(struct pg *pg, const struct occurrence *o, struct handoff *h, struct list_rows *rows, struct err *e);
