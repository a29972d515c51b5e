#include "ctl/ctl.h"

static int run(struct ctl *ctl, struct err *e)
{
	json_t *request = json_pack("{s:s}", "verb", "drain"), *answer = NULL;
	int r = ctl_ask(ctl, request, &answer, e);

	json_decref(request);
	if (r < 0)
		return r;
	if (ctl->json)
		ctl_print_json(ctl, answer);
	else
		str_addf(&ctl->out, "%s\n",
			 say(ctl, "The daemon takes no more messages, finishes what it has and stops."));
	json_decref(answer);
	return CTL_DONE;
}

const struct verb verb_drain = {
	.name = "drain",
	.group = ctl_daemon,
	.operands = "",
	.help = N_("Let the daemon finish what it has and stop."),
	.detail = N_("It leaves the broker first, which keeps what comes; then it stores its inbox, publishes what is "
		     "in hand, and ends. What does not finish in time is done at the next start. SIGTERM does the same.\n"),
	.run = run,
};
