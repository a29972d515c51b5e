#pragma once
/*
 * Field devices: (state, reading, settings, now) -> (new state, report | supplement | count | nothing, when to look
 * again). A device has a row of state for each of its alarms, and one named "" for its sign of life; the store keeps
 * them and decides nothing. Pure.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/office.h"

struct arena;
struct report;

/* ---- settings: the section `devices:` and devices.csv ----------------------------------------- */
struct device_pause {                   /* maintenance: half-open */
	int64_t from, to;
};
struct device_kind {
	const char *name;
	struct texts channel, category; /* of devices that are not in the register; both empty: registered ones only */
	bool has_limit, below;          /* readings of a value: at or above the limit is an alarm; below: at or below */
	double limit, clear;            /* clear: from here on it is over */
	int64_t hold;                   /* an alarm counts when it has held so long */
	int64_t window;                 /* after the last alarm, a further one is the same matter as long as its case is open */
	bool repeats_told, recovery_told;
	int flap_changes;               /* so often between calm and alarm within flap_within: damped; 0: never */
	int64_t flap_within;
	int64_t heartbeat;              /* the longest silence that is no matter; 0: none promised */
	const char *silence_category;   /* of the report about a silence, or NULL */
	int8_t silence_urgency;
	int64_t storm_within;           /* alarms of one cause are one case as long as one follows another within; 0: off */
	int storm_area;                 /* digits of the grid that make an area */
	const struct device_pause *pauses;
	size_t n_pauses;
};
struct device_entry {
	const char *device;
	const struct device_kind *kind;
	const char *address, *owner, *contact;  /* or NULL */
	const struct grid *grid;        /* or NULL */
	const struct department *dept;  /* who leads what no rule decides; or NULL */
	int64_t heartbeat;              /* -1: as its kind says; 0: none */
	const struct device_pause *pauses;
	size_t n_pauses;
};
/* "90 秒", "10 分钟", "2 小时", "3 天", or 90s 10m 2h 3d; microseconds. */
bool device_span_parse(const char *text, int64_t *ret);
/* "2026-12-01 08:00/2026-12-01 18:00", several with ; between. False: a part of them is none. */
bool device_pauses_parse(const char *text, struct arena *a, const struct device_pause **ret, size_t *ret_n);

/* ---- what a device says ----------------------------------------------------------------------- */
enum reading_state {
	READING_ALARM,                  /* something is wrong */
	READING_CLEAR,                  /* … is over; without the name of an alarm: all of it */
	READING_VALUE,                  /* a figure: the kind's limit decides */
	READING_ALIVE,                  /* a sign of life, nothing else */
	N_READING_STATE
};
extern const char *const reading_state_names[N_READING_STATE];

/* How an office watches the device that a report is of; NULL: it does not. ret_entry NULL where not registered. */
const struct device_kind *device_watched(const struct office *office, const struct report *r,
					 const struct device_entry **ret_entry);
/* Fills in what the register knows and the report does not say: address, grid, whom to call. */
void device_fill(const struct office *office, struct report *r);
/* A report as JSON of the contract's form, to be read again by understand_report; and one about a silence. */
const char *device_keep(const struct report *r, struct arena *a);
struct device_state;
const char *device_silence(const struct device_kind *kind, const struct device_state *s, int64_t now, struct arena *a);
/* Under which name the alarm of a report is kept; never "". */
const char *device_alarm(const struct report *r);
/* What makes alarms of several devices one matter: kind, category, area; `alarm` "" is silence. NULL: nothing does. */
const char *device_cause(const struct device_kind *kind, const char *alarm, const struct report *r, struct arena *a);

/* ---- state ------------------------------------------------------------------------------------ */
enum device_phase { DEVICE_CALM, DEVICE_HELD, DEVICE_ALARM, N_DEVICE_PHASE };
extern const char *const device_phase_names[N_DEVICE_PHASE];

struct device_state {
	const char *device, *alarm;     /* alarm "": its silence */
	const char *kind;               /* as it was watched last, or NULL */
	const char *channel, *source;   /* through which it spoke last */
	enum device_phase phase;        /* HELD: it is to hold first, or there is maintenance */
	int64_t since;                  /* in this phase */
	int64_t said_at;                /* when it was so by the device's own time: what is older changes nothing */
	int64_t alarm_at;               /* last alarm that counted; MOMENT_NONE: never */
	int64_t seen_at;                /* of alarm "": last sign of life */
	int64_t changed_at, changes_since;      /* of `changes` between calm and alarm */
	int changes;
	bool flapping;
	int repeats;                    /* alarms that were only counted, since the last word about them */
	const char *number;             /* its case, or NULL */
	const char *cause;              /* under which it shares that case, or NULL */
	const char *report;             /* JSON text of the alarm that is held, or NULL */
	int64_t wake_at;                /* when to look again; MOMENT_NONE: never */
	bool touched;                   /* it was stepped: the store's mark */
};
void device_state_init(struct device_state *s, const char *device, const char *alarm);

enum device_event { DEVICE_SAYS_ALARM, DEVICE_SAYS_CLEAR, DEVICE_SAYS_VALUE, DEVICE_SPEAKS, DEVICE_TICK };
struct device_input {
	const struct device_kind *kind;
	const struct device_entry *entry;       /* or NULL */
	enum device_event event;
	double value;
	int64_t at;                     /* by the device's own time */
	int64_t listening;              /* since when nothing of it can have been missed */
	bool case_open;                 /* s->number names a case that is at work */
};
enum device_act {
	DEVICE_NOTHING, DEVICE_COUNT,   /* COUNT: told nobody, kept with the state */
	DEVICE_REPORT,                  /* a new matter */
	DEVICE_SUPPLEMENT,              /* a word about the case that there is */
};
struct device_outcome {
	enum device_act act;
	const char *note;               /* of a supplement and of what is only counted: one sentence */
	bool begins, ends;              /* the alarm has begun to count, is over */
	bool keep;                      /* the report has to be kept in s->report: it may be needed later */
	int64_t look_at;                /* when to look again; MOMENT_NONE: never */
};
/* `now` is the gateway's. */
void device_step(struct device_state *s, const struct device_input *in, int64_t now, struct arena *a,
		 struct device_outcome *ret);

/* Devices of one cause. */
struct cause_state {
	const char *cause, *number;     /* number: of their case, or NULL */
	int64_t last_at;                /* the last alarm of any of them */
	int devices, active;            /* that have joined; that are still in alarm */
};
/*
 * A new matter of a device: does it share the case that others of its cause have? `*ret_note`: what is to be said of
 * it there, or NULL. False: it is the first, and its case is to be noted with cause_begin.
 */
bool cause_join(struct cause_state *c, const struct device_kind *kind, bool case_open, int64_t now, struct arena *a,
		const char **ret_note);
void cause_begin(struct cause_state *c, const char *number, int64_t now);
/* One of them is calm again; true: the last one, and that is worth a word. */
bool cause_leave(struct cause_state *c, struct arena *a, const char **ret_note);
