/*
 * How a vendor's object becomes ours. The result is their object with our members laid over it:
 * what no pointer took stays as it is, is understood by its own name or ends in `extra`. Order
 * matters and is fixed: map, codes, formats, set.
 */
#include <limits.h>
#include <string.h>

#include "base/mem.h"
#include "core/time/moment.h"
#include "core/understand/stages.h"

/* ---- members by dotted name ------------------------------------------------------------------ */

static json_t *member_get(json_t *object, const char *member, struct arena *a)
{
	const char *dot;

	for (; (dot = strchr(member, '.')) != NULL; member = dot + 1)
		object = json_object_get(object, arena_strndup(a, member, (size_t)(dot - member)));
	return json_object_get(object, member);
}

/* Takes over the reference. What is on the way is copied, never changed: it may be theirs. */
static void member_set(json_t *object, const char *member, json_t *value, struct arena *a)
{
	const char *dot;

	for (; (dot = strchr(member, '.')) != NULL; member = dot + 1) {
		const char *name = arena_strndup(a, member, (size_t)(dot - member));
		json_t *inner = json_object_get(object, name);

		inner = json_is_object(inner) ? json_copy(inner) : json_object();
		json_object_set_new(object, name, inner);
		object = inner;
	}
	json_object_set_new(object, member, value);
}

/* ---- map ------------------------------------------------------------------------------------- */

static json_t *map_members(const struct channel *channel, json_t *theirs, struct arena *a)
{
	json_t *ours = json_copy(theirs);

	/* First take all away, then put all in: two members may swap their names. */
	for (size_t i = 0; i < channel->n_map; i++) {
		const char *pointer = channel->map[i].pointer;

		if (*pointer == '/' && !strpbrk(pointer + 1, "/~") && pointer_get(theirs, pointer))
			json_object_del(ours, pointer + 1);
	}
	for (size_t i = 0; i < channel->n_map; i++) {
		json_t *value = pointer_get(theirs, channel->map[i].pointer);

		if (value)
			member_set(ours, channel->map[i].member, json_incref(value), a);
	}
	return ours;
}

/* ---- codes and constants --------------------------------------------------------------------- */

/* A constant or code of the configuration is a text; the members below are no texts. */
static json_t *typed(const char *member, const char *text)
{
	bool is_number = strcmp(member, "place.lat") == 0 || strcmp(member, "place.lon") == 0;
	bool is_truth = strcmp(member, "reporter.secret") == 0 || strcmp(member, "ok") == 0;
	json_t *value = json_string(text);
	double number;

	if (is_number && value_number(value, &number)) {
		json_decref(value);
		return json_real(number);
	}
	if (is_truth) {
		bool yes = value_is_yes(value);

		json_decref(value);
		return json_boolean(yes);
	}
	return value;
}

static void map_codes(const struct channel *channel, json_t *ours, struct arena *a)
{
	for (size_t i = 0; i < channel->n_codes; i++) {
		const struct code_table *table = &channel->codes[i];
		const json_t *value = member_get(ours, table->member, a);
		const char *text = json_is_boolean(value) ? (json_is_true(value) ? "true" : "false")
							  : value_text(a, value);
		const char *means = text ? map_get(&table->values, text) : NULL;

		if (means)
			member_set(ours, table->member, typed(table->member, means), a);
	}
}

/* ---- formats --------------------------------------------------------------------------------- */

static bool parse_format(const char *text, const char *format, int64_t *ret)
{
	struct tm tm = {.tm_mday = 1, .tm_year = 70, .tm_gmtoff = LONG_MAX};
	const char *end = strptime(text, format, &tm);
	struct civil civil;

	if (!end || *end || tm.tm_year < 70 ||
	    !moment_date_is_valid(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday))
		return false;
	civil = (struct civil){.year = tm.tm_year + 1900,
			       .month = tm.tm_mon + 1,
			       .day = tm.tm_mday,
			       .hour = tm.tm_hour,
			       .minute = tm.tm_min,
			       .second = tm.tm_sec > 59 ? 59 : tm.tm_sec};
	*ret = moment_from_civil(&civil);
	if (tm.tm_gmtoff != LONG_MAX)   /* the format has %z: it was no office time */
		*ret += MOMENT_ZONE_US - (int64_t)tm.tm_gmtoff * 1000000;
	return true;
}

static void map_formats(const struct channel *channel, json_t *ours, struct arena *a)
{
	for (size_t i = 0; i < channel->n_formats; i++) {
		const struct member_format *f = &channel->formats[i];
		const json_t *value = member_get(ours, f->member, a);
		const char *text = value_text(a, value);
		char rfc3339[MOMENT_TEXT];
		double number, unit = 0;
		int64_t at;

		if (strcmp(f->format, "unix") == 0)
			unit = 1e6;
		else if (strcmp(f->format, "unixms") == 0)
			unit = 1e3;
		if (!text || (unit > 0 ? !value_number(value, &number)
				       : !parse_format(text, f->format, &at)))
			continue;       /* left as it came: read as any other time, or marked */
		if (unit > 0 && !(number >= 0 && number * unit < 2.5e17))
			continue;
		if (unit > 0)
			at = (int64_t)(number * unit);
		member_set(ours, f->member, json_string(moment_rfc3339(at, rfc3339)), a);
	}
}

json_t *map_object(const struct channel *channel, json_t *theirs, struct arena *a)
{
	json_t *ours;

	if (!channel->n_map && !channel->n_codes && !channel->n_formats && !channel->n_set)
		return json_incref(theirs);
	ours = map_members(channel, theirs, a);
	map_codes(channel, ours, a);
	map_formats(channel, ours, a);
	for (size_t i = 0; i < channel->n_set; i++)
		member_set(ours, channel->set[i].member,
			   typed(channel->set[i].member, channel->set[i].text), a);
	return ours;
}
