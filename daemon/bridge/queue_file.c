/*
 * The file of a queue: a head, then records with a checksum each. A record that is not whole is what
 * the last write of a former life left; nothing behind it was ever acknowledged, so it is cut off. What
 * stands behind it all the same (a disk that lost a page) is kept aside in NAME.damaged.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "bridge/queue_parts.h"

static const char head[16] = "needle queue 1\n";
enum { RECORD_MAGIC = 0x4c51444e, KEY_MAX = 512, BODY_MAX = 64 << 20 };

struct record {
	uint32_t magic, sum, kind, key_len;
	uint64_t body_len;
	int64_t at_us;
};

static uint32_t crc(uint32_t sum, const void *data, size_t n)
{
	static _Atomic bool ready;
	static uint32_t table[256];
	const unsigned char *p = data;

	if (!ready) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t c = i;

			for (int k = 0; k < 8; k++)
				c = c & 1 ? 0xedb88320 ^ (c >> 1) : c >> 1;
			table[i] = c;
		}
		ready = true;
	}
	sum = ~sum;
	for (size_t i = 0; i < n; i++)
		sum = table[(sum ^ p[i]) & 0xff] ^ (sum >> 8);
	return ~sum;
}

/* Over all of the head but the first two members, then key and body. */
static uint32_t record_sum(const struct record *r, const void *key, const void *body)
{
	uint32_t sum = crc(0, (const char *)r + offsetof(struct record, kind), sizeof(*r) - offsetof(struct record, kind));

	return crc(crc(sum, key, r->key_len), body, r->body_len);
}

int64_t queue_record_add(struct str *to, enum queue_record kind, int64_t at_us, const char *key, const void *body,
			 size_t len)
{
	struct record r = {.magic = RECORD_MAGIC, .kind = kind, .key_len = (uint32_t)strlen(key), .body_len = len,
			   .at_us = at_us};

	r.sum = record_sum(&r, key, body ? body : "");
	str_addn(to, (const char *)&r, sizeof(r));
	str_addn(to, key, r.key_len);
	if (len)
		str_addn(to, body, len);
	return (int64_t)(sizeof(r) + r.key_len);
}

int queue_head_write(int fd, int64_t *at, struct err *e)
{
	if (pwrite(fd, head, sizeof(head), 0) != sizeof(head))
		return err_set(e, ERR_SYS, "queue: %s", strerror(errno));
	*at = sizeof(head);
	return 0;
}

struct queue_entry *queue_entry_new(const char *key, int64_t off, size_t len, int64_t put_us)
{
	size_t n = strlen(key) + 1;
	struct queue_entry *x = mem_alloc(sizeof(*x) + n);

	x->off = off;
	x->len = len;
	x->put_us = put_us;
	memcpy(x->key, key, n);
	return x;
}

int queue_read_body(struct queue *q, const struct queue_entry *x, char *ret, struct err *e)
{
	size_t got = 0;

	while (got < x->len) {
		ssize_t n = pread(q->fd, ret + got, x->len - got, x->off + (int64_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, ERR_SYS, "%s cannot be read: %s", q->path, n ? strerror(errno) : "it is too short");
		got += (size_t)n;
	}
	return 0;
}

/* ---- reading it back ----------------------------------------------------------------------------- */

static bool read_exactly(int fd, void *to, size_t n, int64_t off)
{
	size_t got = 0;

	while (got < n) {
		ssize_t r = pread(fd, (char *)to + got, n - got, off + (int64_t)got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		got += (size_t)r;
	}
	return true;
}

/* The whole record at `off` in *bytes, or false. */
static bool read_record(int fd, int64_t off, struct record *r, char key[KEY_MAX + 1], struct str *body)
{
	CLEANUP(mem_freep) char *rest = NULL;
	size_t n;

	if (!read_exactly(fd, r, sizeof(*r), off) || r->magic != RECORD_MAGIC || r->key_len > KEY_MAX ||
	    r->body_len > BODY_MAX)
		return false;
	n = r->key_len + r->body_len;
	rest = mem_alloc(n + 1);
	if (!read_exactly(fd, rest, n, off + (int64_t)sizeof(*r)) || r->sum != record_sum(r, rest, rest + r->key_len))
		return false;
	memcpy(key, rest, r->key_len);
	key[r->key_len] = '\0';
	str_reset(body);
	str_addn(body, rest + r->key_len, r->body_len);
	return true;
}

static void replay(struct queue *q, const struct record *r, const char *key, const struct str *body, int64_t off)
{
	struct queue_entry *x = map_get(&q->by_key, key);

	if (r->kind == QUEUE_PUT && !x) {
		x = queue_entry_new(key, off + (int64_t)(sizeof(*r) + r->key_len), r->body_len, r->at_us);
		x->found = true;
		queue_entry_add(q, x);
	} else if (r->kind == QUEUE_SETTLED && x) {
		free(x->settled);
		x->settled = mem_strdup(body->s ? body->s : "");
	} else if (r->kind == QUEUE_DONE && x) {
		queue_entry_gone(q, x);
	} else if (r->kind == QUEUE_REMEMBERED) {
		for (size_t i = 0; i + 8 <= body->len; i += 8) {
			uint64_t hash;

			memcpy(&hash, body->s + i, 8);
			queue_remember(q, hash);
		}
	}
}

static void keep_aside(struct queue *q, int64_t from, int64_t to)
{
	char path[PATH_MAX];
	CLEANUP(mem_freep) char *bytes = mem_alloc((size_t)(to - from));
	int fd;

	snprintf(path, sizeof(path), "%s.damaged", q->path);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd >= 0 && read_exactly(q->fd, bytes, (size_t)(to - from), from) &&
	    write(fd, bytes, (size_t)(to - from)) == to - from)
		log_warn("queue.damaged", "%s: %" PRId64 " bytes at its end are no record; they are kept in %s", q->path,
			 to - from, path);
	if (fd >= 0)
		close(fd);
}

int queue_read_all(struct queue *q, struct err *e)
{
	CLEANUP(str_done) struct str body = {.max = BODY_MAX + 1};
	char start[sizeof(head)], key[KEY_MAX + 1];
	struct record r;
	struct stat st;
	int64_t off = sizeof(head);

	if (fstat(q->fd, &st) < 0)
		return err_set(e, ERR_SYS, "%s: %s", q->path, strerror(errno));
	/* Shorter than its head: a kill at the very first write. */
	if (st.st_size < (off_t)sizeof(head))
		return queue_head_write(q->fd, &q->size, e);
	if (!read_exactly(q->fd, start, sizeof(start), 0) || memcmp(start, head, sizeof(head)) != 0)
		return err_set(e, ERR_BAD, "%s is no queue of a bridge", q->path);
	while (off < st.st_size && read_record(q->fd, off, &r, key, &body)) {
		replay(q, &r, key, &body, off);
		off += (int64_t)(sizeof(r) + r.key_len + r.body_len);
	}
	if (off < st.st_size) {
		keep_aside(q, off, st.st_size);
		if (ftruncate(q->fd, off) < 0)
			return err_set(e, ERR_SYS, "%s: %s", q->path, strerror(errno));
	}
	q->size = off;
	q->compact_size = 0;
	return 0;
}
