/*
 * Expat is told that the text is UTF-8 whatever it declares, so that a document cannot choose another way to
 * be read; a wrong byte ends it. A document type ends it at once, before any entity could be defined.
 */
#include "xml.h"

#include <expat.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

struct reading {
	XML_Parser parser;
	struct xml *xml;
	struct str text;
	char path[XML_DEPTH][64];
	int depth;
	const char *code;               /* why it was ended, or NULL */
};

static void end_with(struct reading *r, const char *code)
{
	if (!r->code)
		r->code = code;
	XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL on_doctype(void *arg, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	end_with(arg, "doctype");
}

static void XMLCALL on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct reading *r = arg;

	(void)attributes;
	if (r->depth == XML_DEPTH || strlen(name) >= sizeof(r->path[0])) {
		end_with(r, "too-deep");
		return;
	}
	snprintf(r->path[r->depth++], sizeof(r->path[0]), "%s", name);
	str_reset(&r->text);
}

static void XMLCALL on_text(void *arg, const XML_Char *text, int n)
{
	struct reading *r = arg;

	if (r->text.len + (size_t)n > XML_TEXT)
		end_with(r, "too-large");
	else
		str_addn(&r->text, text, (size_t)n);
}

/* The first of a name counts: <Ticket> twice is somebody's trick. */
static void XMLCALL on_end(void *arg, const XML_Char *name)
{
	struct reading *r = arg;
	struct xml *xml = r->xml;
	const char *key;

	(void)name;
	r->depth--;
	if (r->depth < 1 || r->code)
		return;
	key = r->depth == 1 ? arena_strdup(xml->arena, r->path[1])
			    : arena_printf(xml->arena, "%s.%s", r->path[r->depth - 1], r->path[r->depth]);
	if (xml->n == XML_FIELDS)
		end_with(r, "too-large");
	else if (!xml_get(xml, key))
		xml->fields[xml->n++] = (struct xml_field){key, arena_strndup(xml->arena, r->text.s ? r->text.s : "", r->text.len)};
	str_reset(&r->text);
}

static int failed(const struct reading *r, struct err *e)
{
	enum XML_Error code = XML_GetErrorCode(r->parser);

	if (r->code)
		return err_code(e, ERR_BAD, r->code, "the XML was refused: %s", r->code);
	if (code == XML_ERROR_INVALID_TOKEN || code == XML_ERROR_PARTIAL_CHAR)
		return err_code(e, ERR_BAD, "xml", "the XML has a wrong character in line %lu",
				(unsigned long)XML_GetCurrentLineNumber(r->parser));
	return err_code(e, ERR_BAD, "xml", "the XML is broken in line %lu", (unsigned long)XML_GetCurrentLineNumber(r->parser));
}

int xml_read(const char *text, size_t len, struct arena *a, struct xml *ret, struct err *e)
{
	struct reading r = {.xml = ret};
	int done;

	ret->n = 0;
	ret->arena = a;
	if (len > XML_BYTES)
		return err_code(e, ERR_BAD, "too-large", "the XML has %zu bytes, at most %d are read", len, XML_BYTES);
	if (!str_is_utf8(text, len))
		return err_code(e, ERR_BAD, "bad-utf8", "the XML is no UTF-8");
	r.parser = XML_ParserCreate("UTF-8");
	if (!r.parser)
		mem_die("expat");
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	done = XML_Parse(r.parser, text, (int)len, 1) == XML_STATUS_OK && !r.code ? 0 : failed(&r, e);
	XML_ParserFree(r.parser);
	str_done(&r.text);
	return done;
}

const char *xml_get(const struct xml *xml, const char *name)
{
	for (size_t i = 0; i < xml->n; i++)
		if (strcmp(xml->fields[i].name, name) == 0)
			return xml->fields[i].text[strspn(xml->fields[i].text, " \t\r\n")] ? xml->fields[i].text : NULL;
	return NULL;
}

void xml_cdata(struct str *out, const char *text)
{
	const char *end;

	str_add(out, "<![CDATA[");
	while ((end = strstr(text, "]]>"))) {
		str_addn(out, text, (size_t)(end - text) + 2);
		str_add(out, "]]><![CDATA[");
		text = end + 2;
	}
	str_add(out, text);
	str_add(out, "]]>");
}
