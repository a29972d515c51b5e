/* Whom a case complains about does not sort it, and what is masked is masked: as tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/vec.h"
#include "core/life/step.h"
#include "core/office.h"

enum { TRIAGE, HEAD, DUCHA, JIWEI, WUYE, DEPARTMENTS };

static const struct {
	const char *accused;
	bool has_supervisor, has_superior, has_second;
	const char *sorts;
} rows[] = {
	{NULL, true, true, true, "triage"},
	{"wuye", true, true, true, "triage"},
	{"triage", true, true, true, "ducha"},
	{"triage", false, true, true, "head"},
	{"triage", false, false, true, "jiwei"},
	{"triage", false, false, false, "wuye"},
};

static void who_is_complained_about_does_not_sort_the_complaint(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct department d[DEPARTMENTS] = {[TRIAGE] = {.id = "triage"}, [HEAD] = {.id = "head"}, [DUCHA] = {.id = "ducha"},
						    [JIWEI] = {.id = "jiwei"}, [WUYE] = {.id = "wuye"}};
		struct office office = {.departments = d, .n_departments = DEPARTMENTS, .fallback_dept = &d[WUYE], .life = {.triage = &d[TRIAGE]}};
		struct case_record c = {.accused = rows[i].accused};
		const struct life l = {.office = &office, .c = &c};

		if (rows[i].has_supervisor)
			office.life.supervisor = &d[DUCHA];
		if (rows[i].has_superior)
			d[TRIAGE].superior = &d[HEAD];
		if (rows[i].has_second)
			d[JIWEI].kind = DEPT_SUPERVISOR;
		if (strcmp(life_triage(&l)->id, rows[i].sorts) != 0)
			fail_msg("row %zu: %s, not %s", i, life_triage(&l)->id, rows[i].sorts);
	}
}

/* Triage sorts and supervises: whoever else there is stands in, however the office is drawn. */
static void who_supervises_and_is_complained_about_does_neither(void **state)
{
	struct department d[DEPARTMENTS] = {[TRIAGE] = {.id = "triage", .kind = DEPT_SUPERVISOR}, [JIWEI] = {.id = "jiwei", .kind = DEPT_SUPERVISOR}};
	struct office office = {.departments = d, .n_departments = DEPARTMENTS, .fallback_dept = &d[WUYE],
				.life = {.triage = &d[TRIAGE], .supervisor = &d[TRIAGE]}};
	struct case_record c = {.accused = "triage"};
	const struct life l = {.office = &office, .c = &c};

	(void)state;
	for (int i = HEAD; i < DEPARTMENTS; i++)
		if (!d[i].id)
			d[i].id = "other";
	assert_string_equal(life_triage(&l)->id, "jiwei");
	d[TRIAGE].superior = &d[TRIAGE];
	assert_string_equal(life_triage(&l)->id, "jiwei");
}

static void words_are_told_as_far_as_the_case_is_open(void **state)
{
	static const char *const names[] = {"李某"};
	struct report said = {.text = "李某的电话是13800000000"};
	struct action act = {.report = &said};
	struct arena a = {0};
	struct case_record c = {.visibility = VISIBLE_OPEN, .names = names, .n_names = 1};
	const struct life l = {.c = &c, .act = &act, .a = &a};

	(void)state;
	assert_null(life_masked(&l, NULL));
	assert_null(strstr(life_masked(&l, said.text), "李某"));
	assert_null(strstr(life_heard(&l), "13800000000"));
	said.text = NULL;
	assert_null(life_heard(&l));
	assert_null(life_comment(&l));
	said.comment = "不满意。李某，13800000000";
	assert_string_equal(life_comment(&l), "不满意。李*，138****0000");
	said.text = "来人";
	c.visibility = VISIBLE_SEALED;
	assert_null(life_comment(&l));
	assert_null(life_heard(&l));
	assert_string_equal(life_masked(&l, "来人"), "***");
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_complained_about_does_not_sort_the_complaint),
		cmocka_unit_test(who_supervises_and_is_complained_about_does_neither),
		cmocka_unit_test(words_are_told_as_far_as_the_case_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
