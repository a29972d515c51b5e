/* A folder's tests: what each expectation compares, what a timeline plays, and how failing is told. */
#include "settings_folder.h"
#include "settings/table.h"
#include "settings/tests.h"
#include "trial/trial.h"

static const char tests_file[] = "tests/参考.test.yaml";

/* A copy of the reference whose only test is `body`, indented as below `tests:`; its `now` is Friday 2026-02-13 16:40. */
static struct settings *folder_with(const char *body)
{
	CLEANUP(str_done) struct str text = {0};

	fresh_copy();
	str_addf(&text, "now: 2026-02-13 16:40\ntests:\n%s", body);
	change(tests_file, NULL, text.s);
	change(N, "tests: [tests/参考.test.yaml, tests/夜间.test.yaml]", "tests: [tests/参考.test.yaml]");
	return load(copy, LOAD_SECRETS_OPTIONAL);
}

#define GAS "  - name: t\n    in: {channel: wechat, text: 楼道煤气味, grid: \"410106003007001\"}\n"
#define LEAK "  - name: t\n    in: {channel: wechat, category: 物业/漏水, text: 天花板漏水}\n    timeline:\n"
#define ACCEPT "      - {at: 2026-02-14 09:00, do: {action: accept, dept: xingfuli}}\n"
#define RESOLVE "      - {at: 2026-02-24 10:00, do: {action: resolve, dept: xingfuli, answer: 修好了}}\n"

/* The first failure: field NULL for none. got "-": nothing came; NULL: not looked at. */
static const struct row {
	const char *body, *field, *want, *got;
} rows[] = {
	/* ---- the decision ---- */
	{GAS "    expect: {rule: 燃气泄漏, source: rule, dept: yingji, urgency: critical, copies: []}\n", NULL, NULL, NULL},
	{GAS "    expect: {rule: 匿名举报}\n", "rule", "匿名举报", "燃气泄漏"},
	{GAS "    expect: {not_rule: 匿名举报}\n", NULL, NULL, NULL},
	{GAS "    expect: {not_rule: 燃气泄漏}\n", "not_rule", "燃气泄漏", "燃气泄漏"},
	{GAS "    expect: {not_rule: 燃气泄露}\n", "not_rule", "燃气泄露", "燃气泄漏"},
	{GAS "    expect: {source: fallback}\n", "source", "fallback", "rule"},
	{GAS "    expect: {dept: nobody}\n", "dept", "nobody", "yingji"},
	{GAS "    expect: {urgency: normal}\n", "urgency", "normal", "critical"},
	{GAS "    expect: {copies: dangzheng}\n", "copies", "[dangzheng]", "[]"},
	{GAS "    expect: {due: {accept: 2026-02-13 16:50, resolve: 2026-02-13 18:40}}\n", NULL, NULL, NULL},
	{GAS "    expect: {due: {accept: 2026-02-13 16:51}}\n", "due.accept", "2026-02-13 16:51", "2026-02-13 16:50"},
	{GAS "    expect: {due: {contact: 2026-02-13 16:51}}\n", "due.contact", "2026-02-13 16:51", "-"},
	{GAS "    expect: {provisional: off}\n", NULL, NULL, NULL},
	{GAS "    expect: {rule: null}\n", "rule", "null", "燃气泄漏"},
	{"  - name: t\n    in: {channel: wechat, text: 你好}\n    expect: {rule: null, source: fallback}\n", NULL, NULL, NULL},
	{GAS "    expect: {provisional: true}\n", "provisional", "true", "false"},
	{"  - name: t\n    in: {channel: wechat, text: 工地夜间噪声, reporter: {secret: yes}}\n    expect: {dept: ducha}\n",
	 NULL, NULL, NULL},
	{"  - name: t\n    in: {channel: wechat, text: 工地夜间噪声, reporter: {secret: no}}\n    expect: {dept: ducha}\n",
	 "dept", "ducha", "dangzheng"},
	{"  - name: t\n    in: {channel: wechat, category: \"020301\", text: 井盖破了}\n    expect: {dept: chengguan}\n",
	 NULL, NULL, NULL},
	{"  - name: t\n    in: {channel: wechat, category: 市政, text: 不作为, accused: chengguan}\n"
	 "    expect: {dept: dangzheng}\n", NULL, NULL, NULL},
	{"  - name: t\n    in: {channel: wechat, text: 信访, category: 物业/漏水}\n"
	 "    expect: {dept: xingfuli, copies: [dangzheng]}\n", NULL, NULL, NULL},
	/* The channel's `set` holds, its map and codec do not: what stands here already is ours. */
	{"  - name: t\n    in: {channel: device, text: 报警}\n    expect: {source: category, dept: chengguan}\n",
	 NULL, NULL, NULL},
	{"  - name: t\n    in: {channel: wechat}\n    expect: {dept: yingji}\n", "in", NULL, NULL},

	/* ---- in simulated time ---- */
	{LEAK "      - {at: 2026-02-13 16:40, expect: {event: assigned, dept: xingfuli, role: lead, reply: registered}}\n",
	 NULL, NULL, NULL},
	{LEAK "      - {at: +1 小时, expect: {event: assigned}}\n      - {at: +2 小时, expect: {event: assigned}}\n",
	 "event", "assigned", "-"},
	{LEAK "      - {at: +4 工作小时, expect: {event: reminded, to: lead, clock: accept, state: assigned, lead: xingfuli}}\n",
	 NULL, NULL, NULL},
	{LEAK "      - {at: +3 工作小时, expect: {event: reminded}}\n", "event", "reminded",
	 "assigned xingfuli, overdue xingfuli"},
	{LEAK "      - {at: +3 工作小时, expect: {not_event: reminded}}\n", NULL, NULL, NULL},
	{LEAK "      - {at: +4 工作小时, expect: {not_event: reminded}}\n", "not_event", "reminded", NULL},
	{LEAK "      - {at: +4 工作小时, expect: {event: reminded, to: leader}}\n", "to", "leader", "lead"},
	{LEAK "      - {at: +4 工作小时, expect: {to: leader}}\n", "to", "leader", NULL},
	{LEAK "      - {at: 2026-02-27 17:30, expect: {event: escalated, level: 1, to: leader}}\n", NULL, NULL, NULL},
	{LEAK "      - {at: 2026-02-27 17:29, expect: {not_event: escalated}}\n", NULL, NULL, NULL},
	{LEAK "      - {at: 2026-03-02 09:00, expect: {event: supervised, dept: ducha, role: supervisor, level: 2}}\n",
	 NULL, NULL, NULL},
	{LEAK "      - {at: 2026-03-02 09:00, expect: {event: supervised, dept: ducha, level: 3}}\n", "level", "3", "2"},
	{LEAK "      - {at: +2 工作日}\n      - {at: +1 工作日}\n", "at", "later than 2026-02-24 17:30", "2026-02-14 17:30"},
	{LEAK "      - {at: 2026-02-14 09:00}\n      - {at: 2026-02-14 09:00}\n", "at", NULL, "2026-02-14 09:00"},
	{LEAK "      - {at: 2026-02-13 16:39}\n", "at", "later than 2026-02-13 16:40", "2026-02-13 16:39"},

	/* ---- what people do ---- */
	{LEAK ACCEPT "      - {at: +5 工作小时, expect: {not_event: reminded, state: accepted}}\n", NULL, NULL, NULL},
	{LEAK "      - {at: 2026-02-14 09:00, do: {action: accept, dept: yingji}}\n", "do", "done", NULL},
	{LEAK "      - {at: 2026-02-14 09:00, do: {action: accept, dept: yingji}, expect: {result: refused, state: assigned}}\n",
	 NULL, NULL, NULL},
	{LEAK "      - {at: 2026-02-14 09:00, do: {action: accept, dept: xingfuli}, expect: {result: refused}}\n",
	 "result", "refused", "done"},
	{LEAK "      - {at: 2026-02-14 09:00, expect: {result: done}}\n", "result", "done", "-"},
	{LEAK ACCEPT RESOLVE "      - {at: 2026-02-24 11:00, do: {kind: rate, score: satisfied}, expect: {event: closed, state: closed}}\n",
	 NULL, NULL, NULL},
	{LEAK ACCEPT RESOLVE "      - {at: 2026-02-24 11:00, do: {kind: rate, score: dissatisfied, comment: 没修好}, "
	 "expect: {event: reopened, state: closed}}\n", "state", "closed", "assigned"},
	{LEAK ACCEPT RESOLVE "      - {at: 2026-03-04 00:00, expect: {event: closed}}\n", NULL, NULL, NULL},
	{LEAK ACCEPT RESOLVE "      - {at: 2026-03-03 23:59, expect: {event: closed}}\n", "event", "closed",
	 "overdue xingfuli, supervised ducha, supervised xingfuli, overdue xingfuli, overdue ducha, escalated xingfuli"},
	{LEAK "      - {at: +1 小时, do: {kind: urge, text: 快点}, expect: {event: urged}}\n", NULL, NULL, NULL},
	{LEAK "      - {at: +1 小时, do: {kind: status}, expect: {reply: status}}\n", NULL, NULL, NULL},
	{LEAK "      - {at: +1 小时, do: {kind: status}, expect: {reply: late}}\n", "reply", "late", "registered, status"},
	{LEAK "      - {at: +1 小时, do: {kind: withdraw}, expect: {state: closed}}\n", NULL, NULL, NULL},
	{LEAK "      - {at: +1 小时, do: {action: return, dept: xingfuli, reason: not-ours}, expect: {state: triage, lead: dangzheng}}\n"
	 "      - {at: +2 小时, do: {action: transfer, dept: dangzheng, to: yingji}, expect: {event: transferred, lead: yingji}}\n",
	 NULL, NULL, NULL},

	/* ---- members as the protocol has them ---- */
	{"  - name: t\n    in: {channel: wechat, id: GD-7, kind: report, time: 2026-02-13 16:00, text: 楼道煤气味, place: {address: 幸福里3号楼, "
	 "grid: \"410106003007001\", lat: 34.8, lon: 113.3, crs: gcj02}, reporter: {name: 李某, ref: openid-7, secret: yes}, "
	 "media: [{url: \"https://a.example/1.jpg\", type: image/jpeg, sha256: aa}], reply_to: {openid: o-7}}\n"
	 "    expect: {rule: 燃气泄漏, dept: yingji}\n", NULL, NULL, NULL},
	{LEAK "      - {at: +1 小时, do: {action: supervise, dept: ducha, order: 今天办, within: 1 小时}, expect: {event: supervised}}\n"
	 "      - {at: 2026-02-13 18:40, expect: {event: overdue, dept: ducha}}\n", NULL, NULL, NULL},
	{LEAK "      - {at: +1 小时, do: {action: consult, dept: xingfuli, topic: 谁来修, parties: [物业, 业主], at: 2026-02-14 10:00}, "
	 "expect: {event: consulted}}\n", NULL, NULL, NULL},
	{LEAK "      - {at: +1 小时, do: {action: amend, dept: dangzheng, place: {address: 幸福里5号楼, grid: \"410106003007001\"}}, "
	 "expect: {event: amended}}\n", NULL, NULL, NULL},
	{LEAK ACCEPT "      - {at: 2026-02-14 10:00, do: {action: extend, dept: xingfuli, request: r-1, until: 2026-02-28 12:00, reason: 等料}, "
	 "expect: {event: asked}}\n"
	 "      - {at: 2026-02-14 11:00, do: {action: grant, dept: ducha, of: r-1}, expect: {event: granted}}\n", NULL, NULL, NULL},
	{LEAK ACCEPT "      - {at: 2026-02-14 10:00, do: {action: resolve, dept: xingfuli, answer: 修好了, media: [{url: \"https://a.example/2.jpg\"}]}, "
	 "expect: {event: resolved}}\n", NULL, NULL, NULL},
	{LEAK "      - {at: +1 小时, do: {kind: supplement, id: GD-8, time: 2026-02-13 17:30, text: 越漏越大, urgency: urgent, address: 3号楼, "
	 "reporter: {phone: \"13800000000\"}, media: [{url: \"https://a.example/3.jpg\"}]}, expect: {event: supplemented}}\n", NULL, NULL, NULL},
	{LEAK "      - {at: +1 小时, do: {action: join, dept: dangzheng, into: REF000000000009}, expect: {result: refused}}\n", NULL, NULL, NULL},

	/* ---- a conversation ---- */
	{"  - name: t\n    in: {channel: wechat}\n    talk:\n      - {say: 楼道煤气味, expect: {kind: nothing, line: ask_place}}\n"
	 "      - {at: +1 分钟, say: 幸福里3号楼, expect: {kind: report, address: 幸福里3号楼, dept: yingji}}\n", NULL, NULL, NULL},
	{"  - name: t\n    in: {channel: wechat}\n    talk:\n      - {say: 楼道煤气味, expect: {kind: report}}\n", "kind", "report", "nothing"},
	{"  - name: t\n    in: {channel: wechat}\n    talk:\n      - {say: 楼道煤气味, expect: {line: ask_text}}\n", "line", "ask_text", "ask_place"},
	{"  - name: t\n    in: {channel: wechat}\n    talk:\n      - {say: 幸福里3号楼煤气味, expect: {dept: xingfuli}}\n", "dept", "xingfuli",
	 "yingji"},
	{"  - name: t\n    in: {channel: wechat}\n    talk:\n      - {say: 幸福里3号楼漏水}\n      - {at: +1 小时, hear: ask_rating}\n"
	 "      - {say: \"2\", expect: {kind: rate, score: satisfied}}\n", "score", "satisfied", "basically"},
	{"  - name: t\n    in: {channel: wechat}\n    talk:\n      - {at: +1 小时, say: 你好}\n      - {at: +1 分钟, say: 你好}\n", "at", NULL, NULL},
};

static void check_row(const struct row *row)
{
	struct settings *settings = folder_with(row->body);
	const struct trial_failure *first;
	struct trial trial;

	if (settings->findings.n_errors) {
		print_findings(settings);
		fail_msg("the folder of this row is wrong:\n%s", row->body);
	}
	trial_run(settings, &trial);
	first = trial.n_failures ? &trial.failures[0] : NULL;
	assert_int_equal(trial.passed + trial.failed, 1);
	if (!first != !row->field || (first && !str_equal(first->field, row->field)) ||
	    (row->want && !str_equal(first->want, row->want)) ||
	    (row->got && !str_equal(first->got ? first->got : "-", row->got)))
		fail_msg("%s-> %s: wanted %s, got %s", row->body, first ? first->field : "passed",
			 first && first->want ? first->want : "-", first && first->got ? first->got : "-");
	assert_int_equal(trial.failed, row->field ? 1 : 0);
	trial_done(&trial);
	settings_unref(settings);
}

static void every_expectation_is_compared_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(&rows[i]);
}

static void a_failure_stands_on_the_line_of_what_was_expected(void **state)
{
	struct settings *settings = folder_with(LEAK "      - at: +4 工作小时\n        expect:\n          event: reminded\n"
						     "          to: leader\n");
	struct trial trial;

	(void)state;
	trial_run(settings, &trial);
	assert_int_equal(trial.n_failures, 1);
	assert_int_equal(trial.failures[0].mark.line, line_of(tests_file, "to: leader"));
	assert_string_equal(trial.failures[0].test->file, tests_file);
	assert_string_equal(trial.failures[0].why, "accept 逾期");
	trial_done(&trial);
	settings_unref(settings);
}

static void one_test_may_fail_in_several_things_and_counts_once(void **state)
{
	struct settings *settings = folder_with(GAS "    expect: {rule: 匿名举报, dept: ducha, urgency: normal}\n"
						GAS "    expect: {dept: yingji}\n");
	struct findings f;
	struct trial trial;

	(void)state;
	trial_run(settings, &trial);
	assert_int_equal(trial.passed, 1);
	assert_int_equal(trial.failed, 1);
	assert_int_equal(trial.n_failures, 3);
	trial_findings(&trial, settings, &f);
	assert_int_equal(f.n_errors, 2);        /* the test, and the coverage that it leaves */
	assert_string_equal(f.v[f.n - 1].code, "E60");
	trial_done(&trial);
	settings_unref(settings);
}

static void coverage_is_rounded_down_and_counts_rules_not_tests(void **state)
{
	struct settings *settings = folder_with(GAS "    expect: {rule: 燃气泄漏}\n" GAS "    expect: {dept: yingji}\n");
	struct findings f;
	struct trial trial;

	(void)state;
	trial_run(settings, &trial);
	assert_int_equal(trial.rules, 3);
	assert_int_equal(trial.won, 1);
	assert_int_equal(trial.percent, 33);
	assert_true(trial.rule_won[0]);
	assert_false(trial.rule_won[1]);
	trial_findings(&trial, settings, &f);
	assert_int_equal(f.n_errors, 1);
	assert_string_equal(f.v[f.n - 1].file, N);
	assert_non_null(strstr(f.v[f.n - 1].remedy, "夜间井盖报警"));
	trial_done(&trial);
	settings_unref(settings);
}

/* What is wrong in a file of tests is told by `check`, with its place, and before anything runs. */
static void a_test_is_read_by_the_table(void **state)
{
	static const struct {
		const char *body, *code, *place;
	} slips[] = {
		{"  - name: t\n    inn: {channel: wechat}\n    in: {channel: wechat, text: x}\n    expect: {dept: a}\n", "E10", "inn:"},
		{"  - name: t\n    in: {channel: wechat, text: x}\n    expect: {dept: a, colour: b}\n", "E10", "colour"},
		{"  - in: {channel: wechat, text: x}\n    expect: {dept: a}\n", "E11", "  - in:"},
		{"  - name: t\n    in: {channel: wechat, text: x}\n", "E11", "name: t"},
		{"  - name: t\n    in: {channel: wechatt, text: x}\n    expect: {dept: a}\n", "E20", "wechatt"},
		{"  - name: t\n    in: {channel: wechat, text: x}\n    expect: {due: {resolve: 明天}}\n", "E12", "明天"},
		{"  - name: t\n    in: {channel: wechat, text: x}\n    expect: {source: ruel}\n", "E13", "ruel"},
		{LEAK "      - {expect: {event: overdue}}\n", "E11", "      - {expect"},
		{LEAK "      - {at: +3 天, expect: {event: overdue}}\n", "E41", "at: +3"},
		{LEAK "      - {at: +每周五, expect: {event: overdue}}\n", "E40", "at: +"},
		{LEAK "      - {at: 后天, expect: {event: overdue}}\n", "E12", "后天"},
		{LEAK "      - {at: +1 小时, expect: {event: late}}\n", "E13", "event: late"},
		{LEAK "      - {at: +1 小时, expect: {level: hoch}}\n", "E12", "hoch"},
		{LEAK "      - {at: +1 小时, do: {by: sun}}\n", "E11", "by: sun"},
		{LEAK "      - {at: +1 小时, do: {action: accept}}\n", "E11", "action: accept"},
		{LEAK "      - {at: +1 小时, do: {action: accept, dept: nobody}}\n", "E20", "nobody"},
		{LEAK "      - {at: +1 小时, do: {action: accept, dept: yingji, kind: urge}}\n", "E12", "kind: urge"},
		{"  - x\n", "E12", "- x"},
		{"  name: t\n", "E12", "name: t"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
		struct settings *settings = folder_with(slips[i].body);
		const struct finding *f = settings->findings.v;

		while (f < settings->findings.v + settings->findings.n && f->severity != SEVERITY_ERROR)
			f++;
		if (settings->findings.n_errors != 1 || strcmp(f->code, slips[i].code) != 0 ||
		    strcmp(f->file, tests_file) != 0 || f->line != line_of(tests_file, slips[i].place)) {
			print_findings(settings);
			fail_msg("wanted one %s at “%s” in\n%s", slips[i].code, slips[i].place, slips[i].body);
		}
		settings_unref(settings);
	}
}

static void a_test_decides_nothing(void **state)
{
	struct settings *one = folder_with(GAS "    expect: {dept: yingji}\n"), *two;
	char hash[17];

	(void)state;
	memcpy(hash, one->office.hash, sizeof(hash));
	settings_unref(one);
	two = folder_with(GAS "    expect: {dept: dangzheng}\n");
	assert_string_equal(two->office.hash, hash);
	settings_unref(two);
}

static void every_key_of_a_test_can_be_reached(void **state)
{
	size_t n;
	const struct key_info *keys = settings_test_keys(&n);

	(void)state;
	for (size_t i = 1; i < n; i++) {
		assert_true(*keys[i].help);
		assert_true(keys[i].type != KEY_ENUM || keys[i].n_values);
		assert_true(keys[i].type != KEY_REF || keys[i].ref);
	}
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_expectation_is_compared_and_nothing_else),
		cmocka_unit_test(a_failure_stands_on_the_line_of_what_was_expected),
		cmocka_unit_test(one_test_may_fail_in_several_things_and_counts_once),
		cmocka_unit_test(coverage_is_rounded_down_and_counts_rules_not_tests),
		cmocka_unit_test(a_test_is_read_by_the_table),
		cmocka_unit_test(a_test_decides_nothing),
		cmocka_unit_test(every_key_of_a_test_can_be_reached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_in_february(run);
}
