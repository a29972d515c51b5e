/*
 * One file of the journal. It is preallocated, so an append can neither run out of space nor change
 * the file's size, and zero behind its last record, so that the end is where no sound record with
 * the next number stands. Files are deleted and made anew, not recycled: bytes of an earlier use
 * behind a torn tail could be payload that somebody shaped like a record.
 */
#include "intake/inbox_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "intake/inbox_record.h"

static const char SPARE[] = "spare";

void inbox_segment_name(uint64_t first, char name[INBOX_NAME])
{
	snprintf(name, INBOX_NAME, "%020" PRIu64 ".log", first);
}

int inbox_read_at(int fd, void *buf, size_t len, int64_t off)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, off + (int64_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n ? errno : 0;
			return -1;
		}
		done += (size_t)n;
	}
	return 0;
}

int inbox_write_at(int fd, const void *buf, size_t len, int64_t off)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(fd, (const char *)buf + done, len - done, off + (int64_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

/* Zeros that are really on the disk: fdatasync then has no block map to write, only the record. */
static int write_zeros(int fd, int64_t size)
{
	static const char zeros[64 * 1024];

	for (int64_t off = 0; off < size; off += (int64_t)sizeof(zeros)) {
		int64_t left = size - off;
		size_t len = left < (int64_t)sizeof(zeros) ? (size_t)left : sizeof(zeros);

		if (inbox_write_at(fd, zeros, len, off) < 0)
			return -1;
	}
	return 0;
}

static int allocate(const struct inbox *inbox, int fd, int64_t size)
{
	errno = posix_fallocate(fd, 0, size);
	if (errno)
		return -1;
	return inbox->options.durability == INBOX_POWER ? write_zeros(fd, size) : 0;
}

int inbox_spare_make(struct inbox *inbox)
{
	int fd = openat(inbox->dir_fd, SPARE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	if (allocate(inbox, fd, inbox->options.segment_bytes) < 0) {
		int cause = errno;

		close(fd);
		unlinkat(inbox->dir_fd, SPARE, 0); /* half a reserve only takes space */
		errno = cause;
		return -1;
	}
	return fd;
}

static struct inbox_segment *segment_new(uint64_t first, int fd, int64_t size)
{
	struct inbox_segment *s = mem_alloc(sizeof(*s));

	*s = (struct inbox_segment){.first = first, .next = first, .fd = fd, .size = size};
	return s;
}

int inbox_segment_adopt(struct inbox *inbox, int fd, int64_t size, uint64_t first,
			struct inbox_segment **ret, struct err *e)
{
	char name[INBOX_NAME];

	inbox_segment_name(first, name);
	if (renameat(inbox->dir_fd, SPARE, inbox->dir_fd, name) < 0) {
		err_set(e, ERR_SYS, "inbox: cannot begin %s/%s: %s", inbox->folder, name,
			strerror(errno));
		close(fd);
		return ERR_SYS;
	}
	*ret = segment_new(first, fd, size);
	return 0;
}

int inbox_segment_make_large(struct inbox *inbox, int64_t size, uint64_t first,
			     struct inbox_segment **ret, struct err *e)
{
	char name[INBOX_NAME];
	int fd;

	inbox_segment_name(first, name);
	fd = openat(inbox->dir_fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || allocate(inbox, fd, size) < 0) {
		err_set(e, ERR_SYS, "inbox: no room for a record of %" PRId64 " bytes in %s: %s",
			size, inbox->folder, strerror(errno));
		if (fd >= 0) {
			close(fd);
			unlinkat(inbox->dir_fd, name, 0);
		}
		return ERR_SYS;
	}
	*ret = segment_new(first, fd, size);
	return 0;
}

bool inbox_segment_set_aside(struct inbox *inbox, const struct inbox_segment *s, int64_t from,
			     int64_t to)
{
	char name[INBOX_NAME + 32];
	char part[16 * 1024];
	bool good;
	int fd;

	snprintf(name, sizeof(name), "%020" PRIu64 "-%" PRId64 ".corrupt", s->first, from);
	fd = openat(inbox->dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	good = fd >= 0;
	for (int64_t off = from; good && off < to; off += (int64_t)sizeof(part)) {
		size_t len = to - off < (int64_t)sizeof(part) ? (size_t)(to - off) : sizeof(part);

		good = !inbox_read_at(s->fd, part, len, off) &&
		       !inbox_write_at(fd, part, len, off - from);
	}
	good = good && !fsync(fd);
	if (!good)
		log_error("inbox.corrupt", "cannot write %s/%s: %s", inbox->folder, name,
			  strerror(errno));
	if (fd >= 0)
		close(fd);
	return good;
}

/* What stands behind the last sound record of a file. */
struct rest {
	int64_t end;	/* of the bytes that are not zero */
	uint64_t later; /* seq of the last sound record that is not in order, 0: none */
};

static struct rest look_behind(const unsigned char *data, const struct inbox_segment *s)
{
	struct rest rest = {.end = s->used};
	struct inbox_record r;

	for (int64_t off = s->used; off < s->size; off += INBOX_RECORD_ALIGN) {
		int64_t left = s->size - off;

		for (int64_t i = 0; i < INBOX_RECORD_ALIGN && i < left; i++)
			if (data[off + i])
				rest.end = off + i + 1;
		if (inbox_record_read(data + off, (size_t)left, &r) && r.seq >= s->next)
			rest.later = r.seq;
	}
	return rest;
}

/* Takes the end away. What the file has now is all that it takes. */
static int cut(struct inbox *inbox, struct inbox_segment *s, int64_t at, struct err *e)
{
	if (ftruncate(s->fd, at) < 0)
		return err_set(e, ERR_SYS, "inbox: cannot cut %s: %s", inbox->folder,
			       strerror(errno));
	s->size = at;
	return 0;
}

static int judge_rest(struct inbox *inbox, struct inbox_segment *s, struct rest rest,
		      uint64_t next_first, struct err *e)
{
	uint64_t lost_to = next_first ? next_first : rest.later + 1;

	if (s->next == next_first || (rest.end == s->used && !next_first))
		return 0; /* the next record went to the next file, or is still to come */
	if (rest.end == s->used) {
		log_warn("inbox.gap", "messages %" PRIu64 " to %" PRIu64 " never reached the disk",
			 s->next, next_first - 1);
		return cut(inbox, s, s->used, e);
	}
	if (!next_first && !rest.later) {
		log_notice("inbox.torn", "cut %" PRId64 " bytes of a record that was being written",
			   rest.end - s->used);
		if (cut(inbox, s, s->used, e) < 0)
			return ERR_SYS;
		if (s->used < inbox->options.segment_bytes &&
		    !posix_fallocate(s->fd, 0, inbox->options.segment_bytes))
			s->size = inbox->options.segment_bytes;
		return 0;
	}
	log_error("inbox.corrupt",
		  "messages %" PRIu64 " to %" PRIu64 " are damaged and set aside in %s", s->next,
		  lost_to - 1, inbox->folder);
	if (inbox_segment_set_aside(inbox, s, s->used, rest.end))
		return cut(inbox, s, s->used, e);
	s->size = s->used; /* not enough room to set it aside: it stays where it is, unread */
	return 0;
}

static int check(struct inbox *inbox, struct inbox_segment *s, uint64_t next_first, struct err *e)
{
	CLEANUP(mem_freep) unsigned char *data = mem_alloc((size_t)s->size);
	struct inbox_record r;
	struct rest rest;

	if (inbox_read_at(s->fd, data, (size_t)s->size, 0) < 0)
		return err_set(e, ERR_SYS, "inbox: cannot read %s: %s", inbox->folder,
			       strerror(errno));
	while (s->used < s->size) {
		size_t size = inbox_record_read(data + s->used, (size_t)(s->size - s->used), &r);

		/* One that could not be synced was not acknowledged, and its number is in the next file again. */
		if (!size || r.seq != s->next || r.seq == next_first)
			break;
		s->used += (int64_t)size;
		s->next++;
	}
	if (s->used >= s->size) /* of a file that was cut before, the last padding may be missing */
		return cut(inbox, s, s->used, e);
	rest = look_behind(data, s);
	if (judge_rest(inbox, s, rest, next_first, e) < 0)
		return ERR_SYS;
	if (!next_first && rest.later >= s->next)
		inbox->next_seq = rest.later + 1;
	return 0;
}

int inbox_segment_open(struct inbox *inbox, uint64_t first, uint64_t next_first,
		       struct inbox_segment **ret, struct err *e)
{
	struct inbox_segment *s;
	char name[INBOX_NAME];
	struct stat st;
	int fd;

	inbox_segment_name(first, name);
	fd = openat(inbox->dir_fd, name, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {     /* without its size it would pass for empty, and be cut */
		err_set(e, ERR_SYS, "inbox: cannot open %s/%s: %s", inbox->folder, name, strerror(errno));
		if (fd >= 0)
			close(fd);
		return ERR_SYS;
	}
	s = segment_new(first, fd, (int64_t)st.st_size);
	if (check(inbox, s, next_first, e) < 0) {
		inbox_segment_free(s);
		return ERR_SYS;
	}
	*ret = s;
	return 0;
}

void inbox_segment_free(struct inbox_segment *s)
{
	close(s->fd);
	free(s);
}

void inbox_segment_delete(struct inbox *inbox, struct inbox_segment *s)
{
	char name[INBOX_NAME];

	inbox_segment_name(s->first, name);
	unlinkat(inbox->dir_fd, name, 0);
	inbox_segment_free(s);
}
