/*
 * What goes over HTTP: JSON or XML in, templates out. XML becomes what the same thing would be in JSON:
 * an element with elements in it an object, one that comes again a list, else a text; attributes say
 * nothing in the forms that were met. Without a DTD there are no entities, and depth and number are
 * bounded, so that a small body cannot become a large tree.
 */
#include <ctype.h>
#include <errno.h>
#include <expat.h>
#include <iconv.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "bridge/client.h"
#include "core/understand/message.h"
#include "hotline.h"

enum { DEPTH = 32, NODES = 100000, TEXT_MAX = 1 << 20 };

/* ---- characters ---------------------------------------------------------------------------------- */

static void close_iconv(iconv_t *cd)
{
	if (*cd != (iconv_t)-1)
		iconv_close(*cd);
}

/* What it says of itself is often wrong; what it is can be seen. */
static int to_utf8(const char *text, size_t len, struct str *out, struct err *e)
{
	CLEANUP(close_iconv) iconv_t cd = (iconv_t)-1;
	union {
		const char *from;
		char *in;
	} at = {.from = text};
	char buf[4096];

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		at.from += 3;
		len -= 3;
	}
	if (str_is_utf8(at.from, len)) {
		str_addn(out, at.from, len);
		return 0;
	}
	cd = iconv_open("UTF-8", "GB18030");
	while (len && cd != (iconv_t)-1) {
		char *to = buf;
		size_t room = sizeof(buf), r = iconv(cd, &at.in, &len, &to, &room);

		if (r == (size_t)-1 && errno != E2BIG)
			return err_code(e, ERR_BAD, "encoding", "the text is neither UTF-8 nor GB18030");
		str_addn(out, buf, sizeof(buf) - room);
	}
	return out->s && str_is_utf8(out->s, out->len) ? 0 : err_code(e, ERR_BAD, "encoding", "the text holds a NUL byte");
}

/* ---- XML ----------------------------------------------------------------------------------------- */

struct xml {
	XML_Parser parser;
	json_t *stack[DEPTH];
	const char *why;
	int depth, nodes;
	struct str text;
};

static void give_up(struct xml *x, const char *why)
{
	if (!x->why)
		x->why = why;
	XML_StopParser(x->parser, XML_FALSE);
}

static void on_doctype(void *arg, const char *name, const char *system, const char *public, int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	give_up(arg, "it has a DOCTYPE");
}

static void on_start(void *arg, const char *name, const char **attributes)
{
	struct xml *x = arg;

	(void)name;
	(void)attributes;
	if (x->why)
		return;
	if (x->depth == DEPTH || ++x->nodes > NODES) {
		give_up(x, x->depth == DEPTH ? "nested too deep" : "too many elements");
		return;
	}
	x->stack[x->depth++] = NULL;
	str_reset(&x->text);
}

/* A name that comes again becomes a list. */
static void add(json_t *to, const char *name, json_t *value)
{
	json_t *there = json_object_get(to, name);

	if (!there) {
		json_object_set_new(to, name, value);
	} else if (json_is_array(there)) {
		json_array_append_new(there, value);
	} else {
		json_t *list = json_array();

		json_array_append(list, there);
		json_array_append_new(list, value);
		json_object_set_new(to, name, list);
	}
}

static const char *trimmed(struct str *t)
{
	char *s = t->s ? t->s : NULL;

	if (!s)
		return "";
	while (t->len && isspace((unsigned char)s[t->len - 1]))
		s[--t->len] = '\0';
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

static void on_end(void *arg, const char *name)
{
	struct xml *x = arg;
	json_t *value, **parent;
	const char *colon = strchr(name, ':');

	if (x->why || !x->depth)
		return;
	value = x->stack[--x->depth];
	x->stack[x->depth] = NULL;
	if (!value)
		value = json_string(trimmed(&x->text));
	str_reset(&x->text);
	if (!value) {
		give_up(x, "a text in it is none");
		return;
	}
	parent = x->depth ? &x->stack[x->depth - 1] : &x->stack[0];
	if (!x->depth) {
		*parent = value;
		return;
	}
	if (!*parent)
		*parent = json_object();
	add(*parent, colon ? colon + 1 : name, value);
}

static void on_text(void *arg, const char *text, int n)
{
	struct xml *x = arg;

	str_addn(&x->text, text, (size_t)n);
}

static int parse_xml(const char *text, size_t len, json_t **ret, struct err *e)
{
	struct xml x = {.parser = XML_ParserCreate("UTF-8"), .text = {.max = TEXT_MAX}};
	int r = 0;

	if (!x.parser)
		mem_die("expat");
	XML_SetUserData(x.parser, &x);
	XML_SetElementHandler(x.parser, on_start, on_end);
	XML_SetCharacterDataHandler(x.parser, on_text);
	XML_SetStartDoctypeDeclHandler(x.parser, on_doctype);
	if (XML_Parse(x.parser, text, (int)len, 1) != XML_STATUS_OK)
		r = x.why ? err_code(e, ERR_BAD, "xml", "the XML is not taken: %s", x.why)
			  : err_code(e, ERR_BAD, "xml", "the XML is broken");
	else if (x.text.cut)
		r = err_code(e, ERR_BAD, "xml", "a text in the XML is too long");
	XML_ParserFree(x.parser);
	str_done(&x.text);
	if (r == 0 && json_is_object(x.stack[0])) {
		*ret = x.stack[0];
		return 0;
	}
	for (int i = 0; i < DEPTH; i++)
		json_decref(x.stack[i]);
	return r < 0 ? r : err_code(e, ERR_BAD, "xml", "the XML holds nothing");
}

/* ---- both ---------------------------------------------------------------------------------------- */

static bool is_too_deep(const char *text, size_t len)
{
	int depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && (text[i] == '{' || text[i] == '['))
			depth++;
		else if (!quoted && (text[i] == '}' || text[i] == ']'))
			depth--;
		if (depth > DEPTH)
			return true;
	}
	return false;
}

int wire_parse(const char *text, size_t len, json_t **ret, struct err *e)
{
	CLEANUP(str_done) struct str utf8 = {.max = SIZE_MAX / 2};
	json_error_t why;
	size_t skip;
	int r = to_utf8(text, len, &utf8, e);

	if (r < 0)
		return r;
	skip = utf8.s ? strspn(utf8.s, " \t\r\n") : 0;
	if (utf8.len == skip)
		return err_code(e, ERR_BAD, "empty", "the body is empty");
	if (utf8.s[skip] == '<')
		return parse_xml(utf8.s + skip, utf8.len - skip, ret, e);
	if (is_too_deep(utf8.s, utf8.len))
		return err_code(e, ERR_BAD, "json", "the JSON is nested too deep");
	*ret = json_loadb(utf8.s, utf8.len, JSON_REJECT_DUPLICATES, &why);
	if (!*ret)
		return err_code(e, ERR_BAD, "json", "the JSON is broken at line %d column %d", why.line, why.column);
	return 0;
}

json_t *wire_rows(json_t *root, const char *pointer)
{
	json_t *found = pointer && *pointer ? pointer_get(root, pointer) : root, *list;

	if (json_is_array(found))
		return json_incref(found);
	list = json_array();
	if (json_is_object(found))
		json_array_append(list, found);
	return list;
}

/* ---- templates ----------------------------------------------------------------------------------- */

static void add_url(struct str *out, const char *s)
{
	for (; *s; s++) {
		if (isalnum((unsigned char)*s) || strchr("-_.~", *s))
			str_addc(out, *s);
		else
			str_addf(out, "%%%02X", (unsigned char)*s);
	}
}

static void add_xml(struct str *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '&')
			str_add(out, "&amp;");
		else if (*s == '<')
			str_add(out, "&lt;");
		else if (*s == '>')
			str_add(out, "&gt;");
		else if (*s == '"')
			str_add(out, "&quot;");
		else if ((unsigned char)*s >= ' ' || *s == '\n' || *s == '\t')
			str_addc(out, *s);
	}
}

/* The text of a JSON string without its quotes. */
static void add_json(struct str *out, const char *s)
{
	CLEANUP(str_done) struct str quoted = {0};

	str_json(&quoted, s);
	str_addn(out, quoted.s + 1, quoted.len - 2);
}

static void add_value(struct str *out, enum wire_escape escape, const char *s)
{
	if (escape == WIRE_URL)
		add_url(out, s);
	else if (escape == WIRE_XML)
		add_xml(out, s);
	else if (escape == WIRE_JSON)
		add_json(out, s);
	else
		str_add(out, s);
}

void wire_fill(const char *template, enum wire_escape escape, const struct wire_value *values, size_t n,
	       struct str *out)
{
	while (*template) {
		const char *end = *template == '{' ? strchr(template, '}') : NULL;
		const struct wire_value *found = NULL;

		for (size_t i = 0; end && i < n; i++)
			if (strlen(values[i].name) == (size_t)(end - template - 1) &&
			    strncmp(values[i].name, template + 1, (size_t)(end - template - 1)) == 0)
				found = &values[i];
		if (found) {
			add_value(out, escape, found->text ? found->text : "");
			template = end + 1;
		} else {
			str_addc(out, *template++);
		}
	}
}

enum wire_escape wire_escape_of(const char *template)
{
	template += strspn(template, " \t\r\n");
	return *template == '{' || *template == '[' ? WIRE_JSON : *template == '<' ? WIRE_XML : WIRE_URL;
}

static const char *filled(const char *template, enum wire_escape escape, const struct wire_value *values, size_t n,
			  struct arena *a)
{
	CLEANUP(str_done) struct str out = {0};

	wire_fill(template, escape, values, n, &out);
	return arena_strdup(a, out.s ? out.s : "");
}

void wire_request(const struct http_target *target, const struct wire_value *values, size_t n, struct arena *a,
		  struct client_request *ret)
{
	const char **headers = arena_alloc(a, (target->n_headers + 1) * sizeof(*headers));

	*ret = (struct client_request){.method = target->method, .headers = headers, .n_headers = target->n_headers};
	ret->url = filled(target->url, WIRE_URL, values, n, a);
	for (size_t i = 0; i < target->n_headers; i++)
		headers[i] = filled(target->headers[i], WIRE_PLAIN, values, n, a);
	if (!target->body)
		return;
	ret->body = filled(target->body, wire_escape_of(target->body), values, n, a);
	ret->len = strlen(ret->body);
}
