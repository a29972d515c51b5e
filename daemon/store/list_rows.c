/*
 * The columns of lists as offices print them, and the figures of the wall. The headings are what people read in
 * print-outs, in the office's language whatever the daemon's is. A sealed case shows its category and no more: its title
 * is its category from the start.
 */
#include "base/err.h"
#include "base/mem.h"
#include "core/time/moment.h"
#include "store/bulletin.h"

#define DAY(x) "to_char(" x " AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI')"
#define NUMBER "row_number() OVER (ORDER BY "
/*
 * What is open or ended is looked up case by case: the first from its number on, so that no other order than that of the
 * numbers will do, whatever was believed of the tables when this was planned.
 */
#define CASE_OF(n)                                                                                            \
	" JOIN LATERAL (SELECT * FROM cases x WHERE x.tenant = $1::text AND x.number >= " n                       \
	" ORDER BY x.number LIMIT 1) c ON c.number = " n
#define OPEN_FROM " FROM queue q" CASE_OF("q.number") " WHERE q.tenant = $1::text AND q.role <> 'support' AND "
#define OPEN_BODY "::text, c.number, c.title, c.category, c.place, c.lead, " DAY("c.received_at") ", " DAY("c.due_resolve")         \
	", CASE WHEN c.due_resolve < $3::timestamptz THEN round(extract(epoch FROM $3::timestamptz - c.due_resolve) / 3600)::text END," \
	" c.level::text, c.state"
#define OPEN_BARE "::text, c.number, c.category, c.lead, " DAY("c.received_at") ", " DAY("c.due_resolve") ", c.state"
#define OPEN_LIST(name, body, where)                                                                          \
	{name, "SELECT " NUMBER "c.due_resolve, c.number)" body OPEN_FROM where                                  \
	       " AND ($2::timestamptz IS NULL OR true) AND ($4::timestamptz IS NULL OR true) AND ($5::text IS NULL OR true)" \
	       " ORDER BY c.due_resolve, c.number"}
#define CLOSED_FROM                                                                                           \
	" FROM (SELECT DISTINCT ON (number) number, at FROM history WHERE tenant = $1::text AND kind = 'closed'"  \
	" AND at >= $2::timestamptz AND at < $3::timestamptz ORDER BY number, at DESC) h"                         \
	CASE_OF("h.number") " WHERE c.state = 'closed'"                   \
	" AND ($4::timestamptz IS NULL OR true) AND ($5::text IS NULL OR true) ORDER BY c.closed_at, c.number"
#define RECEIVED_FROM                                                                                         \
	" FROM cases c WHERE c.tenant = $1::text AND c.received_at >= $2::timestamptz AND c.received_at < $3::timestamptz" \
	" AND ($4::timestamptz IS NULL OR true) AND ($5::text IS NULL OR true) ORDER BY c.received_at, c.number"

static const char *const open_headings[] = {"序号", "工单编号", "事项", "类别", "地点", "承办单位", "受理时间", "办结时限",
					    "超期小时", "级别", "状态"};
static const char *const bare_headings[] = {"序号", "工单编号", "类别", "承办单位", "受理时间", "办结时限", "状态"};
static const char *const closed_headings[] = {"序号", "工单编号", "事项", "类别", "地点", "承办单位", "受理时间", "办结时间",
					      "销号时间", "评价", "办理次数"};
static const char *const closed_bare_headings[] = {"序号", "工单编号", "类别", "承办单位", "受理时间", "销号时间", "评价"};
static const char *const bulletin_headings[] = {"承办单位", "派遣案件总数", "按时办结数", "超时办结数", "未办结数", "结案率",
						"按时结案率", "不满意数", "不满意率"};
static const char *const project_headings[] = {"序号", "工单编号", "项目名称", "承办单位", "完成时限", "预期效果", "预算", "支出", "状态", "评价", "完成时间", "阶段"};
static const char *const hotword_headings[] = {"类型", "词语或网格", "本期", "反映", "群聊", "前期", "倍数", "又作"};
static const char *const inspection_headings[] = {"检查", "级别", "社区", "应检", "已检", "检查率", "发现问题"};

#define SHARE(a, b) "coalesce(round(100.0 * (" a ") / nullif(" b ", 0), 2)::text || '%', '-')"
static const struct query bulletin_rows = {
	"list_bulletin",
	"SELECT coalesce(d, '合计'), n::text, good::text, (done - good)::text, (n - done)::text, " SHARE("done", "n") ", "
	SHARE("good", "n") ", bad::text, " SHARE("bad", "n")
	" FROM (SELECT lead AS d, count(*) AS n, count(*) FILTER (WHERE facts & 16 <> 0) AS done,"
	" count(*) FILTER (WHERE facts & 16 <> 0 AND facts & 32 <> 0 AND facts & (1::int8 << 25) = 0) AS good,"
	" count(*) FILTER (WHERE facts & (1::int8 << 36) <> 0) AS bad FROM case_fact WHERE tenant = $1::text"
	" AND received_at >= $2::timestamptz AND received_at < $3::timestamptz AND facts & (3 << 14) = 0"
	" AND ($4::timestamptz IS NULL OR true) AND ($5::text IS NULL OR true)"
	" GROUP BY ROLLUP (lead)) x ORDER BY x.d IS NULL, n DESC, d"};
/* Who should be visited is known by the visits themselves: one case each. */
static const struct query inspection_rows = {
	"list_inspections",
	"SELECT coalesce(inspection, '合计'), grade, community, count(*)::text, count(resolved_at)::text, "
	SHARE("count(resolved_at)", "count(*)") ", sum(findings)::text FROM v_inspection WHERE tenant = $1::text"
	" AND received_at >= $2::timestamptz AND received_at < $3::timestamptz"
	" AND ($4::timestamptz IS NULL OR true) AND ($5::text IS NULL OR inspection = $5::text)"
	" GROUP BY GROUPING SETS ((inspection, grade, community), ()) HAVING count(*) > 0"
	" ORDER BY inspection, grade, community"};

/* What is known of a project: what it should bring, its plan, cost and what it has cost by now; then the whole, and the pools that it came from.
 * A sealed one is none of anybody's business. */
static const struct query project_rows = {
	"list_projects",
	"WITH p AS (SELECT v.*, (SELECT string_agg(coalesce(s.stage, '-') || coalesce('：计划 ' || s.planned, '') || coalesce('，完成 ' || s.done, '，未完成')"
	" || coalesce('，' || s.effect, ''), '；' ORDER BY s.place) FROM v_stage s WHERE s.tenant = v.tenant AND s.number = v.number) AS plan FROM v_project v"
	" WHERE v.tenant = $1::text AND v.channel = $5::text AND v.received_at >= $2::timestamptz AND v.received_at < $3::timestamptz"
	" AND ($4::timestamptz IS NULL OR true)), rows AS ("
	"SELECT 1 AS part, row_number() OVER (ORDER BY received_at, number) AS n, row_number() OVER (ORDER BY received_at, number)::text AS no, number, title, lead,"
	" " DAY("due_resolve") " AS due, effect, budget::text, spent::text, state, rated, " DAY("resolved_at") " AS done, plan FROM p"
	" UNION ALL SELECT 2, 0, '合计', NULL, count(*)::text, NULL, NULL, NULL, sum(budget)::text, sum(spent)::text, NULL, NULL, NULL, NULL FROM p"
	" UNION ALL SELECT 3, o.place, '资金', NULL, o.name, NULL, " DAY("(o.until - interval '1 minute')") ", '结余 ' || o.remaining || ' ' || o.unit, o.amount::text, o.spent::text,"
	" NULL, NULL, NULL, NULL FROM v_pool o WHERE o.tenant = $1::text AND (o.name IN (SELECT pool FROM p) OR o.name IN"
	" (SELECT d.pool FROM spending d JOIN p ON p.number = d.number WHERE d.tenant = $1::text)))"
	" SELECT no, number, title, lead, due, effect, budget, spent, state, rated, done, plan FROM rows ORDER BY part, n"};

static const struct list {
	struct query whole, bare;
	const char *const *headings, *const *bare_headings;
	size_t columns, bare_columns;
} lists[N_PERIOD_CONTENT] = {
#define OPEN(name, where)                                                                                     \
	{OPEN_LIST("list_" name, OPEN_BODY, where), OPEN_LIST("bare_" name, OPEN_BARE, where), open_headings,        \
	 bare_headings, 11, 7}
	[CONTENT_OVERDUE] = OPEN("overdue", "c.due_resolve < $3::timestamptz"),
	[CONTENT_OPEN] = OPEN("open", "true"),
	[CONTENT_DUE] = OPEN("due", "c.due_resolve >= $3::timestamptz AND c.due_resolve < $4::timestamptz"),
	[CONTENT_AGAIN] = OPEN("again", "c.leg > 1"),
	[CONTENT_SUPERVISED] = OPEN("supervised", "c.facts & (1::int8 << 27) <> 0"),
	[CONTENT_RECEIVED] = {{"list_received", "SELECT " NUMBER "c.received_at, c.number)" OPEN_BODY RECEIVED_FROM},
			      {"bare_received", "SELECT " NUMBER "c.received_at, c.number)" OPEN_BARE RECEIVED_FROM},
			      open_headings, bare_headings, 11, 7},
	[CONTENT_CLOSED] = {{"list_closed", "SELECT " NUMBER "c.closed_at, c.number)::text, c.number, c.title, c.category, c.place,"
					    " c.lead, " DAY("c.received_at") ", " DAY("c.resolved_at") ", " DAY("c.closed_at")
					    ", c.rated, c.leg::text" CLOSED_FROM},
			    {"bare_closed", "SELECT " NUMBER "c.closed_at, c.number)::text, c.number, c.category, c.lead, "
					    DAY("c.received_at") ", " DAY("c.closed_at") ", c.rated" CLOSED_FROM},
			    closed_headings, closed_bare_headings, 11, 7},
	[CONTENT_BULLETIN] = {{"", ""}, {"", ""}, bulletin_headings, bulletin_headings, 9, 9},
	[CONTENT_INSPECTIONS] = {{"", ""}, {"", ""}, inspection_headings, inspection_headings, 7, 7},
	[CONTENT_PROJECTS] = {{"", ""}, {"", ""}, project_headings, project_headings, 12, 12},
	[CONTENT_HOTWORDS] = {{"", ""}, {"", ""}, hotword_headings, hotword_headings, 8, 8},
};

const char *const *list_headings(enum period_content content, bool everybody, size_t *ret_columns)
{
	*ret_columns = everybody ? lists[content].bare_columns : lists[content].columns;
	return everybody ? lists[content].bare_headings : lists[content].headings;
}

static const struct query *query_of(const struct list_query *q)
{
	if (q->content == CONTENT_BULLETIN)
		return &bulletin_rows;
	if (q->content == CONTENT_INSPECTIONS)
		return &inspection_rows;
	if (q->content == CONTENT_PROJECTS)
		return &project_rows;
	return q->everybody ? &lists[q->content].bare : &lists[q->content].whole;
}

static void copy_rows(const struct pg_rows *rows, struct arena *a, struct list_rows *ret)
{
	ret->rows = arena_alloc(a, ((size_t)rows->n + 1) * sizeof(*ret->rows));
	ret->n = (size_t)rows->n;
	for (int i = 0; i < rows->n; i++) {
		ret->rows[i] = arena_alloc(a, ret->columns * sizeof(**ret->rows));
		for (size_t k = 0; k < ret->columns; k++) {
			const char *s = pg_get(rows, i, (int)k);

			ret->rows[i][k] = s ? arena_strdup(a, s) : NULL;
		}
	}
}

int list_load(struct pg *pg, const struct list_query *q, struct arena *a, struct list_rows *ret, struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r;

	list_headings(q->content, q->everybody, &ret->columns);
	ret->n = 0;
	if (q->content == CONTENT_RATES || q->content == CONTENT_HOTWORDS)
		return 0;       /* made elsewhere */
	pg_text(&args, q->tenant);
	pg_time(&args, q->since);
	pg_time(&args, q->at);
	pg_time(&args, q->until);
	pg_text(&args, q->only);
	r = pg_run(pg, query_of(q), &args, &rows, e);
	if (r < 0)
		return r;
	copy_rows(&rows, a, ret);
	pg_rows_done(&rows);
	return 0;
}

/* ---- the wall --------------------------------------------------------------------------------- */
static const struct query today = {
	"wall_today",
	"SELECT (SELECT count(*) FROM cases WHERE tenant = $1::text AND received_at >= $2::timestamptz),"
	" (SELECT count(DISTINCT number) FROM history WHERE tenant = $1::text AND kind = 'closed' AND at >= $2::timestamptz),"
	" (SELECT count(DISTINCT number) FROM history WHERE tenant = $1::text AND kind = 'resolved' AND at >= $2::timestamptz)"};
static const struct query categories = {
	"wall_categories", "SELECT u.i, (SELECT c.category FROM cases c WHERE c.tenant = $1::text AND c.number = u.number)"
			   " FROM unnest($2::text[], $2::text[]) WITH ORDINALITY u(number, same, i)"};

int wall_today(struct pg *pg, const char *tenant, int64_t day, struct wall_figures *ret, struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r;

	pg_text(&args, tenant);
	pg_time(&args, day);
	r = pg_run(pg, &today, &args, &rows, e);
	if (r < 0)
		return r;
	ret->received_today = pg_get_int(&rows, 0, 0);
	ret->closed_today = pg_get_int(&rows, 0, 1);
	ret->resolved_today = pg_get_int(&rows, 0, 2);
	pg_rows_done(&rows);
	return 0;
}

int wall_categories(struct pg *pg, const char *tenant, const char *const *numbers, size_t n, struct arena *a, const char **ret,
		    struct err *e)
{
	struct pg_args args = {0};
	struct pg_rows rows = {0};
	int r;

	pg_text(&args, tenant);
	pg_texts(&args, numbers, n);
	r = pg_run(pg, &categories, &args, &rows, e);
	if (r < 0)
		return r;
	for (int i = 0; i < rows.n; i++) {
		const char *category = pg_get(&rows, i, 1);

		ret[pg_get_int(&rows, i, 0) - 1] = category ? arena_strdup(a, category) : NULL;
	}
	pg_rows_done(&rows);
	return 0;
}
