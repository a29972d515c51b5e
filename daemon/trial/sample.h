#pragma once
/*
 * A message made of our own members, understood as if an adapter had sent it in our form: what
 * `explain` asks, what a test puts in. The channel's map, codes and decoder are left out, because
 * the members already are ours; its `set` holds. Pure.
 */
#include <jansson.h>
#include <stdint.h>

struct arena;
struct channel;
struct err;
struct office;
struct understood;

/* Sets a member by its path ("reporter.secret"), making the objects on the way; takes `value` over. */
void sample_put(json_t *members, const char *path, json_t *value);
/*
 * `members` gets v and, where it has none, an id. 0: *ret holds one report at least and is to be given
 * to understood_done, as in every case. ERR_BAD: it would be a dead letter, and why.
 */
int sample_understand(const struct office *office, const struct channel *channel, json_t *members, int64_t at,
		      struct arena *a, struct understood *ret, struct err *e);
