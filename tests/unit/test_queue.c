/* The durable queue of a bridge: what was taken is there after any kill, once. */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "bridge/queue.h"

static char folder[64];

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/needle-queue-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int gone(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(folder, gone, 16, FTW_DEPTH | FTW_PHYS);
}

static struct queue *opened(size_t remember)
{
	struct queue_options options = {.folder = folder, .name = "q", .remember = remember};
	struct queue *q = NULL;
	struct err e = {0};

	if (queue_open(&options, &q, &e) != 0)
		fail_msg("%s", e.text);
	return q;
}

static int put(struct queue *q, const char *key, const char *payload)
{
	struct err e = {0};
	int r = queue_put(q, key, payload, strlen(payload), &e);

	assert_true(r >= 0);
	return r;
}

/* The payload that is due now, or "" for none; it stays taken until `until`. */
static const char *take(struct queue *q, int64_t now, int64_t until)
{
	static char text[100];
	struct queue_item item;
	struct err e = {0};
	int r = queue_take(q, now, until, &item, &e);

	assert_true(r >= 0);
	snprintf(text, sizeof(text), "%s", r ? "" : item.payload);
	if (!r)
		queue_item_done(&item);
	return text;
}

static void what_was_put_is_there_after_opening_again(void **state)
{
	struct queue *q = opened(0);

	(void)state;
	assert_int_equal(put(q, "a", "alpha"), 0);
	assert_int_equal(put(q, "b", "beta"), 0);
	assert_int_equal(put(q, "a", "again"), QUEUE_KNOWN);
	assert_true(queue_done(q, "b", false));
	assert_false(queue_done(q, "b", false));
	queue_close(q);
	q = opened(0);
	assert_string_equal(take(q, 1, 100), "alpha");
	assert_string_equal(take(q, 1, 100), "");
	queue_close(q);
}

static void an_entry_comes_again_when_its_time_is_over(void **state)
{
	struct queue *q = opened(0);

	(void)state;
	put(q, "a", "alpha");
	put(q, "b", "beta");
	assert_string_equal(take(q, 1, 50), "alpha");
	assert_string_equal(take(q, 1, 90), "beta");
	assert_int_equal(queue_taken(q), 2);
	assert_int_equal(queue_next_due(q), 50);
	queue_expire(q, 60);
	assert_int_equal(queue_taken(q), 1);
	assert_string_equal(take(q, 60, 70), "alpha");
	queue_later(q, "b", 61);
	assert_string_equal(take(q, 61, 99), "beta");
	queue_all_due(q);
	assert_int_equal(queue_taken(q), 0);
	assert_string_equal(take(q, 1, 2), "alpha");
	queue_close(q);
}

static void a_key_that_is_done_is_known_until_as_many_newer_are(void **state)
{
	struct queue *q = opened(3);
	char key[20];

	(void)state;
	for (int i = 0; i < 5; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(put(q, key, "x"), 0);
		queue_done(q, key, true);
	}
	queue_close(q);
	q = opened(3);
	assert_int_equal(put(q, "k4", "x"), QUEUE_KNOWN);
	assert_int_equal(put(q, "k2", "x"), QUEUE_KNOWN);
	assert_int_equal(put(q, "k1", "x"), 0);
	queue_close(q);
}

static void a_mark_is_known_after_a_kill_and_never_due(void **state)
{
	static const char *const keys[] = {"used", "whole"};
	int status = 0;
	pid_t pid = fork();
	struct queue *q;

	(void)state;
	if (!pid) {
		struct err e;

		_exit(queue_mark(opened(3), keys, 2, &e) == 0 ? 0 : 1);  /* without closing: as a kill leaves it */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	q = opened(3);
	assert_true(queue_knows(q, "used") && queue_knows(q, "whole"));
	assert_false(queue_knows(q, "other"));
	assert_int_equal(put(q, "used", "x"), QUEUE_KNOWN);
	assert_string_equal(take(q, 1, 2), "");
	queue_close(q);
}

static void settled_is_not_forgotten(void **state)
{
	struct queue *q = opened(10);
	struct queue_item item;
	struct err e = {0};

	(void)state;
	put(q, "r", "reply");
	assert_int_equal(queue_settle(q, "r", "1 http", &e), 0);
	queue_close(q);
	q = opened(10);
	assert_int_equal(queue_take(q, 1, 2, &item, &e), 0);
	assert_string_equal(item.settled, "1 http");
	assert_true(item.found);
	queue_item_done(&item);
	queue_close(q);
}

static void half_a_record_at_the_end_is_cut_off(void **state)
{
	char path[100];
	struct queue *q = opened(0);
	struct stat st;

	(void)state;
	put(q, "a", "alpha");
	put(q, "b", "beta");
	queue_close(q);
	snprintf(path, sizeof(path), "%s/q", folder);
	assert_int_equal(stat(path, &st), 0);
	/* Every length that a kill may leave of the last record. */
	for (off_t cut = 1; cut < 37; cut++) {
		assert_int_equal(truncate(path, st.st_size - cut), 0);
		q = opened(0);
		assert_string_equal(take(q, 1, 2), "alpha");
		assert_string_equal(take(q, 1, 2), "");
		assert_int_equal(put(q, "b", "beta"), 0);
		queue_close(q);
		q = opened(0);
		assert_string_equal(take(q, 1, 5), "alpha");
		assert_string_equal(take(q, 1, 5), "beta");
		queue_close(q);
	}
}

static void another_file_is_refused(void **state)
{
	struct queue_options options = {.folder = folder, .name = "q"};
	struct queue *q = NULL;
	struct err e = {0};
	char path[100];
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/q", folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("this is a letter to somebody else", f);
	fclose(f);
	assert_int_equal(queue_open(&options, &q, &e), ERR_BAD);
}

static void the_file_does_not_grow_for_ever(void **state)
{
	struct queue *q = opened(10);
	char path[100], payload[2000];
	struct stat st;

	(void)state;
	memset(payload, 'x', sizeof(payload) - 1);
	payload[sizeof(payload) - 1] = '\0';
	put(q, "stays", "here");
	for (int i = 0; i < 20000; i++) {
		char key[20];

		snprintf(key, sizeof(key), "k%d", i);
		put(q, key, payload);
		queue_done(q, key, false);
	}
	snprintf(path, sizeof(path), "%s/q", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 10 << 20);
	queue_close(q);
	q = opened(10);
	assert_string_equal(take(q, 1, 2), "here");
	assert_int_equal(put(q, "k19999", "x"), QUEUE_KNOWN);
	queue_close(q);
}

/* The child says each key over the pipe after it was put; then it is killed somewhere. */
static _Noreturn void child(int out)
{
	struct queue *q = opened(1000);

	for (uint32_t i = 0;; i++) {
		char key[20], payload[400];

		snprintf(key, sizeof(key), "k%u", i);
		snprintf(payload, sizeof(payload), "%0*u", (int)(i % 300) + 10, i);
		put(q, key, payload);
		if (i % 3 == 0)
			queue_done(q, key, i % 2);
		if (write(out, &i, sizeof(i)) != sizeof(i))
			_exit(1);
	}
}

static void nothing_is_lost_to_kills(void **state)
{
	(void)state;
	for (int round = 0; round < 40; round++) {
		int fds[2];
		uint32_t last = 0, n = 0, i;
		pid_t pid;
		struct queue *q;
		char path[100];

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		if (!pid)
			child(fds[1]);
		close(fds[1]);
		usleep((useconds_t)(round * 700));
		kill(pid, SIGKILL);
		while (read(fds[0], &i, sizeof(i)) == sizeof(i)) {
			last = i;
			n++;
		}
		close(fds[0]);
		waitpid(pid, NULL, 0);
		q = opened(1000);
		for (i = 0; n && i <= last; i++) {
			char key[20];

			snprintf(key, sizeof(key), "k%u", i);
			if (i % 3)
				assert_true(queue_has(q, key));
		}
		queue_close(q);
		snprintf(path, sizeof(path), "%s/q", folder);
		unlink(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_put_is_there_after_opening_again, setup, teardown),
		cmocka_unit_test_setup_teardown(an_entry_comes_again_when_its_time_is_over, setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_that_is_done_is_known_until_as_many_newer_are, setup, teardown),
		cmocka_unit_test_setup_teardown(a_mark_is_known_after_a_kill_and_never_due, setup, teardown),
		cmocka_unit_test_setup_teardown(settled_is_not_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(half_a_record_at_the_end_is_cut_off, setup, teardown),
		cmocka_unit_test_setup_teardown(another_file_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(the_file_does_not_grow_for_ever, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_lost_to_kills, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
