/* lifecycle.yaml: how this office closes, asks, joins. Every key has a default in the table. */
#include "base/str.h"
#include "settings/load.h"

/* The reasons of a return; without any the table's. */
static const struct node *codes_of(struct scope s)
{
	const struct key_info *row = key_child(s.row, "codes");
	const struct node *written = scope_node(s, "codes");
	struct source *source;

	if (written && written->kind == NODE_MAP)
		return written;
	source = arena_alloc(s.l->arena, sizeof(*source));
	source_init(source, "", row->fallback, strlen(row->fallback), s.l->arena);
	return yaml_parse(source, &s.l->lint);
}

static void load_returns(struct scope s, struct lifecycle *life)
{
	const struct node *codes = codes_of(s);
	size_t n = codes ? codes->n : 0;
	struct return_code *returns = arena_alloc(s.l->arena, (n + 1) * sizeof(*returns));

	for (size_t i = 0; i < n; i++) {
		returns[i].code = codes->keys[i]->text;
		returns[i].text = codes->items[i]->text ? codes->items[i]->text : returns[i].code;
	}
	life->returns = returns;
	life->n_returns = n;
	life->arbitrate_after = (int)scope_int(s, "arbitrate_after");
	life->return_evidence = str_equal(scope_text(s, "evidence"), "required");
	life->return_within.set = scope_deadline(s, "within", &life->return_within.in);
}

static void load_grants(struct scope s, struct lifecycle *life)
{
	struct scope extend = scope_in(s, "extend"), suspend = scope_in(s, "suspend");

	life->extend_by = scope_dept(extend, "by");
	life->extend_times = (int)scope_int(extend, "times");
	scope_deadline(extend, "max", &life->extend_max);
	life->suspend_by = scope_dept(suspend, "by");
	scope_deadline(suspend, "max", &life->suspend_max);
}

static void load_join(struct scope s, struct lifecycle *life)
{
	life->join_radius_m = scope_number(s, "radius");
	life->join_grid_prefix = (int)scope_int(s, "grid_prefix");
	scope_deadline(s, "within", &life->join_within);
	life->join_auto = scope_number(s, "auto");
	life->join_propose = scope_number(s, "propose");
}

static void load_replies(struct scope s, struct lifecycle *life)
{
	const struct key_info *row = NULL;
	struct reply_text *replies;
	size_t n = 0;

	while ((row = key_next(s.row, row)))
		n++;
	replies = arena_alloc(s.l->arena, n * sizeof(*replies));
	while ((row = key_next(s.row, row))) {
		const char *text = scope_text(s, key_leaf(row));

		if (text)
			replies[life->n_replies++] = (struct reply_text){.kind = key_leaf(row), .text = text};
	}
	life->replies = replies;
}

void load_lifecycle(struct loader *l)
{
	struct office *office = &l->settings->office;
	struct lifecycle *life = &office->life;
	struct scope root = scope_root(l), closing = scope_in(root, "closing"), again = scope_in(root, "again"),
		     supervision = scope_in(root, "supervision"), urges = scope_in(root, "urges");

	life->triage = scope_dept(root, "triage");
	if (!life->triage)
		life->triage = office->fallback_dept;
	life->closing = (enum closing_rule)scope_enum(closing, "rule");
	scope_deadline(closing, "window", &life->closing_window);
	life->unrated_close = strcmp(scope_text(closing, "unrated"), "keep") != 0;
	life->again_policy = scope_policy(again, "policy");
	life->again_second = scope_text(again, "second");
	life->again_third = scope_text(again, "third");
	life->supervisor = scope_dept(supervision, "by");
	scope_deadline(supervision, "within", &life->supervise_within);
	life->supervise_raises = scope_deadline(supervision, "raise", &life->supervise_raise);
	load_returns(scope_in(root, "returns"), life);
	life->whistle_within.set = scope_deadline(scope_in(root, "whistle"), "within", &life->whistle_within.in);
	life->consult_within.set = scope_deadline(scope_in(root, "consult"), "within", &life->consult_within.in);
	load_grants(scope_in(root, "grants"), life);
	life->urges_per_day = (int)scope_int(urges, "per_day");
	life->urges_raise_after = (int)scope_int(urges, "raise_after");
	load_join(scope_in(root, "join"), life);
	load_replies(scope_in(root, "replies"), life);
}
