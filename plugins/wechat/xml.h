#pragma once
/*
 * The XML of callbacks: one element with small ones in it, sometimes a second level. It becomes names and
 * texts; there is no document type, no entity but the five, no deep nesting, no great length. What is bigger
 * or cleverer than WeChat's is refused.
 */
#include <stddef.h>

#include "base/str.h"

struct err;

enum { XML_BYTES = 128 * 1024, XML_DEPTH = 4, XML_FIELDS = 64, XML_TEXT = 32 * 1024 };

struct xml_field {
	const char *name;               /* "MsgType"; one level down "SendLocationInfo.Label" */
	const char *text;
};
struct xml {
	struct xml_field fields[XML_FIELDS];
	size_t n;
	struct arena *arena;
};

/* ERR_BAD with code xml, doctype, too-deep, too-large or bad-utf8. Texts live in the arena. */
int xml_read(const char *text, size_t len, struct arena *a, struct xml *ret, struct err *e);
/* NULL when there is none, or nothing but blanks in it. */
const char *xml_get(const struct xml *xml, const char *name);
/* Adds text as it may stand in <![CDATA[…]]>. */
void xml_cdata(struct str *out, const char *text);
