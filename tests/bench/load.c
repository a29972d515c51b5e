/*
 * The load of the bench: publishes tickets, receives events, cards and receipts, and says what became of
 * each ticket. It shares two cores with what it measures, so a ticket costs a memcpy of a ready packet in
 * which its number is patched, and a message that comes a search for that number; no JSON is read.
 *
 * A ticket's number is MARK and eight letters. The tickets file has it (with any letters) in the report's
 * id and in the first words of the text, whence it comes back: in receipts the id, in events and cards
 * the title.
 *
 * Closed loop (no --rate): at most --open tickets are without their event, so that the rate is what the
 * whole finishes and not what the broker can queue. Open loop (--rate): tickets leave when a Poisson
 * process says so, late or not, and their age counts from that instant. The ages are those of all tickets that
 * were due in the measured time, whenever they could leave and whenever their event came; the rate counts events
 * that came in it.
 *
 * Lines on stdout tell the phases ("begin", "end" of the measured time), the last one is the result.
 */
#include "mqtt.h"

#include <err.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#define MARK "ZQX"
enum { LETTERS = 8, MARK_LEN = sizeof(MARK) - 1, MARKS_MAX = 4, CONNS_MAX = 64, PACKETS_MAX = 4096, TIME_LEN = 19,
       BURST = 32, ASK_EVERY = 10, PING_US = 20000000, STALL_US = 10000000 };
enum { GOT_EVENT = 1, GOT_CARD = 2, GOT_RECEIPT = 4 };
enum phase { WARMING, MEASURING, DRAINING };

struct packet {
	unsigned char *bytes;
	size_t len, id_at, time_at;     /* time_at 0: has none */
	size_t lat_at, lon_at;          /* six decimals of each, or 0 */
	size_t mark_at[MARKS_MAX], n_marks;
};
struct publisher {
	struct mqtt *conn;
	char *topic, *receipts;
};
struct ticket {
	int64_t due_us;                 /* when it was to leave */
	uint8_t got;
};

static struct {
	const char *host, *tickets, *name;
	int port;
	size_t max_open, window, max_tickets;
	double warmup_s, seconds, rate, patience_s;
	uint32_t first;
	int nap_us;
	bool no_cards;
} options = {.host = "127.0.0.1", .port = 1883, .name = "load", .max_open = 3000, .window = 400, .nap_us = 1000,
	     .warmup_s = 3, .seconds = 20, .patience_s = 60, .max_tickets = 16000000};

static struct mqtt conns[CONNS_MAX];
static size_t n_conns;
static struct publisher publishers[CONNS_MAX];
static size_t n_publishers;
static struct packet packets[PACKETS_MAX][2];   /* without and with Response Topic */
static size_t n_packets;

static struct ticket *tickets;
static size_t sent, asked, n_event, n_card, n_receipt;  /* tickets; the latter three: that have theirs */
static size_t in_time;                          /* tickets that got their event in the measured time */
static struct {
	uint64_t events, cards, receipts, other, event_bytes;
} messages;
static uint32_t *ages_us;
static size_t n_ages;
static enum phase phase;
static int64_t start_us, now_us, begin_us, end_us, progress_us;

static int64_t mono_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void say(const char *what)
{
	printf("{\"phase\":\"%s\"}\n", what);
	fflush(stdout);
}

/* ---- what comes ------------------------------------------------------------------------------- */
static struct ticket *find_ticket(const char *p, size_t n)
{
	const char *at = memmem(p, n, MARK, MARK_LEN);
	uint32_t v = 0;

	if (!at || (size_t)(p + n - at) < MARK_LEN + LETTERS)
		return NULL;
	for (int i = 0; i < LETTERS; i++)
		v = v << 4 | (uint32_t)((at[MARK_LEN + i] - 'a') & 15);
	v -= options.first;
	return v < sent ? &tickets[v] : NULL;
}

/* Of the measured time is what was due in it, however late its event: a stall at the end is no less a stall. */
static bool counts(const struct ticket *t)
{
	return phase != WARMING && t->due_us >= begin_us && (phase == MEASURING || t->due_us <= end_us);
}

static void first_event(const struct ticket *t)
{
	n_event++;
	in_time += phase == MEASURING;
	if (counts(t) && n_ages < options.max_tickets)
		ages_us[n_ages++] = (uint32_t)(now_us - t->due_us);
}

static void on_message(void *arg, const struct mqtt_message *m)
{
	struct ticket *t = find_ticket(m->payload, m->payload_len);
	uint8_t before;

	(void)arg;
	progress_us = now_us;
	if (!t) {
		messages.other++;
		return;
	}
	before = t->got;
	if (memmem(m->topic, m->topic_len, "/event/", 7)) {
		messages.events++;
		messages.event_bytes += m->payload_len;
		t->got |= GOT_EVENT;
		if (!(before & GOT_EVENT))
			first_event(t);
	} else if (memmem(m->topic, m->topic_len, "/queue/", 7)) {
		messages.cards++;
		t->got |= GOT_CARD;
		n_card += !(before & GOT_CARD);
	} else {
		messages.receipts++;
		t->got |= GOT_RECEIPT;
		n_receipt += !(before & GOT_RECEIPT);
	}
}

/* ---- what goes -------------------------------------------------------------------------------- */
static const char *time_text(void)
{
	static char text[TIME_LEN + 1];
	static time_t of;
	time_t now = time(NULL) + 8 * 3600;     /* Asia/Shanghai */
	struct tm tm;

	if (now != of) {
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&now, &tm));
		of = now;
	}
	return text;
}

static struct publisher *publisher_of(size_t i)
{
	return &publishers[i % n_packets % n_publishers];
}

/*
 * Each ticket is of a place of its own in a city of 33 by 36 km: the rate is a city's, and the same place and words
 * again would be the same matter.
 */
static void put_place(unsigned char *p, uint32_t *seed, unsigned from, unsigned width)
{
	unsigned v;

	*seed = *seed * 2654435761u + 12345;
	v = from + (*seed >> 8) % width;
	for (int i = 5; i >= 0; i--, v /= 10)
		p[i] = (unsigned char)('0' + v % 10);
}

static void emit(int64_t at_us)
{
	struct mqtt *conn = publisher_of(sent)->conn;
	bool asks = sent % ASK_EVERY == 0;
	const struct packet *k = &packets[sent % n_packets][asks];
	uint32_t number = options.first + (uint32_t)sent, seed = number;
	unsigned char letters[LETTERS], *p = mqtt_put(conn, k->len);
	uint16_t id = mqtt_take_id(conn);

	memcpy(p, k->bytes, k->len);
	p[k->id_at] = (unsigned char)(id >> 8);
	p[k->id_at + 1] = (unsigned char)id;
	for (int i = LETTERS - 1; i >= 0; i--, number >>= 4)
		letters[i] = (unsigned char)('a' + (number & 15));
	for (size_t i = 0; i < k->n_marks; i++)
		memcpy(p + k->mark_at[i] + MARK_LEN, letters, LETTERS);
	if (k->time_at)
		memcpy(p + k->time_at, time_text(), TIME_LEN);
	if (k->lat_at && k->lon_at) {
		put_place(p + k->lat_at, &seed, 600000, 300000);
		put_place(p + k->lon_at, &seed, 450000, 400000);
	}
	conn->unacked++;
	asked += asks;
	tickets[sent++] = (struct ticket){.due_us = at_us};
}

static bool may_emit(void)
{
	return sent < options.max_tickets && publisher_of(sent)->conn->unacked < options.window;
}

/* In bursts: a ticket for each event that comes would be a system call for each. */
static void emit_closed(void)
{
	if (phase == DRAINING || sent - n_event + BURST > options.max_open)
		return;
	while (sent - n_event < options.max_open && may_emit())
		emit(now_us);
}

static double random_unit(void)
{
	static uint64_t x = 0x9e3779b97f4a7c15u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return ((double)(x >> 11) + 1) / 9007199254740993.0;
}

static double next_due_us;

/* A ticket is due and has not left. What fell due in the measured time leaves behind its end, where it must. */
static bool is_owed(void)
{
	return options.rate > 0 && sent < options.max_tickets && next_due_us <= (double)(phase == DRAINING ? end_us : now_us);
}

static void emit_open(void)
{
	if (next_due_us <= 0)
		next_due_us = (double)now_us;
	for (; is_owed() && may_emit(); next_due_us -= log(random_unit()) * 1e6 / options.rate)
		emit((int64_t)next_due_us);
}

/* ---- phases ----------------------------------------------------------------------------------- */
static bool drained(void)
{
	for (size_t i = 0; i < n_conns; i++)
		if (conns[i].unacked)
			return false;
	return !is_owed() && n_event == sent && (options.no_cards || (n_card == sent && n_receipt >= asked));
}

static void next_phase(void)
{
	static bool published;

	if (phase == WARMING && now_us - start_us >= (int64_t)(options.warmup_s * 1e6)) {
		phase = MEASURING;
		begin_us = now_us;
		say("begin");
	}
	if (phase == MEASURING && (now_us - begin_us >= (int64_t)(options.seconds * 1e6) ||
				   (sent == options.max_tickets && n_event == sent))) {
		phase = DRAINING;
		end_us = progress_us = now_us;
		say("end");
	}
	if (!published && sent == options.max_tickets) {
		for (size_t i = 0; i < n_conns; i++)
			if (conns[i].unacked)
				return;
		published = true;
		say("published");
	}
}

static void turn(int poll)
{
	struct epoll_event ready[CONNS_MAX];
	struct timespec wait = {0, 10000000};
	int n;

	if (options.rate > 0 && phase != DRAINING && next_due_us - (double)mono_us() < 10000) {
		double left = next_due_us - (double)mono_us();

		wait.tv_nsec = left > 0 ? (long)(left * 1000) : 0;
	}
	n = epoll_pwait2(poll, ready, CONNS_MAX, &wait, NULL);
	now_us = mono_us();
	for (int i = 0; i < n; i++)
		mqtt_read(ready[i].data.ptr, on_message, NULL);
	if (options.rate > 0)
		emit_open();
	else
		emit_closed();
	for (size_t i = 0; i < n_conns; i++)
		mqtt_flush(&conns[i]);
}

static void run(void)
{
	struct timespec nap = {0, options.nap_us * 1000};
	int64_t next_ping_us;
	int poll = epoll_create1(EPOLL_CLOEXEC);

	prctl(PR_SET_TIMERSLACK, 1UL);
	for (size_t i = 0; i < n_conns; i++) {
		struct epoll_event want = {.events = EPOLLIN, .data.ptr = &conns[i]};

		mqtt_go(&conns[i]);
		if (epoll_ctl(poll, EPOLL_CTL_ADD, conns[i].fd, &want) < 0)
			err(1, "epoll");
	}
	start_us = now_us = progress_us = mono_us();
	next_ping_us = start_us + PING_US;
	while (phase != DRAINING || (!drained() && now_us - progress_us < STALL_US)) {
		turn(poll);
		next_phase();
		if (phase != DRAINING && now_us - progress_us > (int64_t)(options.patience_s * 1e6))
			errx(1, "nothing has come for %.0f s; %zu tickets sent, %zu events", options.patience_s, sent, n_event);
		if (now_us >= next_ping_us) {
			next_ping_us += PING_US;
			for (size_t i = 0; i < n_conns; i++)
				mqtt_ping(&conns[i]);
		}
		/* Messages gather meanwhile: fewer and larger reads and writes, on both sides of the socket. */
		if (options.rate <= 0 && options.nap_us)
			nanosleep(&nap, NULL);
	}
	if (is_owed())
		errx(1, "the broker takes no more: tickets that were due have not left");
}

/* ---- the result ------------------------------------------------------------------------------- */
static int by_size(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

static double age_ms(double part)
{
	size_t at = (size_t)ceil(part * (double)n_ages);

	return n_ages ? ages_us[at ? at - 1 : 0] / 1000.0 : 0;
}

static void report(void)
{
	double seconds = (double)(end_us - begin_us) / 1e6;
	uint64_t refused = 0;
	struct rusage used;

	for (size_t i = 0; i < n_conns; i++)
		refused += conns[i].refused;
	getrusage(RUSAGE_SELF, &used);
	qsort(ages_us, n_ages, sizeof(*ages_us), by_size);
	printf("{\"sent\":%zu,\"refused\":%lu,\"asked\":%zu,\"no_event\":%zu,\"no_card\":%zu,\"no_receipt\":%zu,"
	       "\"events\":%lu,\"cards\":%lu,\"receipts\":%lu,\"other\":%lu,\"event_bytes\":%.0f,", sent, refused, asked,
	       sent - n_event, sent - n_card, n_receipt > asked ? 0 : asked - n_receipt, messages.events, messages.cards,
	       messages.receipts, messages.other,
	       messages.events ? (double)messages.event_bytes / (double)messages.events : 0);
	printf("\"seconds\":%.3f,\"in_time\":%zu,\"per_s\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"p999_ms\":%.3f,"
	       "\"max_ms\":%.3f,\"user_s\":%.3f,\"system_s\":%.3f}\n", seconds, in_time,
	       seconds > 0 ? (double)in_time / seconds : 0, age_ms(0.5), age_ms(0.99), age_ms(0.999), age_ms(1),
	       (double)used.ru_utime.tv_sec + (double)used.ru_utime.tv_usec / 1e6,
	       (double)used.ru_stime.tv_sec + (double)used.ru_stime.tv_usec / 1e6);
}

/* ---- beginning -------------------------------------------------------------------------------- */
static struct mqtt *open_conn(const char *user, const char *password)
{
	char id[64];

	if (n_conns == CONNS_MAX)
		errx(2, "at most %d connections", CONNS_MAX);
	snprintf(id, sizeof(id), "%s-%zu", options.name, n_conns);
	mqtt_open(&conns[n_conns], options.host, options.port, id, user, password);
	return &conns[n_conns++];
}

/* user:password:filter[,filter …] */
static void add_subscriber(char *spec)
{
	char *user = strsep(&spec, ":"), *password = strsep(&spec, ":"), *filter;
	struct mqtt *conn;

	if (!spec)
		errx(2, "a subscriber is user:password:filter,filter");
	conn = open_conn(user, password);
	while ((filter = strsep(&spec, ",")))
		mqtt_subscribe(conn, filter);
}

/* user:password:topic[:receipt topic] */
static void add_publisher(char *spec)
{
	struct publisher *p = &publishers[n_publishers++];
	char *user = strsep(&spec, ":"), *password = strsep(&spec, ":");

	if (!spec)
		errx(2, "a publisher is user:password:topic:receipt topic");
	p->topic = strsep(&spec, ":");
	p->receipts = spec;
	p->conn = open_conn(user, password);
	if (p->receipts)
		mqtt_subscribe(p->conn, p->receipts);
}

/* Behind `name`, where six decimals follow; else 0. */
static size_t decimals_at(const struct packet *k, size_t payload_at, const char *name)
{
	const unsigned char *at = memmem(k->bytes + payload_at, k->len - payload_at, name, strlen(name));
	size_t from = at ? (size_t)(at - k->bytes) + strlen(name) : 0;

	return from && strspn((const char *)k->bytes + from, "0123456789") == 6 ? from : 0;
}

static void make_packet(struct packet *k, const struct publisher *to, const char *json, const char *response)
{
	size_t payload_at;
	const unsigned char *at, *end;

	k->bytes = mqtt_packet(to->topic, json, strlen(json), response, &k->len, &k->id_at, &payload_at);
	end = k->bytes + k->len;
	at = k->bytes + payload_at;
	while ((at = memmem(at, (size_t)(end - at), MARK, MARK_LEN)) && k->n_marks < MARKS_MAX) {
		k->mark_at[k->n_marks++] = (size_t)(at - k->bytes);
		at += MARK_LEN;
	}
	if (k->n_marks < 2)
		errx(2, "a ticket without its marks: %s", json);
	at = memmem(k->bytes + payload_at, k->len - payload_at, "\"time\":\"", 8);
	if (at)
		k->time_at = (size_t)(at + 8 - k->bytes);
	k->lat_at = decimals_at(k, payload_at, "\"lat\":34.");
	k->lon_at = decimals_at(k, payload_at, "\"lon\":113.");
}

static void read_tickets(void)
{
	FILE *f = fopen(options.tickets, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (!f)
		err(2, "%s", options.tickets);
	for (; (n = getline(&line, &cap, f)) > 0 && n_packets < PACKETS_MAX; n_packets++) {
		const struct publisher *to = &publishers[n_packets % n_publishers];

		line[strcspn(line, "\n")] = '\0';
		make_packet(&packets[n_packets][0], to, line, NULL);
		make_packet(&packets[n_packets][1], to, line, to->receipts);
	}
	free(line);
	fclose(f);
	if (!n_packets)
		errx(2, "%s: no tickets", options.tickets);
}

static void usage(void)
{
	errx(2, "load --port N --tickets FILE --publish U:P:TOPIC[:RECEIPTS] … --subscribe U:P:FILTER,… …\n"
		"	[--host IP] [--name ID] [--open N] [--window N] [--count N] [--warmup S] [--seconds S] [--rate N]\n"
		"	[--first N] [--nap US] [--patience S] [--no-cards]");
}

static void read_option(int c, char *value)
{
	double v = value ? strtod(value, NULL) : 0;

	switch (c) {
	case 'h': options.host = value; break;
	case 'p': options.port = (int)v; break;
	case 't': options.tickets = value; break;
	case 'i': options.name = value; break;
	case 'P': add_publisher(value); break;
	case 'S': add_subscriber(value); break;
	case 'o': options.max_open = (size_t)v; break;
	case 'w': options.window = (size_t)v; break;
	case 'c': options.max_tickets = (size_t)v; break;
	case 'W': options.warmup_s = v; break;
	case 's': options.seconds = v; break;
	case 'r': options.rate = v; break;
	case 'f': options.first = (uint32_t)v; break;
	case 'n': options.nap_us = (int)v; break;
	case 'a': options.patience_s = v; break;
	case 'C': options.no_cards = true; break;
	default: usage();
	}
}

int main(int argc, char **argv)
{
	static const struct option words[] = {
		{"host", 1, NULL, 'h'}, {"port", 1, NULL, 'p'}, {"tickets", 1, NULL, 't'}, {"name", 1, NULL, 'i'},
		{"publish", 1, NULL, 'P'}, {"subscribe", 1, NULL, 'S'}, {"open", 1, NULL, 'o'},
		{"window", 1, NULL, 'w'}, {"count", 1, NULL, 'c'}, {"warmup", 1, NULL, 'W'},
		{"seconds", 1, NULL, 's'}, {"rate", 1, NULL, 'r'}, {"first", 1, NULL, 'f'}, {"nap", 1, NULL, 'n'},
		{"patience", 1, NULL, 'a'}, {"no-cards", 0, NULL, 'C'}, {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", words, NULL)) >= 0)
		read_option(c, optarg);
	if (!options.tickets || !n_publishers || optind < argc)
		usage();
	read_tickets();
	tickets = calloc(options.max_tickets, sizeof(*tickets));
	ages_us = calloc(options.max_tickets, sizeof(*ages_us));
	if (!tickets || !ages_us)
		err(1, "memory");
	run();
	report();
	for (size_t i = 0; i < n_conns; i++)
		mqtt_close(&conns[i]);
	return 0;
}
