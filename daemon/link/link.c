/*
 * A link is a small state machine with a thread of its own: away, connecting, up, closing. The
 * thread alone asks Paho to connect and to disconnect; Paho's callbacks move the state and wake it.
 * Paho's own automatic reconnect is not used: it does not say whether the session was there, and it
 * loses publishes without a word.
 *
 * The thread also looks once a second whether Paho still believes in the connection, for a callback
 * that never came. That look needs Paho's process-wide lock: a receive thread that is stuck stops
 * this thread's pulse with it, and the watchdog sees both.
 */
#include "link/link.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/pulse.h"
#include "link/link_parts.h"

enum {
	LINKS = 256, /* in the life of a process: Paho's handles are never given back */
	LOOK_US = 1000000,
	PATIENCE_US = 30000000, /* for an answer of Paho that should take 10 s at most */
};

static _Atomic(struct link *) link_table[LINKS];
static atomic_uint n_links;

void *link_context(const struct link *link, size_t slot, uint32_t generation)
{
	return (void *)((uintptr_t)generation << 32 | (uintptr_t)link->id << 16 | slot);
}

struct link *link_of_context(const void *context, size_t *ret_slot, uint32_t *ret_generation)
{
	uintptr_t number = (uintptr_t)context;

	*ret_slot = number & 0xffff;
	*ret_generation = (uint32_t)(number >> 32);
	return atomic_load(&link_table[(number >> 16) % LINKS]);
}

void link_wait_until(struct link *link, int64_t mono_us)
{
	struct timespec until = {.tv_sec = mono_us / 1000000, .tv_nsec = mono_us % 1000000 * 1000};

	pthread_cond_timedwait(&link->changed, &link->lock, &until);
}

/* What the thread has to do now, if anything. */
enum chore { CHORE_NONE, CHORE_CONNECT, CHORE_DISCONNECT, CHORE_LOOK };

static enum chore choose(struct link *link, int64_t now, int64_t *looked_us)
{
	if (link->state == LINK_AWAY && !link->leaving && link->wanted &&
	    now >= link->next_try_us) {
		link->state = LINK_CONNECTING;
		link->since_us = now;
		return CHORE_CONNECT;
	}
	if (link->state == LINK_UP && !link->wanted) {
		link->state = LINK_CLOSING;
		link->since_us = now;
		atomic_store(&link->up, false);
		return CHORE_DISCONNECT;
	}
	if (link->state != LINK_AWAY && now - *looked_us >= LOOK_US) {
		*looked_us = now;
		return CHORE_LOOK;
	}
	return CHORE_NONE;
}

static void look(struct link *link, enum link_state state, int64_t age_us)
{
	bool connected = MQTTAsync_isConnected(link->paho);

	if (state == LINK_CONNECTING && age_us > PATIENCE_US)
		link_connect_failed(link, "no answer from the MQTT library");
	else if ((state == LINK_UP || state == LINK_CLOSING) && !connected)
		link_went_away(link, "the connection ended without a word", false);
	else if (state == LINK_CLOSING && age_us > PATIENCE_US)
		link_disconnect_begin(link);
}

static void *run(void *arg)
{
	struct pulse *pulse = pulse_add("link");
	struct link *link = arg;
	int64_t looked_us = 0;

	pthread_mutex_lock(&link->lock);
	while (!link->quit) {
		int64_t now = clock_mono_us(), until = now + LOOK_US;
		enum chore chore = choose(link, now, &looked_us);
		enum link_state state = link->state;
		int64_t since = link->since_us;

		pulse_beat(pulse);
		if (chore == CHORE_NONE) {
			if (state == LINK_AWAY && link->wanted && !link->leaving &&
			    link->next_try_us < until)
				until = link->next_try_us;
			link_wait_until(link, until);
			continue;
		}
		pthread_mutex_unlock(&link->lock);
		if (chore == CHORE_CONNECT)
			link_connect_begin(link);
		else if (chore == CHORE_DISCONNECT)
			link_disconnect_begin(link);
		else
			look(link, state, now - since);
		pthread_mutex_lock(&link->lock);
	}
	pthread_mutex_unlock(&link->lock);
	pulse_end(pulse);
	return NULL;
}

static const char *copy(const char *s)
{
	return s ? mem_strdup(s) : NULL;
}

static void copy_options(struct link *link, const struct link_options *from)
{
	struct link_options *o = &link->options;

	*o = *from;
	o->host = copy(from->host);
	o->user = copy(from->user);
	o->password = copy(from->password);
	o->tls.ca = copy(from->tls.ca);
	o->tls.cert = copy(from->tls.cert);
	o->tls.key = copy(from->tls.key);
	o->client_id = copy(from->client_id);
	o->will_topic = copy(from->will_topic);
	o->will_payload = copy(from->will_payload);
	if (o->keep_alive_s <= 0)
		o->keep_alive_s = 30;
	if (o->receive_maximum <= 0 || o->receive_maximum > UINT16_MAX)
		o->receive_maximum = 500;
	if (!o->window)
		o->window = 150;
	if (o->window > LINK_WINDOW_MAX)
		o->window = LINK_WINDOW_MAX;
}

static void free_strings(struct link *link)
{
	struct link_options *o = &link->options;
	const char **const strings[] = {&o->host,      &o->user,       &o->password,
					&o->tls.ca,    &o->tls.cert,   &o->tls.key,
					&o->client_id, &o->will_topic, &o->will_payload};

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		free((void *)(uintptr_t)*strings[i]);
		*strings[i] = NULL;
	}
	free(link->response_topic);
	link->response_topic = NULL;
	link->response_cap = 0;
}

static int check_files(const struct link_tls *tls, struct err *e)
{
	const char *const files[] = {tls->ca, tls->cert, tls->key};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (files[i] && access(files[i], R_OK) < 0)
			return err_set(e, ERR_BAD, "broker: cannot read %s: %s", files[i],
				       strerror(errno));
	return 0;
}

static void init_waits(struct link *link)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&link->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&link->changed, &attr);
	pthread_condattr_destroy(&attr);
}

static int start_thread(struct link *link, struct err *e)
{
	sigset_t all, before;
	int rc;

	/* Paho's threads inherit this one's mask: signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&link->thread, NULL, run, link);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc ? err_set(e, ERR_SYS, "link: cannot start a thread: %s", strerror(rc)) : 0;
}

int link_new(const struct link_options *options, const struct link_callbacks *callbacks,
	     struct link **ret, struct err *e)
{
	unsigned id = atomic_fetch_add(&n_links, 1);
	struct link *link;
	int rc;

	if (id >= LINKS)
		return err_set(e, ERR_SYS, "link: over %d connections in one process", LINKS);
	rc = check_files(&options->tls, e);
	if (rc < 0)
		return rc;
	link = mem_alloc(sizeof(*link));
	link->id = id;
	link->callbacks = *callbacks;
	copy_options(link, options);
	init_waits(link);
	link_slots_init(link);
	atomic_store(&link_table[id], link);
	/* Paho formats each packet and call into a ring that nobody reads: a tenth of the gateway's time. */
	if (!getenv("MQTT_C_CLIENT_TRACE"))
		MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR);
	rc = link_create_paho(link, e);
	if (!rc)
		rc = start_thread(link, e);
	if (rc < 0) {
		free_strings(link);
		return rc;
	}
	*ret = link;
	return 0;
}

void link_start(struct link *link)
{
	pthread_mutex_lock(&link->lock);
	link->wanted = true;
	atomic_store(&link->abrupt, false);
	link->attempts = 0;
	link->next_try_us = clock_mono_us();
	pthread_cond_broadcast(&link->changed);
	pthread_mutex_unlock(&link->lock);
}

void link_stop(struct link *link, int timeout_ms)
{
	int64_t begin = clock_mono_us(), end = begin + (int64_t)timeout_ms * 1000;
	int64_t flush = begin + (int64_t)timeout_ms * 500;

	pthread_mutex_lock(&link->lock);
	while (link->state == LINK_UP && link->n_free < link->options.window &&
	       clock_mono_us() < flush)
		link_wait_until(link, flush);
	link->wanted = false;
	pthread_cond_broadcast(&link->changed);
	while ((link->state != LINK_AWAY || link->leaving) && clock_mono_us() < end)
		link_wait_until(link, end);
	pthread_mutex_unlock(&link->lock);
}

void link_leave(struct link *link)
{
	pthread_mutex_lock(&link->lock);
	link->wanted = false;
	atomic_store(&link->abrupt, true);
	pthread_cond_broadcast(&link->changed);
	pthread_mutex_unlock(&link->lock);
}

void link_free(struct link *link)
{
	bool away;

	if (!link)
		return;
	pthread_mutex_lock(&link->lock);
	away = link->state == LINK_AWAY && !link->leaving;
	link->wanted = false;
	link->quit = away;
	pthread_cond_broadcast(&link->changed);
	pthread_mutex_unlock(&link->lock);
	if (!away)
		return; /* it would not let go in time: Paho still uses what it has */
	pthread_join(link->thread, NULL);
	free_strings(link); /* the rest stays in link_table, for callbacks that come late */
}

bool link_is_connected(const struct link *link)
{
	return atomic_load(&link->up);
}

void link_on_done(struct link *link, link_done *fn, void *arg)
{
	link->done = fn;
	link->done_arg = arg;
}
