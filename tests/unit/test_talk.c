/* Conversations: what a person says, minute by minute, and what goes to the gateway and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "settings_folder.h"
#include "core/talk/talk.h"

static struct settings *settings;

/* A turn: the minute, what comes, what goes. "[图]" is a picture, "[位]…" a position, "<kind" a reply that is heard. */
struct turn {
	int minute;
	const char *in, *out;
};
#define TURNS 8
static const struct row {
	const char *name;
	struct turn turns[TURNS];
} rows[] = {
	{"all that is needed is there", {{0, "幸福里3号楼前井盖破损", "report m1 幸福里3号楼前井盖破损"}}},
	{"the place is asked for once", {{0, "井盖坏了", "say ask_place"}, {1, "幸福里3号楼", "report m1 井盖坏了 @幸福里3号楼"}}},
	{"whatever answers the question is the answer", {{0, "井盖坏了", "say ask_place"}, {1, "就在我家楼下", "report m1 井盖坏了 @就在我家楼下"}}},
	{"a position answers too", {{0, "井盖坏了", "say ask_place"}, {1, "[位]济源路58号", "report m1 井盖坏了 @济源路58号 pos"}}},
	{"no answer: it goes as it is", {{0, "井盖坏了", "say ask_place"}, {9, "", ""}, {10, "", "report m1 井盖坏了"}}},
	{"an answer that comes too late is a supplement",
	 {{0, "井盖坏了", "say ask_place"}, {11, "幸福里3号楼", "report m1 井盖坏了; supplement m2 about m1 幸福里3号楼; say added"}}},
	{"a position alone: what is it?", {{0, "[位]幸福里东门", "say ask_text"}, {1, "路灯不亮", "report m1 路灯不亮 @幸福里东门 pos"}}},
	{"a picture alone: first what, then where",
	 {{0, "[图]", "say ask_text"}, {1, "井盖坏了", "say ask_place"}, {2, "幸福里3号楼", "report m1 井盖坏了 @幸福里3号楼 1 media"}}},
	{"more pictures are no answer", {{0, "井盖坏了", "say ask_place"}, {1, "[图]", ""}, {2, "[图]", ""},
					 {3, "3号楼", "report m1 井盖坏了 @3号楼 2 media"}}},
	{"a grid's name is a place", {{0, "幸福里第七网格井盖坏了", "report m1 幸福里第七网格井盖坏了"}}},
	{"what follows is a supplement", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {5, "还是漏", "supplement m2 about m1 还是漏; say added"},
					  {30, "[图]", "supplement m3 about m1 1 media; say added"}}},
	{"the window slides", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {29, "还是漏", "supplement m2 about m1 还是漏; say added"},
			       {58, "没人来", "supplement m3 about m1 没人来; say added"}}},
	{"after the window it is another report", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {31, "5号楼停电", "report m2 5号楼停电"}}},
	{"another matter at once", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {1, "另一件事：5号楼停电", "report m2 5号楼停电"}}},
	{"another matter in two messages", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {1, "新问题", ""}, {2, "5号楼停电", "report m3 5号楼停电"}}},
	{"another matter while one is open", {{0, "井盖坏了", "say ask_place"}, {1, "新问题，5号楼停电", "report m1 井盖坏了; report m2 5号楼停电"}}},
	{"urge", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {99, "催", "urge m2 about m1; say urged"}}},
	{"urge with words", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {99, "催！三天了", "urge m2 about m1 (三天了); say urged"}}},
	{"a word that only begins so is no urge", {{0, "催化剂味道很大，3号楼", "report m1 催化剂味道很大，3号楼"}}},
	{"urge a case by its number", {{0, "催 JYL261120000123", "urge m1 case JYL261120000123 (JYL261120000123); say urged"}}},
	{"nothing to urge", {{0, "催", "say nothing"}}},
	{"withdraw", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {1, "撤回", "withdraw m2 about m1; say withdrawn"}, {2, "催", "say nothing"}}},
	{"withdraw before it was sent", {{0, "井盖坏了", "say ask_place"}, {1, "撤", "say dropped"}, {20, "", ""}}},
	{"status", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {1, "进度？", "status m2 about m1"}}},
	{"the words of a rating", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {60, "满意", "rate m2 about m1 satisfied; say rated"}}},
	{"a number is a rating when one was asked for", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {60, "<ask_rating", ""},
							 {61, "3", "rate m3 about m1 dissatisfied; say rated"}}},
	{"full width", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {60, "<ask_rating", ""}, {61, "３。", "rate m3 about m1 dissatisfied; say rated"}}},
	{"a number is none when nobody asked", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {5, "3", "supplement m2 about m1 3; say added"}}},
	{"only one rating a question", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {60, "<ask_rating", ""}, {61, "1", "rate m3 about m1 satisfied; say rated"},
					{62, "1", "supplement m4 about m1 1; say added"}}},
	{"dissatisfied, and why", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {60, "不满意，还在漏", "rate m2 about m1 dissatisfied (还在漏); say rated"}}},
	{"a rating is about the report that was asked for",
	 {{0, "3号楼漏水", "report m1 3号楼漏水"}, {50, "<ask_rating", ""}, {60, "5号楼停电", "report m3 5号楼停电"},
	  {61, "2", "rate m4 about m1 basically; say rated"}, {62, "催", "urge m5 about m3; say urged"}}},
	{"closed meanwhile: a number is no rating", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {50, "<ask_rating", ""}, {55, "<closed", ""},
						     {60, "1", "say ask_place"}}},
	{"rejected meanwhile: a number is no rating", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {50, "<ask_rating", ""}, {55, "<rejected", ""},
						       {60, "1", "say ask_place"}}},
	{"what else is told does not end the question", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {50, "<ask_rating", ""}, {55, "<accepted", ""},
							 {60, "1", "rate m4 about m1 satisfied; say rated"}}},
	{"a number for another word is no word", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {50, "<ask_rating", ""}, {60, "12345", "say ask_place"}}},
	{"closed though nobody asked", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {5, "<closed", ""}, {6, "催", "urge m3 about m1; say urged"}}},
	{"a place that is only a mark is none", {{0, "井盖坏了", "say ask_place"}, {1, "。", ""}, {12, "", "report m1 井盖坏了"}}},
	{"what, and where, and the picture in the end", {{0, "[位]幸福里东门", "say ask_text"}, {1, "[图]", ""}, {2, "路灯不亮", "report m1 路灯不亮 @幸福里东门 pos 1 media"}}},
	{"a greeting is no report", {{0, "你好", "say greeting"}, {1, "您好！", "say greeting"}}},
	{"a greeting and a report", {{0, "你好，3号楼漏水", "report m1 你好，3号楼漏水"}}},
	{"thanks are no supplement", {{0, "3号楼漏水", "report m1 3号楼漏水"}, {1, "谢谢", "say greeting"}}},
	{"nothing at all", {{0, "。。。", ""}}},
};

static void render(const struct talk_result *r, struct str *out)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct talk_action *x = &r->v[i];
		const struct talk_message *m = &x->message;

		str_addf(out, "%s%s", i ? "; " : "", talk_kind_names[x->kind]);
		if (x->kind == TALK_SAY) {
			str_addf(out, " %s", talk_line_names[x->line]);
			continue;
		}
		str_addf(out, " %s", m->id);
		if (x->case_number)
			str_addf(out, " case %s", x->case_number);
		else if (x->about)
			str_addf(out, " about %s", x->about);
		if (x->kind == TALK_RATE)
			str_addf(out, " %s", talk_word_names[x->score]);
		if (x->comment)
			str_addf(out, " (%s)", x->comment);
		if (x->kind == TALK_REPORT || x->kind == TALK_SUPPLEMENT) {
			str_addf(out, "%s%s", m->text ? " " : "", m->text ? m->text : "");
			if (m->address)
				str_addf(out, " @%s", m->address);
			if (m->has_position)
				str_add(out, " pos");
			if (m->n_media)
				str_addf(out, " %zu media", m->n_media);
		}
	}
}

static void one_turn(const struct turn *t, size_t n, struct talk_state *state, struct arena *a, struct talk_result *r)
{
	static const struct talk_media picture = {"media/1", "image/jpeg", NULL};
	struct talk_message m = {.id = arena_printf(a, "m%zu", n), .at = t->minute * INT64_C(60000000), .text = t->in};

	r->n = 0;
	if (!*t->in) {
		talk_tick(&settings->office, state, m.at, a, r);
		return;
	}
	if (*t->in == '<') {
		talk_heard(state, t->in + 1, state->about, a);
		return;
	}
	if (strcmp(t->in, "[图]") == 0) {
		m.text = NULL;
		m.media = &picture;
		m.n_media = 1;
	} else if (strncmp(t->in, "[位]", strlen("[位]")) == 0) {
		m.text = NULL;
		m.address = t->in + strlen("[位]");
		m.has_position = true;
		m.lat = 34.7;
	}
	talk_step(&settings->office, state, &m, a, r);
}

/* Between two turns the state goes through its form on the disk, as it does over a crash. */
static void a_conversation_goes_as_its_row_says(void **s)
{
	size_t wrong = 0;

	(void)s;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena a = {0};
		struct talk_state state = {0};

		for (size_t k = 0; k < TURNS && rows[i].turns[k].in; k++) {
			CLEANUP(str_done) struct str got = {0};
			json_t *stored = talk_state_json(&state);
			struct talk_result r;

			talk_state_load(stored, &a, &state);
			one_turn(&rows[i].turns[k], k + 1, &state, &a, &r);
			json_decref(stored);
			render(&r, &got);
			if (strcmp(got.s ? got.s : "", rows[i].turns[k].out) == 0)
				continue;
			print_message("%s, turn %zu:\n  want %s\n  got  %s\n", rows[i].name, k + 1, rows[i].turns[k].out, got.s ? got.s : "");
			wrong++;
		}
		arena_done(&a);
	}
	assert_int_equal(wrong, 0);
}

static void the_same_message_again_gives_the_same(void **s)
{
	(void)s;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct arena a = {0};
		struct talk_state state = {0};

		for (size_t k = 0; k < TURNS && rows[i].turns[k].in; k++) {
			CLEANUP(str_done) struct str first = {0}, second = {0};
			json_t *before = talk_state_json(&state);
			struct talk_state again;
			struct talk_result r;

			talk_state_load(before, &a, &again);
			one_turn(&rows[i].turns[k], k + 1, &state, &a, &r);
			render(&r, &first);
			one_turn(&rows[i].turns[k], k + 1, &again, &a, &r);
			render(&r, &second);
			json_decref(before);
			assert_true(str_equal(first.s, second.s));
		}
		arena_done(&a);
	}
}

static void a_word_for_two_meanings_is_found(void **s)
{
	struct settings *bad;

	(void)s;
	fresh_copy();
	change(C, "urge: [催, 催办, 催一下]", "urge: [催, 撤]");
	bad = load(copy, LOAD_SECRETS_OPTIONAL);
	assert_true(has(bad, "E21", C));
	settings_unref(bad);
	fresh_copy();
	change(C, "window: 30 分钟", "window: 1 工作日");
	bad = load(copy, LOAD_SECRETS_OPTIONAL);
	assert_true(has(bad, "E12", C));
	settings_unref(bad);
}

/* Without the section everything is as the reference manual says. */
static void all_of_it_has_defaults(void **s)
{
	struct settings *demo = load("config/demo", LOAD_SECRETS_OPTIONAL);
	const struct talk_settings *talk = &demo->office.talk;

	(void)s;
	assert_int_equal(talk->window_us, INT64_C(1800000000));
	assert_int_equal(talk->patience_us, INT64_C(600000000));
	assert_true(talk->ask[LINE_ASK_PLACE] && talk->ask[LINE_ASK_TEXT]);
	for (int w = 0; w < N_TALK_WORD; w++)
		assert_true(talk->words[w].n > 0);
	for (int i = 0; i < N_TALK_LINE; i++)
		assert_true(*talk->lines[i]);
	assert_true(talk->places.n > 10);
	settings_unref(demo);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_conversation_goes_as_its_row_says),
		cmocka_unit_test(the_same_message_again_gives_the_same),
		cmocka_unit_test(a_word_for_two_meanings_is_found),
		cmocka_unit_test(all_of_it_has_defaults),
	};
	int failed;

	settings = load(reference, LOAD_SECRETS_OPTIONAL);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	settings_unref(settings);
	return failed;
}

int main(void)
{
	return run_in_february(run);
}
