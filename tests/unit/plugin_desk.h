#pragma once
/*
 * An office with one channel and the decoder under test, and a way to compare reports. Tests run in the
 * project's folder; the plugins are those of $NEEDLE_PLUGINS, else of the build that the test belongs to.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/office.h"
#include "core/understand/message.h"
#include "plugin/decoder.h"
#include "needle_plugin.h"
#include "settings/snapshot.h"

static inline char *plugin_folder(void)
{
	static char folder[PATH_MAX];
	const char *named = getenv("NEEDLE_PLUGINS");
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	exe[n > 0 ? n : 0] = '\0';
	if (strrchr(exe, '/'))
		*strrchr(exe, '/') = '\0';
	if (named && *named)
		snprintf(folder, sizeof(folder), "%s", named);
	else
		snprintf(folder, sizeof(folder), "%.4000s/../plugins", exe);
	return folder;
}

struct desk {
	struct channel channel;
	struct office office;
	struct decoders *set;
	struct decoder_fn fn;
	struct arena arena;
	struct err e;
};

static inline int desk_open(struct desk *d, const char *from, const char *decoder, const struct option_value *options,
		     size_t n_options)
{
	static const char *const filters[] = {"needle/jiyuanlu/in/it/+"};
	int r;

	*d = (struct desk){0};
	d->channel = (struct channel){.id = "it", .name = "渠道", .filters = filters, .n_filters = 1,
				      .decoder = decoder, .source_level = 4, .options = options,
				      .n_options = n_options};
	d->office = (struct office){.tenant = "jiyuanlu", .channels = &d->channel, .n_channels = 1};
	map_put(&d->office.channel_by_id, "it", &d->channel);
	r = decoders_open(from, &d->office, &d->set, &d->e);
	if (r == 0)
		assert_true(decoders_lookup(d->set, &d->channel, &d->fn));
	return r;
}

static inline void desk_close(struct desk *d)
{
	decoders_close(d->set);
	map_done(&d->office.channel_by_id);
	arena_done(&d->arena);
}

static inline int desk_decode(struct desk *d, const char *text, size_t len, char ***ret, size_t *ret_n)
{
	struct message m = {.topic = "needle/jiyuanlu/in/it/s1", .payload = text, .payload_len = len,
			    .received_at = 1795134999000000};

	*ret = NULL;
	*ret_n = 0;
	d->e = (struct err){0};
	return d->fn.decode(d->fn.self, &m, text, len, &d->arena, ret, ret_n, &d->e);
}

static inline json_t *want_parse(const char *want)
{
	CLEANUP(mem_freep) char *text = mem_strdup(want);
	json_error_t error;
	json_t *json;

	for (char *p = text; *p; p++)
		*p = (char)(*p == '\'' ? '"' : *p);
	json = json_loads(text, 0, &error);
	if (!json)
		fail_msg("the table's %s: %s", text, error.text);
	return json;
}

/* Everything in want is in got; the path of the first difference, or NULL. */
static inline const char *differs(const json_t *want, const json_t *got, const char *path)
{
	const char *name, *where;
	json_t *w;
	size_t i;

	if (json_is_null(want))
		return got ? path : NULL;
	if (json_is_object(want)) {
		json_object_foreach((json_t *)(uintptr_t)want, name, w) {
			where = differs(w, json_object_get(got, name), name);
			if (where)
				return where;
		}
		return json_is_object(got) ? NULL : path;
	}
	if (json_is_array(want)) {
		json_array_foreach(want, i, w) {
			where = differs(w, json_array_get(got, i), path);
			if (where)
				return where;
		}
		return json_array_size(got) == json_array_size(want) ? NULL : path;
	}
	return json_equal(want, got) ? NULL : path;
}

