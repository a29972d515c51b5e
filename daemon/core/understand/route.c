/*
 * The order of evaluation is fixed and short (docs: rules): first rule whose every field matches,
 * else the nearest category that has a department, else the fallback; copies beside. The keywords
 * of all rules are found in one pass before the first rule is looked at, and only rules that a found
 * word speaks for, or that ask for none, are looked at.
 */
#include "core/understand/route.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/tongue.h"
#include "base/vec.h"
#include "core/device/device.h"
#include "core/time/moment.h"
#include "core/understand/candidates.h"
#include "core/understand/text.h"
#include "core/understand/when.h"

const char *const route_source_names[N_ROUTE_SOURCE] = {"rule", "category", "fallback"};

/* ---- the index ------------------------------------------------------------------------------- */

struct route_index {
	const struct match *words;
	struct when_ready *whens;       /* rules, then copies, in the office's order */
	size_t n_rules, n_whens;
	struct candidates candidates;
	pcre2_match_context *limits;
};

struct word_list {
	const char **v;
	size_t n;
};

static void add_words(struct word_list *list, const struct texts *texts, struct arena *a,
		      struct when_words *ret)
{
	ret->n = texts->n;
	for (size_t i = 0; i < texts->n; i++)
		list->v[list->n++] = text_shadow(a, texts->v[i]);
}

static size_t count_words(const struct when_ready *whens, size_t n)
{
	size_t words = 0;

	for (size_t i = 0; i < n; i++)
		words += whens[i].when->any.n + whens[i].when->all.n + whens[i].when->none.n;
	return words;
}

static void index_words(struct route_index *index, struct arena *a)
{
	size_t n = count_words(index->whens, index->n_whens);
	struct word_list list = {.v = arena_alloc(a, n * sizeof(*list.v))};
	uint32_t *ids = arena_alloc(a, n * sizeof(*ids));

	for (size_t i = 0; i < index->n_whens; i++) {
		struct when_ready *w = &index->whens[i];

		add_words(&list, &w->when->any, a, &w->any);
		add_words(&list, &w->when->all, a, &w->all);
		add_words(&list, &w->when->none, a, &w->none);
	}
	index->words = match_new(list.v, list.n, a, ids);
	for (size_t i = 0; i < index->n_whens; i++) {
		struct when_ready *w = &index->whens[i];

		w->any.ids = ids;
		w->all.ids = w->any.ids + w->any.n;
		w->none.ids = w->all.ids + w->all.n;
		ids = w->none.ids + w->none.n;
	}
}

static int index_when(struct route_index *index, const struct when *when, const char *what,
		      const char *id, struct arena *a, struct err *e)
{
	/* Counted before it is known to be good: what was compiled of it is freed as well. */
	int r = when_compile(when, a, &index->whens[index->n_whens++], e);

	if (r < 0)
		err_prefix(e, "%s %s: text.regex: ", what, id);
	return r;
}

static int index_fill(struct route_index *index, const struct office *office, struct arena *a,
		      struct err *e)
{
	int r = 0;

	index->limits = pcre2_match_context_create(NULL);
	if (!index->limits)
		mem_die("route");
	pcre2_set_match_limit(index->limits, REGEX_STEPS);
	pcre2_set_depth_limit(index->limits, REGEX_DEPTH);
	pcre2_set_heap_limit(index->limits, REGEX_HEAP_KIB);
	for (size_t i = 0; r == 0 && i < office->n_rules; i++)
		r = index_when(index, &office->rules[i].when, "rule", office->rules[i].id, a, e);
	for (size_t i = 0; r == 0 && i < office->n_copies; i++)
		r = index_when(index, &office->copies[i].when, "copy", office->copies[i].id, a, e);
	return r;
}

int route_index_new(const struct office *office, struct arena *a, struct route_index **ret,
		    struct err *e)
{
	struct route_index *index = arena_alloc(a, sizeof(*index));
	int r;

	index->n_rules = office->n_rules;
	index->whens = arena_alloc(a, (office->n_rules + office->n_copies) * sizeof(*index->whens));
	r = index_fill(index, office, a, e);
	if (r < 0) {
		route_index_free(index);
		return r;
	}
	index_words(index, a);
	candidates_init(&index->candidates, index->whens, index->n_whens, match_set_size(index->words), a);
	*ret = index;
	return 0;
}

void route_index_free(struct route_index *index)
{
	if (!index)
		return;
	for (size_t i = 0; i < index->n_whens; i++)
		when_free(&index->whens[i]);
	pcre2_match_context_free(index->limits);
	index->limits = NULL;
	index->n_whens = 0;
}

/* ---- the decision ---------------------------------------------------------------------------- */

struct deciding {
	const struct office *office;
	const struct report *r;
	struct arena *arena;
	struct sight sight;
	const struct candidates *candidates;
	uint64_t *set;                  /* of the rules and copies that can match */
	struct decision *d;
};

static bool expired(const struct rule *rule, const struct report *r)
{
	return rule->until != MOMENT_NONE && r->received_at >= rule->until;
}

static size_t next_candidate(const struct deciding *in, size_t i)
{
	return candidates_next(in->candidates, in->set, i);
}

static const struct rule *first_rule(struct deciding *in)
{
	const struct office *office = in->office;

	for (size_t i = next_candidate(in, 0); i < office->n_rules; i = next_candidate(in, i + 1))
		if (!expired(&office->rules[i], in->r) &&
		    !when_failed(&in->sight, &office->index->whens[i], NULL))
			return &office->rules[i];
	return NULL;
}

/* Most reports match one rule, so the list begins small. */
static void find_also(struct deciding *in)
{
	const struct office *office = in->office;
	struct decision *d = in->d;
	size_t cap = 0;

	size_t i = d->rule ? next_candidate(in, (size_t)(d->rule - office->rules) + 1) : office->n_rules;

	for (; i < office->n_rules; i = next_candidate(in, i + 1)) {
		uint32_t *more;

		if (expired(&office->rules[i], in->r) || when_failed(&in->sight, &office->index->whens[i], NULL))
			continue;
		if (d->n_also == cap) {
			cap = cap ? 2 * cap : 4;
			more = arena_alloc(in->arena, cap * sizeof(*more));
			if (d->n_also)
				memcpy(more, d->also, d->n_also * sizeof(*more));
			d->also = more;
		}
		d->also[d->n_also++] = (uint32_t)i;
	}
}

static void find_near(struct deciding *in)
{
	const struct office *office = in->office;

	in->d->near = arena_alloc(in->arena, office->n_rules * sizeof(*in->d->near));
	for (size_t i = 0; i < office->n_rules; i++) {
		const struct rule *rule = &office->rules[i];
		size_t n = 0;
		const char *failed;

		if (expired(rule, in->r))
			continue;
		failed = when_failed(&in->sight, &office->index->whens[i], &n);
		if (n == 1)
			in->d->near[in->d->n_near++] = (struct near_miss){
				rule, failed, __builtin_popcount(office->index->whens[i].fields) - 1};
	}
}

static void choose(struct deciding *in)
{
	const struct category *category = in->r->known_category;
	const struct device_entry *device = in->r->device ? map_get(&in->office->device_by_id, in->r->device) : NULL;
	const struct rule *rule = first_rule(in);
	const struct when_ready *whens = in->office->index->whens;
	struct decision *d = in->d;

	if (rule) {
		d->source = ROUTE_RULE;
		d->rule = rule;
		d->dept = rule->then.dept;
		d->why = arena_printf(in->arena, _("rule %s: %s"), rule->id,
				      when_why(&in->sight, &whens[rule - in->office->rules]));
	} else if (device && device->dept) {
		/* More is known of this one device than of its category. */
		d->source = ROUTE_CATEGORY;
		d->dept = device->dept;
		d->why = arena_printf(in->arena, _("device %s of the register"), device->device);
	} else if (category && category->dept) {
		d->source = ROUTE_CATEGORY;
		d->dept = category->dept;
		d->why = arena_printf(in->arena, _("category %s"), category->path);
	} else {
		d->source = ROUTE_FALLBACK;
		d->dept = in->office->fallback_dept;
		d->why = _("fallback: no rule and no category with a department matches");
	}
	d->policy = rule && rule->then.policy ? rule->then.policy
		  : category && category->policy ? category->policy : in->office->fallback_policy;
}

static void choose_manner(struct deciding *in)
{
	const struct then *then = in->d->rule ? &in->d->rule->then : NULL;
	struct decision *d = in->d;

	d->urgency = then && then->urgency >= 0 ? (enum urgency)then->urgency
		   : in->r->urgency >= 0 ? (enum urgency)in->r->urgency : URGENCY_NORMAL;
	d->visibility = then && then->visibility >= 0 ? (enum visibility)then->visibility
						      : in->office->visibility;
	if (in->r->secret)
		d->visibility = VISIBLE_SEALED;
	d->horizon = then ? then->horizon : NULL;
}

/* ---- nobody judges a complaint about himself ------------------------------------------------- */

static bool is_accused(const struct report *r, const struct department *dept)
{
	return r->accused && (strcmp(r->accused, dept->id) == 0 ||
			      (dept->name && strcmp(r->accused, dept->name) == 0));
}

/* Its superiors upwards, else triage, else who supervises; the fallback may be the accused itself only in an office of one. */
static const struct department *instead_of(const struct deciding *in, const struct department *accused)
{
	const struct lifecycle *life = &in->office->life;
	const struct department *const others[] = {life->triage, life->supervisor, in->office->fallback_dept};
	const struct department *up = accused->superior;

	for (int i = 0; up && is_accused(in->r, up) && i < 8; i++)
		up = up->superior;
	if (up && !is_accused(in->r, up))
		return up;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (others[i] && !is_accused(in->r, others[i]))
			return others[i];
	for (size_t i = 0; i < in->office->n_departments; i++)
		if (in->office->departments[i].kind == DEPT_SUPERVISOR && !is_accused(in->r, &in->office->departments[i]))
			return &in->office->departments[i];
	return accused;
}

static void pass_over_accused(struct deciding *in)
{
	const struct department *dept = in->d->dept, *instead;

	if (!is_accused(in->r, dept))
		return;
	instead = instead_of(in, dept);
	if (instead == dept)
		return;
	in->d->dept = instead;
	in->d->why = instead == dept->superior
		? arena_printf(in->arena, _("%s; the complaint is about %s, so its superior %s leads"), in->d->why, dept->id,
			       instead->id)
		: arena_printf(in->arena, _("%s; the complaint is about %s, so %s leads"), in->d->why, dept->id, instead->id);
}

/* Whom a complaint is about is not told of it as a helper or by a copy either. */
static bool may_hear(const struct deciding *in, const struct department *dept)
{
	return dept != in->d->dept && !is_accused(in->r, dept);
}

static void choose_supports(struct deciding *in)
{
	const struct then *then = in->d->rule ? &in->d->rule->then : NULL;
	const struct department **supports;

	if (!then || !then->n_supports)
		return;
	supports = arena_alloc(in->arena, then->n_supports * sizeof(*supports));
	for (size_t i = 0; i < then->n_supports; i++)
		if (may_hear(in, then->supports[i]))
			supports[in->d->n_supports++] = then->supports[i];
	in->d->supports = supports;
}

static void choose_copies(struct deciding *in)
{
	const struct office *office = in->office;
	bool *told;

	if (!office->n_copies)
		return;
	told = arena_alloc(in->arena, office->n_departments * sizeof(*told));
	in->d->copies = arena_alloc(in->arena, office->n_departments * sizeof(*in->d->copies));
	for (size_t i = next_candidate(in, office->n_rules); i < in->candidates->n; i = next_candidate(in, i + 1)) {
		const struct copy_rule *copy = &office->copies[i - office->n_rules];

		if (when_failed(&in->sight, &office->index->whens[i], NULL))
			continue;
		for (size_t k = 0; k < copy->n_to; k++)
			told[copy->to[k] - office->departments] = may_hear(in, copy->to[k]);
	}
	for (size_t i = 0; i < office->n_departments; i++)
		if (told[i])
			in->d->copies[in->d->n_copies++] = &office->departments[i];
}

void route(const struct office *office, const struct report *r, struct arena *a, unsigned want,
	   struct decision *ret)
{
	struct deciding in = {.office = office, .r = r, .arena = a, .d = ret};

	*ret = (struct decision){.source = ROUTE_FALLBACK};
	sight_init(&in.sight, r, office->index->words, office->index->limits, a);
	in.candidates = &office->index->candidates;
	in.set = arena_alloc(a, in.candidates->size * sizeof(*in.set));
	candidates_find(in.candidates, in.sight.found, in.set);
	choose(&in);
	choose_manner(&in);
	pass_over_accused(&in);
	choose_supports(&in);
	choose_copies(&in);
	if (want & ROUTE_NEAR)
		find_near(&in);
	if (want & ROUTE_ALSO)
		find_also(&in);
}

const char *route_failed_field(const struct office *office, const struct when *when,
			       const struct report *r, struct arena *a)
{
	struct sight sight;

	sight_init(&sight, r, office->index->words, office->index->limits, a);
	for (size_t i = 0; i < office->index->n_whens; i++)
		if (office->index->whens[i].when == when)
			return when_failed(&sight, &office->index->whens[i], NULL);
	return "when";  /* no rule or copy of this office */
}
