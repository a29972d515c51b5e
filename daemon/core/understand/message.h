#pragma once
/*
 * message -> report or command: the first two stages as types. A message is what the broker handed
 * over; a report or a command is what it means. Pure: no clock, no I/O; texts live in the arena.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/office.h"

struct arena;
struct err;

/* As it came, with the addressing of its answer. */
struct message {
	const char *topic;              /* NUL-terminated; any bytes before that */
	const void *payload;
	size_t payload_len;
	int64_t received_at;
	const char *response_topic;     /* MQTT 5, or NULL */
	const void *correlation;
	size_t correlation_len;
};

enum report_kind { REPORT_REPORT, REPORT_SUPPLEMENT, REPORT_URGE, REPORT_AGAIN, REPORT_RATE, REPORT_WITHDRAW,
		   REPORT_STATUS, REPORT_DELIVERED, REPORT_TALK, N_REPORT_KIND };
extern const char *const report_kind_names[N_REPORT_KIND];
enum score { SCORE_SATISFIED, SCORE_BASICALLY, SCORE_DISSATISFIED, N_SCORE };
extern const char *const score_names[N_SCORE];

/* Marks of things kept though odd; they end in the case's `extra.marks`. */
enum report_mark { MARK_TIME_FUTURE = 1, MARK_TIME_OLD = 2, MARK_TIME_BAD = 4, MARK_GRID_UNKNOWN = 8,
		   MARK_PHONE_ODD = 16, MARK_CATEGORY_UNKNOWN = 32, MARK_URGENCY_UNKNOWN = 64 };

struct report {
	const struct channel *channel;
	const char *source;             /* checked id */
	const char *id;                 /* 1…128 bytes, no control characters; never part of a topic */
	enum report_kind kind;
	int64_t time;                   /* at the source; received_at where absent or unreadable */
	int64_t received_at;
	const char *text;               /* as given, or NULL */
	const char *shadow;             /* normalised for matching, never NULL */
	const char *category;           /* path as given or from a code, NULL */
	const struct category *known_category;  /* nearest known ancestor-or-self, or NULL */
	int8_t urgency;                 /* enum urgency; -1 not given */
	const char *device;
	int8_t reading;                 /* enum reading_state of core/device/device.h; an alarm where not given */
	bool has_reading;               /* it was given */
	const char *alarm;              /* of a reading: which, or NULL */
	double value;                   /* of a reading, else 0 */
	const char *name, *phone, *ref; /* the reporter; phone as digits with an optional leading '+' */
	bool secret;
	const char *address, *grid, *crs;
	const struct grid *known_grid;  /* exact, or longest prefix that is a grid or shared by all below; NULL */
	double lat, lon;
	bool has_position;
	const char *accused;
	json_t *media;                  /* array or NULL; borrowed from `json` */
	json_t *reply_to;               /* any or NULL; borrowed */
	json_t *extra;                  /* object of unknown members, or NULL; borrowed */
	const char *about, *case_number;/* which case, for all but report and talk */
	enum score score;               /* of rate */
	const char *comment;
	const char *reply_id;           /* of delivered */
	bool delivered_ok;
	const char *way;                /* of delivered: which way the reply took, an id; or NULL */
	uint32_t marks;                 /* enum report_mark */
	unsigned char digest[16];       /* of the meaning: same id with another digest is other content */
};

enum command_action { CMD_ACCEPT, CMD_CONTACT, CMD_PROGRESS, CMD_RETURN, CMD_EXTEND, CMD_SUSPEND, CMD_RESUME,
		      CMD_RESOLVE, CMD_TRANSFER, CMD_WHISTLE, CMD_REPORT_IN, CMD_SUPPORT_DONE, CMD_CONSULT,
		      CMD_CONSULT_OUTCOME, CMD_NEXT_STEP, CMD_REJECT, CMD_AMEND, CMD_SUPERVISE, CMD_ANSWER,
		      CMD_GRANT, CMD_DENY, CMD_JOIN, CMD_SPLIT, CMD_LIFT, CMD_GET, N_COMMAND_ACTION };
extern const char *const command_action_names[N_COMMAND_ACTION];

/* By reference only. */
struct media {
	const char *url, *type, *sha256;        /* type and sha256 may be NULL */
};

struct command {
	const struct department *dept;  /* who speaks: from the topic, never from the payload */
	const char *request;            /* 1…128 bytes, no control characters */
	const char *case_number;        /* checked form */
	enum command_action action;
	const char *by, *note;          /* may be NULL */
	const char *reason, *answer, *to, *order, *text, *category, *grid, *address, *into, *of, *outcome, *task;
	const char *topic, *within;     /* of a consultation; of an order, a deadline expression */
	int64_t until, at;              /* MOMENT_NONE where absent or unreadable */
	const char *const *departments; /* of a whistle: ids as given */
	size_t n_departments;
	const char *const *parties;     /* of a consultation: free text */
	size_t n_parties;
	const struct media *media;      /* of a resolve: what it shows of the work */
	size_t n_media;
	json_t *json;                   /* the whole command, borrowed */
};

enum message_kind { MESSAGE_REPORT, MESSAGE_COMMAND };
enum { REPORTS_PER_MESSAGE = 256 };

/* What one message turned into. `json` is freed by understood_done. */
struct understood {
	enum message_kind kind;
	const struct channel *channel;  /* of a report topic; may be set although the payload is dead */
	const struct department *dept;  /* of a command topic */
	const char *source;
	struct report *reports;         /* a message may hold several (a device's batch) */
	size_t n_reports;
	struct command command;
	const char *readable_id;        /* id or request of a dead message, where it could be read; else NULL */
	json_t *json[2];
};

/*
 * A channel's decoder as the core sees it (the plugin loader supplies it): bytes -> canonical
 * report JSON texts in the arena. 0, ERR_BAD, or DECODER_NOT_MINE.
 */
enum { DECODER_NOT_MINE = 1 };
struct decoder_fn {
	int (*decode)(void *self, const struct message *m, const char *utf8, size_t len, struct arena *a,
		      char ***ret_json, size_t *ret_n, struct err *e);
	void *self;
};
typedef bool decoder_lookup(void *arg, const struct channel *channel, struct decoder_fn *ret);

/* The category of that path or code, or its nearest known ancestor; NULL: none. */
const struct category *office_category_near(const struct office *office, struct arena *a, const char *path);
const struct category *office_category(const struct office *office, const char *path);  /* itself only */
/* Finds the category and the grid that `r`, which was not just read, names in this office. */
void report_locate(const struct office *office, struct arena *a, struct report *r);
/* RFC 6901; borrowed, NULL when absent, null or no pointer. */
json_t *pointer_get(json_t *root, const char *pointer);
/* Their object in our form by the channel's map, codes, formats and set alone; a new reference. */
json_t *map_object(const struct channel *channel, json_t *theirs, struct arena *a);

/* Which channel does a topic belong to? NULL: none. Fills *ret_source with a checked id. */
const struct channel *message_channel(const struct office *office, const char *topic, struct arena *a,
				      const char **ret_source);
/* R/dept/{dept}/cmd of this tenant: the department, else NULL. */
const struct department *message_department(const struct office *office, const char *topic);

/*
 * Understands one message. ERR_BAD with a stable code (not-json, bad-utf8, no-id, no-text, bad-kind …)
 * when it can never become anything: then ret->channel, source, dept, readable_id and a command's
 * case_number are filled as far as they could be read, so that it can still be answered. The reason holds no personal data.
 */
int understand(const struct office *office, decoder_lookup *decoders, void *decoders_arg, const struct message *m,
	       struct arena *a, struct understood *ret, struct err *e);
/* One report of the contract's form that the gateway itself kept or made. */
int understand_report(const struct office *office, const struct channel *channel, const char *source,
		      int64_t received_at, const char *json, struct arena *a, struct understood *ret, struct err *e);
void understood_done(struct understood *u);
