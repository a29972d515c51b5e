#pragma once
/*
 * The way between a bridge and the gateway, without loss in either direction.
 *
 * Out: a report is written to the outbox and stays there until the gateway's receipt names it; it is
 * sent again after a reconnect and when no receipt comes. The gateway knows (channel, id), so sending
 * twice changes nothing. Dead ones are kept in STATE/failed/ with the reason.
 * In: a reply is on the disk before the broker is told that we have it; each is handed out until it is
 * done, once by its id (case number, step and kind). What became of it goes back as `delivered`.
 *
 * Threads: any, but for what callbacks say. The link has a thread of its own in here.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/queue.h"

struct bridge;
struct bridge_settings;
struct err;

enum { BRIDGE_KEY = 33, BRIDGE_REPORT_MAX = 256 * 1024 };   /* bytes: more is a dead letter for the gateway */

struct bridge_receipt {
	const char *key;                /* of bridge_report */
	const char *id, *result;        /* id may be NULL */
	const char *case_number, *department, *reason;  /* may be NULL */
	const json_t *json;
};
struct bridge_callbacks {
	void *arg;
	/* On Paho's thread: short, no call of the bridge but bridge_report's kind. May be NULL. */
	void (*receipt)(void *arg, const struct bridge_receipt *r);
	/* A reply is there for bridge_reply_take. On Paho's thread. May be NULL. */
	void (*reply)(void *arg);
};

/* Borrows the settings. ERR_AGAIN: the state is in use by another process. */
int bridge_open(const struct bridge_settings *settings, const struct bridge_callbacks *callbacks, struct bridge **ret,
		struct err *e);
int bridge_start(struct bridge *b, struct err *e);
/* Sends nothing new; waits up to drain_ms for receipts that are under way. */
void bridge_stop(struct bridge *b, int drain_ms);
void bridge_free(struct bridge *b);     /* NULL-safe */
bool bridge_is_connected(const struct bridge *b);
const struct bridge_settings *bridge_settings(const struct bridge *b);

/*
 * Takes a report in the contract's form. 0: written; BRIDGE_WAITING: the very same one waits already.
 * Both fill `key`, which the receipt will name. ERR_AGAIN: the outbox is full; ERR_BAD: too large;
 * ERR_SYS: the disk. Before the other side is told "we have it", call bridge_commit.
 */
enum { BRIDGE_WAITING = 1 };
int bridge_report(struct bridge *b, const char *json, size_t len, char key[BRIDGE_KEY], struct err *e);
void bridge_key(const char *json, size_t len, char key[BRIDGE_KEY]);     /* what bridge_report would say */
int bridge_commit(struct bridge *b, struct err *e);     /* durability: power waits for the disk here */
bool bridge_is_waiting(struct bridge *b, const char *key);      /* no receipt yet? */
/* Sets something aside in STATE/failed/DAY.jsonl. `receipt` may be NULL; payload: any bytes. */
void bridge_set_aside(struct bridge *b, const char *what, const char *reason, const json_t *receipt,
		      const char *payload, size_t len);

/* ---- replies: one thread at a time */
struct bridge_reply {
	struct queue_item item;
	json_t *json;                   /* the contract's reply */
	const char *id, *case_number, *about, *kind, *text;     /* "" where absent */
	const json_t *to;               /* reply_to as it was given; may be NULL or null */
};
/* QUEUE_NOTHING: none is due. It is this caller's until one of the three below; then no longer to be used. */
int bridge_reply_take(struct bridge *b, struct bridge_reply *ret, struct err *e);
/* It is settled for good; `way`: how, e.g. "http"; ok false: it never will arrive, `why` in one sentence. */
void bridge_reply_done(struct bridge *b, struct bridge_reply *r, bool ok, const char *way, const char *why);
/* Not now: tried again after a growing pause, and given up after `replies.retry`. */
void bridge_reply_later(struct bridge *b, struct bridge_reply *r, const char *way, const char *why);
/* The same without a trace of a try: nothing was attempted. */
void bridge_reply_put_back(struct bridge *b, struct bridge_reply *r, int64_t pause_us);
/* Nobody is to be told of it: the end, without `delivered`. */
void bridge_reply_drop(struct bridge *b, struct bridge_reply *r);
int64_t bridge_reply_next_due(struct bridge *b);        /* monotonic; INT64_MAX: none */

void bridge_figures(struct bridge *b);  /* sets the gauges of bridge/figures.h */
