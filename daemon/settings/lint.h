#pragma once
/*
 * Collecting findings while a folder is read: everything that is wrong in one run, each with its
 * place, one sentence and one line of remedy. The public form is struct findings of snapshot.h.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/tongue.h"
#include "base/vec.h"
#include "settings/snapshot.h"
#include "settings/source.h"

struct key_info;
struct lint_entry {
	struct finding finding;
	const struct source *source;
	bool hide_source;
};
/* `# lint: allow W05 reason`: settings/allow.h */
struct lint_allow {
	struct mark at;                 /* of the comment */
	int line;                       /* that it is about */
	char code[4];
	bool used;
};
struct lint {
	struct arena *arena;
	VEC(struct lint_entry) entries;
	VEC(struct lint_allow) allows;
	size_t n_errors, n_warnings;    /* all of them, also those that are not kept */
	const struct key_info *keys;    /* which lines may hold secrets; NULL: those of the folder */
};
/* Warnings that are kept, and as many errors again: a broken folder must not fill the memory. */
enum { LINT_MAX = 1000 };

/* Severity follows the code's letter; `remedy` is kept, not copied. `at` may be NULL. */
void lint_add(struct lint *r, const char *code, const struct mark *at, const char *remedy,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The same as a warning whatever the code says. */
void lint_warn(struct lint *r, const char *code, const struct mark *at, const char *remedy,
		 const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The source line of the newest finding may hold a secret: it is not shown. */
void lint_hide_source(struct lint *r);
/* Sorted by place, with the source lines; in the arena of the findings. */
void lint_finish(struct lint *r, struct findings *ret);
void lint_done(struct lint *r);
