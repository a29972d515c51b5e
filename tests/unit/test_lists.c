/* The lists of a case survive being written and read: every member, also those that are "none". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "core/time/moment.h"
#include "store/lists.h"

static const struct support supports[] = {
	{.dept = "huanwei", .task = "清\"运\"", .done = true, .called = true, .seq = 7, .due = 1764500000000000, .reported_at = 1764500000000001},
	{.dept = "wuye", .due = MOMENT_NONE, .reported_at = MOMENT_NONE},
};
static const struct errand errands[] = {
	{.kind = ERRAND_ORDER, .seq = 4, .from = "ducha", .to = "chengguan", .text = "限时\n办结", .request = "r-1",
	 .more = "{\"state\":\"accepted\",\"clocks\":{\"resolve\":\"机关\",\"contact\":null}}", .at = 1, .until = 2, .due = -3, .done = true},
	{.kind = ERRAND_TRIAGE, .seq = 5, .at = 6, .until = MOMENT_NONE, .due = MOMENT_NONE},
};
static const struct joined joined[] = {
	{"hotline", "h1", "GD\\2", "{\"line\":3}", "JYL261120000002", "0f1e", 0},
	{"wechat", "w1", "X", NULL, NULL, NULL, -1},
};

static void assert_text(const char *is, const char *wanted)
{
	if (!is || !wanted)
		assert_ptr_equal(is, wanted);
	else
		assert_string_equal(is, wanted);
}

static void write_and_read(struct case_record *c, struct case_record *back, struct arena *a)
{
	*back = (struct case_record){0};
	lists_read_supports(lists_supports(c, a), back, a);
	lists_read_errands(lists_errands(c, a), back, a);
	lists_read_joined(lists_joined(c, a), back, a);
	lists_read_told(lists_told(c, a), back, a);
	lists_read_fired(lists_fired(c, a), back, a);
	lists_read_basis(lists_basis(c, a), back, a);
}

static void every_member_comes_back(void **state)
{
	struct arena a = {0};
	struct case_record c = {0}, back;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		ALIST_PUSH(&a, &c.supports, supports[i]);
		ALIST_PUSH(&a, &c.errands, errands[i]);
		ALIST_PUSH(&a, &c.joined, joined[i]);
	}
	ALIST_PUSH(&a, &c.told, (struct told){"ducha", 9});
	ALIST_PUSH(&a, &c.leg.fired, "resolve 逾期 1 工作日 supervise 2");
	c.leg.unsure[CLOCK_RESOLVE] = (struct basis){.from = 5, .spec = "5 工作日", .calendar = "机关", .paused = 36000000000};
	c.leg.unsure[CLOCK_CONTACT] = (struct basis){.from = 6, .spec = "次日"};
	write_and_read(&c, &back, &a);
	assert_int_equal(back.supports.n, 2);
	assert_int_equal(back.errands.n, 2);
	assert_int_equal(back.joined.n, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct support *s = &back.supports.v[i];
		const struct errand *e = &back.errands.v[i];
		const struct joined *j = &back.joined.v[i];

		assert_text(s->dept, supports[i].dept);
		assert_text(s->task, supports[i].task);
		assert_true(s->done == supports[i].done && s->called == supports[i].called && s->seq == supports[i].seq &&
			    s->due == supports[i].due && s->reported_at == supports[i].reported_at);
		assert_text(e->from, errands[i].from);
		assert_text(e->to, errands[i].to);
		assert_text(e->text, errands[i].text);
		assert_text(e->request, errands[i].request);
		assert_text(e->more, errands[i].more);
		assert_true(e->kind == errands[i].kind && e->seq == errands[i].seq && e->at == errands[i].at &&
			    e->until == errands[i].until && e->due == errands[i].due && e->done == errands[i].done);
		assert_text(j->channel, joined[i].channel);
		assert_text(j->source, joined[i].source);
		assert_text(j->report, joined[i].report);
		assert_text(j->reply_to, joined[i].reply_to);
		assert_text(j->number, joined[i].number);
		assert_int_equal(j->score, joined[i].score);
	}
	assert_true(back.told.n == 1 && back.told.v[0].seq == 9);
	assert_text(back.told.v[0].dept, "ducha");
	assert_int_equal(back.leg.fired.n, 1);
	assert_text(back.leg.fired.v[0], c.leg.fired.v[0]);
	for (int k = 0; k < N_CLOCKS; k++) {
		assert_true(back.leg.unsure[k].from == c.leg.unsure[k].from && back.leg.unsure[k].paused == c.leg.unsure[k].paused);
		assert_text(back.leg.unsure[k].spec, c.leg.unsure[k].spec);
		assert_text(back.leg.unsure[k].calendar, c.leg.unsure[k].calendar);
	}
	arena_done(&a);
}

static void empty_lists_are_null_and_come_back_empty(void **state)
{
	struct arena a = {0};
	struct case_record c = {0}, back;

	(void)state;
	assert_null(lists_supports(&c, &a));
	assert_null(lists_errands(&c, &a));
	assert_null(lists_joined(&c, &a));
	assert_null(lists_fired(&c, &a));
	assert_null(lists_basis(&c, &a));
	write_and_read(&c, &back, &a);
	assert_int_equal(back.supports.n + back.errands.n + back.joined.n + back.told.n + back.leg.fired.n, 0);
	arena_done(&a);
}

static void what_a_former_version_did_not_write_is_none(void **state)
{
	struct arena a = {0};
	struct case_record c = {0};

	(void)state;
	lists_read_supports("[{\"dept\":\"wuye\",\"task\":null,\"done\":false}]", &c, &a);
	lists_read_basis("{\"resolve\":{\"from\":5,\"spec\":\"5 工作日\",\"calendar\":\"机关\"}}", &c, &a);
	assert_true(c.supports.v[0].due == MOMENT_NONE && c.supports.v[0].reported_at == MOMENT_NONE && !c.supports.v[0].called);
	assert_null(c.supports.v[0].task);
	assert_int_equal(c.leg.unsure[CLOCK_RESOLVE].paused, 0);
	arena_done(&a);
}

/* A case that has seen much: lists grow as they are read. */
static void long_lists_come_back_whole(void **state)
{
	enum { MANY = 40 };
	struct arena a = {0};
	struct case_record c = {0}, back;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		ALIST_PUSH(&a, &c.told, ((struct told){arena_printf(&a, "d%d", i), i}));
		ALIST_PUSH(&a, &c.leg.fired, arena_printf(&a, "step %d", i));
		ALIST_PUSH(&a, &c.joined, joined[i % 2]);
	}
	write_and_read(&c, &back, &a);
	assert_int_equal(back.told.n, MANY);
	assert_int_equal(back.leg.fired.n, MANY);
	assert_int_equal(back.joined.n, MANY);
	assert_text(back.told.v[MANY - 1].dept, "d39");
	assert_int_equal(back.told.v[MANY - 1].seq, MANY - 1);
	assert_text(back.leg.fired.v[MANY - 1], "step 39");
	assert_text(back.joined.v[MANY - 2].report, joined[0].report);
	arena_done(&a);
}

/* By a later version, or by hand. */
static void what_this_version_does_not_know_is_passed_over(void **state)
{
	struct arena a = {0};
	struct case_record c = {0};

	(void)state;
	lists_read_basis("{\"lunch\":{\"from\":5,\"spec\":\"1 小时\"},\"contact\":{\"from\":6,\"spec\":\"次日\",\"calendar\":null}}", &c, &a);
	for (int k = 0; k < N_CLOCKS; k++)
		assert_int_equal(c.leg.unsure[k].from, k == CLOCK_CONTACT ? 6 : 0);
	lists_read_errands("[{\"kind\":\"dance\",\"seq\":4},{\"kind\":7},{\"kind\":\"triage\",\"seq\":5}]", &c, &a);
	assert_int_equal(c.errands.n, 3);
	assert_int_equal(c.errands.v[0].seq, 4);
	assert_int_equal(c.errands.v[2].kind, ERRAND_TRIAGE);
	arena_done(&a);
}

static void the_names_that_are_masked_are_the_reporters_and_those_who_joined(void **state)
{
	static const struct {
		const char *first, *json, *all;
	} rows[] = {
		{NULL, NULL, ""}, {"李某", NULL, "李某 "}, {NULL, "[\"王某\",\"赵某\"]", "王某 赵某 "}, {"李某", "[\"王某\"]", "李某 王某 "}, {"李某", "[]", "李某 "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = {0};
		struct case_record c = {0};
		const char *all = "";

		lists_read_names(rows[i].first, rows[i].json, &c, &a);
		for (size_t k = 0; k < c.n_names; k++)
			all = arena_printf(&a, "%s%s ", all, c.names[k]);
		assert_string_equal(all, rows[i].all);
		arena_done(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_comes_back),
		cmocka_unit_test(empty_lists_are_null_and_come_back_empty),
		cmocka_unit_test(what_a_former_version_did_not_write_is_none),
		cmocka_unit_test(long_lists_come_back_whole),
		cmocka_unit_test(what_this_version_does_not_know_is_passed_over),
		cmocka_unit_test(the_names_that_are_masked_are_the_reporters_and_those_who_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
