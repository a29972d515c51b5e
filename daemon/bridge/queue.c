/*
 * Records follow one another in the file: put, settled, done, and the keys that are remembered. Opening
 * reads them all and cuts off what a kill left half written. When most of the file is history, what is
 * left is written into a new file that takes its place. Waiting entries stand in a heap by the time at
 * which they fall due, so that retries of days and a burst of thousands cost the same.
 */
#include "bridge/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/log.h"
#include "bridge/queue_parts.h"

enum { COMPACT_BYTES = 4 << 20, NOTES_BYTES = 16 * 1024, LOCK_TRIES = 100, LOCK_PAUSE_US = 20000 };

/* ---- the heap: by due time, then by order of coming --------------------------------------------- */

static bool before(const struct queue_entry *a, const struct queue_entry *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void put_at(struct queue *q, size_t i, struct queue_entry *x)
{
	q->heap.v[i] = x;
	x->place = i;
}

static void settle_heap(struct queue *q, size_t i)
{
	struct queue_entry *x = q->heap.v[i];

	for (; i && before(x, q->heap.v[(i - 1) / 2]); i = (i - 1) / 2)
		put_at(q, i, q->heap.v[(i - 1) / 2]);
	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < q->heap.n && before(q->heap.v[child + 1], q->heap.v[child]))
			child++;
		if (child >= q->heap.n || !before(q->heap.v[child], x))
			break;
		put_at(q, i, q->heap.v[child]);
		i = child;
	}
	put_at(q, i, x);
}

void queue_entry_add(struct queue *q, struct queue_entry *x)
{
	x->order = ++q->orders;
	map_put(&q->by_key, x->key, x);
	VEC_PUSH(&q->heap, x);
	settle_heap(q, q->heap.n - 1);
	q->bytes += x->len;
}

static void heap_remove(struct queue *q, struct queue_entry *x)
{
	size_t i = x->place;
	struct queue_entry *last = q->heap.v[--q->heap.n];

	if (last == x)
		return;
	put_at(q, i, last);
	settle_heap(q, i);
}

static void entry_drop(struct queue *q, struct queue_entry *x)
{
	map_take(&q->by_key, x->key);
	heap_remove(q, x);
	q->bytes -= x->len;
	q->taken -= x->taken;
	free(x->settled);
	free(x);
}

void queue_entry_gone(struct queue *q, struct queue_entry *x)
{
	queue_remember(q, queue_hash(x->key));
	entry_drop(q, x);
}

/* ---- the file ----------------------------------------------------------------------------------- */

static int write_all(int fd, const char *p, size_t n, int64_t off, const char *path, struct err *e)
{
	while (n) {
		ssize_t got = pwrite(fd, p, n, off);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(e, ERR_SYS, "%s: %s", path, strerror(errno));
		p += got;
		off += got;
		n -= (size_t)got;
	}
	return 0;
}

/* Writes the notes that wait. What fails half way is written over by the next try. */
static int flush(struct queue *q, struct err *e)
{
	int r = q->notes.len ? write_all(q->fd, q->notes.s, q->notes.len, q->size, q->path, e) : 0;

	if (r < 0)
		return r;
	q->dirty |= q->notes.len > 0;
	q->size += (int64_t)q->notes.len;
	str_reset(&q->notes);
	return 0;
}

static int copy_entry(struct queue *q, struct queue_entry *x, int fd, int64_t *at, struct str *record, struct err *e)
{
	CLEANUP(mem_freep) char *body = mem_alloc(x->len + 1);
	int64_t off;
	int r = queue_read_body(q, x, body, e);

	if (r < 0)
		return r;
	str_reset(record);
	off = queue_record_add(record, QUEUE_PUT, x->put_us, x->key, body, x->len);
	if (x->settled)
		queue_record_add(record, QUEUE_SETTLED, x->put_us, x->key, x->settled, strlen(x->settled));
	r = write_all(fd, record->s, record->len, *at, q->path, e);
	x->new_off = *at + off;
	*at += (int64_t)record->len;
	return r;
}

static int copy_live(struct queue *q, int fd, int64_t *at, struct err *e)
{
	CLEANUP(str_done) struct str record = {.max = SIZE_MAX / 2};
	int r;

	queue_remembered_add(q, &record);
	r = record.len ? write_all(fd, record.s, record.len, *at, q->path, e) : 0;
	*at += (int64_t)record.len;
	for (size_t i = 0; r == 0 && i < q->heap.n; i++)
		r = copy_entry(q, q->heap.v[i], fd, at, &record, e);
	if (r == 0 && fdatasync(fd) < 0)
		r = err_set(e, ERR_SYS, "%s: %s", q->path, strerror(errno));
	return r;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int compact(struct queue *q, struct err *e)
{
	char path[PATH_MAX];
	CLEANUP(close_fd) int fd = -1;
	int64_t at = 0;
	int r;

	snprintf(path, sizeof(path), "%s.new", q->path);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, ERR_SYS, "%s: %s", path, strerror(errno));
	r = queue_head_write(fd, &at, e);
	if (r == 0)
		r = copy_live(q, fd, &at, e);
	fault_point("queue-compact");
	if (r == 0 && rename(path, q->path) < 0)
		r = err_set(e, ERR_SYS, "%s: %s", path, strerror(errno));
	if (r < 0) {
		unlink(path);
		return r;
	}
	fsync(q->dir_fd);
	for (size_t i = 0; i < q->heap.n; i++)
		q->heap.v[i]->off = q->heap.v[i]->new_off;
	close(q->fd);
	q->fd = fd;
	fd = -1;
	q->size = q->compact_size = at;
	q->dirty = false;
	str_reset(&q->notes);
	return 0;
}

/* Failing costs room only: it is tried again when the file has grown by as much once more. */
static void maybe_compact(struct queue *q)
{
	struct err e = {0};

	if (q->size < 2 * q->compact_size + COMPACT_BYTES)
		return;
	if (compact(q, &e) < 0) {
		log_warn("queue.compact", "%s", e.text);
		q->compact_size = q->size;
	}
}

/* ---- opening ------------------------------------------------------------------------------------ */

static int make_folder(const char *path, struct err *e)
{
	char part[PATH_MAX];

	snprintf(part, sizeof(part), "%s", path);
	for (char *c = part + 1; *c; c++)
		if (*c == '/') {
			*c = '\0';
			mkdir(part, 0700);
			*c = '/';
		}
	if (mkdir(part, 0700) < 0 && errno != EEXIST)
		return err_set(e, ERR_SYS, "cannot make the folder %s: %s", path, strerror(errno));
	return 0;
}

/* One that was just killed may still hold it for a moment. */
static int lock_folder(struct queue *q, struct err *e)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s.lock", q->path);
	q->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (q->lock_fd < 0)
		return err_set(e, ERR_SYS, "%s: %s", path, strerror(errno));
	for (int i = 0; flock(q->lock_fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (i == LOCK_TRIES)
			return err_set(e, ERR_AGAIN, "%s is in use by another process", q->path);
		usleep(LOCK_PAUSE_US);
	}
	return 0;
}

static int open_file(struct queue *q, const char *folder, struct err *e)
{
	q->dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	q->fd = open(q->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (q->dir_fd < 0 || q->fd < 0)
		return err_set(e, ERR_SYS, "%s: %s", q->path, strerror(errno));
	return queue_read_all(q, e);
}

int queue_open(const struct queue_options *options, struct queue **ret, struct err *e)
{
	struct queue *q;
	char path[PATH_MAX];
	int r = make_folder(options->folder, e);

	if (r < 0)
		return r;
	q = mem_alloc(sizeof(*q));
	snprintf(path, sizeof(path), "%s/%s", options->folder, options->name);
	q->path = mem_strdup(path);
	q->max_entries = options->max_entries ? options->max_entries : 50000;
	q->max_bytes = options->max_bytes ? options->max_bytes : INT64_C(256) << 20;
	q->fd = q->dir_fd = q->lock_fd = -1;
	q->notes.max = SIZE_MAX / 2;
	queue_remember_init(q, options->remember);
	pthread_mutex_init(&q->lock, NULL);
	r = lock_folder(q, e);
	if (r == 0)
		r = open_file(q, options->folder, e);
	if (r < 0) {
		queue_close(q);
		return r;
	}
	maybe_compact(q);
	*ret = q;
	return 0;
}

void queue_close(struct queue *q)
{
	struct err e;

	if (!q)
		return;
	if (q->fd >= 0 && flush(q, &e) == 0)
		fdatasync(q->fd);
	while (q->heap.n)
		entry_drop(q, q->heap.v[q->heap.n - 1]);
	VEC_DONE(&q->heap);
	map_done(&q->by_key);
	queue_remember_done(q);
	str_done(&q->notes);
	close_fd(&q->fd);
	close_fd(&q->dir_fd);
	close_fd(&q->lock_fd);
	pthread_mutex_destroy(&q->lock);
	free(q->path);
	free(q);
}

/* ---- what it is for ----------------------------------------------------------------------------- */

static int put(struct queue *q, const char *key, const void *payload, size_t len, struct err *e)
{
	size_t before_put = q->notes.len;
	int64_t at = clock_now_us(), off;
	struct queue_entry *x;
	int r;

	if (map_get(&q->by_key, key) || queue_remembers(q, queue_hash(key)))
		return QUEUE_KNOWN;
	off = q->size + (int64_t)before_put + queue_record_add(&q->notes, QUEUE_PUT, at, key, payload, len);
	r = flush(q, e);
	if (r < 0) {
		/* The caller is told no: it must not appear with a later write. */
		q->notes.len = before_put;
		return r;
	}
	x = queue_entry_new(key, off, len, at);
	queue_entry_add(q, x);
	maybe_compact(q);
	return 0;
}

int queue_put(struct queue *q, const char *key, const void *payload, size_t len, struct err *e)
{
	int r;

	pthread_mutex_lock(&q->lock);
	r = put(q, key, payload, len, e);
	pthread_mutex_unlock(&q->lock);
	return r;
}

bool queue_is_full(struct queue *q)
{
	bool full;

	pthread_mutex_lock(&q->lock);
	full = q->heap.n >= q->max_entries || q->bytes >= (size_t)q->max_bytes;
	pthread_mutex_unlock(&q->lock);
	return full;
}

void queue_item_done(struct queue_item *item)
{
	free(item->key);
	free(item->payload);
	free(item->settled);
	*item = (struct queue_item){0};
}

static void set_due(struct queue *q, struct queue_entry *x, int64_t due_us, bool taken)
{
	q->taken += taken;
	q->taken -= x->taken;
	x->taken = taken;
	x->due_us = due_us;
	settle_heap(q, x->place);
}

static int fill(struct queue *q, const struct queue_entry *x, struct queue_item *ret, struct err *e)
{
	int r;

	*ret = (struct queue_item){.len = x->len, .put_us = x->put_us, .tries = x->tries, .found = x->found};
	ret->payload = mem_alloc(x->len + 1);
	ret->key = mem_strdup(x->key);
	ret->settled = x->settled ? mem_strdup(x->settled) : NULL;
	r = queue_read_body(q, x, ret->payload, e);
	if (r < 0)
		queue_item_done(ret);
	return r;
}

static int take(struct queue *q, int64_t now_us, int64_t until_us, struct queue_item *ret, struct err *e)
{
	struct queue_entry *x = q->heap.n ? q->heap.v[0] : NULL;
	int r;

	if (!x || x->due_us > now_us)
		return QUEUE_NOTHING;
	r = fill(q, x, ret, e);
	set_due(q, x, until_us, true);
	x->tries += r == 0;
	return r;
}

int queue_peek(struct queue *q, const char *key, struct queue_item *ret, struct err *e)
{
	const struct queue_entry *x;
	int r;

	pthread_mutex_lock(&q->lock);
	x = map_get(&q->by_key, key);
	r = x ? fill(q, x, ret, e) : QUEUE_NOTHING;
	pthread_mutex_unlock(&q->lock);
	return r;
}

int queue_take(struct queue *q, int64_t now_us, int64_t until_us, struct queue_item *ret, struct err *e)
{
	int r;

	pthread_mutex_lock(&q->lock);
	r = take(q, now_us, until_us, ret, e);
	pthread_mutex_unlock(&q->lock);
	return r;
}

int64_t queue_next_due(struct queue *q)
{
	int64_t due;

	pthread_mutex_lock(&q->lock);
	due = q->heap.n ? q->heap.v[0]->due_us : INT64_MAX;
	pthread_mutex_unlock(&q->lock);
	return due;
}

static void due(struct queue *q, const char *key, int64_t due_us, bool taken)
{
	struct queue_entry *x;

	pthread_mutex_lock(&q->lock);
	x = map_get(&q->by_key, key);
	if (x)
		set_due(q, x, due_us, taken);
	pthread_mutex_unlock(&q->lock);
}

void queue_hold(struct queue *q, const char *key, int64_t until_us)
{
	due(q, key, until_us, true);
}

void queue_later(struct queue *q, const char *key, int64_t due_us)
{
	due(q, key, due_us, false);
}

void queue_all_due(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->taken = 0;
	for (size_t i = 0; i < q->heap.n; i++) {
		q->heap.v[i]->due_us = 0;
		q->heap.v[i]->taken = false;
	}
	for (size_t i = q->heap.n / 2; i-- > 0;)
		settle_heap(q, i);
	pthread_mutex_unlock(&q->lock);
}

void queue_expire(struct queue *q, int64_t now_us)
{
	pthread_mutex_lock(&q->lock);
	for (size_t i = 0; i < q->heap.n; i++) {
		struct queue_entry *x = q->heap.v[i];

		if (x->taken && x->due_us <= now_us) {
			x->taken = false;
			q->taken--;
			x->due_us = 0;
		}
	}
	for (size_t i = q->heap.n / 2; i-- > 0;)
		settle_heap(q, i);
	pthread_mutex_unlock(&q->lock);
}

size_t queue_taken(struct queue *q)
{
	size_t n;

	pthread_mutex_lock(&q->lock);
	n = q->taken;
	pthread_mutex_unlock(&q->lock);
	return n;
}

int queue_settle(struct queue *q, const char *key, const char *how, struct err *e)
{
	struct queue_entry *x;
	int r = 0;

	pthread_mutex_lock(&q->lock);
	x = map_get(&q->by_key, key);
	if (x) {
		free(x->settled);
		x->settled = mem_strdup(how);
		queue_record_add(&q->notes, QUEUE_SETTLED, clock_now_us(), key, how, strlen(how));
		r = flush(q, e);
	}
	pthread_mutex_unlock(&q->lock);
	return r;
}

bool queue_done(struct queue *q, const char *key, bool at_once)
{
	struct queue_entry *x;
	struct err e = {0};

	pthread_mutex_lock(&q->lock);
	x = map_get(&q->by_key, key);
	if (x) {
		queue_record_add(&q->notes, QUEUE_DONE, clock_now_us(), key, NULL, 0);
		queue_entry_gone(q, x);
		if ((at_once || q->notes.len > NOTES_BYTES) && flush(q, &e) < 0)
			log_warn("queue.note", "%s", e.text);
		maybe_compact(q);
	}
	pthread_mutex_unlock(&q->lock);
	return x;
}

int queue_mark(struct queue *q, const char *const *keys, size_t n, struct err *e)
{
	uint64_t hashes[QUEUE_MARKS];
	int r;

	n = n < QUEUE_MARKS ? n : QUEUE_MARKS;
	for (size_t i = 0; i < n; i++)
		hashes[i] = queue_hash(keys[i]);
	pthread_mutex_lock(&q->lock);
	queue_record_add(&q->notes, QUEUE_REMEMBERED, clock_now_us(), "", hashes, n * sizeof(*hashes));
	for (size_t i = 0; i < n; i++)
		queue_remember(q, hashes[i]);
	r = flush(q, e);
	maybe_compact(q);
	pthread_mutex_unlock(&q->lock);
	return r;
}

bool queue_knows(struct queue *q, const char *key)
{
	bool knows;

	pthread_mutex_lock(&q->lock);
	knows = map_get(&q->by_key, key) || queue_remembers(q, queue_hash(key));
	pthread_mutex_unlock(&q->lock);
	return knows;
}

bool queue_has(struct queue *q, const char *key)
{
	bool has;

	pthread_mutex_lock(&q->lock);
	has = map_get(&q->by_key, key);
	pthread_mutex_unlock(&q->lock);
	return has;
}

int queue_sync(struct queue *q, struct err *e)
{
	bool dirty;
	int fd = -1, r;

	pthread_mutex_lock(&q->lock);
	r = flush(q, e);
	dirty = r == 0 && q->dirty;
	/* The disk is waited for without the lock; a new file that takes this one's place was synced. */
	if (dirty)
		fd = dup(q->fd);
	q->dirty = false;
	pthread_mutex_unlock(&q->lock);
	if (!dirty)
		return r;
	if (fd < 0 || fdatasync(fd) < 0)
		r = err_set(e, ERR_SYS, "%s: %s", q->path, strerror(errno));
	close_fd(&fd);
	return r;
}

void queue_figures(struct queue *q, struct queue_figures *ret)
{
	pthread_mutex_lock(&q->lock);
	*ret = (struct queue_figures){.entries = q->heap.n, .taken = q->taken, .bytes = (int64_t)q->bytes};
	for (size_t i = 0; i < q->heap.n; i++)
		if (!ret->oldest_us || q->heap.v[i]->put_us < ret->oldest_us)
			ret->oldest_us = q->heap.v[i]->put_us;
	pthread_mutex_unlock(&q->lock);
}
