#pragma once
/*
 * What needlectl says to people in their language. English is the source text and the key, so that a
 * text without translation still reads. JSON is never translated. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

enum lang { LANG_EN, LANG_ZH };

/* --lang, else LANGUAGE, LC_ALL, LC_MESSAGES, LANG by their text. flag may be NULL. */
enum lang words_lang(const char *flag);
const char *words(enum lang lang, const char *english);
/* Every translation, for tests: the i-th pair, false behind the last. */
bool words_at(size_t i, const char **ret_english, const char **ret_chinese);
