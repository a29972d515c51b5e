/*
 * From the clerk's words to a deadline. One cursor goes over the text once; every refusal names
 * the byte where it stopped and what to write instead, because the reader is a clerk with a YAML
 * file. Compound spans ("1 工作日 3 小时") and bare 天 are refused on purpose: two people read them in
 * two ways.
 */
#include "base/err.h"
#include "base/mem.h"
#include "base/tongue.h"
#include "core/time/deadline_words.h"

enum { DAY_MINUTES = 1440, HALF_DAY_MINUTES = 720, WORD_SHOWN = 60 };

struct cursor {
	const char *text, *p;
	struct arena *arena;
	struct deadline d;
	unsigned seen;                  /* options that were given */
	const char *seen_at[OPTION_AT_LEAST + 1];
	const char *trouble;
	struct err *e;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip_blanks(struct cursor *c)
{
	while (is_blank(*c->p))
		c->p++;
}

/* Bytes up to the next blank or the end. */
static size_t word_length(const char *p)
{
	size_t n = 0;

	while (p[n] && !is_blank(p[n]))
		n++;
	return n;
}

/* What a message may show of the word at p: whole characters, not without end. */
static int shown_length(const char *p)
{
	size_t n = word_length(p);

	if (n > WORD_SHOWN) {
		n = WORD_SHOWN;
		while (n && ((unsigned char)p[n] & 0xC0) == 0x80)
			n--;
	}
	return (int)n;
}

static bool word_is(const char *p, const char *word)
{
	size_t n = word_length(p);

	return strlen(word) == n && memcmp(p, word, n) == 0;
}

static bool begins(const char *p, const char *prefix)
{
	return strncmp(p, prefix, strlen(prefix)) == 0;
}

static bool eat(struct cursor *c, const char *prefix)
{
	if (!begins(c->p, prefix))
		return false;
	c->p += strlen(prefix);
	return true;
}

/* `at` is where the reader should look; the sentence comes from the caller. */
#define REFUSE(c, at, code, ...) ((c)->trouble = (at), err_code((c)->e, ERR_BAD, code, __VA_ARGS__))

static int refuse_word(struct cursor *c, const char *hint)
{
	if (!*c->p)
		return REFUSE(c, c->p, "E40", "the deadline ends too early: %s", _(hint));
	return REFUSE(c, c->p, "E40", "“%.*s” is not understood here: %s", shown_length(c->p),
		      c->p, _(hint));
}

static int check_width(struct cursor *c)
{
	static const struct {
		const char *wide, *remedy;
	} marks[] = {
		{ "：", N_("write the half-width “:”") },
		{ "，", N_("leave it out, a blank is enough") },
		{ "、", N_("leave it out") },
		{ "　", N_("write an ordinary blank") },
	};

	for (const char *p = c->text; *p; p++) {
		for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
			if (begins(p, marks[i].wide))
				return REFUSE(c, p, "E03", "full-width “%s” in a deadline: %s",
					      marks[i].wide, _(marks[i].remedy));
		}
	}
	return 0;
}

static int check_wide_digit(struct cursor *c)
{
	const unsigned char *p = (const unsigned char *)c->p;

	if (p[0] == 0xEF && p[1] == 0xBC && p[2] >= 0x90 && p[2] <= 0x99)
		return REFUSE(c, c->p, "E03", "full-width digit in a deadline: write 0 to 9");
	return 0;
}

static int parse_number(struct cursor *c, int32_t max, int32_t *ret)
{
	const char *at = c->p;
	int64_t value = 0;

	for (; is_digit(*c->p); c->p++) {
		if (value <= max)
			value = value * 10 + (*c->p - '0');
	}
	if (c->p == at)
		return refuse_word(c, "a whole number belongs here");
	if (value < 1 || value > max)
		return REFUSE(c, at, "E40", "the number must be 1 to %d", (int)max);
	*ret = (int32_t)value;
	return 0;
}

/* "8:30", "16:00", "24:00"; nothing there leaves -1. */
static int parse_time(struct cursor *c, int16_t *ret)
{
	const char *at;
	int hour = 0, minute = 0, n = 0;

	skip_blanks(c);
	at = c->p;
	*ret = -1;
	if (!is_digit(*c->p))
		return check_wide_digit(c);
	for (; is_digit(*c->p) && n < 3; n++)
		hour = hour * 10 + (*c->p++ - '0');
	if (n > 2 || *c->p != ':' || !is_digit(c->p[1]) || !is_digit(c->p[2]) || is_digit(c->p[3]))
		return REFUSE(c, at, "E40", "“%.*s” is no time of day: write it as 16:00",
			      shown_length(at), at);
	minute = (c->p[1] - '0') * 10 + (c->p[2] - '0');
	if (minute > 59 || hour * 60 + minute > DAY_MINUTES)
		return REFUSE(c, at, "E40", "“%.*s” is no time of day: 00:00 to 24:00",
			      shown_length(at), at);
	c->p += 3;
	*ret = (int16_t)(hour * 60 + minute);
	return 0;
}

static int refuse_unit(struct cursor *c, const char *number, int32_t n)
{
	if (!*c->p)
		return REFUSE(c, number, "E41",
			      "“%d” has no unit: write “%d 工作日”, “%d 自然日” or “%d 小时”",
			      (int)n, (int)n, (int)n, (int)n);
	if (word_is(c->p, "天") || word_is(c->p, "日"))
		return REFUSE(c, number, "E41", "“%d%.*s” is ambiguous: write “%d 工作日” or “%d 自然日”",
			      (int)n, shown_length(c->p), c->p, (int)n, (int)n);
	return refuse_word(c, "the unit is 分钟, 小时, 自然日, 工作日 or 工作小时");
}

static int parse_span(struct cursor *c)
{
	const char *number = c->p;
	int r = check_wide_digit(c);

	if (r == 0)
		r = parse_number(c, INT32_MAX, &c->d.n);
	if (r < 0)
		return r;
	skip_blanks(c);
	for (int u = 0; u < N_UNITS; u++) {
		const struct unit_word *w = &unit_words[u];

		if (!word_is(c->p, w->text) && !word_is(c->p, w->alias))
			continue;
		if (c->d.n > w->max)
			return REFUSE(c, number, "E40", "at most %d %s (ten years)",
				      (int)w->max, w->text);
		c->p += word_length(c->p);
		c->d.unit = (enum deadline_unit)u;
		return 0;
	}
	return refuse_unit(c, number, c->d.n);
}

static int parse_weekday(struct cursor *c)
{
	c->d.series = EVERY_WEEK;
	for (int i = 0; i < 7; i++) {
		if (eat(c, weekday_words[i])) {
			c->d.n = i + 1;
			return 0;
		}
	}
	return refuse_word(c, "the weekday is one of 一 二 三 四 五 六 日");
}

static int parse_month(struct cursor *c)
{
	int r;

	if (eat(c, "末")) {
		c->d.series = EVERY_MONTH_END;
		return 0;
	}
	if (eat(c, "最后工作日")) {
		c->d.series = EVERY_MONTH_LAST_WORKDAY;
		return 0;
	}
	skip_blanks(c);
	r = check_wide_digit(c);
	if (r < 0)
		return r;
	c->d.series = EVERY_MONTH_DAY;
	r = parse_number(c, 31, &c->d.n);
	if (r < 0)
		return r;
	skip_blanks(c);
	return eat(c, "日") ? 0 : refuse_word(c, "write the day of the month as 每月25日");
}

static int parse_every_n_days(struct cursor *c)
{
	const char *number = c->p;
	int r = parse_number(c, unit_words[UNIT_DAY].max, &c->d.n);

	if (r < 0)
		return r;
	skip_blanks(c);
	c->d.series = EVERY_N_DAYS;
	if (eat(c, "自然日"))
		return 0;
	if (begins(c->p, "天") || begins(c->p, "日"))
		return REFUSE(c, number, "E41",
			      "“每%d天” is ambiguous: write “每%d自然日”, or “每旬” for the 10th, "
			      "20th and last day of a month", (int)c->d.n, (int)c->d.n);
	return refuse_word(c, "write it as 每10自然日");
}

/* 季末, 半年末, 年初 … */
static int parse_period(struct cursor *c, int months)
{
	c->d.n = months;
	c->d.series = EVERY_PERIOD_END;
	skip_blanks(c);
	if (eat(c, "末"))
		return 0;
	c->d.series = EVERY_PERIOD_FIRST;
	return eat(c, "初") ? 0 : refuse_word(c, "write 每季初 or 每季末, 每半年初 or 每半年末, 每年初 or 每年末");
}

static int parse_series(struct cursor *c)
{
	const char *at = c->p;
	int r;

	skip_blanks(c);
	c->d.kind = DEADLINE_SERIES;
	r = check_wide_digit(c);
	if (r < 0)
		return r;
	if (is_digit(*c->p)) {
		r = parse_every_n_days(c);
	} else if (eat(c, "旬")) {
		c->d.series = EVERY_XUN;
	} else if (eat(c, "周")) {
		r = parse_weekday(c);
	} else if (eat(c, "月")) {
		r = parse_month(c);
	} else if (eat(c, "季")) {
		r = parse_period(c, 3);
	} else if (eat(c, "半年")) {
		r = parse_period(c, 6);
	} else if (eat(c, "年")) {
		r = parse_period(c, 12);
	} else if (eat(c, "工作日")) {
		c->d.series = EVERY_WORKDAY;
	} else if (begins(c->p, "天") || begins(c->p, "日")) {
		return REFUSE(c, at, "E41", "“每天” is ambiguous: write “每工作日” or “每1自然日”");
	} else {
		return refuse_word(c, "write 每工作日, 每周五, 每旬, 每月25日, 每月末, 每月最后工作日, 每季末, 每半年末, 每年末 or 每10自然日");
	}
	return r < 0 ? r : parse_time(c, &c->d.time);
}

static int parse_point(struct cursor *c)
{
	c->d.kind = DEADLINE_POINT;
	for (int i = 0; i < N_POINTS; i++) {
		if (!eat(c, point_words[i]))
			continue;
		c->d.point = (enum deadline_point)i;
		return i == POINT_NOON_NIGHT ? 0 : parse_time(c, &c->d.time);
	}
	return refuse_word(c, "a deadline is a span (5 工作日, 24 小时), a point (当日, 次日 12:00, 次工作日, "
			   "上不过午下不过夜), a series (每周五 16:00) or 到期前 and a span");
}

static int parse_calendar_name(struct cursor *c)
{
	size_t n = word_length(c->p);

	if (!n)
		return refuse_word(c, "日历: is followed by the name of a calendar");
	c->d.calendar = arena_strndup(c->arena, c->p, n);
	c->p += n;
	return 0;
}

static int parse_at_least(struct cursor *c)
{
	const char *at = c->p;
	int32_t n = 0;
	int minutes, r = parse_number(c, HALF_DAY_MINUTES, &n);

	if (r < 0)
		return r;
	skip_blanks(c);
	if (word_is(c->p, unit_words[UNIT_MINUTE].text) ||
	    word_is(c->p, unit_words[UNIT_MINUTE].alias))
		minutes = n;
	else if (word_is(c->p, unit_words[UNIT_HOUR].text) ||
		 word_is(c->p, unit_words[UNIT_HOUR].alias))
		minutes = n * 60;
	else
		return refuse_word(c, "write it as 最少:60 分钟");
	if (minutes > HALF_DAY_MINUTES)
		return REFUSE(c, at, "E40", "最少: is at most %d 分钟, half a day", HALF_DAY_MINUTES);
	c->p += word_length(c->p);
	c->d.at_least = (int16_t)minutes;
	return 0;
}

static int take_option(struct cursor *c, enum deadline_option option, const char *at)
{
	if (c->seen & option)
		return REFUSE(c, at, "E40", "“%.*s” says again what an option before it said",
			      shown_length(at), at);
	c->seen |= option;
	c->seen_at[option] = at;
	return 0;
}

static void set_option(struct deadline *d, const struct option_word *w)
{
	if (w->option == OPTION_START)
		d->start = (enum deadline_start)w->value;
	else if (w->option == OPTION_END)
		d->end = (enum deadline_end)w->value;
	else if (w->option == OPTION_LATE)
		d->late = (enum deadline_late)w->value;
	else
		d->roll = (enum deadline_roll)w->value;
}

static int parse_option(struct cursor *c)
{
	const char *at = c->p;
	int r;

	if (eat(c, "日历:")) {
		r = take_option(c, OPTION_CALENDAR, at);
		return r < 0 ? r : parse_calendar_name(c);
	}
	if (eat(c, "最少:")) {
		r = take_option(c, OPTION_AT_LEAST, at);
		return r < 0 ? r : parse_at_least(c);
	}
	for (const struct option_word *w = option_words; w->text; w++) {
		if (!word_is(at, w->text))
			continue;
		c->p += strlen(w->text);
		set_option(&c->d, w);
		return take_option(c, w->option, at);
	}
	if (c->d.kind == DEADLINE_SPAN && is_digit(*at))
		return refuse_word(c, "a span has one unit, write all of it in the smaller one");
	return refuse_word(c, "options are 起算:次日|当日|立即 截止:下班|24:00|同时刻 下班后:当日|次工作日 "
			   "遇休提前|遇休顺延|遇休不变 日历:NAME 最少:60 分钟");
}

/* "The same time today": a deadline that ends when it begins. */
static bool is_empty(const struct deadline *d)
{
	bool by_day = d->unit == UNIT_DAY || d->unit == UNIT_WORKDAY;

	if (d->end != END_SAME_TIME)
		return false;
	if (d->kind == DEADLINE_POINT)
		return d->point == POINT_TODAY;
	return d->kind == DEADLINE_SPAN && by_day && d->n == 1 && d->start == START_SAME_DAY;
}

/* An option without meaning would be a promise that nobody keeps. */
static int check_options(struct cursor *c)
{
	unsigned wrong = c->seen & ~deadline_options(&c->d);

	for (unsigned option = 1; option <= OPTION_AT_LEAST; option <<= 1) {
		const char *at = c->seen_at[option];

		if (wrong & option)
			return REFUSE(c, at, "E40",
				      "“%.*s” has no meaning for this kind of deadline: leave it "
				      "out", shown_length(at), at);
	}
	if (is_empty(&c->d))
		return REFUSE(c, c->text, "E40",
			      "this deadline ends when it begins: write 截止:下班 instead");
	return 0;
}

static int parse_all(struct cursor *c)
{
	int r = check_width(c);

	if (r < 0)
		return r;
	skip_blanks(c);
	if (eat(c, "到期前")) {
		c->d.kind = DEADLINE_BACKWARD;
		skip_blanks(c);
		r = parse_span(c);
	} else if (eat(c, "每")) {
		r = parse_series(c);
	} else if (is_digit(*c->p) || check_wide_digit(c) < 0) {
		r = parse_span(c);
	} else {
		r = parse_point(c);
	}
	for (skip_blanks(c); r == 0 && *c->p; skip_blanks(c)) {
		if (!is_blank(c->p[-1]))
			return refuse_word(c, "put a blank before it");
		r = parse_option(c);
	}
	return r < 0 ? r : check_options(c);
}

int deadline_parse(const char *text, struct arena *a, struct deadline *ret, size_t *ret_at,
		   struct err *e)
{
	struct cursor c = { .text = text, .p = text, .arena = a, .trouble = text, .e = e };
	int r;

	c.d.time = -1;
	r = parse_all(&c);
	if (ret_at)
		*ret_at = r < 0 ? (size_t)(c.trouble - text) : 0;
	if (r == 0)
		*ret = deadline_decided(&c.d);
	return r;
}
