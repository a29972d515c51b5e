/* The only file that sees libpq. Results are few, so text; of cases that are loaded by the hundred they are binary. */
#include "store/pg.h"

#include <errno.h>
#include <libpq-fe.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/counter.h"
#include "base/err.h"
#include "base/map.h"
#include "base/mem.h"
#include "core/time/moment.h"
#include "store/pg_wire.h"

enum { PIPE_MAX = 24 };

struct piped {
	const struct query *query;
	struct pg_rows *ret;
	bool prepares;                  /* its first use: two answers */
};

struct pg {
	PGconn *conn;
	struct map prepared;            /* name -> query */
	struct piped piped[PIPE_MAX];
	int n_piped;
	bool sending;                   /* all that was piped is on its way */
	bool over;                      /* the server ended the session, libpq has not seen the end of the stream */
	pg_meanwhile_fn *meanwhile;
	void *arg;
};

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
	const char *text = pg->over ? "the server ended the session" : PQerrorMessage(pg->conn);

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
	/* A pipeline is larger than a socket takes at once: what is left is kept, so that the sender can go on. */
	PQsetnonblocking(pg->conn, 1);
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
	return pg && !pg->over && PQstatus(pg->conn) == CONNECTION_OK;
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

void pg_meanwhile(struct pg *pg, pg_meanwhile_fn *fn, void *arg)
{
	if (!pg)
		return;
	pg->meanwhile = fn;
	pg->arg = arg;
}

void pg_pipe_begin(struct pg *pg)
{
	pg->n_piped = 0;
	pg->sending = !pg->over && PQenterPipelineMode(pg->conn);
}

static bool pipe_send(struct pg *pg, struct piped *p, const struct pg_args *args, int format)
{
	const struct query *q = p->query;

	if (!map_get(&pg->prepared, q->name)) {
		if (!PQsendPrepare(pg->conn, q->name, q->sql, args->n, args->oid))
			return false;
		p->prepares = true;
		map_put(&pg->prepared, q->name, (void *)(uintptr_t)q);
	}
	return PQsendQueryPrepared(pg->conn, q->name, args->n, args->value, args->length, args->format, format);
}

static void pipe_one(struct pg *pg, const struct query *q, struct pg_args *args, int format, struct pg_rows *ret)
{
	struct piped *p = &pg->piped[pg->n_piped];

	if (pg->n_piped++ == PIPE_MAX)
		mem_die("pg_pipe");
	*p = (struct piped){.query = q, .ret = ret};
	if (ret)
		*ret = (struct pg_rows){0};
	if (pg->sending)
		pg->sending = pipe_send(pg, p, args, format);
	pg_args_done(args);
}

void pg_pipe(struct pg *pg, const struct query *q, struct pg_args *args, struct pg_rows *ret)
{
	pipe_one(pg, q, args, 0, ret);
}

void pg_pipe_binary(struct pg *pg, const struct query *q, struct pg_args *args, struct pg_rows *ret)
{
	pipe_one(pg, q, args, 1, ret);
}

/* One answer, and the NULL that ends it. The first error is kept, the rest of the pipeline was skipped. */
static int pipe_answer(struct pg *pg, const struct piped *p, struct pg_rows *ret, bool *ret_ok, struct err *e)
{
	PGresult *res = PQgetResult(pg->conn);
	ExecStatusType status = PQresultStatus(res);
	int r = 0;

	*ret_ok = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
	if (!res || status == PGRES_FATAL_ERROR) {
		r = result_error(pg, res, e);
		err_prefix(e, "%s: ", p->query->name);
	}
	if (ret && status == PGRES_TUPLES_OK) {
		ret->n = PQntuples(res);
		ret->result = TAKE(res);
	}
	PQclear(res);
	PQclear(PQgetResult(pg->conn));
	return r;
}

static int pipe_answers(struct pg *pg, const struct piped *p, struct err *e)
{
	struct err later;
	bool ok = true;
	int r = p->prepares ? pipe_answer(pg, p, NULL, &ok, e) : 0, one;

	if (!ok)
		map_take(&pg->prepared, p->query->name);
	one = pipe_answer(pg, p, p->ret, &ok, r ? &later : e);
	return r ? r : one;
}

static void pipe_drain(struct pg *pg)
{
	PGresult *res;

	/* The answer of the sync, then leave; a broken connection ends in NULLs. */
	while ((res = PQgetResult(pg->conn)))
		PQclear(res);
	/* A server that shuts down does so after a commit, in the place of that answer: this pipeline is never left. */
	pg->over = !PQexitPipelineMode(pg->conn);
}

/* What the socket did not take is sent between two looks. */
static void pipe_wait(struct pg *pg)
{
	while (pg->meanwhile && PQflush(pg->conn) >= 0 && PQconsumeInput(pg->conn) && PQisBusy(pg->conn) && pg->meanwhile(pg->arg))
		continue;
}

/* Libpq itself only sends here, and a server whose answers nobody takes stops reading. */
static void pipe_flush(struct pg *pg)
{
	while (PQflush(pg->conn) > 0) {
		struct pollfd p = {.fd = PQsocket(pg->conn), .events = POLLIN | POLLOUT};

		if ((poll(&p, 1, -1) < 0 && errno != EINTR) || ((p.revents & ~POLLOUT) && !PQconsumeInput(pg->conn)))
			return;
	}
}

int pg_pipe_end(struct pg *pg, struct err *e)
{
	struct err later;
	int r = 0, one;

	if (pg->sending && PQpipelineSync(pg->conn)) {
		pipe_wait(pg);
		pipe_flush(pg);
	} else {
		/* Half a pipeline has no end that the server would answer. */
		r = broken(pg, e);
		shutdown(PQsocket(pg->conn), SHUT_RDWR);
	}
	for (int i = 0; i < pg->n_piped && PQstatus(pg->conn) == CONNECTION_OK; i++) {
		one = pipe_answers(pg, &pg->piped[i], r ? &later : e);
		r = r ? r : one;
	}
	if (r == 0 && PQstatus(pg->conn) != CONNECTION_OK)
		r = broken(pg, e);
	pipe_drain(pg);
	for (int i = 0; r && i < pg->n_piped; i++)
		if (pg->piped[i].ret)
			pg_rows_done(pg->piped[i].ret);
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
	return PQftype(rows->result, column) == OID_TIMESTAMPTZ ? big_endian(rows, row, column) + PG_EPOCH_US
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
