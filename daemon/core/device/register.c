/*
 * What the office knows of its devices, and how it names what they say. A device in the register is watched as its kind
 * says; any other as the first kind whose channel and category fit. Without either nothing is remembered of it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/device/device.h"
#include "core/time/moment.h"
#include "core/understand/message.h"

enum { NAME_MAX_BYTES = 128 };          /* a longer one is no device's: keys have a limit */

/* ---- texts of the settings -------------------------------------------------------------------- */
bool device_span_parse(const char *text, int64_t *ret)
{
	static const struct {
		const char *word;
		int64_t seconds;
	} units[] = {{"s", 1}, {"秒", 1}, {"m", 60}, {"分钟", 60}, {"h", 3600}, {"小时", 3600}, {"d", 86400}, {"天", 86400}};
	size_t n = strspn(text, "0123456789");

	if (n < 1 || n > 7)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (strcmp(text + n + (text[n] == ' '), units[i].word) == 0) {
			*ret = strtoll(text, NULL, 10) * units[i].seconds * 1000000;
			return true;
		}
	return false;
}

static bool pause_parse(const char *text, size_t len, struct device_pause *ret)
{
	char from[MOMENT_TEXT], to[MOMENT_TEXT];
	const char *slash = memchr(text, '/', len);
	size_t n = slash ? (size_t)(slash - text) : 0, m = slash ? len - n - 1 : 0;

	if (!n || !m || n >= sizeof(from) || m >= sizeof(to))
		return false;
	memcpy(from, text, n);
	from[n] = '\0';
	memcpy(to, slash + 1, m);
	to[m] = '\0';
	return moment_parse(from, &ret->from) && moment_parse(to, &ret->to) && ret->from < ret->to;
}

bool device_pauses_parse(const char *text, struct arena *a, const struct device_pause **ret, size_t *ret_n)
{
	size_t most = 1, n = 0;
	struct device_pause *pauses;

	for (const char *p = text; *p; p++)
		most += *p == ';';
	pauses = arena_alloc(a, most * sizeof(*pauses));
	for (size_t len; *text; text += len + (text[len] == ';')) {
		text += strspn(text, " ");
		len = strcspn(text, ";");
		if (len && !pause_parse(text, len, &pauses[n++]))
			return false;
	}
	*ret = pauses;
	*ret_n = n;
	return true;
}

/* ---- which device, which kind ----------------------------------------------------------------- */
static bool one_of(const struct texts *texts, const char *text)
{
	for (size_t i = 0; text && i < texts->n; i++)
		if (strcmp(texts->v[i], text) == 0)
			return true;
	return false;
}

/* The category itself or one above it. */
static bool category_fits(const struct texts *paths, const char *category)
{
	for (size_t i = 0; category && i < paths->n; i++) {
		size_t n = strlen(paths->v[i]);

		if (strncmp(paths->v[i], category, n) == 0 && (category[n] == '\0' || category[n] == '/'))
			return true;
	}
	return false;
}

static bool fits(const struct device_kind *kind, const struct report *r)
{
	if (!kind->channel.n && !kind->category.n)
		return false;
	return (!kind->channel.n || one_of(&kind->channel, r->channel->id)) &&
	       (!kind->category.n || category_fits(&kind->category, r->category));
}

const struct device_kind *device_watched(const struct office *office, const struct report *r,
					 const struct device_entry **ret_entry)
{
	*ret_entry = NULL;
	if (!r->device || r->kind != REPORT_REPORT || !office->n_device_kinds || strlen(r->device) > NAME_MAX_BYTES)
		return NULL;
	*ret_entry = map_get(&office->device_by_id, r->device);
	if (*ret_entry)
		return (*ret_entry)->kind;
	for (size_t i = 0; i < office->n_device_kinds; i++)
		if (fits(&office->device_kinds[i], r))
			return &office->device_kinds[i];
	return NULL;
}

void device_fill(const struct office *office, struct report *r)
{
	const struct device_entry *entry = r->device ? map_get(&office->device_by_id, r->device) : NULL;

	if (!entry)
		return;
	if (!r->address)
		r->address = entry->address;
	if (!r->grid && entry->grid) {
		r->grid = entry->grid->code;
		r->known_grid = entry->grid;
	}
	if (!r->name && !r->phone) {
		r->name = entry->owner;
		r->phone = entry->contact;
	}
}

const char *device_alarm(const struct report *r)
{
	if (r->alarm && *r->alarm)
		return r->alarm;
	if (r->reading == READING_VALUE)
		return "value";
	return r->known_category ? r->known_category->path : "alarm";
}

const char *device_cause(const struct device_kind *kind, const char *alarm, const struct report *r, struct arena *a)
{
	if (!kind->storm_within)
		return NULL;
	return arena_printf(a, "%s/%s/%s/%.*s", kind->name, *alarm ? alarm : "-",
			    r->known_category ? r->known_category->path : "", kind->storm_area, r->grid ? r->grid : "");
}
