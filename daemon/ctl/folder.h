#pragma once
/* Writing into a configuration folder: whole files, or nothing. */
#include <stddef.h>

struct err;

/*
 * Puts `text` in place of folder/name, by a rename, with the owner and mode that the file had; a new file gets
 * 0644. `was`: what must stand there now (NULL: no matter), so that nobody's work of this minute is lost;
 * ERR_BAD when something else does.
 */
int folder_write(const char *folder, const char *name, const char *text, size_t len, const char *was, struct err *e);
/* Makes the folders on the way to folder/name. */
int folder_make_way(const char *folder, const char *name, struct err *e);
