/* Where messages come from. A filter's placeholders are filled in here, so that the core compares levels. */
#include "base/str.h"
#include "settings/load.h"
#include "settings/types.h"

#include "needle_plugin.h"

static struct texts filters_of(struct scope s, const char *id)
{
	static const char fallback[] = "needle/{tenant}/in/{channel}/{source}";
	struct texts given = scope_texts(s, "subscribe");
	struct loader *l = s.l;
	const char **v = arena_alloc(l->arena, (given.n + 2) * sizeof(*v));
	const char *tenant = l->settings->office.tenant;
	size_t n = given.n ? given.n : 1;

	for (size_t i = 0; i < n; i++) {
		CLEANUP(str_done) struct str t = {0};

		for (const char *from = given.n ? given.v[i] : fallback; *from;) {
			size_t skip = strncmp(from, "{tenant}", 8) == 0 ? 8 : strncmp(from, "{channel}", 9) == 0 ? 9 :
				      strncmp(from, "{source}", 8) == 0 ? 8 : 0;

			if (!skip)
				str_addc(&t, *from);
			else
				str_add(&t, from[1] == 't' ? tenant : from[1] == 'c' ? id : "+");
			from += skip ? skip : 1;
		}
		v[i] = arena_strdup(l->arena, t.s ? t.s : "");
	}
	return (struct texts){.v = v, .n = n};
}

/* The level at which `word` stands in a filter, -1: nowhere. */
static int level_of(const char *filter, const char *word)
{
	size_t len = strlen(word);
	int level = 0;

	for (const char *at = filter; at; level++) {
		size_t n = strcspn(at, "/");

		if (n == len && memcmp(at, word, n) == 0)
			return level;
		at = at[n] ? at + n + 1 : NULL;
	}
	return -1;
}

static int levels(const char *filter)
{
	int n = 1;

	for (; *filter; filter++)
		n += *filter == '/';
	return n;
}

static void load_source(struct scope s, struct channel *channel)
{
	const char *given = scope_text(s, "source");
	struct mark at = scope_mark(s, "source"), list_at = scope_mark(s, "subscribe");
	struct texts filters = scope_texts(s, "subscribe");
	bool differ = false, hidden = false;
	int64_t level = -1;

	channel->source_level = filters.n ? -1 : 4;
	for (size_t i = 0; i < filters.n && !given; i++) {
		int named = level_of(filters.v[i], "{source}"), first = level_of(channel->filters[i], "+");

		if (named < 0)
			named = first;
		/* Where levels differ, a filter's first + is the source: that the core finds by itself. */
		hidden |= named != first;
		differ |= i && named != channel->source_level;
		channel->source_level = named;
	}
	if (differ)
		channel->source_level = -1;
	if (differ && hidden)
		lint_add(&s.l->lint, "E12", &list_at,
			 _("give such filters channels of their own, or name `source:`"),
			 _("the filters of a channel have their source at different levels"));
	if (given && *given == '/') {
		channel->source_pointer = given;
		channel->source_level = -1;
	} else if (given && str_to_int(given, 0, 127, &level)) {
		channel->source_level = (int)level;
	}
	for (size_t i = 0; i < channel->n_filters && level >= 0; i++)
		if (level >= levels(channel->filters[i]) && !strchr(channel->filters[i], '#'))
			lint_add(&s.l->lint, "E12", &at, _("the first level has number 0"),
				   _("“%s” has no level %lld"), channel->filters[i], (long long)level);
}

static void load_members(struct scope s, struct channel *channel)
{
	const struct node *map = scope_node(s, "map"), *set = scope_node(s, "set"), *formats = scope_node(s, "formats");
	struct arena *a = s.l->arena;
	struct member_map *pointers = arena_alloc(a, (map ? map->n + 1 : 1) * sizeof(*pointers));
	struct member_set *constants = arena_alloc(a, (set ? set->n + 1 : 1) * sizeof(*constants));
	struct member_format *forms = arena_alloc(a, (formats ? formats->n + 1 : 1) * sizeof(*forms));

	for (size_t i = 0; map && map->kind == NODE_MAP && i < map->n; i++)
		if (map->items[i]->text)
			pointers[channel->n_map++] = (struct member_map){map->keys[i]->text, map->items[i]->text};
	for (size_t i = 0; set && set->kind == NODE_MAP && i < set->n; i++) {
		const struct node *value = set->items[i];

		if (!value->text)
			continue;
		constants[channel->n_set++] = (struct member_set){set->keys[i]->text, value->text};
		if (strcmp(set->keys[i]->text, "category") == 0)
			names_check(s.l, "categories", value->text, &value->at);
		else if (strcmp(set->keys[i]->text, "urgency") == 0 &&
			 name_index(urgency_names, N_URGENCY, value->text) < 0)
			lint_add(&s.l->lint, "E13", &value->at,
				   suggest_remedy(s.l, suggest(value->text, urgency_names, N_URGENCY),
						  _("write normal, urgent or critical")),
				   _("“%s” is no urgency"), value->text);
	}
	for (size_t i = 0; formats && formats->kind == NODE_MAP && i < formats->n; i++)
		if (formats->items[i]->text)
			forms[channel->n_formats++] =
				(struct member_format){formats->keys[i]->text, formats->items[i]->text};
	channel->map = pointers;
	channel->set = constants;
	channel->formats = forms;
}

static void load_codes(struct scope s, struct channel *channel)
{
	const struct node *codes = scope_node(s, "codes");
	size_t n = codes && codes->kind == NODE_MAP ? codes->n : 0;
	struct code_table *tables = arena_alloc(s.l->arena, (n + 1) * sizeof(*tables));

	for (size_t i = 0; i < n; i++) {
		const struct node *map = codes->items[i];

		tables[i].member = codes->keys[i]->text;
		for (size_t k = 0; map->kind == NODE_MAP && k < map->n; k++)
			if (map->items[k]->text)
				map_put(&tables[i].values, map->keys[k]->text, (void *)(uintptr_t)map->items[k]->text);
	}
	channel->codes = tables;
	channel->n_codes = n;
}

static const struct needle_option *find_option(const struct decoder_info *info, const char *name)
{
	for (const struct needle_option *o = info->options; o && o->name; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}

static void check_option(struct loader *l, const struct decoder_info *info, const struct node *key,
			 const struct node *value)
{
	const struct needle_option *option = find_option(info, key->text);
	const char *known[32];
	size_t n = 0;
	int64_t number;
	bool flag;

	for (const struct needle_option *o = info->options; o && o->name && n < ARRAY_LEN(known); o++)
		known[n++] = o->name;
	if (!option)
		lint_add(&l->lint, "E10", &key->at,
			   suggest_remedy(l, suggest(key->text, known, n), _("`needlectl schema` lists the options")),
			   _("the decoder “%s” has no option “%s”"), info->name, key->text);
	else if (value->text && ((option->type == NEEDLE_OPTION_INTEGER &&
				  !str_to_int(value->text, INT64_MIN, INT64_MAX, &number)) ||
				 (option->type == NEEDLE_OPTION_BOOLEAN && !type_bool(value->text, &flag))))
		lint_add(&l->lint, "E12", &value->at, option->help ? option->help : "",
			   option->type == NEEDLE_OPTION_INTEGER ? _("the option “%s” wants a number") :
								   _("the option “%s” wants on or off"), key->text);
}

static void load_options(struct scope s, struct channel *channel)
{
	const struct node *map = scope_node(s, "options"), *decoder = scope_node(s, "decoder");
	size_t n = map && map->kind == NODE_MAP ? map->n : 0;
	struct option_value *options = arena_alloc(s.l->arena, (n + 1) * sizeof(*options));
	const struct load_options *how = s.l->options;
	struct decoder_info info = {0};
	struct mark at = scope_mark(s, map ? "options" : "decoder");

	for (size_t i = 0; i < n; i++)
		options[i] = (struct option_value){map->keys[i]->text, map->items[i]->text ? map->items[i]->text : ""};
	channel->options = options;
	channel->n_options = n;
	if (n && !decoder)
		lint_add(&s.l->lint, "E12", &at, _("add `decoder:` or take the options out"),
			   _("options belong to a decoder, and there is none"));
	if (!decoder || !how->decoder || !decoder->text)
		return;
	if (!how->decoder(how->decoder_arg, decoder->text, &info)) {
		lint_add(&s.l->lint, "E20", &decoder->at, _("install its plugin, or correct the name"),
			   _("there is no decoder “%s”"), decoder->text);
		return;
	}
	for (size_t i = 0; i < n; i++)
		check_option(s.l, &info, map->keys[i], map->items[i]);
	for (const struct needle_option *o = info.options; o && o->name; o++)
		if (!o->default_text && !node_get(map, o->name))
			lint_add(&s.l->lint, "E11", &at, o->help ? o->help : "",
				   _("the decoder “%s” needs the option “%s”"), info.name, o->name);
}

void load_mapping(struct scope s, struct channel *channel)
{
	load_members(s, channel);
	load_codes(s, channel);
}

void load_channels(struct loader *l)
{
	struct scope s = scope_in(scope_root(l), "channels");
	size_t n = s.map && s.map->kind == NODE_MAP ? s.map->n : 0;
	struct channel *channels = arena_alloc(l->arena, (n + 1) * sizeof(*channels));
	struct office *office = &l->settings->office;

	for (size_t i = 0; i < n; i++) {
		struct scope one = scope_item(s, i);
		struct channel *channel = &channels[i];
		const char *name = scope_text(one, "name");
		struct texts filters = filters_of(one, s.map->keys[i]->text);
		bool utf8 = true;

		channel->id = s.map->keys[i]->text;
		channel->name = name ? name : channel->id;
		channel->filters = filters.v;
		channel->n_filters = filters.n;
		channel->decoder = scope_text(one, "decoder");
		channel->charset = scope_text(one, "charset");
		if (!type_charset(channel->charset, &utf8) || utf8)
			channel->charset = NULL;
		channel->vote = (int)scope_int(one, "vote");
		channel->triage = scope_bool(one, "triage") == 1;
		load_source(one, channel);
		load_mapping(one, channel);
		load_options(one, channel);
		map_put(&office->channel_by_id, channel->id, channel);
	}
	office->channels = channels;
	office->n_channels = n;
}
