#include "store/handoff.h"

#include <stdlib.h>
#include <string.h>

#include "store/outbox.h"
#include "store/save.h"

void handoff_free(struct handoff *h)
{
	struct arena arena;

	if (!h)
		return;
	arena = h->arena;
	arena_done(&arena);
	free(h);
}

static const char *card_now(const struct case_change *change, const char *dept)
{
	for (size_t i = 0; i < change->queue.n; i++)
		if (change->queue.v[i].present && strcmp(change->queue.v[i].department, dept) == 0)
			return change->queue.v[i].card;
	return NULL;
}

/* A target is mostly a department's id of the snapshot, which may be gone when the row is told: it is copied. */
void change_rows(const struct case_change *change, struct arena *a, struct outbox_rows *rows)
{
	for (size_t i = 0; i < change->events.n; i++) {
		const struct event_row *ev = &change->events.v[i];

		ALIST_PUSH(a, rows, (struct outbox_row){.number = change->c->number,
							.target = arena_strdup(a, ev->target), .topic = ev->topic, .payload = ev->payload,
							.seq = ev->seq, .card = ev->card,
							.card_json = ev->card ? card_now(change, ev->target) : NULL});
	}
}
