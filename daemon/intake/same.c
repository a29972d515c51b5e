/*
 * The same matter at intake: each new report is compared with the few open cases that its place and category
 * name, in the store and earlier in this batch; and what triage joins or takes apart concerns two cases, which
 * are loaded and stepped together.
 */
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "intake/transact_parts.h"
#include "store/matters.h"

enum { REPORTERS_MAX = 200 };           /* then a new case gathers the next ones: a case stays a narrow row */

/* Unless its id turns out to be known. */
static bool may_be_new(const struct unit *u)
{
	return u->kind == UNIT_REPORT && !u->twin && (u->row || u->fresh) && u->report->kind == REPORT_REPORT;
}

static void compare(const struct transaction *t, struct unit *u, const struct matter *other)
{
	double alike = matter_alike(t->b->office, u->matter, other);

	/* Of two that are as like, the newer one, which has more in common with now. */
	if (alike >= t->b->office->life.join_propose && alike > 0 &&
	    (alike > u->alike || (alike >= u->alike && strcmp(other->number, u->like) > 0))) {
		u->alike = alike;
		u->like = other->number;
	}
}

static size_t prepare(struct transaction *t, const char **cells, struct unit **who)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct unit *u = &t->units[i];
		struct matter m;

		u->matter = NULL;
		u->like = NULL;
		u->alike = 0;
		u->joined = false;
		if (!may_be_new(u) || !matter_of(u->report, t->b->a, &m))
			continue;
		u->matter = arena_alloc(t->b->a, sizeof(*u->matter));
		*u->matter = m;
		u->matter->number = u->number;
		for (size_t k = matter_looks(t->b->office, &m, t->b->a, &cells[n]); k > 0; k--)
			who[n++] = u;
	}
	return n;
}

/* Reports that look in one cell, as a list from its first on: a burst about one place is one look-up. */
static void group(struct transaction *t, const char *const *cells, size_t n, struct same_search *s)
{
	struct map seen = {0};

	s->cells = arena_alloc(t->b->a, (n + 1) * sizeof(*s->cells));
	s->head = arena_alloc(t->b->a, (n + 1) * sizeof(*s->head));
	s->next = arena_alloc(t->b->a, (n + 1) * sizeof(*s->next));
	for (size_t i = 0; i < n; i++) {
		size_t at = (size_t)(uintptr_t)map_get(&seen, cells[i]);
		uint64_t numbers = s->who[i]->matter->numbers;

		if (!at) {
			at = ++s->n_cells;
			s->cells[at - 1] = (struct look){.cell = cells[i], .numbers = numbers};
			map_put(&seen, cells[i], (void *)(uintptr_t)at);
		}
		s->cells[at - 1].any_numbers |= s->cells[at - 1].numbers != numbers;
		s->next[i] = s->head[at - 1];
		s->head[at - 1] = i + 1;
	}
	map_done(&seen);
}

void transaction_ask_same(struct transaction *t, struct same_search *s)
{
	const char **cells = arena_alloc(t->b->a, t->n * MATTER_LOOKS * sizeof(*cells));
	size_t n;

	*s = (struct same_search){.who = arena_alloc(t->b->a, t->n * MATTER_LOOKS * sizeof(*s->who))};
	n = prepare(t, cells, s->who);
	group(t, cells, n, s);
	if (s->n_cells)
		matters_pipe(t->pg, transaction_tenant(t), s->cells, s->n_cells, t->b->a, &s->rows);
}

void transaction_find_same(struct transaction *t, struct same_search *s)
{
	size_t n = 0;
	struct found_matter *found = s->n_cells ? matters_found(&s->rows, t->b->a, &n) : NULL;

	for (size_t i = 0; i < n; i++)
		for (size_t k = s->head[found[i].look]; k; k = s->next[k - 1]) {
			found[i].m.category = s->who[k - 1]->matter->category;
			if (s->who[k - 1]->fresh)
				compare(t, s->who[k - 1], &found[i].m);
		}
}

/* Cases that this batch opened just now. */
static void compare_batch(struct transaction *t, struct unit *u)
{
	for (const struct unit *v = t->units; v < u; v++)
		if (v->kind == UNIT_REPORT && v->opened && v->matter)
			compare(t, u, v->matter);
}

static bool may_take_in(const struct unit *u, const struct case_record *c)
{
	return c->state != STATE_RESOLVED && c->state != STATE_CLOSED && c->state != STATE_JOINED &&
	       c->visibility != VISIBLE_SEALED && !c->accused && c->joined.n < REPORTERS_MAX &&
	       str_equal(c->category, u->matter->category);
}

void transaction_moved(struct transaction *t, struct unit *u, const char *number)
{
	struct report_row *row = arena_alloc(t->b->a, sizeof(*row));

	*row = (struct report_row){.channel = u->report->channel->id, .id = u->report->id, .number = number};
	save_row(&t->save, SAVE_REPORT_MOVED, row);
	map_put(&t->moved, u->number, arena_strdup(t->b->a, number));
	u->number = number;
}

bool transaction_happens(struct transaction *t, struct case_change *change, const struct action *action)
{
	struct effects fx;

	if (life_step(t->b->office, change->c, action, t->now, t->b->a, &fx))
		return false;
	case_change_add(change, &fx, t->b->a);
	return true;
}

struct case_change *transaction_join(struct transaction *t, struct unit *u)
{
	struct action action = {.what = LIFE_SAME, .report = u->report};
	struct case_change *change;

	if (!u->matter)
		return NULL;
	compare_batch(t, u);
	change = u->like && u->alike >= t->b->office->life.join_auto ? map_get(&t->changes, u->like) : NULL;
	if (!change || !may_take_in(u, change->c))
		return NULL;
	transaction_catch_up(t, change);
	action.person = person_key(t->b->privacy_keys, u->report, t->b->a);
	if (!transaction_happens(t, change, &action))
		return NULL;
	transaction_moved(t, u, change->c->number);
	return change;
}

/* A new case that others may be the same as, and that may itself be the same as another. */
void transaction_opened(struct transaction *t, struct unit *u, struct case_change *change)
{
	struct action action = {.what = LIFE_PROPOSE, .other_number = u->like, .alike = u->alike};
	const char *cells[MATTER_ROWS];

	u->opened = true;
	change->c->person = person_key(t->b->privacy_keys, u->report, t->b->a);
	if (!u->matter || change->c->visibility == VISIBLE_SEALED) {
		u->matter = NULL;
		return;
	}
	change->n_cells = matter_rows(t->b->office, u->matter, t->b->a, cells);
	change->cells = arena_alloc(t->b->a, sizeof(cells));
	memcpy((void *)(uintptr_t)change->cells, cells, sizeof(cells));
	change->matter = u->matter;
	/* By any one of them its row is found again. */
	change->c->cells = cells[change->n_cells - 1];
	if (u->like && u->alike < t->b->office->life.join_auto)
		transaction_happens(t, change, &action);
}

/* ---- two cases -------------------------------------------------------------------------------- */
/* Steps the second case with what was done to the first. */
static void step_other(struct transaction *t, const struct unit *u, enum life_action what, struct case_change *change,
		       const struct case_record *other)
{
	transaction_happens(t, change, &(struct action){.what = what, .command = u->command, .other = other});
}

static void open_split(struct transaction *t, const struct case_record *from, const struct joined *who)
{
	const char *number = numbers_take(t->numbers, t->b->office->prefix, t->b->a);
	struct case_record *c = arena_alloc(t->b->a, sizeof(*c));
	struct report_row *row = arena_alloc(t->b->a, sizeof(*row));
	struct case_change *change;
	struct effects fx;

	life_open_split(t->b->office, from, who, number, t->now, t->b->a, c, &fx);
	change = transaction_add_change(t, c, true);
	case_change_add(change, &fx, t->b->a);
	*row = (struct report_row){.channel = who->channel, .id = who->report, .number = number};
	save_row(&t->save, SAVE_REPORT_MOVED, row);
}

/* The case that a command names beside its own, or NULL. */
static struct case_change *other_case(const struct transaction *t, const struct command *cmd, const struct case_record *c)
{
	const char *number = cmd->action == CMD_JOIN ? cmd->into : c->state == STATE_JOINED ? c->joined_into : cmd->of;

	return number ? map_get(&t->changes, number) : NULL;
}

int transaction_pair(struct transaction *t, const struct unit *u, struct case_change *change, struct effects *fx)
{
	const struct command *cmd = u->command;
	struct case_change *other = other_case(t, cmd, change->c);
	struct action action = {.what = (enum life_action)(LIFE_COMMAND + (int)cmd->action), .command = cmd};
	int r;

	/* "Split B off A" may be said of either. */
	if (cmd->action == CMD_SPLIT && other && other->c->state == STATE_JOINED &&
	    str_equal(other->c->joined_into, change->c->number)) {
		struct case_change *swap = change;

		change = other;
		other = swap;
	}
	action.other = other ? other->c : NULL;
	r = life_step(t->b->office, change->c, &action, t->now, t->b->a, fx);
	if (r)
		return r;
	case_change_add(change, fx, t->b->a);
	if (fx->split)
		open_split(t, change->c, fx->split);
	else if (other)
		step_other(t, u, cmd->action == CMD_JOIN ? LIFE_TAKE_IN : LIFE_LET_GO, other, change->c);
	return 0;
}
