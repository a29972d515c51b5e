#pragma once
/*
 * What a callback says, of an Official Account and of a WeCom app alike. Pure: XML in, a message out.
 * Texts live in the XML's arena.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct xml;

enum heard_kind {
	HEARD_WORDS,            /* something a person says: text, voice that was understood, link, position, menu key */
	HEARD_MEDIA,            /* a file that has to be fetched first; may have words */
	HEARD_HELLO,            /* subscribed, or opened the chat */
	HEARD_KF,               /* customer service has messages: fetch them */
	HEARD_SENT,             /* what became of a template message that was sent */
	HEARD_NOTHING,          /* everything else: answered, and that is all */
};
struct heard {
	enum heard_kind kind;
	const char *id;                 /* unique within the account: MsgId, or of sender, time and event */
	const char *from, *to;          /* NULL only for HEARD_KF and HEARD_NOTHING */
	int64_t at;                     /* microseconds */
	const char *text, *address;     /* or NULL */
	double lat, lon;
	bool has_position;
	const char *type;               /* image, voice, video … as WeChat calls it */
	const char *media_id, *url;     /* or NULL */
	const char *token, *kf;         /* of HEARD_KF */
	const char *sent_id, *status;   /* of HEARD_SENT */
};

/* `now`: for what has no time. ERR_BAD with code no-sender or no-type. */
int callback_read(const struct xml *xml, int64_t now, struct heard *ret, struct err *e);
/* What a message without words is called: [图片]. Never NULL. */
const char *callback_name(const char *type);
