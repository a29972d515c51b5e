#pragma once
/*
 * Hot words of a list's time, found on a thread of their own over a connection of their own: a million texts take seconds, for which
 * neither messages nor timers wait. The result is nobody's until the worker publishes it in the transaction of the list, so a
 * daemon that dies meanwhile has published nothing, and begins anew. One list at a time; all calls but the thread's are the worker's.
 */
#include "core/statistics/statistics.h"

struct analyst;
struct err;
struct settings;

/* `wake` is called from the thread when a result is there. */
struct analyst *analyst_new(void (*wake)(void *arg), void *arg);
void analyst_free(struct analyst *a);   /* waits until the thread has given up; NULL-safe */
/*
 * 0: *ret is what was found, until the next call; ANALYST_BUSY: it is under way, or begins now; an error: it failed, and asked
 * again it begins anew, some seconds later.
 */
enum { ANALYST_BUSY = 1 };
int analyst_ask(struct analyst *a, struct settings *settings, const char *list, struct stretch s, const struct hot_result **ret, struct err *e);
void analyst_drop(struct analyst *a);   /* nobody asks for it any more */
