#pragma once
/*
 * The envelope of WeChat's callbacks: SHA-1 over the sorted parts, AES-256-CBC with a key that the account's
 * page shows as 43 characters. There is no other authentication than the signature, so it is checked first,
 * in constant time; what is inside is then checked once more: padding, length, the account's id at the end.
 * Pure but for the 16 random bytes, which are the caller's.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct str;

enum { CRYPT_KEY = 32, CRYPT_KEY_TEXT = 43, CRYPT_SIGNATURE = 41, CRYPT_RANDOM = 16 };

/* 43 characters of base64. */
bool crypt_key(const char *text, unsigned char ret[CRYPT_KEY]);
/* 40 hex digits over the parts in their sorted order; at most 4, none NULL. */
void crypt_sign(const char *const *parts, size_t n, char ret[CRYPT_SIGNATURE]);
/* In a time that does not depend on what differs. A NULL is never right. */
bool crypt_is_signed(const char *signature, const char *const *parts, size_t n);
/*
 * Opens base64 text into `ret` (message only, NUL behind it). `id`: what must stand at the end; NULL: not
 * looked at. ERR_BAD with code base64, length, padding or id.
 */
int crypt_open(const unsigned char key[CRYPT_KEY], const char *id, const char *text, size_t len, struct str *ret,
	       struct err *e);
/* The reverse, as base64. */
void crypt_seal(const unsigned char key[CRYPT_KEY], const char *id, const unsigned char random[CRYPT_RANDOM],
		const char *message, size_t len, struct str *ret);
