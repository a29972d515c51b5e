/*
 * Every system call of the journal fails once, in a life that opens, appends over several files, reads, retires and is opened
 * again. Whatever fails: what was acknowledged is read afterwards, once, whole and in order.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "intake/inbox.h"

/* ---- calls that fail: defined here, the program's own stand before the C library's -------------------------------- */
enum call { OPEN, OPENAT, FDOPENDIR, READDIR, FLOCK, FSTAT, PREAD, PWRITE, FALLOCATE, FTRUNCATE, RENAMEAT, FSYNC, FDATASYNC };

static struct {
	enum call call;
	int error;              /* errno; 0: half of the bytes, and no error */
	_Atomic long left;      /* it is the so many-th from now; 0: none any more */
	off_t bad;              /* a byte of every file that the disk does not give back; 0: none */
} fault;

static bool fails(enum call call)
{
	if (fault.call != call || fault.left == 0 || --fault.left != 0)
		return false;
	errno = fault.error;
	return true;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
/* By another name than that of the header, which may have an inline one. */
#define STANDS_FOR(type, name, params) __attribute__((visibility("default"))) type my_##name params __asm__(#name); type my_##name params
#define CALL(call, type, name, params, args)                           \
	STANDS_FOR(type, name, params)                                 \
	{                                                              \
		return fails(call) ? (type)-1 : REAL(name) args;       \
	}
#define MODE ({ mode_t mode_ = 0; va_list ap_; if (flags & O_CREAT) { va_start(ap_, flags); mode_ = va_arg(ap_, mode_t); va_end(ap_); } mode_; })

CALL(OPEN, int, open, (const char *path, int flags, ...), (path, flags, MODE))
CALL(OPENAT, int, openat, (int at, const char *path, int flags, ...), (at, path, flags, MODE))
CALL(FLOCK, int, flock, (int fd, int op), (fd, op))
CALL(FSTAT, int, fstat, (int fd, struct stat *st), (fd, st))
CALL(FTRUNCATE, int, ftruncate, (int fd, off_t n), (fd, n))
CALL(RENAMEAT, int, renameat, (int from, const char *a, int to, const char *b), (from, a, to, b))
CALL(FSYNC, int, fsync, (int fd), (fd))
CALL(FDATASYNC, int, fdatasync, (int fd), (fd))

STANDS_FOR(DIR *, fdopendir, (int fd))
{
	return fails(FDOPENDIR) ? NULL : REAL(fdopendir)(fd);
}

STANDS_FOR(struct dirent *, readdir, (DIR *dir))
{
	return fails(READDIR) ? NULL : REAL(readdir)(dir);
}

STANDS_FOR(int, posix_fallocate, (int fd, off_t at, off_t n))
{
	return fails(FALLOCATE) ? fault.error : REAL(posix_fallocate)(fd, at, n);
}

STANDS_FOR(ssize_t, pread, (int fd, void *p, size_t n, off_t at))
{
	if (fault.bad && at <= fault.bad && fault.bad < at + (off_t)n) {
		errno = EIO;
		return -1;
	}
	if (!fails(PREAD))
		return REAL(pread)(fd, p, n, at);
	return fault.error ? -1 : REAL(pread)(fd, p, n / 2, at);
}

STANDS_FOR(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at))
{
	if (!fails(PWRITE))
		return REAL(pwrite)(fd, p, n, at);
	return fault.error ? -1 : REAL(pwrite)(fd, p, n / 2, at);
}

/* ---- a life ------------------------------------------------------------------------------------------------------- */
enum { SEGMENT = 64 * 1024, EXTRA = 9000, MESSAGES = 24, LARGE = 12, READ = 8, RETIRE = 5, MOST = 2 * MESSAGES, MANY = 1000000 };

struct life {
	char path[64];
	enum inbox_durability durability;
	int acknowledged[MOST + 1];     /* number in the journal -> message; 0: none */
	int refused;                    /* appends and opens that said so */
};

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

/* In memory: what is tried is the order of the calls, not the disk. */
static void make_folder(struct life *l)
{
	snprintf(l->path, sizeof(l->path), "/dev/shm/needle-calls-XXXXXX");
	if (mkdtemp(l->path))
		return;
	snprintf(l->path, sizeof(l->path), "/tmp/needle-calls-XXXXXX");
	assert_non_null(mkdtemp(l->path));
}

static struct inbox *open_inbox(struct life *l)
{
	struct inbox_options o = {.folder = l->path, .durability = l->durability, .max_bytes = 16 * SEGMENT, .segment_bytes = SEGMENT};
	struct inbox *inbox = NULL;
	struct err e = {0};

	if (inbox_open(&o, &inbox, &e) == 0)
		return inbox;
	assert_true(e.text[0]);
	l->refused++;
	if (inbox_open(&o, &inbox, &e) < 0)     /* it fails once: who comes again gets in */
		fail_msg("it does not open any more: %s", e.text);
	return inbox;
}

static void append(struct life *l, struct inbox *inbox, int message)
{
	size_t len = message == LARGE ? 2 * SEGMENT : EXTRA;
	CLEANUP(mem_freep) char *payload = mem_alloc(len);
	struct inbox_record r = {.received_at = message, .topic = "needle/jyl/in/hotline/a", .payload = payload, .payload_len = len, .qos = 1};
	uint64_t seq = 0;
	struct err e = {0};

	memset(payload, 'a' + message % 26, len);
	if (inbox_append(inbox, &r, &seq, &e) < 0) {
		assert_true(e.text[0]);
		l->refused++;
		return;
	}
	assert_in_range(seq, 1, MOST);
	assert_int_equal(l->acknowledged[seq], 0);
	l->acknowledged[seq] = message;
}

static void look_at(const struct life *l, const struct inbox_record *r, uint64_t *last)
{
	const char *payload = r->payload;
	int message = (int)r->received_at;

	if (r->seq <= *last)
		fail_msg("number %d came after %d", (int)r->seq, (int)*last);
	for (uint64_t seq = *last + 1; seq < r->seq; seq++)
		if (l->acknowledged[seq] && *last)
			fail_msg("number %d is missing", (int)seq);
	*last = r->seq;
	if (l->acknowledged[r->seq] && l->acknowledged[r->seq] != message)
		fail_msg("number %d is message %d, not %d", (int)r->seq, message, l->acknowledged[r->seq]);
	assert_int_equal(r->payload_len, message == LARGE ? 2 * SEGMENT : EXTRA);
	for (size_t i = 0; i < r->payload_len; i++)
		if (payload[i] != 'a' + message % 26)
			fail_msg("message %d is not whole", message);
}

/* A read that fails is an empty one; the next goes on where it was. */
static uint64_t read_some(const struct life *l, struct inbox *inbox, size_t most)
{
	struct arena a = {0};
	struct inbox_record out[4];
	uint64_t last = 0;

	for (size_t n, empty = 0, all = 0; empty < 2 && all < most; all += n) {
		n = inbox_read(inbox, &a, out, 4, SEGMENT);
		for (size_t i = 0; i < n; i++)
			look_at(l, &out[i], &last);
		empty = n ? 0 : empty + 1;
		arena_reset(&a);
	}
	arena_done(&a);
	return last;
}

static void live(struct life *l)
{
	struct inbox *inbox = open_inbox(l);
	uint64_t last = 0, newest = 0;

	for (int i = 1; i <= MESSAGES / 2; i++)
		append(l, inbox, i);
	if (read_some(l, inbox, READ) >= RETIRE)
		inbox_retire(inbox, RETIRE);
	for (int i = MESSAGES / 2 + 1; i <= MESSAGES; i++)
		append(l, inbox, i);
	inbox_close(inbox);

	inbox = open_inbox(l);
	last = read_some(l, inbox, MOST);
	for (uint64_t seq = 1; seq <= MOST; seq++)
		newest = l->acknowledged[seq] ? seq : newest;
	if (last < newest)
		fail_msg("read to %d of %d", (int)last, (int)newest);
	append(l, inbox, 1);
	inbox_close(inbox);
}

/* Returns whether the call was met. */
static bool live_with(enum call call, int error, long nth, enum inbox_durability durability, int *ret_refused)
{
	struct life l = {.durability = durability};
	bool met;

	make_folder(&l);
	fault.call = call;
	fault.error = error;
	fault.left = nth;
	live(&l);
	met = fault.left == 0;
	fault.left = 0;
	*ret_refused = l.refused;
	nftw(l.path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return met;
}

static void what_was_acknowledged_is_read_whatever_call_fails(void **state)
{
	static const struct {
		const char *what;
		enum call call;
		int error;
		bool silent;            /* nobody may notice */
	} rows[] = {
		{"open", OPEN, EMFILE, false},        {"openat", OPENAT, EMFILE, false},     {"openat", OPENAT, EACCES, false},
		{"fdopendir", FDOPENDIR, ENOMEM, false}, {"readdir", READDIR, EIO, false}, {"flock", FLOCK, ENOLCK, false},    {"fstat", FSTAT, EIO, false},
		{"pread", PREAD, EIO, false},         {"pread", PREAD, EINTR, true},         {"half of a pread", PREAD, 0, true},
		{"pwrite", PWRITE, EIO, false},       {"pwrite", PWRITE, ENOSPC, false},     {"pwrite", PWRITE, EINTR, true},
		{"half of a pwrite", PWRITE, 0, true}, {"posix_fallocate", FALLOCATE, ENOSPC, false},
		{"ftruncate", FTRUNCATE, EIO, false}, {"renameat", RENAMEAT, EIO, false},    {"fsync", FSYNC, EIO, false},
		{"fdatasync", FDATASYNC, EIO, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int power = 0; power < 2; power++) {
			long met = 0;
			int refused;

			for (long nth = 1; nth < 1000; nth++) {
				if (!live_with(rows[i].call, rows[i].error, nth, power ? INBOX_POWER : INBOX_PROCESS, &refused))
					break;
				met++;
				if (rows[i].silent && refused)
					fail_msg("%s, the %ld-th: %d refused", rows[i].what, nth, refused);
			}
			print_message("%s with error %d: failed at %ld places%s\n", rows[i].what, rows[i].error, met, power ? ", power" : "");
		}
}

/* Its file is gone with the last of them: the note alone tells which numbers were given. */
static void a_number_is_not_given_again_when_the_note_of_what_is_retired_is_not_to_be_read(void **state)
{
	enum { FIRST = 3, ALL = 6 };
	bool met = true;

	(void)state;
	for (long nth = 1; met; nth++) {
		struct life l = {.durability = INBOX_PROCESS};
		struct inbox *inbox;

		make_folder(&l);
		inbox = open_inbox(&l);
		for (int i = 1; i <= ALL; i++)
			append(&l, inbox, i);
		inbox_retire(inbox, FIRST);
		inbox_retire(inbox, ALL);
		inbox_close(inbox);
		inbox_close(open_inbox(&l));
		fault.call = PREAD;
		fault.error = EIO;
		fault.left = nth;
		inbox = open_inbox(&l);
		met = fault.left == 0;
		fault.left = 0;
		append(&l, inbox, ALL + 1);
		inbox_close(inbox);
		inbox = open_inbox(&l);
		assert_int_equal(read_some(&l, inbox, MOST), ALL + 1);
		inbox_close(inbox);
		nftw(l.path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	}
}

/* Seven messages a file: what lies before the bad place of each is read, and the reader is not held up for ever. */
static void a_place_that_the_disk_never_gives_back_is_passed(void **state)
{
	static const uint64_t want[] = {1, 2, 8, 9, 15, 16, 22, 23};
	struct life l = {.durability = INBOX_PROCESS};
	struct inbox_record out[4];
	struct arena a = {0};
	struct inbox *inbox;
	size_t got = 0;
	int empty = 0;

	(void)state;
	make_folder(&l);
	inbox = open_inbox(&l);
	for (int i = 1; i <= MESSAGES; i++)
		if (i != LARGE)
			append(&l, inbox, i);
	append(&l, inbox, MESSAGES + 1);
	fault.bad = 20000;
	while (got < sizeof(want) / sizeof(want[0]) && empty < 100) {
		size_t n = inbox_read(inbox, &a, out, 4, SEGMENT);

		for (size_t i = 0; i < n; i++)
			assert_int_equal(out[i].seq, want[got++]);
		empty += n == 0;
	}
	fault.bad = 0;
	assert_int_equal(got, sizeof(want) / sizeof(want[0]));
	assert_in_range(empty, 3, 60);  /* it was asked for again, some times */
	arena_done(&a);
	inbox_close(inbox);
	nftw(l.path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void append_one(struct inbox *inbox, int message)
{
	struct inbox_record r = {.received_at = message, .topic = "needle/jyl/in/hotline/a", .payload = "x", .payload_len = 1, .qos = 1};
	struct err e = {0};
	uint64_t seq;

	assert_int_equal(inbox_append(inbox, &r, &seq, &e), 0);
}

static long syncs(void)
{
	return MANY - fault.left;
}

/* While the database has each message within a moment, the disk need not sync the journal for it; what stays is synced. */
static void only_what_is_not_in_the_database_is_synced(void **state)
{
	struct life l = {.durability = INBOX_PROCESS};
	struct inbox *inbox;
	int64_t until;

	(void)state;
	make_folder(&l);
	inbox = open_inbox(&l);
	fault.call = FDATASYNC;
	fault.left = MANY;
	until = clock_mono_us() + 200000;
	for (int i = 1; clock_mono_us() < until; i++) {
		append_one(inbox, i);
		inbox_retire(inbox, (uint64_t)i);
	}
	/* A test that the machine lets wait between the two is one that is late, too. */
	assert_in_range(syncs(), 0, 5);
	append_one(inbox, 0);
	until = clock_mono_us() + 10000000;
	while (syncs() < 6 && clock_mono_us() < until) {
		long before = syncs();

		append_one(inbox, 0);
		while (syncs() == before && clock_mono_us() < until)
			sched_yield();
	}
	assert_in_range(syncs(), 6, MANY);
	fault.left = 0;
	inbox_close(inbox);
	nftw(l.path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_acknowledged_is_read_whatever_call_fails),
		cmocka_unit_test(a_number_is_not_given_again_when_the_note_of_what_is_retired_is_not_to_be_read),
		cmocka_unit_test(a_place_that_the_disk_never_gives_back_is_passed),
		cmocka_unit_test(only_what_is_not_in_the_database_is_synced),
	};

	log_init("test", 0);     /* what fails is told; here it would fill the screen */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
