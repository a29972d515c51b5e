#pragma once
/*
 * The decoders of an office: one instance of a plugin (plugins/needle_plugin.h) for each channel that
 * names one with `decoder:`. A set belongs to one snapshot and must be closed before that snapshot is
 * given back: it borrows its channels. Reload opens the new set before it closes the old one, so that a
 * plugin that cannot be used leaves everything as it was.
 *
 * A plugin file stays mapped for the life of the process, also when it was refused: what
 * decoders_info hands out points into it. Open, close and info in any one thread; the functions that
 * decoders_lookup gives are called by the worker alone.
 */
#include <stdbool.h>
#include <stddef.h>

struct channel;
struct decoder_fn;
struct decoder_info;
struct decoders;
struct err;
struct office;
struct str;

/* $NEEDLE_PLUGINS, else `plugins` beside the program or ../lib/needle/plugins, else NEEDLE_LIBDIR/plugins. Returns buf. */
const char *decoders_folder(char *buf, size_t size);

/* ERR_BAD with one sentence when a plugin is missing, of another ABI, or does not like its options. */
int decoders_open(const char *folder, const struct office *office, struct decoders **ret, struct err *e);
void decoders_close(struct decoders *set);      /* NULL-safe */

/* The decoder_lookup of core/understand/message.h; arg is the struct decoders. */
bool decoders_lookup(void *arg, const struct channel *channel, struct decoder_fn *ret);

/* For load_options.decoder of settings/snapshot.h; arg is the folder (char *). False: ret->refused says why. */
bool decoders_info(void *folder, const char *name, struct decoder_info *ret);

/* Every plugin of the folder for people: name, version, help, options with type and default. */
int decoders_print(const char *folder, struct str *out, struct err *e);
