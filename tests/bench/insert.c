/*
 * The best batch insert alone: what PostgreSQL takes when nobody decodes, routes or publishes. The batch
 * is read from what the daemon has stored a moment ago, as binary arrays that go back as parameters
 * unchanged, under another tenant each time: the same rows in the same tables with the same indexes,
 * at no cost for the client. One statement a table, one pipeline and one commit a batch.
 *
 * Outbox rows are gone by then; they are made again from the queue, filled to the size of an event.
 */
#include <arpa/inet.h>
#include <err.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { COLUMNS_MAX = 64 };
struct table {
	const char *name, *from;        /* from: rows of the cases in $2 of tenant $1, as t */
};
static const struct table tables[] = {
	{"report", "needle.report t WHERE t.tenant = $1 AND t.number = ANY($2::text[])"},
	{"person", "needle.person t JOIN needle.report r USING (tenant, channel, id)"
		   " WHERE t.tenant = $1 AND r.number = ANY($2::text[])"},
	{"cases", "needle.cases t WHERE t.tenant = $1 AND t.number = ANY($2::text[])"},
	{"history", "needle.history t WHERE t.tenant = $1 AND t.number = ANY($2::text[])"},
	{"outbox", "(SELECT tenant, number, 1 AS seq, department AS target, 'needle/bench/dept/' || department"
		   " || '/event/assigned' AS topic, rpad(card::text, $3::int, 'x') AS payload, true AS card, now() AS"
		   " created_at FROM needle.queue) t WHERE t.tenant = $1 AND t.number = ANY($2::text[])"},
	{"queue", "needle.queue t WHERE t.tenant = $1 AND t.number = ANY($2::text[])"},
	{"timer", "needle.timer t WHERE t.tenant = $1 AND t.number = ANY($2::text[])"},
};
enum { N_TABLES = sizeof(tables) / sizeof(tables[0]) };

/* One table's batch: parameter 0 is the tenant, the rest are arrays. */
struct batch {
	PGresult *arrays;
	char insert[8192];
	Oid types[COLUMNS_MAX];
	const char *values[COLUMNS_MAX];
	int lengths[COLUMNS_MAX], formats[COLUMNS_MAX], n;
};

static PGresult *checked(PGconn *c, PGresult *res)
{
	if (PQresultStatus(res) != PGRES_TUPLES_OK && PQresultStatus(res) != PGRES_COMMAND_OK)
		errx(1, "%s", PQerrorMessage(c));
	return res;
}

static PGconn *connect_to(const char *dsn)
{
	PGconn *c = PQconnectdb(dsn);

	if (PQstatus(c) != CONNECTION_OK)
		errx(75, "%s", PQerrorMessage(c));
	PQclear(checked(c, PQexec(c, "SET search_path = needle, pg_catalog; SET plan_cache_mode = force_generic_plan")));
	return c;
}

/* The columns but tenant, and the array type of each. */
static PGresult *columns_of(PGconn *c, const char *table)
{
	return checked(c, PQexecParams(c, "SELECT a.attname, t.typarray, format_type(a.atttypid, NULL) FROM pg_attribute a"
		" JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = ('needle.' || $1)::regclass AND a.attnum > 0"
		" AND NOT a.attisdropped AND a.attname <> 'tenant' ORDER BY a.attnum", 1, NULL, &table, NULL, NULL, 0));
}

static void add(char *to, size_t size, const char *before, const char *name, const char *after)
{
	size_t n = strlen(to);

	if (snprintf(to + n, size - n, "%s%s%s", before, name, after) >= (int)(size - n))
		errx(1, "a statement is too long");
}

static void write_insert(struct batch *b, const char *table, PGresult *columns)
{
	char number[16];
	int n = PQntuples(columns);

	add(b->insert, sizeof(b->insert), "INSERT INTO ", table, " (tenant");
	for (int i = 0; i < n; i++)
		add(b->insert, sizeof(b->insert), ", ", PQgetvalue(columns, i, 0), "");
	add(b->insert, sizeof(b->insert), ") SELECT $1::text, ", "u.*", " FROM unnest(");
	for (int i = 0; i < n; i++) {
		snprintf(number, sizeof(number), "%s$%d::", i ? ", " : "", i + 2);
		add(b->insert, sizeof(b->insert), number, PQgetvalue(columns, i, 2), "[]");
	}
	add(b->insert, sizeof(b->insert), ") u", "", strcmp(table, "report") == 0 ? " ON CONFLICT DO NOTHING" : "");
}

static void read_batch(PGconn *c, struct batch *b, const struct table *t, const char *const args[3])
{
	PGresult *columns = columns_of(c, t->name);
	char sql[8192] = "SELECT ";
	int n = PQntuples(columns), binary = 1;

	if (n >= COLUMNS_MAX)
		errx(1, "%s has too many columns", t->name);
	for (int i = 0; i < n; i++)
		add(sql, sizeof(sql), i ? ", array_agg(t." : "array_agg(t.", PQgetvalue(columns, i, 0), ")");
	add(sql, sizeof(sql), " FROM ", t->from, "");
	b->arrays = checked(c, PQexecParams(c, sql, strstr(t->from, "$3") ? 3 : 2, NULL, args, NULL, NULL, binary));
	write_insert(b, t->name, columns);
	b->n = n + 1;
	b->types[0] = 25;               /* text */
	for (int i = 0; i < n; i++) {
		b->types[i + 1] = (Oid)strtoul(PQgetvalue(columns, i, 1), NULL, 10);
		b->values[i + 1] = PQgetisnull(b->arrays, 0, i) ? NULL : PQgetvalue(b->arrays, 0, i);
		b->lengths[i + 1] = PQgetlength(b->arrays, 0, i);
		b->formats[i + 1] = binary;
	}
	PQclear(columns);
}

static void put_batch(PGconn *c, struct batch *all, const char *tenant)
{
	PGresult *res;
	bool synced = false;

	PQenterPipelineMode(c);
	for (int i = 0; i < N_TABLES; i++) {
		all[i].values[0] = tenant;
		if (!PQsendQueryPrepared(c, tables[i].name, all[i].n, all[i].values, all[i].lengths, all[i].formats, 0))
			errx(1, "%s", PQerrorMessage(c));
	}
	PQpipelineSync(c);              /* the pipeline is one transaction */
	while (!synced) {
		while ((res = PQgetResult(c))) {
			ExecStatusType status = PQresultStatus(res);

			if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_PIPELINE_SYNC)
				errx(1, "%s", PQerrorMessage(c));
			synced = status == PGRES_PIPELINE_SYNC;
			PQclear(res);
			if (synced)
				break;
		}
	}
	PQexitPipelineMode(c);
}

static double mono_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What one connection did; the time to read the batch first is not part of it. */
struct done {
	long batches;
	double seconds;
};

/* One connection: inserts until the time is over; writes what it did to the pipe. */
static void work(const char *dsn, const char *const args[3], int which, double seconds, int to)
{
	struct batch *all = calloc(N_TABLES, sizeof(*all));
	PGconn *c = connect_to(dsn);
	struct done done = {0};
	char tenant[32];
	double since;

	for (int i = 0; all && i < N_TABLES; i++) {
		read_batch(c, &all[i], &tables[i], args);
		PQclear(checked(c, PQprepare(c, tables[i].name, all[i].insert, all[i].n, all[i].types)));
	}
	since = mono_s();
	for (; all && mono_s() < since + seconds; done.batches++) {
		snprintf(tenant, sizeof(tenant), "i%d-%x-%05ld", which, (unsigned)getpid(), done.batches);
		put_batch(c, all, tenant);
	}
	done.seconds = mono_s() - since;
	PQfinish(c);
	free(all);
	if (write(to, &done, sizeof(done)) != sizeof(done))
		err(1, "pipe");
}

static char *pick_cases(PGconn *c, const char *tenant, const char *size, int *ret_n)
{
	const char *const args[] = {tenant, size};
	PGresult *res = checked(c, PQexecParams(c, "SELECT array_agg(number), count(*) FROM (SELECT number FROM needle.cases"
		" WHERE tenant = $1 ORDER BY number DESC LIMIT $2::int) t", 2, NULL, args, NULL, NULL, 0));
	char *list = strdup(PQgetvalue(res, 0, 0));

	*ret_n = (int)strtol(PQgetvalue(res, 0, 1), NULL, 10);
	PQclear(res);
	if (!*ret_n)
		errx(1, "no cases to take rows from");
	return list;
}

int main(int argc, char **argv)
{
	const char *args[3];
	struct done one;
	double seconds, per_s = 0;
	long tickets = 0;
	int connections, size, pipes[2];
	PGconn *c;

	if (argc != 7)
		errx(2, "insert DSN TENANT BATCH CONNECTIONS SECONDS EVENT-BYTES");
	connections = (int)strtol(argv[4], NULL, 10);
	seconds = strtod(argv[5], NULL);
	c = connect_to(argv[1]);
	args[0] = argv[2];
	args[1] = pick_cases(c, argv[2], argv[3], &size);
	args[2] = argv[6];
	PQfinish(c);
	if (pipe(pipes) < 0)
		err(1, "pipe");
	for (int i = 0; i < connections; i++) {
		pid_t pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (pid == 0) {
			work(argv[1], args, i, seconds, pipes[1]);
			_exit(0);
		}
	}
	for (int i = 0; i < connections; i++) {
		int status;

		if (wait(&status) < 0 || status != 0 || read(pipes[0], &one, sizeof(one)) != sizeof(one))
			errx(1, "a connection failed");
		tickets += one.batches * size;
		per_s += (double)(one.batches * size) / one.seconds;
	}
	printf("{\"tickets\":%ld,\"per_s\":%.1f}\n", tickets, per_s);
	return 0;
}
