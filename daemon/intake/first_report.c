/*
 * The report that opened a case, out of the store again, so that the pure core can decide anew: of the batch
 * at hand, where the case is as young as that, else of the database.
 */
#include <math.h>
#include <string.h>

#include "core/life/lifecycle.h"
#include "core/understand/text.h"
#include "intake/transact_parts.h"
#include "store/cases.h"

static const struct report *in_batch(const struct transaction *t, const struct case_record *c)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct unit *u = &t->units[i];

		if (u->kind == UNIT_REPORT && u->fresh && strcmp(u->report->channel->id, c->channel) == 0 &&
		    strcmp(u->report->id, c->report) == 0)
			return u->report;
	}
	return NULL;
}

static struct report *from_record(const struct transaction *t, const struct case_record *c, const struct record *rec)
{
	const struct office *office = t->b->office;
	const struct personal *p = &rec->personal;
	struct report *r = arena_alloc(t->b->a, sizeof(*r));
	struct channel *gone = arena_alloc(t->b->a, sizeof(*gone));
	const struct channel *channel = map_get(&office->channel_by_id, c->channel);

	*gone = (struct channel){.id = c->channel, .name = c->channel};
	*r = (struct report){.channel = channel ? channel : gone, .source = c->source, .id = c->report,
			     .time = rec->whole.at, .received_at = c->received_at, .text = rec->whole.text, .shadow = "",
			     .category = rec->category, .grid = rec->grid, .device = rec->device, .name = p->name,
			     .address = p->address, .secret = p->secret, .accused = p->accused};
	r->urgency = (int8_t)(rec->urgency ? name_index(urgency_names, N_URGENCY, rec->urgency) : -1);
	r->has_position = !isnan(p->lat) && !isnan(p->lon);
	if (r->has_position) {
		r->lat = p->lat;
		r->lon = p->lon;
	}
	if (r->text)
		r->shadow = text_shadow(t->b->a, r->text);
	return r;
}

int transaction_first_report(struct transaction *t, const struct case_change *change, const struct report **ret,
			     struct err *e)
{
	struct record rec;
	int r = 0;

	*ret = in_batch(t, change->c);
	if (!*ret)
		r = cases_record(t->pg, transaction_tenant(t), change->c, t->b->a, &rec, e);
	if (!*ret && r == 0)
		*ret = from_record(t, change->c, &rec);
	return r < 0 ? r : 0;
}
