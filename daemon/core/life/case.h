#pragma once
/*
 * A case as the lifecycle knows it: all that decides what may happen next, and nothing personal
 * but the address of an open case. Loaded from the store, stepped, saved; texts live in an arena.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/office.h"
#include "core/time/moment.h"

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
	bool called;                    /* by a whistle: it must report in, once, before `due` */
	const char *from;               /* who whistled, or NULL */
	int seq;                        /* of the history row that gave the task; 0: with the case */
	int64_t due, reported_at;       /* its next limit, to come or to be done / when it came; MOMENT_NONE: none / not yet */
};
/* Called, and not there yet. */
static inline bool support_waits(const struct support *s)
{
	return s->called && s->reported_at == MOMENT_NONE;
}
/*
 * What one body asks of another within a case, with a limit of its own. Kept while it is open, and then
 * as long as the leg needs to know of it; the history has it for ever.
 */
enum errand_kind {
	ERRAND_EXTEND, ERRAND_SUSPEND,  /* leave that was asked for: from the lead to who grants it */
	ERRAND_PAUSE,                   /* the leave that a suspended case has: `until` */
	ERRAND_ORDER,                   /* a supervision order: to the lead */
	ERRAND_CONSULT,                 /* a consultation: topic, parties, when */
	ERRAND_STEP,                    /* the next link of a chain, opened when this one is resolved */
	ERRAND_TRIAGE,                  /* the time that triage has to hand the case out; done: a hand-over, from … to … */
	N_ERRAND_KIND
};
extern const char *const errand_kind_names[N_ERRAND_KIND];
struct errand {
	enum errand_kind kind;
	int seq;                        /* of the history row that began it: its name within the case */
	const char *from, *to;          /* department ids, or NULL */
	const char *text;               /* order, topic, reason … as given, or NULL */
	const char *request;            /* of the command that asked, or NULL */
	const char *more;               /* JSON text of what is particular to its kind, or NULL */
	int64_t at;                     /* since when */
	int64_t until;                  /* what is asked for, or how long it holds; MOMENT_NONE */
	int64_t due;                    /* limit of the answer; MOMENT_NONE: none */
	bool done;
};
/* A further reporter of the same matter: own receipt, replies and rating. */
struct joined {
	const char *channel, *source, *report, *reply_to;       /* as of the first report */
	const char *number;             /* of the case that it was before, or NULL */
	const char *person;             /* keyed hash of who it is, or NULL */
	int score;                      /* enum score, -1: not rated in this leg */
};
struct told {
	const char *dept;
	int seq;                        /* of the last event sent to it about this case */
};
/* What a provisional limit was counted from, so that it can be counted anew when its year has come. */
struct basis {
	int64_t from;
	const char *spec, *calendar;    /* as the policy had them; spec NULL: the limit is firm */
	int64_t paused;                 /* what pauses have added: of working time where it counts that, else of any */
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
	ALIST(struct errand) errands;
	ALIST(struct joined) joined;
	ALIST(struct told) told;
	int seq;                                /* of the last history row */
	const char *category, *grid;            /* or NULL */
	const char *title, *place;              /* masked; place may be NULL */
	const char *address;                    /* only of an open case, else NULL */
	const char *accused;                    /* department id of whom it complains about: it learns nothing; or NULL */
	const char *person;                     /* keyed hash of the first reporter, or NULL */
	int score;                              /* of the first reporter: enum score, -1: not rated in this leg */
	const char *const *names;               /* of the reporters, to be kept out of free text; not stored here */
	size_t n_names;
	const char *cells;                      /* where the open case is kept as a matter; or NULL */
	enum urgency urgency;
	enum visibility visibility;
	const char *horizon, *rule;             /* or NULL */
	const char *route_source, *config;
	struct leg leg;
	int reports, returns, heat, urges, urge_day, dissatisfied;
	int urged;                              /* urges of the whole life, forwarded or not */
	int64_t whole_due;                      /* the matter's own limit, from its receipt: no leg and no transfer moves it */
	int64_t received_at, resolved_at, closed_at;
	const char *close_reason, *joined_into;
};
