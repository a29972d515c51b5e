/*
 * Acts for a department, as its own system would: a command on its topic, the result on its topic. So
 * needlectl can do nothing that a department could not, and everything it does is in the history.
 */
#include "ctl/ctl.h"
#include "ctl/members.h"
#include "ctl/wire.h"

#include "core/understand/message.h"
#include "settings/snapshot.h"
#include "store/pg.h"

static const struct query Q_LEAD = {"ctl_lead",
	"SELECT lead FROM needle.v_case WHERE tenant = $1 AND number = $2"};

static const struct flag flags[] = {
	{"dept", 0, "ID", N_("the department that acts (the case's lead, asked of the database)")},
	{"by", 0, "OFFICER", N_("who in the department")},
	{"note", 0, "TEXT", N_("a remark for the history")},
	{"reason", 0, "CODE", N_("of return and reject")},
	{"answer", 0, "TEXT", N_("of resolve and answer: what the reporter is told")},
	{"to", 0, "ID", N_("of transfer: the department that gets it")},
	{"until", 0, "TIME", N_("of extend and suspend")},
	{"departments", 0, "ID,ID", N_("of whistle: who is called")},
	{"task", 0, "TEXT", N_("of whistle: what for")},
	{"topic", 0, "TEXT", N_("of consult")},
	{"parties", 0, "WHO,WHO", N_("of consult")},
	{"at", 0, "TIME", N_("of consult")},
	{"outcome", 0, "TEXT", N_("of consult_outcome")},
	{"text", 0, "TEXT", N_("of next_step")},
	{"category", 0, "PATH", N_("of next_step and amend")},
	{"grid", 0, "CODE", N_("of amend")},
	{"address", 0, "TEXT", N_("of amend")},
	{"order", 0, "TEXT", N_("of supervise")},
	{"within", 0, "SPAN", N_("of supervise")},
	{"of", 0, "REQUEST", N_("of grant and deny: which request")},
	{"into", 0, "CASE", N_("of join")},
	{"set", 0, "MEMBER=VALUE", N_("any other member, dotted where nested; may be given often")},
	{"request", 0, "ID", N_("id of the request; the same again changes nothing (made)")},
	{0},
};

static const struct member members[] = {
	{"by", "by", MEMBER_TEXT},	   {"note", "note", MEMBER_TEXT},	      {"reason", "reason", MEMBER_TEXT},
	{"answer", "answer", MEMBER_TEXT},   {"to", "to", MEMBER_TEXT},	      {"until", "until", MEMBER_TIME},
	{"departments", "departments", MEMBER_LIST}, {"task", "task", MEMBER_TEXT}, {"topic", "topic", MEMBER_TEXT},
	{"parties", "parties", MEMBER_LIST}, {"at", "at", MEMBER_TIME},	      {"outcome", "outcome", MEMBER_TEXT},
	{"text", "text", MEMBER_TEXT},	   {"category", "category", MEMBER_TEXT}, {"grid", "place.grid", MEMBER_TEXT},
	{"address", "place.address", MEMBER_TEXT}, {"order", "order", MEMBER_TEXT}, {"within", "within", MEMBER_TEXT},
	{"of", "of", MEMBER_TEXT},	   {"into", "into", MEMBER_TEXT},	      {"request", "request", MEMBER_TEXT},
};

static int check_action(const char *action, struct err *e)
{
	const char *near;

	if (name_index(command_action_names, N_COMMAND_ACTION, action) >= 0)
		return 0;
	near = args_nearest(action, command_action_names, N_COMMAND_ACTION);
	return near ? ctl_usage(e, "there is no action %s: did you mean %s?", action, near)
		    : ctl_usage(e, "there is no action %s", action);
}

static int build(struct ctl *ctl, json_t *command, struct err *e)
{
	const char *number = ctl->args.operands[0], *action = ctl->args.operands[1];
	char id[WIRE_ID];

	if (!str_is_case_number(number))
		return ctl_usage(e, "%s is not a case number such as JYL261120000123", number);
	if (check_action(action, e) < 0)
		return e->class;
	json_object_set_new(command, "v", json_integer(1));
	json_object_set_new(command, "request", json_string(wire_fresh_id(id)));
	json_object_set_new(command, "case", json_string(number));
	json_object_set_new(command, "action", json_string(action));
	return members_fill(&ctl->args, members, ARRAY_LEN(members), command, e);
}

/* --dept, else the lead of the case. */
static int find_dept(struct ctl *ctl, const char **ret, struct err *e)
{
	const struct office *office = &ctl->settings->office;
	const char *dept = ctl_flag(ctl, "dept");
	CLEANUP(pg_rows_done) struct pg_rows rows = {0};
	struct pg_args args = {0};
	struct pg *pg = NULL;
	int r;

	if (dept && !map_get(&office->dept_by_id, dept))
		return ctl_usage(e, "--dept: there is no department %s in %s", dept, ctl->folder);
	*ret = dept;
	if (dept)
		return 0;
	r = ctl_database(ctl, &pg, e);
	if (r < 0)
		return r;
	pg_text(&args, office->tenant);
	pg_text(&args, ctl->args.operands[0]);
	r = pg_run(pg, &Q_LEAD, &args, &rows, e);
	if (r == 0 && !rows.n)
		r = err_set(e, ERR_BAD, "there is no case %s", ctl->args.operands[0]);
	if (r == 0)
		*ret = arena_strdup(&ctl->arena, pg_get(&rows, 0, 0));
	pg_close(pg);
	return r;
}

static int send(struct ctl *ctl, const json_t *command, json_t **ret, struct err *e)
{
	CLEANUP(mem_freep) char *payload = json_dumps(command, JSON_COMPACT);
	const char *tenant = ctl->settings->office.tenant, *dept = NULL;
	struct wire *wire = NULL;
	int r = find_dept(ctl, &dept, e);

	if (r == 0)
		r = wire_open(ctl, &wire, e);
	if (r == 0)
		r = wire_subscribe(wire, arena_printf(&ctl->arena, "needle/%s/dept/%s/result", tenant, dept), e);
	if (r == 0)
		r = wire_publish(wire, arena_printf(&ctl->arena, "needle/%s/dept/%s/cmd", tenant, dept), payload,
				 strlen(payload), e);
	if (r == 0)
		r = wire_await(wire, "request", json_string_value(json_object_get(command, "request")), ret, e);
	wire_close(wire);
	return r;
}

static void print_text(struct ctl *ctl, json_t *result)
{
	const char *verdict = json_string_value(json_object_get(result, "result"));
	const char *state = json_string_value(json_object_get(result, "state"));
	const char *reason = json_string_value(json_object_get(result, "reason"));
	json_t *record = json_object_get(result, "record");

	str_addf(&ctl->out, "%s: %s", ctl->args.operands[0], say(ctl, verdict ? verdict : "-"));
	if (state)
		str_addf(&ctl->out, ", %s", say(ctl, state));
	if (json_is_true(json_object_get(result, "pending")))
		str_addf(&ctl->out, ", %s", say(ctl, "waiting for leave"));
	if (reason) {
		str_add(&ctl->out, ": ");
		grid_safe(&ctl->out, reason);
	}
	str_addc(&ctl->out, '\n');
	if (record) {
		CLEANUP(mem_freep) char *text = json_dumps(record, JSON_INDENT(2));

		str_addf(&ctl->out, "%s\n", text ? text : "");
	}
}

static int run(struct ctl *ctl, struct err *e)
{
	json_t *command = json_object(), *result = NULL;
	bool done;
	int r = build(ctl, command, e);

	if (r == 0)
		r = ctl_settings(ctl, e);
	if (r == 0)
		r = send(ctl, command, &result, e);
	json_decref(command);
	if (r < 0)
		return r;
	if (ctl->json)
		ctl_print_json(ctl, result);
	else
		print_text(ctl, result);
	done = str_equal(json_string_value(json_object_get(result, "result")), "done");
	json_decref(result);
	return done ? CTL_DONE : CTL_NO;
}

const struct verb verb_do = {
	.name = "do",
	.group = ctl_broker,
	.operands = "CASE ACTION",
	.help = N_("Act for a department: accept, return, resolve and all other commands."),
	.detail = N_("ACTION is one of accept, contact, progress, return, extend, suspend, resume, resolve, transfer, "
		     "whistle, report_in, support_done, consult, consult_outcome, next_step, reject, amend, supervise, "
		     "answer, grant, deny, join, split, lift, get. The command goes to the department's topic and the "
		     "gateway's result is printed; refused and bad ones exit with 1.\n"),
	.flags = flags,
	.min_operands = 2,
	.max_operands = 2,
	.run = run,
};
