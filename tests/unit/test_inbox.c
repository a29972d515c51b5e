/* The journal is tried on real files: torn, flipped, on a full disk, and killed while it writes. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/vec.h"
#include "intake/inbox.h"
#include "intake/inbox_record.h"

enum { MIB = 1024 * 1024 };

struct folder {
	char path[64];
};

static int setup(void **state)
{
	struct folder *f = mem_alloc(sizeof(*f));

	snprintf(f->path, sizeof(f->path), "/tmp/needle-inbox-XXXXXX");
	*state = f;
	return mkdtemp(f->path) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct folder *f = *state;

	umount2(f->path, MNT_DETACH);   /* of a test that failed; elsewhere it does nothing */
	nftw(f->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static struct inbox *open_with(const char *path, int64_t max_bytes, int64_t segment_bytes,
			       enum inbox_durability durability)
{
	struct inbox_options o = {.folder = path, .durability = durability, .max_bytes = max_bytes,
				  .segment_bytes = segment_bytes};
	struct inbox *inbox = NULL;
	struct err e = {0};

	if (inbox_open(&o, &inbox, &e) < 0)
		fail_msg("inbox_open: %s", e.text);
	return inbox;
}

static struct inbox *open_small(const char *path)
{
	return open_with(path, 16 * MIB, 64 * 1024, INBOX_PROCESS);
}

/* A record that says its number, so that whatever comes back can be checked by itself. */
static int try_append(struct inbox *inbox, uint64_t number, size_t extra, struct err *e)
{
	CLEANUP(mem_freep) char *payload = mem_alloc(extra + 32);
	struct inbox_record r = {.received_at = (int64_t)number * 10,
				 .topic = "needle/jyl/in/hotline/a",
				 .payload = payload,
				 .qos = 1};
	uint64_t seq = 0;

	r.payload_len = (size_t)snprintf(payload, 32, "%" PRIu64 ":", number) + extra;
	if (inbox_append(inbox, &r, &seq, e) < 0)
		return -1;
	return seq == number ? 0 : -2;
}

static void append(struct inbox *inbox, uint64_t from, uint64_t to, size_t extra)
{
	struct err e = {0};

	for (uint64_t i = from; i <= to; i++) {
		int rc = try_append(inbox, i, extra, &e);

		if (rc)
			fail_msg("append %" PRIu64 " gave %d: %s", i, rc, e.text);
	}
}

/* Everything there is to read now, as numbers. */
struct numbers {
	uint64_t *v;
	size_t n, cap;
};

static void read_all(struct inbox *inbox, struct numbers *ret)
{
	struct inbox_record out[64];
	struct arena a = {0};
	size_t n;

	*ret = (struct numbers){0};
	while ((n = inbox_read(inbox, &a, out, ARRAY_LEN(out), MIB))) {
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(strtoull(out[i].payload, NULL, 10), out[i].seq);
			assert_int_equal(out[i].received_at, out[i].seq * 10);
			assert_string_equal(out[i].topic, "needle/jyl/in/hotline/a");
			VEC_PUSH(ret, out[i].seq);
		}
		arena_reset(&a);
	}
	arena_done(&a);
}

static void assert_reads(struct inbox *inbox, uint64_t from, uint64_t to)
{
	struct numbers got;

	read_all(inbox, &got);
	assert_int_equal(got.n, to + 1 - from);
	for (size_t i = 0; i < got.n; i++)
		assert_int_equal(got.v[i], from + i);
	VEC_DONE(&got);
}

static struct inbox_figures figures(struct inbox *inbox)
{
	struct inbox_figures f;

	inbox_figures(inbox, &f);
	return f;
}

static size_t count_files(const char *path, const char *pattern)
{
	char name[128];
	glob_t g;
	size_t n;

	snprintf(name, sizeof(name), "%s/%s", path, pattern);
	n = glob(name, 0, NULL, &g) ? 0 : g.gl_pathc;
	globfree(&g);
	return n;
}

static void segment_path(const char *folder, uint64_t first, char path[128])
{
	snprintf(path, 128, "%s/%020" PRIu64 ".log", folder, first);
}

static void poke(const char *path, int64_t off, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, data, len, off), len);
	close(fd);
}

static void wipe(const char *folder)
{
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(mkdir(folder, 0700), 0);
}

/* ---- one record ---- */

static void what_was_appended_comes_back_byte_for_byte(void **state)
{
	struct folder *f = *state;
	static const char binary[] = "a\0b\xff\n";
	static const struct inbox_record cases[] = {
		{.topic = "t", .payload = "", .payload_len = 0, .qos = 0},
		{.topic = "t/1",
		 .payload = binary,
		 .payload_len = sizeof(binary),
		 .qos = 1,
		 .dup = true},
		{.topic = "t/2", .payload = "p", .payload_len = 1, .response_topic = "r/1"},
		{.topic = "t/3",
		 .payload = "p",
		 .payload_len = 1,
		 .correlation = binary,
		 .correlation_len = sizeof(binary)},
		{.topic = "t/4",
		 .payload = "p",
		 .payload_len = 1,
		 .response_topic = "",
		 .correlation = "",
		 .correlation_len = 0,
		 .received_at = INT64_MIN},
	};
	struct inbox *inbox = open_small(f->path);
	struct inbox_record out[8];
	struct arena a = {0};
	struct err e = {0};
	uint64_t seq;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(inbox_append(inbox, &cases[i], &seq, &e), 0);
		assert_int_equal(seq, i + 1);
	}
	assert_int_equal(inbox_read(inbox, &a, out, 8, MIB), ARRAY_LEN(cases));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_string_equal(out[i].topic, cases[i].topic);
		assert_int_equal(out[i].payload_len, cases[i].payload_len);
		assert_memory_equal(out[i].payload, cases[i].payload, cases[i].payload_len);
		assert_int_equal(out[i].qos, cases[i].qos);
		assert_int_equal(out[i].dup, cases[i].dup);
		assert_int_equal(out[i].received_at, cases[i].received_at);
		assert_int_equal(!out[i].response_topic, !cases[i].response_topic);
		if (cases[i].response_topic)
			assert_string_equal(out[i].response_topic, cases[i].response_topic);
		assert_int_equal(!out[i].correlation, !cases[i].correlation);
		assert_int_equal(out[i].correlation_len, cases[i].correlation_len);
		if (cases[i].correlation)
			assert_memory_equal(out[i].correlation, cases[i].correlation,
					    cases[i].correlation_len);
	}
	arena_done(&a);
	inbox_close(inbox);
}

static void the_checksum_is_crc32c(void **state)
{
	unsigned char ramp[32];

	(void)state;
	for (size_t i = 0; i < sizeof(ramp); i++)
		ramp[i] = (unsigned char)i;
	assert_int_equal(inbox_crc32c("123456789", 9), 0xe3069283u);
	assert_int_equal(inbox_crc32c(ramp, sizeof(ramp)), 0x46dd794eu);  /* RFC 3720 B.4 */
}

/* ---- reading and retiring ---- */

static void reading_stops_at_its_limits_and_goes_on_where_it_stopped(void **state)
{
	struct folder *f = *state;
	struct inbox *inbox = open_small(f->path);
	struct inbox_record out[16];
	struct arena a = {0};

	append(inbox, 1, 10, 100);
	assert_int_equal(inbox_read(inbox, &a, out, 3, MIB), 3);
	assert_int_equal(out[2].seq, 3);
	/* About 150 bytes of payload: the one that passes the limit still comes. */
	assert_int_equal(inbox_read(inbox, &a, out, 16, 150), 2);
	assert_int_equal(out[0].seq, 4);
	assert_int_equal(inbox_read(inbox, &a, out, 16, MIB), 5);
	assert_int_equal(inbox_read(inbox, &a, out, 16, MIB), 0);
	arena_done(&a);
	inbox_close(inbox);
}

static void a_failed_batch_is_read_again_from_the_oldest_that_is_not_retired(void **state)
{
	struct folder *f = *state;
	struct inbox *inbox = open_small(f->path);

	append(inbox, 1, 2000, 100);
	assert_reads(inbox, 1, 2000);
	inbox_rewind(inbox);
	assert_reads(inbox, 1, 2000);
	inbox_retire(inbox, 1234);
	inbox_rewind(inbox);
	assert_reads(inbox, 1235, 2000);
	inbox_retire(inbox, 1000);      /* backwards: nothing */
	inbox_retire(inbox, 99999);     /* beyond what there is: what there is */
	assert_int_equal(figures(inbox).retired, 2000);
	assert_int_equal(figures(inbox).bytes, 0);
	append(inbox, 2001, 2002, 0);
	assert_reads(inbox, 2001, 2002);
	inbox_close(inbox);
}

static void what_is_retired_stays_retired_after_a_restart(void **state)
{
	struct folder *f = *state;
	struct inbox *inbox = open_small(f->path);

	append(inbox, 1, 500, 10);
	inbox_retire(inbox, 123);
	inbox_retire(inbox, 321);
	inbox_close(inbox);
	inbox = open_small(f->path);
	assert_reads(inbox, 322, 500);
	append(inbox, 501, 510, 10);
	assert_reads(inbox, 501, 510);
	inbox_retire(inbox, 510);
	inbox_close(inbox);
	inbox = open_small(f->path);
	assert_reads(inbox, 1, 0);
	append(inbox, 511, 511, 10);    /* numbers never come twice */
	inbox_close(inbox);
}

static void a_torn_note_of_what_is_retired_leaves_the_one_before(void **state)
{
	struct folder *f = *state;
	struct inbox *inbox = open_small(f->path);
	char path[128];

	append(inbox, 1, 10, 10);
	inbox_retire(inbox, 3);
	inbox_retire(inbox, 7);
	inbox_close(inbox);
	snprintf(path, sizeof(path), "%s/retired", f->path);
	poke(path, 64 + 9, "x", 1);     /* the second slot */
	inbox = open_small(f->path);
	assert_reads(inbox, 4, 10);
	inbox_close(inbox);
}

static void many_files_are_begun_and_deleted_in_order(void **state)
{
	struct folder *f = *state;
	struct inbox *inbox = open_small(f->path);

	for (uint64_t i = 1; i <= 20000; i += 500) {
		append(inbox, i, i + 499, 300);
		assert_reads(inbox, i, i + 499);
		if (i > 1000)
			inbox_retire(inbox, i - 1000);
		assert_in_range(count_files(f->path, "*.log"), 1, 14);
	}
	inbox_retire(inbox, 20000);
	/* A file that is just being synced goes a moment later. */
	for (int i = 0; i < 200 && count_files(f->path, "*.log") > 1; i++)
		usleep(10000);
	assert_int_equal(count_files(f->path, "*.log"), 1);
	inbox_close(inbox);
	inbox = open_small(f->path);
	assert_int_equal(figures(inbox).appended, 20000);
	assert_int_equal(count_files(f->path, "*.log"), 0);
	inbox_close(inbox);
}

static void a_record_larger_than_a_file_gets_one_of_its_own(void **state)
{
	struct folder *f = *state;
	struct inbox *inbox = open_small(f->path);

	append(inbox, 1, 2, 10);
	append(inbox, 3, 3, 700 * 1024);
	append(inbox, 4, 5, 10);
	inbox_close(inbox);
	inbox = open_small(f->path);
	assert_reads(inbox, 1, 5);
	inbox_close(inbox);
}

static void a_second_daemon_is_told_that_the_folder_is_in_use(void **state)
{
	struct folder *f = *state;
	struct inbox *inbox = open_small(f->path), *second = NULL;
	struct inbox_options o = {.folder = f->path, .max_bytes = MIB};
	struct err e = {0};

	assert_int_equal(inbox_open(&o, &second, &e), ERR_SYS);
	assert_string_equal(e.code, "in-use");
	assert_non_null(strstr(e.text, "in use"));
	inbox_close(inbox);
	assert_int_equal(inbox_open(&o, &second, &e), 0);
	inbox_close(second);
}

static void *wake_later(void *arg)
{
	usleep(50000);
	inbox_wake(arg);
	return NULL;
}

static void a_waiting_reader_can_be_woken(void **state)
{
	struct folder *f = *state;
	struct inbox *inbox = open_small(f->path);
	int64_t begin = clock_mono_us();
	pthread_t thread;

	pthread_create(&thread, NULL, wake_later, inbox);
	inbox_wait(inbox, 5000000);
	assert_in_range(clock_mono_us() - begin, 40000, 2000000);
	pthread_join(thread, NULL);
	begin = clock_mono_us();
	inbox_wait(inbox, 60000);
	assert_in_range(clock_mono_us() - begin, 50000, 2000000);
	inbox_close(inbox);
}

/* ---- damage ---- */

/* What the last of three records looks like after a crash in the middle of its write. */
enum torn { SHORT_FILE, ZERO_REST, OLD_REST };

static void tear(const char *path, int64_t from, int64_t at, int64_t end, enum torn how)
{
	char junk[512];

	memset(junk, how == ZERO_REST ? 0 : 0x5a, sizeof(junk));
	if (how == SHORT_FILE)
		assert_int_equal(truncate(path, from + at), 0);
	else
		poke(path, from + at, junk, (size_t)(end - from - at));
}

static void a_record_torn_at_any_byte_is_cut_off_and_nothing_else(void **state)
{
	struct folder *f = *state;
	struct inbox_record r = {
		.topic = "needle/jyl/in/hotline/a", .payload = "1:", .payload_len = 2};
	int64_t size = (int64_t)inbox_record_size(&r), plain = INBOX_RECORD_HEADER + 24 + 2;
	char path[128];

	segment_path(f->path, 1, path);
	for (enum torn how = SHORT_FILE; how <= OLD_REST; how++) {
		for (int64_t at = 0; at < plain; at++) {
			struct inbox *inbox = open_small(f->path);

			append(inbox, 1, 3, 0);
			inbox_close(inbox);
			tear(path, 2 * size, at, 3 * size, how);
			inbox = open_small(f->path);
			assert_reads(inbox, 1, 2);
			append(inbox, 3, 4, 0);
			inbox_close(inbox);
			inbox = open_small(f->path);
			assert_reads(inbox, 1, 4);
			inbox_close(inbox);
			assert_int_equal(count_files(f->path, "*.corrupt"), 0);
			wipe(f->path);
		}
	}
}

static void a_bit_that_flips_is_noticed_wherever_it_is(void **state)
{
	struct inbox_record r = {
		.topic = "needle/jyl/in/hotline/a", .payload = "12", .payload_len = 2};
	int64_t size = (int64_t)inbox_record_size(&r), plain = INBOX_RECORD_HEADER + 24 + 2;
	unsigned char record[128];
	struct inbox_record got;

	(void)state;
	inbox_record_write(&r, 7, record);
	assert_int_equal(inbox_record_read(record, sizeof(record), &got), size);
	for (int64_t bit = 0; bit < 8 * plain; bit++) {
		record[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_int_equal(inbox_record_read(record, (size_t)size, &got), 0);
		record[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
}

/* Flips one bit in the middle of the file that begins with `first`. */
static void damage(const char *folder, uint64_t first, int64_t off)
{
	char path[128], byte;
	int fd;

	segment_path(folder, first, path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &byte, 1, off), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, off), 1);
	close(fd);
}

/* The numbers of the files that hold records, in order. */
static size_t list_files(const char *folder, uint64_t *out, size_t max)
{
	char pattern[128];
	size_t n;
	glob_t g;

	snprintf(pattern, sizeof(pattern), "%s/*.log", folder);
	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	for (n = 0; n < g.gl_pathc && n < max; n++)
		out[n] = strtoull(strrchr(g.gl_pathv[n], '/') + 1, NULL, 10);
	globfree(&g);
	return n;
}

static void a_damaged_record_costs_the_rest_of_its_file_and_no_more(void **state)
{
	struct folder *f = *state;
	struct inbox *inbox = open_small(f->path);
	struct numbers got;
	uint64_t files[16];
	size_t n;

	append(inbox, 1, 1000, 300);
	inbox_close(inbox);
	n = list_files(f->path, files, 16);
	assert_in_range(n, 5, 15);
	damage(f->path, files[1], 30000);
	for (int again = 0; again < 2; again++) {
		uint64_t lost;

		inbox = open_small(f->path);
		read_all(inbox, &got);
		lost = 1000 - got.n;
		assert_in_range(lost, 10, 1000);
		for (size_t i = 0; i < got.n; i++)
			assert_int_equal(got.v[i], i + 1 + (got.v[i] >= files[2] ? lost : 0));
		assert_int_equal(count_files(f->path, "*.corrupt"), 1);
		VEC_DONE(&got);
		inbox_close(inbox);
	}
	inbox = open_small(f->path);
	append(inbox, 1001, 1001, 0);
	inbox_retire(inbox, 1001);
	assert_int_equal(figures(inbox).bytes, 0);
	inbox_close(inbox);
}

static void damage_in_the_newest_file_never_gives_a_number_twice(void **state)
{
	struct folder *f = *state;
	struct inbox *inbox = open_small(f->path);
	struct numbers got;

	append(inbox, 1, 100, 300);
	inbox_close(inbox);
	damage(f->path, 1, 10000);
	inbox = open_small(f->path);
	append(inbox, 101, 110, 300);
	read_all(inbox, &got);
	assert_in_range(got.n, 20, 60);
	assert_int_equal(got.v[got.n - 1], 110);
	assert_int_equal(got.v[got.n - 10], 101);
	VEC_DONE(&got);
	inbox_close(inbox);
	assert_int_equal(count_files(f->path, "*.corrupt"), 1);
}

static void damage_while_the_daemon_runs_does_not_stop_the_reader(void **state)
{
	struct folder *f = *state;
	struct inbox *inbox = open_small(f->path);
	struct numbers got;

	append(inbox, 1, 1000, 300);
	damage(f->path, 1, 20000);
	read_all(inbox, &got);
	assert_in_range(got.n, 500, 990);
	assert_int_equal(got.v[0], 1);
	assert_int_equal(got.v[got.n - 1], 1000);
	VEC_DONE(&got);
	assert_int_equal(count_files(f->path, "*.corrupt"), 1);
	inbox_close(inbox);
}

/* ---- no room ---- */

/* Appends until the inbox says that it is full; returns the last number. */
static uint64_t fill(struct inbox *inbox, uint64_t from)
{
	struct err e = {0};
	uint64_t i = from;

	for (; !figures(inbox).full; i++) {
		assert_int_equal(try_append(inbox, i, 200, &e), 0);
		/* Slower than the keeper, as a daemon that looks at the figures once a while is. */
		if (i % 20 == 0)
			usleep(5000);
		assert_in_range(i, from, from + 1000000);
	}
	return i - 1;
}

static bool has_room_within(struct inbox *inbox, int64_t us)
{
	for (int64_t end = clock_mono_us() + us; clock_mono_us() < end; usleep(5000))
		if (!figures(inbox).full)
			return true;
	return false;
}

/* Full is said early, nothing is lost, and room comes back. Returns the last number. */
static uint64_t assert_full_and_back(struct inbox *inbox)
{
	uint64_t said = fill(inbox, 1), last = said;
	struct err e = {0};

	while (try_append(inbox, last + 1, 200, &e) == 0)
		last++;
	assert_in_range(last - said, 50, 1000000);      /* a good part of a file was still free */
	assert_int_equal(e.class, ERR_SYS);
	assert_true(figures(inbox).full);
	assert_reads(inbox, 1, last);
	inbox_retire(inbox, last / 2);
	assert_true(has_room_within(inbox, 400000));    /* at once, not at the next try */
	append(inbox, last + 1, last + 10, 200);
	return last + 10;
}

static void at_its_size_limit_it_says_full_while_there_is_still_room(void **state)
{
	struct folder *f = *state;
	struct inbox *inbox = open_with(f->path, MIB, 64 * 1024, INBOX_PROCESS);
	uint64_t last = assert_full_and_back(inbox);
	struct stat st;
	size_t sum = 0;
	uint64_t files[64];

	for (size_t i = 0, n = list_files(f->path, files, 64); i < n; i++) {
		char path[128];

		segment_path(f->path, files[i], path);
		assert_int_equal(stat(path, &st), 0);
		sum += (size_t)st.st_size;
	}
	assert_in_range(sum, 1, MIB);
	inbox_close(inbox);
	inbox = open_with(f->path, MIB, 64 * 1024, INBOX_PROCESS);
	assert_int_equal(figures(inbox).appended, last);
	inbox_close(inbox);
}

static void a_full_disk_is_said_before_it_hurts_and_noticed_when_it_is_over(void **state)
{
	struct folder *f = *state;
	char ballast[128], zeros[4096] = "";
	struct inbox *inbox;
	uint64_t last;
	int fd;

	if (mount("needle-test", f->path, "tmpfs", 0, "size=1m") < 0) {
		print_message("skipped: cannot mount a small tmpfs: %s\n", strerror(errno));
		skip();
	}
	snprintf(ballast, sizeof(ballast), "%s/ballast", f->path);
	inbox = open_with(f->path, 64 * MIB, 64 * 1024, INBOX_PROCESS);
	last = assert_full_and_back(inbox);
	inbox_retire(inbox, last);
	assert_true(has_room_within(inbox, 400000));
	/* Somebody else takes the room and gives it back. */
	fd = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, zeros, sizeof(zeros)) > 0)
		;
	close(fd);
	inbox_rewind(inbox);
	last = fill(inbox, last + 1);
	unlink(ballast);
	assert_true(has_room_within(inbox, 1500000));
	inbox_close(inbox);
	inbox = open_with(f->path, 64 * MIB, 64 * 1024, INBOX_PROCESS);
	assert_int_equal(figures(inbox).appended, last);
	inbox_close(inbox);
	assert_int_equal(umount(f->path), 0);
}

static void it_opens_and_drains_on_a_full_disk(void **state)
{
	struct folder *f = *state;
	char ballast[128], zeros[4096] = "";
	struct inbox *inbox;
	int fd;

	if (mount("needle-test", f->path, "tmpfs", 0, "size=1m") < 0) {
		print_message("skipped: cannot mount a small tmpfs: %s\n", strerror(errno));
		skip();
	}
	inbox = open_with(f->path, 64 * MIB, 64 * 1024, INBOX_PROCESS);
	append(inbox, 1, 1000, 200);
	inbox_close(inbox);
	snprintf(ballast, sizeof(ballast), "%s/spare", f->path);
	unlink(ballast);
	snprintf(ballast, sizeof(ballast), "%s/ballast", f->path);
	fd = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, zeros, sizeof(zeros)) > 0)
		;
	close(fd);
	inbox = open_with(f->path, 64 * MIB, 64 * 1024, INBOX_PROCESS);
	assert_true(figures(inbox).full);
	assert_reads(inbox, 1, 1000);
	inbox_retire(inbox, 900);
	assert_true(has_room_within(inbox, 400000));
	inbox_close(inbox);
	assert_int_equal(umount(f->path), 0);
}

/* ---- kill -9 ---- */

/* Appends as fast as it can and tells each number after the append has returned. Never returns. */
static void appender_process(const char *path, enum inbox_durability durability, int tell)
{
	struct inbox *inbox = open_with(path, 64 * MIB, 64 * 1024, durability);
	struct err e = {0};

	for (uint64_t i = figures(inbox).appended + 1; !try_append(inbox, i, i % 700, &e); i++)
		if (write(tell, &i, sizeof(i)) != sizeof(i))
			break;
	_exit(1);
}

static uint64_t run_and_kill(const char *path, enum inbox_durability durability, unsigned us)
{
	uint64_t told, last = 0;
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child)
		appender_process(path, durability, ends[1]);
	close(ends[1]);
	/* Time runs from the first append on: opening takes its time, too. */
	for (int64_t end = 0; read(ends[0], &told, sizeof(told)) == sizeof(told); last = told) {
		int64_t now = clock_mono_us();

		if (!end)
			end = now + us;
		if (now >= end)
			kill(child, SIGKILL);
	}
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	return last;
}

static void nothing_acknowledged_is_missing_after_kill_9(void **state)
{
	struct folder *f = *state;
	uint64_t retired = 0;

	for (unsigned round = 0; round < 30; round++) {
		enum inbox_durability durability = round % 3 ? INBOX_PROCESS : INBOX_POWER;
		uint64_t last = run_and_kill(f->path, durability, 1000 + round * 700);
		struct inbox *inbox = open_with(f->path, 64 * MIB, 64 * 1024, INBOX_PROCESS);
		uint64_t appended = figures(inbox).appended;

		assert_in_range(appended, last, last + 1);      /* the one in flight may be there */
		assert_reads(inbox, retired + 1, appended);
		retired += (appended - retired) / 2;
		inbox_retire(inbox, retired);
		inbox_close(inbox);
	}
	assert_int_equal(count_files(f->path, "*.corrupt"), 0);
}

/* ---- threads ---- */

enum { RACE_RECORDS = 200000 };

static void *append_many(void *arg)
{
	append(arg, 1, RACE_RECORDS, 50);
	return NULL;
}

static void *ask_figures(void *arg)
{
	while (figures(arg).retired < RACE_RECORDS)
		usleep(2000);
	return NULL;
}

static void one_appender_and_one_reader_lose_nothing_and_keep_the_order(void **state)
{
	struct folder *f = *state;
	struct inbox *inbox = open_with(f->path, 64 * MIB, MIB, INBOX_PROCESS);
	static struct inbox_record out[256];
	int64_t begin = clock_mono_us();
	struct arena a = {0};
	pthread_t threads[2];
	uint64_t seen = 0;

	pthread_create(&threads[0], NULL, append_many, inbox);
	pthread_create(&threads[1], NULL, ask_figures, inbox);
	for (unsigned batch = 0; seen < RACE_RECORDS; batch++) {
		size_t n;

		inbox_wait(inbox, 1000000);
		n = inbox_read(inbox, &a, out, ARRAY_LEN(out), MIB);
		assert_true(n > 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(out[i].seq, seen + i + 1);
		if (batch % 50 == 49) {
			inbox_rewind(inbox);    /* a batch that failed */
		} else {
			seen += n;
			inbox_retire(inbox, seen);
		}
		arena_reset(&a);
	}
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	print_message("%d records in %" PRId64 " ms\n", RACE_RECORDS,
		      (clock_mono_us() - begin) / 1000);
	arena_done(&a);
	inbox_close(inbox);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_checksum_is_crc32c),
		cmocka_unit_test(a_bit_that_flips_is_noticed_wherever_it_is),
		TEST(what_was_appended_comes_back_byte_for_byte),
		TEST(reading_stops_at_its_limits_and_goes_on_where_it_stopped),
		TEST(a_failed_batch_is_read_again_from_the_oldest_that_is_not_retired),
		TEST(what_is_retired_stays_retired_after_a_restart),
		TEST(a_torn_note_of_what_is_retired_leaves_the_one_before),
		TEST(many_files_are_begun_and_deleted_in_order),
		TEST(a_record_larger_than_a_file_gets_one_of_its_own),
		TEST(a_second_daemon_is_told_that_the_folder_is_in_use),
		TEST(a_waiting_reader_can_be_woken),
		TEST(a_record_torn_at_any_byte_is_cut_off_and_nothing_else),
		TEST(a_damaged_record_costs_the_rest_of_its_file_and_no_more),
		TEST(damage_in_the_newest_file_never_gives_a_number_twice),
		TEST(damage_while_the_daemon_runs_does_not_stop_the_reader),
		TEST(at_its_size_limit_it_says_full_while_there_is_still_room),
		TEST(a_full_disk_is_said_before_it_hurts_and_noticed_when_it_is_over),
		TEST(it_opens_and_drains_on_a_full_disk),
		TEST(nothing_acknowledged_is_missing_after_kill_9),
		TEST(one_appender_and_one_reader_lose_nothing_and_keep_the_order),
	};

	log_init("test", LOG_ERR_);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
