#include "intake/reading.h"

#include "plugin/decoder.h"
#include "settings/snapshot.h"

enum { BYTES_MAX = 4 << 20 };

static void begin(struct reading *r, const struct settings *settings)
{
	struct handoff *h = r->batch.handoff ? r->batch.handoff : mem_alloc(sizeof(*h));

	r->batch = (struct batch){.office = &settings->office, .hits = settings->hits, .privacy_keys = settings->privacy_keys,
				  .a = &h->arena, .handoff = h};
}

bool reading_is_full(const struct reading *r)
{
	return r->n == BATCH_MAX || r->bytes >= BYTES_MAX;
}

size_t reading_more(struct reading *r, struct inbox *inbox, struct settings *settings, size_t max)
{
	if (reading_is_full(r))
		return 0;
	if (!r->n)
		begin(r, settings);
	return inbox_read(inbox, r->batch.a, &r->records[r->n], max < BATCH_MAX - r->n ? max : BATCH_MAX - r->n, BYTES_MAX - r->bytes);
}

void reading_understand(struct reading *r, struct decoders *decoders, size_t n)
{
	struct inbox_record *more = &r->records[r->n];

	for (size_t i = 0; i < n; i++)
		r->bytes += more[i].payload_len;
	batch_understand(&r->batch, decoders_lookup, decoders, more, n);
	r->n += n;
}

void reading_taken(struct reading *r)
{
	batch_done(&r->batch);
	r->batch = (struct batch){0};
	r->n = r->bytes = 0;
}

void reading_drop(struct reading *r)
{
	struct handoff *h = r->batch.handoff;

	reading_taken(r);
	handoff_free(h);
}
