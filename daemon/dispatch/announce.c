/* Lists that were made: each goes out retained; after a connect the newest of each name, should the broker have lost it. */
#include <string.h>

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
		if (!send(d, &v[i])) {
			d->lists.due = true;
			break;
		}
		if (v[i].due_at > d->lists.sent_until)
			d->lists.sent_until = v[i].due_at;
	}
	if (r == 0 && !d->lists.due)
		d->lists.all = false;
	arena_done(&a);
	return r;
}
