/* Counts of each department's queue, retained, at most one a second and a department. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "core/life/event.h"
#include "core/time/moment.h"
#include "dispatch/parts.h"

/*
 * Events wait while the database looks: so many rows that it takes about LOOK_US. Warm ones cost one microsecond, cold ones tens of
 * them. Few departments at a time, because each is a walk down the index.
 */
enum { PERIOD_US = 1000000, LOOK_US = 600, LOOK_LEAST = 50, LOOK_MOST = 2000, DEPARTMENT_LEAST = 50 };

void summary_mark(struct dispatch *d, const char *dept)
{
	if (!map_get(&d->dirty, dept)) {
		char *key = mem_strdup(dept);

		map_put(&d->dirty, key, key);
	}
}

static void remember(struct dispatch *d, const struct summary *s)
{
	for (size_t i = 0; i < d->summaries.n; i++)
		if (strcmp(d->summaries.v[i].dept, s->dept) == 0) {
			const char *name = d->summaries.v[i].dept;

			free(d->summaries.v[i].late);
			d->summaries.v[i] = *s;
			d->summaries.v[i].dept = name;
			return;
		}
	VEC_PUSH(&d->summaries, *s);
	d->summaries.v[d->summaries.n - 1].dept = mem_strdup(s->dept);
}

static void counts(struct str *t, const struct summary *s)
{
	str_addf(t, "\"to_accept\":%lld,\"in_progress\":%lld,\"due_today\":%lld,\"overdue\":%lld,\"total\":%lld",
		 (long long)s->to_accept, (long long)s->in_progress, (long long)s->due_today, (long long)s->overdue,
		 (long long)s->total);
}

static bool publish_one(struct dispatch *d, const struct summary *s, int64_t now)
{
	struct arena a = {.block_size = 512};
	struct str t = {0};
	char at[MOMENT_TEXT];
	bool sent;

	str_add(&t, "{\"v\":1,");
	counts(&t, s);
	str_addf(&t, ",\"at\":\"%s\"}", moment_rfc3339(now, at));
	sent = publish_plain(d, topic_dept(&d->settings->office, s->dept, "summary", NULL, &a), t.s, true);
	str_done(&t);
	arena_done(&a);
	return sent;
}

static void show(struct dispatch *d, int64_t now)
{
	struct str t = {0};
	char at[MOMENT_TEXT];
	int64_t open = 0;
	char *before;

	for (size_t i = 0; i < d->summaries.n; i++)
		open += d->summaries.v[i].leads;
	str_add(&t, "{\"tenant\":");
	str_json(&t, tenant_of(d));
	str_addf(&t, ",\"at\":\"%s\",\"open_cases\":%lld,\"departments\":[", moment_rfc3339(now, at),
		 (long long)open);
	for (size_t i = 0; i < d->summaries.n; i++) {
		str_add(&t, i ? ",{\"department\":" : "{\"department\":");
		str_json(&t, d->summaries.v[i].dept);
		str_addc(&t, ',');
		counts(&t, &d->summaries.v[i]);
		str_addc(&t, '}');
	}
	str_add(&t, "]}");
	pthread_mutex_lock(&d->shown_lock);
	before = d->summary;
	d->summary = t.s;
	d->shown.open_cases = open;
	pthread_mutex_unlock(&d->shown_lock);
	free(before);
}

static bool is_counting(const struct dispatch *d, const char *dept)
{
	for (size_t i = 0; i < d->counting.n; i++)
		if (strcmp(d->counting.v[i].dept, dept) == 0)
			return true;
	return false;
}

/* Once a period what has changed begins to be counted, also beside a long queue that takes its time. */
static void begin_round(struct dispatch *d, int64_t now_us)
{
	struct map changed = d->dirty;

	d->dirty = (struct map){0};
	d->next_round_us = now_us + PERIOD_US;
	for (size_t i = 0; i < changed.cap; i++) {
		const char *dept = changed.slots[i].key;

		if (!dept)
			continue;
		if (is_counting(d, dept))
			summary_mark(d, dept);
		else if (map_get(&d->settings->office.dept_by_id, dept))
			VEC_PUSH(&d->counting, ((struct summary){.dept = mem_strdup(dept)}));
		free(changed.slots[i].value);
	}
	map_done(&changed);
}

/* What is counted whole is told; returns whether there was any. */
static bool tell_whole(struct dispatch *d, int64_t now)
{
	size_t kept = 0, n = d->counting.n;

	for (size_t i = 0; i < n; i++) {
		struct summary *s = &d->counting.v[i];

		if (!s->whole) {
			d->counting.v[kept++] = *s;
			continue;
		}
		remember(d, s);
		if (!publish_one(d, s, now))
			summary_mark(d, s->dept);
		free((char *)(uintptr_t)s->dept);
		wall_mark(d, false);
	}
	d->counting.n = kept;
	return kept < n;
}

static int64_t counted(const struct dispatch *d)
{
	int64_t n = 0;

	for (size_t i = 0; i < d->counting.n; i++)
		n += d->counting.v[i].total;
	return n;
}

/* How many rows the next look may take. One that took long may only have waited for the processor; one that found little says little. */
static size_t next_look(size_t rows, int64_t found, int64_t took_us)
{
	if (took_us > LOOK_US)
		rows -= rows / 4;
	else if (found >= (int64_t)rows / 2)
		rows += rows / 4;
	return rows < LOOK_LEAST ? LOOK_LEAST : rows > LOOK_MOST ? LOOK_MOST : rows;
}

int summary_publish(struct dispatch *d, struct err *e)
{
	int64_t now = clock_now_us(), began = clock_mono_us();
	struct summary_question q = {.n_late = (size_t)d->settings->office.statistics.problems, .now = now,
				     .end_of_day = moment_of_day(moment_day(now), 1440)};
	size_t rows = d->look_rows ? d->look_rows : LOOK_LEAST, n;
	struct arena a = {0};
	int64_t before;
	int r;

	if (began >= d->next_round_us)
		begin_round(d, began);
	n = rows / DEPARTMENT_LEAST < d->counting.n ? rows / DEPARTMENT_LEAST : d->counting.n;
	q.max = n ? rows / n : 0;
	before = counted(d);
	r = queue_summary(d->pg, tenant_of(d), d->counting.v, n, &q, &a, e);
	d->look_rows = next_look(rows, counted(d) - before, clock_mono_us() - began);
	if (r == 0 && tell_whole(d, now))
		show(d, now);
	arena_done(&a);
	/* Counting takes time: it may have a twentieth of it, a sixtieth under load, however long the queues are. */
	d->next_summary_us = began + rest_us(d, clock_mono_us() - began);
	if (!d->counting.n && d->next_summary_us < d->next_round_us)
		d->next_summary_us = d->next_round_us;
	return r;
}
