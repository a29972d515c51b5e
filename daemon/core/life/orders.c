/*
 * Supervision: an order from above to the lead, with a limit of its own. It is answered in words, or by
 * the work being done; unanswered it is late, then raised to the leader. It goes where the case goes.
 */
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "base/tongue.h"
#include "core/life/clocks.h"
#include "core/life/step.h"
#include "core/time/moment.h"
#include "core/understand/text.h"

static const struct command *command(const struct life *l)
{
	return l->act->command;
}

const char *life_said(const struct life *l, const char *text)
{
	if (!text || l->c->visibility == VISIBLE_SEALED)
		return NULL;
	return text_title(l->a, text_mask(l->a, text, NULL), 200);
}

void life_tell_leader(struct life *l, int seq, struct tell what)
{
	const struct department *lead = map_get(&l->office->dept_by_id, l->c->lead);

	what.to = "leader";
	what.dept = l->c->lead;
	what.role = life_lead_role(l->c);
	life_tell(l, seq, &what);
	if (!lead || !lead->superior)
		return;
	what.dept = lead->superior->id;
	what.role = "supervisor";
	life_tell(l, seq, &what);
}

static void tell_order(struct life *l, int seq, const char *kind, const struct errand *order, const char *why)
{
	struct tell what = {.kind = kind, .dept = l->c->lead, .role = life_lead_role(l->c), .to = "lead", .why = why,
			    .clock = strcmp(kind, "cleared") == 0 ? errand_kind_names[ERRAND_ORDER] : NULL,
			    .more = life_order_json(l, order)};

	life_tell(l, seq, &what);
	if (!order->from)
		return;
	what.dept = order->from;
	what.role = "supervisor";
	what.to = NULL;
	life_tell(l, seq, &what);
}

const char *life_order_json(const struct life *l, const struct errand *order)
{
	char due[MOMENT_TEXT];
	struct str t = {0};
	const char *json;

	str_addf(&t, ",\"order\":{\"seq\":%d,\"from\":", order->seq);
	str_json(&t, order->from);
	str_add(&t, ",\"text\":");
	str_json(&t, life_said(l, order->text));
	str_add(&t, ",\"due\":");
	str_json(&t, order->due == MOMENT_NONE ? NULL : moment_rfc3339(order->due, due));
	str_addc(&t, '}');
	json = arena_strdup(l->a, t.s);
	str_done(&t);
	return json;
}

struct errand life_add_order(struct life *l, int seq, const struct department *from, const char *text, int64_t due)
{
	struct errand order = {.kind = ERRAND_ORDER, .seq = seq, .from = from ? from->id : NULL, .to = l->c->lead,
			       .text = text, .until = MOMENT_NONE, .due = due - due % 1000000};

	if (due == MOMENT_NONE)
		order.due = due;
	life_add_errand(l, order);
	return order;
}

int64_t life_order_due(const struct life *l, const struct deadline *within)
{
	struct due due;
	struct err e;

	if (!within)
		within = &l->office->life.supervise_within;
	return deadline_due(within, office_calendar(l->office, within, life_policy(l)), l->now, NULL, &due, &e) == 0
		       ? due.at : MOMENT_NONE;
}

static const char *order_detail(struct life *l, int64_t due)
{
	char text[MOMENT_TEXT];

	return arena_printf(l->a, "{\"to\":\"%s\",\"due\":\"%s\"}", l->c->lead,
			    due == MOMENT_NONE ? "" : moment_rfc3339(due, text));
}

/* ---- the verbs -------------------------------------------------------------------------------- */
static int read_within(struct life *l, struct deadline *ret)
{
	struct err e;
	size_t at;

	if (!command(l)->within) {
		*ret = l->office->life.supervise_within;
		return 0;
	}
	if (deadline_parse(command(l)->within, l->a, ret, &at, &e) < 0 || ret->kind == DEADLINE_SERIES)
		return life_refuse(l, "'within' is no deadline such as 1 工作日");
	return 0;
}

int command_supervise(struct life *l)
{
	const char *text = command(l)->order ? command(l)->order : command(l)->note;
	struct deadline within;
	struct errand order;
	int64_t due;
	int r, seq;

	if (!command_is_supervisor(l))
		return life_refuse(l, "only a supervisor gives orders");
	if (!text)
		return life_refuse(l, "supervise needs the 'order', what is to be done");
	if ((r = read_within(l, &within)))
		return r;
	due = life_order_due(l, &within);
	if (due == MOMENT_NONE)
		return life_refuse(l, "'within' cannot be counted by the calendar of this case");
	seq = life_record(l, "supervised", command(l)->dept->id, command(l)->by, text, order_detail(l, due));
	order = life_add_order(l, seq, command(l)->dept, text, due);
	tell_order(l, seq, "supervised", &order, life_said(l, text));
	return 0;
}

static void answer(struct life *l, struct errand *order, const char *by, const char *text, bool resolved)
{
	bool late = order->due != MOMENT_NONE && l->now > order->due;
	int seq = life_record(l, "answered", l->c->lead, by, text,
			      arena_printf(l->a, "{\"order\":%d,\"resolved\":%s,\"late\":%s}", order->seq,
					   resolved ? "true" : "false", late ? "true" : "false"));

	order->done = true;
	tell_order(l, seq, "answered", order, life_said(l, text));
	if (!ladder_has_fired(&l->c->leg, arena_printf(l->a, "errand %d", order->seq)))
		return;
	seq = life_record(l, "cleared", l->c->lead, NULL, "order", arena_printf(l->a, "{\"clock\":\"order\",\"of\":%d}", order->seq));
	tell_order(l, seq, "cleared", order, NULL);
}

/* The order that is meant by number, else the one that has waited longest. */
static struct errand *find_order(struct life *l)
{
	int64_t of = 0;

	if (command(l)->of && !str_to_int(command(l)->of, 1, INT32_MAX, &of))
		return NULL;
	for (size_t i = 0; i < l->c->errands.n; i++) {
		struct errand *e = &l->c->errands.v[i];

		if (e->kind == ERRAND_ORDER && !e->done && (!of || e->seq == of))
			return e;
	}
	return NULL;
}

int command_answer(struct life *l)
{
	const char *text = command(l)->answer ? command(l)->answer : command(l)->note;
	int r = command_check_lead(l);
	struct errand *order;

	if (r)
		return r;
	order = find_order(l);
	if (!order)
		return life_refuse(l, "no supervision order waits for an answer");
	if (!text)
		return life_refuse(l, "answer needs the 'answer' to the order");
	answer(l, order, command(l)->by, text, false);
	return 0;
}

/* Spoken to after the work was done: that is how the reporter hears the result where no adapter says so. */
int command_feed_back(struct life *l)
{
	int r = command_check_lead(l), seq;

	if (r)
		return r;
	if (l->c->leg.due[CLOCK_FEEDBACK] != MOMENT_NONE && l->c->leg.met[CLOCK_FEEDBACK] == MOMENT_NONE)
		l->c->leg.met[CLOCK_FEEDBACK] = l->now;
	seq = life_record(l, "contacted", l->c->lead, command(l)->by, command(l)->note, NULL);
	life_tell_queue(l, seq, "contacted", NULL);
	return 0;
}

/* ---- what brings orders and escalations beside the ladder ------------------------------------- */
void life_raise(struct life *l, const char *clock, const char *why, const char *detail)
{
	struct leg *leg = &l->c->leg;
	int seq = life_record(l, "escalated", l->c->lead, NULL, why, detail);

	leg->level = leg->level ? leg->level : 1;
	life_tell_leader(l, seq, (struct tell){.kind = "escalated", .clock = clock, .why = why, .level = 1});
}

static void order_again(struct life *l, const char *why)
{
	const struct department *from = l->office->life.supervisor;
	int64_t due = life_order_due(l, NULL);
	int seq = life_record(l, "supervised", from ? from->id : NULL, NULL, why, order_detail(l, due));
	struct errand order = life_add_order(l, seq, from, why, due);

	tell_order(l, seq, "supervised", &order, why);
}

void life_dissatisfied(struct life *l)
{
	const struct lifecycle *life = &l->office->life;
	const char *what = l->c->dissatisfied < 2 ? NULL : l->c->dissatisfied == 2 ? life->again_second : life->again_third;
	const char *why = arena_printf(l->a, _("dissatisfied %d times"), l->c->dissatisfied);

	if (str_equal(what, "supervise"))
		order_again(l, why);
	else if (str_equal(what, "leader"))
		life_raise(l, NULL, why, NULL);
}

void life_urged(struct life *l)
{
	int after = l->office->life.urges_raise_after;

	l->c->urged++;
	if (after && l->c->urged % after == 0 && l->c->state != STATE_CLOSED && l->c->state != STATE_JOINED)
		life_raise(l, NULL, arena_printf(l->a, _("urged %d times"), l->c->urged), NULL);
}

/* ---- after a step ----------------------------------------------------------------------------- */
static const struct history_row *just(const struct life *l, const char *kind)
{
	for (size_t i = 0; i < l->fx->history.n; i++)
		if (strcmp(l->fx->history.v[i].kind, kind) == 0)
			return &l->fx->history.v[i];
	return NULL;
}

static void move_order(struct life *l, struct errand *order)
{
	int seq;

	order->to = l->c->lead;
	seq = life_record(l, "supervised", order->from, NULL, order->text,
			  arena_printf(l->a, "{\"to\":\"%s\",\"order\":%d}", order->to, order->seq));
	tell_order(l, seq, "supervised", order, life_said(l, order->text));
}

static void orders_settle(struct life *l)
{
	const struct history_row *resolved = just(l, "resolved");

	for (size_t i = 0; i < l->c->errands.n; i++) {
		struct errand *order = &l->c->errands.v[i];

		if (order->kind != ERRAND_ORDER || order->done)
			continue;
		if (resolved)
			answer(l, order, resolved->by, l->act->command ? l->act->command->answer : NULL, true);
		else if (l->c->state == STATE_CLOSED || l->c->state == STATE_JOINED)
			order->done = true;
		else if (l->c->state != STATE_TRIAGE && strcmp(order->to, l->c->lead) != 0)
			move_order(l, order);
	}
}

/* Who heard that clock k was escalated. */
static void tell_cleared(struct life *l, int seq, enum clock_name k)
{
	const struct escalation *ladder = life_policy(l)->escalation;
	struct tell what = {.kind = "cleared", .clock = clock_names[k], .dept = l->c->lead, .role = life_lead_role(l->c)};

	life_tell(l, seq, &what);
	for (size_t i = 0; ladder && i < ladder->n_steps; i++) {
		const struct step *s = &ladder->steps[i];
		bool about = (s->when == STEP_BEFORE || s->when == STEP_AFTER) && s->clock == k;

		if (!about || !ladder_has_fired(&l->c->leg, ladder_step_identity(s, l->a)))
			continue;
		if (s->to == TO_LEADER)
			life_tell_leader(l, seq, what);
		what.dept = s->to == TO_DEPT ? s->dept->id : NULL;
		what.role = s->to == TO_DEPT && s->dept->kind == DEPT_SUPERVISOR ? "supervisor" : "copy";
		if (what.dept)
			life_tell(l, seq, &what);
	}
}

static bool was_escalated(struct life *l, enum clock_name k)
{
	const struct escalation *ladder = life_policy(l)->escalation;

	if (ladder_has_fired(&l->c->leg, arena_printf(l->a, "overdue %s", clock_names[k])))
		return true;
	for (size_t i = 0; ladder && i < ladder->n_steps; i++) {
		const struct step *s = &ladder->steps[i];

		if (s->act != DO_REMIND && (s->when == STEP_BEFORE || s->when == STEP_AFTER) && s->clock == k &&
		    ladder_has_fired(&l->c->leg, ladder_step_identity(s, l->a)))
			return true;
	}
	return false;
}

static void clear(struct life *l, enum clock_name k)
{
	const struct leg *leg = &l->c->leg;
	char due[MOMENT_TEXT], met[MOMENT_TEXT];
	int seq = life_record(l, "cleared", l->c->lead, NULL, clock_names[k],
			      arena_printf(l->a, "{\"clock\":\"%s\",\"due\":\"%s\",\"met\":\"%s\",\"late\":%s}", clock_names[k],
					   moment_rfc3339(leg->due[k], due), moment_rfc3339(leg->met[k], met),
					   leg->met[k] > leg->due[k] ? "true" : "false"));

	tell_cleared(l, seq, k);
}

void life_settle(struct life *l)
{
	for (int k = 0; k < N_CLOCKS; k++) {
		if (l->met[k] == MOMENT_NONE && l->c->leg.met[k] != MOMENT_NONE && l->c->leg.due[k] != MOMENT_NONE &&
		    was_escalated(l, (enum clock_name)k))
			clear(l, (enum clock_name)k);
		l->met[k] = l->c->leg.met[k];
	}
	orders_settle(l);
	grants_settle(l);
}
