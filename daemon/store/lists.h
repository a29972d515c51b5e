#pragma once
/*
 * The lists that a case carries (supports, errands, joined reporters, what was told and fired, the basis
 * of unsure limits) as JSON in columns of `cases`. Each list is one table of members that writes it and
 * reads it back; an empty one is NULL. Texts live in the arena.
 */
#include "core/life/case.h"

struct arena;

const char *lists_supports(const struct case_record *c, struct arena *a);
const char *lists_errands(const struct case_record *c, struct arena *a);
const char *lists_joined(const struct case_record *c, struct arena *a);
const char *lists_told(const struct case_record *c, struct arena *a);           /* {} when empty */
const char *lists_fired(const struct case_record *c, struct arena *a);
const char *lists_basis(const struct case_record *c, struct arena *a);
/* `json` may be NULL. Members that a former version did not write have their "none". */
void lists_read_supports(const char *json, struct case_record *c, struct arena *a);
void lists_read_errands(const char *json, struct case_record *c, struct arena *a);
void lists_read_joined(const char *json, struct case_record *c, struct arena *a);
void lists_read_names(const char *first, const char *json, struct case_record *c, struct arena *a);
void lists_read_told(const char *json, struct case_record *c, struct arena *a);
void lists_read_fired(const char *json, struct case_record *c, struct arena *a);
void lists_read_basis(const char *json, struct case_record *c, struct arena *a);
