/* JSON pointers (RFC 6901), as the maps of channels write them: "/data/items/0/desc". */
#include <string.h>

#include "core/understand/stages.h"

enum { TOKEN_BYTES = 256, INDEX_DIGITS = 9 };

/* The token up to the next '/', ~1 and ~0 undone. False when it is too long or wrongly escaped. */
static bool token_read(const char **pointer, char token[TOKEN_BYTES])
{
	const char *s = *pointer;
	size_t n = 0;

	for (; *s && *s != '/'; s++) {
		char c = *s;

		if (c == '~' && *++s != '0' && *s != '1')
			return false;
		if (n == TOKEN_BYTES - 1)
			return false;
		token[n++] = c != '~' ? c : *s == '0' ? '~' : '/';
	}
	token[n] = '\0';
	*pointer = s;
	return true;
}

static json_t *element(const json_t *array, const char *token)
{
	size_t index = 0;

	if (!*token || strlen(token) > INDEX_DIGITS || (*token == '0' && token[1]))
		return NULL;
	for (; *token; token++) {
		if (*token < '0' || *token > '9')
			return NULL;
		index = 10 * index + (size_t)(*token - '0');
	}
	return json_array_get(array, index);
}

json_t *pointer_get(json_t *root, const char *pointer)
{
	char token[TOKEN_BYTES];
	json_t *at = root;

	while (at && *pointer) {
		if (*pointer++ != '/' || !token_read(&pointer, token))
			return NULL;
		at = json_is_array(at) ? element(at, token) : json_object_get(at, token);
	}
	return json_is_null(at) ? NULL : at;
}
