#pragma once
/*
 * Batches whose answers are under way, in order: the inbox is retired up to the oldest that still waits. Put by the
 * worker, answered by any thread.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inbox;

enum { PENDING = 64 };
struct pending {
	struct inbox *inbox;
	pthread_mutex_t lock;
	struct {
		uint64_t seq;           /* last record of the batch */
		bool answered;
	} ring[PENDING];                /* oldest first */
	size_t first, n;
};
void pending_init(struct pending *p, struct inbox *inbox);
void pending_done(struct pending *p);
/* False: no room. */
bool pending_add(struct pending *p, uint64_t seq);
/* For struct handoff: arg is the struct pending. */
void pending_answered(void *arg, uint64_t seq);
