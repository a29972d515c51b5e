#pragma once
/*
 * The dispatch thread: the only owner of the broker link. Publishes events, cards, receipts and
 * summaries; deletes outbox rows after their PUBACK; keeps subscriptions and retained cards in step
 * with the snapshot and the database. Only the active daemon is connected.
 */
#include "base/err.h"
#include "store/handoff.h"

struct current;
struct dispatch;
struct link_message;
struct str;

struct dispatch_options {
	struct meeting *meeting;
	struct current *current;
	const char *instance;                           /* "a" */
	/* An intake message: returns when it is safe on disk, or never; false: no more, please. On Paho's thread. */
	bool (*message)(void *arg, const struct link_message *m);
	bool (*paused)(void *arg);                      /* the inbox is full: stay away from the broker */
	void (*beat)(void *arg);                        /* called at least once a second while all is well */
	void *arg;
};
int dispatch_start(const struct dispatch_options *options, struct dispatch **ret, struct err *e);
/* Publishes what is at hand, at most timeout_ms, says offline, disconnects, ends the thread. */
void dispatch_stop(struct dispatch *d, int timeout_ms);
void dispatch_free(struct dispatch *d);
void dispatch_wake(struct dispatch *d);                 /* the snapshot or the clock changed */

struct dispatch_state {
	bool connected, subscribed, reconciled;
	bool probe_known, probe_ok;                     /* are 20,000 retained messages delivered? */
	int64_t open_cases;                             /* as of the newest summary */
	int64_t in_hand;                                /* messages of the outbox held in memory */
};
void dispatch_state(struct dispatch *d, struct dispatch_state *ret);
void dispatch_summary(struct dispatch *d, struct str *out);     /* JSON of the newest summaries */
