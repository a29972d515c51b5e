/*
 * Do two texts speak of the same? Dice's measure over pairs of neighbouring characters: Chinese has no
 * blanks between words, so a pair of characters is the nearest to a word that needs no dictionary
 * (docs/decisions/0012). Blanks and marks were dropped by the shadow or are dropped here.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/understand/text.h"
#include "core/understand/utf8.h"

enum { CHARACTERS = 160, NUMBERS = 16, NUMBER_DIGITS = 6 };

struct pairs {
	uint64_t v[CHARACTERS];
	size_t n;
};

static bool is_letter(uint32_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= 0xc0 && c < 0x2000) || (c >= 0x3040 && c < 0xd800) || (c >= 0xf900 && c < 0xfb00) || c >= 0x20000;
}

static int by_value(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* A text of one character has that alone as its pair. */
static void pairs_of(const char *text, struct pairs *ret)
{
	uint64_t before = 0;
	uint32_t c;

	ret->n = 0;
	while (ret->n < CHARACTERS && (c = utf8_next(&text)) != 0) {
		if (!is_letter(c))
			continue;
		if (before)
			ret->v[ret->n++] = before << 32 | c;
		before = c;
	}
	if (!ret->n && before)
		ret->v[ret->n++] = before;
	qsort(ret->v, ret->n, sizeof(ret->v[0]), by_value);
}

double text_alike(const char *a, const char *b)
{
	struct pairs x, y;
	size_t i = 0, k = 0, both = 0;

	pairs_of(a, &x);
	pairs_of(b, &y);
	while (i < x.n && k < y.n) {
		if (x.v[i] == y.v[k]) {
			both++;
			i++;
			k++;
		} else if (x.v[i] < y.v[k]) {
			i++;
		} else {
			k++;
		}
	}
	return x.n + y.n ? 2.0 * (double)both / (double)(x.n + y.n) : 0;
}

/* ---- numbers ---------------------------------------------------------------------------------- */

struct numbers {
	uint32_t v[NUMBERS];
	size_t n;
};

/* 3点, 20分钟, 5月: when and how much, not where. */
static bool counts_something(const char *behind)
{
	static const char *const words[] = {"点", "时", "分", "日", "月", "年", "天", "个", "次", "人", "户", "元",
					    "米", "周", "岁", "小时", ":", "："};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(behind, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

static void numbers_of(const char *text, struct numbers *ret)
{
	ret->n = 0;
	while (*text && ret->n < NUMBERS) {
		size_t digits = strspn(text, "0123456789");

		if (digits && digits <= NUMBER_DIGITS && !counts_something(text + digits))
			ret->v[ret->n++] = (uint32_t)strtoul(text, NULL, 10);
		text += digits ? digits : 1;
	}
}

static bool holds_all(const struct numbers *of, const struct numbers *in)
{
	for (size_t i = 0; i < of->n; i++) {
		bool found = false;

		for (size_t k = 0; k < in->n; k++)
			found = found || in->v[k] == of->v[i];
		if (!found)
			return false;
	}
	return true;
}

uint64_t text_number_bits(const char *text)
{
	struct numbers x;
	uint64_t bits = 0;

	numbers_of(text, &x);
	for (size_t i = 0; i < x.n; i++)
		bits |= UINT64_C(1) << (x.v[i] * UINT32_C(2654435769) >> 26);
	return bits;
}

bool text_numbers_agree(const char *a, const char *b)
{
	struct numbers x, y;

	numbers_of(a, &x);
	numbers_of(b, &y);
	return holds_all(&x, &y) || holds_all(&y, &x);
}
