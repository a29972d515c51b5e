#pragma once
/*
 * needlectl at the broker: a client like any other, with no session. Everything that Paho's thread
 * has to say goes through one mailbox, so that the verb reads it in order and may wait with a limit.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ctl;
struct err;
struct wire;

/* One a process. Connected, or ERR_AGAIN with the broker's reason when that takes longer than --timeout. Loads the folder. */
int wire_open(struct ctl *ctl, struct wire **ret, struct err *e);
void wire_close(struct wire *wire);     /* NULL-safe */
int wire_subscribe(struct wire *wire, const char *topic, struct err *e);
/* Published at QoS 1 and acknowledged by the broker. ERR_BAD: it refused. */
int wire_publish(struct wire *wire, const char *topic, const void *payload, size_t len, struct err *e);
/* The next JSON object on a subscribed topic whose member says `text`. ERR_AGAIN: none in --timeout. */
int wire_await(struct wire *wire, const char *member, const char *text, json_t **ret, struct err *e);
/* Published without waiting; what became of it is seen by wire_next. */
int wire_send(struct wire *wire, const char *topic, const void *payload, size_t len, struct err *e);
/* The next message of any kind as JSON, or NULL when none came in wait_us. ERR_AGAIN: something that was sent is lost. */
int wire_next(struct wire *wire, int64_t wait_us, json_t **ret, struct err *e);
/* An id that nobody else makes: "ctl-20261120T083107-4f2a91c3". Returns buf. */
enum { WIRE_ID = 40 };
const char *wire_fresh_id(char buf[WIRE_ID]);
