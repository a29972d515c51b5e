#pragma once
/*
 * A growing text with a stated maximum. Over the maximum it stops growing and remembers so
 * (`cut`): the caller decides whether that is an error. Always NUL-terminated once added to.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
	char *s;            /* NULL while empty */
	size_t len, cap;
	size_t max;         /* bytes; 0 = 16 MiB */
	bool cut;           /* something did not fit */
};

void str_add(struct str *t, const char *s);
void str_addn(struct str *t, const char *s, size_t n);
void str_addc(struct str *t, char c);
void str_addf(struct str *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds `s` as a JSON string with its quotes, or null. Bytes must be valid UTF-8. */
void str_json(struct str *t, const char *s);
void str_reset(struct str *t);  /* empty again, memory kept */
void str_done(struct str *t);

/* Strict numbers: the whole text, no space, no sign but '-', no overflow. False leaves *ret alone. */
bool str_to_int(const char *s, int64_t min, int64_t max, int64_t *ret);
bool str_is_id(const char *s);           /* [a-z0-9][a-z0-9_-]{0,63} : may become part of a topic */
bool str_is_case_number(const char *s);  /* [A-Z][A-Z0-9]{1,7}[0-9]{12,15} */
bool str_equal(const char *a, const char *b);  /* NULL equals NULL only */
void str_hex(const unsigned char *bytes, size_t n, char *ret);  /* 2 n digits and a NUL */
/* Valid UTF-8 without NUL, surrogates or overlong forms? */
bool str_is_utf8(const void *s, size_t n);
