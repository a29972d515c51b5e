/*
 * A stored configuration is loaded by the loader that loads folders, out of a folder that is made for it and
 * is gone when this returns: there is no second way to read one.
 */
#include "ctl/stored.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>

#include "ctl/ctl.h"
#include "ctl/folder.h"
#include "settings/snapshot.h"
#include "settings/types.h"
#include "store/config.h"
#include "store/pg.h"

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static void remove_folder(const char *folder)
{
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int write_files(const char *folder, const json_t *files, struct err *e)
{
	const char *name;
	json_t *text;

	json_object_foreach((json_t *)(uintptr_t)files, name, text) {
		int r;

		if (!type_path(name) || !json_is_string(text))
			return err_set(e, ERR_BAD, "the stored configuration holds “%s”, which is no file of a folder", name);
		r = folder_make_way(folder, name, e);
		if (r == 0)
			r = folder_write(folder, name, json_string_value(text), json_string_length(text), NULL, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int stored_load(struct ctl *ctl, const json_t *files, struct settings **ret, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	struct load_options options;
	char folder[PATH_MAX], plugins[512];
	int r;

	snprintf(folder, sizeof(folder), "%s/needle-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return err_set(e, ERR_BAD, "%s cannot be made: %s", folder, strerror(errno));
	ctl_load_options(ctl, plugins, &options);
	r = write_files(folder, files, e);
	if (r == 0)
		r = settings_load(folder, &options, ret, e);
	remove_folder(folder);
	return r;
}

static int load_text(struct ctl *ctl, const char *source, struct settings **ret, struct err *e)
{
	json_t *files = json_loads(source, 0, NULL);
	int r = json_is_object(files) ? stored_load(ctl, files, ret, e)
				      : err_set(e, ERR_BAD, "the stored configuration cannot be read");

	json_decref(files);
	if (r != SETTINGS_HAS_ERRORS)
		return r;
	settings_unref(*ret);
	*ret = NULL;
	return err_code(e, ERR_BAD, "config", "this program finds errors in it");
}

/* What the daemon says that it works with; NULL when it does not answer. */
static const char *running_hash(struct ctl *ctl)
{
	json_t *request = json_pack("{s:s}", "verb", "status"), *answer = NULL;
	const char *hash = NULL;
	struct err ignored;

	if (ctl_ask(ctl, request, &answer, &ignored) == 0)
		hash = json_string_value(json_object_get(answer, "config"));
	hash = hash ? arena_strdup(&ctl->arena, hash) : NULL;
	json_decref(request);
	json_decref(answer);
	return hash;
}

static bool is_hash(const char *name)
{
	size_t n = strlen(name);

	return n >= 4 && n <= 16 && strspn(name, "0123456789abcdef") == n;
}

static int from_database(struct ctl *ctl, const char *hash, struct settings **ret, struct err *e)
{
	const char *source = NULL;
	struct pg *pg = NULL;
	int r = ctl_database(ctl, &pg, e);

	if (r < 0)
		return r;
	r = store_config_source(pg, ctl->settings->office.tenant, hash, &ctl->arena, &source, e);
	pg_close(pg);
	if (r < 0)
		return r;
	if (!source && hash)
		return err_set(e, ERR_BAD, "the database has no configuration %s of %s", hash, ctl->settings->office.tenant);
	if (!source)
		return err_set(e, ERR_BAD, "no configuration of %s has worked yet", ctl->settings->office.tenant);
	r = load_text(ctl, source, ret, e);
	if (r < 0)
		err_prefix(e, "configuration %s: ", hash ? hash : "running");
	return r;
}

int stored_settings(struct ctl *ctl, const char *name, struct settings **ret, struct err *e)
{
	struct stat st;

	if (strcmp(name, "running") == 0)
		return from_database(ctl, running_hash(ctl), ret, e);
	if (stat(name, &st) == 0 && S_ISDIR(st.st_mode))
		return ctl_load(ctl, name, ret, e);
	if (is_hash(name))
		return from_database(ctl, name, ret, e);
	return ctl_usage(e, "%s is neither a folder nor the hash of a configuration", name);
}
