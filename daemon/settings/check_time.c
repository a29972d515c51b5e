/* Calendars and deadlines that contradict themselves, and calendars that run out. */
#include "base/err.h"
#include "base/str.h"
#include "core/time/moment.h"
#include "settings/load.h"

enum { EMPTY_DAYS = 30, AHEAD_DAYS = 31 };

static const struct node *entry(const struct loader *l, const char *section, const char *name)
{
	return node_get(node_get(l->root, section), name);
}

static const struct mark *place(const struct node *map, const char *key, const struct loader *l)
{
	const struct node *node = node_get(map, key);

	return node ? &node->at : map ? &map->at : &l->root->at;
}

/* ---- calendars ------------------------------------------------------------------------------- */

static void check_calendar_hours(struct loader *l, const struct calendar *cal)
{
	struct civil now = moment_civil(l->now);
	int first = cal->n_years && cal->years[0] < now.year ? cal->years[0] : now.year;
	int last = cal->n_years && cal->years[cal->n_years - 1] > now.year ? cal->years[cal->n_years - 1] : now.year;
	int32_t day = moment_day_from_date(first, 1, 1), end = moment_day_from_date(last + 2, 1, 1);
	int empty = 0;

	/* Hours that are not there were asked for. */
	if (!node_get(entry(l, "calendars", cal->name), "hours"))
		return;
	/* More years than a file list can hold honestly are cut: the pattern repeats. */
	if (end - day > 20 * 366)
		day = end - 20 * 366;
	for (; day < end && empty < EMPTY_DAYS; day++) {
		struct day_view view;

		calendar_day(cal, day, &view);
		empty = view.hours.n ? 0 : empty + 1;
	}
	if (empty >= EMPTY_DAYS)
		lint_add(&l->lint, "E43", place(entry(l, "calendars", cal->name), "hours", l),
			   _("give it working hours"),
			   _("the calendar “%s” has %d days on end without a working minute"), cal->name, EMPTY_DAYS);
}

void check_hours(struct loader *l)
{
	for (size_t i = 0; i < l->settings->office.n_calendars; i++)
		check_calendar_hours(l, &l->settings->office.calendars[i]);
}

static bool has_year(const struct calendar *cal, int year)
{
	for (size_t i = 0; i < cal->n_years; i++)
		if (cal->years[i] == year)
			return true;
	return false;
}

static void check_calendar_years(struct loader *l, const struct calendar *cal, const struct node *node)
{
	struct civil now = moment_civil(l->now);
	int32_t left = moment_day_from_date(now.year + 1, 1, 1) - moment_day(l->now);
	const struct mark *at = place(node, "years", l);
	const char *remedy = _("import the year's file when the official notice is out");

	if (cal->round_the_clock)
		return;
	if (!has_year(cal, now.year)) {
		lint_add(&l->lint, "W21", at, remedy,
			   _("the calendar “%s” has no holidays of %d: deadlines are computed as Monday to Friday and "
			     "marked provisional"), cal->name, now.year);
		return;
	}
	if (left <= AHEAD_DAYS && !has_year(cal, now.year + 1)) {
		lint_add(&l->lint, "W20", at, remedy, _("the calendar “%s” ends in %d days: %d is not imported"),
			   cal->name, left, now.year + 1);
		lint_add(&l->lint, "W22", at, remedy,
			   _("days around New Year may stand in the file of %d, which is not loaded"), now.year + 1);
	} else if (now.month == 1 && !has_year(cal, now.year - 1)) {
		lint_add(&l->lint, "W22", at, remedy,
			   _("days around New Year may stand in the file of %d, which is not loaded"), now.year - 1);
	}
}

void check_years(struct loader *l)
{
	const struct office *office = &l->settings->office;

	for (size_t i = 0; i < office->n_calendars; i++)
		check_calendar_years(l, &office->calendars[i], entry(l, "calendars", office->calendars[i].name));
}

/* ---- deadlines ------------------------------------------------------------------------------- */

/* Longest and earliest-ending working day of a calendar's week, in minutes. */
static void day_bounds(const struct calendar *cal, int64_t *ret_longest, int64_t *ret_closing)
{
	*ret_longest = 0;
	*ret_closing = 1440;
	for (int d = 0; cal && d < 7; d++) {
		const struct day_hours *day = &cal->week[d];
		int64_t minutes = 0;

		for (int i = 0; i < day->n; i++)
			minutes += day->spans[i].to - day->spans[i].from;
		if (minutes > *ret_longest)
			*ret_longest = minutes;
		if (day->n && day->spans[day->n - 1].to < *ret_closing)
			*ret_closing = day->spans[day->n - 1].to;
	}
}

/* Wall minutes that a span lasts at least, from any receipt. */
static int64_t at_least(const struct deadline *d, const struct calendar *cal)
{
	static const int64_t minutes[] = {[UNIT_MINUTE] = 1, [UNIT_HOUR] = 60, [UNIT_DAY] = 1440,
					  [UNIT_WORKDAY] = 1440, [UNIT_WORKHOUR] = 60};
	int64_t longest, closing;

	day_bounds(cal, &longest, &closing);
	if (d->unit == UNIT_WORKDAY || (d->unit == UNIT_DAY && d->end == END_CLOSING))
		return ((int64_t)d->n - 1) * 1440 + (cal && d->start != START_SAME_DAY ? closing : 0);
	return (int64_t)d->n * minutes[d->unit];
}

/* Is span `a` longer than `b` whenever they begin? Only what is certain counts. */
static bool surely_longer(const struct deadline *a, const struct deadline *b, const struct calendar *cal)
{
	int64_t longest, closing;

	if (a->kind != DEADLINE_SPAN || b->kind != DEADLINE_SPAN || !str_equal(a->calendar, b->calendar))
		return false;
	day_bounds(cal, &longest, &closing);
	if (b->unit == UNIT_MINUTE || b->unit == UNIT_HOUR)
		return at_least(a, cal) > at_least(b, cal);
	if (a->start != b->start || a->end != b->end || a->late != b->late)
		return false;
	if (a->unit == b->unit || (a->unit == UNIT_WORKDAY && b->unit == UNIT_DAY))
		return a->n > b->n;
	if (a->unit == UNIT_WORKHOUR && b->unit == UNIT_WORKDAY)
		return longest && (int64_t)a->n * 60 > ((int64_t)b->n + 1) * longest;
	return false;
}

static bool lacks_calendar(const struct deadline *d, const struct calendar *cal)
{
	return !cal && !d->calendar && deadline_needs_calendar(d);
}

static void report_no_calendar(struct loader *l, const struct mark *at, const char *text)
{
	lint_add(&l->lint, "E42", at, _("add `calendar:` to the policy, or to `defaults:`"),
		   _("“%s” counts working time, but there is no calendar to count in"), text ? text : "");
}

static const struct node *step_node(const struct loader *l, const struct escalation *escalation, size_t i)
{
	const struct node *steps = node_get(entry(l, "escalations", escalation->name), "steps");

	return steps && steps->kind == NODE_LIST && i < steps->n ? steps->items[i] : NULL;
}

/* A step as this policy would carry it out. */
static void check_step(struct loader *l, const struct policy *policy, size_t i)
{
	const struct escalation *escalation = policy->escalation;
	const struct step *step = &escalation->steps[i];
	const struct node *node = step_node(l, escalation, i);
	bool named = node_get(entry(l, "policies", policy->name), "escalation") != NULL;

	if (step->has_span && lacks_calendar(&step->span, policy->calendar))
		report_no_calendar(l, place(node, "when", l), step->text);
	if (step->has_within && lacks_calendar(&step->within, policy->calendar))
		report_no_calendar(l, place(node, "within", l), "within");
	if (step->when != STEP_BEFORE || !policy->has[step->clock] ||
	    !surely_longer(&step->span, &policy->clock[step->clock], policy->calendar))
		return;
	/* A ladder that came by default was not chosen for this policy: that is odd, not contradictory. */
	(named ? lint_add : lint_warn)(&l->lint, "E46", place(node, "when", l),
					   _("use a ladder with shorter steps for that policy"),
					   _("“%s” would come before the case itself: policy “%s” has %s %s"),
					   step->text, policy->name, clock_names[step->clock], policy->text[step->clock]);
}

static void check_policy(struct loader *l, const struct policy *policy)
{
	const struct node *node = entry(l, "policies", policy->name);

	/* A calendar that was named wrongly was reported. */
	if (!policy->calendar && (node_get(node, "calendar") || entry(l, "defaults", "calendar")))
		return;
	for (int c = 0; c < N_CLOCKS; c++)
		if (policy->has[c] && lacks_calendar(&policy->clock[c], policy->calendar))
			report_no_calendar(l, place(node, clock_names[c], l), policy->text[c]);
	for (int c = CLOCK_ACCEPT; c <= CLOCK_CONTACT; c++)
		if (policy->has[c] && policy->has[CLOCK_RESOLVE] &&
		    surely_longer(&policy->clock[c], &policy->clock[CLOCK_RESOLVE], policy->calendar))
			lint_add(&l->lint, "E46", place(node, clock_names[c], l), _("make it shorter than `resolve`"),
				   _("“%s” takes %s, longer than resolve, %s"), clock_names[c], policy->text[c],
				   policy->text[CLOCK_RESOLVE]);
	for (size_t i = 0; policy->escalation && i < policy->escalation->n_steps; i++)
		check_step(l, policy, i);
}

static void check_written(struct loader *l, const char *const path[3])
{
	const struct node *node = l->root;
	struct deadline d;
	struct err e;
	size_t at;

	for (int i = 0; i < 3 && path[i]; i++)
		node = node_get(node, path[i]);
	if (node && node->kind == NODE_TEXT && deadline_parse(node->text, l->arena, &d, &at, &e) == 0 &&
	    lacks_calendar(&d, l->settings->office.default_calendar))
		report_no_calendar(l, &node->at, node->text);
}

void check_policies(struct loader *l)
{
	static const char *const written[][3] = {
		{"closing", "window"}, {"supervision", "within"}, {"grants", "extend", "max"},
		{"grants", "suspend", "max"}, {"join", "within"},
	};
	const struct office *office = &l->settings->office;

	for (size_t i = 0; i < office->n_policies; i++)
		check_policy(l, &office->policies[i]);
	for (size_t i = 0; i < ARRAY_LEN(written); i++)
		check_written(l, written[i]);
	for (size_t i = 0; i < office->n_periods; i++)
		if (lacks_calendar(&office->periods[i].every, office->default_calendar))
			report_no_calendar(l, place(entry(l, "reports", office->periods[i].name), "every", l), "every");
}
