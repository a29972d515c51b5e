/*
 * Warnings that need time or the whole folder, the comments that allow them, and that no number of
 * warnings hides an error. Every folder is the reference with one place changed.
 */
#include "unit/settings_folder.h"

/* ---- one change, one warning ------------------------------------------------------------------ */

static const struct {
	const char *what, *file, *from, *to, *code;     /* code NULL: nothing is found */
	const char *at;                                 /* the finding is on the line of this text; NULL: of `to` */
} changes[] = {
	{"a rule of nobody", R, "    owner: 李某", "    #", "W09", "id: 燃气泄漏"},
	{"a deadline at night for who is not there", D, "yingji: {name: 应急办, duty: 值班}", "yingji: {name: 应急办}", "W24", NULL},
	{"the duty of a department that takes a category", D, "    duty: 值班   ", "    #    ", "W24", "  chengguan:"},
	{"two steps that are one", T, "      - when: resolve 逾期 1 工作日", "      - when: resolve 逾期 0 分钟", "E40", NULL},
	{"two steps at one moment for another office", T, "do: notify, to: dangzheng}", "do: raise, to: supports}", NULL, NULL},
	{"a step twice", T, "      - {when: created, do: raise, to: leader}",
	 "      - {when: created, do: raise, to: leader}\n      - {when: created, do: raise, to: leader, level: 2}", "W30",
	 "level: 2}"},
	{"a moment said in two ways", T, "      - {when: resolve 到期前 30 分钟, do: remind}",
	 "      - {when: resolve 到期前 60 分钟, do: remind}\n      - {when: resolve 到期前 1 小时, do: raise}", "W30",
	 "resolve 到期前 1 小时"},
	{"two clocks that end together", T, "紧急: {accept: 30 分钟, contact: 1 小时, resolve: 24 小时",
	 "紧急: {accept: 24 小时, contact: 1 小时, resolve: 24 小时", NULL, NULL},
	{"two steps that meet every working day", T, "resolve: 5 工作日               # 办结 the work is done",
	 "resolve: 4 工作小时", "W30", "when: resolve 逾期\n"},
	{"a reminder that sleeps too long", T, "      - {when: resolve 到期前 30 分钟, do: remind}",
	 "      - {when: resolve 到期前 30 分钟, do: remind}\n    quiet: {outside: 机关, except: [raise]}", "W31",
	 "resolve 到期前 30 分钟"},
	{"a reminder that does not sleep", T, "      - {when: resolve 到期前 30 分钟, do: remind}",
	 "      - {when: resolve 到期前 30 分钟, do: remind}\n    quiet: {outside: 机关, except: [raise, remind]}", NULL, NULL},
};

static void a_year_shows_what_a_look_does_not(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		const char *code = changes[i].code;
		struct settings *settings;
		int line = 0;
		bool good;

		fresh_copy();
		change(changes[i].file, changes[i].from, changes[i].to);
		if (code)
			line = line_of(changes[i].file, changes[i].at ? changes[i].at : changes[i].to);
		settings = load(copy, LOAD_SECRETS_OPTIONAL);
		good = code ? settings->findings.n == 1 && strcmp(settings->findings.v[0].code, code) == 0 &&
			      settings->findings.v[0].line == line : settings->findings.n == 0;
		if (!good) {
			print_findings(settings);
			print_message("%s: wanted %s in line %d\n", changes[i].what, code ? code : "nothing", line);
			wrong++;
		}
		settings_unref(settings);
	}
	assert_int_equal(wrong, 0);
}

static void a_year_that_was_cut_short_is_told(void **state)
{
	CLEANUP(str_done) struct str t = {0};
	struct settings *settings;
	char path[PATH_MAX], *at;

	(void)state;
	fresh_copy();
	snprintf(path, sizeof(path), "%s/calendars/2026.json", copy);
	read_file(path, &t);
	at = strstr(t.s, "\"2026-06-");
	assert_non_null(at);
	while (*at != '{')
		at--;
	at[-2] = ' ';           /* the comma of the entry before */
	snprintf(at, 10, "]}\n");
	write_bytes("calendars/2026.json", t.s, strlen(t.s));
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	if (settings->findings.n != 1 || !has(settings, "W23", K))
		print_findings(settings);
	assert_int_equal(settings->findings.n, 1);
	assert_true(has(settings, "W23", K));
	settings_unref(settings);
}

/* ---- # lint: allow ----------------------------------------------------------------------------- */

/* The rule without owner is W09, the one that gives what its category gives W04. */
static const char plain[] = "  - id: 多余\n    when: {category: 市政/井盖, grid: \"410106003009*\"}\n    then: {dept: chengguan}\n"
			    "    owner: 李某\n";
static const struct {
	const char *what, *from, *to, *want;    /* the codes that are left */
} comments[] = {
	{"no comment", "", "", "W04"},
	{"on the line", "多余\n", "多余    # lint: allow W04 留作说明\n", ""},
	{"on the line above", "  - id: 多余", "  # lint: allow W04 留作说明\n  - id: 多余", ""},
	{"with comments between", "  - id: 多余", "  # lint: allow W04 留作说明\n\n  # 又一行\n  - id: 多余", ""},
	{"several codes", "  - id: 多余", "  # lint: allow W04, W05 留作说明\n  - id: 多余", "W90"},
	{"two comments, both needed", "  - id: 多余\n", "  # lint: allow W09 历史\n  # lint: allow W04 留作说明\n  - id: 多余\n", ""},
	{"full-width colon", "多余\n", "多余    # lint：allow W04 留作说明\n", ""},
	{"without a reason", "多余\n", "多余    # lint: allow W04\n", "W04 W90"},
	{"another code", "多余\n", "多余    # lint: allow W05 留作说明\n", "W04 W90"},
	{"no code", "多余\n", "多余    # lint: allow 留作说明\n", "W04 W90"},
	{"no verb", "多余\n", "多余    # lint: ignore W04 留作说明\n", "W04 W90"},
	{"behind another line", "    owner: 李某\n", "    owner: 李某      # lint: allow W04 留作说明\n", "W04 W90"},
	{"inside a text", "多余\n", "\"多余 # lint: allow W04 留作说明\"\n", "W04"},
	{"inside a block of text", "    owner: 李某\n", "    owner: |\n      # lint: allow W04 留作说明\n      李某\n", "W04"},
	{"of a warning that comes and goes", "多余\n", "多余    # lint: allow W08 W04 留作说明\n", ""},
	{"a comment about lint", "多余\n", "多余    # lint is what wool leaves\n", "W04"},
	{"an error is not allowed", "dept: chengguan}", "dept: chenguan}   # lint: allow E20 新设的", "E20"},
};

static const char *codes(const struct settings *settings, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < settings->findings.n; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", n ? " " : "", settings->findings.v[i].code);
	return buf;
}

static void a_warning_is_allowed_where_somebody_says_why(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(comments); i++) {
		CLEANUP(str_done) struct str rule = {0};
		const char *at = strstr(plain, comments[i].from);
		struct settings *settings;
		char got[100];

		str_addn(&rule, plain, (size_t)(at - plain));
		str_add(&rule, comments[i].to);
		str_add(&rule, at + strlen(comments[i].from));
		str_add(&rule, "\n# 抄送：");
		fresh_copy();
		change(R, "\n# 抄送：", rule.s);
		settings = load(copy, LOAD_SECRETS_OPTIONAL);
		if (strcmp(codes(settings, got, sizeof(got)), comments[i].want) != 0) {
			print_findings(settings);
			print_message("%s: wanted “%s”, got “%s”\n", comments[i].what, comments[i].want, got);
			wrong++;
		}
		assert_int_equal(settings->findings.n_warnings + settings->findings.n_errors, settings->findings.n);
		settings_unref(settings);
	}
	assert_int_equal(wrong, 0);
}

static void an_allowance_that_nothing_needs_is_told_in_its_place(void **state)
{
	struct settings *settings;

	(void)state;
	fresh_copy();
	change(G, "  物业/漏水:", "  # lint: allow W02 归兜底\n  物业/漏水:");
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	assert_int_equal(settings->findings.n, 1);
	assert_string_equal(settings->findings.v[0].code, "W90");
	assert_string_equal(settings->findings.v[0].file, G);
	assert_int_equal(settings->findings.v[0].line, line_of(G, "# lint:"));
	assert_int_equal(settings->findings.v[0].column, 3);
	settings_unref(settings);
}

/* ---- many ---------------------------------------------------------------------------------------- */

static void no_number_of_warnings_hides_an_error(void **state)
{
	CLEANUP(str_done) struct str t = {0}, text = {0};
	struct settings *settings;
	size_t errors = 0;

	(void)state;
	fresh_copy();
	str_add(&t, "categories:\n  市政: {dept: chengguan, policy: 普通, codes: [");
	for (int i = 0; i < 1500; i++)
		str_addf(&t, "%s0%d", i ? ", " : "", 10000 + i);
	str_add(&t, "]}\n  物业/漏水: {dept: nobody}\n");
	write_bytes(G, t.s, t.len);
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	for (size_t i = 0; i < settings->findings.n; i++)
		errors += settings->findings.v[i].severity == SEVERITY_ERROR;
	assert_true(errors >= 1 && errors == settings->findings.n_errors);
	assert_true(has(settings, "E20", G));
	assert_true(settings->findings.n_warnings >= 1500 && settings->findings.n < 1500);
	findings_text(&settings->findings, &text);
	assert_non_null(strstr(text.s, "of them are shown"));
	settings_unref(settings);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_year_shows_what_a_look_does_not),
		cmocka_unit_test(a_year_that_was_cut_short_is_told),
		cmocka_unit_test(a_warning_is_allowed_where_somebody_says_why),
		cmocka_unit_test(an_allowance_that_nothing_needs_is_told_in_its_place),
		cmocka_unit_test(no_number_of_warnings_hides_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_in_february(run);
}
