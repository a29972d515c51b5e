/*
 * The departments' work as a load: takes cases through accept, contact, resolve, and has the reporter rate them,
 * which closes them. A case goes on when its event has come, so that at most --open cases are under way and the
 * rate is what the whole finishes. One connection a department, which also receives its events, cards and results.
 *
 * The cases file has a line a case: number, department, channel, report id. The last line on stdout is the result.
 */
#include "mqtt.h"

#include <err.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

enum { CONNS_MAX = 64, WINDOW = 1200, STALL_US = 20000000 };

static const struct step {
	const char *event, *action, *more;      /* the event that tells of it; what brings it about */
} steps[] = {
	{"accepted", "accept", ""}, {"contacted", "contact", ""}, {"resolved", "resolve", ",\"answer\":\"已派人修好，请查看\""},
	{"closed", "rate", ",\"score\":\"satisfied\""},
};
enum { N_STEPS = sizeof(steps) / sizeof(steps[0]), RATE = N_STEPS - 1 };

struct place {
	char *name, *topic;             /* department or channel; where its words go */
	struct mqtt *conn;
};
struct one {
	char *number;
	struct place *dept, *channel;
	unsigned step;                  /* the one that is under way; N_STEPS: over */
};

static struct mqtt conns[CONNS_MAX];
static struct place places[CONNS_MAX];
static size_t n_places;
static struct one *cases;
static size_t n_cases, started, over, transitions, results, cards, refused;
static size_t *by_number, slots;        /* number -> index + 1 */
static const char *host = "127.0.0.1", *file;
static int port = 1883;
static size_t max_open = 2000;
static int64_t now_us, progress_us;

static int64_t mono_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- cases -------------------------------------------------------------------------------------- */
static size_t slot_of(const char *number, size_t len)
{
	uint64_t h = 1469598103934665603ull;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)number[i]) * 1099511628211ull;
	for (size_t at = h % slots;; at = (at + 1) % slots)
		if (!by_number[at] ||
		    (strncmp(cases[by_number[at] - 1].number, number, len) == 0 && !cases[by_number[at] - 1].number[len]))
			return at;
}

static struct place *place_of(const char *name)
{
	for (size_t i = 0; i < n_places; i++)
		if (strcmp(places[i].name, name) == 0)
			return &places[i];
	errx(2, "no account for %s", name);
}

static void read_cases(void)
{
	FILE *f = fopen(file, "re");
	char number[64], dept[80], channel[80];

	if (!f)
		err(2, "%s", file);
	for (size_t cap = 0; fscanf(f, "%63s %79s %79s", number, dept, channel) == 3; n_cases++) {
		if (n_cases == cap)
			cases = realloc(cases, (cap = cap ? 2 * cap : 1024) * sizeof(*cases));
		if (!cases)
			err(1, "memory");
		cases[n_cases] = (struct one){strdup(number), place_of(dept), place_of(channel), 0};
	}
	fclose(f);
	slots = 2 * n_cases + 1;
	by_number = calloc(slots, sizeof(*by_number));
	if (!by_number || !n_cases)
		errx(2, "%s: no cases", file);
	for (size_t i = 0; i < n_cases; i++)
		by_number[slot_of(cases[i].number, strlen(cases[i].number))] = i + 1;
}

/* ---- what goes and comes ------------------------------------------------------------------------ */
static void say(const struct one *c)
{
	const struct place *to = c->step == RATE ? c->channel : c->dept;
	char payload[400];
	size_t len, id_at, payload_at;
	uint16_t id = mqtt_take_id(to->conn);
	const char *name = c->step == RATE ? "id" : "request", *kind = c->step == RATE ? "kind" : "action";
	int n = snprintf(payload, sizeof(payload), "{\"v\":1,\"%s\":\"%s-%u\",\"case\":\"%s\",\"%s\":\"%s\",\"by\":\"li\"%s}", name,
			 c->number, c->step, c->number, kind, steps[c->step].action, steps[c->step].more);
	unsigned char *packet = mqtt_packet(to->topic, payload, (size_t)n, NULL, &len, &id_at, &payload_at);

	packet[id_at] = (unsigned char)(id >> 8);
	packet[id_at + 1] = (unsigned char)id;
	memcpy(mqtt_put(to->conn, len), packet, len);
	to->conn->unacked++;
	free(packet);
}

static const char *member(const struct mqtt_message *m, const char *name, size_t *len)
{
	const char *at = memmem(m->payload, m->payload_len, name, strlen(name));
	const char *end;

	if (!at)
		return NULL;
	at += strlen(name);
	end = memchr(at, '"', (size_t)(m->payload + m->payload_len - at));
	*len = end ? (size_t)(end - at) : 0;
	return end ? at : NULL;
}

static void go_on(struct one *c)
{
	transitions++;
	if (++c->step < N_STEPS) {
		say(c);
		return;
	}
	over++;
	if (started < n_cases)
		say(&cases[started++]);
}

static void on_message(void *arg, const struct mqtt_message *m)
{
	size_t len = 0, kind_len = 0, at;
	const char *number = member(m, "\"case\":\"", &len), *kind = member(m, "\"kind\":\"", &kind_len);
	struct one *c;

	(void)arg;
	progress_us = now_us;
	if (memmem(m->topic, m->topic_len, "/queue/", 7)) {
		cards++;
		return;
	}
	if (memmem(m->topic, m->topic_len, "/result", 7)) {
		results++;
		refused += !memmem(m->payload, m->payload_len, "\"done\"", 6);
		return;
	}
	at = number ? slot_of(number, len) : 0;
	if (!number || !kind || !by_number[at])
		return;
	c = &cases[by_number[at] - 1];
	if (c->step < N_STEPS && strlen(steps[c->step].event) == kind_len && memcmp(steps[c->step].event, kind, kind_len) == 0)
		go_on(c);
}

static double run(void)
{
	struct epoll_event ready[CONNS_MAX];
	struct timespec wait = {0, 10000000}, nap = {0, 1000000};
	int poll = epoll_create1(EPOLL_CLOEXEC);
	int64_t since, ping_us;

	for (size_t i = 0; i < n_places; i++) {
		struct epoll_event want = {.events = EPOLLIN, .data.ptr = &conns[i]};

		mqtt_go(&conns[i]);
		if (epoll_ctl(poll, EPOLL_CTL_ADD, conns[i].fd, &want) < 0)
			err(1, "epoll");
	}
	since = now_us = progress_us = ping_us = mono_us();
	while (started < n_cases && started < max_open)
		say(&cases[started++]);
	while (over < n_cases) {
		int n = epoll_pwait2(poll, ready, CONNS_MAX, &wait, NULL);

		now_us = mono_us();
		for (int i = 0; i < n; i++)
			mqtt_read(ready[i].data.ptr, on_message, NULL);
		for (size_t i = 0; i < n_places; i++) {
			if (now_us - ping_us > 20000000)
				mqtt_ping(&conns[i]);
			mqtt_flush(&conns[i]);
		}
		if (now_us - ping_us > 20000000)
			ping_us = now_us;
		if (now_us - progress_us > STALL_US)
			errx(1, "nothing has come for %d s; %zu of %zu cases over, %zu results, %zu not done", STALL_US / 1000000, over,
			     n_cases, results, refused);
		nanosleep(&nap, NULL);
	}
	return (double)(now_us - since) / 1e6;
}

/* user:password:name:topic[:filter,filter …] */
static void add_place(char *spec)
{
	struct place *p = &places[n_places];
	char *user = strsep(&spec, ":"), *password = strsep(&spec, ":"), *filter, id[32];

	if (n_places == CONNS_MAX || !spec)
		errx(2, "an account is user:password:name:topic:filters, at most %d", CONNS_MAX);
	p->name = strsep(&spec, ":");
	p->topic = strsep(&spec, ":");
	p->conn = &conns[n_places];
	snprintf(id, sizeof(id), "steps-%zu", n_places++);
	mqtt_open(p->conn, host, port, id, user, password);
	while (spec && *spec && (filter = strsep(&spec, ",")))
		mqtt_subscribe(p->conn, filter);
}

int main(int argc, char **argv)
{
	static const struct option words[] = {{"host", 1, NULL, 'h'}, {"port", 1, NULL, 'p'}, {"cases", 1, NULL, 'c'},
					      {"as", 1, NULL, 'a'}, {"open", 1, NULL, 'o'}, {NULL, 0, NULL, 0}};
	double seconds;
	int c;

	while ((c = getopt_long(argc, argv, "", words, NULL)) >= 0)
		switch (c) {
		case 'h': host = optarg; break;
		case 'p': port = (int)strtol(optarg, NULL, 10); break;
		case 'c': file = optarg; break;
		case 'a': add_place(optarg); break;
		case 'o': max_open = strtoul(optarg, NULL, 10); break;
		default: errx(2, "steps --port N --cases FILE --as U:P:NAME:TOPIC[:FILTERS] … [--open N]");
		}
	if (!file)
		errx(2, "--cases names the file of cases");
	read_cases();
	seconds = run();
	printf("{\"seconds\":%.3f,\"transitions\":%zu,\"per_s\":%.1f,\"results\":%zu,\"not_done\":%zu,\"cards\":%zu}\n", seconds,
	       transitions, (double)transitions / seconds, results, refused, cards);
	for (size_t i = 0; i < n_places; i++)
		mqtt_close(&conns[i]);
	return 0;
}
