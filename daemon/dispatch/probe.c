/*
 * Mosquitto's default of 1,000 queued messages drops the rest of a department's retained cards in
 * silence. So a broker is asked once whether it delivers as many as a large street may have open. The
 * database remembers the answer for a day, so that a standby that takes over need not ask again.
 */
#include <string.h>

#include "base/log.h"
#include "dispatch/parts.h"

enum { PROBES = 20000 };

static int publish_all(struct dispatch *d, const char *payload, struct err *e)
{
	int r = 0;

	for (int i = 0; r == 0 && i < PROBES; i++) {
		char topic[200];

		snprintf(topic, sizeof(topic), "needle/%s/gateway/%s/probe/%d", tenant_of(d), d->o.instance, i);
		r = audit_publish(d, &(struct link_publish){.topic = topic, .payload = payload, .retained = true,
							    .payload_len = strlen(payload)}, e);
	}
	return r;
}

static int ask(struct dispatch *d, size_t *ret_delivered, struct err *e)
{
	struct arena a = {.block_size = 512};
	struct map topics = {0};
	struct err later;
	int r = publish_all(d, "p", e);

	if (r == 0)
		r = audit_collect(d, arena_printf(&a, "needle/%s/gateway/%s/probe/+", tenant_of(d), d->o.instance),
				  &topics, e);
	/* Cleared whatever came of it: nobody else is to see them. */
	if (publish_all(d, "", &later) < 0 && r == 0)
		log_warn("dispatch.probe", "%s", later.text);
	*ret_delivered = topics.n;
	if (r == 0)
		audit_topics_done(&topics);
	arena_done(&a);
	return r;
}

int probe_broker(struct dispatch *d, bool *ret_ok, struct err *e)
{
	struct arena a = {.block_size = 512};
	const char *broker = arena_printf(&a, "%s:%d", d->settings->broker.host, d->settings->broker.port);
	size_t delivered = 0;
	int r = store_probe_passed(d->pg, tenant_of(d), broker, ret_ok, e);

	if (r == 0 && !*ret_ok) {
		r = ask(d, &delivered, e);
		*ret_ok = delivered >= PROBES;
		if (r == 0 && *ret_ok)
			r = store_note_probe(d->pg, tenant_of(d), broker, e);
		else if (r == 0)
			log_error("dispatch.probe", "the broker delivered %zu of %d retained messages to one"
				  " subscriber: raise max_queued_messages (config/mosquitto)", delivered, PROBES);
	}
	arena_done(&a);
	return r;
}
