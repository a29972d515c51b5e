/*
 * The reference broken by machine: every key's line in every way that hands and editors break one.
 * Each of some thousand folders must be told the right code on the right line, with no other error
 * in the file before it.
 */
#include "unit/settings_folder.h"

#include "settings/table.h"

static const char *const files[] = {N, C, D, G, R, T, L, K};

/* A line of the reference that holds a key, in parts. */
struct line {
	const char *file;
	int number;
	char indent[32], key[64], value[300], comment[400];     /* comment with the blanks before it */
	bool first;             /* of the file */
	bool item;              /* begins with "- " */
	bool plain;             /* the value is a text without quotes */
	bool text;              /* the value is a text */
};

static bool is_fixed_key(const char *key)
{
	size_t n;
	const struct key_info *keys = settings_keys(&n);

	for (size_t i = 1; i < n; i++)
		if (strcmp(key_leaf(&keys[i]), key) == 0)
			return true;
	return false;
}

/* Names that the office chose stand two blanks deep, but in rules, lifecycle and the first file. */
static bool is_free_name(const struct line *line)
{
	return strlen(line->indent) == 2 && !line->item && strcmp(line->file, R) != 0 && strcmp(line->file, L) != 0 &&
	       strcmp(line->file, N) != 0;
}

static void part(char *to, size_t size, const char *from, const char *end)
{
	size_t n = (size_t)(end - from);

	assert_true(n < size);
	memcpy(to, from, n);
	to[n] = '\0';
}

/* The comment of a line: behind a blank and outside of quotes. */
static const char *comment_of(const char *s, const char *end)
{
	bool quoted = false;

	for (; s < end; s++) {
		quoted ^= *s == '"';
		if (*s == '#' && !quoted && s[-1] == ' ')
			break;
	}
	while (s[-1] == ' ')
		s--;
	return s;
}

static bool read_line(const char *s, const char *end, struct line *ret)
{
	const char *key = s + strspn(s, " "), *colon, *value, *comment;

	part(ret->indent, sizeof(ret->indent), s, key);
	ret->item = strncmp(key, "- ", 2) == 0;
	key += ret->item ? 2 : 0;
	colon = key + strcspn(key, ":# \"{[\n");
	if (colon == key || *colon != ':' || (colon[1] != ' ' && colon[1] != '\n'))
		return false;
	part(ret->key, sizeof(ret->key), key, colon);
	value = colon + 1 + strspn(colon + 1, " ");
	comment = value < end && *value == '#' ? colon + 1 : comment_of(colon + 1, end);
	if (value > comment)
		value = comment;
	part(ret->value, sizeof(ret->value), value, comment);
	part(ret->comment, sizeof(ret->comment), comment, end);
	ret->plain = *ret->value && !strchr("[{\"", *ret->value);
	ret->text = ret->plain || *ret->value == '"';
	return true;
}

/* ---- ways to break a line ---------------------------------------------------------------------- */

struct mutation {
	const char *what, *code;
	int below;              /* the finding is so many lines further down */
	/* Writes the lines that stand instead; false: this line cannot be broken so. */
	bool (*write)(const struct line *l, struct str *out);
};

static void put(struct str *out, const struct line *l, const char *key, const char *colon, const char *value)
{
	str_addf(out, "%s%s%s%s%s%s", l->indent, l->item ? "- " : "", key, colon, value, l->comment);
}

static bool misspell(const struct line *l, struct str *out)
{
	char key[70];

	if (!is_fixed_key(l->key) || is_free_name(l))
		return false;
	snprintf(key, sizeof(key), "%sq", l->key);
	put(out, l, key, ": ", l->value);
	return true;
}

static bool wide_colon(const struct line *l, struct str *out)
{
	put(out, l, l->key, "：", l->value);
	return true;
}

static bool wide_blank(const struct line *l, struct str *out)
{
	put(out, l, l->key, ":　", l->value);
	return *l->value;
}

static bool tab_indent(const struct line *l, struct str *out)
{
	str_addc(out, '\t');
	str_addf(out, "%s%s: %s%s", l->item ? "- " : "", l->key, l->value, l->comment);
	return *l->indent;
}

static bool twice(const struct line *l, struct str *out)
{
	put(out, l, l->key, ": ", l->value);
	str_addf(out, "\n%s%s%s: %s", l->indent, l->item ? "  " : "", l->key, l->value);
	return *l->value;
}

static bool no_value(const struct line *l, struct str *out)
{
	put(out, l, l->key, ":", "");
	return l->text && !is_free_name(l);
}

static bool open_bracket(const struct line *l, struct str *out)
{
	str_addf(out, "%s%s%s: [x, ", l->indent, l->item ? "- " : "", l->key);
	return l->text;
}

static bool open_quote(const struct line *l, struct str *out)
{
	str_addf(out, "%s%s%s: \"%s", l->indent, l->item ? "- " : "", l->key, l->value);
	return l->plain;
}

static bool wide_quotes(const struct line *l, struct str *out)
{
	char value[320];

	snprintf(value, sizeof(value), "“%s”", l->value);
	put(out, l, l->key, ": ", value);
	return l->plain;
}

static bool anchor(const struct line *l, struct str *out)
{
	char value[320];

	snprintf(value, sizeof(value), "&a %s", l->value);
	put(out, l, l->key, ": ", value);
	return *l->value;
}

static bool alias(const struct line *l, struct str *out)
{
	put(out, l, l->key, ": ", "*a");
	return *l->value;
}

static bool tag(const struct line *l, struct str *out)
{
	char value[320];

	snprintf(value, sizeof(value), "!!str %s", l->value);
	put(out, l, l->key, ": ", value);
	return *l->value;
}

static bool broken_byte(const struct line *l, struct str *out)
{
	put(out, l, l->key, ": ", l->value);
	str_add(out, "  # \xff");
	return true;
}

static bool inner_bom(const struct line *l, struct str *out)
{
	str_add(out, l->number > 1 ? "\xef\xbb\xbf" : "# \xef\xbb\xbf");
	put(out, l, l->key, ": ", l->value);
	return true;
}

static bool nul_byte(const struct line *l, struct str *out)
{
	put(out, l, l->key, ": ", l->value);
	str_addn(out, " # \0", 4);
	return true;
}

static bool list_value(const struct line *l, struct str *out)
{
	put(out, l, l->key, ": ", "[[x]]");
	return l->text && !is_free_name(l);
}

static bool second_document(const struct line *l, struct str *out)
{
	str_add(out, "---\n");
	put(out, l, l->key, ": ", l->value);
	/* Before the first key it is a document's honest beginning. */
	return !*l->indent && !l->item && !l->first;
}

static const struct mutation mutations[] = {
	{"a misspelt key", "E10", 0, misspell},
	{"a full-width colon", "E03", 0, wide_colon},
	{"a full-width blank", "E03", 0, wide_blank},
	{"a tab", "E02", 0, tab_indent},
	{"a line twice", "E05", 1, twice},
	{"no value", "E12", 0, no_value},
	{"an open bracket", "E01", 0, open_bracket},
	{"an open quote", "E01", 0, open_quote},
	{"full-width quotes", "E03", 0, wide_quotes},
	{"an anchor", "E06", 0, anchor},
	{"an alias", "E06", 0, alias},
	{"a tag", "E06", 0, tag},
	{"a broken byte", "E04", 0, broken_byte},
	{"a byte-order mark", "E04", 0, inner_bom},
	{"a NUL byte", "E04", 0, nul_byte},
	{"a list of lists", "E12", 0, list_value},
	{"a second document", "E01", 1, second_document},
};

/* ---- all of them --------------------------------------------------------------------------------- */

static bool is_told(const struct settings *settings, const char *file, int line, const char *code)
{
	bool told = false;

	for (size_t i = 0; i < settings->findings.n; i++) {
		const struct finding *f = &settings->findings.v[i];

		if (strcmp(f->file, file) != 0)
			continue;
		if (f->severity == SEVERITY_ERROR && f->line < line)
			return false;
		told |= f->line == line && strcmp(f->code, code) == 0;
	}
	return told;
}

struct tally {
	size_t done, wrong, of[ARRAY_LEN(mutations)];
};

static void break_line(const struct line *l, const char *text, size_t len, const char *start, const char *end,
		       struct tally *tally)
{
	for (size_t m = 0; m < ARRAY_LEN(mutations); m++) {
		CLEANUP(str_done) struct str out = {0};
		int line = l->number + mutations[m].below;
		struct settings *settings;

		str_addn(&out, text, (size_t)(start - text));
		if (!mutations[m].write(l, &out))
			continue;
		str_addn(&out, end, (size_t)(text + len - end));
		write_bytes(l->file, out.s, out.len);
		settings = load(copy, LOAD_SECRETS_OPTIONAL);
		tally->done++;
		tally->of[m]++;
		if (!is_told(settings, l->file, line, mutations[m].code)) {
			print_findings(settings);
			print_message("%s:%d %s: %s: wanted %s in line %d\n", l->file, l->number, l->key, mutations[m].what,
				      mutations[m].code, line);
			tally->wrong++;
		}
		settings_unref(settings);
	}
}

static void every_broken_line_of_the_reference_is_found(void **state)
{
	struct tally tally = {0};

	(void)state;
	fresh_copy();
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		CLEANUP(str_done) struct str text = {0};
		char path[PATH_MAX];
		bool first = true;
		int number = 0;

		snprintf(path, sizeof(path), "%s/%s", copy, files[i]);
		read_file(path, &text);
		for (const char *s = text.s, *end; *s; s = end + 1) {
			struct line line = {.file = files[i], .number = ++number, .first = first};

			end = strchr(s, '\n');
			if (!read_line(s, end, &line))
				continue;
			first = false;
			break_line(&line, text.s, text.len, s, end, &tally);
		}
		write_bytes(files[i], text.s, text.len);
	}
	for (size_t m = 0; m < ARRAY_LEN(mutations); m++)
		print_message("%4zu %s\n", tally.of[m], mutations[m].what);
	print_message("%zu broken folders, %zu told wrongly\n", tally.done, tally.wrong);
	assert_int_equal(tally.wrong, 0);
	assert_true(tally.done >= 200);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_broken_line_of_the_reference_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_in_february(run);
}
