#pragma once
/* For the tests of settings: a copy of config/reference that may be broken, and how it loads. */
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/time/moment.h"
#include "settings/snapshot.h"

#define C "channels.yaml"
#define D "departments.yaml"
#define G "categories.yaml"
#define R "rules.yaml"
#define T "deadlines.yaml"
#define L "lifecycle.yaml"
#define K "calendars.yaml"
#define N "needle.yaml"

static const char reference[] = "config/reference";
static char copy[] = "/tmp/needle-settings-XXXXXX";

/* ---- a copy of the reference that may be broken ---------------------------------------------- */

static inline void read_file(const char *path, struct str *ret)
{
	char part[4096];
	FILE *f = fopen(path, "rb");
	size_t n;

	assert_non_null(f);
	str_reset(ret);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		str_addn(ret, part, n);
	fclose(f);
}

static inline void write_bytes(const char *name, const char *bytes, size_t n)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", copy, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

static inline int copy_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	CLEANUP(str_done) struct str t = {0};
	char to[PATH_MAX];

	(void)st;
	(void)where;
	snprintf(to, sizeof(to), "%s/%s", copy, path + strlen(reference));
	if (type == FTW_D) {
		assert_true(mkdir(to, 0700) == 0 || errno == EEXIST);
	} else if (type == FTW_F) {
		read_file(path, &t);
		write_bytes(path + strlen(reference), t.s ? t.s : "", t.len);
	}
	return 0;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	return where->level ? remove(path) : 0;
}

static inline void fresh_copy(void)
{
	nftw(copy, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(nftw(reference, copy_one, 8, FTW_PHYS), 0);
}

/* Puts `to` in place of the first `from`; from NULL: `to` is the whole file. */
static inline bool try_change(const char *name, const char *from, const char *to)
{
	CLEANUP(str_done) struct str text = {0}, changed = {0};
	char path[PATH_MAX];
	const char *at;

	if (!from) {
		write_bytes(name, to, strlen(to));
		return true;
	}
	snprintf(path, sizeof(path), "%s/%s", copy, name);
	read_file(path, &text);
	at = strstr(text.s, from);
	if (!at) {
		print_message("%s does not hold “%s”\n", name, from);
		return false;
	}
	str_addn(&changed, text.s, (size_t)(at - text.s));
	str_add(&changed, to);
	str_add(&changed, at + strlen(from));
	write_bytes(name, changed.s, changed.len);
	return true;
}

static inline void change(const char *name, const char *from, const char *to)
{
	assert_true(try_change(name, from, to));
}

static inline int line_of(const char *name, const char *needle)
{
	CLEANUP(str_done) struct str text = {0};
	char path[PATH_MAX];
	const char *at;
	int line = 1;

	snprintf(path, sizeof(path), "%s/%s", copy, name);
	read_file(path, &text);
	at = strstr(text.s ? text.s : "", needle);
	if (!at)
		fail_msg("%s does not hold “%s”", name, needle);
	for (const char *s = text.s; s < at; s++)
		line += *s == '\n';
	return line;
}

static inline struct settings *load(const char *folder, unsigned flags)
{
	const struct load_options options = {.flags = flags};
	struct settings *settings = NULL;
	struct err e = {0};
	int r = settings_load(folder, &options, &settings, &e);

	if (r < 0)
		fail_msg("%s: %s", folder, e.text);
	assert_int_equal(r, settings->findings.n_errors ? SETTINGS_HAS_ERRORS : 0);
	return settings;
}

static inline void print_findings(const struct settings *settings)
{
	CLEANUP(str_done) struct str t = {0};

	findings_text(&settings->findings, &t);
	print_message("%s", t.s);
}

static inline bool has(const struct settings *settings, const char *code, const char *file)
{
	for (size_t i = 0; i < settings->findings.n; i++)
		if (strcmp(settings->findings.v[i].code, code) == 0 && strcmp(settings->findings.v[i].file, file) == 0)
			return true;
	return false;
}

/* Runs the tests in February 2026: warnings about days that come near must not depend on today. */
static inline int run_in_february(int (*run)(void))
{
	int64_t february;
	int failed;

	if (!moment_parse("2026-02-01 12:00", &february) || !mkdtemp(copy))
		return 1;
	clock_simulate(february, 0);
	unsetenv("CREDENTIALS_DIRECTORY");
	failed = run();
	nftw(copy, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	remove(copy);
	return failed;
}
