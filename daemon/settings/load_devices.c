/*
 * How devices are watched: kinds in the section `devices:`, the devices themselves in devices.csv. An office without
 * the section remembers nothing of devices: each alarm is a report like any other.
 */
#include "base/str.h"
#include "core/device/device.h"
#include "core/understand/message.h"
#include "settings/csv.h"
#include "settings/types.h"

/* ---- kinds ------------------------------------------------------------------------------------ */
static int64_t span_of(struct scope s, const char *key)
{
	const char *text = scope_text(s, key);
	int64_t span = 0;

	return text && device_span_parse(text, &span) ? span : 0;
}

static void load_limit(struct scope s, struct device_kind *kind)
{
	const struct node *above = scope_node(s, "above"), *below = scope_node(s, "below");
	struct mark at = scope_mark(s, "clear");

	if (!s.map)
		return;
	if (!above == !below) {
		lint_add(&s.l->lint, "E12", &s.map->at, _("write above: 0.3, or below: 0.3"),
			 _("a limit is either above or below"));
		return;
	}
	kind->has_limit = true;
	kind->below = below != NULL;
	kind->limit = scope_number(s, below ? "below" : "above");
	kind->clear = scope_node(s, "clear") ? scope_number(s, "clear") : kind->limit;
	if (kind->below ? kind->clear < kind->limit : kind->clear > kind->limit)
		lint_add(&s.l->lint, "E12", &at, _("it ends on the side where nothing is wrong"),
			 _("the alarm would be over while it still is one"));
}

static void load_pauses(struct scope s, struct device_kind *kind)
{
	const struct node *list = scope_node(s, "maintenance");
	size_t n = list && list->kind != NODE_MAP ? scope_list_length(list) : 0;
	struct device_pause *pauses = arena_alloc(s.l->arena, (n + 1) * sizeof(*pauses));

	for (size_t i = 0; i < n; i++) {
		const struct node *item = scope_list_item(list, i);
		const struct device_pause *one;
		size_t found = 0;

		if (item->kind != NODE_TEXT)
			continue;
		if (device_pauses_parse(item->text, s.l->arena, &one, &found) && found == 1)
			pauses[kind->n_pauses++] = *one;
		else
			lint_add(&s.l->lint, "E12", &item->at, _("write for example 2026-12-01 08:00/2026-12-01 18:00"),
				 _("“%s” is not from/to"), item->text);
	}
	kind->pauses = pauses;
}

static void load_kind(struct scope s, struct device_kind *kind)
{
	struct scope flapping = scope_in(s, "flapping"), silence = scope_in(s, "silence"), storm = scope_in(s, "storm");

	kind->channel = scope_texts(s, "channel");
	kind->category = scope_texts(s, "category");
	load_limit(scope_in(s, "limit"), kind);
	kind->hold = span_of(s, "hold");
	kind->window = span_of(s, "window");
	kind->repeats_told = scope_enum(s, "repeats") == 1;
	kind->recovery_told = scope_enum(s, "recovery") == 1;
	kind->flap_changes = (int)scope_int(flapping, "changes");
	kind->flap_within = span_of(flapping, "within");
	kind->heartbeat = span_of(s, "heartbeat");
	kind->silence_category = scope_text(silence, "category");
	kind->silence_urgency = (int8_t)scope_enum(silence, "urgency");
	kind->storm_within = span_of(storm, "within");
	kind->storm_area = (int)scope_int(storm, "area");
	load_pauses(s, kind);
}

static void load_kinds(struct loader *l)
{
	struct scope s = scope_in(scope_root(l), "devices");
	size_t n = s.map && s.map->kind == NODE_MAP ? s.map->n : 0;
	struct device_kind *kinds = arena_alloc(l->arena, (n + 1) * sizeof(*kinds));

	for (size_t i = 0; i < n; i++) {
		kinds[i] = (struct device_kind){.name = s.map->keys[i]->text};
		load_kind(scope_item(s, i), &kinds[i]);
	}
	l->settings->office.device_kinds = kinds;
	l->settings->office.n_device_kinds = n;
}

/* ---- devices.csv ------------------------------------------------------------------------------ */
enum column { DEVICE, KIND, ADDRESS, GRID, DEPT, OWNER, CONTACT, HEARTBEAT, MAINTENANCE };

static const char *given(const struct csv *r, enum column c)
{
	return *r->fields[c] ? r->fields[c] : NULL;
}

static void wrong(struct csv *r, enum column c, const char *code, const char *remedy, const char *what)
{
	r->marks[c].width = (int)strlen(r->fields[c]);
	lint_add(&r->l->lint, code, &r->marks[c], remedy, _("“%s” is no %s"), r->fields[c], what);
}

static const struct device_kind *kind_named(const struct office *office, const char *name)
{
	for (size_t i = 0; i < office->n_device_kinds; i++)
		if (strcmp(office->device_kinds[i].name, name) == 0)
			return &office->device_kinds[i];
	return NULL;
}

static void read_places(struct csv *r, struct device_entry *d)
{
	const struct office *office = &r->l->settings->office;

	d->grid = given(r, GRID) ? map_get(&office->grid_by_code, r->fields[GRID]) : NULL;
	/* Where grids.csv is missing or broken, no grid of it is a mistake here. */
	if (given(r, GRID) && !d->grid && office->n_grids)
		wrong(r, GRID, "E20", _("write a grid of grids.csv, or leave it empty"), _("grid of grids.csv"));
	r->marks[DEPT].width = (int)strlen(r->fields[DEPT]);
	if (given(r, DEPT) && names_check(r->l, "departments", r->fields[DEPT], &r->marks[DEPT]))
		d->dept = map_get(&office->dept_by_id, r->fields[DEPT]);
}

static void read_times(struct csv *r, struct device_entry *d)
{
	d->heartbeat = -1;
	if (given(r, HEARTBEAT) && strcmp(r->fields[HEARTBEAT], "0") == 0)
		d->heartbeat = 0;
	else if (given(r, HEARTBEAT) && !device_span_parse(r->fields[HEARTBEAT], &d->heartbeat))
		wrong(r, HEARTBEAT, "E12", _("write for example 10 分钟 or 12 小时; 0: none is promised"),
		      _("length of time"));
	if (!device_pauses_parse(r->fields[MAINTENANCE], r->l->arena, &d->pauses, &d->n_pauses))
		wrong(r, MAINTENANCE, "E12", _("write for example 2026-12-01 08:00/2026-12-01 18:00"),
		      _("span of maintenance"));
}

static bool read_device(struct csv *r, struct device_entry *d)
{
	struct office *office = &r->l->settings->office;

	*d = (struct device_entry){.device = r->fields[DEVICE], .kind = kind_named(office, r->fields[KIND]),
				   .address = given(r, ADDRESS), .owner = given(r, OWNER), .contact = given(r, CONTACT)};
	if (!*d->device)
		wrong(r, DEVICE, "E12", _("write the device's id"), _("device"));
	else if (map_get(&office->device_by_id, d->device))
		lint_add(&r->l->lint, "E21", &r->marks[DEVICE], _("keep one of the two"),
			 _("the device %s stands here a second time"), d->device);
	if (!d->kind)
		wrong(r, KIND, "E20", _("write a kind of the section devices:"), _("kind of device"));
	read_places(r, d);
	read_times(r, d);
	if (!*d->device || !d->kind)
		return false;
	map_put(&office->device_by_id, d->device, d);
	return true;
}

void load_devices(struct loader *l)
{
	struct office *office = &l->settings->office;
	struct device_entry *devices;
	struct csv r;

	load_kinds(l);
	if (!csv_open(l, "devices.csv", "device,kind,address,grid,dept,owner,contact,heartbeat,maintenance", NULL, &r))
		return;
	devices = arena_alloc(l->arena, (r.source->n_lines + 1) * sizeof(*devices));
	while (csv_next(&r))
		office->n_devices += read_device(&r, &devices[office->n_devices]);
	office->devices = devices;
}
