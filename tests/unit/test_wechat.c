/* The pure parts of needle-wechat: envelope, XML, callbacks, files by their first bytes; and the shelf. */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "wechat/callback.h"
#include "wechat/crypt.h"
#include "wechat/media.h"
#include "wechat/shelf.h"
#include "wechat/xml.h"

static const char key_text[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

/* ---- the envelope ---------------------------------------------------------------------------- */

/* The example of WeCom's own documentation. */
static void the_published_example_opens(void **state)
{
	static const char sealed[] = "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/"
				     "sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+"
				     "HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUc"
				     "allcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/"
				     "T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q==";
	const char *parts[] = {"QDG6eK", "1409659813", "1372623149", sealed};
	unsigned char key[CRYPT_KEY];
	struct str clear = {0};
	struct err e = {0};

	(void)state;
	assert_true(crypt_is_signed("477715d11cdb4164915debcba66cb864d751f3e6", parts, 4));
	assert_true(crypt_key("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", key));
	assert_int_equal(crypt_open(key, "wx5823bf96d3bd56c7", sealed, strlen(sealed), &clear, &e), 0);
	assert_non_null(strstr(clear.s, "<Content><![CDATA[hello]]></Content>"));
	str_done(&clear);
}

static void every_length_comes_back(void **state)
{
	const unsigned char random[CRYPT_RANDOM] = "0123456789abcdef";
	unsigned char key[CRYPT_KEY];
	char message[200];

	(void)state;
	assert_true(crypt_key(key_text, key));
	for (size_t n = 0; n < sizeof(message); n++) {
		struct str sealed = {0}, clear = {0};
		struct err e = {0};

		memset(message, 'x', sizeof(message));
		crypt_seal(key, "wx1", random, message, n, &sealed);
		assert_int_equal(crypt_open(key, "wx1", sealed.s, sealed.len, &clear, &e), 0);
		assert_int_equal(clear.len, n);
		assert_int_equal(crypt_open(key, "wx2", sealed.s, sealed.len, &clear, &e), ERR_BAD);
		assert_string_equal(e.code, "id");
		str_done(&sealed);
		str_done(&clear);
	}
}

/* Whatever bit is changed: it is told, or at least nothing but the text is different. */
static void no_changed_bit_crashes_or_passes_as_another_account(void **state)
{
	const unsigned char random[CRYPT_RANDOM] = "0123456789abcdef";
	unsigned char key[CRYPT_KEY];
	struct str sealed = {0}, clear = {0};

	(void)state;
	assert_true(crypt_key(key_text, key));
	crypt_seal(key, "wx1234", random, "hello, world", 12, &sealed);
	for (size_t i = 0; i < sealed.len; i++)
		for (int bit = 0; bit < 7; bit++) {
			struct err e = {0};
			int r;

			sealed.s[i] = (char)(sealed.s[i] ^ (1 << bit));
			r = crypt_open(key, "wx1234", sealed.s, sealed.len, &clear, &e);
			assert_true(r == 0 || (r == ERR_BAD && *e.code && *e.text));
			sealed.s[i] = (char)(sealed.s[i] ^ (1 << bit));
		}
	for (size_t n = 0; n < sealed.len; n++) {
		struct err e = {0};

		assert_true(n / 4 * 3 < 32 || crypt_open(key, "wx1234", sealed.s, n, &clear, &e) <= 0);
	}
	str_done(&sealed);
	str_done(&clear);
}

static void keys_and_signatures_that_are_none(void **state)
{
	static const char *const keys[] = {"", "short", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEF=", "abcdefghijklmnopqrstuvwxyz0123456789ABCDE G",
					   "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH", NULL};
	const char *parts[] = {"a", "b", NULL};
	unsigned char key[CRYPT_KEY];
	char right[CRYPT_SIGNATURE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		assert_false(crypt_key(keys[i], key));
	assert_false(crypt_is_signed(NULL, parts, 2));
	assert_false(crypt_is_signed("", parts, 2));
	crypt_sign(parts, 2, right);
	assert_string_equal(right, "da23614e02469a0d7c7bd1bdab5c9c474b1904dc");    /* sha1("ab") */
	assert_true(crypt_is_signed(right, parts, 2));
	assert_false(crypt_is_signed(right, parts, 3));
	right[39] = right[39] == '0' ? '1' : '0';
	assert_false(crypt_is_signed(right, parts, 2));
}

/* ---- XML and what it says -------------------------------------------------------------------- */

#define HEAD "<xml><ToUserName>gh</ToUserName><FromUserName>oU</FromUserName><CreateTime>1795134667</CreateTime>"
static const struct {
	const char *xml, *said;
} callbacks[] = {
	{HEAD "<MsgType>text</MsgType><Content><![CDATA[a<b]]></Content><MsgId>1</MsgId></xml>", "words 1 oU a<b"},
	{HEAD "<MsgType>text</MsgType><Content>a&lt;&#x4e95;</Content><MsgId>1</MsgId></xml>", "words 1 oU a<井"},
	{HEAD "<MsgType>text</MsgType><Content>a</Content></xml>", "words oU-1795134667-text oU a"},
	{HEAD "<MsgType>text</MsgType><Content>a</Content><Content>b</Content><MsgId>1</MsgId></xml>", "words 1 oU a"},
	{HEAD "<MsgType>text</MsgType><Content></Content></xml>", "nothing"},
	{HEAD "<MsgType>image</MsgType><PicUrl>http://p</PicUrl><MediaId>M</MediaId><MsgId>1</MsgId></xml>", "media 1 oU - M http://p"},
	{HEAD "<MsgType>voice</MsgType><MediaId>M</MediaId><Recognition>灯不亮</Recognition><MsgId>1</MsgId></xml>", "media 1 oU 灯不亮 M"},
	{HEAD "<MsgType>location</MsgType><Location_X>34.75</Location_X><Location_Y>113.6</Location_Y><Label>东门</Label><MsgId>1</MsgId></xml>",
	 "words 1 oU - @东门 34.75 113.60"},
	{HEAD "<MsgType>location</MsgType><Location_X>nan</Location_X><Location_Y>1</Location_Y><MsgId>1</MsgId></xml>", "nothing"},
	{HEAD "<MsgType>location</MsgType><Location_X>91</Location_X><Location_Y>1</Location_Y><Label>东门</Label><MsgId>1</MsgId></xml>",
	 "words 1 oU - @东门"},
	{HEAD "<MsgType>link</MsgType><Title>标题</Title><Url>http://u</Url><MsgId>1</MsgId></xml>", "words 1 oU [链接] 标题\nhttp://u"},
	{HEAD "<MsgType>event</MsgType><Event>subscribe</Event></xml>", "hello oU-1795134667-subscribe oU -"},
	{HEAD "<MsgType>event</MsgType><Event>CLICK</Event><EventKey>进度</EventKey></xml>", "words oU-1795134667-CLICK oU 进度"},
	{HEAD "<MsgType>event</MsgType><Event>VIEW</Event><EventKey>http://x</EventKey></xml>", "nothing"},
	{HEAD "<MsgType>event</MsgType><Event>LOCATION</Event><Latitude>1</Latitude></xml>", "nothing"},
	{HEAD "<MsgType>event</MsgType><Event>location_select</Event><SendLocationInfo><Location_X>34</Location_X><Location_Y>113</Location_Y>"
	 "<Label>东门</Label></SendLocationInfo></xml>", "words oU-1795134667-location_select oU - @东门 34.00 113.00"},
	{"<xml><MsgType>event</MsgType><Event>kf_msg_or_event</Event><Token>T</Token><OpenKfId>wk</OpenKfId></xml>", "kf"},
	{"<xml><MsgType>text</MsgType><Content>a</Content></xml>", "no-sender"},
	{"<xml><Content>a</Content></xml>", "no-type"},
	{"<!DOCTYPE x>" HEAD "</xml>", "doctype"},
	{"<a><b><c><d><e/></d></c></b></a>", "too-deep"},
	{"<a><b></a>", "xml"},
	{"<a>\xff</a>", "bad-utf8"},
	{"", "xml"},
};

static void render(const struct heard *h, struct str *out)
{
	static const char *const kinds[] = {"words", "media", "hello", "kf", "sent", "nothing"};

	str_add(out, kinds[h->kind]);
	if (h->kind == HEARD_NOTHING || h->kind == HEARD_KF)
		return;
	str_addf(out, " %s %s %s", h->id, h->from, h->text ? h->text : "-");
	if (h->media_id)
		str_addf(out, " %s", h->media_id);
	if (h->url)
		str_addf(out, " %s", h->url);
	if (h->address)
		str_addf(out, " @%s", h->address);
	if (h->has_position)
		str_addf(out, " %.2f %.2f", h->lat, h->lon);
}

static void a_callback_says_what_its_row_says(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(callbacks); i++) {
		CLEANUP(str_done) struct str got = {0};
		struct arena a = {0};
		struct xml *xml = arena_alloc(&a, sizeof(*xml));
		struct err e = {0};
		struct heard h;
		int r = xml_read(callbacks[i].xml, strlen(callbacks[i].xml), &a, xml, &e);

		if (r == 0)
			r = callback_read(xml, 1, &h, &e);
		if (r < 0)
			str_add(&got, e.code);
		else
			render(&h, &got);
		if (strcmp(got.s, callbacks[i].said) != 0) {
			print_message("%s\n  want %s\n  got  %s\n", callbacks[i].xml, callbacks[i].said, got.s);
			wrong++;
		}
		arena_done(&a);
	}
	assert_int_equal(wrong, 0);
}

static void text_in_cdata_cannot_end_it(void **state)
{
	static const char *const texts[] = {"", "a", "]]>", "]]]]>>", "<a>]]>&amp;", "]]>]]>"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		CLEANUP(str_done) struct str out = {0};
		struct arena a = {0};
		struct xml *xml = arena_alloc(&a, sizeof(*xml));
		struct err e = {0};

		str_add(&out, "<x><t>");
		xml_cdata(&out, texts[i]);
		str_add(&out, "</t></x>");
		assert_int_equal(xml_read(out.s, out.len, &a, xml, &e), 0);
		assert_string_equal(xml->fields[0].text, texts[i]);
		arena_done(&a);
	}
}

/* ---- files ----------------------------------------------------------------------------------- */

static void a_file_is_what_its_bytes_say(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *type;
	} rows[] = {
		{"\xff\xd8\xff\xe0", 4, "image/jpeg"}, {"\x89PNG\r\n\x1a\n", 8, "image/png"}, {"GIF89a", 6, "image/gif"},
		{"RIFF\0\0\0\0WEBP", 12, "image/webp"}, {"#!AMR\n", 6, "audio/amr"}, {"\x02#!SILK_V3", 10, "audio/silk"},
		{"\0\0\0\x18" "ftypmp42", 12, "video/mp4"}, {"%PDF-1.7", 8, "application/pdf"}, {"PK\x03\x04", 4, "application/zip"},
		{"<html>", 6, NULL}, {"<svg onload=", 12, NULL}, {"MZ\x90", 3, NULL}, {"\x7f" "ELF", 4, NULL}, {"{\"errcode\":40007}", 17, NULL},
		{"\xff\xd8", 2, NULL}, {"", 0, NULL}, {"#!/bin/sh", 9, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *end = NULL, *type = media_type(rows[i].bytes, rows[i].n, &end);

		assert_true(rows[i].type ? type && strcmp(type, rows[i].type) == 0 && end : !type);
	}
}

/* ---- the shelf ------------------------------------------------------------------------------- */

static char folder[] = "/tmp/needle-shelf-XXXXXX";

static int gone(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static int with_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/needle-shelf-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int without_folder(void **state)
{
	(void)state;
	return nftw(folder, gone, 8, FTW_DEPTH | FTW_PHYS);
}

static struct shelf *opened(void)
{
	struct shelf *s = NULL;
	struct err e = {0};

	if (shelf_open(folder, "s", &s, &e) < 0)
		fail_msg("%s", e.text);
	return s;
}

static bool says(struct shelf *s, const char *name, const char *text)
{
	CLEANUP(mem_freep) char *got = shelf_get(s, name);

	return text ? got && strcmp(got, text) == 0 : !got;
}

static void the_newest_text_is_there_again(void **state)
{
	struct shelf *s = opened();
	struct err e = {0};

	(void)state;
	assert_int_equal(shelf_put(s, "a", "1", &e), 0);
	assert_int_equal(shelf_put(s, "b", "{\"x\":\"井\"}", &e), 0);
	assert_int_equal(shelf_put(s, "a", "2", &e), 0);
	assert_int_equal(shelf_put(s, "c", "3", &e), 0);
	assert_int_equal(shelf_put(s, "c", NULL, &e), 0);
	assert_int_equal(shelf_forget_if(s, "b", "other", &e), 0);
	assert_int_equal(shelf_put(s, "bad\nname", "1", &e), ERR_BAD);
	assert_int_equal(shelf_put(s, "name", "two\nlines", &e), ERR_BAD);
	shelf_close(s);
	s = opened();
	assert_true(says(s, "a", "2") && says(s, "b", "{\"x\":\"井\"}") && says(s, "c", NULL) && shelf_count(s) == 2);
	shelf_close(s);
}

/* The file as it is after a kill at any byte: what was there before the last line is there, and it works on. */
static void a_file_cut_at_any_byte_is_read(void **state)
{
	struct shelf *s = opened();
	struct err e = {0};
	char path[64];
	struct stat st;
	off_t size, first;

	(void)state;
	snprintf(path, sizeof(path), "%s/s", folder);
	assert_int_equal(shelf_put(s, "a", "1", &e), 0);
	assert_int_equal(stat(path, &st), 0);
	first = st.st_size;
	assert_int_equal(shelf_put(s, "b", "2", &e), 0);
	shelf_close(s);
	assert_int_equal(stat(path, &st), 0);
	for (size = st.st_size; size-- > first;) {
		assert_int_equal(truncate(path, size), 0);
		s = opened();
		assert_true(says(s, "a", "1") && says(s, "b", NULL));
		assert_int_equal(shelf_put(s, "c", "3", &e), 0);
		assert_int_equal(shelf_put(s, "c", NULL, &e), 0);
		shelf_close(s);
		s = opened();
		assert_true(says(s, "a", "1") && says(s, "c", NULL));
		shelf_close(s);
	}
}

static bool old(void *arg, const char *name, const char *text)
{
	(void)arg;
	(void)name;
	return strcmp(text, "old") == 0;
}

static void it_is_written_anew_when_most_of_it_is_old(void **state)
{
	struct shelf *s = opened();
	struct err e = {0};
	char path[64], name[32];
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "%s/s", folder);
	for (int i = 0; i < 60000; i++) {
		snprintf(name, sizeof(name), "person-%d", i % 100);
		assert_int_equal(shelf_put(s, name, i % 2 ? "old" : "new", &e), 0);
	}
	assert_int_equal(shelf_tidy(s, old, NULL, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 10000);
	assert_int_equal(shelf_count(s), 50);
	assert_int_equal(shelf_put(s, "person-1", "back", &e), 0);
	shelf_close(s);
	s = opened();
	assert_true(says(s, "person-0", "new") && says(s, "person-1", "back") && shelf_count(s) == 51);
	shelf_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_example_opens),
		cmocka_unit_test(every_length_comes_back),
		cmocka_unit_test(no_changed_bit_crashes_or_passes_as_another_account),
		cmocka_unit_test(keys_and_signatures_that_are_none),
		cmocka_unit_test(a_callback_says_what_its_row_says),
		cmocka_unit_test(text_in_cdata_cannot_end_it),
		cmocka_unit_test(a_file_is_what_its_bytes_say),
		cmocka_unit_test_setup_teardown(the_newest_text_is_there_again, with_folder, without_folder),
		cmocka_unit_test_setup_teardown(a_file_cut_at_any_byte_is_read, with_folder, without_folder),
		cmocka_unit_test_setup_teardown(it_is_written_anew_when_most_of_it_is_old, with_folder, without_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
