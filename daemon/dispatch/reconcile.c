/*
 * The retained cards at the broker against the queue in the database, set against set: what is missing
 * or old is published, what does not belong is emptied. Nothing else is published meanwhile, so that a
 * card that was read here can never overwrite a newer one.
 */
#include <string.h>

#include "base/counter.h"
#include "base/fault.h"
#include "base/log.h"
#include "core/life/event.h"
#include "dispatch/parts.h"

enum { PAGE = 1000 };

struct repair {
	size_t cards, missing, gone;
};

static void take_topic(struct map *topics, const char *topic)
{
	/* The value owns nothing but itself; its `topic` is the key. */
	struct audit_topic *t = map_take(topics, topic);

	if (!t)
		return;
	free((char *)(uintptr_t)t->topic);
	free(t);
}

static bool is_silent(const struct dispatch *d, const char *dept)
{
	const struct department *there = map_get(&d->settings->office.dept_by_id, dept);

	return there && !there->cards;
}

static void compare(struct dispatch *d, struct map *topics, const struct queue_card *card, struct arena *a,
		    struct repair *repair)
{
	const char *topic = topic_dept(&d->settings->office, card->dept, "queue", card->number, a);
	const struct audit_topic *there = map_get(topics, topic);

	if (is_silent(d, card->dept))
		return;         /* stays in `topics`, if it is there, and is emptied */
	repair->cards++;
	if (!there || there->hash != audit_hash(card->card, strlen(card->card))) {
		repair->missing++;
		publish_card_now(d, topic, card->card, NULL);
	}
	take_topic(topics, topic);
	fault_point("in-reconcile");
}

static int compare_all(struct dispatch *d, struct map *topics, struct repair *repair, struct err *e)
{
	char dept[80] = "", number[40] = "";
	struct queue_card *cards;
	size_t n;
	int r;

	do {
		struct arena a = {0};

		r = queue_page(d->pg, tenant_of(d), dept, number, PAGE, &a, &cards, &n, e);
		for (size_t i = 0; r == 0 && i < n; i++)
			compare(d, topics, &cards[i], &a, repair);
		if (r == 0 && n) {
			const struct queue_card *last = &cards[n - 1];

			/* Behind the last number of a department that has no cards: it may have a million cases. */
			snprintf(dept, sizeof(dept), "%s", last->dept);
			snprintf(number, sizeof(number), "%s", is_silent(d, last->dept) ? "~" : last->number);
		}
		arena_done(&a);
		d->o.beat(d->o.arg);
	} while (r == 0 && n == PAGE);
	return r;
}

int reconcile_cards(struct dispatch *d, struct err *e)
{
	struct repair repair = {0};
	struct arena a = {.block_size = 512};
	struct map topics;
	int r;

	r = audit_collect(d, arena_printf(&a, "needle/%s/dept/+/queue/+", tenant_of(d)), &topics, e);
	arena_done(&a);
	if (r < 0)
		return r;
	r = compare_all(d, &topics, &repair, e);
	for (size_t i = 0; r == 0 && i < topics.cap; i++)
		if (topics.slots[i].key) {
			repair.gone++;
			publish_card_now(d, topics.slots[i].key, NULL, NULL);
		}
	audit_topics_done(&topics);
	if (r == 0) {
		count_add(COUNT_CARDS_RECONCILED, (int64_t)(repair.missing + repair.gone));
		log_info("dispatch.reconciled", "%zu cards in the queues, %zu published again, %zu removed",
			 repair.cards, repair.missing, repair.gone);
	}
	return r;
}
