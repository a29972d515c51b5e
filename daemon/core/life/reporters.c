/* What reporters do with a case that exists: they add, urge, ask, rate, withdraw. */
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "base/tongue.h"
#include "core/life/clocks.h"
#include "core/life/step.h"
#include "core/time/moment.h"
#include "core/understand/text.h"

static const struct report *report(const struct life *l)
{
	return l->act->report;
}

int reporter_supplement(struct life *l)
{
	const char *said = life_heard(l);
	int seq = life_record(l, "supplemented", l->c->lead, NULL, said, life_source(l));

	life_tell_queue(l, seq, "supplemented", said);
	life_spend(l, l->c->lead, NULL, life_source(l));
	l->fx->note = l->act->overspent ? l->act->overspent : l->fx->note;
	return 0;
}

int reporter_urge(struct life *l)
{
	int today = moment_day(l->now), limit = l->office->life.urges_per_day, seq;
	const char *said = life_heard(l);

	if (l->c->urge_day != today) {
		l->c->urge_day = today;
		l->c->urges = 0;
	}
	l->c->urges++;
	seq = life_record(l, "urged", l->c->lead, NULL, said, life_source(l));
	if (limit && l->c->urges > limit)
		l->fx->note = arena_printf(l->a, _("recorded; more than %d urges a day are not forwarded"), limit);
	else
		life_tell_queue(l, seq, "urged", said);
	l->c->heat++;
	life_urged(l);
	return 0;
}

int reporter_again_open(struct life *l)
{
	l->fx->note = _("recorded as a supplement: the case is still open");
	return reporter_supplement(l);
}

int reporter_again_done(struct life *l)
{
	life_new_leg(l, NULL, life_heard(l));
	return 0;
}

static int record_rating(struct life *l)
{
	const char *score = score_names[report(l)->score], *comment = life_comment(l);
	int who = life_reporter(l->c, report(l));
	int64_t *fed_back = &l->c->leg.met[CLOCK_FEEDBACK];
	int seq;

	*(who == REPORTER_FIRST ? &l->c->score : &l->c->joined.v[who].score) = (int)report(l)->score;
	/* Who rates has heard the answer. */
	if (l->c->leg.due[CLOCK_FEEDBACK] != MOMENT_NONE && *fed_back == MOMENT_NONE)
		*fed_back = l->now;

	/* The score stands first: rates are counted by it. */
	seq = life_record(l, "rated", l->c->lead, NULL, comment ? arena_printf(l->a, "%s: %s", score, comment) : score,
			  life_source(l));
	life_tell(l, seq, &(struct tell){.kind = "rated", .dept = l->c->lead, .role = life_lead_role(l->c), .why = score,
					 .more = life_member(l, NULL, "comment", comment)});
	return seq;
}

int reporter_rate_open(struct life *l)
{
	record_rating(l);
	l->fx->note = _("recorded; the case is not resolved yet");
	return 0;
}

static void handle_again(struct life *l)
{
	l->c->dissatisfied++;
	life_new_leg(l, NULL, "dissatisfied");
	life_dissatisfied(l);
}

/* Of several reporters each that rates is heard: one who is dissatisfied is enough to go on, also after the closing. */
int reporter_rate_resolved(struct life *l)
{
	record_rating(l);
	if (report(l)->score == SCORE_DISSATISFIED)
		handle_again(l);
	else
		life_close(l, score_names[report(l)->score], NULL, NULL);
	return 0;
}

/* Dissatisfied after closing counts while the window for rating is open. */
int reporter_rate_closed(struct life *l)
{
	const struct deadline *window = &l->office->life.closing_window;
	const struct calendar *cal = office_calendar(l->office, window, l->office->fallback_policy);
	struct due due = {.at = MOMENT_NONE};
	struct err e;

	record_rating(l);
	if (report(l)->score != SCORE_DISSATISFIED)
		return 0;
	if (l->c->resolved_at != MOMENT_NONE &&
	    deadline_due(window, cal, l->c->resolved_at, NULL, &due, &e) == 0 && l->now <= due.at)
		handle_again(l);
	else
		l->fx->note = _("recorded; the time for rating is over");
	return 0;
}

/* One of several goes; the matter stays for the others. Where the first goes, the next stands in its place. */
static void leave(struct life *l, int who)
{
	struct case_record *c = l->c;
	size_t at = who == REPORTER_FIRST ? 0 : (size_t)who;
	int seq = life_record(l, "supplemented", c->lead, NULL, life_heard(l), life_source(l));

	life_tell_queue(l, seq, "supplemented", _("one of the reporters has withdrawn"));
	life_reply_to(l, who, "closed", NULL);
	if (who == REPORTER_FIRST) {
		c->channel = c->joined.v[0].channel;
		c->source = c->joined.v[0].source;
		c->report = c->joined.v[0].report;
		c->reply_to = c->joined.v[0].reply_to;
		c->person = c->joined.v[0].person;
		c->score = c->joined.v[0].score;
		c->from_device = false;
	}
	c->joined.n--;
	memmove(&c->joined.v[at], &c->joined.v[at + 1], (c->joined.n - at) * sizeof(c->joined.v[0]));
}

int reporter_withdraw(struct life *l)
{
	if (l->c->joined.n) {
		leave(l, life_reporter(l->c, report(l)));
		return 0;
	}
	life_close(l, "withdrawn", NULL, life_heard(l));
	return 0;
}

int reporter_withdraw_closed(struct life *l)
{
	l->fx->note = _("the case is closed already");
	return 0;
}

int reporter_status(struct life *l)
{
	life_answer(l, "status", report(l));
	return 0;
}

/* A reply's own id begins with its case; anything else is free text. */
static const char *reply_name(const struct life *l)
{
	const char *id = report(l)->reply_id;

	if (!id)
		return "?";
	return strncmp(id, l->c->number, strlen(l->c->number)) == 0 && strcspn(id, " ") < 80 && !id[strcspn(id, " ")]
		? id : life_masked(l, id);
}

int reporter_delivered(struct life *l)
{
	if (report(l)->delivered_ok && l->c->leg.due[CLOCK_FEEDBACK] != MOMENT_NONE &&
	    l->c->leg.met[CLOCK_FEEDBACK] == MOMENT_NONE)
		l->c->leg.met[CLOCK_FEEDBACK] = l->now;
	life_record(l, "delivered", NULL, NULL,
		    arena_printf(l->a, "%s %s%s%s", report(l)->delivered_ok ? "ok" : "failed", reply_name(l),
				 report(l)->way ? " " : "", report(l)->way ? report(l)->way : ""), life_source(l));
	return 0;
}

int reporter_other_content(struct life *l)
{
	life_record(l, "duplicate", NULL, NULL, _("the same id came again with other content"), life_source(l));
	return 0;
}
