/*
 * A second session, clean and short-lived, sees what the broker retains without a backlog of intake
 * messages in front of it. Everything retained has arrived when a marker that the auditor publishes
 * after its SUBACK comes back: the broker keeps the order of one client.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "dispatch/parts.h"

enum { CONNECT_US = 10000000, NUDGE_US = 20000, SILENCE_US = 15000000, SUBSCRIBE_MS = 10000 };

struct auditor {
	struct link *link;
	char *marker_topic;
	char token[40];
	pthread_mutex_t lock;
	struct map topics;              /* topic -> struct audit_topic */
	_Atomic bool connected, marked;
	_Atomic int64_t last_us;        /* of the newest message */
	_Atomic int64_t flying;
};

uint64_t audit_hash(const void *p, size_t n)
{
	const unsigned char *c = p;
	uint64_t h = 1469598103934665603ULL;

	for (size_t i = 0; i < n; i++)
		h = (h ^ c[i]) * 1099511628211ULL;
	return h;
}

static void on_message(void *arg, const struct link_message *m)
{
	struct auditor *a = arg;
	struct audit_topic *t;

	a->last_us = clock_mono_us();
	if (strcmp(m->topic, a->marker_topic) == 0) {
		if (m->payload_len == strlen(a->token) && memcmp(m->payload, a->token, m->payload_len) == 0)
			a->marked = true;
		return;
	}
	if (!m->retained)
		return;
	pthread_mutex_lock(&a->lock);
	t = map_get(&a->topics, m->topic);
	if (!t) {
		t = mem_alloc(sizeof(*t));
		t->topic = mem_strdup(m->topic);
		map_put(&a->topics, t->topic, t);
	}
	t->hash = audit_hash(m->payload, m->payload_len);
	pthread_mutex_unlock(&a->lock);
}

static void on_connected(void *arg, bool session_present)
{
	struct auditor *a = arg;

	(void)session_present;
	a->connected = true;
}

static void on_disconnected(void *arg, const char *reason, bool taken_over)
{
	struct auditor *a = arg;

	(void)reason;
	(void)taken_over;
	a->connected = false;
}

static void on_done(void *arg, void *cookie, enum link_result result, int reason)
{
	struct auditor *a = arg;

	(void)cookie;
	(void)result;
	(void)reason;
	a->flying--;
}

int auditor_new(struct dispatch *d, struct err *e)
{
	const struct broker_settings *b = &d->settings->broker;
	struct auditor *a = mem_alloc(sizeof(*a));
	struct arena mem = {0};
	struct link_options options = {
		.host = b->host, .port = b->port, .user = b->user, .password = b->password,
		.tls = {b->tls_ca, b->tls_cert, b->tls_key}, .clean = true,
		.client_id = arena_printf(&mem, "needle-%s-audit-%s", tenant_of(d), d->o.instance)};
	struct link_callbacks callbacks = {.arg = a, .message = on_message, .connected = on_connected,
					   .disconnected = on_disconnected};
	int r;

	pthread_mutex_init(&a->lock, NULL);
	a->marker_topic = mem_strdup(arena_printf(&mem, "needle/%s/gateway/%s/marker", tenant_of(d), d->o.instance));
	d->auditor = a;
	r = link_new(&options, &callbacks, &a->link, e);
	if (r == 0)
		link_on_done(a->link, on_done, a);
	arena_done(&mem);
	return r;
}

void auditor_free(struct dispatch *d)
{
	if (!d->auditor)
		return;
	link_free(d->auditor->link);
	free(d->auditor->marker_topic);
	pthread_mutex_destroy(&d->auditor->lock);
	free(d->auditor);
	d->auditor = NULL;
}

void audit_topics_done(struct map *topics)
{
	for (size_t i = 0; i < topics->cap; i++) {
		if (!topics->slots[i].key)
			continue;
		free((char *)(uintptr_t)topics->slots[i].key);
		free(topics->slots[i].value);
	}
	map_done(topics);
}

/* Waits for a flag of the auditor; the bound moves on while messages come. */
static bool wait_for(struct dispatch *d, _Atomic bool *flag, int64_t silence_us)
{
	struct timespec nap = {0, 2 * 1000000};

	d->auditor->last_us = clock_mono_us();
	while (!*flag && clock_mono_us() - d->auditor->last_us < silence_us) {
		d->o.beat(d->o.arg);
		nanosleep(&nap, NULL);
	}
	return *flag;
}

/* Everything that was published must be with the broker before the session ends. */
static void land_all(struct dispatch *d)
{
	int64_t until = clock_mono_us() + SILENCE_US;
	struct timespec nap = {0, 1000000};

	while (d->auditor->flying > 0 && d->auditor->connected && clock_mono_us() < until) {
		d->o.beat(d->o.arg);
		link_tick(d->auditor->link);
		nanosleep(&nap, NULL);
	}
}

int audit_publish(struct dispatch *d, const struct link_publish *p, struct err *e)
{
	struct auditor *a = d->auditor;
	int64_t until = clock_mono_us() + SILENCE_US;
	struct timespec nap = {0, 100000};
	int r;

	a->flying++;
	while ((r = link_publish(a->link, p, e)) == ERR_AGAIN && a->connected && clock_mono_us() < until) {
		d->o.beat(d->o.arg);
		nanosleep(&nap, NULL);
	}
	if (r < 0)
		a->flying--;
	return r;
}

static int collect(struct dispatch *d, const char *filter, struct err *e)
{
	struct auditor *a = d->auditor;
	const char *filters[] = {filter, a->marker_topic};
	int r;

	a->marked = false;
	snprintf(a->token, sizeof(a->token), "%lld", (long long)clock_mono_us());
	r = link_subscribe(a->link, filters, 2, 0, SUBSCRIBE_MS, e);
	if (r == 0)
		r = audit_publish(d, &(struct link_publish){.topic = a->marker_topic, .payload = a->token,
							    .payload_len = strlen(a->token), .qos = 1}, e);
	if (r < 0)
		return r;
	if (!wait_for(d, &a->marked, SILENCE_US))
		return err_set(e, ERR_AGAIN, "the broker did not deliver the retained messages of %s in time", filter);
	return 0;
}

int audit_begin(struct dispatch *d, struct err *e)
{
	struct auditor *a = d->auditor;
	int64_t until;

	a->connected = false;
	a->flying = 0;
	link_start(a->link);
	/* Paho sees a new socket only when it wakes, up to 1 s later and twice: answers on the other one wake it. */
	for (until = clock_mono_us() + CONNECT_US; !a->connected && clock_mono_us() < until;) {
		publish_plain(d, a->marker_topic, "", false);
		wait_for(d, &a->connected, NUDGE_US);
	}
	if (a->connected)
		return 0;
	return err_set(e, ERR_AGAIN, "the auditing session could not connect to the broker");
}

int audit_collect(struct dispatch *d, const char *filter, struct map *ret, struct err *e)
{
	struct auditor *a = d->auditor;
	int r = collect(d, filter, e);

	/* What comes from now on is no longer the retained past. */
	link_unsubscribe(a->link, (const char *const[]){filter}, 1, SUBSCRIBE_MS, &(struct err){0});
	pthread_mutex_lock(&a->lock);
	*ret = a->topics;
	a->topics = (struct map){0};
	pthread_mutex_unlock(&a->lock);
	if (r < 0)
		audit_topics_done(ret);
	return r;
}

void audit_end(struct dispatch *d)
{
	land_all(d);
	link_stop(d->auditor->link, 1000);
}
