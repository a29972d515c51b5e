#pragma once
/* Files by the SHA-256 of what is in them: FOLDER/ab/abcd….jpg. What it is, its first bytes say, not its sender. */
#include <stddef.h>

struct err;

struct media_file {
	char name[96];                  /* "ab/abcd….jpg" */
	char sha256[65];
	const char *type;               /* static */
};
/* NULL: none of the kinds that are kept. *ret_end: what its name ends with. */
const char *media_type(const void *bytes, size_t len, const char **ret_end);
/* ERR_BAD with code type or empty; ERR_SYS: the disk. The file is whole or not there. */
int media_store(const char *folder, const void *bytes, size_t len, struct media_file *ret, struct err *e);
