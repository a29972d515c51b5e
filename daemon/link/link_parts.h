#pragma once
/*
 * What the files of the link share; nobody else includes it. link.c is the life of a link and its
 * thread, connect.c the connection, publish.c and subscribe.c what the owner asks for, receive.c
 * what comes.
 *
 * `lock` guards everything below it. Paho calls us with its own process-wide lock held and we take
 * ours inside; so ours is never held over a call into Paho, nor over a callback of the user.
 */
#include <MQTTAsync.h>
#include <pthread.h>

#include "link/link.h"

enum {
	LINK_WINDOW_MAX = 500,
	LINK_FILTERS = 32,              /* in one SUBSCRIBE */
	LINK_REASON = 256,
};

enum link_state {
	LINK_AWAY,                      /* no connection and none on its way */
	LINK_CONNECTING,
	LINK_UP,
	LINK_CLOSING,                   /* said goodbye, Paho has not answered yet */
};

/* One publish that Paho has. The generation shows a late callback that it is too late. */
struct link_slot {
	void *cookie;
	int64_t deadline_us;
	uint32_t generation;
	bool busy;
};

/* The one SUBSCRIBE or UNSUBSCRIBE that the owner waits for. */
struct link_request {
	uint32_t generation;
	bool answered, failed;          /* failed: no code came, it may work later */
	size_t n_codes;
	int codes[LINK_FILTERS];
};

struct link {
	struct link_options options;    /* strings are own copies */
	struct link_callbacks callbacks;
	link_done *done;
	void *done_arg;
	unsigned id;                    /* in link_table */
	_Atomic(MQTTAsync) paho;        /* the handle of this connection, or of the next */
	pthread_t thread;

	/* of Paho's threads, which call one at a time */
	char *response_topic;
	size_t response_cap;
	char tls_error[LINK_REASON - 64];

	pthread_mutex_t lock;
	pthread_cond_t changed;         /* any of what follows */
	enum link_state state;
	_Atomic bool up;                /* state is LINK_UP, for those without the lock */
	_Atomic bool abrupt;            /* nobody has said goodbye: the will does */
	bool wanted, quit;
	bool leaving;                   /* away, but the user is still being told */
	bool spent;                     /* the handle has publishes of a connection that ended */
	unsigned attempts;              /* since the last stable connection */
	int64_t next_try_us, since_us;  /* since_us: of this state */
	char complaint[LINK_REASON];    /* the failure that was logged last */
	size_t max_packet;              /* the broker's limit, 0: none */
	struct link_slot slots[LINK_WINDOW_MAX];
	uint16_t free_slots[LINK_WINDOW_MAX];
	size_t n_free;
	struct link_request request;
};

/*
 * Paho gets a number instead of a pointer as context: link, slot and generation. Paho may call back
 * for a publish long after we gave it up, even after link_free, and a number cannot dangle.
 */
void *link_context(const struct link *link, size_t slot, uint32_t generation);
struct link *link_of_context(const void *context, size_t *ret_slot, uint32_t *ret_generation);

void link_wait_until(struct link *link, int64_t mono_us);       /* for `changed`; locked */

/* connect.c */
int link_create_paho(struct link *link, struct err *e);
void link_connect_begin(struct link *link);
void link_connect_failed(struct link *link, const char *reason);
void link_disconnect_begin(struct link *link);
void link_went_away(struct link *link, const char *reason, bool taken_over);

/* publish.c */
void link_slots_init(struct link *link);
void link_lose_all(struct link *link);          /* everything outstanding is LINK_LOST */

/* receive.c */
int link_message_arrived(void *arg, char *topic, int topic_len, MQTTAsync_message *message);
