/*
 * A finding is read by a clerk, so it shows the line with a caret under the word. Carets stand by
 * display width: a Han character takes two cells. What is shown comes from files that anyone may have
 * written, so control characters never reach the terminal, nor do lines that look as if they held
 * a secret in clear.
 */
#include <stdarg.h>
#include <utf8proc.h>

#include "base/str.h"
#include "settings/allow.h"
#include "settings/lint.h"
#include "settings/table.h"

enum { LINE_MAX_BYTES = 600 };

static char *clean(char *s)
{
	for (char *p = s; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	return s;
}

static void __attribute__((format(printf, 6, 0)))
put(struct lint *r, enum severity severity, const char *code, const struct mark *at, const char *remedy,
    const char *fmt, va_list ap)
{
	struct lint_entry entry = {.finding = {.severity = severity, .line = 1, .column = 1, .width = 1,
						 .file = "needle.yaml", .remedy = remedy ? remedy : ""}};
	char text[1000];

	/* Counted even when there is no room: an error must never pass for none. */
	if (severity == SEVERITY_ERROR)
		r->n_errors++;
	else
		r->n_warnings++;
	if (r->entries.n >= (severity == SEVERITY_ERROR ? 2 : 1) * LINT_MAX)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	/* A cut in the middle of a character would make the JSON form invalid. */
	for (size_t n = strlen(text); n && !str_is_utf8(text, n); n--)
		text[n - 1] = '\0';
	snprintf(entry.finding.code, sizeof(entry.finding.code), "%s", code);
	entry.finding.message = clean(arena_strdup(r->arena, text));
	if (at && at->source) {
		entry.source = at->source;
		entry.finding.file = at->source->name;
		entry.finding.line = at->line;
		entry.finding.column = at->column;
		entry.finding.width = at->width > 0 ? at->width : 1;
	}
	VEC_PUSH(&r->entries, entry);
}

void lint_add(struct lint *r, const char *code, const struct mark *at, const char *remedy,
		const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(r, *code == 'W' ? SEVERITY_WARNING : SEVERITY_ERROR, code, at, remedy, fmt, ap);
	va_end(ap);
}

void lint_warn(struct lint *r, const char *code, const struct mark *at, const char *remedy,
		 const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put(r, SEVERITY_WARNING, code, at, remedy, fmt, ap);
	va_end(ap);
}

void lint_hide_source(struct lint *r)
{
	if (r->entries.n)
		r->entries.v[r->entries.n - 1].hide_source = true;
}

/* Does a key that takes a secret stand in the line with something else than a reference behind it? */
static bool may_hold_secret(const struct lint *r, const char *line)
{
	size_t n;
	const struct key_info *keys = r->keys ? r->keys : settings_keys(&n);

	for (size_t i = 0; keys[i].path; i++) {
		const char *leaf = key_leaf(&keys[i]), *at = line;

		if (!(keys[i].flags & KEY_SECRET))
			continue;
		while ((at = strstr(at, leaf))) {
			at += strlen(leaf);
			at += strspn(at, "\"' ");
			if (*at != ':' && strncmp(at, "：", 3) != 0)
				continue;
			at += *at == ':' ? 1 : 3;
			at += strspn(at, "\"' ");
			if (keys[i].type == KEY_DSN ? strstr(at, "passw") || strstr(at, "://")
						    : strncmp(at, "${", 2) != 0)
				return true;
		}
	}
	return false;
}

static const char *line_to_show(const struct lint *r, const struct lint_entry *entry)
{
	const char *line;
	size_t len;
	char *copy;

	if (!entry->source || !entry->source->is_text || entry->hide_source)
		return NULL;
	line = source_line(entry->source, entry->finding.line, &len);
	if (!line)
		return NULL;
	if (len > LINE_MAX_BYTES)
		for (len = LINE_MAX_BYTES; len && ((unsigned char)line[len] & 0xc0) == 0x80; len--)
			;
	copy = clean(arena_strndup(r->arena, line, len));
	return may_hold_secret(r, copy) ? NULL : copy;
}

static int by_place(const void *a, const void *b)
{
	const struct lint_entry *x = a, *y = b;
	size_t ox = x->source ? x->source->order : 0, oy = y->source ? y->source->order : 0;

	if (ox != oy)
		return ox < oy ? -1 : 1;
	if (x->finding.line != y->finding.line)
		return x->finding.line < y->finding.line ? -1 : 1;
	if (x->finding.column != y->finding.column)
		return x->finding.column < y->finding.column ? -1 : 1;
	return strcmp(x->finding.code, y->finding.code);
}

void lint_finish(struct lint *r, struct findings *ret)
{
	size_t n;

	allow_apply(r);
	n = r->entries.n;
	if (n)
		qsort(r->entries.v, n, sizeof(*r->entries.v), by_place);
	ret->v = arena_alloc(r->arena, (n + 1) * sizeof(*ret->v));
	ret->n = n;
	ret->n_errors = r->n_errors;
	ret->n_warnings = r->n_warnings;
	for (size_t i = 0; i < n; i++) {
		ret->v[i] = r->entries.v[i].finding;
		ret->v[i].source = line_to_show(r, &r->entries.v[i]);
	}
}

void lint_done(struct lint *r)
{
	VEC_DONE(&r->entries);
	VEC_DONE(&r->allows);
}

void findings_join(struct findings *f, const struct findings *more, struct arena *a)
{
	struct finding *v = arena_alloc(a, (f->n + more->n + 1) * sizeof(*v));

	if (f->n)
		memcpy(v, f->v, f->n * sizeof(*v));
	if (more->n)
		memcpy(v + f->n, more->v, more->n * sizeof(*v));
	*f = (struct findings){v, f->n + more->n, f->n_errors + more->n_errors, f->n_warnings + more->n_warnings};
}

/* Display cells of the first `chars` characters. */
static int cells(const char *s, int chars)
{
	utf8proc_int32_t c;
	int width = 0;

	while (*s && chars-- > 0) {
		utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s, -1, &c);

		if (n <= 0)
			break;
		width += utf8proc_charwidth(c);
		s += n;
	}
	return width;
}

static int length(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void add_source(const struct finding *f, struct str *out)
{
	int chars = length(f->source), at, width;

	str_addf(out, "%5d | %s\n", f->line, f->source);
	if (f->column > chars + 1)
		return;
	at = cells(f->source, f->column - 1);
	width = cells(f->source, f->column - 1 + f->width) - at;
	str_addf(out, "      | %*s", at, "");
	for (int i = 0; i < (width > 0 ? width : 1); i++)
		str_addc(out, '^');
	str_addc(out, '\n');
}

void findings_text(const struct findings *f, struct str *out)
{
	static const char *const names[] = {N_("error"), N_("warning")};

	for (size_t i = 0; i < f->n; i++) {
		const struct finding *one = &f->v[i];

		str_addf(out, "%s:%d:%d: %s %s %s\n", one->file, one->line, one->column, _(names[one->severity]),
			 one->code, one->message);
		if (one->source)
			add_source(one, out);
		if (one->remedy && *one->remedy)
			str_addf(out, "      = %s\n", one->remedy);
	}
	if (f->n < f->n_errors + f->n_warnings)
		str_addf(out, _("only %zu of them are shown\n"), f->n);
	str_addf(out, _("%zu errors, %zu warnings\n"), f->n_errors, f->n_warnings);
}

void findings_json(const struct findings *f, struct str *out)
{
	static const char *const names[] = {"error", "warning"};

	str_add(out, "{\"findings\":[");
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *one = &f->v[i];

		str_addf(out, "%s{\"code\":\"%s\",\"severity\":\"%s\",\"file\":", i ? "," : "", one->code,
			 names[one->severity]);
		str_json(out, one->file);
		str_addf(out, ",\"line\":%d,\"column\":%d,\"width\":%d,\"message\":", one->line, one->column,
			 one->width);
		str_json(out, one->message);
		str_add(out, ",\"remedy\":");
		str_json(out, one->remedy ? one->remedy : "");
		str_add(out, ",\"source\":");
		str_json(out, one->source);
		str_addc(out, '}');
	}
	str_addf(out, "],\"errors\":%zu,\"warnings\":%zu}", f->n_errors, f->n_warnings);
}
