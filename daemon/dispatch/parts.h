#pragma once
/* Inside dispatch only: one thread's state and the parts that work on it. */
#include <pthread.h>

#include "base/map.h"
#include "base/vec.h"
#include "dispatch/dispatch.h"
#include "link/link.h"
#include "settings/snapshot.h"
#include "store/outbox.h"
#include "store/pg.h"

enum { TAKE_MAX = 16, SCAN_MAX = 512, IN_HAND_MAX = 4096 };
/* Rows are deleted by the hundred: a statement a row costs the database more than its insert. */
enum { DELETE_MANY = 256, DELETE_WITHIN_US = 20000 };
/* Nobody waits for an acknowledgement to be dealt with, but who waits for room in the window. */
enum { LAND_MANY = 64, LAND_WITHIN_US = 5000, LAND_HUNGRY_US = 1000 };

/* A handoff whose messages are under way; freed when the last of them is done. */
struct parcel {
	struct parcel *next;            /* FIFO of parcels that still have something to send */
	struct handoff *h;
	struct outgoing *rows;
	size_t next_answer, next_row;   /* not sent yet */
	size_t answers_left, rows_left; /* not acknowledged yet */
};
/* One outbox row on its way: done when its event and its card have their PUBACKs. */
struct outgoing {
	struct parcel *parcel;
	const struct outbox_row *row;
	const char *key;                /* number, seq, target: in `in_hand` */
	int waiting;                    /* publishes that must still be acknowledged */
	bool skip;                      /* the same row is under way in another parcel */
	bool refused;                   /* the broker said no: the row stays in the outbox */
	struct outgoing *next_of_card;
};
/* One retained card topic. Publishes of one topic never overlap, so that the last word wins. */
struct card {
	const char *topic;              /* owned */
	const char *payload, *next_payload;     /* owned; NULL: empty, the card goes away */
	struct outgoing *rows, *next_rows;      /* who waits for this publish, and for the next one */
	bool has_next;
};
enum flight_kind { FLIGHT_ANSWER, FLIGHT_EVENT, FLIGHT_CARD, FLIGHT_OTHER };
struct flight {
	enum flight_kind kind;
	union {
		struct parcel *parcel;
		struct outgoing *row;
		struct card *card;
	};
	size_t index;                   /* of the answer */
	uint64_t serial;                /* the order in which they were made */
};
struct landing {
	struct flight *flight;
	enum link_result result;
	int reason;
};

struct announced {
	char *name;                     /* owned */
	int64_t due_at;
};

struct dispatch {
	struct dispatch_options o;
	pthread_t thread;
	bool stop;                      /* only the end is left */
	_Atomic int64_t stop_at_us;     /* monotonic */

	struct settings *settings;      /* of this turn */
	struct pg *pg;
	int64_t next_connect_us, next_subscribe_us;
	int backoff_ms;

	struct link *link;
	struct auditor *auditor;        /* a second, clean session that looks at retained topics */
	bool link_started;
	_Atomic bool connected;
	_Atomic bool fresh_connection;  /* something is to be done after a connect */
	_Atomic bool taken_over, left;  /* by another daemon; by ourselves, because the inbox is full */
	bool subscribed, reconciled;
	bool full;                      /* the inbox: until it has room, nobody is told anything */
	struct {
		char **v;
		size_t n;
	} filters;                      /* subscribed now; owned */
	char hash[17];                  /* of the snapshot that the broker knows */

	/* what is under way */
	struct parcel *first, *last;
	VEC(struct flight *) again;     /* lost: to be sent again */
	struct map in_hand;             /* key -> struct outgoing */
	struct map cards;               /* topic -> struct card */
	size_t n_in_hand;
	VEC(struct outgoing *) done;    /* rows to delete */
	int64_t delete_at_us;           /* … by then */
	pthread_mutex_t landed_lock;
	VEC(struct landing) landed;
	size_t flying;
	uint64_t serial;                /* of the next flight */
	int64_t next_scan_us, next_tick_us, next_summary_us, next_round_us, next_sim_us;
	_Atomic bool woken;             /* the snapshot or the clock changed */

	struct {                        /* of the outbox, oldest case first; a page a turn */
		bool running, whole;    /* whole: the young rows, too */
		int64_t not_before_us, looked_at_us;
		struct outbox_mark after;
	} sweep;
	void *held[TAKE_MAX];           /* taken from the box: their turn comes after the sweep */
	size_t n_held;

	struct {
		bool due, hurry;        /* something changed; show it even if the figures look the same */
		int64_t next_us, next_aims_us;
		char *aims, *last;      /* owned: what was published */
	} wall;
	struct {
		bool due, all;          /* there may be new ones; after a connect the newest of each */
		int64_t sent_until;
		VEC(struct announced) sent;     /* of each name the newest; several may be of one instant */
	} lists;
	struct map dirty;               /* departments whose summary changed; keys owned */
	VEC(struct summary) counting;   /* being counted now; names owned */
	size_t look_rows;               /* that the next look at them may take; 0: none yet */
	VEC(struct summary) summaries;  /* newest of each department; names owned */
	pthread_mutex_t shown_lock;     /* of what other threads read */
	struct dispatch_state shown;
	char *summary;
};

/* publish.c */
void publish_parcel(struct dispatch *d, struct handoff *h);     /* takes over h */
void publish_more(struct dispatch *d);                          /* sends while the window has room */
void publish_land(struct dispatch *d);                          /* deals with acknowledgements */
void publish_card_now(struct dispatch *d, const char *topic, const char *payload, struct outgoing *row);
bool publish_plain(struct dispatch *d, const char *topic, const char *payload, bool retained);
void publish_done(void *arg, void *cookie, enum link_result result, int reason);
void publish_drop_all(struct dispatch *d);                      /* nobody is told: we are no longer active */
bool publish_must_delete(const struct dispatch *d);             /* enough of them, or they have waited long enough */
int publish_delete_rows(struct dispatch *d, struct err *e);
/* Takes the next page of the sweep in hand. */
int publish_scan(struct dispatch *d, int64_t age_us, struct err *e);
/* session.c */
void session_turn(struct dispatch *d);
void session_end(struct dispatch *d, int timeout_ms);
/* audit.c */
struct audit_topic {
	const char *topic;
	uint64_t hash;                  /* of the payload */
};
int auditor_new(struct dispatch *d, struct err *e);
void auditor_free(struct dispatch *d);
uint64_t audit_hash(const void *p, size_t n);
/* Connects the auditor; audit_end whether it worked or not. */
int audit_begin(struct dispatch *d, struct err *e);
/* Publishes as the auditor; waits for room in its window. */
int audit_publish(struct dispatch *d, const struct link_publish *p, struct err *e);
/*
 * Collects what is retained under `filter` until a marker that the auditor sends to itself comes back.
 * ret: topic -> struct audit_topic, both owned by the caller (audit_topics_done).
 */
int audit_collect(struct dispatch *d, const char *filter, struct map *ret, struct err *e);
void audit_end(struct dispatch *d);
void audit_topics_done(struct map *topics);
/* reconcile.c */
int reconcile_cards(struct dispatch *d, struct err *e);
/* probe.c */
int probe_broker(struct dispatch *d, bool *ret_ok, struct err *e);
/* How many times as long as counting took it must rest: nobody waits for figures while events wait. */
enum { BUSY_ROWS = 200, REST = 20, REST_BUSY = 60 };
static inline int64_t rest_us(const struct dispatch *d, int64_t took_us)
{
	return (d->n_in_hand >= BUSY_ROWS ? REST_BUSY : REST) * took_us;
}
/* wall.c */
void wall_mark(struct dispatch *d, bool hurry);
int wall_publish(struct dispatch *d, struct err *e);
/* announce.c */
int announce_lists(struct dispatch *d, struct err *e);
/* summary.c */
void summary_mark(struct dispatch *d, const char *dept);
int summary_publish(struct dispatch *d, struct err *e);

static inline const char *tenant_of(const struct dispatch *d)
{
	return d->settings->office.tenant;
}
