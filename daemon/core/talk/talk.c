/*
 * A word counts when it is the whole message, or when a blank or a mark divides it from what follows, so
 * that 催化剂味道很大 is a report and 催，三天了 an urge. A bare number is a rating only while one was asked for.
 *
 * Everything is a function of what the bridge has on its disk: a message that is read a second time after
 * a crash gives the same ids, and the gateway knows them.
 */
#include "core/talk/talk.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/time/moment.h"
#include "core/understand/text.h"

/* What divides a word from what follows. */
static const char *const marks[] = {" ", "\t", "\n", "\r", ",", ".", "!", "?", ":", ";", "~", "，", "。", "！", "？", "：", "；", "、",
				    "…", "～", "\xe3\x80\x80", "\xc2\xa0"};

static size_t mark_length(const char *s)
{
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (strncmp(s, marks[i], strlen(marks[i])) == 0)
			return strlen(marks[i]);
	return 0;
}

static const char *skip_marks(const char *s)
{
	for (size_t n; (n = mark_length(s)) > 0;)
		s += n;
	return s;
}

/* The text up to the first mark, and what follows it (NULL: nothing). */
static const char *head_of(const char *text, const char **ret_rest, struct arena *a)
{
	const char *from = skip_marks(text), *end = from;

	while (*end && !mark_length(end))
		end++;
	*ret_rest = skip_marks(end);
	if (!**ret_rest)
		*ret_rest = NULL;
	return text_shadow(a, arena_strndup(a, from, (size_t)(end - from)));
}

static bool has_text(const char *text)
{
	return text && *skip_marks(text);
}

static bool is_one_of(const struct texts *words, const char *text)
{
	for (size_t i = 0; i < words->n; i++)
		if (strcmp(words->v[i], text) == 0)
			return true;
	return false;
}

/* Which kind of word is it, N_TALK_WORD: none. */
static enum talk_word word_of(const struct talk_settings *talk, const char *head, bool asked)
{
	bool number = *head && strspn(head, "0123456789") == strlen(head);

	for (int w = 0; w < N_TALK_WORD; w++)
		if (is_one_of(&talk->words[w], head) && (!number || (w <= TALK_DISSATISFIED && asked)))
			return (enum talk_word)w;
	return N_TALK_WORD;
}

/* ---- what is there --------------------------------------------------------------------------- */

static bool names_a_place(const struct office *office, const char *text, struct arena *a)
{
	const char *shadow = text ? text_shadow(a, text) : "";

	for (size_t i = 0; i < office->talk.places.n; i++)
		if (strstr(shadow, office->talk.places.v[i]))
			return true;
	for (size_t i = 0; i < office->n_grids; i++) {
		const struct grid *g = &office->grids[i];

		if ((g->name && *g->name && strstr(shadow, g->name)) ||
		    (g->community && *g->community && strstr(shadow, g->community)))
			return true;
	}
	return false;
}

static bool is_missing(const struct office *office, const struct talk_message *m, enum talk_line line, struct arena *a)
{
	if (line == LINE_ASK_TEXT)
		return !has_text(m->text);
	return !m->has_position && !has_text(m->address) && !names_a_place(office, m->text, a);
}

/* ---- what comes of it ------------------------------------------------------------------------ */

struct turn {
	const struct office *office;
	struct talk_state *state;
	const struct talk_message *in;
	struct arena *a;
	struct talk_result *out;
};

static struct talk_action *add(struct turn *s, enum talk_kind kind)
{
	struct talk_action *x = &s->out->v[s->out->n++];

	*x = (struct talk_action){.kind = kind};
	return x;
}

static void say(struct turn *s, enum talk_line line)
{
	if (*s->office->talk.lines[line])
		add(s, TALK_SAY)->line = line;
}

static const struct talk_media *media_kept(const struct talk_media *v, size_t n, const struct talk_media *more, size_t n_more,
					   struct arena *a)
{
	struct talk_media *all = arena_alloc(a, (n + n_more + 1) * sizeof(*all));

	for (size_t i = 0; i < n + n_more; i++) {
		const struct talk_media *from = i < n ? &v[i] : &more[i - n];

		all[i].url = arena_strdup(a, from->url);
		all[i].type = from->type ? arena_strdup(a, from->type) : NULL;
		all[i].sha256 = from->sha256 ? arena_strdup(a, from->sha256) : NULL;
	}
	return all;
}

/* Texts of a message outlive it in the state. */
static struct talk_message kept(const struct talk_message *m, struct arena *a)
{
	struct talk_message copy = *m;

	copy.id = arena_strdup(a, m->id);
	copy.text = m->text ? arena_strdup(a, m->text) : NULL;
	copy.address = m->address ? arena_strdup(a, m->address) : NULL;
	copy.media = media_kept(m->media, m->n_media, NULL, 0, a);
	return copy;
}

static void report(struct turn *s, const struct talk_message *m, int64_t now)
{
	add(s, TALK_REPORT)->message = *m;
	s->state->about = m->id;
	s->state->about_at = now;
	s->state->draft = (struct talk_message){0};
	s->state->asked = 0;
}

/* Asks for the first thing that is missing and was not asked for; else it is a report as it is. */
static void ask_or_report(struct turn *s, const struct talk_message *m, int64_t now)
{
	struct talk_state *state = s->state;

	for (int line = LINE_ASK_TEXT; line >= LINE_ASK_PLACE; line--) {
		if (!s->office->talk.ask[line] || (state->asked & 1U << line) ||
		    !is_missing(s->office, m, (enum talk_line)line, s->a))
			continue;
		state->draft = *m;
		state->asked |= (uint8_t)(1U << line);
		say(s, (enum talk_line)line);
		return;
	}
	report(s, m, now);
}

static const char *joined(const char *a, const char *b, struct arena *arena)
{
	return !has_text(a) ? b : !has_text(b) ? a : arena_printf(arena, "%s\n%s", a, b);
}

/* What follows a question is its answer: words that name no place are one when the place was asked for. */
static void complete(struct turn *s)
{
	struct talk_message m = s->state->draft;
	const struct talk_message *in = s->in;
	bool asked_place = s->state->asked & 1U << LINE_ASK_PLACE;

	if (asked_place && has_text(m.text) && has_text(in->text))
		m.address = joined(m.address, arena_strdup(s->a, in->text), s->a);
	else
		m.text = joined(m.text, in->text ? arena_strdup(s->a, in->text) : NULL, s->a);
	m.address = joined(m.address, in->address ? arena_strdup(s->a, in->address) : NULL, s->a);
	if (in->has_position) {
		m.lat = in->lat;
		m.lon = in->lon;
		m.has_position = true;
	}
	m.media = media_kept(m.media, m.n_media, in->media, in->n_media, s->a);
	m.n_media += in->n_media;
	/* Another picture is no answer yet: the words that were asked for may still come. */
	if (!has_text(in->text) && !in->has_position && !has_text(in->address)) {
		s->state->draft = m;
		return;
	}
	ask_or_report(s, &m, in->at);
}

/* ---- words about a case ---------------------------------------------------------------------- */

static const char *case_in(const char *rest, struct arena *a)
{
	const char *head, *more = rest;

	while (more) {
		size_t n = 0;

		while (more[n] && !mark_length(more + n))
			n++;
		head = arena_strndup(a, more, n);
		if (str_is_case_number(head))
			return head;
		more = *skip_marks(more + n) ? skip_marks(more + n) : NULL;
	}
	return NULL;
}

static void about(struct turn *s, enum talk_word word, const char *rest)
{
	static const struct {
		enum talk_kind kind;
		enum talk_line line;    /* what is said; N_TALK_LINE: the gateway answers */
	} kinds[N_TALK_WORD] = {
		[TALK_SATISFIED] = {TALK_RATE, LINE_RATED}, [TALK_BASICALLY] = {TALK_RATE, LINE_RATED},
		[TALK_DISSATISFIED] = {TALK_RATE, LINE_RATED}, [TALK_WORD_URGE] = {TALK_URGE, LINE_URGED},
		[TALK_WORD_WITHDRAW] = {TALK_WITHDRAW, LINE_WITHDRAWN}, [TALK_WORD_STATUS] = {TALK_STATUS, N_TALK_LINE},
	};
	struct talk_state *state = s->state;
	bool rates = kinds[word].kind == TALK_RATE;
	const char *which = rates && state->rate_about ? state->rate_about : state->about, *number = case_in(rest, s->a);
	struct talk_action *x;

	if (!which && !number) {
		say(s, LINE_NOTHING);
		return;
	}
	x = add(s, kinds[word].kind);
	x->message = *s->in;
	x->about = which ? arena_strdup(s->a, which) : NULL;
	x->case_number = number;
	x->score = word;
	x->comment = rest ? arena_strdup(s->a, rest) : NULL;
	if (which && str_equal(which, state->about))
		state->about_at = s->in->at;
	if (rates)
		state->rate_about = NULL;
	if (kinds[word].kind == TALK_WITHDRAW)
		state->about = state->rate_about = NULL;
	if (kinds[word].line != N_TALK_LINE)
		say(s, kinds[word].line);
}

/* ---- a message ------------------------------------------------------------------------------- */

static void fresh(struct turn *s, const char *text)
{
	struct talk_message m = kept(s->in, s->a);

	m.text = text;
	s->state->asked = 0;
	ask_or_report(s, &m, s->in->at);
}

static void supplement(struct turn *s)
{
	struct talk_action *x = add(s, TALK_SUPPLEMENT);

	x->message = *s->in;
	x->about = arena_strdup(s->a, s->state->about);
	s->state->about_at = s->in->at;
	say(s, LINE_ADDED);
}

static void content(struct turn *s)
{
	const struct talk_state *state = s->state;

	if (state->draft.id)
		complete(s);
	else if (state->about && s->in->at - state->about_at <= s->office->talk.window_us)
		supplement(s);
	else
		fresh(s, s->in->text ? arena_strdup(s->a, s->in->text) : NULL);
}

static void spoken(struct turn *s, enum talk_word word, const char *rest)
{
	struct talk_state *state = s->state;

	if (word == TALK_WORD_GREETING && !rest) {
		say(s, LINE_GREETING);
	} else if (word == TALK_WORD_GREETING) {
		content(s);
	} else if (word == TALK_WORD_ANOTHER) {
		if (state->draft.id)
			report(s, &state->draft, s->in->at);
		state->about = NULL;
		if (rest)
			fresh(s, arena_strdup(s->a, rest));
	} else if (word == TALK_WORD_WITHDRAW && state->draft.id) {
		state->draft = (struct talk_message){0};
		state->asked = 0;
		say(s, LINE_DROPPED);
	} else {
		about(s, word, rest);
	}
}

void talk_step(const struct office *office, struct talk_state *state, const struct talk_message *message,
	       struct arena *a, struct talk_result *ret)
{
	struct turn s = {office, state, message, a, ret};
	enum talk_word word = N_TALK_WORD;
	const char *rest = NULL;

	talk_tick(office, state, message->at, a, ret);
	if (!has_text(message->text) && !message->has_position && !has_text(message->address) &&
	    !message->n_media)
		return;
	if (has_text(message->text))
		word = word_of(&office->talk, head_of(message->text, &rest, a), state->rate_about);
	if (word == N_TALK_WORD)
		content(&s);
	else
		spoken(&s, word, rest);
}

int64_t talk_wakes_at(const struct office *office, const struct talk_state *state)
{
	return state->draft.id ? state->draft.at + office->talk.patience_us : MOMENT_NONE;
}

void talk_tick(const struct office *office, struct talk_state *state, int64_t now, struct arena *a,
	       struct talk_result *ret)
{
	struct turn s = {office, state, NULL, a, ret};
	int64_t wakes = talk_wakes_at(office, state);
	struct talk_message draft = state->draft;

	ret->n = 0;
	if (wakes != MOMENT_NONE && wakes <= now)
		report(&s, &draft, wakes);
}

void talk_heard(struct talk_state *state, const char *kind, const char *about_id, struct arena *a)
{
	if (!about_id)
		return;
	if (strcmp(kind, "ask_rating") == 0)
		state->rate_about = arena_strdup(a, about_id);
	else if ((strcmp(kind, "closed") == 0 || strcmp(kind, "rejected") == 0) && str_equal(state->rate_about, about_id))
		state->rate_about = NULL;
}

/* The last report is known as long as people may still ask for it: half a year. */
bool talk_is_over(const struct office *office, const struct talk_state *state, int64_t now)
{
	(void)office;
	return !state->draft.id && (!state->about || now - state->about_at > 180 * MOMENT_DAY_US);
}
