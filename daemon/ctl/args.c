/* Not getopt: its abbreviations would freeze every flag's spelling, and it cannot say what was meant. */
#include "ctl/args.h"

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

enum { WORD_MAX = 48, NEAR = 2, FAR = 9, NAMES = 96 };

int args_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	int row[3][WORD_MAX + 1];       /* two rows back, for swapped neighbours */

	if (n > WORD_MAX || m > WORD_MAX)
		return FAR;
	for (size_t j = 0; j <= m; j++)
		row[0][j] = (int)j;
	for (size_t i = 1; i <= n; i++) {
		int *now = row[i % 3], *up = row[(i - 1) % 3], *up2 = row[(i + 1) % 3];

		now[0] = (int)i;
		for (size_t j = 1; j <= m; j++) {
			int best = up[j - 1] + (a[i - 1] != b[j - 1]);

			if (up[j] + 1 < best)
				best = up[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    up2[j - 2] + 1 < best)
				best = up2[j - 2] + 1;
			now[j] = best;
		}
	}
	return row[n % 3][m] < FAR ? row[n % 3][m] : FAR;
}

const char *args_nearest(const char *word, const char *const *candidates, size_t n)
{
	const char *best = NULL;
	int best_distance = NEAR + 1;

	for (size_t i = 0; i < n; i++) {
		int d = args_distance(word, candidates[i]);

		/* Short words are near to everything: half of the letters must be right. */
		if (d < best_distance && 2 * d <= (int)strlen(word)) {
			best_distance = d;
			best = candidates[i];
		}
	}
	return best;
}

static const struct flag *find(const struct args *args, const char *name, size_t len, char letter)
{
	for (size_t t = 0; t < ARGS_TABLES; t++)
		for (const struct flag *f = args->tables[t]; f && f->name; f++)
			if (name ? strlen(f->name) == len && memcmp(f->name, name, len) == 0
				 : f->letter == letter)
				return f;
	return NULL;
}

static int unknown(const struct args *args, const char *word, struct err *e)
{
	const char *names[NAMES], *near;
	char bare[WORD_MAX + 1];
	size_t n = 0;

	for (size_t t = 0; t < ARGS_TABLES; t++)
		for (const struct flag *f = args->tables[t]; f && f->name && n < NAMES; f++)
			names[n++] = f->name;
	snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	near = word[1] == '-' ? args_nearest(bare, names, n) : NULL;
	if (near)
		return err_code(e, ERR_BAD, "usage", "there is no flag %.*s: did you mean --%s?",
				(int)strcspn(word, "="), word, near);
	return err_code(e, ERR_BAD, "usage", "there is no flag %.*s", (int)strcspn(word, "="), word);
}

/* One flag; returns how many words it took. */
static int take_flag(struct args *args, char *const *words, int n, struct err *e)
{
	const char *word = words[0];
	bool is_long = word[1] == '-';
	const char *equals = is_long ? strchr(word, '=') : NULL;
	const char *glued = equals ? equals + 1 : !is_long && word[2] ? word + 2 : NULL;
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	const struct flag *f = is_long ? find(args, word + 2, len - 2, 0) : find(args, NULL, 0, word[1]);
	const char *value = "";
	int used = 1;

	/* -n3 is -n 3, but switches do not stand together. */
	if (!f || (!is_long && glued && !f->value))
		return unknown(args, word, e);
	if (!f->value && glued)
		return err_code(e, ERR_BAD, "usage", "--%s takes no value", f->name);
	if (glued) {
		value = glued;
	} else if (f->value) {
		if (n < 2)
			return err_code(e, ERR_BAD, "usage", "--%s needs %s", f->name, f->value);
		value = words[1];
		used = 2;
	}
	if (!str_is_utf8(value, strlen(value)))
		return err_code(e, ERR_BAD, "usage", "the value of --%s is not UTF-8", f->name);
	if (args->n_given == ARGS_GIVEN)
		return err_code(e, ERR_BAD, "usage", "too many flags");
	args->given[args->n_given].flag = f;
	args->given[args->n_given++].value = value;
	return used;
}

int args_parse(struct args *args, char *const *words, int n, bool stop_at_operand, struct err *e)
{
	bool flags_end = false;
	int at = 0;

	while (at < n) {
		const char *word = words[at];

		if (!flags_end && str_equal(word, "--")) {
			flags_end = true;
			at++;
		} else if (!flags_end && word[0] == '-' && word[1]) {
			int used = take_flag(args, words + at, n - at, e);

			if (used < 0)
				return used;
			at += used;
		} else {
			if (args->n_operands == ARGS_OPERANDS || !str_is_utf8(word, strlen(word)))
				return err_code(e, ERR_BAD, "usage", "too many words, or not UTF-8");
			args->operands[args->n_operands++] = word;
			at++;
			if (stop_at_operand)
				return at;
		}
	}
	return at;
}

const char *args_next(const struct args *args, const char *name, size_t *at)
{
	while (*at < args->n_given) {
		size_t i = (*at)++;

		if (str_equal(args->given[i].flag->name, name))
			return args->given[i].value;
	}
	return NULL;
}

const char *args_get(const struct args *args, const char *name)
{
	const char *value, *last = NULL;
	size_t at = 0;

	while ((value = args_next(args, name, &at)))
		last = value;
	return last;
}

bool args_has(const struct args *args, const char *name)
{
	return args_get(args, name) != NULL;
}
