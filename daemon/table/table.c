/* Which kind of file is it? By its first bytes: exports are often called .xls whatever they are. */
#include "table/table.h"

#include <errno.h>
#include <zip.h>

#include "base/err.h"
#include "base/mem.h"

static void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

static int read_xlsx(const char *path, const struct table_options *options, table_fn *fn, void *arg, struct err *e)
{
	int code = 0, r;
	struct zip *zip = zip_open(path, ZIP_RDONLY, &code);

	if (!zip)
		return err_code(e, ERR_BAD, "broken", "the file begins as a ZIP archive, but is none: was it copied whole?");
	r = xlsx_read(zip, options, fn, arg, e);
	zip_discard(zip);
	return r;
}

int table_read(const char *path, const struct table_options *options, table_fn *fn, void *arg, struct err *e)
{
	CLEANUP(close_file) FILE *file = fopen(path, "re");
	char head[8] = "";
	size_t n;

	if (!file)
		return err_set(e, ERR_SYS, "the file cannot be read: %s", strerror(errno));
	n = fread(head, 1, sizeof(head), file);
	if (n >= 4 && memcmp(head, "PK\003\004", 4) == 0)
		return read_xlsx(path, options, fn, arg, e);
	if (n == 8 && memcmp(head, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8) == 0)
		return err_code(e, ERR_BAD, "xls", "this is the old .xls format (or it has a password): save it as .xlsx or CSV");
	if (n >= 5 && (memcmp(head, "<html", 5) == 0 || memcmp(head, "<!DOC", 5) == 0 || memcmp(head, "<?xml", 5) == 0))
		return err_code(e, ERR_BAD, "html", "this is a web page that is called a table: save it as .xlsx or CSV");
	rewind(file);
	return csv_read(file, fn, arg, e);
}
