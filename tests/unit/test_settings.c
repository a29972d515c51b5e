/* The loader as its users meet it: a good folder is what its files say, and keeps its secrets. */
#include "unit/settings_folder.h"

#include "core/life/clocks.h"
#include "core/understand/message.h"
#include "settings/table.h"
#include "settings/yaml.h"

#include "needle_plugin.h"

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
	assert_int_equal(policy->escalation->n_steps, 4);
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

static void a_policy_says_where_its_clocks_start_and_which_stand_still(void **state)
{
	const struct policy *policy;
	struct settings *settings;

	(void)state;
	fresh_copy();
	change(T, "      accept: dispatched ", "      accept: received ");
	change(T, "      contact: dispatched ", "      contact: accepted ");
	change(T, "      resolve: received ", "      resolve: dispatched ");
	change(T, "pauses: [accept, contact, resolve, feedback]", "pauses: resolve");
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	assert_int_equal(settings->findings.n_errors, 0);
	policy = map_get(&settings->office.policy_by_name, "普通");
	assert_int_equal(policy->from[CLOCK_ACCEPT], FROM_RECEIVED);
	assert_int_equal(policy->from[CLOCK_CONTACT], FROM_ACCEPTED);
	assert_int_equal(policy->from[CLOCK_RESOLVE], FROM_DISPATCHED);
	assert_int_equal(policy->runs_on, 1u << CLOCK_ACCEPT | 1u << CLOCK_CONTACT | 1u << CLOCK_FEEDBACK);
	policy = map_get(&settings->office.policy_by_name, "紧急");
	assert_int_equal(policy->from[CLOCK_ACCEPT], FROM_DISPATCHED);
	assert_int_equal(policy->from[CLOCK_RESOLVE], FROM_RECEIVED);
	assert_int_equal(policy->runs_on, 0);
	assert_true(settings->office.life.supervise_raises);
	settings_unref(settings);
	change(T, "      accept: received ", "      accept: accepted ");
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	assert_true(settings->findings.n_errors > 0);
	settings_unref(settings);
}

/* And what a running case remembers to have done is known by the name that it always had. */
static void a_step_without_level_has_its_place_among_those_that_escalate(void **state)
{
	static const char steps[] =
		"      - {when: resolve 逾期, do: remind}\n      - {when: resolve 逾期 1 小时, do: supervise, to: ducha}\n"
		"      - {when: resolve 逾期 2 小时, do: raise, to: leader}\n      - {when: resolve 逾期 3 小时, do: publish, level: 7}\n"
		"      - {when: resolve 逾期 4 小时, do: notify}\n";
	static const struct {
		int level;
		const char *identity;
	} rows[] = {{0, "resolve 逾期 remind 0"}, {1, "resolve 逾期 1 小时 起算:立即 supervise 1"}, {1, "resolve 逾期 2 小时 起算:立即 raise 2"},
		    {7, "resolve 逾期 3 小时 起算:立即 publish 7"}, {3, "resolve 逾期 4 小时 起算:立即 notify 4"}};
	const struct escalation *ladder;
	struct arena a = {0};
	struct settings *settings;

	(void)state;
	fresh_copy();
	change(T, "      - {when: created, do: raise, to: leader}\n", steps);
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	assert_int_equal(settings->findings.n_errors, 0);
	ladder = ((const struct policy *)map_get(&settings->office.policy_by_name, "紧急"))->escalation;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(ladder->steps[i].level, rows[i].level);
		assert_string_equal(ladder_step_identity(&ladder->steps[i], &a), rows[i].identity);
	}
	arena_done(&a);
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

static void triage_is_dangzheng_s_where_nobody_says_otherwise_and_the_fallback_s_without_one(void **state)
{
	static const char fallback[] = "fallback: {dept: dangzheng, policy: 普通}", triage[] = "triage: dangzheng ";
	static const struct {
		const char *file, *from, *to, *want;
	} rows[] = {
		{N, fallback, "fallback: {dept: chengguan, policy: 普通}", "dangzheng"},
		{L, triage, "#", "dangzheng"},
		{L, "#", "triage: ducha #", "ducha"}};

	(void)state;
	fresh_copy();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct settings *settings;

		change(rows[i].file, rows[i].from, rows[i].to);
		settings = load(copy, LOAD_SECRETS_OPTIONAL);
		assert_int_equal(settings->findings.n_errors, 0);
		assert_string_equal(settings->office.life.triage->id, rows[i].want);
		settings_unref(settings);
	}
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
		change("tests/路由.test.yaml", NULL, "now: 2026-02-01 09:00\ntests: []\n");
		change("grids.csv", NULL, "grid,name,community,dept,keeper\n");
		change("devices.csv", NULL, "device,kind,address,grid,dept,owner,contact,heartbeat,maintenance\n");
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

/* The device channel hears its own tree as well as others': each topic names its source where its filter says so. */
static void filters_of_one_channel_may_have_their_source_at_different_levels(void **state)
{
	static const struct {
		const char *topic, *source;
	} rows[] = {
		{"needle/reference/in/device/pole-3", "pole-3"}, {"vendor-a/well-7/alarm", "well-7"},
		{"park/gate-1", "gate-1"}, {"bridge/alarm", "device"}};
	struct arena a = {0};
	struct settings *settings;

	(void)state;
	fresh_copy();
	change(C, "subscribe: [\"vendor-a/+/alarm\", \"vendor-b/+/alarm\"]",
	       "subscribe: [\"needle/{tenant}/in/{channel}/+\", \"vendor-a/+/alarm\", \"park/{source}\", bridge/alarm]");
	change(C, "    source: 1\n", "");
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	print_findings(settings);
	assert_int_equal(settings->findings.n_errors, 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *source = NULL;
		const struct channel *channel = message_channel(&settings->office, rows[i].topic, &a, &source);

		assert_non_null(channel);
		assert_string_equal(channel->id, "device");
		assert_string_equal(source, rows[i].source);
	}
	settings_unref(settings);
	/* A level that is named holds for all of them; and a source behind another + cannot be found by its filter. */
	change(C, "\"park/{source}\", bridge/alarm]", "\"park/+/+\"]\n    source: 1");
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	assert_int_equal(settings->findings.n_errors, 0);
	settings_unref(settings);
	change(C, "\"park/+/+\"]\n    source: 1", "\"park/+/{source}\"]");
	settings = load(copy, LOAD_SECRETS_OPTIONAL);
	assert_true(has(settings, "E12", C));
	settings_unref(settings);
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

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_and_the_demo_have_nothing_wrong),
		cmocka_unit_test(the_reference_shows_every_key),
		cmocka_unit_test(the_table_of_keys_is_in_order),
		cmocka_unit_test(an_office_is_what_its_files_say),
		cmocka_unit_test(a_policy_says_where_its_clocks_start_and_which_stand_still),
		cmocka_unit_test(a_step_without_level_has_its_place_among_those_that_escalate),
		cmocka_unit_test(a_small_folder_lives_by_defaults),
		cmocka_unit_test(triage_is_dangzheng_s_where_nobody_says_otherwise_and_the_fallback_s_without_one),
		cmocka_unit_test(texts_stay_as_they_are_written),
		cmocka_unit_test(secrets_are_found_kept_private_and_out_of_the_hash),
		cmocka_unit_test(a_missing_secret_stops_the_daemon_and_only_warns_at_a_desk),
		cmocka_unit_test(the_connection_string_takes_a_secret_inside),
		cmocka_unit_test(the_printed_configuration_loads_again_and_prints_the_same),
		cmocka_unit_test(filters_of_one_channel_may_have_their_source_at_different_levels),
		cmocka_unit_test(options_belong_to_the_decoder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run_in_february(run);
}
