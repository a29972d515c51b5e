/* The link against a real broker: each test has a Mosquitto of its own on a free loopback port. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/vec.h"
#include "link/link.h"

enum { SECOND = 1000000 };

/* ---- a broker ---- */

struct broker {
	char folder[64];
	int port;
	pid_t pid;
};

static int free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(at);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	close(fd);
	return ntohs(at.sin_port);
}

static bool accepts(int port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0;

	close(fd);
	return yes;
}

/* Starts a program that dies with us; its words go to the folder's log. */
static pid_t start(const struct broker *b, const char *const *argv)
{
	char log[128];
	pid_t pid;

	snprintf(log, sizeof(log), "%s/log", b->folder);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return pid;
}

static void run(const struct broker *b, const char *const *argv)
{
	int status;

	assert_int_equal(waitpid(start(b, argv), &status, 0) > 0, 1);
	if (status)
		fail_msg("%s gave %d, see %s/log", argv[0], status, b->folder);
}

static void write_file(const struct broker *b, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", b->folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void configure(const struct broker *b, const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "user root\nallow_anonymous true\npersistence false\nmax_inflight_messages 500\n"
		 "max_queued_messages 500000\nlistener %d 127.0.0.1\n%s\n", b->port, more);
	write_file(b, "conf", text);
}

static void broker_start(struct broker *b)
{
	char conf[128];
	const char *argv[] = {"mosquitto", "-c", conf, NULL};

	if (!access("/usr/sbin/mosquitto", X_OK))
		argv[0] = "/usr/sbin/mosquitto";        /* not in everybody's PATH */
	snprintf(conf, sizeof(conf), "%s/conf", b->folder);
	b->pid = start(b, argv);
	for (int i = 0; i < 500 && !accepts(b->port); i++)
		usleep(10000);
	if (!accepts(b->port))
		fail_msg("mosquitto does not come up, see %s/log", b->folder);
}

static void broker_end(struct broker *b, int signo)
{
	if (b->pid <= 0)
		return;
	kill(b->pid, signo);
	waitpid(b->pid, NULL, 0);
	b->pid = 0;
}

static int setup(void **state)
{
	struct broker *b = mem_alloc(sizeof(*b));

	snprintf(b->folder, sizeof(b->folder), "/tmp/needle-link-XXXXXX");
	b->port = free_port();
	*state = b;
	if (!mkdtemp(b->folder))
		return -1;
	configure(b, "");
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct broker *b = *state;

	broker_end(b, SIGKILL);
	nftw(b->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(b);
	return 0;
}

/* ---- a client ---- */

enum { COOKIES = 60000 };

struct client {
	struct link *link;
	atomic_int connected, disconnected, taken_over, sessions;
	atomic_int messages, out_of_order, acked, refused, lost, twice;
	atomic_int reason, forbidden;
	int last;                       /* number in the last message; Paho's thread */
	struct link_message seen;       /* of the last message, texts below */
	char topic[128], payload[128], response[128], correlation[128];
	atomic_uchar done[COOKIES];
	unsigned next_cookie;
};

static void on_message(void *arg, const struct link_message *m)
{
	struct client *c = arg;
	int number;

	c->seen = *m;
	snprintf(c->topic, sizeof(c->topic), "%s", m->topic);
	snprintf(c->payload, sizeof(c->payload), "%.*s", (int)m->payload_len,
		 (const char *)m->payload);
	snprintf(c->response, sizeof(c->response), "%s",
		 m->response_topic ? m->response_topic : "");
	snprintf(c->correlation, sizeof(c->correlation), "%.*s", (int)m->correlation_len,
		 m->correlation ? (const char *)m->correlation : "");
	number = (int)strtol(c->payload, NULL, 10);
	c->out_of_order += number != c->last + 1;
	c->last = number;
	c->messages++;
}

static void on_connected(void *arg, bool session_present)
{
	struct client *c = arg;

	c->sessions += session_present;
	c->connected++;
}

static void on_disconnected(void *arg, const char *reason, bool taken_over)
{
	struct client *c = arg;

	assert_non_null(reason);
	c->taken_over += taken_over;
	c->disconnected++;
}

static bool may_connect(void *arg)
{
	struct client *c = arg;

	return !c->forbidden;
}

static void on_done(void *arg, void *cookie, enum link_result result, int reason)
{
	size_t i = (size_t)(uintptr_t)cookie;
	struct client *c = arg;

	c->twice += atomic_fetch_add(&c->done[i], 1) > 0;
	if (result == LINK_ACKED)
		c->acked++;
	else if (result == LINK_REFUSED)
		c->refused++;
	else
		c->lost++;
	if (reason)
		c->reason = reason;
}

static struct link_options options(const struct broker *b, const char *id)
{
	return (struct link_options){.host = "127.0.0.1", .port = b->port, .client_id = id,
				     .session_expiry_s = 3600};
}

static struct client *client_with(const struct link_options *o)
{
	struct client *c = mem_alloc(sizeof(*c));
	struct link_callbacks callbacks = {.arg = c,
					   .message = on_message,
					   .connected = on_connected,
					   .disconnected = on_disconnected,
					   .may_connect = may_connect};
	struct err e = {0};

	if (link_new(o, &callbacks, &c->link, &e) < 0)
		fail_msg("link_new: %s", e.text);
	link_on_done(c->link, on_done, c);
	link_start(c->link);
	return c;
}

static bool reaches(atomic_int *value, int want, int seconds)
{
	int64_t end = clock_mono_us() + (int64_t)seconds * SECOND;

	while (*value < want && clock_mono_us() < end)
		usleep(2000);
	return *value >= want;
}

static struct client *client(const struct broker *b, const char *id)
{
	struct link_options o = options(b, id);
	struct client *c = client_with(&o);

	assert_true(reaches(&c->connected, 1, 10));
	return c;
}

static void client_end(struct client *c)
{
	link_stop(c->link, 3000);
	assert_false(link_is_connected(c->link));
	link_free(c->link);
	free(c);
}

static void subscribe(struct client *c, const char *filter)
{
	struct err e = {0};

	if (link_subscribe(c->link, &filter, 1, 0, 5000, &e) < 0)
		fail_msg("subscribe: %s", e.text);
}

static int try_publish(struct client *c, const char *topic, const char *text, struct err *e)
{
	struct link_publish p = {.topic = topic,
				 .payload = text,
				 .payload_len = strlen(text),
				 .qos = 1,
				 .cookie = (void *)(uintptr_t)(c->next_cookie + 1)};
	int rc = link_publish(c->link, &p, e);

	c->next_cookie += rc == 0;
	return rc;
}

static void publish(struct client *c, const char *topic, const char *text)
{
	struct err e = {0};

	if (try_publish(c, topic, text, &e) < 0)
		fail_msg("publish to %s: %s", topic, e.text);
}

/* ---- coming and going ---- */

static void it_keeps_trying_until_the_broker_is_there(void **state)
{
	struct broker *b = *state;
	struct link_options o = options(b, "early");
	struct client *c = client_with(&o);
	struct err e = {0};

	sleep(1);
	assert_int_equal(c->connected, 0);
	assert_int_equal(try_publish(c, "t", "1", &e), ERR_AGAIN);
	assert_int_equal(link_window_free(c->link), 0);
	broker_start(b);
	assert_true(reaches(&c->connected, 1, 10));
	assert_int_equal(c->disconnected, 0);
	publish(c, "t", "1");
	assert_true(reaches(&c->acked, 1, 5));
	client_end(c);
}

static void a_link_that_never_got_through_can_be_stopped(void **state)
{
	struct broker *b = *state;
	struct link_options o = options(b, "lonely");
	struct client *c = client_with(&o);
	int64_t begin;

	usleep(200000);
	begin = clock_mono_us();
	client_end(c);
	assert_in_range(clock_mono_us() - begin, 0, 3 * SECOND);
}

static void small_packets_are_not_held_back(void **state)
{
	struct broker *b = *state;
	struct client *c;
	int found = 0;

	broker_start(b);
	c = client(b, "quick");
	usleep(200000);
	for (int fd = 0; fd < 256; fd++) {
		struct sockaddr_in peer;
		socklen_t len = sizeof(peer), size = sizeof(int);
		int on = 0;

		if (getpeername(fd, (struct sockaddr *)&peer, &len) < 0 ||
		    ntohs(peer.sin_port) != b->port)
			continue;
		assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
		assert_true(on);
		found++;
	}
	assert_int_equal(found, 1);
	client_end(c);
}

static void messages_of_the_time_away_come_after_it(void **state)
{
	struct broker *b = *state;
	char port[16], line[32];
	struct client *c;

	broker_start(b);
	c = client(b, "gateway");
	assert_int_equal(c->sessions, 0);
	subscribe(c, "in/#");
	link_stop(c->link, 3000);
	assert_int_equal(c->disconnected, 1);
	snprintf(port, sizeof(port), "%d", b->port);
	for (int i = 1; i <= 20; i++) {
		const char *argv[] = {"mosquitto_pub", "-h", "127.0.0.1", "-p", port, "-q", "1",
				      "-t", "in/a", "-m", line, NULL};

		snprintf(line, sizeof(line), "%d", i);
		run(b, argv);
	}
	assert_int_equal(c->messages, 0);
	link_start(c->link);
	assert_true(reaches(&c->messages, 20, 10));
	assert_int_equal(c->sessions, 1);
	assert_int_equal(c->out_of_order, 0);
	client_end(c);
}

static void a_clean_link_has_no_session(void **state)
{
	struct broker *b = *state;
	struct link_options o = options(b, "tool");
	struct client *c;

	broker_start(b);
	o.clean = true;
	c = client_with(&o);
	assert_true(reaches(&c->connected, 1, 10));
	subscribe(c, "in/#");
	link_stop(c->link, 3000);
	link_start(c->link);
	assert_true(reaches(&c->connected, 2, 10));
	assert_int_equal(c->sessions, 0);
	client_end(c);
}

/* A broker of ten lines: accepts, lets everybody in, and after a moment gives the session away. */
static void *usurping_broker(void *arg)
{
	static const unsigned char connack[] = {0x20, 3, 0, 0, 0}, taken[] = {0xe0, 2, 0x8e, 0};
	int *listener = arg, fd;
	char buf[512];

	while ((fd = accept(*listener, NULL, NULL)) >= 0) {
		if (read(fd, buf, sizeof(buf)) > 0 && write(fd, connack, sizeof(connack)) > 0) {
			usleep(200000);
			if (write(fd, taken, sizeof(taken)) < 0)
				break;
		}
		close(fd);
	}
	return NULL;
}

static void who_is_told_that_the_session_is_taken_stays_away_until_started(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	struct broker *b = *state;
	pthread_t thread;
	struct client *c;

	at.sin_port = htons((uint16_t)b->port);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 8), 0);
	pthread_create(&thread, NULL, usurping_broker, &listener);
	c = client(b, "gateway");
	assert_true(reaches(&c->disconnected, 1, 5));
	assert_int_equal(c->taken_over, 1);
	sleep(3);
	assert_int_equal(c->connected, 1);
	link_start(c->link);
	assert_true(reaches(&c->connected, 2, 5));
	assert_true(reaches(&c->taken_over, 2, 5));
	client_end(c);
	shutdown(listener, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(listener);
}

static void two_with_one_session_do_not_fight_when_one_may_not_connect(void **state)
{
	struct broker *b = *state;
	struct client *first, *second;

	broker_start(b);
	first = client(b, "gateway");
	first->forbidden = 1;
	second = client(b, "gateway");
	assert_true(reaches(&first->disconnected, 1, 5));
	assert_int_equal(second->sessions, 1);
	sleep(2);
	assert_int_equal(first->connected, 1);
	assert_true(link_is_connected(second->link));
	link_stop(second->link, 3000);
	first->forbidden = 0;
	assert_true(reaches(&first->connected, 2, 5));
	assert_int_equal(first->sessions, 1);
	client_end(first);
	client_end(second);
}

static void the_will_speaks_for_the_killed_and_for_who_leaves_at_once_and_not_for_the_stopped(void **state)
{
	struct broker *b = *state;
	struct link_options o = options(b, "mortal");
	struct client *watcher, *c;
	pid_t child;
	int before;

	o.will_topic = "status";
	o.will_payload = "1 offline";
	broker_start(b);
	/* The child comes first: a fork does not take Paho's threads along. */
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		c = client_with(&o);
		reaches(&c->connected, 1, 10);
		for (;; usleep(100000))
			publish(c, "alive", "1");
	}
	watcher = client(b, "watcher");
	subscribe(watcher, "status");
	subscribe(watcher, "alive");
	assert_true(reaches(&watcher->messages, 1, 10));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (int i = 0; i < 500 && strcmp(watcher->payload, "1 offline"); i++)
		usleep(10000);
	assert_string_equal(watcher->payload, "1 offline");
	before = watcher->messages;
	o.client_id = "polite";
	c = client_with(&o);
	assert_true(reaches(&c->connected, 1, 10));
	client_end(c);
	usleep(500000);
	assert_int_equal(watcher->messages, before);
	/* Who leaves at once had no time to say so. */
	o.client_id = "abrupt";
	c = client_with(&o);
	assert_true(reaches(&c->connected, 1, 10));
	link_leave(c->link);
	assert_true(reaches(&watcher->messages, before + 1, 10));
	assert_string_equal(watcher->payload, "1 offline");
	/* It comes back, and the next goodbye is one again. */
	assert_true(reaches(&c->disconnected, 1, 10));
	link_start(c->link);
	assert_true(reaches(&c->connected, 2, 10));
	client_end(c);
	usleep(500000);
	assert_int_equal(watcher->messages, before + 1);
	client_end(watcher);
}

/* ---- publishing ---- */

static void fifty_thousand_messages_go_out_and_come_back_in_order(void **state)
{
	enum { MESSAGES = 50000 };
	struct broker *b = *state;
	struct err e = {0};
	char text[260];
	struct client *c;
	int64_t begin, sent;

	broker_start(b);
	c = client(b, "busy");
	subscribe(c, "t/+");
	begin = clock_mono_us();
	memset(text, ' ', sizeof(text));
	text[256] = '\0';
	for (int i = 1; i <= MESSAGES;) {
		int rc;

		text[snprintf(text, 20, "%d", i)] = ' ';
		rc = try_publish(c, "t/1", text, &e);
		if (rc == ERR_AGAIN)
			usleep(200);
		else if (rc)
			fail_msg("publish: %s", e.text);
		else
			i++;
		assert_in_range(clock_mono_us() - begin, 0, 120 * SECOND);
	}
	assert_true(reaches(&c->acked, MESSAGES, 60));
	sent = clock_mono_us() - begin;
	assert_true(reaches(&c->messages, MESSAGES, 60));
	print_message("%d published and received, %.0f/s acknowledged, %.0f/s in all\n", MESSAGES,
		      MESSAGES * 1e6 / (double)sent,
		      MESSAGES * 1e6 / (double)(clock_mono_us() - begin));
	assert_int_equal(c->out_of_order, 0);
	assert_int_equal(c->twice, 0);
	assert_int_equal(c->lost, 0);
	assert_int_equal(link_window_free(c->link), 150);
	client_end(c);
}

/* Publishes for a while; whatever is not accepted is simply not counted. */
static void publish_for(struct client *c, int64_t us)
{
	for (int64_t end = clock_mono_us() + us;
	     clock_mono_us() < end && c->next_cookie < COOKIES - 2;) {
		struct err e = {0};

		if (try_publish(c, "t/1", "x", &e) < 0) {
			assert_int_equal(e.class, ERR_AGAIN);
			usleep(200);
		}
	}
}

static void every_publish_ends_once_though_the_broker_is_killed(void **state)
{
	struct broker *b = *state;
	struct client *c;

	broker_start(b);
	c = client(b, "stubborn");
	for (int round = 1; round <= 4; round++) {
		publish_for(c, 300000);
		broker_end(b, SIGKILL);
		publish_for(c, 200000);
		assert_true(reaches(&c->disconnected, round, 5));
		broker_start(b);
		assert_true(reaches(&c->connected, round + 1, 20));
	}
	publish_for(c, 200000);
	for (int64_t end = clock_mono_us() + 15 * SECOND; clock_mono_us() < end; usleep(10000)) {
		link_tick(c->link);
		if (c->acked + c->lost == (int)c->next_cookie)
			break;
	}
	print_message("%u accepted: %d acknowledged, %d lost\n", c->next_cookie, c->acked, c->lost);
	assert_int_equal(c->acked + c->lost, c->next_cookie);
	assert_true(c->acked > 0 && c->lost > 0);
	for (unsigned i = 1; i <= c->next_cookie; i++)
		assert_int_equal(c->done[i], 1);
	assert_int_equal(c->twice, 0);
	assert_int_equal(link_window_free(c->link), 150);
	client_end(c);
}

static void a_publish_without_an_answer_is_lost_after_ten_seconds_and_not_again(void **state)
{
	struct broker *b = *state;
	int64_t begin, end;
	struct client *c;

	broker_start(b);
	c = client(b, "patient");
	kill(b->pid, SIGSTOP);
	begin = clock_mono_us();
	for (int i = 0; i < 5; i++)
		publish(c, "t", "1");
	for (end = begin + 13 * SECOND; c->lost < 5 && clock_mono_us() < end; usleep(100000))
		link_tick(c->link);
	assert_int_equal(c->lost, 5);
	assert_in_range(clock_mono_us() - begin, 9 * SECOND, 12 * SECOND);
	kill(b->pid, SIGCONT);
	publish(c, "t", "2");
	assert_true(reaches(&c->acked, 1, 5));
	usleep(300000);
	assert_int_equal(c->acked, 1);
	assert_int_equal(c->twice, 0);
	client_end(c);
}

static void no_more_than_the_window_is_outstanding(void **state)
{
	struct broker *b = *state;
	struct link_options o = options(b, "narrow");
	struct err e = {0};
	struct client *c;

	broker_start(b);
	o.window = 7;
	c = client_with(&o);
	assert_true(reaches(&c->connected, 1, 10));
	kill(b->pid, SIGSTOP);
	for (int i = 0; i < 7; i++)
		publish(c, "t", "1");
	assert_int_equal(link_window_free(c->link), 0);
	assert_int_equal(try_publish(c, "t", "1", &e), ERR_AGAIN);
	assert_string_equal(e.code, "window-full");
	kill(b->pid, SIGCONT);
	assert_true(reaches(&c->acked, 7, 5));
	assert_int_equal(link_window_free(c->link), 7);
	client_end(c);
}

static void what_the_broker_refuses_is_told_with_its_reason(void **state)
{
	struct broker *b = *state;
	char acl[128];
	struct client *c;

	snprintf(acl, sizeof(acl), "acl_file %s/acl", b->folder);
	write_file(b, "acl", "topic readwrite allowed/#\n");
	configure(b, acl);
	broker_start(b);
	c = client(b, "meek");
	publish(c, "forbidden/1", "1");
	assert_true(reaches(&c->refused, 1, 5));
	assert_int_equal(c->reason, 0x87);
	publish(c, "allowed/1", "1");
	assert_true(reaches(&c->acked, 1, 5));
	assert_int_equal(c->disconnected, 0);
	client_end(c);
}

static void what_would_end_the_connection_is_refused_before_it_is_sent(void **state)
{
	static const char *const topics[] = {"", "a/+", "#", "a/#/b", "bad\xff"};
	static const char *const filters[] = {"",   "a/#/b",	  "a#",	    "+a/b",
					      "#/", "$share/g/a", "bad\xff"};
	static const char *const good[] = {"a", "+", "#", "a/#", "+/+/b", "/", "a//+", "$SYS/x"};
	struct broker *b = *state;
	struct client *c;
	char *large;

	configure(b, "max_packet_size 20000");
	broker_start(b);
	c = client(b, "careful");
	for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
		struct err e = {0};

		assert_int_equal(try_publish(c, topics[i], "1", &e), ERR_BAD);
		assert_string_equal(e.code, "bad-topic");
	}
	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		struct err e = {0};

		assert_int_equal(link_subscribe(c->link, &filters[i], 1, 0, 2000, &e), ERR_BAD);
	}
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		subscribe(c, good[i]);
	large = mem_alloc(30000);
	for (size_t size = 19000; size < 21001; size += 2000) {
		struct err e = {0};

		memset(large, 'x', size);
		assert_int_equal(try_publish(c, "t", large, &e), size < 20000 ? 0 : ERR_BAD);
	}
	free(large);
	assert_true(reaches(&c->acked, 1, 5));
	usleep(200000);
	assert_int_equal(c->disconnected, 0);
	assert_int_equal(link_window_free(c->link), 150);
	client_end(c);
}

static void quality_of_service_0_is_done_once_written(void **state)
{
	struct link_publish p = {.topic = "t", .payload = "1", .payload_len = 1, .qos = 0,
				 .cookie = (void *)1};
	struct broker *b = *state;
	struct err e = {0};
	struct client *c;

	broker_start(b);
	c = client(b, "loose");
	subscribe(c, "t");
	assert_int_equal(link_publish(c->link, &p, &e), 0);
	assert_true(reaches(&c->acked, 1, 5));
	assert_true(reaches(&c->messages, 1, 5));
	assert_int_equal(c->seen.qos, 0);
	client_end(c);
}

/* ---- receiving ---- */

static void response_topic_and_correlation_data_make_the_round_trip(void **state)
{
	struct broker *b = *state;
	struct err e = {0};
	struct link_publish p = {.topic = "r/1", .payload = "", .qos = 1, .correlation = "c\0d",
				 .correlation_len = 3, .cookie = (void *)1};
	char port[16];
	const char *argv[] = {"mosquitto_pub", "-V", "5", "-h", "127.0.0.1", "-p", port, "-q", "1",
			      "-t", "in/a", "-m", "7 text", "-D", "publish", "response-topic",
			      "r/1", "-D", "publish", "correlation-data", "abc", NULL};
	struct client *c;

	snprintf(port, sizeof(port), "%d", b->port);
	broker_start(b);
	c = client(b, "polite");
	subscribe(c, "in/#");
	subscribe(c, "r/#");
	run(b, argv);
	assert_true(reaches(&c->messages, 1, 5));
	assert_string_equal(c->topic, "in/a");
	assert_string_equal(c->payload, "7 text");
	assert_string_equal(c->response, "r/1");
	assert_string_equal(c->correlation, "abc");
	assert_int_equal(link_publish(c->link, &p, &e), 0);
	assert_true(reaches(&c->messages, 2, 5));
	assert_int_equal(c->seen.correlation_len, 3);
	assert_int_equal(c->seen.payload_len, 0);
	assert_null(c->seen.response_topic);
	publish(c, "r/1", "3");
	assert_true(reaches(&c->messages, 3, 5));
	assert_null(c->seen.correlation);
	client_end(c);
}

static void a_proxy_that_others_use_is_not_asked_for_the_way_to_the_broker(void **state)
{
	struct broker *b = *state;
	struct client *c;

	broker_start(b);
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	c = client(b, "direct");
	assert_true(reaches(&c->connected, 1, 5));
	unsetenv("http_proxy");
	client_end(c);
}

static void retained_messages_come_marked_or_not_at_all(void **state)
{
	struct link_publish p = {.topic = "kept",
				 .payload = "1",
				 .payload_len = 1,
				 .qos = 1,
				 .retained = true,
				 .cookie = (void *)1};
	const char *filter = "kept";
	struct broker *b = *state;
	struct err e = {0};
	struct client *c;

	broker_start(b);
	c = client(b, "collector");
	assert_int_equal(link_publish(c->link, &p, &e), 0);
	assert_true(reaches(&c->acked, 1, 5));
	assert_int_equal(link_subscribe(c->link, &filter, 1, 2, 5000, &e), 0);
	usleep(200000);
	assert_int_equal(c->messages, 0);
	subscribe(c, filter);
	assert_true(reaches(&c->messages, 1, 5));
	assert_true(c->seen.retained);
	assert_int_equal(link_unsubscribe(c->link, &filter, 1, 5000, &e), 0);
	publish(c, filter, "2");
	assert_true(reaches(&c->acked, 2, 5));
	usleep(200000);
	assert_int_equal(c->messages, 1);
	client_end(c);
}

static void many_filters_are_one_call(void **state)
{
	char text[100][16];
	const char *filters[100];
	struct broker *b = *state;
	struct err e = {0};
	struct client *c;

	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		snprintf(text[i], sizeof(text[i]), "f/%zu/+", i);
		filters[i] = text[i];
	}
	broker_start(b);
	c = client(b, "curious");
	assert_int_equal(link_subscribe(c->link, filters, ARRAY_LEN(filters), 0, 5000, &e), 0);
	publish(c, "f/99/x", "1");
	publish(c, "f/0/x", "2");
	assert_true(reaches(&c->messages, 2, 5));
	client_end(c);
}

static void a_subscription_without_an_answer_says_so_in_time(void **state)
{
	const char *filter = "t";
	struct broker *b = *state;
	struct err e = {0};
	struct client *c;

	broker_start(b);
	c = client(b, "waiting");
	kill(b->pid, SIGSTOP);
	assert_int_equal(link_subscribe(c->link, &filter, 1, 0, 300, &e), ERR_AGAIN);
	kill(b->pid, SIGCONT);
	subscribe(c, filter);
	link_stop(c->link, 3000);
	assert_int_equal(link_subscribe(c->link, &filter, 1, 0, 300, &e), ERR_AGAIN);
	client_end(c);
}

/* ---- TLS ---- */

static void make_certificates(const struct broker *b)
{
	char script[1400];
	const char *argv[] = {"sh", "-ec", script, NULL};

	snprintf(script, sizeof(script),
		 "cd %s\n"
		 "new='openssl req -newkey rsa:2048 -nodes'\n"
		 "sign='openssl x509 -req -days 2 -CA ca.pem -CAkey ca.key -CAcreateserial'\n"
		 "for ca in ca other; do\n"
		 "  $new -x509 -days 2 -subj /CN=$ca -keyout $ca.key -out $ca.pem\n"
		 "done\n"
		 "printf 'subjectAltName=IP:127.0.0.1,DNS:localhost' >san\n"
		 "$new -subj /CN=broker -keyout server.key -out server.csr\n"
		 "$sign -in server.csr -extfile san -out server.pem\n"
		 "$new -subj /CN=gateway -keyout client.key -out client.csr\n"
		 "$sign -in client.csr -out client.pem\n", b->folder);
	run(b, argv);
}

static void tls_trusts_the_given_authority_and_no_other(void **state)
{
	struct broker *b = *state;
	struct link_options o = options(b, "guarded");
	char ca[128], cert[128], key[128], other[128], more[512];
	struct client *c, *stranger, *nobody;

	make_certificates(b);
	snprintf(ca, sizeof(ca), "%s/ca.pem", b->folder);
	snprintf(cert, sizeof(cert), "%s/client.pem", b->folder);
	snprintf(key, sizeof(key), "%s/client.key", b->folder);
	snprintf(other, sizeof(other), "%s/other.pem", b->folder);
	snprintf(more, sizeof(more), "cafile %s\ncertfile %s/server.pem\nkeyfile %s/server.key\n"
		 "require_certificate true", ca, b->folder, b->folder);
	configure(b, more);
	broker_start(b);
	o.tls = (struct link_tls){.ca = ca, .cert = cert, .key = key};
	c = client_with(&o);
	assert_true(reaches(&c->connected, 1, 10));
	subscribe(c, "t/#");
	for (int i = 1; i <= 150; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%d", i);
		publish(c, "t/1", text);
	}
	assert_true(reaches(&c->messages, 150, 10));
	assert_true(reaches(&c->acked, 150, 10));
	assert_int_equal(c->out_of_order, 0);
	o.client_id = "misled";
	o.tls.ca = other;               /* trusts somebody else than who signed the broker */
	stranger = client_with(&o);
	o.client_id = "nobody";
	o.tls = (struct link_tls){.ca = ca};    /* shows no certificate of its own */
	nobody = client_with(&o);
	sleep(3);
	assert_int_equal(stranger->connected, 0);
	assert_int_equal(nobody->connected, 0);
	assert_true(link_is_connected(c->link));
	client_end(stranger);
	client_end(nobody);
	client_end(c);
}

static void a_missing_certificate_file_is_named(void **state)
{
	struct link_callbacks callbacks = {0};
	struct broker *b = *state;
	struct link_options o = options(b, "x");
	struct link *link = NULL;
	struct err e = {0};

	o.tls.ca = "/nonexistent/ca.pem";
	assert_int_equal(link_new(&o, &callbacks, &link, &e), ERR_BAD);
	assert_non_null(strstr(e.text, "/nonexistent/ca.pem"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		/* First: it forks, and that needs a process in which Paho has no threads yet. */
		TEST(the_will_speaks_for_the_killed_and_for_who_leaves_at_once_and_not_for_the_stopped),
		TEST(it_keeps_trying_until_the_broker_is_there),
		TEST(a_link_that_never_got_through_can_be_stopped),
		TEST(small_packets_are_not_held_back),
		TEST(messages_of_the_time_away_come_after_it),
		TEST(a_clean_link_has_no_session),
		TEST(who_is_told_that_the_session_is_taken_stays_away_until_started),
		TEST(two_with_one_session_do_not_fight_when_one_may_not_connect),
		TEST(fifty_thousand_messages_go_out_and_come_back_in_order),
		TEST(every_publish_ends_once_though_the_broker_is_killed),
		TEST(a_publish_without_an_answer_is_lost_after_ten_seconds_and_not_again),
		TEST(no_more_than_the_window_is_outstanding),
		TEST(what_the_broker_refuses_is_told_with_its_reason),
		TEST(what_would_end_the_connection_is_refused_before_it_is_sent),
		TEST(quality_of_service_0_is_done_once_written),
		TEST(response_topic_and_correlation_data_make_the_round_trip),
		TEST(a_proxy_that_others_use_is_not_asked_for_the_way_to_the_broker),
		TEST(retained_messages_come_marked_or_not_at_all),
		TEST(many_filters_are_one_call),
		TEST(a_subscription_without_an_answer_says_so_in_time),
		TEST(tls_trusts_the_given_authority_and_no_other),
		TEST(a_missing_certificate_file_is_named),
	};
	int failed;

	log_init("test", LOG_INFO_);
	cmocka_set_test_filter(getenv("CMOCKA_FILTER"));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	fflush(NULL);
	_exit(failed ? 1 : 0);  /* Paho's threads are still there: no exit handlers under them */
}
