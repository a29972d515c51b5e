/*
 * A folder in which one file is anything: the first byte says which, the rest is its text. What loads must
 * be whole; what does not must say why, in text and in JSON.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/vec.h"
#include "core/time/moment.h"
#include "settings/snapshot.h"

static const char *const names[] = {"needle.yaml", "rules.yaml", "deadlines.yaml", "calendars.yaml", "departments.yaml",
				    "categories.yaml", "channels.yaml", "lifecycle.yaml", "grids.csv",
				    "calendars/2026.json", "tests/参考.test.yaml"};
static const char reference[] = "config/reference";
static char folder[PATH_MAX];
static struct str originals[ARRAY_LEN(names)];

static void path_of(const char *name, char path[PATH_MAX])
{
	MUST(snprintf(path, PATH_MAX, "%.200s/%s", folder, name) < PATH_MAX);
}

static void write_file(const char *name, const void *bytes, size_t n)
{
	char path[PATH_MAX];
	int fd;

	path_of(name, path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	MUST(fd >= 0 && write(fd, bytes, n) == (ssize_t)n && close(fd) == 0);
}

static void read_whole(const char *path, struct str *ret)
{
	FILE *f = fopen(path, "rbe");
	char part[4096];
	size_t n;

	MUST(f);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		str_addn(ret, part, n);
	fclose(f);
}

static int copy_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	struct str t = {0};
	char to[PATH_MAX];

	(void)st;
	(void)where;
	path_of(path + strlen(reference), to);
	if (type == FTW_D) {
		MUST(mkdir(to, 0700) == 0 || access(to, W_OK) == 0);
		return 0;
	}
	read_whole(path, &t);
	write_file(path + strlen(reference), t.s ? t.s : "", t.len);
	str_done(&t);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static void clean_up(void)
{
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int64_t february;

	(void)argc;
	(void)argv;
	snprintf(folder, sizeof(folder), "%s/needle-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	MUST(mkdtemp(folder));
	atexit(clean_up);
	MUST(nftw(reference, copy_one, 8, FTW_PHYS) == 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[PATH_MAX];

		path_of(names[i], path);
		read_whole(path, &originals[i]);
	}
	MUST(moment_parse("2026-02-01 12:00", &february));
	clock_simulate(february, 0);
	unsetenv("CREDENTIALS_DIRECTORY");
	return 0;
}

static void judge(const struct settings *settings, int r)
{
	struct str text = {0}, json = {0}, whole = {0};
	json_t *said;

	MUST(r == 0 || r == SETTINGS_HAS_ERRORS);
	MUST((r == SETTINGS_HAS_ERRORS) == (settings->findings.n_errors > 0));
	findings_text(&settings->findings, &text);
	findings_json(&settings->findings, &json);
	said = json_loadb(json.s, json.len, JSON_REJECT_DUPLICATES, NULL);
	MUST(said && json_array_size(json_object_get(said, "findings")) == settings->findings.n);
	json_decref(said);
	for (size_t i = 0; i < settings->findings.n; i++)
		MUST(settings->findings.v[i].line >= 1 && settings->findings.v[i].column >= 1 && *settings->findings.v[i].message);
	if (r == 0) {
		MUST(settings->office.index && settings->office.fallback_dept && settings->office.fallback_policy);
		settings_print(settings, &whole);
	}
	str_done(&text);
	str_done(&json);
	str_done(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct load_options options = {.flags = LOAD_SECRETS_OPTIONAL};
	size_t which = size ? *data % ARRAY_LEN(names) : 0;
	struct settings *settings = NULL;
	struct err e = {0};
	int r;

	write_file(names[which], size ? data + 1 : data, size ? size - 1 : 0);
	r = settings_load(folder, &options, &settings, &e);
	judge(settings, r);
	settings_unref(settings);
	write_file(names[which], originals[which].s, originals[which].len);
	return 0;
}
