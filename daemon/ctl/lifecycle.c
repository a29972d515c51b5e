/* The lifecycle as the daemon lives it: every action in every state, from the table itself. */
#include "ctl/ctl.h"

#include "core/life/lifecycle.h"

static const struct flag flags[] = {
	{"dot", 0, NULL, N_("as a graph of states, for Graphviz")},
	{"page", 0, NULL, N_("as the page of the documentation")},
	{0},
};

static void print_json(struct ctl *ctl)
{
	json_t *states = json_array(), *actions = json_object(), *moves = json_array(), *all;

	for (int s = 0; s < N_CASE_STATE; s++)
		json_array_append_new(states, json_string(case_state_names[s]));
	for (int a = 0; a < N_LIFE_ACTION; a++) {
		json_t *cells = json_object();

		for (int s = 0; s < N_CASE_STATE; s++) {
			const char *word = life_cell((enum case_state)s, (enum life_action)a);

			json_object_set_new(cells, case_state_names[s], str_equal(word, "-") ? json_null() : json_string(word));
			for (int to = 0; to < N_CASE_STATE; to++)
				if (life_moves((enum life_action)a, (enum case_state)s, (enum case_state)to))
					json_array_append_new(moves, json_pack("{s:s,s:s,s:s}", "action",
						life_action_name((enum life_action)a), "from", case_state_names[s], "to",
						case_state_names[to]));
		}
		json_object_set_new(actions, life_action_name((enum life_action)a), cells);
	}
	all = json_pack("{s:o,s:o,s:o}", "states", states, "actions", actions, "moves", moves);
	ctl_print_json(ctl, all);
	json_decref(all);
}

static void print_table(struct ctl *ctl)
{
	struct grid_table table = {.columns = 1 + N_CASE_STATE};

	grid_cell(&table, say(ctl, N_("action")));
	for (int s = 0; s < N_CASE_STATE; s++)
		grid_cell(&table, say(ctl, case_state_names[s]));
	for (int a = 0; a < N_LIFE_ACTION; a++) {
		grid_cell(&table, life_action_name((enum life_action)a));
		for (int s = 0; s < N_CASE_STATE; s++)
			grid_cell(&table, say(ctl, life_cell((enum case_state)s, (enum life_action)a)));
	}
	grid_print(&table, &ctl->out);
	grid_done(&table);
}

static void print_arrow(struct ctl *ctl, enum case_state from, enum case_state to)
{
	bool any = false;

	for (int a = 0; a < N_LIFE_ACTION; a++) {
		if (!life_moves((enum life_action)a, from, to))
			continue;
		if (any)
			str_add(&ctl->out, "\\n");
		else
			str_addf(&ctl->out, "\t%s -> %s [label=\"", case_state_names[from], case_state_names[to]);
		str_add(&ctl->out, life_action_name((enum life_action)a));
		any = true;
	}
	if (any)
		str_add(&ctl->out, "\"]\n");
}

static void print_dot(struct ctl *ctl)
{
	str_add(&ctl->out, "digraph lifecycle {\n\trankdir=LR\n\tnode [shape=box, style=rounded]\n");
	for (int s = 0; s < N_CASE_STATE; s++)
		str_addf(&ctl->out, "\t%s [label=\"%s\"]\n", case_state_names[s], say(ctl, case_state_names[s]));
	str_addf(&ctl->out, "\treceived -> assigned [label=\"report\"]\n");
	for (int from = 0; from < N_CASE_STATE; from++)
		for (int to = 0; to < N_CASE_STATE; to++)
			if (from != to && from != STATE_RECEIVED)
				print_arrow(ctl, (enum case_state)from, (enum case_state)to);
	str_add(&ctl->out, "}\n");
}

static void print_page(struct ctl *ctl)
{
	str_addf(&ctl->out, "# %s\n\n%s\n\n```\n", _("The lifecycle"),
		 _("Made by `make docs` from the table that the daemon works with (daemon/core/life/table.c). A row an action, a column "
		   "a state; `-` is refused with a sentence that says why."));
	print_table(ctl);
	str_addf(&ctl->out, "```\n\n%s\n\n```dot\n", _("The same as a graph: `needlectl lifecycle --dot | dot -Tsvg`."));
	print_dot(ctl);
	str_add(&ctl->out, "```\n");
}

static int run(struct ctl *ctl, struct err *e)
{
	(void)e;
	if (ctl_flag(ctl, "dot"))
		print_dot(ctl);
	else if (ctl_flag(ctl, "page"))
		print_page(ctl);
	else if (ctl->json)
		print_json(ctl);
	else
		print_table(ctl);
	return CTL_DONE;
}

const struct verb verb_lifecycle = {
	.name = "lifecycle",
	.group = ctl_offline,
	.operands = "",
	.help = N_("Print the whole lifecycle: what each action does in each state."),
	.detail = N_("It comes from the table that the daemon works with; a dash is a refusal.\n"),
	.flags = flags,
	.run = run,
};
