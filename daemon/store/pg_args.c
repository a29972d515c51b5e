/*
 * Parameters as they are sent: binary, because arrays of a batch are. Quoting a thousand texts into an array
 * literal would cost more than the insert.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/time/moment.h"
#include "store/pg.h"
#include "store/pg_wire.h"

static void add(struct pg_args *a, uint32_t oid, const void *value, size_t length, void *owned)
{
	if (a->n >= PG_ARGS)
		mem_die("pg_args");
	a->oid[a->n] = oid;
	a->value[a->n] = value;
	a->length[a->n] = (int)length;
	a->format[a->n] = 1;
	a->owned[a->n++] = owned;
}

static void add_copy(struct pg_args *a, uint32_t oid, const void *bytes, size_t n)
{
	void *p = mem_alloc(n);

	memcpy(p, bytes, n);
	add(a, oid, p, n, p);
}

void pg_text(struct pg_args *a, const char *s)
{
	add(a, OID_TEXT, s, s ? strlen(s) : 0, NULL);
}

void pg_bytes(struct pg_args *a, const void *p, size_t n)
{
	add(a, OID_BYTEA, p, n, NULL);
}

void pg_int(struct pg_args *a, int64_t v)
{
	uint64_t be = htobe64((uint64_t)v);

	add_copy(a, OID_INT8, &be, sizeof(be));
}

void pg_bool(struct pg_args *a, bool v)
{
	char c = v;

	add_copy(a, OID_BOOL, &c, 1);
}

void pg_time(struct pg_args *a, int64_t us)
{
	uint64_t be = htobe64((uint64_t)(us - PG_EPOCH_US));

	if (us == MOMENT_NONE)
		add(a, OID_TIMESTAMPTZ, NULL, 0, NULL);
	else
		add_copy(a, OID_TIMESTAMPTZ, &be, sizeof(be));
}

void pg_args_done(struct pg_args *a)
{
	for (int i = 0; i < a->n; i++)
		free(a->owned[i]);
	a->n = 0;
}

/* One dimension, lower bound 1: the wire form of arrays (src/backend/utils/adt/arrayfuncs.c array_recv). */
struct array {
	unsigned char *bytes;
	size_t len, cap;
};

static void put(struct array *w, const void *p, size_t n)
{
	while (w->len + n > w->cap) {
		w->cap = w->cap ? 2 * w->cap : 256;
		w->bytes = mem_resize(w->bytes, w->cap);
	}
	memcpy(w->bytes + w->len, p, n);
	w->len += n;
}

static void put32(struct array *w, int32_t v)
{
	uint32_t be = htonl((uint32_t)v);

	put(w, &be, sizeof(be));
}

static void element(struct array *w, const void *p, size_t n)
{
	put32(w, p ? (int32_t)n : -1);
	if (p && n)
		put(w, p, n);
}

static void element64(struct array *w, uint64_t v)
{
	uint64_t be = htobe64(v);

	element(w, &be, sizeof(be));
}

static struct array array_begin(uint32_t element_oid, size_t n)
{
	struct array w = {0};

	put32(&w, n ? 1 : 0);
	put32(&w, 1);
	put32(&w, (int32_t)element_oid);
	if (n) {
		put32(&w, (int32_t)n);
		put32(&w, 1);
	}
	return w;
}

static void array_end(struct pg_args *a, uint32_t oid, struct array *w, const void *v)
{
	add(a, oid, v ? w->bytes : NULL, v ? w->len : 0, w->bytes);
}

static void texts(struct pg_args *a, uint32_t oid, uint32_t element_oid, const char *const *v, size_t n)
{
	struct array w = array_begin(element_oid, n);

	for (size_t i = 0; i < n; i++)
		element(&w, v[i], v[i] ? strlen(v[i]) : 0);
	array_end(a, oid, &w, v);
}

void pg_texts(struct pg_args *a, const char *const *v, size_t n)
{
	texts(a, OID_TEXTS, OID_TEXT, v, n);
}

/* The binary form of json is its text. */
void pg_jsons(struct pg_args *a, const char *const *v, size_t n)
{
	texts(a, OID_JSONS, OID_JSON, v, n);
}

void pg_ints(struct pg_args *a, const int64_t *v, size_t n)
{
	struct array w = array_begin(OID_INT8, n);

	for (size_t i = 0; i < n; i++)
		element64(&w, (uint64_t)v[i]);
	array_end(a, OID_INT8S, &w, v);
}

void pg_bools(struct pg_args *a, const bool *v, size_t n)
{
	struct array w = array_begin(OID_BOOL, n);

	for (size_t i = 0; i < n; i++) {
		char c = v[i];

		element(&w, &c, 1);
	}
	array_end(a, OID_BOOLS, &w, v);
}

void pg_times(struct pg_args *a, const int64_t *v, size_t n)
{
	struct array w = array_begin(OID_TIMESTAMPTZ, n);

	for (size_t i = 0; i < n; i++)
		if (v[i] == MOMENT_NONE)
			element(&w, NULL, 0);
		else
			element64(&w, (uint64_t)(v[i] - PG_EPOCH_US));
	array_end(a, OID_TIMESTAMPTZS, &w, v);
}

void pg_doubles(struct pg_args *a, const double *v, size_t n)
{
	struct array w = array_begin(OID_FLOAT8, n);

	for (size_t i = 0; i < n; i++) {
		uint64_t bits;

		memcpy(&bits, &v[i], sizeof(bits));
		if (isnan(v[i]))
			element(&w, NULL, 0);
		else
			element64(&w, bits);
	}
	array_end(a, OID_FLOAT8S, &w, v);
}

void pg_blobs(struct pg_args *a, const void *const *v, const size_t *len, size_t n)
{
	struct array w = array_begin(OID_BYTEA, n);

	for (size_t i = 0; i < n; i++)
		element(&w, v[i], len[i]);
	array_end(a, OID_BYTEAS, &w, v);
}
