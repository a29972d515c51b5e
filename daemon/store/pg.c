/*
 * The only file that sees libpq. Parameters are binary because arrays of a batch are: quoting a
 * thousand texts into an array literal would cost more than the insert. Results are few, so text; of cases that are
 * loaded by the hundred they are binary, too.
 */
#include "store/pg.h"

#include <arpa/inet.h>
#include <endian.h>
#include <libpq-fe.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/counter.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "core/time/moment.h"

enum { OID_BOOL = 16, OID_JSON = 114, OID_JSONS = 199, OID_BYTEA = 17, OID_INT8 = 20, OID_TEXT = 25, OID_FLOAT8 = 701, OID_TIMESTAMPTZ = 1184,
       OID_BOOLS = 1000, OID_BYTEAS = 1001, OID_TEXTS = 1009, OID_INT8S = 1016, OID_FLOAT8S = 1022,
       OID_TIMESTAMPTZS = 1185 };

/* PostgreSQL counts microseconds from 2000-01-01. */
static const int64_t EPOCH_US = INT64_C(946684800) * 1000000;

enum { PIPE_MAX = 24 };

struct piped {
	const struct query *query;
	struct pg_args args;
	struct pg_rows *ret;
};

struct pg {
	PGconn *conn;
	struct map prepared;            /* name -> query */
	struct piped piped[PIPE_MAX];
	int n_piped;
};

/* ---- parameters ------------------------------------------------------------------------------- */
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
	uint64_t be = htobe64((uint64_t)(us - EPOCH_US));

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
			element64(&w, (uint64_t)(v[i] - EPOCH_US));
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

/* ---- errors ----------------------------------------------------------------------------------- */
static int class_of(const char *state)
{
	static const struct {
		const char *class;
		int decision;
	} classes[] = {{"08", ERR_AGAIN}, {"40", ERR_AGAIN}, {"53", ERR_AGAIN}, {"55", ERR_AGAIN},
		       {"57", ERR_AGAIN}, {"23", ERR_BAD},   {"22", ERR_BAD},   {"54", ERR_BAD}};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strncmp(state, classes[i].class, 2) == 0)
			return classes[i].decision;
	return ERR_SYS;
}

static int broken(const struct pg *pg, struct err *e)
{
	const char *text = PQerrorMessage(pg->conn);

	return err_code(e, ERR_AGAIN, "08006", "database: %.*s", (int)strcspn(text, "\n"), text);
}

static int result_error(const struct pg *pg, PGresult *res, struct err *e)
{
	const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	const char *text = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;

	if (PQstatus(pg->conn) != CONNECTION_OK || !state)
		return broken(pg, e);
	return err_code(e, class_of(state), state, "database: %s (%s)", text ? text : "error", state);
}

/* ---- connection ------------------------------------------------------------------------------- */
static void drop_notice(void *arg, const PGresult *res)
{
	(void)arg;
	(void)res;
}

int pg_open(const char *dsn, const char *application, struct pg **ret, struct err *e)
{
	/*
	 * expand_dbname: the dsn is a connection string; what follows it wins over what it says. Rows are
	 * looked up by keys: a table that was empty at its last analyze must not be read whole for it.
	 * Both ends look for a peer that fell silent, and know it within 5 s: a session that only the server
	 * believes in would hold the tenant's lock for the two hours that a kernel waits by itself, and a
	 * thread that waits for an answer whose packets were lost would do so for eleven minutes.
	 */
	const char *const words[] = {"dbname", "application_name", "connect_timeout", "options",
				     "client_encoding", "tcp_user_timeout", "keepalives_idle", "keepalives_interval",
				     "keepalives_count", NULL};
	const char *const values[] = {dsn, application, "5", "-c timezone=Asia/Shanghai -c search_path=needle,pg_catalog"
				      " -c plan_cache_mode=force_generic_plan -c jit=off -c enable_seqscan=off"
				      " -c tcp_keepalives_idle=2 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3"
				      " -c tcp_user_timeout=5000",
				      "UTF8", "5000", "2", "1", "3", NULL};
	struct pg *pg = mem_alloc(sizeof(*pg));

	pg->conn = PQconnectdbParams(words, values, 1);
	if (!pg->conn)
		mem_die("libpq");
	if (PQstatus(pg->conn) != CONNECTION_OK) {
		int r = broken(pg, e);

		pg_close(pg);
		return r;
	}
	PQsetNoticeReceiver(pg->conn, drop_notice, NULL);
	PQsetErrorVerbosity(pg->conn, PQERRORS_TERSE);
	count(COUNT_PG_CONNECTS);
	*ret = pg;
	return 0;
}

void pg_close(struct pg *pg)
{
	if (!pg)
		return;
	PQfinish(pg->conn);
	map_done(&pg->prepared);
	free(pg);
}

bool pg_is_alive(const struct pg *pg)
{
	return pg && PQstatus(pg->conn) == CONNECTION_OK;
}

/* ---- statements ------------------------------------------------------------------------------- */
static int prepare(struct pg *pg, const struct query *q, const struct pg_args *args, struct err *e)
{
	PGresult *res;
	int r = 0;

	if (map_get(&pg->prepared, q->name))
		return 0;
	res = PQprepare(pg->conn, q->name, q->sql, args->n, args->oid);
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		r = result_error(pg, res, e);
	else
		map_put(&pg->prepared, q->name, (void *)(uintptr_t)q);
	PQclear(res);
	return r;
}

static int run(struct pg *pg, const struct query *q, const struct pg_args *args, int format, struct pg_rows *ret, struct err *e)
{
	PGresult *res;
	int r = prepare(pg, q, args, e);

	if (r < 0)
		return r;
	res = PQexecPrepared(pg->conn, q->name, args->n, args->value, args->length, args->format, format);
	if (PQresultStatus(res) != PGRES_TUPLES_OK && PQresultStatus(res) != PGRES_COMMAND_OK) {
		r = result_error(pg, res, e);
		PQclear(res);
		return r;
	}
	if (ret) {
		ret->n = PQntuples(res);
		ret->result = res;
	} else {
		PQclear(res);
	}
	return 0;
}

static int run_once(struct pg *pg, const struct query *q, struct pg_args *args, int format, struct pg_rows *ret, struct err *e)
{
	int r = run(pg, q, args, format, ret, e);

	if (r < 0)
		err_prefix(e, "%s: ", q->name);
	pg_args_done(args);
	return r;
}

int pg_run(struct pg *pg, const struct query *q, struct pg_args *args, struct pg_rows *ret, struct err *e)
{
	return run_once(pg, q, args, 0, ret, e);
}

int pg_run_binary(struct pg *pg, const struct query *q, struct pg_args *args, struct pg_rows *ret, struct err *e)
{
	return run_once(pg, q, args, 1, ret, e);
}

void pg_pipe_begin(struct pg *pg)
{
	pg->n_piped = 0;
}

void pg_pipe(struct pg *pg, const struct query *q, struct pg_args *args, struct pg_rows *ret)
{
	if (pg->n_piped == PIPE_MAX)
		mem_die("pg_pipe");
	pg->piped[pg->n_piped++] = (struct piped){q, *args, ret};
	args->n = 0;
	if (ret)
		*ret = (struct pg_rows){0};
}

static int pipe_prepare(struct pg *pg, struct err *e)
{
	int r = 0;

	for (int i = 0; i < pg->n_piped && r == 0; i++)
		r = prepare(pg, pg->piped[i].query, &pg->piped[i].args, e);
	return r;
}

static bool pipe_send(struct pg *pg)
{
	for (int i = 0; i < pg->n_piped; i++) {
		struct piped *p = &pg->piped[i];

		if (!PQsendQueryPrepared(pg->conn, p->query->name, p->args.n, p->args.value, p->args.length,
					 p->args.format, 0))
			return false;
	}
	return PQpipelineSync(pg->conn);
}

/* Takes the answer of one statement; the first error is kept, the rest of the pipeline was skipped. */
static int pipe_answer(struct pg *pg, struct piped *p, struct err *e)
{
	PGresult *res = PQgetResult(pg->conn);
	ExecStatusType status = PQresultStatus(res);
	int r = 0;

	if (!res || status == PGRES_FATAL_ERROR) {
		r = result_error(pg, res, e);
		err_prefix(e, "%s: ", p->query->name);
	}
	if (r == 0 && p->ret && status == PGRES_TUPLES_OK) {
		p->ret->n = PQntuples(res);
		p->ret->result = TAKE(res);
	}
	PQclear(res);
	PQclear(PQgetResult(pg->conn)); /* the NULL that ends this statement */
	return r;
}

static void pipe_drain(struct pg *pg)
{
	PGresult *res;

	/* The answer of the sync, then leave; a broken connection ends in NULLs. */
	while ((res = PQgetResult(pg->conn)))
		PQclear(res);
	if (!PQexitPipelineMode(pg->conn) && PQstatus(pg->conn) == CONNECTION_OK)
		PQreset(pg->conn);
}

static int pipe_run(struct pg *pg, struct err *e)
{
	struct err later;
	int r = 0, one;

	if (!PQenterPipelineMode(pg->conn))
		return broken(pg, e);
	if (!pipe_send(pg))
		r = broken(pg, e);
	for (int i = 0; i < pg->n_piped && PQstatus(pg->conn) == CONNECTION_OK; i++) {
		one = pipe_answer(pg, &pg->piped[i], r ? &later : e);
		r = r ? r : one;
	}
	if (r == 0 && PQstatus(pg->conn) != CONNECTION_OK)
		r = broken(pg, e);
	pipe_drain(pg);
	return r;
}

int pg_pipe_end(struct pg *pg, struct err *e)
{
	int r = pipe_prepare(pg, e);

	if (r == 0)
		r = pipe_run(pg, e);
	for (int i = 0; i < pg->n_piped; i++) {
		if (r && pg->piped[i].ret)
			pg_rows_done(pg->piped[i].ret);
		pg_args_done(&pg->piped[i].args);
	}
	pg->n_piped = 0;
	return r;
}

int pg_exec(struct pg *pg, const char *sql, struct err *e)
{
	PGresult *res = PQexec(pg->conn, sql);
	int r = 0;

	if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK &&
	    PQresultStatus(res) != PGRES_EMPTY_QUERY)
		r = result_error(pg, res, e);
	PQclear(res);
	return r;
}

void pg_rollback(struct pg *pg)
{
	if (pg && PQtransactionStatus(pg->conn) != PQTRANS_IDLE)
		PQclear(PQexec(pg->conn, "ROLLBACK"));
}

/* ---- results ---------------------------------------------------------------------------------- */
const char *pg_get(const struct pg_rows *rows, int row, int column)
{
	return PQgetisnull(rows->result, row, column) ? NULL : PQgetvalue(rows->result, row, column);
}

/* An integer as it is sent: 1, 2, 4 or 8 bytes, the highest first. */
static int64_t big_endian(const struct pg_rows *rows, int row, int column)
{
	const unsigned char *p = (const unsigned char *)PQgetvalue(rows->result, row, column);
	int n = PQgetlength(rows->result, row, column);
	uint64_t v = n && n < 8 && p[0] & 0x80 ? UINT64_MAX : 0;

	for (int i = 0; i < n; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

static bool is_binary(const struct pg_rows *rows, int column)
{
	return PQfformat(rows->result, column) == 1;
}

int64_t pg_get_int(const struct pg_rows *rows, int row, int column)
{
	const char *s = pg_get(rows, row, column);

	return !s ? 0 : is_binary(rows, column) ? big_endian(rows, row, column) : strtoll(s, NULL, 10);
}

bool pg_get_bool(const struct pg_rows *rows, int row, int column)
{
	const char *s = pg_get(rows, row, column);

	return s && (is_binary(rows, column) ? *s : *s == 't');
}

int64_t pg_get_time(const struct pg_rows *rows, int row, int column)
{
	const char *s = pg_get(rows, row, column);

	if (!s)
		return MOMENT_NONE;
	return PQftype(rows->result, column) == OID_TIMESTAMPTZ ? big_endian(rows, row, column) + EPOCH_US
								: pg_get_int(rows, row, column);
}

double pg_get_double(const struct pg_rows *rows, int row, int column)
{
	const char *s = pg_get(rows, row, column);
	int64_t bits;
	double v;

	if (!s)
		return (double)NAN;
	if (!is_binary(rows, column))
		return strtod(s, NULL);
	bits = big_endian(rows, row, column);
	memcpy(&v, &bits, sizeof(v));
	return v;
}

void *pg_get_bytes(const struct pg_rows *rows, int row, int column, size_t *ret_len)
{
	const char *s = pg_get(rows, row, column);
	unsigned char *raw, *copy;
	size_t n = 0;

	raw = s ? PQunescapeBytea((const unsigned char *)s, &n) : NULL;
	copy = mem_alloc(n + 1);
	if (raw)
		memcpy(copy, raw, n);
	PQfreemem(raw);
	*ret_len = n;
	return copy;
}

void pg_rows_done(struct pg_rows *rows)
{
	PQclear(rows->result);
	rows->result = NULL;
	rows->n = 0;
}
