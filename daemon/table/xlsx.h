#pragma once
/* What the files of the XLSX reader share; nobody else includes it. xlsx.c reads sheets, xlsx_book.c what stands around them. */
#include <expat.h>
#include <stdbool.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "table/table.h"

struct zip;

struct book {
	struct zip *zip;
	struct arena arena;
	bool from_1904;
	char *sheet;                    /* the part that holds the wanted sheet */
	VEC(const char *) strings;      /* shared strings */
	size_t strings_bytes;
	VEC(bool) dates;                /* does cell style i show dates? */
};

/* Feeds a part of the archive to a parser within the limits; a missing part is `missing`: 0 or ERR_BAD. */
int book_parse(struct book *b, const char *part, XML_Parser parser, bool optional, struct err *e);
/* A parser that takes no DTD, and so no entities. *self begins with the place where its user keeps it. */
XML_Parser book_parser(void *self, XML_StartElementHandler start, XML_EndElementHandler end,
		       XML_CharacterDataHandler text);
int book_open(struct book *b, const char *sheet, struct err *e);
void book_done(struct book *b);
const char *xml_attribute(const char *const *attributes, const char *name);
