#include "intake/inbox_record.h"

#include <pthread.h>
#include <string.h>

#include "intake/inbox.h"

enum { MAGIC = 0x3149444e /* "NDI1": another layout gets another magic */ };
enum { HAS_RESPONSE = 1, HAS_CORRELATION = 2, IS_DUP = 4 };

struct header {
	uint32_t magic, crc;
	uint32_t len; /* of the whole record without padding */
	uint8_t qos, flags, zero[2];
	uint64_t seq;
	int64_t received_at;
	uint32_t topic_len, response_len, correlation_len, payload_len;
};
_Static_assert(sizeof(struct header) == INBOX_RECORD_HEADER, "the layout on disk");

enum { CRC_FROM = 8 }; /* magic and crc are not covered by the crc */

/* Eight tables: eight bytes a step, so that a check costs less than the copy beside it. */
static uint32_t table[8][256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void table_fill(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? (c >> 1) ^ 0x82f63b78u : c >> 1;
		table[0][i] = c;
	}
	for (int t = 1; t < 8; t++)
		for (uint32_t i = 0; i < 256; i++)
			table[t][i] = (table[t - 1][i] >> 8) ^ table[0][table[t - 1][i] & 0xff];
}

uint32_t inbox_crc32c(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint32_t c = ~0u;

	pthread_once(&table_once, table_fill);
	for (; len >= 8; p += 8, len -= 8) {
		c ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
		     (uint32_t)p[3] << 24;
		c = table[7][c & 0xff] ^ table[6][c >> 8 & 0xff] ^ table[5][c >> 16 & 0xff] ^
		    table[4][c >> 24] ^ table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^
		    table[0][p[7]];
	}
	for (; len; p++, len--)
		c = c >> 8 ^ table[0][(c ^ *p) & 0xff];
	return ~c;
}

static size_t padded(size_t len)
{
	return (len + INBOX_RECORD_ALIGN - 1) & ~(size_t)(INBOX_RECORD_ALIGN - 1);
}

static size_t plain_size(const struct inbox_record *r)
{
	size_t response = r->response_topic ? strlen(r->response_topic) + 1 : 0;
	size_t correlation = r->correlation ? r->correlation_len : 0;

	return sizeof(struct header) + strlen(r->topic) + 1 + response + correlation +
	       r->payload_len;
}

size_t inbox_record_size(const struct inbox_record *r)
{
	size_t size = padded(plain_size(r));

	return size <= UINT32_MAX ? size : 0;
}

static unsigned char *put(unsigned char *at, const void *data, size_t len)
{
	if (len)
		memcpy(at, data, len);
	return at + len;
}

void inbox_record_write(const struct inbox_record *r, uint64_t seq, unsigned char *out)
{
	struct header h = {
		.magic = MAGIC,
		.len = (uint32_t)plain_size(r),
		.qos = r->qos,
		.flags = (uint8_t)((r->response_topic ? HAS_RESPONSE : 0) |
				   (r->correlation ? HAS_CORRELATION : 0) | (r->dup ? IS_DUP : 0)),
		.seq = seq,
		.received_at = r->received_at,
		.topic_len = (uint32_t)strlen(r->topic) + 1,
		.response_len = r->response_topic ? (uint32_t)strlen(r->response_topic) + 1 : 0,
		.correlation_len = r->correlation ? (uint32_t)r->correlation_len : 0,
		.payload_len = (uint32_t)r->payload_len,
	};
	unsigned char *at = out + sizeof(h);

	at = put(at, r->topic, h.topic_len);
	at = put(at, r->response_topic, h.response_len);
	at = put(at, r->correlation, h.correlation_len);
	at = put(at, r->payload, h.payload_len);
	memset(at, 0, padded(h.len) - h.len);
	memcpy(out, &h, sizeof(h));
	h.crc = inbox_crc32c(out + CRC_FROM, h.len - CRC_FROM);
	memcpy(out, &h, sizeof(h));
}

size_t inbox_record_peek(const unsigned char *p, size_t available)
{
	struct header h;

	if (available < sizeof(h))
		return 0;
	memcpy(&h, p, sizeof(h));
	if (h.magic != MAGIC || h.len < sizeof(h) || h.len > UINT32_MAX - INBOX_RECORD_ALIGN)
		return 0;
	return padded(h.len);
}

static bool lengths_add_up(const struct header *h)
{
	uint64_t sum = sizeof(*h) + (uint64_t)h->topic_len + h->response_len + h->correlation_len +
		       h->payload_len;

	return sum == h->len && h->topic_len > 0 &&
	       (h->response_len > 0) == !!(h->flags & HAS_RESPONSE);
}

size_t inbox_record_read(const unsigned char *p, size_t available, struct inbox_record *ret)
{
	const unsigned char *topic = p + sizeof(struct header), *response, *correlation, *payload;
	struct header h;

	if (!inbox_record_peek(p, available))
		return 0;
	memcpy(&h, p, sizeof(h));
	if (padded(h.len) > available || h.crc != inbox_crc32c(p + CRC_FROM, h.len - CRC_FROM) ||
	    !lengths_add_up(&h))
		return 0;
	response = topic + h.topic_len;
	correlation = response + h.response_len;
	payload = correlation + h.correlation_len;
	if (topic[h.topic_len - 1] || (h.response_len && response[h.response_len - 1]))
		return 0;
	*ret = (struct inbox_record){
		.seq = h.seq,
		.received_at = h.received_at,
		.topic = (const char *)topic,
		.payload = payload,
		.payload_len = h.payload_len,
		.qos = h.qos,
		.dup = h.flags & IS_DUP,
		.response_topic = h.flags & HAS_RESPONSE ? (const char *)response : NULL,
		.correlation = h.flags & HAS_CORRELATION ? correlation : NULL,
		.correlation_len = h.correlation_len,
	};
	return padded(h.len);
}
