/*
 * A field that is not there in the report never meets a condition; only text.none is content with
 * nothing. Fields stand in the order of their cost, patterns last: PCRE2 gets a bounded text and
 * bounded steps, because one pattern that runs wild would hold the whole street's messages.
 */
#include "core/understand/when.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/tongue.h"
#include "base/vec.h"
#include "core/time/moment.h"

/* ---- fields ---------------------------------------------------------------------------------- */

/*
 * Does the report meet this field? *ret_what is what met it, as the configuration says it, and is
 * only worked out when somebody wants to know (ret_what is not NULL).
 */
typedef bool field_fn(struct sight *s, const struct when_ready *w, const char **ret_what);

static bool met(const char *what, const char **ret_what)
{
	if (ret_what)
		*ret_what = what;
	return true;
}

static bool listed(const struct texts *list, const char *text, const char **ret_what)
{
	for (size_t i = 0; text && i < list->n; i++)
		if (strcmp(list->v[i], text) == 0)
			return met(list->v[i], ret_what);
	return false;
}

/* The whole text, or what it begins with where the pattern ends in '*'. */
static bool listed_prefix(const struct texts *list, const char *text, const char **ret_what)
{
	for (size_t i = 0; text && i < list->n; i++) {
		size_t n = strlen(list->v[i]);
		bool open = n && list->v[i][n - 1] == '*';

		if (open ? strncmp(list->v[i], text, n - 1) == 0 : strcmp(list->v[i], text) == 0)
			return met(list->v[i], ret_what);
	}
	return false;
}

static bool field_channel(struct sight *s, const struct when_ready *w, const char **ret_what)
{
	return listed(&w->when->channel, s->report->channel ? s->report->channel->id : NULL,
		      ret_what);
}

static bool field_urgency(struct sight *s, const struct when_ready *w, const char **ret_what)
{
	int urgency = s->report->urgency < 0 ? URGENCY_NORMAL : s->report->urgency;

	return (w->when->urgency >> urgency & 1) && met(urgency_names[urgency], ret_what);
}

static bool field_secret(struct sight *s, const struct when_ready *w, const char **ret_what)
{
	return s->report->secret == (w->when->secret == 1) &&
	       met(s->report->secret ? "yes" : "no", ret_what);
}

static bool field_during(struct sight *s, const struct when_ready *w, const char **ret_what)
{
	for (size_t i = 0; i < w->when->n_during; i++) {
		const struct window *d = w->when->during[i];
		bool in = d->from <= d->to ? s->minute >= d->from && s->minute < d->to
					   : s->minute >= d->from || s->minute < d->to;

		if (in)
			return met(d->name, ret_what);
	}
	return false;
}

static bool field_device(struct sight *s, const struct when_ready *w, const char **ret_what)
{
	return listed_prefix(&w->when->device, s->report->device, ret_what);
}

static bool field_grid(struct sight *s, const struct when_ready *w, const char **ret_what)
{
	return listed_prefix(&w->when->grid, s->report->grid, ret_what);
}

static bool field_category(struct sight *s, const struct when_ready *w, const char **ret_what)
{
	const char *path = s->report->category;

	for (size_t i = 0; path && i < w->when->category.n; i++) {
		const char *branch = w->when->category.v[i];
		size_t n = strlen(branch);

		if (strncmp(branch, path, n) == 0 && (path[n] == '\0' || path[n] == '/'))
			return met(branch, ret_what);
	}
	return false;
}

static bool field_any(struct sight *s, const struct when_ready *w, const char **ret_what)
{
	for (size_t i = 0; i < w->any.n; i++)
		if (match_has(s->found, w->any.ids[i]))
			return met(w->when->any.v[i], ret_what);
	return false;
}

static bool field_all(struct sight *s, const struct when_ready *w, const char **ret_what)
{
	for (size_t i = 0; i < w->all.n; i++)
		if (!match_has(s->found, w->all.ids[i]))
			return false;
	for (size_t i = 0; ret_what && i < w->all.n; i++)
		*ret_what = i ? arena_printf(s->arena, "%s+%s", *ret_what, w->when->all.v[i])
			      : w->when->all.v[i];
	return true;
}

static bool field_none(struct sight *s, const struct when_ready *w, const char **ret_what)
{
	for (size_t i = 0; i < w->none.n; i++)
		if (match_has(s->found, w->none.ids[i]))
			return false;
	return met(NULL, ret_what);
}

static void *scratch_alloc(PCRE2_SIZE size, void *arena)
{
	return arena_alloc(arena, size);
}

static void scratch_free(void *p, void *arena)
{
	(void)p;        /* goes with the message */
	(void)arena;
}

static bool field_regex(struct sight *s, const struct when_ready *w, const char **ret_what)
{
	size_t len = strlen(s->report->shadow);

	if (!s->report->text)
		return false;
	if (len > REGEX_TEXT_BYTES)
		for (len = REGEX_TEXT_BYTES; (s->report->shadow[len] & 0xc0) == 0x80;)
			len--;
	if (!s->match_data)
		s->match_data = pcre2_match_data_create(
			1, pcre2_general_context_create(scratch_alloc, scratch_free, s->arena));
	for (size_t i = 0; i < w->n_regex; i++) {
		int r = pcre2_match(w->regex[i], (PCRE2_SPTR)s->report->shadow, len, 0,
				    PCRE2_NO_UTF_CHECK, s->match_data, s->limits);

		if (r >= 0)     /* over a limit counts as no match */
			return met(w->when->regex.v[i], ret_what);
	}
	return false;
}

enum field { FIELD_CHANNEL, FIELD_URGENCY, FIELD_SECRET, FIELD_DURING, FIELD_DEVICE, FIELD_GRID,
	     FIELD_CATEGORY, FIELD_ANY, FIELD_ALL, FIELD_NONE, FIELD_REGEX, N_FIELDS };
static const struct {
	const char *path;
	field_fn *fn;
} fields[N_FIELDS] = {
	[FIELD_CHANNEL] = {"channel", field_channel},
	[FIELD_URGENCY] = {"urgency", field_urgency},
	[FIELD_SECRET] = {"reporter.secret", field_secret},
	[FIELD_DURING] = {"during", field_during},
	[FIELD_DEVICE] = {"device", field_device},
	[FIELD_GRID] = {"grid", field_grid},
	[FIELD_CATEGORY] = {"category", field_category},
	[FIELD_ANY] = {"text.any", field_any},
	[FIELD_ALL] = {"text.all", field_all},
	[FIELD_NONE] = {"text.none", field_none},
	[FIELD_REGEX] = {"text.regex", field_regex},
};

/* ---- asking ---------------------------------------------------------------------------------- */

void sight_init(struct sight *s, const struct report *r, const struct match *words,
		pcre2_match_context *limits, struct arena *a)
{
	size_t n = match_set_size(words);
	uint64_t *found = arena_alloc(a, (n + 1) * sizeof(*found));
	struct civil civil = moment_civil(r->received_at);

	if (r->text)
		match_find(words, r->shadow, strlen(r->shadow), found);
	*s = (struct sight){.report = r, .found = found, .arena = a, .limits = limits,
			    .minute = civil.hour * 60 + civil.minute};
}

const char *when_failed(struct sight *s, const struct when_ready *w, size_t *ret_n)
{
	const char *first = NULL;

	if (ret_n)
		*ret_n = 0;
	for (uint32_t left = w->fields; left; left &= left - 1) {
		int i = __builtin_ctz(left);

		if (fields[i].fn(s, w, NULL))
			continue;
		if (!first)
			first = fields[i].path;
		if (!ret_n)
			break;
		++*ret_n;
	}
	return first;
}

const char *when_why(struct sight *s, const struct when_ready *w)
{
	const char *why = NULL;

	for (uint32_t left = w->fields; left; left &= left - 1) {
		int i = __builtin_ctz(left);
		const char *what = NULL;

		if (!fields[i].fn(s, w, &what) || !what)
			continue;
		why = arena_printf(s->arena, "%s%s%s %s", why ? why : "", why ? ", " : "",
				   fields[i].path, what);
	}
	return why ? why : _("any report");
}

/* ---- making ready ---------------------------------------------------------------------------- */

static uint32_t fields_asked(const struct when *w)
{
	const bool asked[N_FIELDS] = {
		[FIELD_CHANNEL] = w->channel.n,	  [FIELD_URGENCY] = w->urgency,
		[FIELD_SECRET] = w->secret >= 0,  [FIELD_DURING] = w->n_during,
		[FIELD_DEVICE] = w->device.n,	  [FIELD_GRID] = w->grid.n,
		[FIELD_CATEGORY] = w->category.n, [FIELD_ANY] = w->any.n,
		[FIELD_ALL] = w->all.n,		  [FIELD_NONE] = w->none.n,
		[FIELD_REGEX] = w->regex.n,
	};
	uint32_t bits = 0;

	for (int i = 0; i < N_FIELDS; i++)
		bits |= (uint32_t)asked[i] << i;
	return bits;
}

static void context_free(pcre2_compile_context **context)
{
	pcre2_compile_context_free(*context);
}

static int regex_compile(const char *pattern, pcre2_code **ret, struct err *e)
{
	const uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS | PCRE2_NO_AUTO_CAPTURE |
				 PCRE2_NEVER_BACKSLASH_C;
	CLEANUP(context_free) pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	PCRE2_UCHAR message[128];
	PCRE2_SIZE at, size = 0;
	int code;

	if (strlen(pattern) > REGEX_BYTES)
		return err_code(e, ERR_BAD, "regex", "the pattern is longer than %d bytes",
				REGEX_BYTES);
	if (!context)
		mem_die("regex");
	pcre2_set_parens_nest_limit(context, 32);
	*ret = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &code, &at,
			     context);
	if (!*ret) {
		pcre2_get_error_message(code, message, sizeof(message));
		return err_code(e, ERR_BAD, "regex", "the pattern is wrong at byte %zu: %s",
				(size_t)at, (const char *)message);
	}
	if (pcre2_pattern_info(*ret, PCRE2_INFO_SIZE, &size) != 0 || size > REGEX_COMPILED_BYTES)
		return err_code(
			e, ERR_BAD, "regex",
			"the pattern is too heavy: compiled it has %zu bytes, %d are allowed",
			(size_t)size, REGEX_COMPILED_BYTES);
	return 0;
}

int when_compile(const struct when *when, struct arena *a, struct when_ready *ret, struct err *e)
{
	*ret = (struct when_ready){.when = when, .fields = fields_asked(when)};
	ret->regex = arena_alloc(a, when->regex.n * sizeof(*ret->regex));
	for (size_t i = 0; i < when->regex.n; i++) {
		int r = regex_compile(when->regex.v[i], &ret->regex[i], e);

		ret->n_regex = i + 1;
		if (r < 0)
			return r;
	}
	return 0;
}

void when_free(struct when_ready *w)
{
	for (size_t i = 0; i < w->n_regex; i++)
		pcre2_code_free(w->regex[i]);
	w->n_regex = 0;
}
