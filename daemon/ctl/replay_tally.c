/*
 * One stored report after the other is understood and routed twice, by the functions that did it when it came
 * in; what is kept of it is a few counters and, of the first so many that differ, the case's number.
 */
#include "ctl/replay.h"

#include "base/err.h"
#include "base/str.h"
#include "base/tongue.h"
#include "core/life/clocks.h"
#include "core/time/moment.h"
#include "core/understand/route.h"
#include "trial/sample.h"

struct outcome {
	const char *dept, *rule;
	enum route_source source;
	struct leg leg;
};

static void add_case(struct tally *t, case_list *list, const char *number)
{
	if (list->n < t->keep)
		VEC_PUSH(list, arena_strdup(&t->arena, number));
}

static void put(json_t *members, const char *path, const char *text)
{
	if (text)
		sample_put(members, path, json_string(text));
}

static json_t *members_of(const struct stored_report *r)
{
	json_t *members = json_object();

	put(members, "text", r->text);
	put(members, "category", r->category);
	put(members, "place.grid", r->grid);
	put(members, "urgency", r->urgency);
	put(members, "device", r->device);
	put(members, "accused", r->accused);
	if (r->secret)
		sample_put(members, "reporter.secret", json_true());
	return members;
}

static void count_rules(struct tally *t, const struct decision *d)
{
	if (d->rule)
		t->rules[d->rule - t->to->rules].won++;
	for (size_t i = 0; i < d->n_also; i++)
		t->rules[d->also[i]].lost++;
}

/* Leaves ret->dept NULL where this office would make a dead letter of it. */
static void decide(struct tally *t, const struct office *office, const struct stored_report *r, json_t *members,
		   struct outcome *ret)
{
	const struct channel *channel = map_get(&office->channel_by_id, r->channel);
	struct understood u = {0};
	struct decision d;
	struct err e;

	*ret = (struct outcome){.source = ROUTE_FALLBACK};
	for (int k = 0; k < N_CLOCKS; k++)
		ret->leg.due[k] = MOMENT_NONE;
	if (channel && sample_understand(office, channel, members, r->received_at, &t->scratch, &u, &e) == 0) {
		route(office, &u.reports[0], &t->scratch, office == t->to ? ROUTE_ALSO : 0, &d);
		ret->dept = d.dept->id;
		ret->rule = d.rule ? d.rule->id : NULL;
		ret->source = d.source;
		leg_start(office, &ret->leg, 1, d.policy, r->received_at);
		if (office == t->to)
			count_rules(t, &d);
	}
	understood_done(&u);
}

/* Which rule is the reason that the department is another, and why. */
static void blame(const struct tally *t, const struct outcome *from, const struct outcome *to,
		  struct replay_group *ret)
{
	bool is_new = to->rule && !map_get(&t->from->rule_by_id, to->rule);
	bool is_gone = from->rule && !map_get(&t->to->rule_by_id, from->rule);

	ret->rule = to->rule ? to->rule : from->rule;
	ret->why = N_("the rule was changed");
	if (is_new) {
		ret->why = N_("the rule is new");
	} else if (is_gone) {
		ret->rule = from->rule;
		ret->why = N_("the rule is gone");
	} else if (to->rule && !str_equal(to->rule, from->rule)) {
		ret->why = N_("the rule wins now");
	} else if (!to->rule && from->rule) {
		ret->why = N_("the rule does not win any more");
	} else if (!to->dept || !from->dept) {
		ret->why = N_("the channel is not there");
	} else if (!ret->rule) {
		ret->why = to->source == ROUTE_CATEGORY ? N_("the category was changed") : N_("the fallback decides");
	}
}

static void add_group(struct tally *t, const struct replay_group *like, const char *number)
{
	const char *key = arena_printf(&t->scratch, "%s\n%s\n%s\n%s", like->from ? like->from : "", like->to ? like->to : "",
				       like->rule ? like->rule : "", like->why);
	struct replay_group *group = map_get(&t->group_by_key, key);

	if (!group) {
		group = arena_alloc(&t->arena, sizeof(*group));
		*group = *like;
		map_put(&t->group_by_key, arena_strdup(&t->arena, key), group);
		VEC_PUSH(&t->groups, group);
	}
	group->count++;
	add_case(t, &group->cases, number);
}

static void compare_limits(struct tally *t, const struct stored_report *r, const struct outcome *from,
			   const struct outcome *to)
{
	int64_t before = from->leg.due[CLOCK_RESOLVE], after = to->leg.due[CLOCK_RESOLVE];
	int64_t done = r->done_at == MOMENT_NONE ? t->now : r->done_at;
	bool late_before = before != MOMENT_NONE && done > before, late_after = after != MOMENT_NONE && done > after;

	if (memcmp(from->leg.due, to->leg.due, sizeof(to->leg.due)) != 0) {
		t->changed_due++;
		add_case(t, &t->due_cases, r->number);
	}
	t->earlier += after != MOMENT_NONE && before != MOMENT_NONE && after < before;
	t->later += after != MOMENT_NONE && before != MOMENT_NONE && after > before;
	t->late_before += late_before;
	t->late_after += late_after;
	if (late_after && !late_before)
		add_case(t, &t->late_cases, r->number);
}

void tally_init(struct tally *t, const struct office *from, const struct office *to, int64_t now, size_t keep)
{
	*t = (struct tally){.from = from, .to = to, .now = now, .keep = keep};
	t->rules = arena_alloc(&t->arena, (to->n_rules + 1) * sizeof(*t->rules));
}

void tally_add(struct tally *t, const struct stored_report *r)
{
	json_t *members = members_of(r);
	struct outcome from, to;

	decide(t, t->from, r, members, &from);
	decide(t, t->to, r, members, &to);
	json_decref(members);
	t->total++;
	if (str_equal(from.dept, to.dept)) {
		t->same++;
	} else {
		struct replay_group group = {.from = from.dept, .to = to.dept};

		blame(t, &from, &to, &group);
		add_group(t, &group, r->number);
	}
	/* A report that joined a case has no limits of its own. */
	if (r->first)
		compare_limits(t, r, &from, &to);
	arena_reset(&t->scratch);
}

void tally_done(struct tally *t)
{
	for (size_t i = 0; i < t->groups.n; i++)
		VEC_DONE(&t->groups.v[i]->cases);
	VEC_DONE(&t->groups);
	VEC_DONE(&t->due_cases);
	VEC_DONE(&t->late_cases);
	map_done(&t->group_by_key);
	arena_done(&t->arena);
	arena_done(&t->scratch);
}
