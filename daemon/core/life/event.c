#include "core/life/event.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/tongue.h"
#include "base/vec.h"
#include "core/time/moment.h"
#include "core/understand/text.h"

static const char *in_arena(struct str *t, struct arena *a)
{
	char *s = arena_strndup(a, t->s ? t->s : "", t->len);

	str_done(t);
	return s;
}

static void add_member(struct str *t, const char *name, const char *value)
{
	str_addf(t, ",\"%s\":", name);
	str_json(t, value);
}

static void add_time(struct str *t, const char *name, int64_t at)
{
	char text[MOMENT_TEXT];

	str_addf(t, "%s\"%s\":", t->s[t->len - 1] == '{' ? "" : ",", name);
	str_json(t, at == MOMENT_NONE ? NULL : moment_rfc3339(at, text));
}

static void add_due(struct str *t, const int64_t due[N_CLOCKS], const bool *provisional)
{
	str_add(t, ",\"due\":{");
	for (int k = 0; k < N_CLOCKS; k++)
		add_time(t, clock_names[k], due[k]);
	if (provisional)
		str_addf(t, ",\"provisional\":%s", *provisional ? "true" : "false");
	str_addc(t, '}');
}

/* A suspended case is marked with when it goes on. */
static void add_pause(struct str *t, const struct case_record *c)
{
	for (size_t i = c->errands.n; c->state == STATE_SUSPENDED && i-- > 0;)
		if (c->errands.v[i].kind == ERRAND_PAUSE && !c->errands.v[i].done) {
			add_time(t, "suspended_until", c->errands.v[i].until);
			return;
		}
}

static const char *event_place(const struct case_record *c)
{
	switch (c->visibility) {
	case VISIBLE_OPEN:
		return c->address ? c->address : c->place;
	case VISIBLE_SEALED:
		return NULL;
	case VISIBLE_MASKED:
	case N_VISIBILITY:
		break;
	}
	return c->place;
}

const char *event_json(const struct office *office, const struct case_record *c, const struct event_row *ev,
		       int64_t at, struct arena *a)
{
	struct str t = {0};

	str_addf(&t, "{\"v\":1,\"event\":\"%s-%d-%s\",\"seq\":%d,\"prev\":%d,\"kind\":\"%s\"", c->number, ev->seq,
		 ev->target, ev->seq, ev->prev, ev->kind);
	add_time(&t, "at", at);
	add_member(&t, "case", c->number);
	add_member(&t, "department", ev->target);
	add_member(&t, "role", ev->role);
	if (ev->to)
		add_member(&t, "to", ev->to);
	add_member(&t, "state", case_state_names[c->state]);
	add_member(&t, "title", c->title);
	add_member(&t, "category", c->category);
	add_member(&t, "grid", c->grid);
	add_member(&t, "place", event_place(c));
	add_member(&t, "urgency", urgency_names[c->urgency]);
	add_due(&t, c->leg.due, &c->leg.provisional);
	add_pause(&t, c);
	str_addf(&t, ",\"leg\":%d", c->leg.n);
	if (ev->level)
		str_addf(&t, ",\"level\":%d", ev->level);
	if (ev->clock)
		add_member(&t, "clock", ev->clock);
	add_member(&t, "rule", c->rule);
	add_member(&t, "config", office->hash);
	add_member(&t, "why", ev->why);
	if (ev->more)
		str_add(&t, ev->more);
	str_addc(&t, '}');
	return in_arena(&t, a);
}

/* Which link of a chain is at work, masked; NULL: the case has none, or is sealed. */
static const char *step_at_work(const struct case_record *c, struct arena *a)
{
	for (size_t i = c->errands.n; i-- > 0;)
		if (c->errands.v[i].kind == ERRAND_STEP && c->errands.v[i].done && c->errands.v[i].to)
			return c->visibility == VISIBLE_SEALED ? NULL : text_title(a, text_mask(a, c->errands.v[i].text, NULL), 40);
	return NULL;
}

const char *card_json(const struct case_record *c, const char *role, struct arena *a)
{
	const char *step = step_at_work(c, a);
	struct str t = {0};

	str_add(&t, "{\"v\":1");
	add_member(&t, "case", c->number);
	add_member(&t, "role", role);
	add_member(&t, "state", case_state_names[c->state]);
	add_member(&t, "title", c->title);
	add_member(&t, "category", c->category);
	add_member(&t, "urgency", urgency_names[c->urgency]);
	add_member(&t, "grid", c->grid);
	add_member(&t, "place", c->visibility == VISIBLE_SEALED ? NULL : c->place);
	add_due(&t, c->leg.due, &c->leg.provisional);
	str_addf(&t, ",\"level\":%d,\"leg\":%d,\"reports\":%d", c->leg.level, c->leg.n, c->reports);
	add_pause(&t, c);
	add_time(&t, "since", c->leg.started_at);
	if (step)
		add_member(&t, "step", step);
	str_addc(&t, '}');
	return in_arena(&t, a);
}

static const char *reply_template(const struct office *office, const char *kind)
{
	for (size_t i = 0; i < office->life.n_replies; i++)
		if (strcmp(office->life.replies[i].kind, kind) == 0)
			return office->life.replies[i].text[0] ? office->life.replies[i].text : NULL;
	/* A question is always answered, even where the office wrote no words for it. */
	return strcmp(kind, "status") == 0 ? "{case} {state}" : NULL;
}

static const char *word_value(const struct office *office, const struct case_record *c, const char *word, size_t len,
			      const char *answer, char text[MOMENT_TEXT])
{
	static const char *const words[] = {"case", "answer", "reason", "department", "due", "state"};
	const struct department *dept = map_get(&office->dept_by_id, c->lead);
	const char *values[] = {c->number, answer ? answer : "", answer ? answer : "", dept ? dept->name : c->lead,
				c->leg.due[CLOCK_RESOLVE] == MOMENT_NONE
					? "" : moment_human(c->leg.due[CLOCK_RESOLVE], true, text),
				_(case_state_names[c->state])};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == len && memcmp(words[i], word, len) == 0)
			return values[i];
	return NULL;
}

/* Bytes of the mark or blank at the end of a text; 0: it ends in a word. */
static size_t lead_in(const struct str *t)
{
	static const char *const marks[] = {"：", "，", "、", "；", ":", ",", ";", " "};

	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		size_t n = strlen(marks[i]);

		if (t->len >= n && memcmp(t->s + t->len - n, marks[i], n) == 0)
			return n;
	}
	return 0;
}

/* Where nothing was said, what led up to it goes too: "延期至 {due}：{reason}". */
static void add_value(struct str *out, const char *value)
{
	for (size_t n; !*value && (n = lead_in(out)) > 0; out->s[out->len] = '\0')
		out->len -= n;
	str_add(out, value);
}

static void fill_template(const struct office *office, const struct case_record *c, const char *from,
			  const char *answer, struct str *out)
{
	while (*from) {
		const char *end = *from == '{' ? strchr(from, '}') : NULL;
		char text[MOMENT_TEXT];
		const char *value = NULL;

		if (end)
			value = word_value(office, c, from + 1, (size_t)(end - from - 1), answer, text);
		if (value) {
			add_value(out, value);
			from = end + 1;
		} else {
			str_addc(out, *from++);
		}
	}
}

const char *reply_json(const struct office *office, const struct case_record *c, const char *kind,
		       const char *answer, const char *media, const char *id, struct arena *a)
{
	const char *template = reply_template(office, kind);
	struct str text = {0}, t = {0};

	if (!template)
		return NULL;
	fill_template(office, c, template, answer, &text);
	if (!text.len) {
		str_done(&text);
		return NULL;
	}
	str_add(&t, "{\"v\":1");
	add_member(&t, "id", id);
	add_member(&t, "case", c->number);
	add_member(&t, "about", c->report);
	str_addf(&t, ",\"to\":%s", c->reply_to ? c->reply_to : "null");
	add_member(&t, "kind", kind);
	add_member(&t, "text", text.s);
	if (media)
		str_addf(&t, ",\"media\":%s", media);
	str_addc(&t, '}');
	str_done(&text);
	return in_arena(&t, a);
}

const char *given_json(const json_t *value, struct arena *a)
{
	char *json = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	const char *copy = json ? arena_strdup(a, json) : NULL;

	free(json);
	return copy;
}

const char *media_json(const struct command *cmd, struct arena *a)
{
	struct str t = {0};

	if (!cmd->n_media)
		return NULL;
	for (size_t i = 0; i < cmd->n_media; i++) {
		str_add(&t, i ? ",{\"url\":" : "[{\"url\":");
		str_json(&t, cmd->media[i].url);
		if (cmd->media[i].type)
			add_member(&t, "type", cmd->media[i].type);
		if (cmd->media[i].sha256)
			add_member(&t, "sha256", cmd->media[i].sha256);
		str_addc(&t, '}');
	}
	str_addc(&t, ']');
	return in_arena(&t, a);
}

const char *topic_dept(const struct office *office, const char *dept, const char *what, const char *name,
		       struct arena *a)
{
	return arena_printf(a, "needle/%s/dept/%s/%s%s%s", office->tenant, dept, what, name ? "/" : "",
			    name ? name : "");
}

const char *topic_out(const struct office *office, const char *channel, const char *source, struct arena *a)
{
	return arena_printf(a, "needle/%s/out/%s/%s", office->tenant, channel, source);
}

const char *receipt_json(const struct receipt *r, struct arena *a)
{
	struct str t = {0};

	str_add(&t, "{\"v\":1");
	add_member(&t, "id", r->id);
	add_member(&t, "result", r->result);
	add_member(&t, "case", r->number);
	add_member(&t, "department", r->department);
	if (r->due)
		add_due(&t, r->due, NULL);
	else
		str_add(&t, ",\"due\":null");
	add_member(&t, "reason", r->reason);
	str_addc(&t, '}');
	return in_arena(&t, a);
}

const char *result_json(const struct result *r, struct arena *a)
{
	struct str t = {0};

	str_add(&t, "{\"v\":1");
	add_member(&t, "request", r->request);
	add_member(&t, "result", r->result);
	add_member(&t, "case", r->number);
	add_member(&t, "state", r->state);
	add_member(&t, "reason", r->reason);
	if (r->pending)
		str_add(&t, ",\"pending\":true");
	if (r->record)
		str_add(&t, r->record);
	str_addc(&t, '}');
	return in_arena(&t, a);
}

static const char *masked_name(const char *name, struct arena *a)
{
	size_t n = 1;

	if (!name || !*name)
		return NULL;
	while ((name[n] & 0xc0) == 0x80)
		n++;
	return arena_printf(a, "%.*s*", (int)n, name);
}

static void add_reporter(struct str *t, const struct personal *p, bool all, struct arena *a)
{
	str_addf(t, ",\"reporter\":{\"masked\":%s,\"secret\":%s", all ? "false" : "true",
		 p->secret ? "true" : "false");
	add_member(t, "name", all ? p->name : masked_name(p->name, a));
	add_member(t, "phone", all || !p->phone ? p->phone : text_mask(a, p->phone, NULL));
	if (all)
		add_member(t, "ref", p->ref);
	str_addc(t, '}');
}

static void add_place(struct str *t, const struct case_record *c, const struct personal *p, bool all)
{
	str_add(t, ",\"place\":{\"grid\":");
	str_json(t, c->grid);
	add_member(t, "address", all ? p->address : c->place);
	if (all && !isnan(p->lat) && !isnan(p->lon))
		str_addf(t, ",\"lat\":%.6f,\"lon\":%.6f", p->lat, p->lon);
	if (all && p->crs)
		add_member(t, "crs", p->crs);
	str_addc(t, '}');
}

static void add_clocks(struct str *t, const struct case_record *c)
{
	str_add(t, ",\"clocks\":{");
	for (int k = 0, n = 0; k < N_CLOCKS; k++) {
		if (c->leg.due[k] == MOMENT_NONE)
			continue;
		str_addf(t, "%s\"%s\":{", n++ ? "," : "", clock_names[k]);
		add_time(t, "due", c->leg.due[k]);
		add_time(t, "met", c->leg.met[k]);
		str_addc(t, '}');
	}
	str_addc(t, '}');
}

static void add_life(struct str *t, const struct case_record *c, const struct whole_report *r)
{
	add_clocks(t, c);
	str_addf(t, ",\"history\":%s", r->history ? r->history : "[]");
}

const char *record_json(const struct case_record *c, const struct personal *p, const struct whole_report *r,
			struct arena *a)
{
	bool all = c->visibility == VISIBLE_OPEN, sealed = c->visibility == VISIBLE_SEALED;
	struct str t = {0};

	str_add(&t, ",\"record\":{\"id\":");
	str_json(&t, c->report);
	add_member(&t, "kind", "report");
	add_member(&t, "channel", c->channel);
	add_time(&t, "time", r->at);
	add_time(&t, "received", c->received_at);
	add_member(&t, "category", c->category);
	add_member(&t, "urgency", urgency_names[c->urgency]);
	add_member(&t, "visibility", visibility_names[c->visibility]);
	if (!sealed) {
		add_member(&t, "text", all || !r->text ? r->text : text_mask(a, r->text, p->name));
		add_reporter(&t, p, all, a);
		add_place(&t, c, p, all);
		str_addf(&t, ",\"media\":%s,\"extra\":%s", r->media ? r->media : "[]", r->extra ? r->extra : "{}");
	}
	if (all) {
		add_member(&t, "accused", p->accused);
		str_addf(&t, ",\"reply_to\":%s", c->reply_to ? c->reply_to : "null");
	}
	/* The contract's sentence can be read both ways: inside the record, and beside it. */
	add_life(&t, c, r);
	str_addc(&t, '}');
	add_life(&t, c, r);
	return in_arena(&t, a);
}
