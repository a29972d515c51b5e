#pragma once
/*
 * Flags into JSON. Each flag of a table that was given becomes a member at its path (dotted: nested);
 * `--set PATH=VALUE` makes any other. VALUE of --set is JSON where it can be read so, else text. Pure.
 */
#include <jansson.h>
#include <stddef.h>

struct args;
struct err;

enum member_kind { MEMBER_TEXT, MEMBER_LIST, MEMBER_TRUE, MEMBER_TIME };
struct member {
	const char *flag, *path;
	enum member_kind kind;          /* MEMBER_LIST: a,b,c; MEMBER_TIME: to RFC 3339 */
};
/* ERR_BAD with code "usage" when a value cannot become its member. */
int members_fill(const struct args *args, const struct member *members, size_t n, json_t *into, struct err *e);
