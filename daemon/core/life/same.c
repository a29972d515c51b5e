/*
 * The same matter (并案): further reports that come in, cases that triage joins and takes apart again. Each
 * reporter keeps own receipt, replies and rating; the matter has one case, one lead, one clock.
 */
#include "core/life/same.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/tongue.h"
#include "core/life/step.h"
#include "core/time/moment.h"

/* ---- who reports ------------------------------------------------------------------------------ */
static bool is_reporter(const char *channel, const char *report, const struct report *r)
{
	return r->about && strcmp(channel, r->channel->id) == 0 && strcmp(report, r->about) == 0;
}

static bool is_address(const char *channel, const char *source, const struct report *r)
{
	return r->source && strcmp(channel, r->channel->id) == 0 && strcmp(source, r->source) == 0;
}

/* By the id that it is about, else by where it comes from, else the first. */
int life_reporter(const struct case_record *c, const struct report *r)
{
	if (is_reporter(c->channel, c->report, r))
		return REPORTER_FIRST;
	for (size_t i = 0; i < c->joined.n; i++)
		if (is_reporter(c->joined.v[i].channel, c->joined.v[i].report, r))
			return (int)i;
	if (r->about || is_address(c->channel, c->source, r))
		return REPORTER_FIRST;
	for (size_t i = 0; i < c->joined.n; i++)
		if (is_address(c->joined.v[i].channel, c->joined.v[i].source, r))
			return (int)i;
	return REPORTER_FIRST;
}

static bool is_known(const struct case_record *c, const char *person)
{
	if (!person)
		return false;
	if (str_equal(c->person, person))
		return true;
	for (size_t i = 0; i < c->joined.n; i++)
		if (str_equal(c->joined.v[i].person, person))
			return true;
	return false;
}

/* ---- at intake -------------------------------------------------------------------------------- */
static const char *reports_member(struct life *l)
{
	return arena_printf(l->a, ",\"reports\":%d", l->c->reports);
}

/* A person who says the same again adds nothing but heat; a new voice adds a reporter. */
int reporter_same(struct life *l)
{
	const struct report *r = l->act->report;
	bool again = is_known(l->c, l->act->person);
	const char *said = life_heard(l);
	int seq;

	l->c->reports++;
	ALIST_PUSH(l->a, &l->c->joined, (struct joined){.channel = r->channel->id, .source = r->source, .report = r->id,
							.reply_to = given_json(r->reply_to, l->a), .score = -1,
							.person = l->act->person});
	seq = life_record(l, "joined", l->c->lead, NULL, said, life_source(l));
	life_tell_all(l, seq, &(struct tell){.kind = "joined", .why = said, .more = reports_member(l)});
	life_reply_to(l, (int)l->c->joined.n - 1, "registered", NULL);
	if (again)
		life_warm(l);
	return 0;
}

int same_propose(struct life *l)
{
	const char *triage = life_triage(l)->id, *other = l->act->other_number;
	const char *said = arena_printf(l->a, _("may be the same matter as %s (likeness %.2f)"), other, l->act->alike);
	const char *more = arena_printf(l->a, "\"ask\":\"join\",\"into\":\"%s\",\"likeness\":%.2f", other, l->act->alike);
	int seq = life_record(l, "asked", triage, NULL, said, arena_printf(l->a, "{%s}", more));

	life_tell(l, seq, &(struct tell){.kind = "asked", .dept = triage, .role = "triage", .why = said,
					 .more = arena_printf(l->a, ",%s", more)});
	return 0;
}

/* ---- by triage -------------------------------------------------------------------------------- */
static int check_right(struct life *l, const char *what)
{
	const struct department *d = l->act->command->dept;

	if (life_triage(l) == d || d->kind == DEPT_SUPERVISOR || l->office->life.supervisor == d)
		return 0;
	return life_refuse(l, "only triage (%s) or a supervisor may %s", life_triage(l)->name, what);
}

static int check_join(struct life *l)
{
	const char *into = l->act->command->into;
	const struct case_record *other = l->act->other;
	int r = check_right(l, "join");

	if (r)
		return r;
	if (!into)
		return life_refuse(l, "join needs 'into', the number of the other case");
	if (!other)
		return life_refuse(l, "there is no case %s to join into", into);
	if (strcmp(other->number, l->c->number) == 0)
		return life_refuse(l, "a case cannot be joined into itself");
	if (other->state == STATE_JOINED)
		return life_refuse(l, "case %s was joined into %s itself; use that one", other->number, other->joined_into);
	if (life_is_done(other))
		return life_refuse(l, "case %s is %s already; only an open case takes others in", other->number,
				   _(case_state_names[other->state]));
	if (other->visibility != l->c->visibility && (other->visibility == VISIBLE_SEALED || l->c->visibility == VISIBLE_SEALED))
		return life_refuse(l, "a sealed case and one that is not sealed stay apart");
	if (!str_equal(other->accused, l->c->accused))
		return life_refuse(l, "the two cases complain about different bodies, or only one does; they stay apart");
	return 0;
}

int command_join(struct life *l)
{
	const struct case_record *other = l->act->other;
	int r = check_join(l), seq;
	const char *more;

	if (r)
		return r;
	more = arena_printf(l->a, ",\"into\":\"%s\"", other->number);
	seq = life_record(l, "joined", l->act->command->dept->id, l->act->command->by, l->act->command->note,
			  arena_printf(l->a, "{%s}", more + 1));
	life_tell_all(l, seq, &(struct tell){.kind = "joined", .more = more,
					     .why = arena_printf(l->a, _("joined into %s"), other->number)});
	l->c->state = STATE_JOINED;
	l->c->joined_into = other->number;
	l->c->closed_at = l->now;
	return 0;
}

/* The joined case's reporters become reporters of this one; nobody waits behind a device. */
int same_take_in(struct life *l)
{
	const struct case_record *other = l->act->other;
	int seq;

	if (!other->from_device)
		ALIST_PUSH(l->a, &l->c->joined,
			   (struct joined){.channel = other->channel, .source = other->source, .report = other->report,
					   .reply_to = other->reply_to, .number = other->number, .person = other->person,
					   .score = -1});
	for (size_t i = 0; i < other->joined.n; i++) {
		struct joined one = other->joined.v[i];

		one.number = other->number;
		ALIST_PUSH(l->a, &l->c->joined, one);
	}
	l->c->reports += other->reports;
	seq = life_record(l, "joined", l->act->command->dept->id, l->act->command->by, other->number,
			  arena_printf(l->a, "{\"from\":\"%s\"}", other->number));
	life_tell_all(l, seq, &(struct tell){.kind = "joined", .why = arena_printf(l->a, _("%s was joined"), other->number),
					     .more = arena_printf(l->a, ",\"from\":\"%s\",\"reports\":%d", other->number,
								  l->c->reports)});
	return 0;
}

/* ---- apart again ------------------------------------------------------------------------------ */
static void drop(struct case_record *c, size_t at)
{
	memmove(&c->joined.v[at], &c->joined.v[at + 1], (c->joined.n - at - 1) * sizeof(c->joined.v[0]));
	c->joined.n--;
}

/* Which of the reports that came in by themselves is meant; joined cases have their own number for that. */
static int find_report(struct life *l, size_t *ret)
{
	const char *of = l->act->command->of;
	size_t found = 0;

	for (size_t i = 0; i < l->c->joined.n; i++)
		if (!l->c->joined.v[i].number && (!of || strcmp(l->c->joined.v[i].report, of) == 0)) {
			*ret = i;
			found++;
		}
	if (found == 1)
		return 0;
	if (!of)
		return life_refuse(l, "split needs 'of', the id of a report or the number of a case that was joined into %s",
				   l->c->number);
	return life_refuse(l, "'%s' is no report and no case that was joined into %s", of, l->c->number);
}

static void tell_apart(struct life *l, const char *what)
{
	int seq = life_record(l, "amended", l->act->command->dept->id, l->act->command->by, what,
			      arena_printf(l->a, "{\"split\":true,\"reports\":%d}", l->c->reports));

	life_tell_all(l, seq, &(struct tell){.kind = "amended", .more = reports_member(l),
					     .why = arena_printf(l->a, _("%s is a matter of its own"), what)});
}

int command_split(struct life *l)
{
	struct joined *gone;
	size_t at = 0;
	int r = check_right(l, "split");

	if (r == 0)
		r = find_report(l, &at);
	if (r)
		return r;
	gone = arena_alloc(l->a, sizeof(*gone));
	*gone = l->c->joined.v[at];
	drop(l->c, at);
	l->c->reports--;
	tell_apart(l, gone->report);
	l->fx->split = gone;
	return 0;
}

int command_split_self(struct life *l)
{
	int r = check_right(l, "split"), seq;
	struct case_record *c = l->c;
	const char *from = c->joined_into;

	if (r)
		return r;
	if (!l->act->other)
		return life_refuse(l, "case %s, which it was joined into, is not there", from ? from : "-");
	c->state = c->leg.met[CLOCK_ACCEPT] != MOMENT_NONE ? STATE_ACCEPTED
		 : strcmp(c->lead, life_triage(l)->id) == 0 ? STATE_TRIAGE : STATE_ASSIGNED;
	c->joined_into = NULL;
	c->closed_at = MOMENT_NONE;
	seq = life_record(l, "reopened", l->act->command->dept->id, l->act->command->by, l->act->command->note,
			  arena_printf(l->a, "{\"split\":\"%s\"}", from));
	life_tell_all(l, seq, &(struct tell){.kind = "reopened", .why = arena_printf(l->a, _("a matter of its own again, apart from %s"), from)});
	return 0;
}

int same_let_go(struct life *l)
{
	const struct case_record *other = l->act->other;

	for (size_t i = l->c->joined.n; i-- > 0;)
		if (str_equal(l->c->joined.v[i].number, other->number))
			drop(l->c, i);
	l->c->reports -= other->reports;
	tell_apart(l, other->number);
	return 0;
}

/* ---- heat ------------------------------------------------------------------------------------- */
/* Each time that so many repetitions have come, the leader hears of it, as of urges. */
void life_warm(struct life *l)
{
	int after = l->office->life.urges_raise_after, times = ++l->c->heat - l->c->urged;

	if (after && times > 0 && times % after == 0 && !life_is_done(l->c))
		life_raise(l, NULL, arena_printf(l->a, _("said %d times again by the same people"), times), NULL);
}
