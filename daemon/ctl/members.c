#include "ctl/members.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/time/moment.h"
#include "ctl/args.h"

/* Puts `value` (stolen) at a dotted path, making objects on the way. */
static int put_member(json_t *into, const char *path, json_t *value, struct err *e)
{
	const char *dot;

	while (json_is_object(into) && (dot = strchr(path, '.'))) {
		json_t *inner = json_object_getn(into, path, (size_t)(dot - path));

		if (!inner) {
			inner = json_object();
			json_object_setn_new(into, path, (size_t)(dot - path), inner);
		}
		into = inner;
		path = dot + 1;
	}
	if (!*path) {
		json_decref(value);
		return err_code(e, ERR_BAD, "usage", "a member's name is missing");
	}
	if (json_object_set_new(into, path, value) < 0)
		return err_code(e, ERR_BAD, "usage", "there is no place for the member %s", path);
	return 0;
}

static int set_members(const struct args *args, json_t *into, struct err *e)
{
	const char *given;
	size_t at = 0;

	while ((given = args_next(args, "set", &at))) {
		const char *equals = strchr(given, '=');
		CLEANUP(mem_freep) char *path = mem_strdup(given);
		json_t *value;

		if (!equals || equals == given)
			return err_code(e, ERR_BAD, "usage", "--set needs MEMBER=VALUE, not %s", given);
		path[equals - given] = '\0';
		value = json_loads(equals + 1, JSON_DECODE_ANY, NULL);
		if (put_member(into, path, value ? value : json_string(equals + 1), e) < 0)
			return e->class;
	}
	return 0;
}

static json_t *list_of(const char *text)
{
	json_t *list = json_array();

	while (*text) {
		size_t len = strcspn(text, ",");

		json_array_append_new(list, json_stringn(text, len));
		text += len + (text[len] == ',');
	}
	return list;
}

static int value_of(const struct member *m, const char *text, json_t **ret, struct err *e)
{
	char rfc3339[MOMENT_TEXT];
	int64_t at = 0;

	if (m->kind == MEMBER_TIME && !moment_parse(text, &at))
		return err_code(e, ERR_BAD, "usage", "'%s' is not a time such as 2026-11-20 08:31", text);
	switch (m->kind) {
	case MEMBER_TEXT: *ret = json_string(text); break;
	case MEMBER_LIST: *ret = list_of(text); break;
	case MEMBER_TRUE: *ret = json_true(); break;
	case MEMBER_TIME: *ret = json_string(moment_rfc3339(at, rfc3339)); break;
	}
	return 0;
}

int members_fill(const struct args *args, const struct member *members, size_t n, json_t *into, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const char *text = args_get(args, members[i].flag);
		json_t *value = NULL;

		if (!text)
			continue;
		if (value_of(&members[i], text, &value, e) < 0 || put_member(into, members[i].path, value, e) < 0)
			return e->class;
	}
	return set_members(args, into, e);
}
