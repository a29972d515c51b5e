#include "mqtt.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECT = 0x10, CONNACK = 0x20, PUBLISH = 0x30, PUBACK = 0x40, SUBSCRIBE = 0x82, SUBACK = 0x90,
       PINGREQ = 0xc0, PINGRESP = 0xd0, DISCONNECT = 0xe0 };
enum { READ_BYTES = 256 * 1024, KEEP_ALIVE_S = 60, RESPONSE_TOPIC = 8, RETAIN_NEVER = 0x20, REFUSED = 0x80 };

/* ---- bytes ------------------------------------------------------------------------------------ */
static void room(unsigned char **p, size_t *cap, size_t need)
{
	if (need <= *cap)
		return;
	while (*cap < need)
		*cap = *cap ? 2 * *cap : 64 * 1024;
	*p = realloc(*p, *cap);
	if (!*p)
		err(1, "memory");
}

unsigned char *mqtt_put(struct mqtt *m, size_t n)
{
	unsigned char *p;

	if (m->out_at == m->out_len)
		m->out_at = m->out_len = 0;
	room(&m->out, &m->out_cap, m->out_len + n);
	p = m->out + m->out_len;
	m->out_len += n;
	return p;
}

static unsigned char *put16(unsigned char *p, size_t v)
{
	*p++ = (unsigned char)(v >> 8);
	*p++ = (unsigned char)v;
	return p;
}

static unsigned char *put_string(unsigned char *p, const char *s)
{
	size_t n = strlen(s);

	return (unsigned char *)mempcpy(put16(p, n), s, n);
}

/* MQTT's variable byte integer. */
static unsigned char *put_length(unsigned char *p, size_t v)
{
	do {
		*p++ = (unsigned char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		v >>= 7;
	} while (v);
	return p;
}

static const unsigned char *get_length(const unsigned char *p, const unsigned char *end, size_t *ret)
{
	size_t v = 0;

	for (int shift = 0; p < end && shift <= 21; shift += 7) {
		v |= (size_t)(*p & 0x7f) << shift;
		if (!(*p++ & 0x80)) {
			*ret = v;
			return p;
		}
	}
	return NULL;
}

/* ---- packets that come ------------------------------------------------------------------------ */
static size_t get16(const unsigned char *p)
{
	return (size_t)p[0] << 8 | p[1];
}

static void on_publish(struct mqtt *m, unsigned char head, const unsigned char *p, const unsigned char *end,
		       mqtt_on_message *fn, void *arg)
{
	struct mqtt_message msg = {.topic_len = get16(p)};
	const unsigned char *id;
	size_t properties;

	msg.topic = (const char *)p + 2;
	p += 2 + msg.topic_len;
	id = p;
	if (head & 0x06)
		p += 2;
	p = get_length(p, end, &properties);
	if (!p || (size_t)(end - p) < properties)
		errx(1, "the broker sends a PUBLISH that is none");
	msg.payload = (const char *)p + properties;
	msg.payload_len = (size_t)(end - p) - properties;
	if (fn)
		fn(arg, &msg);
	if (head & 0x06) {
		unsigned char *ack = mqtt_put(m, 4);

		ack[0] = PUBACK;
		ack[1] = 2;
		ack[2] = id[0];
		ack[3] = id[1];
	}
}

/* One packet; returns the first byte of its kind. */
static unsigned char on_packet(struct mqtt *m, unsigned char head, const unsigned char *p, const unsigned char *end,
			       mqtt_on_message *fn, void *arg)
{
	switch (head & 0xf0) {
	case PUBLISH:
		on_publish(m, head, p, end, fn, arg);
		break;
	case PUBACK:
		m->unacked--;
		m->refused += end - p > 2 && p[2] >= REFUSED;
		break;
	case CONNACK:
		if (p[1])
			errx(1, "the broker refuses the connection: reason %d", p[1]);
		break;
	case SUBACK:
		if (end[-1] >= REFUSED)
			errx(1, "the broker refuses a subscription: reason %d", end[-1]);
		break;
	case DISCONNECT:
		errx(1, "the broker ends the connection: reason %d", end > p ? p[0] : 0);
	default:
		break;
	}
	return head & 0xf0;
}

/* Everything that is there whole. Returns which kinds came, a bit each. */
static unsigned parse(struct mqtt *m, mqtt_on_message *fn, void *arg)
{
	const unsigned char *p = m->in, *end = m->in + m->in_len;
	unsigned kinds = 0;
	size_t length;

	while (end - p >= 2) {
		const unsigned char *body = get_length(p + 1, end, &length);

		if (!body || (size_t)(end - body) < length)
			break;
		kinds |= 1u << (on_packet(m, *p, body, body + length, fn, arg) >> 4);
		p = body + length;
	}
	m->in_len = (size_t)(end - p);
	memmove(m->in, p, m->in_len);
	return kinds;
}

static bool fill(struct mqtt *m)
{
	ssize_t n;

	room(&m->in, &m->in_cap, m->in_len + READ_BYTES);
	n = read(m->fd, m->in + m->in_len, m->in_cap - m->in_len);
	if (n == 0)
		errx(1, "the broker closed the connection");
	if (n < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return false;
		err(1, "read");
	}
	m->in_len += (size_t)n;
	return true;
}

bool mqtt_read(struct mqtt *m, mqtt_on_message *fn, void *arg)
{
	if (!fill(m))
		return false;
	parse(m, fn, arg);
	return true;
}

void mqtt_flush(struct mqtt *m)
{
	while (m->out_at < m->out_len) {
		ssize_t n = write(m->fd, m->out + m->out_at, m->out_len - m->out_at);

		if (n < 0) {
			if (errno == EAGAIN || errno == EINTR)
				return;
			err(1, "write");
		}
		m->out_at += (size_t)n;
	}
}

/* ---- opening ---------------------------------------------------------------------------------- */
static void wait_for(struct mqtt *m, unsigned char kind)
{
	mqtt_flush(m);
	while (!fill(m) || !(parse(m, NULL, NULL) & 1u << (kind >> 4)))
		;
}

/* A packet whose body is at most 16 KiB: the length takes two bytes at most. */
static void send_packet(struct mqtt *m, unsigned char head, const unsigned char *body, size_t n)
{
	unsigned char length[4], *end = put_length(length, n), *p = mqtt_put(m, 1 + (size_t)(end - length) + n);

	*p++ = head;
	p = (unsigned char *)mempcpy(p, length, (size_t)(end - length));
	memcpy(p, body, n);
}

void mqtt_open(struct mqtt *m, const char *host, int port, const char *id, const char *user, const char *password)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	unsigned char body[1024], *p = put_string(body, "MQTT");
	int on = 1;

	if (inet_pton(AF_INET, host, &to.sin_addr) != 1)
		errx(2, "not an IPv4 address: %s", host);
	if (strlen(id) + strlen(user) + strlen(password) > sizeof(body) - 64)
		errx(2, "a user name or password is too long");
	*m = (struct mqtt){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .next_id = 1};
	if (m->fd < 0 || connect(m->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		err(75, "cannot reach the broker at %s:%d", host, port);
	setsockopt(m->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	*p++ = 5;
	*p++ = 0xc2;                    /* user name, password, clean start */
	p = put16(p, KEEP_ALIVE_S);
	*p++ = 0;                       /* no properties */
	p = put_string(put_string(put_string(p, id), user), password);
	send_packet(m, CONNECT, body, (size_t)(p - body));
	wait_for(m, CONNACK);
}

void mqtt_subscribe(struct mqtt *m, const char *filter)
{
	unsigned char body[1024], *p = put16(body, mqtt_take_id(m));

	if (strlen(filter) > sizeof(body) - 16)
		errx(2, "a filter is too long");
	*p++ = 0;
	p = put_string(p, filter);
	*p++ = 1 | RETAIN_NEVER;
	send_packet(m, SUBSCRIBE, body, (size_t)(p - body));
	wait_for(m, SUBACK);
}

void mqtt_go(struct mqtt *m)
{
	fcntl(m->fd, F_SETFL, fcntl(m->fd, F_GETFL) | O_NONBLOCK);
}

uint16_t mqtt_take_id(struct mqtt *m)
{
	uint16_t id = m->next_id++;

	if (!m->next_id)
		m->next_id = 1;
	return id;
}

void mqtt_ping(struct mqtt *m)
{
	send_packet(m, PINGREQ, (const unsigned char *)"", 0);
}

void mqtt_close(struct mqtt *m)
{
	send_packet(m, DISCONNECT, (const unsigned char *)"", 0);
	mqtt_flush(m);
	close(m->fd);
	free(m->in);
	free(m->out);
}

/* ---- a PUBLISH as a template ------------------------------------------------------------------- */
unsigned char *mqtt_packet(const char *topic, const char *payload, size_t payload_len, const char *response_topic,
			   size_t *ret_len, size_t *ret_id, size_t *ret_payload)
{
	size_t properties = response_topic ? 3 + strlen(response_topic) : 0;
	unsigned char length[4], *packet, *p, *length_end;
	size_t n;

	p = put_length(length, properties);
	n = 2 + strlen(topic) + 2 + (size_t)(p - length) + properties + payload_len;
	length_end = put_length(length, n);
	packet = malloc(1 + (size_t)(length_end - length) + n);
	if (!packet)
		err(1, "memory");
	packet[0] = PUBLISH | 0x02;
	p = put_string((unsigned char *)mempcpy(packet + 1, length, (size_t)(length_end - length)), topic);
	*ret_id = (size_t)(p - packet);
	p = put_length(put16(p, 0), properties);
	if (response_topic) {
		*p++ = RESPONSE_TOPIC;
		p = put_string(p, response_topic);
	}
	*ret_payload = (size_t)(p - packet);
	p = (unsigned char *)mempcpy(p, payload, payload_len);
	*ret_len = (size_t)(p - packet);
	return packet;
}
