#pragma once
/*
 * The worker thread: takes batches from the inbox, stores them, hands the results to the dispatcher;
 * fires timers. It alone steps cases, so that all is told in the order in which it was stored. It
 * also holds the tenant's lock (its connection's session): who has it is the active daemon. A standby
 * still empties its own inbox, should a former life have left something there.
 */
#include "base/err.h"
#include "store/handoff.h"

struct decoders;
struct inbox;
struct settings;
struct worker;

struct worker_options {
	struct inbox *inbox;
	struct meeting *meeting;
	int instance;                   /* 0…3 */
	const char *folder;             /* where lists are written; outlives the worker */
	void (*beat)(void *arg);        /* called at least once a second while all is well */
	void (*settled)(void *arg);     /* all is done that was due a moment ago */
	void *arg;
};
/* Takes over both, settings as a reference, also when it fails. */
int worker_start(const struct worker_options *options, struct settings *settings, struct decoders *decoders,
		 struct worker **ret, struct err *e);
/* A new snapshot with its decoders, from the next batch on. Takes over both (settings: its reference). */
void worker_offer(struct worker *w, struct settings *settings, struct decoders *decoders);
void worker_wake(struct worker *w);     /* the clock was set: something may be due */
/* Is all done that was due at `now`? What it brought may still be on its way to the broker. */
bool worker_settled(struct worker *w, int64_t now);
/* When the next list or visit falls due; MOMENT_NONE: never. */
int64_t worker_next(struct worker *w);
/*
 * Waits until what is in the inbox now is stored and answered, at most timeout_ms, then ends the thread.
 * Handoffs may still be under way: worker_free after the dispatcher has ended.
 */
void worker_stop(struct worker *w, int timeout_ms);
void worker_free(struct worker *w);
