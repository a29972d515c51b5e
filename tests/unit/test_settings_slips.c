/*
 * One slip in a good folder gives one finding with the right code on the right line. Every broken folder
 * is the reference with one place changed, so that the reference is proved good by the same run.
 */
#include "unit/settings_folder.h"

/* ---- one slip, one finding ------------------------------------------------------------------- */

struct slip {
	const char *what, *file, *from, *to, *code;
	const char *at;         /* the finding is on the line of this text; NULL: of `to` */
	const char *also;       /* other codes that follow from it */
	int column;             /* 0: not compared */
};

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
	{"a name that the start cannot listen on", N, "listen: 127.0.0.1:9470", "listen: gateway.example:9470", "E12", NULL, NULL, 0},
	{"a level that the topic lacks", C, "    source: 1", "    source: 7", "E12", NULL, NULL, 0},
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
	{"two rules of one name", R, "id: 匿名举报", "id: 燃气泄漏", "E21", "id: 燃气泄漏\n    when:\n      text:\n        all", NULL, 9},
	{"a department in two files", L, "closing:", "departments: {ducha: {}}\nclosing:", "E21", "departments:", NULL, 0},
	{"a grid twice", "grids.csv", "410106003008001", "410106003007001", "E21", "410106003007001,\"东关", NULL, 1},
	{"two categories of one code", G, "市政/供气: {policy: 紧急}", "市政/供气: {codes: [\"020301\"]}", "E22", NULL, NULL, 0},
	{"a file that includes itself", C, "channels:\n", "include: [needle.yaml]\nchannels:\n", "E23", "include:", NULL, 0},
	{"two superiors of each other", D, "{name: 党政办, kind: office}", "{name: 党政办, superior: chengguan}", "E23", NULL, NULL,
	 0},
	{"no fallback", N, "fallback: {dept: dangzheng, policy: 普通}", "", "E24", "version: 1", NULL, 0},
	{"a fallback without department", N, "{dept: dangzheng, policy: 普通}", "{policy: 普通}", "E24", NULL, NULL, 0},
	{"a Chinese id", D, "  yingji: {name", "  应急: {name", "E25", NULL, "E20", 3},
	{"an id with a wildcard", C, "  wechat: {name", "  we+chat: {name", "E25", NULL, "E20", 3},
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
	{"a day of nine parts", K, "[08:30-12:00, 13:30-17:30]}\n",
	 "[01:00-02:00, 03:00-04:00, 05:00-06:00, 07:00-08:00, 09:00-10:00, 11:00-12:00, 13:00-14:00, 15:00-16:00, 17:00-18:00]}\n", "E12",
	 NULL, NULL, 0},
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

/* ---- all at once, and how it reads ------------------------------------------------------------ */

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
	/* What was misspelt is not missing as well. */
	assert_true(has(settings, "E10", K) && !has(settings, "E11", K));
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

/* An office may have no grids and no devices; one that has them does not work on without. */
static void a_file_that_cannot_be_read_is_not_taken_for_none(void **state)
{
	static const char *const optional[] = {"grids.csv", "devices.csv"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(optional); i++) {
		struct settings *settings;
		char path[PATH_MAX];

		fresh_copy();
		snprintf(path, sizeof(path), "%s/%s", copy, optional[i]);
		assert_int_equal(remove(path), 0);
		settings = load(copy, LOAD_SECRETS_OPTIONAL);
		assert_false(has(settings, "E52", optional[i]));
		settings_unref(settings);
		assert_int_equal(symlink(optional[i], path), 0);
		settings = load(copy, LOAD_SECRETS_OPTIONAL);
		assert_true(has(settings, "E52", optional[i]));
		settings_unref(settings);
		assert_int_equal(remove(path), 0);
		assert_int_equal(mknod(path, S_IFSOCK | 0600, 0), 0);
		settings = load(copy, LOAD_SECRETS_OPTIONAL);
		assert_true(has(settings, "E52", optional[i]));
		settings_unref(settings);
	}
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

/* The last test: the clock never goes backwards. */
static void a_calendar_says_when_it_runs_out(void **state)
{
	struct settings *settings;
	int64_t now;

	(void)state;
	fresh_copy();
	assert_true(moment_parse("2026-11-21 12:00", &now) && clock_set_us(now));
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	assert_int_equal(settings->findings.n, 0);
	settings_unref(settings);
	assert_true(moment_parse("2026-12-15 12:00", &now) && clock_set_us(now));
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	assert_true(has(settings, "W20", K) && has(settings, "W22", K));
	settings_unref(settings);
	assert_true(moment_parse("2027-01-10 12:00", &now) && clock_set_us(now));
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	assert_true(has(settings, "W21", K));
	assert_int_equal(settings->findings.n_errors, 0);
	settings_unref(settings);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_slip_gives_one_finding_on_its_line),
		cmocka_unit_test(one_run_tells_every_mistake),
		cmocka_unit_test(a_broken_file_does_not_hide_the_others_nor_blame_them),
		cmocka_unit_test(working_time_needs_a_calendar),
		cmocka_unit_test(a_caret_stands_under_the_word_in_chinese_lines),
		cmocka_unit_test(a_hostile_file_is_refused_with_a_sentence),
		cmocka_unit_test(nothing_outside_the_folder_is_read),
		cmocka_unit_test(a_file_that_cannot_be_read_is_not_taken_for_none),
		cmocka_unit_test(a_folder_that_is_none_is_an_error_not_a_finding),
		cmocka_unit_test(a_calendar_says_when_it_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_in_february(run);
}
