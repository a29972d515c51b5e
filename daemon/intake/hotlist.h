#pragma once
/* The rows of a list of hot words; its proposals go out with the hand-off. Inside the transaction of the occurrence. */
#include "core/statistics/statistics.h"
#include "intake/periodic.h"

struct list_rows;
int hotlist_rows(struct pg *pg, const struct occurrence *o, struct stretch s, struct handoff *h, struct list_rows *rows, struct err *e);
