#pragma once
/* Inside compare only. */
#include "base/vec.h"
#include "core/office.h"
#include "settings/compare.h"
#include "settings/table.h"
#include "settings/yaml.h"

struct comparison {
	struct arena *a;
	const char *section, *id;       /* at work */
	VEC(struct change) changes;
};
/* Section and id are filled in. */
void compare_add(struct comparison *c, struct change change);
/* compare_data.c: what stands in files of data */
void compare_calendars(struct comparison *c, const struct office *from, const struct office *to);
void compare_grids(struct comparison *c, const struct office *from, const struct office *to);
