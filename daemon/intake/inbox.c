/*
 * Append, read, retire. The appender is Paho's receive thread: it writes with one pwrite into space
 * that is there already and shares with the others only a few numbers under a lock that nobody
 * holds over the disk. A reader sees a record when the appender has moved `used` behind it, so it
 * never meets half of one. Nothing here knows what a message means.
 */
#include "intake/inbox.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "intake/inbox_parts.h"
#include "intake/inbox_record.h"

enum { WINDOW = 256 * 1024, READ_TRIES = 10 };

/* ---- segments ------------------------------------------------------------------------------- */

void inbox_push(struct inbox *inbox, struct inbox_segment *s)
{
	if (inbox->n_segments == inbox->cap_segments) {
		inbox->cap_segments = inbox->cap_segments ? 2 * inbox->cap_segments : 16;
		inbox->segments = mem_resize(inbox->segments,
					     inbox->cap_segments * sizeof(struct inbox_segment *));
	}
	inbox->segments[inbox->n_segments++] = s;
}

struct inbox_segment *inbox_pop_retired(struct inbox *inbox)
{
	struct inbox_segment *s = inbox->n_segments > 1 ? inbox->segments[0] : NULL;

	/* The last one is the appender's. */
	if (!s || s->next - 1 > inbox->retired || s->pins)
		return NULL;
	inbox->n_segments--;
	memmove(inbox->segments, inbox->segments + 1,
		inbox->n_segments * sizeof(struct inbox_segment *));
	if (inbox->cursor == s) {
		inbox->cursor = NULL;
		inbox->cursor_off = 0;
	}
	return s;
}

void inbox_delete_retired(struct inbox *inbox)
{
	struct inbox_segment *s;

	pthread_mutex_lock(&inbox->lock);
	while ((s = inbox_pop_retired(inbox))) {
		pthread_mutex_unlock(&inbox->lock);
		inbox_segment_delete(inbox, s);
		pthread_mutex_lock(&inbox->lock);
		if (inbox->spare_fd < 0) {
			/* There is room now: do not wait for the next try. */
			inbox->spare_retry_us = 0;
			pthread_cond_signal(&inbox->work);
		}
	}
	pthread_mutex_unlock(&inbox->lock);
}

/* ---- append --------------------------------------------------------------------------------- */

/*
 * The reserve, waited for when the keeper is still at it. Its descriptor, or -1 when there is none
 * to be had. Locked.
 */
static int take_spare(struct inbox *inbox)
{
	int fd;

	if (inbox->spare_fd < 0) {
		inbox->full = false;
		inbox->spare_retry_us = 0;
		pthread_cond_signal(&inbox->work);
		while (inbox->spare_fd < 0 && !inbox->full)
			pthread_cond_wait(&inbox->spare_decided, &inbox->lock);
	}
	fd = inbox->spare_fd;
	inbox->spare_fd = -1;
	return fd;
}

static int adopt_spare(struct inbox *inbox, struct inbox_segment **ret, struct err *e)
{
	int fd;

	pthread_mutex_lock(&inbox->lock);
	fd = take_spare(inbox);
	inbox->adopting = fd >= 0;
	pthread_mutex_unlock(&inbox->lock);
	if (fd < 0)
		return err_code(e, ERR_SYS, "inbox-full", "inbox: %s is full", inbox->folder);
	return inbox_segment_adopt(inbox, fd, inbox->options.segment_bytes, inbox->next_seq, ret,
				   e);
}

/* The segment, if any, is the appender's now, and the keeper may make the next reserve. */
static void settle(struct inbox *inbox, struct inbox_segment *s)
{
	pthread_mutex_lock(&inbox->lock);
	if (s) {
		inbox_push(inbox, s);
		inbox->dir_dirty = inbox->options.durability == INBOX_PROCESS;
	}
	inbox->adopting = false;
	inbox->spare_retry_us = 0;
	pthread_cond_signal(&inbox->work);
	pthread_mutex_unlock(&inbox->lock);
}

static int next_segment(struct inbox *inbox, int64_t need, struct inbox_segment **ret,
			struct err *e)
{
	struct inbox_segment *s = NULL;
	int rc;

	if (need > inbox->options.segment_bytes)
		rc = inbox_segment_make_large(inbox, need, inbox->next_seq, &s, e);
	else
		rc = adopt_spare(inbox, &s, e);
	if (!rc && inbox->options.durability == INBOX_POWER && fsync(inbox->dir_fd) < 0) {
		rc = err_set(e, ERR_SYS, "inbox: cannot sync %s: %s", inbox->folder,
			     strerror(errno));
		inbox_segment_delete(inbox, s);
		s = NULL;
	}
	settle(inbox, s);
	if (rc < 0)
		return rc;
	*ret = s;
	inbox_delete_retired(inbox); /* the one before may have been the appender's and retired */
	return 0;
}

static int current_segment(struct inbox *inbox, int64_t need, struct inbox_segment **ret,
			   struct err *e)
{
	struct inbox_segment *s;
	bool broken;

	pthread_mutex_lock(&inbox->lock);
	s = inbox->n_segments ? inbox->segments[inbox->n_segments - 1] : NULL;
	broken = inbox->broken;
	pthread_mutex_unlock(&inbox->lock);
	if (broken)
		return err_set(e, ERR_SYS, "inbox: the disk of %s failed to sync", inbox->folder);
	/* Numbers are without a hole inside a file; after damage they go on in the next one. */
	if (!s || s->size - s->used < need || s->next != inbox->next_seq)
		return next_segment(inbox, need, ret, e);
	*ret = s;
	return 0;
}

/* Whether there is no reserve behind it. */
static bool publish_record(struct inbox *inbox, struct inbox_segment *s, int64_t size)
{
	bool full, first = false;

	pthread_mutex_lock(&inbox->lock);
	s->used += size;
	s->next = ++inbox->next_seq;
	if (inbox->options.durability == INBOX_PROCESS) {
		s->dirty = true;
		first = !inbox->dirty;
		inbox->dirty = true;
	}
	full = inbox->full;
	pthread_mutex_unlock(&inbox->lock);
	/* Who wakes up while the lock is held sleeps again at once. */
	pthread_cond_signal(&inbox->readable);
	if (first)
		pthread_cond_signal(&inbox->work);
	return full;
}

int inbox_append(struct inbox *inbox, const struct inbox_record *r, uint64_t *ret_seq,
		 struct err *e)
{
	size_t size = inbox_record_size(r);
	uint64_t seq = inbox->next_seq;
	struct inbox_segment *s = NULL;
	bool full;

	if (!size)
		return err_set(e, ERR_SYS, "inbox: a record over 4 GiB");
	if (current_segment(inbox, (int64_t)size, &s, e) < 0)
		return ERR_SYS;
	if (inbox->out_cap < size) {
		inbox->out_cap = 2 * size;
		inbox->out = mem_resize(inbox->out, inbox->out_cap);
	}
	inbox_record_write(r, seq, inbox->out);
	if (inbox_write_at(s->fd, inbox->out, size, s->used) < 0 ||
	    (inbox->options.durability == INBOX_POWER && fdatasync(s->fd) < 0))
		return err_set(e, ERR_SYS, "inbox: cannot write to %s: %s", inbox->folder,
			       strerror(errno));
	full = publish_record(inbox, s, (int64_t)size);
	*ret_seq = seq;
	fault_point("after-append");
	return full ? INBOX_RESERVE : 0;
}

/* ---- read ----------------------------------------------------------------------------------- */

/* A place to read from: [off, used) of a pinned segment. */
struct place {
	struct inbox_segment *s;
	int64_t off, used;
};

/* What the cursor can read from; s NULL when there is nothing. Locked. */
static struct place next_place(const struct inbox *inbox)
{
	struct place at = {0};
	size_t i = 0;

	while (inbox->cursor && i < inbox->n_segments && inbox->segments[i] != inbox->cursor)
		i++;
	for (at.off = inbox->cursor_off; i < inbox->n_segments; i++, at.off = 0) {
		at.s = inbox->segments[i];
		at.used = at.s->used;
		if (at.off < at.used)
			return at;
	}
	at.s = NULL;
	return at;
}

static void unpin(struct inbox *inbox, const struct place *at)
{
	pthread_mutex_lock(&inbox->lock);
	at->s->pins--;
	inbox->cursor = at->s;
	inbox->cursor_off = at->off;
	pthread_mutex_unlock(&inbox->lock);
}

/* Brings at least `need` bytes at the place into the window. NULL: the disk failed, or (errno 0) the file has an end. */
static const unsigned char *window_at(struct inbox *inbox, const struct place *at, size_t need)
{
	int64_t end = inbox->window_off + (int64_t)inbox->window_len;
	size_t want;

	if (inbox->window_first == at->s->first && at->off >= inbox->window_off &&
	    at->off + (int64_t)need <= end)
		return inbox->window + (at->off - inbox->window_off);
	want = need > WINDOW ? need : WINDOW;
	if ((int64_t)want > at->used - at->off)
		want = (size_t)(at->used - at->off);
	if (inbox->window_cap < want) {
		inbox->window_cap = want > WINDOW ? want : WINDOW;
		inbox->window = mem_resize(inbox->window, inbox->window_cap);
	}
	inbox->window_len = 0;
	errno = 0;
	if (want < need)
		return NULL;
	/* What lies behind a bad place is not needed yet. */
	if (inbox_read_at(at->s->fd, inbox->window, want, at->off) < 0 &&
	    (want == need || inbox_read_at(at->s->fd, inbox->window, want = need, at->off) < 0))
		return NULL;
	inbox->window_first = at->s->first;
	inbox->window_off = at->off;
	inbox->window_len = want;
	return inbox->window;
}

/* The record at the place, in the window: its size; 0 when the disk has something else; -1 when it does not give it. */
static int64_t record_at(struct inbox *inbox, const struct place *at, struct inbox_record *ret)
{
	const unsigned char *p;
	size_t size;

	if (at->used - at->off < INBOX_RECORD_HEADER)
		return 0;
	p = window_at(inbox, at, INBOX_RECORD_HEADER);
	if (!p)
		return errno ? -1 : 0;
	size = inbox_record_peek(p, INBOX_RECORD_HEADER);
	if (!size || (int64_t)size > at->used - at->off)
		return 0;
	p = window_at(inbox, at, size);
	if (!p)
		return errno ? -1 : 0;
	return (int64_t)inbox_record_read(p, size, ret);
}

static struct inbox_record copy(struct arena *a, const struct inbox_record *r)
{
	struct inbox_record c = *r;

	c.topic = arena_strdup(a, r->topic);
	c.payload = arena_strndup(a, r->payload, r->payload_len);
	if (r->response_topic)
		c.response_topic = arena_strdup(a, r->response_topic);
	if (r->correlation)
		c.correlation = arena_strndup(a, r->correlation, r->correlation_len);
	return c;
}

struct batch {
	struct arena *arena;
	struct inbox_record *out;
	size_t n, max, bytes, max_bytes;
	bool failed;                    /* the disk: it is asked again later */
};

/* A disk that fails once may give it the next time; what it fails to give again and again is damage. */
static bool may_come_yet(struct inbox *inbox)
{
	if (++inbox->failed_reads >= READ_TRIES)
		return false;
	log_warn("inbox.read", "cannot read in %s: %s", inbox->folder, strerror(errno));
	return true;
}

static void read_place(struct inbox *inbox, struct place *at, uint64_t retired, struct batch *b)
{
	while (at->off < at->used && b->n < b->max && b->bytes < b->max_bytes) {
		struct inbox_record r;
		int64_t size = record_at(inbox, at, &r);

		b->failed = size < 0 && may_come_yet(inbox);
		if (b->failed)
			return;
		inbox->failed_reads = 0;
		if (size <= 0) {
			/* It was whole when it was written or opened. */
			log_error("inbox.corrupt",
				  "%s: the file of message %" PRIu64
				  " is damaged from byte %" PRId64,
				  inbox->folder, at->s->first, at->off);
			inbox_segment_set_aside(inbox, at->s, at->off, at->used);
			at->off = at->used;
			return;
		}
		at->off += size;
		if (r.seq <= retired)
			continue;
		b->out[b->n++] = copy(b->arena, &r);
		b->bytes += r.payload_len;
	}
}

void inbox_wait(struct inbox *inbox, int64_t wait_us)
{
	int64_t until = clock_mono_us() + wait_us;

	pthread_mutex_lock(&inbox->lock);
	/* What could not be read is there, and not to be had yet. */
	while ((inbox->failed_reads || !next_place(inbox).s) && !inbox->woken && clock_mono_us() < until)
		inbox_wait_until(&inbox->readable, &inbox->lock, until);
	inbox->woken = false;
	pthread_mutex_unlock(&inbox->lock);
}

static struct place pin(struct inbox *inbox, uint64_t *ret_retired)
{
	struct place at;

	pthread_mutex_lock(&inbox->lock);
	at = next_place(inbox);
	if (at.s)
		at.s->pins++;
	*ret_retired = inbox->retired;
	pthread_mutex_unlock(&inbox->lock);
	return at;
}

size_t inbox_read(struct inbox *inbox, struct arena *a, struct inbox_record *out, size_t max, size_t max_bytes)
{
	struct batch b = {.arena = a, .out = out, .max = max};
	uint64_t retired;

	b.max_bytes = max_bytes ? max_bytes : 1;

	while (b.n < b.max && b.bytes < b.max_bytes) {
		struct place at = pin(inbox, &retired);

		if (!at.s)
			break;
		read_place(inbox, &at, retired, &b);
		unpin(inbox, &at);
		if (b.failed)
			break;
	}
	return b.n;
}

void inbox_rewind(struct inbox *inbox)
{
	pthread_mutex_lock(&inbox->lock);
	inbox->cursor = NULL;
	inbox->cursor_off = 0;
	pthread_mutex_unlock(&inbox->lock);
}

/* ---- retire --------------------------------------------------------------------------------- */

void inbox_retire(struct inbox *inbox, uint64_t seq)
{
	bool news;

	pthread_mutex_lock(&inbox->lock);
	if (seq >= inbox->next_seq)
		seq = inbox->next_seq - 1;
	news = seq > inbox->retired;
	pthread_mutex_unlock(&inbox->lock);
	if (!news)
		return;
	/*
	 * First on disk, then files may go. If it cannot be written, records come twice: harmless.
	 */
	if (inbox_retired_write(inbox, seq) < 0)
		log_warn("inbox.retire", "cannot write %s/retired: %s", inbox->folder,
			 strerror(errno));
	pthread_mutex_lock(&inbox->lock);
	inbox->retired = seq;
	pthread_mutex_unlock(&inbox->lock);
	inbox_delete_retired(inbox);
}

void inbox_wake(struct inbox *inbox)
{
	pthread_mutex_lock(&inbox->lock);
	inbox->woken = true;
	pthread_cond_signal(&inbox->readable);
	pthread_mutex_unlock(&inbox->lock);
}

void inbox_figures(struct inbox *inbox, struct inbox_figures *ret)
{
	pthread_mutex_lock(&inbox->lock);
	*ret = (struct inbox_figures){
		.appended = inbox->next_seq - 1,
		.retired = inbox->retired,
		.full = inbox->full,
	};
	for (size_t i = 0; i < inbox->n_segments; i++) {
		const struct inbox_segment *s = inbox->segments[i];
		int64_t all = (int64_t)(s->next - s->first), gone = 0;

		if (inbox->retired >= s->first)
			gone = (int64_t)(inbox->retired - s->first) + 1;
		if (gone < all) /* by the file's average: nobody needs it to the byte */
			ret->bytes += s->used / all * (all - gone);
	}
	pthread_mutex_unlock(&inbox->lock);
}
