#pragma once
/*
 * A whole configuration folder, loaded, checked and frozen: the office for the core, and what the
 * shell needs beside it. Reload builds a new one and swaps a pointer; a message, a timer and a
 * request see one snapshot from start to end.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/office.h"

struct arena;
struct err;

enum severity { SEVERITY_ERROR, SEVERITY_WARNING };
struct finding {
	char code[4];                   /* "E20", "W05" */
	enum severity severity;
	const char *file;               /* relative to the folder */
	int line, column;               /* 1-based; column counts characters */
	int width;                      /* characters under the caret, at least 1 */
	const char *message, *remedy;   /* one sentence each */
	const char *source;             /* the source line, or NULL */
};
struct findings {
	struct finding *v;
	size_t n, n_errors, n_warnings;
};

struct broker_settings {
	const char *host, *user, *password;
	int port;
	const char *tls_ca, *tls_cert, *tls_key;    /* absolute paths or NULL */
};
struct http_settings {
	const char *address;            /* NULL: no HTTP */
	int port;
};
struct intake_settings {
	bool power;                     /* durability: power */
	int64_t inbox_bytes;
};
struct reload_settings {
	bool tests_required, warnings_deny;
	int min_coverage;
};
/* A file as it was read. */
enum file_kind { FILE_YAML, FILE_DATA, FILE_TESTS };    /* FILE_TESTS decides nothing: not part of the hash */
struct settings_file {
	const char *name, *text;
	size_t len;
	enum file_kind kind;
};
struct settings {
	struct office office;
	struct broker_settings broker;
	const char *dsn;
	struct http_settings http;
	struct intake_settings intake;
	struct reload_settings reload;
	const char *privacy_keys;       /* secret text or NULL */
	const struct test *tests;       /* of tests/NAME.test.yaml: settings/tests.h */
	size_t n_tests;
	struct rule_hits *const *hits;  /* by rule, once hits_attach was called; else NULL */
	const char *folder;             /* absolute */
	const struct settings_file *files;
	size_t n_files;
	const char *loaded_by;          /* who asked for it, or NULL */
	struct findings findings;       /* warnings of a good snapshot */
	const struct node *tree;        /* all files as one, for settings_print */
	struct arena *arena;
	int refs;                       /* through settings_ref / settings_unref only */
};

enum { LOAD_SECRETS_OPTIONAL = 1 };     /* offline: a missing secret is a warning */
/* What the loader must know of a decoder plugin; supplied by the program so that settings need not load any. */
struct decoder_info {
	const char *name;
	const struct needle_option *options;    /* of plugins/needle_plugin.h; ends with NULL name */
	char refused[400];              /* why there is no such decoder, one sentence for a finding; else empty */
};
struct load_options {
	unsigned flags;
	const char *env_file;           /* NAME=value lines for ${secret:NAME}, or NULL */
	const char *loaded_by;          /* kept in the snapshot */
	/* Is there such a decoder? Fills *ret. NULL function: decoders and options are not checked. */
	bool (*decoder)(void *arg, const char *name, struct decoder_info *ret);
	void *decoder_arg;
};
enum { SETTINGS_HAS_ERRORS = 1 };
/*
 * 0: *ret is a usable snapshot with one reference. SETTINGS_HAS_ERRORS: *ret holds only the findings
 * (still to be unref'd). ERR_*: the folder cannot be read at all.
 */
int settings_load(const char *folder, const struct load_options *options, struct settings **ret, struct err *e);
struct settings *settings_ref(struct settings *s);
void settings_unref(struct settings *s);        /* NULL-safe; frees at the last */
/* Puts more behind those of *f; the list is made anew in the arena, the texts stay where they are. */
void findings_join(struct findings *f, const struct findings *more, struct arena *a);
/* Prints findings as people read them (file:line:col, source line, caret by display width, remedy). */
struct str;
void findings_text(const struct findings *f, struct str *out);
void findings_json(const struct findings *f, struct str *out);   /* {"findings":[…],"errors":n,"warnings":n} */
/* The files as they were read, {name: text}; secrets are only named in them. */
void settings_source_json(const struct settings *s, struct str *out);
/* The effective configuration, secrets as ***, YAML that loads again (for needled -T). */
void settings_print(const struct settings *s, struct str *out);
