/*
 * One job at a time, and one thread a job. A job that is dropped gives up at the next day of texts or the next length of words;
 * until it has, another one waits. The thread is less urgent than the worker, so that where cores are few the worker keeps its own.
 */
#include "intake/analyst.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "intake/hotlist.h"
#include "settings/snapshot.h"
#include "store/pg.h"

enum { NICE = 10, AGAIN_US = 5000000 };

struct analyst {
	void (*wake)(void *arg);
	void *arg;
	bool running;                   /* the thread has to be joined */
	bool wanted;                    /* the list below is asked for; its result is not dropped */
	int64_t not_before;             /* of the steady clock: after a failure */
	_Atomic bool done, stop;

	/* The job: the worker's before the thread begins and after `done`, else the thread's. */
	pthread_t thread;
	struct settings *settings;
	struct stretch when;
	char *list;
	struct arena arena;
	struct hot_result found;
	int result;
	struct err err;
};

struct analyst *analyst_new(void (*wake)(void *arg), void *arg)
{
	struct analyst *a = mem_alloc(sizeof(*a));

	a->wake = wake;
	a->arg = arg;
	return a;
}

static void *analyst_main(void *arg)
{
	struct analyst *a = arg;
	struct pg *pg = NULL;

	setpriority(PRIO_PROCESS, 0, NICE);     /* on Linux: of this thread */
	a->result = pg_open(a->settings->dsn, "needled hot words", &pg, &a->err);
	if (a->result == 0)
		a->result = hotlist_find(pg, &a->settings->office, a->when, &a->stop, &a->arena, &a->found, &a->err);
	pg_close(pg);
	atomic_store(&a->done, true);
	a->wake(a->arg);
	return NULL;
}

static void forget_job(struct analyst *a)
{
	if (a->running)
		pthread_join(a->thread, NULL);
	a->running = a->wanted = false;
	settings_unref(a->settings);
	a->settings = NULL;
	free(a->list);
	a->list = NULL;
	arena_done(&a->arena);
}

static int begin(struct analyst *a, struct settings *settings, const char *list, struct stretch s, struct err *e)
{
	forget_job(a);
	a->settings = settings_ref(settings);
	a->list = mem_strdup(list);
	a->when = s;
	a->found = (struct hot_result){0};
	atomic_store(&a->done, false);
	atomic_store(&a->stop, false);
	if (pthread_create(&a->thread, NULL, analyst_main, a) != 0) {
		forget_job(a);
		return err_set(e, ERR_AGAIN, "cannot start the thread that finds hot words");
	}
	a->running = a->wanted = true;
	log_info("hotwords.begun", "%s", list);
	return ANALYST_BUSY;
}

int analyst_ask(struct analyst *a, struct settings *settings, const char *list, struct stretch s, const struct hot_result **ret, struct err *e)
{
	if (a->running && !atomic_load(&a->done))
		return ANALYST_BUSY;
	if (clock_mono_us() < a->not_before)
		return ANALYST_BUSY;
	if (!a->wanted || a->settings != settings || strcmp(a->list, list) != 0 || a->when.from != s.from || a->when.to != s.to)
		return begin(a, settings, list, s, e);
	if (a->result < 0) {
		*e = a->err;
		a->not_before = clock_mono_us() + AGAIN_US;
		forget_job(a);
		return e->class;
	}
	*ret = &a->found;
	return 0;
}

void analyst_drop(struct analyst *a)
{
	if (!a)
		return;
	a->wanted = false;
	if (!a->running || atomic_load(&a->done))
		forget_job(a);
	else
		atomic_store(&a->stop, true);
}

void analyst_free(struct analyst *a)
{
	if (!a)
		return;
	atomic_store(&a->stop, true);
	forget_job(a);
	free(a);
}
