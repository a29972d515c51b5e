#include "health/metrics.h"

#include <inttypes.h>

#include "base/counter.h"
#include "base/str.h"

/* The escapes of the text format: backslash and line feed everywhere, the quote in label values. */
static void escaped(struct str *out, const char *text, bool quotes)
{
	for (; *text; text++) {
		if (*text == '\n')
			str_add(out, "\\n");
		else if (*text == '\\' || (quotes && *text == '"'))
			str_addf(out, "\\%c", *text);
		else
			str_addc(out, *text);
	}
}

void metrics_family(struct str *out, const char *name, const char *type, const char *help)
{
	str_addf(out, "# HELP %s ", name);
	escaped(out, help, false);
	str_addf(out, "\n# TYPE %s %s\n", name, type);
}

void metrics_sample(struct str *out, const char *name, const struct metrics_label *labels, size_t n_labels,
		    int64_t value)
{
	str_add(out, name);
	for (size_t i = 0; i < n_labels; i++) {
		str_addf(out, "%s%s=\"", i ? "," : "{", labels[i].name);
		escaped(out, labels[i].value, true);
		str_addc(out, '"');
	}
	str_addf(out, "%s %" PRId64 "\n", n_labels ? "}" : "", value);
}

static void fact(struct str *out, const char *name, const char *help, const char *label, const char *value)
{
	const struct metrics_label labels[] = {{label, value}};

	metrics_family(out, name, "gauge", help);
	metrics_sample(out, name, labels, 1, 1);
}

void metrics_text(const char *version, const char *hash, const struct metrics_source *sources, size_t n_sources,
		  struct str *out)
{
	fact(out, "needle_build_info", "The version of the daemon that answers", "version", version);
	if (hash)
		fact(out, "needle_config_info", "The configuration at work", "hash", hash);
	for (size_t i = 0; i < N_COUNTERS; i++) {
		const struct counter_info *c = &counter_info[i];

		metrics_family(out, c->name, c->type, c->help);
		metrics_sample(out, c->name, NULL, 0, count_get((enum counter)i));
	}
	for (size_t i = 0; i < n_sources; i++)
		sources[i].fn(sources[i].arg, out);
}
