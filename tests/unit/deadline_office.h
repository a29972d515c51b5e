#pragma once
/* What the deadline tests share: an office, a duty desk, and words that must be understood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/vec.h"
#include "core/time/deadline.h"
#include "unit/office_hours.h"

static struct office_hours office;
static struct calendar duty;

static inline int setup(void **state)
{
	(void)state;
	office_hours_init(&office);
	duty_hours_init(&duty);
	return office.cal.n_years == 3 ? 0 : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	arena_done(&office.arena);
	return 0;
}

static inline struct deadline parsed(const char *text)
{
	struct deadline d = { 0 };
	struct err e = { 0 };
	size_t where;

	if (deadline_parse(text, &office.arena, &d, &where, &e) < 0)
		fail_msg("“%s” was refused: %s %s", text, e.code, e.text);
	return d;
}

static inline struct due due_of(const char *text, const struct calendar *cal, int64_t from)
{
	struct deadline d = parsed(text);
	struct due due = { 0 };
	struct err e = { 0 };

	if (d.calendar)
		cal = strcmp(d.calendar, "值班") == 0 ? &duty : &office.cal;
	if (deadline_due(&d, cal, from, NULL, &due, &e) < 0)
		fail_msg("“%s” has no due: %s %s", text, e.code, e.text);
	return due;
}

#define IN_OFFICE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
