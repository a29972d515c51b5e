/*
 * A schema is read by an editor that guesses types by itself: some read `on` as true and 110 as a number.
 * So what is text here may be a number there, and a number may be a text; what the text must look like is
 * said by a pattern. A file need not be whole: what is required of the configuration may stand in another
 * file, so at the root nothing is.
 *
 * It allows a little more than the checker: names that nobody defines and deadlines that read well but mean
 * nothing are found by `check` alone.
 */
#include <jansson.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/tongue.h"
#include "settings/manual.h"
#include "settings/table.h"

#define HOURS "[0-9]{1,2}:[0-9]{2}-[0-9]{1,2}:[0-9]{2}"
#define DATE "[0-9]{4}-[0-9]{2}-[0-9]{2}"
#define SPAN "[0-9]+\\s*(分钟|小时|自然日|工作日|工作小时|m|h|d|wd|wh)(\\s|$)"
#define CLOCK "(accept|contact|resolve|feedback)\\s+"
#define SECRET "\\$\\{secret:[A-Za-z0-9_-][A-Za-z0-9_.-]*\\}"

/* What a value of a type may be: s text, n number, i whole number, b true or false. */
static const struct form {
	const char *kinds, *pattern;
} forms[N_KEY_TYPE] = {
	[KEY_TEXT] = {"snb", NULL}, [KEY_WORD] = {"snb", NULL}, [KEY_REF] = {"sn", NULL}, [KEY_TO] = {"s", NULL},
	[KEY_ID] = {"si", "^[a-z0-9][a-z0-9_-]{0,63}$"}, [KEY_PREFIX] = {"s", "^[A-Z][A-Z0-9]{1,7}$"},
	[KEY_BOOL] = {"sb", "^([Oo][Nn]|[Oo][Ff][Ff]|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[Yy][Ee][Ss]|[Nn][Oo])$"},
	[KEY_INT] = {"is", "^-?[0-9]+$"}, [KEY_NUMBER] = {"ns", "^([0-9]+(\\.[0-9]+)?|\\.[0-9]+)$"},
	[KEY_PATH] = {"s", "^(?!/)(?!(.*/)?\\.\\.(/|$)).+$"}, [KEY_CODE] = {"s", "."},
	[KEY_GRID] = {"si", "^[A-Za-z0-9._-]{1,32}\\*?$"}, [KEY_CATEGORY] = {"s", "^[^/]+(/[^/]+)*$"},
	[KEY_MEMBER] = {"s", "^[A-Za-z0-9_]+(\\.[A-Za-z0-9_]+)*$"}, [KEY_POINTER] = {"s", "^(/([^~]|~[01])*)?$"},
	[KEY_FILTER] = {"s", "^[^$]"}, [KEY_SOURCE] = {"is", "^([0-9]{1,3}|/.*)$"}, [KEY_CHARSET] = {"s", "."},
	[KEY_TIMEZONE] = {"s", "."}, [KEY_REGEX] = {"sn", NULL},
	[KEY_DEADLINE] = {"s", "^\\s*(" SPAN "|当日|次日|次工作日|上不过午下不过夜|每)"},
	[KEY_SPAN] = {"s", "^\\s*" SPAN}, [KEY_SERIES] = {"s", "^\\s*每"},
	[KEY_STEP] = {"s", "^\\s*(created|unassigned\\s+" SPAN "|" CLOCK "(到期前|逾期))"},
	[KEY_DATE] = {"s", "^" DATE "$"}, [KEY_MMDD] = {"s", "^[0-9]{1,2}-[0-9]{1,2}$"},
	[KEY_MOMENT] = {"s", "^[0-9]{4}"}, [KEY_AT] = {"s", "^(\\+\\s*" SPAN "|[0-9]{4})"},
	[KEY_DAYS] = {"s", "^(每天|周[一二三四五六日天].*)$"}, [KEY_HOURS] = {"s", "^" HOURS "$"},
	[KEY_WINDOW] = {"s", "^" HOURS "$"}, [KEY_MAKEUP] = {"s", "^(同周[一二三四五六日天]|" HOURS ")$"},
	[KEY_SIZE] = {"si", "^[0-9]+( ?([KMGT]iB|[kKMG]B|[BKMG]))?$"}, [KEY_AGE] = {"s", "^[0-9]+ ?(y|年|d|自然日|w|周|个?月)$"},
	[KEY_DURATION] = {"s", "^[0-9]{1,7} ?(秒|分钟|小时|天|[smhd])$"},
	[KEY_LISTEN] = {"s", "^(off|(localhost|[0-9.]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]+)$"}, [KEY_SECRET_TEXT] = {"s", "^" SECRET "$"},
	[KEY_SECRET_FILE] = {"s", "^" SECRET "$"}, [KEY_DSN] = {"s", NULL},
};

static const char *kind_name(char kind)
{
	return kind == 's' ? "string" : kind == 'n' ? "number" : kind == 'i' ? "integer" : "boolean";
}

static void put(json_t *to, const char *name, json_t *value)
{
	json_object_set_new(to, name, value);
}

static json_t *kinds_json(const char *kinds)
{
	json_t *list;

	if (!kinds[1])
		return json_string(kind_name(*kinds));
	list = json_array();
	for (; *kinds; kinds++)
		json_array_append_new(list, json_string(kind_name(*kinds)));
	return list;
}

static void add_words(json_t *to, const char *const *v, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(v[i]));
	put(to, "enum", list);
}

static void add_scalar(const struct key_info *row, json_t *to)
{
	const struct form *form = &forms[row->type];

	if (row->type == KEY_ENUM) {
		add_words(to, row->values, row->n_values);
		return;
	}
	put(to, "type", kinds_json(form->kinds));
	if (form->pattern)
		put(to, "pattern", json_string(form->pattern));
	else if (row->flags & KEY_NONEMPTY)
		put(to, "minLength", json_integer(1));
	if (row->type == KEY_INT || row->type == KEY_NUMBER) {
		put(to, "minimum", json_integer(row->min));
		put(to, "maximum", json_integer(row->max));
	}
}

static json_t *of_row(const struct key_info *row);

static void add_map(const struct key_info *row, json_t *to)
{
	json_t *properties = json_object(), *required = json_array();
	const struct key_info *child = NULL;

	while ((child = key_next(row, child))) {
		put(properties, key_leaf(child), of_row(child));
		if ((child->flags & KEY_REQUIRED) && *row->path)
			json_array_append_new(required, json_string(key_leaf(child)));
	}
	put(to, "type", json_array_size(required) || !*row->path ? json_string("object")
								   : json_pack("[s,s]", "object", "null"));
	put(to, "properties", properties);
	put(to, "additionalProperties", json_false());
	if (json_array_size(required))
		put(to, "required", required);
	else
		json_decref(required);
}

static void add_named(const struct key_info *row, json_t *to)
{
	const struct form *form = &forms[row->name];
	bool some = row->flags & KEY_NONEMPTY;

	put(to, "type", some ? json_string("object") : json_pack("[s,s]", "object", "null"));
	if (form->pattern)
		put(to, "propertyNames", json_pack("{s:s}", "pattern", form->pattern));
	if (some)
		put(to, "minProperties", json_integer(1));
	put(to, "additionalProperties", of_row(key_child(row, "*")));
}

static json_t *list_json(const struct key_info *row)
{
	json_t *list = json_object();
	bool some = row->flags & KEY_NONEMPTY;

	put(list, "type", some ? json_string("array") : json_pack("[s,s]", "array", "null"));
	put(list, "items", of_row(key_child(row, "[]")));
	if (some)
		put(list, "minItems", json_integer(1));
	return list;
}

static void add_list(const struct key_info *row, json_t *to)
{
	json_t *list = list_json(row);

	if (row->flags & KEY_OR_ONE)
		put(to, "anyOf", json_pack("[o,o]", of_row(key_child(row, "[]")), list));
	else
		json_object_update(to, list);
	if (!(row->flags & KEY_OR_ONE))
		json_decref(list);
}

static void add_makeup(const struct key_info *row, json_t *to)
{
	const struct key_info hours = {.type = KEY_HOURS};
	json_t *one = json_object(), *item = json_object();

	add_scalar(row, one);
	add_scalar(&hours, item);
	put(to, "anyOf", json_pack("[o,{s:s,s:o}]", one, "type", "array", "items", item));
}

static void add_default(const struct key_info *row, json_t *to)
{
	int64_t whole;

	if (!row->fallback || row->type == KEY_NAMED || row->type == KEY_LIST)
		return;
	if (row->type == KEY_INT && str_to_int(row->fallback, INT64_MIN, INT64_MAX, &whole))
		put(to, "default", json_integer(whole));
	else
		put(to, "default", json_string(row->fallback));
}

static json_t *of_row(const struct key_info *row)
{
	json_t *to = json_pack("{s:s}", "description", _(row->help));

	if (row->type == KEY_MAP)
		add_map(row, to);
	else if (row->type == KEY_NAMED)
		add_named(row, to);
	else if (row->type == KEY_LIST)
		add_list(row, to);
	else if (row->type == KEY_MAKEUP)
		add_makeup(row, to);
	else
		add_scalar(row, to);
	add_default(row, to);
	return to;
}

void schema_json(struct str *out)
{
	size_t n;
	json_t *schema = json_pack(
		"{s:s,s:s,s:s,s:{s:[s]},s:{s:s},s:{s:s},s:{s:o,s:o}}", "$schema",
		"https://json-schema.org/draft/2020-12/schema", "title", "Needle", "description",
		_("A file of a configuration folder, or a file of tests."), "if", "required", "now", "then", "$ref",
		"#/$defs/tests", "else", "$ref", "#/$defs/configuration", "$defs", "configuration",
		of_row(settings_keys(&n)), "tests", of_row(settings_test_keys(&n)));
	CLEANUP(mem_freep) char *text = json_dumps(schema, JSON_INDENT(1));

	if (!text)
		mem_die("schema");
	str_addf(out, "%s\n", text);
	json_decref(schema);
}
