/*
 * libyaml stops at the first syntax error and accepts what clerks cannot see: duplicate keys,
 * anchors that copy meaning from elsewhere, a tab that silently joins two lines. So the tree is
 * built from events, and what YAML allows but an office must not use is a finding with its place.
 * Aliases are never followed: there is nothing to expand, hence no bomb.
 */
#include "settings/yaml.h"

#include <yaml.h>

#include "base/map.h"
#include "base/str.h"
#include "settings/allow.h"

struct composer {
	yaml_parser_t parser;
	const struct source *source;
	struct lint *lint;
	struct arena *arena;
	size_t n_nodes;
	bool stop;
	bool *quoted_lines;     /* lines that continue a quoted or block text: tabs are theirs */
	struct mark bracket;    /* the innermost that is open; line 0: none */
	struct mark quote;      /* the last quoted text, and the line where it ends */
	int quote_end;
	int extra_line;         /* the last line with an E06: one each is enough */
	bool keep_extents;      /* somebody speaks to lint: texts must be told from comments */
	VEC(struct extent) extents;
};

struct wide {
	const char *text, *meant;
};
static const struct wide wide_marks[] = {
	{"：", ":"}, {"－", "-"}, {"\xe3\x80\x80", " "},     /* those that end a key or begin an item */
	{"，", ","}, {"“", "\""}, {"”", "\""},
	{"［", "["}, {"］", "]"}, {"【", "["}, {"】", "]"}, {"｛", "{"}, {"｝", "}"}, {"＃", "#"},
};

struct node *node_get(const struct node *map, const char *key)
{
	for (size_t i = 0; map && map->kind == NODE_MAP && i < map->n; i++)
		if (strcmp(map->keys[i]->text, key) == 0)
			return map->items[i];
	return NULL;
}

struct node *node_key(const struct node *map, const char *key)
{
	for (size_t i = 0; map && map->kind == NODE_MAP && i < map->n; i++)
		if (strcmp(map->keys[i]->text, key) == 0)
			return map->keys[i];
	return NULL;
}

void node_add(struct arena *a, struct node *to, struct node *key, struct node *value)
{
	if (to->n == to->cap) {
		size_t cap = to->cap ? 2 * to->cap : 4;
		struct node **items = arena_alloc(a, cap * sizeof(*items));
		struct node **keys = key ? arena_alloc(a, cap * sizeof(*keys)) : NULL;

		if (to->n) {
			memcpy(items, to->items, to->n * sizeof(*items));
			if (keys)
				memcpy(keys, to->keys, to->n * sizeof(*keys));
		}
		to->items = items;
		to->keys = keys;
		to->cap = cap;
	}
	if (key)
		to->keys[to->n] = key;
	to->items[to->n++] = value;
}

bool node_is_empty(const struct node *node)
{
	return !node || (node->kind == NODE_TEXT && node->plain && !*node->text);
}

struct mark node_mark(const struct node *node, size_t offset)
{
	struct mark m = node->at;

	if (node->kind != NODE_TEXT || !node->text)
		return m;
	m.column += !node->plain;
	for (size_t i = 0; i < offset && node->text[i]; i++)
		m.column += ((unsigned char)node->text[i] & 0xc0) != 0x80;
	m.width = 1;
	return m;
}

static struct mark mark_of(const struct composer *c, const yaml_mark_t *start, const yaml_mark_t *end)
{
	struct mark m = {.source = c->source, .line = (int)start->line + 1, .column = (int)start->column + 1,
			 .width = 1};

	if (end && end->line == start->line && end->column > start->column)
		m.width = (int)(end->column - start->column);
	return m;
}

enum { WIDE_OF_KEYS = 3, WIDE_ANY = ARRAY_LEN(wide_marks) };

/* The first of those full-width marks in a line, quoted texts and comments aside. */
static const struct wide *wide_in_line(const char *line, size_t len, size_t n_marks, size_t *ret_at)
{
	bool quoted = false;

	for (size_t i = 0; i < len && (line[i] != '#' || quoted); i++) {
		quoted ^= line[i] == '"';
		for (size_t k = 0; k < n_marks && !quoted; k++)
			if (strncmp(line + i, wide_marks[k].text, strlen(wide_marks[k].text)) == 0) {
				*ret_at = i;
				return &wide_marks[k];
			}
	}
	return NULL;
}

/* … in lines from…to, where YAML syntax may have been meant by it. */
static const struct wide *find_wide(const struct source *s, int from, int to, size_t n_marks, struct mark *ret)
{
	const struct wide *wide = NULL;

	for (int n = from; n <= to && !wide; n++) {
		size_t len, at;
		const char *line = source_line(s, n, &len);

		wide = line ? wide_in_line(line, len, n_marks, &at) : NULL;
		if (wide)
			*ret = source_mark(s, (size_t)(line - s->text) + at);
	}
	return wide;
}

/* The first tab in the indentation of lines from…to, comments and blank lines aside. */
static bool find_tab(const struct composer *c, int from, int to, struct mark *ret)
{
	for (int n = from; n <= to; n++) {
		size_t len, i;
		const char *line = source_line(c->source, n, &len), *tab;

		if (!line || c->quoted_lines[n])
			continue;
		for (i = 0; i < len && (line[i] == ' ' || line[i] == '\t'); i++)
			;
		tab = memchr(line, '\t', i);
		if (!tab || i == len || line[i] == '#')
			continue;
		*ret = source_mark(c->source, (size_t)(tab - c->source->text));
		return true;
	}
	return false;
}

static void tab_error(struct composer *c, const struct mark *at)
{
	lint_add(c->lint, "E02", at, _("indent with spaces, two for each step"),
		   _("a tab stands in the indentation"));
}

/* The last line before it that holds anything. */
static int line_before(const struct source *s, int line)
{
	size_t len, i;
	const char *text;

	while (--line > 1) {
		text = source_line(s, line, &len);
		for (i = 0; text && i < len && (text[i] == ' ' || text[i] == '\t'); i++)
			;
		if (text && i < len && text[i] != '#')
			break;
	}
	return line < 1 ? 1 : line;
}

static bool says(const yaml_parser_t *p, const char *words)
{
	return p->problem && strstr(p->problem, words);
}

/* Only the next line shows what was wrong with a line; then the mark stands in the one before. */
static const struct wide *find_wide_around(struct composer *c, int line, int to, struct mark *ret)
{
	const yaml_parser_t *p = &c->parser;
	bool block = p->context && strncmp(p->context, "while parsing a block", 21) == 0;
	const struct wide *wide = find_wide(c->source, line, to, WIDE_ANY, ret);
	int before = line_before(c->source, line);

	if (!wide && (block || says(p, "<document start>")))
		wide = find_wide(c->source, before, before, WIDE_ANY, ret);
	/* A line whose colon is none goes on in the next, where a colon then is one too many. */
	if (!wide && says(p, "mapping values"))
		wide = find_wide(c->source, before, before, WIDE_OF_KEYS, ret);
	return wide;
}

/* What was left open swallows lines until something does not fit: that shows where, not what. */
static bool report_open(struct composer *c, const struct mark *open, int found)
{
	if (!open->line || open->line >= found)
		return false;
	lint_add(c->lint, "E01", open, _("close it, or take it out"),
		 _("what opens here is still open in line %d, where something does not fit"), found);
	return true;
}

static bool report_wide(struct composer *c, int line, int to)
{
	struct mark at;
	const struct wide *wide = find_wide_around(c, line, to, &at);

	if (wide)
		lint_add(c->lint, "E03", &at, arena_printf(c->arena, _("write the half-width “%s”"), wide->meant),
			   _("full-width “%s” where YAML wants “%s”"), wide->text, wide->meant);
	return wide;
}

static void syntax_error(struct composer *c)
{
	const yaml_parser_t *p = &c->parser;
	bool block = p->context && strncmp(p->context, "while parsing a block", 21) == 0;
	bool context = p->context && !block && p->context_mark.line < p->problem_mark.line;
	int found = (int)p->problem_mark.line + 1, to;
	struct mark problem = mark_of(c, context ? &p->context_mark : &p->problem_mark, NULL), at;

	if (p->error == YAML_READER_ERROR)
		problem = source_mark(c->source, p->problem_offset);
	if (problem.line > (int)c->source->n_lines)
		problem.line = (int)c->source->n_lines;
	to = problem.line + (context && problem.line < (int)c->source->n_lines);
	c->stop = true;
	/* A wrong line is often only noticed at the next one. */
	if (find_tab(c, problem.line > 1 ? problem.line - 1 : 1,
		     says(p, "tab character") ? (int)c->source->n_lines : to, &at))
		tab_error(c, &at);
	else if (!(c->quote_end == found && report_open(c, &c->quote, found)) && !report_wide(c, problem.line, to) &&
		 !report_open(c, &c->bracket, found))
		lint_add(c->lint, "E01", &problem, _("look at the indentation, brackets and quotes here and just above"),
			   _("this is not YAML: %s"), _(p->problem ? p->problem : N_("unreadable")));
}

static bool next_event(struct composer *c, yaml_event_t *event)
{
	if (c->stop)
		return false;
	if (!yaml_parser_parse(&c->parser, event)) {
		syntax_error(c);
		return false;
	}
	return true;
}

static struct node *node_new(struct composer *c, enum node_kind kind, const yaml_event_t *event, bool one_line)
{
	struct node *node = arena_alloc(c->arena, sizeof(*node));

	node->kind = kind;
	node->at = mark_of(c, &event->start_mark, one_line ? &event->end_mark : NULL);
	if (++c->n_nodes > YAML_NODES) {
		lint_add(c->lint, "E01", &node->at, _("split it into several files of `include:`"),
			   _("the file has more than %d values"), YAML_NODES);
		c->stop = true;
	}
	return node;
}

static bool is_first_extra(struct composer *c, const struct node *node)
{
	bool first = c->extra_line != node->at.line;

	c->extra_line = node->at.line;
	return first;
}

static void refuse_extras(struct composer *c, const struct node *node, const yaml_char_t *anchor,
			  const yaml_char_t *tag)
{
	if (!(anchor || tag) || !is_first_extra(c, node))
		return;
	if (anchor)
		lint_add(c->lint, "E06", &node->at, _("write the value out where it is used"),
			   _("anchors (&%s) are not used here"), (const char *)anchor);
	if (tag)
		lint_add(c->lint, "E06", &node->at, _("leave the tag out: the key says what the value is"),
			   _("tags (%s) are not used here"), (const char *)tag);
}

static void end_at(struct node *node, const yaml_event_t *event)
{
	node->end_line = (int)event->end_mark.line + 1;
	node->end_column = (int)event->end_mark.column + 1;
}

static struct node *scalar(struct composer *c, const yaml_event_t *event)
{
	static const char styles[] = {[YAML_SINGLE_QUOTED_SCALAR_STYLE] = '\'', [YAML_DOUBLE_QUOTED_SCALAR_STYLE] = '"',
				      [YAML_LITERAL_SCALAR_STYLE] = '|', [YAML_FOLDED_SCALAR_STYLE] = '>'};
	struct node *node = node_new(c, NODE_TEXT, event, true);
	yaml_scalar_style_t style = event->data.scalar.style;

	node->plain = style == YAML_PLAIN_SCALAR_STYLE;
	node->style = styles[style];
	end_at(node, event);
	node->text = arena_strndup(c->arena, (const char *)event->data.scalar.value, event->data.scalar.length);
	if (!str_is_utf8(node->text, event->data.scalar.length)) {
		lint_add(c->lint, "E04", &node->at, _("take the escape out"), _("the text holds a NUL byte"));
		node->kind = NODE_BAD;
	}
	if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE) {
		c->quote = node->at;
		c->quote_end = (int)event->end_mark.line + 1;
	}
	if (!node->plain)
		for (size_t n = event->start_mark.line + 1; n <= event->end_mark.line; n++)
			if (n < c->source->n_lines)
				c->quoted_lines[n + 1] = true;
	if (c->keep_extents)
		VEC_PUSH(&c->extents, (struct extent){
			(int)event->start_mark.line + 1, (int)event->start_mark.column + 1,
			(int)event->end_mark.line + 1, (int)event->end_mark.column + 1});
	refuse_extras(c, node, event->data.scalar.anchor, event->data.scalar.tag);
	return node;
}

static struct node *compose(struct composer *c, const yaml_event_t *event, int depth);

static struct node *list(struct composer *c, const yaml_event_t *start, int depth)
{
	struct node *node = node_new(c, NODE_LIST, start, false);
	struct mark outer = c->bracket;

	node->style = start->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE ? '[' : 0;
	if (node->style)
		c->bracket = node->at;
	refuse_extras(c, node, start->data.sequence_start.anchor, start->data.sequence_start.tag);
	for (;;) {
		CLEANUP(yaml_event_delete) yaml_event_t event = {0};

		if (!next_event(c, &event))
			return node;
		if (event.type == YAML_SEQUENCE_END_EVENT) {
			end_at(node, &event);
			c->bracket = outer;
			return node;
		}
		node_add(c->arena, node, NULL, compose(c, &event, depth + 1));
	}
}

/* Is this key good to stand in the map? Reports when it is not. */
static bool key_is_good(struct composer *c, struct map *seen, struct node *key)
{
	const struct node *first;

	if (key->kind == NODE_BAD)
		return false;
	if (key->kind != NODE_TEXT) {
		lint_add(c->lint, "E12", &key->at, _("write a word before the colon"),
			   _("a key must be a text"));
		return false;
	}
	if (key->plain && strcmp(key->text, "<<") == 0) {
		lint_add(c->lint, "E06", &key->at, _("write the keys out"), _("merge keys (<<) are not used here"));
		return false;
	}
	first = map_put(seen, key->text, key);
	if (!first)
		return true;
	lint_add(c->lint, "E05", &key->at, _("keep one of the two"),
		   _("the key “%s” stands here a second time; the first is in line %d, column %d"), key->text,
		   first->at.line, first->at.column);
	return false;
}

static struct node *mapping(struct composer *c, const yaml_event_t *start, int depth)
{
	CLEANUP(map_done) struct map seen = {0};
	struct node *node = node_new(c, NODE_MAP, start, false), *key, *value;
	struct mark outer = c->bracket;

	node->style = start->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE ? '[' : 0;
	/* [a: b] has a map without a bracket of its own. */
	if (node->style && start->end_mark.index > start->start_mark.index)
		c->bracket = node->at;
	refuse_extras(c, node, start->data.mapping_start.anchor, start->data.mapping_start.tag);
	for (;;) {
		CLEANUP(yaml_event_delete) yaml_event_t key_event = {0};
		CLEANUP(yaml_event_delete) yaml_event_t event = {0};
		bool good;

		if (!next_event(c, &key_event))
			return node;
		if (key_event.type == YAML_MAPPING_END_EVENT) {
			end_at(node, &key_event);
			c->bracket = outer;
			return node;
		}
		key = compose(c, &key_event, depth + 1);
		if (!next_event(c, &event))
			return node;
		good = key_is_good(c, &seen, key);
		value = compose(c, &event, depth + 1);
		if (good)
			node_add(c->arena, node, key, value);
	}
}

static struct node *compose(struct composer *c, const yaml_event_t *event, int depth)
{
	struct node *node;

	if (event->type == YAML_SCALAR_EVENT)
		return scalar(c, event);
	if (depth > YAML_DEPTH) {
		node = node_new(c, NODE_BAD, event, false);
		lint_add(c->lint, "E01", &node->at, _("take the nesting apart"),
			   _("nested deeper than %d levels"), YAML_DEPTH);
		c->stop = true;
		return node;
	}
	if (event->type == YAML_SEQUENCE_START_EVENT)
		return list(c, event, depth);
	if (event->type == YAML_MAPPING_START_EVENT)
		return mapping(c, event, depth);
	node = node_new(c, NODE_BAD, event, false);
	if (event->type == YAML_ALIAS_EVENT && is_first_extra(c, node))
		lint_add(c->lint, "E06", &node->at, _("write the value out where it is used"),
			   _("aliases (*%s) are not used here"), (const char *)event->data.alias.anchor);
	return node;
}

static struct node *document(struct composer *c)
{
	struct node *root = NULL;

	for (;;) {
		CLEANUP(yaml_event_delete) yaml_event_t event = {0};
		struct node *node;

		if (!next_event(c, &event) || event.type == YAML_STREAM_END_EVENT)
			return root;
		if (event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_START_EVENT ||
		    event.type == YAML_DOCUMENT_END_EVENT)
			continue;
		node = compose(c, &event, 1);
		if (root) {
			lint_add(c->lint, "E01", &node->at, _("take the `---` line out"),
				   _("a file holds one document; a second one begins here"));
			c->stop = true;
			return root;
		}
		root = node;
	}
}

/* The file as bytes: is it text at all? */
static bool check_bytes(struct composer *c)
{
	static const struct {
		const char *code, *message, *remedy;
	} reasons[] = {
		{"gb18030", N_("the file is not UTF-8 but GB18030 (GBK)"), N_("save it as UTF-8")},
		{"utf8", N_("the file is not UTF-8"), N_("save it as UTF-8")},
		{"nul", N_("the file holds a NUL byte: it is no text"), N_("save it as UTF-8 text")},
		{"bom", N_("an invisible mark (U+FEFF) stands inside the file"), N_("delete it")},
	};
	const char *code;
	struct mark at;
	size_t offset;

	if (source_is_utf8(c->source, &offset, &code))
		return true;
	at = source_mark(c->source, offset);
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (strcmp(code, reasons[i].code) == 0)
			lint_add(c->lint, "E04", &at, _(reasons[i].remedy), "%s", _(reasons[i].message));
	return false;
}

struct node *yaml_parse(const struct source *source, struct lint *lint)
{
	CLEANUP(mem_freep) bool *quoted = mem_alloc((source->n_lines + 2) * sizeof(*quoted));
	struct composer c = {.source = source, .lint = lint, .arena = lint->arena, .quoted_lines = quoted};
	struct node *root;
	struct mark at;

	if (!check_bytes(&c))
		return NULL;
	if (!yaml_parser_initialize(&c.parser))
		mem_die("libyaml");
	yaml_parser_set_encoding(&c.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&c.parser, (const unsigned char *)source->text, source->len);
	c.keep_extents = strstr(source->text, "lint") != NULL;
	root = document(&c);
	yaml_parser_delete(&c.parser);
	if (c.keep_extents && !c.stop)
		allow_collect(lint, source, c.extents.v, c.extents.n);
	VEC_DONE(&c.extents);
	if (c.stop)
		return NULL;
	if (find_tab(&c, 1, (int)source->n_lines, &at)) {
		tab_error(&c, &at);
		return NULL;
	}
	if (!root) {
		root = arena_alloc(c.arena, sizeof(*root));
		root->kind = NODE_MAP;
		root->at = source_mark(source, 0);
	}
	return root;
}
