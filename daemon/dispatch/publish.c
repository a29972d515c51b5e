/*
 * Everything that goes out passes here. A parcel is what one transaction produced; its answers and events
 * are sent in order while the link's window has room. Acknowledgements land on Paho's thread, are
 * queued, and are dealt with in the dispatcher's own turn. What was lost is sent again; what the broker
 * refuses for good stays in the outbox and is tried again by a later scan.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/fault.h"
#include "base/log.h"
#include "core/life/event.h"
#include "dispatch/parts.h"

/* ---- acknowledgements ------------------------------------------------------------------------- */
void publish_done(void *arg, void *cookie, enum link_result result, int reason)
{
	struct dispatch *d = arg;
	bool many;

	pthread_mutex_lock(&d->landed_lock);
	VEC_PUSH(&d->landed, (struct landing){cookie, result, reason});
	many = d->landed.n == LAND_MANY;
	pthread_mutex_unlock(&d->landed_lock);
	if (many)
		mailbox_wake(d->o.meeting->box);
}

static void free_parcel(struct parcel *p)
{
	handoff_free(p->h);
	free(p->rows);
	free(p);
}

/* A parcel may go when nothing of it is unsent or unacknowledged. Of those behind the first nothing has been sent. */
static void parcel_step(struct dispatch *d, struct parcel *p)
{
	if (p->answers_left == 0 && p->h->answered) {
		p->h->answered(p->h->arg, p->h->inbox_seq);
		p->h->answered = NULL;
	}
	if (p->answers_left || p->rows_left || p == d->first)
		return;
	free_parcel(p);
}

static void row_finished(struct dispatch *d, struct outgoing *row)
{
	if (row->refused) {
		map_take(&d->in_hand, row->key);
		d->n_in_hand--;
		row->parcel->rows_left--;
		parcel_step(d, row->parcel);
		return;
	}
	count(COUNT_EVENTS_PUBLISHED);
	if (!d->done.n)
		d->delete_at_us = clock_mono_us() + DELETE_WITHIN_US;
	VEC_PUSH(&d->done, row);
}

static void row_landed(struct dispatch *d, struct outgoing *row, bool refused)
{
	row->refused |= refused;
	if (--row->waiting == 0)
		row_finished(d, row);
}

static void free_card(struct dispatch *d, struct card *card)
{
	map_take(&d->cards, card->topic);
	free((char *)(uintptr_t)card->topic);
	free((char *)(uintptr_t)card->payload);
	free(card);
}

static void send_card(struct dispatch *d, struct card *card);

static void card_landed(struct dispatch *d, struct card *card, bool refused)
{
	struct outgoing *row = card->rows, *next;

	card->rows = NULL;
	for (; row; row = next) {
		next = row->next_of_card;
		row_landed(d, row, refused);
	}
	if (!refused)
		count(COUNT_CARDS_PUBLISHED);
	if (!card->has_next) {
		free_card(d, card);
		return;
	}
	free((char *)(uintptr_t)card->payload);
	card->payload = card->next_payload;
	card->rows = card->next_rows;
	card->next_payload = NULL;
	card->next_rows = NULL;
	card->has_next = false;
	send_card(d, card);
}

static void log_refusal(const struct flight *f, int reason)
{
	static const char *const what[] = {"an answer", "an event", "a card", "a message"};

	log_error("dispatch.refused", "the broker refused %s (MQTT reason %d): check the ACL of the gateway's user",
		  what[f->kind], reason);
}

static void land(struct dispatch *d, const struct landing *l)
{
	struct flight *f = l->flight;
	bool refused = l->result == LINK_REFUSED;

	d->flying--;
	if (l->result == LINK_LOST && f->kind != FLIGHT_OTHER) {
		count(COUNT_PUBLISH_RETRIES);
		VEC_PUSH(&d->again, f);
		return;
	}
	if (refused && l->reason)
		log_refusal(f, l->reason);
	if (f->kind == FLIGHT_ANSWER) {
		count(COUNT_RECEIPTS_PUBLISHED);
		f->parcel->answers_left--;
		parcel_step(d, f->parcel);
	} else if (f->kind == FLIGHT_EVENT) {
		row_landed(d, f->row, refused);
	} else if (f->kind == FLIGHT_CARD) {
		card_landed(d, f->card, refused);
	}
	free(f);
}

/* A connection that ends gives its publishes back in no order. */
static int by_serial(const void *left, const void *right)
{
	const struct flight *a = *(struct flight *const *)left, *b = *(struct flight *const *)right;

	return a->serial < b->serial ? -1 : a->serial > b->serial;
}

void publish_land(struct dispatch *d)
{
	VEC(struct landing) landed = {0};
	size_t waiting = d->again.n;

	pthread_mutex_lock(&d->landed_lock);
	landed.v = d->landed.v;
	landed.n = d->landed.n;
	d->landed.v = NULL;
	d->landed.n = d->landed.cap = 0;
	pthread_mutex_unlock(&d->landed_lock);
	if (landed.n)
		fault_point("after-publish");
	for (size_t i = 0; i < landed.n; i++)
		land(d, &landed.v[i]);
	if (d->again.n > waiting)
		qsort(d->again.v, d->again.n, sizeof(*d->again.v), by_serial);
	free(landed.v);
}

/* ---- sending ---------------------------------------------------------------------------------- */
static bool send(struct dispatch *d, struct flight *f, const struct link_publish *p)
{
	struct link_publish mine = *p;
	struct err e;
	int r;

	mine.cookie = f;
	mine.qos = 1;
	r = link_publish(d->link, &mine, &e);
	/* What no broker would take must not hold up what is behind it: as if it had been refused. */
	if (r == ERR_BAD) {
		log_error("dispatch.refused", "%s", e.text);
		publish_done(d, f, LINK_REFUSED, 0);
	} else if (r < 0) {
		return false;
	}
	d->flying++;
	return true;
}

static struct flight *flight(struct dispatch *d, enum flight_kind kind)
{
	struct flight *f = mem_alloc(sizeof(*f));

	f->kind = kind;
	f->serial = d->serial++;
	return f;
}

static bool fly_answer(struct dispatch *d, struct flight *f)
{
	const struct answer *a = &f->parcel->h->answers[f->index];

	return send(d, f, &(struct link_publish){.topic = a->topic, .payload = a->payload,
						 .payload_len = strlen(a->payload), .correlation = a->correlation,
						 .correlation_len = a->correlation_len});
}

static bool fly_event(struct dispatch *d, struct flight *f)
{
	const struct outbox_row *row = f->row->row;

	return send(d, f, &(struct link_publish){.topic = row->topic, .payload = row->payload,
						 .payload_len = strlen(row->payload)});
}

static bool fly_card(struct dispatch *d, struct flight *f)
{
	const char *payload = f->card->payload;

	return send(d, f, &(struct link_publish){.topic = f->card->topic, .payload = payload ? payload : "",
						 .payload_len = payload ? strlen(payload) : 0, .retained = true});
}

static bool fly(struct dispatch *d, struct flight *f)
{
	typedef bool fly_fn(struct dispatch *, struct flight *);
	static fly_fn *const by_kind[] = {[FLIGHT_ANSWER] = fly_answer, [FLIGHT_EVENT] = fly_event,
					  [FLIGHT_CARD] = fly_card};

	fault_point("before-publish");
	return by_kind[f->kind](d, f);
}

/* What the link does not take now waits for its turn. */
static void fly_or_wait(struct dispatch *d, struct flight *f)
{
	if (!fly(d, f))
		VEC_PUSH(&d->again, f);
}

static void send_card(struct dispatch *d, struct card *card)
{
	struct flight *f = flight(d, FLIGHT_CARD);

	f->card = card;
	fly_or_wait(d, f);
}

static void wait_for_card(struct outgoing **list, struct outgoing *row)
{
	if (!row)
		return;
	row->next_of_card = *list;
	*list = row;
}

void publish_card_now(struct dispatch *d, const char *topic, const char *payload, struct outgoing *row)
{
	struct card *card = map_get(&d->cards, topic);
	char *copy = payload ? mem_strdup(payload) : NULL;

	if (card) {
		free((char *)(uintptr_t)card->next_payload);
		card->next_payload = copy;
		card->has_next = true;
		wait_for_card(&card->next_rows, row);
		return;
	}
	card = mem_alloc(sizeof(*card));
	card->topic = mem_strdup(topic);
	card->payload = copy;
	wait_for_card(&card->rows, row);
	map_put(&d->cards, card->topic, card);
	send_card(d, card);
}

bool publish_plain(struct dispatch *d, const char *topic, const char *payload, bool retained)
{
	struct flight *f = flight(d, FLIGHT_OTHER);

	if (send(d, f, &(struct link_publish){.topic = topic, .payload = payload, .payload_len = strlen(payload), .retained = retained}))
		return true;
	free(f);
	return false;
}

static void send_row(struct dispatch *d, struct outgoing *row)
{
	const struct outbox_row *r = row->row;
	bool is_reply = strncmp(r->target, "out/", 4) == 0;

	/* An event, a card, or both. */
	row->waiting = (r->payload != NULL) + r->card;
	if (r->payload) {
		struct flight *f = flight(d, FLIGHT_EVENT);

		f->row = row;
		fly_or_wait(d, f);
	}
	if (r->card) {
		struct arena a = {.block_size = 512};

		publish_card_now(d, topic_dept(&d->settings->office, r->target, "queue", r->number, &a), r->card_json,
				 row);
		arena_done(&a);
	}
	if (!is_reply)
		summary_mark(d, r->target);
}

static void send_answer(struct dispatch *d, struct parcel *p)
{
	struct flight *f = flight(d, FLIGHT_ANSWER);

	f->parcel = p;
	f->index = p->next_answer++;
	fly_or_wait(d, f);
}

/* What waited or was lost goes first, in its old order: it is the oldest. */
static bool send_again(struct dispatch *d)
{
	size_t sent = 0;

	while (sent < d->again.n && link_window_free(d->link) > 1 && fly(d, d->again.v[sent]))
		sent++;
	if (sent)
		memmove(d->again.v, d->again.v + sent, (d->again.n - sent) * sizeof(*d->again.v));
	d->again.n -= sent;
	return d->again.n == 0;
}

void publish_more(struct dispatch *d)
{
	if (!atomic_load(&d->connected) || !d->subscribed || !d->reconciled || !send_again(d))
		return;
	/* A row may take two places in the window: its event and its card. */
	while (d->first && link_window_free(d->link) > 2) {
		struct parcel *p = d->first;

		if (p->next_answer < p->h->n_answers) {
			send_answer(d, p);
		} else if (p->next_row < p->h->n_rows) {
			struct outgoing *row = &p->rows[p->next_row++];

			if (!row->skip)
				send_row(d, row);
		} else {
			d->first = p->next;
			if (!d->first)
				d->last = NULL;
			p->next = NULL;
			parcel_step(d, p);
		}
	}
}

/* ---- parcels ---------------------------------------------------------------------------------- */
static const char *row_key(struct arena *a, const struct outbox_row *row)
{
	return arena_printf(a, "%s %d %s", row->number, row->seq, row->target);
}

void publish_parcel(struct dispatch *d, struct handoff *h)
{
	struct parcel *p = mem_alloc(sizeof(*p));

	p->h = h;
	p->rows = mem_alloc(h->n_rows * sizeof(*p->rows));
	p->answers_left = h->n_answers;
	p->rows_left = h->n_rows;
	for (size_t i = 0; i < h->n_rows; i++) {
		p->rows[i] = (struct outgoing){.parcel = p, .row = &h->rows[i],
					       .key = row_key(&h->arena, &h->rows[i])};
		/* A scan was quicker than the hand-over: the row is on its way already. */
		p->rows[i].skip = map_get(&d->in_hand, p->rows[i].key) != NULL;
		if (p->rows[i].skip) {
			p->rows_left--;
			continue;
		}
		map_put(&d->in_hand, p->rows[i].key, &p->rows[i]);
		d->n_in_hand++;
	}
	if (d->last)
		d->last->next = p;
	else
		d->first = p;
	d->last = p;
}

int publish_scan(struct dispatch *d, int64_t age_us, struct err *e)
{
	struct handoff *h = mem_alloc(sizeof(*h));
	struct outbox_row *rows = NULL;
	size_t n = 0;
	int r = outbox_scan(d->pg, tenant_of(d), age_us, &d->sweep.after, SCAN_MAX, &h->arena, &rows, &n, e);

	if (r < 0) {
		handoff_free(h);
		return r;
	}
	h->rows = arena_alloc(&h->arena, n * sizeof(*h->rows));
	for (size_t i = 0; i < n; i++)
		if (!map_get(&d->in_hand, row_key(&h->arena, &rows[i])))
			h->rows[h->n_rows++] = rows[i];
	d->sweep.running = n == SCAN_MAX;
	if (h->n_rows)
		publish_parcel(d, h);
	else
		handoff_free(h);
	return 0;
}

bool publish_must_delete(const struct dispatch *d)
{
	return d->done.n >= DELETE_MANY || (d->done.n && clock_mono_us() >= d->delete_at_us);
}

int publish_delete_rows(struct dispatch *d, struct err *e)
{
	struct arena a = {0};
	size_t n = d->done.n;
	const char **numbers, **targets;
	int64_t *seqs;
	int r;

	numbers = arena_alloc(&a, n * sizeof(*numbers));
	targets = arena_alloc(&a, n * sizeof(*targets));
	seqs = arena_alloc(&a, n * sizeof(*seqs));
	for (size_t i = 0; i < n; i++) {
		numbers[i] = d->done.v[i]->row->number;
		targets[i] = d->done.v[i]->row->target;
		seqs[i] = d->done.v[i]->row->seq;
	}
	fault_point("before-outbox-delete");
	r = outbox_delete(d->pg, tenant_of(d), numbers, seqs, targets, n, e);
	arena_done(&a);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		struct outgoing *row = d->done.v[i];

		map_take(&d->in_hand, row->key);
		d->n_in_hand--;
		row->parcel->rows_left--;
		parcel_step(d, row->parcel);
	}
	d->done.n = 0;
	return 0;
}

/* ---- the end, or the end of being active ------------------------------------------------------ */
/* Parcels that have been sent whole are no longer in the FIFO; who waits for an answer still names them. */
static void collect(struct map *parcels, struct parcel *p)
{
	char key[32];

	snprintf(key, sizeof(key), "%p", (void *)p);
	if (!map_get(parcels, key))
		map_put(parcels, mem_strdup(key), p);
}

static void free_cards(struct dispatch *d)
{
	for (size_t i = 0; i < d->cards.cap; i++) {
		struct card *card = d->cards.slots[i].value;

		if (!card)
			continue;
		free((char *)(uintptr_t)card->topic);
		free((char *)(uintptr_t)card->payload);
		free((char *)(uintptr_t)card->next_payload);
		free(card);
	}
	map_done(&d->cards);
}

static void collect_all(struct dispatch *d, struct map *parcels)
{
	for (struct parcel *p = d->first; p; p = p->next)
		collect(parcels, p);
	/* Whatever row waits, to be sent again, for a card, or to be deleted, is in hand. */
	for (size_t i = 0; i < d->in_hand.cap; i++) {
		const struct outgoing *row = d->in_hand.slots[i].value;

		if (row)
			collect(parcels, row->parcel);
	}
	for (size_t i = 0; i < d->again.n; i++) {
		if (d->again.v[i]->kind == FLIGHT_ANSWER)
			collect(parcels, d->again.v[i]->parcel);
		free(d->again.v[i]);
	}
	free_cards(d);
}

void publish_drop_all(struct dispatch *d)
{
	struct map parcels = {0};

	publish_land(d);
	collect_all(d, &parcels);
	VEC_DONE(&d->again);
	VEC_DONE(&d->done);
	map_done(&d->in_hand);
	d->first = d->last = NULL;
	d->n_in_hand = 0;
	for (size_t i = 0; i < parcels.cap; i++) {
		struct parcel *p = parcels.slots[i].value;

		if (!p)
			continue;
		/* Nobody was told, but all is stored: the next active daemon finds it in the outbox. */
		if (p->h->answered && !d->stop)
			p->h->answered(p->h->arg, p->h->inbox_seq);
		free((char *)(uintptr_t)parcels.slots[i].key);
		free_parcel(p);
	}
	map_done(&parcels);
}
