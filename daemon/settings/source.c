/*
 * A configuration folder may be edited by many hands and copied between machines, so a path that
 * leads out of it is a mistake or an attack, never a convenience: what the hash of a case's
 * configuration covers must be in the folder.
 */
#include "settings/source.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utf8proc.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

static const char bom[] = "\xef\xbb\xbf";

void source_init(struct source *s, const char *name, const char *text, size_t len, struct arena *a)
{
	size_t n = 1, i, line = 0;
	size_t *lines;

	if (len >= 3 && memcmp(text, bom, 3) == 0) {
		text += 3;
		len -= 3;
	}
	for (i = 0; i < len; i++)
		n += text[i] == '\n';
	lines = arena_alloc(a, n * sizeof(*lines));
	for (i = 0; i < len; i++)
		if (text[i] == '\n')
			lines[++line] = i + 1;
	s->name = name;
	s->text = text;
	s->len = len;
	s->lines = lines;
	s->n_lines = n;
	s->is_text = str_is_utf8(text, len);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static bool is_inside(const char *folder, const char *path)
{
	size_t n = strlen(folder);

	return strncmp(folder, path, n) == 0 && path[n] == '/';
}

static int read_all(int fd, const char *name, size_t max, struct arena *a, struct source *ret, struct err *e)
{
	struct stat st;
	size_t got = 0;
	ssize_t n;
	char *text;

	if (fstat(fd, &st) < 0)
		return err_set(e, ERR_SYS, "%s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_code(e, ERR_BAD, "kind", "%s is not a regular file", name);
	if ((size_t)st.st_size > max)
		return err_code(e, ERR_BAD, "size", "%s is larger than %zu KiB", name, max / 1024);
	text = arena_alloc(a, (size_t)st.st_size + 1);
	while (got < (size_t)st.st_size) {
		n = read(fd, text + got, (size_t)st.st_size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, ERR_SYS, "%s: %s", name, strerror(errno));
		if (n == 0)
			break;
		got += (size_t)n;
	}
	source_init(ret, arena_strdup(a, name), text, got, a);
	return 0;
}

int source_read(const char *folder, const char *name, size_t max, struct arena *a, struct source *ret,
		struct err *e)
{
	CLEANUP(mem_freep) char *real = NULL;
	CLEANUP(close_fd) int fd = -1;
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", folder, name);

	if (*name == '/' || n < 0 || n >= (int)sizeof(path))
		return err_code(e, ERR_BAD, "outside", "%s is not a path inside the folder", name);
	real = realpath(path, NULL);
	if (!real && (errno == ENOENT || errno == ENOTDIR))
		return err_code(e, ERR_BAD, "missing", "there is no file %s", name);
	if (!real)
		return err_code(e, ERR_BAD, "unreadable", "%s cannot be read: %s", name, strerror(errno));
	if (!is_inside(folder, real))
		return err_code(e, ERR_BAD, "outside", "%s leads out of the folder", name);
	/* O_NONBLOCK: a named pipe must not hold the daemon. */
	fd = open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return err_code(e, ERR_BAD, "unreadable", "%s cannot be read: %s", name, strerror(errno));
	return read_all(fd, name, max, a, ret, e);
}

static int characters(const char *s, size_t n)
{
	int chars = 0;

	for (size_t i = 0; i < n; i++)
		chars += ((unsigned char)s[i] & 0xc0) != 0x80;
	return chars;
}

struct mark source_mark(const struct source *s, size_t offset)
{
	struct mark m = {.source = s, .line = 1, .column = 1, .width = 1};
	size_t low = 0, high = s->n_lines;

	if (offset > s->len)
		offset = s->len;
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (s->lines[mid] <= offset)
			low = mid;
		else
			high = mid;
	}
	m.line = (int)low + 1;
	m.column = 1 + characters(s->text + s->lines[low], offset - s->lines[low]);
	return m;
}

const char *source_line(const struct source *s, int n, size_t *ret_len)
{
	const char *line, *end;

	if (n < 1 || (size_t)n > s->n_lines || !s->text)
		return NULL;
	line = s->text + s->lines[n - 1];
	end = (size_t)n < s->n_lines ? s->text + s->lines[n] - 1 : s->text + s->len;
	if (end > line && end[-1] == '\r')
		end--;
	*ret_len = (size_t)(end - line);
	return line;
}

static void close_iconv(iconv_t *cd)
{
	if (*cd != (iconv_t)-1)
		iconv_close(*cd);
}

static bool decodes_as_gb18030(const struct source *s)
{
	CLEANUP(close_iconv) iconv_t cd = iconv_open("UTF-8", "GB18030");
	union {
		const char *from;
		char *in;
	} text = {.from = s->text};
	size_t left = s->len;
	char out[4096];

	if (cd == (iconv_t)-1)
		return false;
	while (left) {
		char *to = out;
		size_t room = sizeof(out);

		if (iconv(cd, &text.in, &left, &to, &room) == (size_t)-1 && errno != E2BIG)
			return false;
	}
	return true;
}

bool source_is_utf8(const struct source *s, size_t *ret_offset, const char **ret_code)
{
	utf8proc_int32_t c;
	size_t i = 0;

	while (i < s->len) {
		utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s->text + i,
						      (utf8proc_ssize_t)(s->len - i), &c);
		*ret_offset = i;
		*ret_code = NULL;
		if (n < 0)
			*ret_code = decodes_as_gb18030(s) ? "gb18030" : "utf8";
		else if (c == 0)
			*ret_code = "nul";
		else if (c == 0xfeff)
			*ret_code = "bom";
		if (*ret_code)
			return false;
		i += (size_t)n;
	}
	return true;
}
