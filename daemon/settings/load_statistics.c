/* Rates, the wall, lists for everybody, inspections: what the office counts and shows. */
#include "base/str.h"
#include "core/statistics/points.h"
#include "core/time/moment.h"
#include "settings/csv.h"
#include "settings/types.h"

static const char site_header[] = "id,name,trade,grade,community,grid,contact,phone";

bool load_period(struct scope s, const char *name, struct period *ret)
{
	int content = scope_enum(s, "content"), covers = scope_enum(s, "covers");

	ret->name = name;
	ret->title = scope_text(s, "name");
	if (!ret->title)
		ret->title = name;
	ret->content = content < 0 ? CONTENT_OVERDUE : (enum period_content)content;
	ret->covers = covers < 0 ? COVERS_SINCE : (enum period_covers)covers;
	if (!scope_deadline(s, "every", &ret->every) || ret->every.kind != DEADLINE_SERIES)
		return false;
	ret->text = deadline_text(&ret->every, s.l->arena);
	return true;
}

/* ---- rates ------------------------------------------------------------------------------------ */
static int64_t bits(struct scope s, const char *key)
{
	struct texts words = scope_texts(s, key);
	int64_t facts = 0;

	for (size_t i = 0; i < words.n; i++) {
		int fact = name_index(fact_names, N_FACT, words.v[i]);

		if (fact >= 0)
			facts |= FACT_BIT(fact);
	}
	return facts;
}

static struct names names(struct scope s, const char *key)
{
	struct texts texts = scope_texts(s, key);

	return (struct names){texts.v, texts.n};
}

static struct selection load_selection(struct scope s)
{
	struct department_list depts = scope_depts(s, "department");

	(void)depts;    /* they are used */
	return (struct selection){.all = bits(s, "all"), .any = bits(s, "any"), .none = bits(s, "none"),
				  .channels = names(s, "channel"), .categories = names(s, "category"),
				  .departments = names(s, "department"), .urgencies = names(s, "urgency"),
				  .horizons = names(s, "horizon")};
}

static size_t entries(struct scope s)
{
	return s.map && s.map->kind == NODE_MAP ? s.map->n : 0;
}

static void load_rates(struct loader *l, struct statistics *st)
{
	struct scope s = scope_in(scope_root(l), "rates");
	size_t n = entries(s);
	struct rate *rates = arena_alloc(l->arena, (n + 1) * sizeof(*rates));

	for (size_t i = 0; i < n; i++) {
		struct scope one = scope_item(s, i);
		int of = scope_enum(one, "of");

		rates[i].name = s.map->keys[i]->text;
		rates[i].of = of < 0 ? RATE_RECEIVED : (enum rate_of)of;
		rates[i].numerator = load_selection(scope_in(one, "numerator"));
		rates[i].denominator = load_selection(scope_in(one, "denominator"));
		rates[i].fewer_is_better = scope_enum(one, "better") == 1;
		rates[i].formula = rate_formula(&rates[i], l->arena);
	}
	st->rates = rates;
	st->n_rates = n;
}

/* ---- the wall --------------------------------------------------------------------------------- */
static int64_t date(struct scope s, const char *key, int32_t add)
{
	const char *text = scope_text(s, key);
	int32_t day;

	return text && type_date(text, &day) ? moment_of_day(day + add, 0) : MOMENT_NONE;
}

static const struct rate *find_rate(const struct statistics *st, const char *name)
{
	for (size_t i = 0; name && i < st->n_rates; i++)
		if (strcmp(st->rates[i].name, name) == 0)
			return &st->rates[i];
	return NULL;
}

static void load_wall(struct loader *l, struct statistics *st)
{
	struct scope wall = scope_in(scope_root(l), "wall"), s = scope_in(wall, "aims");
	size_t n = entries(s);
	struct aim *aims = arena_alloc(l->arena, (n + 1) * sizeof(*aims));

	for (size_t i = 0; i < n; i++) {
		struct scope one = scope_item(s, i);
		struct aim *aim = &aims[st->n_aims];

		*aim = (struct aim){.name = s.map->keys[i]->text, .rate = find_rate(st, scope_text(one, "rate")),
				    .from = date(one, "from", 0), .until = date(one, "until", 1),
				    .target = scope_int(one, "target")};
		if (aim->rate && aim->from != MOMENT_NONE && aim->until != MOMENT_NONE)
			st->n_aims++;
	}
	st->aims = aims;
	st->problems = (int)scope_int(wall, "problems");
}

static void load_publics(struct loader *l, struct statistics *st)
{
	struct scope s = scope_in(scope_root(l), "public");
	size_t n = entries(s);
	struct period *publics = arena_alloc(l->arena, (n + 1) * sizeof(*publics));

	for (size_t i = 0; i < n; i++)
		st->n_publics += load_period(scope_item(s, i), s.map->keys[i]->text, &publics[st->n_publics]);
	st->publics = publics;
}

/* ---- inspections ------------------------------------------------------------------------------ */
static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

static void read_site(struct csv *r, struct inspection *in, struct site *site, struct map *known)
{
	struct loader *l = r->l;

	*site = (struct site){.id = r->fields[0], .name = r->fields[1], .trade = or_null(r->fields[2]),
			      .grade = r->fields[3], .community = or_null(r->fields[4]), .grid = or_null(r->fields[5]),
			      .contact = or_null(r->fields[6]), .phone = or_null(r->fields[7])};
	r->marks[0].width = (int)strlen(site->id);
	r->marks[3].width = (int)strlen(site->grade);
	if (!type_id(site->id))
		lint_add(&l->lint, "E25", &r->marks[0], _("small letters, digits, - and _"), _("“%s” is no id"), site->id);
	else if (map_put(known, site->id, site))
		lint_add(&l->lint, "E21", &r->marks[0], _("keep one of the two"),
			   _("the site %s stands here a second time"), site->id);
	for (size_t i = 0; i < in->n_grades; i++)
		if (strcmp(in->grades[i].name, site->grade) == 0)
			return;
	lint_add(&l->lint, "E20", &r->marks[3], _("write one of the grades of the inspection"),
		   _("there is no grade “%s”"), site->grade);
}

static void load_sites(struct scope s, struct inspection *in)
{
	struct mark at = scope_mark(s, "register");
	const char *name = scope_text(s, "register");
	struct map known = {0};
	struct site *sites;
	struct csv r;

	if (!name || !type_path(name) || !csv_open(s.l, name, site_header, &at, &r))
		return;
	sites = arena_alloc(s.l->arena, (r.source->n_lines + 1) * sizeof(*sites));
	while (csv_next(&r))
		read_site(&r, in, &sites[in->n_sites++], &known);
	map_done(&known);
	in->sites = sites;
}

static void load_grades(struct scope s, struct inspection *in)
{
	struct grade *grades = arena_alloc(s.l->arena, (entries(s) + 1) * sizeof(*grades));

	for (size_t i = 0; i < entries(s); i++) {
		struct grade *grade = &grades[in->n_grades];

		grade->name = s.map->keys[i]->text;
		if (!scope_deadline(s, grade->name, &grade->every) || grade->every.kind != DEADLINE_SERIES)
			continue;
		grade->text = deadline_text(&grade->every, s.l->arena);
		in->n_grades++;
	}
	in->grades = grades;
}

static void load_inspections(struct loader *l, struct statistics *st)
{
	struct scope s = scope_in(scope_root(l), "inspections");
	size_t n = entries(s);
	struct inspection *all = arena_alloc(l->arena, (n + 1) * sizeof(*all));

	for (size_t i = 0; i < n; i++) {
		struct scope one = scope_item(s, i);
		struct inspection *in = &all[st->n_inspections];
		const char *channel = scope_text(one, "channel");

		*in = (struct inspection){.name = s.map->keys[i]->text, .title = scope_text(one, "name"),
					  .category = scope_text(one, "category"), .task = scope_text(one, "task")};
		in->title = in->title ? in->title : in->name;
		in->channel = channel ? map_get(&l->settings->office.channel_by_id, channel) : NULL;
		load_grades(scope_in(one, "grades"), in);
		load_sites(one, in);
		if (in->channel)
			st->n_inspections++;
	}
	st->inspections = all;
}

static void load_points(struct loader *l, struct statistics *st)
{
	struct scope points = scope_in(scope_root(l), "points"), s = scope_in(points, "rules"), shop = scope_in(points, "shop");
	struct point_rule *rules = arena_alloc(l->arena, (entries(s) + 1) * sizeof(*rules));
	struct point_good *goods = arena_alloc(l->arena, (entries(shop) + 1) * sizeof(*goods));

	for (size_t i = 0; i < entries(s); i++) {
		struct scope one = scope_item(s, i);
		int on = scope_enum(one, "after"), who = scope_enum(one, "who");

		rules[i] = (struct point_rule){.name = s.map->keys[i]->text, .on = on < 0 ? POINT_BY_HAND : (enum point_on)on,
					       .who = who < 0 ? POINT_REPORTER : (enum point_who)who, .points = scope_int(one, "points"),
					       .when = load_selection(scope_in(one, "when")), .review = scope_dept(one, "review")};
	}
	for (size_t i = 0; i < entries(shop); i++) {
		goods[i] = (struct point_good){shop.map->keys[i]->text, INT64_MAX};
		if (shop.map->items[i]->text)
			str_to_int(shop.map->items[i]->text, 1, INT64_MAX, &goods[i].price);
	}
	st->point_rules = rules;
	st->n_point_rules = entries(s);
	st->shop = goods;
	st->n_shop = entries(shop);
}

static void load_hotwords(struct loader *l, struct hotword_rules *hot)
{
	struct scope s = scope_in(scope_root(l), "hotwords");
	struct texts ignore = scope_texts(s, "ignore");
	const char *channel = scope_text(s, "channel");

	hot->find = (struct hot_settings){.min = scope_int(s, "min"), .rise = scope_number(s, "rise"),
					  .cohesion = scope_number(s, "cohesion"), .boundary = scope_number(s, "boundary"),
					  .talk_min = scope_int(s, "talk"), .talk_ratio = scope_number(s, "per_report"),
					  .top = (size_t)scope_int(s, "top"), .proposals = (size_t)scope_int(s, "most"),
					  .ignore = ignore.v, .n_ignore = ignore.n};
	hot->before_days = scope_int(s, "before");
	hot->again_days = scope_int(s, "again");
	hot->channel = channel ? map_get(&l->settings->office.channel_by_id, channel) : NULL;
	hot->category = scope_text(s, "category");
}

static const struct pool *find_pool(const struct statistics *st, const char *name)
{
	for (size_t i = 0; name && i < st->n_pools; i++)
		if (strcmp(st->pools[i].name, name) == 0)
			return &st->pools[i];
	return NULL;
}

static void load_pools(struct loader *l, struct statistics *st)
{
	struct scope s = scope_in(scope_root(l), "pools");
	struct pool *pools = arena_alloc(l->arena, (entries(s) + 1) * sizeof(*pools));

	for (size_t i = 0; i < entries(s); i++) {
		struct scope one = scope_item(s, i);

		pools[i] = (struct pool){.name = s.map->keys[i]->text, .unit = scope_text(one, "unit"), .amount = scope_int(one, "amount"),
					 .from = date(one, "from", 0), .until = date(one, "until", 1)};
	}
	st->pools = pools;
	st->n_pools = entries(s);
}

void load_statistics(struct loader *l)
{
	struct statistics *st = &l->settings->office.statistics;
	const char *projects;

	load_rates(l, st);
	load_wall(l, st);
	load_publics(l, st);
	load_inspections(l, st);
	load_hotwords(l, &st->hot);
	load_points(l, st);
	projects = scope_text(scope_in(scope_root(l), "projects"), "channel");
	st->projects = projects ? map_get(&l->settings->office.channel_by_id, projects) : NULL;
	load_pools(l, st);
	st->project_pool = find_pool(st, scope_text(scope_in(scope_root(l), "projects"), "pool"));
}

/* ---- what it means ---------------------------------------------------------------------------- */
static void check_pools(struct loader *l, const struct statistics *st)
{
	struct scope pools = scope_in(scope_root(l), "pools");
	const struct node *named = scope_node(scope_in(scope_root(l), "projects"), "pool");

	if (named && named->kind == NODE_TEXT && !find_pool(st, named->text))
		lint_add(&l->lint, "E20", &named->at, _("name one of `pools`"), _("there is no pool “%s”"), named->text);
	for (size_t i = 0; i < entries(pools); i++) {
		struct scope one = scope_item(pools, i);
		const struct node *until = scope_node(one, "until");

		if (until && scope_node(one, "from") && date(one, "from", 0) >= date(one, "until", 1))
			lint_add(&l->lint, "E12", &until->at, _("write a later day"), _("the pool ends before it begins"));
	}
}

/* What was said then is forgotten by the time that it is compared with. */
static void check_memory(struct loader *l)
{
	const struct office *office = &l->settings->office;
	struct scope hot = scope_in(scope_root(l), "hotwords");
	struct mark at = scope_mark(hot, "before");

	if (hot.map && office->retain_days > 0 && office->statistics.hot.before_days > office->retain_days)
		lint_add(&l->lint, "E12", &at, _("compare with a shorter time, or keep words longer"),
			 _("hot words are compared with %lld days before, but `privacy.retain` keeps what was said for %lld"),
			 (long long)office->statistics.hot.before_days, (long long)office->retain_days);
}

void check_statistics(struct loader *l)
{
	const struct statistics *st = &l->settings->office.statistics;
	struct scope aims = scope_in(scope_in(scope_root(l), "wall"), "aims"), publics = scope_in(scope_root(l), "public");

	check_pools(l, st);
	check_memory(l);
	for (size_t i = 0; i < st->n_point_rules; i++) {
		struct scope one = scope_item(scope_in(scope_in(scope_root(l), "points"), "rules"), i);
		struct mark at = scope_mark(one, "points");

		if (!st->point_rules[i].points && scope_node(one, "points"))
			lint_add(&l->lint, "E12", &at, _("write how many, or take the rule out"), _("the rule gives nothing"));
	}
	/* A word that many use may be a person's name. */
	for (size_t i = 0; i < entries(publics); i++) {
		const struct node *content = scope_node(scope_item(publics, i), "content");

		if (content && content->kind == NODE_TEXT && strcmp(content->text, period_content_names[CONTENT_HOTWORDS]) == 0)
			lint_add(&l->lint, "E12", &content->at, _("make it one of `reports`, for a department"),
				 _("hot words are not for everybody: they may name people"));
	}
	for (size_t i = 0; i < entries(aims); i++) {
		struct scope one = scope_item(aims, i);
		const struct node *rate = scope_node(one, "rate"), *until = scope_node(one, "until");

		if (rate && rate->kind == NODE_TEXT && !find_rate(st, rate->text))
			lint_add(&l->lint, "E20", &rate->at, _("name one of `rates`"), _("there is no rate “%s”"), rate->text);
		if (until && date(one, "from", 0) >= date(one, "until", 1))
			lint_add(&l->lint, "E12", &until->at, _("write a later day"), _("the aim ends before it begins"));
	}
}
