/*
 * The table of versions is made here and not by the first migration, so that every file in schema/ is
 * treated alike. A migration runs under a lock that is looked at again inside its transaction: two
 * operators who migrate at once do it once.
 */
#include "store/version.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/pg.h"

static const struct query Q_EXISTS = {"version_exists",
	"SELECT to_regclass('needle.schema_version') IS NOT NULL"};
static const struct query Q_READ = {"version_read", "SELECT coalesce(max(version), 0) FROM needle.schema_version"};
static const struct query Q_LOCK = {"version_lock", "SELECT pg_advisory_xact_lock(5641372908143255553)"};
static const struct query Q_RECORD = {"version_record",
	"INSERT INTO needle.schema_version (version, name) VALUES ($1::int8, $2::text)"};

static const char CREATE[] = "CREATE SCHEMA IF NOT EXISTS needle; "
	"CREATE TABLE IF NOT EXISTS needle.schema_version ("
	"version int4 PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())";

enum { FILE_MAX = 4 * 1024 * 1024 };

static int ask(struct pg *pg, const struct query *q, int *ret, struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r = pg_run(pg, q, &args, &rows, e);

	if (r < 0)
		return r;
	if (q == &Q_EXISTS)
		*ret = rows.n && pg_get_bool(&rows, 0, 0);
	else
		*ret = rows.n ? (int)pg_get_int(&rows, 0, 0) : 0;
	pg_rows_done(&rows);
	return 0;
}

int version_read(struct pg *pg, int *ret, struct err *e)
{
	int exists = 0, r = ask(pg, &Q_EXISTS, &exists, e);

	*ret = 0;
	return r < 0 || !exists ? r : ask(pg, &Q_READ, ret, e);
}

static int too_new(int version, struct err *e)
{
	return err_code(e, ERR_BAD, "schema",
			"the database has schema %d, this program works with %d: install the version that made it",
			version, SCHEMA_VERSION);
}

int version_check(struct pg *pg, struct err *e)
{
	int version, r = version_read(pg, &version, e);

	if (r < 0)
		return r;
	if (version > SCHEMA_VERSION)
		return too_new(version, e);
	if (!version)
		return err_code(e, ERR_BAD, "schema", "the database has no schema yet: run needlectl migrate");
	if (version < SCHEMA_VERSION)
		return err_code(e, ERR_BAD, "schema",
				"the database has schema %d, this program works with %d: run needlectl migrate",
				version, SCHEMA_VERSION);
	return 0;
}

static int is_migration(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	for (size_t i = 0; i < 3; i++)
		if (d->d_name[i] < '0' || d->d_name[i] > '9')
			return 0;
	return d->d_name[3] == '_' && len > 8 && strcmp(d->d_name + len - 4, ".sql") == 0;
}

static void free_entries(struct dirent ***entries)
{
	for (size_t i = 0; *entries && (*entries)[i]; i++)
		free((*entries)[i]);
	free(*entries);
}

/* Like scandir, ended by NULL so that the cleanup needs no count. */
static int scan(const char *folder, struct dirent ***ret)
{
	struct dirent **found = NULL;
	int n = scandir(folder, &found, is_migration, alphasort);

	if (n < 0)
		return n;
	found = mem_resize(found, ((size_t)n + 1) * sizeof(struct dirent *));
	found[n] = NULL;
	*ret = found;
	return n;
}

int version_folder(const char *folder, struct migration *ret, size_t max, size_t *ret_n, struct err *e)
{
	CLEANUP(free_entries) struct dirent **entries = NULL;
	int n = scan(folder, &entries);

	*ret_n = 0;
	if (n < 0)
		return err_set(e, ERR_BAD, "the migrations in %s cannot be read: %s", folder, strerror(errno));
	for (int i = 0; i < n && (size_t)i < max; i++) {
		const char *name = entries[i]->d_name;

		ret[i].version = (name[0] - '0') * 100 + (name[1] - '0') * 10 + (name[2] - '0');
		snprintf(ret[i].name, sizeof(ret[i].name), "%.63s", name);
		if (ret[i].version != i + 1)
			return err_set(e, ERR_BAD, "%s: %s should have number %03d", folder, name, i + 1);
		*ret_n = (size_t)i + 1;
	}
	if (n != SCHEMA_VERSION)
		return err_set(e, ERR_BAD, "%s goes to schema %d, this program works with %d", folder, n,
			       SCHEMA_VERSION);
	return 0;
}

static void close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

static int read_file(const char *folder, const char *name, struct str *out, struct err *e)
{
	CLEANUP(str_done) struct str path = {0};
	CLEANUP(close_file) FILE *f = NULL;
	char buf[8192];
	size_t n;

	str_addf(&path, "%s/%s", folder, name);
	f = fopen(path.s, "re");
	if (!f)
		return err_set(e, ERR_BAD, "%s: %s", path.s, strerror(errno));
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		str_addn(out, buf, n);
	if (ferror(f) || !out->len || out->cut)
		return err_set(e, ERR_BAD, "%s is empty, too long or cannot be read", path.s);
	return 0;
}

static int record(struct pg *pg, const struct migration *m, struct err *e)
{
	struct pg_args args = {0};

	pg_int(&args, m->version);
	pg_text(&args, m->name);
	return pg_run(pg, &Q_RECORD, &args, NULL, e);
}

enum { ALREADY = 1 };
/* Inside a transaction. ALREADY: another migrator was faster. */
static int apply(struct pg *pg, const struct migration *m, const char *sql, struct err *e)
{
	struct pg_args none = {0};
	int version = 0, r = pg_run(pg, &Q_LOCK, &none, NULL, e);

	if (r == 0)
		r = pg_exec(pg, CREATE, e);
	if (r == 0)
		r = ask(pg, &Q_READ, &version, e);
	if (r < 0)
		return r;
	if (version >= m->version)
		return ALREADY;
	r = pg_exec(pg, sql, e);
	if (r == 0)
		r = record(pg, m, e);
	if (r < 0)
		err_prefix(e, "%s: ", m->name);
	return r;
}

static int migrate_one(struct pg *pg, const char *folder, const struct migration *m, struct err *e)
{
	CLEANUP(str_done) struct str sql = {.max = FILE_MAX};
	int r = read_file(folder, m->name, &sql, e);

	if (r == 0)
		r = pg_exec(pg, "BEGIN", e);
	if (r == 0)
		r = apply(pg, m, sql.s, e);
	if (r == 0)
		r = pg_exec(pg, "COMMIT", e);
	if (r != 0)
		pg_rollback(pg);
	return r;
}

int version_migrate(struct pg *pg, const char *folder, void (*applied)(void *arg, const struct migration *m),
		    void *arg, struct err *e)
{
	CLEANUP(mem_freep) struct migration *all = mem_alloc(MIGRATIONS * sizeof(*all));
	size_t n = 0;
	int version, r = version_folder(folder, all, MIGRATIONS, &n, e);

	if (r == 0)
		r = version_read(pg, &version, e);
	if (r < 0)
		return r;
	if (version > SCHEMA_VERSION)
		return too_new(version, e);
	for (size_t i = 0; i < n; i++) {
		if (all[i].version <= version)
			continue;
		r = migrate_one(pg, folder, &all[i], e);
		if (r < 0)
			return r;
		if (r == 0 && applied)
			applied(arg, &all[i]);
	}
	return 0;
}
