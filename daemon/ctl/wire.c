#include "ctl/wire.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mailbox.h"
#include "base/vec.h"
#include "core/time/moment.h"
#include "ctl/ctl.h"
#include "link/link.h"
#include "settings/snapshot.h"

enum { BOX = 512, GOODBYE_MS = 1000, TICK_US = 200000 };

enum item_kind { ITEM_UP, ITEM_DOWN, ITEM_DONE, ITEM_MESSAGE };
struct item {
	enum item_kind kind;
	enum link_result result;        /* of ITEM_DONE */
	int mqtt_reason;
	size_t len;
	char text[];                    /* payload, or why the connection went; NUL behind it */
};

struct wire {
	struct link *link;
	struct mailbox *box;
	int64_t wait_us;
	char reason[200];               /* why the broker was last away */
	VEC(struct item *) messages;    /* came while something else was waited for */
	size_t taken;
};

/* ---- on Paho's thread ---- */

static void put(struct wire *wire, enum item_kind kind, const void *text, size_t len, enum link_result result,
		int mqtt_reason)
{
	struct item *item = mem_alloc(sizeof(*item) + len + 1);

	item->kind = kind;
	item->result = result;
	item->mqtt_reason = mqtt_reason;
	item->len = len;
	if (len)
		memcpy(item->text, text, len);
	if (!mailbox_put(wire->box, item))
		free(item);
}

static void on_message(void *arg, const struct link_message *m)
{
	put(arg, ITEM_MESSAGE, m->payload, m->payload_len, LINK_ACKED, 0);
}

static void on_connected(void *arg, bool session_present)
{
	(void)session_present;
	put(arg, ITEM_UP, NULL, 0, LINK_ACKED, 0);
}

static void on_disconnected(void *arg, const char *reason, bool taken_over)
{
	(void)taken_over;
	put(arg, ITEM_DOWN, reason, reason ? strlen(reason) : 0, LINK_ACKED, 0);
}

static void on_done(void *arg, void *cookie, enum link_result result, int mqtt_reason)
{
	(void)cookie;
	put(arg, ITEM_DONE, NULL, 0, result, mqtt_reason);
}

/* ---- on the verb's thread ---- */

/* The next item of that kind before `until_us`, or NULL. Messages that come meanwhile are kept. */
static struct item *next(struct wire *wire, enum item_kind kind, int64_t until_us)
{
	if (kind == ITEM_MESSAGE && wire->taken < wire->messages.n)
		return wire->messages.v[wire->taken++];
	while (clock_mono_us() < until_us) {
		void *got;

		link_tick(wire->link);
		if (!mailbox_take(wire->box, &got, 1, TICK_US))
			continue;
		struct item *item = got;
		if (item->kind == ITEM_DOWN)
			snprintf(wire->reason, sizeof(wire->reason), "%s", item->text);
		if (item->kind == kind)
			return item;
		if (item->kind == ITEM_MESSAGE)
			VEC_PUSH(&wire->messages, item);
		else
			free(item);
	}
	return NULL;
}

static const char *setting(const char *name, const char *otherwise)
{
	const char *v = getenv(name);

	return v && *v ? v : otherwise;
}

static int start(struct wire *wire, const struct broker_settings *b, struct err *e)
{
	struct link_callbacks callbacks = {.arg = wire, .message = on_message, .connected = on_connected,
					   .disconnected = on_disconnected};
	struct link_options options = {
		.host = setting("NEEDLE_MQTT_HOST", b->host), .port = b->port,
		.user = setting("NEEDLE_MQTT_USER", b->user), .password = setting("NEEDLE_MQTT_PASSWORD", b->password),
		.tls = {b->tls_ca, b->tls_cert, b->tls_key}, .clean = true};
	const char *port = getenv("NEEDLE_MQTT_PORT");
	char id[WIRE_ID];
	int64_t number = 0;
	int r;

	if (port && *port && !str_to_int(port, 1, 65535, &number))
		return ctl_usage(e, "NEEDLE_MQTT_PORT is not a port");
	if (number)
		options.port = (int)number;
	options.client_id = wire_fresh_id(id);
	r = link_new(&options, &callbacks, &wire->link, e);
	if (r < 0)
		return r;
	link_on_done(wire->link, on_done, wire);
	link_start(wire->link);
	struct item *up = next(wire, ITEM_UP, clock_mono_us() + wire->wait_us);
	if (!up)
		return err_set(e, ERR_AGAIN, "the broker at %s port %d cannot be reached%s%s", options.host,
			       options.port, *wire->reason ? ": " : "", wire->reason);
	free(up);
	return 0;
}

int wire_open(struct ctl *ctl, struct wire **ret, struct err *e)
{
	/* Paho's thread may call back until the process ends, so what it is given never dies. */
	static struct wire wire;
	int r = ctl_settings(ctl, e);

	if (r == 0)
		r = ctl_timeout(ctl, &wire.wait_us, e);
	if (r < 0)
		return r;
	wire.box = mailbox_new(BOX);
	*ret = &wire;
	r = start(&wire, &ctl->settings->broker, e);
	if (r < 0)
		wire_close(TAKE(*ret));
	return r;
}

void wire_close(struct wire *wire)
{
	if (!wire)
		return;
	if (wire->link)
		link_stop(wire->link, GOODBYE_MS);
	while (wire->taken < wire->messages.n)
		free(wire->messages.v[wire->taken++]);
	VEC_DONE(&wire->messages);
}

int wire_subscribe(struct wire *wire, const char *topic, struct err *e)
{
	return link_subscribe(wire->link, &topic, 1, 2, (int)(wire->wait_us / 1000), e);
}

int wire_publish(struct wire *wire, const char *topic, const void *payload, size_t len, struct err *e)
{
	const struct link_publish p = {.topic = topic, .payload = payload, .payload_len = len, .qos = 1};
	int r = link_publish(wire->link, &p, e);
	struct item *done;

	if (r < 0)
		return r;
	done = next(wire, ITEM_DONE, clock_mono_us() + wire->wait_us);
	if (!done || done->result == LINK_LOST)
		r = err_set(e, ERR_AGAIN, "the broker did not acknowledge the message on %s", topic);
	else if (done->result == LINK_REFUSED)
		r = err_set(e, ERR_BAD, "the broker refuses the message on %s (MQTT reason %d)", topic,
			    done->mqtt_reason);
	free(done);
	return r;
}

int wire_await(struct wire *wire, const char *member, const char *text, json_t **ret, struct err *e)
{
	int64_t until_us = clock_mono_us() + wire->wait_us;
	struct item *item;

	while ((item = next(wire, ITEM_MESSAGE, until_us))) {
		json_t *json = json_loadb(item->text, item->len, 0, NULL);

		free(item);
		if (str_equal(json_string_value(json_object_get(json, member)), text)) {
			*ret = json;
			return 0;
		}
		json_decref(json);
	}
	return err_set(e, ERR_AGAIN, "the gateway gave no answer in %d s; the message is with the broker",
		       (int)(wire->wait_us / 1000000));
}

int wire_send(struct wire *wire, const char *topic, const void *payload, size_t len, struct err *e)
{
	const struct link_publish p = {.topic = topic, .payload = payload, .payload_len = len, .qos = 1};

	link_tick(wire->link);
	return link_publish(wire->link, &p, e);
}

int wire_next(struct wire *wire, int64_t wait_us, json_t **ret, struct err *e)
{
	int64_t until_us = clock_mono_us() + wait_us;
	int r = 0;

	*ret = NULL;
	while (r == 0 && !*ret && clock_mono_us() < until_us) {
		void *got;

		if (!mailbox_take(wire->box, &got, 1, until_us - clock_mono_us()))
			break;
		struct item *item = got;
		if (item->kind == ITEM_MESSAGE)
			*ret = json_loadb(item->text, item->len, 0, NULL);
		else if (item->kind == ITEM_DOWN || (item->kind == ITEM_DONE && item->result == LINK_LOST))
			r = err_set(e, ERR_AGAIN, "the connection to the broker was lost; the same again is safe");
		else if (item->kind == ITEM_DONE && item->result == LINK_REFUSED)
			r = err_set(e, ERR_BAD, "the broker refuses the message (MQTT reason %d)", item->mqtt_reason);
		free(item);
	}
	return r;
}

const char *wire_fresh_id(char buf[WIRE_ID])
{
	struct civil now = moment_civil(clock_now_us());
	unsigned noise = 0;

	if (getrandom(&noise, sizeof(noise), 0) != (ssize_t)sizeof(noise))
		noise = (unsigned)clock_mono_us() ^ (unsigned)getpid();
	snprintf(buf, WIRE_ID, "ctl-%04u%02u%02uT%02u%02u%02u-%08x", (unsigned)now.year % 10000,
		 (unsigned)now.month % 100, (unsigned)now.day % 100, (unsigned)now.hour % 100,
		 (unsigned)now.minute % 100, (unsigned)now.second % 100, noise);
	return buf;
}
