/* Which days are working days: shown as the gateway counts them, day by day, not as a file lists them. */
#include "ctl/calendar.h"

#include "core/office.h"
#include "core/time/moment.h"
#include "ctl/ctl.h"
#include "settings/snapshot.h"

enum { MONTHS = 12, MONTHS_A_ROW = 3, WEEKS = 6, CELLS_A_DAY = 4, CELLS_A_MONTH = 7 * CELLS_A_DAY, GAP = 3 };

static const struct flag flags[] = {
	{"calendar", 0, "NAME", N_("of show: calendar of the folder (defaults: calendar)")},
	{"check", 0, NULL, N_("of import: only show what it would bring, write nothing")},
	{0},
};

static bool has_year(const struct calendar *cal, int year)
{
	for (size_t i = 0; i < cal->n_years; i++)
		if (cal->years[i] == year)
			return true;
	return cal->round_the_clock;
}

static const char *date_of(int32_t day, char text[MOMENT_TEXT])
{
	moment_human(moment_of_day(day, 0), false, text);
	text[strlen("2026-01-01")] = '\0';
	return text;
}

/* What a day is beyond its number: two cells. */
static const char *mark_of(const struct day_view *view)
{
	static const char *const marks[2][2] = {{"- ", "+ "}, {"休", "班"}};

	if (view->special)
		return marks[strncmp(tongue_name(), "zh", 2) == 0][view->kind == DAY_WORK];
	return view->kind == DAY_REST ? "· " : "  ";
}

/* ---- the grid -------------------------------------------------------------------------------- */

static int days_in(int year, int month)
{
	return month == MONTHS ? 31 : moment_day_from_date(year, month + 1, 1) - moment_day_from_date(year, month, 1);
}

/* One line of one month: week 0…5, days that are not there are blank. */
static void add_week(struct str *out, const struct calendar *cal, int year, int month, int week)
{
	int32_t first = moment_day_from_date(year, month, 1);
	int before = moment_civil(moment_of_day(first, 0)).weekday - 1;

	for (int i = 0; i < 7; i++) {
		int d = 7 * week + i - before;
		struct day_view view;

		if (d < 0 || d >= days_in(year, month)) {
			str_addf(out, "%*s", CELLS_A_DAY, "");
			continue;
		}
		calendar_day(cal, first + d, &view);
		str_addf(out, "%2d%s", d + 1, mark_of(&view));
	}
}

static void trim(struct str *out)
{
	while (out->len && out->s[out->len - 1] == ' ')
		out->s[--out->len] = '\0';
}

static void add_row(struct str *out, const struct calendar *cal, int year, int first)
{
	static const char *const days[] = {N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun")};

	for (int m = first; m < first + MONTHS_A_ROW; m++) {
		char title[32];

		snprintf(title, sizeof(title), "%04d-%02d", year, m);
		grid_pad(out, title, CELLS_A_MONTH + GAP);
	}
	trim(out);
	str_addc(out, '\n');
	for (int m = 0; m < MONTHS_A_ROW; m++) {
		for (int i = 0; i < 7; i++) {
			const char *day = _(days[i]);

			/* 周一 is 一 where the column says the rest. */
			grid_pad(out, strncmp(day, "周", strlen("周")) == 0 ? day + strlen("周") : day, CELLS_A_DAY);
		}
		str_addf(out, "%*s", GAP, "");
	}
	trim(out);
	str_addc(out, '\n');
	for (int week = 0; week < WEEKS; week++) {
		size_t begin = out->len;

		for (int m = first; m < first + MONTHS_A_ROW; m++) {
			add_week(out, cal, year, m, week);
			str_addf(out, "%*s", GAP, "");
		}
		trim(out);
		if (out->len > begin)
			str_addc(out, '\n');
	}
	str_addc(out, '\n');
}

/* ---- what is special ------------------------------------------------------------------------- */

static bool same_run(const struct special_day *a, const struct special_day *b)
{
	return b->day == a->day + 1 && a->kind == b->kind && a->local == b->local && str_equal(a->why, b->why);
}

static void add_special(struct str *out, const struct calendar *cal, int32_t first, int32_t end)
{
	for (size_t i = 0, last; i < cal->n_special; i = last + 1) {
		const struct special_day *day = &cal->special[i];
		char from[MOMENT_TEXT], to[MOMENT_TEXT];

		last = i;
		if (day->day < first || day->day >= end || cal->round_the_clock)
			continue;
		while (last + 1 < cal->n_special && cal->special[last + 1].day < end &&
		       same_run(&cal->special[last], &cal->special[last + 1]))
			last++;
		str_add(out, date_of(day->day, from));
		str_addf(out, "%s%s  ", last > i ? " … " : "", last > i ? date_of(cal->special[last].day, to) + 5 : "        ");
		grid_pad(out, day->kind == DAY_REST ? _("day off") : _("make-up working day"), 20);
		grid_safe(out, day->why);
		str_addf(out, "%s\n", day->local ? _(" (of this office)") : "");
	}
}

static int count_work(const struct calendar *cal, int32_t first, int32_t end)
{
	int n = 0;

	for (int32_t day = first; day < end; day++) {
		struct day_view view;

		calendar_day(cal, day, &view);
		n += view.kind == DAY_WORK;
	}
	return n;
}

void calendar_print(struct ctl *ctl, const struct calendar *cal, int year)
{
	int32_t first = moment_day_from_date(year, 1, 1), end = moment_day_from_date(year + 1, 1, 1);
	int work = count_work(cal, first, end);

	str_addf(&ctl->out, "%s %d\n", cal->name, year);
	if (!has_year(cal, year))
		str_addf(&ctl->out, "%s\n", _("there is no data for this year: counted as Monday to Friday, limits are provisional"));
	str_addc(&ctl->out, '\n');
	for (int m = 1; m <= MONTHS; m += MONTHS_A_ROW)
		add_row(&ctl->out, cal, year, m);
	add_special(&ctl->out, cal, first, end);
	str_addf(&ctl->out, _("%d working days, %d days of rest\n"), work, end - first - work);
}

json_t *calendar_json(const struct calendar *cal, int year)
{
	int32_t first = moment_day_from_date(year, 1, 1), end = moment_day_from_date(year + 1, 1, 1);
	int work = count_work(cal, first, end);
	json_t *days = json_array();

	for (int32_t day = first; day < end; day++) {
		struct day_view view;
		char date[MOMENT_TEXT];

		calendar_day(cal, day, &view);
		json_array_append_new(days, json_pack("{s:s,s:b,s:b,s:o}", "date", date_of(day, date), "work",
						      view.kind == DAY_WORK, "special", view.special, "why",
						      ctl_json_text(view.why)));
	}
	return json_pack("{s:s,s:i,s:b,s:i,s:i,s:s,s:o}", "calendar", cal->name, "year", year, "provisional",
			 !has_year(cal, year), "working_days", work, "rest_days", end - first - work, "hash", cal->hash,
			 "days", days);
}

/* ---- the verb -------------------------------------------------------------------------------- */

static int find_calendar(struct ctl *ctl, const struct calendar **ret, struct err *e)
{
	const struct office *office = &ctl->settings->office;
	const char *name = ctl_flag(ctl, "calendar"), *names[64], *near;
	size_t n = 0;

	*ret = name ? map_get(&office->calendar_by_name, name) : office->default_calendar;
	if (*ret)
		return 0;
	for (; n < office->n_calendars && n < ARRAY_LEN(names); n++)
		names[n] = office->calendars[n].name;
	if (!name)
		return ctl_usage(e, "the folder has no default calendar: name one with --calendar");
	near = args_nearest(name, names, n);
	if (near)
		return ctl_usage(e, "there is no calendar %s: did you mean %s?", name, near);
	return ctl_usage(e, "there is no calendar %s", name);
}

static int show(struct ctl *ctl, const char *text, struct err *e)
{
	const struct calendar *cal = NULL;
	int64_t year;
	json_t *all;
	int r;

	if (!str_to_int(text, 1970, 9997, &year))
		return ctl_usage(e, "'%s' is no year", text);
	r = ctl_settings(ctl, e);
	if (r == 0)
		r = find_calendar(ctl, &cal, e);
	if (r < 0)
		return r;
	if (!ctl->json) {
		calendar_print(ctl, cal, (int)year);
		return CTL_DONE;
	}
	all = calendar_json(cal, (int)year);
	ctl_print_json(ctl, all);
	json_decref(all);
	return CTL_DONE;
}

static int run(struct ctl *ctl, struct err *e)
{
	const char *what = ctl->args.operands[0];

	if (str_equal(what, "show"))
		return show(ctl, ctl->args.operands[1], e);
	if (str_equal(what, "import"))
		return calendar_import(ctl, ctl->args.operands[1], e);
	return ctl_usage(e, "calendar can show and import, not %s", what);
}

const struct verb verb_calendar = {
	.name = "calendar",
	.group = ctl_offline,
	.operands = "show YEAR | import FILE",
	.help = N_("Show a year as the gateway counts it, or bring the statutory holidays of a year into the folder."),
	.detail = N_("import takes the public holiday-cn form. It checks the file with the whole folder, writes it into "
		     "calendars/, adds it to every calendar that lists years, shows the year, and, where the database can be "
		     "reached, lists the open cases whose provisional limits it settles. needlectl reload puts it to work.\n"),
	.flags = flags,
	.min_operands = 2,
	.max_operands = 2,
	.run = run,
};
