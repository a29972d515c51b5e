/*
 * The conversation of each person, from the shelf and back. What it gives goes to the outbox first and the
 * state is written after that: a kill between the two lets the platform's next try, or the fetcher's, do the
 * same again, and the gateway knows the ids. A message that is in the state was done for good.
 */
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/str.h"
#include "callback.h"
#include "core/time/moment.h"
#include "core/understand/text.h"
#include "shelf.h"
#include "wechat.h"

enum { IDS = 16, SAYS_MAX = 5 };
#define HOUR_US INT64_C(3600000000)

struct draft {
	int64_t at;
	char *name;                     /* of the shelf */
};
struct people {
	struct wechat *w;
	pthread_mutex_t lock;
	VEC(struct draft) drafts;       /* people with one, more often than once perhaps */
};

static char *name_of(const struct person *who)
{
	struct str t = {0};

	str_addf(&t, "p:%s:%s:%s", who->account->name, who->kf ? who->kf : "", who->user);
	return t.s;
}

/* The reverse; the texts live in the arena. False: that account is gone. */
static bool person_of(const struct wechat *w, const char *name, struct arena *a, struct person *ret)
{
	char *account = arena_strdup(a, name + 2), *kf = strchr(account, ':'), *user = kf ? strchr(kf + 1, ':') : NULL;

	if (!user)
		return false;
	*kf++ = *user++ = '\0';
	*ret = (struct person){wechat_account(w, account), user, *kf ? kf : NULL};
	return ret->account;
}

static json_t *known_of(struct wechat *w, const char *name)
{
	CLEANUP(mem_freep) char *text = shelf_get(w->shelf, name);
	json_t *json = text ? json_loads(text, 0, NULL) : NULL;

	return json_is_object(json) ? json : json_object();
}

static int keep(struct wechat *w, const char *name, const json_t *known, struct err *e)
{
	CLEANUP(mem_freep) char *text = json_dumps(known, JSON_COMPACT);
	int r = shelf_put(w->shelf, name, text, e);

	return r == 0 && bridge_settings(w->bridge)->power ? shelf_sync(w->shelf, e) : r;
}

static void note_draft(struct people *p, const char *name, int64_t at)
{
	if (at != MOMENT_NONE)
		VEC_PUSH(&p->drafts, (struct draft){at, mem_strdup(name)});
}

/* ---- reports --------------------------------------------------------------------------------- */

static json_t *place_json(const struct talk_message *m)
{
	json_t *place = json_object();

	if (m->address)
		json_object_set_new(place, "address", json_string(m->address));
	if (m->has_position)
		json_object_update_new(place, json_pack("{s:f,s:f,s:s}", "lat", m->lat, "lon", m->lon, "crs", "gcj02"));
	return place;
}

/* A report needs something to read: "[图片]", "[位置] 幸福里东门". */
static const char *words_of(const struct talk_message *m, struct arena *a)
{
	const char *type = m->n_media && m->media[0].type ? m->media[0].type : NULL;

	if (m->text && *m->text)
		return m->text;
	if (!m->n_media)
		return arena_printf(a, "[位置]%s%s", m->address ? " " : "", m->address ? m->address : "");
	return callback_name(type && strncmp(type, "image/", 6) == 0 ? "image" : type && strncmp(type, "audio/", 6) == 0 ? "voice" :
			     type && strncmp(type, "video/", 6) == 0 ? "video" : "file");
}

static json_t *report_json(const struct person *who, const struct talk_action *x, struct arena *a)
{
	const struct talk_message *m = &x->message;
	bool says = x->kind == TALK_REPORT || x->kind == TALK_SUPPLEMENT;
	char stamp[MOMENT_TEXT];
	json_t *place = place_json(m);
	json_t *json = json_pack("{s:i,s:s,s:s,s:s,s:{s:s},s:{s:s,s:s,s:s*}}", "v", 1, "id", m->id, "kind", talk_kind_names[x->kind],
				 "time", moment_rfc3339(m->at, stamp), "reporter", "ref", who->user, "reply_to", "account",
				 who->account->name, "user", who->user, "kf", who->kf);

	if (says)
		json_object_set_new(json, "text", json_string(words_of(m, a)));
	if (says && json_object_size(place))
		json_object_set(json, "place", place);
	if (says && m->n_media)
		json_object_set_new(json, "media", talk_media_json(m));
	if (x->case_number)
		json_object_set_new(json, "case", json_string(x->case_number));
	else if (x->about)
		json_object_set_new(json, "about", json_string(x->about));
	if (x->kind == TALK_RATE)
		json_object_set_new(json, "score", json_string(talk_word_names[x->score]));
	if (x->comment)
		json_object_set_new(json, x->kind == TALK_RATE ? "comment" : "text", json_string(x->comment));
	json_decref(place);
	return json;
}

static void tell_robots(struct wechat *w, const struct talk_action *x, const json_t *known, struct arena *a)
{
	const char *number = json_string_value(json_object_get(known, "case"));
	const char *which = x->case_number ? x->case_number : number ? number : x->about ? x->about : x->message.id;
	const char *shadow = x->message.text ? text_shadow(a, x->message.text) : "";

	if (x->kind == TALK_RATE && x->score == TALK_DISSATISFIED)
		news_put(w, "dissatisfied", x->message.id, arena_printf(a, "【不满意】%s 的诉求人评价不满意，请尽快联系。", which));
	for (size_t i = 0; i < w->s.alarm_words.n; i++)
		if (strstr(shadow, w->s.alarm_words.v[i])) {
			news_put(w, "words", x->message.id, arena_printf(a, "【不满倾向】%s 的诉求人言语中有不满，请关注。", which));
			return;
		}
}

/* Everything that goes to the gateway; in the outbox when it returns 0. */
static int send_all(struct people *p, const struct person *who, const struct talk_result *result, const json_t *known,
		    struct arena *a, struct people_answer *ret, struct err *e)
{
	char key[BRIDGE_KEY];

	for (size_t i = 0; i < result->n; i++) {
		const struct talk_action *x = &result->v[i];
		CLEANUP(mem_freep) char *text = NULL;
		json_t *json;
		int r;

		if (x->kind == TALK_SAY) {
			free(ret->say);
			ret->say = mem_strdup(p->w->talk->lines[x->line]);
			continue;
		}
		json = report_json(who, x, a);
		text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));
		json_decref(json);
		r = text ? bridge_report(p->w->bridge, text, strlen(text), key, e) : err_set(e, ERR_BAD, "not UTF-8");
		if (r < 0)
			return r;
		tell_robots(p->w, x, known, a);
		if (x->kind == TALK_REPORT || x->kind == TALK_STATUS)
			snprintf(ret->report, sizeof(ret->report), "%s", x->about ? x->about : x->message.id);
	}
	return bridge_commit(p->w->bridge, e);
}

/* ---- a message ------------------------------------------------------------------------------- */

static bool is_known(const json_t *known, const char *id, struct people_answer *ret)
{
	const json_t *last = json_object_get(known, "last"), *item;
	const char *say = json_string_value(json_object_get(last, "say"));
	size_t i;

	json_array_foreach(json_object_get(known, "ids"), i, item)
		if (str_equal(json_string_value(item), id)) {
			if (say && str_equal(json_string_value(json_object_get(last, "id")), id))
				ret->say = mem_strdup(say);
			return true;
		}
	return false;
}

/* The state as talk.c has it, and beside it what only the bridge needs. */
static void update(json_t *known, const struct talk_state *state, const struct talk_message *m, const struct people_answer *answer)
{
	json_t *ids = json_object_get(known, "ids");
	const char *before = json_string_value(json_object_get(json_object_get(known, "talk"), "about"));

	if (!str_equal(before, state->about))
		json_object_del(known, "case");
	json_object_set_new(known, "talk", talk_state_json(state));
	if (!m)
		return;
	if (!ids) {
		ids = json_array();
		json_object_set_new(known, "ids", ids);
	}
	json_array_append_new(ids, json_string(m->id));
	if (json_array_size(ids) > IDS)
		json_array_remove(ids, 0);
	json_object_set_new(known, "heard", json_integer(m->at));
	json_object_set_new(known, "said", json_integer(0));
	json_object_del(known, "last");
	if (answer->say)
		json_object_set_new(known, "last", json_pack("{s:s,s:s}", "id", m->id, "say", answer->say));
}

/* m NULL: time has passed. */
static int step(struct people *p, const struct person *who, const char *name, const struct talk_message *m, int64_t now,
		struct people_answer *ret, struct err *e)
{
	struct arena a = {.block_size = 8192};
	json_t *known = known_of(p->w, name);
	struct talk_result result = {.n = 0};
	struct talk_state state;
	int r = PEOPLE_KNOWN;

	talk_state_load(json_object_get(known, "talk"), &a, &state);
	if (!m || !is_known(known, m->id, ret)) {
		if (m)
			talk_step(p->w->office, &state, m, &a, &result);
		else
			talk_tick(p->w->office, &state, now, &a, &result);
		r = send_all(p, who, &result, known, &a, ret, e);
		fault_point("wechat-sent");
		if (r == 0) {
			update(known, &state, m, ret);
			r = keep(p->w, name, known, e);
		}
		if (r == 0 && m)
			note_draft(p, name, talk_wakes_at(p->w->office, &state));
	}
	json_decref(known);
	arena_done(&a);
	return r;
}

int people_hear(struct people *p, const struct person *who, const struct talk_message *m, struct people_answer *ret,
		struct err *e)
{
	CLEANUP(mem_freep) char *name = name_of(who);
	int r;

	*ret = (struct people_answer){0};
	pthread_mutex_lock(&p->lock);
	r = step(p, who, name, m, m->at, ret, e);
	pthread_mutex_unlock(&p->lock);
	if (r < 0) {
		free(ret->say);
		ret->say = NULL;
	}
	return r;
}

static void wake_one(struct people *p, const char *name, int64_t now)
{
	struct arena a = {.block_size = 1024};
	struct people_answer none = {0};
	struct person who;
	struct err e = {0};

	if (person_of(p->w, name, &a, &who) && step(p, &who, name, NULL, now, &none, &e) < 0) {
		log_warn("wechat.draft", "%s; it is tried again", e.text);
		note_draft(p, name, now + 10000000);
	}
	free(none.say);
	arena_done(&a);
}

void people_tick(struct people *p, int64_t now)
{
	size_t n;

	pthread_mutex_lock(&p->lock);
	n = p->drafts.n;
	for (size_t i = 0; i < n;) {
		struct draft d = p->drafts.v[i];

		if (d.at > now) {
			i++;
			continue;
		}
		/* The last of those that were looked at fills the gap; new ones come behind. */
		p->drafts.v[i] = p->drafts.v[n - 1];
		p->drafts.v[n - 1] = p->drafts.v[p->drafts.n - 1];
		p->drafts.n--;
		n--;
		wake_one(p, d.name, now);
		free(d.name);
	}
	pthread_mutex_unlock(&p->lock);
}

/* ---- what comes back ------------------------------------------------------------------------- */

void people_told(struct people *p, const struct person *who, const char *kind, const char *about, const char *case_number)
{
	CLEANUP(mem_freep) char *name = name_of(who);
	struct arena a = {.block_size = 1024};
	struct talk_state state;
	struct err e = {0};
	json_t *known;

	pthread_mutex_lock(&p->lock);
	known = known_of(p->w, name);
	talk_state_load(json_object_get(known, "talk"), &a, &state);
	talk_heard(&state, kind, about, &a);
	update(known, &state, NULL, NULL);
	if (str_equal(state.about, about))
		json_object_set_new(known, "case", json_string(case_number));
	if (keep(p->w, name, known, &e) < 0)
		log_warn("wechat.shelf", "%s", e.text);
	json_decref(known);
	pthread_mutex_unlock(&p->lock);
	arena_done(&a);
}

bool people_may_hear(struct people *p, const struct person *who, int64_t now, bool say)
{
	CLEANUP(mem_freep) char *name = name_of(who);
	struct err e = {0};
	json_int_t said;
	json_t *known;
	bool may;

	pthread_mutex_lock(&p->lock);
	known = known_of(p->w, name);
	said = json_integer_value(json_object_get(known, "said"));
	may = now - json_integer_value(json_object_get(known, "heard")) < 48 * HOUR_US && said < SAYS_MAX;
	if (say) {
		json_object_set_new(known, "said", json_integer(said + 1));
		if (keep(p->w, name, known, &e) < 0)
			log_warn("wechat.shelf", "%s", e.text);
	}
	json_decref(known);
	pthread_mutex_unlock(&p->lock);
	return may;
}

bool people_know(struct people *p, const struct person *who)
{
	CLEANUP(mem_freep) char *name = name_of(who);
	json_t *known;
	bool know;

	pthread_mutex_lock(&p->lock);
	known = known_of(p->w, name);
	know = json_object_get(known, "heard");
	json_decref(known);
	pthread_mutex_unlock(&p->lock);
	return know;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void find_draft(void *arg, const char *name, const char *text)
{
	struct people *p = arg;
	json_t *known = json_loads(text, 0, NULL);
	struct arena a = {.block_size = 1024};
	struct talk_state state;

	talk_state_load(json_object_get(known, "talk"), &a, &state);
	note_draft(p, name, talk_wakes_at(p->w->office, &state));
	json_decref(known);
	arena_done(&a);
}

int people_open(struct wechat *w, struct people **ret, struct err *e)
{
	struct people *p = mem_alloc(sizeof(*p));

	(void)e;
	p->w = w;
	pthread_mutex_init(&p->lock, NULL);
	shelf_each(w->shelf, "p:", find_draft, p);
	*ret = p;
	return 0;
}

void people_close(struct people *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->drafts.n; i++)
		free(p->drafts.v[i].name);
	VEC_DONE(&p->drafts);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
