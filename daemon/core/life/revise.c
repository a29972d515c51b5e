/*
 * A limit that lies in a year without data was a guess, and said so. When the year's calendar has come it
 * is counted anew, from where and by what it was counted first: neither a policy that was changed meanwhile
 * nor a limit that was never in doubt moves with it. What changes is told, and so is what holds.
 */
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "core/life/clocks.h"
#include "core/life/step.h"
#include "core/time/moment.h"
#include "core/time/worktime.h"

struct revision {
	struct str note, detail, old;
	bool any;                       /* something is to be told */
};

static void revision_done(struct revision *v)
{
	str_done(&v->note);
	str_done(&v->detail);
	str_done(&v->old);
}

bool basis_due(const struct office *office, const struct basis *basis, struct arena *a, struct due *ret)
{
	struct deadline d;
	struct err e;
	size_t at;
	const char *calendar;
	const struct calendar *cal;

	if (deadline_parse(basis->spec, a, &d, &at, &e) < 0)
		return false;
	calendar = d.calendar ? d.calendar : basis->calendar;
	cal = calendar ? map_get(&office->calendar_by_name, calendar) : office->default_calendar;
	if (!cal || deadline_due(&d, cal, basis->from, NULL, ret, &e) < 0)
		return false;
	ret->at = work_shift(work_is_counted(&d) ? cal : NULL, ret->at - ret->at % 1000000, basis->paused);
	return true;
}

static void note(struct revision *v, enum clock_name k, const struct basis *basis, int64_t old, const struct due *due)
{
	char was[MOMENT_TEXT], is[MOMENT_TEXT];
	const char *comma = v->any ? "," : "";

	str_addf(&v->note, "%s%s %s", v->any ? "; " : "", clock_names[k], moment_human(old, true, was));
	if (due->at != old)
		str_addf(&v->note, " → %s", moment_human(due->at, true, is));
	else
		str_add(&v->note, " holds");
	str_addf(&v->detail, "%s\"%s\":{\"old\":\"%s\",\"new\":\"%s\",\"provisional\":%s,\"spec\":", comma,
		 clock_names[k], moment_rfc3339(old, was), moment_rfc3339(due->at, is),
		 due->provisional ? "true" : "false");
	str_json(&v->detail, basis->spec);
	str_add(&v->detail, ",\"calendar\":");
	str_json(&v->detail, basis->calendar);
	str_addc(&v->detail, '}');
	str_addf(&v->old, "%s\"%s\":\"%s\"", comma, clock_names[k], was);
	v->any = true;
}

static void revise_clock(struct life *l, enum clock_name k, struct revision *v)
{
	struct leg *leg = &l->c->leg;
	const struct basis basis = leg->unsure[k];
	int64_t old = leg->due[k];
	struct due due;

	if (!basis_due(l->office, &basis, l->a, &due) || (due.at == old && due.provisional))
		return;
	note(v, k, &basis, old, &due);
	leg->due[k] = due.at;
	if (!due.provisional)
		leg->unsure[k] = (struct basis){0};
	if (due.at != old)
		leg_rearm(l->office, l->c, k, l->now, l->a);
}

static void tell(struct life *l, const struct revision *v)
{
	int seq = life_record(l, "deadline_revised", l->c->lead, NULL, arena_strdup(l->a, v->note.s),
			      arena_printf(l->a, "{%s}", v->detail.s));

	life_tell_revised(l, seq, arena_printf(l->a, "the calendar has changed: %s", v->note.s),
			  arena_printf(l->a, ",\"old\":{%s}", v->old.s));
}

int clock_revise(struct life *l)
{
	CLEANUP(revision_done) struct revision v = {0};

	leg_settle(&l->c->leg);
	for (int k = 0; k < N_CLOCKS; k++)
		if (l->c->leg.unsure[k].spec)
			revise_clock(l, (enum clock_name)k, &v);
	if (v.any)
		tell(l, &v);
	return 0;
}
