/* Questions whose answer is not known yet: a client waits on a real socket while the loop serves others. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"
#include "health/control.h"

static struct {
	struct loop *loop;
	struct control *control;
	pthread_t thread;
	int again_fd, end_fd;
	char path[108];
	_Atomic bool known;
	_Atomic int asked;
} stage;

static void verb_now(void *arg, json_t *request, struct str *reply)
{
	(void)arg;
	(void)request;
	str_add(reply, "{\"now\":1}");
}

static void verb_later(void *arg, json_t *request, struct str *reply)
{
	(void)arg;
	(void)request;
	atomic_fetch_add(&stage.asked, 1);
	if (atomic_load(&stage.known))
		str_add(reply, "{\"later\":1}");
}

static const struct control_verb verbs[] = {{"now", verb_now}, {"later", verb_later}};

static void on_again(void *arg, uint32_t events)
{
	uint64_t times;

	(void)arg;
	(void)events;
	assert_int_equal(read(stage.again_fd, &times, sizeof(times)), sizeof(times));
	control_again(stage.control);
}

static void on_end(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	loop_stop(stage.loop);
}

static void *serve(void *arg)
{
	struct err e;

	(void)arg;
	assert_int_equal(loop_run(stage.loop, &e), 0);
	return NULL;
}

static int setup(void **state)
{
	struct err e;

	(void)state;
	atomic_store(&stage.known, false);
	atomic_store(&stage.asked, 0);
	snprintf(stage.path, sizeof(stage.path), "/tmp/needle-test-control-%d.sock", (int)getpid());
	stage.again_fd = eventfd(0, EFD_CLOEXEC);
	stage.end_fd = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(loop_new(&stage.loop, &e), 0);
	assert_int_equal(loop_add(stage.loop, stage.again_fd, EPOLLIN, on_again, NULL, &e), 0);
	assert_int_equal(loop_add(stage.loop, stage.end_fd, EPOLLIN, on_end, NULL, &e), 0);
	assert_int_equal(control_open(stage.loop, stage.path, verbs, 2, NULL, &stage.control, &e), 0);
	return pthread_create(&stage.thread, NULL, serve, NULL);
}

static void wake(int fd)
{
	assert_int_equal(write(fd, &(uint64_t){1}, sizeof(uint64_t)), sizeof(uint64_t));
}

static int teardown(void **state)
{
	(void)state;
	wake(stage.end_fd);
	pthread_join(stage.thread, NULL);
	control_close(stage.control);
	loop_free(stage.loop);
	close(stage.again_fd);
	close(stage.end_fd);
	return 0;
}

static int dial(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(to.sun_path, stage.path, strlen(stage.path));
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void hears(int fd, const char *line)
{
	char got[128] = "";

	for (size_t n = 0; n < sizeof(got) - 1 && recv(fd, got + n, 1, 0) == 1 && got[n] != '\n'; n++)
		;
	assert_string_equal(got, line);
}

/* The loop has done all that lies before this. */
static void others_are_served(void)
{
	int fd = dial();

	say(fd, "{\"verb\":\"now\"}\n");
	hears(fd, "{\"now\":1}\n");
	close(fd);
}

static void an_answer_comes_when_it_is_known(void **state)
{
	int fd = dial();
	char c;

	(void)state;
	say(fd, "{\"verb\":\"now\"}\n{\"verb\":\"later\"}\n{\"verb\":\"now\"}\n");
	hears(fd, "{\"now\":1}\n");
	others_are_served();
	wake(stage.again_fd);           /* asked once more, and still nothing */
	others_are_served();
	assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
	atomic_store(&stage.known, true);
	wake(stage.again_fd);
	hears(fd, "{\"later\":1}\n");
	hears(fd, "{\"now\":1}\n");     /* what was asked behind it, in order */
	close(fd);
}

static void who_waits_is_not_asked_for_in_between(void **state)
{
	int fd = dial(), asked;

	(void)state;
	say(fd, "{\"verb\":\"later\"}\n");
	while (!atomic_load(&stage.asked))
		others_are_served();
	asked = atomic_load(&stage.asked);
	for (int i = 0; i < 20; i++)
		say(fd, "{\"verb\":\"now\"}\n");
	for (int i = 0; i < 5; i++)
		others_are_served();
	assert_int_equal(atomic_load(&stage.asked), asked);
	atomic_store(&stage.known, true);
	wake(stage.again_fd);
	hears(fd, "{\"later\":1}\n");
	for (int i = 0; i < 20; i++)
		hears(fd, "{\"now\":1}\n");
	close(fd);
}

static void who_leaves_while_waiting_is_forgotten(void **state)
{
	(void)state;
	for (int i = 0; i < 40; i++) {  /* more than there are places */
		int fd = dial();

		say(fd, "{\"verb\":\"later\"}\n");
		close(fd);
		others_are_served();
	}
	wake(stage.again_fd);
	others_are_served();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_answer_comes_when_it_is_known, setup, teardown),
		cmocka_unit_test_setup_teardown(who_waits_is_not_asked_for_in_between, setup, teardown),
		cmocka_unit_test_setup_teardown(who_leaves_while_waiting_is_forgotten, setup, teardown),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
