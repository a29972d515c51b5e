/*
 * The loader as its users meet it: a good folder loads to what it says; one slip in it gives one finding
 * with the right code on the right line. Every broken folder is the reference with one place changed, so
 * that the reference is proved good by the same run.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/time/moment.h"
#include "core/understand/route.h"
#include "settings/load.h"
#include "settings/snapshot.h"
#include "settings/types.h"

#include "needle_plugin.h"

static const char reference[] = "config/reference";
static char copy[] = "/tmp/needle-settings-XXXXXX";

/* ---- a copy of the reference that may be broken ---------------------------------------------- */

static void read_file(const char *path, struct str *ret)
{
	char part[4096];
	FILE *f = fopen(path, "rb");
	size_t n;

	assert_non_null(f);
	str_reset(ret);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		str_addn(ret, part, n);
	fclose(f);
}

static void write_bytes(const char *name, const char *bytes, size_t n)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", copy, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

static int copy_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	CLEANUP(str_done) struct str t = {0};
	char to[PATH_MAX];

	(void)st;
	(void)where;
	snprintf(to, sizeof(to), "%s/%s", copy, path + strlen(reference));
	if (type == FTW_D) {
		assert_true(mkdir(to, 0700) == 0 || errno == EEXIST);
	} else if (type == FTW_F) {
		read_file(path, &t);
		write_bytes(path + strlen(reference), t.s ? t.s : "", t.len);
	}
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	return where->level ? remove(path) : 0;
}

static void fresh_copy(void)
{
	nftw(copy, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(nftw(reference, copy_one, 8, FTW_PHYS), 0);
}

/* Puts `to` in place of the first `from`; from NULL: `to` is the whole file. */
static bool try_change(const char *name, const char *from, const char *to)
{
	CLEANUP(str_done) struct str text = {0}, changed = {0};
	char path[PATH_MAX];
	const char *at;

	if (!from) {
		write_bytes(name, to, strlen(to));
		return true;
	}
	snprintf(path, sizeof(path), "%s/%s", copy, name);
	read_file(path, &text);
	at = strstr(text.s, from);
	if (!at) {
		print_message("%s does not hold “%s”\n", name, from);
		return false;
	}
	str_addn(&changed, text.s, (size_t)(at - text.s));
	str_add(&changed, to);
	str_add(&changed, at + strlen(from));
	write_bytes(name, changed.s, changed.len);
	return true;
}

static void change(const char *name, const char *from, const char *to)
{
	assert_true(try_change(name, from, to));
}

static int line_of(const char *name, const char *needle)
{
	CLEANUP(str_done) struct str text = {0};
	char path[PATH_MAX];
	const char *at;
	int line = 1;

	snprintf(path, sizeof(path), "%s/%s", copy, name);
	read_file(path, &text);
	at = strstr(text.s ? text.s : "", needle);
	if (!at)
		fail_msg("%s does not hold “%s”", name, needle);
	for (const char *s = text.s; s < at; s++)
		line += *s == '\n';
	return line;
}

static struct settings *load(const char *folder, unsigned flags)
{
	const struct load_options options = {.flags = flags};
	struct settings *settings = NULL;
	struct err e = {0};
	int r = settings_load(folder, &options, &settings, &e);

	if (r < 0)
		fail_msg("%s: %s", folder, e.text);
	assert_int_equal(r, settings->findings.n_errors ? SETTINGS_HAS_ERRORS : 0);
	return settings;
}

static void print_findings(const struct settings *settings)
{
	CLEANUP(str_done) struct str t = {0};

	findings_text(&settings->findings, &t);
	print_message("%s", t.s);
}

/* ---- one slip, one finding ------------------------------------------------------------------- */

struct slip {
	const char *what, *file, *from, *to, *code;
	const char *at;         /* the finding is on the line of this text; NULL: of `to` */
	const char *also;       /* other codes that follow from it */
	int column;             /* 0: not compared */
};

#define C "channels.yaml"
#define D "departments.yaml"
#define G "categories.yaml"
#define R "rules.yaml"
#define T "deadlines.yaml"
#define L "lifecycle.yaml"
#define K "calendars.yaml"
#define N "needle.yaml"

static const struct slip slips[] = {
	{"an unclosed bracket", G, "codes: [\"020301\"]", "codes: [\"020301\"", "E01", NULL, NULL, 0},
	{"an unclosed quote", T, "note: 限时督办", "note: \"限时督办", "E01", "note: \"限时", NULL, 0},
	{"an item at the wrong depth", R, "    owner: 李某", "   owner: 李某", "E01", NULL, NULL, 0},
	{"a second document", L, "closing:", "---\nclosing:", "E01", "closing:", NULL, 1},
	{"a control character", D, "城管办", "城\001管办", "E01", NULL, NULL, 0},
	{"a tab before a key", R, "      urgency: critical", "\turgency: critical", "E02", NULL, NULL, 1},
	{"a tab that continues a value", D, "duty: 值班 ", "duty: 值班\n\t- x ", "E02", "\t- x",
	 NULL, 1},
	{"a tab inside a bracket", R, "[信访, 上访]", "[信访,\n\t\t上访]", "E02", "\t\t上访", NULL, 1},
	{"a full-width colon in a map", T, "当日: {accept: 1", "当日：{accept: 1", "E03", NULL, NULL, 5},
	{"a full-width colon behind a key", R, "    owner: 李某", "    owner：李某", "E03", NULL, NULL, 10},
	{"a full-width comma in a map", G, "{dept: chengguan, policy: 普通}", "{dept: chengguan，policy: 普通}", "E03", NULL,
	 NULL, 0},
	{"a full-width comma in a list", R, "[信访, 上访]", "[信访，上访]", "E03", NULL, NULL, 27},
	{"a pause mark in a list", R, "[已处理, 演练]", "[已处理、演练]", "E03", NULL, NULL, 0},
	{"full-width quotes", R, "id: 信访抄送", "id: “信访抄送”", "E03", NULL, NULL, 9},
	{"a full-width blank behind the colon", D, "    kind: office ", "    kind:　office ", "E03", NULL, NULL, 0},
	{"a full-width dash in hours", K, "[08:30-12:00, 13:30-17:30]}\n", "[08:30－12:00, 13:30-17:30]}\n", "E03", NULL, NULL, 0},
	{"a full-width colon in a deadline", T, "accept: 4 工作小时", "accept: \"4 工作小时 日历：机关\"", "E03", NULL, NULL, 0},
	{"a GBK file", D, NULL, "departments: {a: {name: \xb3\xc7\xb9\xdc\xb0\xec}}\n", "E04", "departments", NULL, 25},
	{"a broken byte", D, "城管办", "城\xff管办", "E04", NULL, NULL, 0},
	{"an invisible mark inside", D, "城管办", "城\xef\xbb\xbf管办", "E04", NULL, NULL, 0},
	{"a key twice", D, "    kind: office ", "    name: 又名\n    kind: office ", "E05", "name: 又名", NULL, 5},
	{"a section twice in two files", L, "closing:", "reload: {tests: skip}\nclosing:", "E05", "reload:", NULL, 1},
	{"an anchor", T, "普通:", "普通: &a", "E06", NULL, NULL, 0},
	{"an alias", T, "当日: {accept: 1 小时, resolve: 当日, calendar: 值班}", "当日: *a", "E06", NULL, NULL, 7},
	{"a merge key", T, "当日: {accept: 1", "当日: {<<: x, accept: 1", "E06", NULL, NULL, 0},
	{"a tag", T, "level: 1 ", "level: !!int 1 ", "E06", NULL, NULL, 0},
	{"an unknown key", R, "    owner: 李某", "    owners: 李某", "E10", NULL, NULL, 5},
	{"an unknown section", L, "closing:", "closeing: {}\nclosing:", "E10", "closeing", NULL, 1},
	{"a rule without id", R, "  - id: 匿名举报\n    when:", "  - when:", "E11", NULL, NULL, 0},
	{"a rule without lead", R, "    then: {dept: yingji}", "    then: {urgency: urgent}", "E11", NULL, NULL, 0},
	{"a rule that decides nothing", R, "    then: {dept: yingji}", "", "E11", "id: 夜间井盖报警", NULL, 0},
	{"no tenant", N, "tenant: {id: reference, name: 参考街道, prefix: REF}", "", "E11", "version: 1", NULL, 0},
	{"a copy to nobody", R, "to: [dangzheng] ", "#", "E11", "id: 信访抄送", NULL, 0},
	{"a text where a map is wanted", R, "when: {text: {any: [信访, 上访]}}", "when: 信访", "E12", NULL, NULL, 0},
	{"a list where a text is wanted", D, "leader: wang", "leader: [wang]", "E12", NULL, NULL, 0},
	{"a map where a list is wanted", R, "any: [燃气泄漏, 煤气味]", "any: {燃气泄漏: 1}", "E12", NULL, NULL, 0},
	{"a number that is none", L, "arbitrate_after: 2", "arbitrate_after: two", "E12", NULL, NULL, 0},
	{"a number out of range", N, "port: 1883", "port: 70000", "E12", NULL, NULL, 0},
	{"an empty list of words", R, "any: [信访, 上访]", "any: []", "E12", NULL, NULL, 0},
	{"a day that does not exist", R, "until: 2029-06-30", "until: 2029-06-31", "E12", NULL, NULL, 0},
	{"a weekday that does not exist", K, "hours: {每天:", "hours: {周八:", "E12", NULL, "E43", 0},
	{"a pattern that does not compile", R, "\"噪[声音]\"", "\"噪[声音\"", "E12", NULL, NULL, 0},
	{"a filter with a wild middle", C, "\"vendor-a/+/alarm\"", "\"vendor-a/#/alarm\"", "E12", NULL, NULL, 0},
	{"a level that the topic lacks", C, "source: 1 ", "source: 7 ", "E12", NULL, NULL, 0},
	{"no value behind a key", D, "    leader: wang", "    leader:", "E12", NULL, NULL, 0},
	{"a secret in an open field", N, "host: 127.0.0.1", "host: \"${secret:host}\"", "E12", NULL, NULL, 0},
	{"a kind that there is not", D, "kind: community", "kind: comunity", "E13", NULL, NULL, 0},
	{"an urgency that there is not", R, "urgency: critical", "urgency: criticl", "E13", NULL, NULL, 0},
	{"a zone with another time", K, "timezone: Asia/Shanghai", "timezone: Europe/Berlin", "E13", NULL, NULL, 0},
	{"a constant that is no urgency", C, "set: {category: 市政/井盖}", "set: {urgency: high}", "E13", NULL, NULL, 0},
	{"an unknown department", R, "    then: {dept: yingji}", "    then: {dept: yinji}", "E20", NULL, NULL, 18},
	{"a department by its name", R, "    then: {dept: yingji}", "    then: {dept: 应急办}", "E20", NULL, NULL, 18},
	{"an unknown policy", G, "{policy: 紧急}", "{policy: 紧及}", "E20", NULL, NULL, 0},
	{"an unknown calendar", D, "duty: 值班   ", "duty: 值斑   ", "E20", NULL, NULL, 0},
	{"an unknown calendar in a deadline", T, "resolve: 5 工作日", "resolve: 5 工作日 日历:机管", "E20", NULL, NULL, 0},
	{"an unknown ladder", T, "escalation: 标准                ", "escalation: 标谁                ", "E20", NULL, NULL, 0},
	{"an unknown window", R, "during: 夜间", "during: 夜里", "E20", NULL, NULL, 0},
	{"an unknown category", R, "category: 市政 ", "category: 市镇 ", "E20", NULL, NULL, 0},
	{"an unknown channel", R, "channel: device ", "channel: devise ", "E20", NULL, NULL, 0},
	{"a leader who is no officer", D, "leader: wang", "leader: wong", "E20", NULL, NULL, 0},
	{"a step to nobody", T, "to: ducha", "to: duche", "E20", NULL, NULL, 0},
	{"a grid of nobody", "grids.csv", "幸福里社区,xingfuli,赵某", "幸福里社区,xingfulu,赵某", "E20", NULL, NULL, 31},
	{"two rules of one name", R, "id: 匿名举报", "id: 燃气泄漏", "E21", "id: 燃气泄漏\n    when:\n      reporter", NULL, 9},
	{"a department in two files", L, "closing:", "departments: {ducha: {}}\nclosing:", "E21", "departments:", NULL, 0},
	{"a grid twice", "grids.csv", "410106003008001", "410106003007001", "E21", "410106003007001,\"东关", NULL, 1},
	{"two categories of one code", G, "市政/供气: {policy: 紧急}", "市政/供气: {codes: [\"020301\"]}", "E22", NULL, NULL, 0},
	{"a file that includes itself", C, "channels:\n", "include: [needle.yaml]\nchannels:\n", "E23", "include:", NULL, 0},
	{"two superiors of each other", D, "{name: 党政办, kind: office}", "{name: 党政办, superior: chengguan}", "E23", NULL, NULL,
	 0},
	{"no fallback", N, "fallback: {dept: dangzheng, policy: 普通}", "", "E24", "version: 1", NULL, 0},
	{"a fallback without department", N, "{dept: dangzheng, policy: 普通}", "{policy: 普通}", "E24", NULL, NULL, 0},
	{"a Chinese id", D, "  yingji: {name", "  应急: {name", "E25", NULL, "E20", 3},
	{"an id with a wildcard", C, "  wechat: {name", "  we+chat: {name", "E25", NULL, NULL, 3},
	{"a long prefix", N, "prefix: REF", "prefix: REFERENCES", "E25", NULL, NULL, 0},
	{"two filters that overlap", C, "\"vendor-b/+/alarm\"", "\"+/+/alarm\"", "E26", NULL, NULL, 0},
	{"a foreign filter over another channel", C, "{name: 微信}", "{subscribe: vendor-a/7/alarm, source: 1}", "E26",
	 "subscribe: [", NULL, 0},
	{"taking in what the gateway sends", C, "\"vendor-b/+/alarm\"", "\"needle/+/dept/+/event/+\"", "E27", NULL, "E12", 0},
	{"words that forbid each other", R, "any: [燃气泄漏, 煤气味]     ", "any: [已处理完]     ", "E30",
	 "when:\n      text:                   # 不分", NULL, 0},
	{"a channel that is always of another category", R, "category: 市政 ", "category: 物业/漏水 ", "E30", "when:\n      channel", NULL,
	 0},
	{"a rule that takes everything", R, "  - id: 匿名举报", "  - {id: 全收, then: {dept: ducha}}\n  - id: 匿名举报", "E32",
	 "全收", NULL, 10},
	{"a deadline that is none", T, "resolve: 24 小时", "resolve: 一天半", "E40", NULL, NULL, 0},
	{"a list that happens once", T, "every: 每周五 16:00 遇休提前", "every: 5 工作日", "E40", NULL, NULL, 0},
	{"a step of no clock", T, "when: accept 逾期 ", "when: acept 逾期 ", "E40", NULL, NULL, 0},
	{"a step before nothing", T, "resolve 到期前 30 分钟", "resolve 到期前", "E40", NULL, NULL, 0},
	{"days of no kind", T, "resolve: 5 工作日", "resolve: 5 天", "E41", NULL, NULL, 0},
	{"a calendar that never works", K, "{每天: [00:00-24:00]}", "{每天: []}", "E43", NULL, NULL, 0},
	{"a broken year", "calendars/2026.json", "\"days\": [", "\"days\": [,", "E44", NULL, NULL, 0},
	{"a year of something else", "calendars/2026.json", NULL, "{\"a\": 1}", "E44", "{", NULL, 1},
	{"a date that is off and on", "calendars/2026.json", "\"days\": [",
	 "\"days\": [{\"name\": \"x\", \"date\": \"2026-01-01\", \"isOffDay\": false},", "E44", "\"2026-01-01\", \"isOffDay\": true",
	 NULL, 0},
	{"a date of another year", "calendars/2026.json", "\"days\": [",
	 "\"days\": [{\"name\": \"x\", \"date\": \"2024-01-01\", \"isOffDay\": false},", "E44", NULL, NULL, 0},
	{"a day off and on by the office", K, "extra_work: {2026-07-25", "extra_work: {2026-07-21", "E44", NULL, NULL, 0},
	{"hours that overlap", K, "[08:30-12:00, 13:30-17:30]}\n", "[08:30-14:00, 13:30-17:30]}\n", "E45", NULL, NULL, 0},
	{"hours that end before they begin", K, "[08:30-12:00, 14:30-18:00]", "[12:00-08:30]", "E45", NULL, "E43", 0},
	{"a weekday twice", K, "{周一-周五: [08:30-12:00, 13:30-17:30]}\n", "{周一-周五: [08:30-12:00], 周三: [09:00-10:00]}\n", "E45",
	 NULL, NULL, 0},
	{"taking longer to accept than to resolve", T, "accept: 10 分钟", "accept: 3 小时", "E46", NULL, NULL, 0},
	{"a reminder before the case itself", T, "resolve 到期前 30 分钟", "resolve 到期前 3 小时", "E46", NULL, NULL, 0},
	{"a password in clear", N, "password: \"${secret:mqtt_password}\"", "password: hunter2", "E50", NULL, NULL, 0},
	{"a password in the connection string", N, "user=needled\"", "user=needled password=hunter2\"", "E50", NULL, NULL, 0},
	{"a file that is not there", N, "  - rules.yaml", "  - rulez.yaml", "E52", NULL, NULL, 5},
	{"a file outside", N, "  - rules.yaml", "  - ../rules.yaml", "E52", NULL, NULL, 5},
	{"a year that is not there", K, "calendars/2025.json", "calendars/2020.json", "E52", NULL, NULL, 0},
	{"a test that is not there", N, "tests/参考.test.yaml", "tests/别的.test.yaml", "E52", NULL, NULL, 0},
	{"a wrong header of the grids", "grids.csv", "grid,name", "code,name", "E12", NULL, NULL, 1},
	{"a grid of eight digits", "grids.csv", "410106003007001", "99999999", "E12", NULL, NULL, 1},
	{"a department that nobody uses", D, "  ducha: {name", "  spare: {name: 备用}\n  ducha: {name", "W01", "spare", NULL, 3},
	{"a category that nobody takes", G, "  市政/供气: ", "  邻里: {policy: 普通}\n  市政/供气: ", "W02", "邻里", NULL, 3},
	{"a rule that has ended", R, "until: 2029-06-30", "until: 2026-01-31", "W08", NULL, NULL, 0},
	{"a rule that soon ends", R, "until: 2029-06-30", "until: 2026-02-20", "W08", NULL, NULL, 0},
	{"a code without quotes", G, "codes: [\"020301\"]", "codes: [020301]", "W10", NULL, NULL, 13},
	{"a year without days", "calendars/2025.json", NULL, "{\"year\": 2025, \"days\": []}", "W21", NULL, NULL, 0},
	{"this year is missing", K, "[calendars/2025.json, calendars/2026.json]", "[calendars/2025.json]", "W21", NULL, NULL, 0},
};

static bool is_among(const char *code, const char *codes)
{
	return codes && strstr(codes, code);
}

/* Has the wanted finding come, and no error that nobody asked for? */
static bool is_as_wanted(const struct settings *settings, const struct slip *slip, const char *file, int line)
{
	bool found = false;

	for (size_t i = 0; i < settings->findings.n; i++) {
		const struct finding *f = &settings->findings.v[i];

		if (strcmp(f->code, slip->code) == 0)
			found |= strcmp(f->file, file) == 0 && f->line == line &&
				 (!slip->column || f->column == slip->column);
		else if (f->severity == SEVERITY_ERROR && !is_among(f->code, slip->also))
			return false;
		if (f->source && strstr(f->source, "hunter2"))
			return false;
	}
	return found;
}

static void one_slip_gives_one_finding_on_its_line(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
		const struct slip *slip = &slips[i];
		const char *file = slip->file;
		struct settings *settings;
		int line;

		fresh_copy();
		if (!try_change(file, slip->from, slip->to)) {
			wrong++;
			continue;
		}
		/* What is said of a year's contents is said where it is listed. */
		if (strcmp(slip->code, "W21") == 0) {
			file = K;
			line = line_of(K, "years: [");
		} else {
			line = line_of(file, slip->at ? slip->at : slip->to);
		}
		settings = load(copy, LOAD_SECRETS_OPTIONAL);
		if (!is_as_wanted(settings, slip, file, line)) {
			print_findings(settings);
			print_message("%s: wanted %s in %s:%d\n", slip->what, slip->code, file, line);
			wrong++;
		}
		settings_unref(settings);
	}
	assert_int_equal(wrong, 0);
}

/* ---- what a good folder is ------------------------------------------------------------------- */

static void the_reference_and_the_demo_have_nothing_wrong(void **state)
{
	struct settings *settings;

	(void)state;
	settings = load(reference, LOAD_SECRETS_OPTIONAL);
	if (settings->findings.n)
		print_findings(settings);
	assert_int_equal(settings->findings.n, 0);
	settings_unref(settings);
	settings = load("config/demo", LOAD_SECRETS_OPTIONAL);
	for (size_t i = 0; i < settings->findings.n; i++)
		if (strcmp(settings->findings.v[i].code, "E51") != 0) {
			print_findings(settings);
			fail_msg("the demo has findings");
		}
	assert_int_equal(settings->findings.n_errors, 0);
	settings_unref(settings);
}

/* The nodes of the merged tree that a row's path leads to: is there any? */
static bool is_written(const struct node *node, const char *path)
{
	char name[64];
	size_t n;

	if (!*path)
		return true;
	if (*path == '.')
		path++;
	if (strncmp(path, "[]", 2) == 0 && node->kind == NODE_TEXT)
		return true;
	n = strncmp(path, "[]", 2) == 0 ? 2 : strcspn(path, ".[");
	snprintf(name, sizeof(name), "%.*s", (int)n, path);
	if (strcmp(name, "[]") != 0 && strcmp(name, "*") != 0) {
		node = node_get(node, name);
		return node && is_written(node, path + n);
	}
	for (size_t i = 0; i < node->n; i++)
		if (is_written(node->items[i], path + n))
			return true;
	return false;
}

static void the_reference_shows_every_key(void **state)
{
	struct settings *settings = load(reference, LOAD_SECRETS_OPTIONAL);
	size_t n, missing = 0;
	const struct key_info *keys = settings_keys(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		/* A copy's conditions are a rule's. */
		if (strncmp(keys[i].path, "copies[].when.", 14) == 0 || is_written(settings->tree, keys[i].path))
			continue;
		print_message("not in the reference: %s\n", keys[i].path);
		missing++;
	}
	assert_int_equal(missing, 0);
	settings_unref(settings);
}

static void the_table_of_keys_is_in_order(void **state)
{
	size_t n, reached = 0;
	const struct key_info *keys = settings_keys(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const struct key_info *child = NULL;

		while ((child = key_next(&keys[i], child))) {
			assert_ptr_equal(key_child(&keys[i], key_leaf(child)), child);
			reached++;
		}
		assert_true(keys[i].type != KEY_ENUM || keys[i].n_values);
		assert_true(keys[i].type != KEY_REF || keys[i].ref);
		assert_true(!keys[i].fallback || keys[i].type != KEY_ENUM ||
			    name_index(keys[i].values, keys[i].n_values, keys[i].fallback) >= 0);
	}
	assert_int_equal(reached, n - 1);
}

static const struct rule *rule_of(const struct settings *settings, const char *id)
{
	const struct rule *rule = map_get(&settings->office.rule_by_id, id);

	assert_non_null(rule);
	return rule;
}

static void an_office_is_what_its_files_say(void **state)
{
	struct settings *settings = load(reference, LOAD_SECRETS_OPTIONAL);
	const struct office *office = &settings->office;
	const struct department *chengguan = map_get(&office->dept_by_id, "chengguan");
	const struct category *gas = map_get(&office->category_by_path, "市政/供气");
	const struct rule *rule = rule_of(settings, "夜间井盖报警");
	const struct calendar *cal = map_get(&office->calendar_by_name, "机关");
	const struct channel *device = map_get(&office->channel_by_id, "device");
	const struct policy *policy = map_get(&office->policy_by_name, "普通");
	const struct grid *grid = map_get(&office->grid_by_code, "410106003008001");

	(void)state;
	assert_string_equal(office->prefix, "REF");
	assert_int_equal(strlen(office->hash), 16);
	assert_string_equal(chengguan->superior->id, "dangzheng");
	assert_string_equal(chengguan->officers[1].name, "李某");
	assert_string_equal(chengguan->duty->name, "值班");
	assert_true(chengguan->cards);
	assert_false(((const struct department *)map_get(&office->dept_by_id, "ducha"))->cards);
	assert_ptr_equal(gas->dept, chengguan);
	assert_string_equal(gas->policy->name, "紧急");
	assert_string_equal(((const struct category *)map_get(&office->category_by_code, "020301"))->path, "市政/井盖");
	assert_int_equal(rule->when.urgency, 1u << URGENCY_URGENT | 1u << URGENCY_CRITICAL);
	assert_int_equal(rule->when.during[0]->from, 22 * 60);
	assert_int_equal(rule->when.secret, -1);
	assert_int_equal(rule->then.urgency, -1);
	assert_true(rule->until == MOMENT_NONE);
	rule = rule_of(settings, "燃气泄漏");
	assert_true(rule->until == moment_of_day(moment_day_from_date(2029, 7, 1), 0));
	assert_int_equal(rule->then.visibility, VISIBLE_SEALED);
	assert_int_equal(rule_of(settings, "匿名举报")->when.secret, 1);
	assert_true(policy->has[CLOCK_ACCEPT] && policy->clock[CLOCK_ACCEPT].unit == UNIT_WORKHOUR);
	assert_int_equal(policy->escalation->n_steps, 3);
	assert_int_equal(policy->escalation->steps[2].level, 2);
	assert_string_equal(policy->escalation->steps[2].dept->id, "ducha");
	assert_int_equal(policy->escalation->quiet_except, 1u << DO_RAISE);
	assert_int_equal(cal->week[4].n, 2);
	assert_int_equal(cal->week[5].n, 0);
	assert_int_equal(cal->n_years, 2);
	assert_int_equal(cal->seasons[0].week[0].spans[1].to, 18 * 60);
	assert_true(office->calendars[1].round_the_clock);
	assert_string_equal(device->filters[1], "vendor-b/+/alarm");
	assert_int_equal(device->source_level, 1);
	assert_string_equal(map_get(&device->codes[0].values, "3"), "critical");
	assert_string_equal(((const struct channel *)map_get(&office->channel_by_id, "hotline"))->charset, "gb18030");
	assert_string_equal(((const struct channel *)map_get(&office->channel_by_id, "wechat"))->filters[0],
			    "needle/reference/in/wechat/+");
	assert_string_equal(grid->name, "东关,第一网格");
	assert_null(grid->dept);
	assert_int_equal(office->retain_days, 1827);
	assert_non_null(office->index);
	settings_unref(settings);
}

static void a_small_folder_lives_by_defaults(void **state)
{
	static const char files[] =
		"version: 1\ntenant: {id: small, prefix: SM}\nfallback: {dept: desk, policy: plain}\n"
		"departments: {desk: }\npolicies: {plain: {resolve: 24 小时}}\nchannels: {web: {}}\n";
	const struct lifecycle *life;
	struct settings *settings;

	(void)state;
	nftw(copy, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	change("needle.yaml", NULL, files);
	settings = load(copy, 0);
	if (settings->findings.n)
		print_findings(settings);
	assert_int_equal(settings->findings.n, 0);
	life = &settings->office.life;
	assert_string_equal(settings->office.departments[0].name, "desk");
	assert_ptr_equal(life->triage, settings->office.fallback_dept);
	assert_int_equal(life->closing, CLOSE_SATISFIED);
	assert_true(life->unrated_close);
	assert_int_equal(life->closing_window.n, 7);
	assert_null(life->again_policy);
	assert_string_equal(life->again_second, "supervise");
	assert_null(life->supervisor);
	assert_null(life->suspend_by);
	assert_int_equal(life->n_returns, 2);
	assert_string_equal(life->returns[1].text, "地点不明");
	assert_int_equal(life->urges_per_day, 3);
	assert_true(life->join_auto > 0.84 && life->join_auto < 0.86);
	assert_int_equal(life->n_replies, 3);
	assert_string_equal(settings->broker.host, "127.0.0.1");
	assert_string_equal(settings->dsn, "dbname=needle");
	assert_int_equal(settings->http.port, 9470);
	assert_int_equal(settings->intake.inbox_bytes, 1 << 30);
	assert_int_equal(settings->office.visibility, VISIBLE_MASKED);
	assert_true(settings->reload.tests_required);
	settings_unref(settings);
}

static void texts_stay_as_they_are_written(void **state)
{
	struct settings *settings;
	const struct department *dept;

	(void)state;
	fresh_copy();
	change(D, "officers: {wang: 王某, li: 李某}", "officers: {wang: no, li: 12:30, on: 0012}");
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	dept = map_get(&settings->office.dept_by_id, "chengguan");
	assert_int_equal(settings->findings.n_errors, 0);
	assert_string_equal(dept->officers[0].name, "no");
	assert_string_equal(dept->officers[1].name, "12:30");
	assert_string_equal(dept->officers[2].id, "on");
	assert_string_equal(dept->officers[2].name, "0012");
	settings_unref(settings);
}

/* ---- all at once, and how it reads ------------------------------------------------------------ */

static bool has(const struct settings *settings, const char *code, const char *file)
{
	for (size_t i = 0; i < settings->findings.n; i++)
		if (strcmp(settings->findings.v[i].code, code) == 0 && strcmp(settings->findings.v[i].file, file) == 0)
			return true;
	return false;
}

static void one_run_tells_every_mistake(void **state)
{
	struct settings *settings;

	(void)state;
	fresh_copy();
	change(C, "charset: gb18030", "charset: gb99");
	change(D, "kind: community", "kind: village");
	change(G, "policy: 紧急}", "policy: 慢}");
	change(R, "owner: 李某", "owned: 李某");
	change(T, "resolve: 5 工作日", "resolve: 5 天");
	change(L, "urges: {per_day: 3", "urges: {per_day: -3");
	change(K, "hours: {每天", "hors: {每天");
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	assert_true(has(settings, "E13", C) && has(settings, "E13", D) && has(settings, "E20", G));
	assert_true(has(settings, "E10", R) && has(settings, "E41", T) && has(settings, "E12", L));
	assert_true(has(settings, "E10", K) && has(settings, "E11", K));
	for (size_t i = 1; i < settings->findings.n; i++)
		if (strcmp(settings->findings.v[i - 1].file, settings->findings.v[i].file) == 0)
			assert_true(settings->findings.v[i - 1].line <= settings->findings.v[i].line);
	settings_unref(settings);
}

static void a_broken_file_does_not_hide_the_others_nor_blame_them(void **state)
{
	struct settings *settings;

	(void)state;
	fresh_copy();
	change(D, "departments:", "departments: [");
	change(R, "owner: 李某", "owned: 李某");
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	assert_true(has(settings, "E01", D));
	assert_true(has(settings, "E10", R));
	assert_int_equal(settings->findings.n_errors, 2);
	settings_unref(settings);
}

static void working_time_needs_a_calendar(void **state)
{
	struct settings *settings;

	(void)state;
	fresh_copy();
	change(T, "    calendar: 机关                  # 按", "    # 按");
	change(T, "defaults: {calendar: 机关, escalation: 标准}", "defaults: {escalation: 标准}");
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	assert_true(has(settings, "E42", T));
	settings_unref(settings);
}

static void a_caret_stands_under_the_word_in_chinese_lines(void **state)
{
	CLEANUP(str_done) struct str t = {0};
	struct settings *settings;

	(void)state;
	fresh_copy();
	change(G, "  物业/漏水: {dept: xingfuli, policy: 普通}", "  物业/漏水: {dept: xingfulu, policy: 普通}");
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	findings_text(&settings->findings, &t);
	assert_non_null(strstr(t.s, "categories.yaml:10:17: error E20 department “xingfulu” is not defined\n"
				    "   10 |   物业/漏水: {dept: xingfulu, policy: 普通}\n"
				    "      |                     ^^^^^^^^\n"
				    "      = did you mean “xingfuli”? (departments.yaml:"));
	str_reset(&t);
	findings_json(&settings->findings, &t);
	assert_non_null(strstr(t.s, "\"code\":\"E20\",\"severity\":\"error\",\"file\":\"categories.yaml\",\"line\":10,\"column\":17"));
	assert_non_null(strstr(t.s, "\"errors\":1,\"warnings\":0}"));
	settings_unref(settings);
}

/* ---- secrets, hash, printing ------------------------------------------------------------------ */

static void chmod_in_copy(const char *name, mode_t mode)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", copy, name);
	assert_int_equal(chmod(path, mode), 0);
}

static void private_secrets(void)
{
	change("secrets/mqtt_password", NULL, "s3cret-one\n");
	change("secrets/mqtt_key", NULL, "s3cret-two\n");
	change("secrets/privacy_keys", NULL, "s3cret-three\n");
	chmod_in_copy("secrets/mqtt_password", 0600);
	chmod_in_copy("secrets/mqtt_key", 0600);
	chmod_in_copy("secrets/privacy_keys", 0600);
	change(N, "  tls:                    # 不写就不加密 leave it out for a plain connection\n    ca: tls/ca.pem ",
	       "  tls:\n    ca: needle.yaml ");
	change(N, "cert: tls/needled.pem", "cert: needle.yaml");
}

static void secrets_are_found_kept_private_and_out_of_the_hash(void **state)
{
	CLEANUP(str_done) struct str t = {0};
	struct settings *settings;
	char hash[17];

	(void)state;
	fresh_copy();
	private_secrets();
	settings = load(copy, 0);
	if (settings->findings.n)
		print_findings(settings);
	assert_int_equal(settings->findings.n, 0);
	assert_string_equal(settings->broker.password, "s3cret-one");
	assert_string_equal(settings->privacy_keys, "s3cret-three");
	assert_non_null(strstr(settings->broker.tls_key, "/secrets/mqtt_key"));
	settings_print(settings, &t);
	assert_null(strstr(t.s, "s3cret"));
	assert_non_null(strstr(t.s, "password: \"***\""));
	memcpy(hash, settings->office.hash, sizeof(hash));
	settings_unref(settings);

	change("secrets/mqtt_password", NULL, "another\n");
	chmod_in_copy("secrets/mqtt_password", 0644);
	change("tests/参考.test.yaml", "now: 2026", "now: 2025");
	settings = load(copy, 0);
	assert_string_equal(settings->broker.password, "another");
	assert_true(has(settings, "W50", N));
	assert_string_equal(settings->office.hash, hash);
	settings_unref(settings);

	change("grids.csv", "赵某", "钱某");
	settings = load(copy, 0);
	assert_string_not_equal(settings->office.hash, hash);
	settings_unref(settings);
}

static void a_missing_secret_stops_the_daemon_and_only_warns_at_a_desk(void **state)
{
	const struct load_options with_env = {.env_file = "/tmp/needle-settings-env"};
	struct settings *settings;
	struct err e = {0};
	char path[PATH_MAX];
	FILE *f;

	(void)state;
	fresh_copy();
	private_secrets();
	snprintf(path, sizeof(path), "%s/secrets/mqtt_password", copy);
	assert_int_equal(remove(path), 0);
	settings = load(copy, 0);
	assert_int_equal(settings->findings.n_errors, 1);
	assert_true(has(settings, "E51", N));
	settings_unref(settings);
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	assert_int_equal(settings->findings.n_errors, 0);
	assert_int_equal(settings->findings.n_warnings, 1);
	settings_unref(settings);

	f = fopen(with_env.env_file, "w");
	assert_non_null(f);
	fputs("# a comment\nother=1\nmqtt_password=from the env\n", f);
	fclose(f);
	assert_int_equal(settings_load(copy, &with_env, &settings, &e), 0);
	assert_string_equal(settings->broker.password, "from the env");
	settings_unref(settings);
	remove(with_env.env_file);

	setenv("CREDENTIALS_DIRECTORY", copy, 1);
	change("mqtt_password", NULL, "from systemd");
	settings = load(copy, 0);
	assert_string_equal(settings->broker.password, "from systemd");
	settings_unref(settings);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void the_connection_string_takes_a_secret_inside(void **state)
{
	CLEANUP(str_done) struct str t = {0};
	struct settings *settings;

	(void)state;
	fresh_copy();
	private_secrets();
	change(N, "user=needled\"", "user=needled password=${secret:pg} sslmode=require\"");
	change("secrets/pg", NULL, "s3cret");
	chmod_in_copy("secrets/pg", 0600);
	settings = load(copy, 0);
	assert_string_equal(settings->dsn,
			    "host=/run/postgresql dbname=needle user=needled password=s3cret sslmode=require");
	settings_print(settings, &t);
	assert_non_null(strstr(t.s, "password=*** sslmode=require"));
	settings_unref(settings);
}

static void the_printed_configuration_loads_again_and_prints_the_same(void **state)
{
	static const char *const folders[] = {"config/reference", "config/demo"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		CLEANUP(str_done) struct str first = {0}, second = {0};
		struct settings *settings = load(folders[i], LOAD_SECRETS_OPTIONAL), *again;

		settings_print(settings, &first);
		fresh_copy();
		change("calendars/2024.json", NULL, "{\"year\": 2024, \"days\": [{\"name\": \"元旦\", "
						    "\"date\": \"2024-01-01\", \"isOffDay\": true}]}");
		change("tests/路由.test.yaml", NULL, "tests: []\n");
		change("grids.csv", NULL, "grid,name,community,dept,keeper\n");
		change(N, NULL, first.s);
		again = load(copy, LOAD_SECRETS_OPTIONAL);
		if (again->findings.n_errors)
			print_findings(again);
		assert_int_equal(again->findings.n_errors, 0);
		assert_int_equal(again->office.n_rules, settings->office.n_rules);
		settings_print(again, &second);
		assert_string_equal(first.s, second.s);
		settings_unref(again);
		settings_unref(settings);
	}
}

/* ---- hostile folders -------------------------------------------------------------------------- */

static void repeat(struct str *t, const char *part, int n)
{
	while (n-- > 0)
		str_add(t, part);
}

static void a_hostile_file_is_refused_with_a_sentence(void **state)
{
	static const struct {
		const char *what, *before, *part, *after, *code;
		int n;
	} files[] = {
		{"nesting", "rules: ", "[", "", "E01", 100000},
		{"nesting of maps", "rules: ", "{a: ", "", "E01", 100000},
		{"too many values", "rules: [", "a,", "]", "E01", 200000},
		{"too large", "# ", "0123456789abcdef", "\n", "E52", 70000},
		{"an alias bomb", "a: &a [x]\nb: &b [", "*a,", "]\n", "E06", 50000},
		{"many duplicate keys", "rules: {", "a: 1,", "}", "E05", 20000},
		{"a long line", "rules: \"", "幸福里", "\"\n", "E12", 50000},
		{"a NUL by escape", "rules: \"", "\\0", "\"\n", "E04", 3},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		CLEANUP(str_done) struct str t = {0}, text = {0};
		struct settings *settings;

		fresh_copy();
		str_add(&t, files[i].before);
		repeat(&t, files[i].part, files[i].n);
		str_add(&t, files[i].after);
		write_bytes(R, t.s, t.len);
		settings = load(copy, LOAD_SECRETS_OPTIONAL);
		if (!has(settings, files[i].code, strcmp(files[i].code, "E52") == 0 ? N : R))
			fail_msg("%s: no %s", files[i].what, files[i].code);
		findings_text(&settings->findings, &text);
		assert_false(text.cut);
		settings_unref(settings);
	}
}

static void nothing_outside_the_folder_is_read(void **state)
{
	struct settings *settings;
	char path[PATH_MAX];

	(void)state;
	fresh_copy();
	snprintf(path, sizeof(path), "%s/" R, copy);
	assert_int_equal(remove(path), 0);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	assert_true(has(settings, "E52", N));
	settings_unref(settings);
	assert_int_equal(remove(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	assert_true(has(settings, "E52", N));
	settings_unref(settings);
}

static void a_folder_that_is_none_is_an_error_not_a_finding(void **state)
{
	const struct load_options options = {0};
	struct settings *settings = NULL;
	struct err e = {0};

	(void)state;
	assert_int_equal(settings_load("/nonexistent", &options, &settings, &e), ERR_BAD);
	assert_null(settings);
	nftw(copy, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	settings = load(copy, 0);
	assert_true(has(settings, "E52", N));
	settings_unref(settings_ref(settings));
	settings_unref(settings);
	settings_unref(NULL);
}

/* ---- values ----------------------------------------------------------------------------------- */

static void filters_overlap_when_a_topic_fits_both(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} rows[] = {
		{"a/b", "a/b", true}, {"a/b", "a/c", false}, {"a/+", "a/c", true}, {"a/+/c", "a/b/+", true},
		{"a/+/c", "a/b/d", false}, {"a/#", "a", true}, {"a/#", "a/b/c", true}, {"#", "x/y", true},
		{"a/+", "a/b/c", false}, {"a/+/#", "a/b", true}, {"a/b/#", "a", false}, {"+/b", "a/#", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (filters_overlap(rows[i].a, rows[i].b) != rows[i].overlap ||
		    filters_overlap(rows[i].b, rows[i].a) != rows[i].overlap)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
}

static void days_of_the_week_are_read_as_clerks_write_them(void **state)
{
	static const struct {
		const char *text;
		int mask;
	} rows[] = {
		{"周一-周五", 0x1f}, {"周六", 0x20}, {"周日", 0x40}, {"周天", 0x40}, {"每天", 0x7f}, {"周一,周三", 0x05},
		{"周一-周三, 周六", 0x27}, {"周五-周一", -1}, {"周八", -1}, {"", -1}, {"周一-", -1}, {"周一,", -1},
	};
	uint8_t mask;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool good = type_weekdays(rows[i].text, &mask);

		if (good != (rows[i].mask >= 0) || (good && mask != rows[i].mask))
			fail_msg("%s", rows[i].text);
	}
}

static void sizes_ages_and_addresses_have_units(void **state)
{
	struct arena a = {0};
	const char *address;
	int64_t n;
	int port;

	(void)state;
	assert_true(type_size("1 GiB", &n) && n == 1 << 30);
	assert_true(type_size("512MiB", &n) && n == 512 << 20);
	assert_false(type_size("12", &n) || type_size("GiB", &n) || type_size("1 GIB", &n) || type_size("1  GiB", &n));
	assert_true(type_age("90d", &n) && n == 90);
	assert_true(type_age("5 年", &n) && n == 1827);
	assert_false(type_age("5", &n) || type_age("y", &n));
	assert_true(type_listen("[::1]:9470", &a, &address, &port) && strcmp(address, "::1") == 0 && port == 9470);
	assert_true(type_listen("off", &a, &address, &port) && !address);
	assert_false(type_listen("9470", &a, &address, &port) || type_listen("::1:9470", &a, &address, &port));
	arena_done(&a);
}

/* ---- decoders ---------------------------------------------------------------------------------- */

static bool find_decoder(void *arg, const char *name, struct decoder_info *ret)
{
	static const struct needle_option table[] = {
		{"again_words", NEEDLE_OPTION_TEXT, "二次", ""},
		{"limit", NEEDLE_OPTION_INTEGER, NULL, "how many"},
		{NULL, NEEDLE_OPTION_TEXT, NULL, NULL},
	};

	(void)arg;
	ret->name = "hotline";
	ret->options = table;
	return strcmp(name, "hotline") == 0;
}

static void options_belong_to_the_decoder(void **state)
{
	const struct load_options options = {.flags = LOAD_SECRETS_OPTIONAL, .decoder = find_decoder};
	struct settings *settings;
	struct err e = {0};

	(void)state;
	fresh_copy();
	change(C, "options: {again_words: \"二次,重办\"}", "options: {again_wrds: 二次, limit: many}");
	assert_int_equal(settings_load(copy, &options, &settings, &e), SETTINGS_HAS_ERRORS);
	assert_true(has(settings, "E10", C) && has(settings, "E12", C));
	settings_unref(settings);
	change(C, "{again_wrds: 二次, limit: many}", "{again_words: 二次}");
	assert_int_equal(settings_load(copy, &options, &settings, &e), SETTINGS_HAS_ERRORS);
	assert_true(has(settings, "E11", C));
	settings_unref(settings);
	change(C, "{again_words: 二次}", "{limit: 7}");
	assert_int_equal(settings_load(copy, &options, &settings, &e), 0);
	settings_unref(settings);
	change(C, "decoder: hotline", "decoder: hotlin");
	assert_int_equal(settings_load(copy, &options, &settings, &e), SETTINGS_HAS_ERRORS);
	assert_true(has(settings, "E20", C));
	settings_unref(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_and_the_demo_have_nothing_wrong),
		cmocka_unit_test(the_reference_shows_every_key),
		cmocka_unit_test(the_table_of_keys_is_in_order),
		cmocka_unit_test(an_office_is_what_its_files_say),
		cmocka_unit_test(a_small_folder_lives_by_defaults),
		cmocka_unit_test(texts_stay_as_they_are_written),
		cmocka_unit_test(one_slip_gives_one_finding_on_its_line),
		cmocka_unit_test(one_run_tells_every_mistake),
		cmocka_unit_test(a_broken_file_does_not_hide_the_others_nor_blame_them),
		cmocka_unit_test(working_time_needs_a_calendar),
		cmocka_unit_test(a_caret_stands_under_the_word_in_chinese_lines),
		cmocka_unit_test(secrets_are_found_kept_private_and_out_of_the_hash),
		cmocka_unit_test(a_missing_secret_stops_the_daemon_and_only_warns_at_a_desk),
		cmocka_unit_test(the_connection_string_takes_a_secret_inside),
		cmocka_unit_test(the_printed_configuration_loads_again_and_prints_the_same),
		cmocka_unit_test(a_hostile_file_is_refused_with_a_sentence),
		cmocka_unit_test(nothing_outside_the_folder_is_read),
		cmocka_unit_test(a_folder_that_is_none_is_an_error_not_a_finding),
		cmocka_unit_test(filters_overlap_when_a_topic_fits_both),
		cmocka_unit_test(days_of_the_week_are_read_as_clerks_write_them),
		cmocka_unit_test(sizes_ages_and_addresses_have_units),
		cmocka_unit_test(options_belong_to_the_decoder),
	};
	int64_t february;
	int failed;

	/* Warnings about days that come near must not depend on the day of the test. */
	if (!moment_parse("2026-02-01 12:00", &february) || !mkdtemp(copy))
		return 1;
	clock_simulate(february, 0);
	unsetenv("CREDENTIALS_DIRECTORY");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	nftw(copy, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	remove(copy);
	return failed;
}
