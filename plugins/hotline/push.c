/*
 * The platform posts tickets to us. It is told "done" only behind the gateway's receipt; when none comes
 * in time it is told 202 and the ticket is safe in the outbox; when it then sends the same again, that
 * changes nothing. A body is taken whole or not at all.
 *
 * Threads: calls come on the server's, receipts on Paho's, the expiry runs in the main loop.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/str.h"
#include "bridge/figures.h"
#include "bridge/server.h"
#include "hotline.h"

enum { EXPIRY_MS = 100, SKEW_S = 300, ROWS_MAX = 1000, STATUS_DEAD = 422 };

/* A call that waits for receipts. */
struct waiting {
	struct server_call *call;
	size_t left;                    /* receipts to come */
	int64_t until_us;
	char *id, *case_number, *department, *result, *dead;    /* of the first row; dead: the first reason */
	struct waiting *next, **at;
};
/* Who waits for one key. */
struct waiter {
	struct waiting *waiting;
	struct waiter *next;
	char key[BRIDGE_KEY];
};
struct push {
	struct hotline *h;
	struct server *server;
	pthread_mutex_t lock;
	struct map by_key;              /* of struct waiter */
	struct waiting *all;
};

/* ---- answers ------------------------------------------------------------------------------------- */

static void answer(struct push *p, struct server_call *call, int status, const char *template,
		   const struct wire_value *values, size_t n)
{
	CLEANUP(str_done) struct str out = {0};

	wire_fill(template, strstr(p->h->push_is.type, "xml") ? WIRE_XML : strstr(p->h->push_is.type, "json") ? WIRE_JSON
		  : WIRE_PLAIN, values, n, &out);
	server_answer(call, status, p->h->push_is.type, out.s ? out.s : "", out.len);
}

static void refuse(struct push *p, struct server_call *call, int status, const char *id, const char *reason)
{
	const struct wire_value values[] = {{"id", id}, {"reason", reason}, {"case", ""}, {"result", "refused"}};

	figure_count(FIGURE_REFUSED);
	answer(p, call, status, p->h->push_is.refused, values, ARRAY_LEN(values));
}

static void finish(struct push *p, struct waiting *w)
{
	const struct wire_value values[] = {{"id", w->id}, {"case", w->case_number}, {"result", w->result},
					    {"department", w->department}, {"reason", w->dead}};

	if (w->dead)
		answer(p, w->call, STATUS_DEAD, p->h->push_is.refused, values, ARRAY_LEN(values));
	else if (w->left)
		answer(p, w->call, 202, p->h->push_is.later, values, ARRAY_LEN(values));
	else
		answer(p, w->call, 200, p->h->push_is.answer, values, ARRAY_LEN(values));
}

/* ---- who waits; locked --------------------------------------------------------------------------- */

static void waiting_free(struct waiting *w)
{
	*w->at = w->next;
	if (w->next)
		w->next->at = w->at;
	free(w->id);
	free(w->case_number);
	free(w->department);
	free(w->result);
	free(w->dead);
	free(w);
}

static struct waiting *waiting_new(struct push *p, struct server_call *call)
{
	struct waiting *w = mem_alloc(sizeof(*w));

	w->call = call;
	w->until_us = clock_mono_us() + p->h->push_is.wait_us;
	w->next = p->all;
	w->at = &p->all;
	if (w->next)
		w->next->at = &w->next;
	p->all = w;
	return w;
}

static void wait_for(struct push *p, struct waiting *w, const char *key)
{
	struct waiter *one = mem_alloc(sizeof(*one));

	one->waiting = w;
	memcpy(one->key, key, BRIDGE_KEY);
	one->next = map_take(&p->by_key, key);
	map_put(&p->by_key, one->key, one);
	w->left++;
}

/* Takes one call out of the lists of those who wait. */
static void forget(struct push *p, const struct waiting *w)
{
	for (size_t i = 0; i < p->by_key.cap; i++) {
		struct waiter *first = p->by_key.slots[i].key ? p->by_key.slots[i].value : NULL, *kept = NULL, *next;
		bool mine = false;

		for (struct waiter *one = first; one; one = one->next)
			mine |= one->waiting == w;
		if (!mine)
			continue;
		map_take(&p->by_key, first->key);
		for (struct waiter *one = first; one; one = next) {
			next = one->next;
			if (one->waiting == w) {
				free(one);
				continue;
			}
			one->next = kept;
			kept = one;
		}
		if (kept)
			map_put(&p->by_key, kept->key, kept);
		i = (size_t)-1;         /* the map has moved under us */
	}
}

static char *copy(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

void push_receipt(struct hotline *h, const struct bridge_receipt *r)
{
	struct push *p = h->push;
	struct waiter *one, *next;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	for (one = map_take(&p->by_key, r->key); one; one = next) {
		struct waiting *w = one->waiting;

		next = one->next;
		free(one);
		if (!w->result) {
			w->result = copy(r->result);
			w->case_number = copy(r->case_number);
			w->department = copy(r->department);
		}
		if (!w->dead && strcmp(r->result, "dead") == 0)
			w->dead = mem_strdup(r->reason ? r->reason : "the gateway cannot take it");
		if (--w->left == 0) {
			finish(p, w);
			waiting_free(w);
		}
	}
	pthread_mutex_unlock(&p->lock);
}

static void expire(void *arg)
{
	struct push *p = arg;
	int64_t now = clock_mono_us();
	struct waiting *next;

	pthread_mutex_lock(&p->lock);
	for (struct waiting *w = p->all; w; w = next) {
		next = w->next;
		if (w->until_us > now)
			continue;
		forget(p, w);
		finish(p, w);
		waiting_free(w);
	}
	pthread_mutex_unlock(&p->lock);
}

/* ---- may it? ------------------------------------------------------------------------------------- */

static bool fits(const char *given, const unsigned char mac[32])
{
	char hex[65], base64[64];

	str_hex(mac, 32, hex);
	EVP_EncodeBlock((unsigned char *)base64, mac, 32);
	if (strncasecmp(given, "sha256=", 7) == 0)
		given += 7;
	if (strlen(given) == 64) {
		char lower[65];

		for (int i = 0; i < 65; i++)
			lower[i] = given[i] >= 'A' && given[i] <= 'F' ? (char)(given[i] + 32) : given[i];
		return secret_equal(lower, 64, hex, 64);
	}
	return secret_equal(given, strlen(given), base64, strlen(base64));
}

static bool is_signed(const struct push_settings *s, const struct server_call *call)
{
	CLEANUP(str_done) struct str text = {.max = SIZE_MAX / 2};
	const char *given = server_header(call, s->signature_header), *stamp, *body;
	unsigned char mac[EVP_MAX_MD_SIZE];
	size_t len;
	int64_t at;

	if (!given)
		return false;
	if (s->timestamp_header) {
		stamp = server_header(call, s->timestamp_header);
		if (!stamp || !str_to_int(stamp, 0, INT64_C(1) << 40, &at) ||
		    llabs(clock_now_us() / 1000000 - at) > SKEW_S)
			return false;
		str_addf(&text, "%s\n", stamp);
	}
	body = server_body(call, &len);
	str_addn(&text, body, len);
	if (!HMAC(EVP_sha256(), s->hmac, (int)strlen(s->hmac), (const unsigned char *)text.s, text.len, mac, NULL))
		mem_die("hmac");
	return fits(given, mac);
}

static bool may_post(const struct push_settings *s, const struct server_call *call)
{
	const char *given;

	if (s->hmac && !is_signed(s, call))
		return false;
	if (!s->key)
		return s->hmac;
	given = server_header(call, s->key_header);
	return given && secret_equal(given, strlen(given), s->key, strlen(s->key));
}

/* ---- a call -------------------------------------------------------------------------------------- */

/* All rows to reports, or none. */
static bool shape_all(struct push *p, struct server_call *call, json_t *rows, json_t *reports)
{
	struct err e = {0};
	json_t *row;
	size_t i;

	if (!json_array_size(rows) || json_array_size(rows) > ROWS_MAX) {
		refuse(p, call, 400, "", json_array_size(rows) ? "too many tickets at once" : "there is no ticket in it");
		return false;
	}
	json_array_foreach(rows, i, row) {
		if (shape_row(p->h, row, reports, &e) == 0)
			continue;
		if (json_array_size(rows) > 1)
			err_prefix(&e, "ticket %zu of %zu", i + 1, json_array_size(rows));
		refuse(p, call, 400, "", e.text);
		return false;
	}
	return true;
}

/* Locked, so that a receipt waits until its key is known here. */
static int send_all(struct push *p, json_t *reports, struct waiting *w, struct err *e)
{
	json_t *report;
	size_t i;
	int r = 0;

	json_array_foreach(reports, i, report) {
		char key[BRIDGE_KEY];

		if (!w->id)
			w->id = copy(json_string_value(json_object_get(report, "id")));
		r = hotline_send(p->h, report, key, e);
		if (r < 0)
			return r;
		wait_for(p, w, key);
	}
	return bridge_commit(p->h->bridge, e);
}

static void take(struct push *p, struct server_call *call, json_t *reports)
{
	struct err e = {0};
	struct waiting *w;
	int r;

	pthread_mutex_lock(&p->lock);
	w = waiting_new(p, call);
	r = send_all(p, reports, w, &e);
	if (r < 0) {
		forget(p, w);
		refuse(p, call, r == ERR_BAD ? 413 : 503, w->id, e.text);
		waiting_free(w);
	} else if (!w->left) {
		finish(p, w);
		waiting_free(w);
	}
	pthread_mutex_unlock(&p->lock);
	fault_point("push-taken");
}

static void on_call(void *arg, struct server_call *call)
{
	struct push *p = arg;
	const struct push_settings *s = &p->h->push_is;
	json_t *root = NULL, *rows, *reports;
	struct err e = {0};
	const char *body;
	size_t len;

	if (strcmp(server_path(call), s->path) != 0) {
		refuse(p, call, 404, "", "nothing is taken at this path");
		return;
	}
	if (!may_post(s, call)) {
		refuse(p, call, 401, "", "the key or the signature is wrong");
		return;
	}
	if (strcmp(server_method(call), "POST") != 0) {
		refuse(p, call, 405, "", "tickets are posted");
		return;
	}
	body = server_body(call, &len);
	if (wire_parse(body, len, &root, &e) < 0) {
		refuse(p, call, 400, "", e.text);
		return;
	}
	rows = wire_rows(root, s->rows);
	reports = json_array();
	if (shape_all(p, call, rows, reports))
		take(p, call, reports);
	json_decref(reports);
	json_decref(rows);
	json_decref(root);
}

static void on_refused(void *arg, struct server_call *call, int status, const char *why)
{
	refuse(arg, call, status, "", why);
}

int push_start(struct hotline *h, struct loop *loop, struct err *e)
{
	const struct push_settings *s = &h->push_is;
	struct server_options options = {.address = s->address, .port = s->port, .body_max = (size_t)s->size,
					 .rate = s->rate, .burst = s->burst, .refuse = on_refused};
	struct push *p = mem_alloc(sizeof(*p));
	int r;

	p->h = h;
	pthread_mutex_init(&p->lock, NULL);
	h->push = p;
	r = server_open(&options, on_call, p, &p->server, e);
	if (r < 0)
		return r;
	loop_every(loop, EXPIRY_MS, expire, p);
	log_notice("push.open", "tickets are taken at %s port %d, path %s", s->address, server_port(p->server), s->path);
	return 0;
}

/* The struct stays: receipts may come until the bridge has stopped. */
void push_stop(struct hotline *h)
{
	if (!h->push)
		return;
	pthread_mutex_lock(&h->push->lock);
	while (h->push->all) {
		struct waiting *w = h->push->all;

		forget(h->push, w);
		finish(h->push, w);
		waiting_free(w);
	}
	pthread_mutex_unlock(&h->push->lock);
	server_close(h->push->server);
}
