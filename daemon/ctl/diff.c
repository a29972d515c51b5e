/* What a change would change: by rule, department, policy …, in words. */
#include "ctl/ctl.h"

#include "ctl/stored.h"
#include "settings/compare.h"
#include "settings/snapshot.h"

/* What one entry of a section is called. */
static const struct {
	const char *section, *entry;
} entries[] = {
	{"channels", N_("channel")},     {"departments", N_("department")}, {"categories", N_("category")},
	{"rules", N_("rule")},           {"copies", N_("copy")},            {"policies", N_("policy")},
	{"escalations", N_("escalation")}, {"reports", N_("report list")},  {"calendars", N_("calendar")},
	{"windows", N_("window")},       {"grids", N_("grid")},
};

static const char *entry_name(const char *section)
{
	for (size_t i = 0; i < ARRAY_LEN(entries); i++)
		if (strcmp(entries[i].section, section) == 0)
			return _(entries[i].entry);
	return section;
}

static void add_list(struct str *out, const char *sign, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		str_addf(out, " %s", sign);
		grid_safe(out, v[i]);
	}
}

static void print_change(struct str *out, const struct change *c)
{
	if (c->plus && (c->n_plus || c->n_minus)) {
		add_list(out, "+", c->plus, c->n_plus);
		add_list(out, "−", c->minus, c->n_minus);
		return;
	}
	str_addc(out, ' ');
	grid_safe(out, c->from ? c->from : _("(nothing)"));
	str_add(out, " → ");
	grid_safe(out, c->to ? c->to : _("(nothing)"));
}

static void print_moved(struct str *out, const struct change *c)
{
	if (c->before)
		str_addf(out, _("moved, now before %s"), c->before);
	else if (c->after)
		str_addf(out, _("moved, now behind %s"), c->after);
}

static void print_one(struct ctl *ctl, const struct change *c)
{
	struct str *out = &ctl->out;

	str_add(out, c->id ? entry_name(c->section) : c->section);
	if (c->id) {
		str_addc(out, ' ');
		grid_safe(out, c->id);
	}
	str_add(out, ": ");
	switch (c->kind) {
	case CHANGE_ADDED:
		str_addf(out, "%s ", _("new"));
		grid_safe(out, c->to);
		break;
	case CHANGE_REMOVED:
		str_add(out, _("gone"));
		break;
	case CHANGE_MOVED:
		print_moved(out, c);
		break;
	case CHANGE_CHANGED:
	case N_CHANGE_KIND:
		grid_safe(out, c->field);
		print_change(out, c);
		break;
	}
	str_addc(out, '\n');
}

static json_t *list_json(const char *const *v, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(v[i]));
	return list;
}

static json_t *change_json(const struct change *c)
{
	json_t *one = json_pack("{s:s,s:s,s:o}", "change", change_kind_names[c->kind], "section", c->section, "id",
				ctl_json_text(c->id));

	if (c->kind == CHANGE_CHANGED)
		json_object_set_new(one, "field", json_string(c->field));
	if (c->kind == CHANGE_MOVED) {
		json_object_set_new(one, "after", ctl_json_text(c->after));
		json_object_set_new(one, "before", ctl_json_text(c->before));
		return one;
	}
	json_object_set_new(one, "from", ctl_json_text(c->from));
	json_object_set_new(one, "to", ctl_json_text(c->to));
	if (c->plus) {
		json_object_set_new(one, "added", list_json(c->plus, c->n_plus));
		json_object_set_new(one, "removed", list_json(c->minus, c->n_minus));
	}
	return one;
}

static void print(struct ctl *ctl, const struct settings *from, const struct settings *to)
{
	json_t *all = json_array();
	struct change *changes;
	size_t n;

	settings_compare(from, to, &ctl->arena, &changes, &n);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, change_json(&changes[i]));
	all = json_pack("{s:s,s:s,s:b,s:o}", "a", from->office.hash, "b", to->office.hash, "same", n == 0, "changes", all);
	if (ctl->json)
		ctl_print_json(ctl, all);
	else
		for (size_t i = 0; i < n; i++)
			print_one(ctl, &changes[i]);
	if (!ctl->json && !n)
		str_addf(&ctl->out, "%s\n", _("They say the same."));
	json_decref(all);
}

static int run(struct ctl *ctl, struct err *e)
{
	struct settings *from = NULL, *to = NULL;
	int r = stored_settings(ctl, ctl->args.operands[0], &from, e);

	if (r == 0)
		r = stored_settings(ctl, ctl->args.operands[1], &to, e);
	if (r == 0)
		print(ctl, from, to);
	settings_unref(from);
	settings_unref(to);
	return r < 0 ? r : CTL_DONE;
}

const struct verb verb_diff = {
	.name = "diff",
	.group = ctl_stored,
	.operands = "A B",
	.help = N_("Say in words what configuration B says differently from A."),
	.detail = N_("A and B are folders, beginnings of hashes (as show and status print them; their text is in the "
		     "database), or the word running. Two folders need no database. Where a thing stands in the files makes "
		     "no difference; the order of rules does.\n"),
	.min_operands = 2,
	.max_operands = 2,
	.run = run,
};
