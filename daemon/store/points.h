#pragma once
/* Entries of points: added, never changed. */
#include <stddef.h>
#include <stdint.h>

struct arena;
struct case_change;
struct pg;
struct save;

/* What the rows of a change earn, kept in the save; and as a statement of its pipeline. */
void points_save(struct save *s, const struct case_change *change, int64_t facts);
void points_pipe(struct pg *pg, const struct save *s);
