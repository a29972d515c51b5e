/* The grammar of deadlines and of steps: what is read has one canonical text, and a place in time. */
#include "fuzz.h"

#include "base/vec.h"
#include "core/time/deadline.h"
#include "settings/load.h"
#include "unit/office_hours.h"

static struct office_hours office;
static struct calendar duty;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	office_hours_init(&office);
	office_hours_add_summer(&office);
	duty_hours_init(&duty);
	return 0;
}

static void check_due(const struct deadline *d, int64_t from, struct arena *a)
{
	const struct calendar *cal = d->calendar && strcmp(d->calendar, "值班") == 0 ? &duty : &office.cal;
	struct due due[4] = {0};
	struct err e = {0};
	size_t n = 0;

	if (d->kind == DEADLINE_SERIES) {
		if (deadline_next(d, cal, from, 4, due, &n, &e) == 0)
			for (size_t i = 0; i < n; i++)
				MUST(due[i].at > (i ? due[i - 1].at : from));
		return;
	}
	if (deadline_due(d, cal, from, a, due, &e) != 0)
		MUST(*e.code && *e.text);
	else if (d->kind == DEADLINE_BACKWARD)
		MUST(due->at <= from + 2 * MOMENT_DAY_US);
	else
		for (size_t i = 1; i < due->n_walk; i++)
			MUST(due->walk[i].day > due->walk[i - 1].day);
	if (d->kind == DEADLINE_SPAN && deadline_before(d, cal, from, a, due, &e) == 0)
		MUST(due->at <= from + 2 * MOMENT_DAY_US);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = {0};
	const char *text = fuzz_text(&a, data, size), *canonical;
	struct deadline d = {0}, again = {0};
	struct step step = {0};
	struct err e = {0};
	size_t at = 0;

	if (deadline_parse(text, &a, &d, &at, &e) == 0) {
		canonical = deadline_text(&d, &a);
		MUST(deadline_parse(canonical, &a, &again, &at, &e) == 0);
		MUST(strcmp(deadline_text(&again, &a), canonical) == 0);
		check_due(&d, moment_of_day(20100 + (int32_t)(size % 900), (int32_t)(size * 37 % 1440)), &a);
	} else {
		MUST(at <= size && *e.code && *e.text);
	}
	if (!step_parse(text, &a, &step, &at, &e))
		MUST(at <= size && *e.code);
	else
		MUST(step.text);
	arena_done(&a);
	return 0;
}
