#pragma once
/* Devices as the store keeps them: rows of state, their timers, causes. Writing is save.h's. */
#include "core/device/device.h"
#include "store/pg.h"

struct device_rows {
	const char *device;
	struct device_state **states;   /* the first is that of its silence (alarm "") */
	size_t n;
	int64_t timer_at;               /* when it is looked at next; MOMENT_NONE: never */
	bool unwatched;                 /* its kind is gone */
};
/*
 * Locks n devices and reads what is known of them; those that are new have a calm row now. `devices` are in the order of
 * strcmp and hold none twice; ret[i] is of devices[i].
 */
int devices_lock(struct pg *pg, const char *tenant, const char *const *devices, size_t n, struct arena *a,
		 struct device_rows *ret, struct err *e);
int cause_lock(struct pg *pg, const char *tenant, const char *cause, struct arena *a, struct cause_state *ret,
	       struct err *e);
/* Devices that are due, the earliest first. */
int devices_due(struct pg *pg, const char *tenant, int64_t now, size_t max, struct arena *a, const char ***ret,
		size_t *ret_n, struct err *e);
/*
 * Devices that promised to be heard of: those that never were get a row as if they were heard of now; all of them are
 * looked at. Outside of any transaction.
 */
int devices_expect(struct pg *pg, const char *tenant, const char *const *devices, const char *const *kinds,
		   const char *const *channels, size_t n, int64_t now, struct err *e);
/* A device that cannot be looked at now. */
int devices_put_off(struct pg *pg, const char *tenant, const char *device, int64_t until, struct err *e);
