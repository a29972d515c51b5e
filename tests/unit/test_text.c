/* Texts as residents write them: what is found in them, and what is shown of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/understand/text.h"

struct pair {
	const char *in, *want;
};

static void expect(const struct pair *rows, size_t n, const char *(*fn)(struct arena *a, const char *text))
{
	struct arena a = {0};

	for (size_t i = 0; i < n; i++) {
		const char *got = fn(&a, rows[i].in);

		if (!str_equal(got, rows[i].want))
			fail_msg("%s: got %s, want %s", rows[i].in, got,
				 rows[i].want ? rows[i].want : "nothing");
	}
	arena_done(&a);
}

static void the_shadow_makes_ways_of_writing_equal(void **state)
{
	static const struct pair rows[] = {
		{"", ""},
		{"幸福里3号楼，井盖破损。", "幸福里3号楼,井盖破损。"},
		{"１２３４５热线ＡＢＣ（幸福里）", "12345热线abc(幸福里)"},
		{"煤 气　味\t\n", "煤气味"},
		{"煤\u200b气\u200d味\ufeff", "煤气味"},
		{"煤\u00ad气\ufe0f味\u2060", "煤气味"},
		{"①号楼３－２－１０１", "1号楼3-2-101"},
		{"㎡℃№", "m2°cno"},
		{"ﬁre STRASSE straße", "firestrassestrasse"},
		{"e\u0301 \u00e9 É", "ééé"},
		{"ﾊﾝｶｸ", "ハンカク"},
		{"「WiFi」坏了…", "「wifi」坏了..."},
		{"😀井盖", "😀井盖"},
		{"\x01\x7f控制", "控制"},
		{"ﷺ", "صلىاللهعليهوسلم"},
	};

	(void)state;
	expect(rows, ARRAY_LEN(rows), text_shadow);
}

static void a_shadow_is_its_own_shadow(void **state)
{
	static const char *const texts[] = {"ＡＢ c，。！？；：（）【】", "①②ⅣⅨ㈱㍿", "Ǆ ǅ İ ı ſ ß", "ᄀ ᅡ ᆨ",
					    "㌀㌁ ﾞ か\u3099"};
	struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *once = text_shadow(&a, texts[i]);

		assert_string_equal(text_shadow(&a, once), once);
		assert_true(str_is_utf8(once, strlen(once)));
	}
	assert_string_equal(text_shadow(&a, "\xff\xfe"), "");
	arena_done(&a);
}

/* The short way for plain texts must agree with the rules: one character from afar forces the long way. */
static void the_short_way_to_a_shadow_agrees_with_the_long_one(void **state)
{
	struct arena a = {0};

	(void)state;
	for (uint32_t c = 1; c < 0x10000; c++) {
		char one[4] = {(char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 0x3f)),
			       (char)(0x80 | (c & 0x3f)), 0};
		const char *alone, *beside;

		if (c < 0x80)
			one[0] = (char)c, one[1] = 0;
		else if (c < 0x3000 || (c >= 0xa000 && c < 0xff00))
			continue;
		alone = text_shadow(&a, one);
		beside = text_shadow(&a, arena_printf(&a, "%sж", one));
		if (strncmp(alone, beside, strlen(alone)) != 0 || strcmp(beside + strlen(alone), "ж") != 0)
			fail_msg("U+%04x: %s and %s", c, alone, beside);
		arena_reset(&a);
	}
	arena_done(&a);
}

static void a_phone_is_its_digits(void **state)
{
	static const struct pair rows[] = {
		{"138-0000 0000", "13800000000"},
		{"+86 138 0000 0000", "+8613800000000"},
		{"(0391)6612345", "03916612345"},
		{"１３８００００００００", "13800000000"},
		{"无", NULL},
		{"", NULL},
		{"+", NULL},
		{"电话：6612345转8", "66123458"},
		{"1+2", "12"},
		{"tel:138/0000.0000;ext~1", "138000000001"},
		{"﹢８６－１３８", "86138"},
	};

	(void)state;
	expect(rows, ARRAY_LEN(rows), text_phone);
}

static const char *mask_unnamed(struct arena *a, const char *text)
{
	return text_mask(a, text, NULL);
}

static void a_mask_hides_numbers_and_names(void **state)
{
	static const struct pair rows[] = {
		{"电话13800001234，快来", "电话138****1234，快来"},
		{"138-0000-1234", "138****1234"},
		{"138 0000　1234", "138****1234"},
		{"１３８００００１２３４", "138****1234"},
		{"13\u200b800001234", "138****1234"},
		{"座机6612345", "座机66***45"},
		{"座机 0391-6612345 找我", "座机 039****2345 找我"},
		{"身份证410106199001011234", "身份证410****1234"},
		{"身份证41010619900101123X。", "身份证410****123X。"},
		{"3号楼2单元501", "3号楼2单元501"},
		{"2026-11-20 08:31停水", "2026-11-20 08:31停水"},
		{"2026-11-20 13800001234", "2026-11-20 138****1234"},
		{"2026-11-2013", "20***13"},
		{"1926-11-20", "1926-11-20"},
		{"2026-21-20，2026-11-40，3026-11-20", "20***20，20***40，30***20"},
		{"2026-1x-20 2026/11/20 8 日", "2026-1x-20 2026/11/20 8 日"},
		{"138\t0000－1234，138\u00a00000\u20601234，138\ufeff00001234", "138****1234，138****1234，138****1234"},
		{"13800\u201012345\u2015 6", "138****3456"},
		{"138 - 0000 - 1234", "138****1234"},
		{"41010619900101123x", "410****123x"},
		{"12345", "12345"},
		{"张先生说楼道漏水", "*先生说楼道漏水"},
		{"联系王小明先生", "联系*先生"},
		{"联系欧阳小明女士", "联系*女士"},
		{"张国华师傅", "*师傅"},
		{"有位先生说", "有位先生说"},
		{"先生", "先生"},
		{"", ""},
	};

	(void)state;
	expect(rows, ARRAY_LEN(rows), mask_unnamed);
}

static void a_mask_hides_the_reporters_own_name(void **state)
{
	struct arena a = {0};

	(void)state;
	assert_string_equal(text_mask(&a, "我是李卫国，李卫国住这", "李卫国"), "我是李*，李*住这");
	assert_string_equal(text_mask(&a, "李子树倒了", "李"), "李子树倒了");
	assert_string_equal(text_mask(&a, "Ann Lee called", "Ann Lee"), "A* called");
	assert_string_equal(text_mask(&a, "没有名字", ""), "没有名字");
	assert_string_equal(text_mask(&a, "\xff\xe5 1", "\xff"), "\xff\xe5 1");
	assert_string_equal(text_mask_sure(&a, "工单20261120000123，电话13812345678", NULL), "工单20261120000123，电话138****5678");
	assert_string_equal(text_mask_sure(&a, "13812345678 0371-67843219 11010519491231002X", NULL),
			    "138****5678 037****3219 110****002X");
	assert_string_equal(text_mask_sure(&a, "020301 13812345678", NULL), "020301 138****5678");
	assert_string_equal(text_mask_sure(&a, "110105194912310021", NULL), "110105194912310021");
	assert_string_equal(text_mask_sure(&a, "138 1234 5678", NULL), "138****5678");
	assert_string_equal(text_mask_sure(&a, "010-67843219 0371 6784321 0371-678432", NULL), "010****3219 037****4321 0371-678432");
	assert_string_equal(text_mask_sure(&a, "12812345678 11010519491231002x 11010519491231003x", NULL),
			    "12812345678 110****002x 11010519491231003x");
	assert_string_equal(text_mask_sure(&a, "9223372036854775807", NULL), "9223372036854775807");
	assert_string_equal(text_mask_sure(&a, "李卫国 12345678", "李卫国"), "李* 12345678");
	arena_done(&a);
}

static void an_address_stops_at_the_building(void **state)
{
	static const struct pair rows[] = {
		{"幸福里3号楼2单元501", "幸福里3号楼***"},
		{"幸福里3号楼", "幸福里3号楼"},
		{"幸福里3号楼前", "幸福里3号楼前"},
		{"济源路66号院3号楼西户", "济源路66号院3号楼***"},
		{"济源路66号院", "济源路66号院"},
		{"济源路66号院门口", "济源路66号院门口"},
		{"济源路66号301室", "济源路66号***"},
		{"济源路66号", "济源路66号"},
		{"幸福里二单元五楼", "幸福里***"},
		{"幸福里3-2-501", "幸福里3***"},
		{"幸福里501", "幸福里***"},
		{"A座1203", "A座***"},
		{"七号楼张三家", "七号楼***"},
		{"东村12号", "东村***"},
		{"三湾街路口", "三湾街路口"},
		{"501室", "***"},
		{"13800001234", "***"},
		{"", ""},
	};

	(void)state;
	expect(rows, ARRAY_LEN(rows), text_mask_address);
}

static const char *title_of_ten(struct arena *a, const char *text)
{
	return text_title(a, text, 10);
}

static void a_title_is_the_first_sentence(void **state)
{
	static const struct pair rows[] = {
		{"幸福里井盖破损", "幸福里井盖破损"},
		{"  幸福里井盖破损。请来人\n", "幸福里井盖破损"},
		{"幸福里井盖破损\n第二行", "幸福里井盖破损"},
		{"您好。井盖坏了。急", "您好。井盖坏了"},
		{"幸福里井盖破损！急", "幸福里井盖破损"},
		{"幸福里井盖破损？急", "幸福里井盖破损"},
		{"幸福里井盖破损；急", "幸福里井盖破损"},
		{"Manhole! It is", "Manhole"},
		{"Manhole? It is", "Manhole"},
		{"Manhole; it is", "Manhole"},
		{"幸福里井盖破损\r\n急", "幸福里井盖破损"},
		{"幸福\u3000里\u00a0井\ufeff盖\u200b破\x7f损", "幸福 里 井 盖 …"},
		{"一二三四五六七八九十", "一二三四五六七八九十"},
		{"一二三四五六七八九十  ", "一二三四五六七八九十"},
		{"一二三四五六七八九十一", "一二三四五六七八九…"},
		{"a\tb \n c", "a b c"},
		{"\n\n", ""},
		{"", ""},
	};

	(void)state;
	expect(rows, ARRAY_LEN(rows), title_of_ten);
}

static const char *line_of_ten(struct arena *a, const char *text)
{
	return text_line(a, text, 10);
}

static void a_line_is_all_of_it(void **state)
{
	static const struct pair rows[] = {
		{"灯不亮。还不亮", "灯不亮。还不亮"}, {"幸福里灯不亮。急！", "幸福里灯不亮。急！"}, {"灯不亮\n还\r\n是", "灯不亮 还 是"},
		{"一二三四五六七八九十一", "一二三四五六七八九…"}, {"", ""},
	};

	(void)state;
	expect(rows, ARRAY_LEN(rows), line_of_ten);
}

static void a_topic_id_keeps_sources_apart(void **state)
{
	static const char *const texts[] = {"AX7",  "AX-7", "Ax_7", "ax 7", "ax/7", "ax+7", "井盖",
					    "井盘", "",	   "-",	  "_a",	  "$SYS", "a#"};
	struct arena a = {0};

	(void)state;
	assert_string_equal(text_topic_id(&a, "ax7_b-1"), "ax7_b-1");
	assert_string_equal(text_topic_id(&a, "SN-0017A"), "sn-0017a");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *id = text_topic_id(&a, texts[i]);

		assert_true(str_is_id(id));
		assert_string_equal(text_topic_id(&a, texts[i]), id);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(text_topic_id(&a, texts[k]), id);
	}
	assert_int_equal(strncmp(text_topic_id(&a, "AX 7"), "ax-7-", 5), 0);
	assert_int_equal(strncmp(text_topic_id(&a, "{AX  _7~Z["), "ax-_7-z-", 8), 0);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shadow_makes_ways_of_writing_equal),
		cmocka_unit_test(a_shadow_is_its_own_shadow),
		cmocka_unit_test(the_short_way_to_a_shadow_agrees_with_the_long_one),
		cmocka_unit_test(a_phone_is_its_digits),
		cmocka_unit_test(a_mask_hides_numbers_and_names),
		cmocka_unit_test(a_mask_hides_the_reporters_own_name),
		cmocka_unit_test(an_address_stops_at_the_building),
		cmocka_unit_test(a_title_is_the_first_sentence),
		cmocka_unit_test(a_line_is_all_of_it),
		cmocka_unit_test(a_topic_id_keeps_sources_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
