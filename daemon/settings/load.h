#pragma once
/*
 * Inside the loader: what its files share. Order of work (load.c): read the files -> merge their
 * sections -> collect the names that sections define -> check every node against the table of keys ->
 * build the office -> check what it means. Whatever is wrong on the way is a finding; the building
 * goes on with defaults, so that one run tells everything.
 */
#include <openssl/evp.h>

#include "base/map.h"
#include "settings/lint.h"
#include "settings/snapshot.h"
#include "settings/table.h"
#include "settings/yaml.h"

enum symbols { SYM_CHANNELS, SYM_DEPARTMENTS, SYM_CATEGORIES, SYM_POLICIES, SYM_CALENDARS, SYM_ESCALATIONS,
	       SYM_WINDOWS, N_SYMBOLS };
struct symbol {
	const struct node *key;         /* where it is defined */
	const char *title;              /* its name: for people, or NULL */
	bool used;
};

struct loader {
	const char *folder;             /* real path */
	const struct load_options *options;
	struct settings *settings;
	struct arena *arena;
	struct lint lint;
	EVP_MD_CTX *hash;
	size_t n_sources;
	VEC(struct settings_file) files;
	bool broken;                    /* some file could not be understood: its names are missing */
	bool unsure;                    /* something is wrong already: a name in a test may only follow from it */
	struct node *root;              /* all files as one */
	const struct key_info *keys;    /* the table that shape_check works with */
	struct map symbols[N_SYMBOLS];
	int64_t now;
};

/* ---- files: load.c */
/* Remembers what was read, for who wants to see it later. */
void loader_keep(struct loader *l, const struct source *source, enum file_kind kind);
/* Reads a file of the folder as part of the configuration; E52 at `from` (NULL: nowhere) when it cannot. */
struct source *loader_read(struct loader *l, const char *name, size_t max, const struct mark *from);

/* ---- names: names.c */
extern const char *const symbol_sections[N_SYMBOLS];
void names_collect(struct loader *l);
/* Looks a name up and marks it used; NULL when undefined. */
struct symbol *names_use(struct loader *l, enum symbols kind, const char *name);
/* The same with E20 and a suggestion at `at` when it is undefined. `ref`: the section's name. */
bool names_check(struct loader *l, const char *ref, const char *name, const struct mark *at);
/* The known name that `wrong` was probably meant to be, or NULL. */
const char *suggest(const char *wrong, const char *const *known, size_t n);
/* "did you mean …", or `otherwise`. */
const char *suggest_remedy(struct loader *l, const char *suggestion, const char *otherwise);

/* ---- shape.c: every node against its row */
/* Is there neither the key nor a wrong one that was meant to be it (and is reported as such)? */
bool key_is_missing(const struct key_info *row, const struct node *map, const char *key);
void shape_check(struct loader *l, const struct key_info *keys, const struct node *root);

/* ---- scope.c: typed reading of a map that shape_check has seen; defaults come from the table */
struct scope {
	struct loader *l;
	const struct key_info *row;
	const struct node *map;         /* NULL: not written, everything by default */
};
struct scope scope_root(struct loader *l);
struct scope scope_in(struct scope s, const char *key);
struct scope scope_item(struct scope s, size_t i);      /* of a list or of named entries */
const struct node *scope_node(struct scope s, const char *key);  /* as written, or NULL */
struct mark scope_mark(struct scope s, const char *key);         /* of the value, the key or the map */
const char *scope_text(struct scope s, const char *key);
int64_t scope_int(struct scope s, const char *key);     /* also sizes and ages */
double scope_number(struct scope s, const char *key);
int scope_bool(struct scope s, const char *key);        /* -1: not written and no default */
int scope_enum(struct scope s, const char *key);        /* -1 likewise */
bool scope_deadline(struct scope s, const char *key, struct deadline *ret);
struct texts scope_texts(struct scope s, const char *key);       /* a list, or its only item */
const struct node *scope_list_item(const struct node *list, size_t i);
size_t scope_list_length(const struct node *list);      /* 1 for a single text */
const struct department *scope_dept(struct scope s, const char *key);
const struct policy *scope_policy(struct scope s, const char *key);
const struct calendar *scope_calendar(struct scope s, const char *key);
struct department_list {
	const struct department *const *v;
	size_t n;
};
struct department_list scope_depts(struct scope s, const char *key);

/* A step's `when`: false with code and place in *e, *ret_at. */
bool step_parse(const char *text, struct arena *a, struct step *ret, size_t *ret_at, struct err *e);

/* ---- building the office, in this order */
void load_calendars(struct loader *l);          /* and windows */
void load_departments(struct loader *l);
void load_deadlines(struct loader *l);          /* escalations, policies, reports */
void load_categories(struct loader *l);
void load_channels(struct loader *l);
void load_rules(struct loader *l);
void load_grids(struct loader *l);
void load_devices(struct loader *l);
void load_lifecycle(struct loader *l);
void load_talk(struct loader *l);
bool load_period(struct scope s, const char *name, struct period *ret);         /* false: it happens never */
void load_statistics(struct loader *l);         /* rates, wall, public lists, inspections */
void load_shell(struct loader *l);              /* what is not the office: broker, database, … */
/* `map`, `set`, `formats`, `codes` below s. */
void load_mapping(struct scope s, struct channel *channel);
void load_broker(struct scope s, struct broker_settings *ret);   /* s: the section `broker` */
void load_tests(struct loader *l);              /* after the checks: a test uses no name up */
/* ${secret:…} in a text; NULL when it could not be filled. Reports E50, E51. */
const char *secret_fill(struct loader *l, const struct node *node, const struct key_info *row);
/* The path of the file that holds a secret. */
const char *secret_path(struct loader *l, const struct node *node);

/* ---- what it means: check*.c */
void check_all(struct loader *l);
void check_topics(struct loader *l);
void check_categories(struct loader *l);
void check_rules(struct loader *l);
void check_departments(struct loader *l);
void check_hours(struct loader *l);
void check_policies(struct loader *l);
void check_years(struct loader *l);
void check_statistics(struct loader *l);
void check_unused(struct loader *l);
