/* The life of a bridge, reports into the outbox, and what is set aside. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/str.h"
#include "bridge/bridge_parts.h"
#include "core/time/moment.h"

enum { REMEMBERED_REPLIES = 200000, GOODBYE_MS = 1000, POLL_US = 20000 };

static void make_topics(struct bridge *b)
{
	const struct bridge_settings *s = b->s;

	snprintf(b->topic_in, sizeof(b->topic_in), "needle/%s/in/%s/%s", s->tenant, s->channel, s->source);
	snprintf(b->topic_receipt, sizeof(b->topic_receipt), "needle/%s/receipt/%s/%s", s->tenant, s->channel, s->source);
	snprintf(b->topic_out, sizeof(b->topic_out), "needle/%s/out/%s/%s", s->tenant, s->channel, s->source);
	snprintf(b->failed, sizeof(b->failed), "%.480s/failed", s->state);
}

int bridge_open(const struct bridge_settings *settings, const struct bridge_callbacks *callbacks, struct bridge **ret,
		struct err *e)
{
	struct queue_options outbox = {.folder = settings->state, .name = "outbox", .max_entries = settings->max_entries,
				       .max_bytes = settings->max_bytes};
	struct queue_options replies = {.folder = settings->state, .name = "replies", .remember = REMEMBERED_REPLIES};
	struct bridge *b = mem_alloc(sizeof(*b));
	int r;

	b->s = settings;
	b->callbacks = *callbacks;
	pthread_mutex_init(&b->lock, NULL);
	pthread_mutex_init(&b->aside, NULL);
	pthread_cond_init(&b->changed, NULL);
	make_topics(b);
	r = queue_open(&outbox, &b->outbox, e);
	if (r == 0)
		r = queue_open(&replies, &b->replies, e);
	if (r == 0 && mkdir(b->failed, 0700) < 0 && errno != EEXIST)
		r = err_set(e, ERR_SYS, "cannot make the folder %s: %s", b->failed, strerror(errno));
	if (r == 0)
		r = bridge_link_open(b, e);
	if (r < 0) {
		bridge_free(b);
		return r;
	}
	*ret = b;
	return 0;
}

int bridge_start(struct bridge *b, struct err *e)
{
	int r = pthread_create(&b->thread, NULL, bridge_link_run, b);

	if (r)
		return err_set(e, ERR_SYS, "bridge: no thread: %s", strerror(r));
	b->started = true;
	link_start(b->link);
	return 0;
}

void bridge_wake(struct bridge *b)
{
	pthread_mutex_lock(&b->lock);
	if (!b->work)
		pthread_cond_signal(&b->changed);
	b->work = true;
	pthread_mutex_unlock(&b->lock);
}

void bridge_wake_for_new(struct bridge *b)
{
	if (!b->choked)
		bridge_wake(b);
}

void bridge_stop(struct bridge *b, int drain_ms)
{
	int64_t until_us = clock_mono_us() + drain_ms * INT64_C(1000);

	if (!b->started)
		return;
	b->drain = true;
	while (bridge_is_connected(b) && queue_taken(b->outbox) && clock_mono_us() < until_us)
		usleep(POLL_US);
	pthread_mutex_lock(&b->lock);
	b->quit = true;
	pthread_cond_signal(&b->changed);
	pthread_mutex_unlock(&b->lock);
	pthread_join(b->thread, NULL);
	b->started = false;
	link_stop(b->link, GOODBYE_MS);
}

void bridge_free(struct bridge *b)
{
	if (!b)
		return;
	if (b->link)
		link_free(b->link);
	queue_close(b->outbox);
	queue_close(b->replies);
	pthread_mutex_destroy(&b->lock);
	pthread_mutex_destroy(&b->aside);
	pthread_cond_destroy(&b->changed);
	free(b);
}

bool bridge_is_connected(const struct bridge *b)
{
	return b->subscribed;
}

const struct bridge_settings *bridge_settings(const struct bridge *b)
{
	return b->s;
}

/* ---- reports ------------------------------------------------------------------------------------ */

void bridge_key(const char *json, size_t len, char key[BRIDGE_KEY])
{
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (!EVP_Digest(json, len, digest, NULL, EVP_sha256(), NULL))
		mem_die("sha256");
	str_hex(digest, 16, key);
}

int bridge_report(struct bridge *b, const char *json, size_t len, char key[BRIDGE_KEY], struct err *e)
{
	int r;

	bridge_key(json, len, key);
	if (len > BRIDGE_REPORT_MAX)
		return err_code(e, ERR_BAD, "too-large", "a message of %zu bytes is more than the gateway takes (%d)", len,
				BRIDGE_REPORT_MAX);
	if (queue_has(b->outbox, key)) {
		figure_count(FIGURE_KNOWN);
		return BRIDGE_WAITING;
	}
	if (queue_is_full(b->outbox))
		return err_code(e, ERR_AGAIN, "full", "the outbox is full: the gateway has not answered for a while");
	r = queue_put(b->outbox, key, json, len, e);
	if (r < 0)
		return r;
	fault_point("bridge-taken");
	figure_count(r == 0 ? FIGURE_TAKEN : FIGURE_KNOWN);
	if (r == 0)
		bridge_wake_for_new(b);
	return r == 0 ? 0 : BRIDGE_WAITING;
}

int bridge_commit(struct bridge *b, struct err *e)
{
	return b->s->power ? queue_sync(b->outbox, e) : 0;
}

bool bridge_is_waiting(struct bridge *b, const char *key)
{
	return queue_has(b->outbox, key);
}

/* ---- what is set aside -------------------------------------------------------------------------- */

static void append_line(struct bridge *b, const char *day, const struct str *line)
{
	char path[600];
	int fd;

	snprintf(path, sizeof(path), "%s/%s.jsonl", b->failed, day);
	pthread_mutex_lock(&b->aside);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line->s, line->len) != (ssize_t)line->len || fdatasync(fd) < 0)
		log_error("bridge.aside", "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	pthread_mutex_unlock(&b->aside);
}

void bridge_set_aside(struct bridge *b, const char *what, const char *reason, const json_t *receipt,
		      const char *payload, size_t len)
{
	CLEANUP(str_done) struct str line = {0};
	CLEANUP(mem_freep) char *said = receipt ? json_dumps(receipt, JSON_COMPACT) : NULL;
	struct civil day = moment_civil(clock_now_us());
	char stamp[MOMENT_TEXT], name[24];

	snprintf(name, sizeof(name), "%04d-%02d-%02d", day.year, day.month, day.day);
	str_addf(&line, "{\"at\":\"%s\",\"what\":\"%s\",\"reason\":", moment_rfc3339(clock_now_us(), stamp), what);
	str_json(&line, reason && str_is_utf8(reason, strlen(reason)) ? reason : "");
	str_addf(&line, ",\"receipt\":%s,\"payload\":", said ? said : "null");
	if (payload && str_is_utf8(payload, len))
		str_json(&line, payload);
	else
		str_add(&line, "null");
	str_add(&line, "}\n");
	append_line(b, name, &line);
}

void bridge_figures(struct bridge *b)
{
	struct queue_figures f;

	queue_figures(b->outbox, &f);
	figure_set(FIGURE_OUTBOX, (int64_t)f.entries);
	figure_set(FIGURE_OUTBOX_BYTES, f.bytes);
	queue_figures(b->replies, &f);
	figure_set(FIGURE_WAITING, (int64_t)f.entries);
	figure_set(FIGURE_CONNECTED, bridge_is_connected(b));
}
