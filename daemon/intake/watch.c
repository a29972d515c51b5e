/*
 * What time brings devices: what is held comes to count, who promised to be heard of and is not is a matter, who went on
 * and off has settled. Rows of `device_timer` only say which devices to look at.
 *
 * While the gateway itself did not listen, nobody was silent: a promise counts from when it listens again, and nothing is
 * looked at before the inbox was empty once, for the word that is missed may lie there.
 */
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "core/device/device.h"
#include "core/time/moment.h"
#include "intake/batch.h"
#include "intake/chores.h"
#include "store/devices.h"

enum { LOOK_MAX = 128, EXPECT_MAX = 2000 };
static const int64_t later_us = INT64_C(3600) * 1000000;

/* ---- looking ---------------------------------------------------------------------------------- */
/* As of a batch: what the database calls bad is halved until it stands alone. That one is looked at later. */
static int look(struct batch *b, struct pg *pg, struct numbers *numbers, size_t from, size_t n, struct err *e)
{
	int r = transact(b, pg, numbers, from, n, e);

	if (r != ERR_BAD)
		return r;
	if (n == 1) {
		log_error("intake.device", "device %s: %s", b->units[from].device, e->text);
		return devices_put_off(pg, b->office->tenant, b->units[from].device, clock_now_us() + later_us, e);
	}
	r = look(b, pg, numbers, from, n / 2, e);
	return r < 0 ? r : look(b, pg, numbers, from + n / 2, n - n / 2, e);
}

int devices_look(struct pg *pg, const struct office *office, struct numbers *numbers, int instance, int64_t listening,
		 struct handoff *h, bool *ret_more, struct err *e)
{
	struct batch b = {.office = office, .instance = instance, .listening = listening, .a = &h->arena, .handoff = h};
	const char **devices;
	size_t n = 0;
	int r = devices_due(pg, office->tenant, clock_now_us(), LOOK_MAX, b.a, &devices, &n, e);

	*ret_more = r == 0 && n == LOOK_MAX;
	if (r < 0 || !n)
		return r;
	b.units = arena_alloc(b.a, n * sizeof(*b.units));
	b.n_units = n;
	for (size_t i = 0; i < n; i++)
		b.units[i] = (struct unit){.kind = UNIT_DEVICE, .device = devices[i]};
	r = look(&b, pg, numbers, 0, n, e);
	h->rows = b.rows.v;
	h->n_rows = b.rows.n;
	return r;
}

/* ---- who is to be heard of -------------------------------------------------------------------- */
static const char *channel_of(const struct office *office, const struct device_kind *kind)
{
	return kind->channel.n ? kind->channel.v[0] : office->n_channels ? office->channels[0].id : "device";
}

static bool promises(const struct device_entry *d)
{
	return d->heartbeat >= 0 ? d->heartbeat > 0 : d->kind->heartbeat > 0;
}

int devices_expect_turn(struct revision *v, struct pg *pg, const struct office *office, struct arena *a, struct err *e)
{
	const char **texts = arena_alloc(a, 3 * EXPECT_MAX * sizeof(*texts));
	size_t n = 0;
	int r = 0;

	if (memcmp(v->hash, office->hash, sizeof(v->hash)) != 0) {
		memcpy(v->hash, office->hash, sizeof(v->hash));
		v->at = 0;
		v->done = false;
	}
	for (; v->at < office->n_devices && n < EXPECT_MAX; v->at++) {
		const struct device_entry *d = &office->devices[v->at];

		if (!promises(d))
			continue;
		texts[n] = d->device;
		texts[EXPECT_MAX + n] = d->kind->name;
		texts[2 * EXPECT_MAX + n] = channel_of(office, d->kind);
		n++;
	}
	if (n)
		r = devices_expect(pg, office->tenant, texts, texts + EXPECT_MAX, texts + 2 * EXPECT_MAX, n, clock_now_us(), e);
	v->done = r == 0 && v->at >= office->n_devices;
	if (r < 0)
		v->at = 0;      /* from the start: nothing happens twice */
	return r;
}
