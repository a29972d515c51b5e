#pragma once
/* Inside core only: walking over the characters of a UTF-8 text. */
#include <stdint.h>

/*
 * The character at *s, which moves behind it; 0 at the end, where *s stays. A byte that is no UTF-8
 * counts as a lone surrogate, so that nothing takes it for a character, and no walk passes the end.
 */
static inline uint32_t utf8_next(const char **s)
{
	const unsigned char *p = (const unsigned char *)*s;
	uint32_t c = *p;
	int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

	if (c == 0)
		return 0;
	*s += 1;
	if (c < 0x80)
		return c;
	if (!more)
		return 0xdc00 + c;
	c &= 0x3fU >> more;
	for (int i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0xdc00 + (uint32_t)p[0];
		c = c << 6 | (p[i] & 0x3fU);
	}
	*s += more;
	return c;
}
