/* The tables of keys as others read them. Both verbs need no folder at all. */
#include "ctl/ctl.h"

#include "settings/manual.h"

static int run_schema(struct ctl *ctl, struct err *e)
{
	(void)e;
	schema_json(&ctl->out);
	return CTL_DONE;
}

static int run_manual(struct ctl *ctl, struct err *e)
{
	(void)e;
	manual_markdown(&ctl->out);
	return CTL_DONE;
}

const struct verb verb_schema = {
	.name = "schema",
	.group = ctl_offline,
	.operands = "",
	.help = N_("Print a JSON Schema for editors: each file of a folder by itself is valid under it."),
	.detail = N_("An editor that knows JSON Schema completes keys and marks slips while you write. Put this in the first "
		     "line of a file:\n"
		     "# yaml-language-server: $schema=needle.schema.json\n"),
	.run = run_schema,
};

const struct verb verb_manual = {
	.name = "manual",
	.group = ctl_offline,
	.operands = "",
	.help = N_("Print the reference of every key, as Markdown."),
	.detail = N_("The rows are those that check works with, so that it cannot be out of date.\n"),
	.run = run_manual,
};
