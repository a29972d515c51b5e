#include "ctl/ctl.h"

#include "plugin/decoder.h"
#include "settings/snapshot.h"

static const struct flag flags[] = {
	{"strict", 0, NULL, N_("warnings count as errors")},
	{0},
};

static int run(struct ctl *ctl, struct err *e)
{
	char plugins[512];
	const struct load_options options = {.flags = LOAD_SECRETS_OPTIONAL, .env_file = ctl_flag(ctl, "env-file"),
					     .decoder = decoders_info,
					     .decoder_arg = (void *)(uintptr_t)decoders_folder(plugins, sizeof(plugins))};
	const struct findings *f;
	bool deny;
	int r = settings_load(ctl->folder, &options, &ctl->settings, e);

	if (r < 0) {
		snprintf(e->code, sizeof(e->code), "config");
		return r;
	}
	f = &ctl->settings->findings;
	deny = args_has(&ctl->args, "strict") || (r == 0 && ctl->settings->reload.warnings_deny);
	if (ctl->json) {
		findings_json(f, &ctl->out);
		str_add(&ctl->out, ctl->out.s[ctl->out.len - 1] == '\n' ? "" : "\n");
	} else {
		findings_text(f, &ctl->out);
	}
	return f->n_errors || (deny && f->n_warnings) ? CTL_NO : CTL_DONE;
}

const struct verb verb_check = {
	.name = "check",
	.group = ctl_offline,
	.operands = "",
	.help = N_("Look for everything that is wrong in a configuration folder."),
	.detail = N_("Every finding has its code, file, line and column, one sentence, and one line of remedy. Errors exit "
		     "with 1; warnings too with --strict, or where the folder says reload: {warnings: deny}.\n"),
	.flags = flags,
	.run = run,
};
