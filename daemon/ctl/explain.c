/*
 * What would become of a message: who gets it, by which rule, by when, and which rules nearly took it.
 * The words go the gateway's own way (understand, route, the clocks of a leg). The channel's map, codes
 * and decoder are left out, because flags already are our members; its `set` holds.
 */
#include "ctl/ctl.h"
#include "ctl/question.h"

#include "base/clock.h"
#include "core/life/clocks.h"
#include "core/time/moment.h"
#include "core/understand/message.h"
#include "core/understand/route.h"
#include "settings/snapshot.h"
#include "store/pg.h"

static const struct query Q_REPORT = {"ctl_explain",
	"SELECT r.channel, r.text, r.category, r.grid, r.urgency, r.device, p.secret, needle.micros(c.received_at), c.rule, "
	"c.route_source, c.config, (SELECT h.department FROM needle.history h WHERE h.tenant = c.tenant AND "
	"h.number = c.number AND h.kind = 'assigned' ORDER BY h.seq LIMIT 1) "
	"FROM needle.cases c JOIN needle.report r ON r.tenant = c.tenant AND r.channel = c.channel AND r.id = c.report "
	"LEFT JOIN needle.person p ON p.tenant = c.tenant AND p.channel = c.channel AND p.id = c.report "
	"WHERE c.tenant = $1 AND c.number = $2"};

static const struct flag flags[] = {
	{"channel", 0, "ID", N_("the channel that it comes by (needed without --case)")},
	{"text", 0, "TEXT", N_("what is said")},
	{"category", 0, "PATH", N_("category such as 市政/井盖, or its code")},
	{"grid", 0, "CODE", N_("grid code of the place")},
	{"urgency", 0, "WORD", N_("normal, urgent or critical")},
	{"kind", 0, "KIND", N_("report (the only one that is routed)")},
	{"device", 0, "ID", N_("the device that speaks")},
	{"secret", 0, NULL, N_("the reporter wants the case sealed")},
	{"at", 0, "TIME", N_("when it comes (now)")},
	{"case", 0, "CASE", N_("a stored case: as it was decided, and as it would be now (asks the database)")},
	{"stdin", 0, NULL, N_("one question a line, the flags as members; one JSON answer a line")},
	{0},
};

/* ---- the report ---- */

static const struct {
	const char *name, *inside;      /* member, or member of that object */
} members[] = {{"text", NULL}, {"category", NULL}, {"urgency", NULL}, {"kind", NULL},
	       {"device", NULL}, {"grid", "place"}};

static char *report_json(const json_t *question)
{
	json_t *report = json_pack("{s:i,s:s}", "v", 1, "id", "explain");
	char *text;

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const char *value = question_get(question, members[i].name);

		if (value && members[i].inside)
			json_object_set_new(report, members[i].inside,
					    json_pack("{s:s}", members[i].name, value));
		else if (value)
			json_object_set_new(report, members[i].name, json_string(value));
	}
	if (json_is_true(json_object_get(question, "secret")))
		json_object_set_new(report, "reporter", json_pack("{s:b}", "secret", 1));
	text = json_dumps(report, JSON_COMPACT);
	json_decref(report);
	return text;
}

/* The office, with this one channel listening on `topic` for our own form. */
static struct office *office_for(struct ctl *ctl, const struct channel *channel, const char *topic)
{
	struct office *office = arena_alloc(&ctl->arena, sizeof(*office));
	struct channel *only = arena_alloc(&ctl->arena, sizeof(*only));
	const char **filters = arena_alloc(&ctl->arena, sizeof(*filters));

	filters[0] = topic;
	*only = *channel;
	only->filters = filters;
	only->n_filters = 1;
	only->decoder = only->charset = only->source_pointer = NULL;
	only->n_map = only->n_codes = only->n_formats = 0;
	only->source_level = -1;
	*office = ctl->settings->office;
	office->channels = only;
	office->n_channels = 1;
	return office;
}

/* ---- a stored case becomes a question ---- */

static int load_case(struct ctl *ctl, json_t *question, json_t **ret_then, struct err *e)
{
	static const char *const names[] = {"channel", "text", "category", "grid", "urgency", "device"};
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
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (pg_get(&rows, 0, (int)i))
			json_object_set_new(question, names[i], json_string(pg_get(&rows, 0, (int)i)));
	if (pg_get_bool(&rows, 0, 6))
		json_object_set_new(question, "secret", json_true());
	if (!question_get(question, "at"))
		json_object_set_new(question, "at", ctl_json_time(pg_get_time(&rows, 0, 7)));
	*ret_then = json_pack("{s:o,s:o,s:o,s:o}", "department", ctl_json_text(pg_get(&rows, 0, 11)), "rule",
			      ctl_json_text(pg_get(&rows, 0, 8)), "source", ctl_json_text(pg_get(&rows, 0, 9)),
			      "config", ctl_json_text(pg_get(&rows, 0, 10)));
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
		json_array_append_new(all, json_pack("{s:s,s:s}", "rule", d->near[i].rule->id, "failed",
						     d->near[i].failed));
	return all;
}

static json_t *decision_json(const struct office *office, const struct report *r, const struct decision *d)
{
	json_t *due = json_object(), *all;
	struct leg leg = {0};

	if (d->policy)
		leg_start(office, &leg, 1, d->policy, r->received_at);
	for (size_t i = 0; d->policy && i < N_CLOCKS; i++)
		if (leg.due[i] != MOMENT_NONE)
			json_object_set_new(due, clock_names[i], ctl_json_time(leg.due[i]));
	all = json_pack("{s:s,s:o,s:s,s:o,s:o,s:b,s:o,s:o}", "department", d->dept->id, "rule",
			ctl_json_text(d->rule ? d->rule->id : NULL), "source", route_source_names[d->source], "copies",
			ids_json(d->copies, d->n_copies), "due", due, "provisional", leg.provisional, "text",
			ctl_json_text(r->shadow), "near", near_json(d));
	json_object_set_new(all, "supports", ids_json(d->supports, d->n_supports));
	json_object_set_new(all, "urgency", json_string(urgency_names[d->urgency]));
	json_object_set_new(all, "visibility", json_string(visibility_names[d->visibility]));
	json_object_set_new(all, "policy", ctl_json_text(d->policy ? d->policy->name : NULL));
	json_object_set_new(all, "category", ctl_json_text(r->known_category ? r->known_category->path : r->category));
	json_object_set_new(all, "why", ctl_json_text(d->why));
	json_object_set_new(all, "at", ctl_json_time(r->received_at));
	json_object_set_new(all, "config", json_string(office->hash));
	return all;
}

static int decide(struct ctl *ctl, const json_t *question, int64_t at, json_t **ret, struct err *e)
{
	CLEANUP(mem_freep) char *payload = report_json(question);
	const char *id = question_get(question, "channel");
	const struct channel *channel = id ? map_get(&ctl->settings->office.channel_by_id, id) : NULL;
	struct understood u = {0};
	struct decision d = {0};
	struct message m = {.payload = payload, .received_at = at};
	const struct office *office;
	int r;

	if (!id)
		return ctl_usage(e, "no channel is named: --channel ID");
	if (!channel)
		return ctl_usage(e, "there is no channel %s in %s", id, ctl->folder);
	m.topic = arena_printf(&ctl->arena, "needle/%s/in/%s/explain", ctl->settings->office.tenant, channel->id);
	m.payload_len = strlen(payload);
	office = office_for(ctl, channel, m.topic);
	r = understand(office, NULL, NULL, &m, &ctl->arena, &u, e);
	if (r == 0 && (u.kind != MESSAGE_REPORT || !u.n_reports))
		r = err_set(e, ERR_BAD, "this is no report");
	if (r == 0) {
		route(office, &u.reports[0], &ctl->arena, true, &d);
		*ret = decision_json(office, &u.reports[0], &d);
	} else {
		err_prefix(e, "it would be a dead letter (%s): ", e->code);
		e->code[0] = '\0';
	}
	understood_done(&u);
	return r;
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
	if (r == 0 && then)
		json_object_set(*ret, "then", then);
	json_decref(then);
	json_decref(question);
	return r;
}

/* ---- text ---- */

enum { NEAR_SHOWN = 6 };

static void line(struct ctl *ctl, const char *label, const char *value)
{
	if (!value || !*value)
		return;
	grid_pad(&ctl->out, say(ctl, label), 14);
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
	const char *dept = get(answer, "department"), *rule = get(answer, "rule"), *source = get(answer, "source");

	return arena_printf(&ctl->arena, "%s  <- %s%s%s", ctl_dept_name(ctl, dept ? dept : "-"), say(ctl, source),
			    rule ? " " : "", rule ? rule : "");
}

static void print_due(struct ctl *ctl, const json_t *answer)
{
	const char *clock;
	json_t *time;

	json_object_foreach(json_object_get(answer, "due"), clock, time) {
		char text[MOMENT_TEXT];
		int64_t at = 0;

		moment_parse(json_string_value(time), &at);
		line(ctl, clock, moment_human(at, true, text));
	}
	if (json_is_true(json_object_get(answer, "provisional")))
		line(ctl, " ", say(ctl, "provisional: a year has no calendar yet"));
}

static void print_near(struct ctl *ctl, const json_t *all)
{
	json_t *near;
	size_t i;

	json_array_foreach(all, i, near) {
		if (i == NEAR_SHOWN) {
			line(ctl, " ", arena_printf(&ctl->arena, _("… %zu more"), json_array_size(all) - i));
			return;
		}
		line(ctl, i ? " " : N_("nearly"), arena_printf(&ctl->arena, _("%s: %s does not match"), get(near, "rule"),
							       get(near, "failed")));
	}
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
	if (then)
		line(ctl, N_("decided then"),
		     arena_printf(&ctl->arena, "%s, %s %s", routed(ctl, then), say(ctl, "configuration"),
				  get(then, "config")));
	line(ctl, N_("configuration"), get(answer, "config"));
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
