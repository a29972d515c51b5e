#include "unit/deadline_office.h"

/* Laws that hold for all deadlines; the generator's seed is fixed, so that a failure comes back. */

static uint64_t seed;

static uint32_t draw(uint32_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33) % below;
}

/* Any second of 2024 to 2026, or often an edge of the hours. */
static int64_t draw_moment(void)
{
	static const int16_t edges[] = { 0, 510, 720, 810, 1050, 1080, 1439 };
	int32_t day = day_of("2024-01-02") + (int32_t)draw(1080);

	if (draw(3) == 0)
		return moment_of_day(day, edges[draw(ARRAY_LEN(edges))]) +
		       ((int64_t)draw(3) - 1) * 1000000;
	return moment_of_day(day, 0) + (int64_t)draw(86400) * 1000000;
}

static bool is_open(const struct calendar *cal, int64_t t)
{
	struct day_view v;
	int32_t day = moment_day(t - 1);

	calendar_day(cal, day, &v);
	for (size_t i = 0; i < v.hours.n; i++) {
		if (t > moment_of_day(day, v.hours.spans[i].from) &&
		    t <= moment_of_day(day, v.hours.spans[i].to))
			return true;
	}
	return false;
}

/* Any deadline that counts forward. */
static const char *draw_spec(void)
{
	static const char *const units[] = { "分钟", "小时", "自然日", "工作日", "工作小时" };
	static const int longest[] = { 9000, 200, 20, 15, 60 };
	static const char *const starts[] = { "", " 起算:次日", " 起算:当日", " 起算:立即" };
	static const char *const ends[] = { "", " 截止:下班", " 截止:24:00", " 截止:同时刻" };
	static const char *const lates[] = { "", " 下班后:当日", " 下班后:次工作日" };
	static const char *const rolls[] = { "", " 遇休提前", " 遇休顺延", " 遇休不变" };
	static const char *const points[] = { "当日", "次日", "次工作日", "当日 15:00", "次日 9:30",
					     "次工作日 18:00" };
	unsigned u = draw(ARRAY_LEN(units) + 2);

	if (u == ARRAY_LEN(units))
		return arena_printf(&office.arena, "上不过午下不过夜 最少:%u 分钟", 1 + draw(720));
	if (u > ARRAY_LEN(units))
		return arena_printf(&office.arena, "%s%s%s", points[draw(ARRAY_LEN(points))],
				    lates[draw(3)], rolls[draw(4)]);
	return arena_printf(&office.arena, "%u %s%s%s%s%s", 2 + draw((uint32_t)longest[u] - 1),
			    units[u], starts[draw(4)], ends[draw(4)], lates[draw(3)],
				rolls[draw(4)]);
}

static void who_comes_later_is_never_due_earlier_and_never_due_before(void **state)
{
	(void)state;
	seed = 1;
	for (int i = 0; i < 400; i++) {
		const char *spec = draw_spec();
		struct deadline d = parsed(spec);
		char a[MOMENT_TEXT], b[MOMENT_TEXT];

		for (int k = 0; k < 60; k++) {
			int64_t first = draw_moment();
			int64_t second = first + (int64_t)draw(3 * 86400) * 1000000;
			struct due x, y;
			struct err e;

			assert_int_equal(deadline_due(&d, &office.cal, first, NULL, &x, &e), 0);
			assert_int_equal(deadline_due(&d, &office.cal, second, NULL, &y, &e), 0);
			if (x.at > y.at)
				fail_msg("%s: %s is due after %s", spec, moment_rfc3339(first, a),
					 moment_rfc3339(second, b));
			if (x.at <= first)
				fail_msg("%s: %s is due at %s", spec, moment_rfc3339(first, a),
					 moment_rfc3339(x.at, b));
		}
	}
}

static void a_deadline_that_ends_at_closing_ends_within_the_hours(void **state)
{
	static const char *const specs[] = {
		"1 工作日", "3 工作日 起算:当日", "5 自然日 截止:下班", "5 自然日 截止:下班 遇休提前",
		"30 小时 截止:下班", "9 工作小时 截止:下班", "45 分钟 截止:下班 下班后:次工作日", "当日", "次日",
		"次工作日", "9 工作小时", "2 工作日 截止:同时刻",
	};
	char text[MOMENT_TEXT];

	(void)state;
	office_hours_add_summer(&office);
	seed = 2;
	for (size_t s = 0; s < ARRAY_LEN(specs); s++) {
		for (int i = 0; i < 500; i++) {
			int64_t from = draw_moment(), due = due_of(specs[s], &office.cal, from).at;

			/* an opening may be the same time or the end of a move */
			if (!is_open(&office.cal, due) && !is_open(&office.cal, due + 1))
				fail_msg("%s from %s", specs[s], moment_rfc3339(from, text));
		}
	}
}

static void one_more_rest_day_makes_no_span_earlier(void **state)
{
	(void)state;
	seed = 3;
	for (int i = 0; i < 400; i++) {
		const char *spec = draw_spec();
		struct deadline d = parsed(spec);
		int64_t from = draw_moment();
		struct due before, after;
		struct err e;
		char text[MOMENT_TEXT];
		size_t n = office.cal.n_special;
		static struct special_day saved[512];

		/* 遇休提前 asks for it; a rest day that 当日 may not leave ends at 24:00 */
		if (d.roll == ROLL_EARLIER || (d.kind == DEADLINE_POINT && d.roll == ROLL_NONE &&
					       d.point != POINT_NEXT_WORKDAY))
			continue;
		assert_int_equal(deadline_due(&d, &office.cal, from, NULL, &before, &e), 0);
		memcpy(saved, office.special, sizeof(saved));
		office.special[office.cal.n_special++] =
			(struct special_day){ .day = moment_day(from) + (int32_t)draw(12),
					      .kind = DAY_REST, .why = "停工", .local = true };
		assert_int_equal(calendar_finish(&office.cal, &e), 0);
		assert_int_equal(deadline_due(&d, &office.cal, from, NULL, &after, &e), 0);
		if (after.at < before.at)
			fail_msg("%s from %s", spec, moment_rfc3339(from, text));
		memcpy(office.special, saved, sizeof(saved));
		office.cal.n_special = n;
	}
}

static void forward_undoes_backward_within_the_hours(void **state)
{
	char text[MOMENT_TEXT];

	(void)state;
	seed = 4;
	for (int i = 0; i < 4000; i++) {
		int64_t t = draw_moment();
		unsigned n = 1 + draw(40);
		struct deadline hours = { .unit = UNIT_WORKHOUR, .n = (int32_t)n, .time = -1 };
		struct deadline days = { .unit = UNIT_WORKDAY, .n = (int32_t)n, .time = -1,
					.end = END_SAME_TIME };
		struct due back, there;
		struct err e;

		if (!is_open(&office.cal, t))
			continue;
		assert_int_equal(deadline_before(&hours, &office.cal, t, NULL, &back, &e), 0);
		assert_int_equal(deadline_due(&hours, &office.cal, back.at, NULL, &there, &e), 0);
		if (there.at != t)
			fail_msg("%u working hours before %s", n, moment_rfc3339(t, text));
		assert_int_equal(deadline_before(&days, &office.cal, t, NULL, &back, &e), 0);
		assert_int_equal(deadline_due(&days, &office.cal, back.at, NULL, &there, &e), 0);
		if (there.at != t && !(t == moment_of_day(moment_day(t), 720)))
			fail_msg("%u working days before %s", n, moment_rfc3339(t, text));
	}
}

static void a_deadline_survives_its_own_text(void **state)
{
	(void)state;
	seed = 5;
	for (int i = 0; i < 3000; i++) {
		const char *spec = draw_spec();
		struct deadline d = parsed(spec), again = parsed(deadline_text(&d, &office.arena));

		if (d.kind != again.kind || d.unit != again.unit || d.point != again.point ||
		    d.n != again.n || d.time != again.time || d.at_least != again.at_least ||
			d.roll != again.roll ||
		    d.start != again.start || d.end != again.end || d.late != again.late)
			fail_msg("“%s” became “%s”", spec, deadline_text(&d, &office.arena));
	}
}

static void random_text_is_refused_without_harm(void **state)
{
	static const char *const parts[] = {
		"2", "每", "月", "旬", "周", "五", "31", "日", "工作日", "自然日", "天", " ", "  ", "16:00",
		"24:00", "当日",
		"次日", "次工作日", "上不过午下不过夜", "到期前", "起算:", "截止:下班", "遇休提前", "日历:", "最少:", "分钟",
		"：", "\xE5", "\xEF\xBC", "\xFF", "h", "wd", "末", "最后工作日", "-",
	};
	int understood = 0;

	(void)state;
	seed = 6;
	for (int i = 0; i < 20000; i++) {
		char text[256] = "";
		struct deadline d;
		struct err e = { 0 };
		size_t where = 0, n = 0;

		for (unsigned k = draw(7); k > 0; k--) {
			const char *part = parts[draw(ARRAY_LEN(parts))];

			memcpy(text + n, part, strlen(part) + 1);
			n += strlen(part);
		}
		if (deadline_parse(text, &office.arena, &d, &where, &e) == 0) {
			struct due due;

			understood++;
			deadline_text(&d, &office.arena);
			assert_int_equal(deadline_due(&d, &office.cal, at("2026-02-13 10:00"),
						      &office.arena, &due, &e), 0);
		} else {
			assert_true(e.code[0] == 'E' && where <= n);
		}
	}
	assert_true(understood > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_OFFICE(who_comes_later_is_never_due_earlier_and_never_due_before),
		IN_OFFICE(a_deadline_that_ends_at_closing_ends_within_the_hours),
		IN_OFFICE(one_more_rest_day_makes_no_span_earlier),
		IN_OFFICE(forward_undoes_backward_within_the_hours),
		IN_OFFICE(a_deadline_survives_its_own_text),
		IN_OFFICE(random_text_is_refused_without_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
