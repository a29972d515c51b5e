#pragma once
/*
 * What an office counts: rates, aims on the wall, periodic and public lists, inspections by register.
 * Part of the office's snapshot; pure data, filled by settings.
 */
#include <stddef.h>
#include <stdint.h>

#include "core/statistics/facts.h"
#include "core/statistics/hotwords.h"
#include "core/time/deadline.h"

struct category;
struct channel;
struct department;

struct names {
	const char *const *v;
	size_t n;
};
/* Which cases: all that is written must hold; within a list of names any of them. */
struct selection {
	int64_t all, any, none;         /* bits of facts */
	struct names channels, categories, departments, urgencies, horizons;
};
/* By which moment a case belongs to a period. */
enum rate_of { RATE_RECEIVED, RATE_RESOLVED, RATE_RATED, RATE_CLOSED, N_RATE_OF };
extern const char *const rate_of_names[N_RATE_OF];
struct rate {
	const char *name;
	enum rate_of of;
	struct selection numerator;     /* among the denominator's */
	struct selection denominator;
	bool fewer_is_better;
	const char *formula;            /* printed with every number */
};
/* 目标上墙、结果倒排: a rate over a span of days, with an end to count down to. */
struct aim {
	const char *name;
	const struct rate *rate;
	int64_t from, until;            /* half-open */
	int64_t target;                 /* how many; 0: as many as there are */
};

enum period_content { CONTENT_OVERDUE, CONTENT_OPEN, CONTENT_DUE, CONTENT_RECEIVED, CONTENT_CLOSED, CONTENT_AGAIN,
		      CONTENT_SUPERVISED, CONTENT_BULLETIN, CONTENT_RATES, CONTENT_INSPECTIONS, CONTENT_HOTWORDS, CONTENT_PROJECTS, N_PERIOD_CONTENT };
extern const char *const period_content_names[N_PERIOD_CONTENT];
enum period_covers { COVERS_SINCE, COVERS_MONTH, COVERS_QUARTER, COVERS_YEAR, N_PERIOD_COVERS };
extern const char *const period_covers_names[N_PERIOD_COVERS];
/* Half-open. */
struct stretch {
	int64_t from, to;
};
/* What a list at `at` covers, when the one before was at `since`; the stretch before it; the one a year ago. */
struct stretch stretch_covered(enum period_covers covers, int64_t since, int64_t at);
struct stretch stretch_before(enum period_covers covers, struct stretch s);
struct stretch stretch_year_ago(struct stretch s);
/* A list that is made again and again. */
struct period {
	const char *name, *title;       /* id; for people */
	struct deadline every;
	const char *text;               /* `every` in canonical form: another one begins anew */
	const struct department *to;    /* NULL: for everybody, so without places, titles and names */
	enum period_content content;
	enum period_covers covers;
};

struct site {
	const char *id, *name, *trade, *grade, *community, *grid, *contact, *phone;
};
struct grade {
	const char *name;
	struct deadline every;
	const char *text;
};
/* A register of sites: each is visited as often as its grade says, one case a visit. */
struct inspection {
	const char *name, *title;
	const struct channel *channel;
	const char *category, *task;    /* or NULL; what the visit is for */
	const struct grade *grades;
	size_t n_grades;
	const struct site *sites;
	size_t n_sites;
};

/* How lists of hot words are made, and where their subjects go. */
struct hotword_rules {
	struct hot_settings find;
	int64_t before_days, again_days;/* how far back the time before reaches; a subject is not proposed again so soon */
	const struct channel *channel;  /* NULL: nothing is proposed */
	const char *category;           /* or NULL */
};

/* 资源库: money, hours, places that items draw on, up to a ceiling. */
struct pool {
	const char *name, *unit;
	int64_t amount;
	int64_t from, until;            /* half-open; MOMENT_NONE: for ever */
};

struct point_rule;
struct point_good;
struct statistics {
	const struct rate *rates;
	size_t n_rates;
	const struct aim *aims;
	size_t n_aims;
	int problems;                   /* how many the wall shows */
	const struct period *publics;
	size_t n_publics;
	const struct inspection *inspections;
	size_t n_inspections;
	struct hotword_rules hot;
	const struct channel *projects; /* what comes by it is a project; or NULL */
	const struct pool *project_pool;/* what projects draw on that name none; or NULL */
	const struct pool *pools;
	size_t n_pools;
	const struct point_rule *point_rules;   /* points.h */
	size_t n_point_rules;
	const struct point_good *shop;
	size_t n_shop;
};

/* "closed, (satisfied | basically) ÷ rated; by closed": as every number is explained. */
struct arena;
const char *rate_formula(const struct rate *rate, struct arena *a);
