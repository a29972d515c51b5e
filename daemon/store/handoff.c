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

static const char *keep(struct arena *a, const char *s)
{
	return s ? arena_strdup(a, s) : NULL;
}

void handoff_pack(struct handoff *h)
{
	struct arena old = h->arena, a = {0};
	struct outbox_row *rows = h->n_rows ? arena_alloc(&a, h->n_rows * sizeof(*rows)) : NULL;
	struct answer *answers = h->n_answers ? arena_alloc(&a, h->n_answers * sizeof(*answers)) : NULL;

	for (size_t i = 0; i < h->n_rows; i++) {
		const struct outbox_row *r = &h->rows[i];

		rows[i] = (struct outbox_row){.number = keep(&a, r->number), .target = keep(&a, r->target), .topic = keep(&a, r->topic),
					      .payload = keep(&a, r->payload), .seq = r->seq, .card = r->card,
					      .card_json = keep(&a, r->card_json)};
	}
	for (size_t i = 0; i < h->n_answers; i++) {
		const struct answer *from = &h->answers[i];

		answers[i] = (struct answer){.topic = keep(&a, from->topic), .payload = keep(&a, from->payload),
					     .correlation_len = from->correlation_len};
		if (from->correlation)
			answers[i].correlation = memcpy(arena_alloc(&a, from->correlation_len + 1), from->correlation,
							from->correlation_len);
	}
	h->arena = a;
	h->rows = rows;
	h->answers = answers;
	arena_done(&old);
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
