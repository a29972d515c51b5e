#pragma once
/*
 * What people read, in their language. The English text is the source and the key; the catalogue is
 * gettext's (daemon/po). The language is chosen once, before threads start; from then on _() is a
 * pure function of its text, so that also the core may use it. Without tongue_init, without a
 * catalogue, and for a text that it does not have, the English stays.
 *
 * Sentences and words for people speak it wherever they stand, also in JSON. Codes, ids, members and
 * log lines are the same in every language.
 */
#include <stdbool.h>

#define _(text) tongue(text)
#define N_(text) (text)         /* marks a text of a table; _() it where it is shown */

/*
 * Chooses: `wanted` (--lang), else LANGUAGE, LC_ALL, LC_MESSAGES, LANG by their text, so that it does
 * not matter which locales this machine has. `wanted` may be NULL. Before threads; may be called again.
 */
void tongue_init(const char *wanted);
/* Is it a language that tongue_init knows: "zh", "zh_CN.UTF-8", "en"? */
bool tongue_knows(const char *wanted);
/* "en" or "zh_CN". */
const char *tongue_name(void);
/* Any thread. NULL stays NULL. */
const char *tongue(const char *english) __attribute__((format_arg(1)));
