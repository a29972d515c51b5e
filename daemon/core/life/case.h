#pragma once
/*
 * A case as the lifecycle knows it: all that decides what may happen next, and nothing personal
 * but the address of an open case. Loaded from the store, stepped, saved; texts live in an arena.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/office.h"

/* An array that grows in an arena: ALIST(struct x) list = {0}; ALIST_PUSH(arena, &list, x); */
#define ALIST(type) struct { type *v; size_t n, cap; }
#define ALIST_PUSH(a, list, ...)                                                              \
	do {                                                                                  \
		if ((list)->n == (list)->cap) {                                               \
			size_t cap_ = (list)->cap ? 2 * (list)->cap : 4;                      \
			void *v_ = arena_alloc((a), cap_ * sizeof(*(list)->v));               \
			if ((list)->n)                                                        \
				memcpy(v_, (list)->v, (list)->n * sizeof(*(list)->v));        \
			(list)->v = v_;                                                       \
			(list)->cap = cap_;                                                   \
		}                                                                             \
		(list)->v[(list)->n++] = __VA_ARGS__;                                         \
	} while (0)

enum case_state { STATE_RECEIVED, STATE_TRIAGE, STATE_ASSIGNED, STATE_ACCEPTED, STATE_SUSPENDED, STATE_RESOLVED,
		  STATE_CLOSED, STATE_JOINED, N_CASE_STATE };
extern const char *const case_state_names[N_CASE_STATE];

struct support {
	const char *dept, *task;        /* task may be NULL */
	bool done;
};
struct told {
	const char *dept;
	int seq;                        /* of the last event sent to it about this case */
};
/* What a provisional limit was counted from, so that it can be counted anew when its year has come. */
struct basis {
	int64_t from;
	const char *spec, *calendar;    /* as the policy had them; spec NULL: the limit is firm */
};
/* The running leg: its clocks never move once set, except visibly. */
struct leg {
	int n;                          /* 1, 2 … */
	const char *policy;
	int64_t started_at;
	int64_t due[N_CLOCKS], met[N_CLOCKS];   /* MOMENT_NONE: no such clock / not met yet */
	struct basis unsure[N_CLOCKS];
	bool provisional;               /* one of them is unsure and not met */
	int level;                      /* highest escalation so far */
	ALIST(const char *) fired;      /* identities of what the ladder has done in this leg */
};
struct case_record {
	const char *number;
	const char *channel, *source, *report;  /* the first report and where its answers go */
	const char *reply_to;                   /* JSON text as given, or NULL */
	bool from_device;                       /* nobody waits for an answer */
	enum case_state state;
	const char *lead;                       /* department id */
	ALIST(struct support) supports;
	ALIST(struct told) told;
	int seq;                                /* of the last history row */
	const char *category, *grid;            /* or NULL */
	const char *title, *place;              /* masked; place may be NULL */
	const char *address;                    /* only of an open case, else NULL */
	enum urgency urgency;
	enum visibility visibility;
	const char *horizon, *rule;             /* or NULL */
	const char *route_source, *config;
	struct leg leg;
	int reports, returns, heat, urges, urge_day, dissatisfied;
	int64_t received_at, resolved_at, closed_at;
	const char *close_reason, *joined_into;
};
