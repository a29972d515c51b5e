#include "core/statistics/points.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/life/case.h"
#include "core/life/lifecycle.h"
#include "core/office.h"

const char *const point_who_names[N_POINT_WHO] = {"reporter", "officer", "keeper", "lead"};
const char *const point_on_names[N_POINT_ON] = {"registered", "accepted", "reported_in", "support_done", "resolved",
						"rated", "closed", "reopened", "supervised", "by_hand"};

static bool is_named(const struct names *names, const char *word, bool paths)
{
	for (size_t i = 0; i < names->n; i++) {
		size_t n = strlen(names->v[i]);

		if (word && (strcmp(word, names->v[i]) == 0 || (paths && strncmp(word, names->v[i], n) == 0 && word[n] == '/')))
			return true;
	}
	return names->n == 0;
}

bool selection_holds(const struct selection *s, const struct case_record *c, int64_t facts)
{
	return (facts & s->all) == s->all && (!s->any || facts & s->any) && !(facts & s->none) &&
	       is_named(&s->channels, c->channel, false) && is_named(&s->categories, c->category, true) &&
	       is_named(&s->departments, c->lead, false) && is_named(&s->urgencies, urgency_names[c->urgency], false) &&
	       is_named(&s->horizons, c->horizon, false);
}

/* A case begins with the row that assigns it; nothing else is called so by rules. */
static bool is_on(enum point_on on, const struct history_row *row)
{
	if (on == POINT_REGISTERED)
		return row->seq == 1;
	return on != POINT_BY_HAND && strcmp(row->kind, point_on_names[on]) == 0;
}

/* Who came, or whose task is done, is a department of its own; else the lead. */
static const char *account_of(const struct office *office, const struct case_record *c, const struct point_rule *rule,
			      const struct history_row *row, struct arena *a)
{
	const struct grid *grid = c->grid ? map_get(&office->grid_by_code, c->grid) : NULL;
	bool own = rule->on == POINT_REPORTED_IN || rule->on == POINT_SUPPORT_DONE;
	const char *dept = own && row->department ? row->department : c->lead;

	switch (rule->who) {
	case POINT_LEAD:
		return arena_printf(a, "dept/%s", dept);
	case POINT_OFFICER:
		return own && row->by ? arena_printf(a, "officer/%s/%s", dept, row->by) : NULL;
	case POINT_KEEPER:
		return grid && grid->keeper ? arena_printf(a, "keeper/%s", grid->keeper) : "";
	case POINT_REPORTER:
	case N_POINT_WHO:
		break;
	}
	return NULL;
}

size_t points_of(const struct office *office, const struct case_record *c, int64_t facts, const struct history_row *row, struct arena *a,
		 struct point_row *ret)
{
	const struct statistics *st = &office->statistics;
	size_t n = 0;

	for (size_t i = 0; i < st->n_point_rules; i++) {
		const struct point_rule *rule = &st->point_rules[i];
		const char *account;

		if (!is_on(rule->on, row) || !selection_holds(&rule->when, c, facts))
			continue;
		account = account_of(office, c, rule, row, a);
		if (account && !*account)
			continue;
		ret[n++] = (struct point_row){.number = c->number, .account = account, .who = point_who_names[rule->who],
					      .rule = rule->name, .review = rule->review ? rule->review->id : NULL, .seq = row->seq,
					      .at = row->at, .amount = rule->points};
	}
	return n;
}
