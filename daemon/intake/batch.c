#include "intake/batch.h"

#include <string.h>

#include "base/counter.h"
#include "base/log.h"
#include "base/str.h"
#include "core/life/event.h"

static void add_unit(struct batch *b, const struct inbox_record *rec, struct understood *u)
{
	if (b->n_units == b->cap_units) {
		size_t cap = b->cap_units ? 2 * b->cap_units : 4;
		struct unit *more = arena_alloc(b->a, cap * sizeof(*more));

		if (b->n_units)
			memcpy(more, b->units, b->n_units * sizeof(*more));
		b->units = more;
		b->cap_units = cap;
	}
	b->units[b->n_units++] = (struct unit){.rec = rec, .channel = u->channel, .dept = u->dept,
					       .source = u->source, .readable_id = u->readable_id,
					       .command = u->dept ? &u->command : NULL};
}

static void understand_one(struct batch *b, decoder_lookup *decoders, void *arg, const struct inbox_record *rec)
{
	struct understood *u = arena_alloc(b->a, sizeof(*u));
	struct message m = {.topic = rec->topic, .payload = rec->payload, .payload_len = rec->payload_len,
			    .received_at = rec->received_at, .response_topic = rec->response_topic,
			    .correlation = rec->correlation, .correlation_len = rec->correlation_len};
	struct err why = {0};

	ALIST_PUSH(b->a, &b->understood, u);
	if (understand(b->office, decoders, arg, &m, b->a, u, &why) < 0) {
		add_unit(b, rec, u);
		b->units[b->n_units - 1].kind = UNIT_DEAD;
		b->units[b->n_units - 1].why = why;
		return;
	}
	if (u->kind == MESSAGE_COMMAND) {
		add_unit(b, rec, u);
		b->units[b->n_units - 1].kind = UNIT_COMMAND;
		return;
	}
	if (!u->n_reports) {
		add_unit(b, rec, u);
		b->units[b->n_units - 1].kind = UNIT_NOTHING;
	}
	for (size_t i = 0; i < u->n_reports; i++) {
		add_unit(b, rec, u);
		b->units[b->n_units - 1].kind = UNIT_REPORT;
		b->units[b->n_units - 1].report = &u->reports[i];
		b->units[b->n_units - 1].readable_id = u->reports[i].id;
		b->units[b->n_units - 1].is_reading = unit_is_reading(b->office, &u->reports[i]);
	}
}

void batch_understand(struct batch *b, decoder_lookup *decoders, void *arg, const struct inbox_record *records,
		      size_t n)
{
	for (size_t i = 0; i < n; i++)
		understand_one(b, decoders, arg, &records[i]);
	count_add(COUNT_MESSAGES_RECEIVED, (int64_t)n);
}

void unit_forget(struct unit *u)
{
	*u = (struct unit){.kind = u->kind, .rec = u->rec, .channel = u->channel, .dept = u->dept, .source = u->source,
			   .readable_id = u->readable_id, .report = u->kind == UNIT_DEVICE ? NULL : u->report,
			   .command = u->command, .why = u->why, .device = u->device, .is_reading = u->is_reading};
}

/* Stores a range; a range that the database calls bad is halved until the guilty unit stands alone. */
static int store_range(struct batch *b, struct pg *pg, struct numbers *numbers, size_t from, size_t n,
		       struct err *e)
{
	int r = transact(b, pg, numbers, from, n, e);

	if (r != ERR_BAD)
		return r;
	count(COUNT_BATCHES_SPLIT);
	if (n == 1) {
		struct unit *u = &b->units[from];

		if (u->kind == UNIT_DEAD)       /* even its dead letter is refused: the fault is ours */
			return ERR_SYS;
		log_warn("intake.bad_row", "the database refused a message: %s", e->text);
		u->kind = UNIT_DEAD;
		err_code(&u->why, ERR_BAD, e->code, "the database refused it (%s)", e->code);
		return store_range(b, pg, numbers, from, 1, e);
	}
	r = store_range(b, pg, numbers, from, n / 2, e);
	return r < 0 ? r : store_range(b, pg, numbers, from + n / 2, n - n / 2, e);
}

/* Who writes to a channel that is not there yet, or misspelt, is told so: R/in/X/Y is answered on R/receipt/X/Y. */
static const char *stray_receipt_topic(const struct batch *b, const struct unit *u)
{
	const char *own = arena_printf(b->a, "needle/%s/in/", b->office->tenant);
	size_t n = strlen(own);
	char *channel, *source;

	if (strncmp(u->rec->topic, own, n) != 0)
		return NULL;
	channel = arena_strdup(b->a, u->rec->topic + n);
	source = strchr(channel, '/');
	if (!source)
		return NULL;
	*source++ = '\0';
	if (!str_is_id(channel) || !str_is_id(source))
		return NULL;
	return arena_printf(b->a, "needle/%s/receipt/%s/%s", b->office->tenant, channel, source);
}

/* A response topic is used only when it is the sender's own answer topic or below it. */
static const char *answer_topic(const struct batch *b, const struct unit *u)
{
	const char *own, *wish = u->rec->response_topic;
	size_t n;

	if (u->channel)
		own = arena_printf(b->a, "needle/%s/receipt/%s/%s", b->office->tenant, u->channel->id, u->source);
	else if (u->dept)
		own = topic_dept(b->office, u->dept->id, "result", NULL, b->a);
	else
		own = stray_receipt_topic(b, u);
	if (!own || !wish)
		return own;
	n = strlen(own);
	if (strncmp(wish, own, n) == 0 && (wish[n] == '\0' || wish[n] == '/') && !strpbrk(wish, "+#") &&
	    strlen(wish) < 512)
		return wish;
	count(COUNT_RESPONSE_TOPICS_IGNORED);
	return own;
}

static void add_answers(struct batch *b)
{
	for (size_t i = 0; i < b->n_units; i++) {
		const struct unit *u = &b->units[i];
		const char *topic = answer_topic(b, u);

		if (topic)
			ALIST_PUSH(b->a, &b->answers, (struct answer){topic, u->answer, u->rec->correlation,
								      u->rec->correlation_len});
	}
}

int batch_store(struct batch *b, struct pg *pg, struct numbers *numbers, struct err *e)
{
	size_t from = 0;
	int r;

	/* Parts that a former try committed have their answers and are not stored again. */
	while (from < b->n_units && b->units[from].answer)
		from++;
	if (from < b->n_units) {
		r = store_range(b, pg, numbers, from, b->n_units - from, e);
		if (r < 0)
			return r;
	}
	add_answers(b);
	b->handoff->rows = b->rows.v;
	b->handoff->n_rows = b->rows.n;
	b->handoff->answers = b->answers.v;
	b->handoff->n_answers = b->answers.n;
	return 0;
}

void batch_done(struct batch *b)
{
	for (size_t i = 0; i < b->understood.n; i++)
		understood_done(b->understood.v[i]);
}
