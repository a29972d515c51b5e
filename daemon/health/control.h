#pragma once
/*
 * The control socket: needlectl and scripts ask the running daemon. A unix stream socket (0660);
 * one JSON object a line in, {"verb":"status", …}, one JSON object a line out, in order. What is
 * wrong is answered by {"error":"one sentence"}. Few clients, short lines; one that does not read
 * its answers, or says nothing for a minute, is dropped.
 */
#include <jansson.h>
#include <stddef.h>

struct control;
struct err;
struct loop;
struct str;

struct control_verb {
	const char *name;
	/* Adds one JSON object to `reply`, or nothing: not yet, ask me at the next control_again. Runs in the main thread. */
	void (*fn)(void *arg, json_t *request, struct str *reply);
};

/*
 * Takes the path over from a daemon that died; ERR_SYS when a living one has it. The verbs are
 * borrowed. Close after the loop has ended.
 */
int control_open(struct loop *loop, const char *path, const struct control_verb *verbs, size_t n_verbs, void *arg,
		 struct control **ret, struct err *e);
/* Asks once more for what was not answered yet. Nobody waits longer than a silent client may stay. */
void control_again(struct control *control);
void control_close(struct control *control);    /* removes the socket; NULL-safe */
/* Where the socket of a tenant's daemon is, unless its starter says otherwise: /run/needle/{tenant}/ctl-{instance}.sock */
void control_path(const char *tenant, const char *instance, char *ret, size_t size);
