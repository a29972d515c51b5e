/*
 * The loader of channel plugins: options are checked against the plugin's own table, what is no plugin of
 * ours is refused with a sentence, and a plugin stands on its own feet.
 */
#include <dlfcn.h>

#include "unit/plugin_desk.h"

/* ---- options --------------------------------------------------------------------------------- */

static void options_are_checked_and_change_what_a_decoder_does(void **state)
{
	static const struct {
		const char *plugin, *name, *value, *code, *text, *want;
	} rows[] = {
		{"wechat", "colour", "red", "option-unknown", NULL, NULL},
		{"wechat", "urgent_from", "zwei", "option-type", NULL, NULL},
		{"template", "prefix", "maybe", "option-type", NULL, NULL},
		{"template", "prefix", "true", NULL, "{\"no\":\"7\",\"what\":\"x\"}", "[{'id':'it-7'}]"},
		{"template", "category", "市政/路灯", NULL, "{\"no\":\"7\",\"what\":\"x\"}",
		 "[{'category':'市政/路灯'}]"},
		{"wechat", "urgent_from", "1", NULL, "{\"order_id\":\"1\",\"urge_type\":1,\"desc\":\"x\"}",
		 "[{'urgency':'urgent'}]"},
		{"wechat", "report_words", "随手拍", NULL,
		 "{\"msgid\":\"1\",\"chat\":{\"type\":\"group\"},\"text\":\"随手拍 井盖\"}", "[{'kind':'report'}]"},
		{"hotline", "secret_words", "不公开", NULL,
		 "{\"工单编号\":\"1\",\"来电人\":\"不公开\"}", "[{'reporter':{'secret':true}}]"},
		{"hotline", "again_words", "返工", NULL, "{\"工单编号\":\"1\",\"派单类型\":\"返工单\"}",
		 "[{'id':'1#2'}]"},
		{"hotline", "urge_words", "来催", NULL, "{\"工单编号\":\"1\",\"办理类型\":\"市民来催\"}",
		 "[{'id':'1#urge','kind':'urge','about':'1'}]"},
		{"device", "manhole_category", "", NULL, "{\"imei\":\"1\",\"alarmId\":\"1\",\"alarmType\":\"open\"}",
		 "[{'category':null}]"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct option_value option = {rows[i].name, rows[i].value};
		json_t *want, *got;
		struct desk d;
		char **reports;
		size_t n;

		assert_int_equal(desk_open(&d, plugin_folder(), rows[i].plugin, &option, 1), rows[i].code ? ERR_BAD : 0);
		if (rows[i].code) {
			assert_string_equal(d.e.code, rows[i].code);
			assert_non_null(strstr(d.e.text, "channel it: "));
			assert_non_null(strstr(d.e.text, rows[i].name));
			desk_close(&d);
			continue;
		}
		assert_int_equal(desk_decode(&d, rows[i].text, strlen(rows[i].text), &reports, &n), 0);
		assert_int_equal(n, 1);
		want = want_parse(rows[i].want);
		got = json_pack("[o]", json_loads(reports[0], 0, NULL));
		if (differs(want, got, "(count)"))
			fail_msg("%s %s=%s: %s", rows[i].plugin, rows[i].name, rows[i].value, reports[0]);
		json_decref(want);
		json_decref(got);
		desk_close(&d);
	}
}

/* ---- what is no plugin of ours --------------------------------------------------------------- */

static char made[] = "/tmp/needle-plugins-XXXXXX";

/* Compiles `source` as NAME.so just as plugins/README.md says. */
static void plugin_make(const char *name, const char *source)
{
	char path[PATH_MAX], command[2 * PATH_MAX];
	const char *cc = getenv("CC");
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.c", made, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(source, f);
	assert_int_equal(fclose(f), 0);
	snprintf(command, sizeof(command),
		 "%s -std=gnu17 -O1 -fPIC -fvisibility=hidden -shared -Iplugins -o %s/%s.so %s -ljansson",
		 cc && *cc ? cc : "cc", made, name, path);
	if (system(command) != 0)
		fail_msg("%s failed", command);
}

static void what_is_no_plugin_of_ours_is_refused_with_a_sentence(void **state)
{
	static const struct {
		const char *name, *source, *code, *sentence;
	} rows[] = {
		{"future", "#include \"needle_plugin.h\"\n#undef NEEDLE_PLUGIN_ABI\n#define NEEDLE_PLUGIN_ABI 7u\n"
		 "#include \"template/decoder.c\"\n", "plugin-abi", "future.so speaks plugin ABI 7, this daemon speaks 1"},
		{"other", "#include \"template/decoder.c\"\n", "plugin-name", "calls itself \"template\""},
		{"small", "__attribute__((visibility(\"default\"))) const unsigned needle_plugin[16] = {1, 8};\n",
		 "plugin-size", "8 bytes"},
		{"empty", "#include \"needle_plugin.h\"\nconst struct needle_plugin needle_plugin = "
		 "{NEEDLE_PLUGIN_ABI, sizeof(needle_plugin), \"empty\", \"1\"};\n", "plugin-empty", "leaves out"},
		{"plain", "int plain(void);\nint plain(void) { return 1; }\n", "plugin-symbol", "does not export"},
		{"needy", "extern int needle_core_secret(void);\n__attribute__((visibility(\"default\"))) "
		 "int f(void);\nint f(void) { return needle_core_secret(); }\n", "plugin-load", "needle_core_secret"},
		{"sulky", "#include <stdio.h>\n#include \"needle_plugin.h\"\n"
		 "static const struct needle_option options[] = {{0}};\n"
		 "static int o(const struct needle_value *v, void **s, char *w, size_t n)\n"
		 "{ (void)v; (void)s; snprintf(w, n, \"not\\ntoday\"); return -1; }\n"
		 "static enum needle_verdict d(void *s, const struct needle_message *m, const struct needle_output "
		 "*out, char *w, size_t n)\n{ (void)s; (void)m; (void)out; (void)w; (void)n; return NEEDLE_DONE; }\n"
		 "const struct needle_plugin needle_plugin = {NEEDLE_PLUGIN_ABI, sizeof(needle_plugin), \"sulky\", "
		 "\"1\", \"\", options, o, d, NULL};\n", "plugin-open", "decoder sulky: not today"},
		{"absent", NULL, "plugin-missing", "there is no decoder \"absent\""},
		{"../etc/passwd", NULL, "plugin-name", "is an id"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct desk d;

		if (rows[i].source)
			plugin_make(rows[i].name, rows[i].source);
		assert_int_equal(desk_open(&d, made, rows[i].name, NULL, 0), ERR_BAD);
		if (strcmp(d.e.code, rows[i].code) != 0 || !strstr(d.e.text, rows[i].sentence))
			fail_msg("%s: %s: %s", rows[i].name, d.e.code, d.e.text);
		desk_close(&d);
	}
}

static void the_template_builds_as_the_manual_says_and_works(void **state)
{
	static const char text[] = "{\"no\":\"9\",\"what\":\"井盖响\"}";
	struct desk d;
	char **reports;
	size_t n;

	(void)state;
	plugin_make("template", "#include \"template/decoder.c\"\n");
	assert_int_equal(desk_open(&d, made, "template", NULL, 0), 0);
	assert_int_equal(desk_decode(&d, text, sizeof(text) - 1, &reports, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(reports[0], "{\"id\":\"9\",\"text\":\"井盖响\"}");
	desk_close(&d);
}

static const char *const shipped[] = {"device", "hotline", "template", "wechat"};

/* Does a line of nm name something that is not ours: of libc, of jansson, or of a sanitizer's runtime? */
static bool is_foreign(const char *line)
{
	static const char *const runtimes[] = {"__asan_", "__odr_asan.", "__ubsan_", "__sanitizer_"};
	static const char *const libraries[] = {"libc.so.6", "libjansson.so.4"};
	const char *word = strrchr(line, ' ');
	char symbol[128];
	bool found = strstr(line, " w ") != NULL;

	assert_non_null(word);
	snprintf(symbol, sizeof(symbol), "%.*s", (int)strcspn(word + 1, "@\n"), word + 1);
	for (size_t i = 0; i < ARRAY_LEN(runtimes); i++)
		found |= strncmp(symbol, runtimes[i], strlen(runtimes[i])) == 0;
	for (size_t i = 0; i < ARRAY_LEN(libraries); i++) {
		void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_LOCAL);

		assert_non_null(library);
		found |= dlsym(library, symbol) != NULL;
		dlclose(library);
	}
	return found;
}

static void a_plugin_exports_one_symbol_and_needs_none_of_ours(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shipped); i++) {
		char line[PATH_MAX + 32];
		int exported = 0;
		FILE *nm;

		snprintf(line, sizeof(line), "nm -D %s/%s.so", plugin_folder(), shipped[i]);
		nm = popen(line, "re");
		assert_non_null(nm);
		while (fgets(line, sizeof(line), nm)) {
			if (strstr(line, " needle_plugin\n"))
				exported++;
			else if (!is_foreign(line))
				fail_msg("%s.so: %s", shipped[i], line);
		}
		assert_int_equal(pclose(nm), 0);
		assert_int_equal(exported, 1);
	}
}

static void settings_and_the_manual_learn_options_from_the_plugin(void **state)
{
	struct decoder_info info;
	struct str text = {0};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shipped); i++) {
		assert_true(decoders_info(plugin_folder(), shipped[i], &info));
		assert_string_equal(info.name, shipped[i]);
		for (const struct needle_option *o = info.options; o->name; o++)
			assert_true(str_is_id(o->name) && o->help && strlen(o->help) > 10);
	}
	assert_false(decoders_info(plugin_folder(), "absent", &info));
	assert_non_null(strstr(info.refused, "there is no decoder \"absent\""));

	assert_int_equal(decoders_print(plugin_folder(), &text, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(shipped); i++)
		assert_non_null(strstr(text.s, shipped[i]));
	assert_non_null(strstr(text.s, "options.report_words (text, default \"上报,报修,反映\")"));
	assert_int_equal(decoders_print("/nonexistent", &text, &e), ERR_BAD);
	str_done(&text);
}

static void the_plugin_folder_is_named_or_beside_the_program(void **state)
{
	char buf[PATH_MAX], kept[PATH_MAX];

	(void)state;
	snprintf(kept, sizeof(kept), "%s", getenv("NEEDLE_PLUGINS") ? getenv("NEEDLE_PLUGINS") : "");
	setenv("NEEDLE_PLUGINS", "/some/where", 1);
	assert_string_equal(decoders_folder(buf, sizeof(buf)), "/some/where");
	unsetenv("NEEDLE_PLUGINS");
	assert_non_null(strstr(decoders_folder(buf, sizeof(buf)), "/plugins"));
	if (*kept)
		setenv("NEEDLE_PLUGINS", kept, 1);
}

static void a_reload_opens_the_new_set_before_the_old_one_goes(void **state)
{
	struct option_value option = {"prefix", "true"};
	static const char text[] = "{\"no\":\"9\",\"what\":\"x\"}";
	struct desk before, after;
	char **reports;
	size_t n;

	(void)state;
	assert_int_equal(desk_open(&before, plugin_folder(), "template", NULL, 0), 0);
	assert_int_equal(desk_open(&after, plugin_folder(), "template", &option, 1), 0);
	assert_int_equal(desk_decode(&before, text, sizeof(text) - 1, &reports, &n), 0);
	assert_non_null(strstr(reports[0], "\"id\":\"9\""));
	desk_close(&before);
	assert_int_equal(desk_decode(&after, text, sizeof(text) - 1, &reports, &n), 0);
	assert_non_null(strstr(reports[0], "\"id\":\"it-9\""));
	desk_close(&after);
}

static int folder_make(void **state)
{
	(void)state;
	return mkdtemp(made) ? 0 : -1;
}

static int folder_remove(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", made);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_checked_and_change_what_a_decoder_does),
		cmocka_unit_test(what_is_no_plugin_of_ours_is_refused_with_a_sentence),
		cmocka_unit_test(the_template_builds_as_the_manual_says_and_works),
		cmocka_unit_test(a_plugin_exports_one_symbol_and_needs_none_of_ours),
		cmocka_unit_test(settings_and_the_manual_learn_options_from_the_plugin),
		cmocka_unit_test(the_plugin_folder_is_named_or_beside_the_program),
		cmocka_unit_test(a_reload_opens_the_new_set_before_the_old_one_goes),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
