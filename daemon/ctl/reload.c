#include "ctl/ctl.h"

#include <pwd.h>
#include <unistd.h>

/* For the book of configurations; who may reach the socket may reload, whoever he says he is. */
static const char *who(void)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *user = getpwuid(getuid());         /* cppcheck-suppress getpwuidCalled */

	if (sudo && *sudo && str_is_utf8(sudo, strlen(sudo)))
		return sudo;
	return user && str_is_utf8(user->pw_name, strlen(user->pw_name)) ? user->pw_name : "needlectl";
}

static int run(struct ctl *ctl, struct err *e)
{
	json_t *request = json_pack("{s:s,s:s}", "verb", "reload", "by", who()), *answer = NULL;
	int r = ctl_ask(ctl, request, &answer, e);
	bool ok = json_is_true(json_object_get(answer, "ok"));
	const char *config = json_string_value(json_object_get(answer, "config"));
	const char *text = json_string_value(json_object_get(answer, "text"));

	json_decref(request);
	if (r < 0)
		return r;
	if (ctl->json) {
		ctl_print_json(ctl, answer);
	} else {
		str_add(&ctl->out, text ? text : "");
		str_addf(&ctl->out, ok ? _("now at work: %s\n") : _("refused; still at work: %s\n"), config ? config : "-");
	}
	json_decref(answer);
	return ok ? CTL_DONE : CTL_NO;
}

const struct verb verb_reload = {
	.name = "reload",
	.group = ctl_daemon,
	.operands = "",
	.help = N_("Let the daemon read its configuration folder again: all of it, or nothing."),
	.detail = N_("The folder is loaded, checked and tested as a whole. With any error the daemon stays with what "
		     "it has, and the findings are printed. SIGHUP does the same.\n"),
	.run = run,
};
