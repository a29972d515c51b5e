#pragma once
/*
 * Small things by name that must survive a kill: what is known of a person, where a list was read to. One
 * append-only file; memory holds the newest text of each name. A put is written before it returns. Any thread.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct shelf;

/* What is no longer worth keeping when the file is written anew. */
typedef bool shelf_stale(void *arg, const char *name, const char *text);

int shelf_open(const char *folder, const char *name, struct shelf **ret, struct err *e);
void shelf_close(struct shelf *s);              /* NULL-safe */
/* A copy that the caller frees; NULL when there is none. */
char *shelf_get(struct shelf *s, const char *name);
/* text NULL: forget it. Names have no tabs or newlines, texts no newlines (JSON has none). */
int shelf_put(struct shelf *s, const char *name, const char *text, struct err *e);
/* Forgets it if that is still what it says. */
int shelf_forget_if(struct shelf *s, const char *name, const char *text, struct err *e);
int shelf_sync(struct shelf *s, struct err *e);
/* Writes the file anew when much of it is old. */
int shelf_tidy(struct shelf *s, shelf_stale *stale, void *arg, struct err *e);
/* Calls fn for each name that begins so; fn must not call the shelf. */
void shelf_each(struct shelf *s, const char *prefix, void (*fn)(void *arg, const char *name, const char *text), void *arg);
size_t shelf_count(struct shelf *s);
