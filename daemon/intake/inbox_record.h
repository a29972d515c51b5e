#pragma once
/*
 * One record of the inbox journal as bytes: a 48 byte header, the topics with their NUL, the
 * correlation data, the payload, zeros up to a multiple of 8. CRC-32C covers everything after the
 * crc field. Numbers are in the machine's order: a journal never leaves its machine.
 */
#include <stddef.h>
#include <stdint.h>

struct inbox_record;

enum { INBOX_RECORD_HEADER = 48, INBOX_RECORD_ALIGN = 8 };

uint32_t inbox_crc32c(const void *data, size_t len);
/* Bytes on disk with padding; 0: longer than a record can be (4 GiB). */
size_t inbox_record_size(const struct inbox_record *r);
/* Writes the record with this seq into `out`, which has inbox_record_size bytes. */
void inbox_record_write(const struct inbox_record *r, uint64_t seq, unsigned char *out);
/* What the header at `p` says its record takes; 0 when that is no header. Proves nothing else. */
size_t inbox_record_peek(const unsigned char *p, size_t available);
/* The whole size of a sound record at `p`, 0 when there is none. `ret` points into `p`. */
size_t inbox_record_read(const unsigned char *p, size_t available, struct inbox_record *ret);
