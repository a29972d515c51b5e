#pragma once
/*
 * The main thread's epoll loop: descriptors, signals and periodic chores. One thread; callbacks run
 * in it. A callback must not wait.
 */
#include <stdbool.h>
#include <stdint.h>

struct err;
struct loop;
typedef void loop_fn(void *arg, uint32_t events);  /* EPOLLIN ... */
typedef void loop_chore(void *arg);

int loop_new(struct loop **ret, struct err *e);
void loop_free(struct loop *loop);
/* The descriptor stays the caller's: loop_remove before close. */
int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn *fn, void *arg, struct err *e);
int loop_change(struct loop *loop, int fd, uint32_t events, struct err *e);
void loop_remove(struct loop *loop, int fd);
/* Calls `fn` with the signal number as events; the signal must be blocked in all threads. */
int loop_signal(struct loop *loop, int signo, loop_fn *fn, void *arg, struct err *e);
/* Calls `fn` about every period_ms. At most 16 chores. */
void loop_every(struct loop *loop, int64_t period_ms, loop_chore *fn, void *arg);
int loop_run(struct loop *loop, struct err *e);  /* until loop_stop; 0 */
void loop_stop(struct loop *loop);
