#pragma once
/*
 * A durable queue in one append-only file: what it took survives kill -9 at any instant. A bridge has
 * two: reports that the gateway has not receipted yet, and replies that nobody has been told yet.
 *
 * An entry has a key and a payload. The same key is taken once: while it waits, and among the newest
 * `remember` that are done. Memory holds keys and places, never payloads. Times are of the monotonic
 * clock. Any thread.
 *
 * Disk: a put is written before it returns, so that it survives the process; queue_sync makes it survive
 * the power, and whoever needs that calls it before he acknowledges. What is done is noted with the next
 * write: after a kill a few may come again, never be missing.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct queue;
struct str;

struct queue_options {
	const char *folder;             /* made when absent */
	const char *name;               /* of the file */
	size_t max_entries;             /* where queue_is_full begins to say so; 0: 50,000 */
	int64_t max_bytes;              /* likewise, of waiting payloads; 0: 256 MiB */
	size_t remember;                /* keys of done entries that are still known */
};

/* ERR_AGAIN: another process has it. ERR_BAD: the file is none of ours. ERR_SYS: the disk. */
int queue_open(const struct queue_options *options, struct queue **ret, struct err *e);
void queue_close(struct queue *q);      /* NULL-safe */

/*
 * 0: kept. QUEUE_KNOWN: waiting or done already; nothing is kept. ERR_SYS: not on the disk. Full is the
 * caller's to ask: what must not be refused is taken beyond the limits as long as the disk has room.
 */
enum { QUEUE_KNOWN = 1 };
int queue_put(struct queue *q, const char *key, const void *payload, size_t len, struct err *e);
bool queue_is_full(struct queue *q);

struct queue_item {
	char *key;                      /* the caller's to free, by queue_item_done */
	char *payload;                  /* NUL behind it */
	size_t len;
	int64_t put_us;                 /* wall clock */
	int tries;                      /* takes before this one, in this life */
	bool found;                     /* it was there when the queue was opened */
	char *settled;                  /* what queue_settle said, or NULL */
};
void queue_item_done(struct queue_item *item);
/* The entry that is due longest, if any; it counts as taken until until_us. ERR_SYS: it cannot be read. */
enum { QUEUE_NOTHING = 1 };
int queue_take(struct queue *q, int64_t now_us, int64_t until_us, struct queue_item *ret, struct err *e);
/* When the next entry falls due: INT64_MAX for none. */
int64_t queue_next_due(struct queue *q);
void queue_hold(struct queue *q, const char *key, int64_t until_us);    /* taken until then, unless gone */
void queue_later(struct queue *q, const char *key, int64_t due_us);     /* due then, unless gone */
void queue_all_due(struct queue *q);
void queue_expire(struct queue *q, int64_t now_us);     /* what was taken until before now is due, oldest first */
size_t queue_taken(struct queue *q);
/* The work for it is done for good, whatever still has to be told: noted on the disk at once. */
int queue_settle(struct queue *q, const char *key, const char *how, struct err *e);
/* False: there was no such entry. `at_once`: written before it returns. */
bool queue_done(struct queue *q, const char *key, bool at_once);
/* A look at a waiting entry. QUEUE_NOTHING: there is none. */
int queue_peek(struct queue *q, const char *key, struct queue_item *ret, struct err *e);
/* Keys, QUEUE_MARKS at most, that count as done from now on without having waited; written before it returns. */
enum { QUEUE_MARKS = 4 };
int queue_mark(struct queue *q, const char *const *keys, size_t n, struct err *e);
bool queue_knows(struct queue *q, const char *key);     /* waiting, or done lately */
bool queue_has(struct queue *q, const char *key);       /* waiting */
int queue_sync(struct queue *q, struct err *e);

struct queue_figures {
	size_t entries, taken;          /* taken: not due now, because somebody is at it */
	int64_t bytes, oldest_us;       /* oldest_us: wall clock, 0 when empty */
};
void queue_figures(struct queue *q, struct queue_figures *ret);
