#include "base/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/mem.h"

struct mailbox {
	pthread_mutex_t lock;
	pthread_cond_t ready;
	size_t capacity, first, n;
	bool woken;
	void *items[];
};

struct mailbox *mailbox_new(size_t capacity)
{
	struct mailbox *box = mem_alloc(sizeof(*box) + capacity * sizeof(box->items[0]));
	pthread_condattr_t attr;

	box->capacity = capacity;
	pthread_mutex_init(&box->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&box->ready, &attr);
	pthread_condattr_destroy(&attr);
	return box;
}

void mailbox_free(struct mailbox *box)
{
	if (!box)
		return;
	pthread_cond_destroy(&box->ready);
	pthread_mutex_destroy(&box->lock);
	free(box);
}

bool mailbox_put(struct mailbox *box, void *item)
{
	bool fits, first;

	pthread_mutex_lock(&box->lock);
	fits = box->n < box->capacity;
	first = box->n == 0;
	if (fits)
		box->items[(box->first + box->n++) % box->capacity] = item;
	pthread_mutex_unlock(&box->lock);
	/* Who wakes up while the lock is held sleeps again at once. */
	if (first)
		pthread_cond_signal(&box->ready);
	return fits;
}

/* With room for nothing (max 0) only a wake-up ends the wait. */
static void wait_until(struct mailbox *box, size_t max, int64_t wait_us)
{
	struct timespec until;
	int64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &until);
	ns = until.tv_nsec + (wait_us % 1000000) * 1000;
	until.tv_sec += wait_us / 1000000 + ns / 1000000000;
	until.tv_nsec = ns % 1000000000;
	while (!(max && box->n) && !box->woken)
		if (pthread_cond_timedwait(&box->ready, &box->lock, &until) == ETIMEDOUT)
			return;
}

size_t mailbox_take(struct mailbox *box, void **items, size_t max, int64_t wait_us)
{
	size_t taken = 0;

	pthread_mutex_lock(&box->lock);
	if (!(max && box->n) && !box->woken && wait_us > 0)
		wait_until(box, max, wait_us);
	box->woken = false;
	for (; taken < max && box->n; taken++, box->n--) {
		items[taken] = box->items[box->first];
		box->first = (box->first + 1) % box->capacity;
	}
	pthread_mutex_unlock(&box->lock);
	return taken;
}

void mailbox_wake(struct mailbox *box)
{
	pthread_mutex_lock(&box->lock);
	box->woken = true;
	pthread_mutex_unlock(&box->lock);
	pthread_cond_signal(&box->ready);
}

size_t mailbox_length(struct mailbox *box)
{
	size_t n;

	pthread_mutex_lock(&box->lock);
	n = box->n;
	pthread_mutex_unlock(&box->lock);
	return n;
}
