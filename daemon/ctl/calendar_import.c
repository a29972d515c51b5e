/*
 * A year's holidays come as a file from outside. Nothing is written before the whole folder, with the file in
 * it, has loaded without an error; and the folder's own files are changed by one word, not printed anew.
 */
#include "ctl/calendar.h"

#include <errno.h>

#include "core/life/clocks.h"
#include "core/time/moment.h"
#include "ctl/ctl.h"
#include "ctl/folder.h"
#include "ctl/stored.h"
#include "settings/snapshot.h"
#include "settings/source.h"
#include "settings/yaml.h"
#include "store/pg.h"

enum { FILE_MAX = 1 << 20 };

struct import {
	struct ctl *ctl;
	int year;
	const char *target;             /* its name in the folder */
	const char *text;               /* in our form */
	json_t *files;                  /* the folder as it will be: name -> text */
	json_t *changed;                /* names of files that will be written, in this order */
	struct settings *trial;
	json_t *affected;               /* NULL: the database was not asked */
};

static void import_done(struct import *in)
{
	json_decref(in->files);
	json_decref(in->changed);
	json_decref(in->affected);
	settings_unref(in->trial);
}

/* ---- the file -------------------------------------------------------------------------------- */

static int by_date(const void *a, const void *b)
{
	const char *x = json_string_value(json_object_get(*(json_t *const *)a, "date"));
	const char *y = json_string_value(json_object_get(*(json_t *const *)b, "date"));

	return strcmp(x ? x : "", y ? y : "");
}

static void add_string(struct str *out, const char *before, const char *text)
{
	str_add(out, before);
	str_json(out, text);
}

/* In the form that the folder's other years have: a line a day, in order. */
static const char *in_our_form(struct import *in, const json_t *file)
{
	const json_t *days = json_object_get(file, "days"), *papers = json_object_get(file, "papers");
	size_t n = json_array_size(days);
	json_t **sorted = arena_alloc(&in->ctl->arena, (n + 1) * sizeof(json_t *));
	CLEANUP(str_done) struct str t = {0};

	for (size_t i = 0; i < n; i++)
		sorted[i] = json_array_get(days, i);
	qsort(sorted, n, sizeof(*sorted), by_date);
	str_addf(&t, "{\n\"year\": %d,\n\"papers\": [", in->year);
	for (size_t i = 0; i < json_array_size(papers); i++)
		add_string(&t, i ? ",\n" : "\n", json_string_value(json_array_get(papers, i)));
	str_addf(&t, "%s],\n\"days\": [", json_array_size(papers) ? "\n" : "");
	for (size_t i = 0; i < n; i++) {
		add_string(&t, i ? ",\n{\"name\": " : "\n{\"name\": ", json_string_value(json_object_get(sorted[i], "name")));
		add_string(&t, ", \"date\": ", json_string_value(json_object_get(sorted[i], "date")));
		/* What is neither is left out, for the loader to find. */
		if (json_is_boolean(json_object_get(sorted[i], "isOffDay")))
			str_addf(&t, ", \"isOffDay\": %s",
				 json_is_true(json_object_get(sorted[i], "isOffDay")) ? "true" : "false");
		str_addc(&t, '}');
	}
	str_add(&t, "\n]\n}\n");
	return arena_strdup(&in->ctl->arena, t.s);
}

static void json_freep(json_t **json)
{
	json_decref(*json);
}

static void close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

static int read_year(struct import *in, const char *path, struct err *e)
{
	CLEANUP(close_file) FILE *f = fopen(path, "re");
	CLEANUP(json_freep) json_t *file = NULL;
	char *text = arena_alloc(&in->ctl->arena, FILE_MAX + 1);
	json_int_t year;
	json_error_t why;
	size_t n;

	if (!f)
		return err_set(e, ERR_BAD, "%s cannot be read: %s", path, strerror(errno));
	n = fread(text, 1, FILE_MAX + 1, f);
	if (n > FILE_MAX)
		return err_set(e, ERR_BAD, "%s is larger than a calendar can be", path);
	file = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
	if (!file)
		return err_set(e, ERR_BAD, "%s, line %d: this is not JSON: %s", path, why.line, why.text);
	year = json_integer_value(json_object_get(file, "year"));
	if (year < 1970 || year > 9997 || !json_is_array(json_object_get(file, "days")))
		return err_set(e, ERR_BAD, "%s is no calendar of a year: it needs \"year\" and \"days\" as holiday-cn has them",
			       path);
	if (!json_array_size(json_object_get(file, "days")))
		return err_set(e, ERR_BAD, "%s has no days: the notice for %d is not in it yet", path, (int)year);
	in->year = (int)year;
	in->text = in_our_form(in, file);
	return 0;
}

/* ---- the folder as it will be ---------------------------------------------------------------- */

static const struct settings_file *find_file(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->n_files; i++)
		if (strcmp(s->files[i].name, name) == 0)
			return &s->files[i];
	return NULL;
}

/* Is this the file of that year, also when it is still empty? */
static bool is_year(const struct settings *s, const char *name, int year)
{
	const struct settings_file *file = find_file(s, name);
	json_t *json = file ? json_loadb(file->text, file->len, 0, NULL) : NULL;
	bool same = json_integer_value(json_object_get(json, "year")) == year;

	json_decref(json);
	return same;
}

static const struct node *years_of(const struct settings *s, size_t i)
{
	const struct node *calendars = node_get(s->tree, "calendars"), *years = node_get(calendars->items[i], "years");

	return node_is_empty(years) ? NULL : years;
}

static size_t n_calendars(const struct settings *s)
{
	const struct node *calendars = node_get(s->tree, "calendars");

	return calendars && calendars->kind == NODE_MAP ? calendars->n : 0;
}

/* The name that some calendar has for this year, else calendars/YEAR.json. */
static void choose_target(struct import *in)
{
	const struct settings *s = in->ctl->settings;

	in->target = arena_printf(&in->ctl->arena, "calendars/%d.json", in->year);
	for (size_t c = 0; c < n_calendars(s); c++) {
		const struct node *years = years_of(s, c);

		for (size_t i = 0; years && years->kind == NODE_LIST && i < years->n; i++)
			if (is_year(s, years->items[i]->text, in->year))
				in->target = years->items[i]->text;
		if (years && years->kind == NODE_TEXT && is_year(s, years->text, in->year))
			in->target = years->text;
	}
}

static bool lists(const struct node *years, const char *name)
{
	if (years->kind == NODE_TEXT)
		return strcmp(years->text, name) == 0;
	for (size_t i = 0; i < years->n; i++)
		if (strcmp(years->items[i]->text, name) == 0)
			return true;
	return false;
}

static size_t offset_of(const struct source *source, int line, int column)
{
	size_t at = source->lines[line - 1];

	while (--column > 0 && at < source->len)
		for (at++; at < source->len && ((unsigned char)source->text[at] & 0xc0) == 0x80; at++)
			;
	return at;
}

/* Where and what to put in, so that the list has one more. */
static size_t place_in(struct import *in, const struct node *years, const char **ret_text)
{
	const struct source *source = years->at.source;
	const struct node *last = years->n ? years->items[years->n - 1] : NULL;
	struct arena *a = &in->ctl->arena;
	size_t at, len;

	if (years->kind == NODE_TEXT) {
		/* A single name: the bracket before it is put in by the caller. */
		*ret_text = arena_printf(a, ", %s]", in->target);
		return offset_of(source, years->end_line, years->end_column);
	}
	if (years->style == '[') {
		*ret_text = arena_printf(a, "%s%s", last ? ", " : "", in->target);
		return last ? offset_of(source, last->end_line, last->end_column)
			    : offset_of(source, years->at.line, years->at.column) + 1;
	}
	at = source->lines[last->end_line - 1];
	source_line(source, last->end_line, &len);
	*ret_text = arena_printf(a, "\n%*s- %s", years->at.column - 1, "", in->target);
	return at + len;
}

static void insert(struct str *text, size_t at, const char *what)
{
	CLEANUP(str_done) struct str t = {0};

	str_addn(&t, text->s, at);
	str_add(&t, what);
	str_add(&t, text->s + at);
	str_reset(text);
	str_addn(text, t.s, t.len);
}

/* From the last calendar to the first, so that places further up stay where they are. */
static void add_to_lists(struct import *in)
{
	const struct settings *s = in->ctl->settings;

	for (size_t c = n_calendars(s); c-- > 0;) {
		const struct node *years = years_of(s, c);
		CLEANUP(str_done) struct str text = {0};
		const char *name, *what;
		size_t at;

		if (!years || lists(years, in->target))
			continue;
		name = years->at.source->name;
		str_add(&text, json_string_value(json_object_get(in->files, name)));
		at = place_in(in, years, &what);
		insert(&text, at, what);
		if (years->kind == NODE_TEXT)
			insert(&text, offset_of(years->at.source, years->at.line, years->at.column), "[");
		json_object_set_new(in->files, name, json_string(text.s));
		for (at = 0; at < json_array_size(in->changed); at++)
			if (str_equal(json_string_value(json_array_get(in->changed, at)), name))
				break;
		if (at == json_array_size(in->changed))
			json_array_append_new(in->changed, json_string(name));
	}
}

static void plan(struct import *in)
{
	const struct settings *s = in->ctl->settings;
	const struct settings_file *there;

	in->files = json_object();
	in->changed = json_array();
	for (size_t i = 0; i < s->n_files; i++)
		json_object_set_new(in->files, s->files[i].name, json_string(s->files[i].text));
	choose_target(in);
	there = find_file(s, in->target);
	if (!there || strcmp(there->text, in->text) != 0)
		json_array_append_new(in->changed, json_string(in->target));
	json_object_set_new(in->files, in->target, json_string(in->text));
	add_to_lists(in);
}

/* Loads it all; what is found about the new file is said in any case. */
static int try_it(struct import *in, struct err *e)
{
	int r = stored_load(in->ctl, in->files, &in->trial, e);
	struct findings about = {0};

	if (r < 0)
		return r;
	about.v = arena_alloc(&in->ctl->arena, (in->trial->findings.n + 1) * sizeof(*about.v));
	for (size_t i = 0; i < in->trial->findings.n; i++) {
		const struct finding *f = &in->trial->findings.v[i];

		if (f->severity != SEVERITY_ERROR && strcmp(f->file, in->target) != 0)
			continue;
		about.v[about.n++] = *f;
		about.n_errors += f->severity == SEVERITY_ERROR;
		about.n_warnings += f->severity != SEVERITY_ERROR;
	}
	if (about.n && !in->ctl->json)
		findings_text(&about, &in->ctl->out);
	if (r == SETTINGS_HAS_ERRORS)
		return err_set(e, ERR_BAD, "the folder would have %zu errors with it: nothing is written", about.n_errors);
	return 0;
}

static int write_changed(struct import *in, struct err *e)
{
	const struct settings *s = in->ctl->settings;
	size_t i;
	json_t *name;

	json_array_foreach(in->changed, i, name) {
		const char *file = json_string_value(name), *text = json_string_value(json_object_get(in->files, file));
		const struct settings_file *was = find_file(s, file);
		int r = folder_make_way(s->folder, file, e);

		if (r == 0)
			r = folder_write(s->folder, file, text, strlen(text), was ? was->text : NULL, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- open cases ------------------------------------------------------------------------------ */

static const struct query Q_OPEN = {"ctl_calendar_open",
	"SELECT c.number, c.lead, k.key, k.value->>'spec', k.value->>'calendar', (k.value->>'from')::int8, "
	"needle.micros(CASE k.key WHEN 'accept' THEN c.due_accept WHEN 'contact' THEN c.due_contact "
	"WHEN 'resolve' THEN c.due_resolve ELSE c.due_feedback END) "
	"FROM (SELECT number FROM needle.queue WHERE tenant = $1::text AND role <> 'support' "
	"UNION SELECT number FROM needle.timer WHERE tenant = $1::text) o "
	"JOIN needle.cases c ON c.tenant = $1::text AND c.number = o.number, json_each(c.basis) k "
	"WHERE c.provisional ORDER BY c.number, 3 LIMIT 10000"};

static json_t *affected_json(struct import *in, const struct pg_rows *rows)
{
	json_t *all = json_array();

	for (int i = 0; i < rows->n; i++) {
		const struct basis basis = {.from = pg_get_int(rows, i, 5), .spec = pg_get(rows, i, 3),
					    .calendar = pg_get(rows, i, 4)};
		int64_t old = pg_get_time(rows, i, 6);
		struct due due;

		if (!basis.spec || !basis_due(&in->trial->office, &basis, &in->ctl->arena, &due) ||
		    (due.at == old && due.provisional))
			continue;
		json_array_append_new(all, json_pack("{s:s,s:s,s:s,s:o,s:o,s:b}", "case", pg_get(rows, i, 0), "department",
						     pg_get(rows, i, 1), "clock", pg_get(rows, i, 2), "old",
						     ctl_json_time(old), "new", ctl_json_time(due.at), "provisional",
						     due.provisional));
	}
	return all;
}

/* A folder is worked on where there is no database, too: then nothing is said of cases. */
static void ask_database(struct import *in)
{
	CLEANUP(pg_rows_done) struct pg_rows rows = {0};
	struct pg_args args = {0};
	struct pg *pg = NULL;
	struct err e;

	if (ctl_database(in->ctl, &pg, &e) < 0)
		return;
	pg_text(&args, in->ctl->settings->office.tenant);
	if (pg_run(pg, &Q_OPEN, &args, &rows, &e) == 0)
		in->affected = affected_json(in, &rows);
	pg_close(pg);
}

static void print_affected(struct import *in)
{
	struct ctl *ctl = in->ctl;
	size_t i;
	json_t *one;

	if (!in->affected) {
		str_addf(&ctl->out, "%s\n", _("The database cannot be reached: open cases were not looked at."));
		return;
	}
	str_addf(&ctl->out, _("%zu provisional limits of open cases would be settled by a reload:\n"),
		 json_array_size(in->affected));
	json_array_foreach(in->affected, i, one) {
		const char *dept = json_string_value(json_object_get(one, "department"));
		char old[MOMENT_TEXT], is[MOMENT_TEXT];
		int64_t from = 0, to = 0;

		moment_parse(json_string_value(json_object_get(one, "old")), &from);
		moment_parse(json_string_value(json_object_get(one, "new")), &to);
		str_addf(&ctl->out, "  %s  ", json_string_value(json_object_get(one, "case")));
		grid_pad(&ctl->out, ctl_dept_name(ctl, dept), 20);
		str_addf(&ctl->out, " %s %s → %s\n", say(ctl, json_string_value(json_object_get(one, "clock"))),
			 moment_human(from, true, old), moment_human(to, true, is));
	}
}

/* ---- all of it ------------------------------------------------------------------------------- */

static const struct calendar *first_with_years(const struct import *in)
{
	const struct office *office = &in->trial->office;

	for (size_t i = 0; i < office->n_calendars; i++)
		for (size_t k = 0; k < office->calendars[i].n_years; k++)
			if (office->calendars[i].years[k] == in->year)
				return &office->calendars[i];
	return NULL;
}

static void print(struct import *in, const struct calendar *cal, bool written)
{
	struct ctl *ctl = in->ctl;
	size_t i;
	json_t *name, *all;

	if (ctl->json) {
		all = json_pack("{s:i,s:s,s:O,s:b,s:o,s:o}", "year", in->year, "file", in->target, "changed", in->changed,
				"written", written, "calendar", calendar_json(cal, in->year), "affected",
				in->affected ? json_incref(in->affected) : json_null());
		ctl_print_json(ctl, all);
		json_decref(all);
		return;
	}
	calendar_print(ctl, cal, in->year);
	print_affected(in);
	json_array_foreach(in->changed, i, name)
		str_addf(&ctl->out, "%s %s\n", written ? _("written:") : _("would be written:"), json_string_value(name));
	if (!json_array_size(in->changed))
		str_addf(&ctl->out, "%s\n", _("The folder has it already."));
	else if (written)
		str_addf(&ctl->out, "%s\n", _("needlectl reload puts it to work."));
}

int calendar_import(struct ctl *ctl, const char *path, struct err *e)
{
	CLEANUP(import_done) struct import in = {.ctl = ctl};
	bool check = args_has(&ctl->args, "check");
	const struct calendar *cal;
	int r = ctl_settings(ctl, e);

	if (r == 0)
		r = read_year(&in, path, e);
	if (r < 0)
		return r;
	plan(&in);
	r = try_it(&in, e);
	if (r < 0)
		return r;
	cal = first_with_years(&in);
	if (!cal)
		return err_set(e, ERR_BAD, "no calendar of %s lists years: there is nothing to add it to", ctl->folder);
	if (!check)
		r = write_changed(&in, e);
	if (r < 0)
		return r;
	ask_database(&in);
	print(&in, cal, !check);
	return CTL_DONE;
}
