/*
 * Which reports are new, and what is known of those that are not: the unique key decides, so that two
 * daemons cannot both make a case of one id.
 */
#include <jansson.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "core/life/event.h"
#include "core/understand/text.h"
#include "intake/transact_parts.h"

/* ---- the claim -------------------------------------------------------------------------------- */
/* Marks of odd things stay with the case, beside the unknown members. */
static json_t *masked(struct arena *a, const struct report *r, json_t *value);

static json_t *masked_object(struct arena *a, const struct report *r, json_t *object, bool top)
{
	json_t *copy = json_object(), *one;
	const char *key;

	json_object_foreach(object, key, one)
		if (!top || strcmp(key, "reporter") != 0)
			json_object_set_new(copy, text_mask_sure(a, key, r->name), masked(a, r, one));
	return copy;
}

static json_t *masked_array(struct arena *a, const struct report *r, json_t *array)
{
	json_t *copy = json_array();

	for (size_t i = 0; i < json_array_size(array); i++)
		json_array_append_new(copy, masked(a, r, json_array_get(array, i)));
	return copy;
}

static json_t *masked_integer(struct arena *a, json_t *value)
{
	const char *digits = given_json(value, a), *shown = text_mask_sure(a, digits, NULL);

	return strcmp(digits, shown) == 0 ? json_incref(value) : json_string(shown);
}

/* Names, phones and ids masked wherever they stand; a number that is one becomes a text with stars. */
static json_t *masked(struct arena *a, const struct report *r, json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return masked_object(a, r, value, false);
	case JSON_ARRAY:
		return masked_array(a, r, value);
	case JSON_STRING:
		return json_string(text_mask_sure(a, json_string_value(value), r->name));
	case JSON_INTEGER:
		return masked_integer(a, value);
	case JSON_REAL:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		break;
	}
	return json_incref(value);
}

static const char *extra_json(struct arena *a, const struct report *r, const char **ret_shown)
{
	static const char *const words[] = {"time-future", "time-old", "time-bad", "grid-unknown", "phone-odd",
					    "category-unknown", "urgency-unknown"};
	json_t *extra, *marks, *shown;
	const char *text;

	*ret_shown = NULL;
	if (!r->marks && !r->extra)
		return NULL;
	extra = r->extra ? json_copy(r->extra) : json_object();
	marks = json_array();
	for (unsigned i = 0; r->marks && i < sizeof(words) / sizeof(words[0]); i++)
		if (r->marks & (1u << i))
			json_array_append_new(marks, json_string(words[i]));
	if (r->marks)
		json_object_set(extra, "marks", marks);
	json_decref(marks);
	text = given_json(extra, a);
	shown = masked_object(a, r, extra, true);
	*ret_shown = given_json(shown, a);
	json_decref(shown);
	json_decref(extra);
	return text;
}

struct report_row *transaction_report_row(struct transaction *t, const struct unit *u)
{
	const struct report *r = u->report;
	struct report_row *row = arena_alloc(t->b->a, sizeof(*row));

	*row = (struct report_row){
		.channel = r->channel->id, .id = r->id, .number = u->is_reading || u->kind == UNIT_DEVICE ? u->belongs : u->number,
		/* Until it is known what comes of it, a reading is no report of its own. */
		.kind = (u->is_reading || u->kind == UNIT_DEVICE) && !u->opened ? REPORT_SUPPLEMENT : r->kind, .source = r->source,
		.at = r->time, .received_at = r->received_at, .text = r->text, .category = r->category,
		.grid = r->grid, .urgency = r->urgency < 0 ? NULL : urgency_names[r->urgency], .device = r->device,
		.media = given_json(r->media, t->b->a), .reply_to = given_json(r->reply_to, t->b->a)};
	row->extra = extra_json(t->b->a, r, &row->shown);
	memcpy(row->digest, r->digest, sizeof(row->digest));
	return row;
}

static int by_channel_and_id(const void *left, const void *right)
{
	const struct report_row *a = (*(struct unit *const *)left)->row, *b = (*(struct unit *const *)right)->row;
	int r = strcmp(a->channel, b->channel);

	return r ? r : strcmp(a->id, b->id);
}

int transaction_claim(struct transaction *t, struct err *e)
{
	struct unit **sorted = arena_alloc(t->b->a, t->n * sizeof(struct unit *));
	struct pg_rows claimed;
	struct same_search same;
	bool *is_new;
	size_t n = 0;
	int r;

	for (size_t i = 0; i < t->n; i++) {
		struct unit *u = &t->units[i];

		u->fresh = u->opened = false;
		u->belongs = NULL;
		u->row = u->kind == UNIT_REPORT && !u->twin && transaction_claims(u) ? transaction_report_row(t, u) : NULL;
		if (u->is_reading && !u->twin && !u->row)
			u->fresh = true;
		if (u->row)
			sorted[n++] = u;
	}
	/* One order of locking for every daemon: no deadlock on the unique key. */
	qsort(sorted, n, sizeof(*sorted), by_channel_and_id);
	for (size_t i = 0; i < n; i++)
		save_row(&t->save, SAVE_REPORT, sorted[i]->row);
	is_new = arena_alloc(t->b->a, n * sizeof(*is_new));
	save_claim_pipe(t->pg, &t->save, &claimed);
	transaction_ask_same(t, &same);
	r = save_claim_end(t->pg, &t->save, &claimed, is_new, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		sorted[i]->fresh = is_new[i];
	transaction_find_same(t, &same);
	return 0;
}

/* ---- what is known already -------------------------------------------------------------------- */
/* What an earlier batch stored is the first of its id: each of its repetitions is compared with that. */
static void part_twins(struct transaction *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct unit *u = &t->units[i];

		if (u->kind != UNIT_REPORT || !u->twin || u->twin->fresh)
			continue;
		u->twin = NULL;
		u->row = transaction_report_row(t, u);
	}
}

int transaction_look_up_known(struct transaction *t, struct err *e)
{
	const struct report_row **rows = arena_alloc(t->b->a, t->n * sizeof(*rows));
	struct known_report *known = arena_alloc(t->b->a, t->n * sizeof(*known));
	struct unit **who = arena_alloc(t->b->a, t->n * sizeof(struct unit *));
	size_t n = 0;
	int r;

	part_twins(t);
	for (size_t i = 0; i < t->n; i++)
		if (t->units[i].row && !t->units[i].fresh) {
			who[n] = &t->units[i];
			rows[n++] = t->units[i].row;
		}
	r = n ? lookup_reports(t->pg, transaction_tenant(t), rows, n, t->b->a, known, e) : 0;
	for (size_t i = 0; r == 0 && i < n; i++) {
		who[i]->known = known[i];
		who[i]->number = known[i].number;
	}
	return r;
}

int transaction_look_up_commands(struct transaction *t, struct err *e)
{
	const char **depts = arena_alloc(t->b->a, t->n * sizeof(*depts));
	const char **requests = arena_alloc(t->b->a, t->n * sizeof(*requests));
	const char **results = arena_alloc(t->b->a, t->n * sizeof(*results));
	const char **read = arena_alloc(t->b->a, t->n * sizeof(*read));
	struct unit **who = arena_alloc(t->b->a, t->n * sizeof(struct unit *));
	size_t n = 0;
	int r;

	for (size_t i = 0; i < t->n; i++)
		if (t->units[i].kind == UNIT_COMMAND && !t->units[i].twin) {
			who[n] = &t->units[i];
			depts[n] = t->units[i].dept->id;
			requests[n++] = t->units[i].command->request;
		}
	r = n ? lookup_commands(t->pg, transaction_tenant(t), depts, requests, n, t->b->a, results, read, e) : 0;
	for (size_t i = 0; r == 0 && i < n; i++) {
		who[i]->stored_result = results[i];
		who[i]->stored_read = read[i];
	}
	return r;
}
