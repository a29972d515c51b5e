/* What the clock does: limits that pass, steps of the ladder, the end of the rating window. */
#include <string.h>

#include "base/str.h"
#include "base/tongue.h"
#include "core/life/clocks.h"
#include "core/life/step.h"
#include "core/time/moment.h"

enum { LATE_US = 60 * 1000000 };   /* a step done more than a minute after its instant is marked late */

/* `of`: the history row of what was asked, 0 of a clock's own. */
static const char *item_detail(struct life *l, const struct ladder_item *item, const char *clock, int of)
{
	char text[MOMENT_TEXT];

	return arena_printf(l->a, "{\"clock\":\"%s\",%s\"due\":\"%s\",\"late\":%s}", clock,
			    of ? arena_printf(l->a, "\"of\":%d,", of) : "", moment_rfc3339(item->at, text),
			    l->now - item->at > LATE_US ? "true" : "false");
}

static void tell_target(struct life *l, int seq, const struct step *s, struct tell what)
{
	switch (s->to) {
	case TO_LEADER:
		life_tell_leader(l, seq, what);
		return;
	case TO_LEAD:
		what.to = "lead";
		what.dept = l->c->lead;
		what.role = life_lead_role(l->c);
		life_tell(l, seq, &what);
		return;
	case TO_SUPPORTS:
		what.to = "supports";
		what.role = "support";
		for (size_t i = 0; i < l->c->supports.n; i++)
			if (!l->c->supports.v[i].done) {
				what.dept = l->c->supports.v[i].dept;
				life_tell(l, seq, &what);
			}
		return;
	case TO_DEPT:
		what.to = s->dept->id;
		what.dept = s->dept->id;
		what.role = s->dept->kind == DEPT_SUPERVISOR ? "supervisor" : "copy";
		life_tell(l, seq, &what);
		return;
	}
}

static const char *step_kind(const struct step *s)
{
	switch (s->act) {
	case DO_REMIND:
		return s->when == STEP_BEFORE ? "due_soon" : "reminded";
	case DO_SUPERVISE:
		return "supervised";
	case DO_RAISE:
	case DO_NOTIFY:
	case DO_PUBLISH:
	case N_STEP_DO:
		break;
	}
	return "escalated";
}

static const char *step_department(const struct life *l, const struct step *s)
{
	return s->to == TO_DEPT ? s->dept->id : l->c->lead;
}

/* An order is told to both: who must act, and who will ask. */
static void give_order(struct life *l, int seq, const struct step *s, struct tell *what)
{
	const struct department *from = s->to == TO_DEPT ? s->dept : l->office->life.supervisor;
	struct errand order = life_add_order(l, seq, from, s->note ? s->note : s->text,
					     life_order_due(l, s->has_within ? &s->within : NULL));

	what->more = life_order_json(l, &order);
	tell_target(l, seq, s, *what);
	if (from && strcmp(from->id, l->c->lead) != 0) {
		what->to = from->id;
		what->dept = from->id;
		what->role = from->kind == DEPT_SUPERVISOR ? "supervisor" : "copy";
		life_tell(l, seq, what);
	}
	what->to = "lead";
	what->dept = l->c->lead;
	what->role = life_lead_role(l->c);
	life_tell(l, seq, what);
}

static void do_step(struct life *l, const struct ladder_item *item)
{
	const struct step *s = item->step;
	const char *kind = step_kind(s);
	struct tell what = {.kind = kind, .clock = clock_names[s->clock], .why = s->note ? s->note : s->text};
	int seq;

	if (s->act != DO_REMIND) {
		what.level = s->level;
		if (s->level > l->c->leg.level)
			l->c->leg.level = s->level;
	}
	seq = life_record(l, kind, step_department(l, s), NULL, s->note ? s->note : s->text,
			  item_detail(l, item, clock_names[item->clock], 0));
	if (s->act == DO_SUPERVISE)
		give_order(l, seq, s, &what);
	else
		tell_target(l, seq, s, what);
}

static void pass_limit(struct life *l, const struct ladder_item *item)
{
	int seq = life_record(l, "overdue", l->c->lead, NULL, clock_names[item->clock],
			      item_detail(l, item, clock_names[item->clock], 0));

	life_tell(l, seq, &(struct tell){.kind = "overdue", .dept = l->c->lead, .role = life_lead_role(l->c),
					 .clock = clock_names[item->clock]});
	if (item->clock == CLOCK_RESOLVE)
		life_reply(l, "late", NULL);
}

static void tell_late(struct life *l, int seq, const char *dept, const char *clock)
{
	const struct department *d = dept ? map_get(&l->office->dept_by_id, dept) : NULL;

	if (d)
		life_tell(l, seq, &(struct tell){.kind = "overdue", .dept = dept, .role = life_role(l, d), .clock = clock});
}

/* Who should have acted, who waits for it, and the lead are told. */
static void pass_errand(struct life *l, const struct ladder_item *item)
{
	const struct errand *errand = &l->c->errands.v[item->index];
	const char *clock = errand_kind_names[errand->kind], *to = errand->to, *from = errand->from;
	int seq = life_record(l, "overdue", to ? to : l->c->lead, NULL, clock, item_detail(l, item, clock, errand->seq));

	/* For a case in triage the supervisor waits, not who gave it away. */
	if (errand->kind == ERRAND_TRIAGE)
		from = l->office->life.supervisor ? l->office->life.supervisor->id : NULL;

	tell_late(l, seq, to, clock);
	tell_late(l, seq, from, clock);
	tell_late(l, seq, l->c->lead, clock);
}

static void raise_order(struct life *l, const struct ladder_item *item)
{
	const struct errand *order = &l->c->errands.v[item->index];
	const char *clock = errand_kind_names[ERRAND_ORDER];

	life_raise(l, clock, life_said(l, order->text), item_detail(l, item, clock, order->seq));
}

static void end_pause(struct life *l, const struct ladder_item *item)
{
	const struct errand *pause = &l->c->errands.v[item->index];

	life_resume(l, item->at, NULL, NULL, _("the time of the pause is over"),
		    item_detail(l, item, errand_kind_names[ERRAND_PAUSE], pause->seq));
}

static void pass_support(struct life *l, const struct ladder_item *item)
{
	const struct support *support = &l->c->supports.v[item->index];
	const struct department *supervisor = l->office->life.supervisor;
	const char *dept = support->dept, *clock = support_waits(support) ? "report_in" : "support";
	const struct department *late = map_get(&l->office->dept_by_id, dept);
	int seq = life_record(l, "overdue", dept, NULL, clock, item_detail(l, item, clock, support->seq));

	tell_late(l, seq, dept, clock);
	tell_late(l, seq, l->c->lead, clock);
	tell_late(l, seq, support->from, clock);
	tell_late(l, seq, supervisor ? supervisor->id : NULL, clock);
	/* The leader's desk of who did not come, as for a raised case. */
	tell_late(l, seq, late && late->superior ? late->superior->id : NULL, clock);
}

int clock_tick(struct life *l)
{
	struct ladder_item item;

	while (ladder_next(l->office, l->c, l->a, &item) && item.at <= l->now) {
		ALIST_PUSH(l->a, &l->c->leg.fired, item.identity);
		switch (item.kind) {
		case LADDER_OVERDUE:
			pass_limit(l, &item);
			break;
		case LADDER_STEP:
			do_step(l, &item);
			break;
		case LADDER_ERRAND:
			pass_errand(l, &item);
			break;
		case LADDER_RAISE:
			raise_order(l, &item);
			break;
		case LADDER_RESUME:
			end_pause(l, &item);
			break;
		case LADDER_SUPPORT:
			pass_support(l, &item);
			break;
		case LADDER_CLOSE:
			life_close(l, "unrated", NULL, NULL);
			break;
		}
	}
	return 0;
}
