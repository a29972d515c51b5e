#pragma once
/*
 * Inside core/understand only: the steps from the bytes of a message to a report or a command, each
 * in its own file. All of them are pure; ERR_BAD carries the stable code of the dead letter.
 */
#include "core/understand/message.h"

enum { PAYLOAD_BYTES = 256 * 1024, PAYLOAD_DEPTH = 64, ID_BYTES = 128 };

/* topic.c: whose message is it? Fills ret->kind, channel and source, or dept. */
int topic_read(const struct office *office, const char *topic, struct arena *a,
	       struct understood *ret, struct err *e);
/* needle/{tenant}/in/{channel}/{source}: there the topic alone names the source. */
bool topic_names_source(const struct office *office, const char *topic);

/* payload.c: the bytes as UTF-8 without NUL and byte-order mark … */
int payload_text(const char *charset, const struct message *m, struct arena *a, const char **ret,
		 size_t *ret_len, struct err *e);
/* … and as one JSON object, a new reference; numbers that no parser holds are texts in it. */
int payload_object(const char *text, size_t len, struct arena *a, json_t **ret, struct err *e);
/* The same JSON with such numbers between quotes, their digits kept. NULL: there is none. */
const char *payload_quote_numbers(struct arena *a, const char *text, size_t len, size_t *ret_len);

/*
 * value.c: JSON values as text in the arena, blanks at the ends trimmed; NULL when that is not
 * harmless.
 */
const char *value_text(struct arena *a, const json_t *value);
/* The same for what identifies something: 1…128 bytes, no control characters, no fractions. */
const char *value_id(struct arena *a, const json_t *value);
bool value_number(const json_t *value, double *ret);
/* Whatever is not plainly "no" is yes: it is asked of `secret`. */
bool value_is_yes(const json_t *value);
/* A moment as text or unix time in seconds or milliseconds, told apart by magnitude. */
bool value_moment(struct arena *a, const json_t *value, int64_t *ret);

/*
 * place.c: the grid with that code, else the longest prefix of 15, 12, 9 or 6 digits that is one;
 * or NULL.
 */
const struct grid *place_grid(const struct office *office, const char *code);

/*
 * report.c: fills *ret from an object of our form; `keep` is a JSON array that owns what is made on
 * the way.
 */
struct report_origin {
	const struct office *office;
	const struct channel *channel;
	const char *source;
	int64_t received_at;
};
/* *ret_id is set as soon as the id is known to be good, also when the report is not. */
int report_read(const struct report_origin *from, json_t *object, json_t *keep, struct arena *a,
		struct report *ret, const char **ret_id, struct err *e);

/* digest.c */
void report_digest(struct report *r, const char *category_given);

/* command.c */
int command_read(const struct department *dept, json_t *object, struct arena *a,
		 struct command *ret, const char **ret_request, struct err *e);
