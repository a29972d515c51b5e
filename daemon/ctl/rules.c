/* Which rules do their work: how often each won since the daemon started, and how often it came too late. */
#include "ctl/ctl.h"

#include <inttypes.h>

#include "core/time/moment.h"

static const char *text_of(const json_t *rule, const char *name)
{
	return json_string_value(json_object_get(rule, name));
}

static int64_t count_of(const json_t *rule, const char *name)
{
	return json_integer_value(json_object_get(rule, name));
}

static const char *number(struct ctl *ctl, int64_t n)
{
	return arena_printf(&ctl->arena, "%" PRId64, n);
}

static void print_table(struct ctl *ctl, const json_t *rules)
{
	static const char *const heads[] = {N_("rule"), N_("place"), N_("department"), N_("won"), N_("lost")};
	struct grid_table table = {.columns = ARRAY_LEN(heads)};
	json_t *rule;
	size_t i;

	for (i = 0; i < ARRAY_LEN(heads); i++)
		grid_cell(&table, say(ctl, heads[i]));
	json_array_foreach(rules, i, rule) {
		grid_cell(&table, text_of(rule, "rule"));
		grid_cell(&table, arena_printf(&ctl->arena, "%s:%s", text_of(rule, "file"),
					       number(ctl, count_of(rule, "line"))));
		grid_cell(&table, text_of(rule, "department"));
		grid_cell(&table, number(ctl, count_of(rule, "won")));
		grid_cell(&table, number(ctl, count_of(rule, "lost")));
	}
	grid_print(&table, &ctl->out);
	grid_done(&table);
}

static void print_never(struct ctl *ctl, const json_t *answer)
{
	const json_t *never = json_object_get(answer, "never_won");
	json_t *id;
	size_t i;

	if (!json_array_size(never))
		return;
	str_addf(&ctl->out, "%s: ", _("Never won"));
	json_array_foreach(never, i, id) {
		str_add(&ctl->out, i ? _(", ") : "");
		grid_safe(&ctl->out, json_string_value(id));
	}
	str_addc(&ctl->out, '\n');
}

static void add_never(json_t *answer)
{
	json_t *never = json_array(), *rule;
	size_t i;

	json_array_foreach(json_object_get(answer, "rules"), i, rule)
		if (!count_of(rule, "won"))
			json_array_append(never, json_object_get(rule, "rule"));
	json_object_set_new(answer, "never_won", never);
}

static void print_text(struct ctl *ctl, const json_t *answer)
{
	const char *since = text_of(answer, "since");
	char text[MOMENT_TEXT];
	int64_t at = 0;

	print_table(ctl, json_object_get(answer, "rules"));
	print_never(ctl, answer);
	if (since && moment_parse(since, &at))
		str_addf(&ctl->out, "%s %s\n", _("counted since"), moment_human(at, false, text));
}

static int run(struct ctl *ctl, struct err *e)
{
	json_t *request = json_pack("{s:s}", "verb", "rules"), *answer = NULL;
	int r = ctl_ask(ctl, request, &answer, e);

	json_decref(request);
	if (r < 0)
		return r;
	add_never(answer);
	if (ctl->json)
		ctl_print_json(ctl, answer);
	else
		print_text(ctl, answer);
	json_decref(answer);
	return CTL_DONE;
}

const struct verb verb_rules = {
	.name = "rules",
	.group = ctl_daemon,
	.operands = "",
	.help = N_("Tell how often each rule has won since the daemon started, and how often an earlier one was faster."),
	.detail = N_("won: the rule decided a new case. lost: it matched, but an earlier rule won. A rule that loses and "
		     "never wins stands too far down, or is not needed. A reload loses no count.\n"),
	.run = run,
};
