/*
 * Publishing. Paho has been seen to forget publishes after a reconnect without any callback, so
 * what is outstanding is kept here: a slot per publish, which ends exactly once, by Paho's answer,
 * by the end of the connection, or by a deadline. An answer for a slot that has ended is ignored by
 * its generation.
 *
 * Whatever ends as lost may still be in Paho's handle, where it is not safe: see connect.c.
 */
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "link/link_parts.h"

enum { DEADLINE_US = 10000000, PACKET_OVERHEAD = 64, PAYLOAD_MAX = 268435455 };

void link_slots_init(struct link *link)
{
	for (size_t i = 0; i < link->options.window; i++) {
		link->free_slots[link->n_free++] = (uint16_t)(link->options.window - 1 - i);
		link->slots[i].generation = 1;
	}
}

/* Ends a slot if it is still that publish. False: it has ended before. */
static bool end_slot(struct link *link, size_t slot, uint32_t generation, bool lost,
		     void **ret_cookie)
{
	struct link_slot *s = &link->slots[slot];
	bool mine;

	pthread_mutex_lock(&link->lock);
	link->spent |= lost;
	mine = s->busy && s->generation == generation;
	if (mine) {
		*ret_cookie = s->cookie;
		s->busy = false;
		s->generation++;
		link->free_slots[link->n_free++] = (uint16_t)slot;
		if (link->n_free == link->options.window)
			pthread_cond_broadcast(&link->changed);
	}
	pthread_mutex_unlock(&link->lock);
	return mine;
}

static void finish(struct link *link, size_t slot, uint32_t generation, enum link_result result,
		   int reason)
{
	void *cookie;

	if (end_slot(link, slot, generation, result == LINK_LOST, &cookie) && link->done)
		link->done(link->done_arg, cookie, result, reason);
}

/* Ends every publish whose deadline is before `us`. */
static void lose_until(struct link *link, int64_t us)
{
	for (size_t i = 0; i < link->options.window; i++) {
		uint32_t generation;
		bool late;

		pthread_mutex_lock(&link->lock);
		late = link->slots[i].busy && link->slots[i].deadline_us <= us;
		generation = link->slots[i].generation;
		pthread_mutex_unlock(&link->lock);
		if (late)
			finish(link, i, generation, LINK_LOST, 0);
	}
}

void link_lose_all(struct link *link)
{
	lose_until(link, INT64_MAX);
}

void link_tick(struct link *link)
{
	lose_until(link, clock_mono_us());
}

size_t link_window_free(const struct link *link)
{
	struct link *l = (struct link *)(uintptr_t)link;
	size_t n;

	pthread_mutex_lock(&l->lock);
	n = l->state == LINK_UP ? l->n_free : 0;
	pthread_mutex_unlock(&l->lock);
	return n;
}

static void on_published(void *context, MQTTAsync_successData5 *data)
{
	uint32_t generation;
	size_t slot;
	struct link *link = link_of_context(context, &slot, &generation);

	(void)data;
	finish(link, slot, generation, LINK_ACKED, 0);
}

static void on_publish_failed(void *context, MQTTAsync_failureData5 *data)
{
	uint32_t generation;
	size_t slot;
	struct link *link = link_of_context(context, &slot, &generation);

	/*
	 * With a code of Paho's own the reason is not filled in; without one it is the broker's
	 * answer.
	 */
	if (data->code == 0 && (int)data->reasonCode >= 0x80)
		finish(link, slot, generation, LINK_REFUSED, (int)data->reasonCode);
	else
		finish(link, slot, generation, LINK_LOST, 0);
}

/* A topic that MQTT forbids would make the broker end the connection, again and again. */
static int check(const struct link *link, const struct link_publish *p, struct err *e)
{
	size_t topic_len = strlen(p->topic), size;

	if (!topic_len || topic_len > UINT16_MAX || strpbrk(p->topic, "+#"))
		return err_code(e, ERR_BAD, "bad-topic",
				"link: nothing can be published to this topic");
	size = topic_len + p->payload_len + p->correlation_len + PACKET_OVERHEAD +
	       (p->response_topic ? strlen(p->response_topic) : 0);
	if (p->payload_len > PAYLOAD_MAX || p->correlation_len > UINT16_MAX ||
	    (link->max_packet && size > link->max_packet))
		return err_code(e, ERR_BAD, "too-large",
				"link: %zu bytes are more than the broker takes", size);
	return 0;
}

static int take_slot(struct link *link, const struct link_publish *p, size_t *ret_slot,
		     uint32_t *ret_generation, struct err *e)
{
	int64_t deadline_us = clock_mono_us() + DEADLINE_US;
	struct link_slot *s;
	int rc;

	pthread_mutex_lock(&link->lock);
	rc = check(link, p, e);
	if (!rc && link->state != LINK_UP)
		rc = err_code(e, ERR_AGAIN, "not-connected", "link: not connected");
	else if (!rc && !link->n_free)
		rc = err_code(e, ERR_AGAIN, "window-full", "link: %zu publishes are outstanding",
			      link->options.window);
	if (!rc) {
		*ret_slot = link->free_slots[--link->n_free];
		s = &link->slots[*ret_slot];
		s->busy = true;
		s->cookie = p->cookie;
		s->deadline_us = deadline_us;
		*ret_generation = s->generation;
	}
	pthread_mutex_unlock(&link->lock);
	return rc;
}

static int send_it(struct link *link, const struct link_publish *p,
		   MQTTAsync_responseOptions *response)
{
	MQTTProperty correlation = {.identifier = MQTTPROPERTY_CODE_CORRELATION_DATA};
	MQTTProperty topic = {.identifier = MQTTPROPERTY_CODE_RESPONSE_TOPIC};
	const void *payload = p->payload_len ? p->payload : "";
	int rc;

	/* Paho copies both and does not write to them. */
	if (p->response_topic) {
		topic.value.data.data = (char *)(uintptr_t)p->response_topic;
		topic.value.data.len = (int)strlen(p->response_topic);
		MQTTProperties_add(&response->properties, &topic);
	}
	if (p->correlation) {
		correlation.value.data.data = (char *)(uintptr_t)p->correlation;
		correlation.value.data.len = (int)p->correlation_len;
		MQTTProperties_add(&response->properties, &correlation);
	}
	rc = MQTTAsync_send(link->paho, p->topic, (int)p->payload_len, payload, p->qos, p->retained,
			    response);
	if (p->correlation || p->response_topic)
		MQTTProperties_free(&response->properties);
	return rc;
}

int link_publish(struct link *link, const struct link_publish *p, struct err *e)
{
	MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
	uint32_t generation = 0;
	size_t slot = 0;
	void *cookie;
	int rc = take_slot(link, p, &slot, &generation, e);

	if (rc < 0)
		return rc;
	response.onSuccess5 = on_published;
	response.onFailure5 = on_publish_failed;
	response.context = link_context(link, slot, generation);
	rc = send_it(link, p, &response);
	/*
	 * A connection that ended meanwhile has told `done` already: then this publish was
	 * accepted.
	 */
	if (!rc || !end_slot(link, slot, generation, false, &cookie))
		return 0;
	if (rc == MQTTASYNC_BAD_UTF8_STRING)
		return err_code(e, ERR_BAD, "bad-topic", "link: the topic is not UTF-8");
	return err_set(e, ERR_AGAIN, "link: %s", MQTTAsync_strerror(rc));
}
