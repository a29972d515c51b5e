#include "core/office.h"

#include <string.h>

const char *const urgency_names[N_URGENCY] = {"normal", "urgent", "critical"};
const char *const visibility_names[N_VISIBILITY] = {"open", "masked", "sealed"};
const char *const dept_kind_names[N_DEPT_KIND] = {"office", "community", "supervisor", "partner"};
const char *const clock_names[N_CLOCKS] = {"accept", "contact", "resolve", "feedback"};
const char *const clock_from_names[FROM_RESOLVED - FROM_RECEIVED] = {"received", "dispatched", "accepted"};
const char *const step_do_names[N_STEP_DO] = {"remind", "raise", "notify", "supervise", "publish"};

int name_index(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; name && i < n; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}
