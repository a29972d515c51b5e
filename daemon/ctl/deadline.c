/* When is something due, and why: the walk over the days that the gateway itself takes. */
#include "ctl/ctl.h"
#include "ctl/question.h"
#include "ctl/walk.h"

#include "base/clock.h"
#include "core/office.h"
#include "core/time/moment.h"
#include "settings/snapshot.h"

enum { MANY = 1000 };

static const struct flag flags[] = {
	{"from", 0, "TIME", N_("when it starts (now); for 到期前 the limit that it counts back from")},
	{"calendar", 0, "NAME", N_("calendar of the folder, where SPEC names none (defaults: calendar)")},
	{"count", 'n', "K", N_("of a series: the next K times (1)")},
	{"stdin", 0, NULL, N_("one question a line: {\"spec\":…,\"from\":…,\"calendar\":…,\"n\":…}; one JSON answer a line")},
	{0},
};

static int find_calendar(const struct ctl *ctl, const char *name, const struct deadline *d,
			 const struct calendar **ret, struct err *e)
{
	const struct office *office = &ctl->settings->office;
	const char *wanted = d->calendar ? d->calendar : name, *names[64], *near;
	size_t n = 0;

	*ret = office->default_calendar;
	if (!wanted)
		return 0;
	*ret = map_get(&office->calendar_by_name, wanted);
	if (*ret)
		return 0;
	for (; n < office->n_calendars && n < ARRAY_LEN(names); n++)
		names[n] = office->calendars[n].name;
	near = args_nearest(wanted, names, n);
	return near ? ctl_usage(e, "there is no calendar %s: did you mean %s?", wanted, near)
		    : ctl_usage(e, "there is no calendar %s", wanted);
}

struct asked {
	struct deadline d;
	const struct calendar *calendar;
	int64_t from, count;
};

static int read_question(struct ctl *ctl, const json_t *question, struct asked *ret, struct err *e)
{
	const char *spec = question_get(question, "spec"), *from = question_get(question, "from");
	const char *count = question_get(question, "count") ? question_get(question, "count") : question_get(question, "n");
	size_t at = 0;
	int r;

	*ret = (struct asked){.from = clock_now_us(), .count = 1};
	if (!spec)
		return ctl_usage(e, "deadline needs SPEC, such as \"5 工作日\"");
	if (from && !moment_parse(from, &ret->from))
		return ctl_usage(e, "--from: '%s' is not a time such as 2026-02-13 16:40", from);
	if (count && !str_to_int(count, 1, MANY, &ret->count))
		return ctl_usage(e, "-n: '%s' is not a number from 1 to %d", count, MANY);
	r = deadline_parse(spec, &ctl->arena, &ret->d, &at, e);
	if (r < 0) {
		err_prefix(e, "%s, byte %zu of '%s': ", e->code, at + 1, spec);
		return r;
	}
	return find_calendar(ctl, question_get(question, "calendar"), &ret->d, &ret->calendar, e);
}

static int answer(struct ctl *ctl, const json_t *question, json_t **ret, struct err *e)
{
	struct due first = {0}, *all;
	size_t n = 1;
	struct asked q;
	json_t *times;
	bool provisional = false;
	int r = read_question(ctl, question, &q, e);

	if (r < 0)
		return r;
	r = q.d.kind == DEADLINE_BACKWARD
		    ? deadline_before(&q.d, q.calendar, q.from, &ctl->arena, &first, e)
		    : deadline_due(&q.d, q.calendar, q.from, &ctl->arena, &first, e);
	all = &first;
	if (r == 0 && q.d.kind == DEADLINE_SERIES && q.count > 1) {
		all = arena_alloc(&ctl->arena, (size_t)q.count * sizeof(*all));
		r = deadline_next(&q.d, q.calendar, q.from, (size_t)q.count, all, &n, e);
	}
	if (r < 0)
		return r;
	times = json_array();
	for (size_t i = 0; i < n; i++) {
		json_array_append_new(times, ctl_json_time(all[i].at));
		provisional = provisional || all[i].provisional;
	}
	*ret = json_pack("{s:o,s:o,s:b,s:s,s:o,s:o}", "due", ctl_json_time(first.at), "all", times, "provisional",
			 provisional || first.provisional, "canonical", deadline_text(&q.d, &ctl->arena), "walk",
			 walk_json(&first), "calendar", ctl_json_text(q.calendar ? q.calendar->name : NULL));
	return 0;
}

static void print_times(struct ctl *ctl, const json_t *times)
{
	size_t i;
	json_t *time;

	json_array_foreach(times, i, time) {
		char text[MOMENT_TEXT];
		int64_t at = 0;

		moment_parse(json_string_value(time), &at);
		grid_pad(&ctl->out, i ? "" : say(ctl, "due"), 12);
		str_addf(&ctl->out, "%s\n", moment_human(at, true, text));
	}
}

static void print_text(struct ctl *ctl, const json_t *question, const json_t *answer)
{
	(void)question;
	grid_pad(&ctl->out, say(ctl, "in full"), 12);
	str_addf(&ctl->out, "%s\n", json_string_value(json_object_get(answer, "canonical")));
	walk_print(ctl, json_object_get(answer, "walk"), 0);
	print_times(ctl, json_object_get(answer, "all"));
	if (json_is_true(json_object_get(answer, "provisional")))
		str_addf(&ctl->out, "%s\n", say(ctl, "provisional: a year has no calendar yet"));
}

static int run(struct ctl *ctl, struct err *e)
{
	return question_run(ctl, "spec", answer, print_text, e);
}

const struct verb verb_deadline = {
	.name = "deadline",
	.group = ctl_offline,
	.operands = "SPEC",
	.help = N_("Compute a deadline such as \"5 工作日\" and show the days that it walks over."),
	.detail = N_("SPEC is what deadlines.yaml takes: a span, a point (次日 12:00, 上不过午下不过夜), a series (每旬 遇休提前), or "
		     "\"到期前 SPAN\". Days that count are marked +.\n"),
	.flags = flags,
	.max_operands = ARGS_OPERANDS,
	.run = run,
};
