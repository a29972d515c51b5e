#pragma once
/*
 * A bounded queue of pointers between threads. `mailbox_put` never waits: a full box says so and
 * the caller decides (the store still has the work). The only place with a condition variable.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mailbox;

struct mailbox *mailbox_new(size_t capacity);
void mailbox_free(struct mailbox *box);
bool mailbox_put(struct mailbox *box, void *item);    /* false when full */
/* Takes up to max items in order; waits at most wait_us for the first. Returns how many. */
size_t mailbox_take(struct mailbox *box, void **items, size_t max, int64_t wait_us);
void mailbox_wake(struct mailbox *box);               /* ends one wait early, also a future one */
size_t mailbox_length(struct mailbox *box);
