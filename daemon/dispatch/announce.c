/* Lists that were made: each goes out retained; after a connect the newest of each name, should the broker have lost it. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "core/time/moment.h"
#include "dispatch/parts.h"
#include "store/bulletin.h"

static bool is_known(const struct office *office, const char *name, bool open)
{
	const struct period *v = open ? office->statistics.publics : office->periods;
	size_t n = open ? office->statistics.n_publics : office->n_periods;

	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].name, name) == 0)
			return true;
	return false;
}

/* report/weekly -> R/report/weekly. A list that is configured no more is not renewed. */
static bool send(struct dispatch *d, const struct bulletin *b)
{
	const char *slash = strchr(b->name, '/');
	struct arena a = {.block_size = 512};
	bool sent = true;

	if (slash && is_known(&d->settings->office, slash + 1, strncmp(b->name, "public/", 7) == 0))
		sent = publish_plain(d, arena_printf(&a, "needle/%s/%s", tenant_of(d), b->name), b->payload, true);
	arena_done(&a);
	return sent;
}

static struct announced *last_of(struct dispatch *d, const char *name)
{
	for (size_t i = 0; i < d->lists.sent.n; i++)
		if (strcmp(d->lists.sent.v[i].name, name) == 0)
			return &d->lists.sent.v[i];
	VEC_PUSH(&d->lists.sent, ((struct announced){mem_strdup(name), MOMENT_NONE}));
	return &d->lists.sent.v[d->lists.sent.n - 1];
}

static bool announce(struct dispatch *d, const struct bulletin *b)
{
	struct announced *last = last_of(d, b->name);

	if (!d->lists.all && b->due_at <= last->due_at)
		return true;
	if (!send(d, b))
		return false;
	last->due_at = b->due_at;
	if (b->due_at > d->lists.sent_until)
		d->lists.sent_until = b->due_at;
	return true;
}

int announce_lists(struct dispatch *d, struct err *e)
{
	struct arena a = {0};
	struct bulletin *v;
	size_t n;
	int r;

	if (!d->lists.due)
		return 0;
	r = bulletin_newest(d->pg, tenant_of(d), d->lists.all ? MOMENT_NONE : d->lists.sent_until, &a, &v, &n, e);
	d->lists.due = r < 0;
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (!announce(d, &v[i])) {
			d->lists.due = true;
			break;
		}
	}
	if (r == 0 && !d->lists.due)
		d->lists.all = false;
	arena_done(&a);
	return r;
}
