/*
 * What would become of a message: who gets it, by which rule, by when, and which rules nearly took it.
 * The words go the gateway's own way (understand, route, the clocks of a leg). The channel's map, codes
 * and decoder are left out, because flags already are our members; its `set` holds.
 */
#include "ctl/ctl.h"
#include "ctl/question.h"
#include "ctl/walk.h"

#include "base/clock.h"
#include "core/life/clocks.h"
#include "core/life/event.h"
#include "core/time/moment.h"
#include "core/understand/message.h"
#include "core/understand/route.h"
#include "settings/snapshot.h"
#include "store/pg.h"
#include "trial/sample.h"

/* Of the first leg: what was decided then, whatever became of it. */
#define FIRST_LEG(column) "CASE WHEN l.leg IS NULL THEN c." column " ELSE l." column " END"

static const struct query Q_REPORT = {"ctl_explain",
	"SELECT r.channel, r.text, r.category, r.grid, r.urgency, r.device, p.accused, p.secret, r.source, "
	"needle.micros(c.received_at), c.rule, c.route_source, c.config, h.department, h.note, " FIRST_LEG("policy") ", "
	"needle.micros(" FIRST_LEG("due_accept") "), needle.micros(" FIRST_LEG("due_contact") "), "
	"needle.micros(" FIRST_LEG("due_resolve") ") "
	"FROM needle.cases c JOIN needle.report r ON r.tenant = c.tenant AND r.channel = c.channel AND r.id = c.report "
	"LEFT JOIN needle.person p ON p.tenant = c.tenant AND p.channel = c.channel AND p.id = c.report "
	"LEFT JOIN needle.leg l ON l.tenant = c.tenant AND l.number = c.number AND l.leg = 1 "
	"LEFT JOIN LATERAL (SELECT h.department, h.note FROM needle.history h WHERE h.tenant = c.tenant AND "
	"h.number = c.number AND h.kind = 'assigned' ORDER BY h.seq LIMIT 1) h ON true "
	"WHERE c.tenant = $1 AND c.number = $2"};
enum column { CHANNEL, TEXT, CATEGORY, GRID, URGENCY, DEVICE, ACCUSED, SECRET, SOURCE, RECEIVED_AT, RULE, ROUTED_BY, CONFIG,
	      DEPARTMENT, WHY, POLICY, DUE };

static const struct flag flags[] = {
	{"channel", 0, "ID", N_("the channel that it comes by (needed without --case)")},
	{"text", 0, "TEXT", N_("what is said")},
	{"category", 0, "PATH", N_("category such as 市政/井盖, or its code")},
	{"grid", 0, "CODE", N_("grid code of the place")},
	{"urgency", 0, "WORD", N_("normal, urgent or critical")},
	{"kind", 0, "KIND", N_("report (the only one that is routed)")},
	{"device", 0, "ID", N_("the device that speaks")},
	{"accused", 0, "ID", N_("the body complained about")},
	{"secret", 0, NULL, N_("the reporter wants the case sealed")},
	{"at", 0, "TIME", N_("when it comes (now)")},
	{"case", 0, "CASE", N_("a stored case: as it was decided, and as it would be now (asks the database)")},
	{"stdin", 0, NULL, N_("one question a line, the flags as members; one JSON answer a line")},
	{0},
};

/* ---- a stored case becomes a question ---- */

static json_t *then_json(const struct pg_rows *rows)
{
	json_t *due = json_object();

	for (int k = CLOCK_ACCEPT; k <= CLOCK_RESOLVE; k++)
		if (pg_get(rows, 0, DUE + k))
			json_object_set_new(due, clock_names[k], ctl_json_time(pg_get_time(rows, 0, DUE + k)));
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "department", ctl_json_text(pg_get(rows, 0, DEPARTMENT)),
			 "rule", ctl_json_text(pg_get(rows, 0, RULE)), "source", ctl_json_text(pg_get(rows, 0, ROUTED_BY)),
			 "config", ctl_json_text(pg_get(rows, 0, CONFIG)), "why", ctl_json_text(pg_get(rows, 0, WHY)),
			 "policy", ctl_json_text(pg_get(rows, 0, POLICY)), "due", due, "at",
			 ctl_json_time(pg_get_time(rows, 0, RECEIVED_AT)));
}

static int load_case(struct ctl *ctl, json_t *question, json_t **ret_then, struct err *e)
{
	static const char *const names[] = {"channel", "text", "category", "grid", "urgency", "device", "accused"};
	const char *number = question_get(question, "case");
	CLEANUP(pg_rows_done) struct pg_rows rows = {0};
	struct pg_args args = {0};
	struct pg *pg = NULL;
	int r = ctl_database(ctl, &pg, e);

	if (r < 0)
		return r;
	pg_text(&args, ctl->settings->office.tenant);
	pg_text(&args, number);
	r = pg_run(pg, &Q_REPORT, &args, &rows, e);
	pg_close(pg);
	if (r == 0 && !rows.n)
		return err_set(e, ERR_BAD, "there is no case %s", number);
	if (r < 0)
		return r;
	for (int i = 0; i < (int)ARRAY_LEN(names); i++)
		if (pg_get(&rows, 0, i))
			json_object_set_new(question, names[i], json_string(pg_get(&rows, 0, i)));
	if (pg_get_bool(&rows, 0, SECRET))
		json_object_set_new(question, "secret", json_true());
	json_object_set_new(question, "from", ctl_json_text(pg_get(&rows, 0, SOURCE)));
	if (!question_get(question, "at"))
		json_object_set_new(question, "at", ctl_json_time(pg_get_time(&rows, 0, RECEIVED_AT)));
	*ret_then = then_json(&rows);
	return 0;
}

/* ---- the answer ---- */

static json_t *ids_json(const struct department *const *v, size_t n)
{
	json_t *all = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, json_string(v[i]->id));
	return all;
}

static json_t *near_json(const struct decision *d)
{
	json_t *all = json_array();

	for (size_t i = 0; i < d->n_near; i++)
		json_array_append_new(all, json_pack("{s:s,s:s,s:i,s:s,s:i}", "rule", d->near[i].rule->id, "failed",
						     d->near[i].failed, "met", d->near[i].met, "file",
						     d->near[i].rule->file, "line", d->near[i].rule->line));
	return all;
}

/* The arithmetic of each limit: how it is written, by which calendar, and the days on the way. */
static json_t *limits_json(const struct office *office, const struct policy *policy, int64_t at, struct arena *a)
{
	json_t *all = json_object();

	for (int k = CLOCK_ACCEPT; policy && k <= CLOCK_RESOLVE; k++) {
		const struct deadline *d = &policy->clock[k];
		const struct calendar *cal = office_calendar(office, d, policy);
		struct due due = {0};
		struct err e;

		if (!policy->has[k] || deadline_due(d, cal, at, a, &due, &e) != 0)
			continue;
		json_object_set_new(all, clock_names[k],
				    json_pack("{s:o,s:s,s:o,s:o}", "spec", ctl_json_text(policy->text[k]), "canonical",
					      deadline_text(d, a), "calendar",
					      ctl_json_text(cal ? cal->name : NULL), "walk", walk_json(&due)));
	}
	return all;
}

static void add_topic(json_t *topics, const char *topic)
{
	json_t *known;
	size_t i;

	json_array_foreach(topics, i, known)
		if (str_equal(json_string_value(known), topic))
			return;
	json_array_append_new(topics, json_string(topic));
}

static void add_topics(json_t *topics, const struct office *office, const struct case_record *c,
		       const struct effects *fx, struct arena *a)
{
	for (size_t i = 0; i < fx->events.n; i++) {
		const struct event_row *ev = &fx->events.v[i];

		if (ev->topic)
			add_topic(topics, ev->topic);
		if (ev->card)
			add_topic(topics, topic_dept(office, ev->target, "queue", c->number, a));
	}
}

/* What is published when it comes: the receipt, events, cards, replies, and what a ladder does at once. */
static json_t *topics_json(const struct office *office, const struct report *r, const struct decision *d,
			   const char *number, struct arena *a)
{
	json_t *topics = json_array();
	struct case_record c;
	struct effects fx;

	life_open(office, r, d, number ? number : "{case}", r->received_at, a, &c, &fx);
	add_topic(topics, arena_printf(a, "needle/%s/receipt/%s/%s", office->tenant, r->channel->id, r->source));
	add_topics(topics, office, &c, &fx, a);
	if (life_step(office, &c, &(struct action){.what = LIFE_TICK}, r->received_at, a, &fx) == 0)
		add_topics(topics, office, &c, &fx, a);
	return topics;
}

static json_t *decision_json(const struct office *office, struct report *r, const struct decision *d,
			     const json_t *question, struct arena *a)
{
	const char *from = question_get(question, "from");
	json_t *due = json_object(), *all;
	struct leg leg = {0};

	leg_start(office, &leg, 1, d->policy, r->received_at);
	for (size_t i = 0; i < N_CLOCKS; i++)
		if (leg.due[i] != MOMENT_NONE)
			json_object_set_new(due, clock_names[i], ctl_json_time(leg.due[i]));
	all = json_pack("{s:s,s:o,s:s,s:o,s:o,s:b,s:o,s:o}", "department", d->dept->id, "rule",
			ctl_json_text(d->rule ? d->rule->id : NULL), "source", route_source_names[d->source], "copies",
			ids_json(d->copies, d->n_copies), "due", due, "provisional", leg.provisional, "text",
			ctl_json_text(r->shadow), "near", near_json(d));
	json_object_set_new(all, "place", d->rule ? json_sprintf("%s:%d", d->rule->file, d->rule->line) : json_null());
	json_object_set_new(all, "supports", ids_json(d->supports, d->n_supports));
	json_object_set_new(all, "urgency", json_string(urgency_names[d->urgency]));
	json_object_set_new(all, "visibility", json_string(visibility_names[d->visibility]));
	json_object_set_new(all, "policy", json_string(d->policy->name));
	json_object_set_new(all, "limits", limits_json(office, d->policy, r->received_at, a));
	json_object_set_new(all, "category", ctl_json_text(r->known_category ? r->known_category->path : r->category));
	json_object_set_new(all, "why", ctl_json_text(d->why));
	r->source = from ? from : "{source}";
	json_object_set_new(all, "topics", topics_json(office, r, d, question_get(question, "case"), a));
	json_object_set_new(all, "at", ctl_json_time(r->received_at));
	json_object_set_new(all, "config", json_string(office->hash));
	return all;
}

static json_t *members_of(const json_t *question)
{
	static const struct {
		const char *name, *path;
	} members[] = {{"text", "text"}, {"category", "category"}, {"urgency", "urgency"}, {"kind", "kind"},
		       {"device", "device"}, {"accused", "accused"}, {"grid", "place.grid"}};
	json_t *all = json_object();

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (question_get(question, members[i].name))
			sample_put(all, members[i].path, json_string(question_get(question, members[i].name)));
	if (json_is_true(json_object_get(question, "secret")))
		sample_put(all, "reporter.secret", json_true());
	return all;
}

static int decide(struct ctl *ctl, const json_t *question, int64_t at, json_t **ret, struct err *e)
{
	const struct office *office = &ctl->settings->office;
	const char *id = question_get(question, "channel");
	const struct channel *channel = id ? map_get(&office->channel_by_id, id) : NULL;
	struct understood u = {0};
	struct decision d = {0};
	struct arena a = {0};   /* of this question: --stdin may ask many */
	json_t *members;
	int r;

	if (!id)
		return ctl_usage(e, "no channel is named: --channel ID");
	if (!channel)
		return ctl_usage(e, "there is no channel %s in %s", id, ctl->folder);
	members = members_of(question);
	r = sample_understand(office, channel, members, at, &a, &u, e);
	json_decref(members);
	if (r == 0 && (u.kind != MESSAGE_REPORT || !u.n_reports))
		r = err_set(e, ERR_BAD, "this is no report");
	if (r == 0) {
		route(office, &u.reports[0], &a, ROUTE_NEAR, &d);
		*ret = decision_json(office, &u.reports[0], &d, question, &a);
	} else {
		err_prefix(e, "it would be a dead letter (%s): ", e->code);
		e->code[0] = '\0';
	}
	understood_done(&u);
	arena_done(&a);
	return r;
}

static bool is_same(const json_t *now, const json_t *then)
{
	return json_equal(json_object_get(now, "department"), json_object_get(then, "department")) &&
	       json_equal(json_object_get(now, "rule"), json_object_get(then, "rule"));
}

static int answer(struct ctl *ctl, const json_t *asked, json_t **ret, struct err *e)
{
	json_t *question = json_deep_copy(asked), *then = NULL;
	int64_t at = clock_now_us();
	int r = 0;

	if (question_get(question, "case"))
		r = load_case(ctl, question, &then, e);
	if (r == 0 && question_get(question, "at") && !moment_parse(question_get(question, "at"), &at))
		r = ctl_usage(e, "--at: '%s' is not a time such as 2026-02-13 16:40", question_get(question, "at"));
	if (r == 0)
		r = decide(ctl, question, at, ret, e);
	if (r == 0 && then) {
		json_object_set_new(*ret, "same", json_boolean(is_same(*ret, then)));
		json_object_set(*ret, "then", then);
	}
	json_decref(then);
	json_decref(question);
	return r;
}

/* ---- text ---- */

enum { LABEL = 14, NEAR_SHOWN = 6 };

static void line(struct ctl *ctl, const char *label, const char *value)
{
	if (!value || !*value)
		return;
	grid_pad(&ctl->out, say(ctl, label), LABEL);
	grid_safe(&ctl->out, value);
	str_addc(&ctl->out, '\n');
}

static const char *get(const json_t *answer, const char *name)
{
	return json_string_value(json_object_get(answer, name));
}

static const char *names(struct ctl *ctl, const json_t *ids)
{
	CLEANUP(str_done) struct str t = {0};
	size_t i;
	json_t *id;

	json_array_foreach(ids, i, id)
		str_addf(&t, "%s%s", i ? ", " : "", ctl_dept_name(ctl, json_string_value(id)));
	return t.len ? arena_strdup(&ctl->arena, t.s) : NULL;
}

static const char *routed(struct ctl *ctl, const json_t *answer)
{
	const char *dept = get(answer, "department"), *rule = get(answer, "rule"), *place = get(answer, "place");
	const char *by = say(ctl, get(answer, "source"));

	if (rule)
		by = arena_printf(&ctl->arena, "%s %s", by, rule);
	if (place)
		by = arena_printf(&ctl->arena, "%s (%s)", by, place);
	return arena_printf(&ctl->arena, "%s  <- %s", ctl_dept_name(ctl, dept ? dept : "-"), by);
}

static const char *moment_text(struct ctl *ctl, const json_t *time)
{
	char text[MOMENT_TEXT];
	int64_t at = 0;

	moment_parse(json_string_value(time), &at);
	return arena_strdup(&ctl->arena, moment_human(at, true, text));
}

/* A walk on which every day counts says nothing that the limit does not. */
static bool is_telling(const json_t *walk)
{
	json_t *day;
	size_t i;

	json_array_foreach(walk, i, day)
		if (!json_is_true(json_object_get(day, "counts")))
			return true;
	return false;
}

static void print_due(struct ctl *ctl, const json_t *answer)
{
	const char *clock;
	json_t *time;

	json_object_foreach(json_object_get(answer, "due"), clock, time) {
		const json_t *limit = json_object_get(json_object_get(answer, "limits"), clock);
		const json_t *walk = json_object_get(limit, "walk");
		const char *spec = get(limit, "spec"), *calendar = get(limit, "calendar");

		line(ctl, clock, arena_printf(&ctl->arena, "%s  = %s%s%s", moment_text(ctl, time), spec ? spec : "",
					      calendar ? "  " : "", calendar ? calendar : ""));
		if (is_telling(walk))
			walk_print(ctl, walk, LABEL + 2);
	}
	if (json_is_true(json_object_get(answer, "provisional")))
		line(ctl, " ", say(ctl, "provisional: a year has no calendar yet"));
}

/* Of a rule with one condition every other message is a near miss: those with more come first. */
static void print_near(struct ctl *ctl, const json_t *all)
{
	size_t n = json_array_size(all), shown = 0;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < n && shown < NEAR_SHOWN; i++) {
			const json_t *near = json_array_get(all, i);

			if ((json_integer_value(json_object_get(near, "met")) == 0) != pass)
				continue;
			line(ctl, shown++ ? " " : N_("nearly"),
			     arena_printf(&ctl->arena, _("%s: %s does not match"), get(near, "rule"), get(near, "failed")));
		}
	if (n > shown)
		line(ctl, " ", arena_printf(&ctl->arena, _("… %zu more"), n - shown));
}

static void print_list(struct ctl *ctl, const char *label, const json_t *texts)
{
	json_t *text;
	size_t i;

	json_array_foreach(texts, i, text)
		line(ctl, i ? " " : label, json_string_value(text));
}

static void print_then(struct ctl *ctl, const json_t *answer, const json_t *then)
{
	const char *clock;
	json_t *time;

	line(ctl, N_("decided then"), routed(ctl, then));
	line(ctl, " ", get(then, "why"));
	json_object_foreach(json_object_get(then, "due"), clock, time)
		line(ctl, " ", arena_printf(&ctl->arena, "%s %s", say(ctl, clock), moment_text(ctl, time)));
	line(ctl, " ", arena_printf(&ctl->arena, "%s %s, %s", say(ctl, "configuration"), get(then, "config"),
				    moment_text(ctl, json_object_get(then, "at"))));
	line(ctl, N_("and now"), json_is_true(json_object_get(answer, "same")) ? _("the same") : _("different"));
}

static void print_text(struct ctl *ctl, const json_t *question, const json_t *answer)
{
	json_t *then = json_object_get(answer, "then");

	(void)question;
	line(ctl, N_("normalised"), get(answer, "text"));
	line(ctl, N_("lead"), routed(ctl, answer));
	line(ctl, N_("why"), get(answer, "why"));
	line(ctl, N_("supports"), names(ctl, json_object_get(answer, "supports")));
	line(ctl, N_("copies"), names(ctl, json_object_get(answer, "copies")));
	line(ctl, N_("urgency"), say(ctl, get(answer, "urgency")));
	line(ctl, N_("policy"), get(answer, "policy"));
	print_due(ctl, answer);
	print_near(ctl, json_object_get(answer, "near"));
	print_list(ctl, N_("topics"), json_object_get(answer, "topics"));
	line(ctl, N_("configuration"), get(answer, "config"));
	if (then)
		print_then(ctl, answer, then);
}

static int run(struct ctl *ctl, struct err *e)
{
	return question_run(ctl, NULL, answer, print_text, e);
}

const struct verb verb_explain = {
	.name = "explain",
	.group = ctl_offline,
	.operands = "",
	.help = N_("Say who would get a message, by which rule and until when, and which rules nearly took it."),
	.detail = N_("Works on the folder alone. With --case it asks the database for a stored case, tells how it was decided "
		     "and how it would be decided now.\n"),
	.flags = flags,
	.run = run,
};
