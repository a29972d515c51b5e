/*
 * An XLSX. The first byte says what the rest is: the whole archive, or one part of one that is else in
 * order; a fuzzer would never get through a ZIP's checksums by itself.
 */
#include "fuzz.h"

#include <zip.h>

#include "table/table.h"

static const struct {
	const char *name, *text;
} parts[] = {
	{"xl/worksheets/sheet1.xml", "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c s=\"1\"><v>46346.5</v></c></row>"
				     "</sheetData></worksheet>"},
	{"xl/sharedStrings.xml", "<sst><si><t>x</t></si><si><r><t>y</t></r></si></sst>"},
	{"xl/styles.xml", "<styleSheet><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>"},
	{"xl/workbook.xml", "<workbook><workbookPr/><sheets><sheet name=\"s\" r:id=\"rId1\"/></sheets></workbook>"},
	{"xl/_rels/workbook.xml.rels", "<Relationships><Relationship Id=\"rId1\" Target=\"worksheets/sheet1.xml\"/></Relationships>"},
};
enum { N_PARTS = sizeof(parts) / sizeof(parts[0]) };

static int take(void *arg, const struct table_row *row, struct err *e)
{
	(void)arg;
	(void)e;
	MUST(row->n > 0 && row->n <= TABLE_COLUMNS);
	MUST(*row->cells[row->n - 1].text);
	for (size_t i = 0; i < row->n; i++)
		MUST(str_is_utf8(row->cells[i].text, strlen(row->cells[i].text)));
	return 0;
}

/* The archive with one part replaced. */
static zip_source_t *build(const uint8_t *data, size_t size, unsigned which)
{
	zip_error_t why;
	zip_source_t *to = zip_source_buffer_create(NULL, 0, 0, &why);
	zip_t *zip = to ? zip_open_from_source(to, ZIP_TRUNCATE, &why) : NULL;

	MUST(zip);
	zip_source_keep(to);
	for (unsigned i = 0; i < N_PARTS; i++) {
		const void *text = i == which ? (const void *)data : (const void *)parts[i].text;
		zip_source_t *part = zip_source_buffer(zip, text, i == which ? size : strlen(parts[i].text), 0);
		zip_int64_t at = zip_file_add(zip, parts[i].name, part, 0);

		MUST(at >= 0);
		zip_set_file_compression(zip, (zip_uint64_t)at, ZIP_CM_STORE, 0);
	}
	MUST(zip_close(zip) == 0);
	return to;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct table_options options = {0};
	struct err e = {0};
	zip_error_t why;
	zip_source_t *source;
	zip_t *zip;
	int r;

	if (!size)
		return 0;
	source = data[0] % (N_PARTS + 1) ? build(data + 1, size - 1, data[0] % (N_PARTS + 1) - 1)
					 : zip_source_buffer_create(data + 1, size - 1, 0, &why);
	zip = source ? zip_open_from_source(source, ZIP_RDONLY, &why) : NULL;
	if (!zip) {
		zip_source_free(source);
		return 0;
	}
	r = xlsx_read(zip, &options, take, NULL, &e);
	MUST(r == 0 || (r == ERR_BAD && *e.text && *e.code));
	zip_discard(zip);
	return 0;
}
