/*
 * Paho without its bookkeeping. Debian builds the library for those who debug it: every allocation is kept in
 * a tree, every function on a call stack, both under one lock of the process; that was a third of what
 * Paho costs. The Makefile leaves the two files that do so (Heap.c, StackTrace.c) out of our copy of Debian's
 * archive, and these take their place. A Paho that asks for more than these does not link.
 *
 * Memory is ours then, as with all of the daemon: when none is left the process says so and ends.
 */
#include <stdlib.h>

#include "base/mem.h"

void *mymalloc(char *file, int line, size_t size);
void *myrealloc(char *file, int line, void *p, size_t size);
void myfree(char *file, int line, void *p);
int Heap_initialize(void);
void Heap_terminate(void);
void StackTrace_entry(const char *name, int line, int level);
void StackTrace_exit(const char *name, int line, void *rc, int level);

void *mymalloc(char *file, int line, size_t size)
{
	(void)file;
	(void)line;
	return mem_raw(size);
}

void *myrealloc(char *file, int line, void *p, size_t size)
{
	(void)file;
	(void)line;
	return mem_resize(p, size);
}

void myfree(char *file, int line, void *p)
{
	(void)file;
	(void)line;
	free(p);
}

int Heap_initialize(void)
{
	return 0;
}

void Heap_terminate(void)
{
}

void StackTrace_entry(const char *name, int line, int level)
{
	(void)name;
	(void)line;
	(void)level;
}

void StackTrace_exit(const char *name, int line, void *rc, int level)
{
	(void)name;
	(void)line;
	(void)rc;
	(void)level;
}
