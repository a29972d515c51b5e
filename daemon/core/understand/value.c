/*
 * Senders are not strict about types: an id comes as a number, a coordinate as a text. What is
 * harmless to convert is converted here; the rest is the caller's to keep aside.
 */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/time/moment.h"
#include "core/understand/stages.h"
#include "core/understand/utf8.h"

static const double unix_ms_from = 1e11;        /* as seconds this would be the year 5138 */
static const double unix_s_end = 253370764800;  /* the year 9999 */

static bool is_blank(uint32_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0x3000 || c == 0xa0 ||
	       c == 0xfeff;
}

static const char *trimmed(struct arena *a, const char *text, size_t len)
{
	const char *end = text + len, *next = text, *keep;

	while (text < end && is_blank(utf8_next(&next)))
		text = next;
	keep = text;
	for (const char *s = text; s < end;)
		if (!is_blank(utf8_next(&s)))
			keep = s;
	return arena_strndup(a, text, (size_t)(keep - text));
}

const char *value_text(struct arena *a, const json_t *value)
{
	if (json_is_string(value))
		return trimmed(a, json_string_value(value), json_string_length(value));
	if (json_is_integer(value))
		return arena_printf(a, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (json_is_real(value))
		return arena_printf(a, "%.15g", json_real_value(value));
	return NULL;
}

const char *value_id(struct arena *a, const json_t *value)
{
	const char *text = json_is_real(value) ? NULL : value_text(a, value);

	if (!text || !*text || strlen(text) > ID_BYTES)
		return NULL;
	for (const char *s = text; *s;) {
		uint32_t c = utf8_next(&s);

		if (c < ' ' || (c >= 0x7f && c < 0xa0))
			return NULL;
	}
	return text;
}

bool value_number(const json_t *value, double *ret)
{
	double number;
	char *end;

	if (json_is_number(value)) {
		*ret = json_number_value(value);
		return true;
	}
	if (!json_is_string(value) || !*json_string_value(value))
		return false;
	number = strtod(json_string_value(value), &end);
	if (*end || !isfinite(number))
		return false;
	*ret = number;
	return true;
}

bool value_is_yes(const json_t *value)
{
	static const char *const no[] = {"", "0", "no", "n", "false", "off", "否", "不保密"};
	const char *text = json_string_value(value);

	for (size_t i = 0; text && i < ARRAY_LEN(no); i++)
		if (strcasecmp(text, no[i]) == 0)
			return false;
	return !json_is_null(value) && !json_is_false(value) &&
	       !(json_is_integer(value) && json_integer_value(value) == 0);
}

bool value_moment(struct arena *a, const json_t *value, int64_t *ret)
{
	const char *text = value_text(a, value);
	double number;

	if (!text)
		return false;
	if (moment_parse(text, ret))
		return true;
	if (!value_number(value, &number) || number < 0)
		return false;
	if (number >= unix_ms_from)
		number /= 1000;
	if (number >= unix_s_end)
		return false;
	/* Seconds apart from their fraction: a double does not hold both to the microsecond. */
	*ret = (int64_t)number * 1000000 + llround((number - floor(number)) * 1000) * 1000;
	return true;
}
