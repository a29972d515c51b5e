#pragma once
/*
 * Which form the database has. Migrations are forward only: schema/NNN_name.sql in order, each in one
 * transaction together with its row in needle.schema_version. The daemon works with exactly the
 * version that it was built for and refuses every other.
 */
#include <stddef.h>

struct err;
struct pg;

enum { SCHEMA_VERSION = 9 };            /* the highest NNN in schema/ */

struct migration {
	int version;
	char name[64];                  /* "001_spine.sql" */
};
enum { MIGRATIONS = 999 };

/* 0: never migrated. */
int version_read(struct pg *pg, int *ret, struct err *e);
/* ERR_BAD with code "schema" and one sentence when the database has another version than this program. */
int version_check(struct pg *pg, struct err *e);
/* The migrations of a folder in order; ERR_BAD unless they are 1 … SCHEMA_VERSION without a hole. */
int version_folder(const char *folder, struct migration *ret, size_t max, size_t *ret_n, struct err *e);
/*
 * Applies what is missing; `applied` (may be NULL) hears of each after its commit. Several may run at a
 * time: they take turns. ERR_BAD when the database is newer than this program.
 */
int version_migrate(struct pg *pg, const char *folder, void (*applied)(void *arg, const struct migration *m),
		    void *arg, struct err *e);
