/*
 * Alarms of sensors. Every vendor's platform pushes its own JSON, but all say the same: which device,
 * which alarm, how bad, since when, with which reading. So a shape is a row of member names and the
 * meaning of an alarm code is a row too: a new vendor is two rows and a sample.
 *
 * An alarm becomes a sentence that a person can act on ("井盖倾斜 35°"), because rules, titles and
 * phones work with words. Beside it stands `reading`: which alarm, and whether it is one, is over, is a figure
 * or only a sign of life. There is no memory of devices here: what a reading means after the one before it,
 * and how often a device may speak, is decided where its state is kept.
 *
 * The id must be the same when the platform sends an alarm again, so the clock of the receipt is never
 * part of it: an alarm with neither an id nor a time is refused. The end of one has the alarm's id and `:clear`.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "needle_plugin.h"

enum { OPTION_MANHOLE, OPTION_WATER, OPTION_FIRE, OPTION_OTHER, OPTION_CRS };
static const struct needle_option options[] = {
	[OPTION_MANHOLE] = {"manhole_category", NEEDLE_OPTION_TEXT, "市政/井盖",
			    "Category of manhole covers' alarms; empty: none."},
	[OPTION_WATER] = {"water_category", NEEDLE_OPTION_TEXT, "应急/积水",
			  "Category of water levels' alarms; empty: none."},
	[OPTION_FIRE] = {"fire_category", NEEDLE_OPTION_TEXT, "应急/消防",
			 "Category of smoke, heat and gas alarms; empty: none."},
	[OPTION_OTHER] = {"other_category", NEEDLE_OPTION_TEXT, "", "Category of all other alarms; empty: none."},
	[OPTION_CRS] = {"crs", NEEDLE_OPTION_TEXT, "wgs84", "Coordinate system of the devices' positions."},
	{NULL, NEEDLE_OPTION_TEXT, NULL, NULL},
};

/* Member names; a dot steps into an object. In a list's alarm the message around it is asked second. */
struct shape {
	const char *marks[3];           /* all of them are there */
	const char *list;               /* member with several alarms, or NULL: the message is one alarm */
	const char *id[2], *device[2];  /* the first that is there */
	const char *code, *severity, *state, *time, *value, *unit, *limit, *address, *lon, *lat, *grid;
	const char *known[8];           /* members that need not go on under their own names */
	int category;                   /* option with the category of its devices */
	const char *figure, *figure_text, *figure_code; /* a message that is a reading, and of which alarm */
};
static const struct shape shapes[] = {
	{       /* manhole cover monitors over NB-IoT */
		.marks = {"imei", "alarmType"},
		.id = {"alarmId"}, .device = {"imei"}, .code = "alarmType", .severity = "alarmLevel",
		.state = "alarmStatus", .time = "alarmTime", .address = "address", .lon = "longitude",
		.lat = "latitude", .grid = "gridCode",
		.known = {"alarmId", "alarmTime", "address", "longitude", "latitude", "gridCode"},
		.category = OPTION_MANHOLE,
	},
	{       /* water-level loggers: one message, several alarms */
		.marks = {"sn", "alarms"},
		.list = "alarms", .id = {"id"}, .device = {"sn"}, .code = "code", .severity = "grade",
		.state = "state", .time = "time", .value = "value", .unit = "unit", .limit = "threshold",
		.address = "station", .lon = "lon", .lat = "lat", .grid = "grid",
		.known = {"id", "alarms", "time", "lon", "lat", "grid"}, .category = OPTION_WATER,
	},
	{       /* the same loggers, between alarms: how high the water stands */
		.marks = {"sn", "level"},
		.id = {"id"}, .device = {"sn"}, .time = "time", .value = "level", .unit = "unit", .address = "station",
		.lon = "lon", .lat = "lat", .grid = "grid", .known = {"id", "time", "lon", "lat", "grid"},
		.category = OPTION_WATER, .figure = "level", .figure_text = "水位", .figure_code = "LEVEL_HIGH",
	},
	{       /* a gateway's alarm in ThingsBoard's form */
		.marks = {"originator", "severity", "type"},
		.id = {"id.id", "id"}, .device = {"originatorName", "originator.id"}, .code = "type",
		.severity = "severity", .state = "status", .time = "createdTime", .value = "details.value",
		.unit = "details.unit", .limit = "details.threshold", .address = "details.address",
		.lon = "details.longitude", .lat = "details.latitude", .grid = "details.grid",
		.known = {"id", "createdTime"}, .category = OPTION_OTHER,
	},
};

/* What an alarm code means; `member` and `unit` where a vendor gives the reading under a name of its own. */
struct alarm_kind {
	const char *code, *text;
	int category;                   /* option that holds it */
	const char *urgency;            /* where the vendor gives no severity */
	const char *member, *unit;
};
static const struct alarm_kind kinds[] = {
	{"tilt", "井盖倾斜", OPTION_MANHOLE, "urgent", "angle", "°"},
	{"open", "井盖打开", OPTION_MANHOLE, "urgent", NULL, NULL},
	{"lost", "井盖丢失", OPTION_MANHOLE, "critical", NULL, NULL},
	{"overflow", "井内水位过高", OPTION_MANHOLE, "urgent", "waterLevel", "厘米"},
	{"gas", "井内可燃气体超标", OPTION_MANHOLE, "critical", "gas", "%LEL"},
	{"lowBattery", "井盖监测设备电量低", OPTION_MANHOLE, "normal", "battery", "%"},
	{"offline", "井盖监测设备离线", OPTION_MANHOLE, "normal", NULL, NULL},
	{"LEVEL_HIGH", "积水水位过高", OPTION_WATER, "urgent", NULL, NULL},
	{"LEVEL_RISING", "水位上涨过快", OPTION_WATER, "urgent", NULL, NULL},
	{"BATTERY_LOW", "水位监测设备电量低", OPTION_WATER, "normal", NULL, NULL},
	{"SENSOR_FAULT", "水位监测设备故障", OPTION_WATER, "normal", NULL, NULL},
	{"Smoke", "烟雾告警", OPTION_FIRE, "critical", NULL, NULL},
	{"High Temperature", "温度过高", OPTION_FIRE, "urgent", NULL, NULL},
	{"Gas Leak", "燃气泄漏", OPTION_FIRE, "critical", NULL, NULL},
	{"Water Leak", "漏水告警", OPTION_OTHER, "urgent", NULL, NULL},
	{"Low Battery", "设备电量低", OPTION_OTHER, "normal", NULL, NULL},
	{"Device Offline", "设备离线", OPTION_OTHER, "normal", NULL, NULL},
};

struct word {
	const char *theirs, *ours;
};
static const struct word urgencies[] = {
	{"1", "normal"}, {"2", "urgent"}, {"3", "critical"},
	{"blue", "normal"}, {"yellow", "urgent"}, {"orange", "urgent"}, {"red", "critical"},
	{"INDETERMINATE", "normal"}, {"WARNING", "normal"}, {"MINOR", "normal"}, {"MAJOR", "urgent"},
	{"CRITICAL", "critical"}, {NULL, NULL},
};
static const struct word units[] = {{"m", "米"}, {"cm", "厘米"}, {"mm", "毫米"}, {"C", "℃"}, {NULL, NULL}};
/* States, and alarm types that are none, that mean: nothing is wrong (any more). */
static const char *const calm[] = {"0", "false", "off", "normal", "clear", "cleared", "recovered", "heartbeat",
				   "CLEARED_ACK", "CLEARED_UNACK", "恢复", "正常", NULL};
/* The contract's own members: another meaning under such a name must not be taken for it. */
static const char *const reserved[] = {"v", "id", "kind", "time", "text", "category", "urgency", "reporter",
				       "place", "accused", "media", "about", "case", "score", "comment",
				       "reply", "reply_to", "ok", "device", "reading", NULL};
static const char *const alive[] = {"heartbeat", "心跳", NULL};

/* ---- small parts ----------------------------------------------------------------------------- */

static const char *word_ours(const struct word *table, const char *theirs)
{
	for (; theirs && table->theirs; table++)
		if (strcmp(table->theirs, theirs) == 0)
			return table->ours;
	return NULL;
}

static bool is_one_of(const char *const *names, const char *text)
{
	while (text && *names && strcmp(*names, text) != 0)
		names++;
	return text && *names;
}

static void put(json_t *object, const char *name, json_t *value)
{
	if (value)
		json_object_set_new(object, name, value);
}

static void put_text(json_t *object, const char *name, const char *text)
{
	put(object, name, text ? json_string(text) : NULL);
}

static const json_t *path_get(const json_t *object, const char *path)
{
	const char *dot;

	while ((dot = strchr(path, '.')) != NULL) {
		object = json_object_getn(object, path, (size_t)(dot - path));
		path = dot + 1;
	}
	return json_object_get(object, path);
}

/* A scalar as text, new; NULL for anything else and for an empty text. */
static json_t *value_text(const json_t *value)
{
	if (json_is_integer(value))
		return json_sprintf("%lld", (long long)json_integer_value(value));
	if (json_is_real(value))
		return json_sprintf("%.6g", json_real_value(value));
	if (json_is_boolean(value))
		return json_string(json_is_true(value) ? "true" : "false");
	return json_string_length(value) ? json_string(json_string_value(value)) : NULL;
}

/* Seconds or milliseconds since 1970 as RFC 3339 in China's time; text as it is. */
static json_t *time_text(const json_t *value)
{
	json_int_t seconds = json_integer_value(value);
	char text[40];
	struct tm tm;
	time_t local;

	if (!json_is_integer(value))
		return json_is_string(value) ? value_text(value) : NULL;
	if (seconds > 99999999999)
		seconds /= 1000;
	if (seconds <= 0 || seconds > 99999999999)
		return NULL;
	local = (time_t)seconds + 8 * 3600;
	if (!gmtime_r(&local, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S+08:00", &tm))
		return NULL;
	return json_string(text);
}

/* ---- one alarm ------------------------------------------------------------------------------- */

struct alarm {
	const struct shape *shape;
	const json_t *opts;
	json_t *own, *around;           /* around: the message that holds the list, or NULL */
};

static const json_t *alarm_get(const struct alarm *a, const char *path)
{
	const json_t *value = path ? path_get(a->own, path) : NULL;

	return path && !value ? path_get(a->around, path) : value;
}

static json_t *alarm_text(const struct alarm *a, const char *path)
{
	return value_text(alarm_get(a, path));
}

static json_t *alarm_device(const struct alarm *a)
{
	json_t *device = alarm_text(a, a->shape->device[0]);

	return device ? device : alarm_text(a, a->shape->device[1]);
}

/* The vendor's id, looked for in the alarm alone; else device, time and code. NULL: neither. */
static json_t *alarm_id(const struct alarm *a, const char *device, const char *time, const char *code)
{
	char digits[32];
	size_t n = 0;

	for (size_t i = 0; i < 2 && a->shape->id[i]; i++) {
		json_t *id = value_text(path_get(a->own, a->shape->id[i]));

		if (id)
			return id;
	}
	for (const char *p = time; p && *p && *p != '+' && n + 1 < sizeof(digits); p++)
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	digits[n] = '\0';
	return device && n ? json_sprintf("%s:%s:%s", device, digits, code) : NULL;
}

static const struct alarm_kind *kind_of(const char *code)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].code, code) == 0)
			return &kinds[i];
	return NULL;
}

/* "井盖倾斜 35°", "积水水位过高 0.42米，限值0.3米", "设备告警 E17". */
static json_t *alarm_words(const struct alarm *a, const struct alarm_kind *kind, const char *code)
{
	json_t *value = alarm_text(a, kind && kind->member ? kind->member : a->shape->value);
	json_t *limit = alarm_text(a, a->shape->limit), *unit = alarm_text(a, a->shape->unit), *words;
	const char *u = json_string_value(unit), *v = json_string_value(value), *l = json_string_value(limit);

	if (kind && kind->unit)
		u = kind->unit;
	else if (word_ours(units, u))
		u = word_ours(units, u);
	u = u ? u : "";
	words = json_sprintf("%s%s%s%s%s%s%s%s", kind ? kind->text : "设备告警 ", kind ? "" : code,
			     v ? " " : "", v ? v : "", v ? u : "", v && l ? "，限值" : "",
			     v && l ? l : "", v && l ? u : "");
	json_decref(value);
	json_decref(limit);
	json_decref(unit);
	return words;
}

static json_t *alarm_place(const struct alarm *a)
{
	const json_t *lat = alarm_get(a, a->shape->lat), *lon = alarm_get(a, a->shape->lon);
	json_t *place = json_object();

	put(place, "address", alarm_text(a, a->shape->address));
	put(place, "grid", alarm_text(a, a->shape->grid));
	if (json_is_number(lat) && json_is_number(lon)) {
		put(place, "lat", json_real(json_number_value(lat)));
		put(place, "lon", json_real(json_number_value(lon)));
		put(place, "crs", json_incref(json_array_get(a->opts, OPTION_CRS)));
	}
	if (json_object_size(place))
		return place;
	json_decref(place);
	return NULL;
}

static const char *alarm_urgency(const struct alarm *a, const struct alarm_kind *kind)
{
	json_t *severity = alarm_text(a, a->shape->severity);
	const char *urgency = word_ours(urgencies, json_string_value(severity));

	json_decref(severity);
	return urgency || !kind ? urgency : kind->urgency;
}

static void put_extra(json_t *report, json_t *in, const char *const *known)
{
	const char *name;
	json_t *value;

	json_object_foreach(in, name, value) {
		json_t *ours;

		if (is_one_of(known, name))
			continue;
		ours = json_sprintf("%s%s", is_one_of(reserved, name) ? "x_" : "", name);
		json_object_set(report, json_string_value(ours), value);
		json_decref(ours);
	}
}

enum state { STATE_ALARM, STATE_CLEAR, STATE_ALIVE, STATE_VALUE };
static const char *const state_names[] = {"alarm", "clear", "alive", "value"};

static enum state alarm_state(const struct alarm *a, const char *code)
{
	json_t *state = alarm_text(a, a->shape->state);
	bool over = is_one_of(calm, json_string_value(state)) || is_one_of(calm, code) ||
		    json_is_true(json_object_get(a->own, "cleared"));

	json_decref(state);
	return a->shape->figure ? STATE_VALUE : is_one_of(alive, code) ? STATE_ALIVE : over ? STATE_CLEAR : STATE_ALARM;
}

/* "井盖倾斜，已恢复", "水位 0.12米", "设备正常", "心跳". */
static json_t *alarm_text_of(const struct alarm *a, const struct alarm_kind *kind, const char *code, enum state state)
{
	if (state == STATE_ALARM)
		return alarm_words(a, kind, code);
	if (state == STATE_VALUE)
		return alarm_words(a, &(struct alarm_kind){.text = a->shape->figure_text}, code);
	if (state == STATE_ALIVE || is_one_of(calm, code))
		return json_string(state == STATE_ALIVE ? "心跳" : "设备正常");
	return json_sprintf("%s%s，已恢复", kind ? kind->text : "设备告警 ", kind ? "" : code);
}

/* A code that says "all is well" names no alarm that is over, but all of them. */
static json_t *alarm_reading(const struct alarm *a, const struct alarm_kind *kind, const char *code, enum state state)
{
	const json_t *value = alarm_get(a, kind && kind->member ? kind->member : a->shape->value);
	json_t *reading = json_object();

	put_text(reading, "state", state_names[state]);
	if (state != STATE_ALIVE && !is_one_of(calm, code))
		put_text(reading, "alarm", code);
	if (json_is_number(value))
		json_object_set_new(reading, "value", json_real(json_number_value(value)));
	return reading;
}

static json_t *alarm_report(const struct alarm *a, json_t *id, const char *code, enum state state)
{
	const struct alarm_kind *kind = kind_of(code);
	size_t option = (size_t)(kind ? kind->category : state == STATE_ALARM ? OPTION_OTHER : a->shape->category);
	json_t *report = json_object(), *category = json_array_get(a->opts, option);

	json_object_set(report, "id", id);
	put_text(report, "kind", "report");
	put(report, "text", alarm_text_of(a, kind, code, state));
	if (json_string_length(category))
		json_object_set(report, "category", category);
	put_text(report, "urgency", alarm_urgency(a, kind));
	put(report, "device", alarm_device(a));
	put(report, "reading", alarm_reading(a, kind, code, state));
	put(report, "place", alarm_place(a));
	put_extra(report, a->around, a->shape->known);
	put_extra(report, a->own, a->shape->known);
	return report;
}

/* NULL: it cannot be told from the next one, so it makes nothing; of an alarm that is a mistake. */
static json_t *reading_id(const struct alarm *a, const char *device, const char *time, const char *code, enum state state)
{
	json_t *id = alarm_id(a, device, time, code), *clear;

	if (state == STATE_ALIVE && !id)
		return json_sprintf("%s:%s", device, code);
	if (state != STATE_CLEAR || !id)
		return id;
	clear = json_sprintf("%s:clear", json_string_value(id));
	json_decref(id);
	return clear;
}

/* Appends the report. Returns what is wrong, or NULL. */
static const char *alarm_decode(const struct alarm *a, json_t *reports)
{
	json_t *code = a->shape->figure ? json_string(a->shape->figure_code) : alarm_text(a, a->shape->code);
	json_t *time = time_text(alarm_get(a, a->shape->time)), *device = alarm_device(a), *id = NULL, *report;
	const char *c = json_string_value(code), *wrong = NULL;
	enum state state = c ? alarm_state(a, c) : STATE_ALARM;

	if (!c)
		wrong = "an alarm has no type";
	else if (!device)
		wrong = "an alarm names no device";
	else
		id = reading_id(a, json_string_value(device), json_string_value(time), c, state);
	if (!id && !wrong && state == STATE_ALARM)
		wrong = "an alarm has neither an id nor a time";
	if (id) {
		report = alarm_report(a, id, c, state);
		if (time)
			json_object_set(report, "time", time);
		json_array_append_new(reports, report);
	}
	json_decref(code);
	json_decref(device);
	json_decref(time);
	json_decref(id);
	return wrong;
}

/* ---- the message ----------------------------------------------------------------------------- */

/* The contract's own form may hold members under these names: they are its sender's, and not the report. */
static bool is_contract(const json_t *in)
{
	return json_integer_value(json_object_get(in, "v")) == 1 && json_object_get(in, "id");
}

static const struct shape *shape_of(const json_t *in)
{
	for (size_t i = 0; !is_contract(in) && i < sizeof(shapes) / sizeof(*shapes); i++) {
		size_t k = 0;

		while (k < 3 && shapes[i].marks[k] && json_object_get(in, shapes[i].marks[k]))
			k++;
		if (k == 3 || !shapes[i].marks[k])
			return &shapes[i];
	}
	return NULL;
}

static const char *item_decode(const json_t *opts, json_t *in, json_t *reports)
{
	const struct shape *shape = shape_of(in);
	struct alarm a = {.shape = shape, .opts = opts, .own = in};
	const char *wrong = NULL;
	json_t *list;

	if (!shape)
		return "an item of the list is no alarm";
	if (!shape->list)
		return alarm_decode(&a, reports);
	list = json_object_get(in, shape->list);
	if (!json_is_array(list))
		return "the list of alarms is no list";
	a.around = in;
	for (size_t i = 0; i < json_array_size(list) && !wrong; i++) {
		a.own = json_array_get(list, i);
		wrong = alarm_decode(&a, reports);
	}
	return wrong;
}

static enum needle_verdict device_decode(void *self, const struct needle_message *m,
					 const struct needle_output *out, char *why, size_t why_size)
{
	json_t *in = json_loadb(m->text, m->text_len, 0, NULL), *reports = json_array();
	bool mine = shape_of(in) || shape_of(json_array_get(in, 0));
	const char *wrong = NULL;
	const json_t *report;
	size_t i;

	if (mine && !json_is_array(in))
		wrong = item_decode(self, in, reports);
	for (i = 0; mine && i < json_array_size(in) && !wrong; i++)
		wrong = item_decode(self, json_array_get(in, i), reports);
	if (wrong)
		snprintf(why, why_size, "%s", wrong);
	json_array_foreach(reports, i, report) {
		char *text = json_dumps(report, JSON_COMPACT | JSON_REAL_PRECISION(15));

		if (text && !wrong)
			out->emit(out->context, text, strlen(text));
		free(text);
	}
	json_decref(reports);
	json_decref(in);
	return !mine ? NEEDLE_NOT_MINE : wrong ? NEEDLE_BAD : NEEDLE_DONE;
}

static int device_open(const struct needle_value *values, void **self, char *why, size_t why_size)
{
	json_t *opts = json_array();

	for (size_t i = 0; options[i].name; i++)
		if (json_array_append_new(opts, json_string(values[i].text)) != 0)
			break;
	if (json_array_size(opts) != sizeof(options) / sizeof(*options) - 1) {
		snprintf(why, why_size, "the options cannot be kept");
		json_decref(opts);
		return -1;
	}
	*self = opts;
	return 0;
}

static void device_close(void *self)
{
	json_decref(self);
}

const struct needle_plugin needle_plugin = {
	.abi = NEEDLE_PLUGIN_ABI,
	.struct_size = sizeof(struct needle_plugin),
	.name = "device",
	.version = "1",
	.help = "Alarms of manhole cover monitors (imei, alarmType), water-level loggers (sn, alarms: several in one "
		"message) and gateways in ThingsBoard's form (originator, severity, type); one or a list. What is "
		"over, a figure and a sign of life go on as readings: the section devices: says what becomes of them.",
	.options = options,
	.open = device_open,
	.decode = device_decode,
	.close = device_close,
};
