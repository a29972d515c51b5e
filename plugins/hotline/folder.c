/*
 * Exports that people put into a folder. A file is taken when it has not changed for a while, so that one
 * that is still being written is left alone. It is read twice: first whole, for what is wrong in it;
 * then row by row into the outbox. So a broken file gives nothing at all, and a kill between sending
 * and moving only means that the gateway hears of the same numbers again.
 *
 * FOLDER/done/NAME or FOLDER/failed/NAME, beside it NAME.report.json and, where rows were refused,
 * NAME.rejected.csv with their reasons.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/pulse.h"
#include "base/str.h"
#include "bridge/figures.h"
#include "core/time/moment.h"
#include "hotline.h"
#include "table/rejected.h"
#include "table/sheet.h"

enum { SECOND_US = 1000000, TICK_US = 200000 };

struct folder {
	struct hotline *h;
	pthread_t thread;
	_Atomic bool stop;
	struct pulse *pulse;
};

/* One file's work. */
struct file {
	struct folder *folder;
	char path[PATH_MAX];
	const char *name;
	struct stat st;
	bool send;                      /* the second pass */
	size_t rows, good, bad, nothing, sent;
	struct rejected rejected;
	json_t *reports;                /* of the row in hand */
};

static int64_t changed_us(const struct stat *st)
{
	int64_t m = (int64_t)st->st_mtim.tv_sec * SECOND_US + st->st_mtim.tv_nsec / 1000;
	int64_t c = (int64_t)st->st_ctim.tv_sec * SECOND_US + st->st_ctim.tv_nsec / 1000;

	/* A copy that keeps the old time was changed all the same. */
	return m > c ? m : c;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size && changed_us(a) == changed_us(b);
}

static bool send_row(struct file *f, struct err *e)
{
	json_t *report;
	size_t i;

	json_array_foreach(f->reports, i, report) {
		if (hotline_send_patiently(f->folder->h, report, NULL, &f->folder->stop, e) < 0)
			return false;
		f->sent++;
		pulse_beat(f->folder->pulse);
	}
	return true;
}

static int take_row(void *arg, const struct sheet *sheet, const struct sheet_row *row, struct err *e)
{
	struct file *f = arg;
	struct err why = {0};
	int r;

	if (f->folder->stop)
		return err_set(e, ERR_AGAIN, "stopping");
	json_array_clear(f->reports);
	r = shape_row(f->folder->h, row->object, f->reports, &why);
	if (f->send)
		return r == 0 && !send_row(f, e) ? e->class : 0;
	f->rows++;
	f->good += r == 0 && json_array_size(f->reports);
	f->nothing += r == 0 && !json_array_size(f->reports);
	f->bad += r != 0;
	if (r != 0)
		rejected_add(&f->rejected, sheet, row, err_said(&why));
	return 0;
}

static bool knows(void *arg, json_t *names)
{
	return shape_knows(((struct file *)arg)->folder->h, names);
}

static int read_file(struct file *f, bool send, struct err *e)
{
	const struct table_options options = {.sheet = f->folder->h->folder_is.sheet};

	f->send = send;
	return sheet_read(f->path, &options, knows, take_row, f, e);
}

/* ---- done or failed ------------------------------------------------------------------------------ */

static bool write_file(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	bool good = fd >= 0 && write(fd, text, len) == (ssize_t)len;

	if (fd >= 0)
		close(fd);
	return good;
}

/* Never over another file of that name: the time is put before it. */
static void place_of(const struct file *f, const char *into, char path[PATH_MAX])
{
	struct civil c = moment_civil(clock_now_us());

	snprintf(path, PATH_MAX, "%.2000s/%s/%.1000s", f->folder->h->folder_is.path, into, f->name);
	if (access(path, F_OK) == 0)
		snprintf(path, PATH_MAX, "%.2000s/%s/%04d%02d%02d-%02d%02d%02d-%06d-%.1000s", f->folder->h->folder_is.path, into,
			 c.year, c.month, c.day, c.hour, c.minute, c.second, c.us, f->name);
}

static void move(struct file *f, bool good, const char *reason)
{
	char place[PATH_MAX], beside[PATH_MAX + 32], stamp[MOMENT_TEXT];
	CLEANUP(mem_freep) char *text = NULL;
	json_t *report;

	place_of(f, good ? "done" : "failed", place);
	report = json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:o}", "file", f->name, "at",
			   moment_rfc3339(clock_now_us(), stamp), "ok", good, "rows", (json_int_t)f->rows, "sent",
			   (json_int_t)f->sent, "nothing", (json_int_t)f->nothing, "bad", (json_int_t)f->bad, "reason",
			   reason ? json_string(reason) : json_null());
	text = report ? json_dumps(report, JSON_INDENT(1)) : NULL;
	json_decref(report);
	snprintf(beside, sizeof(beside), "%s.report.json", place);
	if (text && !write_file(beside, text, strlen(text)))
		log_warn("folder.report", "%s cannot be written: %s", beside, strerror(errno));
	snprintf(beside, sizeof(beside), "%s.rejected.csv", place);
	if (f->bad && !write_file(beside, f->rejected.csv.s, f->rejected.csv.len))
		log_warn("folder.report", "%s cannot be written: %s", beside, strerror(errno));
	fault_point("folder-move");
	if (rename(f->path, place) < 0)
		log_error("folder.move", "%s cannot be moved: %s", f->path, strerror(errno));
	else if (good)
		log_notice("folder.done", "%s: %zu rows, %zu messages, %zu refused", f->name, f->rows, f->sent, f->bad);
	else
		log_warn("folder.failed", "%s: %s", f->name, reason);
	figure_add(FIGURE_REFUSED, (int64_t)f->bad + !good);
}

static bool is_still_the_same(const struct file *f)
{
	struct stat now;

	return stat(f->path, &now) == 0 && is_same(&f->st, &now);
}

static void take_file(struct file *f)
{
	struct err e = {0};
	int r = read_file(f, false, &e);

	/* Changed meanwhile: it was not finished, and nothing of it was sent. */
	if (f->folder->stop || !is_still_the_same(f))
		return;
	if (r == ERR_SYS) {
		log_warn("folder.read", "%s: %s", f->name, e.text);
		return;
	}
	if (r == 0 && f->good)
		r = read_file(f, true, &e);
	if (f->folder->stop || (r == 0 && bridge_commit(f->folder->h->bridge, &e) < 0) || r == ERR_SYS) {
		if (!f->folder->stop)
			log_error("folder.send", "%s: %s", f->name, e.text);
		return;
	}
	if (!is_still_the_same(f))
		return;
	if (r == 0 && f->bad && !f->good)
		r = err_set(&e, ERR_BAD, "every row is refused; see the file beside it");
	move(f, r == 0, r == 0 ? NULL : err_said(&e));
}

/* ---- the folder ---------------------------------------------------------------------------------- */

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcasecmp(name + n - m, end) == 0;
}

/* Not hidden ones, nor Excel's lock beside an open file. */
static bool is_export(const char *name)
{
	static const char *const ends[] = {".csv", ".xlsx", ".xlsm", ".xls", ".txt"};

	if (*name == '.' || *name == '~' || ends_with(name, ".rejected.csv"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (ends_with(name, ends[i]))
			return true;
	return false;
}

static void look_at(struct folder *folder, const char *name)
{
	CLEANUP(mem_freep) struct file *f = mem_alloc(sizeof(*f));

	f->folder = folder;
	f->name = name;
	snprintf(f->path, sizeof(f->path), "%.2000s/%.1000s", folder->h->folder_is.path, name);
	if (lstat(f->path, &f->st) < 0 || !S_ISREG(f->st.st_mode) ||
	    clock_now_us() - changed_us(&f->st) < folder->h->folder_is.settle_us)
		return;
	f->reports = json_array();
	take_file(f);
	json_decref(f->reports);
	rejected_done(&f->rejected);
}


/* In the order of their names, which are often dates. */
static void look(struct folder *folder)
{
	struct dirent **names = NULL;
	int n = scandir(folder->h->folder_is.path, &names, NULL, alphasort);

	if (n < 0)
		log_warn("folder.look", "%s: %s", folder->h->folder_is.path, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (!folder->stop && is_export(names[i]->d_name))
			look_at(folder, names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

static void *run(void *arg)
{
	struct folder *folder = arg;
	int64_t next = 0;

	folder->pulse = pulse_add("folder");
	while (!folder->stop) {
		if (clock_mono_us() >= next) {
			look(folder);
			next = clock_mono_us() + folder->h->folder_is.every_us;
		}
		pulse_beat(folder->pulse);
		usleep(TICK_US);
	}
	pulse_end(folder->pulse);
	return NULL;
}

static int make(const char *folder, const char *below, struct err *e)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%.2000s/%s", folder, below);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	if (mkdir(path, 0750) < 0)
		return err_set(e, ERR_SYS, "folder %s: %s", path, strerror(errno));
	return 0;
}

int folder_start(struct hotline *h, struct err *e)
{
	int r = make(h->folder_is.path, "", e);

	if (r == 0)
		r = make(h->folder_is.path, "done", e);
	if (r == 0)
		r = make(h->folder_is.path, "failed", e);
	if (r < 0)
		return r;
	h->folder = mem_alloc(sizeof(*h->folder));
	h->folder->h = h;
	if (pthread_create(&h->folder->thread, NULL, run, h->folder))
		return err_set(e, ERR_SYS, "folder: no thread");
	return 0;
}

void folder_stop(struct hotline *h)
{
	if (!h->folder)
		return;
	h->folder->stop = true;
	pthread_join(h->folder->thread, NULL);
	free(TAKE(h->folder));
}
