#pragma once
/*
 * Rows of C structs into a table, a batch at a time: the columns of a table are data (name, type,
 * offset), from which both the SQL text and its binary array parameters follow. So a column cannot
 * be named in one place and forgotten in another.
 */
#include <stddef.h>

#include "store/pg.h"

struct arena;

enum column_type {
	COLUMN_TEXT,                    /* const char * */
	COLUMN_JSON,                    /* const char *, JSON text */
	COLUMN_INT,                     /* int */
	COLUMN_INT64,                   /* int64_t */
	COLUMN_BOOL,                    /* bool */
	COLUMN_TIME,                    /* int64_t microseconds, MOMENT_NONE is null */
	COLUMN_DOUBLE,                  /* double, NAN is null */
	COLUMN_NAME,                    /* int-sized enum, through `names` */
	COLUMN_DIGEST,                  /* unsigned char[16] */
	COLUMN_BLOB,                    /* struct blob */
};
struct blob {
	const void *p;
	size_t n;
};
struct column {
	const char *name;
	enum column_type type;
	size_t offset;
	const char *const *names;       /* of COLUMN_NAME */
	const char *merge;              /* of UPDATE, where the old value (t) has a say beside the new one (u); or NULL */
	const char *put;                /* of INSERT, where the table keeps something else of it (u); or NULL */
	bool often;                     /* of a number: nearly always `usual` */
	int usual;
};
struct table {
	const char *name;               /* the relation; statements are called put_NAME, set_NAME */
	const struct column *columns;
	size_t n_columns;
	const char *then;               /* " ON CONFLICT … " / " RETURNING …", or "" */
	size_t n_keys;                  /* of UPDATE: the first n columns are the key, beside tenant */
	bool update;
	size_t was;                     /* of UPDATE: where a row points to itself as the table has it, or to NULL; 0: nowhere */
	bool locked;                    /* of UPDATE: this transaction holds the rows, so they stay in their places */
	struct query query;             /* built by table_init */
};

/* Builds the SQL text; once, before threads start. Column tenant is $1. */
void table_init(struct table *t);
/* Adds parameters for n rows to args: $1 is the tenant, then one array a column. */
void table_args(const struct table *t, const char *tenant, const void *const *rows, size_t n, struct arena *a,
		struct pg_args *args);
