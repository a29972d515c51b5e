/*
 * libyaml drops comments, so they are looked for in the lines, beside the texts that it found. What
 * nothing answers to is said (W90), or allowances would outlive their reasons; but for warnings that
 * come and go with the day, the machine or the verb, and while errors keep other checks from running.
 */
#include "settings/allow.h"

#include <ctype.h>

enum { ALLOW_MAX = 1000 };

static const char *const comes_and_goes[] = {"W08", "W09", "W20", "W21", "W22", "W32", "W40", "W41", "W42", "W50", "E51"};

/* In the last text that begins at or before the place? */
static bool is_inside(const struct extent *texts, size_t n, int line, int column)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (texts[mid].line < line || (texts[mid].line == line && texts[mid].column <= column))
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return false;
	texts += low - 1;
	return line < texts->end_line || (line == texts->end_line && column < texts->end_column);
}

/* Behind `# lint:` and blanks, or NULL. A full-width colon is what a Chinese keyboard gives. */
static const char *lint_comment(const char *s, const char *end)
{
	static const char *const marks[] = {"lint:", "lint：", "LINT:"};

	for (s++; s < end && isblank((unsigned char)*s); s++)
		;
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		size_t len = strlen(marks[i]);

		if ((size_t)(end - s) >= len && memcmp(s, marks[i], len) == 0)
			return s + len;
	}
	return NULL;
}

static const char *skip_blanks(const char *s, const char *end)
{
	while (s < end && isblank((unsigned char)*s))
		s++;
	return s;
}

static bool is_code(const char *s, const char *end)
{
	return end - s >= 3 && (*s == 'W' || *s == 'E') && isdigit((unsigned char)s[1]) && isdigit((unsigned char)s[2]) &&
	       (end - s == 3 || isblank((unsigned char)s[3]) || s[3] == ',');
}

static bool is_only_comment(const char *line, size_t len)
{
	const char *s = skip_blanks(line, line + len);

	return s == line + len || *s == '#';
}

/* The line that a comment on a line of its own is about: the next that holds anything else. */
static int next_line(const struct source *source, int line)
{
	size_t len;
	const char *text;

	do
		text = source_line(source, ++line, &len);
	while (text && is_only_comment(text, len));
	return line;
}

static void report(struct lint *lint, const struct mark *at, const char *what)
{
	lint_add(lint, "W90", at, _("write “# lint: allow W05 reason”, or take the comment out"), "%s", what);
}

/* `s` is behind the colon. */
static void collect_one(struct lint *lint, const struct mark *at, int about, const char *s, const char *end)
{
	static const char word[] = "allow";
	size_t first = lint->allows.n;
	bool reason;

	s = skip_blanks(s, end);
	if ((size_t)(end - s) < sizeof(word) || memcmp(s, word, sizeof(word) - 1) != 0) {
		report(lint, at, _("a comment to lint that is not understood"));
		return;
	}
	s = skip_blanks(s + sizeof(word) - 1, end);
	while (is_code(s, end) && lint->allows.n < ALLOW_MAX) {
		VEC_PUSH(&lint->allows, (struct lint_allow){.at = *at, .line = about, .code = {s[0], s[1], s[2]}});
		for (s += 3; s < end && (isblank((unsigned char)*s) || *s == ','); s++)
			;
	}
	reason = s < end;
	if (lint->allows.n == first)
		report(lint, at, _("a comment to lint that names no warning"));
	else if (!reason)
		report(lint, at, arena_printf(lint->arena, _("%s is not allowed without a reason"),
						      lint->allows.v[first].code));
	if (!reason)
		lint->allows.n = first;
}

void allow_collect(struct lint *lint, const struct source *source, const struct extent *texts, size_t n)
{
	size_t len;
	const char *line;

	for (int i = 1; (line = source_line(source, i, &len)); i++) {
		const char *end = line + len;

		for (const char *s = memchr(line, '#', len); s; s = memchr(s + 1, '#', (size_t)(end - s - 1))) {
			struct mark at = source_mark(source, (size_t)(s - source->text));
			const char *rest = s == line || isblank((unsigned char)s[-1]) ? lint_comment(s, end) : NULL;

			if (!rest || is_inside(texts, n, at.line, at.column))
				continue;
			collect_one(lint, &at, is_only_comment(line, len) ? next_line(source, i) : i, rest, end);
			break;
		}
	}
}

static bool is_allowed(struct lint *lint, const struct lint_entry *entry)
{
	bool allowed = false;

	for (size_t i = 0; i < lint->allows.n && entry->finding.severity == SEVERITY_WARNING; i++) {
		struct lint_allow *a = &lint->allows.v[i];

		if (a->at.source == entry->source && a->line == entry->finding.line && strcmp(a->code, entry->finding.code) == 0)
			allowed = a->used = true;
	}
	return allowed;
}

void allow_apply(struct lint *lint)
{
	size_t kept = 0;

	for (size_t i = 0; i < lint->entries.n; i++)
		if (!is_allowed(lint, &lint->entries.v[i]))
			lint->entries.v[kept++] = lint->entries.v[i];
	lint->n_warnings -= lint->entries.n - kept;
	lint->entries.n = kept;
	for (size_t i = 0; i < lint->allows.n && !lint->n_errors; i++) {
		const struct lint_allow *a = &lint->allows.v[i];
		bool comes = false;

		for (size_t k = 0; k < ARRAY_LEN(comes_and_goes); k++)
			comes |= strcmp(a->code, comes_and_goes[k]) == 0;
		if (!a->used && !comes)
			report(lint, &a->at, arena_printf(lint->arena, _("there is no %s here to allow"), a->code));
	}
}
