#pragma once
/*
 * One connection to PostgreSQL. The only file behind this header is the only one that sees
 * <libpq-fe.h>. Parameters go out binary, results come back as text but for pg_run_binary. SQL text is constant and named
 * (store/queries.h): input never becomes SQL.
 *
 * SQLSTATE decides: 08 40 53 55 57 and a broken socket -> ERR_AGAIN, 22 23 54 -> ERR_BAD, others ERR_SYS;
 * err.code holds the SQLSTATE, err.text the primary message only (DETAIL would show row values).
 * One thread at a time.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pg;

struct query {
	const char *name;               /* of the prepared statement; unique */
	const char *sql;                /* $1 … */
};

/* Connects within about 5 s. ERR_AGAIN when the server is away. */
int pg_open(const char *dsn, const char *application, struct pg **ret, struct err *e);
void pg_close(struct pg *pg);       /* NULL-safe */
bool pg_is_alive(const struct pg *pg);

enum { PG_ARGS = 64 };
struct pg_args {
	int n;
	const char *value[PG_ARGS];
	int length[PG_ARGS];
	int format[PG_ARGS];
	uint32_t oid[PG_ARGS];
	void *owned[PG_ARGS];           /* freed by pg_args_done */
};
void pg_text(struct pg_args *a, const char *s);                     /* NULL: SQL null */
void pg_bytes(struct pg_args *a, const void *p, size_t n);          /* p NULL: SQL null */
void pg_int(struct pg_args *a, int64_t v);                          /* int8 */
void pg_bool(struct pg_args *a, bool v);
void pg_time(struct pg_args *a, int64_t us);                        /* timestamptz; MOMENT_NONE: null */
/* One-dimensional arrays; a NULL text, NAN or MOMENT_NONE element is SQL null. v NULL: SQL null in place of an array. */
void pg_texts(struct pg_args *a, const char *const *v, size_t n);   /* text[] */
void pg_jsons(struct pg_args *a, const char *const *v, size_t n);   /* json[] */
void pg_ints(struct pg_args *a, const int64_t *v, size_t n);        /* int8[] */
void pg_bools(struct pg_args *a, const bool *v, size_t n);          /* bool[] */
void pg_times(struct pg_args *a, const int64_t *v, size_t n);       /* timestamptz[] */
void pg_doubles(struct pg_args *a, const double *v, size_t n);      /* float8[] */
void pg_blobs(struct pg_args *a, const void *const *v, const size_t *len, size_t n); /* bytea[] */
void pg_args_done(struct pg_args *a);

struct pg_rows {
	int n;                          /* rows */
	void *result;
};
/* Runs one prepared statement (prepared on first use); frees the arguments. ret NULL: rows are dropped. */
int pg_run(struct pg *pg, const struct query *q, struct pg_args *args, struct pg_rows *ret, struct err *e);
/* The same, but the rows come as they are stored: instants need no micros(…), jsonb would have to be cast to json. */
int pg_run_binary(struct pg *pg, const struct query *q, struct pg_args *args, struct pg_rows *ret, struct err *e);
/*
 * A pipeline: statements are sent as they are piped, without waiting for each other, and answered in one
 * round trip by pg_pipe_end. The first error ends the rest. Between begin and end nothing else may run. ret, where
 * given, is filled by pg_pipe_end. pg_pipe frees the arguments.
 */
void pg_pipe_begin(struct pg *pg);
void pg_pipe(struct pg *pg, const struct query *q, struct pg_args *args, struct pg_rows *ret);
void pg_pipe_binary(struct pg *pg, const struct query *q, struct pg_args *args, struct pg_rows *ret);    /* as pg_run_binary */
int pg_pipe_end(struct pg *pg, struct err *e);
/* While pg_pipe_end waits, fn is called as long as it returns true. It must be short, and must not use pg. fn NULL: none. */
typedef bool pg_meanwhile_fn(void *arg);
void pg_meanwhile(struct pg *pg, pg_meanwhile_fn *fn, void *arg);   /* NULL-safe */
/* Plain SQL without parameters: BEGIN, COMMIT, migrations (several statements). */
int pg_exec(struct pg *pg, const char *sql, struct err *e);
/* ROLLBACK if a transaction is open; never fails. */
void pg_rollback(struct pg *pg);

const char *pg_get(const struct pg_rows *rows, int row, int column);            /* NULL for SQL null */
int64_t pg_get_int(const struct pg_rows *rows, int row, int column);            /* 0 for null */
bool pg_get_bool(const struct pg_rows *rows, int row, int column);
/* As text the column must be micros(…): int8 us since 1970; MOMENT_NONE for null. */
int64_t pg_get_time(const struct pg_rows *rows, int row, int column);
double pg_get_double(const struct pg_rows *rows, int row, int column);          /* NAN for null */
/* bytea as bytes: decodes \x…; *ret_len; the memory is malloc'ed. */
void *pg_get_bytes(const struct pg_rows *rows, int row, int column, size_t *ret_len);
void pg_rows_done(struct pg_rows *rows);
