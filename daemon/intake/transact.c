/*
 * One transaction: claim ids, look up what is known, load and lock cases, let the lifecycle step in the
 * order of arrival, save. Nothing is decided here: the claim says what is new, the lifecycle what follows.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/map.h"
#include "base/str.h"
#include "base/tongue.h"
#include "core/life/clocks.h"
#include "core/device/device.h"
#include "core/life/event.h"
#include "core/time/moment.h"
#include "core/understand/route.h"
#include "core/understand/text.h"
#include "intake/transact_parts.h"
#include "settings/hits.h"
#include "store/cases.h"
#include "store/outbox.h"

enum { NUMBERS_A_LOOK = 8 };            /* cases that one look at a device may open */

/* ---- before the transaction: which case, which number ----------------------------------------- */
static const char *key_of(const struct transaction *t, const char *first, const char *second)
{
	return arena_printf(t->b->a, "%s\x1f%s", first, second);
}

static void die_unknown_case(struct unit *u)
{
	u->kind = UNIT_DEAD;
	err_code(&u->why, ERR_BAD, "unknown-case", "the case or the report that it is about is not known");
}

static bool names_case(const struct unit *u)
{
	return u->kind == UNIT_REPORT && u->report->kind != REPORT_REPORT && u->report->kind != REPORT_TALK;
}

/* Twins inside the batch: the first of an id is the one that counts. */
static void find_twins(struct transaction *t)
{
	struct map seen = {0};

	for (size_t i = 0; i < t->n; i++) {
		struct unit *u = &t->units[i];
		const char *key;

		u->twin = NULL;
		if (u->kind != UNIT_REPORT && u->kind != UNIT_COMMAND)
			continue;
		key = u->kind == UNIT_REPORT ? key_of(t, u->report->channel->id, u->report->id)
					     : arena_printf(t->b->a, "\x1f%s\x1f%s", u->dept->id, u->command->request);
		u->twin = map_get(&seen, key);
		if (!u->twin)
			map_put(&seen, key, u);
	}
	map_done(&seen);
}

static int resolve_cases(struct transaction *t, struct err *e)
{
	const char **channels = arena_alloc(t->b->a, t->n * sizeof(*channels));
	const char **ids = arena_alloc(t->b->a, t->n * sizeof(*ids));
	const char **found = arena_alloc(t->b->a, t->n * sizeof(*found));
	bool *exists = arena_alloc(t->b->a, t->n * sizeof(*exists));
	struct unit **who = arena_alloc(t->b->a, t->n * sizeof(struct unit *));
	size_t n = 0;
	int r;

	for (size_t i = 0; i < t->n; i++)
		t->units[i].number = NULL;
	for (size_t i = 0; i < t->n; i++)
		if (names_case(&t->units[i]) && t->units[i].report->case_number) {
			who[n] = &t->units[i];
			ids[n++] = t->units[i].report->case_number;
		}
	r = n ? lookup_numbers(t->pg, transaction_tenant(t), ids, n, t->b->a, exists, e) : 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		who[i]->number = exists[i] ? ids[i] : NULL;
	if (r < 0)
		return r;
	n = 0;
	for (size_t i = 0; i < t->n; i++)
		if (names_case(&t->units[i]) && !t->units[i].number && t->units[i].report->about) {
			who[n] = &t->units[i];
			channels[n] = t->units[i].report->channel->id;
			ids[n++] = t->units[i].report->about;
		}
	r = n ? lookup_about(t->pg, transaction_tenant(t), channels, ids, n, t->b->a, found, e) : 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		who[i]->number = found[i];
	return r;
}

static const char *about_in_batch(const struct transaction *t, const struct unit *u)
{
	for (const struct unit *v = t->units; v < u; v++)
		if (v->kind == UNIT_REPORT && v->number && u->report->about && v->channel == u->channel &&
		    strcmp(v->report->id, u->report->about) == 0)
			return v->number;
	return NULL;
}

/* Returns whether a unit died: then its twin, if any, must stand for itself. */
static bool give_numbers(struct transaction *t)
{
	bool died = false;

	for (size_t i = 0; i < t->n; i++) {
		struct unit *u = &t->units[i];

		if (u->kind != UNIT_REPORT || u->twin || u->number)
			continue;
		if (u->report->kind == REPORT_REPORT) {
			/* A figure, a sign of life: hardly one of them makes a case. */
			if (u->is_reading && u->report->reading != READING_ALARM)
				continue;
			u->number = numbers_take(t->numbers, t->b->office->prefix, t->b->a);
		} else if (names_case(u) && !(u->number = about_in_batch(t, u))) {
			die_unknown_case(u);
			died = true;
		}
	}
	return died;
}

static int prepare_numbers(struct transaction *t, struct err *e)
{
	size_t wanted = 0;

	for (size_t i = 0; i < t->n; i++)
		wanted += t->units[i].kind == UNIT_DEVICE ? NUMBERS_A_LOOK
			: t->units[i].kind == UNIT_REPORT ? t->units[i].report->kind == REPORT_REPORT
			: t->units[i].kind == UNIT_COMMAND && t->units[i].command->action == CMD_SPLIT;
	return wanted ? numbers_ensure(t->pg, transaction_tenant(t), t->numbers, t->now, wanted, e) : 0;
}

/* A command that was carried out before has its result; but a record is not kept twice, so it is read anew. */
static bool is_answered(const struct unit *u)
{
	bool again = u->command->action == CMD_GET && str_equal(u->stored_read, u->command->case_number);

	return u->twin || (u->stored_result && !again);
}

/* The case that a unit will step, or NULL. */
static const char *steps_case(const struct unit *u)
{
	switch (u->kind) {
	case UNIT_COMMAND:
		return is_answered(u) ? NULL : u->command->case_number;
	case UNIT_REPORT:
		if (u->twin)
			return NULL;
		return names_case(u) || (!u->fresh && !u->known.same) ? u->number : NULL;
	case UNIT_DEVICE:
	case UNIT_DEAD:
	case UNIT_NOTHING:
		break;
	}
	return NULL;
}

struct case_change *transaction_add_change(struct transaction *t, struct case_record *c, bool fresh)
{
	struct case_change *change = arena_alloc(t->b->a, sizeof(*change));

	*change = (struct case_change){.c = c, .fresh = fresh, .wake_at = MOMENT_NONE};
	if (!fresh)
		change->was = case_change_was(c, t->b->a);
	map_put(&t->changes, c->number, change);
	ALIST_PUSH(t->b->a, &t->order, change);
	return change;
}

/* The other case of a command that concerns two, or of a report that is much like one. */
static const char *also_steps(const struct transaction *t, const struct unit *u)
{
	const char *other = NULL;

	if (u->kind == UNIT_REPORT)
		return u->like && u->alike >= t->b->office->life.join_auto ? u->like : NULL;
	if (u->kind == UNIT_COMMAND && steps_case(u))
		other = u->command->action == CMD_JOIN ? u->command->into : u->command->action == CMD_SPLIT ? u->command->of : NULL;
	return other && str_is_case_number(other) ? other : NULL;
}

static int load_numbers(struct transaction *t, const char *const *numbers, size_t n, struct err *e)
{
	struct case_record **cases = NULL;
	size_t found = 0;
	int r = n ? cases_load(t->pg, transaction_tenant(t), numbers, n, t->b->a, &cases, &found, e) : 0;

	for (size_t i = 0; r == 0 && i < found; i++)
		transaction_add_change(t, cases[i], false);
	return r;
}

/* What is said about a joined case concerns the one that it was joined into, and so on. */
static int load_joined_into(struct transaction *t, struct err *e)
{
	size_t n = 1;
	int r = 0;

	for (size_t from = 0; r == 0 && n;) {
		const char **numbers = arena_alloc(t->b->a, (t->order.n + 1) * sizeof(*numbers));

		n = 0;
		for (; from < t->order.n; from++) {
			const struct case_record *c = t->order.v[from]->c;

			if (c->joined_into && !map_get(&t->changes, c->joined_into))
				numbers[n++] = c->joined_into;
		}
		r = load_numbers(t, numbers, n, e);
	}
	return r;
}

static int load_cases(struct transaction *t, struct err *e)
{
	const char **numbers = arena_alloc(t->b->a, (2 * t->n + transaction_device_cases(t, NULL)) * sizeof(*numbers));
	size_t n = 0;
	int r;

	for (size_t i = 0; i < t->n; i++) {
		numbers[n] = steps_case(&t->units[i]);
		n += numbers[n] != NULL;
		numbers[n] = also_steps(t, &t->units[i]);
		n += numbers[n] != NULL;
	}
	n += transaction_device_cases(t, &numbers[n]);
	r = load_numbers(t, numbers, n, e);
	return r < 0 ? r : load_joined_into(t, e);
}

/* ---- the steps -------------------------------------------------------------------------------- */
static void receipt(struct transaction *t, struct unit *u, const char *result, const struct case_record *c,
		    const char *reason)
{
	struct receipt r = {.id = u->readable_id, .result = result, .reason = reason};

	if (c) {
		r.number = c->number;
		r.department = c->lead;
		r.due = c->leg.due;
	}
	u->answer = receipt_json(&r, t->b->a);
}

static void save_person(struct transaction *t, enum save_table table, const struct report *r)
{
	struct person_row *p;

	if (!r->name && !r->phone && !r->ref && !r->address && !r->has_position && !r->accused && !r->secret)
		return;
	p = arena_alloc(t->b->a, sizeof(*p));
	*p = (struct person_row){r->channel->id, r->id, r->name, r->phone, r->ref, r->address,
				 r->has_position ? r->lat : (double)__builtin_nan(""),
				 r->has_position ? r->lon : (double)__builtin_nan(""), r->crs, r->accused, r->secret};
	save_row(&t->save, table, p);
}

static void open_case(struct transaction *t, struct unit *u, const struct decision *d)
{
	struct case_record *c = arena_alloc(t->b->a, sizeof(*c));
	struct case_change *change;
	struct effects fx;

	u->rule = d->rule;
	u->also = d->also;
	u->n_also = d->n_also;
	if (d->source == ROUTE_FALLBACK)
		transaction_count(t, COUNT_FALLBACKS);
	life_open(t->b->office, u->report, d, u->number, t->now, t->b->a, c, &fx);
	change = transaction_add_change(t, c, true);
	case_change_add(change, &fx, t->b->a);
	transaction_opened(t, u, change);
	receipt(t, u, "created", c, NULL);
}

static void duplicate(struct transaction *t, struct unit *u)
{
	const char *other = _("the same id came before with other content; the first one counts");
	const struct unit *first = u->twin ? u->twin : u;
	bool same = u->twin ? memcmp(u->report->digest, first->report->digest, 16) == 0 : u->known.same;
	struct case_change *change = first->number ? map_get(&t->changes, first->number) : NULL;
	struct receipt r = {.id = u->report->id, .result = "duplicate", .number = first->number,
			    .reason = same ? NULL : other};

	if (!same && change)
		transaction_happens(t, change, &(struct action){.what = LIFE_OTHER_CONTENT, .report = u->report});
	if (change) {
		r.department = change->c->lead;
		r.due = change->c->leg.due;
	} else if (first->known.lead) {
		r.department = first->known.lead;
		r.due = first->known.due;
	}
	u->answer = receipt_json(&r, t->b->a);
	transaction_count(t, COUNT_REPORTS_DUPLICATE);
}

/* The case that a reporter means, though it was joined into another one. */
static struct case_change *meant_case(struct transaction *t, struct unit *u)
{
	const char *moved = map_get(&t->moved, u->number);
	struct case_change *change;

	if (moved)
		transaction_moved(t, u, moved);
	change = map_get(&t->changes, u->number);
	for (size_t i = 0; change && change->c->joined_into && i < t->order.n; i++)
		change = map_get(&t->changes, change->c->joined_into);
	return change;
}

/* What fell due before this moment happens before what is done now, also where the clock's own thread is behind. */
void transaction_catch_up(struct transaction *t, struct case_change *change)
{
	struct ladder_item next;

	if (change->fresh || !ladder_next(t->b->office, change->c, t->b->a, &next) || next.at > t->now)
		return;
	transaction_happens(t, change, &(struct action){.what = LIFE_TICK});
}

static void follow_up(struct transaction *t, struct unit *u)
{
	struct case_change *change = meant_case(t, u);
	struct effects fx;

	if (!change) {  /* the store named the case a moment ago and never deletes one */
		receipt(t, u, "dead", NULL, _("the case is not known"));
		return;
	}
	transaction_catch_up(t, change);
	if (transaction_step(t, change, &(struct action){.what = life_action_of(u->report->kind), .report = u->report}, &fx) == 0)
		case_change_add(change, &fx, t->b->a);
	receipt(t, u, "updated", change->c, fx.refused ? fx.refused : fx.note);
}

static void take_report(struct transaction *t, struct unit *u)
{
	const struct case_change *into;
	struct decision d;

	route(t->b->office, u->report, t->b->a, ROUTE_ALSO, &d);
	if (d.visibility == VISIBLE_SEALED)
		u->matter = NULL;
	into = transaction_join(t, u);
	u->joined = into != NULL;
	if (into)
		receipt(t, u, "joined", into->c, NULL);
	else
		open_case(t, u, &d);
}

static void do_report(struct transaction *t, struct unit *u)
{
	if (u->twin || !u->fresh) {
		duplicate(t, u);
		return;
	}
	save_person(t, SAVE_PERSON, u->report);  /* its id is new: so is this row */
	if (u->report->kind == REPORT_REPORT)
		take_report(t, u);
	else if (u->report->kind == REPORT_TALK)
		receipt(t, u, "updated", NULL, _("talk is recorded; it makes no case"));
	else
		follow_up(t, u);
}

void transaction_open(struct transaction *t, struct unit *u)
{
	struct decision d;

	save_person(t, SAVE_PERSON_PUT, u->report);
	route(t->b->office, u->report, t->b->a, ROUTE_ALSO, &d);
	open_case(t, u, &d);
}

void transaction_receipt(struct transaction *t, struct unit *u, const char *result, const struct case_record *c,
			 const char *reason)
{
	receipt(t, u, result, c, reason);
}

/* Why it was asked, without whom it is about. */
static const char *kept_note(const struct transaction *t, const struct command *cmd)
{
	const struct case_change *change = map_get(&t->changes, cmd->case_number);
	const char *note = cmd->note ? text_mask(t->b->a, cmd->note, NULL) : NULL;

	for (size_t i = 0; note && change && i < change->c->n_names; i++)
		note = text_mask(t->b->a, note, change->c->names[i]);
	return note;
}

static void save_command(struct transaction *t, const struct unit *u, struct result *res)
{
	const struct command *cmd = u->command;
	struct command_row *row = arena_alloc(t->b->a, sizeof(*row));
	const char *record = res->record, *request = cmd->request;

	/* Read again: who and why for the audit, under a name that no request has. */
	if (u->stored_result)
		request = arena_printf(t->b->a, "\x1f%lld", (long long)(u->rec->received_at * 4 + t->b->instance));
	res->record = NULL;     /* personal data is not kept twice */
	*row = (struct command_row){u->dept->id, request, cmd->case_number,
				    command_action_names[cmd->action], cmd->by, kept_note(t, cmd), t->now,
				    result_json(res, t->b->a)};
	res->record = record;
	save_row(&t->save, u->stored_result ? SAVE_COMMAND_AGAIN : SAVE_COMMAND, row);
}

static int step_command(struct transaction *t, const struct unit *u, struct case_change *change,
			struct result *res, struct err *e)
{
	enum life_action what = (enum life_action)(LIFE_COMMAND + (int)u->command->action);
	bool pair = u->command->action == CMD_JOIN || u->command->action == CMD_SPLIT;
	const struct report *first = NULL;
	struct effects fx;

	transaction_catch_up(t, change);
	if (life_decides(change->c, u->command->action)) {
		int r = transaction_first_report(t, change, &first, e);

		if (r < 0)
			return r;
	}
	if (pair ? transaction_pair(t, u, change, &fx)
		 : transaction_step(t, change, &(struct action){.what = what, .command = u->command, .report = first}, &fx)) {
		res->reason = fx.refused;
		res->state = fx.stranger ? NULL : case_state_names[change->c->state];
		if (fx.history.n)       /* the attempt is kept */
			case_change_add(change, &fx, t->b->a);
		return 0;
	}
	res->result = "done";
	res->state = case_state_names[change->c->state];
	res->reason = fx.note;
	res->pending = fx.pending;
	if (fx.read)
		return transaction_read(t, change->c, res, e);
	if (!pair)
		case_change_add(change, &fx, t->b->a);
	return 0;
}

static int do_command(struct transaction *t, struct unit *u, struct err *e)
{
	const struct command *cmd = u->command;
	struct case_change *change = map_get(&t->changes, cmd->case_number);
	struct result res = {.request = cmd->request, .result = "refused", .number = cmd->case_number};
	int r;

	if (is_answered(u)) {
		u->answer = u->twin ? u->twin->answer : u->stored_result;
		return 0;
	}
	if (!change) {
		res.reason = arena_printf(t->b->a, _("case %s is not in the queue of %s"), cmd->case_number,
					  u->dept->name);
	} else {
		r = step_command(t, u, change, &res, e);
		if (r < 0)
			return r;
	}
	save_command(t, u, &res);
	u->answer = result_json(&res, t->b->a);
	transaction_count(t, strcmp(res.result, "done") == 0 ? COUNT_COMMANDS_DONE : COUNT_COMMANDS_REFUSED);
	return 0;
}

static void do_dead(struct transaction *t, struct unit *u)
{
	const struct inbox_record *rec = u->rec;
	struct dead_row *row = arena_alloc(t->b->a, sizeof(*row));
	size_t topic_len = strlen(rec->topic);

	*row = (struct dead_row){
		.id = rec->received_at * 4 + t->b->instance, .at = rec->received_at,
		.channel = u->channel ? u->channel->id : NULL,
		.topic = str_is_utf8(rec->topic, topic_len) ? rec->topic : NULL,
		.topic_raw = {rec->topic, topic_len}, .code = u->why.code[0] ? u->why.code : "bad",
		.reason = err_said(&u->why), .payload = {rec->payload_len ? rec->payload : "", rec->payload_len}};
	save_row(&t->save, SAVE_DEAD, row);
	transaction_count(t, COUNT_DEAD_LETTERS);
	if (u->dept) {
		struct result res = {.request = u->readable_id, .result = "bad", .number = u->command->case_number,
				     .reason = err_said(&u->why)};

		u->answer = result_json(&res, t->b->a);
		transaction_count(t, COUNT_COMMANDS_BAD);
		return;
	}
	receipt(t, u, "dead", NULL, err_said(&u->why));
}

static int step_all(struct transaction *t, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) {
		struct unit *u = &t->units[i];
		int r = 0;

		if (u->kind == UNIT_DEVICE || (u->kind == UNIT_REPORT && u->is_reading && !u->twin && u->fresh))
			r = transaction_device(t, u, e);
		else if (u->kind == UNIT_REPORT)
			do_report(t, u);
		else if (u->kind == UNIT_COMMAND)
			r = do_command(t, u, e);
		else if (u->kind == UNIT_NOTHING)
			receipt(t, u, "updated", NULL, _("there is nothing to do in it"));
		else
			do_dead(t, u);
		if (r < 0 || t->failed)
			return r < 0 ? r : (*e = t->failure).class;
	}
	return 0;
}

/* ---- afterwards ------------------------------------------------------------------------------- */
static void count_rules(const struct transaction *t, const struct unit *u)
{
	struct rule_hits *const *hits = t->b->hits;

	if (!u->rule)
		return;
	atomic_fetch_add_explicit(&hits[u->rule - t->b->office->rules]->won, 1, memory_order_relaxed);
	for (size_t i = 0; i < u->n_also; i++)
		atomic_fetch_add_explicit(&hits[u->also[i]]->lost, 1, memory_order_relaxed);
}

static void hand_over(struct transaction *t)
{
	for (size_t i = 0; i < t->counts.n; i++)
		count(t->counts.v[i]);
	for (size_t i = 0; i < t->order.n; i++)
		change_rows(t->order.v[i], t->b->a, &t->b->rows);
	for (size_t i = 0; i < t->n; i++)
		if (t->units[i].kind == UNIT_REPORT && t->units[i].fresh) {
			count(t->units[i].report->kind != REPORT_REPORT || (t->units[i].is_reading && !t->units[i].opened)
			      ? COUNT_REPORTS_UPDATED
			      : t->units[i].joined ? COUNT_REPORTS_JOINED : COUNT_REPORTS_CREATED);
			count_rules(t, &t->units[i]);
		}
}

static int run(struct transaction *t, struct err *e)
{
	int r;

	save_init(&t->save, t->b->office, t->b->a);
	if ((r = prepare_numbers(t, e)) < 0 || (r = resolve_cases(t, e)) < 0)
		return r;
	do
		find_twins(t);
	while (give_numbers(t));
	if ((r = transaction_claim(t, e)) < 0)
		return r;
	if ((r = transaction_look_up_known(t, e)) < 0 || (r = transaction_look_up_commands(t, e)) < 0 ||
	    (r = transaction_load_devices(t, e)) < 0 || (r = load_cases(t, e)) < 0 || (r = step_all(t, e)) < 0) {
		pg_rollback(t->pg);
		return r;
	}
	for (size_t i = 0; i < t->order.n; i++)
		save_change(&t->save, t->order.v[i]);
	transaction_save_devices(t);
	return save_commit(t->pg, &t->save, e);
}

int transact(struct batch *b, struct pg *pg, struct numbers *numbers, size_t from, size_t n, struct err *e)
{
	struct transaction t = {.b = b, .pg = pg, .numbers = numbers, .units = b->units + from, .n = n,
				.now = clock_now_us()};
	struct arena_mark mark = arena_mark(b->a);
	int r = run(&t, e);

	if (r == 0) {
		hand_over(&t);
		count(COUNT_BATCHES);
	}
	transaction_devices_done(&t);
	map_done(&t.changes);
	map_done(&t.moved);
	if (r < 0) {    /* and perhaps for hours: a database whose disk is full */
		for (size_t i = 0; i < n; i++)
			unit_forget(&t.units[i]);
		arena_release(b->a, mark);
	}
	return r;
}
