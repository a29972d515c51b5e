#pragma once
/*
 * main() of every bridge: argv, its file, signals, health, exit codes; in one place so that they behave
 * alike. The program adds its keys and what it does.
 *
 *	NAME [-c FILE] [-t] [-V] [-h]
 *
 * 0 done; 2 usage; 75 a peer (or the state folder) cannot be had now; 78 bad configuration. SIGTERM and
 * SIGINT drain and stop; SIGHUP looks at the file and, when it is good, drains and begins anew with it. Health and metrics: /metrics, /healthz, /readyz of `http.listen`.
 */
#include <stdbool.h>

#include "bridge/bridge.h"
#include "bridge/keys.h"

struct loop;

struct bridge_program {
	const char *name;               /* needle-hotline */
	const char *file;               /* where its file is by default */
	const char *help;               /* one line, catalogue text */
	const struct key_info *keys;    /* begins with the root and BRIDGE_ROWS */
	void *self;
	/* Reads its own keys; what is wrong there becomes a finding. */
	void (*read)(void *self, struct scope root);
	/* What -t looks at beside the file; may be NULL. */
	int (*check)(void *self, const struct bridge_settings *settings, struct err *e);
	/* Starts taking in. The bridge is open and sends already. */
	int (*start)(void *self, struct bridge *b, struct loop *loop, struct err *e);
	void (*stop)(void *self);       /* takes nothing more in; also called when start failed */
	void (*done)(void *self);       /* frees what `read` and `start` made; the last call. May be NULL */
	void (*receipt)(void *self, const struct bridge_receipt *r);    /* struct bridge_callbacks; may be NULL */
	void (*reply)(void *self);
};
int bridge_main(int argc, char **argv, const struct bridge_program *program);
