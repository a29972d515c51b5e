#pragma once
/*
 * As much of MQTT 5 as a load generator needs, at a few hundred nanoseconds a message: one connection is
 * a socket and two buffers. Opening and subscribing wait; after mqtt_go the socket does not block.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mqtt {
	int fd;
	unsigned char *in, *out;
	size_t in_len, in_cap;
	size_t out_at, out_len, out_cap;        /* out_at: written to the socket already */
	uint16_t next_id;
	unsigned unacked;                       /* own publishes without PUBACK */
	uint64_t refused;                       /* PUBACKs that say no */
};
struct mqtt_message {
	const char *topic, *payload;
	size_t topic_len, payload_len;
};
typedef void mqtt_on_message(void *arg, const struct mqtt_message *m);

/* These two end the program with a sentence when the broker does not agree. */
void mqtt_open(struct mqtt *m, const char *host, int port, const char *id, const char *user, const char *password);
void mqtt_subscribe(struct mqtt *m, const char *filter);        /* QoS 1, without what is retained */
void mqtt_go(struct mqtt *m);

/* A whole PUBLISH packet, QoS 1; *ret_id is where its packet id stands. The caller frees it. */
unsigned char *mqtt_packet(const char *topic, const char *payload, size_t payload_len, const char *response_topic,
			   size_t *ret_len, size_t *ret_id, size_t *ret_payload);
/* Room for a packet of n bytes behind what waits to be sent. */
unsigned char *mqtt_put(struct mqtt *m, size_t n);
uint16_t mqtt_take_id(struct mqtt *m);
void mqtt_ping(struct mqtt *m);
/* Reads once; hands over what came whole, acknowledges it (in the buffer). False: nothing was there. */
bool mqtt_read(struct mqtt *m, mqtt_on_message *fn, void *arg);
void mqtt_flush(struct mqtt *m);
void mqtt_close(struct mqtt *m);
