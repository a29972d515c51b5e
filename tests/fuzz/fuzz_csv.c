/* A CSV of any bytes: rows come out as valid UTF-8 within the limits, or it is refused with a reason. */
#include "fuzz.h"

#include "table/table.h"

static int take(void *arg, const struct table_row *row, struct err *e)
{
	(void)e;
	MUST(row->n > 0 && row->n <= TABLE_COLUMNS && row->number >= 1 && row->number >= *(size_t *)arg);
	*(size_t *)arg = row->number;
	MUST(*row->cells[row->n - 1].text);
	for (size_t i = 0; i < row->n; i++) {
		MUST(strlen(row->cells[i].text) <= TABLE_CELL);
		MUST(str_is_utf8(row->cells[i].text, strlen(row->cells[i].text)));
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = {0};
	size_t last = 0;
	FILE *file;
	int r;

	if (!size)
		return 0;
	file = fmemopen((void *)(uintptr_t)data, size, "r");
	MUST(file);
	r = csv_read(file, take, &last, &e);
	MUST(r == 0 || (r == ERR_BAD && *e.text && *e.code));
	fclose(file);
	return 0;
}
