#pragma once
/* The daemon's own state: what needled.c wires and answers.c shows. Main thread. */
#include <stdbool.h>
#include <stdint.h>

#include "settings/current.h"
#include "store/handoff.h"

struct err;
struct str;

struct daemon {
	const char *folder, *instance, *env_file;
	bool simulate;
	int64_t simulate_from, speed;
	char plugins[512], state[512], run[400], inbox_folder[600];

	struct current current;
	struct meeting meeting;
	struct inbox *inbox;
	struct worker *worker;
	struct dispatch *dispatch;
	struct loop *loop;
	struct control *control;
	int settled_fd;                 /* an eventfd: the worker has done what was due */
	struct http *http;
	struct pulse *worker_pulse, *dispatch_pulse, *main_pulse;
	int64_t last_received_us, started_at;

	struct {
		int64_t at;
		bool ok;
		char hash[17];
		char *findings;         /* JSON array */
	} reload;
};

/* Whole snapshot or nothing, for `by`. `text` gets the report for people. True when the new one works. */
bool needled_reload(struct daemon *d, const char *by, struct str *text);
/* Control socket and HTTP: everything that asks the daemon something. */
struct settings;
int answers_open(struct daemon *d, const struct settings *s, struct err *e);
void answers_settled(void *arg);        /* worker thread: who waits for that may hear it */
