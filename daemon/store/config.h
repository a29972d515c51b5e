#pragma once
/* Which configuration worked when, what it said, and who brought it. */
#include <stdint.h>

struct arena;
struct err;
struct pg;

struct config_note {
	const char *hash, *source, *findings, *by;      /* source, findings: JSON texts */
};
int store_note_config(struct pg *pg, const char *tenant, const struct config_note *note, int64_t now, struct err *e);
/*
 * The source of the configuration whose hash begins so, of the newest when hash is NULL; *ret NULL where there
 * is none.
 */
int store_config_source(struct pg *pg, const char *tenant, const char *hash, struct arena *a, const char **ret,
			struct err *e);
