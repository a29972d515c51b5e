#pragma once
/*
 * Memory has three lives: process, message (an arena that is reset), job (one block, one owner).
 * Out of memory ends the process at once with one line: nothing that was acknowledged can be lost
 * by that, because an acknowledgement follows the disk or the database (docs/decisions/).
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));   /* zeroed */
void *mem_raw(size_t size) __attribute__((malloc, returns_nonnull));     /* not; for libraries that ask for memory */
void *mem_resize(void *p, size_t size) __attribute__((returns_nonnull));
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));
_Noreturn void mem_die(const char *what);
/*
 * Once a second, by one thread: half of the spare blocks that nobody has taken since the last time go back to the system, and
 * now and then what is free in the heaps.
 */
void mem_tidy(void);

/* `CLEANUP(mem_freep) char *x = NULL;` frees x at the end of its scope. */
#define CLEANUP(f) __attribute__((cleanup(f)))
static inline void mem_freep(void *p)
{
	free(*(void **)p);
}

/* Hands a pointer on and disarms its cleanup. */
#define TAKE(p) ({ __typeof__(p) taken_ = (p); (p) = NULL; taken_; })

struct arena_block;
/* A bump allocator: everything in it dies with arena_reset or arena_done. One thread. */
struct arena {
	struct arena_block *block;  /* newest first */
	size_t block_size;          /* bytes of a fresh block; 0 = 64 KiB */
};

void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull)); /* zeroed, aligned 16 */
char *arena_strdup(struct arena *a, const char *s) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *a, const char *s, size_t len) __attribute__((returns_nonnull));
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull));
void arena_reset(struct arena *a); /* keeps one block for the next message */
void arena_done(struct arena *a);
/* What was made after the mark dies with arena_release: for work that is tried again and again until it works. */
struct arena_mark {
	struct arena_block *block;
	size_t used;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_release(struct arena *a, struct arena_mark mark);
