/* Records of the inbox journal as a disk may give them back after an accident: cut, torn, with other bytes in them. */
#include "fuzz.h"

#include "base/mem.h"
#include "intake/inbox.h"
#include "intake/inbox_record.h"

/* A record that was read can be written again, and is then the same. */
static void check(const unsigned char *p, size_t n)
{
	struct inbox_record r;
	unsigned char *again;
	size_t size;

	MUST(inbox_record_peek(p, n) <= UINT32_MAX + (size_t)INBOX_RECORD_ALIGN);
	size = inbox_record_read(p, n, &r);
	if (!size)
		return;
	/* Shorter where a topic holds a NUL, which only a forger with the checksum can write. */
	MUST(size <= n && size % INBOX_RECORD_ALIGN == 0 && inbox_record_size(&r) <= size);
	MUST(r.topic[strlen(r.topic)] == '\0' && (!r.response_topic || strlen(r.response_topic) < size));
	size = inbox_record_size(&r);
	again = mem_alloc(size);
	inbox_record_write(&r, r.seq, again);
	MUST(inbox_record_read(again, size, &r) == size);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t padded = (size + INBOX_RECORD_ALIGN - 1) & ~(size_t)(INBOX_RECORD_ALIGN - 1);
	unsigned char *p = mem_alloc(padded + 1);
	uint32_t len, crc;

	if (size)
		memcpy(p, data, size);
	check(p, size);
	/* No fuzzer guesses a checksum: with the right one the lengths inside are what is looked at. */
	if (size >= INBOX_RECORD_HEADER) {
		memcpy(p, "NDI1", 4);
		len = (uint32_t)size;
		if (data[size - 1] & 1)
			memcpy(p + 8, &len, sizeof(len));
		memcpy(&len, p + 8, sizeof(len));
		if (len >= 8 && len <= size) {
			crc = inbox_crc32c(p + 8, len - 8);
			memcpy(p + 4, &crc, sizeof(crc));
		}
		check(p, padded);
	}
	free(p);
	return 0;
}
