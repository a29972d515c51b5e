/*
 * The buffers between Paho and its sockets, on a real TCP connection: nothing is lost, doubled or out of order,
 * and nothing waits that could go.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "link/paho/sockets.h"

enum { MUCH = 1 << 20, PATIENCE_MS = 10000 };

struct pair {
	int ours, theirs;
};

static void pair_open(struct pair *p)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	p->ours = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(paho_connect(p->ours, (struct sockaddr *)&at, len), 0);
	assert_int_equal(fcntl(p->ours, F_SETFL, O_NONBLOCK), 0);
	p->theirs = accept(listener, NULL, NULL);
	assert_true(p->theirs >= 0);
	close(listener);
}

static void pair_close(struct pair *p)
{
	paho_close(p->ours);
	close(p->theirs);
}

static unsigned char byte_at(size_t i)
{
	return (unsigned char)(i * 2654435761u >> 13);
}

static int poll_in(int fd, int ms)
{
	struct pollfd one = {.fd = fd, .events = POLLIN};

	return paho_poll(&one, 1, ms);
}

static void send_bytes(int fd, size_t from, size_t n)
{
	unsigned char some[4096];

	while (n) {
		size_t part = n < sizeof(some) ? n : sizeof(some);

		for (size_t i = 0; i < part; i++)
			some[i] = byte_at(from + i);
		assert_int_equal(write(fd, some, part), (ssize_t)part);
		from += part;
		n -= part;
	}
}

static ssize_t put(int fd, size_t from, size_t n)
{
	unsigned char *bytes = malloc(n ? n : 1);
	struct iovec parts[3] = {{.iov_base = bytes, .iov_len = n / 2}, {0}, {.iov_base = bytes + n / 2, .iov_len = n - n / 2}};
	ssize_t done;

	for (size_t i = 0; i < n; i++)
		bytes[i] = byte_at(from + i);
	done = paho_writev(fd, parts, 3);
	free(bytes);
	return done;
}

static void what_comes_is_read_whole_and_in_order_by_reads_of_any_size(void **state)
{
	static const size_t sizes[] = {1, 1, 3, 100, 5000, 1, 16384, 20000, 7};
	static unsigned char got[32768];
	size_t at = 0, sent = 0, total = 500000, turn = 0;
	struct pair p;

	(void)state;
	pair_open(&p);
	while (at < total) {
		size_t want = sizes[turn++ % (sizeof(sizes) / sizeof(*sizes))];
		ssize_t n;

		if (sent < total && sent - at < 60000) {
			send_bytes(p.theirs, sent, 10000);
			sent += 10000;
		}
		assert_int_equal(poll_in(p.ours, PATIENCE_MS), 1);
		n = paho_recv(p.ours, got, want, 0);
		assert_true(n > 0);
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(got[i], byte_at(at + (size_t)i));
		at += (size_t)n;
	}
	assert_int_equal(paho_recv(p.ours, got, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
	close(p.theirs);
	assert_int_equal(poll_in(p.ours, PATIENCE_MS), 1);
	assert_int_equal(paho_recv(p.ours, got, 1, 0), 0);
	paho_close(p.ours);
}

static void poll_is_ready_as_long_as_something_is_left_and_waits_when_not(void **state)
{
	struct pollfd both = {.events = POLLIN | POLLOUT};
	unsigned char c;
	struct pair p;
	int64_t before;

	(void)state;
	pair_open(&p);
	send_bytes(p.theirs, 0, 3);
	assert_int_equal(poll_in(p.ours, PATIENCE_MS), 1);
	for (int i = 0; i < 3; i++) {
		both.fd = p.ours;
		assert_int_equal(paho_poll(&both, 1, PATIENCE_MS), 1);
		assert_int_equal(both.revents, POLLIN | POLLOUT);
		assert_int_equal(paho_recv(p.ours, &c, 1, 0), 1);
		assert_int_equal(c, byte_at((size_t)i));
	}
	before = clock_mono_us();
	assert_int_equal(poll_in(p.ours, 30), 0);
	assert_true(clock_mono_us() - before >= 30000);
	pair_close(&p);
}

static void what_is_written_leaves_together_when_the_thread_is_about_to_sleep(void **state)
{
	unsigned char got[64];
	struct pair p;

	(void)state;
	pair_open(&p);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(put(p.ours, i * 10, 10), 10);
	assert_int_equal(recv(p.theirs, got, sizeof(got), MSG_DONTWAIT), -1);
	assert_int_equal(poll_in(p.ours, 0), 0); /* a look is no sleep */
	assert_int_equal(recv(p.theirs, got, sizeof(got), MSG_DONTWAIT), -1);
	assert_int_equal(poll_in(p.ours, 1), 0);
	assert_int_equal(recv(p.theirs, got, sizeof(got), 0), 50);
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(got[i], byte_at(i));
	pair_close(&p);
}

static void what_is_written_leaves_before_a_wait_on_a_condition_and_before_a_goodbye(void **state)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	struct timespec past = {0};
	unsigned char got[64];
	struct pair p;

	(void)state;
	pair_open(&p);
	put(p.ours, 0, 20);
	pthread_mutex_lock(&mutex);
	assert_int_equal(paho_cond_timedwait(&cond, &mutex, &past), ETIMEDOUT);
	pthread_mutex_unlock(&mutex);
	assert_int_equal(recv(p.theirs, got, sizeof(got), 0), 20);
	put(p.ours, 20, 2);
	assert_int_equal(paho_shutdown(p.ours, SHUT_WR), 0);
	assert_int_equal(recv(p.theirs, got, 2, MSG_WAITALL), 2);
	assert_int_equal(got[1], byte_at(21));
	assert_int_equal(recv(p.theirs, got, 1, 0), 0);
	pair_close(&p);
}

/* Sizes as Paho writes them, a few of them larger than the buffer. */
static size_t size_of(size_t turn)
{
	return turn % 50 == 49 ? 40000 : turn % 7 * 300 + 2;
}

static void a_peer_that_does_not_read_makes_the_writer_wait_and_loses_nothing(void **state)
{
	size_t written = 0, read_at = 0, refused = 0, offset = 0, turn = 0;
	static unsigned char got[65536];
	struct pair p;
	ssize_t n;

	(void)state;
	pair_open(&p);
	while (written < 8 * MUCH || read_at < written) {
		bool full = false;

		while (written < 8 * MUCH && !full) {
			size_t size = size_of(turn);

			n = put(p.ours, written, size - offset);
			if (n < 0) {
				assert_int_equal(errno, EAGAIN);
				refused++;
				full = true;
				continue;
			}
			written += (size_t)n;
			offset += (size_t)n;
			full = offset < size;
			turn += offset == size;
			offset = offset == size ? 0 : offset;
		}
		poll_in(p.ours, 1);
		n = recv(p.theirs, got, sizeof(got), MSG_DONTWAIT);
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(got[i], byte_at(read_at + (size_t)i));
		read_at += n > 0 ? (size_t)n : 0;
	}
	assert_true(refused > 0);
	assert_int_equal(read_at, written);
	pair_close(&p);
}

/* The peer's kernel takes more a moment later: full is what stays so. */
static void fill(int fd)
{
	const struct timespec moment = {.tv_nsec = 10 * 1000000};

	for (int full = 0; full < 20; full++) {
		while (put(fd, 0, 1000) > 0)
			full = 0;
		nanosleep(&moment, NULL);
	}
}

static void what_the_socket_did_not_take_is_tried_again_soon_whoever_sleeps(void **state)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	int64_t before = clock_mono_us();
	struct timespec in_a_minute;
	struct pair p;

	(void)state;
	clock_gettime(CLOCK_REALTIME, &in_a_minute);
	in_a_minute.tv_sec += 60;
	pair_open(&p);
	fill(p.ours);
	pthread_mutex_lock(&mutex);
	assert_int_equal(paho_cond_timedwait(&cond, &mutex, &in_a_minute), ETIMEDOUT);
	pthread_mutex_unlock(&mutex);
	assert_int_equal(poll_in(p.ours, 60000), 0);
	assert_true(clock_mono_us() - before < 30000000);
	pair_close(&p);
}

static void a_new_connection_with_an_old_number_begins_with_nothing(void **state)
{
	unsigned char got[8];
	struct pair p;
	int old;

	(void)state;
	pair_open(&p);
	old = p.ours;
	send_bytes(p.theirs, 0, 8);
	assert_int_equal(poll_in(p.ours, PATIENCE_MS), 1);
	assert_int_equal(paho_recv(p.ours, got, 1, 0), 1);
	put(p.ours, 0, 8);
	pair_close(&p);
	pair_open(&p);
	assert_int_equal(p.ours, old);
	assert_int_equal(poll_in(p.ours, 5), 0);
	assert_int_equal(paho_recv(p.ours, got, 1, 0), -1);
	assert_int_equal(recv(p.theirs, got, 1, MSG_DONTWAIT), -1);
	pair_close(&p);
}

static void a_broken_connection_is_told_by_reading(void **state)
{
	struct linger at_once = {.l_onoff = 1};
	unsigned char c;
	struct pair p;
	ssize_t n;

	(void)state;
	pair_open(&p);
	setsockopt(p.theirs, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(p.theirs);
	assert_int_equal(put(p.ours, 0, 10), 10);
	poll_in(p.ours, 100);
	n = paho_recv(p.ours, &c, 1, 0);
	assert_true(n == 0 || (n < 0 && errno != EAGAIN));
	paho_close(p.ours);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_is_read_whole_and_in_order_by_reads_of_any_size),
		cmocka_unit_test(poll_is_ready_as_long_as_something_is_left_and_waits_when_not),
		cmocka_unit_test(what_is_written_leaves_together_when_the_thread_is_about_to_sleep),
		cmocka_unit_test(what_is_written_leaves_before_a_wait_on_a_condition_and_before_a_goodbye),
		cmocka_unit_test(a_peer_that_does_not_read_makes_the_writer_wait_and_loses_nothing),
		cmocka_unit_test(what_the_socket_did_not_take_is_tried_again_soon_whoever_sleeps),
		cmocka_unit_test(a_new_connection_with_an_old_number_begins_with_nothing),
		cmocka_unit_test(a_broken_connection_is_told_by_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
