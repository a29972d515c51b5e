#pragma once
/*
 * The inbox journal: what the broker was told PUBACK for and PostgreSQL does not have yet. Append-only
 * segment files in one folder, preallocated, each record with length and CRC-32C; a torn tail is cut
 * off on open. One appender (Paho's thread), one reader (the worker), one retirer (any thread); any other thread may
 * ask for figures.
 *
 * durability process: a record is written before inbox_append returns and, unless it is retired by then, synced within 20 ms (by a
 * thread of its own); power: synced before it returns.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct inbox;
struct link_message;

enum inbox_durability { INBOX_PROCESS, INBOX_POWER };
struct inbox_options {
	const char *folder;             /* exists; owned by this daemon alone (locked with flock) */
	enum inbox_durability durability;
	int64_t max_bytes;              /* `inbox:`; the daemon disconnects before this is reached */
	int64_t segment_bytes;          /* 0: 16 MiB; also the preallocated reserve */
};
struct inbox_record {
	uint64_t seq;                   /* 1, 2, 3 … over the life of the folder */
	int64_t received_at;
	const char *topic;
	const void *payload;
	size_t payload_len;
	uint8_t qos;
	bool dup;
	const char *response_topic;     /* or NULL */
	const void *correlation;
	size_t correlation_len;
};

int inbox_open(const struct inbox_options *options, struct inbox **ret, struct err *e);
void inbox_close(struct inbox *inbox);      /* syncs; unread records stay for the next open */
/* Writes one record. 0; INBOX_RESERVE: written, but there is no reserve behind it any more, so leave the broker
 * now; ERR_SYS (disk full in spite of the reserve, I/O error): the caller must not let the broker have its PUBACK. */
enum { INBOX_RESERVE = 1 };
int inbox_append(struct inbox *inbox, const struct inbox_record *r, uint64_t *ret_seq, struct err *e);
/*
 * The next records in order, at most `max` and about max_bytes of payload, copied into the arena. Returns how many; does not
 * wait. Reading does not retire.
 */
size_t inbox_read(struct inbox *inbox, struct arena *a, struct inbox_record *out, size_t max, size_t max_bytes);
void inbox_wait(struct inbox *inbox, int64_t wait_us);     /* until there is something to read, or it is woken. Reader only */
/* Goes back to the oldest record that is not retired (after a failed batch). Reader only. */
void inbox_rewind(struct inbox *inbox);
/* Everything up to and including seq is in the database; whole segments are deleted. Kept over kill -9. */
void inbox_retire(struct inbox *inbox, uint64_t seq);
void inbox_wake(struct inbox *inbox);       /* ends one wait early */
struct inbox_figures {
	uint64_t appended, retired;     /* sequence numbers */
	int64_t bytes;                  /* not retired yet */
	/*
	 * The next segment would pass max_bytes or the disk has no room for it, while the present one
	 * still has. Tried again every 500 ms and whenever a segment is deleted.
	 */
	bool full;
};
void inbox_figures(struct inbox *inbox, struct inbox_figures *ret);
