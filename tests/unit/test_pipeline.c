/* A pipeline of statements against a server that is played here: it answers as PostgreSQL does, when it is asked to sync. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <libpq-fe.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/pg.h"

enum { LARGE = 8 << 20, STUCK_S = 30 };

/* ---- a server --------------------------------------------------------------------------------- */
struct server {
	char folder[64];
	int listens, fd;
	pthread_t thread;
	unsigned char answer[1024];     /* is sent with the next sync */
	size_t n_answer;
	bool talks;                     /* sends LARGE bytes when the first statement comes, and reads nothing meanwhile */
	bool ends;                      /* shuts down when it is asked to sync */
	_Atomic int statements;
};

static bool take(int fd, void *p, size_t n)
{
	return n == 0 || recv(fd, p, n, MSG_WAITALL) == (ssize_t)n;
}

static void give(int fd, const void *p, size_t n)
{
	for (ssize_t done; n; p = (const char *)p + done, n -= (size_t)done)
		if ((done = send(fd, p, n, MSG_NOSIGNAL)) <= 0)
			return;
}

static void say(struct server *s, char type, const void *body, size_t n)
{
	uint32_t length = htonl((uint32_t)n + 4);

	assert_true(s->n_answer + n + 5 <= sizeof(s->answer));
	s->answer[s->n_answer++] = (unsigned char)type;
	memcpy(s->answer + s->n_answer, &length, 4);
	memcpy(s->answer + s->n_answer + 4, body, n);
	s->n_answer += n + 4;
}

static void send_answer(struct server *s, bool ends)
{
	static const char fatal[] = "SFATAL\0VFATAL\0C57P01\0Mterminating connection\0";

	if (ends)
		say(s, 'E', fatal, sizeof(fatal));
	else
		say(s, 'Z', "I", 1);
	give(s->fd, s->answer, s->n_answer);
	s->n_answer = 0;
	if (ends)
		shutdown(s->fd, SHUT_RDWR);
}

/* A notice, which may come at any time. */
static void talk(struct server *s)
{
	char *notice = mem_alloc(LARGE);
	uint32_t length = htonl(LARGE - 1);

	memset(notice, 'x', LARGE - 2);
	notice[0] = 'N';
	memcpy(notice + 1, &length, 4);
	notice[5] = 'M';
	give(s->fd, notice, LARGE);
	free(notice);
}

static void answer(struct server *s, char type)
{
	if (type == 'P')
		say(s, '1', "", 0);
	if (type == 'B')
		say(s, '2', "", 0);
	if (type == 'D')
		say(s, 'n', "", 0);
	if (type == 'E')
		say(s, 'C', "SELECT 0", 9);
	if (type == 'S')
		send_answer(s, s->ends);
	if (type == 'E' && atomic_fetch_add(&s->statements, 1) == 0 && s->talks)
		talk(s);
}

static void *serve(void *arg)
{
	struct server *s = arg;
	uint32_t length;
	char type, *body;

	s->fd = accept(s->listens, NULL, NULL);
	if (take(s->fd, &length, 4)) {
		body = mem_alloc(ntohl(length));
		take(s->fd, body, ntohl(length) - 4);
		free(body);
		say(s, 'R', (char[4]){0}, 4);
		send_answer(s, false);
	}
	while (take(s->fd, &type, 1) && take(s->fd, &length, 4)) {
		body = mem_alloc(ntohl(length));
		if (take(s->fd, body, ntohl(length) - 4))
			answer(s, type);
		free(body);
	}
	close(s->fd);
	return NULL;
}

static struct pg *connect_to(struct server *s)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char dsn[128];
	struct pg *pg;
	struct err e;

	alarm(STUCK_S);
	snprintf(s->folder, sizeof(s->folder), "/tmp/needle-pipeline-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/.s.PGSQL.5432", s->folder);
	s->listens = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listens, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(s->listens, 1), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	snprintf(dsn, sizeof(dsn), "host=%s port=5432 user=x dbname=x", s->folder);
	assert_int_equal(pg_open(dsn, "test", &pg, &e), 0);
	unlink(at.sun_path);
	rmdir(s->folder);
	return pg;
}

static void leave(struct server *s, struct pg *pg)
{
	pg_close(pg);
	pthread_join(s->thread, NULL);
	close(s->listens);
	alarm(0);
}

/* ---- a libpq that has no memory ---------------------------------------------------------------- */
static int refused;             /* which statement from here on cannot be sent; 0: none */

int PQsendQueryPrepared(PGconn *c, const char *name, int n, const char *const *v, const int *len, const int *fmt, int result)
{
	static __typeof__(&PQsendQueryPrepared) real;

	if (!real)
		real = (__typeof__(&PQsendQueryPrepared))dlsym(RTLD_NEXT, "PQsendQueryPrepared");
	if (refused && --refused == 0)
		return 0;
	return real(c, name, n, v, len, fmt, result);
}

/* ---- the tests --------------------------------------------------------------------------------- */
static const struct query first = {"first", "SELECT 1"}, second = {"second", "SELECT $1"};

static int run(struct pg *pg, const void *bytes, size_t n, struct err *e)
{
	struct pg_args args = {0};

	pg_pipe_begin(pg);
	pg_pipe(pg, &first, &args, NULL);
	pg_bytes(&args, bytes, n);
	pg_pipe(pg, &second, &args, NULL);
	return pg_pipe_end(pg, e);
}

static void a_server_that_answers_before_all_was_asked_is_heard(void **state)
{
	struct server s = {.talks = true};
	struct pg *pg = connect_to(&s);
	char *bytes = mem_alloc(LARGE);
	struct err e;

	(void)state;
	assert_int_equal(run(pg, bytes, LARGE, &e), 0);
	assert_int_equal(s.statements, 2);
	assert_int_equal(run(pg, bytes, LARGE, &e), 0);
	assert_int_equal(s.statements, 4);
	free(bytes);
	leave(&s, pg);
}

static void a_pipeline_of_which_a_part_cannot_be_sent_is_not_waited_for(void **state)
{
	struct server s = {0};
	struct pg *pg = connect_to(&s);
	struct err e;

	(void)state;
	refused = 2;
	assert_int_equal(run(pg, "x", 1, &e), ERR_AGAIN);
	assert_false(pg_is_alive(pg));
	leave(&s, pg);
}

static void a_server_that_shuts_down_after_the_last_statement_has_done_it_and_is_left(void **state)
{
	struct server s = {.ends = true};
	struct pg_args none = {0};
	struct pg *pg = connect_to(&s);
	struct err e;

	(void)state;
	assert_int_equal(run(pg, "x", 1, &e), 0);
	assert_false(pg_is_alive(pg));
	assert_int_equal(pg_run(pg, &first, &none, NULL, &e), ERR_AGAIN);
	assert_string_equal(e.text, "first: database: the server ended the session");
	assert_int_equal(run(pg, "x", 1, &e), ERR_AGAIN);
	assert_false(pg_is_alive(pg));
	leave(&s, pg);
}

static bool called(void *arg)
{
	int *left = arg;

	return --*left > 0;
}

static void other_work_is_done_while_the_server_works_and_only_then(void **state)
{
	struct server s = {.talks = true};
	struct pg *pg = connect_to(&s);
	char *bytes = mem_alloc(LARGE);
	int left = 3;
	struct err e;

	(void)state;
	pg_meanwhile(pg, called, &left);
	assert_int_equal(run(pg, bytes, LARGE, &e), 0);
	assert_int_equal(left, 0);      /* it had enough, and was not asked again */
	pg_meanwhile(pg, NULL, NULL);
	assert_int_equal(run(pg, bytes, LARGE, &e), 0);
	assert_int_equal(left, 0);
	free(bytes);
	leave(&s, pg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_that_answers_before_all_was_asked_is_heard),
		cmocka_unit_test(a_pipeline_of_which_a_part_cannot_be_sent_is_not_waited_for),
		cmocka_unit_test(a_server_that_shuts_down_after_the_last_statement_has_done_it_and_is_left),
		cmocka_unit_test(other_work_is_done_while_the_server_works_and_only_then),
	};

	cmocka_set_test_filter(getenv("CMOCKA_FILTER"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
