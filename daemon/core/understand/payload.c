/*
 * From bytes to one JSON object. Everything is checked before the parser sees it: what it would
 * take but PostgreSQL would not (U+0000) and what would cost it too much (depth, size) stops here.
 * The parser's own messages quote the payload, so only its code and the place are handed on.
 */
#include <errno.h>
#include <iconv.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/tongue.h"
#include "core/understand/stages.h"

/* ---- charset --------------------------------------------------------------------------------- */

static void iconv_closep(iconv_t *cd)
{
	if (*cd != (iconv_t)-1)
		iconv_close(*cd);
}

static int convert(const char *charset, const struct message *m, struct arena *a, const char **ret,
		   size_t *ret_len, struct err *e)
{
	CLEANUP(iconv_closep) iconv_t cd = iconv_open("UTF-8", charset);
	size_t in_left = m->payload_len, room = 4 * in_left + 16, out_left = room - 1;
	CLEANUP(mem_freep) char *copy = NULL;
	char *out = arena_alloc(a, room), *to = out, *from;

	if (cd == (iconv_t)-1)
		return err_code(e, ERR_BAD, "bad-charset", "the charset %s is not known here",
				charset);
	copy = mem_alloc(in_left);
	memcpy(copy, m->payload, in_left);
	from = copy;
	if (iconv(cd, &from, &in_left, &to, &out_left) == (size_t)-1 ||
	    iconv(cd, NULL, NULL, &to, &out_left) == (size_t)-1)
		return err_code(e, ERR_BAD, "bad-charset", "the payload is no %s at byte %zu",
				charset, m->payload_len - in_left);
	*ret = out;
	*ret_len = (size_t)(to - out);
	return 0;
}

static bool is_utf8_name(const char *charset)
{
	return !charset || strcasecmp(charset, "utf-8") == 0 || strcasecmp(charset, "utf8") == 0;
}

int payload_text(const char *charset, const struct message *m, struct arena *a, const char **ret,
		 size_t *ret_len, struct err *e)
{
	static const char mark[] = "\xef\xbb\xbf";

	if (m->payload_len == 0)
		return err_code(e, ERR_BAD, "empty", "the payload is empty");
	if (m->payload_len > PAYLOAD_BYTES)
		return err_code(e, ERR_BAD, "too-big", "the payload has %zu bytes; %d are allowed",
				m->payload_len, PAYLOAD_BYTES);
	if (is_utf8_name(charset)) {
		*ret = arena_strndup(a, m->payload, m->payload_len);
		*ret_len = m->payload_len;
	} else {
		int r = convert(charset, m, a, ret, ret_len, e);

		if (r < 0)
			return r;
	}
	if (memchr(*ret, 0, *ret_len))
		return err_code(e, ERR_BAD, "bad-text", "the payload holds a NUL character");
	if (!str_is_utf8(*ret, *ret_len))
		return err_code(e, ERR_BAD, "bad-utf8", "the payload is no UTF-8");
	if (*ret_len >= 3 && memcmp(*ret, mark, 3) == 0) {
		*ret += 3;
		*ret_len -= 3;
	}
	return 0;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

/* Looks at brackets and escapes only; whether the rest is JSON is the parser's matter. */
static int prescan(const char *text, size_t len, struct err *e)
{
	bool quoted = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (quoted && c == '\\') {
			if (len - i > 5 && memcmp(text + i + 1, "u0000", 5) == 0)
				return err_code(e, ERR_BAD, "bad-text",
						"a text holds a NUL character");
			i++;
		} else if (c == '"') {
			quoted = !quoted;
		} else if (!quoted && (c == '{' || c == '[')) {
			if (++depth > PAYLOAD_DEPTH)
				return err_code(e, ERR_BAD, "too-deep",
						"the JSON is nested more than %d deep",
						PAYLOAD_DEPTH);
		} else if (!quoted && (c == '}' || c == ']')) {
			depth--;
		}
	}
	return 0;
}

static const char *why_not_json(const json_error_t *error)
{
	switch ((int)json_error_code(error)) {
	case json_error_duplicate_key:
		return N_("a member stands twice in one object");
	case json_error_premature_end_of_input:
		return N_("the text ends too early");
	case json_error_end_of_input_expected:
		return N_("more text follows the end");
	case json_error_invalid_utf8:
		return N_("half a character is escaped");
	default:
		return N_("the form is broken");
	}
}

/* ---- numbers --------------------------------------------------------------------------------- */

static const char *digits_end(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* The length of the JSON number at `text`, 0: none. */
static size_t number_at(const char *text, const char *end, bool *ret_whole)
{
	const char *first = text + (*text == '-'), *p = digits_end(first, end), *more;

	if (p == first)
		return 0;
	if (*first == '0')
		p = first + 1;
	*ret_whole = true;
	if (p < end && *p == '.' && (more = digits_end(p + 1, end)) > p + 1) {
		*ret_whole = false;
		p = more;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		first = p + 1 + (p + 1 < end && (p[1] == '+' || p[1] == '-'));
		more = digits_end(first, end);
		*ret_whole &= more == first;
		p = more > first ? more : p;
	}
	return (size_t)(p - text);
}

/* Neither 64 bits nor a double hold it. Few are so long that they must be read. */
static bool is_too_big(const char *number, size_t n, bool whole)
{
	CLEANUP(mem_freep) char *copy = NULL;
	int64_t ignored;

	if (n < (whole ? sizeof("999999999999999999") : sizeof("1e99")))
		return false;
	copy = mem_alloc(n + 1);
	memcpy(copy, number, n);
	return whole ? !str_to_int(copy, INT64_MIN, INT64_MAX, &ignored) : isinf(strtod(copy, NULL));
}

static bool is_name(const char *p, const char *end)
{
	while (p < end && strchr(" \t\r\n", *p))
		p++;
	return p < end && *p == ':';
}

const char *payload_quote_numbers(struct arena *a, const char *text, size_t len, size_t *ret_len)
{
	const char *end = text + len, *done = text, *ret = NULL;
	struct str out = {0};
	bool quoted = false, whole = false;
	size_t n;

	for (const char *p = text; p < end; p += n) {
		n = quoted || (*p != '-' && (*p < '0' || *p > '9')) ? 0 : number_at(p, end, &whole);
		if (n && is_too_big(p, n, whole) && !is_name(p + n, end)) {
			str_addn(&out, done, (size_t)(p - done));
			str_addc(&out, '"');
			str_addn(&out, p, n);
			str_addc(&out, '"');
			done = p + n;
		}
		if (n)
			continue;
		quoted ^= *p == '"';
		n = quoted && *p == '\\' && end - p > 1 ? 2 : 1;
	}
	if (out.len) {
		str_addn(&out, done, (size_t)(end - done));
		*ret_len = out.len;
		ret = arena_strndup(a, out.s, out.len);
	}
	str_done(&out);
	return ret;
}

/* ---- the object ------------------------------------------------------------------------------ */

int payload_object(const char *text, size_t len, struct arena *a, json_t **ret, struct err *e)
{
	json_error_t error;
	json_t *json;
	int r = prescan(text, len, e);

	if (r < 0)
		return r;
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!json && json_error_code(&error) == json_error_numeric_overflow &&
	    (text = payload_quote_numbers(a, text, len, &len)) != NULL)
		json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!json)
		return err_code(e, ERR_BAD, "not-json", "no JSON: %s, line %d, column %d",
				_(why_not_json(&error)), error.line, error.column);
	if (!json_is_object(json)) {
		json_decref(json);
		return err_code(e, ERR_BAD, "not-json", "the payload is JSON, but no object");
	}
	*ret = json;
	return 0;
}
