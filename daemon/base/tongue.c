/*
 * gettext looks only at LANGUAGE once the locale is another than "C", and machines in server rooms
 * have no Chinese locale. So LANGUAGE is set from what was chosen, and each look into the catalogue
 * is made in a locale that every glibc has (C.UTF-8) or that the machine happens to have. It is worn for the
 * look only: with a process-wide locale strerror() and libpq would begin to speak Chinese in the log, and
 * in a character set of "C", where all of it is question marks.
 */
#include "base/tongue.h"

#include <libintl.h>
#include <limits.h>
#include <locale.h>
#include <unistd.h>

#include "base/str.h"
#include "base/vec.h"

#define DOMAIN "needle"
#ifndef NEEDLE_LOCALEDIR
#define NEEDLE_LOCALEDIR "/usr/local/share/locale"
#endif

static const struct language {
	const char *prefix;             /* of what an environment says */
	const char *name;
	bool catalogue;
} languages[] = {{"zh", "zh_CN", true}, {"en", "en", false}, {"C", "en", false}, {"POSIX", "en", false}};

static struct {
	const struct language *language;
	locale_t worn;                  /* 0: English */
} chosen;

static const struct language *find_language(const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(languages); i++) {
		size_t n = strlen(languages[i].prefix);

		if (len >= n && strncmp(text, languages[i].prefix, n) == 0 &&
		    (len == n || strchr("_-.@", text[n])))
			return &languages[i];
	}
	return NULL;
}

/* LANGUAGE may name several, the best first: the first that is known counts. */
static const struct language *find_in_list(const char *list)
{
	while (*list) {
		size_t len = strcspn(list, ":");
		const struct language *found = find_language(list, len);

		if (found)
			return found;
		list += len + (list[len] == ':');
	}
	return NULL;
}

static const struct language *choose(const char *wanted)
{
	static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	const struct language *found = wanted ? find_language(wanted, strlen(wanted)) : NULL;
	const char *text = getenv("LANGUAGE");

	if (!found && text)
		found = find_in_list(text);
	for (size_t i = 0; i < ARRAY_LEN(variables) && !found; i++) {
		text = getenv(variables[i]);
		if (text && *text)      /* the first that is set decides, also for a language that we do not have */
			return find_language(text, strlen(text));
	}
	return found;
}

static bool has_catalogue(const char *folder, const char *name)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s/LC_MESSAGES/" DOMAIN ".mo", folder, name);

	return n > 0 && n < (int)sizeof(path) && access(path, R_OK) == 0;
}

/* Beside the program in a build tree, above it where it is installed. */
static bool find_folder(const char *name, char folder[PATH_MAX])
{
	static const char *const near[] = {"locale", "../share/locale"};
	const char *given = getenv("NEEDLE_LOCALE");
	char program[PATH_MAX - 32], *end;
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	program[n > 0 ? n : 0] = '\0';
	end = strrchr(program, '/');
	if (given && *given) {
		snprintf(folder, PATH_MAX, "%s", given);
		if (has_catalogue(folder, name))
			return true;
	}
	for (size_t i = 0; end && i < ARRAY_LEN(near); i++) {
		snprintf(folder, PATH_MAX, "%.*s/%s", (int)(end - program), program, near[i]);
		if (has_catalogue(folder, name))
			return true;
	}
	snprintf(folder, PATH_MAX, "%s", NEEDLE_LOCALEDIR);
	return has_catalogue(folder, name);
}

/* A catalogue answers to the empty text with its header. */
static bool answers(locale_t locale)
{
	locale_t before = uselocale(locale);
	bool found = *dgettext(DOMAIN, "") != '\0';

	uselocale(before);
	return found;
}

static locale_t find_locale(const char *name)
{
	static const char *const candidates[] = {"C.UTF-8", "C.utf8", "zh_CN.UTF-8", "en_US.UTF-8"};
	char folder[PATH_MAX];

	if (!find_folder(name, folder) || !bindtextdomain(DOMAIN, folder) ||
	    !bind_textdomain_codeset(DOMAIN, "UTF-8") || setenv("LANGUAGE", name, 1) != 0)
		return (locale_t)0;
	for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
		locale_t locale = newlocale(LC_MESSAGES_MASK, candidates[i], (locale_t)0);

		if (locale && answers(locale))
			return locale;
		if (locale)
			freelocale(locale);
	}
	return (locale_t)0;
}

void tongue_init(const char *wanted)
{
	if (chosen.worn)
		freelocale(chosen.worn);
	chosen.language = choose(wanted);
	chosen.worn = chosen.language && chosen.language->catalogue ? find_locale(chosen.language->name) : (locale_t)0;
}

bool tongue_knows(const char *wanted)
{
	return find_language(wanted, strlen(wanted)) != NULL;
}

const char *tongue_name(void)
{
	return chosen.worn ? chosen.language->name : "en";
}

const char *tongue(const char *english)
{
	const char *said;
	locale_t before;

	/* The empty text is the catalogue's header. */
	if (!chosen.worn || !english || !*english)
		return english;
	before = uselocale(chosen.worn);
	said = dgettext(DOMAIN, english);
	uselocale(before);
	return said;
}
