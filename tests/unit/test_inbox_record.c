/* A record of the journal whose checksum is right and whose header is not: whatever wrote it, it is no record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/vec.h"
#include "intake/inbox.h"
#include "intake/inbox_record.h"

enum { LEN = 8, FLAGS = 13, TOPIC_LEN = 32, RESPONSE_LEN = 36, CORRELATION_LEN = 40, PAYLOAD_LEN = 44, SIZE = 64 };

static const struct inbox_record whole = {.seq = 7, .received_at = 1795134667, .topic = "t/1", .response_topic = "r/1", .correlation = "c-1",
					  .correlation_len = 3, .payload = "hello", .payload_len = 5, .qos = 1, .dup = true};

/* Puts bytes into the record and puts its checksum right. */
static void spoil(unsigned char *record, size_t at, const void *bytes, size_t n)
{
	uint32_t len, crc;

	memcpy(record + at, bytes, n);
	memcpy(&len, record + LEN, sizeof(len));
	crc = inbox_crc32c(record + LEN, (len <= SIZE && len > LEN ? len : SIZE) - LEN);
	memcpy(record + 4, &crc, sizeof(crc));
}

static void spoil32(unsigned char *record, size_t at, uint32_t v)
{
	spoil(record, at, &v, sizeof(v));
}

static void a_whole_record_is_read_as_it_was_written(void **state)
{
	_Alignas(8) unsigned char record[SIZE];
	struct inbox_record got;

	(void)state;
	assert_int_equal(inbox_record_size(&whole), SIZE);
	inbox_record_write(&whole, whole.seq, record);
	assert_int_equal(inbox_record_peek(record, SIZE), SIZE);
	assert_int_equal(inbox_record_read(record, SIZE, &got), SIZE);
	assert_string_equal(got.topic, whole.topic);
	assert_string_equal(got.response_topic, whole.response_topic);
	assert_int_equal(got.correlation_len, 3);
	assert_memory_equal(got.correlation, "c-1", 3);
	assert_int_equal(got.payload_len, 5);
	assert_memory_equal(got.payload, "hello", 5);
	assert_true(got.seq == 7 && got.received_at == whole.received_at && got.qos == 1 && got.dup);
}

static void what_was_not_sent_is_not_there(void **state)
{
	const struct inbox_record bare = {.topic = "t/1", .payload = "", .payload_len = 0};
	_Alignas(8) unsigned char record[SIZE];
	struct inbox_record got;

	(void)state;
	inbox_record_write(&bare, 1, record);
	assert_int_equal(inbox_record_read(record, SIZE, &got), inbox_record_size(&bare));
	assert_null(got.response_topic);
	assert_null(got.correlation);
	assert_int_equal(got.payload_len + got.correlation_len, 0);
	assert_false(got.dup);
}

static void a_header_that_contradicts_itself_is_no_record(void **state)
{
	static const struct {
		const char *what;
		size_t at[2];
		uint32_t v[2];
	} rows[] = {
		{"another layout", {0}, {0x3249444e}},
		{"shorter than a header", {LEN}, {40}},
		{"longer than a record can be", {LEN}, {UINT32_MAX}},
		{"longer than what is there", {LEN, PAYLOAD_LEN}, {SIZE + 8, 13}},
		{"lengths that are more than the whole", {PAYLOAD_LEN}, {6}},
		{"lengths that are less", {CORRELATION_LEN}, {2}},
		{"no topic", {TOPIC_LEN, RESPONSE_LEN}, {0, 8}},
		{"a response topic of no length", {RESPONSE_LEN, PAYLOAD_LEN}, {0, 9}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_Alignas(8) unsigned char record[SIZE];
		struct inbox_record got;

		inbox_record_write(&whole, whole.seq, record);
		for (size_t k = 0; k < 2; k++)
			if (!k || rows[i].at[k])
				spoil32(record, rows[i].at[k], rows[i].v[k]);
		if (inbox_record_read(record, SIZE, &got))
			fail_msg("%s is read", rows[i].what);
	}
}

static void texts_without_an_end_and_flags_that_lie_are_no_record(void **state)
{
	static const struct {
		size_t at;
		unsigned char c;
	} rows[] = {{INBOX_RECORD_HEADER + 3, 'x'}, {INBOX_RECORD_HEADER + 7, 'x'}, {FLAGS, 2}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_Alignas(8) unsigned char record[SIZE];
		struct inbox_record got;

		inbox_record_write(&whole, whole.seq, record);
		spoil(record, rows[i].at, &rows[i].c, 1);
		assert_int_equal(inbox_record_read(record, SIZE, &got), 0);
		/* The same byte, and the checksum left as it was. */
		inbox_record_write(&whole, whole.seq, record);
		record[rows[i].at] = rows[i].c;
		assert_int_equal(inbox_record_read(record, SIZE, &got), 0);
	}
}

static void nothing_is_longer_than_4_gib(void **state)
{
	struct inbox_record large = whole;

	(void)state;
	large.payload_len = (size_t)5 << 30;
	assert_int_equal(inbox_record_size(&large), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_record_is_read_as_it_was_written),
		cmocka_unit_test(what_was_not_sent_is_not_there),
		cmocka_unit_test(a_header_that_contradicts_itself_is_no_record),
		cmocka_unit_test(texts_without_an_end_and_flags_that_lie_are_no_record),
		cmocka_unit_test(nothing_is_longer_than_4_gib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
