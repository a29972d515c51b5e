/* The normal form of a file: what changes, what stays, and that nothing is ever lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "settings/fmt.h"
#include "settings/source.h"
#include "settings/table.h"

static int format(const char *text, struct str *out, struct err *e)
{
	struct arena a = {0};
	struct source source;
	size_t n;
	int r;

	source_init(&source, "x.yaml", text, strlen(text), &a);
	r = fmt_text(&source, settings_keys(&n), out, e);
	arena_done(&a);
	return r;
}

static void each_text_has_one_normal_form(void **state)
{
	static const struct {
		const char *name, *before, *after;
	} rows[] = {
		{"nothing", "", ""},
		{"only comments", "\n\n# a\n\n\n# b\n", "# a\n\n# b\n"},
		{"order of the table", "tenant: {prefix: ABC, id: a}\nversion: 1\n",
		 "version: 1\ntenant: {id: a, prefix: ABC}\n"},
		{"free names stay in their order", "departments:\n  b: {name: B}\n  a: {kind: office, name: A}\n",
		 "departments:\n  b: {name: B}\n  a: {name: A, kind: office}\n"},
		{"rules stay in their order",
		 "rules:\n- then: {policy: p, dept: d}\n  id: b\n- {then: {dept: d}, id: a}\n",
		 "rules:\n  - id: b\n    then: {dept: d, policy: p}\n  - {id: a, then: {dept: d}}\n"},
		{"indentation", "tenant:\n        id: a\n        prefix: AB\n", "tenant:\n  id: a\n  prefix: AB\n"},
		{"codes get quotes", "categories:\n  a: {codes: [0012, 12, \"7\", 1e3]}\n  b: {codes: 0013}\n",
		 "categories:\n  a: {codes: [\"0012\", 12, \"7\", \"1e3\"]}\n  b: {codes: \"0013\"}\n"},
		{"grids too", "departments:\n  a: {covers: [0410, 410106*]}\n",
		 "departments:\n  a: {covers: [\"0410\", 410106*]}\n"},
		{"other texts keep what they had", "tenant: {name: 'it''s', id: \"x\", prefix: no}\n",
		 "tenant: {id: \"x\", name: 'it''s', prefix: no}\n"},
		{"blank lines", "\nversion: 1\n\n\n\ntests: []\n\n\n", "version: 1\n\ntests: []\n"},
		{"no blank line at the top of a block", "tenant:\n\n  id: a\n\n  prefix: AB\n",
		 "tenant:\n  id: a\n\n  prefix: AB\n"},
		{"braces over lines become lines", "tests: [a,\n  b]\ntenant: {id: a,\n  prefix: AB}\n",
		 "tenant:\n  id: a\n  prefix: AB\ntests:\n  - a\n  - b\n"},
		{"lined up values", "windows:\n  a:  \"1:00-2:00\"\n  夜间: \"3:00-4:00\"\n\n  ccccccccc: \"5:00-6:00\"\n",
		 "windows:\n  a:    \"1:00-2:00\"\n  夜间: \"3:00-4:00\"\n\n  ccccccccc: \"5:00-6:00\"\n"},
		{"not lined up values", "windows:\n  a: \"1:00-2:00\"\n  夜间: \"3:00-4:00\"\n",
		 "windows:\n  a: \"1:00-2:00\"\n  夜间: \"3:00-4:00\"\n"},
		{"a text over lines", "replies:\n  closed: \"a\n    b\"\n  late: c\n    d\n",
		 "replies:\n  late: c d\n  closed: \"a b\"\n"},
		{"a text of lines", "replies:\n  closed: |   # head\n      a\n       b\n\n      c\n  late: >-\n    x\n    y\n",
		 "replies:\n  late: |-\n    x y\n  closed: |   # head\n    a\n     b\n\n    c\n"},
		{"an entry with nothing", "categories:\n  市政:\n  \"a: b\": {}\ncopies:\n",
		 "categories:\n  市政:\n  \"a: b\": {}\ncopies:\n"},
		{"a value that is left out at the end", "version: 1\n? tests", "version: 1\ntests:\n"},
		{"CR LF", "version: 1\r\ntests: []   # a\r\n", "version: 1\ntests: []   # a\n"},
		{"a document's head", "%YAML 1.1\n--- # x\nversion: 1\n...\n", "# x\nversion: 1\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str out = {0};
		struct err e = {0};

		if (format(rows[i].before, &out, &e) != 0)
			fail_msg("%s: %s", rows[i].name, e.text);
		if (strcmp(out.s ? out.s : "", rows[i].after) != 0)
			fail_msg("%s:\n%s--- wanted\n%s", rows[i].name, out.s, rows[i].after);
		str_done(&out);
	}
}

static void comments_stay_with_what_they_speak_of(void **state)
{
	static const struct {
		const char *name, *before, *after;
	} rows[] = {
		{"above a key", "# t\ntests: []\n# v\nversion: 1\n", "# v\nversion: 1\n# t\ntests: []\n"},
		{"of the file", "# the file\n\n# t\ntests: []\nversion: 1\n", "# the file\n\nversion: 1\n# t\ntests: []\n"},
		{"behind a value", "tests: []   # t\nversion: 1 # v\n", "version: 1 # v\ntests: []   # t\n"},
		{"behind what grew", "categories:\n  a: {codes: 012} # c\n", "categories:\n  a: {codes: \"012\"}  # c\n"},
		{"behind the head of a block", "rules: # r\n  - id: a # i\n    then: # t\n      dept: d # d\n",
		 "rules: # r\n  - id: a # i\n    then: # t\n      dept: d # d\n"},
		{"between items", "rules:\n  # a\n  - id: a\n\n  # b\n\n  - id: b\n", "rules:\n  # a\n  - id: a\n\n  # b\n\n  - id: b\n"},
		{"at the end of a block", "rules:\n  - id: a\n  # - id: b\n\n# c\ncopies: []\n",
		 "rules:\n  - id: a\n  # - id: b\n\n# c\ncopies: []\n"},
		{"at the end of the file", "tenant:\n  id: a\n  # in\n# out\n", "tenant:\n  id: a\n  # in\n# out\n"},
		{"inside braces", "tests: [a, # one\n  # two\n  b] # three\n", "tests:\n  - a      # one\n  # two\n  - b  # three\n"},
		{"between a key and its value", "version:\n  # one\n  1\n", "# one\nversion: 1\n"},
		{"above the first key of an item", "rules:\n  - when: {channel: a}\n    # the name\n    id: b\n",
		 "rules:\n  # the name\n  - id: b\n    when: {channel: a}\n"},
		{"a hash in a text is none", "tenant: {name: \"a # b\", id: a#b}\n", "tenant: {id: a#b, name: \"a # b\"}\n"},
		{"a hash in a text of lines is none", "replies:\n  closed: |\n    # a\n    b # c\n  # d\n",
		 "replies:\n  closed: |\n    # a\n    b # c\n  # d\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str out = {0};
		struct err e = {0};

		if (format(rows[i].before, &out, &e) != 0)
			fail_msg("%s: %s", rows[i].name, e.text);
		if (strcmp(out.s ? out.s : "", rows[i].after) != 0)
			fail_msg("%s:\n%s--- wanted\n%s", rows[i].name, out.s, rows[i].after);
		str_done(&out);
	}
}

static void what_cannot_be_read_is_left_alone(void **state)
{
	static const char *const rows[] = {"a: [", "a: &x 1\n", "a: 1\na: 2\n", "- 1\n", "a: 1\rb: 2\n", "a:\n\tb: 1\n",
					   "a: \"\xff\"\n", "a: 1\xc2\x85\nb: 2\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str out = {0};
		struct err e = {0};

		assert_int_equal(format(rows[i], &out, &e), ERR_BAD);
		assert_true(strlen(e.text) > 10);
		str_done(&out);
	}
}

static uint32_t dice(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33) % n;
}

/* Lines thrown together: what is YAML by chance must be formatted, or refused, and never change its meaning. */
static void whatever_is_thrown_at_it_is_formatted_safely_or_refused(void **state)
{
	static const char *const lines[] = {
		"rules:\n", "  - id: a\n", "    when: {grid: [0012, b]}\n", "    then: {dept: d}   # x\n", "# c\n", "  # d\n",
		"      # e\n", "\n", "tenant: {id: a, # f\n", "  prefix: AB}\n", "tests: [a,\n", " b]\n", "categories:\n",
		"  市政:    {codes: 0012}\n", "  物业/漏水:\n", "replies:\n", "  closed: |\n", "    text # no\n", "  late: >-\n",
		"  - \n", "    id: z\n", "version: 1 # v\n", "windows: {}\n", "? a\n", ": b\n", "\"q\n  r\": 1\n", "---\n",
		"copies:\n", "- id: c\n", "  to: [x]\n", "# lint: allow W05 why\n",
	};
	uint64_t seed = 4;
	size_t good = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct str text = {0}, out = {0};
		struct err e = {0};

		for (uint32_t i = 0, n = 1 + dice(&seed, 9); i < n; i++)
			str_add(&text, lines[dice(&seed, ARRAY_LEN(lines))]);
		if (format(text.s, &out, &e) == 0)
			good++;
		else if (!strstr(e.text, "has errors") && !strstr(e.text, "unusual"))
			fail_msg("%s\n%s---\n%s", e.text, text.s, out.s);
		str_done(&text);
		str_done(&out);
	}
	assert_true(good > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_text_has_one_normal_form),
		cmocka_unit_test(comments_stay_with_what_they_speak_of),
		cmocka_unit_test(what_cannot_be_read_is_left_alone),
		cmocka_unit_test(whatever_is_thrown_at_it_is_formatted_safely_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
