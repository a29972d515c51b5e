#pragma once
/*
 * One MQTT 5 connection on Paho's asynchronous client: session kept over reconnects, QoS 1, own
 * reconnect with backoff and jitter, own publish window. Also used by needlectl and the bridges.
 *
 * Threads: link_publish, link_subscribe … from any one thread at a time (the "owner"); callbacks run
 * on Paho's receive thread with Paho's process-wide lock held: they must be short and must not call
 * the link. The main loop never calls the link. `disconnected` and `done` may also come on the link's
 * own thread, when it finds the connection gone.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct link;

struct link_tls {
	const char *ca, *cert, *key;    /* PEM files; cert and key may be NULL; ca NULL: no TLS */
};
struct link_options {
	const char *host;
	int port;
	const char *user, *password;    /* may be NULL */
	struct link_tls tls;
	const char *client_id;
	bool clean;                     /* true: no session (needlectl); false: kept for session_expiry_s */
	uint32_t session_expiry_s;
	int keep_alive_s;               /* 0: 30 */
	int receive_maximum;            /* 0: 500 */
	const char *will_topic, *will_payload;  /* retained QoS 1, or NULL */
	size_t window;                  /* publishes outstanding at most; 0: 150 (Paho walks them all for each). Never above 500 */
};

struct link_message {
	const char *topic;              /* NUL-terminated */
	const void *payload;
	size_t payload_len;
	uint8_t qos;
	bool retained, dup;
	const char *response_topic;     /* NULL when absent */
	const void *correlation;
	size_t correlation_len;
};

struct link_callbacks {
	void *arg;
	/*
	 * A message came. PUBACK follows when this returns: so it returns only when the message is safe,
	 * and must not return when it cannot be made so (the process ends instead).
	 */
	void (*message)(void *arg, const struct link_message *m);
	/*
	 * Connection state changed, in turn. reason: one sentence. taken_over: the broker gave our
	 * session to another; the link then stays away until link_start. Mosquitto says so since
	 * 2.0.15 only: Debian 12's just closes the connection, so a gateway also has may_connect.
	 */
	void (*connected)(void *arg, bool session_present);
	void (*disconnected)(void *arg, const char *reason, bool taken_over);
	/* May the link connect now? Asked on its own thread before every attempt. NULL: always. */
	bool (*may_connect)(void *arg);
};

int link_new(const struct link_options *options, const struct link_callbacks *callbacks, struct link **ret,
	     struct err *e);
/* Starts connecting (and reconnecting) in the background; returns at once. */
void link_start(struct link *link);
/* Disconnects on purpose and stays away until link_start. Waits up to timeout_ms for a clean goodbye. */
void link_stop(struct link *link, int timeout_ms);
/* The same without a wait, and the will is published; the one call that a callback may make. */
void link_leave(struct link *link);
/* Never destroyed inside a running daemon (research: MQTTAsync_destroy may hang); frees own memory only. */
void link_free(struct link *link);
bool link_is_connected(const struct link *link);

struct link_publish {
	const char *topic;
	const void *payload;            /* copied */
	size_t payload_len;
	int qos;                        /* 0 or 1 */
	bool retained;
	const char *response_topic;     /* of MQTT 5, or NULL */
	const void *correlation;        /* MQTT 5 Correlation Data, or NULL */
	size_t correlation_len;
	void *cookie;                   /* handed to `done` */
};
enum link_result { LINK_ACKED, LINK_REFUSED, LINK_LOST };
/*
 * Publishes. 0: accepted, `done` follows exactly once on Paho's thread or on the caller of link_tick
 * (LINK_ACKED: the broker has it; LINK_REFUSED: it said no for good, code in `mqtt_reason`;
 * LINK_LOST: unknown, no acknowledgement within 10 s or connection lost: send it again).
 * ERR_AGAIN: not connected, or the window is full. QoS 0 is ACKED once written.
 */
typedef void link_done(void *arg, void *cookie, enum link_result result, int mqtt_reason);
void link_on_done(struct link *link, link_done *fn, void *arg);     /* before link_start */
int link_publish(struct link *link, const struct link_publish *p, struct err *e);
size_t link_window_free(const struct link *link);
/* Expires publishes that Paho forgot. Call about once a second from the owner. */
void link_tick(struct link *link);

/*
 * Subscribes to filters at QoS 1 (no shared subscriptions). Waits for the SUBACK, at most timeout_ms.
 * retained: 0 send retained messages, 2 do not. ERR_AGAIN: no answer. ERR_BAD: refused (names the filter).
 */
int link_subscribe(struct link *link, const char *const *filters, size_t n, int retained, int timeout_ms,
		   struct err *e);
int link_unsubscribe(struct link *link, const char *const *filters, size_t n, int timeout_ms, struct err *e);
