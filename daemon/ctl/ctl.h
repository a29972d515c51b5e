#pragma once
/*
 * needlectl: one file a verb, one table of them (needlectl.c), and here what all verbs share. A verb
 * fills ctl->out, which is printed when it returns, and returns an exit code, or an error:
 *   code "usage" -> 2, code "config" -> 78, else ERR_AGAIN -> 75, others -> 1.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/tongue.h"
#include "ctl/args.h"
#include "ctl/grid.h"

struct pg;
struct settings;
struct trial;

enum { CTL_DONE = 0, CTL_NO = 1, CTL_USAGE = 2, CTL_AWAY = 75, CTL_CONFIG = 78 };

struct ctl;
struct verb {
	const char *name;
	const char *group;              /* enum-like: which peers it needs, for the help */
	const char *operands;           /* "CASE ACTION", or "" */
	const char *help;               /* one line, catalogue text */
	const char *detail;             /* what a manual page says beside the flags; catalogue text, lines end with \n */
	const struct flag *flags;       /* may be NULL */
	size_t min_operands, max_operands;
	const char *formats;            /* one beside text and json, or NULL */
	int (*run)(struct ctl *ctl, struct err *e);
};
extern const char ctl_offline[], ctl_daemon[], ctl_stored[], ctl_broker[];  /* groups */
extern const struct verb verb_audit, verb_broker_acl, verb_calendar, verb_check, verb_clock, verb_deadletter, verb_deadline, verb_diff, verb_do,
	verb_drain, verb_explain, verb_fmt, verb_import, verb_lifecycle, verb_manual, verb_migrate, verb_points, verb_rates, verb_reload, verb_replay,
	verb_report, verb_rules,
	verb_schema, verb_show, verb_status, verb_test;

struct ctl {
	struct args args;
	bool json;                      /* --format json */
	const char *folder;             /* of the configuration */
	struct settings *settings;      /* after ctl_settings */
	struct arena arena;             /* life of the process */
	struct str out;
};

static inline const char *ctl_flag(const struct ctl *ctl, const char *name)
{
	return args_get(&ctl->args, name);
}
/* A word or a code for people: base/tongue.h; codes that the catalogue knows stand in daemon/po/codes. */
static inline const char *say(const struct ctl *ctl, const char *english)
{
	(void)ctl;
	return english ? tongue(english) : "-";
}
int ctl_usage(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A flag's value as an instant, or `otherwise` when it is not given. */
int ctl_time(const struct ctl *ctl, const char *flag, int64_t otherwise, int64_t *ret, struct err *e);
int ctl_number(const struct ctl *ctl, const char *flag, int64_t min, int64_t max, int64_t otherwise, int64_t *ret,
	       struct err *e);
/* Adds a JSON value as one line to the output. */
void ctl_print_json(struct ctl *ctl, const json_t *json);
/* An instant as RFC 3339, or JSON null. */
json_t *ctl_json_time(int64_t at);
json_t *ctl_json_text(const char *text);    /* NULL: null */

/* How the offline verbs load: decoders are known, a missing secret is no error. `plugins` must outlive the load. */
struct load_options;
void ctl_load_options(const struct ctl *ctl, char plugins[512], struct load_options *ret);
/* Loads any folder as the offline verbs do; one with errors ends in code "config". *ret is the caller's to unref. */
int ctl_load(struct ctl *ctl, const char *folder, struct settings **ret, struct err *e);
/* Loads the folder (once). */
int ctl_settings(struct ctl *ctl, struct err *e);
/* Connects to $NEEDLE_PG_DSN or the folder's database, also loading the folder: the tenant is in it. */
int ctl_database(struct ctl *ctl, struct pg **ret, struct err *e);
/* Department or officer as people call it; the id where the folder does not know it. Needs ctl_settings. */
const char *ctl_dept_name(const struct ctl *ctl, const char *id);

/* How the tests of ctl->settings ended: the verb's JSON, and the closing lines for people (test.c). */
json_t *ctl_trial_json(const struct ctl *ctl, const struct trial *trial);
void ctl_trial_text(struct ctl *ctl, const struct trial *trial);

/* Asks the running daemon. {"error":…} becomes ERR_BAD; *ret is the caller's. */
int ctl_ask(struct ctl *ctl, json_t *request, json_t **ret, struct err *e);
/* How many seconds to wait for a peer: --timeout. */
int ctl_timeout(const struct ctl *ctl, int64_t *ret_us, struct err *e);
