#pragma once
/*
 * `# lint: allow W05 reason`: an office may know better than a warning, if it says why. The comment
 * stands on the line of the finding or on lines of its own just above; errors cannot be allowed.
 */
#include "settings/lint.h"

/* Where a text of the file begins and ends: what looks like a comment in it is none. */
struct extent {
	int line, column, end_line, end_column;
};

/* Finds the file's allowances; `texts` in the order of the file. */
void allow_collect(struct lint *lint, const struct source *source, const struct extent *texts, size_t n);
/* Takes out the warnings that are allowed; W90 for an allowance without reason, or without anything to allow. */
void allow_apply(struct lint *lint);
