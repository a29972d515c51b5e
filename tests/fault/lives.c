/*
 * What must have happened: lives of cases out of the pure core alone, from the same reports and commands at the
 * same instants. No store, broker, thread or clock; test_lives.py compares it with what two daemons wrote down
 * while they were killed.
 *
 *	lives FOLDER wakes|looks < lives
 *
 * A line a case: {"number", "received_at", "opened_at", "end", "acts": [{"at", "until", "topic", "payload"} …]},
 * instants in microseconds; the first act is the report that opened it. `wakes`: the clock looks the moment that
 * something falls due, as if nothing had ever been away; what is due by `until` comes before the act. `looks`: it looks where an act without a topic says, and before every act.
 * Prints a line a case: {"number", "rows": [[at, kind, department, by, note, detail] …], "refused": [act …]}.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/mem.h"
#include "core/life/lifecycle.h"
#include "core/time/moment.h"
#include "core/understand/message.h"
#include "core/understand/route.h"
#include "settings/snapshot.h"

enum { ACTS_MAX = 200 };

struct life_played {
	const struct office *office;
	struct arena a;
	struct case_record c;
	struct understood first, said[ACTS_MAX];
	json_t *rows, *refused;
	int64_t now, wake_at;
};

static const struct action tick = {.what = LIFE_TICK};

static json_t *text(const char *s)
{
	return s ? json_string(s) : json_null();
}

static void keep(struct life_played *p, const struct effects *fx)
{
	for (size_t i = 0; i < fx->history.n; i++) {
		const struct history_row *h = &fx->history.v[i];
		json_t *detail = h->detail ? json_loads(h->detail, 0, NULL) : json_null();

		if (h->seq != (int)json_array_size(p->rows) + 1)
			errx(1, "%s: row %d after %zu rows", p->c.number, h->seq, json_array_size(p->rows));
		json_array_append_new(p->rows, json_pack("[I,s,o,o,o,o]", (json_int_t)h->at, h->kind, text(h->department),
							 text(h->by), text(h->note), detail));
	}
}

/* Whether it was done. */
static bool step(struct life_played *p, const struct action *action)
{
	struct effects fx;
	int r = life_step(p->office, &p->c, action, p->now, &p->a, &fx);

	if (r == 0)
		p->wake_at = fx.wake_at;
	keep(p, &fx);
	return r == 0;
}

static void wait_until(struct life_played *p, int64_t at)
{
	while (p->wake_at != MOMENT_NONE && p->wake_at <= at) {
		if (p->wake_at > p->now)
			p->now = p->wake_at;
		step(p, &tick);
	}
	if (at > p->now)
		p->now = at;
}

static void hear(struct life_played *p, json_t *act, int64_t at, struct understood *u)
{
	const char *payload = json_string_value(json_object_get(act, "payload"));
	struct message m = {.topic = json_string_value(json_object_get(act, "topic")), .payload = payload,
			    .payload_len = payload ? strlen(payload) : 0, .received_at = at};
	struct err e;

	if (!m.topic || !payload || understand(p->office, NULL, NULL, &m, &p->a, u, &e) < 0)
		errx(1, "%s: %s", p->c.number, m.topic ? e.text : "no topic");
}

static bool act(struct life_played *p, struct understood *u)
{
	struct action action = {.what = LIFE_TICK};

	if (u->kind == MESSAGE_COMMAND) {
		action.what = (enum life_action)(LIFE_COMMAND + (int)u->command.action);
		action.command = &u->command;
		action.report = life_decides(&p->c, u->command.action) ? &p->first.reports[0] : NULL;
	} else {
		action.what = life_action_of(u->reports[0].kind);
		action.report = &u->reports[0];
	}
	return step(p, &action);
}

static int64_t micros(json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static void open_case(struct life_played *p, json_t *life, json_t *acts)
{
	struct effects fx;
	struct decision d;

	hear(p, json_array_get(acts, 0), micros(life, "received_at"), &p->first);
	p->now = micros(life, "opened_at");
	route(p->office, &p->first.reports[0], &p->a, ROUTE_ALSO, &d);
	life_open(p->office, &p->first.reports[0], &d, json_string_value(json_object_get(life, "number")), p->now, &p->a,
		  &p->c, &fx);
	p->wake_at = fx.wake_at;
	keep(p, &fx);
}

static void play(const struct office *office, json_t *life, bool looks)
{
	struct life_played *p = mem_alloc(sizeof(*p));
	json_t *acts = json_object_get(life, "acts");
	size_t n = json_array_size(acts);

	if (n > ACTS_MAX)
		errx(1, "%zu acts", n);
	p->office = office;
	p->rows = json_array();
	p->refused = json_array();
	open_case(p, life, acts);
	for (size_t i = 1; i < n; i++) {
		json_t *one = json_array_get(acts, i);
		bool speaks = json_object_get(one, "topic") != NULL;
		int64_t at = micros(one, "at");

		if (looks) {
			p->now = at;
			step(p, &tick);
		} else if (speaks) {
			wait_until(p, micros(one, "until"));
			p->now = at;
		}
		if (!speaks)
			continue;
		hear(p, one, p->now, &p->said[i]);
		if (!act(p, &p->said[i]))
			json_array_append_new(p->refused, json_integer((json_int_t)i));
	}
	wait_until(p, micros(life, "end"));
	life = json_pack("{s:s,s:o,s:o}", "number", p->c.number, "rows", p->rows, "refused", p->refused);
	json_dumpf(life, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(life);
	for (size_t i = 0; i < n; i++)
		understood_done(i ? &p->said[i] : &p->first);
	arena_done(&p->a);
	free(p);
}

int main(int argc, char **argv)
{
	const struct load_options options = {.flags = LOAD_SECRETS_OPTIONAL};
	CLEANUP(mem_freep) char *line = NULL;
	struct settings *s = NULL;
	size_t size = 0;
	struct err e;

	if (argc != 3)
		errx(2, "usage: lives FOLDER wakes|looks < lives");
	if (settings_load(argv[1], &options, &s, &e))
		errx(1, "%s: %s", argv[1], s ? "bad configuration" : e.text);
	while (getline(&line, &size, stdin) > 0) {
		json_t *life = json_loads(line, 0, NULL);

		if (!life)
			errx(1, "not JSON: %.80s", line);
		play(&s->office, life, strcmp(argv[2], "looks") == 0);
		json_decref(life);
	}
	settings_unref(s);
	return 0;
}
