/*
 * Where: the grid that a code lies in, and the address without the door. A department finds the
 * building from a card; which flat complains is personal and stays with the record.
 */
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "core/understand/stages.h"
#include "core/understand/text.h"
#include "core/understand/utf8.h"

/* ---- grids ----------------------------------------------------------------------------------- */

const struct grid *place_grid(const struct office *office, const char *code)
{
	/* 6 digits of the county, 3 of the street, 3 of the community, 3 of the grid */
	static const size_t ends[] = {15, 12, 9, 6};
	const struct grid *grid = map_get(&office->grid_by_code, code);
	size_t len = strlen(code);
	char prefix[16];

	for (size_t i = 0; !grid && i < ARRAY_LEN(ends); i++) {
		if (ends[i] >= len)
			continue;
		memcpy(prefix, code, ends[i]);
		prefix[ends[i]] = '\0';
		grid = map_get(&office->grid_by_code, prefix);
	}
	return grid;
}

/* ---- addresses ------------------------------------------------------------------------------- */

static const char *const building[] = {"号楼", "#楼", "栋", "幢", "座"};
static const char *const door[] = {"单元", "号", "室", "户", "层", "楼", "门"};
static const char *const road[] = {"路", "街", "道", "巷", "弄", "线"};
static const char *const private[] = {"单元", "室", "户", "层", "号", "家"};

static size_t starts_with(const char *s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strncmp(s, words[i], strlen(words[i])) == 0)
			return strlen(words[i]);
	return 0;
}

static bool is_digit(uint32_t c)
{
	return (c >= '0' && c <= '9') || (c >= 0xff10 && c <= 0xff19);
}

/* Behind the number, letter or numeral that begins at s; s when there is none. */
static const char *number_end(const char *s, bool *ret_digits)
{
	static const char numerals[] = "一二三四五六七八九十百〇零两";

	*ret_digits = true;
	for (const char *next = s;; s = next) {
		uint32_t c = utf8_next(&next);
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
		size_t len = (size_t)(next - s);

		if (!is_digit(c) && !letter &&
		    !(len == 3 && memmem(numerals, sizeof(numerals) - 1, s, 3)))
			return s;
		*ret_digits = *ret_digits && is_digit(c);
	}
}

static bool behind_road(const char *address, const char *s)
{
	return s - address >= 3 && starts_with(s - 3, road, ARRAY_LEN(road));
}

/*
 * How many bytes of the address may be shown: through the building, else through the number of the
 * yard or in the road, else up to the first number that looks like a door.
 */
static size_t shown(const char *address)
{
	size_t yard = 0, before_door = strlen(address);
	const char *s = address, *end, *after;
	bool digits;

	for (; *s; s = end) {
		size_t unit;

		end = number_end(s, &digits);
		if (end == s) {
			utf8_next(&end);
			continue;
		}
		after = end;
		unit = starts_with(end, building, ARRAY_LEN(building));
		if (unit)
			return (size_t)(end - address) + unit;
		if (!yard && strncmp(end, "号院", strlen("号院")) == 0)
			yard = (size_t)(end - address) + strlen("号院");
		else if (!yard && strncmp(end, "号", strlen("号")) == 0 && behind_road(address, s))
			yard = (size_t)(end - address) + strlen("号");
		else if (digits && (*end == '-' || *end == '#') &&
			 (size_t)(end - address) < before_door)
			before_door = (size_t)(end - address);
		else if ((starts_with(end, door, ARRAY_LEN(door)) ||
			  (digits && !*after && end - s >= 3)) &&
			 (size_t)(s - address) < before_door)
			before_door = (size_t)(s - address);
	}
	return yard ? yard : before_door;
}

static bool tells_door(const char *rest)
{
	uint32_t c;

	for (size_t i = 0; i < ARRAY_LEN(private); i++)
		if (strstr(rest, private[i]))
			return true;
	while ((c = utf8_next(&rest)) != 0)
		if (is_digit(c))
			return true;
	return false;
}

const char *text_mask_address(struct arena *a, const char *address)
{
	size_t n = shown(address);

	if (tells_door(address + n))
		address = arena_printf(a, "%.*s***", (int)n, address);
	return text_mask(a, address, NULL);
}
