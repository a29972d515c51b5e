/* How long a table takes to be read: parse FILE, prints {"rows": n, "ms": t}. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "table/table.h"

static int count(void *arg, const struct table_row *row, struct err *e)
{
	(void)row;
	(void)e;
	++*(size_t *)arg;
	return 0;
}

int main(int argc, char **argv)
{
	const struct table_options options = {0};
	struct err e = {0};
	size_t rows = 0;
	int64_t since = clock_mono_us();

	if (argc != 2 || table_read(argv[1], &options, count, &rows, &e) < 0) {
		fprintf(stderr, "parse: %s\n", e.text);
		return 1;
	}
	printf("{\"rows\": %zu, \"ms\": %.3f}\n", rows, (double)(clock_mono_us() - since) / 1000);
	return 0;
}
