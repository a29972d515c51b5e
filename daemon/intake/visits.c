/*
 * One case a visit. A visit comes in as any report does, by the register's channel: so it is routed, has limits and a
 * history like the rest, and its id makes it happen once. The outbox carries it to the broker.
 */
#include "base/err.h"
#include "base/str.h"
#include "core/office.h"
#include "core/time/moment.h"
#include "intake/periodic.h"
#include "store/bulletin.h"
#include "store/outbox.h"

static uint32_t short_hash(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

static void member(struct str *t, const char *name, const char *value)
{
	if (!value)
		return;
	str_addf(t, ",\"%s\":", name);
	str_json(t, value);
}

static void person(struct str *t, const struct site *site)
{
	CLEANUP(str_done) struct str who = {0};

	if (site->contact) {
		str_add(&who, "\"name\":");
		str_json(&who, site->contact);
	}
	if (site->phone) {
		str_add(&who, who.len ? ",\"phone\":" : "\"phone\":");
		str_json(&who, site->phone);
	}
	if (who.len)
		str_addf(t, ",\"reporter\":{%s}", who.s);
}

static const char *payload(const struct occurrence *o, const struct inspection *in, const struct site *site,
			   struct arena *a)
{
	CLEANUP(str_done) struct str t = {0};
	struct civil day = moment_civil(o->at);
	char at[MOMENT_TEXT];

	str_addf(&t, "{\"v\":1,\"id\":\"%s-%s-%04d%02d%02d\",\"kind\":\"report\",\"time\":\"%s\"", in->name, site->id, day.year,
		 day.month, day.day, moment_rfc3339(o->at, at));
	member(&t, "text", arena_printf(a, "%s：%s（%04d-%02d-%02d）", in->task, site->name, day.year, day.month, day.day));
	member(&t, "category", in->category);
	member(&t, "device", site->id);
	if (site->grid) {
		str_add(&t, ",\"place\":{\"grid\":");
		str_json(&t, site->grid);
		str_addc(&t, '}');
	}
	person(&t, site);
	member(&t, "inspection", in->name);
	member(&t, "site", site->id);
	member(&t, "grade", site->grade);
	member(&t, "community", site->community);
	member(&t, "trade", site->trade);
	str_addc(&t, '}');
	return arena_strdup(a, t.s);
}

int visits_make(struct pg *pg, const struct occurrence *o, const struct inspection *in, const struct grade *grade,
		struct handoff *h, struct err *e)
{
	const char *number = arena_printf(&h->arena, "visit-%08x-%lld", short_hash(o->name), (long long)(o->at / 60000000));
	const char *topic = arena_printf(&h->arena, "needle/%s/in/%s/%s", o->office->tenant, in->channel->id, in->name);
	struct outbox_rows rows = {.v = arena_alloc(&h->arena, (in->n_sites + 1) * sizeof(*rows.v))};
	int r = 0;

	for (size_t i = 0; i < in->n_sites; i++)
		if (strcmp(in->sites[i].grade, grade->name) == 0) {
			rows.v[rows.n] = (struct outbox_row){.number = number, .target = "in/visit", .topic = topic,
							     .payload = payload(o, in, &in->sites[i], &h->arena),
							     .seq = (int)rows.n + 1};
			rows.n++;
		}
	if (rows.n)
		r = visits_put(pg, o->office->tenant, &rows, e);
	h->rows = rows.v;
	h->n_rows = r == 0 ? rows.n : 0;
	return r;
}
