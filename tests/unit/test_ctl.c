/* The pure parts of needlectl: words in, columns out. They are in no library, so they are included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "store/version.h"

#include "ctl/args.c"
#include "ctl/grid.c"
#include "ctl/members.c"

static const struct flag some[] = {
	{"channel", 0, "ID", ""}, {"strict", 0, NULL, ""}, {"count", 'n', "K", ""}, {"set", 0, "M=V", ""},
	{"at", 0, "TIME", ""},	  {"parties", 0, "LIST", ""}, {0}};
static const struct flag common[] = {{"config", 'c', "DIR", ""}, {"help", 'h', NULL, ""}, {0}};

/* Splits at '|', because arguments may hold blanks. */
static int parse(struct args *args, const char *line, bool stop, struct err *e)
{
	static char copy[512];
	char *words[40], *save = NULL;
	int n = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok_r(copy, "|", &save); w; w = strtok_r(NULL, "|", &save))
		words[n++] = w;
	*args = (struct args){.tables = {common, some}};
	return args_parse(args, words, n, stop, e);
}

static void flags_may_stand_anywhere(void **state)
{
	struct args args;
	struct err e;

	(void)state;
	assert_int_equal(parse(&args, "5 工作日|--at=2026-01-01|-n|3|--strict|-c|conf|--|--channel", false, &e), 9);
	assert_int_equal(args.n_operands, 2);
	assert_string_equal(args.operands[0], "5 工作日");
	assert_string_equal(args.operands[1], "--channel");
	assert_string_equal(args_get(&args, "at"), "2026-01-01");
	assert_string_equal(args_get(&args, "count"), "3");
	assert_string_equal(args_get(&args, "config"), "conf");
	assert_true(args_has(&args, "strict"));
	assert_false(args_has(&args, "help"));
}

static void a_short_flag_may_have_its_value_glued_to_it(void **state)
{
	struct args args;
	struct err e;

	(void)state;
	assert_int_equal(parse(&args, "-n3|-c/etc/needle|word|-n=4", false, &e), 4);
	assert_string_equal(args_get(&args, "config"), "/etc/needle");
	assert_string_equal(args_get(&args, "count"), "=4");
	assert_int_equal(args.n_operands, 1);
	assert_int_equal(args.n_given, 3);
}

static void the_verb_ends_the_first_pass(void **state)
{
	struct args args;
	struct err e;

	(void)state;
	assert_int_equal(parse(&args, "-c|conf|check|--strict", true, &e), 3);
	assert_string_equal(args.operands[0], "check");
	assert_int_equal(args.n_given, 1);
}

static void the_last_one_given_counts_but_lists_have_all(void **state)
{
	struct args args;
	struct err e;
	size_t at = 0;

	(void)state;
	assert_true(parse(&args, "--set|a=1|--set|b=2", false, &e) > 0);
	assert_string_equal(args_get(&args, "set"), "b=2");
	assert_string_equal(args_next(&args, "set", &at), "a=1");
	assert_string_equal(args_next(&args, "set", &at), "b=2");
	assert_null(args_next(&args, "set", &at));
}

static void wrong_words_are_refused_with_what_was_meant(void **state)
{
	static const struct {
		const char *line, *want;
	} rows[] = {
		{"--chanel|x", "there is no flag --chanel: did you mean --channel?"},
		{"--chanel=x", "there is no flag --chanel: did you mean --channel?"},
		{"--hepl", "there is no flag --hepl: did you mean --help?"},
		{"--frobnicate", "there is no flag --frobnicate"},
		{"-x", "there is no flag -x"},
		{"-hx", "there is no flag -hx"},
		{"-xn", "there is no flag -xn"},
		{"--channel", "--channel needs ID"},
		{"--strict=1", "--strict takes no value"},
		{"--channel|\xff", "the value of --channel is not UTF-8"},
		{"\xff", "too many words, or not UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct args args;
		struct err e = {0};

		assert_int_equal(parse(&args, rows[i].line, false, &e), ERR_BAD);
		assert_string_equal(e.code, "usage");
		assert_string_equal(e.text, rows[i].want);
	}
}

static void nearness_is_what_fingers_do(void **state)
{
	static const struct {
		const char *a, *b;
		int want;
	} rows[] = {
		{"", "", 0}, {"status", "status", 0}, {"satus", "status", 1}, {"sattus", "status", 1},
		{"statuss", "status", 1}, {"stbtus", "status", 1}, {"abc", "", 3}, {"abc", "xyz", 3},
	};
	static const char *const verbs[] = {"show", "status", "drain", "do"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(args_distance(rows[i].a, rows[i].b), rows[i].want);
	assert_string_equal(args_nearest("stauts", verbs, 4), "status");
	assert_string_equal(args_nearest("drian", verbs, 4), "drain");
	assert_null(args_nearest("x", verbs, 4));
	assert_null(args_nearest("elephant", verbs, 4));
}

static void columns_stand_under_each_other_in_chinese(void **state)
{
	static const char *const cells[] = {"单位", "id", "n", "城管办（综合执法）", "chengguan", "1", "x", NULL, "22"};
	struct grid_table table = {.columns = 3};
	struct str out = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cells); i++)
		grid_cell(&table, cells[i]);
	grid_print(&table, &out);
	assert_string_equal(out.s, "单位                id         n\n"
				   "城管办（综合执法）  chengguan  1\n"
				   "x                   -          22\n");
	grid_done(&table);
	str_done(&out);
}

static void strangers_cannot_move_the_cursor(void **state)
{
	struct str out = {0};

	(void)state;
	grid_safe(&out, "a\x1b[2Jb\nc\xff" "\xe2\x80\xae" "d好");
	assert_string_equal(out.s, "a·[2Jb·c··d好");
	assert_int_equal(grid_width("a\x1b" "好"), 4);
	str_done(&out);
}

static void help_is_wrapped_at_blanks(void **state)
{
	struct str out = {0};

	(void)state;
	grid_wrap(&out, "one two three four\nnew line", 2, 9);
	assert_string_equal(out.s, "  one two\n  three\n  four\n  new line\n");
	str_done(&out);
}

static void flags_become_members(void **state)
{
	static const struct member members[] = {{"channel", "place.grid", MEMBER_TEXT}, {"at", "time", MEMBER_TIME},
						{"parties", "parties", MEMBER_LIST}, {"strict", "reporter.secret", MEMBER_TRUE}};
	static const struct {
		const char *line, *want;
	} rows[] = {
		{"--channel|0012", "{\"place\":{\"grid\":\"0012\"}}"},
		{"--at|2026-11-20 08:31", "{\"time\":\"2026-11-20T08:31:00+08:00\"}"},
		{"--at|soon", NULL},
		{"--parties|a,b", "{\"parties\":[\"a\",\"b\"]}"},
		{"--strict", "{\"reporter\":{\"secret\":true}}"},
		{"--set|a.b=1|--set|a.c=x y|--set|d=[1,2]|--set|e=0012",
		 "{\"a\":{\"b\":1,\"c\":\"x y\"},\"d\":[1,2],\"e\":\"0012\"}"},
		{"--set|a=1|--set|a.b=2", NULL},
		{"--set|a.=2", NULL},
		{"--set|=2", NULL},
		{"--set|a", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *into = json_object();
		struct args args;
		struct err e = {0};
		char *text;
		int r;

		assert_true(parse(&args, rows[i].line, false, &e) > 0);
		r = members_fill(&args, members, ARRAY_LEN(members), into, &e);
		assert_int_equal(r, rows[i].want ? 0 : ERR_BAD);
		text = json_dumps(into, JSON_COMPACT);
		if (rows[i].want)
			assert_string_equal(text, rows[i].want);
		free(text);
		json_decref(into);
	}
}

/* ---- migrations ---- */

static void touch(const char *folder, const char *name)
{
	CLEANUP(str_done) struct str path = {0};
	FILE *f;

	str_addf(&path, "%s/%s", folder, name);
	f = fopen(path.s, "w");
	assert_non_null(f);
	fclose(f);
}

static void drop(const char *folder, const char *name)
{
	CLEANUP(str_done) struct str path = {0};

	str_addf(&path, "%s/%s", folder, name);
	assert_int_equal(unlink(path.s), 0);
}

static void the_schema_folder_is_what_this_program_works_with(void **state)
{
	struct migration m[MIGRATIONS];
	size_t n;
	struct err e = {0};

	(void)state;
	if (access("schema", R_OK) != 0)
		skip();
	if (version_folder("schema", m, MIGRATIONS, &n, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(n, SCHEMA_VERSION);
}

static void a_folder_with_a_hole_is_refused(void **state)
{
	char folder[] = "/tmp/needle-schema-XXXXXX";
	struct migration m[4];
	struct err e = {0};
	size_t n;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(version_folder(folder, m, 4, &n, &e), ERR_BAD);
	touch(folder, "002_second.sql");
	touch(folder, "README.md");
	assert_int_equal(version_folder(folder, m, 4, &n, &e), ERR_BAD);
	assert_non_null(strstr(e.text, "002_second.sql should have number 001"));
	assert_int_equal(version_folder("/nowhere", m, 4, &n, &e), ERR_BAD);
	drop(folder, "002_second.sql");
	drop(folder, "README.md");
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_may_stand_anywhere),
		cmocka_unit_test(a_short_flag_may_have_its_value_glued_to_it),
		cmocka_unit_test(the_verb_ends_the_first_pass),
		cmocka_unit_test(the_last_one_given_counts_but_lists_have_all),
		cmocka_unit_test(wrong_words_are_refused_with_what_was_meant),
		cmocka_unit_test(nearness_is_what_fingers_do),
		cmocka_unit_test(columns_stand_under_each_other_in_chinese),
		cmocka_unit_test(strangers_cannot_move_the_cursor),
		cmocka_unit_test(help_is_wrapped_at_blanks),
		cmocka_unit_test(flags_become_members),
		cmocka_unit_test(the_schema_folder_is_what_this_program_works_with),
		cmocka_unit_test(a_folder_with_a_hole_is_refused),
	};

	return cmocka_run_group_tests_name("ctl", tests, NULL, NULL);
}
