/*
 * The operators' tool. Everything that it can do is one table below; the help, and later the manual
 * pages, are printed from it.
 */
#include "ctl/ctl.h"

#include <stdarg.h>

#include "base/log.h"
#include "settings/snapshot.h"

const char ctl_offline[] = N_("On a folder, without daemon, broker or database");
const char ctl_daemon[] = N_("Of the running daemon");
const char ctl_stored[] = N_("On the database");
const char ctl_broker[] = N_("Through the broker, as any client");

static const struct verb *const verbs[] = {
	&verb_check,  &verb_test,    &verb_explain,    &verb_deadline,   &verb_fmt,
	&verb_calendar, &verb_lifecycle, &verb_schema, &verb_manual,    &verb_broker_acl,
	&verb_status, &verb_rules,   &verb_reload,     &verb_drain,      &verb_clock,
	&verb_replay, &verb_diff,    &verb_show,       &verb_migrate,    &verb_deadletter, &verb_points, &verb_audit,
	&verb_report, &verb_import,  &verb_do,         &verb_rates,
};

static const struct flag common[] = {
	{"config", 'c', "DIR", N_("configuration folder (else $NEEDLE_CONFIG, else /etc/needle)")},
	{"ctl", 0, "SOCKET", N_("the daemon's control socket (else $NEEDLE_CTL, else that of the folder's tenant)")},
	{"instance", 'i', "ID", N_("which daemon of the tenant, where the socket is not named (a)")},
	{"env-file", 0, "FILE", N_("NAME=value lines for secrets of the folder")},
	{"format", 0, "text|json", N_("for people, or one JSON object (text)")},
	{"lang", 0, "zh|en", N_("language of the text (else that of LANGUAGE, LC_ALL, LANG)")},
	{"timeout", 0, "SECONDS", N_("how long to wait for a peer (10)")},
	{"help", 'h', NULL, N_("this help")},
	{"version", 'V', NULL, N_("print the version")},
	{0},
};

static const struct {
	int code;
	const char *meaning;
} exits[] = {
	{CTL_DONE, N_("done")},
	{CTL_NO, N_("a negative answer: findings, refused, not found")},
	{CTL_USAGE, N_("wrong usage")},
	{CTL_AWAY, N_("daemon, broker or database cannot be reached now")},
	{CTL_CONFIG, N_("the configuration has errors")},
};

enum { WIDTH = 96 };

static void help_flags(struct str *out, const struct flag *flags)
{
	for (const struct flag *f = flags; f && f->name; f++) {
		char head[96];

		snprintf(head, sizeof(head), "%s%c%s--%s%s%s", f->letter ? "-" : "  ", f->letter ? f->letter : ' ',
			 f->letter ? ", " : " ", f->name, f->value ? " " : "", f->value ? f->value : "");
		str_add(out, "  ");
		grid_pad(out, head, 28);
		str_addf(out, "%s%s\n", grid_width(head) < 28 ? "" : "  ", _(f->help));
	}
}

static void help_exits(struct str *out)
{
	str_addf(out, "\n%s\n", _("Exit codes"));
	for (size_t i = 0; i < ARRAY_LEN(exits); i++)
		str_addf(out, "  %-4d %s\n", exits[i].code, _(exits[i].meaning));
}

static void help_verb(struct str *out, const struct verb *v)
{
	str_addf(out, _("Usage: needlectl %s%s%s%s"), v->name, *v->operands ? " " : "", v->operands,
		 v->flags ? _(" [flags]") : "");
	str_add(out, "\n\n");
	grid_wrap(out, _(v->help), 0, WIDTH);
	if (*v->detail) {
		str_addc(out, '\n');
		grid_wrap(out, _(v->detail), 0, WIDTH);
	}
	if (v->flags) {
		str_addf(out, "\n%s\n", _("Flags"));
		help_flags(out, v->flags);
	}
	str_addf(out, "\n%s\n", _("Flags of every verb"));
	help_flags(out, common);
	help_exits(out);
}

static void help_all(struct str *out)
{
	const char *group = "";

	str_addf(out, "%s\n", _("Usage: needlectl VERB [words] [flags]"));
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (verbs[i]->group != group)
			str_addf(out, "\n%s\n", _(verbs[i]->group));
		group = verbs[i]->group;
		str_add(out, "  ");
		grid_pad(out, verbs[i]->name, 12);
		str_addf(out, "%s\n", _(verbs[i]->help));
	}
	str_addf(out, "\n%s\n", _("needlectl VERB -h tells more of one. Flags of every verb:"));
	help_flags(out, common);
	help_exits(out);
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (str_equal(verbs[i]->name, name))
			return verbs[i];
	return NULL;
}

static int no_verb(const char *name, struct err *e)
{
	const char *names[ARRAY_LEN(verbs)], *near;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		names[i] = verbs[i]->name;
	near = args_nearest(name, names, ARRAY_LEN(verbs));
	return near ? ctl_usage(e, "there is no verb %s: did you mean %s?", name, near)
		    : ctl_usage(e, "there is no verb %s: needlectl -h lists them", name);
}

/* Again whenever more flags are known: what is said until then follows the environment. */
static int settle_language(const struct ctl *ctl, struct err *e)
{
	const char *lang = ctl_flag(ctl, "lang");

	if (lang && !tongue_knows(lang))
		return ctl_usage(e, "--lang is zh or en, not %s", lang);
	tongue_init(lang);
	return 0;
}

static int settle(struct ctl *ctl, const struct verb *v, struct err *e)
{
	const char *format = ctl_flag(ctl, "format"), *folder = ctl_flag(ctl, "config");

	if (format && !str_equal(format, "json") && !str_equal(format, "text") &&
	    !(v->formats && str_equal(format, v->formats)))
		return ctl_usage(e, "--format is text or json, not %s", format);
	ctl->json = str_equal(format, "json");
	folder = folder ? folder : getenv("NEEDLE_CONFIG");
	ctl->folder = folder && *folder ? folder : "/etc/needle";
	if (ctl->args.n_operands < v->min_operands)
		return ctl_usage(e, "%s needs %s", v->name, v->operands);
	if (ctl->args.n_operands > v->max_operands)
		return ctl_usage(e, "%s is one word too many", ctl->args.operands[v->max_operands]);
	return 0;
}

static int run(struct ctl *ctl, int argc, char **argv, struct err *e)
{
	const struct verb *v;
	int at, r;

	ctl->args.tables[0] = common;
	at = args_parse(&ctl->args, argv + 1, argc - 1, true, e);
	if (at < 0 || settle_language(ctl, e) < 0)
		return e->class;
	if (args_has(&ctl->args, "version")) {
		str_add(&ctl->out, "needlectl " NEEDLE_VERSION "\n");
		return CTL_DONE;
	}
	if (!ctl->args.n_operands) {
		help_all(&ctl->out);
		return args_has(&ctl->args, "help") ? CTL_DONE : CTL_USAGE;
	}
	v = find_verb(ctl->args.operands[0]);
	if (!v)
		return no_verb(ctl->args.operands[0], e);
	ctl->args.n_operands = 0;
	ctl->args.tables[1] = v->flags;
	r = args_parse(&ctl->args, argv + 1 + at, argc - 1 - at, false, e);
	if (r < 0 || (r = settle_language(ctl, e)) < 0)
		return r;
	if (args_has(&ctl->args, "help")) {
		help_verb(&ctl->out, v);
		return CTL_DONE;
	}
	r = settle(ctl, v, e);
	return r < 0 ? r : v->run(ctl, e);
}

static int exit_code(const struct err *e)
{
	if (str_equal(e->code, "usage"))
		return CTL_USAGE;
	if (str_equal(e->code, "config"))
		return CTL_CONFIG;
	return e->class == ERR_AGAIN ? CTL_AWAY : CTL_NO;
}

int main(int argc, char **argv)
{
	struct ctl ctl = {0};
	struct err e = {0};
	int r;

	log_init("needlectl", LOG_WARNING_);
	tongue_init(NULL);
	r = run(&ctl, argc, argv, &e);
	if (r < 0) {
		fprintf(stderr, "needlectl: %s\n", err_said(&e));
		r = exit_code(&e);
	}
	if (ctl.out.len)
		fwrite(ctl.out.s, 1, ctl.out.len, r == CTL_USAGE ? stderr : stdout);
	if (fflush(stdout) != 0) {
		fprintf(stderr, "needlectl: %s\n", _("the output could not be written"));
		r = CTL_NO;
	}
	settings_unref(ctl.settings);
	arena_done(&ctl.arena);
	str_done(&ctl.out);
	return r;
}
