#include "ctl/ctl.h"

#include "plugin/decoder.h"
#include "settings/snapshot.h"
#include "trial/trial.h"

static const struct flag flags[] = {
	{"all", 0, NULL, N_("run the tests of the folder too, and ask for reload.min_coverage")},
	{"strict", 0, NULL, N_("warnings count as errors")},
	{0},
};

static int load(struct ctl *ctl, struct err *e)
{
	char plugins[512];
	const struct load_options options = {.flags = LOAD_SECRETS_OPTIONAL, .env_file = ctl_flag(ctl, "env-file"),
					     .decoder = decoders_info,
					     .decoder_arg = (void *)(uintptr_t)decoders_folder(plugins, sizeof(plugins))};
	int r = settings_load(ctl->folder, &options, &ctl->settings, e);

	if (r < 0)
		snprintf(e->code, sizeof(e->code), "config");
	return r;
}

static void print_json(struct ctl *ctl, const struct findings *f, const struct trial *trial)
{
	CLEANUP(str_done) struct str text = {0};
	json_t *all;

	findings_json(f, &text);
	all = json_loads(text.s, 0, NULL);
	if (trial)
		json_object_set_new(all, "tests", ctl_trial_json(ctl, trial));
	ctl_print_json(ctl, all);
	json_decref(all);
}

static int run(struct ctl *ctl, struct err *e)
{
	struct trial tests, *trial = NULL;
	struct findings f;
	bool deny;
	int r = load(ctl, e);

	if (r < 0)
		return r;
	f = ctl->settings->findings;
	deny = args_has(&ctl->args, "strict") || (r == 0 && ctl->settings->reload.warnings_deny);
	/* Without a good folder there is nothing to test. */
	if (r == 0 && args_has(&ctl->args, "all")) {
		trial = &tests;
		trial_run(ctl->settings, trial);
		trial_findings(trial, ctl->settings, &f);
	}
	if (ctl->json)
		print_json(ctl, &f, trial);
	else
		findings_text(&f, &ctl->out);
	if (trial && !ctl->json)
		ctl_trial_text(ctl, trial);
	if (trial)
		trial_done(trial);
	return f.n_errors || (deny && f.n_warnings) ? CTL_NO : CTL_DONE;
}

const struct verb verb_check = {
	.name = "check",
	.group = ctl_offline,
	.operands = "",
	.help = N_("Look for everything that is wrong in a configuration folder."),
	.detail = N_("Every finding has its code, file, line and column, one sentence, and one line of remedy. Errors exit "
		     "with 1; warnings too with --strict, or where the folder says reload: {warnings: deny}. --all does what "
		     "a reload does: the tests must pass and cover enough of the rules (E60).\n"),
	.flags = flags,
	.run = run,
};
