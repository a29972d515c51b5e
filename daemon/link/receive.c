/*
 * A message comes. Paho writes the PUBACK after this returns, which is the whole reason why the
 * inbox can promise anything. Returning 0 would not withhold it: Paho then acknowledges and keeps
 * the message in memory. So it is always 1, and a user who cannot keep the message ends the process
 * instead.
 */
#include <string.h>

#include "base/mem.h"
#include "link/link_parts.h"

/* Paho's strings have a length and no end. NULL for one that holds a NUL: no topic does. */
static const char *response_topic(struct link *link, const MQTTLenString *from)
{
	size_t len = from->len > 0 ? (size_t)from->len : 0;

	if (!len || memchr(from->data, '\0', len))
		return NULL;
	if (link->response_cap <= len) {
		link->response_cap = len + 128;
		link->response_topic = mem_resize(link->response_topic, link->response_cap);
	}
	memcpy(link->response_topic, from->data, len);
	link->response_topic[len] = '\0';
	return link->response_topic;
}

static void read_properties(struct link *link, const MQTTProperties *properties,
			    struct link_message *m)
{
	for (int i = 0; i < properties->count; i++) {
		const MQTTProperty *p = &properties->array[i];

		if (p->identifier == MQTTPROPERTY_CODE_RESPONSE_TOPIC) {
			m->response_topic = response_topic(link, &p->value.data);
		} else if (p->identifier == MQTTPROPERTY_CODE_CORRELATION_DATA) {
			m->correlation = p->value.data.data ? p->value.data.data : "";
			m->correlation_len = p->value.data.len > 0 ? (size_t)p->value.data.len : 0;
		}
	}
}

int link_message_arrived(void *arg, char *topic, int topic_len, MQTTAsync_message *message)
{
	struct link *link = arg;
	struct link_message m = {
		.topic = topic,
		.payload = message->payload,
		.payload_len = message->payloadlen > 0 ? (size_t)message->payloadlen : 0,
		.qos = (uint8_t)message->qos,
		.retained = message->retained,
		.dup = message->dup,
	};

	(void)topic_len; /* Paho puts a NUL behind the topic in any case */
	read_properties(link, &message->properties, &m);
	if (link->callbacks.message)
		link->callbacks.message(link->callbacks.arg, &m);
	MQTTAsync_freeMessage(&message);
	MQTTAsync_free(topic);
	return 1;
}
