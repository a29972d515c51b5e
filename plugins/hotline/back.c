/*
 * Replies, back to the platform over HTTP or as lines of a CSV file, each once by its id (case, step, kind)
 * and tried for days. A kill between the platform's answer and our record of it is the one instant in
 * which it could be told twice: so the id goes along ({id}, and the header Idempotency-Key), and in the
 * file it is looked for first.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/pulse.h"
#include "base/str.h"
#include "bridge/client.h"
#include "core/time/moment.h"
#include "core/understand/message.h"
#include "hotline.h"
#include "table/rejected.h"

enum { SECOND_US = 1000000, VALUES = 9, LOOK_BACK = 4 << 20 };

struct back {
	struct hotline *h;
	struct client *client;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool work;
	_Atomic bool stop;
};

static const char *code_of(const struct back_settings *s, const char *kind)
{
	const struct node *code = node_get(s->kinds, kind);

	return code && code->text ? code->text : kind;
}

struct reply_values {
	struct wire_value v[VALUES];
	char time[MOMENT_TEXT], date[16];
};

static void values_of(const struct back_settings *s, const struct bridge_reply *r, struct reply_values *ret)
{
	struct civil c = moment_civil(r->item.put_us);

	moment_human(r->item.put_us, false, ret->time);
	snprintf(ret->date, sizeof(ret->date), "%04d-%02d-%02d", c.year, c.month, c.day);
	ret->v[0] = (struct wire_value){"id", r->id};
	ret->v[1] = (struct wire_value){"number", r->about};
	ret->v[2] = (struct wire_value){"case", r->case_number};
	ret->v[3] = (struct wire_value){"kind", r->kind};
	ret->v[4] = (struct wire_value){"code", code_of(s, r->kind)};
	ret->v[5] = (struct wire_value){"text", r->text};
	ret->v[6] = (struct wire_value){"time", ret->time};
	ret->v[7] = (struct wire_value){"date", ret->date};
	ret->v[8] = (struct wire_value){"to", json_string_value(r->to)};
}

/* ---- over HTTP ----------------------------------------------------------------------------------- */

static bool says_yes(const struct back_settings *s, const struct client_answer *answer)
{
	json_t *root = NULL, *value;
	struct err e;
	bool yes = false;

	if (!s->ok)
		return true;
	if (wire_parse(answer->body.s, answer->body.len, &root, &e) < 0)
		return false;
	value = pointer_get(root, s->ok);
	if (json_is_boolean(value))
		yes = strcmp(s->ok_value, json_is_true(value) ? "true" : "false") == 0;
	else if (json_is_integer(value))
		yes = (long long)json_integer_value(value) == strtoll(s->ok_value, NULL, 10);
	else
		yes = json_is_string(value) && strcmp(json_string_value(value), s->ok_value) == 0;
	json_decref(root);
	return yes;
}

static void over_http(struct back *b, struct bridge_reply *r)
{
	const struct back_settings *s = &b->h->back_is;
	struct client_request request;
	struct client_answer answer;
	struct reply_values values;
	struct http_target target = s->target;
	struct arena a = {0};
	struct err e = {0};
	char why[100];

	values_of(s, r, &values);
	if (target.n_headers < HEADERS)
		target.headers[target.n_headers++] = "Idempotency-Key: {id}";
	wire_request(&target, values.v, VALUES, &a, &request);
	if (client_do(b->client, &request, &answer, &e) < 0) {
		bridge_reply_later(b->h->bridge, r, "http", e.text);
	} else {
		fault_point("back-told");
		if (answer.status / 100 == 2 && says_yes(s, &answer)) {
			bridge_reply_done(b->h->bridge, r, true, "http", NULL);
		} else {
			snprintf(why, sizeof(why), answer.status / 100 == 2 ? "the platform says no (HTTP %ld)"
				 : "the platform answers HTTP %ld", answer.status);
			bridge_reply_later(b->h->bridge, r, "http", why);
		}
		str_done(&answer.body);
	}
	arena_done(&a);
}

/* ---- into a file --------------------------------------------------------------------------------- */

/* Does the end of the file hold the id already? Only asked of what a former life left. */
static bool file_has(int fd, const char *id)
{
	CLEANUP(mem_freep) char *text = NULL;
	CLEANUP(str_done) struct str cell = {0};
	off_t size = lseek(fd, 0, SEEK_END), from = size > LOOK_BACK ? size - LOOK_BACK : 0;
	ssize_t n;

	if (size <= 0)
		return false;
	text = mem_alloc((size_t)(size - from) + 1);
	n = pread(fd, text, (size_t)(size - from), from);
	csv_cell_add(&cell, id, true);
	return n > 0 && memmem(text, (size_t)n, cell.s, cell.len);
}

/* A kill may have left half a line: it is cut off, its reply comes again. */
static void mend_end(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char c = '\n';

	while (size > 0 && pread(fd, &c, 1, size - 1) == 1 && c != '\n')
		size--;
	if (ftruncate(fd, size) < 0)
		log_warn("back.file", "the end of the file cannot be mended: %s", strerror(errno));
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int add_line(const struct back_settings *s, const char *path, const struct bridge_reply *r,
		    const struct reply_values *values, struct err *e)
{
	CLEANUP(close_fd) int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	CLEANUP(str_done) struct str line = {0};
	const char *cells[] = {r->about, r->case_number, r->kind, code_of(s, r->kind), r->text, values->time, r->id};

	if (fd < 0)
		return err_set(e, ERR_AGAIN, "%s: %s", path, strerror(errno));
	if (r->item.found && r->item.tries == 0)
		mend_end(fd);
	if (r->item.found && file_has(fd, r->id))
		return 0;
	if (lseek(fd, 0, SEEK_END) == 0)
		str_add(&line, "\xef\xbb\xbf\"工单编号\",\"事项编号\",\"步骤\",\"代码\",\"内容\",\"时间\",\"回执号\"\r\n");
	for (size_t i = 0; i < ARRAY_LEN(cells); i++)
		csv_cell_add(&line, cells[i], i == 0);
	str_add(&line, "\r\n");
	if (write(fd, line.s, line.len) != (ssize_t)line.len || fdatasync(fd) < 0)
		return err_set(e, ERR_AGAIN, "%s: %s", path, strerror(errno));
	return 0;
}

static void into_file(struct back *b, struct bridge_reply *r)
{
	const struct back_settings *s = &b->h->back_is;
	CLEANUP(str_done) struct str path = {0};
	struct reply_values values;
	struct err e = {0};

	values_of(s, r, &values);
	wire_fill(s->file, WIRE_PLAIN, values.v, VALUES, &path);
	if (add_line(s, path.s, r, &values, &e) < 0) {
		bridge_reply_later(b->h->bridge, r, "file", e.text);
		return;
	}
	fault_point("back-told");
	bridge_reply_done(b->h->bridge, r, true, "file", NULL);
}

/* ---- the thread ---------------------------------------------------------------------------------- */

static void handle(struct back *b, struct bridge_reply *r)
{
	const struct back_settings *s = &b->h->back_is;

	if ((!s->target.url && !s->file) || (s->kinds && !node_get(s->kinds, r->kind)))
		bridge_reply_drop(b->h->bridge, r);
	else if (s->target.url)
		over_http(b, r);
	else
		into_file(b, r);
}

static void wait_for_work(struct back *b)
{
	struct timespec until;
	int64_t pause = bridge_reply_next_due(b->h->bridge) - clock_mono_us();

	pause = pause > SECOND_US ? SECOND_US : pause > 0 ? pause : 0;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += pause % SECOND_US * 1000;
	until.tv_sec += pause / SECOND_US + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&b->lock);
	if (!b->work && pause)
		pthread_cond_timedwait(&b->changed, &b->lock, &until);
	b->work = false;
	pthread_mutex_unlock(&b->lock);
}

static void *run(void *arg)
{
	struct back *b = arg;
	struct pulse *pulse = pulse_add("back");

	while (!b->stop) {
		struct bridge_reply r;
		struct err e = {0};
		int rc;

		pulse_beat(pulse);
		rc = bridge_reply_take(b->h->bridge, &r, &e);
		if (rc == 0)
			handle(b, &r);
		else if (rc < 0)
			log_error("back.read", "%s", e.text);
		if (rc != 0)
			wait_for_work(b);
	}
	pulse_end(pulse);
	return NULL;
}

int back_start(struct hotline *h, struct err *e)
{
	struct back *b = mem_alloc(sizeof(*b));

	b->h = h;
	b->client = client_new();
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->changed, NULL);
	h->back = b;
	if (pthread_create(&b->thread, NULL, run, b))
		return err_set(e, ERR_SYS, "back: no thread");
	return 0;
}

void back_wake(struct hotline *h)
{
	struct back *b = h->back;

	if (!b)
		return;
	pthread_mutex_lock(&b->lock);
	b->work = true;
	pthread_cond_signal(&b->changed);
	pthread_mutex_unlock(&b->lock);
}

/* The struct stays: replies may come until the bridge has stopped. */
void back_stop(struct hotline *h)
{
	if (!h->back)
		return;
	h->back->stop = true;
	client_cancel(h->back->client);
	back_wake(h);
	pthread_join(h->back->thread, NULL);
	client_free(TAKE(h->back->client));
}
