/* All files of a folder in their normal form, or none: a folder is never left half formatted by an error. */
#include "ctl/ctl.h"

#include "ctl/folder.h"
#include "settings/fmt.h"
#include "settings/snapshot.h"
#include "settings/source.h"
#include "settings/table.h"

static const struct flag flags[] = {
	{"check", 0, NULL, N_("only say which files would change; 1 when there are any")},
	{0},
};

struct form {
	const struct settings_file *file;
	struct str text;
};
typedef VEC(struct form) form_list;

static void forms_done(form_list *forms)
{
	for (size_t i = 0; i < forms->n; i++)
		str_done(&forms->v[i].text);
	VEC_DONE(forms);
}

/* Keeps what differs from its normal form. */
static int add_form(struct ctl *ctl, const struct settings_file *file, form_list *forms, struct err *e)
{
	struct form form = {.file = file};
	struct source source;
	size_t n;
	int r;

	source_init(&source, file->name, file->text, file->len, &ctl->arena);
	r = fmt_text(&source, file->kind == FILE_TESTS ? settings_test_keys(&n) : settings_keys(&n), &form.text, e);
	if (r == 0 && !str_equal(form.text.s ? form.text.s : "", file->text)) {
		VEC_PUSH(forms, form);
		return 0;
	}
	str_done(&form.text);
	return r;
}

static void print(struct ctl *ctl, const form_list *forms, bool written)
{
	json_t *changed = json_array(), *all;

	for (size_t i = 0; i < forms->n; i++) {
		json_array_append_new(changed, json_string(forms->v[i].file->name));
		if (!ctl->json)
			str_addf(&ctl->out, "%s\n", forms->v[i].file->name);
	}
	all = json_pack("{s:o,s:b}", "changed", changed, "written", written);
	if (ctl->json)
		ctl_print_json(ctl, all);
	json_decref(all);
}

static int run(struct ctl *ctl, struct err *e)
{
	bool check = args_has(&ctl->args, "check");
	CLEANUP(forms_done) form_list forms = {0};
	int r;

	if (ctl->args.n_operands)
		ctl->folder = ctl->args.operands[0];
	r = ctl_settings(ctl, e);
	for (size_t i = 0; r == 0 && i < ctl->settings->n_files; i++)
		if (ctl->settings->files[i].kind != FILE_DATA)
			r = add_form(ctl, &ctl->settings->files[i], &forms, e);
	for (size_t i = 0; r == 0 && !check && i < forms.n; i++)
		r = folder_write(ctl->settings->folder, forms.v[i].file->name, forms.v[i].text.s ? forms.v[i].text.s : "",
				 forms.v[i].text.len, forms.v[i].file->text, e);
	if (r < 0)
		return r;
	print(ctl, &forms, !check);
	return check && forms.n ? CTL_NO : CTL_DONE;
}

const struct verb verb_fmt = {
	.name = "fmt",
	.group = ctl_offline,
	.operands = "[DIR]",
	.help = N_("Put the YAML files of a folder into their normal form; what changes is named."),
	.detail = N_("Keys stand in the order of the reference, two blanks a step; codes that look like numbers get quotes. "
		     "Comments stay, and the meaning never changes: the result is read again before it is written. A folder "
		     "with errors is left alone.\n"),
	.flags = flags,
	.max_operands = 1,
	.run = run,
};
