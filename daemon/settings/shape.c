/*
 * Every node against its row of the table of keys: unknown and missing keys, wrong kinds, values that
 * are not of their type, names that nobody defines. Full-width marks come first wherever something is
 * wrong: they look right to the eye, so a message about anything else would send people astray.
 */
#include "base/err.h"
#include "base/str.h"
#include "core/device/device.h"
#include "core/time/moment.h"
#include "settings/load.h"
#include "settings/types.h"

static const char *const kind_words[] = {N_("a text"), N_("a list"), N_("keys with values"), ""};

/* What people write for a key that has another name here. */
static const struct {
	const char *wrong, *right;
} aliases[] = {
	{"sla", "policy"}, {"sign", "accept"}, {"topic", "subscribe"}, {"topics", "subscribe"},
	{"department", "dept"}, {"escalate", "escalation"}, {"holidays", "years"}, {"keywords", "text"},
	{"support", "supports"}, {"copy", "copies"}, {"url", "dsn"}, {"username", "user"},
	{"渠道", "channels"}, {"部门", "departments"}, {"承办单位", "departments"}, {"分类", "categories"},
	{"规则", "rules"}, {"抄送", "copies"}, {"时限", "policies"}, {"日历", "calendars"}, {"时段", "windows"},
	{"名称", "name"}, {"编号", "id"}, {"主办", "dept"}, {"协办", "supports"}, {"签收", "accept"},
	{"办结", "resolve"}, {"联系", "contact"}, {"反馈", "feedback"},
};

enum wide { WIDE_SYNTAX, WIDE_LIST };

/* The first full-width mark of that kind in the text. */
static const char *find_wide(const char *text, enum wide kind, const char **ret_meant)
{
	static const struct {
		const char *text, *meant;
		enum wide kind;
	} marks[] = {
		{"：", ":", WIDE_SYNTAX}, {"－", "-", WIDE_SYNTAX}, {"\xe3\x80\x80", " ", WIDE_SYNTAX},
		{"“", "\"", WIDE_SYNTAX}, {"”", "\"", WIDE_SYNTAX}, {"｛", "{", WIDE_SYNTAX}, {"｝", "}", WIDE_SYNTAX},
		{"［", "[", WIDE_SYNTAX}, {"］", "]", WIDE_SYNTAX}, {"【", "[", WIDE_SYNTAX}, {"】", "]", WIDE_SYNTAX},
		{"，", ",", WIDE_LIST}, {"、", ",", WIDE_LIST},
	};
	const char *first = NULL;

	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		const char *at = marks[i].kind <= kind ? strstr(text, marks[i].text) : NULL;

		if (kind == WIDE_LIST && marks[i].kind != WIDE_LIST)
			at = NULL;
		if (at && (!first || at < first)) {
			first = at;
			*ret_meant = marks[i].meant;
		}
	}
	return first;
}

static void report_wide(struct loader *l, const struct node *node, const char *where, const char *meant)
{
	struct mark at = node_mark(node, (size_t)(where - node->text));
	const char *wide = arena_strndup(l->arena, where, 3);

	lint_add(&l->lint, "E03", &at, arena_printf(l->arena, _("write the half-width “%s”"), meant),
		   _("full-width “%s” where “%s” is wanted"), wide, meant);
}

/* Reports a full-width mark that explains why the value is wrong. */
static bool wide_explains(struct loader *l, const struct node *node)
{
	const char *meant, *where = find_wide(node->text, WIDE_SYNTAX, &meant);

	if (!where)
		where = find_wide(node->text, WIDE_LIST, &meant);
	if (where)
		report_wide(l, node, where, meant);
	return where;
}

/* Marks that are wrong in any unquoted text: quotes round it, blanks at its ends, commas in a list. */
static bool wide_is_wrong(struct loader *l, const struct key_info *row, const struct node *node)
{
	const char *text = node->text, *meant = "\"";
	size_t n = strlen(text);
	const char *where = NULL;

	if (!node->plain || n < 3)
		return false;
	if (strncmp(text, "“", 3) == 0 && n > 6 && strcmp(text + n - 3, "”") == 0)
		where = text;
	else if (strncmp(text, "\xe3\x80\x80", 3) == 0 || strncmp(text, "－", 3) == 0)
		where = text;
	else if (strcmp(text + n - 3, "\xe3\x80\x80") == 0)
		where = text + n - 3;
	if (where && where[0] != '\xe2')
		meant = strncmp(where, "－", 3) == 0 ? "-" : " ";
	if (!where && (row->type == KEY_WORD || strcmp(key_leaf(row), "[]") == 0) && row->type != KEY_REGEX)
		where = find_wide(text, WIDE_LIST, &meant);
	if (where)
		report_wide(l, node, where, meant);
	return where;
}

static bool is_enum(struct loader *l, const struct key_info *row, const struct node *node)
{
	char all[300] = "";

	if (name_index(row->values, row->n_values, node->text) >= 0)
		return true;
	if (wide_explains(l, node))
		return false;
	for (size_t i = 0; i < row->n_values; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? ", " : "", row->values[i]);
	lint_add(&l->lint, "E13", &node->at,
		   suggest_remedy(l, suggest(node->text, row->values, row->n_values),
				  arena_printf(l->arena, _("write one of: %s"), all)),
		   _("“%s” is not one of: %s"), node->text, all);
	return false;
}

static bool is_ref(struct loader *l, const struct key_info *row, const struct node *node)
{
	return names_check(l, row->ref, node->text, &node->at);
}

static bool is_to(struct loader *l, const struct key_info *row, const struct node *node)
{
	static const char *const words[] = {"lead", "leader", "supports"};
	const char *found;

	(void)row;
	if (name_index(words, ARRAY_LEN(words), node->text) >= 0)
		return true;
	found = map_get(&l->symbols[SYM_DEPARTMENTS], node->text) ? NULL
								   : suggest(node->text, words, ARRAY_LEN(words));
	if (!found)
		return names_check(l, "departments", node->text, &node->at);
	lint_add(&l->lint, "E20", &node->at, suggest_remedy(l, found, ""),
		   _("department “%s” is not defined"), node->text);
	return false;
}

static bool is_number(struct loader *l, const struct key_info *row, const struct node *node)
{
	int64_t whole = 0;
	double number = 0;
	bool good = false;

	if (row->type == KEY_INT)
		good = str_to_int(node->text, INT64_MIN, INT64_MAX, &whole);
	else if (row->type == KEY_SIZE)
		good = type_size(node->text, &whole);
	else
		good = type_number(node->text, &number);
	if (!good && wide_explains(l, node))
		return false;
	if (row->type != KEY_NUMBER)
		number = (double)whole;
	if (!good)
		lint_add(&l->lint, "E12", &node->at,
			   row->type == KEY_SIZE ? _("write for example 512 MiB or 1 GiB") : _("write a number"),
			   row->type == KEY_SIZE ? _("“%s” is not a size") : _("“%s” is not a number"), node->text);
	else if (number < (double)row->min || number > (double)row->max)
		lint_add(&l->lint, "E12", &node->at,
			   arena_printf(l->arena, _("write a value from %lld to %lld"), (long long)row->min,
					(long long)row->max),
			   _("%s is out of range"), node->text);
	return good;
}

/* Also for codes and grids: said once, here. */
static void warn_looks_typed(struct loader *l, const struct node *node)
{
	if (node->plain && type_looks_typed(node->text))
		lint_add(&l->lint, "W10", &node->at,
			   arena_printf(l->arena, _("write \"%s\" with quotes"), node->text),
			   _("%s is a code, but other programs would read it as something else"), node->text);
}

static bool is_code(struct loader *l, const struct key_info *row, const struct node *node)
{
	if (row->type == KEY_GRID && !type_grid(node->text)) {
		if (!wide_explains(l, node))
			lint_add(&l->lint, "E12", &node->at, _("write digits, or a prefix with * at its end"),
				   _("“%s” is not a grid code"), node->text);
		return false;
	}
	warn_looks_typed(l, node);
	return true;
}

static bool is_deadline(struct loader *l, const struct key_info *row, const struct node *node)
{
	const char *what = NULL;
	struct deadline d;
	struct err e = {0};
	size_t at = 0;
	struct mark mark;

	if (deadline_parse(node->text, l->arena, &d, &at, &e) < 0) {
		mark = node_mark(node, at);
		lint_add(&l->lint, *e.code ? e.code : "E40", &mark,
			   _("see `needlectl deadline --help` for how deadlines are written"), "%s", err_said(&e));
		return false;
	}
	if (row->type == KEY_SERIES && d.kind != DEADLINE_SERIES)
		what = _("happens once; a periodic list needs 每…");
	else if (row->type == KEY_SPAN && d.kind != DEADLINE_SPAN)
		what = _("is not a length of time");
	else if (d.kind == DEADLINE_BACKWARD)
		what = _("counts backwards; that belongs into a step");
	if (what) {
		lint_add(&l->lint, "E40", &node->at, _("write for example 5 工作日, or 每周五 16:00 for a list"),
			   "“%s” %s", node->text, what);
		return false;
	}
	return !d.calendar || names_check(l, "calendars", d.calendar, &node->at);
}

static bool is_step(struct loader *l, const struct key_info *row, const struct node *node)
{
	struct step step = {0};
	struct err e = {0};
	size_t at = 0;
	struct mark mark;

	(void)row;
	if (!step_parse(node->text, l->arena, &step, &at, &e)) {
		mark = node_mark(node, at);
		lint_add(&l->lint, *e.code ? e.code : "E40", &mark,
			   _("write “CLOCK 到期前 SPAN”, “CLOCK 逾期 [SPAN]”, “created” or “unassigned SPAN”"), "%s",
			   err_said(&e));
		return false;
	}
	return !step.has_span || !step.span.calendar ||
	       names_check(l, "calendars", step.span.calendar, &node->at);
}

static bool is_hours(struct loader *l, const struct key_info *row, const struct node *node)
{
	struct span_of_day span;

	if (!type_hours(node->text, &span)) {
		if (!wide_explains(l, node))
			lint_add(&l->lint, "E12", &node->at, _("write for example 08:30-12:00"),
				   _("“%s” is not a time from-to"), node->text);
		return false;
	}
	if (row->type == KEY_HOURS ? span.from < span.to : span.from != span.to && span.from < 1440)
		return true;
	lint_add(&l->lint, "E45", &node->at, _("the end must lie after the beginning; the day ends at 24:00"),
		   _("“%s” holds no time"), node->text);
	return false;
}

static bool is_path(struct loader *l, const struct key_info *row, const struct node *node)
{
	(void)row;
	if (type_path(node->text))
		return true;
	lint_add(&l->lint, "E52", &node->at, _("name a file of the folder, relative to it"),
		   _("“%s” leads out of the folder"), node->text);
	return false;
}

/* Types whose whole test is one look at the text. */
static bool looks_right(const struct key_info *row, const char *text)
{
	struct arena scratch = {.block_size = 512};
	const char *address;
	int32_t day;
	int64_t wide;
	uint8_t mask;
	int16_t mmdd;
	int number;
	bool flag = true;

	if (row->type == KEY_LISTEN) {
		flag = type_listen(text, &scratch, &address, &number);
		arena_done(&scratch);
		return flag;
	}
	return row->type == KEY_ID ? type_id(text) :
	       row->type == KEY_PREFIX ? type_prefix(text) :
	       row->type == KEY_BOOL ? type_bool(text, &flag) :
	       row->type == KEY_DATE ? type_date(text, &day) :
	       row->type == KEY_MMDD ? type_mmdd(text, &mmdd) :
	       row->type == KEY_MOMENT ? moment_parse(text, &wide) :
	       row->type == KEY_DAYS ? type_weekdays(text, &mask) :
	       row->type == KEY_AGE ? type_age(text, &wide) :
	       row->type == KEY_DURATION ? device_span_parse(text, &wide) :
	       row->type == KEY_CATEGORY ? type_category(text) :
	       row->type == KEY_MEMBER ? type_member(text) :
	       row->type == KEY_POINTER ? type_pointer(text) :
	       row->type == KEY_FILTER ? type_filter(text) :
	       row->type == KEY_CHARSET ? type_charset(text, &flag) :
	       row->type == KEY_SOURCE ? str_to_int(text, 0, 127, &wide) || (*text == '/' && type_pointer(text)) :
	       !(row->flags & KEY_NONEMPTY) || *text;
}

static const struct {
	enum key_type type;
	const char *code, *what, *remedy;
} forms[] = {
	{KEY_ID, "E25", N_("an id"),
	 N_("write small letters, digits, - and _ (at most 64), beginning with a letter or digit")},
	{KEY_PREFIX, "E25", N_("a prefix of case numbers"),
	 N_("write 2 to 8 capitals or digits, beginning with a capital")},
	{KEY_BOOL, "E12", N_("on or off"), N_("write on or off")},
	{KEY_DATE, "E12", N_("a date"), N_("write for example 2026-07-21")},
	{KEY_MMDD, "E12", N_("a day of the year"), N_("write for example 06-01")},
	{KEY_MOMENT, "E12", N_("a time"), N_("write for example 2026-02-13 16:40")},
	{KEY_DAYS, "E12", N_("a weekday"), N_("write for example 周一-周五, 周六 or 每天")},
	{KEY_AGE, "E12", N_("a length of time"), N_("write for example 5y or 90d")},
	{KEY_DURATION, "E12", N_("a length of time"), N_("write for example 90 秒, 10 分钟, 2 小时 or 3 天")},
	{KEY_CATEGORY, "E12", N_("a category path"), N_("write for example 市政/井盖, without / at the ends")},
	{KEY_MEMBER, "E12", N_("a member of a report"), N_("write for example text or place.grid")},
	{KEY_POINTER, "E12", N_("a JSON pointer"), N_("write for example /data/desc")},
	{KEY_FILTER, "E12", N_("an MQTT filter"), N_("+ stands for a whole level, # for the rest at the end")},
	{KEY_CHARSET, "E13", N_("a known character set"), N_("write utf-8 or gb18030")},
	{KEY_SOURCE, "E12", N_("a topic level or a JSON pointer"),
	 N_("write a level (0 is the first) or a pointer such as /sn")},
	{KEY_LISTEN, "E12", N_("an address with a port"), N_("write for example 127.0.0.1:9470, or off")},
	{KEY_TEXT, "E12", N_("a name"), N_("write something")},
};

static bool is_form(struct loader *l, const struct key_info *row, const struct node *node)
{
	if (looks_right(row, node->text))
		return true;
	if (wide_explains(l, node))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (forms[i].type == row->type)
			lint_add(&l->lint, forms[i].code, &node->at, _(forms[i].remedy), _("“%s” is not %s"),
				   node->text, _(forms[i].what));
	return false;
}

/* Of a timeline: an instant, or + and a span. */
static bool is_at(struct loader *l, const struct key_info *row, const struct node *node)
{
	const struct key_info as = {.type = *node->text == '+' ? KEY_SPAN : KEY_MOMENT, .path = row->path};
	struct node span = *node;

	if (as.type == KEY_MOMENT)
		return is_form(l, &as, node);
	span.at = node_mark(node, 1);
	span.text++;
	return is_deadline(l, &as, &span);
}

static bool is_timezone(struct loader *l, const struct key_info *row, const struct node *node)
{
	static const char *const zones[] = {"Asia/Shanghai", "Asia/Chongqing", "Asia/Chungking", "Asia/Harbin",
					    "Asia/Hong_Kong", "Asia/Macau", "Asia/Taipei", "PRC", "Etc/GMT-8"};

	(void)row;
	if (name_index(zones, ARRAY_LEN(zones), node->text) >= 0)
		return true;
	lint_add(&l->lint, "E13", &node->at, _("write Asia/Shanghai or leave it out"),
		   _("“%s”: only the zones of China with a fixed +08:00 are supported"), node->text);
	return false;
}

static bool is_anything(struct loader *l, const struct key_info *row, const struct node *node)
{
	(void)l;
	(void)row;
	(void)node;
	return true;
}

typedef bool check_fn(struct loader *l, const struct key_info *row, const struct node *node);
static check_fn *const checks[N_KEY_TYPE] = {
	[KEY_TEXT] = is_form, [KEY_WORD] = is_form, [KEY_ID] = is_form, [KEY_PREFIX] = is_form,
	[KEY_INT] = is_number, [KEY_NUMBER] = is_number, [KEY_BOOL] = is_form, [KEY_ENUM] = is_enum,
	[KEY_REF] = is_ref, [KEY_PATH] = is_path, [KEY_CODE] = is_code, [KEY_GRID] = is_code,
	[KEY_CATEGORY] = is_form, [KEY_MEMBER] = is_form, [KEY_POINTER] = is_form, [KEY_FILTER] = is_form,
	[KEY_SOURCE] = is_form, [KEY_CHARSET] = is_form, [KEY_TIMEZONE] = is_timezone, [KEY_REGEX] = is_form,
	[KEY_DEADLINE] = is_deadline, [KEY_SPAN] = is_deadline, [KEY_SERIES] = is_deadline, [KEY_STEP] = is_step,
	[KEY_TO] = is_to, [KEY_DATE] = is_form, [KEY_MMDD] = is_form, [KEY_MOMENT] = is_form, [KEY_AT] = is_at,
	[KEY_DAYS] = is_form, [KEY_HOURS] = is_hours,
	[KEY_WINDOW] = is_hours, [KEY_SIZE] = is_number, [KEY_AGE] = is_form, [KEY_DURATION] = is_form, [KEY_LISTEN] = is_form,
	/* The values of these are judged where they are filled in: nothing of them may be shown. */
	[KEY_SECRET_TEXT] = is_anything, [KEY_SECRET_FILE] = is_anything, [KEY_DSN] = is_anything,
};

static void check_text(struct loader *l, const struct key_info *row, const struct node *node)
{
	const struct key_info as = {.type = KEY_HOURS, .path = row->path};
	int day;

	if (node_is_empty(node)) {
		lint_add(&l->lint, "E12", &node->at, _("write a value or take the key out"),
			   _("“%s” has no value"), key_leaf(row));
		return;
	}
	if (!(row->flags & KEY_SECRET) && strstr(node->text, "${secret:")) {
		lint_add(&l->lint, "E12", &node->at, _("write the value itself"),
			   _("a secret cannot stand here"));
		return;
	}
	if (!(row->flags & KEY_SECRET) && wide_is_wrong(l, row, node))
		return;
	if (row->type != KEY_MAKEUP)
		checks[row->type](l, row, node);
	else if (strncmp(node->text, "同", 3) != 0 || !type_weekday(node->text + 3, strlen(node->text + 3), &day))
		is_hours(l, &as, node);
}

static void wrong_kind(struct loader *l, const struct key_info *row, const struct node *node, enum node_kind want)
{
	if (node->kind == NODE_TEXT && !(row->flags & KEY_SECRET) && wide_explains(l, node))
		return;
	lint_add(&l->lint, "E12", &node->at,
		   want == NODE_TEXT ? _("write one value") :
		   want == NODE_LIST ? _("write [a, b], or one item a line with - before it") :
				       _("write {key: value}, or one key a line, indented"),
		   _("“%s” wants %s, found %s"), *row->path ? key_leaf(row) : row->path, _(kind_words[want]),
		   _(kind_words[node->kind]));
}

static void walk(struct loader *l, const struct key_info *row, const struct node *node);

static const char *alias_of(const struct key_info *row, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (strcmp(aliases[i].wrong, name) == 0 && key_child(row, aliases[i].right))
			return aliases[i].right;
	return NULL;
}

/* Some other place where this key belongs, for the remedy. */
static const char *place_of(const struct loader *l, const char *name)
{
	for (const struct key_info *key = l->keys + 1; key->path; key++)
		if (strcmp(key_leaf(key), name) == 0)
			return key->path;
	return NULL;
}

/* The key that a wrong one was meant to be, or NULL. */
static const char *key_meant(const struct key_info *row, const char *text)
{
	const char *known[64], *found, *wide = strstr(text, "：");
	const struct key_info *child = NULL;
	size_t n = 0, len = wide ? (size_t)(wide - text) : strcspn(text, ":");

	while ((child = key_next(row, child)) && n < ARRAY_LEN(known)) {
		known[n++] = key_leaf(child);
		if (strlen(known[n - 1]) == len && strncmp(text, known[n - 1], len) == 0)
			return known[n - 1];
	}
	found = alias_of(row, text);
	return found ? found : suggest(text, known, n);
}

bool key_is_missing(const struct key_info *row, const struct node *map, const char *key)
{
	if (node_get(map, key))
		return false;
	for (size_t i = 0; map && map->kind == NODE_MAP && i < map->n; i++)
		if (!key_child(row, map->keys[i]->text) && str_equal(key_meant(row, map->keys[i]->text), key))
			return false;
	return true;
}

static void unknown_key(struct loader *l, const struct key_info *row, const struct node *key)
{
	const char *found, *place;
	const struct key_info *child;

	if (wide_explains(l, key))
		return;
	found = key_meant(row, key->text);
	place = found ? NULL : place_of(l, key->text);
	lint_add(&l->lint, "E10", &key->at,
		   place ? arena_printf(l->arena, _("it belongs to %s"), place) :
			   suggest_remedy(l, found, _("take it out; the reference lists every key")),
		   _("unknown key “%s”"), key->text);
	child = found ? key_child(row, found) : NULL;
	if (child && (child->flags & KEY_SECRET))
		lint_hide_source(&l->lint);
}

static void walk_map(struct loader *l, const struct key_info *row, const struct node *map)
{
	const struct key_info *child = NULL;

	for (size_t i = 0; i < map->n; i++) {
		child = key_child(row, map->keys[i]->text);
		if (child)
			walk(l, child, map->items[i]);
		else
			unknown_key(l, row, map->keys[i]);
	}
	for (child = key_next(row, NULL); child; child = key_next(row, child))
		if ((child->flags & KEY_REQUIRED) && !(l->broken && !*row->path) && key_is_missing(row, map, key_leaf(child)))
			lint_add(&l->lint, "E11", &map->at,
				   arena_printf(l->arena, _("add `%s:`: %s"), key_leaf(child), _(child->help)),
				   _("the key “%s” is missing"), key_leaf(child));
}

static void walk_named(struct loader *l, const struct key_info *row, const struct node *map)
{
	const struct key_info name = {.path = row->path, .type = row->name, .flags = KEY_NONEMPTY};
	const struct key_info *child = key_child(row, "*");

	for (size_t i = 0; i < map->n; i++) {
		const struct node *key = map->keys[i];

		/* Behind a wrong colon stands only a part of the value. */
		if (strstr(key->text, "：") || strstr(key->text, "\xe3\x80\x80") || strncmp(key->text, "“", 3) == 0) {
			wide_explains(l, key);
			continue;
		}
		checks[name.type](l, &name, key);
		/* `市政:` with nothing behind it is an entry that takes everything by default. */
		if (child->type != KEY_MAP || !node_is_empty(map->items[i]))
			walk(l, child, map->items[i]);
	}
}

static void walk_list(struct loader *l, const struct key_info *row, const struct node *list)
{
	const struct key_info *item = key_child(row, "[]");

	for (size_t i = 0; i < list->n; i++)
		walk(l, item, list->items[i]);
}

static void walk_makeup(struct loader *l, const struct node *node)
{
	static const struct key_info item = {.path = "calendars.*.makeup_hours[]", .type = KEY_HOURS};

	for (size_t i = 0; i < node->n; i++)
		walk(l, &item, node->items[i]);
}

static void walk(struct loader *l, const struct key_info *row, const struct node *node)
{
	bool map = row->type == KEY_MAP || row->type == KEY_NAMED, list = row->type == KEY_LIST;

	if (node->kind == NODE_BAD)
		return;
	/* A section with nothing in it, such as `copies:`, is an empty one. */
	if ((row->type == KEY_NAMED || list) && node_is_empty(node) && !(row->flags & KEY_NONEMPTY))
		return;
	if ((map || list) && !node->n && node->kind != NODE_TEXT && (row->flags & KEY_NONEMPTY))
		lint_add(&l->lint, "E12", &node->at, _("fill it or take the key out"), _("“%s” is empty"),
			   key_leaf(row));
	else if (row->type == KEY_MAP && (node->kind == NODE_MAP || node_is_empty(node)))
		walk_map(l, row, node);
	else if (row->type == KEY_NAMED && node->kind == NODE_MAP)
		walk_named(l, row, node);
	else if (list && node->kind == NODE_LIST)
		walk_list(l, row, node);
	else if (row->type == KEY_MAKEUP && node->kind == NODE_LIST)
		walk_makeup(l, node);
	else if (list && node->kind == NODE_TEXT && (row->flags & KEY_OR_ONE))
		check_text(l, key_child(row, "[]"), node);
	else if (map || list || node->kind != NODE_TEXT)
		wrong_kind(l, row, node, map ? NODE_MAP : list ? NODE_LIST : NODE_TEXT);
	else
		check_text(l, row, node);
}

void shape_check(struct loader *l, const struct key_info *keys, const struct node *root)
{
	l->keys = keys;
	walk(l, keys, root);
}
