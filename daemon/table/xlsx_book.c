/*
 * The parts around a sheet: which sheets there are, shared strings, which styles are dates. Every part is
 * unpacked in a stream with two limits, on its bytes and on how much it grew: a few kilobytes may say
 * that they are gigabytes.
 */
#include <errno.h>
#include <zip.h>

#include "base/err.h"
#include "table/xlsx.h"

enum { CHUNK = 32 * 1024, DEPTH_MAX = 64, SHEETS = 256 };

struct sheet_entry {
	const char *name, *id;
	bool hidden;
};
struct reading {
	XML_Parser parser;              /* first: no_doctype looks for it there */
	struct book *b;
	struct str text;
	bool in_text;
	int phonetic;                   /* depth inside <rPh>: how to read it, not what it is */
	bool in_formats;                /* <cellXfs> */
	VEC(struct sheet_entry) sheets;
	VEC(struct { int id; bool date; }) formats;
	const char *wanted, *target;    /* relationship id and what it points at */
};

const char *xml_attribute(const char *const *attributes, const char *name)
{
	for (; *attributes; attributes += 2)
		if (strcmp(attributes[0], name) == 0)
			return attributes[1];
	return NULL;
}

/* ---- parsing a part ----------------------------------------------------------------------------- */

static void no_doctype(void *self, const char *name, const char *system, const char *public, int internal)
{
	XML_Parser parser = *(XML_Parser *)self;

	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	XML_StopParser(parser, XML_FALSE);
}

XML_Parser book_parser(void *self, XML_StartElementHandler start, XML_EndElementHandler end,
		       XML_CharacterDataHandler text)
{
	XML_Parser parser = XML_ParserCreate("UTF-8");

	if (!parser)
		mem_die("expat");
	XML_SetUserData(parser, self);
	XML_SetElementHandler(parser, start, end);
	XML_SetCharacterDataHandler(parser, text);
	/* No such file has a DTD; with none there are no entities to expand. */
	XML_SetStartDoctypeDeclHandler(parser, no_doctype);
	return parser;
}

static void close_part(zip_file_t **file)
{
	if (*file)
		zip_fclose(*file);
}

static int too_large(const char *part, struct err *e)
{
	return err_code(e, ERR_BAD, "too-large", "%s grows far beyond its size when it is unpacked", part);
}

int book_parse(struct book *b, const char *part, XML_Parser parser, bool optional, struct err *e)
{
	CLEANUP(close_part) zip_file_t *file = NULL;
	zip_stat_t st = {0};
	int64_t total = 0;

	if (zip_stat(b->zip, part, ZIP_FL_NOCASE, &st) < 0)
		return optional ? 0 : err_code(e, ERR_BAD, "broken", "the file has no %s: it is no XLSX", part);
	file = zip_fopen_index(b->zip, st.index, 0);
	if (!file)
		return err_code(e, ERR_BAD, "broken", "%s cannot be unpacked (has the file a password?)", part);
	for (;;) {
		void *buf = XML_GetBuffer(parser, CHUNK);
		zip_int64_t n = buf ? zip_fread(file, buf, CHUNK) : -1;

		if (n < 0)
			return err_code(e, ERR_BAD, "broken", "%s cannot be unpacked: was the file copied whole?", part);
		total += n;
		if (total > TABLE_UNPACKED ||
		    (total > 1 << 20 && st.comp_size && total / TABLE_RATIO > (int64_t)st.comp_size))
			return too_large(part, e);
		if (XML_ParseBuffer(parser, (int)n, n == 0) != XML_STATUS_OK)
			return XML_GetErrorCode(parser) == XML_ERROR_ABORTED ? ERR_BAD
			       : err_code(e, ERR_BAD, "broken", "%s line %lu: %s", part, XML_GetCurrentLineNumber(parser),
					  XML_ErrorString(XML_GetErrorCode(parser)));
		if (n == 0)
			return 0;
	}
}

/* ---- workbook.xml and its relationships ---------------------------------------------------------- */

static const char *local(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon ? colon + 1 : name;
}

static void workbook_start(void *arg, const char *name, const char **attributes)
{
	struct reading *in = arg;
	const char *const *a = (const char *const *)attributes;
	const char *state, *value;

	name = local(name);
	if (strcmp(name, "workbookPr") == 0) {
		value = xml_attribute(a, "date1904");
		in->b->from_1904 = value && (strcmp(value, "1") == 0 || strcmp(value, "true") == 0);
	}
	if (strcmp(name, "sheet") != 0 || in->sheets.n == SHEETS || !xml_attribute(a, "name") || !xml_attribute(a, "r:id"))
		return;
	state = xml_attribute(a, "state");
	VEC_PUSH(&in->sheets, (struct sheet_entry){arena_strdup(&in->b->arena, xml_attribute(a, "name")),
						   arena_strdup(&in->b->arena, xml_attribute(a, "r:id")),
						   state && strcmp(state, "visible") != 0});
}

static void rels_start(void *arg, const char *name, const char **attributes)
{
	struct reading *in = arg;
	const char *const *a = (const char *const *)attributes;
	const char *id = xml_attribute(a, "Id"), *target = xml_attribute(a, "Target");

	if (strcmp(local(name), "Relationship") == 0 && id && target && strcmp(id, in->wanted) == 0)
		in->target = arena_strdup(&in->b->arena, target);
}

static int choose_sheet(struct reading *in, const char *sheet, struct err *e)
{
	const struct sheet_entry *found = NULL;

	for (size_t i = 0; i < in->sheets.n && !found; i++)
		if (sheet ? strcmp(in->sheets.v[i].name, sheet) == 0 : !in->sheets.v[i].hidden)
			found = &in->sheets.v[i];
	if (!found)
		return sheet ? err_code(e, ERR_BAD, "no-sheet", "there is no sheet “%s”", sheet)
			     : err_code(e, ERR_BAD, "no-sheet", "there is no sheet that is not hidden");
	in->wanted = found->id;
	return 0;
}

static int read_with(struct reading *in, const char *part, bool optional, XML_StartElementHandler start,
		     XML_EndElementHandler end, XML_CharacterDataHandler text, struct err *e)
{
	int r;

	in->parser = book_parser(in, start, end, text);
	e->code[0] = '\0';
	r = book_parse(in->b, part, in->parser, optional, e);
	if (r == ERR_BAD && !*e->code)
		err_code(e, ERR_BAD, "broken", "%s has more in it than such a file has", part);
	XML_ParserFree(in->parser);
	return r;
}

/* ---- shared strings ------------------------------------------------------------------------------ */

static void strings_start(void *arg, const char *name, const char **attributes)
{
	struct reading *in = arg;

	(void)attributes;
	name = local(name);
	if (strcmp(name, "si") == 0)
		str_reset(&in->text);
	in->phonetic += strcmp(name, "rPh") == 0;
	in->in_text = strcmp(name, "t") == 0 && !in->phonetic;
}

static void strings_end(void *arg, const char *name)
{
	struct reading *in = arg;

	name = local(name);
	in->in_text = false;
	in->phonetic -= strcmp(name, "rPh") == 0;
	if (strcmp(name, "si") != 0)
		return;
	in->b->strings_bytes += in->text.len + sizeof(char *);
	if (in->b->strings_bytes > TABLE_STRINGS)
		XML_StopParser(in->parser, XML_FALSE);
	else
		VEC_PUSH(&in->b->strings, arena_strndup(&in->b->arena, in->text.s ? in->text.s : "", in->text.len));
}

static void strings_text(void *arg, const char *text, int n)
{
	struct reading *in = arg;

	if (in->in_text)
		str_addn(&in->text, text, (size_t)n);
}

/* ---- styles -------------------------------------------------------------------------------------- */

static bool builtin_is_date(int id)
{
	return (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) || (id >= 50 && id <= 58);
}

static void styles_start(void *arg, const char *name, const char **attributes)
{
	struct reading *in = arg;
	const char *const *a = (const char *const *)attributes;
	const char *id_text = xml_attribute(a, "numFmtId"), *code = xml_attribute(a, "formatCode");
	int64_t id = -1;
	bool date;

	name = local(name);
	if (strcmp(name, "cellXfs") == 0)
		in->in_formats = true;
	if (id_text)
		str_to_int(id_text, 0, 100000, &id);
	if (strcmp(name, "numFmt") == 0 && id >= 0 && code && in->formats.n < 10000)
		VEC_PUSH(&in->formats, (__typeof__(*in->formats.v)){(int)id, cell_format_is_date(code)});
	if (strcmp(name, "xf") != 0 || !in->in_formats || in->b->dates.n > 100000)
		return;
	date = builtin_is_date((int)id);
	for (size_t i = 0; i < in->formats.n; i++)
		if (in->formats.v[i].id == id)
			date = in->formats.v[i].date;
	VEC_PUSH(&in->b->dates, date);
}

static void styles_end(void *arg, const char *name)
{
	struct reading *in = arg;

	if (strcmp(local(name), "cellXfs") == 0)
		in->in_formats = false;
}

/* ---- all of it ----------------------------------------------------------------------------------- */

static int read_book(struct reading *in, const char *sheet, struct err *e)
{
	struct book *b = in->b;
	int r = read_with(in, "xl/workbook.xml", false, workbook_start, NULL, NULL, e);

	if (r == 0)
		r = choose_sheet(in, sheet, e);
	if (r == 0)
		r = read_with(in, "xl/_rels/workbook.xml.rels", false, rels_start, NULL, NULL, e);
	if (r == 0 && !in->target)
		r = err_code(e, ERR_BAD, "broken", "the sheet is named but not there");
	if (r == 0)
		r = read_with(in, "xl/styles.xml", true, styles_start, styles_end, NULL, e);
	if (r == 0)
		r = read_with(in, "xl/sharedStrings.xml", true, strings_start, strings_end, strings_text, e);
	if (r < 0 && b->strings_bytes > TABLE_STRINGS)
		return err_code(e, ERR_BAD, "too-large", "the texts of the file are more than %d MiB", TABLE_STRINGS >> 20);
	if (r == 0)
		b->sheet = *in->target == '/' ? arena_strdup(&b->arena, in->target + 1)
					      : arena_printf(&b->arena, "xl/%s", in->target);
	return r;
}

int book_open(struct book *b, const char *sheet, struct err *e)
{
	struct reading in = {.b = b, .text = {.max = TABLE_CELL}};
	int r = read_book(&in, sheet, e);

	VEC_DONE(&in.sheets);
	VEC_DONE(&in.formats);
	str_done(&in.text);
	return r;
}

void book_done(struct book *b)
{
	VEC_DONE(&b->strings);
	VEC_DONE(&b->dates);
	arena_done(&b->arena);
}
