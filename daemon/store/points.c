#include "store/points.h"

#include <string.h>

#include "base/mem.h"
#include "core/office.h"
#include "core/statistics/points.h"
#include "store/pg.h"
#include "store/save.h"

/* Whom the case complains for in secret earns nothing: an account would name them. */
static const struct query put = {
	"points_put",
	"INSERT INTO point (tenant, account, amount, at, rule, number, seq, review) SELECT $1::text, x.account, x.amount, x.at, x.rule,"
	" x.number, x.seq, x.review FROM (SELECT coalesce(u.account, CASE u.who WHEN 'reporter' THEN (SELECT 'reporter/' || p.ref FROM person p"
	" WHERE p.tenant = c.tenant AND p.channel = c.channel AND p.id = c.report AND NOT p.secret)"
	" ELSE 'officer/' || c.lead || '/' || c.officer END) AS account, u.amount, u.at, u.rule, u.number, u.seq::int4 AS seq, u.review"
	" FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int8[], $8::timestamptz[], $9::int8[])"
	" u(number, account, who, rule, review, seq, at, amount) JOIN cases c ON c.tenant = $1::text AND c.number = u.number) x"
	" WHERE x.account IS NOT NULL ON CONFLICT DO NOTHING"};

static int64_t with_score(int64_t facts, const char *score)
{
	static const struct {
		const char *score;
		enum fact fact;
	} scores[] = {{"satisfied", FACT_SATISFIED}, {"basically", FACT_BASICALLY}, {"dissatisfied", FACT_DISSATISFIED}};

	for (size_t i = 0; score && i < 3; i++)
		if (strcmp(score, scores[i].score) == 0)
			facts |= FACT_BIT(FACT_RATED) | FACT_BIT(FACT_FED_BACK) | FACT_BIT(scores[i].fact);
	return facts;
}

void points_save(struct save *s, const struct case_change *change, int64_t facts)
{
	const struct step_trace trace = {change->history.v, change->history.n, change->legs.v, change->legs.n};
	size_t most = s->office->statistics.n_point_rules;

	if (!most)
		return;
	facts = with_score(facts, facts_score(&trace));
	for (size_t i = 0; i < change->history.n; i++) {
		struct point_row *rows = arena_alloc(s->a, most * sizeof(*rows));
		size_t n = points_of(s->office, change->c, facts, &change->history.v[i], s->a, rows);

		for (size_t k = 0; k < n; k++)
			save_row(s, SAVE_POINT, &rows[k]);
	}
}

void points_pipe(struct pg *pg, const struct save *s)
{
	const struct rows *rows = &s->rows[SAVE_POINT];
	const char **texts[5];
	int64_t *numbers[3];
	struct pg_args args = {0};

	if (!rows->n)
		return;
	for (int k = 0; k < 5; k++)
		texts[k] = arena_alloc(s->a, rows->n * sizeof(*texts[k]));
	for (int k = 0; k < 3; k++)
		numbers[k] = arena_alloc(s->a, rows->n * sizeof(*numbers[k]));
	for (size_t i = 0; i < rows->n; i++) {
		const struct point_row *row = rows->v[i];
		const char *const words[] = {row->number, row->account, row->who, row->rule, row->review};

		for (int k = 0; k < 5; k++)
			texts[k][i] = words[k];
		numbers[0][i] = row->seq;
		numbers[1][i] = row->at;
		numbers[2][i] = row->amount;
	}
	pg_text(&args, s->tenant);
	for (int k = 0; k < 5; k++)
		pg_texts(&args, texts[k], rows->n);
	pg_ints(&args, numbers[0], rows->n);
	pg_times(&args, numbers[1], rows->n);
	pg_ints(&args, numbers[2], rows->n);
	pg_pipe(pg, &put, &args, NULL);
}
