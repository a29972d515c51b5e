/* Lists as files that offices open: what a spreadsheet makes of a text that others wrote, and that a file is whole or not there. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "intake/sheet.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static char folder[] = "/tmp/needle-sheet-XXXXXX";

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	(void)state;
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *path_of(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static const char *content_of(const char *name)
{
	static char text[1000];
	FILE *f = fopen(path_of(name), "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	assert_non_null(f);
	fclose(f);
	text[n] = '\0';
	return text;
}

static void a_cell_is_text_and_never_a_formula(void **state)
{
	static const struct {
		const char *cell, *want;
	} rows[] = {
		{"井盖破损", "井盖破损"},
		{NULL, ""},
		{"", ""},
		{"一,二", "\"一,二\""},
		{"说\"好\"了", "\"说\"\"好\"\"了\""},
		{"两\n行", "\"两\n行\""},
		{"=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""},
		{"@SUM(A1)", "\"'@SUM(A1)\""},
		{"+cmd|' /C calc'!A0", "\"'+cmd|' /C calc'!A0\""},
		{"-2+3+cmd", "\"'-2+3+cmd\""},
		{"\t=1", "\"'\t=1\""},
		{"\r=1", "\"'\r=1\""},
		{"-5.5%", "-5.5%"},
		{"+8613800000000", "+8613800000000"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *const headings[] = {"标题", "尾"}, *const cells[] = {rows[i].cell, "x"}, *const *const lines[] = {cells};
		const struct sheet s = {.title = "清单", .headings = headings, .columns = 2, .rows = lines, .n = 1};
		char want[200];
		struct err e = {0};

		if (sheet_write(folder, "list", &s, &e) < 0)
			fail_msg("%s", e.text);
		snprintf(want, sizeof(want), "\xef\xbb\xbf标题,尾\r\n%s,x\r\n", rows[i].want);
		assert_string_equal(content_of("list.csv"), want);
		assert_memory_equal(content_of("list.xlsx"), "PK", 2);
		assert_int_not_equal(access(path_of("list.csv.part"), F_OK), 0);
		assert_int_not_equal(access(path_of("list.xlsx.part"), F_OK), 0);
	}
}

static void what_cannot_be_written_is_told_and_the_old_list_stays(void **state)
{
	const char *const headings[] = {"标题"}, *const cells[] = {"新"}, *const *const lines[] = {cells};
	const struct sheet s = {.title = "清单", .headings = headings, .columns = 1, .rows = lines, .n = 1};
	char file[200], under[220];
	struct err e = {0};

	(void)state;
	assert_int_equal(sheet_write_text(folder, "plain", "here", &e), 0);
	assert_string_equal(content_of("plain"), "here");
	snprintf(file, sizeof(file), "%s", path_of("plain"));
	snprintf(under, sizeof(under), "%s/under", file);
	assert_int_equal(sheet_write(under, "list", &s, &e), ERR_SYS);          /* a file is no folder */
	assert_non_null(strstr(e.text, "cannot make the folder"));
	assert_int_equal(sheet_write(file, "list", &s, &e), ERR_SYS);
	assert_non_null(strstr(e.text, "cannot write"));
	/* Something else stands where the list would. */
	assert_int_equal(mkdir(path_of("list.csv"), 0700), 0);
	assert_int_equal(sheet_write(folder, "list", &s, &e), ERR_SYS);
	assert_non_null(strstr(e.text, "cannot write"));
	assert_int_equal(mkdir(path_of("other.xlsx"), 0700), 0);
	assert_int_equal(sheet_write(folder, "other", &s, &e), ERR_SYS);
	assert_int_equal(mkdir(path_of("third.xlsx.part"), 0700), 0);
	assert_int_equal(sheet_write(folder, "third", &s, &e), ERR_SYS);
	assert_string_equal(content_of("plain"), "here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_cell_is_text_and_never_a_formula, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_written_is_told_and_the_old_list_stays, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
