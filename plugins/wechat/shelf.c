/*
 * A line is CRC, name, text. A line that was cut by a kill is the last one and is dropped when the file is
 * read; a wrong one anywhere else is skipped and counted in the log.
 */
#include "shelf.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

enum { TIDY_BYTES = 1 << 20, HEX = 8 };

struct item {
	struct item *next;              /* only while the file is read or written */
	char *text;
	char name[];
};
struct shelf {
	char *path;
	int fd;
	int64_t size, live;             /* bytes of the file; of lines that are still true */
	struct map items;
	pthread_mutex_t lock;
};

static uint32_t crc_of(const char *s, size_t n)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= (unsigned char)s[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
	}
	return ~crc;
}

static int64_t line_length(const struct item *x)
{
	return (int64_t)(HEX + 1 + strlen(x->name) + 1 + strlen(x->text) + 1);
}

/* text NULL: a line that says it is gone. */
static void add_line(struct str *out, const char *name, const char *text)
{
	CLEANUP(str_done) struct str body = {0};

	str_addf(&body, "%s\t%s", name, text ? text : "");
	str_addf(out, "%08x\t%s\n", crc_of(body.s, body.len), body.s);
}

static void forget(struct shelf *s, const char *name)
{
	struct item *x = map_take(&s->items, name);

	if (!x)
		return;
	s->live -= line_length(x);
	free(x->text);
	free(x);
}

static void keep(struct shelf *s, const char *name, const char *text)
{
	struct item *x;

	forget(s, name);
	if (!text || !*text)
		return;
	x = mem_alloc(sizeof(*x) + strlen(name) + 1);
	memcpy(x->name, name, strlen(name) + 1);
	x->text = mem_strdup(text);
	map_put(&s->items, x->name, x);
	s->live += line_length(x);
}

/* False: the line is none of ours. Ends it and its name with NULs. */
static bool take_line(struct shelf *s, char *line)
{
	char want[HEX + 1], *name = line + HEX + 1, *tab;

	if (strlen(line) < HEX + 3 || line[HEX] != '\t')
		return false;
	snprintf(want, sizeof(want), "%08x", crc_of(name, strlen(name)));
	tab = strchr(name, '\t');
	if (strncmp(want, line, HEX) != 0 || !tab)
		return false;
	*tab = '\0';
	keep(s, name, tab + 1);
	return true;
}

static int read_all(struct shelf *s, struct err *e)
{
	struct stat st;
	CLEANUP(mem_freep) char *all = NULL;
	size_t wrong = 0;
	int64_t good = 0;

	if (fstat(s->fd, &st) < 0)
		return err_set(e, ERR_SYS, "%s: %s", s->path, strerror(errno));
	all = mem_alloc((size_t)st.st_size + 1);
	if (pread(s->fd, all, (size_t)st.st_size, 0) != st.st_size)
		return err_set(e, ERR_SYS, "%s cannot be read whole", s->path);
	for (char *line = all, *end; (end = memchr(line, '\n', (size_t)(all + st.st_size - line))); line = end + 1) {
		*end = '\0';
		wrong += !take_line(s, line);
		good = end + 1 - all;
	}
	if (wrong)
		log_warn("wechat.shelf", "%s: %zu lines cannot be read", s->path, wrong);
	s->size = good;
	if (good < st.st_size && ftruncate(s->fd, good) < 0)
		return err_set(e, ERR_SYS, "%s: %s", s->path, strerror(errno));
	return 0;
}

int shelf_open(const char *folder, const char *name, struct shelf **ret, struct err *e)
{
	struct shelf *s = mem_alloc(sizeof(*s));
	struct str path = {0};
	int r;

	str_addf(&path, "%s/%s", folder, name);
	s->path = path.s;
	pthread_mutex_init(&s->lock, NULL);
	s->fd = open(s->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	r = s->fd < 0 ? err_set(e, ERR_SYS, "%s: %s", s->path, strerror(errno)) : read_all(s, e);
	if (r < 0)
		shelf_close(s);
	else
		*ret = s;
	return r;
}

void shelf_close(struct shelf *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->items.cap; i++)
		if (s->items.slots[i].key) {
			struct item *x = s->items.slots[i].value;

			free(x->text);
			free(x);
		}
	map_done(&s->items);
	if (s->fd >= 0)
		close(s->fd);
	pthread_mutex_destroy(&s->lock);
	free(s->path);
	free(s);
}

char *shelf_get(struct shelf *s, const char *name)
{
	const struct item *x;
	char *text;

	pthread_mutex_lock(&s->lock);
	x = map_get(&s->items, name);
	text = x ? mem_strdup(x->text) : NULL;
	pthread_mutex_unlock(&s->lock);
	return text;
}

/* All or nothing: what is half there would spoil the line that follows. */
static int append(struct shelf *s, const struct str *line, struct err *e)
{
	ssize_t n = write(s->fd, line->s, line->len);

	if (n == (ssize_t)line->len) {
		s->size += n;
		return 0;
	}
	err_set(e, ERR_SYS, "%s: %s", s->path, n < 0 ? strerror(errno) : "the disk is full");
	if (n > 0 && ftruncate(s->fd, s->size) < 0)
		err_prefix(e, "and not mended: ");
	return ERR_SYS;
}

int shelf_put(struct shelf *s, const char *name, const char *text, struct err *e)
{
	CLEANUP(str_done) struct str line = {0};
	int r;

	if (strpbrk(name, "\t\n") || (text && strchr(text, '\n')))
		return err_set(e, ERR_BAD, "a line cannot hold this");
	add_line(&line, name, text);
	pthread_mutex_lock(&s->lock);
	r = append(s, &line, e);
	if (r == 0)
		keep(s, name, text);
	pthread_mutex_unlock(&s->lock);
	return r;
}

int shelf_forget_if(struct shelf *s, const char *name, const char *text, struct err *e)
{
	CLEANUP(str_done) struct str line = {0};
	const struct item *x;
	int r = 0;

	add_line(&line, name, NULL);
	pthread_mutex_lock(&s->lock);
	x = map_get(&s->items, name);
	if (x && strcmp(x->text, text) == 0) {
		r = append(s, &line, e);
		if (r == 0)
			forget(s, name);
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}

int shelf_sync(struct shelf *s, struct err *e)
{
	return fdatasync(s->fd) < 0 ? err_set(e, ERR_SYS, "%s: %s", s->path, strerror(errno)) : 0;
}

static void drop_stale(struct shelf *s, shelf_stale *stale, void *arg)
{
	struct item *gone = NULL, *next;

	for (size_t i = 0; stale && i < s->items.cap; i++) {
		struct item *x = s->items.slots[i].key ? s->items.slots[i].value : NULL;

		if (x && stale(arg, x->name, x->text)) {
			x->next = gone;
			gone = x;
		}
	}
	for (; gone; gone = next) {
		next = gone->next;
		forget(s, gone->name);
	}
}

static int write_anew(struct shelf *s, struct err *e)
{
	CLEANUP(str_done) struct str part = {0}, all = {.max = SIZE_MAX / 4};
	int fd;

	for (size_t i = 0; i < s->items.cap; i++)
		if (s->items.slots[i].key)
			add_line(&all, s->items.slots[i].key, ((struct item *)s->items.slots[i].value)->text);
	str_addf(&part, "%s.new", s->path);
	fd = open(part.s, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, all.s, all.len) != (ssize_t)all.len || fsync(fd) < 0 || rename(part.s, s->path) < 0) {
		err_set(e, ERR_SYS, "%s: %s", part.s, strerror(errno));
		if (fd >= 0)
			close(fd);
		return ERR_SYS;
	}
	close(s->fd);
	s->fd = fd;
	s->size = s->live = (int64_t)all.len;
	return 0;
}

int shelf_tidy(struct shelf *s, shelf_stale *stale, void *arg, struct err *e)
{
	int r = 0;

	pthread_mutex_lock(&s->lock);
	if (s->size > TIDY_BYTES && s->size > 2 * s->live) {
		drop_stale(s, stale, arg);
		r = write_anew(s, e);
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}

void shelf_each(struct shelf *s, const char *prefix, void (*fn)(void *arg, const char *name, const char *text), void *arg)
{
	size_t n = strlen(prefix);

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->items.cap; i++)
		if (s->items.slots[i].key && strncmp(s->items.slots[i].key, prefix, n) == 0)
			fn(arg, s->items.slots[i].key, ((struct item *)s->items.slots[i].value)->text);
	pthread_mutex_unlock(&s->lock);
}

size_t shelf_count(struct shelf *s)
{
	size_t n;

	pthread_mutex_lock(&s->lock);
	n = s->items.n;
	pthread_mutex_unlock(&s->lock);
	return n;
}
