/*
 * We ask the platform. Each time from a little before where the last time ended (platforms commit late),
 * page by page, all into the outbox; and only when every ticket of it has its receipt does the cursor
 * move. It stands in STATE/pull.json, written whole or not at all. Once an hour the platform's list of
 * numbers is held against those that have a receipt; what is missing is fetched one by one.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/map.h"
#include "base/pulse.h"
#include "base/str.h"
#include "bridge/client.h"
#include "bridge/figures.h"
#include "core/time/moment.h"
#include "core/understand/message.h"
#include "hotline.h"

enum { SECOND_US = 1000000, TICK_US = 100000, BACKOFF_MAX_US = 600 * SECOND_US, DOUBLINGS = 8, CURSOR_MAX = 4096 };
/* So long receipts are waited for before the same is asked again. */
static const int64_t receipts_us = INT64_C(120) * SECOND_US;

struct key {
	struct key *next;
	char key[BRIDGE_KEY];
};
struct pull {
	struct hotline *h;
	struct client *client;
	struct pulse *pulse;
	pthread_t thread;
	_Atomic bool stop;
	char path[PATH_MAX];            /* of the cursor */
	int64_t until_us;               /* up to where all is receipted; wall clock */
	char cursor[CURSOR_MAX];        /* with `next:` */
	struct map before, now;         /* keys of the last time and of this: what the overlap brings again */
	struct key *keys;               /* they own the texts: this time's, then the last's */
	struct key *old_keys;
	size_t refused;
};

/* ---- the cursor ---------------------------------------------------------------------------------- */

static void cursor_read(struct pull *p)
{
	json_t *json = json_load_file(p->path, 0, NULL);
	const char *until = json_string_value(json_object_get(json, "until"));
	const char *cursor = json_string_value(json_object_get(json, "cursor"));

	if (!until || !moment_parse(until, &p->until_us))
		p->until_us = clock_now_us() - p->h->pull_is.start_us;
	snprintf(p->cursor, sizeof(p->cursor), "%s", cursor ? cursor : "");
	json_decref(json);
}

static int cursor_write(struct pull *p, int64_t until_us, const char *cursor, struct err *e)
{
	CLEANUP(mem_freep) char *text = NULL;
	char stamp[MOMENT_TEXT], fresh[PATH_MAX + 8];
	json_t *json = json_pack("{s:s, s:s}", "until", moment_rfc3339(until_us, stamp), "cursor", cursor);
	int fd, r = 0;

	text = json_dumps(json, 0);
	json_decref(json);
	snprintf(fresh, sizeof(fresh), "%s.new", p->path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fdatasync(fd) < 0 ||
	    rename(fresh, p->path) < 0)
		r = err_set(e, ERR_SYS, "%s: %s", p->path, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (r < 0)
		return r;
	p->until_us = until_us;
	if (cursor != p->cursor)
		snprintf(p->cursor, sizeof(p->cursor), "%s", cursor);
	return 0;
}

/* ---- asking -------------------------------------------------------------------------------------- */

/* The form comes from the file, as strptime's do for `formats:`. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void time_text(const struct pull *p, int64_t at, char text[64])
{
	const char *format = p->h->pull_is.time_format;
	struct civil c = moment_civil(at);
	struct tm tm = {.tm_year = c.year - 1900, .tm_mon = c.month - 1, .tm_mday = c.day, .tm_hour = c.hour,
			.tm_min = c.minute, .tm_sec = c.second, .tm_gmtoff = 28800, .tm_zone = "CST"};

	if (strcmp(format, "unix") == 0)
		snprintf(text, 64, "%lld", (long long)(at / 1000000));
	else if (strcmp(format, "unixms") == 0)
		snprintf(text, 64, "%lld", (long long)(at / 1000));
	else if (!strftime(text, 64, format, &tm))
		*text = '\0';
}
#pragma GCC diagnostic pop

/* One request, its answer parsed. */
static int ask(struct pull *p, const struct http_target *target, const struct wire_value *values, size_t n,
	       json_t **ret, struct err *e)
{
	struct client_request request;
	struct client_answer answer;
	struct arena a = {0};
	int r;

	wire_request(target, values, n, &a, &request);
	r = client_do(p->client, &request, &answer, e);
	arena_done(&a);
	if (r < 0)
		return r;
	if (answer.status != 200)
		r = err_set(e, ERR_AGAIN, "the platform answers HTTP %ld", answer.status);
	else if (wire_parse(answer.body.s, answer.body.len, ret, e) < 0)
		r = err_set(e, ERR_AGAIN, "the platform's answer is neither JSON nor XML (%s)", e->code);
	str_done(&answer.body);
	return r;
}

static int ask_window(struct pull *p, const struct http_target *target, int64_t since, int64_t until, int64_t page,
		      json_t **ret, struct err *e)
{
	char from[64], to[64], number[24];
	struct wire_value values[] = {{"since", from}, {"until", to}, {"page", number}, {"cursor", p->cursor}};

	time_text(p, since, from);
	time_text(p, until, to);
	snprintf(number, sizeof(number), "%lld", (long long)page);
	return ask(p, target, values, ARRAY_LEN(values), ret, e);
}

/* ---- taking -------------------------------------------------------------------------------------- */

static void keys_free(struct key **list)
{
	struct key *next;

	for (struct key *k = *list; k; k = next) {
		next = k->next;
		free(k);
	}
	*list = NULL;
}

static void bad_row(struct pull *p, json_t *row, const char *why)
{
	CLEANUP(mem_freep) char *text = json_dumps(row, JSON_COMPACT | JSON_SORT_KEYS);

	/* The overlap brings it again and again; once is enough to know. */
	if (!text)
		return;
	p->refused++;
	figure_count(FIGURE_REFUSED);
	if (p->h->known && queue_put(p->h->known, text, "", 0, &(struct err){0}) != 0)
		return;
	if (p->h->known)
		queue_done(p->h->known, text, false);
	bridge_set_aside(p->h->bridge, "row", why, NULL, text, strlen(text));
}

/* `all`: also what the last time brought. */
static int take_row(struct pull *p, json_t *row, struct err *e)
{
	json_t *reports = json_array(), *report;
	struct err why = {0};
	size_t i;
	int r = 0;

	if (shape_row(p->h, row, reports, &why) < 0)
		bad_row(p, row, why.text);
	json_array_foreach(reports, i, report) {
		struct key *k = mem_alloc(sizeof(*k));

		k->next = p->keys;
		p->keys = k;
		hotline_key(report, k->key);
		if (map_get(&p->now, k->key))
			continue;
		map_put(&p->now, k->key, k);
		if (map_get(&p->before, k->key))
			continue;
		r = hotline_send_patiently(p->h, report, k->key, &p->stop, e);
		if (r < 0)
			break;
		pulse_beat(p->pulse);
	}
	json_decref(reports);
	return r < 0 ? r : 0;
}

static int take_page(struct pull *p, json_t *root, size_t *ret_rows, struct err *e)
{
	json_t *rows = wire_rows(root, p->h->pull_is.rows), *row;
	size_t i;
	int r = 0;

	*ret_rows = json_array_size(rows);
	json_array_foreach(rows, i, row) {
		r = take_row(p, row, e);
		if (r < 0)
			break;
	}
	json_decref(rows);
	return r;
}

/* True: every key of this time has its receipt. */
static bool all_receipted(struct pull *p)
{
	int64_t until = clock_mono_us() + receipts_us;

	for (struct key *k = p->keys; k; k = k->next)
		while (bridge_is_waiting(p->h->bridge, k->key)) {
			if (p->stop || clock_mono_us() > until)
				return false;
			pulse_beat(p->pulse);
			usleep(TICK_US);
		}
	return true;
}

static const char *text_at(json_t *root, const char *pointer, char text[CURSOR_MAX])
{
	json_t *value = pointer_get(root, pointer);

	if (json_is_integer(value))
		snprintf(text, CURSOR_MAX, "%lld", (long long)json_integer_value(value));
	else
		snprintf(text, CURSOR_MAX, "%s", json_is_string(value) ? json_string_value(value) : "");
	return text;
}

/* By the platform's own cursor: each answer is receipted before the next is asked for. */
static int by_cursor(struct pull *p, struct err *e)
{
	for (int64_t page = 1; page <= p->h->pull_is.pages && !p->stop; page++) {
		char next[CURSOR_MAX];
		json_t *root = NULL;
		size_t rows = 0;
		int r = ask_window(p, &p->h->pull_is.list, p->until_us, clock_now_us(), page, &root, e);

		if (r == 0)
			r = take_page(p, root, &rows, e);
		if (r == 0)
			text_at(root, p->h->pull_is.next, next);
		json_decref(root);
		if (r < 0)
			return r;
		if (!all_receipted(p))
			return err_set(e, ERR_AGAIN, "the gateway's receipts are missing; the same is asked again");
		if (!*next || strcmp(next, p->cursor) == 0)
			return 0;
		if ((r = cursor_write(p, clock_now_us(), next, e)) < 0)
			return r;
		if (!rows)
			return 0;
	}
	return 0;
}

static bool has_page(const struct http_target *t)
{
	return strstr(t->url, "{page}") || (t->body && strstr(t->body, "{page}"));
}

static int by_time(struct pull *p, struct err *e)
{
	const struct pull_settings *s = &p->h->pull_is;
	int64_t until = clock_now_us(), since = p->until_us - s->overlap_us;
	bool more = true;

	for (int64_t page = 1; more && !p->stop; page++) {
		json_t *root = NULL;
		size_t rows = 0, seen = p->now.n;
		int r;

		if (page > s->pages)
			return err_set(e, ERR_AGAIN, "more than %lld pages: let `pull.pages` be larger", (long long)s->pages);
		r = ask_window(p, &s->list, since, until, page, &root, e);
		if (r == 0)
			r = take_page(p, root, &rows, e);
		json_decref(root);
		if (r < 0)
			return r;
		/* A platform that does not know pages gives the same again and again. */
		more = rows && has_page(&s->list) && p->now.n > seen;
	}
	fault_point("pull-taken");
	if (!all_receipted(p))
		return err_set(e, ERR_AGAIN, "the gateway's receipts are missing; the same is asked again");
	return p->stop ? 0 : cursor_write(p, until, p->cursor, e);
}

static int pull_once(struct pull *p, struct err *e)
{
	int r = p->h->pull_is.next ? by_cursor(p, e) : by_time(p, e);

	if (r < 0) {
		/* What was sent waits in the outbox or is receipted: the next time it is only compared again. */
		map_done(&p->now);
		keys_free(&p->keys);
		return r;
	}
	map_done(&p->before);
	keys_free(&p->old_keys);
	p->before = p->now;
	p->old_keys = p->keys;
	p->now = (struct map){0};
	p->keys = NULL;
	return 0;
}

/* ---- is anything missing? ------------------------------------------------------------------------ */

/* Whatever number its report has (NUMBER#2), this number was seen to: it is not asked for every hour. */
static void note_number(struct pull *p, const char *id)
{
	struct err e;

	if (queue_put(p->h->known, id, "", 0, &e) == 0)
		queue_done(p->h->known, id, false);
}

static int fetch_missing(struct pull *p, const char *id, struct err *e)
{
	const struct wire_value values[] = {{"id", id}};
	json_t *root = NULL, *rows, *row;
	size_t i;
	int r = ask(p, &p->h->pull_is.fetch, values, 1, &root, e);

	if (r < 0)
		return r;
	rows = wire_rows(root, p->h->pull_is.fetch_rows);
	json_array_foreach(rows, i, row) {
		r = take_row(p, row, e);
		if (r < 0)
			break;
	}
	if (r == 0 && json_array_size(rows))
		note_number(p, id);
	json_decref(rows);
	json_decref(root);
	return r;
}

static int check(struct pull *p, struct err *e)
{
	const struct pull_settings *s = &p->h->pull_is;
	int64_t until = clock_now_us() - s->overlap_us, since = until - MOMENT_DAY_US;
	json_t *root = NULL, *list, *item;
	size_t i, missing = 0, n;
	int r = ask_window(p, &s->check, since, until, 1, &root, e);

	if (r < 0)
		return r;
	list = s->ids && *s->ids ? pointer_get(root, s->ids) : root;
	n = json_array_size(list);
	json_array_foreach(list, i, item) {
		char id[CURSOR_MAX];
		json_t *box = json_pack("[O]", item);

		text_at(s->id ? item : box, s->id ? s->id : "/0", id);
		json_decref(box);
		if (!*id || queue_knows(p->h->known, id))
			continue;
		missing++;
		log_warn("pull.missing", "ticket number %zu of the platform's list has no receipt; it is fetched", i + 1);
		r = fetch_missing(p, id, e);
		if (r < 0 || p->stop)
			break;
	}
	json_decref(root);
	map_done(&p->now);
	keys_free(&p->keys);
	if (r == 0)
		log_notice("pull.checked", "%zu numbers compared, %zu were missing", n, missing);
	return r;
}

/* ---- the thread ---------------------------------------------------------------------------------- */

static int64_t pause_us(const struct pull *p, unsigned failures)
{
	int64_t pause = p->h->pull_is.every_us << (failures < DOUBLINGS ? failures : DOUBLINGS);
	int64_t most = p->h->pull_is.every_us > BACKOFF_MAX_US ? p->h->pull_is.every_us : BACKOFF_MAX_US;

	pause = pause < most ? pause : most;
	/* Several offices must not ask in step. */
	return failures ? pause - pause / 8 + random() % (pause / 4 + 1) : pause;
}

static void *run(void *arg)
{
	struct pull *p = arg;
	int64_t next = 0, next_check = clock_mono_us() + p->h->pull_is.check_every_us;
	unsigned failures = 0;

	p->pulse = pulse_add("pull");
	while (!p->stop) {
		struct err e = {0};
		int r = 0;

		pulse_beat(p->pulse);
		if (clock_mono_us() >= next) {
			r = pull_once(p, &e);
			failures = r < 0 ? failures + 1 : 0;
			next = clock_mono_us() + pause_us(p, failures);
		} else if (p->h->known && clock_mono_us() >= next_check) {
			r = check(p, &e);
			next_check = clock_mono_us() + p->h->pull_is.check_every_us;
		}
		if (r < 0 && !p->stop && failures <= 1)
			log_warn("pull.failed", "%s", e.text);
		usleep(TICK_US);
	}
	pulse_end(p->pulse);
	return NULL;
}

int pull_start(struct hotline *h, struct err *e)
{
	struct pull *p = mem_alloc(sizeof(*p));

	p->h = h;
	p->client = client_new();
	snprintf(p->path, sizeof(p->path), "%s/pull.json", bridge_settings(h->bridge)->state);
	cursor_read(p);
	h->pull = p;
	if (pthread_create(&p->thread, NULL, run, p))
		return err_set(e, ERR_SYS, "pull: no thread");
	return 0;
}

void pull_stop(struct hotline *h)
{
	struct pull *p = h->pull;

	if (!p)
		return;
	p->stop = true;
	client_cancel(p->client);
	pthread_join(p->thread, NULL);
	client_free(p->client);
	map_done(&p->before);
	map_done(&p->now);
	keys_free(&p->keys);
	keys_free(&p->old_keys);
	free(TAKE(h->pull));
}
