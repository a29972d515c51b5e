#pragma once
/* The days that a deadline walks over, as JSON and for people. */
#include <jansson.h>

struct ctl;
struct due;

json_t *walk_json(const struct due *due);
/* One line a day that counts, after `indent` blanks; days that do not, for the same reason, share one. */
void walk_print(struct ctl *ctl, const json_t *walk, int indent);
