/* The language of people: which one is chosen, what is translated, and what stays English. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"
#include "base/tongue.h"
#include "base/vec.h"

static char folder[] = "/tmp/needle-tongue-XXXXXX";
static const char *const variables[] = {"LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"};

/* The smallest catalogue: two texts, in the byte order of this machine (gettext's manual, "The Format of GNU MO Files"). */
static void write_catalogue(const char *path)
{
	static const char *const texts[][2] = {
		{"", "Content-Type: text/plain; charset=UTF-8\n"},
		{"%s has no officer %s", "%2$s 不是 %1$s 的人"},
		{"in the yard: ", "院子里："},
		{"the payload is empty", "报文是空的"},
	};
	uint32_t head[7] = {0x950412de, 0, ARRAY_LEN(texts), 28, 28 + 8 * ARRAY_LEN(texts), 0, 0};
	uint32_t at = 28 + 16 * ARRAY_LEN(texts);
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	fwrite(head, sizeof(head), 1, f);
	for (int side = 0; side < 2; side++)
		for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
			uint32_t row[2] = {(uint32_t)strlen(texts[i][side]), at};

			fwrite(row, sizeof(row), 1, f);
			at += row[0] + 1;
		}
	for (int side = 0; side < 2; side++)
		for (size_t i = 0; i < ARRAY_LEN(texts); i++)
			fwrite(texts[i][side], strlen(texts[i][side]) + 1, 1, f);
	fclose(f);
}

static const char *inside(const char *path)
{
	static char whole[200];

	snprintf(whole, sizeof(whole), "%s%s", folder, path);
	return whole;
}

static int make_catalogue(void **state)
{
	static const char *const parts[] = {"/zh_CN", "/zh_CN/LC_MESSAGES"};

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		assert_int_equal(mkdir(inside(parts[i]), 0700), 0);
	write_catalogue(inside("/zh_CN/LC_MESSAGES/needle.mo"));
	return setenv("NEEDLE_LOCALE", folder, 1);
}

static int drop_catalogue(void **state)
{
	(void)state;
	unlink(inside("/zh_CN/LC_MESSAGES/needle.mo"));
	rmdir(inside("/zh_CN/LC_MESSAGES"));
	rmdir(inside("/zh_CN"));
	return rmdir(folder);
}

static void language_follows_the_flag_then_the_environment_by_its_text(void **state)
{
	static const struct {
		const char *flag, *values[ARRAY_LEN(variables)], *want;
	} rows[] = {
		{NULL, {NULL, NULL, NULL, NULL}, "en"},
		{NULL, {NULL, NULL, NULL, "zh_CN.UTF-8"}, "zh_CN"},
		{NULL, {NULL, NULL, NULL, "zh_TW.Big5"}, "zh_CN"},
		{NULL, {NULL, NULL, NULL, "zhang"}, "en"},
		{NULL, {NULL, NULL, NULL, "en_US.UTF-8"}, "en"},
		{NULL, {NULL, NULL, NULL, "fr_FR.UTF-8"}, "en"},
		{"en", {NULL, NULL, NULL, "zh_CN.UTF-8"}, "en"},
		{"zh", {NULL, NULL, NULL, "C"}, "zh_CN"},
		{"zh", {"en", "C", "C", "C"}, "zh_CN"},
		{NULL, {NULL, "C", NULL, "zh_CN.UTF-8"}, "en"},
		{NULL, {NULL, "C.UTF-8", NULL, "zh_CN.UTF-8"}, "en"},
		{NULL, {NULL, "POSIX", NULL, "zh_CN.UTF-8"}, "en"},
		{NULL, {NULL, "de_DE", NULL, "zh_CN.UTF-8"}, "en"},
		{NULL, {NULL, NULL, "zh_CN", "C"}, "zh_CN"},
		{NULL, {NULL, "", "", "zh_CN"}, "zh_CN"},
		{NULL, {"zh", "C", NULL, "C"}, "zh_CN"},
		{NULL, {"fr:zh_CN:en", NULL, NULL, "fr_FR"}, "zh_CN"},
		{NULL, {"en:zh_CN", NULL, NULL, "zh_CN"}, "en"},
		{NULL, {"", NULL, NULL, "zh_CN"}, "zh_CN"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t j = 0; j < ARRAY_LEN(variables); j++)
			if (rows[i].values[j])
				setenv(variables[j], rows[i].values[j], 1);
			else
				unsetenv(variables[j]);
		tongue_init(rows[i].flag);
		if (strcmp(tongue_name(), rows[i].want) != 0)
			fail_msg("row %zu speaks %s, not %s", i, tongue_name(), rows[i].want);
		assert_string_equal(_("the payload is empty"),
				    strcmp(rows[i].want, "en") == 0 ? "the payload is empty" : "报文是空的");
	}
}

static void speak(const char *language)
{
	for (size_t j = 0; j < ARRAY_LEN(variables); j++)
		unsetenv(variables[j]);
	tongue_init(language);
}

static void what_has_no_translation_stays_english(void **state)
{
	(void)state;
	speak("zh");
	assert_string_equal(_("nobody translated this"), "nobody translated this");
	assert_string_equal(tongue(""), "");    /* not the catalogue's header */
	assert_null(tongue(NULL));
	setenv("NEEDLE_LOCALE", "/nonexistent", 1);
	speak("zh");
	assert_string_equal(_("the payload is empty"), "the payload is empty");
	setenv("NEEDLE_LOCALE", folder, 1);
}

static void an_error_is_chinese_for_people_and_english_for_the_log(void **state)
{
	struct err e = {0};

	(void)state;
	speak("zh");
	err_code(&e, ERR_BAD, "no-officer", "%s has no officer %s", "城管办", "zhou");
	assert_string_equal(e.text, "城管办 has no officer zhou");
	assert_string_equal(err_said(&e), "zhou 不是 城管办 的人");
	assert_string_equal(e.code, "no-officer");
	err_prefix(&e, "in the yard: ");
	assert_string_equal(e.text, "in the yard: 城管办 has no officer zhou");
	assert_string_equal(err_said(&e), "院子里：zhou 不是 城管办 的人");
	err_set(&e, ERR_BAD, "not in the catalogue");
	assert_string_equal(err_said(&e), "not in the catalogue");
	err_prefix(&e, "in the yard: ");
	assert_string_equal(err_said(&e), "院子里：not in the catalogue");
	speak("en");
	err_set(&e, ERR_BAD, "the payload is empty");
	assert_string_equal(err_said(&e), e.text);
}

static void an_error_that_is_too_long_ends_in_a_whole_character(void **state)
{
	struct err e = {0};

	(void)state;
	speak("zh");
	for (int extra = 0; extra < 4; extra++) {
		CLEANUP(str_done) struct str name = {0};

		str_add(&name, &"abcd"[extra]);
		while (name.len < 500)
			str_add(&name, "井");
		err_set(&e, ERR_BAD, "%s has no officer %s", name.s, name.s);
		assert_true(str_is_utf8(e.text, strlen(e.text)));
		assert_true(str_is_utf8(e.said, strlen(e.said)));
		err_prefix(&e, "in the yard: ");
		assert_true(str_is_utf8(e.text, strlen(e.text)));
		assert_true(str_is_utf8(e.said, strlen(e.said)));
	}
}

/* A process-wide locale would make it Chinese, and in the character set of "C" nothing but question marks. */
static void what_the_system_says_for_the_log_stays_english(void **state)
{
	(void)state;
	speak("zh");
	assert_string_equal(strerror(ENOENT), "No such file or directory");
	assert_string_equal(_("the payload is empty"), "报文是空的");
	assert_string_equal(strerror(ENOENT), "No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(language_follows_the_flag_then_the_environment_by_its_text),
		cmocka_unit_test(what_has_no_translation_stays_english),
		cmocka_unit_test(an_error_is_chinese_for_people_and_english_for_the_log),
		cmocka_unit_test(an_error_that_is_too_long_ends_in_a_whole_character),
		cmocka_unit_test(what_the_system_says_for_the_log_stays_english),
	};

	return cmocka_run_group_tests(tests, make_catalogue, drop_catalogue);
}
