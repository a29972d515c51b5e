#include "intake/periodic.h"

#include "base/err.h"
#include "base/log.h"
#include "core/life/clocks.h"
#include "core/office.h"
#include "core/time/moment.h"
#include "intake/analyst.h"
#include "settings/snapshot.h"
#include "store/bulletin.h"

enum { AHEAD = 64 };

struct serie {
	const char *name, *spec;
	const struct deadline *every;
	const struct period *period;    /* a list; else a register's grade: */
	const struct inspection *in;
	const struct grade *grade;
	int64_t began, last, next;
};

void periodic_forget(struct periodic *p)
{
	arena_done(&p->arena);
	analyst_drop(p->analyst);
	*p = (struct periodic){.analyst = p->analyst};
}

/* `every N days` counts from its beginning, so that a moved day does not shift the others. */
static int64_t next_after(const struct office *office, const struct serie *s, int64_t last)
{
	const struct calendar *cal = office_calendar(office, s->every, NULL);
	int64_t from = s->every->series == EVERY_N_DAYS ? s->began : last;
	struct due due[AHEAD];
	struct err e;
	size_t n;

	for (;;) {
		if (deadline_next(s->every, cal, from, AHEAD, due, &n, &e) < 0 || !n)
			return MOMENT_NONE;
		for (size_t i = 0; i < n; i++)
			if (due[i].at > last)
				return due[i].at;
		from = due[n - 1].at;
	}
}

static void add(struct periodic *p, const struct serie *s)
{
	p->v[p->n++] = *s;
}

static void collect(struct periodic *p, const struct office *office)
{
	const struct statistics *st = &office->statistics;
	size_t most = office->n_periods + st->n_publics;

	for (size_t i = 0; i < st->n_inspections; i++)
		most += st->inspections[i].n_grades;
	p->v = arena_alloc(&p->arena, (most + 1) * sizeof(*p->v));
	for (size_t i = 0; i < office->n_periods + st->n_publics; i++) {
		bool open = i >= office->n_periods;
		const struct period *period = open ? &st->publics[i - office->n_periods] : &office->periods[i];

		add(p, &(struct serie){.name = arena_printf(&p->arena, "%s/%s", open ? "public" : "report", period->name),
				       .spec = period->text, .every = &period->every, .period = period});
	}
	for (size_t i = 0; i < st->n_inspections; i++)
		for (size_t k = 0; k < st->inspections[i].n_grades; k++) {
			const struct inspection *in = &st->inspections[i];

			add(p, &(struct serie){.name = arena_printf(&p->arena, "inspection/%s/%s", in->name,
								    in->grades[k].name),
					       .spec = in->grades[k].text, .every = &in->grades[k].every, .in = in,
					       .grade = &in->grades[k]});
		}
}

int periodic_know(struct periodic *p, struct pg *pg, const struct office *office, int64_t now, struct err *e)
{
	struct series_row *rows;
	int r;

	if (p->known)
		return 0;
	periodic_forget(p);
	collect(p, office);
	rows = arena_alloc(&p->arena, (p->n + 1) * sizeof(*rows));
	for (size_t i = 0; i < p->n; i++)
		rows[i] = (struct series_row){.name = p->v[i].name, .spec = p->v[i].spec};
	r = series_load(pg, office->tenant, rows, p->n, now, e);
	for (size_t i = 0; r == 0 && i < p->n; i++) {
		p->v[i].began = rows[i].began_at;
		p->v[i].last = rows[i].last_at;
		p->v[i].next = next_after(office, &p->v[i], rows[i].last_at);
	}
	p->known = r == 0;
	return r;
}

static struct serie *earliest(const struct periodic *p)
{
	struct serie *best = NULL;

	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].next != MOMENT_NONE && (!best || p->v[i].next < best->next))
			best = &p->v[i];
	return best;
}

int64_t periodic_next(const struct periodic *p)
{
	const struct serie *s = earliest(p);

	return s ? s->next : MOMENT_NONE;
}

static int happen(struct pg *pg, const struct occurrence *o, const struct serie *s, struct handoff *h, struct err *e)
{
	int r = pg_exec(pg, "BEGIN", e);

	if (r == 0)
		r = series_advance(pg, o->office->tenant, s->name, s->last, s->next, e);
	if (r == 0)
		r = s->period ? bulletin_make(pg, o, s->period, h, e) : visits_make(pg, o, s->in, s->grade, h, e);
	if (r == 0)
		r = pg_exec(pg, "COMMIT", e);
	if (r != 0)
		pg_rollback(pg);
	return r;
}

/* What takes its time is found before the occurrence begins its transaction. */
static int prepare(struct periodic *p, struct settings *settings, const struct serie *s, struct occurrence *o, struct err *e)
{
	int r;

	if (!s->period || s->period->content != CONTENT_HOTWORDS)
		return 0;
	r = analyst_ask(p->analyst, settings, s->name, stretch_covered(s->period->covers, o->since, o->at), &o->hot, e);
	p->waits = r == ANALYST_BUSY;
	return r;
}

int periodic_turn(struct periodic *p, struct pg *pg, struct settings *settings, const char *folder, int64_t now,
		  struct handoff *h, struct err *e)
{
	const struct office *office = &settings->office;
	struct serie *s = earliest(p);
	struct occurrence o;
	int r;

	p->waits = false;
	if (!s || s->next > now)
		return 0;
	o = (struct occurrence){.office = office, .name = s->name, .folder = folder, .since = s->last, .at = s->next, .now = now};
	r = prepare(p, settings, s, &o, e);
	if (r == 0)
		r = happen(pg, &o, s, h, e);
	if (r < 0 || p->waits)
		return r < 0 ? r : 0;
	analyst_drop(p->analyst);
	if (r == SERIES_DONE) {
		/* Another daemon did it: how far it got is in the database. */
		p->known = false;
		return 0;
	}
	log_info("periodic.done", "%s", s->name);
	s->last = s->next;
	s->next = next_after(office, s, s->last);
	return 0;
}
