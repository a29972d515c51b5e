/*
 * A daemon may read the folder at any instant, and an operator may have it open in an editor. So a file is
 * replaced by a rename, and only when it still says what was read.
 */
#include "ctl/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "settings/source.h"

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int check_was(const char *folder, const char *name, const char *was, struct err *e)
{
	struct arena a = {0};
	struct source now;
	int r = source_read(folder, name, 64 * SOURCE_MAX, &a, &now, e);

	if (r == 0 && strcmp(now.text, was) != 0)
		r = err_set(e, ERR_BAD, "%s was changed meanwhile: nothing is written", name);
	arena_done(&a);
	return r;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return fsync(fd);
}

/* Beside the file that `path` really is, so that the rename stays in one file system and a link stays one. */
static int replace(const char *path, const char *text, size_t len, const struct stat *st)
{
	CLEANUP(close_fd) int fd = -1;
	char temporary[PATH_MAX];

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return -1;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -1;
	/* Only root may give files away; for others the file becomes their own. */
	if (st && fchown(fd, st->st_uid, st->st_gid) < 0 && errno != EPERM) {
		unlink(temporary);
		return -1;
	}
	if (fchmod(fd, st ? st->st_mode & 07777 : 0644) < 0 || write_all(fd, text, len) < 0 ||
	    rename(temporary, path) < 0) {
		unlink(temporary);
		return -1;
	}
	return 0;
}

int folder_write(const char *folder, const char *name, const char *text, size_t len, const char *was, struct err *e)
{
	CLEANUP(mem_freep) char *real = NULL;
	char path[PATH_MAX];
	struct stat st;
	bool exists;

	if (was && check_was(folder, name, was, e) < 0)
		return e->class;
	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return err_set(e, ERR_BAD, "%s: the path is too long", name);
	real = realpath(path, NULL);
	exists = stat(real ? real : path, &st) == 0;
	if (replace(real ? real : path, text, len, exists ? &st : NULL) < 0)
		return err_set(e, ERR_BAD, "%s cannot be written: %s", path, strerror(errno));
	return 0;
}

int folder_make_way(const char *folder, const char *name, struct err *e)
{
	char path[PATH_MAX];
	size_t at = strlen(folder) + 1;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return err_set(e, ERR_BAD, "%s: the path is too long", name);
	for (char *slash = strchr(path + at, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return err_set(e, ERR_BAD, "%s cannot be made: %s", path, strerror(errno));
		*slash = '/';
	}
	return 0;
}
