/* The padding is PKCS #7 with blocks of 32 bytes, not AES's 16: OpenSSL's own is switched off. */
#include "crypt.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

enum { BLOCK = 32, AES_BLOCK = 16, HEAD = CRYPT_RANDOM + 4, PARTS_MAX = 4 };

/* Strict: the alphabet, '=' at the end only, and no bits beyond the last byte are looked at. -1: it is none. */
static ptrdiff_t base64_decode(const char *text, size_t len, unsigned char *ret)
{
	uint32_t bits = 0;
	size_t n = 0, have = 0;

	while (len && text[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		int v = c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 :
			c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' ? 62 : c == '/' ? 63 : -1;

		if (v < 0)
			return -1;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			ret[n++] = (unsigned char)(bits >> have);
		}
	}
	return len % 4 == 1 ? -1 : (ptrdiff_t)n;
}

bool crypt_key(const char *text, unsigned char ret[CRYPT_KEY])
{
	unsigned char key[CRYPT_KEY + 3];

	if (!text || strlen(text) != CRYPT_KEY_TEXT || strchr(text, '=') ||
	    base64_decode(text, CRYPT_KEY_TEXT, key) != CRYPT_KEY)
		return false;
	memcpy(ret, key, CRYPT_KEY);
	return true;
}

void crypt_sign(const char *const *parts, size_t n, char ret[CRYPT_SIGNATURE])
{
	static const char hex[] = "0123456789abcdef";
	const char *sorted[PARTS_MAX] = {0};
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned len = 0;

	for (size_t i = 0; i < n && i < PARTS_MAX; i++) {
		size_t at = i;

		for (; at && strcmp(sorted[at - 1], parts[i]) > 0; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = parts[i];
	}
	if (!md || !EVP_DigestInit_ex(md, EVP_sha1(), NULL))
		mem_die("sha1");
	for (size_t i = 0; i < n && i < PARTS_MAX; i++)
		EVP_DigestUpdate(md, sorted[i], strlen(sorted[i]));
	EVP_DigestFinal_ex(md, digest, &len);
	EVP_MD_CTX_free(md);
	for (unsigned i = 0; i < len; i++) {
		ret[2 * i] = hex[digest[i] >> 4];
		ret[2 * i + 1] = hex[digest[i] & 15];
	}
	ret[2 * len] = '\0';
}

bool crypt_is_signed(const char *signature, const char *const *parts, size_t n)
{
	char right[CRYPT_SIGNATURE];

	if (!signature || strlen(signature) != CRYPT_SIGNATURE - 1)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!parts[i])
			return false;
	crypt_sign(parts, n, right);
	return CRYPTO_memcmp(signature, right, CRYPT_SIGNATURE - 1) == 0;
}

/* One pass of AES-256-CBC without padding; len is a multiple of 16. */
static bool aes(const unsigned char key[CRYPT_KEY], bool encrypt, const unsigned char *in, size_t len, unsigned char *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0, more = 0;
	bool ok = c && EVP_CipherInit_ex(c, EVP_aes_256_cbc(), NULL, key, key, encrypt) &&
		  EVP_CIPHER_CTX_set_padding(c, 0) && EVP_CipherUpdate(c, out, &n, in, (int)len) &&
		  EVP_CipherFinal_ex(c, out + n, &more);

	EVP_CIPHER_CTX_free(c);
	return ok && (size_t)(n + more) == len;
}

/* All of the padding bytes must agree; 0: they do not. */
static size_t padding_of(const unsigned char *plain, size_t len)
{
	size_t pad = plain[len - 1];

	if (pad < 1 || pad > BLOCK || pad > len)
		return 0;
	for (size_t i = 1; i <= pad; i++)
		if (plain[len - i] != pad)
			return 0;
	return pad;
}

static int unwrap(const unsigned char *plain, size_t len, const char *id, struct str *ret, struct err *e)
{
	size_t pad = padding_of(plain, len), n;

	if (!pad || pad == len)
		return err_code(e, ERR_BAD, "padding", "the padding inside the envelope is wrong");
	len -= pad;
	if (len < HEAD)
		return err_code(e, ERR_BAD, "length", "there is no message inside the envelope");
	n = (size_t)plain[16] << 24 | (size_t)plain[17] << 16 | (size_t)plain[18] << 8 | plain[19];
	if (n > len - HEAD)
		return err_code(e, ERR_BAD, "length", "the length inside the envelope is wrong");
	if (id && (len - HEAD - n != strlen(id) || memcmp(plain + HEAD + n, id, len - HEAD - n) != 0))
		return err_code(e, ERR_BAD, "id", "the envelope is for another account");
	str_reset(ret);
	str_addn(ret, (const char *)plain + HEAD, n);
	return 0;
}

int crypt_open(const unsigned char key[CRYPT_KEY], const char *id, const char *text, size_t len, struct str *ret,
	       struct err *e)
{
	CLEANUP(mem_freep) unsigned char *sealed = mem_alloc(len + 4), *plain = mem_alloc(len + 4);
	ptrdiff_t n = base64_decode(text, len, sealed);

	if (n < 0)
		return err_code(e, ERR_BAD, "base64", "the envelope is no base64");
	if (n < BLOCK || n % AES_BLOCK)
		return err_code(e, ERR_BAD, "length", "the envelope has an impossible length");
	if (!aes(key, false, sealed, (size_t)n, plain))
		return err_code(e, ERR_BAD, "padding", "the envelope cannot be opened");
	return unwrap(plain, (size_t)n, id, ret, e);
}

void crypt_seal(const unsigned char key[CRYPT_KEY], const char *id, const unsigned char random[CRYPT_RANDOM],
		const char *message, size_t len, struct str *ret)
{
	size_t all = HEAD + len + strlen(id), pad = BLOCK - all % BLOCK;
	CLEANUP(mem_freep) unsigned char *plain = mem_alloc(all + pad), *sealed = mem_alloc(all + pad);
	CLEANUP(mem_freep) unsigned char *text = mem_alloc((all + pad + 2) / 3 * 4 + 1);

	memcpy(plain, random, CRYPT_RANDOM);
	for (size_t i = 0; i < 4; i++)
		plain[CRYPT_RANDOM + i] = (unsigned char)(len >> (24 - 8 * i));
	memcpy(plain + HEAD, message, len);
	memcpy(plain + HEAD + len, id, strlen(id));
	memset(plain + all, (int)pad, pad);
	if (!aes(key, true, plain, all + pad, sealed))
		mem_die("aes");
	EVP_EncodeBlock(text, sealed, (int)(all + pad));
	str_reset(ret);
	str_add(ret, (const char *)text);
}
