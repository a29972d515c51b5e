/* What spreadsheets do to values, and what becomes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"
#include "table/rejected.h"

static void numbers_keep_their_digits_or_are_marked(void **state)
{
	static const struct {
		const char *raw, *text;
		bool rounded;
	} rows[] = {
		{"13800000000", "13800000000", false}, {"1.38E+10", "13800000000", false}, {"0", "0", false},
		{"-5", "-5", false}, {"999999999999999", "999999999999999", false}, {"113.30000000000001", "113.3", false},
		{"1000000000000000", "1000000000000000", true}, {"2.0261120000012301E+16", "2.0261120000012301E+16", true},
		{"20261120000012345", "20261120000012345", true}, {"1e999", "1e999", false}, {"x", "x", false},
		{"0.1", "0.1", false}, {"1E+17", "1E+17", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[64];
		bool rounded;

		cell_number(rows[i].raw, text, &rounded);
		assert_string_equal(text, rows[i].text);
		assert_int_equal(rounded, rows[i].rounded);
	}
}

static void serial_days_become_dates(void **state)
{
	static const struct {
		double serial;
		bool from_1904;
		const char *text;
	} rows[] = {
		{46346, false, "2026-11-20"}, {46346.5, false, "2026-11-20 12:00:00"}, {1, false, "1900-01-01"},
		{59, false, "1900-02-28"}, {61, false, "1900-03-01"}, {0.25, false, "06:00:00"}, {44884, true, "2026-11-20"},
		{46346.35494212963, false, "2026-11-20 08:31:07"}, {46346.999999, false, "2026-11-21"}, {-1, false, NULL},
		{3e6, false, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[64] = "";

		assert_int_equal(cell_date(rows[i].serial, rows[i].from_1904, text), rows[i].text != NULL);
		assert_string_equal(text, rows[i].text ? rows[i].text : "");
	}
}

static void formats_tell_dates_from_amounts(void **state)
{
	static const struct {
		const char *format;
		bool date;
	} rows[] = {
		{"General", false}, {"0.00", false}, {"yyyy-mm-dd", true}, {"yyyy\"年\"m\"月\"d\"日\"", true}, {"h:mm", true},
		{"[h]:mm:ss", true}, {"[Red]0.00", false}, {"[$-804]yyyy/m/d", true}, {"0.00\"days\"", false}, {"#,##0_);(#,##0)", false},
		{"0\\d", false}, {"@", false}, {"\"unclosed", false}, {"[unclosed", false}, {"\\", false}, {"", false}, {"[", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (cell_format_is_date(rows[i].format) != rows[i].date)
			fail_msg("%s", rows[i].format);
}

static void cells_lose_what_people_did_not_mean(void **state)
{
	static const struct {
		const char *raw, *text;
		bool rounded;
	} rows[] = {
		{"  x ", "x", false}, {"\xe3\x80\x80井盖\xc2\xa0", "井盖", false}, {"=\"00123\"", "00123", false}, {"'0012", "0012", false},
		{"'quoted'", "'quoted'", false}, {"=1+1", "=1+1", false}, {"2.02611E+13", "2.02611E+13", true}, {"1E5", "1E5", false},
		{"E+5", "E+5", false}, {"", "", false}, {"\t20261120\t", "20261120", false}, {"a\x01z", "a z", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[64];
		struct table_cell cell;

		snprintf(text, sizeof(text), "%s", rows[i].raw);
		cell_clean(text, &cell);
		assert_string_equal(cell.text, rows[i].text);
		assert_int_equal(cell.rounded, rows[i].rounded);
	}
}

static void a_formula_is_not_handed_on(void **state)
{
	struct str out = {0};

	(void)state;
	csv_cell_add(&out, "=HYPERLINK(\"http://x\")", true);
	csv_cell_add(&out, "-5", false);
	csv_cell_add(&out, "@x", false);
	assert_string_equal(out.s, "\"'=HYPERLINK(\"\"http://x\"\")\",\"-5\",\"'@x\"");
	str_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_keep_their_digits_or_are_marked), cmocka_unit_test(serial_days_become_dates),
		cmocka_unit_test(formats_tell_dates_from_amounts), cmocka_unit_test(cells_lose_what_people_did_not_mean),
		cmocka_unit_test(a_formula_is_not_handed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
