#pragma once
/*
 * Prometheus text of the process: every counter of base/counter.h, what is known of the build and
 * the configuration, and further families written by callbacks (labels such as a rule's id).
 */
#include <stddef.h>
#include <stdint.h>

struct str;

struct metrics_label {
	const char *name, *value;       /* value: any UTF-8 */
};
struct metrics_source {
	void (*fn)(void *arg, struct str *out);  /* writes whole families with the two functions below */
	void *arg;
};

/* Starts a family: its HELP and TYPE lines. Counters' names end in _total. */
void metrics_family(struct str *out, const char *name, const char *type, const char *help);
void metrics_sample(struct str *out, const char *name, const struct metrics_label *labels, size_t n_labels,
		    int64_t value);
/* The whole page. hash may be NULL while no configuration is at work. */
void metrics_text(const char *version, const char *hash, const struct metrics_source *sources, size_t n_sources,
		  struct str *out);
