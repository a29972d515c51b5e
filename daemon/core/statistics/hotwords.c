/* Which of the runs are words worth telling, which of them rise, and which are only talked about. */
#include "core/statistics/hotwords.h"

#include <math.h>
#include <string.h>

#include "base/str.h"
#include "core/statistics/hotwords_parts.h"
#include "core/understand/utf8.h"

enum { TEXT_MAX = 200, CHARS_MAX = 0x7fffffff, RISERS = 64 };
/* How far a word's share must be from chance: G², which chance passes once in ten thousand. */
#define SURE 15.1
/* A word that mostly stands within a longer one is that one. */
#define WITHIN 0.6
/* Two words of which the rarer stands so often beside the other are one subject. */
#define TOGETHER 0.5

static bool is_han(uint32_t c)
{
	return (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x4e00 && c <= 0x9fff) || c == 0x3007;
}

struct hotwords *hotwords_new(const _Atomic bool *stop)
{
	struct hotwords *h = mem_alloc(sizeof(*h));

	h->stop = stop;
	return h;
}

bool hotwords_stopped(const struct hotwords *h)
{
	return h->stop && *h->stop;
}

void hotwords_free(struct hotwords *h)
{
	if (!h)
		return;
	for (size_t i = 0; i <= HOT_LONGEST; i++)
		free(h->levels[i].v);
	free(h->ids);
	VEC_DONE(&h->chars);
	VEC_DONE(&h->texts);
	VEC_DONE(&h->grids);
	VEC_DONE(&h->candidates);
	map_done(&h->grid_by_code);
	arena_done(&h->codes);
	free(h);
}

static uint32_t grid_number(struct hotwords *h, const char *code)
{
	void *known = map_get(&h->grid_by_code, code);

	if (!known) {
		VEC_PUSH(&h->grids, arena_strdup(&h->codes, code));
		known = (void *)(uintptr_t)h->grids.n;
		map_put(&h->grid_by_code, h->grids.v[h->grids.n - 1], known);
	}
	return (uint32_t)(uintptr_t)known;
}

void hotwords_add(struct hotwords *h, const char *text, const char *grid, enum hot_class what)
{
	uint32_t from = (uint32_t)h->chars.n, c;
	bool known = text != NULL;

	if (h->chars.n > CHARS_MAX - TEXT_MAX)
		return;
	while (text && (c = utf8_next(&text)) && h->chars.n - from < TEXT_MAX)
		VEC_PUSH(&h->chars, (uint16_t)(is_han(c) ? c : 0));
	VEC_PUSH(&h->texts, (struct hot_text){from, (uint32_t)h->chars.n, grid && *grid ? grid_number(h, grid) : 0, what});
	h->placed[what]++;
	h->n[what] += known;
	if (hot_is_now(what))
		h->total += h->chars.n - from;
}

/* ---- more than before? ------------------------------------------------------------------------ */
static double part(double seen, double expected)
{
	return seen > 0 ? seen * log(seen / expected) : 0;
}

/* Of `all_now` texts now and `all_before` before, so many have it. 0: nothing to compare with. */
static double times_more(double now, double all_now, double before, double all_before)
{
	return all_now > 0 && all_before > 0 ? now / all_now / ((before + 0.5) / (all_before + 0.5)) : 0;
}

static bool is_sure(double now, double all_now, double before, double all_before)
{
	double share = (now + before) / (all_now + all_before);
	double g = part(now, all_now * share) + part(before, all_before * share) +
		   part(all_now - now, all_now * (1 - share)) + part(all_before - before, all_before * (1 - share));

	return 2 * g >= SURE;
}

static void compare(struct hot_row *row, const int64_t all[N_HOT_CLASS], double rise)
{
	double now = (double)(row->n[HOT_REPORT] + row->n[HOT_TALK]), all_now = (double)(all[HOT_REPORT] + all[HOT_TALK]),
	       before = (double)(row->n[HOT_REPORT_BEFORE] + row->n[HOT_TALK_BEFORE]),
	       all_before = (double)(all[HOT_REPORT_BEFORE] + all[HOT_TALK_BEFORE]);

	row->rise = times_more(now, all_now, before, all_before);
	row->rising = row->rise >= rise && is_sure(now, all_now, before, all_before);
}

/* Its talk alone has risen, and few report it. */
static bool is_only_talk(const struct hot_row *row, const int64_t all[N_HOT_CLASS], const struct hot_settings *s)
{
	double now = (double)row->n[HOT_TALK], before = (double)row->n[HOT_TALK_BEFORE], all_now = (double)all[HOT_TALK],
	       all_before = (double)all[HOT_TALK_BEFORE];

	return row->n[HOT_TALK] >= s->talk_min && (double)row->n[HOT_REPORT] * s->talk_ratio <= now &&
	       times_more(now, all_now, before, all_before) >= s->rise && is_sure(now, all_now, before, all_before);
}

/* ---- words ------------------------------------------------------------------------------------ */
static void add_char(struct str *t, uint16_t c)
{
	str_addc(t, (char)(0xe0 | c >> 12));
	str_addc(t, (char)(0x80 | (c >> 6 & 0x3f)));
	str_addc(t, (char)(0x80 | (c & 0x3f)));
}

static const char *spelled(const struct hotwords *h, const struct candidate *c, struct arena *a)
{
	CLEANUP(str_done) struct str t = {0};
	uint16_t chars[HOT_LONGEST];

	hot_spell(h, c->length, c->gram, chars);
	for (uint32_t i = 0; i < c->length; i++)
		add_char(&t, chars[i]);
	return arena_strdup(a, t.s);
}

static int64_t now_of(const struct hot_row *row)
{
	return row->n[HOT_REPORT] + row->n[HOT_TALK];
}

static bool is_ignored(const struct hot_settings *s, const char *word)
{
	for (size_t i = 0; i < s->n_ignore; i++)
		if (strstr(word, s->ignore[i]) || strstr(s->ignore[i], word))
			return true;
	return false;
}

static int by_count(const void *a, const void *b)
{
	const struct hot_row *x = a, *y = b;

	if (now_of(x) != now_of(y))
		return now_of(x) < now_of(y) ? 1 : -1;
	return strcmp(x->text, y->text);
}

static int by_rise(const void *a, const void *b)
{
	const struct hot_row *x = a, *y = b;

	if (x->rise < y->rise || x->rise > y->rise)
		return x->rise < y->rise ? 1 : -1;
	return by_count(a, b);
}

static int by_talk(const void *a, const void *b)
{
	const struct hot_row *x = a, *y = b;

	return x->n[HOT_TALK] != y->n[HOT_TALK] ? (x->n[HOT_TALK] < y->n[HOT_TALK] ? 1 : -1) : by_rise(a, b);
}

/* Every longer word takes the place of those within it that hardly stand without it. */
static size_t drop_parts(struct hot_row *rows, size_t n, struct arena *a)
{
	CLEANUP(map_done) struct map by_text = {0};
	size_t left = 0;

	for (size_t i = 0; i < n; i++)
		map_put(&by_text, rows[i].text, &rows[i]);
	for (size_t i = 0; i < n; i++) {
		size_t length = strlen(rows[i].text);

		for (size_t from = 0; from < length; from += 3)
			for (size_t to = from + 6; to <= length; to += 3) {
				struct hot_row *within = to - from == length ? NULL :
					map_get(&by_text, arena_strndup(a, rows[i].text + from, to - from));

				if (within && (double)now_of(&rows[i]) >= WITHIN * (double)now_of(within))
					within->also = "";
			}
	}
	for (size_t i = 0; i < n; i++)
		if (!rows[i].also)
			rows[left++] = rows[i];
	return left;
}

static struct hot_row *all_words(struct hotwords *h, const struct hot_settings *s, struct arena *a, size_t *ret_n)
{
	struct hot_row *rows = arena_alloc(a, (h->candidates.n + 1) * sizeof(*rows));
	size_t n = 0;

	for (size_t i = 0; i < h->candidates.n; i++) {
		const struct candidate *c = &h->candidates.v[i];
		const struct gram *g = &h->levels[c->length].v[c->gram];
		struct hot_row row = {.text = spelled(h, c, a), .cohesion = c->cohesion, .boundary = fmin(c->left, c->right)};

		if (is_ignored(s, row.text))
			continue;
		for (int k = 0; k < N_HOT_CLASS; k++)
			row.n[k] = g->n[k];
		compare(&row, h->n, s->rise);
		rows[n++] = row;
	}
	*ret_n = drop_parts(rows, n, a);
	return rows;
}

/* ---- subjects --------------------------------------------------------------------------------- */
/* Which of the words stand in a text, as bits. */
static uint64_t words_in(const struct hotwords *h, const struct hot_text *text, uint16_t words[][HOT_LONGEST + 1], size_t n)
{
	const uint16_t *chars = h->chars.v;
	uint64_t found = 0;

	for (uint32_t i = text->from; i < text->to; i++)
		for (size_t w = 0; w < n; w++) {
			uint32_t k = 0;

			while (words[w][k] && i + k < text->to && chars[i + k] == words[w][k])
				k++;
			found |= words[w][k] ? 0 : UINT64_C(1) << w;
		}
	return found;
}

static void count_together(const struct hotwords *h, const struct hot_row *rows, size_t n, int64_t together[RISERS][RISERS])
{
	uint16_t words[RISERS][HOT_LONGEST + 1] = {0};

	for (size_t w = 0; w < n; w++) {
		const char *s = rows[w].text;

		for (size_t k = 0; *s; k++)
			words[w][k] = (uint16_t)utf8_next(&s);
	}
	for (size_t t = 0; t < h->texts.n; t++) {
		uint64_t found = h->texts.v[t].what == HOT_TALK ? words_in(h, &h->texts.v[t], words, n) : 0;

		for (uint64_t left = found; left; left &= left - 1)
			for (uint64_t other = found; other; other &= other - 1)
				together[__builtin_ctzll(left)][__builtin_ctzll(other)]++;
	}
}

/* Does a word within it rise that people do report? Then there is nothing new in it. */
static bool is_reported(const struct hot_row *row, const struct hot_row *words, size_t n, const struct hot_settings *s)
{
	for (size_t i = 0; i < n; i++)
		if (words[i].rising && (double)words[i].n[HOT_REPORT] * s->talk_ratio > (double)words[i].n[HOT_TALK] &&
		    strstr(row->text, words[i].text))
			return true;
	return false;
}

static void find_subjects(const struct hotwords *h, const struct hot_settings *s, const struct hot_row *words, size_t n,
			  struct arena *a, struct hot_result *ret)
{
	int64_t (*together)[RISERS] = arena_alloc(a, RISERS * sizeof(*together));
	struct hot_row *rows = arena_alloc(a, (n + 1) * sizeof(*rows));
	size_t some = 0;

	for (size_t i = 0; i < n; i++)
		if (is_only_talk(&words[i], h->n, s) && !is_reported(&words[i], words, n, s))
			rows[some++] = words[i];
	qsort(rows, some, sizeof(*rows), by_talk);
	some = some < RISERS ? some : RISERS;
	count_together(h, rows, some, together);
	ret->subjects = arena_alloc(a, (some + 1) * sizeof(*rows));
	for (size_t i = 0; i < some; i++) {
		if (rows[i].also || ret->n_subjects >= s->proposals)
			continue;
		for (size_t k = i + 1; k < some; k++)
			if (!rows[k].also && (double)together[i][k] >= TOGETHER * (double)together[k][k]) {
				rows[i].also = rows[i].also ? arena_printf(a, "%s、%s", rows[i].also, rows[k].text) : rows[k].text;
				rows[k].also = "";
			}
		ret->subjects[ret->n_subjects++] = rows[i];
	}
}

/* ---- places ----------------------------------------------------------------------------------- */
static void find_places(const struct hotwords *h, const struct hot_settings *s, struct arena *a, struct hot_result *ret)
{
	struct hot_row *rows = arena_alloc(a, (h->grids.n + 1) * sizeof(*rows));

	for (size_t i = 0; i < h->grids.n; i++)
		rows[i].text = arena_strdup(a, h->grids.v[i]);
	for (size_t t = 0; t < h->texts.n; t++)
		if (h->texts.v[t].grid)
			rows[h->texts.v[t].grid - 1].n[h->texts.v[t].what]++;
	ret->places = rows;
	for (size_t i = 0; i < h->grids.n; i++) {
		compare(&rows[i], h->placed, s->rise);
		if (rows[i].rising && now_of(&rows[i]) >= s->min)
			rows[ret->n_places++] = rows[i];
	}
	qsort(rows, ret->n_places, sizeof(*rows), by_rise);
	ret->n_places = ret->n_places < s->top ? ret->n_places : s->top;
}

void hotwords_find(struct hotwords *h, const struct hot_settings *s, struct arena *a, struct hot_result *ret)
{
	struct hot_row *words;
	size_t n;

	*ret = (struct hot_result){0};
	hot_grams(h, s);
	if (hotwords_stopped(h))
		return;
	words = all_words(h, s, a, &n);
	find_subjects(h, s, words, n, a, ret);
	ret->rising = arena_alloc(a, (n + 1) * sizeof(*words));
	for (size_t i = 0; i < n; i++)
		if (words[i].rising)
			ret->rising[ret->n_rising++] = words[i];
	qsort(ret->rising, ret->n_rising, sizeof(*words), by_rise);
	qsort(words, n, sizeof(*words), by_count);
	ret->words = words;
	ret->n_words = n < s->top ? n : s->top;
	ret->n_rising = ret->n_rising < s->top ? ret->n_rising : s->top;
	find_places(h, s, a, ret);
}
