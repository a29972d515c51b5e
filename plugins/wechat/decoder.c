/*
 * WeChat and WeCom. Two shapes come here: the order of WeCom's residents' reports (居民上报, as
 * get_order_info and get_order_list give it), and what a bridge has heard in a chat, in the shape that
 * all bridges share (README.md).
 *
 * In a group most talk asks for nothing. It is passed on as `talk`, which feeds hot words and makes no
 * case, and without a word about who said it; only a text that is addressed to the office (@ its bot,
 * or one of the words that people were told to begin with) is a report. In a single chat with the
 * office everything is addressed to it.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "needle_plugin.h"

enum { OPTION_WORDS, OPTION_BOT, OPTION_URGENT };
static const struct needle_option options[] = {
	[OPTION_WORDS] = {"report_words", NEEDLE_OPTION_TEXT, "上报,报修,反映",
			  "A group text that begins with one of these words is a report."},
	[OPTION_BOT] = {"bot", NEEDLE_OPTION_TEXT, "一针通,机器人",
			"Names of the office's bot: a group text that begins with @ and one of them is a report."},
	[OPTION_URGENT] = {"urgent_from", NEEDLE_OPTION_INTEGER, "2",
			   "The lowest number of a WeCom order's urge_type that means urgent."},
	{NULL, NEEDLE_OPTION_TEXT, NULL, NULL},
};

/* What a chat message without words is called, so that a case has a title. */
struct kind_name {
	const char *type, *name;
};
static const struct kind_name kind_names[] = {
	{"image", "图片"}, {"voice", "语音"}, {"video", "视频"}, {"file", "文件"}, {"location", "位置"},
	{"mixed", "图文"}, {NULL, NULL},
};
/* The contract's own members: another meaning under such a name must not be taken for it. */
static const char *const reserved[] = {"v", "id", "kind", "time", "text", "category", "urgency", "reporter",
				       "place", "accused", "media", "about", "case", "score", "comment",
				       "reply", "ok", "device", NULL};
static const char *const order_known[] = {"order_id", "desc", "urge_type", "case_name", "grid_id",
					  "reporter_name", "reporter_mobile", "unionid", "image_urls",
					  "create_time", "location", NULL};
static const char *const chat_known[] = {"msgid", "chat", "from", "ts", "type", "text", "media", "location",
					 "reply_to", "mentioned", NULL};

/* ---- small parts ------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text && *text ? text : NULL;
}

static bool is_one_of(const char *const *names, const char *text)
{
	while (*names && strcmp(*names, text) != 0)
		names++;
	return *names;
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

/* The object as a member, unless it is empty. */
static void put_object(json_t *object, const char *name, json_t *value)
{
	if (json_object_size(value))
		json_object_set_new(object, name, value);
	else
		json_decref(value);
}

/* An id that platforms give as text or as a number. */
static json_t *id_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (json_is_integer(value))
		return json_sprintf("%lld", (long long)json_integer_value(value));
	return text_of(object, name) ? json_string(text_of(object, name)) : NULL;
}

/* Seconds or milliseconds since 1970 as RFC 3339 in China's time; text as it is. */
static json_t *time_of(const json_t *value)
{
	char text[40];
	struct tm tm;
	json_int_t seconds = json_integer_value(value);
	time_t local;

	if (json_string_length(value))
		return json_string(json_string_value(value));
	if (!json_is_integer(value))
		return NULL;
	if (seconds > 99999999999)
		seconds /= 1000;
	if (seconds <= 0 || seconds > 99999999999)
		return NULL;
	local = (time_t)seconds + 8 * 3600;
	if (!gmtime_r(&local, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S+08:00", &tm))
		return NULL;
	return json_string(text);
}

/* WeChat's positions are GCJ-02. The address first, then the name of the spot where it says more. */
static void put_location(json_t *place, const json_t *location)
{
	const char *name = text_of(location, "name"), *address = text_of(location, "address");
	const json_t *lat = json_object_get(location, "latitude"), *lon = json_object_get(location, "longitude");

	if (name && address && !strstr(address, name))
		put(place, "address", json_sprintf("%s%s", address, name));
	else
		put_text(place, "address", address ? address : name);
	if (json_is_number(lat) && json_is_number(lon)) {
		put(place, "lat", json_real(json_number_value(lat)));
		put(place, "lon", json_real(json_number_value(lon)));
		put_text(place, "crs", "gcj02");
	}
}

static void put_media(json_t *report, json_t *media)
{
	if (json_array_size(media))
		json_object_set_new(report, "media", media);
	else
		json_decref(media);
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

/* ---- WeCom's order ------------------------------------------------------------------------------- */

/* Only a code of the state's grid numbering goes where grids are looked up; WeCom's own ids stay beside it. */
static bool is_grid_code(const char *id)
{
	size_t len = id ? strlen(id) : 0;

	return (len == 9 || len == 12 || len == 15) && strspn(id, "0123456789") == len;
}

static json_t *order_reporter(const json_t *order)
{
	json_t *reporter = json_object();

	put_text(reporter, "name", text_of(order, "reporter_name"));
	put_text(reporter, "phone", text_of(order, "reporter_mobile"));
	put_text(reporter, "ref", text_of(order, "unionid"));
	return reporter;
}

static json_t *order_urgency(const json_t *opts, const json_t *order)
{
	const json_t *type = json_object_get(order, "urge_type");

	if (json_is_integer(type))
		return json_string(json_integer_value(type) >=
				   json_integer_value(json_array_get(opts, OPTION_URGENT)) ? "urgent" : "normal");
	return text_of(order, "urge_type") ? json_string(text_of(order, "urge_type")) : NULL;
}

static json_t *order_media(const json_t *order)
{
	json_t *media = json_array();
	const json_t *url;
	size_t i;

	json_array_foreach(json_object_get(order, "image_urls"), i, url)
		if (json_string_length(url))
			json_array_append_new(media, json_pack("{ss}", "url", json_string_value(url)));
	return media;
}

static const char *order_report(const json_t *opts, json_t *order, json_t *reports)
{
	json_t *report = json_object(), *place = json_object(), *id = id_of(order, "order_id");
	const char *grid = text_of(order, "grid_id");

	if (!id) {
		json_decref(report);
		json_decref(place);
		return "order_id is no id";
	}
	put(report, "reply_to", json_pack("{ss, sO, ss*}", "channel", "wecom", "order_id", id, "unionid",
					  text_of(order, "unionid")));
	put(report, "id", id);
	put_text(report, "kind", "report");
	put_text(report, "text", text_of(order, "desc"));
	put_text(report, "category", text_of(order, "case_name"));
	put(report, "urgency", order_urgency(opts, order));
	put(report, "time", time_of(json_object_get(order, "create_time")));
	put_object(report, "reporter", order_reporter(order));
	put_location(place, json_object_get(order, "location"));
	put_text(place, "grid", is_grid_code(grid) ? grid : NULL);
	put_object(report, "place", place);
	put_media(report, order_media(order));
	put_extra(report, order, order_known);
	if (grid && !is_grid_code(grid))
		put_text(report, "grid_id", grid);
	json_array_append_new(reports, report);
	return NULL;
}

/* ---- what a bridge heard ------------------------------------------------------------------------- */

/* Length of the first word of the comma separated list that text begins with, 0: none. */
static size_t begins_with(const char *text, const char *list)
{
	for (const char *p = list; *p;) {
		size_t len = strcspn(p, ",");

		if (len && strncmp(text, p, len) == 0)
			return len;
		p += len + (p[len] == ',');
	}
	return 0;
}

/* What follows a name: blanks, WeChat's narrow space (U+2005), ideographic space, commas, colons. */
static const char *skip_gap(const char *p)
{
	static const char *const gaps[] = {" ", "\t", "\n", ",", ":", "\u2005", "\u00a0", "\u3000", "，", "：",
					   NULL};

	for (size_t i = 0; gaps[i];) {
		size_t len = strlen(gaps[i]);

		if (strncmp(p, gaps[i], len) == 0) {
			p += len;
			i = 0;
		} else {
			i++;
		}
	}
	return p;
}

/* Is this group message for the office? Then *text is moved behind the bot's name. */
static bool is_addressed(const json_t *opts, const json_t *chat_message, const char **text)
{
	const char *p = *text ? skip_gap(*text) : "";
	size_t len = *p == '@' ? begins_with(p + 1, json_string_value(json_array_get(opts, OPTION_BOT))) : 0;

	if (len) {
		*text = skip_gap(p + 1 + len);
		return true;
	}
	return json_is_true(json_object_get(chat_message, "mentioned")) ||
	       begins_with(p, json_string_value(json_array_get(opts, OPTION_WORDS)));
}

static json_t *chat_media(const json_t *in)
{
	json_t *media = json_array();
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(in, "media"), i, item) {
		const char *url = text_of(item, "url") ? text_of(item, "url") : text_of(item, "path");

		if (url)
			json_array_append_new(media, json_pack("{ss, ss*, ss*}", "url", url, "type",
							       text_of(item, "mime"), "sha256",
							       text_of(item, "sha256")));
	}
	return media;
}

/* Everything that the bridge needs to bring an answer back to where the words came from. */
static json_t *chat_reply_to(const json_t *in)
{
	json_t *given = json_object_get(in, "reply_to");
	json_t *reply_to = json_is_object(given) ? json_copy(given) : json_object();

	if (json_is_object(json_object_get(in, "chat")))
		json_object_set(reply_to, "chat", json_object_get(in, "chat"));
	put(reply_to, "to", id_of(json_object_get(in, "from"), "id"));
	put(reply_to, "msgid", id_of(in, "msgid"));
	return reply_to;
}

/* A message without words still needs something to read: "[位置] 幸福里小区". */
static json_t *chat_words(const char *type, const char *text, const json_t *location)
{
	const char *spot = text_of(location, "name") ? text_of(location, "name") : text_of(location, "address");
	const struct kind_name *k = kind_names;

	if (text && *text)
		return json_string(text);
	while (k->type && strcmp(k->type, type) != 0)
		k++;
	if (!k->type)
		return NULL;
	return json_sprintf("[%s]%s%s", k->name, spot ? " " : "", spot ? spot : "");
}

static json_t *chat_reporter(const json_t *from)
{
	json_t *reporter = json_object();

	put_text(reporter, "name", text_of(from, "name"));
	put_text(reporter, "phone", text_of(from, "mobile"));
	put(reporter, "ref", id_of(from, "id"));
	return reporter;
}

static json_t *chat_talk(json_t *in, const char *text)
{
	json_t *talk = json_object();

	put_text(talk, "kind", "talk");
	put_text(talk, "text", text);
	put(talk, "chat", id_of(json_object_get(in, "chat"), "id"));
	return talk;
}

static json_t *chat_report(json_t *in, const char *type, const char *text)
{
	json_t *words = chat_words(type, text, json_object_get(in, "location"));
	json_t *report, *place = json_object();

	if (!words) {
		json_decref(place);
		return NULL;
	}
	report = json_object();
	put_text(report, "kind", "report");
	put(report, "text", words);
	put_object(report, "reporter", chat_reporter(json_object_get(in, "from")));
	put_location(place, json_object_get(in, "location"));
	put_object(report, "place", place);
	put_media(report, chat_media(in));
	put_object(report, "reply_to", chat_reply_to(in));
	put_extra(report, in, chat_known);
	return report;
}

static const char *chat_message(const json_t *opts, json_t *in, json_t *reports)
{
	const char *chat = text_of(json_object_get(in, "chat"), "type"), *text = text_of(in, "text");
	const char *type = text_of(in, "type");
	json_t *id, *report = NULL;

	if (!chat)
		return "chat.type is missing";
	id = id_of(in, "msgid");
	if (!id)
		return "msgid is no id";
	if (!type)
		type = "text";
	if (strcmp(chat, "group") != 0 || is_addressed(opts, in, &text))
		report = chat_report(in, type, text);
	else if (text)
		report = chat_talk(in, text);
	if (report) {
		json_object_set(report, "id", id);
		put(report, "time", time_of(json_object_get(in, "ts")));
		json_array_append_new(reports, report);
	}
	json_decref(id);
	return NULL;
}

/* ---- the message ----------------------------------------------------------------------------- */

struct shape {
	const char *marks[2];           /* both must be there */
	const char *(*report)(const json_t *opts, json_t *in, json_t *reports);
};
static const struct shape shapes[] = {
	{{"order_id", "order_id"}, order_report},
	{{"msgid", "chat"}, chat_message},
};

/* The contract's own form may hold members under these names: they are its sender's, and not the report. */
static bool is_contract(const json_t *in)
{
	return json_integer_value(json_object_get(in, "v")) == 1 && json_object_get(in, "id");
}

static const struct shape *shape_of(const json_t *in)
{
	for (size_t i = 0; !is_contract(in) && i < sizeof(shapes) / sizeof(*shapes); i++)
		if (json_object_get(in, shapes[i].marks[0]) && json_object_get(in, shapes[i].marks[1]))
			return &shapes[i];
	return NULL;
}

/* The answers of WeCom's interface wrap the order: {"errcode":0,"order_info":{…}} or a list. Borrowed. */
static json_t *orders_of(json_t *root)
{
	json_t *one = json_object_get(root, "order_info"), *list = json_object_get(root, "order_list");

	if (is_contract(root))
		return root;
	return shape_of(one) ? one : shape_of(json_array_get(list, 0)) ? list : root;
}

static enum needle_verdict one_decode(const json_t *opts, json_t *in, json_t *reports, char *why,
				      size_t why_size)
{
	const struct shape *shape = shape_of(in);
	const char *wrong;

	if (!shape && !json_array_size(reports))
		return NEEDLE_NOT_MINE;
	wrong = shape ? shape->report(opts, in, reports) : "an item of the list is no order";
	if (wrong)
		snprintf(why, why_size, "%s", wrong);
	return wrong ? NEEDLE_BAD : NEEDLE_DONE;
}

static enum needle_verdict wechat_decode(void *self, const struct needle_message *m,
					 const struct needle_output *out, char *why, size_t why_size)
{
	json_t *root = json_loadb(m->text, m->text_len, 0, NULL), *in = orders_of(root);
	json_t *reports = json_array();
	enum needle_verdict verdict = NEEDLE_DONE;
	const json_t *report;
	size_t i;

	if (!json_array_size(in))
		verdict = one_decode(self, in, reports, why, why_size);
	for (i = 0; i < json_array_size(in) && verdict == NEEDLE_DONE; i++)
		verdict = one_decode(self, json_array_get(in, i), reports, why, why_size);
	json_array_foreach(reports, i, report) {
		char *text = json_dumps(report, JSON_COMPACT | JSON_REAL_PRECISION(15));

		if (text && verdict == NEEDLE_DONE)
			out->emit(out->context, text, strlen(text));
		free(text);
	}
	json_decref(reports);
	json_decref(root);
	return verdict;
}

static int wechat_open(const struct needle_value *values, void **self, char *why, size_t why_size)
{
	*self = json_pack("[s, s, I]", values[OPTION_WORDS].text, values[OPTION_BOT].text,
			  (json_int_t)values[OPTION_URGENT].integer);
	if (!*self)
		snprintf(why, why_size, "the options cannot be kept");
	return *self ? 0 : -1;
}

static void wechat_close(void *self)
{
	json_decref(self);
}

const struct needle_plugin needle_plugin = {
	.abi = NEEDLE_PLUGIN_ABI,
	.struct_size = sizeof(struct needle_plugin),
	.name = "wechat",
	.version = "1",
	.help = "WeCom residents' reports (order_id, desc, case_name; one, or order_info, or order_list) and chat "
		"messages in the bridges' shape (msgid, chat, from, text); group talk that is not addressed to the "
		"office is kind talk.",
	.options = options,
	.open = wechat_open,
	.decode = wechat_decode,
	.close = wechat_close,
};
