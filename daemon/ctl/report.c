/*
 * A letter, a visit, a call entered by hand takes the same way as every other message, through the
 * broker, so that there is one way in: what is printed is the gateway's own receipt.
 */
#include "ctl/ctl.h"
#include "ctl/members.h"
#include "ctl/wire.h"

#include "core/office.h"
#include "core/time/moment.h"
#include "core/understand/message.h"
#include "settings/snapshot.h"

static const struct flag flags[] = {
	{"channel", 0, "ID", N_("the channel of the folder that it came by (needed)")},
	{"source", 0, "ID", N_("who enters it, as a part of the topic (needlectl)")},
	{"id", 0, "ID", N_("its number at the source; the same id again is a duplicate (made)")},
	{"kind", 0, "KIND", N_("report, supplement, urge, again, rate, withdraw, status, delivered, talk (report)")},
	{"text", 0, "TEXT", N_("what was said; - reads standard input")},
	{"category", 0, "PATH", N_("category such as 市政/井盖, or its code")},
	{"urgency", 0, "WORD", N_("normal, urgent or critical")},
	{"time", 0, "TIME", N_("when it was said (now)")},
	{"grid", 0, "CODE", N_("grid code of the place")},
	{"address", 0, "TEXT", N_("address of the place")},
	{"name", 0, "TEXT", N_("the reporter's name")},
	{"phone", 0, "NUMBER", N_("the reporter's phone")},
	{"ref", 0, "TEXT", N_("the reporter's openid, badge or the like")},
	{"secret", 0, NULL, N_("seal the case")},
	{"accused", 0, "ID", N_("the body complained about")},
	{"about", 0, "ID", N_("the first report's id, for all kinds but report and talk")},
	{"case", 0, "CASE", N_("the case, instead of --about")},
	{"score", 0, "WORD", N_("of rate: satisfied, basically or dissatisfied")},
	{"comment", 0, "TEXT", N_("of rate")},
	{"set", 0, "MEMBER=VALUE", N_("any other member, dotted where nested; may be given often")},
	{0},
};

static const struct member members[] = {
	{"id", "id", MEMBER_TEXT},	     {"kind", "kind", MEMBER_TEXT},     {"text", "text", MEMBER_TEXT},
	{"category", "category", MEMBER_TEXT}, {"urgency", "urgency", MEMBER_TEXT}, {"time", "time", MEMBER_TIME},
	{"grid", "place.grid", MEMBER_TEXT},   {"address", "place.address", MEMBER_TEXT},
	{"name", "reporter.name", MEMBER_TEXT}, {"phone", "reporter.phone", MEMBER_TEXT},
	{"ref", "reporter.ref", MEMBER_TEXT},  {"secret", "reporter.secret", MEMBER_TRUE},
	{"accused", "accused", MEMBER_TEXT},   {"about", "about", MEMBER_TEXT},   {"case", "case", MEMBER_TEXT},
	{"score", "score", MEMBER_TEXT},	     {"comment", "comment", MEMBER_TEXT},
};

/* Flags that take one of few words. */
static int check_words(const struct ctl *ctl, struct err *e)
{
	const struct {
		const char *flag;
		const char *const *names;
		size_t n;
	} rows[] = {{"kind", report_kind_names, N_REPORT_KIND},
		    {"urgency", urgency_names, N_URGENCY},
		    {"score", score_names, N_SCORE}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *given = ctl_flag(ctl, rows[i].flag), *near;

		if (!given || name_index(rows[i].names, rows[i].n, given) >= 0)
			continue;
		near = args_nearest(given, rows[i].names, rows[i].n);
		return near ? ctl_usage(e, "--%s: there is no %s; did you mean %s?", rows[i].flag, given, near)
			    : ctl_usage(e, "--%s: there is no %s", rows[i].flag, given);
	}
	return 0;
}

static int read_stdin(struct ctl *ctl, json_t *report, struct err *e)
{
	CLEANUP(str_done) struct str text = {.max = 64 * 1024};
	char buf[4096];
	size_t n;

	if (!str_equal(ctl_flag(ctl, "text"), "-"))
		return 0;
	while ((n = fread(buf, 1, sizeof(buf), stdin)) > 0)
		str_addn(&text, buf, n);
	if (!text.len || text.cut || !str_is_utf8(text.s, text.len))
		return ctl_usage(e, "standard input is empty, over 64 KiB, or not UTF-8");
	json_object_set_new(report, "text", json_stringn(text.s, text.len));
	return 0;
}

static int build(struct ctl *ctl, json_t *report, struct err *e)
{
	char id[WIRE_ID];
	int r = check_words(ctl, e);

	json_object_set_new(report, "v", json_integer(1));
	json_object_set_new(report, "id", json_string(wire_fresh_id(id)));
	if (r == 0)
		r = members_fill(&ctl->args, members, ARRAY_LEN(members), report, e);
	return r < 0 ? r : read_stdin(ctl, report, e);
}

/* R/in/{channel}/{source} and where its receipt comes. */
static int find_topic(struct ctl *ctl, const char **ret_topic, const char **ret_receipts, struct err *e)
{
	const char *id = ctl_flag(ctl, "channel"), *source = ctl_flag(ctl, "source");
	const struct office *office = &ctl->settings->office;
	CLEANUP(str_done) struct str known = {0};

	source = source ? source : "needlectl";
	for (size_t i = 0; i < office->n_channels; i++)
		str_addf(&known, "%s%s", i ? ", " : "", office->channels[i].id);
	if (!id || !map_get(&office->channel_by_id, id))
		return ctl_usage(e, "--channel: one of %s", known.s ? known.s : "-");
	if (!str_is_id(source))
		return ctl_usage(e, "--source: small letters, digits, - and _ only, not %s", source);
	*ret_topic = arena_printf(&ctl->arena, "needle/%s/in/%s/%s", office->tenant, id, source);
	*ret_receipts = arena_printf(&ctl->arena, "needle/%s/receipt/%s/%s", office->tenant, id, source);
	return 0;
}

static const char *human(const char *time, char text[MOMENT_TEXT])
{
	int64_t at;

	return moment_parse(time, &at) ? moment_human(at, true, text) : time;
}

static void print_text(struct ctl *ctl, const json_t *receipt)
{
	static const char *const lines[] = {N_("case"), N_("department"), N_("reason")};
	json_t *due = json_object_get(receipt, "due"), *at;
	const char *clock, *result = json_string_value(json_object_get(receipt, "result"));

	str_addf(&ctl->out, "%s\n", say(ctl, result ? result : "-"));
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		const char *value = json_string_value(json_object_get(receipt, lines[i]));

		if (!value)
			continue;
		str_add(&ctl->out, "  ");
		grid_pad(&ctl->out, say(ctl, lines[i]), 14);
		grid_safe(&ctl->out, i == 1 ? ctl_dept_name(ctl, value) : value);
		str_addc(&ctl->out, '\n');
	}
	json_object_foreach(due, clock, at) {
		char text[MOMENT_TEXT];

		if (!json_is_string(at))
			continue;
		str_add(&ctl->out, "  ");
		grid_pad(&ctl->out, say(ctl, clock), 14);
		str_addf(&ctl->out, "%s\n", human(json_string_value(at), text));
	}
}

static int send(struct ctl *ctl, const json_t *report, json_t **ret, struct err *e)
{
	CLEANUP(mem_freep) char *payload = json_dumps(report, JSON_COMPACT);
	const char *topic = NULL, *receipts = NULL;
	struct wire *wire = NULL;
	int r = find_topic(ctl, &topic, &receipts, e);

	if (r == 0)
		r = wire_open(ctl, &wire, e);
	if (r == 0)
		r = wire_subscribe(wire, receipts, e);
	if (r == 0)
		r = wire_publish(wire, topic, payload, strlen(payload), e);
	if (r == 0)
		r = wire_await(wire, "id", json_string_value(json_object_get(report, "id")), ret, e);
	wire_close(wire);
	return r;
}

static int run(struct ctl *ctl, struct err *e)
{
	json_t *report = json_object(), *receipt = NULL;
	bool dead;
	int r = build(ctl, report, e);

	if (r == 0)
		r = ctl_settings(ctl, e);
	if (r == 0)
		r = send(ctl, report, &receipt, e);
	json_decref(report);
	if (r < 0)
		return r;
	if (ctl->json)
		ctl_print_json(ctl, receipt);
	else
		print_text(ctl, receipt);
	dead = str_equal(json_string_value(json_object_get(receipt, "result")), "dead");
	json_decref(receipt);
	return dead ? CTL_NO : CTL_DONE;
}

const struct verb verb_report = {
	.name = "report",
	.group = ctl_broker,
	.operands = "",
	.help = N_("Enter a report by hand: a letter, a visit, a call."),
	.detail = N_("It is published to the channel as any adapter would, and the gateway's receipt is printed. "
		     "Without a receipt in time the exit code is 75; the message is with the broker then, and the "
		     "same --id again is safe.\n"),
	.flags = flags,
	.run = run,
};
