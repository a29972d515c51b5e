#pragma once
/*
 * What two configurations say differently, entry by entry: rules by their id, departments and the like by
 * their name. How a file is laid out, in which file something stands, and whether a default is written are no
 * differences; the order of rules is one.
 */
#include <stddef.h>

struct arena;
struct settings;

enum change_kind { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_CHANGED, CHANGE_MOVED, N_CHANGE_KIND };
extern const char *const change_kind_names[N_CHANGE_KIND];

struct change {
	enum change_kind kind;
	const char *section;            /* "rules", "grids" */
	const char *id;                 /* of the entry; NULL where the section is one thing */
	const char *field;              /* CHANGE_CHANGED: the path below the entry; "" for the section itself */
	const char *from, *to;          /* the values; of a new or lost entry the whole of it; NULL: none */
	const char *const *plus, *const *minus; /* of a list: what came, what went; else NULL */
	size_t n_plus, n_minus;
	const char *after, *before;     /* CHANGE_MOVED: its neighbours now; NULL at an end */
};
/* In the order of the reference; texts live in `a` and in the two settings. */
void settings_compare(const struct settings *from, const struct settings *to, struct arena *a, struct change **ret,
		      size_t *ret_n);
