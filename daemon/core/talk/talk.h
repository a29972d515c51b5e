#pragma once
/*
 * How the office talks in a chat: one message of a person, what is known of that person, and the office's
 * words give what becomes of it. A report that lacks its place or its matter is asked about once and goes
 * as it is when the answer does not come; words like 催, 撤, 进度, 满意 are about the person's last report;
 * what else follows within the window is a supplement to it. Pure: the same for a bridge, for
 * `needlectl test`, and when a message is read again after a crash.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/office.h"

struct arena;

enum talk_kind { TALK_REPORT, TALK_SUPPLEMENT, TALK_URGE, TALK_WITHDRAW, TALK_STATUS, TALK_RATE, TALK_SAY, N_TALK_KIND };
extern const char *const talk_kind_names[N_TALK_KIND];          /* "report" … "rate": the contract's; "say" */
extern const char *const talk_word_names[N_TALK_WORD];
extern const char *const talk_line_names[N_TALK_LINE];

struct talk_media {
	const char *url, *type, *sha256;        /* type, sha256: or NULL */
};
/* A message. What it points to is borrowed. */
struct talk_message {
	const char *id;                 /* the chat's own */
	int64_t at;
	const char *text, *address;     /* or NULL */
	double lat, lon;
	bool has_position;              /* GCJ-02, as the chat gives it */
	const struct talk_media *media;
	size_t n_media;
};

/* What is remembered of a person. Texts live in the arena of the step that made it, or of talk_state_load. */
struct talk_state {
	struct talk_message draft;      /* a report that lacks something; id NULL: none */
	uint8_t asked;                  /* bits 1 << enum talk_line */
	const char *about;              /* id of the last report, or NULL */
	int64_t about_at;               /* when there was last a word about it */
	const char *rate_about;         /* the report whose rating was asked for, or NULL */
};

struct talk_action {
	enum talk_kind kind;
	struct talk_message message;    /* of report and supplement: what is said, and its id */
	const char *about;              /* the first report's id; NULL for report and say */
	const char *case_number;        /* named in the text, then instead of about */
	enum talk_word score;           /* of rate: TALK_SATISFIED … */
	const char *comment;            /* of rate and urge, or NULL */
	enum talk_line line;            /* of say */
};
enum { TALK_ACTIONS = 4 };
struct talk_result {
	struct talk_action v[TALK_ACTIONS];
	size_t n;
};

/* Takes a message in; `state` is changed. Everything new lives in the arena. */
void talk_step(const struct office *office, struct talk_state *state, const struct talk_message *message,
	       struct arena *a, struct talk_result *ret);
/* A draft that has waited long enough becomes a report. */
void talk_tick(const struct office *office, struct talk_state *state, int64_t now, struct arena *a,
	       struct talk_result *ret);
/* When talk_tick has something to do; MOMENT_NONE: never. */
int64_t talk_wakes_at(const struct office *office, const struct talk_state *state);
/* The gateway has said something of this kind (`ask_rating` …) about that report. */
void talk_heard(struct talk_state *state, const char *kind, const char *about, struct arena *a);
/* Nothing that matters is left of it at `now`. */
bool talk_is_over(const struct office *office, const struct talk_state *state, int64_t now);

/* The media as the contract's reports have them. */
json_t *talk_media_json(const struct talk_message *m);
json_t *talk_state_json(const struct talk_state *state);
/* What cannot be read is left out. */
void talk_state_load(const json_t *json, struct arena *a, struct talk_state *ret);
