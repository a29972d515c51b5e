#include "base/mem.h"

#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/format.h"
#include "base/log.h"

/* Each compiler says it in its own way. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif

enum { ARENA_ALIGN = 16, TRIM_EVERY = 5 };

struct arena_block {
	struct arena_block *next;
	size_t size, used;
	_Alignas(ARENA_ALIGN) unsigned char data[];
};

enum { ARENA_PAGES = 64 * 1024, ARENA_BLOCK = ARENA_PAGES - sizeof(struct arena_block) };

/*
 * Blocks of the usual size go from hand to hand: a batch takes some dozens and gives them back a moment
 * later, and each would have to be faulted in again. What nobody takes for some seconds goes back all the same: after a burst the
 * process is as small as before. They have pages of their own; in a heap they would lie between short-lived things for long,
 * and neither those nor they could go back.
 */
static struct {
	pthread_mutex_t lock;
	struct arena_block *first;
	size_t n, max;
	size_t least;                   /* that lay here at any time since the last tidying */
} spare = {.lock = PTHREAD_MUTEX_INITIALIZER,
#ifndef SANITIZED                       /* which must see what is used after its end */
	   .max = 160,
#endif
};

/* The sanitizer sees what is used after its end only where the C library gave it. */
static struct arena_block *pages_new(void)
{
#ifdef SANITIZED
	return malloc(ARENA_PAGES);
#else
	/* cppcheck-suppress invalidFunctionArg */
	void *p = mmap(NULL, ARENA_PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
#endif
}

static void pages_free(struct arena_block *b)
{
#ifdef SANITIZED
	free(b);
#else
	if (b)
		munmap(b, ARENA_PAGES);
#endif
}

static struct arena_block *spare_take(void)
{
	struct arena_block *b;

	pthread_mutex_lock(&spare.lock);
	b = spare.first;
	if (b) {
		spare.first = b->next;
		spare.n--;
		spare.least = spare.n < spare.least ? spare.n : spare.least;
	}
	pthread_mutex_unlock(&spare.lock);
	return b;
}

void mem_tidy(void)
{
	static unsigned times;
	size_t n;

	pthread_mutex_lock(&spare.lock);
	n = (spare.least + 1) / 2;
	spare.least = spare.n - n;
	pthread_mutex_unlock(&spare.lock);
	for (; n; n--)
		pages_free(spare_take());
	/* One small thing that lives long holds the heap of a thread at its highest. */
	if (++times % TRIM_EVERY == 0)
		malloc_trim(0);
}

static void block_free(struct arena_block *b)
{
	bool kept;

	if (b->size != ARENA_BLOCK) {
		free(b);
		return;
	}
	pthread_mutex_lock(&spare.lock);
	kept = spare.n < spare.max;
	if (kept) {
		b->next = spare.first;
		spare.first = b;
		spare.n++;
	}
	pthread_mutex_unlock(&spare.lock);
	if (!kept)
		pages_free(b);
}

static struct arena_block *usual_block(void)
{
	struct arena_block *b = spare_take();

	return b ? b : pages_new();
}

_Noreturn void mem_die(const char *what)
{
	log_error("process.memory", "out of memory in %s", what);
	_exit(1);
}

void *mem_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p)
		mem_die("mem_alloc");
	return p;
}

void *mem_raw(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		mem_die("mem_raw");
	return p;
}

void *mem_resize(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);

	if (!p)
		mem_die("mem_resize");
	return p;
}

char *mem_strdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(mem_alloc(n), s, n);
}

static struct arena_block *block_new(struct arena *a, size_t need)
{
	size_t size = a->block_size ? a->block_size : ARENA_BLOCK;
	struct arena_block *b;

	if (size < need)
		size = need;
	b = size == ARENA_BLOCK ? usual_block() : malloc(sizeof(*b) + size);
	if (!b)
		mem_die("arena");
	b->next = a->block;
	b->size = size;
	b->used = 0;
	a->block = b;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t need = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	struct arena_block *b = a->block;
	void *p;

	if (!b || b->size - b->used < need)
		b = block_new(a, need);
	p = b->data + b->used;
	b->used += need;
	return memset(p, 0, need);
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *p = arena_alloc(a, len + 1);

	if (len)
		memcpy(p, s, len);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *p;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = format_text(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	p = arena_alloc(a, (size_t)n + 1);
	format_text(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

void arena_reset(struct arena *a)
{
	struct arena_block *b = a->block, *next;

	/* The block that stays is the oldest one: of the usual size, so one huge message is not kept. */
	for (; b && b->next; b = next) {
		next = b->next;
		block_free(b);
	}
	a->block = b;
	if (b)
		b->used = 0;
}

void arena_done(struct arena *a)
{
	struct arena_block *b, *next;

	for (b = a->block; b; b = next) {
		next = b->next;
		block_free(b);
	}
	a->block = NULL;
}

struct arena_mark arena_mark(const struct arena *a)
{
	return (struct arena_mark){a->block, a->block ? a->block->used : 0};
}

void arena_release(struct arena *a, struct arena_mark mark)
{
	struct arena_block *b, *next;

	for (b = a->block; b != mark.block; b = next) {
		next = b->next;
		block_free(b);
	}
	a->block = b;
	if (b)
		b->used = mark.used;
}
