/*
 * The inbox's own thread. It syncs what is not in the database yet, within 20 ms, and
 * makes the next file before the appender needs it: Paho's thread then never waits for an
 * allocation, and "the disk is full" is known a whole file before the first message that would not
 * fit.
 */
#include "intake/inbox_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/pulse.h"

enum { TICK_US = 10000, RESERVE_RETRY_US = 500000, IDLE_US = 1000000 };

void inbox_wait_until(pthread_cond_t *c, pthread_mutex_t *lock, int64_t mono_us)
{
	struct timespec until = {.tv_sec = mono_us / 1000000, .tv_nsec = mono_us % 1000000 * 1000};

	pthread_cond_timedwait(c, lock, &until);
}

int64_t inbox_allocated(const struct inbox *inbox)
{
	int64_t sum = inbox->spare_fd >= 0 ? inbox->spare_size : 0;

	for (size_t i = 0; i < inbox->n_segments; i++)
		sum += inbox->segments[i]->size;
	return sum;
}

void inbox_keeper_reserve(struct inbox *inbox)
{
	int64_t size = inbox->options.segment_bytes;
	bool allowed = inbox_allocated(inbox) + size <= inbox->options.max_bytes;
	int fd = -1, cause = 0;

	if (allowed) {
		pthread_mutex_unlock(&inbox->lock);
		fd = inbox_spare_make(inbox);
		cause = errno;
		pthread_mutex_lock(&inbox->lock);
	}
	if (fd < 0 && !inbox->full)
		log_warn("inbox.full", "no room for the next %" PRId64 " bytes: %s", size,
			 allowed ? strerror(cause) : "the inbox has its size");
	if (fd >= 0 && inbox->full)
		log_notice("inbox.room", "there is room again");
	inbox->spare_fd = fd;
	inbox->spare_size = size;
	inbox->full = fd < 0;
	inbox->spare_retry_us = clock_mono_us() + RESERVE_RETRY_US;
	pthread_cond_broadcast(&inbox->spare_decided);
}

static struct inbox_segment *next_dirty(const struct inbox *inbox, uint64_t after)
{
	for (size_t i = 0; i < inbox->n_segments; i++)
		if (inbox->segments[i]->first > after && inbox->segments[i]->dirty)
			return inbox->segments[i];
	return NULL;
}

/* Syncs each file once, oldest first, then the folder. Locked on entry and exit. */
static void sync_all(struct inbox *inbox)
{
	uint64_t done = 0, all = inbox->next_seq - 1;
	bool dir = inbox->dir_dirty;
	struct inbox_segment *s;
	int rc;

	inbox->dir_dirty = false;
	while ((s = next_dirty(inbox, done))) {
		done = s->first;
		s->dirty = false;
		s->pins++;
		pthread_mutex_unlock(&inbox->lock);
		rc = fdatasync(s->fd);
		if (rc < 0)
			log_error("inbox.sync", "cannot sync %s: %s", inbox->folder,
				  strerror(errno));
		pthread_mutex_lock(&inbox->lock);
		s->pins--;
		/* The kernel may have dropped the pages: no later sync can prove them. */
		inbox->broken |= rc < 0;
	}
	if (dir) {
		pthread_mutex_unlock(&inbox->lock);
		fsync(inbox->dir_fd);
		pthread_mutex_lock(&inbox->lock);
	}
	inbox->synced = all;
}

/*
 * While the gateway keeps up, a message is in the database before its sync would be due, and a disk that need not
 * sync for it has more time for the database. Locked on entry and exit.
 */
static void tick(struct inbox *inbox, int64_t now)
{
	uint64_t safe = inbox->retired > inbox->synced ? inbox->retired : inbox->synced, old = inbox->old;

	inbox->old = inbox->next_seq;
	inbox->tick_us = now + TICK_US;
	inbox->dirty = safe + 1 < inbox->next_seq;
	if (safe + 1 < old)
		sync_all(inbox);
}

static void *keep(void *arg)
{
	struct pulse *pulse = pulse_add("inbox");
	struct inbox *inbox = arg;

	pthread_mutex_lock(&inbox->lock);
	while (!inbox->stop) {
		int64_t now = clock_mono_us(), until = now + IDLE_US;
		bool lacking = inbox->spare_fd < 0 && !inbox->adopting;

		pulse_beat(pulse);
		if (lacking && now >= inbox->spare_retry_us) {
			inbox_keeper_reserve(inbox);
			continue;
		}
		if (inbox->dirty && now >= inbox->tick_us) {
			tick(inbox, now);
			pthread_mutex_unlock(&inbox->lock);
			inbox_delete_retired(inbox); /* what was pinned meanwhile */
			pthread_mutex_lock(&inbox->lock);
			continue;
		}
		if (lacking)
			until = inbox->spare_retry_us;
		if (inbox->dirty && until > inbox->tick_us)
			until = inbox->tick_us;
		inbox_wait_until(&inbox->work, &inbox->lock, until);
	}
	sync_all(inbox);
	pthread_mutex_unlock(&inbox->lock);
	pulse_end(pulse);
	return NULL;
}

int inbox_keeper_start(struct inbox *inbox, struct err *e)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
	rc = pthread_create(&inbox->keeper, NULL, keep, inbox);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return err_set(e, ERR_SYS, "inbox: cannot start a thread: %s", strerror(rc));
	return 0;
}

void inbox_keeper_stop(struct inbox *inbox)
{
	pthread_mutex_lock(&inbox->lock);
	inbox->stop = true;
	pthread_cond_signal(&inbox->work);
	pthread_mutex_unlock(&inbox->lock);
	pthread_join(inbox->keeper, NULL);
}
