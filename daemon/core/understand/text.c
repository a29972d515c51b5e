/*
 * The original of a text is never touched: what is compared is its shadow. Residents type
 * full-width digits, put blanks and zero-width characters between the characters of a word, and
 * write one word in several code points; in the shadow all of that is the same. Keywords take the
 * same way, so a clerk need not know any of this.
 */
#include "core/understand/text.h"

#include <sodium/crypto_hash_sha256.h>
#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/understand/utf8.h"

enum { PHONE_DIGITS = 32, TOPIC_ID = 64, TOPIC_HASH = 8 };

/* ---- shadow ---------------------------------------------------------------------------------- */

/*
 * Nearly every message is Han, ASCII and full-width ASCII, where the general rules come down to one
 * subtraction. Returns the length, or -1 when the text holds anything else.
 */
static ptrdiff_t shadow_plain(const char *text, char *out)
{
	const char *from;
	char *to = out;

	for (from = text; *from;) {
		const char *start = from;
		uint32_t c = utf8_next(&from);

		if (c >= 0xff01 && c <= 0xff5e)
			c -= 0xff01 - '!';
		if (c <= ' ' || c == 0x7f || c == 0x3000)
			continue;
		if (c < 0x80) {
			*to++ = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
		} else if ((c >= 0x4e00 && c <= 0x9fff) || c == 0x3001 || c == 0x3002) {
			memcpy(to, start, 3);
			to += 3;
		} else {
			return -1;
		}
	}
	return to - out;
}

static bool is_dropped(utf8proc_int32_t c)
{
	const unsigned blank = 1U << UTF8PROC_CATEGORY_ZS | 1U << UTF8PROC_CATEGORY_ZL |
			       1U << UTF8PROC_CATEGORY_ZP | 1U << UTF8PROC_CATEGORY_CC |
			       1U << UTF8PROC_CATEGORY_CF;

	return blank >> utf8proc_category(c) & 1U;
}

static const char *shadow_general(struct arena *a, const char *text)
{
	const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE |
					  UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
	utf8proc_ssize_t len = (utf8proc_ssize_t)strlen(text), room = len + 1, n, kept = 0, at = 0;
	utf8proc_int32_t *chars;
	char *out;

	for (;;) {
		chars = arena_alloc(a, (size_t)room * sizeof(*chars));
		n = utf8proc_decompose((const utf8proc_uint8_t *)text, len, chars, room, options);
		if (n <= room)
			break;
		room = n;       /* some characters fall apart into many */
	}
	for (utf8proc_ssize_t i = 0; i < n; i++)
		if (!is_dropped(chars[i]))
			chars[kept++] = chars[i];
	kept = utf8proc_normalize_utf32(chars, kept, options);
	if (n < 0 || kept < 0)
		return "";      /* no UTF-8: nothing is found in it */
	out = arena_alloc(a, (size_t)kept * 4 + 1);
	for (utf8proc_ssize_t i = 0; i < kept; i++)
		at += utf8proc_encode_char(chars[i], (utf8proc_uint8_t *)out + at);
	return out;
}

const char *text_shadow(struct arena *a, const char *text)
{
	char *out = arena_alloc(a, strlen(text) + 1);
	ptrdiff_t n = shadow_plain(text, out);

	if (n < 0)
		return shadow_general(a, text);
	out[n] = '\0';
	return out;
}

/* ---- phone ----------------------------------------------------------------------------------- */

const char *text_phone(struct arena *a, const char *text)
{
	char digits[PHONE_DIGITS + 2];
	size_t n = 0;
	uint32_t c;

	while ((c = utf8_next(&text)) != 0 && n <= PHONE_DIGITS) {
		if (c >= 0xff01 && c <= 0xff5e)
			c -= 0xff01 - '!';
		if ((c >= '0' && c <= '9') || (c == '+' && n == 0))
			digits[n++] = (char)c;
	}
	if (n == 0 || (n == 1 && *digits == '+'))
		return NULL;
	return arena_strndup(a, digits, n);
}

/* ---- title ----------------------------------------------------------------------------------- */

enum { SENTENCE_MIN = 6 };      /* characters: a greeting such as 您好。 is no title */

static bool ends_sentence(uint32_t c)
{
	return c == '\n' || c == '\r' || c == 0x3002 || c == 0xff01 || c == 0xff1f || c == 0xff1b ||
	       c == '!' || c == '?' || c == ';';
}

static bool is_blank(uint32_t c)
{
	return c <= ' ' || c == 0x7f || c == 0x3000 || c == 0xa0 || c == 0xfeff || c == 0x200b;
}

static const char *one_line(struct arena *a, const char *text, size_t max, bool whole)
{
	char *out = arena_alloc(a, strlen(text) + sizeof("…"));
	char *to = out, *last = out;    /* last: where the last character begins */
	size_t n = 0;

	for (const char *s = text, *start = s; *s; start = s) {
		uint32_t c = utf8_next(&s);

		if (!whole && ends_sentence(c) && n >= SENTENCE_MIN)
			break;
		if (is_blank(c) && (to == out || to[-1] == ' ' || n == max))
			continue;
		if (n == max) {
			to = stpcpy(max ? last : out, max ? "…" : "");
			break;
		}
		last = to;
		n++;
		if (is_blank(c))
			*to++ = ' ';
		else
			to = mempcpy(to, start, (size_t)(s - start));
	}
	while (to > out && to[-1] == ' ')
		to--;
	*to = '\0';
	return out;
}

const char *text_title(struct arena *a, const char *text, size_t max)
{
	return one_line(a, text, max, false);
}

const char *text_line(struct arena *a, const char *text, size_t max)
{
	return one_line(a, text, max, true);
}

/* ---- topic id -------------------------------------------------------------------------------- */

/* Lowers letters, makes each run of other characters one '-', starts with a letter or digit. */
static size_t slug(const char *text, char *out, size_t max)
{
	size_t n = 0;

	for (; *text && n < max; text++) {
		char c = *text;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c + ('a' - 'A'));
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '_' && n))
			out[n++] = c;
		else if (n && out[n - 1] != '-')
			out[n++] = '-';
	}
	while (n && out[n - 1] == '-')
		n--;
	return n;
}

const char *text_topic_id(struct arena *a, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char hash[crypto_hash_sha256_BYTES];
	char id[TOPIC_ID + 1];
	char *lowered = arena_strdup(a, text);
	size_t n;

	for (char *c = lowered; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + ('a' - 'A'));
	if (str_is_id(lowered))
		return lowered;
	/* Keeps apart what the alphabet cannot: an answer must not reach another source. */
	crypto_hash_sha256(hash, (const unsigned char *)text, strlen(text));
	n = slug(text, id, TOPIC_ID - TOPIC_HASH - 1);
	if (n)
		id[n++] = '-';
	for (size_t i = 0; i < TOPIC_HASH; i++)
		id[n++] = hex[hash[i / 2] >> (i % 2 ? 0 : 4) & 15];
	return arena_strndup(a, id, n);
}
