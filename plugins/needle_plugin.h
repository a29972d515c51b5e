#ifndef NEEDLE_PLUGIN_H
#define NEEDLE_PLUGIN_H
/*
 * The one header that a channel plugin and the daemon share. A plugin is a shared object with one
 * exported symbol, `needle_plugin`, a constant of type `struct needle_plugin`. It is data: the
 * daemon can print it, check options against it and refuse it without running a line of it.
 *
 * What a decoder does: it turns the bytes of one message into zero or more reports, each a JSON
 * text in the form of Needle's contract (members id, kind, text, category, reporter, place …).
 * The daemon then treats that text exactly like a report that came in that form.
 *
 * Rules
 *   Purity   decode() is a function of its arguments: no files, clock, network, log, global state.
 *   Threads  open() and close() run in one thread; decode() of one `self` never runs twice at once.
 *   Memory   everything passed in dies on return; emit() copies what it is given.
 *   Growth   members are only added at the end; struct_size tells how much the plugin knows.
 *            Another NEEDLE_PLUGIN_ABI is refused with a sentence.
 *   Privacy  `why` must not quote the message.
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NEEDLE_PLUGIN_ABI 1u

enum needle_option_type { NEEDLE_OPTION_TEXT, NEEDLE_OPTION_INTEGER, NEEDLE_OPTION_BOOLEAN };

/* One option of `options:` in channels.yaml. The table ends with a NULL name. */
struct needle_option {
	const char *name;
	enum needle_option_type type;
	const char *default_text;       /* NULL: the option is required */
	const char *help;               /* one sentence for the reference manual */
};

/* The options as configured, in the order of the table, defaults filled in, type checked. */
struct needle_value {
	const char *text;               /* always set */
	int64_t integer;                /* integers; booleans are 0 or 1 */
};

struct needle_message {
	size_t struct_size;
	const char *topic;
	const char *channel;            /* id of the channel */
	const char *source;             /* the topic's source, a checked id */
	const char *text;               /* UTF-8 without NUL, converted from the channel's charset */
	size_t text_len;
	int64_t received_us;            /* microseconds since 1970 UTC */
};

struct needle_output {
	size_t struct_size;
	void *context;
	/* Gives one report as JSON text. */
	void (*emit)(void *context, const char *json, size_t len);
};

enum needle_verdict {
	NEEDLE_DONE = 0,                /* everything in the message was emitted (perhaps nothing) */
	NEEDLE_NOT_MINE = 1,            /* not this decoder's shape: the daemon tries the contract's own form */
	NEEDLE_BAD = 2                  /* this decoder's shape, but broken: dead letter with `why` */
};

struct needle_plugin {
	uint32_t abi;                   /* NEEDLE_PLUGIN_ABI */
	uint32_t struct_size;           /* sizeof(struct needle_plugin) */
	const char *name;               /* the word behind `decoder:` */
	const char *version;
	const char *help;               /* one paragraph: which shapes it understands */
	const struct needle_option *options;
	/* values[i] belongs to options[i]. 0, or -1 with `why`. *self is passed back; may stay NULL. */
	int (*open)(const struct needle_value *values, void **self, char *why, size_t why_size);
	enum needle_verdict (*decode)(void *self, const struct needle_message *message,
				      const struct needle_output *output, char *why, size_t why_size);
	void (*close)(void *self);
};

/* The one symbol of a plugin; the daemon never refers to it by name. */
extern const struct needle_plugin needle_plugin __attribute__((visibility("default")));

#ifdef __cplusplus
}
#endif
#endif
