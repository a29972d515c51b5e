#pragma once
/* The snapshot that works now. Threads take a reference for one batch or one turn and give it back. */
#include <pthread.h>

struct settings;

struct current {
	pthread_mutex_t lock;
	struct settings *now;
};
#define CURRENT_INIT {.lock = PTHREAD_MUTEX_INITIALIZER}

struct settings *current_get(struct current *c);                    /* with a reference of its own */
/* Takes over the caller's reference; gives the former one back to be unref'd. */
struct settings *current_swap(struct current *c, struct settings *next);
