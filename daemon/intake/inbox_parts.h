#pragma once
/*
 * What the files of the inbox share; nobody else includes it. inbox_segment.c handles one file,
 * inbox_open.c makes sense of a folder, inbox_keeper.c is the thread that syncs and keeps the
 * reserve, inbox.c is append, read and retire.
 *
 * `lock` guards everything below it and is never held over a call that may wait for the disk.
 */
#include <pthread.h>

#include "intake/inbox.h"

struct err;
struct pulse;

struct inbox_segment {
	uint64_t first;                 /* seq of its first record: also its file name */
	uint64_t next;                  /* seq after its last record */
	int fd;
	int64_t used, size;             /* bytes of records; bytes of the file */
	bool dirty;                     /* has bytes that no fdatasync covered */
	unsigned pins;                  /* threads that use fd without the lock */
};

struct inbox {
	struct inbox_options options;
	char *folder;
	int dir_fd;                     /* also holds the flock */

	/* the appender's */
	unsigned char *out;
	size_t out_cap;

	/* the reader's: bytes [window_off, +window_len) of the segment window_first */
	unsigned char *window;
	size_t window_cap, window_len;
	int64_t window_off;
	uint64_t window_first;
	int failed_reads;               /* since the last that did not */

	/* the retirer's */
	int retired_fd;
	unsigned retired_slot;

	pthread_mutex_t lock;
	pthread_cond_t readable;        /* for the reader */
	pthread_cond_t work;            /* for the keeper */
	pthread_cond_t spare_decided;   /* for the appender */
	struct inbox_segment **segments;
	size_t n_segments, cap_segments;
	uint64_t next_seq, retired;
	struct inbox_segment *cursor;   /* the reader's place; NULL: begin of the first segment */
	int64_t cursor_off;
	bool woken, stop;
	bool broken;                    /* a sync failed: nothing more may be acknowledged */
	bool dirty, dir_dirty;          /* dirty: the keeper looks every TICK_US */
	uint64_t synced, old;           /* on disk up to here; next_seq at the keeper's last look */
	int64_t tick_us;                /* when it looks next */
	int spare_fd;                   /* the reserve; -1 when there is none */
	int64_t spare_size, spare_retry_us;
	bool adopting;                  /* `spare` is being renamed: make no other yet */
	bool full;
	pthread_t keeper;
};

/* A name such as 00000000000000000017.log */
enum { INBOX_NAME = 32 };
void inbox_segment_name(uint64_t first, char name[INBOX_NAME]);

/* The reserve: a preallocated file called `spare`. -1 with errno when it cannot be had. */
int inbox_spare_make(struct inbox *inbox);
/* Makes the file the segment of `first`; size is what the file has. Closes fd when it fails. */
int inbox_segment_adopt(struct inbox *inbox, int fd, int64_t size, uint64_t first,
			struct inbox_segment **ret, struct err *e);
/* A file of its own for a record that is larger than the reserve. */
int inbox_segment_make_large(struct inbox *inbox, int64_t size, uint64_t first,
			     struct inbox_segment **ret, struct err *e);
/* Opens, checks, and cuts off what is torn. next_first: of the segment after it, 0 for the last. */
int inbox_segment_open(struct inbox *inbox, uint64_t first, uint64_t next_first,
		       struct inbox_segment **ret, struct err *e);
/* Copies [from, to) into a file *.corrupt beside it; false when that failed. */
bool inbox_segment_set_aside(struct inbox *inbox, const struct inbox_segment *s, int64_t from,
			     int64_t to);
void inbox_segment_free(struct inbox_segment *s);                       /* the file stays */
void inbox_segment_delete(struct inbox *inbox, struct inbox_segment *s);

/* Whole pread/pwrite: 0 or -1 with errno; a short file is an error (errno 0). */
int inbox_read_at(int fd, void *buf, size_t len, int64_t off);
int inbox_write_at(int fd, const void *buf, size_t len, int64_t off);

void inbox_push(struct inbox *inbox, struct inbox_segment *s);           /* locked */
/* Takes the oldest segment out when all of it is retired and nobody uses it; NULL: none. Locked. */
struct inbox_segment *inbox_pop_retired(struct inbox *inbox);
void inbox_delete_retired(struct inbox *inbox);                         /* not locked */
int64_t inbox_allocated(const struct inbox *inbox);                     /* locked; of all files */

int inbox_retired_open(struct inbox *inbox, struct err *e);
int inbox_retired_write(struct inbox *inbox, uint64_t seq);

int inbox_keeper_start(struct inbox *inbox, struct err *e);
void inbox_keeper_stop(struct inbox *inbox);
/* One try at the reserve; locked on entry and exit, not between. Keeper, and open before it. */
void inbox_keeper_reserve(struct inbox *inbox);
void inbox_wait_until(pthread_cond_t *c, pthread_mutex_t *lock, int64_t mono_us);
