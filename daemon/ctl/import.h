#pragma once
/* What import.c (reading, telling) and import_send.c (the broker) share. */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/vec.h"
#include "table/rejected.h"

struct ctl;
struct decoders;
struct err;

struct import_row {
	size_t number;                  /* in the file */
	const char *payload;
	const char **ids;               /* of the reports that it makes */
	size_t n_ids, answered;
	const char *reason;             /* why it is refused, or NULL */
};
struct import {
	struct ctl *ctl;
	const char *file, *channel, *topic, *receipts;
	struct decoders *decoders;
	struct arena scratch;
	VEC(struct import_row) rows;
	size_t header, at;
	json_t *columns, *first;
	bool preview;
	size_t n_bad, nothing, twice, updated;
	int64_t fresh, duplicates;      /* -1: nobody could be asked */
	struct rejected rejected;
	const char *rejected_file;
};

/* Sends every row that makes something and waits for all receipts. ERR_AGAIN: some did not come. */
int import_send(struct import *im, struct err *e);
