/* Rows to the broker, some under way at a time, and their receipts by the reports' ids. */
#include "base/clock.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/import.h"
#include "ctl/wire.h"

enum { UNDER_WAY = 100, STEP_US = 50000 };

struct sending {
	struct import *im;
	struct wire *wire;
	struct map by_id;               /* id of a report to its row: the first of that id that waits */
	size_t next, under_way;         /* row to send; receipts that are missing of rows that were sent */
};

/* An id that waits already: its row comes when that is answered. */
static bool is_under_way(const struct sending *s, const struct import_row *row)
{
	for (size_t i = 0; i < row->n_ids; i++)
		if (map_get(&s->by_id, row->ids[i]))
			return true;
	return false;
}

static int send_more(struct sending *s, struct err *e)
{
	int r = 0;

	while (r == 0 && s->next < s->im->rows.n && s->under_way < UNDER_WAY) {
		struct import_row *row = &s->im->rows.v[s->next];

		if (!row->reason && row->n_ids && is_under_way(s, row))
			return 0;
		s->next++;
		if (row->reason || !row->n_ids)
			continue;
		r = wire_send(s->wire, s->im->topic, row->payload, strlen(row->payload), e);
		for (size_t i = 0; r == 0 && i < row->n_ids; i++) {
			map_put(&s->by_id, row->ids[i], row);
			s->under_way++;
		}
	}
	return r;
}

static void take_receipt(struct sending *s, const json_t *receipt)
{
	const char *id = json_string_value(json_object_get(receipt, "id"));
	const char *result = json_string_value(json_object_get(receipt, "result"));
	const char *reason = json_string_value(json_object_get(receipt, "reason"));
	struct import_row *row = id && result ? map_get(&s->by_id, id) : NULL;
	struct import *im = s->im;

	if (!row)
		return;
	map_take(&s->by_id, id);
	s->under_way--;
	row->answered++;
	if (strcmp(result, "dead") == 0)
		row->reason = arena_strdup(&im->ctl->arena, reason ? reason : "-");
	else if (strcmp(result, "duplicate") == 0)
		im->duplicates++;
	else if (strcmp(result, "updated") == 0)
		im->updated++;
	else
		im->fresh++;
}

static int exchange(struct sending *s, struct err *e)
{
	int64_t wait_us = 0, until;
	int r = ctl_timeout(s->im->ctl, &wait_us, e);

	until = clock_mono_us() + wait_us;
	while (r == 0) {
		json_t *receipt = NULL;

		r = send_more(s, e);
		if (r < 0 || (!s->under_way && s->next == s->im->rows.n))
			return r;
		r = wire_next(s->wire, STEP_US, &receipt, e);
		if (r == 0 && receipt) {
			take_receipt(s, receipt);
			until = clock_mono_us() + wait_us;
		}
		json_decref(receipt);
		if (r == 0 && clock_mono_us() > until)
			return err_set(e, ERR_AGAIN, "the gateway gave no answer in %d s; %zu rows were answered, and the same file again is safe",
				       (int)(wait_us / 1000000), s->next - s->under_way);
	}
	return r;
}

int import_send(struct import *im, struct err *e)
{
	struct sending s = {.im = im};
	int r = wire_open(im->ctl, &s.wire, e);

	if (r == 0)
		r = wire_subscribe(s.wire, im->receipts, e);
	if (r == 0)
		r = exchange(&s, e);
	wire_close(s.wire);
	map_done(&s.by_id);
	return r;
}
