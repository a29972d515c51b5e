#pragma once
/*
 * Named counters of the process: anyone counts, health prints. One table, so that a counter cannot
 * exist without a help text. Counters only grow; gauges are set. Any thread.
 */
#include <stdint.h>

#define COUNTERS(X)                                                                                     \
	X(MESSAGES_RECEIVED, "needle_messages_received_total", "counter", "Messages taken from the broker") \
	X(MESSAGES_RETAINED_IGNORED, "needle_messages_retained_ignored_total", "counter", "Retained messages on intake topics, ignored") \
	X(REPORTS_CREATED, "needle_reports_created_total", "counter", "Reports that became a case")         \
	X(REPORTS_JOINED, "needle_reports_joined_total", "counter", "Reports of a matter that has an open case") \
	X(REPORTS_DUPLICATE, "needle_reports_duplicate_total", "counter", "Reports whose id was known")     \
	X(REPORTS_UPDATED, "needle_reports_updated_total", "counter", "Messages that changed a known case") \
	X(DEAD_LETTERS, "needle_dead_letters_total", "counter", "Messages set aside with a reason")         \
	X(COMMANDS_DONE, "needle_commands_done_total", "counter", "Commands of departments carried out")    \
	X(COMMANDS_REFUSED, "needle_commands_refused_total", "counter", "Commands refused by the lifecycle") \
	X(COMMANDS_BAD, "needle_commands_bad_total", "counter", "Commands that could not be understood")    \
	X(FALLBACKS, "needle_fallback_total", "counter", "Cases that no rule and no category routed")       \
	X(BATCHES, "needle_batches_total", "counter", "Transactions of the worker")                         \
	X(BATCHES_RETRIED, "needle_batches_retried_total", "counter", "Batches done again after a lost connection or a conflict") \
	X(BATCHES_SPLIT, "needle_batches_split_total", "counter", "Batches split to find a bad message")    \
	X(EVENTS_PUBLISHED, "needle_events_published_total", "counter", "Outbox messages acknowledged by the broker") \
	X(CARDS_PUBLISHED, "needle_cards_published_total", "counter", "Retained queue cards set or removed") \
	X(CARDS_RECONCILED, "needle_cards_reconciled_total", "counter", "Retained cards repaired by reconciliation") \
	X(RECEIPTS_PUBLISHED, "needle_receipts_published_total", "counter", "Receipts and results acknowledged by the broker") \
	X(RESPONSE_TOPICS_IGNORED, "needle_response_topics_ignored_total", "counter", "Response topics outside the sender's own tree") \
	X(PUBLISH_RETRIES, "needle_publish_retries_total", "counter", "Publishes sent again after no acknowledgement") \
	X(TIMERS_FIRED, "needle_timers_fired_total", "counter", "Deadline steps that fell due")             \
	X(LINK_CONNECTS, "needle_broker_connects_total", "counter", "Connections made to the broker")       \
	X(LINK_SESSION_LOST, "needle_broker_session_lost_total", "counter", "Connects on which the broker had no session") \
	X(PG_CONNECTS, "needle_database_connects_total", "counter", "Connections made to the database")     \
	X(RELOADS, "needle_reloads_total", "counter", "Configurations put to work")                         \
	X(RELOADS_FAILED, "needle_reloads_failed_total", "counter", "Configurations refused")               \
	X(RELOAD_OK, "needle_config_last_reload_successful", "gauge", "1 when the last reload worked")      \
	X(BROKER_CONNECTED, "needle_broker_connected", "gauge", "1 while the broker is connected")          \
	X(DATABASE_CONNECTED, "needle_database_connected", "gauge", "1 while the worker's database connection stands") \
	X(ACTIVE, "needle_active", "gauge", "1 when this daemon holds the tenant's lock")                   \
	X(INBOX_RECORDS, "needle_inbox_records", "gauge", "Messages in the inbox journal that are not stored yet") \
	X(INBOX_BYTES, "needle_inbox_bytes", "gauge", "Bytes in the inbox journal that are not retired yet") \
	X(OUTBOX_ROWS, "needle_outbox_messages", "gauge", "Messages in the dispatcher's hands")

enum counter {
#define X(id, name, type, help) COUNT_##id,
	COUNTERS(X)
#undef X
	N_COUNTERS
};

struct counter_info {
	const char *name, *type, *help;
};
extern const struct counter_info counter_info[N_COUNTERS];

void count_add(enum counter c, int64_t n);
void count_set(enum counter c, int64_t value);
int64_t count_get(enum counter c);
#define count(c) count_add(c, 1)
