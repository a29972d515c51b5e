/*
 * A list of hot words and hot places, and of what is talked about but hardly reported a proposal each: a message of our own by the
 * channel that the office names, as any report, so that it is routed, has limits and a history like the rest. A subject is
 * proposed once: it is written down in the transaction of the list, and its message has an id of its own.
 */
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "core/office.h"
#include "core/time/moment.h"
#include "intake/hotlist.h"
#include "store/bulletin.h"
#include "store/hotwords.h"
#include "store/outbox.h"

#define DAY_US INT64_C(86400000000)
enum { HOT_COLUMNS = 8 };

struct reading {
	struct hotwords *words;
	bool before;
};

static bool read_one(void *arg, const struct heard_text *t)
{
	struct reading *r = arg;

	hotwords_add(r->words, t->text, t->grid, r->before ? (t->talk ? HOT_TALK_BEFORE : HOT_REPORT_BEFORE) : t->talk ? HOT_TALK : HOT_REPORT);
	return !hotwords_stopped(r->words);
}

static const char *number_text(struct arena *a, int64_t n)
{
	return arena_printf(a, "%lld", (long long)n);
}

static void add_rows(struct list_rows *rows, const char *kind, const struct hot_row *from, size_t n, struct arena *a)
{
	for (size_t i = 0; i < n; i++) {
		const struct hot_row *r = &from[i];
		const char **cells = arena_alloc(a, HOT_COLUMNS * sizeof(*cells));

		cells[0] = kind;
		cells[1] = r->text;
		cells[2] = number_text(a, r->n[HOT_REPORT] + r->n[HOT_TALK]);
		cells[3] = number_text(a, r->n[HOT_REPORT]);
		cells[4] = number_text(a, r->n[HOT_TALK]);
		cells[5] = number_text(a, r->n[HOT_REPORT_BEFORE] + r->n[HOT_TALK_BEFORE]);
		cells[6] = r->rise > 0 ? arena_printf(a, "%.1f", r->rise) : NULL;
		cells[7] = r->also;
		rows->rows[rows->n++] = cells;
	}
}

static void as_rows(const struct hot_result *found, struct list_rows *rows, struct arena *a)
{
	size_t n = found->n_subjects + found->n_rising + found->n_places + found->n_words;

	*rows = (struct list_rows){.rows = arena_alloc(a, (n + 1) * sizeof(*rows->rows)), .columns = HOT_COLUMNS};
	add_rows(rows, "议论多反映少", found->subjects, found->n_subjects, a);
	add_rows(rows, "上升", found->rising, found->n_rising, a);
	add_rows(rows, "热点网格", found->places, found->n_places, a);
	add_rows(rows, "高频", found->words, found->n_words, a);
}

/* ---- proposals -------------------------------------------------------------------------------- */
static uint32_t short_hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

static bool is_known(const char *word, const char *const *known, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(word, known[i]) || strstr(known[i], word))
			return true;
	return false;
}

static const char *proposal(const struct occurrence *o, const struct hot_row *row, struct arena *a)
{
	const struct hotword_rules *hot = &o->office->statistics.hot;
	CLEANUP(str_done) struct str t = {0};
	struct civil day = moment_civil(o->at);
	char at[MOMENT_TEXT];

	str_addf(&t, "{\"v\":1,\"id\":\"hot-%08x-%04d%02d%02d\",\"kind\":\"report\",\"time\":\"%s\",\"text\":", short_hash(row->text),
		 day.year, day.month, day.day, moment_rfc3339(o->at, at));
	str_json(&t, arena_printf(a, "群众热议“%s”：群聊 %lld 条，反映 %lld 件，是平时的 %.0f 倍，建议立项", row->text, (long long)row->n[HOT_TALK],
				  (long long)row->n[HOT_REPORT], row->rise));
	if (hot->category) {
		str_add(&t, ",\"category\":");
		str_json(&t, hot->category);
	}
	str_add(&t, ",\"hotword\":");
	str_json(&t, row->text);
	str_addf(&t, ",\"talk\":%lld,\"reported\":%lld}", (long long)row->n[HOT_TALK], (long long)row->n[HOT_REPORT]);
	return arena_strdup(a, t.s);
}

static int propose(struct pg *pg, const struct occurrence *o, const struct hot_result *found, struct handoff *h, struct err *e)
{
	const struct office *office = o->office;
	const struct hotword_rules *hot = &office->statistics.hot;
	const char *number = arena_printf(&h->arena, "hot-%08x-%lld", short_hash(o->name), (long long)(o->at / 60000000));
	struct outbox_rows rows = {.v = arena_alloc(&h->arena, (found->n_subjects + 1) * sizeof(*rows.v))};
	const char *const *known;
	size_t n_known;
	int r = subjects_known(pg, office->tenant, o->at - hot->again_days * DAY_US, &h->arena, &known, &n_known, e);

	for (size_t i = 0; r == 0 && i < found->n_subjects; i++) {
		if (is_known(found->subjects[i].text, known, n_known))
			continue;
		rows.v[rows.n] = (struct outbox_row){
			.number = number, .target = "in/visit", .seq = (int)rows.n + 1,
			.topic = arena_printf(&h->arena, "needle/%s/in/%s/hotwords", office->tenant, hot->channel->id),
			.payload = proposal(o, &found->subjects[i], &h->arena)};
		rows.n++;
		r = subject_put(pg, office->tenant, found->subjects[i].text, o->at, e);
	}
	if (r == 0 && rows.n)
		r = visits_put(pg, office->tenant, &rows, e);
	h->rows = rows.v;
	h->n_rows = r == 0 ? rows.n : 0;
	return r;
}

/* Of a time: `what` is its class. */
static int read_texts(struct pg *pg, const struct office *office, struct stretch s, bool before, struct hotwords *words, struct err *e)
{
	const struct channel *own = office->statistics.hot.channel;
	struct reading reading = {.words = words, .before = before};

	return hot_texts(pg, office->tenant, own ? own->id : NULL, s.from, s.to, read_one, &reading, e);
}

int hotlist_find(struct pg *pg, const struct office *office, struct stretch s, const _Atomic bool *stop, struct arena *a, struct hot_result *ret,
		 struct err *e)
{
	const struct hotword_rules *hot = &office->statistics.hot;
	struct hotwords *words = hotwords_new(stop);
	int r = read_texts(pg, office, (struct stretch){s.from - hot->before_days * DAY_US, s.from}, true, words, e);

	if (r == 0)
		r = read_texts(pg, office, s, false, words, e);
	if (r == 0)
		hotwords_find(words, &hot->find, a, ret);
	hotwords_free(words);
	return r;
}

int hotlist_rows(struct pg *pg, const struct occurrence *o, struct handoff *h, struct list_rows *rows, struct err *e)
{
	as_rows(o->hot, rows, &h->arena);
	return o->office->statistics.hot.channel ? propose(pg, o, o->hot, h, e) : 0;
}
