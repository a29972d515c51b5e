/*
 * Steps that spend: a supplement by the projects' channel and a department's `progress` may say what was `spent`, and from which `pool`.
 * Budget and ceiling are looked at under the pool's lock, in the transaction that books it; what is refused is booked as refused.
 */
#include <jansson.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/tongue.h"
#include "core/statistics/spending.h"
#include "intake/transact_parts.h"
#include "store/spending.h"

#define AMOUNT_MAX INT64_C(999999999999)

struct purse {
	bool asked, project;
	json_t *said;                   /* the message's members */
	struct spending s;
	const char *source;
	const char *wrong;              /* nothing can be booked, not even as refused: why */
};

static const struct pool *find_pool(const struct statistics *st, const char *name)
{
	for (size_t i = 0; name && i < st->n_pools; i++)
		if (strcmp(st->pools[i].name, name) == 0)
			return &st->pools[i];
	return NULL;
}

static const char *all_pools(const struct statistics *st, struct arena *a)
{
	CLEANUP(str_done) struct str t = {0};

	for (size_t i = 0; i < st->n_pools; i++)
		str_addf(&t, "%s%s", i ? "、" : "", st->pools[i].name);
	return arena_strdup(a, t.len ? t.s : "-");
}

/* Whose word counts: by the projects' channel about a project, and departments about any case where there are pools. */
static struct purse open_purse(const struct transaction *t, const struct case_change *change, const struct action *action)
{
	const struct statistics *st = &t->b->office->statistics;
	struct purse p = {.project = st->projects && strcmp(change->c->channel, st->projects->id) == 0};

	if (action->what == LIFE_SUPPLEMENT && p.project && action->report->channel == st->projects) {
		p.said = action->report->extra;
		p.source = arena_printf(t->b->a, "report/%s/%s", action->report->channel->id, action->report->id);
	} else if (action->what == (enum life_action)CMD_PROGRESS && (p.project || st->n_pools)) {
		p.said = action->command->json;
		p.source = arena_printf(t->b->a, "command/%s/%s", action->command->dept->id, action->command->request);
	}
	p.asked = p.said && json_object_get(p.said, "spent");
	return p;
}

static bool read_amount(const json_t *said, int64_t *ret)
{
	if (json_is_integer(said)) {
		*ret = json_integer_value(said);
		return *ret >= -AMOUNT_MAX && *ret <= AMOUNT_MAX;
	}
	return json_is_string(said) && str_to_int(json_string_value(said), -AMOUNT_MAX, AMOUNT_MAX, ret);
}

/* Which pool: the one that is named, else the project's, else the only one. */
static void choose_pool(const struct transaction *t, struct purse *p, const struct project_words *words)
{
	const struct statistics *st = &t->b->office->statistics;
	const json_t *named = json_object_get(p->said, "pool");
	const char *name = json_is_string(named) ? json_string_value(named) : words->pool;

	p->s.pool = named || name ? find_pool(st, name) : p->project ? st->project_pool : st->n_pools == 1 ? st->pools : NULL;
	if ((named || name) && !p->s.pool)
		p->wrong = arena_printf(t->b->a, _("not booked: there is no pool of that name; there are: %s"), all_pools(st, t->b->a));
	else if (!p->s.pool && !p->project)
		p->wrong = arena_printf(t->b->a, _("not booked: name the pool that it comes from: %s"), all_pools(st, t->b->a));
	p->s.unit = p->s.pool ? p->s.pool->unit : st->project_pool ? st->project_pool->unit : "元";
	/* A budget is money: what else is drawn has a ceiling, and no budget. */
	if (words->has_budget && strcmp(p->s.unit, st->project_pool ? st->project_pool->unit : "元") == 0) {
		p->s.has_budget = true;
		p->s.budget = words->budget;
	}
}

static int look_into(struct transaction *t, const struct case_record *c, struct purse *p, struct err *e)
{
	const struct statistics *st = &t->b->office->statistics;
	const char **like = arena_alloc(t->b->a, (st->n_pools + 1) * sizeof(*like));
	struct project_words words = {0};
	size_t n = 0;
	int r = p->project ? spending_words(t->pg, transaction_tenant(t), c->number, st->projects->id, t->b->a, &words, e) : 0;

	if (r < 0)
		return r;
	p->s.at = t->now;
	if (!read_amount(json_object_get(p->said, "spent"), &p->s.amount))
		p->wrong = _("not booked: `spent` must be a whole number, such as 28000");
	else
		choose_pool(t, p, &words);
	if (p->wrong)
		return 0;
	for (size_t i = 0; i < st->n_pools; i++)
		if (strcmp(st->pools[i].unit, p->s.unit) == 0)
			like[n++] = st->pools[i].name;
	return spending_sums(t->pg, transaction_tenant(t), c->number, p->s.pool ? p->s.pool->name : NULL, like, n, &p->s.of_case, &p->s.of_pool, e);
}

static int book(struct transaction *t, const struct case_record *c, const struct purse *p, const char *refused, struct err *e)
{
	struct spending_row row = {.number = c->number, .pool = p->s.pool ? p->s.pool->name : NULL, .source = p->source, .refused = refused,
				   .amount = p->s.amount, .at = t->now};

	return p->wrong ? 0 : spending_put(t->pg, transaction_tenant(t), &row, e);
}

int transaction_step(struct transaction *t, struct case_change *change, const struct action *action, struct effects *fx)
{
	struct purse p = open_purse(t, change, action);
	struct action with = *action;
	int r, refused;

	if (!p.asked)
		return life_step(t->b->office, change->c, action, t->now, t->b->a, fx);
	r = look_into(t, change->c, &p, &t->failure);
	if (r == 0) {
		with.overspent = p.wrong ? p.wrong : spending_refused(&p.s, t->b->a);
		with.spent = with.overspent ? NULL : spending_said(&p.s, t->b->a);
	}
	refused = life_step(t->b->office, change->c, &with, t->now, t->b->a, fx);
	/* Who has no say in the case books nothing; what they may say but not spend is booked as refused. */
	if (r == 0 && (!refused || fx->history.n))
		r = book(t, change->c, &p, with.overspent, &t->failure);
	t->failed = t->failed ? t->failed : r;
	return refused;
}
