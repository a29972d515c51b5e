/*
 * Where two reports can be about the same: within the radius where both tell a position, else in the same
 * grid. The cells are made so that a look-up is a handful of exact keys, whatever the number of open cases:
 *
 *	p	position, squares four times as wide as the radius: a case with a position
 *	g	grid prefix: a case with a position and a grid
 *	n	grid prefix: a case with a grid and no position
 *
 * A report with a position looks in the squares that its radius touches and in n; one without in g and n.
 */
#include <math.h>
#include <sodium/crypto_generichash.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "core/life/clocks.h"
#include "core/life/same.h"
#include "core/time/moment.h"
#include "core/understand/text.h"

enum { TEXT_CHARACTERS = 120, METRES_A_DEGREE = 111195 };

static double square(const struct office *office)
{
	double size = 4 * office->life.join_radius_m / METRES_A_DEGREE;

	return size > 0.0002 ? size : 0.0002;
}

static const char *beginning(const char *text, size_t characters, struct arena *a)
{
	const char *end = text;

	for (; *end; end++)
		if ((*end & 0xc0) != 0x80 && characters-- == 0)
			break;
	return arena_strndup(a, text, (size_t)(end - text));
}

static bool has_position(const struct matter *m)
{
	return !isnan(m->lat) && !isnan(m->lon);
}

void matter_again(const char *name, const char *text, const char *place, struct arena *a, struct matter *inout)
{
	inout->text = beginning(text_shadow(a, text_mask(a, text, name)), TEXT_CHARACTERS, a);
	inout->numbers = text_number_bits(inout->text);
	inout->place = place ? text_shadow(a, text_mask_address(a, place)) : NULL;
}

bool matter_of(const struct report *r, struct arena *a, struct matter *ret)
{
	if (!r->known_category || !r->text || r->secret || r->accused || r->device || (!r->grid && !r->has_position))
		return false;
	*ret = (struct matter){.category = r->known_category->path, .grid = r->grid, .lat = (double)NAN,
			       .lon = (double)NAN, .crs = r->crs, .at = r->received_at};
	if (r->has_position) {
		ret->lat = r->lat;
		ret->lon = r->lon;
	}
	matter_again(r->name, r->text, r->address, a, ret);
	return *ret->text != '\0';
}

/* ---- cells ------------------------------------------------------------------------------------ */
static const char *grid_cell(const struct office *office, char kind, const struct matter *m, struct arena *a)
{
	return arena_printf(a, "%s %c%.*s", m->category, kind, office->life.join_grid_prefix, m->grid);
}

static const char *square_cell(const struct matter *m, double y, double x, struct arena *a)
{
	const char *crs = m->crs ? m->crs : "";

	/* Up to its first blank, so that the last blank of a cell stands before its kind. */
	return arena_printf(a, "%s p%.*s%lld,%lld", m->category, (int)strcspn(crs, " "), crs, (long long)y, (long long)x);
}

size_t matter_rows(const struct office *office, const struct matter *m, struct arena *a, const char *ret[MATTER_ROWS])
{
	size_t n = 0;

	if (has_position(m))
		ret[n++] = square_cell(m, floor(m->lat / square(office)), floor(m->lon / square(office)), a);
	if (m->grid)
		ret[n++] = grid_cell(office, has_position(m) ? 'g' : 'n', m, a);
	return n;
}

bool matter_is_square(const char *cell)
{
	return strrchr(cell, ' ')[1] == 'p';
}

size_t matter_looks(const struct office *office, const struct matter *m, struct arena *a,
		    const char *ret[MATTER_LOOKS])
{
	double size = square(office), high = office->life.join_radius_m / METRES_A_DEGREE;
	double wide = high / fmax(cos(m->lat * M_PI / 180), 0.5);
	size_t n = 0;

	if (has_position(m))
		for (double y = floor((m->lat - high) / size); y <= floor((m->lat + high) / size); y++)
			for (double x = floor((m->lon - wide) / size); x <= floor((m->lon + wide) / size) && n < 4; x++)
				ret[n++] = square_cell(m, y, x, a);
	if (m->grid)
		ret[n++] = grid_cell(office, 'n', m, a);
	if (m->grid && !has_position(m))
		ret[n++] = grid_cell(office, 'g', m, a);
	return n;
}

/* ---- likeness --------------------------------------------------------------------------------- */
static double metres(const struct matter *a, const struct matter *b)
{
	double dy = (a->lat - b->lat) * METRES_A_DEGREE;
	double dx = (a->lon - b->lon) * METRES_A_DEGREE * cos(a->lat * M_PI / 180);

	return sqrt(dx * dx + dy * dy);
}

static bool one_crs(const struct matter *a, const struct matter *b)
{
	return (!a->crs && !b->crs) || (a->crs && b->crs && strcmp(a->crs, b->crs) == 0);
}

/* Old enough to be another matter by now. */
static bool is_past(const struct office *office, const struct matter *newer, const struct matter *older)
{
	const struct deadline *within = &office->life.join_within;
	struct due due;
	struct err e;

	return deadline_due(within, office_calendar(office, within, office->fallback_policy), older->at, NULL, &due, &e) < 0 ||
	       newer->at > due.at;
}

/* By position where both tell one, else by grid. Then houses are told apart by what the address says. */
static double place_alike(const struct office *office, const struct matter *a, const struct matter *b)
{
	size_t prefix = (size_t)office->life.join_grid_prefix;

	if (has_position(a) && has_position(b) && one_crs(a, b))
		return metres(a, b) <= office->life.join_radius_m ? 1 : 0;
	if (!a->grid || !b->grid || strncmp(a->grid, b->grid, prefix) != 0)
		return 0;
	if (!a->place || !b->place)
		return 1;
	return text_numbers_agree(a->place, b->place) ? text_alike(a->place, b->place) : 0;
}

double matter_alike(const struct office *office, const struct matter *newer, const struct matter *older)
{
	double place, told;

	if (strcmp(newer->category, older->category) != 0)
		return 0;
	place = place_alike(office, newer, older);
	if (place <= 0 || is_past(office, newer, older) || !text_numbers_agree(newer->text, older->text))
		return 0;
	told = text_alike(newer->text, older->text);
	return told < place ? told : place;
}

/* ---- one person ------------------------------------------------------------------------------- */
const char *person_key(const char *key, const struct report *r, struct arena *a)
{
	unsigned char secret[crypto_generichash_KEYBYTES], hash[crypto_generichash_BYTES_MIN];
	const char *who = r->phone ? r->phone : r->ref;
	const char *channel = r->phone ? "" : r->channel->id;   /* a ref means something within its channel alone */
	crypto_generichash_state state;

	if (!key || !who)
		return NULL;
	crypto_generichash(secret, sizeof(secret), (const unsigned char *)key, strlen(key), NULL, 0);
	crypto_generichash_init(&state, secret, sizeof(secret), sizeof(hash));
	crypto_generichash_update(&state, (const unsigned char *)channel, strlen(channel) + 1);
	crypto_generichash_update(&state, (const unsigned char *)who, strlen(who));
	crypto_generichash_final(&state, hash, sizeof(hash));
	return arena_printf(a, "%02x%02x%02x%02x%02x%02x%02x%02x", hash[0], hash[1], hash[2], hash[3], hash[4], hash[5],
			    hash[6], hash[7]);
}
