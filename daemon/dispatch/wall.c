/*
 * What leaders see on the wall: the day's figures, aims with their countdown, problems by number and category, each
 * department. Retained, at most once a second, and only when something has changed. No title, no place, no name: what a
 * reporter wrote is not on the wall.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "core/time/moment.h"
#include "dispatch/parts.h"
#include "store/bulletin.h"
#include "store/statistics.h"

enum { PERIOD_US = 1000000, AIMS_US = 2000000 };

static void add_figures(struct str *t, const struct wall_figures *f)
{
	str_addf(t, ",\"figures\":{\"received_today\":%lld,\"resolved_today\":%lld,\"closed_today\":%lld,\"open\":%lld,"
		    "\"due_today\":%lld,\"overdue\":%lld,\"suspended\":%lld,\"triage\":%lld}",
		 (long long)f->received_today, (long long)f->resolved_today, (long long)f->closed_today, (long long)f->open,
		 (long long)f->due_today, (long long)f->overdue, (long long)f->suspended, (long long)f->triage);
}

/* The cases that are late longest, of all departments; `total` counts what the summaries do. */
static int add_problems(struct dispatch *d, struct str *t, const struct summary *total, int64_t now, struct err *e)
{
	const struct office *office = &d->settings->office;
	const char *numbers[LATE_MAX], *categories[LATE_MAX];
	struct arena a = {0};
	int r;

	for (size_t i = 0; i < total->n_late; i++)
		numbers[i] = total->late[i].number;
	r = total->n_late ? wall_categories(d->pg, tenant_of(d), numbers, total->n_late, &a, categories, e) : 0;
	str_add(t, ",\"problems\":[");
	for (size_t i = 0; r == 0 && i < total->n_late; i++) {
		const struct department *dept = map_get(&office->dept_by_id, total->late[i].dept);
		/* A category that we do not know is a sender's word. */
		bool known = categories[i] && map_get(&office->category_by_path, categories[i]);
		char at[MOMENT_TEXT];

		str_addf(t, "%s{\"case\":\"%s\",\"category\":", i ? "," : "", numbers[i]);
		str_json(t, known ? categories[i] : "其他");
		str_add(t, ",\"department\":");
		str_json(t, dept ? dept->name : total->late[i].dept);
		str_addf(t, ",\"due\":\"%s\",\"late_hours\":%lld}", moment_rfc3339(total->late[i].due, at),
			 (long long)((now - total->late[i].due) / 3600000000));
	}
	str_addc(t, ']');
	arena_done(&a);
	return r;
}

static void add_departments(struct str *t, const struct dispatch *d)
{
	bool first = true;

	str_add(t, ",\"departments\":[");
	for (size_t i = 0; i < d->summaries.n; i++) {
		const struct summary *s = &d->summaries.v[i];
		const struct department *dept = map_get(&d->settings->office.dept_by_id, s->dept);

		if (!dept || !s->total)
			continue;
		str_addf(t, "%s{\"department\":\"%s\",\"name\":", first ? "" : ",", dept->id);
		str_json(t, dept->name);
		str_addf(t, ",\"to_accept\":%lld,\"in_progress\":%lld,\"due_today\":%lld,\"overdue\":%lld,\"total\":%lld}",
			 (long long)s->to_accept, (long long)s->in_progress, (long long)s->due_today, (long long)s->overdue,
			 (long long)s->total);
		first = false;
	}
	str_addc(t, ']');
}

static int days_left(const struct aim *aim, int64_t now)
{
	int days = moment_day(aim->until - 1) - moment_day(now);

	return days > 0 ? days : 0;
}

static int add_aim(struct dispatch *d, struct str *t, const struct aim *aim, int64_t now, struct err *e)
{
	struct arena a = {0};
	struct rate_rows rows;
	int64_t done = 0, of = 0;
	char at[MOMENT_TEXT];
	int r = store_rates(d->pg, tenant_of(d), &(struct stretch){aim->from, aim->until}, 1, "all", &a, &rows, e);

	for (size_t i = 0; r == 0 && i < rows.n; i++)
		if (strcmp(rows.v[i].name, aim->rate->name) == 0) {
			done = rows.v[i].numerator;
			of = rows.v[i].denominator;
		}
	arena_done(&a);
	if (r < 0)
		return r;
	str_add(t, t->len ? ",{\"name\":" : "{\"name\":");
	str_json(t, aim->name);
	str_addf(t, ",\"until\":\"%s\",\"days_left\":%d,\"done\":%lld,\"target\":%lld,\"known\":%lld}",
		 moment_rfc3339(aim->until - 1000000, at), days_left(aim, now), (long long)done,
		 (long long)(aim->target ? aim->target : of), (long long)of);
	return 0;
}

/* They look at much, so not every second. */
static int keep_aims(struct dispatch *d, int64_t now, struct err *e)
{
	const struct statistics *st = &d->settings->office.statistics;
	int64_t began = clock_mono_us();
	struct str t = {0};
	int r = 0;

	if (d->wall.aims && began < d->wall.next_aims_us && !d->wall.hurry)
		return 0;
	for (size_t i = 0; r == 0 && i < st->n_aims; i++)
		r = add_aim(d, &t, &st->aims[i], now, e);
	if (r < 0) {
		str_done(&t);
		return r;
	}
	free(d->wall.aims);
	d->wall.aims = t.s ? t.s : mem_strdup("");
	d->wall.next_aims_us = clock_mono_us() + AIMS_US + rest_us(d, clock_mono_us() - began);
	return 0;
}

static bool is_counted(const struct dispatch *d, const char *dept)
{
	for (size_t i = 0; i < d->summaries.n; i++)
		if (strcmp(d->summaries.v[i].dept, dept) == 0)
			return true;
	return false;
}

/* All departments together; false: one was never counted yet. */
static bool add_up(const struct dispatch *d, struct summary *ret)
{
	const struct office *office = &d->settings->office;

	for (size_t i = 0; i < office->n_departments; i++)
		if (!is_counted(d, office->departments[i].id))
			return false;
	for (size_t i = 0; i < d->summaries.n; i++) {
		const struct summary *s = &d->summaries.v[i];

		ret->leads += s->leads;
		ret->leads_due_today += s->leads_due_today;
		ret->leads_overdue += s->leads_overdue;
		ret->leads_suspended += s->leads_suspended;
		ret->leads_triage += s->leads_triage;
		for (size_t k = 0; k < s->n_late; k++) {
			struct late one = s->late[k];

			one.dept = s->dept;
			summary_late(ret, &one, (size_t)office->statistics.problems);
		}
	}
	return true;
}

static int gather(struct dispatch *d, const struct summary *total, int64_t now, struct str *t, struct err *e)
{
	struct wall_figures figures = {.open = total->leads, .due_today = total->leads_due_today, .overdue = total->leads_overdue,
				       .suspended = total->leads_suspended, .triage = total->leads_triage};
	int r = wall_today(d->pg, tenant_of(d), moment_of_day(moment_day(now), 0), &figures, e);

	if (r == 0)
		r = keep_aims(d, now, e);
	if (r < 0)
		return r;
	str_add(t, ",\"name\":");
	str_json(t, d->settings->office.name);
	add_figures(t, &figures);
	str_addf(t, ",\"aims\":[%s]", d->wall.aims);
	r = add_problems(d, t, total, now, e);
	add_departments(t, d);
	str_addc(t, '}');
	return r;
}

static bool send(struct dispatch *d, const char *body, int64_t now)
{
	struct arena a = {.block_size = 512};
	struct str t = {0};
	char at[MOMENT_TEXT];
	bool sent;

	str_addf(&t, "{\"v\":1,\"at\":\"%s\"%s", moment_rfc3339(now, at), body);
	sent = publish_plain(d, arena_printf(&a, "needle/%s/wall", tenant_of(d)), t.s, true);
	str_done(&t);
	arena_done(&a);
	return sent;
}

int wall_publish(struct dispatch *d, struct err *e)
{
	int64_t began = clock_mono_us(), now = clock_now_us();
	struct summary total = {0};
	struct str t = {0};
	int r;

	if (!d->wall.due || began < d->wall.next_us || !add_up(d, &total))
		return 0;
	r = gather(d, &total, now, &t, e);
	free(total.late);
	if (r == 0 && !d->wall.hurry && d->wall.last && strcmp(d->wall.last, t.s) == 0) {
		d->wall.due = false;
	} else if (r == 0 && send(d, t.s, now)) {       /* else it stays due: the window is full */
		free(d->wall.last);
		d->wall.last = t.s;
		t.s = NULL;
		d->wall.due = d->wall.hurry = false;
	}
	str_done(&t);
	/* As for summaries. */
	d->wall.next_us = clock_mono_us() + PERIOD_US + rest_us(d, clock_mono_us() - began);
	return r;
}

void wall_mark(struct dispatch *d, bool hurry)
{
	d->wall.due = true;
	d->wall.hurry |= hurry;
}
