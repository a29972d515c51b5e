#pragma once
/* Inside store only: how PostgreSQL sends values. Types: src/include/catalog/pg_type.dat. */
#include <stdint.h>

enum { OID_BOOL = 16, OID_BYTEA = 17, OID_INT8 = 20, OID_TEXT = 25, OID_JSON = 114, OID_JSONS = 199, OID_FLOAT8 = 701,
       OID_BOOLS = 1000, OID_BYTEAS = 1001, OID_TEXTS = 1009, OID_INT8S = 1016, OID_FLOAT8S = 1022,
       OID_TIMESTAMPTZ = 1184, OID_TIMESTAMPTZS = 1185 };

/* Microseconds are counted from 2000-01-01. */
#define PG_EPOCH_US (INT64_C(946684800) * 1000000)
