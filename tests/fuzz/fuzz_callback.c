/* What comes to needle-wechat from outside: the envelope and the XML of a callback, in the clear and sealed. */
#include "fuzz.h"

#include "base/vec.h"
#include "wechat/callback.h"
#include "wechat/crypt.h"
#include "wechat/xml.h"

static void check_heard(const struct heard *h)
{
	if (h->kind == HEARD_NOTHING || h->kind == HEARD_KF)
		return;
	MUST(h->id && *h->id && h->from && *h->from);
	MUST(!strpbrk(h->from, "/#+\n\t ") && strlen(h->from) <= 80);
	MUST(h->kind != HEARD_WORDS || h->text || h->address || h->has_position);
	MUST(!h->has_position || (h->lat >= -90 && h->lat <= 90 && h->lon >= -180 && h->lon <= 180));
	MUST(!h->text || str_is_utf8(h->text, strlen(h->text)));
}

static void read_one(const char *text, size_t len)
{
	struct arena a = {0};
	struct xml *xml = arena_alloc(&a, sizeof(*xml));
	struct heard h = {0};
	struct err e = {0};

	if (xml_read(text, len, &a, xml, &e) < 0 || callback_read(xml, 1, &h, &e) < 0)
		MUST(*e.code && *e.text);
	else
		check_heard(&h);
	arena_done(&a);
}

/* What was sealed comes back; what was not is told. */
static void check_envelope(const char *text, size_t len)
{
	static const unsigned char random[CRYPT_RANDOM] = "0123456789abcdef";
	struct str sealed = {0}, clear = {0};
	unsigned char key[CRYPT_KEY];
	struct err e = {0};

	MUST(crypt_key("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", key));
	if (crypt_open(key, "wx1", text, len, &clear, &e) < 0)
		MUST(*e.code);
	crypt_seal(key, "wx1", random, text, len, &sealed);
	MUST(crypt_open(key, "wx1", sealed.s, sealed.len, &clear, &e) == 0);
	MUST(clear.len == len && (!len || memcmp(clear.s, text, len) == 0));
	str_done(&sealed);
	str_done(&clear);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = {0};
	const char *text = fuzz_text(&a, data, size);

	read_one(text, size);
	check_envelope(text, size);
	arena_done(&a);
	return 0;
}
