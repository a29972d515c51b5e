/* Days of calendars and grids: they come from files of data, so they are compared as the office has them. */
#include <string.h>

#include "base/str.h"
#include "core/time/moment.h"
#include "settings/compare_parts.h"

/* ---- calendars: days of the years' files; the office's own days stand in the tree ---------------- */

static bool has_year(const struct calendar *cal, int year)
{
	for (size_t i = 0; i < cal->n_years; i++)
		if (cal->years[i] == year)
			return true;
	return false;
}

static int year_of(int32_t day)
{
	return moment_civil(moment_of_day(day, 0)).year;
}

static const struct special_day *find_day(const struct calendar *cal, int32_t day)
{
	for (size_t i = 0; i < cal->n_special; i++)
		if (cal->special[i].day == day && !cal->special[i].local)
			return &cal->special[i];
	return NULL;
}

static const char *day_text(struct comparison *c, const struct special_day *day)
{
	return day ? arena_printf(c->a, "%s%s%s%s", day->kind == DAY_REST ? "rest" : "work", day->why ? " (" : "",
				  day->why ? day->why : "", day->why ? ")" : "") : NULL;
}

static void add_day(struct comparison *c, int32_t day, const struct special_day *from, const struct special_day *to)
{
	char date[MOMENT_TEXT];

	compare_add(c, (struct change){.kind = CHANGE_CHANGED,
				       .field = arena_printf(c->a, "%.10s", moment_human(moment_of_day(day, 0), false, date)),
				       .from = day_text(c, from), .to = day_text(c, to)});
}

/* A year that only one has is said by `years:`; its days need not be told one by one. */
static void compare_days(struct comparison *c, const struct calendar *a, const struct calendar *b)
{
	for (size_t i = 0; i < a->n_special; i++) {
		const struct special_day *from = &a->special[i], *to = find_day(b, from->day);

		if (!from->local && has_year(b, year_of(from->day)) && (!to || to->kind != from->kind))
			add_day(c, from->day, from, to);
	}
	for (size_t i = 0; i < b->n_special; i++)
		if (!b->special[i].local && has_year(a, year_of(b->special[i].day)) && !find_day(a, b->special[i].day))
			add_day(c, b->special[i].day, NULL, &b->special[i]);
}

void compare_calendars(struct comparison *c, const struct office *from, const struct office *to)
{
	c->section = "calendars";
	for (size_t i = 0; i < from->n_calendars; i++) {
		const struct calendar *other = map_get(&to->calendar_by_name, from->calendars[i].name);

		c->id = from->calendars[i].name;
		if (other)
			compare_days(c, &from->calendars[i], other);
	}
	c->id = NULL;
}

/* ---- grids ----------------------------------------------------------------------------------- */

static const char *dept_id(const struct grid *g)
{
	return g->dept ? g->dept->id : NULL;
}

static const char *grid_text(struct comparison *c, const struct grid *g)
{
	return arena_printf(c->a, "%s, %s, %s, %s", g->name ? g->name : "", g->community ? g->community : "",
			    dept_id(g) ? dept_id(g) : "", g->keeper ? g->keeper : "");
}

static void compare_column(struct comparison *c, const char *name, const char *from, const char *to)
{
	if (!str_equal(from, to))
		compare_add(c, (struct change){.kind = CHANGE_CHANGED, .field = name, .from = from, .to = to});
}

static void compare_grid(struct comparison *c, const struct grid *from, const struct grid *to)
{
	c->id = from->code;
	if (!to) {
		compare_add(c, (struct change){.kind = CHANGE_REMOVED, .from = grid_text(c, from)});
		return;
	}
	compare_column(c, "name", from->name, to->name);
	compare_column(c, "community", from->community, to->community);
	compare_column(c, "dept", dept_id(from), dept_id(to));
	compare_column(c, "keeper", from->keeper, to->keeper);
}

void compare_grids(struct comparison *c, const struct office *from, const struct office *to)
{
	c->section = "grids";
	for (size_t i = 0; i < from->n_grids; i++)
		compare_grid(c, &from->grids[i], map_get(&to->grid_by_code, from->grids[i].code));
	for (size_t i = 0; i < to->n_grids; i++)
		if (!map_get(&from->grid_by_code, to->grids[i].code)) {
			c->id = to->grids[i].code;
			compare_add(c, (struct change){.kind = CHANGE_ADDED, .to = grid_text(c, &to->grids[i])});
		}
	c->id = NULL;
}
