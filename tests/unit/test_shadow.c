/*
 * The shadow proof. Sound: over thousands of random offices no message is ever won by a rule that was
 * said to be shadowed, and taking out every entry that was said to be without effect changes no
 * decision. Complete enough: the table of pairs that a clerk would call shadowed.
 */
#include "unit/settings_folder.h"

#include "core/understand/text.h"
#include "settings/shadow.h"
#include "unit/office_fixture.h"

/* ---- random offices --------------------------------------------------------------------------- */

enum { OFFICES = 6000, RULES = 9, MESSAGES = 420, LIST = 4 };

static uint64_t seed = 20261120;

static uint32_t dice(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % n;
}

static const char *const words[] = {"漏", "漏水", "楼道漏水", "水", "ＡＢ", "ab", "abc", "煤气", "煤 气味", "气", " ", "演练"};
static const char *const texts[] = {"漏", "楼道漏水", "楼道ＡＢ", "abc 煤气味", "漏水演练", "ab水", "煤气演练", "气", "演练", "ABC漏水"};
static const char *const categories[] = {"市政", "市政/井盖", "市政/井盖/大", "物业", "物业/漏水", "市政井"};
static const char *const grids[] = {"4101*", "410106*", "410106", "410106003*", "410106003", "410106003001", "4102"};
static const char *const devices[] = {"mh-*", "mh-1", "mh-1*", "sw-2"};
static const char *const regexes[] = {"漏[水气]", "ab?c"};

/* One to LIST of the words, now and then. */
static struct texts some(struct arena *a, uint32_t odds, const char *const *from, uint32_t n)
{
	const char **v = arena_alloc(a, LIST * sizeof(*v));
	struct texts list = {.v = v};

	if (dice(odds))
		return list;
	do {
		v[list.n++] = from[dice(n)];
	} while (list.n < LIST && dice(2));
	return list;
}

static struct when some_when(struct fixture *f, uint32_t n_channels)
{
	struct arena *a = &f->arena;
	struct when when = {.secret = -1};
	const struct window **during = arena_alloc(a, 2 * sizeof(*during));
	const char *const channels[] = {"hotline", "wechat", "device"};

	when.channel = some(a, 4, channels, n_channels);
	when.category = some(a, 3, categories, ARRAY_LEN(categories));
	when.grid = some(a, 3, grids, ARRAY_LEN(grids));
	when.device = some(a, 9, devices, ARRAY_LEN(devices));
	when.any = some(a, 2, words, ARRAY_LEN(words));
	when.all = some(a, 5, words, ARRAY_LEN(words));
	when.none = some(a, 5, words, ARRAY_LEN(words));
	when.regex = some(a, 20, regexes, ARRAY_LEN(regexes));
	if (!dice(5))
		when.urgency = 1 + dice(7);
	if (!dice(8))
		when.secret = (int8_t)dice(2);
	when.during = during;
	while (when.n_during < 2 && !dice(5))
		during[when.n_during++] = &f->windows[dice(2)];
	return when;
}

static void random_rules(struct fixture *f, struct rule *rules, size_t n)
{
	static const char *const ids[RULES] = {"甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬"};

	for (size_t i = 0; i < n; i++)
		rules[i] = (struct rule){.id = ids[i], .when = some_when(f, 3), .then = {
			.dept = &f->departments[dice(3)], .urgency = -1, .visibility = -1},
			.until = dice(6) ? MOMENT_NONE : moment_of_day(20000 + (int32_t)dice(3), 1440)};
}

static const char *one(uint32_t odds, const char *const *from, uint32_t n)
{
	return dice(odds) ? from[dice(n)] : NULL;
}

/* What a pattern stands for, with something behind it or not. */
static const char *below(struct arena *a, const char *pattern, const char *behind)
{
	size_t n = pattern ? strlen(pattern) : 0;

	if (!n)
		return NULL;
	if (pattern[n - 1] == '*')
		return arena_printf(a, "%.*s%s", (int)n - 1, pattern, dice(2) ? behind : "");
	return pattern;
}

static struct report random_report(struct fixture *f)
{
	struct arena *a = &f->message;
	struct report r = {.channel = &f->channels[dice(4)], .urgency = (int8_t)((int)dice(4) - 1), .secret = dice(2)};
	const char *text = one(9, texts, ARRAY_LEN(texts));

	if (text && dice(2))
		text = arena_printf(a, "%s%s", text, texts[dice(ARRAY_LEN(texts))]);
	r.text = text;
	r.shadow = text ? text_shadow(a, text) : "";
	r.category = one(5, categories, ARRAY_LEN(categories));
	if (r.category && !dice(4))
		r.category = arena_printf(a, "%s/别的", r.category);
	r.grid = below(a, one(5, grids, ARRAY_LEN(grids)), "9");
	r.device = below(a, one(2, devices, ARRAY_LEN(devices)), "7");
	r.received_at = moment_of_day(19999 + (int32_t)dice(5), (int32_t)dice(1440));
	return r;
}

/* ---- what was said, taken at its word ---------------------------------------------------------- */

struct pruned {
	struct rule rules[RULES];
	bool shadowed[RULES];
	size_t n_rules, n_entries;
};

static void prune_texts(struct shadow *s, enum shadow_list which, struct texts *list, struct fixture *f, struct pruned *p)
{
	const char **v = arena_alloc(&f->arena, LIST * sizeof(*v));
	struct texts kept = {.v = v};
	struct shadow_proof proof;

	if (list->n < 2)
		return;
	for (size_t i = 0; i < list->n; i++)
		if (!shadow_entry(s, which, i, &proof) && !(which == SHADOW_ANY && shadow_forbidden(s, i)))
			v[kept.n++] = list->v[i];
	p->n_entries += list->n - kept.n;
	if (kept.n)
		*list = kept;
}

static void prune_rule(struct shadow *s, struct rule *rule, struct fixture *f, struct pruned *p)
{
	struct when *w = &rule->when;
	const struct window **during = arena_alloc(&f->arena, 2 * sizeof(*during));
	uint32_t urgency = w->urgency;
	struct shadow_proof proof;
	size_t n = 0;

	prune_texts(s, SHADOW_ANY, &w->any, f, p);
	prune_texts(s, SHADOW_CHANNEL, &w->channel, f, p);
	prune_texts(s, SHADOW_CATEGORY, &w->category, f, p);
	prune_texts(s, SHADOW_GRID, &w->grid, f, p);
	prune_texts(s, SHADOW_DEVICE, &w->device, f, p);
	for (unsigned u = 0; u < N_URGENCY; u++)
		if ((w->urgency >> u & 1) && shadow_entry(s, SHADOW_URGENCY, u, &proof))
			urgency &= ~(1u << u);
	for (size_t i = 0; w->n_during > 1 && i < w->n_during; i++)
		if (!shadow_entry(s, SHADOW_DURING, i, &proof))
			during[n++] = w->during[i];
	if (urgency) {
		p->n_entries += w->urgency != urgency;
		w->urgency = urgency;
	}
	if (n) {
		p->n_entries += w->n_during - n;
		w->during = during;
		w->n_during = n;
	}
}

/* Lists are pruned one at a time: each claim is about the rule as it stands. */
static void prune(struct fixture *f, const struct rule *rules, size_t n, struct pruned *ret)
{
	struct arena scratch = {0};
	struct shadow *s;
	struct shadow_proof proof;

	*ret = (struct pruned){.n_rules = 0};
	s = shadow_new(&f->office, &scratch);
	for (size_t i = 0; i < n; i++) {
		ret->shadowed[i] = shadow_rule(s, i, &proof);
		if (ret->shadowed[i]) {
			assert_true(proof.n_by >= 1);
			for (size_t k = 0; k < proof.n_by && k < SHADOW_BY; k++)
				assert_true(proof.by[k] < i);
			continue;
		}
		ret->rules[ret->n_rules] = rules[i];
		prune_rule(s, &ret->rules[ret->n_rules++], f, ret);
	}
	shadow_done(s);
	arena_done(&scratch);
}

static void tell(const struct rule *rules, size_t n, const struct report *r)
{
	for (size_t i = 0; i < n; i++) {
		const struct when *w = &rules[i].when;
		const struct texts *lists[] = {&w->channel, &w->category, &w->grid, &w->device, &w->any, &w->all, &w->none,
					       &w->regex};
		static const char *const names[] = {"channel", "category", "grid", "device", "any", "all", "none", "regex"};

		print_message("%s urgency %x secret %d during %zu until %d", rules[i].id, w->urgency, w->secret, w->n_during,
			      rules[i].until != MOMENT_NONE);
		for (size_t k = 0; k < ARRAY_LEN(lists); k++)
			for (size_t j = 0; j < lists[k]->n; j++)
				print_message(" %s:%s", names[k], lists[k]->v[j]);
		print_message("\n");
	}
	print_message("message: %s | %s | %s | %s | %s | %d %d\n", r->text ? r->text : "-", r->channel->id,
		      r->category ? r->category : "-", r->grid ? r->grid : "-", r->device ? r->device : "-", r->urgency,
		      r->secret);
}

static void no_message_is_won_by_a_rule_that_was_called_shadowed(void **state)
{
	size_t decisions = 0, shadowed = 0, entries = 0, won = 0;

	(void)state;
	for (size_t o = 0; o < OFFICES; o++) {
		struct fixture f, g;
		struct rule rules[RULES];
		size_t n = 2 + dice(RULES - 1);
		struct pruned p;
		struct err e;

		fixture_init(&f);
		fixture_init(&g);
		random_rules(&f, rules, n);
		assert_int_equal(fixture_rules(&f, rules, n, NULL, 0, &e), 0);
		prune(&f, rules, n, &p);
		assert_int_equal(fixture_rules(&g, p.rules, p.n_rules, NULL, 0, &e), 0);
		for (size_t i = 0; i < n; i++)
			shadowed += p.shadowed[i];
		entries += p.n_entries;
		for (size_t m = 0; m < MESSAGES; m++) {
			struct report r = random_report(&f);
			struct decision d, after;

			route(&f.office, &r, &f.message, false, &d);
			route(&g.office, &r, &f.message, false, &after);
			decisions += 2;
			won += d.rule != NULL;
			if ((d.rule && p.shadowed[d.rule - rules]) || (d.rule == NULL) != (after.rule == NULL) ||
			    (d.rule && strcmp(d.rule->id, after.rule->id) != 0)) {
				tell(rules, n, &r);
				tell(p.rules, p.n_rules, &r);
				fail_msg("office %zu: won by %s, after pruning by %s", o, d.rule ? d.rule->id : "none",
					 after.rule ? after.rule->id : "none");
			}
			arena_reset(&f.message);
		}
		fixture_done(&f);
		fixture_done(&g);
	}
	print_message("%zu decisions, %zu of them won by a rule; %zu rules shadowed, %zu entries without effect\n", decisions,
		      2 * won, shadowed, entries);
	assert_true(decisions >= 5000000 && won > decisions / 8 && shadowed > OFFICES / 2 && entries > OFFICES / 4);
}

/* The message that is shown is one that both rules match. */
static void the_sample_of_two_rules_is_matched_by_both(void **state)
{
	size_t met = 0;

	(void)state;
	for (size_t o = 0; o < OFFICES; o++) {
		struct arena scratch = {0};
		struct shadow_sample sample;
		struct shadow_proof proof;
		struct rule rules[RULES];
		struct fixture f;
		struct shadow *s;
		struct err e;

		fixture_init(&f);
		random_rules(&f, rules, RULES);
		assert_int_equal(fixture_rules(&f, rules, RULES, NULL, 0, &e), 0);
		s = shadow_new(&f.office, &scratch);
		for (size_t i = 1; i < RULES; i++) {
			size_t k = dice((uint32_t)i);
			struct report r = {.received_at = moment_of_day(19000, 720), .urgency = -1, .shadow = ""};

			if (shadow_rule(s, i, &proof) || !shadow_meets(s, k, &scratch, &sample))
				continue;
			met++;
			r.text = sample.text;
			r.shadow = sample.text ? text_shadow(&f.message, sample.text) : "";
			r.channel = map_get(&f.office.channel_by_id, sample.channel ? sample.channel : "hotline");
			r.category = sample.category;
			r.grid = below(&f.message, sample.grid, "9");
			r.device = below(&f.message, sample.device, "7");
			r.urgency = (int8_t)sample.urgency;
			r.secret = sample.secret == 1;
			if (sample.minute >= 0)
				r.received_at = moment_of_day(19000, sample.minute);
			if (route_failed_field(&f.office, &rules[i].when, &r, &f.message) ||
			    route_failed_field(&f.office, &rules[k].when, &r, &f.message)) {
				tell(rules, RULES, &r);
				fail_msg("%s and %s do not both match", rules[i].id, rules[k].id);
			}
		}
		shadow_done(s);
		arena_done(&scratch);
		fixture_done(&f);
	}
	assert_true(met > OFFICES / 4);
}

/* ---- pairs that must be found ------------------------------------------------------------------ */

#define TO_YINGJI "then: {dept: yingji}"
#define TO_WUYE "then: {dept: wuye}"

static const struct {
	const char *what, *rules, *want;        /* codes with the line below `rules:` */
} pairs[] = {
	{"the same words", "{id: a, when: {text: {any: [漏水, 爆管]}}, " TO_YINGJI "}\n"
	 "{id: b, when: {text: {any: [爆管, 漏水]}}, " TO_WUYE "}", "E31:2"},
	{"a longer word", "{id: a, when: {text: {any: 煤气味}}, " TO_YINGJI "}\n"
	 "{id: b, when: {text: {any: 单元煤气味}}, " TO_WUYE "}", "E31:2"},
	{"the same word in full width", "{id: a, when: {text: {any: ABC}}, " TO_YINGJI "}\n"
	 "{id: b, when: {text: {any: \"ａ ｂ ｃ\"}}, " TO_WUYE "}", "E31:2"},
	{"a word that must be there anyway", "{id: a, when: {text: {any: 漏水}}, " TO_YINGJI "}\n"
	 "{id: b, when: {text: {all: [楼道漏水, 夜间]}}, " TO_WUYE "}", "E31:2"},
	{"more words asked for", "{id: a, when: {text: {all: [漏水]}}, " TO_YINGJI "}\n"
	 "{id: b, when: {text: {any: [天花板漏水, 漏水了]}}, " TO_WUYE "}", "E31:2"},
	{"forbidding more", "{id: a, when: {text: {any: 漏水, none: 消防演练}}, " TO_YINGJI "}\n"
	 "{id: b, when: {text: {any: 漏水, none: [演练, 已修]}}, " TO_WUYE "}", "E31:2"},
	{"a branch of the tree", "{id: a, when: {category: 市政}, " TO_YINGJI "}\n"
	 "{id: b, when: {category: [市政/井盖, 市政/路灯]}, " TO_WUYE "}", "E31:2"},
	{"a longer prefix", "{id: a, when: {grid: \"410106*\"}, " TO_YINGJI "}\n"
	 "{id: b, when: {grid: [\"410106003*\", \"410106004001\"]}, " TO_WUYE "}", "E31:2"},
	{"a prefix of devices", "{id: a, when: {device: \"mh-*\"}, " TO_YINGJI "}\n"
	 "{id: b, when: {device: [mh-17, \"mh-2*\"]}, " TO_WUYE "}", "E31:2"},
	{"fewer channels", "{id: a, when: {channel: [wechat, hotline]}, " TO_YINGJI "}\n"
	 "{id: b, when: {channel: wechat, urgency: urgent}, " TO_WUYE "}", "E31:2"},
	{"a window inside another", "{id: a, when: {during: 夜间, category: 市政}, " TO_YINGJI "}\n"
	 "{id: b, when: {during: 凌晨, category: 市政}, " TO_WUYE "}", "E31:2"},
	{"two windows that touch", "{id: a, when: {during: [上半天, 下半天], category: 市政}, " TO_YINGJI "}\n"
	 "{id: b, when: {category: 市政}, " TO_WUYE "}", "E31:2"},
	{"all urgencies", "{id: a, when: {urgency: [normal, urgent, critical], category: 市政}, " TO_YINGJI "}\n"
	 "{id: b, when: {category: 市政}, " TO_WUYE "}", "E31:2"},
	{"secret or not by two rules", "{id: a, when: {reporter: {secret: on}, category: 市政}, " TO_YINGJI "}\n"
	 "{id: b, when: {reporter: {secret: off}, category: 市政}, " TO_YINGJI "}\n"
	 "{id: c, when: {category: 市政/井盖}, " TO_WUYE "}", "E31:3"},
	{"two rules together, by word", "{id: a, when: {text: {any: 漏水}}, " TO_YINGJI "}\n"
	 "{id: b, when: {text: {any: 爆管}}, " TO_YINGJI "}\n{id: c, when: {text: {any: [水管爆管, 房顶漏水]}}, " TO_WUYE "}", "E31:3"},
	{"two rules together, by grid", "{id: a, when: {category: 市政, grid: \"410106003*\"}, " TO_YINGJI "}\n"
	 "{id: b, when: {category: 市政, grid: \"410106004*\"}, " TO_YINGJI "}\n"
	 "{id: c, when: {category: 市政/井盖, grid: [\"410106003001\", \"410106004001\"]}, " TO_WUYE "}", "E31:3"},
	{"four rules together, crosswise", "{id: a, when: {category: 市政, urgency: normal}, " TO_YINGJI "}\n"
	 "{id: b, when: {category: 市政, urgency: urgent}, " TO_YINGJI "}\n"
	 "{id: c, when: {category: 市政, urgency: critical, reporter: {secret: on}}, " TO_YINGJI "}\n"
	 "{id: d, when: {category: 市政, urgency: critical, reporter: {secret: off}}, " TO_YINGJI "}\n"
	 "{id: e, when: {category: 市政}, " TO_WUYE "}", "E31:5"},
	{"both end, the earlier later", "{id: a, when: {category: 市政}, " TO_YINGJI ", until: 2029-01-02}\n"
	 "{id: b, when: {category: 市政/井盖}, " TO_WUYE ", until: 2029-01-01}", "E31:2"},
	{"a pattern cannot save a rule", "{id: a, when: {text: {any: 漏水}}, " TO_YINGJI "}\n"
	 "{id: b, when: {text: {any: 漏水, regex: \"[0-9]号\"}}, " TO_WUYE "}", "E31:2"},
	{"one word of two", "{id: a, when: {text: {any: 漏水}}, " TO_YINGJI "}\n"
	 "{id: b, when: {text: {any: [爆管, 楼道漏水]}}, " TO_WUYE "}", "W03:2"},
	{"a word that none forbids", "{id: a, when: {text: {any: [漏水, 漏水演练], none: 演练}}, " TO_YINGJI "}", "W03:1 W06:1"},
	{"one grid of two", "{id: a, when: {grid: \"410106003*\"}, " TO_YINGJI "}\n"
	 "{id: b, when: {grid: [\"410106003001\", \"410106004001\"]}, " TO_WUYE "}", "W03:2"},
	{"one category of two", "{id: a, when: {category: 市政}, " TO_YINGJI "}\n"
	 "{id: b, when: {category: [物业, 市政/井盖]}, " TO_WUYE "}", "W03:2"},
	{"one urgency, one channel", "{id: a, when: {urgency: urgent}, " TO_YINGJI "}\n{id: b, when: {channel: wechat}, " TO_YINGJI "}\n"
	 "{id: c, when: {urgency: [normal, urgent], channel: [wechat, hotline]}, " TO_WUYE "}", "W03:3 W03:3"},
	{"one window of two", "{id: a, when: {during: 夜间}, " TO_YINGJI "}\n"
	 "{id: b, when: {category: 市政, during: [凌晨, 上半天]}, " TO_WUYE "}", "W03:2"},
	{"one device of two", "{id: a, when: {device: \"mh-*\"}, " TO_YINGJI "}\n"
	 "{id: b, when: {device: [sw-1, mh-1]}, " TO_WUYE "}", "W03:2"},
	{"what the category says anyway", "{id: a, when: {category: 市政/井盖, grid: \"410106003*\"}, then: {dept: chengguan}}",
	 "W04:1"},
	{"with its policy", "{id: a, when: {category: 物业}, then: {dept: wuye, policy: 普通}}", "W04:1"},
	{"one word, two fields", "{id: a, when: {text: {any: 漏水}, grid: \"410106003*\"}, " TO_YINGJI "}\n"
	 "{id: b, when: {text: {any: 楼道漏水}, during: 夜间}, " TO_WUYE "}", "W05:2"},
	{"one category, two fields", "{id: a, when: {category: 市政, urgency: urgent}, " TO_YINGJI "}\n"
	 "{id: b, when: {category: 市政/井盖, channel: wechat}, " TO_WUYE "}", "W05:2"},
	{"one grid, two matters", "{id: a, when: {grid: \"410106003*\", urgency: urgent}, " TO_YINGJI "}\n"
	 "{id: b, when: {grid: \"410106003001\", category: 市政}, " TO_WUYE "}", "W05:2"},
	{"a short word and a word inside another", "{id: a, when: {text: {any: [水, 漏气, 管道漏气]}}, " TO_YINGJI "}", "W06:1 W06:1"},
	{"words that are all asked for", "{id: a, when: {text: {all: [漏水, 楼道漏水]}}, " TO_YINGJI "}", "W06:1"},
	{"the same word twice", "{id: a, when: {text: {any: [ABC, \"ａｂｃ\"]}}, " TO_YINGJI "}", "W07:1"},
};
/* And what a clerk does on purpose, or what nobody can know. */
static const struct {
	const char *what, *rules;
} innocent[] = {
	{"a narrow rule before a wide one", "{id: a, when: {text: {any: 楼道漏水}}, " TO_YINGJI "}\n"
	 "{id: b, when: {text: {any: [漏水, 爆管]}}, " TO_WUYE "}"},
	{"an exception in one grid", "{id: a, when: {category: 市政, grid: \"410106003*\"}, " TO_YINGJI "}\n"
	 "{id: b, when: {category: 市政}, " TO_WUYE "}"},
	{"an exception that a word lifts", "{id: a, when: {text: {any: 漏水, none: 演练}}, " TO_YINGJI "}\n"
	 "{id: b, when: {text: {any: 漏水}}, " TO_WUYE "}"},
	{"two matters that one text may hold", "{id: a, when: {text: {any: 燃气}}, " TO_YINGJI "}\n"
	 "{id: b, when: {text: {any: 漏水}}, " TO_WUYE "}"},
	{"a word and a category", "{id: a, when: {text: {any: 燃气}}, " TO_YINGJI "}\n{id: b, when: {category: 物业, during: 夜间}, " TO_YINGJI "}"},
	{"a shorter word", "{id: a, when: {text: {any: 单元煤气味}}, " TO_YINGJI "}\n{id: b, when: {text: {any: 煤气味}}, " TO_WUYE "}"},
	{"a rule that ends", "{id: a, when: {category: 市政}, " TO_YINGJI ", until: 2029-01-01}\n"
	 "{id: b, when: {category: 市政}, " TO_WUYE "}"},
	{"a pattern takes nothing for certain", "{id: a, when: {text: {any: 漏水, regex: 漏水}}, " TO_YINGJI "}\n"
	 "{id: b, when: {text: {any: 漏水}}, " TO_WUYE "}"},
	{"a category that begins alike", "{id: a, when: {category: 市政}, " TO_YINGJI "}\n{id: b, when: {category: 市政井}, then: {dept: chengguan}}"},
	{"another grid of the prefix", "{id: a, when: {grid: \"410106003001\"}, " TO_YINGJI "}\n"
	 "{id: b, when: {grid: \"410106003*\"}, " TO_WUYE "}"},
	{"forbidding less", "{id: a, when: {text: {any: 漏水, none: [演练, 已修]}}, " TO_YINGJI "}\n"
	 "{id: b, when: {text: {any: 漏水, none: 演练}}, " TO_WUYE "}"},
	{"two windows with a gap", "{id: a, when: {during: [上半天, 夜间], category: 市政}, " TO_YINGJI "}\n"
	 "{id: b, when: {category: 市政}, " TO_WUYE "}"},
	{"one department, any order", "{id: a, when: {text: {any: 漏水}, grid: \"410106003*\"}, " TO_WUYE "}\n"
	 "{id: b, when: {text: {any: 楼道漏水}, during: 夜间}, " TO_WUYE "}"},
	{"a rule that keeps others away", "{id: a, when: {category: 市政/井盖, grid: \"410106003*\"}, then: {dept: chengguan}}\n"
	 "{id: b, when: {category: 市政}, " TO_WUYE "}"},
	{"a category of which a part goes elsewhere", "{id: a, when: {category: 市政}, then: {dept: chengguan}}"},
	{"the category's department in a hurry", "{id: a, when: {category: 市政/井盖}, then: {dept: chengguan, urgency: urgent}}"},
	{"a last rule for everything", "{id: a, when: {category: 市政}, " TO_YINGJI "}\n{id: b, " TO_WUYE "}"},
};

static void write_office(const char *rules)
{
	CLEANUP(str_done) struct str t = {0};

	str_add(&t, "version: 1\ntenant: {id: small, prefix: SM}\nfallback: {dept: wuye, policy: 普通}\n"
		"departments: {wuye: , yingji: , chengguan: }\nchannels: {wechat: , hotline: }\n"
		"policies: {普通: {resolve: 24 小时}}\n"
		"windows: {夜间: \"22:00-06:00\", 凌晨: \"00:00-05:00\", 上半天: \"00:00-12:00\", 下半天: \"12:00-24:00\"}\n"
		"categories: {市政: {dept: chengguan, policy: 普通}, 市政/井盖: , 市政/路灯: {dept: yingji}, 市政井: {dept: wuye},\n"
		"  物业: {dept: wuye, policy: 普通}}\nrules:\n");
	for (const char *line = rules; *line; line += strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n'))
		str_addf(&t, "  - %.*s\n", (int)strcspn(line, "\n"), line);
	write_bytes(N, t.s, t.len);
}

/* "E31:2 W03:4": the codes with the line of their rule. */
static const char *codes_found(const struct settings *settings, char *buf, size_t size)
{
	int first = line_of(N, "\nrules:\n") + 1;
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < settings->findings.n; i++) {
		const struct finding *f = &settings->findings.v[i];

		if (strcmp(f->code, "W09") != 0 && strcmp(f->code, "W01") != 0 && strcmp(f->code, "W24") != 0)
			n += (size_t)snprintf(buf + n, size - n, "%s%s:%d", n ? " " : "", f->code, f->line - first);
	}
	return buf;
}

static void what_a_clerk_would_call_shadowed_is_found(void **state)
{
	size_t wrong = 0;

	(void)state;
	nftw(copy, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	for (size_t i = 0; i < ARRAY_LEN(pairs) + ARRAY_LEN(innocent); i++) {
		bool found = i < ARRAY_LEN(pairs);
		const char *what = found ? pairs[i].what : innocent[i - ARRAY_LEN(pairs)].what;
		const char *want = found ? pairs[i].want : "";
		struct settings *settings;
		char got[400];

		write_office(found ? pairs[i].rules : innocent[i - ARRAY_LEN(pairs)].rules);
		settings = load(copy, 0);
		if (strcmp(codes_found(settings, got, sizeof(got)), want) != 0) {
			print_findings(settings);
			print_message("%s: wanted “%s”, got “%s”\n", what, want, got);
			wrong++;
		}
		settings_unref(settings);
	}
	assert_int_equal(wrong, 0);
}

static void a_shadowed_rule_is_told_by_which_and_why(void **state)
{
	CLEANUP(str_done) struct str t = {0};
	struct settings *settings;

	(void)state;
	write_office("{id: 燃气泄漏, when: {text: {any: [燃气泄漏, 煤气味]}}, " TO_YINGJI "}\n"
		     "{id: 单元燃气味, when: {text: {any: [单元煤气味]}}, " TO_WUYE "}\n"
		     "{id: 房顶, when: {text: {any: [漏雨]}, category: 物业}, " TO_YINGJI "}\n"
		     "{id: 夜里, when: {text: {any: [屋里漏雨]}, during: 夜间}, " TO_WUYE "}");
	settings = load(copy, 0);
	findings_text(&settings->findings, &t);
	assert_non_null(strstr(t.s, "E31 the rule “单元燃气味” can never win: every message of it is taken before, by “燃气泄漏” "
				    "(needle.yaml:11)"));
	assert_non_null(strstr(t.s, "= every text with “单元煤气味” has “煤气味”: move this rule before that one"));
	assert_non_null(strstr(t.s, "W05 the rules “夜里” and “房顶” (needle.yaml:13) both match {text: 屋里漏雨, category: 物业, "
				    "at: 00:00}: only their order gives it to yingji, not to wuye"));
	settings_unref(settings);
}

/* Rules that are cut into many pieces are given up, not waited for. */
static void a_proof_that_would_take_too_long_is_left_alone(void **state)
{
	CLEANUP(str_done) struct str t = {0};
	struct settings *settings;

	(void)state;
	for (int i = 0; i < 600; i++)
		str_addf(&t, "{id: r%d, when: {grid: [\"4%03d*\", \"5%03d*\"], device: [\"a%d*\", \"b%d*\"], category: %s, "
			 "urgency: %s}, " TO_YINGJI "}\n", i, i % 211, i % 173, i % 97, i % 89, i % 3 ? "市政" : "市政/井盖",
			 i % 2 ? "[normal, urgent]" : "[urgent, critical]");
	str_add(&t, "{id: z, when: {category: 市政}, " TO_WUYE "}");
	write_office(t.s);
	settings = load(copy, 0);
	assert_int_equal(settings->findings.n_errors > 400, 0);
	settings_unref(settings);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_clerk_would_call_shadowed_is_found),
		cmocka_unit_test(a_shadowed_rule_is_told_by_which_and_why),
		cmocka_unit_test(a_proof_that_would_take_too_long_is_left_alone),
		cmocka_unit_test(the_sample_of_two_rules_is_matched_by_both),
		cmocka_unit_test(no_message_is_won_by_a_rule_that_was_called_shadowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_in_february(run);
}
