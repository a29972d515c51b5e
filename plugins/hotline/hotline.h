#pragma once
/*
 * needle-hotline: the city hotline's tickets in, results back. One file a way:
 *   folder.c   exports dropped into a folder         push.c   the platform posts to us
 *   pull.c     we ask the platform                   back.c   replies to the platform or into a file
 * and shape.c, what they share: a row of theirs becomes reports of ours; wire.c, JSON, XML and templates.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "bridge/bridge.h"
#include "bridge/keys.h"
#include "needle_plugin.h"

enum { ROW_REPORTS = 8, HEADERS = 16 };

struct http_target {                    /* templates; NULL url: not configured */
	const char *url, *method, *body;
	const char *headers[HEADERS];
	size_t n_headers;
};
struct folder_settings {
	const char *path, *sheet;       /* path NULL: no folder */
	int64_t every_us, settle_us;
};
struct push_settings {
	const char *address, *path;     /* address NULL: no push */
	int port;
	const char *key, *key_header, *hmac, *signature_header, *timestamp_header;
	const char *rows, *type, *answer, *later, *refused;
	int64_t size, rate, burst, wait_us;
};
struct pull_settings {
	struct http_target list, check, fetch;
	int64_t every_us, overlap_us, start_us, check_every_us;
	const char *time_format, *rows, *next, *ids, *id, *fetch_rows;
	int64_t pages;
};
struct back_settings {
	struct http_target target;
	const char *file, *ok, *ok_value;
	const struct node *kinds;       /* kind: their code; NULL: all kinds */
};

struct loop;
struct folder;
struct push;
struct pull;
struct back;
struct hotline {
	struct channel mapping;         /* map, set, formats, codes */
	struct needle_value options[8];
	void *decoder;
	struct folder_settings folder_is;
	struct push_settings push_is;
	struct pull_settings pull_is;
	struct back_settings back_is;

	struct bridge *bridge;
	struct queue *known;            /* ids that have a receipt; NULL: nobody asks */
	struct folder *folder;
	struct push *push;
	struct pull *pull;
	struct back *back;
};

/* keys.c */
extern const struct key_info hotline_keys[];
void hotline_read(void *self, struct scope root);

/*
 * shape.c. One row to 0…ROW_REPORTS reports, appended to the array. ERR_BAD with one sentence: it can
 * never become a message. `knows`: sheet_knows, arg the struct hotline.
 */
int shape_row(const struct hotline *h, json_t *row, json_t *reports, struct err *e);
bool shape_knows(void *arg, json_t *names);
int shape_open(struct hotline *h, struct err *e);
void shape_close(struct hotline *h);
/* What the receipt of this report will name. */
void hotline_key(const json_t *report, char key[BRIDGE_KEY]);
/* bridge_report of one; key may be NULL. */
int hotline_send(struct hotline *h, json_t *report, char key[BRIDGE_KEY], struct err *e);
/* The same, but a full outbox is waited for until *stop. */
int hotline_send_patiently(struct hotline *h, json_t *report, char key[BRIDGE_KEY], const _Atomic bool *stop,
			   struct err *e);

/*
 * wire.c. JSON or XML (also in GB18030) as a JSON value; ERR_BAD: neither, a DTD, too deep, too much.
 * Rows: what `pointer` points at ("" or NULL: all of it), a list or one object; a new reference.
 */
int wire_parse(const char *text, size_t len, json_t **ret, struct err *e);
json_t *wire_rows(json_t *root, const char *pointer);
struct wire_value {
	const char *name, *text;        /* text NULL: "" */
};
enum wire_escape { WIRE_PLAIN, WIRE_JSON, WIRE_XML, WIRE_URL };
/* {name} → value, escaped; what is not in the table stays as it stands. */
void wire_fill(const char *template, enum wire_escape escape, const struct wire_value *values, size_t n,
	       struct str *out);
enum wire_escape wire_escape_of(const char *template);  /* by how it begins: { [ or < */
/* A whole request from a target; texts in the arena. */
struct client_request;
void wire_request(const struct http_target *target, const struct wire_value *values, size_t n, struct arena *a,
		  struct client_request *ret);

int folder_start(struct hotline *h, struct err *e);
void folder_stop(struct hotline *h);
int push_start(struct hotline *h, struct loop *loop, struct err *e);
void push_receipt(struct hotline *h, const struct bridge_receipt *r);
void push_stop(struct hotline *h);
int pull_start(struct hotline *h, struct err *e);
void pull_stop(struct hotline *h);
int back_start(struct hotline *h, struct err *e);
void back_wake(struct hotline *h);
void back_stop(struct hotline *h);
