/*
 * Linked with the daemon of a coverage build alone (COV=1): gcov writes what was run when a process ends by itself, and many of the
 * tests kill it. They send this signal instead of SIGKILL there (tests/lib/stack.py): what was run is written, then it is killed.
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

enum { KEEP = 6 }; /* SIGRTMIN + */

void __gcov_dump(void);

static sem_t asked;

static void on_signal(int number)
{
	(void)number;
	sem_post(&asked);
}

static void *keep(void *arg)
{
	while (sem_wait(&asked) < 0)
		;
	__gcov_dump();
	kill(getpid(), SIGKILL);
	return arg;
}

__attribute__((constructor)) static void keep_init(void)
{
	struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	pthread_t thread;
	sigset_t all, before;

	sem_init(&asked, 0, 0);
	sigaction(SIGRTMIN + KEEP, &act, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
	pthread_create(&thread, NULL, keep, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}
