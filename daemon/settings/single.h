#pragma once
/*
 * One YAML file by itself, with a table of keys of its own: what a bridge reads. The same checks,
 * places and remedies as for a folder; secrets stand in secrets/ beside the file.
 */
#include "settings/load.h"

struct single {
	struct findings findings;       /* also the warnings of a good one */
	struct arena arena;             /* what `build` was given lives here */
};
/* Reads the typed values; what is wrong becomes a finding: lint_add(&root.l->lint, …). */
typedef void single_build(struct scope root, void *arg);

/* 0, SETTINGS_HAS_ERRORS (with the findings), or ERR_BAD: the file cannot be read at all. */
int single_load(const char *path, const struct key_info *keys, const struct load_options *options, single_build *build,
		void *arg, struct single *ret, struct err *e);
void single_done(struct single *single);
