/*
 * Calendars: the week as the office writes it, the seasons, and the years' lists of statutory holidays
 * and make-up days in the form of the public holiday-cn files (which state facts of the State Council's
 * notices: a date, its name, and whether it is off).
 */
#include <jansson.h>

#include "base/err.h"
#include "base/str.h"
#include "core/time/moment.h"
#include "settings/load.h"
#include "settings/types.h"

enum { YEAR_DAYS = 400 };

struct days {
	VEC(struct special_day) v;
};

static void days_done(struct days *days)
{
	VEC_DONE(&days->v);
}

/* Puts one span into a day that has room, in order; false when it overlaps another. */
static bool add_span(struct day_hours *day, struct span_of_day span)
{
	size_t at = day->n;

	while (at > 0 && day->spans[at - 1].from >= span.from)
		at--;
	if ((at > 0 && day->spans[at - 1].to > span.from) || (at < day->n && day->spans[at].from < span.to))
		return false;
	memmove(&day->spans[at + 1], &day->spans[at], (day->n - at) * sizeof(span));
	day->spans[at] = span;
	day->n++;
	return true;
}

/* Spans that touch are one: the deadline code walks from opening to closing. */
static void join_touching(struct day_hours *day)
{
	uint8_t n = 0;

	for (uint8_t i = 0; i < day->n; i++)
		if (n && day->spans[n - 1].to == day->spans[i].from)
			day->spans[n - 1].to = day->spans[i].to;
		else
			day->spans[n++] = day->spans[i];
	day->n = n;
}

static void read_hours(struct loader *l, const struct node *list, struct day_hours *ret)
{
	struct span_of_day span;

	for (size_t i = 0; i < scope_list_length(list); i++) {
		const struct node *item = scope_list_item(list, i);

		if (item->kind != NODE_TEXT || !type_hours(item->text, &span) || span.from >= span.to)
			continue;
		if (ret->n == CALENDAR_SPANS) {
			lint_add(&l->lint, "E12", &item->at, "", _("a day has at most %d parts"), CALENDAR_SPANS);
			break;
		}
		if (!add_span(ret, span))
			lint_add(&l->lint, "E45", &item->at, _("make each part begin after the one before has ended"),
				   _("“%s” overlaps other hours of the same day"), item->text);
	}
	join_touching(ret);
}

static void read_week(struct loader *l, const struct node *map, struct day_hours week[7])
{
	uint8_t seen = 0, mask;

	for (size_t i = 0; map && map->kind == NODE_MAP && i < map->n; i++) {
		struct day_hours day = {.n = 0};

		if (!type_weekdays(map->keys[i]->text, &mask) || map->items[i]->kind == NODE_MAP)
			continue;
		if (mask & seen)
			lint_add(&l->lint, "E45", &map->keys[i]->at, _("give each weekday once"),
				   _("a day of “%s” has hours already"), map->keys[i]->text);
		seen |= mask;
		read_hours(l, map->items[i], &day);
		for (int d = 0; d < 7; d++)
			if (mask & (1u << d))
				week[d] = day;
	}
}

static void read_seasons(struct scope s, struct calendar *cal)
{
	struct scope seasons = scope_in(s, "seasons");

	for (size_t i = 0; seasons.map && seasons.map->kind == NODE_MAP && i < seasons.map->n; i++) {
		struct scope one = scope_item(seasons, i);
		struct season *season = &cal->seasons[cal->n_seasons];
		const char *from = scope_text(one, "from"), *to = scope_text(one, "to");
		struct mark at = seasons.map->keys[i]->at;

		if (!from || !to || !type_mmdd(from, &season->from_mmdd) || !type_mmdd(to, &season->to_mmdd))
			continue;
		if (cal->n_seasons == CALENDAR_SEASONS - 1) {
			lint_add(&s.l->lint, "E12", &at, "", _("a calendar has at most %d seasons"),
				   CALENDAR_SEASONS - 1);
			return;
		}
		season->name = seasons.map->keys[i]->text;
		read_week(s.l, scope_node(one, "hours"), season->week);
		cal->n_seasons++;
	}
}

static void read_makeup(struct scope s, struct calendar *cal)
{
	const struct node *node = scope_node(s, "makeup_hours");
	const char *text = scope_text(s, "makeup_hours");
	int weekday = 1;

	if (node && (node->kind == NODE_LIST || strncmp(text, "同", 3) != 0))
		read_hours(s.l, node, &cal->makeup);
	else if (text && type_weekday(text + 3, strlen(text + 3), &weekday))
		cal->makeup_weekday = (uint8_t)weekday;
}

/* ---- the years' files ------------------------------------------------------------------------ */

static struct mark place_of(const struct source *source, const char *date, int nth)
{
	char quoted[16];
	const char *at = source->text;

	snprintf(quoted, sizeof(quoted), "\"%s\"", date);
	for (int i = 0; (at = strstr(at, quoted)); at++)
		if (i++ == nth) {
			struct mark mark = source_mark(source, (size_t)(at - source->text));

			mark.width = 12;
			return mark;
		}
	return source_mark(source, 0);
}

static const struct special_day *find_day(const struct days *days, int32_t day, bool local)
{
	for (size_t i = 0; i < days->v.n; i++)
		if (days->v.v[i].day == day && days->v.v[i].local == local)
			return &days->v.v[i];
	return NULL;
}

/* How often has the date stood in this file before entry i? */
static int times_before(const json_t *list, size_t i, const char *date)
{
	int n = 0;

	for (size_t k = 0; k < i; k++)
		n += str_equal(json_string_value(json_object_get(json_array_get(list, k), "date")), date);
	return n;
}

static void read_day(struct loader *l, const struct source *source, const json_t *list, size_t i, int year,
		     struct days *days)
{
	const json_t *entry = json_array_get(list, i), *off = json_object_get(entry, "isOffDay");
	const char *date = json_string_value(json_object_get(entry, "date"));
	const char *name = json_string_value(json_object_get(entry, "name")), *what = NULL;
	enum day_kind kind = json_is_true(off) ? DAY_REST : DAY_WORK;
	const struct special_day *known;
	struct mark at;
	int32_t day = 0;
	int before = date ? times_before(list, i, date) : 0;

	if (!date || !type_date(date, &day) || !json_is_boolean(off))
		what = _("an entry without a date (YYYY-MM-DD) or without isOffDay true or false");
	else if (day < moment_day_from_date(year - 1, 12, 1) || day > moment_day_from_date(year + 1, 1, 31))
		what = _("a date that does not belong to the year of this file");
	known = what ? NULL : find_day(days, day, false);
	if (known && known->kind != kind)
		what = _("the same date is off and on");
	else if (known && before)
		what = _("the same date twice");
	if (what) {
		at = place_of(source, date ? date : "", before);
		lint_add(&l->lint, "E44", &at, _("compare the file with the official notice"), "%s%s%s", what,
			   date ? ": " : "", date ? date : "");
		return;
	}
	if (!known)
		VEC_PUSH(&days->v, (struct special_day){.day = day, .kind = kind,
							.why = name ? arena_strdup(l->arena, name) : NULL});
}

static json_t *parse_json(struct loader *l, const struct source *source)
{
	json_error_t error;
	struct mark at;
	json_t *json;

	json = json_loadb(source->text, source->len, JSON_REJECT_DUPLICATES, &error);
	if (json)
		return json;
	at = source_mark(source, error.position > 0 ? (size_t)error.position - 1 : 0);
	lint_add(&l->lint, source->is_text ? "E44" : "E04", &at, _("get the file again from where it came"),
		   _("the calendar file cannot be read: %s"), error.text);
	return NULL;
}

static void json_freep(json_t **json)
{
	json_decref(*json);
}

/*
 * The notices of 2007 to 2026 give a year 22 to 33 days off and 5 to 12 days on, the first week of October
 * among them. What is far from that is a file that was cut short, or another country's.
 */
static void check_shape(struct loader *l, const struct node *item, int year, const struct days *days)
{
	int32_t first = moment_day_from_date(year, 1, 1), october = moment_day_from_date(year, 10, 1);
	int32_t end = moment_day_from_date(year + 1, 1, 1);
	int off = 0, on = 0, golden = 0;

	for (size_t i = 0; i < days->v.n; i++) {
		const struct special_day *day = &days->v.v[i];

		if (day->local || day->day < first || day->day >= end)
			continue;
		off += day->kind == DAY_REST;
		on += day->kind == DAY_WORK;
		golden += day->kind == DAY_REST && day->day >= october && day->day < october + 7;
	}
	if (off < 20 || off > 42 || on < 3 || on > 16 || golden < 5)
		lint_add(&l->lint, "W23", &item->at, _("compare the file with the official notice: it may have been cut short"),
			 _("%s has %d days off and %d days on (%d in the first week of October): no year looks like that"),
			 item->text, off, on, golden);
}

/* Reads one file; *ret_year 0 when it holds no days. */
static void read_year(struct loader *l, const struct node *item, struct days *days, int *ret_year)
{
	struct source *source = type_path(item->text) ? loader_read(l, item->text, SOURCE_MAX, &item->at) : NULL;
	CLEANUP(json_freep) json_t *json = source ? parse_json(l, source) : NULL;
	const json_t *list = json_object_get(json, "days");
	int64_t year = json_integer_value(json_object_get(json, "year"));
	size_t errors = l->lint.n_errors;
	struct mark at;

	*ret_year = 0;
	if (!json)
		return;
	if (!json_is_array(list) || year < 1970 || year > 9998) {
		at = source_mark(source, 0);
		lint_add(&l->lint, "E44", &at, _("the file needs \"year\" and \"days\" as holiday-cn has them"),
			   _("this is not a calendar of a year"));
		return;
	}
	if (!json_array_size(list)) {
		lint_add(&l->lint, "W21", &item->at, _("import it when the official notice is out"),
			   _("%s has no days: the year %d is computed as Monday to Friday and marked provisional"),
			   item->text, (int)year);
		return;
	}
	if (json_array_size(list) > YEAR_DAYS) {
		at = source_mark(source, 0);
		lint_add(&l->lint, "E44", &at, _("list only the days that differ from the week"),
			   _("a year does not have %zu special days"), json_array_size(list));
		return;
	}
	*ret_year = (int)year;
	for (size_t i = 0; i < json_array_size(list); i++)
		read_day(l, source, list, i, (int)year, days);
	if (l->lint.n_errors == errors)
		check_shape(l, item, (int)year, days);
}

static int by_number(const void *a, const void *b)
{
	return *(const int16_t *)a - *(const int16_t *)b;
}

static void read_years(struct scope s, struct calendar *cal, struct days *days)
{
	const struct node *list = scope_node(s, "years");
	size_t n = list && list->kind != NODE_MAP ? scope_list_length(list) : 0;
	int16_t *years = arena_alloc(s.l->arena, (n + 1) * sizeof(*years));

	for (size_t i = 0; i < n; i++) {
		const struct node *item = scope_list_item(list, i);
		int year = 0;

		if (item->kind == NODE_TEXT)
			read_year(s.l, item, days, &year);
		for (size_t k = 0; k < cal->n_years; k++)
			if (years[k] == year) {
				lint_add(&s.l->lint, "E44", &item->at, _("list each year once"),
					   _("the year %d is there already"), year);
				year = 0;
			}
		if (year)
			years[cal->n_years++] = (int16_t)year;
	}
	if (cal->n_years)
		qsort(years, cal->n_years, sizeof(*years), by_number);
	cal->years = years;
}

static void read_extra(struct scope s, const char *key, enum day_kind kind, struct days *days)
{
	const struct node *map = scope_node(s, key);
	int32_t day;

	for (size_t i = 0; map && map->kind == NODE_MAP && i < map->n; i++) {
		const struct special_day *known;

		if (!type_date(map->keys[i]->text, &day))
			continue;
		known = find_day(days, day, true);
		if (known && known->kind != kind)
			lint_add(&s.l->lint, "E44", &map->keys[i]->at, _("keep it in one of the two"),
				   _("%s stands in extra_rest and in extra_work"), map->keys[i]->text);
		else
			VEC_PUSH(&days->v, (struct special_day){.day = day, .kind = kind, .local = true,
								.why = map->items[i]->text});
	}
}

static bool is_round_the_clock(const struct day_hours week[7])
{
	for (int d = 0; d < 7; d++)
		if (week[d].n != 1 || week[d].spans[0].from != 0 || week[d].spans[0].to != 1440)
			return false;
	return true;
}

static void add_week(struct str *t, const struct day_hours week[7])
{
	for (int d = 0; d < 7; d++)
		for (int i = 0; i < week[d].n; i++)
			str_addf(t, "%d %d-%d\n", d, week[d].spans[i].from, week[d].spans[i].to);
}

static const char *hash_of(const struct calendar *cal, struct arena *a)
{
	CLEANUP(str_done) struct str t = {0};
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n;
	char *hex = arena_alloc(a, 17);

	str_addf(&t, "%s makeup %d\n", cal->name, cal->makeup_weekday);
	add_week(&t, cal->week);
	for (int i = 0; i < cal->makeup.n; i++)
		str_addf(&t, "makeup %d-%d\n", cal->makeup.spans[i].from, cal->makeup.spans[i].to);
	for (int i = 0; i < cal->n_seasons; i++) {
		str_addf(&t, "season %d-%d\n", cal->seasons[i].from_mmdd, cal->seasons[i].to_mmdd);
		add_week(&t, cal->seasons[i].week);
	}
	for (size_t i = 0; i < cal->n_special; i++)
		str_addf(&t, "day %d %d\n", cal->special[i].day, cal->special[i].kind);
	for (size_t i = 0; i < cal->n_years; i++)
		str_addf(&t, "year %d\n", cal->years[i]);
	if (!EVP_Digest(t.s, t.len, digest, &n, EVP_sha256(), NULL))
		mem_die("sha256");
	for (int i = 0; i < 8; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return hex;
}

static void load_calendar(struct scope s, const struct node *key, struct calendar *cal)
{
	CLEANUP(days_done) struct days days = {0};
	struct err e = {0};

	cal->name = key->text;
	read_week(s.l, scope_node(s, "hours"), cal->week);
	cal->round_the_clock = is_round_the_clock(cal->week);
	read_seasons(s, cal);
	cal->round_the_clock &= !cal->n_seasons;
	read_makeup(s, cal);
	read_years(s, cal, &days);
	read_extra(s, "extra_rest", DAY_REST, &days);
	read_extra(s, "extra_work", DAY_WORK, &days);
	cal->n_special = days.v.n;
	cal->special = arena_alloc(s.l->arena, (days.v.n + 1) * sizeof(*cal->special));
	if (days.v.n)
		memcpy(cal->special, days.v.v, days.v.n * sizeof(*cal->special));
	if (calendar_finish(cal, &e) < 0)
		lint_add(&s.l->lint, "E44", &key->at, "", "%s", err_said(&e));
	cal->hash = hash_of(cal, s.l->arena);
}

static void load_windows(struct loader *l)
{
	const struct node *map = node_get(l->root, "windows");
	size_t n = map && map->kind == NODE_MAP ? map->n : 0;
	struct window *windows = arena_alloc(l->arena, (n + 1) * sizeof(*windows));
	struct office *office = &l->settings->office;
	struct span_of_day span;

	for (size_t i = 0; i < n; i++) {
		const struct node *item = map->items[i];

		windows[i].name = map->keys[i]->text;
		if (item->kind == NODE_TEXT && type_hours(item->text, &span)) {
			windows[i].from = span.from;
			windows[i].to = span.to;
		}
	}
	office->windows = windows;
	office->n_windows = n;
}

void load_calendars(struct loader *l)
{
	struct scope s = scope_in(scope_root(l), "calendars");
	size_t n = s.map && s.map->kind == NODE_MAP ? s.map->n : 0;
	struct calendar *calendars = arena_alloc(l->arena, (n + 1) * sizeof(*calendars));
	struct office *office = &l->settings->office;

	for (size_t i = 0; i < n; i++) {
		load_calendar(scope_item(s, i), s.map->keys[i], &calendars[i]);
		map_put(&office->calendar_by_name, calendars[i].name, &calendars[i]);
	}
	office->calendars = calendars;
	office->n_calendars = n;
	load_windows(l);
}
