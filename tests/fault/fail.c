/*
 * Linked with the daemon's own objects into build/torture/needled (Makefile): each of its allocations and
 * each system call of it and its libraries passes here, and one of them, named by its call site, fails once.
 *
 *   FAIL_SITES=file    append a line per call site when it is first passed: kind, place
 *   FAIL_AT=kind@place the call there fails once (FAIL_NTH: the n-th time it is passed, default 1)
 *   FAIL_PHASES=1      a place ends with its phase: /s the daemon starts, /w is at work (from its first message on), /r in a reload,
 *                      the main thread there; /a what the others do from then on, /d drains. One place is then one in each of them
 *   FAIL_SAID=file     is made when that has happened
 *   FAIL_LEAK=1        memory is lost at once: for who wants to know whether that is seen
 *   FAIL_INNER=lo-hi,… offsets of the functions that only allocate for others: not the site
 *
 * Statements fail by themselves, each by its name, on its 1st, 3rd, 9th, 27th … run, so that what is tried again gets
 * through in the end:
 *
 *   FAIL_STATEMENTS=40001 the server refuses it with this SQLSTATE; 57P01: it ends the session instead
 *   FAIL_RUNS=1        each only in its first run
 *   FAIL_PREPARE=1     and so is its preparation, "prepare name"
 *   FAIL_ONE=name      only this one, and only in its first run; "-" none
 *   FAIL_AFTER=n       FAIL_ONE's every run after its n-th
 *   FAIL_ON=text       FAIL_ONE's every run with a parameter in which that stands: a row that the database calls bad
 *   FAIL_SPARE=,a,b,   all but these
 *   FAIL_NAMES=file    append each statement's name when it is run for the first time
 *
 *   FAIL_SUBSCRIBE=n   the n-th subscription has no answer of the broker
 *   FAIL_PUBLISH=/wall the first message on a topic in which that stands is not taken: the window is full
 *
 * Allocations of libraries are theirs, but for jansson, whose memory is ours (needled.c).
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/err.h"
#include "health/notify.h"
#include "intake/inbox.h"
#include "link/link.h"

enum { FRAMES = 40, SITES = 8192, INNERS = 128, PLACE = 96, LOST = 40 };

void *__real_malloc(size_t n);

static uintptr_t base, text_end;
static uintptr_t inner[INNERS][2];
static size_t n_inner;
static const char *wanted, *said;
static long nth;
static int sites_fd = -1;
static _Atomic uint64_t seen[SITES];
static _Atomic long passes;
static void *volatile lost;
static __thread bool inside;
static bool phases;
static _Atomic char phase = 's';
static __thread bool reloading;

static int find_base(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	base = info->dlpi_addr;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X))
			text_end = base + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
	return 1; /* the program itself comes first */
}

__attribute__((constructor)) static void fail_init(void)
{
	const char *file = getenv("FAIL_SITES"), *at = getenv("FAIL_INNER"), *n = getenv("FAIL_NTH");
	void *warm[2];
	char *end;

	inside = true;
	backtrace(warm, 2); /* loads what it needs */
	dl_iterate_phdr(find_base, NULL);
	while (at && *at && n_inner < INNERS) {
		inner[n_inner][0] = strtoul(at, &end, 16);
		inner[n_inner++][1] = strtoul(end + 1, &end, 16);
		at = *end == ',' ? end + 1 : NULL;
	}
	wanted = getenv("FAIL_AT");
	said = getenv("FAIL_SAID");
	nth = n ? atol(n) : 1;
	phases = getenv("FAIL_PHASES");
	for (int i = 0; getenv("FAIL_LEAK") && i < LOST; i++)
		lost = __real_malloc(LOST);
	if (file)
		sites_fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	inside = false;
}

static bool is_inner(uintptr_t offset)
{
	for (size_t i = 0; i < n_inner; i++)
		if (offset >= inner[i][0] && offset < inner[i][1])
			return true;
	return false;
}

/* Where in our own code, for a library's call also where in the library, and when. */
static void place_of(void *caller, char *ret)
{
	void *frames[FRAMES];
	int n = backtrace(frames, FRAMES), len = 0;
	char when[3] = {phases ? '/' : '\0', reloading ? 'r' : atomic_load(&phase)};
	Dl_info info;

	ret[0] = '\0';
	if (((uintptr_t)caller < base || (uintptr_t)caller >= text_end) && dladdr(caller, &info) && info.dli_fname)
		len = snprintf(ret, PLACE, "%.30s+%lx", strrchr(info.dli_fname, '/') ? strrchr(info.dli_fname, '/') + 1 : info.dli_fname,
			       (unsigned long)((uintptr_t)caller - (uintptr_t)info.dli_fbase));
	for (int i = 1; i < n; i++) {
		uintptr_t at = (uintptr_t)frames[i];

		/* fail.o itself is among the inner ones. */
		if (at < base || at >= text_end || is_inner(at - base))
			continue;
		len += snprintf(ret + len, (size_t)(PLACE - len), "%s%lx", len ? "<" : "", (unsigned long)(at - base));
		break;
	}
	snprintf(ret + len, (size_t)(PLACE - len), "%s", when);
}

static uint64_t hash(const char *kind, const char *place)
{
	uint64_t h = 1469598103934665603u;

	for (const char *p = kind; *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	for (const char *p = place; *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	return h ? h : 1;
}

static void note(const char *kind, const char *place)
{
	uint64_t h = hash(kind, place);
	char line[PLACE + 32];
	int n;

	for (size_t i = h % SITES;; i = (i + 1) % SITES) {
		uint64_t there = atomic_load(&seen[i]);

		if (there == h)
			return;
		if (there == 0 && atomic_compare_exchange_strong(&seen[i], &there, h))
			break;
		if (there == h)
			return;
	}
	n = snprintf(line, sizeof(line), "%s@%s\n", kind, place);
	syscall(SYS_write, sites_fd, line, (size_t)n);
}

static bool fails(const char *kind, void *caller)
{
	char place[PLACE];
	size_t n = strlen(kind);
	bool yes = false;

	if (inside || (!wanted && sites_fd < 0))
		return false;
	if (wanted && (strncmp(wanted, kind, n) != 0 || wanted[n] != '@'))
		return false;
	inside = true;
	place_of(caller, place);
	if (sites_fd >= 0)
		note(kind, place);
	if (wanted && strcmp(wanted + n + 1, place) == 0 && atomic_fetch_add(&passes, 1) + 1 == nth) {
		int fd = said ? (int)syscall(SYS_openat, AT_FDCWD, said, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;

		if (fd >= 0)
			syscall(SYS_close, fd);
		yes = true;
	}
	inside = false;
	return yes;
}

#define CALLER __builtin_return_address(0)
#define EXPORT __attribute__((visibility("default")))

/* ---- memory: --wrap, so that only our own objects come here --------------------------------------- */
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__real_arena_alloc(void *a, size_t n);
void *__wrap_arena_alloc(void *a, size_t n);
char *__real_arena_strndup(void *a, const char *s, size_t n);
char *__wrap_arena_strndup(void *a, const char *s, size_t n);
char *__real_arena_strdup(void *a, const char *s);
char *__wrap_arena_strdup(void *a, const char *s);
char *__wrap_arena_printf(void *a, const char *fmt, ...);
_Noreturn void mem_die(const char *what);

void *__wrap_malloc(size_t n)
{
	return fails("alloc", CALLER) ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails("alloc", CALLER) ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails("alloc", CALLER) ? NULL : __real_realloc(p, n);
}

/* An arena asks for a block now and then; here it does so whenever it is asked. */
static void arena_fails(void *caller)
{
	if (fails("arena", caller))
		mem_die("arena");
}

void *__wrap_arena_alloc(void *a, size_t n)
{
	arena_fails(CALLER);
	return __real_arena_alloc(a, n);
}

char *__wrap_arena_strndup(void *a, const char *s, size_t n)
{
	arena_fails(CALLER);
	return __real_arena_strndup(a, s, n);
}

char *__wrap_arena_strdup(void *a, const char *s)
{
	arena_fails(CALLER);
	return __real_arena_strdup(a, s);
}

char *__wrap_arena_printf(void *a, const char *fmt, ...)
{
	va_list ap, again;
	char *p;
	int n;

	arena_fails(CALLER);
	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	p = __real_arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

/* ---- the phases of a life --------------------------------------------------------------------------- */
void __real_notify_ready(void);
void __wrap_notify_ready(void);
void __real_notify_reloading(void);
void __wrap_notify_reloading(void);
void __real_notify_stopping(void);
void __wrap_notify_stopping(void);
int __real_inbox_append(struct inbox *inbox, const struct inbox_record *r, uint64_t *ret_seq, struct err *e);
int __wrap_inbox_append(struct inbox *inbox, const struct inbox_record *r, uint64_t *ret_seq, struct err *e);

int __wrap_inbox_append(struct inbox *inbox, const struct inbox_record *r, uint64_t *ret_seq, struct err *e)
{
	char starting = 's';

	atomic_compare_exchange_strong(&phase, &starting, 'w');
	return __real_inbox_append(inbox, r, ret_seq, e);
}

void __wrap_notify_reloading(void)
{
	reloading = true;
	atomic_store(&phase, 'a');
	__real_notify_reloading();
}

void __wrap_notify_ready(void)
{
	__real_notify_ready();
	reloading = false;
}

void __wrap_notify_stopping(void)
{
	atomic_store(&phase, 'd');
	__real_notify_stopping();
}

/* ---- the link: a broker that does not answer -------------------------------------------------------- */
int __real_link_subscribe(struct link *link, const char *const *filters, size_t n, int retained, int timeout_ms, struct err *e);
int __wrap_link_subscribe(struct link *link, const char *const *filters, size_t n, int retained, int timeout_ms, struct err *e);
int __real_link_publish(struct link *link, const struct link_publish *p, struct err *e);
int __wrap_link_publish(struct link *link, const struct link_publish *p, struct err *e);

int __wrap_link_subscribe(struct link *link, const char *const *filters, size_t n, int retained, int timeout_ms, struct err *e)
{
	static _Atomic long asked;
	const char *which = getenv("FAIL_SUBSCRIBE");

	if (which && atomic_fetch_add(&asked, 1) + 1 == atol(which))
		return err_set(e, ERR_AGAIN, "the broker does not answer the subscription to %s", filters[0]);
	return __real_link_subscribe(link, filters, n, retained, timeout_ms, e);
}

int __wrap_link_publish(struct link *link, const struct link_publish *p, struct err *e)
{
	static _Atomic bool done;
	const char *part = getenv("FAIL_PUBLISH");

	if (part && strstr(p->topic, part) && !atomic_exchange(&done, true))
		return err_set(e, ERR_AGAIN, "the window is full");
	return __real_link_publish(link, p, e);
}

/* ---- system calls: exported, so that the libraries' come here, too --------------------------------- */
#define REAL(name) ({ static __typeof__(&name) real_; if (!real_) real_ = (__typeof__(&name))dlsym(RTLD_NEXT, #name); real_; })
#define SYSTEM(type, name, params, args, error) \
	EXPORT type name params; \
	EXPORT type name params \
	{ \
		if (fails(#name, CALLER)) { \
			errno = error; \
			return -1; \
		} \
		return REAL(name) args; \
	}

/* These say that the connection is dead, so it must be: the other side and the next call find it so. */
#define SOCKET(type, name, params, args, error) \
	EXPORT type name params; \
	EXPORT type name params \
	{ \
		if (fails(#name, CALLER)) { \
			shutdown(fd, SHUT_RDWR); \
			errno = error; \
			return -1; \
		} \
		return REAL(name) args; \
	}

SOCKET(ssize_t, send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags), EPIPE)
SOCKET(ssize_t, recv, (int fd, void *p, size_t n, int flags), (fd, p, n, flags), ECONNRESET)
SOCKET(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n), EPIPE)
SYSTEM(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n), ENOSPC)
SYSTEM(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at), ENOSPC)
SYSTEM(ssize_t, sendto, (int fd, const void *p, size_t n, int flags, const struct sockaddr *a, socklen_t l), (fd, p, n, flags, a, l), ECONNREFUSED)
SYSTEM(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n), EIO)
SYSTEM(ssize_t, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at), EIO)
SYSTEM(int, fsync, (int fd), (fd), EIO)
SYSTEM(int, fdatasync, (int fd), (fd), EIO)
SYSTEM(int, ftruncate, (int fd, off_t n), (fd, n), EIO)
SYSTEM(int, connect, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n), ECONNREFUSED)
SYSTEM(int, socket, (int domain, int type, int protocol), (domain, type, protocol), EMFILE)

/* The daemon's own. The MQTT library's, which are the ones with attributes, are spared: it does not look whether it has them. */
EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	return !attr && fails("pthread_create", CALLER) ? EAGAIN : REAL(pthread_create)(thread, attr, fn, arg);
}

EXPORT int posix_fallocate(int fd, off_t at, off_t n)
{
	return fails("posix_fallocate", CALLER) ? ENOSPC : REAL(posix_fallocate)(fd, at, n);
}

#define MODE(flags) ({ mode_t m_ = 0; if ((flags) & (O_CREAT | O_TMPFILE)) { va_list ap_; va_start(ap_, flags); m_ = va_arg(ap_, mode_t); va_end(ap_); } m_; })

EXPORT int open(const char *path, int flags, ...)
{
	mode_t mode = MODE(flags);

	if (fails("open", CALLER)) {
		errno = EMFILE;
		return -1;
	}
	return REAL(open)(path, flags, mode);
}

EXPORT int openat(int at, const char *path, int flags, ...)
{
	mode_t mode = MODE(flags);

	if (fails("openat", CALLER)) {
		errno = EMFILE;
		return -1;
	}
	return REAL(openat)(at, path, flags, mode);
}

/* ---- statements: the server itself refuses them, so that the transaction they stood in is over, as in earnest ---- */
enum { STATEMENTS = 512, NAME = 48 };

static pthread_mutex_t statements_lock = PTHREAD_MUTEX_INITIALIZER;
static struct statement {
	char name[NAME];
	long runs;
} statements[STATEMENTS];

static bool is_due(const struct statement *s, const char *only)
{
	long at = 1;

	const char *after = getenv("FAIL_AFTER");

	if (only && strcmp(only, s->name) != 0)
		return false;
	if (only && after)
		return s->runs > atol(after);
	while (!only && !getenv("FAIL_RUNS") && at < s->runs)
		at *= 3;
	return at == s->runs;
}

static void note_name(const char *name)
{
	const char *file = getenv("FAIL_NAMES");
	int fd = file ? (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	char line[NAME + 2];
	int n = snprintf(line, sizeof(line), "%s\n", name);

	if (fd < 0)
		return;
	syscall(SYS_write, fd, line, (size_t)n);
	syscall(SYS_close, fd);
}

static bool is_spared(const char *name)
{
	const char *list = getenv("FAIL_SPARE");
	char word[NAME + 2];

	if (strncmp(name, "prepare ", 8) == 0)
		name += 8;
	snprintf(word, sizeof(word), ",%.*s,", NAME - 1, name);
	return strcmp(name, "ROLLBACK") == 0 || (list && strstr(list, word));
}

static bool has_text(const char *text, int n, const char *const *v, const int *len)
{
	for (int i = 0; i < n; i++)
		if (v[i] && memmem(v[i], (size_t)len[i], text, strlen(text)))
			return true;
	return false;
}

/* The statement to send in its place, or NULL. */
static const char *refusal(const char *name, int n, const char *const *v, const int *len)
{
	static __thread char sql[96];
	const char *state = getenv("FAIL_STATEMENTS"), *only = getenv("FAIL_ONE"), *on = getenv("FAIL_ON");
	size_t i = 0;
	bool due;

	if (!state || is_spared(name))
		return NULL;
	pthread_mutex_lock(&statements_lock);
	while (i < STATEMENTS - 1 && statements[i].name[0] && strncmp(statements[i].name, name, NAME - 1) != 0)
		i++;
	if (!statements[i].name[0])
		snprintf(statements[i].name, NAME, "%.*s", NAME - 1, name);
	statements[i].runs++;
	if (statements[i].runs == 1)
		note_name(statements[i].name);
	due = on ? only && strcmp(only, statements[i].name) == 0 && has_text(on, n, v, len) : is_due(&statements[i], only);
	pthread_mutex_unlock(&statements_lock);
	if (!due)
		return NULL;
	if (strcmp(state, "57P01") == 0)
		return "SELECT pg_terminate_backend(pg_backend_pid())";
	snprintf(sql, sizeof(sql), "DO $$ BEGIN RAISE 'refused' USING ERRCODE = '%.5s'; END $$", state);
	return sql;
}

EXPORT PGresult *PQprepare(PGconn *c, const char *name, const char *text, int n, const Oid *types)
{
	char first[NAME];
	const char *sql;

	snprintf(first, sizeof(first), "prepare %s", name);
	sql = getenv("FAIL_PREPARE") ? refusal(first, 0, NULL, NULL) : NULL;
	return sql ? REAL(PQexec)(c, sql) : REAL(PQprepare)(c, name, text, n, types);
}

/* The same in a pipeline. */
EXPORT int PQsendPrepare(PGconn *c, const char *name, const char *text, int n, const Oid *types)
{
	char first[NAME];
	const char *sql;

	snprintf(first, sizeof(first), "prepare %s", name);
	sql = getenv("FAIL_PREPARE") ? refusal(first, 0, NULL, NULL) : NULL;
	return sql ? PQsendQueryParams(c, sql, 0, NULL, NULL, NULL, NULL, 0) : REAL(PQsendPrepare)(c, name, text, n, types);
}

EXPORT PGresult *PQexecPrepared(PGconn *c, const char *name, int n, const char *const *v, const int *len, const int *fmt, int result)
{
	const char *sql = refusal(name, n, v, len);

	return sql ? REAL(PQexec)(c, sql) : REAL(PQexecPrepared)(c, name, n, v, len, fmt, result);
}

EXPORT int PQsendQueryPrepared(PGconn *c, const char *name, int n, const char *const *v, const int *len, const int *fmt, int result)
{
	const char *sql = refusal(name, n, v, len);

	return sql ? PQsendQueryParams(c, sql, 0, NULL, NULL, NULL, NULL, 0)
		   : REAL(PQsendQueryPrepared)(c, name, n, v, len, fmt, result);
}

EXPORT PGresult *PQexec(PGconn *c, const char *text)
{
	const char *sql = refusal(text, 0, NULL, NULL);

	/* A COMMIT that fails has rolled back. */
	if (sql && strcmp(text, "COMMIT") == 0)
		PQclear(REAL(PQexec)(c, "ROLLBACK"));
	return REAL(PQexec)(c, sql ? sql : text);
}
