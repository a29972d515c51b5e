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

static const char *masked_text(struct life *l)
{
	if (l->c->visibility == VISIBLE_SEALED || !report(l)->text)
		return NULL;
	return text_title(l->a, text_mask(l->a, report(l)->text, report(l)->name), 200);
}

static const char *source_detail(struct life *l)
{
	struct str t = {0};
	const char *detail;

	str_add(&t, "{\"channel\":");
	str_json(&t, report(l)->channel->id);
	str_add(&t, ",\"id\":");
	str_json(&t, report(l)->id);
	str_addc(&t, '}');
	detail = arena_strdup(l->a, t.s);
	str_done(&t);
	return detail;
}

int reporter_supplement(struct life *l)
{
	const char *said = masked_text(l);
	int seq = life_record(l, "supplemented", l->c->lead, NULL, said, source_detail(l));

	life_tell_queue(l, seq, "supplemented", said);
	return 0;
}

int reporter_urge(struct life *l)
{
	int today = moment_day(l->now), limit = l->office->life.urges_per_day, seq;
	const char *said = masked_text(l);

	if (l->c->urge_day != today) {
		l->c->urge_day = today;
		l->c->urges = 0;
	}
	l->c->urges++;
	l->c->heat++;
	seq = life_record(l, "urged", l->c->lead, NULL, said, source_detail(l));
	if (limit && l->c->urges > limit)
		l->fx->note = arena_printf(l->a, _("recorded; more than %d urges a day are not forwarded"), limit);
	else
		life_tell_queue(l, seq, "urged", said);
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
	life_new_leg(l, NULL, masked_text(l));
	return 0;
}

static int record_rating(struct life *l)
{
	const char *score = score_names[report(l)->score];
	int64_t *fed_back = &l->c->leg.met[CLOCK_FEEDBACK];
	int seq;

	/* Who rates has heard the answer. */
	if (l->c->leg.due[CLOCK_FEEDBACK] != MOMENT_NONE && *fed_back == MOMENT_NONE)
		*fed_back = l->now;

	seq = life_record(l, "rated", l->c->lead, NULL, score, source_detail(l));
	life_tell(l, seq, &(struct tell){.kind = "rated", .dept = l->c->lead, .role = life_lead_role(l->c),
					 .why = score});
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

int reporter_withdraw(struct life *l)
{
	life_close(l, "withdrawn", NULL, masked_text(l));
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

int reporter_delivered(struct life *l)
{
	if (report(l)->delivered_ok && l->c->leg.due[CLOCK_FEEDBACK] != MOMENT_NONE &&
	    l->c->leg.met[CLOCK_FEEDBACK] == MOMENT_NONE)
		l->c->leg.met[CLOCK_FEEDBACK] = l->now;
	life_record(l, "delivered", NULL, NULL,
		    arena_printf(l->a, "%s %s", report(l)->delivered_ok ? "ok" : "failed",
				 report(l)->reply_id ? report(l)->reply_id : "?"),
		    source_detail(l));
	return 0;
}

int reporter_other_content(struct life *l)
{
	life_record(l, "duplicate", NULL, NULL, _("the same id came again with other content"), source_detail(l));
	return 0;
}
