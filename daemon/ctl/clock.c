/* Of simulated daemons: their time is moved by hand, forward only. */
#include "ctl/ctl.h"

#include "core/time/moment.h"

static int read_request(const struct ctl *ctl, json_t *request, struct err *e)
{
	const char *what = ctl->args.operands[0], *value = ctl->args.operands[1];
	int64_t at;

	if (str_equal(what, "show") && !value)
		json_object_set_new(request, "show", json_true());
	else if (str_equal(what, "set") && value && moment_parse(value, &at))
		json_object_set_new(request, "set", ctl_json_time(at));
	else if (str_equal(what, "add") && value)
		json_object_set_new(request, "add", json_string(value));
	else
		return ctl_usage(e, "clock is used as: clock show, clock set \"2026-11-20 08:30\", clock add \"4 小时\"");
	return 0;
}

static int run(struct ctl *ctl, struct err *e)
{
	json_t *request = json_pack("{s:s}", "verb", "clock"), *answer = NULL;
	int r = read_request(ctl, request, e);

	if (r == 0)
		r = ctl_ask(ctl, request, &answer, e);
	json_decref(request);
	if (r < 0)
		return r;
	if (ctl->json) {
		ctl_print_json(ctl, answer);
	} else {
		const char *now = json_string_value(json_object_get(answer, "now"));

		str_addf(&ctl->out, "%s\n", now ? now : "-");
	}
	json_decref(answer);
	return CTL_DONE;
}

const struct verb verb_clock = {
	.name = "clock",
	.group = ctl_daemon,
	.operands = "show | set TIME | add SPAN",
	.help = N_("Show or move the time of a simulated daemon."),
	.detail = N_("Only of a daemon that was started with --simulate. Time never goes backwards; what falls due on "
		     "the way happens. SPAN is one of the office's words for a span, such as \"30 分钟\" or \"4 小时\".\n"),
	.min_operands = 1,
	.max_operands = 2,
	.run = run,
};
