#pragma once
/* Counters of a bridge, in one table as base/counter.h is for the daemon. Any thread. */
#include <stdint.h>

struct str;

#define FIGURES(X)                                                                                                      \
	X(TAKEN, "needle_bridge_reports_taken_total", "counter", "Messages written to the outbox")                         \
	X(KNOWN, "needle_bridge_reports_waiting_again_total", "counter", "Messages that were waiting in the outbox already") \
	X(REFUSED, "needle_bridge_inputs_refused_total", "counter", "Inputs that could not become a message")              \
	X(PUBLISHED, "needle_bridge_published_total", "counter", "Messages handed to the broker")                          \
	X(RESENT, "needle_bridge_resent_total", "counter", "Messages handed to the broker again")                          \
	X(CREATED, "needle_bridge_receipts_created_total", "counter", "Receipts: a new case")                              \
	X(DUPLICATE, "needle_bridge_receipts_duplicate_total", "counter", "Receipts: known already")                       \
	X(JOINED, "needle_bridge_receipts_joined_total", "counter", "Receipts: joined to a case")                          \
	X(UPDATED, "needle_bridge_receipts_updated_total", "counter", "Receipts: a case was changed")                      \
	X(DEAD, "needle_bridge_receipts_dead_total", "counter", "Receipts: dead letters, kept in failed/")                 \
	X(REPLIES, "needle_bridge_replies_taken_total", "counter", "Replies taken from the gateway")                       \
	X(REPLIES_AGAIN, "needle_bridge_replies_again_total", "counter", "Replies that came a second time")                \
	X(DELIVERED, "needle_bridge_replies_delivered_total", "counter", "Replies that reached the other side")            \
	X(UNDELIVERED, "needle_bridge_replies_failed_total", "counter", "Replies that were given up, kept in failed/")     \
	X(RETRIES, "needle_bridge_replies_retried_total", "counter", "Tries of replies that failed for the time being")    \
	X(CONNECTS, "needle_bridge_broker_connects_total", "counter", "Connections made to the broker")                    \
	X(CONNECTED, "needle_bridge_broker_connected", "gauge", "1 while the broker is connected")                         \
	X(OUTBOX, "needle_bridge_outbox_messages", "gauge", "Messages without a receipt")                                  \
	X(OUTBOX_BYTES, "needle_bridge_outbox_bytes", "gauge", "Their bytes")                                              \
	X(WAITING, "needle_bridge_replies_waiting", "gauge", "Replies that are not delivered yet")

enum figure {
#define X(id, name, type, help) FIGURE_##id,
	FIGURES(X)
#undef X
	N_FIGURES
};
void figure_add(enum figure f, int64_t n);
void figure_set(enum figure f, int64_t value);
int64_t figure_get(enum figure f);
#define figure_count(f) figure_add(f, 1)
/* The page /metrics; `program` is the label of needle_bridge_info. */
void figures_text(const char *program, struct str *out);
