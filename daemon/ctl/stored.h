#pragma once
/* Configurations by name: a folder, the hash of one that once worked, or the one that works now. */
#include <jansson.h>

struct ctl;
struct err;
struct settings;

/*
 * `name`: a folder; `running`: what the daemon works with (where it does not answer: what worked last); else the
 * beginning of a hash, of which the database has the text. *ret is the caller's to unref. What the database has
 * but this program cannot load ends in code "config".
 */
int stored_settings(struct ctl *ctl, const char *name, struct settings **ret, struct err *e);
/*
 * Loads {name: text} as a folder would be. As settings_load: 0, SETTINGS_HAS_ERRORS with the findings in *ret, or an
 * error.
 */
int stored_load(struct ctl *ctl, const json_t *files, struct settings **ret, struct err *e);
