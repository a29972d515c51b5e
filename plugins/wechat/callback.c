#include "callback.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/vec.h"
#include "xml.h"

enum { ID_MAX = 80 };
#define SECOND_US INT64_C(1000000)

const char *callback_name(const char *type)
{
	static const struct {
		const char *type, *name;
	} names[] = {{"image", "[图片]"}, {"voice", "[语音]"}, {"video", "[视频]"}, {"shortvideo", "[视频]"}, {"file", "[文件]"},
		     {"location", "[位置]"}, {"link", "[链接]"}};

	for (size_t i = 0; type && i < ARRAY_LEN(names); i++)
		if (strcmp(names[i].type, type) == 0)
			return names[i].name;
	return "[消息]";
}

/* Digits and a point, within the bounds of the earth. */
static bool degrees(const char *text, double bound, double *ret)
{
	char *end;
	double v;

	if (!text || !*text || strspn(text, "-0123456789.") != strlen(text))
		return false;
	v = strtod(text, &end);
	if (*end || v < -bound || v > bound)
		return false;
	*ret = v;
	return true;
}

static void read_text(const struct xml *xml, struct heard *h)
{
	h->text = xml_get(xml, "Content");
	h->kind = h->text ? HEARD_WORDS : HEARD_NOTHING;
}

static void read_location(const struct xml *xml, struct heard *h)
{
	h->has_position = degrees(xml_get(xml, "Location_X"), 90, &h->lat) && degrees(xml_get(xml, "Location_Y"), 180, &h->lon);
	h->address = xml_get(xml, "Label");
	h->kind = h->has_position || h->address ? HEARD_WORDS : HEARD_NOTHING;
}

static void read_link(const struct xml *xml, struct heard *h)
{
	const char *title = xml_get(xml, "Title"), *about = xml_get(xml, "Description"), *url = xml_get(xml, "Url");

	h->text = arena_printf(xml->arena, "[链接] %s%s%s%s%s", title ? title : "", about ? "\n" : "", about ? about : "",
			       url ? "\n" : "", url ? url : "");
	h->kind = HEARD_WORDS;
}

/* A voice message that WeChat has understood needs no ear; the sound is fetched all the same. */
static void read_media(const struct xml *xml, struct heard *h)
{
	h->text = xml_get(xml, "Recognition");
	h->media_id = xml_get(xml, "MediaId");
	h->url = xml_get(xml, "PicUrl");
	h->kind = h->media_id || h->url ? HEARD_MEDIA : h->text ? HEARD_WORDS : HEARD_NOTHING;
}

static void read_event(const struct xml *xml, struct heard *h)
{
	const char *event = xml_get(xml, "Event");

	if (!event)
		return;
	if (strcasecmp(event, "subscribe") == 0 || strcasecmp(event, "enter_agent") == 0) {
		h->kind = HEARD_HELLO;
	} else if (strcasecmp(event, "click") == 0 && xml_get(xml, "EventKey")) {
		h->text = xml_get(xml, "EventKey");
		h->kind = HEARD_WORDS;
	} else if (strcasecmp(event, "location_select") == 0) {
		h->has_position = degrees(xml_get(xml, "SendLocationInfo.Location_X"), 90, &h->lat) &&
				  degrees(xml_get(xml, "SendLocationInfo.Location_Y"), 180, &h->lon);
		h->address = xml_get(xml, "SendLocationInfo.Label");
		h->kind = h->has_position || h->address ? HEARD_WORDS : HEARD_NOTHING;
	} else if (strcasecmp(event, "kf_msg_or_event") == 0 && xml_get(xml, "OpenKfId")) {
		h->token = xml_get(xml, "Token");
		h->kf = xml_get(xml, "OpenKfId");
		h->kind = HEARD_KF;
	} else if (strcasecmp(event, "TEMPLATESENDJOBFINISH") == 0) {
		h->sent_id = xml_get(xml, "MsgID");
		h->status = xml_get(xml, "Status");
		h->kind = h->sent_id && h->status ? HEARD_SENT : HEARD_NOTHING;
	}
}

static const struct {
	const char *type;
	void (*read)(const struct xml *xml, struct heard *h);
} readers[] = {
	{"text", read_text}, {"location", read_location}, {"link", read_link}, {"image", read_media}, {"voice", read_media},
	{"video", read_media}, {"shortvideo", read_media}, {"file", read_media}, {"event", read_event},
};

static bool is_plain(const char *id)
{
	return id && strlen(id) <= ID_MAX && id[strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-@.")] == '\0';
}

int callback_read(const struct xml *xml, int64_t now, struct heard *ret, struct err *e)
{
	const char *type = xml_get(xml, "MsgType"), *id = xml_get(xml, "MsgId"), *time = xml_get(xml, "CreateTime");
	int64_t seconds;

	*ret = (struct heard){.kind = HEARD_NOTHING, .at = now, .from = xml_get(xml, "FromUserName"),
			      .to = xml_get(xml, "ToUserName"), .type = type};
	if (!type)
		return err_code(e, ERR_BAD, "no-type", "the callback has no MsgType");
	if (time && str_to_int(time, 1, INT32_MAX * INT64_C(4), &seconds))
		ret->at = seconds * SECOND_US;
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		if (strcmp(readers[i].type, type) == 0)
			readers[i].read(xml, ret);
	if (ret->kind == HEARD_NOTHING || ret->kind == HEARD_KF)
		return 0;
	if (!is_plain(ret->from))
		return err_code(e, ERR_BAD, "no-sender", "the callback has no sender that could be answered");
	ret->id = is_plain(id) ? id : arena_printf(xml->arena, "%s-%s-%s", ret->from, time ? time : "0",
						   xml_get(xml, "Event") ? xml_get(xml, "Event") : type);
	return 0;
}
