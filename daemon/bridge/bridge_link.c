/*
 * The thread that owns the link: it subscribes, publishes what is due, and sends again what got no
 * receipt. And what Paho's thread brings: receipts end their report at once; a reply is on the disk
 * before the callback returns, because PUBACK follows.
 *
 * How often a report is sent without a receipt must stay bounded: while the gateway is away each try
 * lies in the broker's queue. So the pause doubles, and never more than `outstanding` are under way.
 */
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/pulse.h"
#include "base/str.h"
#include "bridge/bridge_parts.h"

enum { SECOND_US = 1000000, SUBSCRIBE_MS = 10000, REFUSED_PAUSE_US = 60 * SECOND_US, RESEND_MAX_US = 600 * SECOND_US,
       SESSION_S = 7 * 86400, DOUBLINGS = 6, DISK_PAUSE_US = SECOND_US / 2 };

/* ---- on Paho's thread --------------------------------------------------------------------------- */

static const char *text_of(const json_t *json, const char *member)
{
	return json_string_value(json_object_get(json, member));
}

static void count_result(const char *result)
{
	static const struct {
		const char *word;
		enum figure figure;
	} rows[] = {{"created", FIGURE_CREATED}, {"duplicate", FIGURE_DUPLICATE}, {"joined", FIGURE_JOINED},
		    {"updated", FIGURE_UPDATED}, {"dead", FIGURE_DEAD}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_equal(rows[i].word, result))
			figure_count(rows[i].figure);
}

/* The key comes back as Correlation Data. */
static bool key_of(const struct link_message *m, char key[BRIDGE_KEY])
{
	if (m->correlation_len != BRIDGE_KEY - 1)
		return false;
	memcpy(key, m->correlation, BRIDGE_KEY - 1);
	key[BRIDGE_KEY - 1] = '\0';
	return strlen(key) == BRIDGE_KEY - 1;
}

/* A dead report is set aside before it leaves the outbox: its bytes are only there. */
static void keep_dead(struct bridge *b, const char *key, const struct bridge_receipt *r)
{
	struct queue_item item;
	struct err e = {0};

	if (queue_peek(b->outbox, key, &item, &e) != 0)
		return;
	log_warn("bridge.dead", "the gateway refused a message: %s; it is kept in %s", r->reason ? r->reason : "no reason",
		 b->failed);
	bridge_set_aside(b, "report", r->reason, r->json, item.payload, item.len);
	queue_item_done(&item);
}

/* Room for a handful at once: a thread that is woken for each message does little else than wake. */
static bool has_room(struct bridge *b)
{
	return queue_taken(b->outbox) <= b->s->outstanding - b->s->outstanding / 4;
}

static void on_receipt(struct bridge *b, const struct link_message *m)
{
	json_t *json = json_loadb(m->payload, m->payload_len, 0, NULL);
	struct bridge_receipt r = {.id = text_of(json, "id"), .result = text_of(json, "result"),
				   .case_number = text_of(json, "case"), .department = text_of(json, "department"),
				   .reason = text_of(json, "reason"), .json = json};
	char key[BRIDGE_KEY];

	if (r.result && key_of(m, key)) {
		r.key = key;
		if (strcmp(r.result, "dead") == 0)
			keep_dead(b, key, &r);
		fault_point("bridge-receipt");
		if (queue_done(b->outbox, key, false))
			count_result(r.result);
		if (b->callbacks.receipt)
			b->callbacks.receipt(b->callbacks.arg, &r);
		if (b->choked && has_room(b))
			bridge_wake(b);
	}
	json_decref(json);
}

static void on_reply(struct bridge *b, const struct link_message *m)
{
	json_t *json = json_loadb(m->payload, m->payload_len, 0, NULL);
	const char *id = text_of(json, "id");
	struct err e = {0};
	int r = QUEUE_KNOWN;

	if (!id || !*id || strlen(id) > 400) {
		log_warn("bridge.reply", "something on %s is no reply; it is left out", b->topic_out);
		json_decref(json);
		return;
	}
	r = queue_put(b->replies, id, m->payload, m->payload_len, &e);
	if (r == 0 && b->s->power)
		r = queue_sync(b->replies, &e);
	if (r < 0) {
		log_error("bridge.reply", "%s; stopping before the broker hears that we have it", e.text);
		_exit(1);
	}
	fault_point("bridge-reply");
	figure_count(r == QUEUE_KNOWN ? FIGURE_REPLIES_AGAIN : FIGURE_REPLIES);
	if (r == 0 && b->callbacks.reply)
		b->callbacks.reply(b->callbacks.arg);
	/* What is here already stays with us, the rest with the broker until there is room. */
	if (queue_is_full(b->replies))
		link_leave(b->link);
	json_decref(json);
}

static void on_message(void *arg, const struct link_message *m)
{
	struct bridge *b = arg;
	size_t n = strlen(b->topic_receipt);

	if (m->retained)
		return;
	if (strcmp(m->topic, b->topic_out) == 0)
		on_reply(b, m);
	else if (strncmp(m->topic, b->topic_receipt, n) == 0 && (!m->topic[n] || m->topic[n] == '/'))
		on_receipt(b, m);
}

static void on_connected(void *arg, bool session_present)
{
	struct bridge *b = arg;

	(void)session_present;
	figure_count(FIGURE_CONNECTS);
	pthread_mutex_lock(&b->lock);
	b->fresh = true;
	pthread_cond_signal(&b->changed);
	pthread_mutex_unlock(&b->lock);
}

static void on_disconnected(void *arg, const char *reason, bool taken_over)
{
	struct bridge *b = arg;

	(void)taken_over;
	b->subscribed = false;
	log_warn("bridge.disconnected", "%s", reason ? reason : "the connection to the broker is gone");
}

static bool may_connect(void *arg)
{
	return !queue_is_full(((struct bridge *)arg)->replies);
}

/* LINK_ACKED is no receipt: only the gateway's answer ends a report. */
static void on_done(void *arg, void *cookie, enum link_result result, int mqtt_reason)
{
	struct bridge *b = arg;
	CLEANUP(mem_freep) char *key = cookie;

	if (result == LINK_LOST) {
		queue_later(b->outbox, key, 0);
	} else if (result == LINK_REFUSED) {
		log_error("bridge.refused", "the broker refuses messages on %s (MQTT reason %d): may user %s write there?",
			  b->topic_in, mqtt_reason, b->s->broker.user);
		queue_later(b->outbox, key, clock_mono_us() + REFUSED_PAUSE_US);
	}
}

int bridge_link_open(struct bridge *b, struct err *e)
{
	const struct broker_settings *s = &b->s->broker;
	struct link_callbacks callbacks = {.arg = b, .message = on_message, .connected = on_connected,
					   .disconnected = on_disconnected, .may_connect = may_connect};
	char id[256];
	struct link_options options = {.host = s->host, .port = s->port, .user = s->user, .password = s->password,
				       .tls = {s->tls_ca, s->tls_cert, s->tls_key}, .client_id = id,
				       .session_expiry_s = SESSION_S, .window = 400};
	int r;

	snprintf(id, sizeof(id), "bridge-%s-%s-%s", b->s->tenant, b->s->channel, b->s->source);
	r = link_new(&options, &callbacks, &b->link, e);
	if (r == 0)
		link_on_done(b->link, on_done, b);
	return r;
}

/* ---- the link's thread --------------------------------------------------------------------------- */

static int64_t resend_after_us(const struct bridge *b, int tries)
{
	int64_t pause = b->s->resend_us << (tries < DOUBLINGS ? tries : DOUBLINGS);
	int64_t most = b->s->resend_us > RESEND_MAX_US ? b->s->resend_us : RESEND_MAX_US;

	return pause < most ? pause : most;
}

/* True: it is under way. */
static bool publish(struct bridge *b, struct queue_item *item)
{
	struct link_publish p = {.topic = b->topic_in, .payload = item->payload, .payload_len = item->len, .qos = 1,
				 .response_topic = b->topic_receipt, .correlation = item->key,
				 .correlation_len = strlen(item->key)};
	struct err e = {0};
	int r;

	p.cookie = mem_strdup(item->key);
	/* Before it goes: its receipt may come before link_publish returns. */
	queue_hold(b->outbox, item->key, clock_mono_us() + resend_after_us(b, item->tries));
	r = link_publish(b->link, &p, &e);
	if (r == 0) {
		figure_count(item->tries || item->found ? FIGURE_RESENT : FIGURE_PUBLISHED);
		return true;
	}
	free(p.cookie);
	if (r == ERR_BAD) {
		log_warn("bridge.dead", "%s; the message is kept in %s", e.text, b->failed);
		bridge_set_aside(b, "report", e.text, NULL, item->payload, item->len);
		queue_done(b->outbox, item->key, true);
		return true;
	}
	queue_later(b->outbox, item->key, 0);
	return false;
}

static bool is_choked(struct bridge *b)
{
	return queue_taken(b->outbox) >= b->s->outstanding || !link_window_free(b->link);
}

static void publish_some(struct bridge *b)
{
	bool good = true;

	while (good && b->subscribed && !is_choked(b)) {
		int64_t now = clock_mono_us();
		struct queue_item item = {0};
		struct err e = {0};
		int r = queue_take(b->outbox, now, now, &item, &e);

		if (r == QUEUE_NOTHING)
			return;
		if (r < 0) {
			log_error("bridge.outbox", "%s", e.text);
			usleep(DISK_PAUSE_US);
			return;
		}
		good = publish(b, &item);
		queue_item_done(&item);
	}
	b->choked = b->subscribed && is_choked(b);
}

static void publish_due(struct bridge *b)
{
	do {
		b->choked = false;
		publish_some(b);
		/* Receipts that came before it was choked have woken nobody. */
	} while (b->choked && has_room(b) && link_window_free(b->link));
}

static void subscribe(struct bridge *b)
{
	char below[300];
	const char *const filters[] = {b->topic_out, below};
	struct err e = {0};

	snprintf(below, sizeof(below), "%s/#", b->topic_receipt);
	if (link_subscribe(b->link, filters, 2, 2, SUBSCRIBE_MS, &e) < 0) {
		log_error("bridge.subscribe", "%s", e.text);
		return;
	}
	log_notice("bridge.connected", "at the broker, as %s", b->s->broker.user);
	/* Whatever was under way on the old connection may be lost with it. */
	queue_all_due(b->outbox);
	b->subscribed = true;
}

/* True: the connection is new. */
static bool wait_for_work(struct bridge *b, bool *ret_quit)
{
	struct timespec until;
	bool fresh;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 200 * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&b->lock);
	if (!b->work && !b->fresh && !b->quit)
		pthread_cond_timedwait(&b->changed, &b->lock, &until);
	b->work = false;
	fresh = b->fresh;
	b->fresh = false;
	*ret_quit = b->quit;
	pthread_mutex_unlock(&b->lock);
	return fresh;
}

static void each_second(struct bridge *b)
{
	struct err e = {0};

	link_tick(b->link);
	queue_expire(b->outbox, clock_mono_us());
	if (queue_sync(b->outbox, &e) < 0 || queue_sync(b->replies, &e) < 0)
		log_error("bridge.disk", "%s", e.text);
	/* After link_leave: come back when there is room. */
	if (!link_is_connected(b->link) && may_connect(b))
		link_start(b->link);
	else if (link_is_connected(b->link) && !b->subscribed)
		subscribe(b);
}

void *bridge_link_run(void *arg)
{
	struct bridge *b = arg;
	struct pulse *pulse = pulse_add("bridge");
	int64_t next_us = 0;
	bool quit = false;

	while (!quit) {
		if (wait_for_work(b, &quit) && !b->subscribed)
			subscribe(b);
		if (!b->drain)
			publish_due(b);
		if (clock_mono_us() >= next_us) {
			each_second(b);
			next_us = clock_mono_us() + SECOND_US;
		}
		pulse_beat(pulse);
	}
	pulse_end(pulse);
	return NULL;
}
