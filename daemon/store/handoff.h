#pragma once
/*
 * Where intake and dispatch meet: after a commit the worker hands over what it has just written to the
 * outbox, so that the usual message is published from memory, and the answers (receipts, results),
 * which are in memory only. What does not fit stays in the outbox and is found by a scan.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mailbox.h"
#include "base/mem.h"

struct outbox_row;

struct answer {
	const char *topic, *payload;
	const void *correlation;
	size_t correlation_len;
};
struct handoff {
	struct arena arena;             /* everything below lives here */
	struct outbox_row *rows;
	size_t n_rows;
	struct answer *answers;
	size_t n_answers;
	/* Called once, by the thread that publishes, when every answer has its PUBACK; may be NULL. */
	void (*answered)(void *arg, uint64_t inbox_seq);
	void *arg;
	uint64_t inbox_seq;
	int64_t put_at_us;              /* monotonic: when it was handed over */
};
void handoff_free(struct handoff *h);
/* Leaves behind all that publishing does not need: of a batch's 14 KB a ticket 3 stay. */
void handoff_pack(struct handoff *h);

/* State that both sides look at. */
struct meeting {
	struct mailbox *box;            /* of struct handoff * */
	_Atomic bool active;            /* this daemon holds the tenant's lock, or held it when the database left */
	_Atomic bool locked;            /* … and holds it now: may take the tenant's session at the broker */
	_Atomic bool lists;             /* a list was made: it waits in the database */
	_Atomic bool scan;              /* rows were left in the outbox: look there */
};
