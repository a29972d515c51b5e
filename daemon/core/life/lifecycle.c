/*
 * A step: the cell of the table decides (table.c), and around it stand the queue and the card before and
 * after: cards are derived from the case, never written by a verb.
 */
#include "core/life/lifecycle.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/tongue.h"
#include "core/life/clocks.h"
#include "core/life/step.h"
#include "core/time/moment.h"
#include "core/understand/route.h"
#include "core/understand/text.h"

const char *const case_state_names[N_CASE_STATE] = {"received", "triage",   "assigned", "accepted",
						    "suspended", "resolved", "closed",   "joined"};
const char *const errand_kind_names[N_ERRAND_KIND] = {"extend", "suspend", "pause", "order",
						      "consult", "step", "triage"};

const char *life_action_name(enum life_action action)
{
	static const char *const names[] = {"supplement", "urge", "again", "rate", "withdraw",
					    "status", "delivered", "other content", "tick", "revise",
					    "same matter", "propose", "take in", "let go"};

	return action < LIFE_SUPPLEMENT ? command_action_names[action] : names[action - LIFE_SUPPLEMENT];
}

enum life_action life_action_of(enum report_kind kind)
{
	static const enum life_action actions[N_REPORT_KIND] = {
		[REPORT_SUPPLEMENT] = LIFE_SUPPLEMENT, [REPORT_URGE] = LIFE_URGE, [REPORT_AGAIN] = LIFE_AGAIN,
		[REPORT_RATE] = LIFE_RATE, [REPORT_WITHDRAW] = LIFE_WITHDRAW, [REPORT_STATUS] = LIFE_STATUS,
		[REPORT_DELIVERED] = LIFE_DELIVERED};

	return actions[kind];
}

const char *life_cell(enum case_state state, enum life_action action)
{
	const struct life_cell *cell = &life_table[action][state];

	return cell->fn ? cell->word : "-";
}

static int __attribute__((format(printf, 2, 0))) refuse(struct life *l, const char *fmt, va_list ap)
{
	char text[300];

	vsnprintf(text, sizeof(text), tongue(fmt), ap);
	l->fx->refused = arena_strdup(l->a, text);
	return LIFE_REFUSED;
}

int life_refuse(struct life *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	refuse(l, fmt, ap);
	va_end(ap);
	return LIFE_REFUSED;
}

int life_refuse_said(struct life *l, const char *sentence)
{
	l->fx->refused = sentence;
	life_record(l, "refused", l->act->command->dept->id, l->act->command->by, sentence,
		    life_detail(l, life_member(l, NULL, "action", life_action_name(l->act->what))));
	return LIFE_REFUSED;
}

int life_refuse_on_record(struct life *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	refuse(l, fmt, ap);
	va_end(ap);
	return life_refuse_said(l, l->fx->refused);
}

bool life_decides(const struct case_record *c, enum command_action action)
{
	return action == CMD_AMEND || (action == CMD_RESOLVE && life_errand(c, ERRAND_STEP, NULL));
}

int64_t life_limit(const struct life *l, const struct limit *limit, int64_t start)
{
	struct due due = {0};
	struct err e;

	if (!limit->set || deadline_due(&limit->in, office_calendar(l->office, &limit->in, life_policy(l)), start, NULL,
					&due, &e) < 0)
		return MOMENT_NONE;
	return due.at - due.at % 1000000;
}

const char *life_member(const struct life *l, const char *members, const char *name, const char *value)
{
	struct str t = {0};

	if (!value)
		return members;
	str_addf(&t, "%s,\"%s\":", members ? members : "", name);
	str_json(&t, value);
	members = arena_strdup(l->a, t.s);
	str_done(&t);
	return members;
}

const char *life_member_time(const struct life *l, const char *members, const char *name, int64_t at)
{
	char text[MOMENT_TEXT];

	return life_member(l, members, name, at == MOMENT_NONE ? NULL : moment_rfc3339(at, text));
}

const char *life_detail(const struct life *l, const char *members)
{
	return members ? arena_printf(l->a, "{%s}", members + 1) : NULL;
}

bool life_is_done(const struct case_record *c)
{
	return c->state == STATE_RESOLVED || c->state == STATE_CLOSED || c->state == STATE_JOINED;
}

const struct policy *life_policy(const struct life *l)
{
	const struct policy *policy = map_get(&l->office->policy_by_name, l->c->leg.policy);

	return policy ? policy : l->office->fallback_policy;
}

const char *life_lead_role(const struct case_record *c)
{
	return c->state == STATE_TRIAGE ? "triage" : "lead";
}

const char *life_role(const struct life *l, const struct department *dept)
{
	if (strcmp(l->c->lead, dept->id) == 0)
		return life_lead_role(l->c);
	for (size_t i = 0; i < l->c->supports.n; i++)
		if (strcmp(l->c->supports.v[i].dept, dept->id) == 0)
			return "support";
	if (life_triage(l) == dept)
		return "triage";
	return dept->kind == DEPT_SUPERVISOR || l->office->life.supervisor == dept ? "supervisor" : "copy";
}

void life_add_errand(struct life *l, struct errand e)
{
	e.at = l->now;
	ALIST_PUSH(l->a, &l->c->errands, e);
}

struct errand *life_errand(const struct case_record *c, enum errand_kind kind, const char *to)
{
	for (size_t i = c->errands.n; i-- > 0;) {
		struct errand *e = &c->errands.v[i];

		if (e->kind == kind && !e->done && (!to || (e->to && strcmp(e->to, to) == 0)))
			return e;
	}
	return NULL;
}

struct errand *life_errand_asked(const struct case_record *c, const char *request)
{
	for (size_t i = 0; i < c->errands.n; i++) {
		struct errand *e = &c->errands.v[i];

		if (!e->done && (e->kind == ERRAND_EXTEND || e->kind == ERRAND_SUSPEND) && str_equal(e->request, request))
			return e;
	}
	return NULL;
}

void life_drop_errands(struct case_record *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->errands.n; i++)
		if (!c->errands.v[i].done || c->errands.v[i].kind == ERRAND_STEP || c->errands.v[i].kind == ERRAND_TRIAGE)
			c->errands.v[kept++] = c->errands.v[i];
	c->errands.n = kept;
}

int life_record(struct life *l, const char *kind, const char *department, const char *by, const char *note,
		const char *detail)
{
	ALIST_PUSH(l->a, &l->fx->history, (struct history_row){++l->c->seq, l->now, kind, department, by, note, detail});
	return l->c->seq;
}

static int told_before(struct life *l, const char *dept, int seq)
{
	int before;

	for (size_t i = 0; i < l->c->told.n; i++)
		if (strcmp(l->c->told.v[i].dept, dept) == 0) {
			before = l->c->told.v[i].seq;
			l->c->told.v[i].seq = seq;
			return before;
		}
	ALIST_PUSH(l->a, &l->c->told, (struct told){dept, seq});
	return 0;
}

/* Whom it means at the department that hears it, where no step of a ladder says so. */
static const char *addressee(const struct tell *what)
{
	if (what->to || !what->role)
		return what->to;
	return strcmp(what->role, "lead") == 0 ? "lead" : strcmp(what->role, "support") == 0 ? "supports" : what->dept;
}

void life_tell(struct life *l, int seq, const struct tell *what)
{
	if (life_is_accused(l->c, what->dept))
		return;
	/* One department hears of one history row once, in its first role. */
	for (size_t i = 0; i < l->fx->events.n; i++)
		if (l->fx->events.v[i].seq == seq && strcmp(l->fx->events.v[i].target, what->dept) == 0)
			return;
	ALIST_PUSH(l->a, &l->fx->events,
		   (struct event_row){.seq = seq, .prev = told_before(l, what->dept, seq), .kind = what->kind,
				      .target = what->dept, .role = what->role, .to = addressee(what),
				      .clock = what->clock, .why = what->why, .level = what->level,
				      .more = what->more});
}

void life_tell_all(struct life *l, int seq, const struct tell *what)
{
	struct tell one = *what;

	one.dept = l->c->lead;
	one.role = life_lead_role(l->c);
	life_tell(l, seq, &one);
	one.role = "support";
	for (size_t i = 0; i < l->c->supports.n; i++)
		if (!l->c->supports.v[i].done) {
			one.dept = l->c->supports.v[i].dept;
			life_tell(l, seq, &one);
		}
}

void life_tell_revised(struct life *l, int seq, const char *why, const char *more)
{
	life_tell_all(l, seq, &(struct tell){.kind = "deadline_revised", .why = why, .more = more});
}

void life_tell_queue(struct life *l, int seq, const char *kind, const char *why)
{
	life_tell_all(l, seq, &(struct tell){.kind = kind, .why = why});
}

/* `name` tells replies about one history row apart; each reporter has its own. */
static void reply(struct life *l, int reporter, const char *kind, const char *name, const char *answer)
{
	struct case_record to = *l->c;
	const char *id, *text;

	if (reporter != REPORTER_FIRST) {
		const struct joined *j = &l->c->joined.v[reporter];

		to.channel = j->channel;
		to.source = j->source;
		to.report = j->report;
		to.reply_to = j->reply_to;
		to.from_device = false;
		name = arena_printf(l->a, "%s-%d", name, reporter + 2);
	}
	id = arena_printf(l->a, "%s-%d-%s", to.number, to.seq, name);
	text = to.from_device ? NULL : reply_json(l->office, &to, kind, life_plain(l, answer), answer ? l->media : NULL, id, l->a);
	if (text)
		ALIST_PUSH(l->a, &l->fx->events,
			   (struct event_row){.seq = to.seq, .target = arena_printf(l->a, "out/%s", name),
					      .topic = topic_out(l->office, to.channel, to.source, l->a),
					      .payload = text});
}

void life_reply_to(struct life *l, int reporter, const char *kind, const char *answer)
{
	reply(l, reporter, kind, kind, answer);
}

void life_reply(struct life *l, const char *kind, const char *answer)
{
	life_reply_to(l, REPORTER_FIRST, kind, answer);
	for (size_t i = 0; i < l->c->joined.n; i++)
		life_reply_to(l, (int)i, kind, answer);
}

/*
 * A question leaves no history row, and may be asked twice before the first answer is out. Where a device reported, nobody
 * waits for an answer but who asks.
 */
void life_answer(struct life *l, const char *kind, const struct report *question)
{
	int who = life_reporter(l->c, question);
	struct case_record c = *l->c;
	struct life asked = *l;

	if (who == REPORTER_FIRST && c.from_device) {
		c.channel = question->channel->id;
		c.source = question->source;
		c.reply_to = given_json(question->reply_to, l->a);
		c.from_device = false;
	}
	asked.c = &c;
	reply(&asked, who, kind, arena_printf(l->a, "%s-%s-%s", kind, question->channel->id, question->id), NULL);
}

void life_close(struct life *l, const char *reason, const char *by, const char *note)
{
	const char *role = life_lead_role(l->c);
	int seq;

	l->c->state = STATE_CLOSED;
	l->c->closed_at = l->now;
	l->c->close_reason = reason;
	seq = life_record(l, "closed", l->c->lead, by, note ? note : reason, NULL);
	life_tell(l, seq, &(struct tell){.kind = "closed", .dept = l->c->lead, .role = role, .why = reason});
	for (size_t i = 0; i < l->c->supports.n; i++)
		if (!l->c->supports.v[i].done)
			life_tell(l, seq, &(struct tell){.kind = "closed", .dept = l->c->supports.v[i].dept,
							 .role = "support", .why = reason});
	partners_end(l->c);
	life_reply(l, "closed", NULL);
}

void life_new_leg(struct life *l, const char *by, const char *note)
{
	const struct policy *policy = l->office->life.again_policy;
	struct case_record *c = l->c;
	int seq;

	life_settle(l);
	ALIST_PUSH(l->a, &l->fx->legs, (struct leg_row){c->leg, c->lead, l->now});
	life_drop_errands(c);
	leg_start(l->office, &c->leg, c->leg.n + 1, policy ? policy : life_policy(l), l->now);
	memcpy(l->met, c->leg.met, sizeof(l->met));
	c->state = STATE_ASSIGNED;
	c->resolved_at = c->closed_at = MOMENT_NONE;
	c->close_reason = NULL;
	c->score = -1;
	for (size_t i = 0; i < c->joined.n; i++)
		c->joined.v[i].score = -1;
	seq = life_record(l, "reopened", c->lead, by, note, NULL);
	life_tell(l, seq, &(struct tell){.kind = "reopened", .dept = c->lead, .role = "lead", .why = note});
}

/* ---- around a step: queues, cards, texts ------------------------------------------------------ */
struct place_in_queue {
	const char *dept, *role, *card;
};
typedef ALIST(struct place_in_queue) queue_places;

static void queue_of(const struct case_record *c, struct arena *a, queue_places *places)
{
	if (life_is_done(c))
		return;
	if (!life_is_accused(c, c->lead))
		ALIST_PUSH(a, places, (struct place_in_queue){c->lead, life_lead_role(c),
							      card_json(c, life_lead_role(c), a)});
	for (size_t i = 0; i < c->supports.n; i++)
		if (!c->supports.v[i].done && strcmp(c->supports.v[i].dept, c->lead) != 0 &&
		    !life_is_accused(c, c->supports.v[i].dept))
			ALIST_PUSH(a, places, (struct place_in_queue){c->supports.v[i].dept, "support",
								      card_json(c, "support", a)});
}

static const struct place_in_queue *find_place(const queue_places *places, const char *dept)
{
	for (size_t i = 0; i < places->n; i++)
		if (strcmp(places->v[i].dept, dept) == 0)
			return &places->v[i];
	return NULL;
}

/* The card goes out with the department's last event of this step, or by itself. */
static void publish_card(struct life *l, const char *dept)
{
	const struct department *d = map_get(&l->office->dept_by_id, dept);

	if (d && !d->cards)
		return;
	for (size_t i = l->fx->events.n; i-- > 0;)
		if (strcmp(l->fx->events.v[i].target, dept) == 0) {
			l->fx->events.v[i].card = true;
			return;
		}
	ALIST_PUSH(l->a, &l->fx->events, (struct event_row){.seq = l->c->seq, .target = dept, .card = true});
}

static void compare_queues(struct life *l, const queue_places *before, const queue_places *after)
{
	for (size_t i = 0; i < before->n; i++)
		if (!find_place(after, before->v[i].dept)) {
			ALIST_PUSH(l->a, &l->fx->queue, (struct queue_row){.department = before->v[i].dept});
			publish_card(l, before->v[i].dept);
		}
	for (size_t i = 0; i < after->n; i++) {
		const struct place_in_queue *old = find_place(before, after->v[i].dept);

		if (old && strcmp(old->card, after->v[i].card) == 0)
			continue;
		ALIST_PUSH(l->a, &l->fx->queue, (struct queue_row){after->v[i].dept, true, after->v[i].role,
								   after->v[i].card});
		publish_card(l, after->v[i].dept);
	}
}

static void finish(struct life *l, const queue_places *before)
{
	queue_places after = {0};
	struct ladder_item next;

	life_settle(l);
	leg_settle(&l->c->leg);
	queue_of(l->c, l->a, &after);
	compare_queues(l, before, &after);
	for (size_t i = 0; i < l->fx->events.n; i++) {
		struct event_row *ev = &l->fx->events.v[i];

		if (!ev->kind)
			continue;
		ev->topic = topic_dept(l->office, ev->target, "event", ev->kind, l->a);
		ev->payload = event_json(l->office, l->c, ev, l->now, l->a);
	}
	l->fx->wake_at = ladder_next(l->office, l->c, l->a, &next) ? next.at : MOMENT_NONE;
}

int life_step(const struct office *office, struct case_record *c, const struct action *action, int64_t now,
	      struct arena *a, struct effects *fx)
{
	const struct life_cell *cell = &life_table[action->what][c->state];
	struct life l = {.office = office, .c = c, .act = action, .now = now, .a = a, .fx = fx};
	struct action discreet;
	queue_places before = {0};
	int r;

	memset(fx, 0, sizeof(*fx));
	fx->wake_at = MOMENT_NONE;
	/* Whose case it is comes first: a stranger does not even learn its state. */
	fx->stranger = action->what < LIFE_SUPPLEMENT && !command_is_concerned(&l);
	if (fx->stranger)
		return command_refuse_stranger(&l);
	if (!cell->fn)
		return life_refuse(&l, "case %s %s", c->number, _(cell->word));
	if (action->what < LIFE_SUPPLEMENT && (r = command_check_officer(&l)))
		return r;
	if (action->command) {
		discreet = *action;
		discreet.command = l.discreet = life_discreet(&l, l.said = action->command);
		l.act = &discreet;
	}
	queue_of(c, a, &before);
	memcpy(l.met, c->leg.met, sizeof(l.met));
	r = cell->fn(&l);
	if (r == 0 || fx->history.n)
		finish(&l, &before);
	return r;
}

/* ---- a new case ------------------------------------------------------------------------------- */
/* 6, 9, 12 or 15 digits; a phone number has none of these lengths. */
static bool is_grid_code(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return !s[n] && n >= 6 && n <= 15 && n % 3 == 0;
}

/* A card shows no word of a sender that could be anything: it stays with the report. */
static void describe(struct case_record *c, const struct report *r, struct arena *a)
{
	if (r->known_category)
		c->category = r->known_category->path;
	else if (r->category && c->visibility != VISIBLE_SEALED)
		c->category = text_title(a, text_mask(a, r->category, r->name), 40);
	if (c->visibility == VISIBLE_SEALED) {  /* its category, and not even whereabouts */
		c->title = c->category;
		return;
	}
	c->grid = r->grid && is_grid_code(r->grid) ? r->grid : NULL;
	c->title = r->text ? text_title(a, text_mask(a, r->text, r->name), 40) : c->category;
	c->place = r->address ? text_mask(a, text_mask_address(a, r->address), r->name) : NULL;
	if (c->visibility == VISIBLE_OPEN)
		c->address = r->address;
}

/* The words that decided are the reporter's words: of a sealed case only the rule's name is told. */
static const char *told_why(const struct life *l, const struct decision *d)
{
	if (l->c->visibility != VISIBLE_SEALED)
		return d->why;
	return d->rule ? arena_printf(l->a, "rule %s", d->rule->id) : route_source_names[d->source];
}

/* By such a channel nothing goes to a department by itself: triage reads it first, and sees who would have had it. */
static const char *wait_for_triage(struct life *l, const struct decision *d)
{
	const char *triage = life_triage(l)->id;

	l->c->state = STATE_TRIAGE;
	l->c->lead = triage;
	life_add_errand(l, (struct errand){.kind = ERRAND_TRIAGE, .seq = l->c->seq + 1, .from = triage, .to = triage, .until = MOMENT_NONE,
					   .due = life_limit(l, &l->office->life.return_within, l->now)});
	return arena_printf(l->a, _("waits for triage; by the rules for %s (%s)"), d->dept->name, told_why(l, d));
}

static void assign(struct life *l, const struct decision *d, const char *why)
{
	struct case_record *c = l->c;
	int seq = life_record(l, "assigned", c->lead, NULL, why, NULL);

	life_tell(l, seq, &(struct tell){.kind = "assigned", .dept = c->lead, .role = life_lead_role(c), .why = why});
	for (size_t i = 0; i < c->supports.n; i++) {
		seq = life_record(l, "assigned", c->supports.v[i].dept, NULL, "support", NULL);
		life_tell(l, seq, &(struct tell){.kind = "assigned", .dept = c->supports.v[i].dept, .role = "support",
						 .why = why});
	}
	for (size_t i = 0; i < d->n_copies; i++) {
		seq = life_record(l, "copied", d->copies[i]->id, NULL, NULL, NULL);
		life_tell(l, seq, &(struct tell){.kind = "copied", .dept = d->copies[i]->id, .role = "copy"});
	}
}

/* Known by its id or its name; whom the office does not know cannot be kept out. */
static const char *accused_of(const struct office *office, const struct report *r)
{
	for (size_t i = 0; r->accused && i < office->n_departments; i++)
		if (strcmp(office->departments[i].id, r->accused) == 0 || str_equal(office->departments[i].name, r->accused))
			return office->departments[i].id;
	return NULL;
}

void life_open_split(const struct office *office, const struct case_record *from, const struct joined *who,
		     const char *number, int64_t now, struct arena *a, struct case_record *c, struct effects *fx)
{
	struct life l = {.office = office, .c = c, .now = now, .a = a, .fx = fx};
	queue_places none = {0};
	const char *why = arena_printf(a, _("a matter of its own, apart from %s"), from->number);
	int seq;

	memset(fx, 0, sizeof(*fx));
	*c = (struct case_record){
		.number = number, .channel = who->channel, .source = who->source, .report = who->report,
		.reply_to = who->reply_to, .person = who->person, .accused = from->accused,
		.state = STATE_ASSIGNED, .lead = from->lead,
		.category = from->category, .grid = from->grid, .title = from->title, .place = from->place,
		.urgency = from->urgency, .visibility = from->visibility, .horizon = from->horizon, .rule = from->rule,
		.route_source = from->route_source, .config = from->config, .score = -1, .reports = 1,
		.received_at = now, .resolved_at = MOMENT_NONE, .closed_at = MOMENT_NONE};
	l.c->leg.policy = from->leg.policy;
	leg_start(office, &c->leg, 1, life_policy(&l), now);
	c->whole_due = leg_limit(office, CLOCK_RESOLVE, life_policy(&l), now);
	seq = life_record(&l, "assigned", c->lead, NULL, why, NULL);
	life_tell(&l, seq, &(struct tell){.kind = "assigned", .dept = c->lead, .role = "lead", .why = why});
	life_reply(&l, "registered", NULL);
	finish(&l, &none);
}

void life_open(const struct office *office, const struct report *r, const struct decision *d, const char *number,
	       int64_t now, struct arena *a, struct case_record *c, struct effects *fx)
{
	struct life l = {.office = office, .c = c, .now = now, .a = a, .fx = fx};
	queue_places none = {0};

	memset(c, 0, sizeof(*c));
	memset(fx, 0, sizeof(*fx));
	*c = (struct case_record){
		.number = number, .channel = r->channel->id, .source = r->source, .report = r->id,
		.from_device = r->device && !r->reply_to, .state = STATE_ASSIGNED, .lead = d->dept->id,
		.urgency = d->urgency, .visibility = d->visibility, .horizon = d->horizon,
		.rule = d->rule ? d->rule->id : NULL, .route_source = route_source_names[d->source],
		.accused = accused_of(office, r), .score = -1, .config = office->hash, .reports = 1, .received_at = r->received_at, .resolved_at = MOMENT_NONE,
		.closed_at = MOMENT_NONE, .reply_to = given_json(r->reply_to, a)};
	describe(c, r, a);
	leg_start(office, &c->leg, 1, d->policy, r->received_at);
	memcpy(l.met, c->leg.met, sizeof(l.met));
	c->whole_due = leg_limit(office, CLOCK_RESOLVE, d->policy, r->received_at);
	for (size_t i = 0; i < d->n_supports; i++)
		partners_add(&l, d->supports[i]->id, NULL);
	assign(&l, d, r->channel->triage ? wait_for_triage(&l, d) : told_why(&l, d));
	life_reply(&l, "registered", NULL);
	finish(&l, &none);
}
