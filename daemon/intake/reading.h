#pragma once
/* The batch that comes next: messages that are read and understood already, while the last batch is being stored. */
#include "intake/batch.h"

struct decoders;
struct inbox;
struct settings;

struct reading {
	struct batch batch;             /* handoff NULL: nothing was read */
	struct inbox_record records[BATCH_MAX];
	size_t n, bytes;                /* messages; their payloads */
};
/*
 * Reads at most `max` more messages while there is room, and then understands these. Returns how many. The snapshot and its decoders
 * must be the same, and stay, from the first message until the batch is stored.
 */
size_t reading_more(struct reading *r, struct inbox *inbox, struct settings *settings, size_t max);
void reading_understand(struct reading *r, struct decoders *decoders, size_t n);
bool reading_is_full(const struct reading *r);
void reading_taken(struct reading *r);  /* its batch is done; the handoff is another's */
void reading_drop(struct reading *r);   /* nothing of it was stored */
