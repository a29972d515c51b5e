/*
 * Which keys were done lately. 64 bits of a hash are enough to tell some hundred thousand apart; what
 * falls out is the oldest. A wrong yes would swallow a reply, so the hash is long and not the map's.
 */
#include "bridge/queue_parts.h"

uint64_t queue_hash(const char *key)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (const unsigned char *p = (const unsigned char *)key; *p; p++)
		h = (h ^ *p) * UINT64_C(0x100000001b3);
	/* FNV's high bits are weak for short keys. */
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	return h ? h : 1;
}

void queue_remember_init(struct queue *q, size_t n)
{
	q->cap_ring = n;
	if (!n)
		return;
	for (q->cap_set = 64; q->cap_set < 2 * n; q->cap_set *= 2)
		;
	q->ring = mem_alloc(n * sizeof(*q->ring));
	q->set = mem_alloc(q->cap_set * sizeof(*q->set));
}

void queue_remember_done(struct queue *q)
{
	free(q->ring);
	free(q->set);
}

static size_t slot_of(const struct queue *q, uint64_t hash)
{
	size_t i = hash & (q->cap_set - 1);

	while (q->set[i] && q->set[i] != hash)
		i = (i + 1) & (q->cap_set - 1);
	return i;
}

bool queue_remembers(const struct queue *q, uint64_t hash)
{
	return q->cap_ring && q->set[slot_of(q, hash)] == hash;
}

/* Closes the gap, so that a search never ends before its goal. */
static void forget(struct queue *q, uint64_t hash)
{
	size_t i = slot_of(q, hash), mask = q->cap_set - 1;

	if (q->set[i] != hash)
		return;
	for (size_t j = (i + 1) & mask; q->set[j]; j = (j + 1) & mask) {
		size_t home = q->set[j] & mask;

		if (((j - home) & mask) >= ((j - i) & mask)) {
			q->set[i] = q->set[j];
			i = j;
		}
	}
	q->set[i] = 0;
}

void queue_remember(struct queue *q, uint64_t hash)
{
	if (!q->cap_ring || queue_remembers(q, hash))
		return;
	if (q->n_ring == q->cap_ring) {
		forget(q, q->ring[q->first]);
		q->first = (q->first + 1) % q->cap_ring;
		q->n_ring--;
	}
	q->ring[(q->first + q->n_ring++) % q->cap_ring] = hash;
	q->set[slot_of(q, hash)] = hash;
}

void queue_remembered_add(const struct queue *q, struct str *to)
{
	struct str body = {.max = SIZE_MAX / 2};

	for (size_t i = 0; i < q->n_ring; i++)
		str_addn(&body, (const char *)&q->ring[(q->first + i) % q->cap_ring], sizeof(*q->ring));
	if (body.len)
		queue_record_add(to, QUEUE_REMEMBERED, 0, "", body.s, body.len);
	str_done(&body);
}
