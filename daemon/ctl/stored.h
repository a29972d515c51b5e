#pragma once
/* Configurations by name: a folder, the hash of one that once worked, or the one that works now. */
struct ctl;
struct err;
struct settings;

/*
 * `name`: a folder; `running`: what the daemon works with (where it does not answer: what worked last); else the
 * beginning of a hash, of which the database has the text. *ret is the caller's to unref. What the database has
 * but this program cannot load ends in code "config".
 */
int stored_settings(struct ctl *ctl, const char *name, struct settings **ret, struct err *e);
