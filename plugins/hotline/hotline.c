/* needle-hotline: wiring. bridge/program.h is main and the way to the gateway. */
#include "hotline.h"

#include "base/err.h"
#include "bridge/program.h"

enum { KNOWN_IDS = 200000 };

static int open_known(struct hotline *h, struct err *e)
{
	struct queue_options options = {.folder = bridge_settings(h->bridge)->state, .name = "known", .remember = KNOWN_IDS};

	return h->pull_is.check.url ? queue_open(&options, &h->known, e) : 0;
}

static int start(void *self, struct bridge *b, struct loop *loop, struct err *e)
{
	struct hotline *h = self;
	int r = 0;

	/* Receipts may come already: push_receipt must find nothing half made. */
	h->bridge = b;
	r = shape_open(h, e);
	if (r == 0)
		r = open_known(h, e);
	if (r == 0 && h->push_is.address)
		r = push_start(h, loop, e);
	if (r == 0 && h->folder_is.path)
		r = folder_start(h, e);
	if (r == 0 && h->pull_is.list.url)
		r = pull_start(h, e);
	/* Also with nowhere to send replies to: they must not pile up. */
	if (r == 0)
		r = back_start(h, e);
	return r;
}

static void stop(void *self)
{
	struct hotline *h = self;

	push_stop(h);
	folder_stop(h);
	pull_stop(h);
	back_stop(h);
}

static void done(void *self)
{
	struct hotline *h = self;

	queue_close(h->known);
	shape_close(h);
	for (size_t i = 0; i < h->mapping.n_codes; i++)
		map_done((struct map *)(uintptr_t)&h->mapping.codes[i].values);
}

static void receipt(void *self, const struct bridge_receipt *r)
{
	struct hotline *h = self;
	struct err e;

	if (h->known && r->id && strcmp(r->result, "dead") != 0 && queue_put(h->known, r->id, "", 0, &e) == 0)
		queue_done(h->known, r->id, false);
	push_receipt(h, r);
}

static void reply(void *self)
{
	back_wake(self);
}

int main(int argc, char **argv)
{
	static struct hotline hotline;
	static const struct bridge_program program = {
		.name = "needle-hotline",
		.file = "/etc/needle/hotline.yaml",
		.help = N_("Connects the city hotline (12345) with the gateway: exports in a folder, HTTP push, HTTP pull."),
		.keys = hotline_keys, .self = &hotline, .read = hotline_read, .start = start, .stop = stop,
		.done = done,
		.receipt = receipt, .reply = reply,
	};

	return bridge_main(argc, argv, &program);
}
