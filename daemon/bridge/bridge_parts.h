#pragma once
/* What bridge.c (life, reports), bridge_link.c (the link's thread and callbacks) and bridge_reply.c share. */
#include <pthread.h>

#include "bridge/bridge.h"
#include "bridge/figures.h"
#include "bridge/keys.h"
#include "bridge/queue.h"
#include "link/link.h"

struct pulse;

struct bridge {
	const struct bridge_settings *s;
	struct bridge_callbacks callbacks;
	struct queue *outbox, *replies;
	struct link *link;
	char topic_in[256], topic_receipt[256], topic_out[256];
	char failed[512];               /* folder */
	pthread_mutex_t aside;          /* one writer of failed/ at a time */
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool work, fresh, quit;         /* fresh: connected, and not subscribed yet */
	_Atomic bool subscribed, drain; /* drain: nothing new is sent */
	_Atomic bool choked;            /* as much is under way as may be: only receipts are of interest */
};

int bridge_link_open(struct bridge *b, struct err *e);
void *bridge_link_run(void *arg);
void bridge_wake(struct bridge *b);
void bridge_wake_for_new(struct bridge *b);     /* something was put into the outbox */
