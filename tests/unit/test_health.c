/* Each server is tried through a real socket: a client thread talks, the loop serves, then stops. */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/pulse.h"
#include "base/str.h"
#include "base/vec.h"
#include "health/control.h"
#include "health/http.h"
#include "health/metrics.h"
#include "health/notify.h"

/* ---- a loop with a client ---- */

struct stage {
	struct loop *loop;
	int done_fd;
	void (*client)(struct stage *stage);
	int port;
	char path[108];
	struct str got;
};

static void *client_thread(void *arg)
{
	struct stage *stage = arg;
	uint64_t one = 1;

	stage->client(stage);
	assert_int_equal(write(stage->done_fd, &one, sizeof(one)), sizeof(one));
	return NULL;
}

static void on_done(void *arg, uint32_t events)
{
	(void)events;
	loop_stop(arg);
}

static void stage_init(struct stage *stage)
{
	struct err e;

	*stage = (struct stage){.done_fd = eventfd(0, EFD_CLOEXEC)};
	assert_int_equal(loop_new(&stage->loop, &e), 0);
	assert_int_equal(loop_add(stage->loop, stage->done_fd, EPOLLIN, on_done, stage->loop, &e), 0);
	snprintf(stage->path, sizeof(stage->path), "/tmp/needle-test-%d.sock", (int)getpid());
}

static void stage_play(struct stage *stage, void (*client)(struct stage *))
{
	pthread_t thread;
	struct err e;

	stage->client = client;
	assert_int_equal(pthread_create(&thread, NULL, client_thread, stage), 0);
	assert_int_equal(loop_run(stage->loop, &e), 0);
	pthread_join(thread, NULL);
}

static void stage_done(struct stage *stage)
{
	loop_free(stage->loop);
	close(stage->done_fd);
	str_done(&stage->got);
}

static void read_all(int fd, struct str *out)
{
	char buf[4096];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		str_addn(out, buf, (size_t)n);
}

/* ---- systemd ---- */

static int listen_notify(const char *name, struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));

	*at = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(at->sun_path, name, strlen(name));
	if (*name == '@')
		at->sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)at, len), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static const char *heard(int fd)
{
	static char buf[1024];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static void systemd_hears_each_state(void **state)
{
	const char *const names[] = {"@needle-test-notify", "/tmp/needle-test-notify"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct sockaddr_un at;
		int fd = listen_notify(names[i], &at);

		notify_ready();
		assert_string_equal(heard(fd), "READY=1");
		notify_reloading();
		assert_memory_equal(heard(fd), "RELOADING=1\nMONOTONIC_USEC=", 27);
		notify_status("%d open cases\nREADY=1", 7);
		assert_string_equal(heard(fd), "STATUS=7 open cases READY=1");
		notify_stopping();
		assert_string_equal(heard(fd), "STOPPING=1");
		close(fd);
		if (*names[i] == '/')
			unlink(names[i]);
	}
	unsetenv("NOTIFY_SOCKET");
	notify_ready(); /* nobody to tell: nothing happens */
}

static void watchdog_period_is_ours_only_when_it_names_us(void **state)
{
	char me[16];

	(void)state;
	snprintf(me, sizeof(me), "%d", (int)getpid());
	const struct {
		const char *usec, *pid;
		int64_t want;
	} rows[] = {
		{NULL, NULL, 0},    {"30000000", NULL, 30000000}, {"30000000", me, 30000000},
		{"30000000", "1", 0}, {"soon", NULL, 0},          {"0", NULL, 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsetenv("WATCHDOG_USEC");
		unsetenv("WATCHDOG_PID");
		if (rows[i].usec)
			setenv("WATCHDOG_USEC", rows[i].usec, 1);
		if (rows[i].pid)
			setenv("WATCHDOG_PID", rows[i].pid, 1);
		assert_int_equal(notify_watchdog_us(), rows[i].want);
	}
	unsetenv("WATCHDOG_PID");
}

static void sleep_client(struct stage *stage)
{
	(void)stage;
	usleep(250000);
}

static void watchdog_is_answered_only_while_every_thread_moves(void **state)
{
	struct sockaddr_un at;
	int fd = listen_notify("@needle-test-watchdog", &at);
	struct pulse *worker = pulse_add("worker"), *dispatch = pulse_add("dispatch");
	struct stage stage;
	int64_t age_us = 0;

	(void)state;
	setenv("WATCHDOG_USEC", "200000", 1);
	stage_init(&stage);
	notify_watch(stage.loop, 60 * 1000000);
	assert_string_equal(heard(fd), "WATCHDOG=1");
	stage_play(&stage, sleep_client);
	assert_string_equal(heard(fd), "WATCHDOG=1"); /* again from the chore */
	stage_done(&stage);
	while (*heard(fd))
		;

	usleep(30000);
	pulse_beat(dispatch);
	assert_string_equal(pulse_stuck(20000, &age_us), "worker");
	assert_in_range(age_us, 30000, 5000000);
	stage_init(&stage);
	notify_watch(stage.loop, 20000);
	assert_string_equal(heard(fd), "");
	pulse_end(worker);
	pulse_end(dispatch);
	assert_null(pulse_stuck(0, &age_us)); /* ended threads are not stuck */
	stage_done(&stage);
	close(fd);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
}

static void pulses_are_bounded_and_reused(void **state)
{
	struct pulse *all[PULSES];

	(void)state;
	for (size_t i = 0; i < PULSES; i++)
		assert_non_null(all[i] = pulse_add("one"));
	assert_null(pulse_add("too many"));
	pulse_end(all[3]);
	assert_ptr_equal(pulse_add("again"), all[3]);
	for (size_t i = 0; i < PULSES; i++)
		pulse_end(all[i]);
	pulse_beat(NULL);
}

/* ---- metrics ---- */

static void rule_lines(void *arg, struct str *out)
{
	const struct metrics_label labels[] = {{"rule", arg}, {"channel", "hotline"}};

	metrics_family(out, "needle_rule_won_total", "counter", "Cases that a rule\nrouted");
	metrics_sample(out, "needle_rule_won_total", labels, 2, 3);
}

static void metrics_follow_the_text_format(void **state)
{
	char rule[] = "煤气 \"味\" \\ \n";
	const struct metrics_source sources[] = {{rule_lines, rule}};
	struct str out = {0};

	(void)state;
	count_set(COUNT_INBOX_RECORDS, 42);
	metrics_text("0.1.0", "7f3a9c12", sources, 1, &out);
	assert_non_null(strstr(out.s, "# TYPE needle_build_info gauge\nneedle_build_info{version=\"0.1.0\"} 1\n"));
	assert_non_null(strstr(out.s, "needle_config_info{hash=\"7f3a9c12\"} 1\n"));
	assert_non_null(strstr(out.s, "# TYPE needle_inbox_records gauge\nneedle_inbox_records 42\n"));
	assert_non_null(strstr(out.s, "# HELP needle_rule_won_total Cases that a rule\\nrouted\n"));
	assert_non_null(strstr(out.s, "{rule=\"煤气 \\\"味\\\" \\\\ \\n\",channel=\"hotline\"} 3\n"));
	str_reset(&out);
	metrics_text("0.1.0", NULL, NULL, 0, &out);
	assert_null(strstr(out.s, "needle_config_info"));
	str_done(&out);
}

/* What `promtool check metrics` complains about, as far as one table can break it. */
static void every_counter_keeps_the_naming_conventions(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_COUNTERS; i++) {
		const char *name = counter_info[i].name, *total = strstr(name, "_total");

		assert_memory_equal(name, "needle_", 7);
		assert_int_equal(str_equal(counter_info[i].type, "counter"), total && !total[6]);
		assert_true(strlen(counter_info[i].help) > 0);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(name, counter_info[j].name);
	}
}

/* ---- http ---- */

static bool probe(void *arg, char *reason, size_t size)
{
	snprintf(reason, size, "%s", arg ? (const char *)arg : "");
	return !arg;
}

static int summary(void *arg, struct str *out)
{
	(void)arg;
	str_add(out, "{\"open_cases\":5}");
	return 200;
}

static const struct {
	const char *request, *want[3];
} http_rows[] = {
	{"GET /healthz HTTP/1.1", {"HTTP/1.1 200", "application/json", "{\"ok\":true}"}},
	{"GET /api/v1/summary?x=1 HTTP/1.1", {"HTTP/1.1 200", "no-store", "{\"open_cases\":5}"}},
	{"GET /readyz HTTP/1.1",
	 {"HTTP/1.1 503", "Content-Length: ", "{\"ready\":false,\"reasons\":[\"the broker is away\",\"no\\\"t\"]}"}},
	{"GET /nowhere HTTP/1.1", {"HTTP/1.1 404", "application/json", "{\"error\":"}},
	{"GET / HTTP/1.1", {"HTTP/1.1 404", "{\"error\":", ""}},
	{"POST /healthz HTTP/1.1\r\nContent-Length: 2", {"HTTP/1.1 405", "Allow: GET, HEAD", "{\"error\":"}},
	{"DELETE /metrics HTTP/1.1", {"HTTP/1.1 405", "{\"error\":", ""}},
	{"GET /healthz HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", {"HTTP/1.1 200", "", ""}},
	{"nonsense", {"", "", ""}}, /* hung up on */
};

static void http_ask(int port, const char *request, struct str *out)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char line[256];

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	snprintf(line, sizeof(line), "%s%s", request,
		 strstr(request, "\r\n\r\n") ? "" : "\r\nHost: a\r\nConnection: close\r\n\r\n");
	assert_int_equal(send(fd, line, strlen(line), 0), (ssize_t)strlen(line));
	shutdown(fd, SHUT_WR);
	read_all(fd, out);
	close(fd);
}

static void http_client(struct stage *stage)
{
	struct str got = {0};

	for (size_t i = 0; i < ARRAY_LEN(http_rows); i++) {
		str_reset(&got);
		str_add(&got, "");
		http_ask(stage->port, http_rows[i].request, &got);
		for (size_t j = 0; j < 3; j++)
			if (!strstr(got.s, http_rows[i].want[j]))
				str_addf(&stage->got, "%s: no '%s' in %s\n", http_rows[i].request,
					 http_rows[i].want[j], got.s);
	}
	str_reset(&got);
	http_ask(stage->port, "HEAD /api/v1/summary HTTP/1.1", &got);
	if (!strstr(got.s, "200 OK") || strstr(got.s, "open_cases"))
		str_addf(&stage->got, "HEAD: %s\n", got.s);
	str_done(&got);
}

static void pages_are_served_and_all_else_is_refused(void **state)
{
	char away[] = "the broker is away", quoted[] = "no\"t";
	const struct http_probe probes[] = {{probe, away}, {probe, NULL}, {probe, quoted}};
	struct http_probes all = {probes, ARRAY_LEN(probes)};
	const struct http_page pages[] = {{"/healthz", HTTP_JSON, http_healthy, NULL},
					  {"/readyz", HTTP_JSON, http_ready, &all},
					  {"/api/v1/summary", HTTP_JSON, summary, NULL}};
	struct stage stage;
	struct http *http;
	struct err e;

	(void)state;
	stage_init(&stage);
	assert_int_equal(http_open(stage.loop, "localhost", 0, pages, 3, &http, &e), ERR_BAD);
	assert_int_equal(http_open(stage.loop, "127.0.0.1", 0, pages, 3, &http, &e), 0);
	stage.port = http_port(http);
	assert_in_range(stage.port, 1, 65535);
	stage_play(&stage, http_client);
	if (stage.got.len)
		fail_msg("%s", stage.got.s);
	http_close(http);
	stage_done(&stage);
}

static void a_daemon_without_complaints_is_ready(void **state)
{
	const struct http_probe probes[] = {{probe, NULL}};
	struct http_probes all = {probes, 1};
	struct str out = {0};

	(void)state;
	assert_int_equal(http_ready(&all, &out), 200);
	assert_string_equal(out.s, "{\"ready\":true}\n");
	str_done(&out);
}

static void two_daemons_cannot_share_a_port(void **state)
{
	struct stage stage;
	struct http *a, *b;
	struct err e;

	(void)state;
	stage_init(&stage);
	assert_int_equal(http_open(stage.loop, "127.0.0.1", 0, NULL, 0, &a, &e), 0);
	assert_int_equal(http_open(stage.loop, "127.0.0.1", http_port(a), NULL, 0, &b, &e), ERR_SYS);
	assert_non_null(strstr(e.text, "cannot listen on 127.0.0.1"));
	http_close(a);
	stage_done(&stage);
}

/* ---- control ---- */

static void verb_echo(void *arg, json_t *request, struct str *reply)
{
	(void)arg;
	str_add(reply, "{\"said\":\n");
	str_json(reply, json_string_value(json_object_get(request, "say")));
	str_addc(reply, '}');
}

static void verb_flood(void *arg, json_t *request, struct str *reply)
{
	(void)arg;
	(void)request;
	str_add(reply, "{\"flood\":\"");
	for (size_t i = 0; i < 2 * 1024 * 1024; i++)
		str_addc(reply, 'x');
	str_add(reply, "\"}");
}

static const struct control_verb verbs[] = {{"echo", verb_echo}, {"flood", verb_flood}};

static int control_dial(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(to.sun_path, path, strlen(path));
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void control_client(struct stage *stage)
{
	int fd = control_dial(stage->path);

	say(fd, "{\"verb\":\"echo\",\"say\":\"早\"}\n{\"verb\":\"dance\"}\nno json\n[]\n{\"a\":1}\n");
	say(fd, "{\"verb\":\"echo\",");
	usleep(20000);
	say(fd, "\"say\":\"b\\n\"}\n");
	shutdown(fd, SHUT_WR);
	read_all(fd, &stage->got);
	close(fd);
}

static void flood_client(struct stage *stage)
{
	int fd = control_dial(stage->path);

	/* Asks much before reading anything: all answers come all the same, in order. */
	for (size_t i = 0; i < 3; i++)
		say(fd, "{\"verb\":\"flood\"}\n");
	say(fd, "{\"verb\":\"echo\",\"say\":\"after\"}\n");
	usleep(50000);
	shutdown(fd, SHUT_WR);
	read_all(fd, &stage->got);
	close(fd);
}

static void long_line_client(struct stage *stage)
{
	int fd = control_dial(stage->path);
	char block[4096];

	memset(block, ' ', sizeof(block));
	for (size_t i = 0; i < 16; i++)
		if (send(fd, block, sizeof(block), MSG_NOSIGNAL) < 0)
			break;
	read_all(fd, &stage->got);
	close(fd);
}

static void crowd_client(struct stage *stage)
{
	int fds[16], last;

	for (size_t i = 0; i < 16; i++) {
		struct str got = {0};
		char c = 0;

		fds[i] = control_dial(stage->path);
		say(fds[i], "{\"verb\":\"echo\",\"say\":\"in\"}\n");
		while (c != '\n' && recv(fds[i], &c, 1, 0) == 1)
			;
		str_done(&got);
	}
	last = control_dial(stage->path);
	read_all(last, &stage->got);
	close(last);
	for (size_t i = 0; i < 16; i++)
		close(fds[i]);
}

static void play_control(void (*client)(struct stage *), struct stage *stage)
{
	struct control *control, *second;
	struct stat st;
	struct err e;

	stage_init(stage);
	assert_int_equal(control_open(stage->loop, stage->path, verbs, ARRAY_LEN(verbs), NULL, &control, &e), 0);
	assert_int_equal(stat(stage->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(control_open(stage->loop, stage->path, verbs, 1, NULL, &second, &e), ERR_SYS);
	assert_non_null(strstr(e.text, "another daemon"));
	stage_play(stage, client);
	control_close(control);
	assert_int_not_equal(stat(stage->path, &st), 0);
}

static void each_line_is_answered_by_one_line(void **state)
{
	struct stage stage;

	(void)state;
	play_control(control_client, &stage);
	assert_string_equal(stage.got.s, "{\"said\": \"早\"}\n"
					 "{\"error\":\"there is no such verb\"}\n"
					 "{\"error\":\"a request is one JSON object in one line\"}\n"
					 "{\"error\":\"a request is one JSON object in one line\"}\n"
					 "{\"error\":\"the request names no verb\"}\n"
					 "{\"said\": \"b\\n\"}\n");
	stage_done(&stage);
}

static void a_client_that_reads_late_gets_all_answers(void **state)
{
	struct stage stage;
	const char *tail = "{\"said\": \"after\"}\n";

	(void)state;
	play_control(flood_client, &stage);
	assert_true(stage.got.len > 3 * 2 * 1024 * 1024);
	assert_string_equal(stage.got.s + stage.got.len - strlen(tail), tail);
	stage_done(&stage);
}

static void a_line_without_end_is_refused(void **state)
{
	struct stage stage;

	(void)state;
	play_control(long_line_client, &stage);
	assert_string_equal(stage.got.s, "{\"error\":\"the line is too long\"}\n");
	stage_done(&stage);
}

static void the_seventeenth_client_is_told_to_come_again(void **state)
{
	struct stage stage;

	(void)state;
	play_control(crowd_client, &stage);
	assert_string_equal(stage.got.s, "{\"error\":\"too many clients: try again\"}\n");
	stage_done(&stage);
}

static void a_dead_daemons_socket_is_taken_over_but_no_other_file(void **state)
{
	struct stage stage;
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct control *control;
	struct err e;
	int fd;

	(void)state;
	stage_init(&stage);
	memcpy(at.sun_path, stage.path, strlen(stage.path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
	assert_int_equal(control_open(stage.loop, stage.path, verbs, 1, NULL, &control, &e), 0);
	control_close(control);

	fclose(fopen(stage.path, "w"));
	assert_int_equal(control_open(stage.loop, stage.path, verbs, 1, NULL, &control, &e), ERR_SYS);
	assert_int_equal(access(stage.path, F_OK), 0);
	unlink(stage.path);
	stage_done(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(systemd_hears_each_state),
		cmocka_unit_test(watchdog_period_is_ours_only_when_it_names_us),
		cmocka_unit_test(watchdog_is_answered_only_while_every_thread_moves),
		cmocka_unit_test(pulses_are_bounded_and_reused),
		cmocka_unit_test(metrics_follow_the_text_format),
		cmocka_unit_test(every_counter_keeps_the_naming_conventions),
		cmocka_unit_test(pages_are_served_and_all_else_is_refused),
		cmocka_unit_test(a_daemon_without_complaints_is_ready),
		cmocka_unit_test(two_daemons_cannot_share_a_port),
		cmocka_unit_test(each_line_is_answered_by_one_line),
		cmocka_unit_test(a_client_that_reads_late_gets_all_answers),
		cmocka_unit_test(a_line_without_end_is_refused),
		cmocka_unit_test(the_seventeenth_client_is_told_to_come_again),
		cmocka_unit_test(a_dead_daemons_socket_is_taken_over_but_no_other_file),
	};

	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
