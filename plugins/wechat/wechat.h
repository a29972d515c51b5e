#pragma once
/*
 * What the parts of needle-wechat share. Four threads: the server's (door.c) takes callbacks in, the waiter
 * (waiter.c) takes replies and answers callbacks that wait for one, the courier (courier.c) carries replies and
 * news out, the fetcher (fetch.c) brings in what callbacks only announce. They meet here.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "bridge/bridge.h"
#include "bridge/queue.h"
#include "core/talk/talk.h"
#include "keys.h"

struct api;
struct client;
struct err;
struct people;
struct server;
struct shelf;
struct waiter;

struct wechat {
	struct wechat_settings s;
	const struct talk_settings *talk;
	const struct office *office;
	struct settings *office_settings;
	struct bridge *bridge;
	struct shelf *shelf;            /* people, cursors */
	struct queue *seen;             /* nonces and message ids that were taken */
	struct queue *files;            /* messages whose media must be fetched */
	struct queue *says;             /* lines of ours for who cannot be answered at once */
	struct queue *news;             /* for robots */
	struct people *people;
	struct waiter *_Atomic waiter;
	struct server *server;
	struct api *api;
	pthread_mutex_t lock;           /* of `work` */
	pthread_cond_t wake;
	bool carry, fetch;              /* there is work for the courier, the fetcher */
	_Atomic bool quit;
	pthread_t courier_thread, fetch_thread;
	bool courier_runs, fetch_runs;
	struct client *courier_client, *fetch_client;   /* cancelled at the end */
};

const struct wechat_account *wechat_account(const struct wechat *w, const char *name);
void wechat_wake(struct wechat *w, bool *work);
/* Waits until *work or until_us (monotonic), clears it. False: the program ends. */
bool wechat_wait(struct wechat *w, bool *work, int64_t until_us);

/* Who speaks or is spoken to. */
struct person {
	const struct wechat_account *account;
	const char *user;
	const char *kf;                 /* customer service's id, or NULL */
};

/* ---- people.c */
int people_open(struct wechat *w, struct people **ret, struct err *e);
void people_close(struct people *p);
struct people_answer {
	char *say;                      /* what is to be said at once, or NULL; the caller's to free */
	char report[160];               /* id of the report that was sent, or empty: its reply may come at once */
};
/*
 * A message, already under an id that is unique in the channel. 0; PEOPLE_KNOWN: it was taken before, and
 * `ret` is what was answered then. ERR_AGAIN, ERR_SYS: nothing happened, and it must come again.
 */
enum { PEOPLE_KNOWN = 1 };
int people_hear(struct people *p, const struct person *who, const struct talk_message *m, struct people_answer *ret,
		struct err *e);
/* Drafts that have waited long enough. */
void people_tick(struct people *p, int64_t now);
/* The gateway has answered: remembers what matters of it. */
void people_told(struct people *p, const struct person *who, const char *kind, const char *about, const char *case_number);
bool people_know(struct people *p, const struct person *who);  /* has the person said anything that is remembered? */
/* May customer service still speak (48 hours and five messages after the person's last)? Counts when `say`. */
bool people_may_hear(struct people *p, const struct person *who, int64_t now, bool say);
/* Something that robots may have asked for. `what` is one of the words of robots.*.on. */
void news_put(struct wechat *w, const char *what, const char *id, const char *text);
/* A line for a person, carried by the courier. */
int says_put(struct wechat *w, const struct person *who, const char *id, const char *text, struct err *e);

/* ---- door.c */
int door_open(struct wechat *w, struct err *e);

/* ---- waiter.c */
struct server_call;
int waiter_start(struct wechat *w, struct err *e);     /* sets w->waiter */
void waiter_stop(struct waiter *x);     /* answers what waits, ends the thread */
void waiter_reply_is_there(struct waiter *x);
/* The callback waits for a reply about that report; `seal` makes the body of an answer with a text. */
void waiter_add(struct waiter *x, struct server_call *rq, const char *report);
/* The answer of a request has gone out, or not. */
void waiter_done(struct waiter *x, struct server_call *rq, bool sent);
/* The courier's: the next reply that no callback could carry. False: none. */
bool waiter_take(struct waiter *x, struct bridge_reply *ret);
/* The bridge's functions of that name, one thread at a time. */
void waiter_reply_done(struct waiter *x, struct bridge_reply *r, bool ok, const char *way, const char *why);
void waiter_reply_later(struct waiter *x, struct bridge_reply *r, const char *way, const char *why);
/* Makes the text of a callback's answer to `rq`, as door.c does. */
void door_answer(struct wechat *w, struct server_call *rq, const char *text);

/* ---- courier.c, fetch.c: threads */
void *courier_run(void *arg);
void *fetch_run(void *arg);
