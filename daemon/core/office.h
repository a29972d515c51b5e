#pragma once
/*
 * The office as its configuration describes it: one immutable snapshot that the core works with.
 * `settings` builds it and checks every reference, so that here a pointer is always good and an
 * absent one is NULL. Everything lives in the snapshot's arena. Read from any thread.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "core/time/calendar.h"
#include "core/statistics/statistics.h"
#include "core/time/deadline.h"

enum urgency { URGENCY_NORMAL, URGENCY_URGENT, URGENCY_CRITICAL, N_URGENCY };
enum visibility { VISIBLE_OPEN, VISIBLE_MASKED, VISIBLE_SEALED, N_VISIBILITY };
enum dept_kind { DEPT_OFFICE, DEPT_COMMUNITY, DEPT_SUPERVISOR, DEPT_PARTNER, N_DEPT_KIND };
/* The four clocks of a case, in the order of its life: 签收 先行联系 办结 反馈 */
enum clock_name { CLOCK_ACCEPT, CLOCK_CONTACT, CLOCK_RESOLVE, CLOCK_FEEDBACK, N_CLOCKS };

/* What a clock starts from. FROM_USUAL: as core/life/clocks.h says for that clock. */
enum clock_from { FROM_USUAL, FROM_RECEIVED, FROM_DISPATCHED, FROM_ACCEPTED, FROM_RESOLVED };

extern const char *const urgency_names[N_URGENCY];       /* "normal" … : the contract's words */
extern const char *const visibility_names[N_VISIBILITY];
extern const char *const dept_kind_names[N_DEPT_KIND];
extern const char *const clock_names[N_CLOCKS];
extern const char *const clock_from_names[FROM_RESOLVED - FROM_RECEIVED];       /* FROM_RECEIVED … FROM_ACCEPTED */
/* Index of `name` in a table of n names, -1 when absent. */
int name_index(const char *const *names, size_t n, const char *name);

struct department;
struct policy;

struct officer {
	const char *id, *name;
};
struct department {
	const char *id, *name;
	enum dept_kind kind;
	const char *leader;                 /* officer id, or NULL */
	const struct department *superior;
	const char *const *covers;          /* grid codes or prefixes ending in '*' */
	size_t n_covers;
	const struct calendar *duty;
	bool cards;                         /* false: reads events only, no retained queue */
	const struct officer *officers;     /* none: any `by` is taken */
	size_t n_officers;
};
struct category {
	const char *path;                   /* "市政/井盖" */
	const struct department *dept;      /* of the nearest ancestor that has one, or NULL */
	const struct policy *policy;        /* likewise */
	const char *const *codes;
	size_t n_codes;
};

enum step_when { STEP_BEFORE, STEP_AFTER, STEP_CREATED, STEP_UNASSIGNED };
enum step_do { DO_REMIND, DO_RAISE, DO_NOTIFY, DO_SUPERVISE, DO_PUBLISH, N_STEP_DO };
enum step_to { TO_LEAD, TO_LEADER, TO_SUPPORTS, TO_DEPT };
extern const char *const step_do_names[N_STEP_DO];
struct step {
	const char *text;                   /* the canonical `when`: the step's identity within its ladder */
	enum step_when when;
	enum clock_name clock;              /* of STEP_BEFORE / STEP_AFTER */
	bool has_span;                      /* "逾期" alone has none: at the limit */
	struct deadline span;
	enum step_do act;
	enum step_to to;
	const struct department *dept;      /* of TO_DEPT */
	bool has_within;
	struct deadline within;             /* of DO_SUPERVISE */
	int level;                          /* given, or the step's place among raise/notify/publish */
	int mark;                           /* in its identity; the same for ever: running cases remember what was done */
	const char *note;
};
struct escalation {
	const char *name;
	const struct step *steps;
	size_t n_steps;
	const struct calendar *quiet;       /* reminders wait while this calendar is closed; NULL: never */
	uint32_t quiet_except;              /* bit per enum step_do that quiet does not hold */
};
/* A time within which something has to be done, where the office sets one. */
struct limit {
	bool set;
	struct deadline in;
};
struct policy {
	const char *name;
	bool has[N_CLOCKS];
	struct deadline clock[N_CLOCKS];
	const char *text[N_CLOCKS];         /* as written */
	struct limit support;               /* for the task of each support */
	enum clock_from from[N_CLOCKS];
	uint32_t runs_on;                   /* bit per clock that a suspended case does not stop */
	const struct calendar *calendar;
	const struct escalation *escalation;/* may be NULL */
};
struct window {
	const char *name;
	int16_t from, to;                   /* minutes of the day, half-open; from > to wraps over midnight */
};

/* `when` of a rule or copy. Absent lists have n 0 and match anything; within a list: any of. */
struct texts {
	const char *const *v;
	size_t n;
};
struct when {
	struct texts channel, category, grid, device;
	uint32_t urgency;                   /* bit per enum urgency; 0: any */
	const struct window *const *during;
	size_t n_during;
	struct texts any, all, none;        /* keywords as written */
	struct texts regex;                 /* PCRE2, matched against the normalised text */
	int8_t secret;                      /* -1: any, else 0 or 1 */
};
struct then {
	const struct department *dept;      /* rules only */
	int8_t urgency;                     /* -1: as reported */
	const struct policy *policy;        /* NULL: the category's, else the fallback's */
	const struct department *const *supports;
	size_t n_supports;
	int8_t visibility;                  /* -1: the office's */
	const char *horizon;                /* now|near|mid|long or NULL */
};
struct rule {
	const char *id;
	struct when when;
	struct then then;
	const char *owner;
	int64_t until;                      /* end of that day, MOMENT_NONE: for ever */
	const char *file;
	int line;
};
struct copy_rule {
	const char *id;
	struct when when;
	const struct department *const *to;
	size_t n_to;
	const char *file;
	int line;
};
struct route_index;                         /* keywords of all rules in one automaton: core/understand/route.h */

/* How a channel's messages become reports. */
struct member_map {
	const char *member;                 /* ours, dotted: "place.grid" */
	const char *pointer;                /* theirs: JSON pointer */
};
struct member_set {
	const char *member;
	const char *text;                   /* the constant as written; typed by the member */
};
struct code_table {
	const char *member;                 /* whose values are translated */
	struct map values;                  /* their value -> our value (char *) */
};
struct member_format {
	const char *member;                 /* "time" */
	const char *format;                 /* strptime form, "unix", or "unixms" */
};
struct option_value {
	const char *name, *text;
};
struct channel {
	const char *id, *name;
	const char *const *filters;         /* MQTT filters, {tenant} and {channel} filled in */
	size_t n_filters;
	const char *decoder;                /* plugin name, or NULL: JSON with map */
	const char *charset;                /* iconv name, NULL: UTF-8 */
	const struct member_map *map;
	size_t n_map;
	const struct member_set *set;
	size_t n_set;
	const struct code_table *codes;
	size_t n_codes;
	const struct member_format *formats;
	size_t n_formats;
	int source_level;                   /* topic level (0 = first) of the source, -1: by pointer or filter */
	const char *source_pointer;         /* JSON pointer, or NULL */
	const struct option_value *options; /* for the decoder; checked against its table */
	size_t n_options;
	int vote;                           /* a rating may be votes: more than so many per cent dissatisfied; 0: not here */
	bool triage;                        /* what comes by it waits for triage to hand it out */
};

struct device_kind;                         /* how devices are watched: core/device/device.h */
struct device_entry;

struct grid {
	const char *code, *name, *community, *keeper;
	const struct department *dept;      /* or NULL */
};
struct return_code {
	const char *code, *text;
};
struct reply_text {
	const char *kind, *text;            /* text with {case} {answer} {department} {due} {reason} */
};
enum closing_rule { CLOSE_SATISFIED, CLOSE_RATED, CLOSE_RESOLVED };
struct lifecycle {
	const struct department *triage;
	enum closing_rule closing;
	struct deadline closing_window;
	bool unrated_close;                 /* unrated: close | keep */
	const struct policy *again_policy;  /* NULL: the leg's own */
	const char *again_second, *again_third; /* "supervise", "leader" */
	const struct department *supervisor;/* supervision.by, NULL: none named */
	struct deadline supervise_within, supervise_raise;
	bool supervise_raises;              /* an order is raised so long after its limit; else at the limit */
	const struct return_code *returns;
	size_t n_returns;
	int arbitrate_after;
	bool return_evidence;               /* returns.evidence: required */
	struct limit return_within;         /* for triage, to hand a returned case out */
	struct limit whistle_within;        /* for who is called, to report in */
	struct limit consult_within;        /* for the outcome, from when the consultation takes place */
	const struct department *extend_by, *suspend_by;
	int extend_times;
	struct deadline extend_max, suspend_max;
	int urges_per_day, urges_raise_after;
	double join_radius_m, join_auto, join_propose;
	int join_grid_prefix;
	struct deadline join_within;
	const struct reply_text *replies;
	size_t n_replies;
};

/* How the office talks in chats: core/talk/talk.h. */
enum talk_word { TALK_SATISFIED, TALK_BASICALLY, TALK_DISSATISFIED, TALK_WORD_URGE, TALK_WORD_WITHDRAW, TALK_WORD_STATUS,
		 TALK_WORD_ANOTHER, TALK_WORD_GREETING, N_TALK_WORD };
enum talk_line { LINE_ASK_PLACE, LINE_ASK_TEXT, LINE_ADDED, LINE_URGED, LINE_WITHDRAWN, LINE_DROPPED, LINE_RATED, LINE_NOTHING,
		 LINE_GREETING, N_TALK_LINE };
struct talk_settings {
	int64_t window_us, patience_us;
	bool ask[LINE_ASK_TEXT + 1];
	struct texts words[N_TALK_WORD];    /* as text_shadow gives them */
	struct texts places;                /* likewise */
	const char *lines[N_TALK_LINE];     /* empty: nothing is said */
};

struct office {
	const char *tenant, *name, *prefix;
	const struct channel *channels;
	size_t n_channels;
	const struct department *departments;
	size_t n_departments;
	const struct category *categories;
	size_t n_categories;
	const struct rule *rules;           /* in order: the first that matches wins */
	size_t n_rules;
	const struct copy_rule *copies;
	size_t n_copies;
	const struct policy *policies;
	size_t n_policies;
	const struct escalation *escalations;
	size_t n_escalations;
	const struct calendar *calendars;
	size_t n_calendars;
	const struct window *windows;
	size_t n_windows;
	const struct grid *grids;
	size_t n_grids;
	const struct device_kind *device_kinds;
	size_t n_device_kinds;
	const struct device_entry *devices; /* devices.csv */
	size_t n_devices;
	const struct period *periods;
	size_t n_periods;
	struct statistics statistics;
	const struct department *fallback_dept;
	const struct policy *fallback_policy;
	const struct calendar *default_calendar;
	struct lifecycle life;
	struct talk_settings talk;
	enum visibility visibility;         /* privacy.visibility */
	int64_t retain_days;                /* privacy.retain */
	/* look-up: id or path -> the struct above */
	struct map channel_by_id, dept_by_id, category_by_path, category_by_code, policy_by_name,
		calendar_by_name, grid_by_code, rule_by_id, device_by_id;
	const struct route_index *index;
	char hash[17];                      /* first 16 hex digits of the folder's SHA-256, secrets left out */
};
