#pragma once
/*
 * The office of the tests: Monday to Friday 08:30-12:00 and 13:30-17:30, an hour later in the afternoon in
 * summer where asked for, with the published holiday lists of config/calendars.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "core/time/calendar.h"
#include "core/time/moment.h"

struct office_hours {
	struct calendar cal;
	struct arena arena;
	int16_t years[8];
	struct special_day special[512];
};

static inline int64_t at(const char *text)
{
	int64_t us = MOMENT_NONE;

	if (!moment_parse(text, &us))
		fprintf(stderr, "the test's own time “%s” is wrong\n", text);
	return us;
}

static inline int32_t day_of(const char *date)
{
	return moment_day(at(date));
}

static inline void set_week(struct day_hours week[7], int days, struct span_of_day morning,
			    struct span_of_day afternoon)
{
	for (int i = 0; i < days; i++)
		week[i] = (struct day_hours){ .spans = { morning, afternoon }, .n = 2 };
}

static inline void add_special(struct office_hours *o, const char *date, enum day_kind kind, const char *why,
			       bool local)
{
	o->special[o->cal.n_special++] = (struct special_day){ day_of(date), kind, why, local };
}

/* False when the file of that year is not there or not of its form. */
static inline bool load_year(struct office_hours *o, int year)
{
	char path[64];
	size_t i;
	json_t *file, *day;

	snprintf(path, sizeof(path), "config/calendars/%d.json", year);
	file = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	if (!file || json_integer_value(json_object_get(file, "year")) != year) {
		json_decref(file);
		return false;
	}
	json_array_foreach(json_object_get(file, "days"), i, day) {
		bool off = json_is_true(json_object_get(day, "isOffDay"));

		add_special(o, json_string_value(json_object_get(day, "date")), off ? DAY_REST : DAY_WORK,
			    arena_strdup(&o->arena, json_string_value(json_object_get(day, "name"))), false);
	}
	o->years[o->cal.n_years++] = (int16_t)year;
	json_decref(file);
	return true;
}

static inline void office_hours_init(struct office_hours *o)
{
	struct err e;

	*o = (struct office_hours){ .cal = { .name = "机关", .makeup_weekday = 1 } };
	o->cal.special = o->special;
	o->cal.years = o->years;
	set_week(o->cal.week, 5, (struct span_of_day){ 510, 720 }, (struct span_of_day){ 810, 1050 });
	if (!load_year(o, 2024) || !load_year(o, 2025) || !load_year(o, 2026) ||
	    calendar_finish(&o->cal, &e) < 0)
		fprintf(stderr, "config/calendars cannot be read from here\n");
}

/* 14:30-18:00 in the afternoon from June to September. */
static inline void office_hours_add_summer(struct office_hours *o)
{
	struct season *s = &o->cal.seasons[o->cal.n_seasons++];

	s->name = "夏令";
	s->from_mmdd = 601;
	s->to_mmdd = 930;
	set_week(s->week, 5, (struct span_of_day){ 510, 720 }, (struct span_of_day){ 870, 1080 });
}

/* A duty desk that never closes. */
static inline void duty_hours_init(struct calendar *cal)
{
	*cal = (struct calendar){ .name = "值班", .round_the_clock = true };
	for (int i = 0; i < 7; i++)
		cal->week[i] = (struct day_hours){ .spans = { { 0, 1440 } }, .n = 1 };
}
