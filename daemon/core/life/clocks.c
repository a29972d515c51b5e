/*
 * One wake-up per case: the ladder is not stored, it is derived. From the running leg's due times and
 * the policy's steps follows what is to happen next; what has happened is remembered by identity in
 * leg.fired. So a restart, a clock jump or a second daemon cannot double a step, and what fell due
 * meanwhile is done in order.
 */
#include "core/life/clocks.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/time/moment.h"
#include "core/time/worktime.h"

const struct calendar *office_calendar(const struct office *office, const struct deadline *d,
				       const struct policy *policy)
{
	const struct calendar *cal = NULL;

	if (d->calendar)
		cal = map_get(&office->calendar_by_name, d->calendar);
	if (!cal && policy)
		cal = policy->calendar;
	return cal ? cal : office->default_calendar;
}

static const char *name_of(const struct calendar *cal)
{
	return cal ? cal->name : NULL;
}

void leg_start_clock(const struct office *office, struct leg *leg, enum clock_name k, const struct policy *policy,
		     int64_t start)
{
	struct due due = {0};
	struct err e;

	if (!policy->has[k])
		return;
	if (deadline_due(&policy->clock[k], office_calendar(office, &policy->clock[k], policy), start, NULL, &due, &e))
		return;
	/* In whole seconds: the limit that is kept is the one that was told. */
	leg->due[k] = due.at - due.at % 1000000;
	leg->unsure[k] = (struct basis){0};
	if (due.provisional)
		leg->unsure[k] = (struct basis){start, policy->text[k],
						name_of(office_calendar(office, &policy->clock[k], policy)), 0};
	leg->provisional |= due.provisional;
}

int64_t leg_limit(const struct office *office, enum clock_name k, const struct policy *policy, int64_t start)
{
	struct leg leg = {.due = {MOMENT_NONE, MOMENT_NONE, MOMENT_NONE, MOMENT_NONE}};

	leg_start_clock(office, &leg, k, policy, start);
	return leg.due[k];
}

void leg_settle(struct leg *leg)
{
	leg->provisional = false;
	for (int k = 0; k < N_CLOCKS; k++) {
		if (leg->met[k] != MOMENT_NONE || leg->due[k] == MOMENT_NONE)
			leg->unsure[k] = (struct basis){0};
		leg->provisional |= leg->unsure[k].spec != NULL;
	}
}

enum clock_from clock_starts(const struct policy *policy, enum clock_name k)
{
	/* A body that gets the case later has its own time to accept and to call; the resident's limit stays. */
	static const enum clock_from usual[N_CLOCKS] = {
		[CLOCK_ACCEPT] = FROM_DISPATCHED, [CLOCK_CONTACT] = FROM_DISPATCHED, [CLOCK_RESOLVE] = FROM_RECEIVED,
		[CLOCK_FEEDBACK] = FROM_RESOLVED};

	return policy->from[k] == FROM_USUAL || k == CLOCK_FEEDBACK ? usual[k] : policy->from[k];
}

void leg_start(const struct office *office, struct leg *leg, int n, const struct policy *policy, int64_t start)
{
	memset(leg, 0, sizeof(*leg));
	leg->n = n;
	leg->policy = policy->name;
	leg->started_at = start;
	for (int k = 0; k < N_CLOCKS; k++) {
		leg->due[k] = leg->met[k] = MOMENT_NONE;
		/* The time to tell the reporter runs from the day there is something to tell. */
		if (clock_starts(policy, (enum clock_name)k) < FROM_ACCEPTED)
			leg_start_clock(office, leg, (enum clock_name)k, policy, start);
	}
}

/* Whether what the ladder remembers is about clock k: "overdue accept", "accept 逾期 remind 0". */
static bool is_about(const char *identity, enum clock_name k)
{
	size_t n = strlen(clock_names[k]);

	if (strncmp(identity, "overdue ", strlen("overdue ")) == 0)
		return strcmp(identity + strlen("overdue "), clock_names[k]) == 0;
	return strncmp(identity, clock_names[k], n) == 0 && identity[n] == ' ';
}

static void forget_clock(struct leg *leg, enum clock_name k)
{
	size_t kept = 0;

	for (size_t i = 0; i < leg->fired.n; i++)
		if (!is_about(leg->fired.v[i], k))
			leg->fired.v[kept++] = leg->fired.v[i];
	leg->fired.n = kept;
}

void leg_hand_on(const struct office *office, struct leg *leg, const struct policy *policy, int64_t now)
{
	size_t kept = 0;

	for (int k = 0; k < N_CLOCKS; k++) {
		enum clock_from from = clock_starts(policy, (enum clock_name)k);

		if (from != FROM_DISPATCHED && from != FROM_ACCEPTED)
			continue;
		leg->due[k] = leg->met[k] = MOMENT_NONE;
		leg->unsure[k] = (struct basis){0};
		forget_clock(leg, (enum clock_name)k);
		if (from == FROM_DISPATCHED)
			leg_start_clock(office, leg, (enum clock_name)k, policy, now);
	}
	for (size_t i = 0; i < leg->fired.n; i++)
		if (strncmp(leg->fired.v[i], "unassigned", strlen("unassigned")) != 0)
			leg->fired.v[kept++] = leg->fired.v[i];
	leg->fired.n = kept;
}

void leg_accept(const struct office *office, struct leg *leg, const struct policy *policy, int64_t now)
{
	for (int k = 0; k < N_CLOCKS; k++)
		if (clock_starts(policy, (enum clock_name)k) == FROM_ACCEPTED && leg->due[k] == MOMENT_NONE &&
		    leg->met[k] == MOMENT_NONE)
			leg_start_clock(office, leg, (enum clock_name)k, policy, now);
}

bool ladder_has_fired(const struct leg *leg, const char *identity)
{
	for (size_t i = 0; i < leg->fired.n; i++)
		if (strcmp(leg->fired.v[i], identity) == 0)
			return true;
	return false;
}

/* The first open minute at or after `at`; `at` itself when the calendar has none within a month. */
static int64_t next_open(const struct calendar *cal, int64_t at)
{
	int32_t first = moment_day(at);

	for (int32_t day = first; day < first + 31; day++) {
		struct day_view view;

		calendar_day(cal, day, &view);
		for (int i = 0; i < view.hours.n; i++) {
			int64_t from = moment_of_day(day, view.hours.spans[i].from);
			int64_t to = moment_of_day(day, view.hours.spans[i].to);

			if (at < to)
				return at > from ? at : from;
		}
	}
	return at;
}

/* Since when triage has it. */
static int64_t unassigned_since(const struct case_record *c)
{
	for (size_t i = c->errands.n; i-- > 0;)
		if (c->errands.v[i].kind == ERRAND_TRIAGE && !c->errands.v[i].done)
			return c->errands.v[i].at;
	return c->leg.started_at;
}

int64_t ladder_step_at(const struct office *office, const struct case_record *c, const struct policy *policy,
		       const struct step *s)
{
	const struct calendar *cal = office_calendar(office, &s->span, policy);
	int64_t limit = c->leg.due[s->clock];
	struct due due = {.at = MOMENT_NONE};
	struct err e;

	switch (s->when) {
	case STEP_CREATED:
		return c->leg.started_at;
	case STEP_UNASSIGNED:
		if (c->state != STATE_TRIAGE)
			return MOMENT_NONE;
		return deadline_due(&s->span, cal, unassigned_since(c), NULL, &due, &e) == 0 ? due.at : MOMENT_NONE;
	case STEP_BEFORE:
		if (limit == MOMENT_NONE || c->leg.met[s->clock] != MOMENT_NONE)
			return MOMENT_NONE;
		return deadline_before(&s->span, cal, limit, NULL, &due, &e) == 0 ? due.at : MOMENT_NONE;
	case STEP_AFTER:
		if (limit == MOMENT_NONE || c->leg.met[s->clock] != MOMENT_NONE)
			return MOMENT_NONE;
		if (!s->has_span)
			return limit;
		return deadline_due(&s->span, cal, limit, NULL, &due, &e) == 0 ? due.at : MOMENT_NONE;
	}
	return MOMENT_NONE;
}

int64_t ladder_heard_at(const struct escalation *ladder, const struct step *s, int64_t at)
{
	bool held = ladder->quiet && s->act != DO_RAISE && !(ladder->quiet_except & (1u << s->act));

	return held ? next_open(ladder->quiet, at) : at;
}

static bool clocks_run(const struct case_record *c)
{
	return c->state == STATE_TRIAGE || c->state == STATE_ASSIGNED || c->state == STATE_ACCEPTED;
}

static bool is_open(const struct case_record *c)
{
	return clocks_run(c) || c->state == STATE_SUSPENDED;
}

/* The time to tell the reporter runs when the work is done, all others until then; a pause stops those that it stops. */
static bool clock_runs(const struct case_record *c, const struct policy *policy, enum clock_name k)
{
	if (c->state == STATE_RESOLVED)
		return k == CLOCK_FEEDBACK;
	return clocks_run(c) || (c->state == STATE_SUSPENDED && (policy->runs_on & (1u << k)));
}

static const char *limit_identity(enum clock_name k, struct arena *a)
{
	return arena_printf(a, "overdue %s", clock_names[k]);
}

const char *ladder_step_identity(const struct step *s, struct arena *a)
{
	return arena_printf(a, "%s %s %d", s->text, step_do_names[s->act], s->mark);
}

static void forget(struct leg *leg, const char *identity)
{
	size_t kept = 0;

	for (size_t i = 0; i < leg->fired.n; i++)
		if (strcmp(leg->fired.v[i], identity) != 0)
			leg->fired.v[kept++] = leg->fired.v[i];
	leg->fired.n = kept;
}

static const struct policy *policy_of(const struct office *office, const struct case_record *c)
{
	const struct policy *policy = map_get(&office->policy_by_name, c->leg.policy);

	return policy ? policy : office->fallback_policy;
}

void leg_rearm(const struct office *office, struct case_record *c, enum clock_name k, int64_t now, struct arena *a)
{
	const struct policy *policy = policy_of(office, c);
	const struct escalation *ladder = policy->escalation;

	if (c->leg.due[k] > now)
		forget(&c->leg, limit_identity(k, a));
	for (size_t i = 0; ladder && i < ladder->n_steps; i++) {
		const struct step *s = &ladder->steps[i];

		if ((s->when == STEP_BEFORE || s->when == STEP_AFTER) && s->clock == k &&
		    ladder_step_at(office, c, policy, s) > now)
			forget(&c->leg, ladder_step_identity(s, a));
	}
}

/* In whole seconds, as times are told: at 09:00:00 what is due at 09:00:00 happens. */
static void consider(struct ladder_item *best, bool *found, const struct ladder_item *item)
{
	int64_t at = item->at - item->at % 1000000;

	if (!*found || at < best->at) {
		*best = *item;
		best->at = at;
		*found = true;
	}
}

static void consider_limits(const struct case_record *c, const struct policy *policy, struct arena *a,
			    struct ladder_item *best, bool *found)
{
	for (int k = 0; k < N_CLOCKS; k++) {
		struct ladder_item item = {.kind = LADDER_OVERDUE, .at = c->leg.due[k], .clock = (enum clock_name)k};

		if (item.at == MOMENT_NONE || c->leg.met[k] != MOMENT_NONE || !clock_runs(c, policy, item.clock))
			continue;
		item.identity = limit_identity((enum clock_name)k, a);
		if (!ladder_has_fired(&c->leg, item.identity))
			consider(best, found, &item);
	}
}

static bool step_runs(const struct case_record *c, const struct policy *policy, const struct step *s)
{
	return s->when == STEP_CREATED || s->when == STEP_UNASSIGNED ? clocks_run(c) : clock_runs(c, policy, s->clock);
}

static void consider_steps(const struct office *office, const struct case_record *c, const struct policy *policy,
			   struct arena *a, struct ladder_item *best, bool *found)
{
	const struct escalation *ladder = policy->escalation;

	for (size_t i = 0; ladder && i < ladder->n_steps; i++) {
		const struct step *s = &ladder->steps[i];
		struct ladder_item item = {.kind = LADDER_STEP, .at = ladder_step_at(office, c, policy, s),
					   .clock = s->clock, .step = s};

		if (item.at == MOMENT_NONE || !step_runs(c, policy, s))
			continue;
		item.identity = ladder_step_identity(s, a);
		if (ladder_has_fired(&c->leg, item.identity))
			continue;
		item.at = ladder_heard_at(ladder, s, item.at);
		consider(best, found, &item);
	}
}

static void consider_errand(const struct case_record *c, struct ladder_item item, struct ladder_item *best, bool *found)
{
	if (item.at != MOMENT_NONE && !ladder_has_fired(&c->leg, item.identity))
		consider(best, found, &item);
}

/* When an order that nobody answered is raised to the leader. */
static int64_t order_raised_at(const struct office *office, const struct errand *order, const struct policy *policy)
{
	const struct deadline *after = &office->life.supervise_raise;
	struct due due;
	struct err e;

	if (order->due == MOMENT_NONE || !office->life.supervise_raises)
		return order->due;
	return deadline_due(after, office_calendar(office, after, policy), order->due, NULL, &due, &e) == 0 ? due.at
													    : order->due;
}

/* What one body asked of another has a limit of its own, which passes once; an order is then raised, a pause ends. */
static void consider_errands(const struct office *office, const struct case_record *c, const struct policy *policy,
			     struct arena *a, struct ladder_item *best, bool *found)
{
	struct ladder_item item = {.kind = LADDER_ERRAND};

	for (item.index = 0; item.index < c->errands.n; item.index++) {
		const struct errand *errand = &c->errands.v[item.index];

		if (errand->done)
			continue;
		item.kind = LADDER_ERRAND;
		item.at = errand->due;
		item.identity = arena_printf(a, "errand %d", errand->seq);
		consider_errand(c, item, best, found);
		if (errand->kind == ERRAND_ORDER) {
			item.kind = LADDER_RAISE;
			item.at = order_raised_at(office, errand, policy);
			item.identity = arena_printf(a, "errand %d raise", errand->seq);
			consider_errand(c, item, best, found);
		}
		if (errand->kind == ERRAND_PAUSE) {
			item.kind = LADDER_RESUME;
			item.at = errand->until;
			item.identity = arena_printf(a, "resume %d", errand->seq);
			consider_errand(c, item, best, found);
		}
	}
}

/* Who was called must come, and who has a task must do it, each by an own limit. */
static void consider_supports(const struct case_record *c, struct arena *a, struct ladder_item *best, bool *found)
{
	struct ladder_item item = {.kind = LADDER_SUPPORT};

	for (item.index = 0; item.index < c->supports.n; item.index++) {
		const struct support *support = &c->supports.v[item.index];

		item.at = support->due;
		/* Who was called comes all the same; a task rests with the case. */
		if (support->done || item.at == MOMENT_NONE || (c->state == STATE_SUSPENDED && !support_waits(support)))
			continue;
		item.identity = arena_printf(a, "%s %s %d", support_waits(support) ? "report_in" : "support", support->dept,
					     support->seq);
		consider_errand(c, item, best, found);
	}
}

static void consider_close(const struct office *office, const struct case_record *c, const struct policy *policy,
			   struct ladder_item *best, bool *found)
{
	const struct deadline *window = &office->life.closing_window;
	struct ladder_item item = {.kind = LADDER_CLOSE, .at = MOMENT_NONE, .clock = CLOCK_RESOLVE, .identity = "close"};
	struct due due;
	struct err e;

	if (c->state != STATE_RESOLVED || !office->life.unrated_close || c->resolved_at == MOMENT_NONE)
		return;
	if (deadline_due(window, office_calendar(office, window, policy), c->resolved_at, NULL, &due, &e) != 0)
		return;
	item.at = due.at;
	consider(best, found, &item);
}

bool ladder_next(const struct office *office, const struct case_record *c, struct arena *a,
		 struct ladder_item *ret)
{
	const struct policy *policy = policy_of(office, c);
	bool found = false;

	/* At one instant the limit itself comes before the steps that follow from it. */
	consider_limits(c, policy, a, ret, &found);
	consider_steps(office, c, policy, a, ret, &found);
	if (is_open(c) || c->state == STATE_RESOLVED) {
		consider_errands(office, c, policy, a, ret, &found);
		consider_supports(c, a, ret, &found);
	}
	consider_close(office, c, policy, ret, &found);
	return found;
}

/* ---- what a pause does to limits -------------------------------------------------------------- */
const struct calendar *pause_calendar(const struct office *office, const struct policy *policy, enum clock_name k)
{
	return policy->has[k] && work_is_counted(&policy->clock[k]) ? office_calendar(office, &policy->clock[k], policy) : NULL;
}

bool pause_stops(const struct case_record *c, const struct policy *policy, enum clock_name k)
{
	return !(policy->runs_on & (1u << k)) && c->leg.due[k] != MOMENT_NONE && c->leg.met[k] == MOMENT_NONE;
}
