/* Leaving out rules that cannot match must never change who wins: thousands of chance offices, asked both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/understand/text.h"
#include "unit/office_fixture.h"

enum { RULES = 150, COPIES = 20, OFFICES = 40, REPORTS = 200 };

static const char *const words[] = {"煤气味", "煤气", "井盖", "漏水", "噪声", "起火", "冒烟", "电梯", "Ａ座", "a座", "演练", "已处理", " ", "x"};

static uint32_t dice(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33) % n;
}

static struct texts some(uint64_t *seed, uint32_t most, struct arena *a)
{
	const char **v = arena_alloc(a, (most + 1) * sizeof(*v));
	size_t n = dice(seed, most + 1);

	for (size_t i = 0; i < n; i++)
		v[i] = words[dice(seed, ARRAY_LEN(words))];
	return (struct texts){v, n};
}

static struct when chance_when(uint64_t *seed, struct arena *a)
{
	static const char *const channels[] = {"wechat"}, *const categories[] = {"市政"};
	struct when w = {.secret = -1};

	if (dice(seed, 4))
		w.any = some(seed, 4, a);
	if (!dice(seed, 3))
		w.all = some(seed, 2, a);
	if (!dice(seed, 3))
		w.none = some(seed, 3, a);
	if (!dice(seed, 5))
		w.channel = (struct texts){channels, 1};
	if (!dice(seed, 5))
		w.category = (struct texts){categories, 1};
	return w;
}

static void chance_report(struct fixture *f, uint64_t *seed, struct report *r)
{
	const char *text = "";

	for (uint32_t n = dice(seed, 5); n; n--)
		text = arena_printf(&f->message, "%s%s%s", text, words[dice(seed, ARRAY_LEN(words))], dice(seed, 2) ? "，" : "");
	*r = (struct report){.channel = &f->channels[dice(seed, 2) ? WECHAT : HOTLINE], .id = "x", .text = text,
			     .shadow = text_shadow(&f->message, text), .urgency = -1};
	if (dice(seed, 2))
		r->known_category = &f->categories[dice(seed, 4)];
}

static bool is_told(const struct decision *d, const struct department *dept)
{
	for (size_t i = 0; i < d->n_copies; i++)
		if (d->copies[i] == dept)
			return true;
	return false;
}

static void check(struct fixture *f, const struct report *r)
{
	const struct office *o = &f->office;
	const struct rule *winner = NULL;
	struct decision d;
	size_t also = 0;

	route(o, r, &f->message, ROUTE_ALSO, &d);
	for (size_t i = 0; i < o->n_rules; i++) {
		if (route_failed_field(o, &o->rules[i].when, r, &f->message))
			continue;
		if (!winner) {
			winner = &o->rules[i];
			continue;
		}
		assert_true(also < d.n_also);
		assert_int_equal(d.also[also++], i);
	}
	assert_ptr_equal(d.rule, winner);
	assert_int_equal(d.n_also, also);
	for (size_t i = 0; i < o->n_copies; i++)
		if (!route_failed_field(o, &o->copies[i].when, r, &f->message) && o->copies[i].to[0] != d.dept)
			assert_true(is_told(&d, o->copies[i].to[0]));
}

static void who_wins_is_who_would_win_if_every_rule_were_looked_at(void **state)
{
	static struct rule rules[RULES];
	static struct copy_rule copies[COPIES];
	static const struct department *to[COPIES];
	uint64_t seed = 7;

	(void)state;
	for (int office = 0; office < OFFICES; office++) {
		struct fixture f;
		struct report r;
		struct err e;
		size_t n = 1 + dice(&seed, RULES);

		fixture_init(&f);
		for (size_t i = 0; i < n; i++)
			rules[i] = (struct rule){.id = "r", .when = chance_when(&seed, &f.arena), .until = MOMENT_NONE,
						 .then = THEN(.dept = &f.departments[dice(&seed, N_FIXTURE_DEPTS)])};
		for (size_t i = 0; i < COPIES; i++) {
			to[i] = &f.departments[dice(&seed, N_FIXTURE_DEPTS)];
			copies[i] = (struct copy_rule){.id = "c", .when = chance_when(&seed, &f.arena), .to = &to[i], .n_to = 1};
		}
		assert_int_equal(fixture_rules(&f, rules, n, copies, COPIES, &e), 0);
		for (int i = 0; i < REPORTS; i++) {
			chance_report(&f, &seed, &r);
			check(&f, &r);
			arena_reset(&f.message);
		}
		fixture_done(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_wins_is_who_would_win_if_every_rule_were_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
