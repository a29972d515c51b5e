/*
 * Makes sense of a folder: which records are still to be read, and where the next one goes. Nothing
 * here needs free space, because a full disk gets room again only when somebody reads and retires.
 */
#include "intake/inbox_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/vec.h"
#include "intake/inbox_record.h"

enum { RETIRED_MAGIC = 0x3152444e, RETIRED_SLOT_BYTES = 64, DYING_MS = 2000 };
enum {
	SEGMENT_BYTES = 16 * 1024 * 1024,
	SEGMENT_MIN = 4096,
	SEGMENTS_MIN = 4, /* so that a small inbox can be used to three quarters and more */
};

/* Two of these, written in turn: a torn one leaves the other. */
struct retired {
	uint32_t magic, crc;
	uint64_t seq;
};

static uint32_t retired_crc(const struct retired *r)
{
	return inbox_crc32c(&r->seq, sizeof(r->seq));
}

int inbox_retired_open(struct inbox *inbox, struct err *e)
{
	inbox->retired_fd = openat(inbox->dir_fd, "retired", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (inbox->retired_fd < 0)
		return err_set(e, ERR_SYS, "inbox: cannot open %s/retired: %s", inbox->folder,
			       strerror(errno));
	for (unsigned slot = 0; slot < 2; slot++) {
		struct retired r;

		int64_t off = slot * RETIRED_SLOT_BYTES;
		int rc = inbox_read_at(inbox->retired_fd, &r, sizeof(r), off);

		/* With the older one alone, numbers would be given again that the newer calls retired, and their messages passed over. */
		if (rc < 0 && errno)
			return err_set(e, ERR_SYS, "inbox: cannot read %s/retired: %s", inbox->folder,
				       strerror(errno));
		if (rc < 0 || r.magic != RETIRED_MAGIC || r.crc != retired_crc(&r) || r.seq < inbox->retired)
			continue;
		inbox->retired = r.seq;
		inbox->retired_slot = !slot;
	}
	return 0;
}

int inbox_retired_write(struct inbox *inbox, uint64_t seq)
{
	struct retired r = {.magic = RETIRED_MAGIC, .seq = seq};
	int64_t off = inbox->retired_slot * RETIRED_SLOT_BYTES;

	r.crc = retired_crc(&r);
	if (inbox_write_at(inbox->retired_fd, &r, sizeof(r), off) < 0)
		return -1;
	inbox->retired_slot = !inbox->retired_slot;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int list(struct inbox *inbox, uint64_t **ret, size_t *ret_n, struct err *e)
{
	VEC(uint64_t) firsts = {0};
	int fd = openat(inbox->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return err_set(e, ERR_SYS, "inbox: cannot list %s: %s", inbox->folder,
			       strerror(errno));
	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		if (strspn(entry->d_name, "0123456789") == 20 &&
		    !strcmp(entry->d_name + 20, ".log"))
			VEC_PUSH(&firsts, strtoull(entry->d_name, NULL, 10));
	}
	if (errno) {
		err_set(e, ERR_SYS, "inbox: cannot list %s: %s", inbox->folder, strerror(errno));
		closedir(dir);
		VEC_DONE(&firsts);
		return ERR_SYS;
	}
	closedir(dir);
	if (firsts.n)
		qsort(firsts.v, firsts.n, sizeof(*firsts.v), by_number);
	*ret = firsts.v;
	*ret_n = firsts.n;
	return 0;
}

static void delete_retired(struct inbox *inbox, uint64_t first)
{
	char name[INBOX_NAME];

	inbox_segment_name(first, name);
	unlinkat(inbox->dir_fd, name, 0);
}

static int open_segments(struct inbox *inbox, struct err *e)
{
	CLEANUP(mem_freep) uint64_t *firsts = NULL;
	size_t n = 0;

	if (list(inbox, &firsts, &n, e) < 0)
		return ERR_SYS;
	for (size_t i = 0; i < n; i++) {
		uint64_t next_first = i + 1 < n ? firsts[i + 1] : 0;
		struct inbox_segment *s;

		if (next_first && next_first - 1 <= inbox->retired) {
			delete_retired(inbox, firsts[i]);
			continue;
		}
		if (inbox_segment_open(inbox, firsts[i], next_first, &s, e) < 0)
			return ERR_SYS;
		if (inbox->next_seq < s->next)
			inbox->next_seq = s->next;
		if (s->next - 1 <= inbox->retired)
			inbox_segment_delete(inbox, s);
		else
			inbox_push(inbox, s);
	}
	if (inbox->next_seq <= inbox->retired)
		inbox->next_seq = inbox->retired + 1;
	return 0;
}

/* A daemon that was killed a moment ago may still be dying, its threads one by one, and hold its lock. */
static bool try_lock(int dir_fd)
{
	struct timespec nap = {0, 20 * 1000000};

	for (int tries = 0; tries < DYING_MS / 20; tries++) {
		if (flock(dir_fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK)
			return false;
		nanosleep(&nap, NULL);
	}
	return false;
}

static int lock_folder(struct inbox *inbox, struct err *e)
{
	inbox->dir_fd = open(inbox->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (inbox->dir_fd < 0)
		return err_set(e, ERR_SYS, "inbox: cannot open the folder %s: %s", inbox->folder,
			       strerror(errno));
	if (try_lock(inbox->dir_fd))
		return 0;
	if (errno == EWOULDBLOCK)
		return err_code(e, ERR_SYS, "in-use", "inbox: %s is in use by another daemon",
				inbox->folder);
	return err_set(e, ERR_SYS, "inbox: cannot lock %s: %s", inbox->folder, strerror(errno));
}

static void settle_sizes(struct inbox_options *o)
{
	if (!o->segment_bytes)
		o->segment_bytes = SEGMENT_BYTES;
	if (o->segment_bytes > o->max_bytes / SEGMENTS_MIN)
		o->segment_bytes = o->max_bytes / SEGMENTS_MIN;
	o->segment_bytes -= o->segment_bytes % SEGMENT_MIN;
	if (o->segment_bytes < SEGMENT_MIN)
		o->segment_bytes = SEGMENT_MIN;
}

static void init_waits(struct inbox *inbox)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&inbox->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&inbox->readable, &attr);
	pthread_cond_init(&inbox->work, &attr);
	pthread_cond_init(&inbox->spare_decided, &attr);
	pthread_condattr_destroy(&attr);
}

static void free_inbox(struct inbox *inbox)
{
	int fds[] = {inbox->dir_fd, inbox->retired_fd, inbox->spare_fd};

	for (size_t i = 0; i < inbox->n_segments; i++)
		inbox_segment_free(inbox->segments[i]);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	pthread_cond_destroy(&inbox->readable);
	pthread_cond_destroy(&inbox->work);
	pthread_cond_destroy(&inbox->spare_decided);
	pthread_mutex_destroy(&inbox->lock);
	free(inbox->segments);
	free(inbox->window);
	free(inbox->out);
	free(inbox->folder);
	free(inbox);
}

static int open_all(struct inbox *inbox, struct err *e)
{
	if (lock_folder(inbox, e) < 0 || inbox_retired_open(inbox, e) < 0 ||
	    open_segments(inbox, e) < 0)
		return ERR_SYS;
	pthread_mutex_lock(&inbox->lock);
	inbox_keeper_reserve(inbox); /* here, so that the first look at `full` is the truth */
	pthread_mutex_unlock(&inbox->lock);
	return inbox_keeper_start(inbox, e);
}

int inbox_open(const struct inbox_options *options, struct inbox **ret, struct err *e)
{
	struct inbox *inbox = mem_alloc(sizeof(*inbox));

	inbox->options = *options;
	inbox->folder = mem_strdup(options->folder);
	inbox->options.folder = inbox->folder;
	inbox->dir_fd = inbox->retired_fd = inbox->spare_fd = -1;
	inbox->next_seq = 1;
	settle_sizes(&inbox->options);
	init_waits(inbox);
	if (open_all(inbox, e) < 0) {
		free_inbox(inbox);
		return ERR_SYS;
	}
	*ret = inbox;
	return 0;
}

void inbox_close(struct inbox *inbox)
{
	if (!inbox)
		return;
	inbox_keeper_stop(inbox);
	free_inbox(inbox);
}
