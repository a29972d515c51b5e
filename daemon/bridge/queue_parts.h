#pragma once
/* What the files of the queue share; nobody else includes it. queue.c is what it does, queue_file.c how it stands on the disk. */
#include <pthread.h>

#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"

struct err;

enum queue_record { QUEUE_PUT = 1, QUEUE_SETTLED, QUEUE_DONE, QUEUE_REMEMBERED };

struct queue_entry {
	int64_t off, new_off;           /* of the payload in the file; new_off while it is written anew */
	size_t len;
	int64_t put_us, due_us;
	uint64_t order;
	size_t place;                   /* in the heap */
	int tries;
	bool taken, found;
	char *settled;
	char key[];
};

struct queue {
	char *path;
	bool dirty;                     /* written and not synced */
	size_t max_entries;
	int64_t max_bytes;
	int fd, dir_fd, lock_fd;
	int64_t size, compact_size;     /* bytes in the file, and after it was last written anew */
	struct str notes;               /* records that are not written yet */
	struct map by_key;
	VEC(struct queue_entry *) heap;
	uint64_t orders;
	size_t bytes, taken;
	/* The newest keys that are done, by hash: a ring and an open-addressed set of it. */
	uint64_t *ring, *set;
	size_t n_ring, cap_ring, first, cap_set;
	pthread_mutex_t lock;
};

struct queue_entry *queue_entry_new(const char *key, int64_t off, size_t len, int64_t put_us);
void queue_entry_add(struct queue *q, struct queue_entry *x);
void queue_entry_gone(struct queue *q, struct queue_entry *x);  /* and remembered */

/* queue_file.c */
int queue_head_write(int fd, int64_t *at, struct err *e);
/* Adds a record; returns where in it the body begins, counted from the record. */
int64_t queue_record_add(struct str *to, enum queue_record kind, int64_t at_us, const char *key, const void *body,
			 size_t len);
int queue_read_all(struct queue *q, struct err *e);
int queue_read_body(struct queue *q, const struct queue_entry *x, char *ret, struct err *e);

/* queue_memory.c */
uint64_t queue_hash(const char *key);           /* never 0 */
void queue_remember_init(struct queue *q, size_t n);
void queue_remember_done(struct queue *q);
void queue_remember(struct queue *q, uint64_t hash);
bool queue_remembers(const struct queue *q, uint64_t hash);
void queue_remembered_add(const struct queue *q, struct str *to);       /* as one record */
