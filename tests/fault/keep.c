/*
 * Linked with the daemon of a coverage build alone (COV=1): gcov writes what was run when a process ends by itself, and many of
 * the tests kill it. So it is written every half second.
 */
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

void __gcov_dump(void);
void __gcov_reset(void);

static void *keep(void *arg)
{
	const struct timespec half_a_second = {0, 500000000};

	for (;;) {
		nanosleep(&half_a_second, NULL);
		__gcov_dump();
		__gcov_reset();
	}
	return arg;
}

__attribute__((constructor)) static void keep_init(void)
{
	pthread_t thread;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
	pthread_create(&thread, NULL, keep, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}
