/* What the office knows of its devices: who is watched and as what, what a report is filled up with, and that what is kept of an
 * alarm is the same report when it is read again. And the pointers that name a vendor's members. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/device/device.h"
#include "core/time/moment.h"
#include "core/understand/message.h"
#include "unit/office_fixture.h"

#define AT (INT64_C(1795134600) * 1000000)

struct office_of_devices {
	struct fixture f;
	struct device_kind kinds[3];
	struct device_entry entry;
};

static void init(struct office_of_devices *o)
{
	static const char *const channels[] = {"device"}, *const categories[] = {"市政"};

	*o = (struct office_of_devices){0};
	fixture_init(&o->f);
	o->kinds[0] = (struct device_kind){.name = "井盖", .channel = {channels, 1}, .category = {categories, 1},
					   .silence_category = "市政/井盖", .silence_urgency = URGENCY_URGENT, .storm_within = 1, .storm_area = 9};
	o->kinds[1] = (struct device_kind){.name = "随便", .channel = {channels, 1}};
	o->kinds[2] = (struct device_kind){.name = "门磁"};     /* of the register alone */
	o->entry = (struct device_entry){.device = "mh-1", .kind = &o->kinds[2], .address = "幸福里3号楼前", .owner = "城管运维",
					 .contact = "13900000001", .grid = &o->f.grids[4], .heartbeat = -1};
	o->f.office.device_kinds = o->kinds;
	o->f.office.n_device_kinds = 3;
	map_put(&o->f.office.device_by_id, "mh-1", &o->entry);
}

static void done(struct office_of_devices *o)
{
	map_done(&o->f.office.device_by_id);
	fixture_done(&o->f);
}

static void a_device_is_watched_as_the_register_or_else_as_the_first_kind_that_fits(void **state)
{
	static char lengthy[200];
	static const struct {
		const char *device;
		int channel;
		const char *category;
		enum report_kind kind;
		const char *want;       /* NULL: nobody watches it */
	} rows[] = {
		{"mh-1", WECHAT, "物业/漏水", REPORT_REPORT, "门磁"},
		{"mh-2", DEVICE, "市政", REPORT_REPORT, "井盖"},
		{"mh-2", DEVICE, "市政/井盖", REPORT_REPORT, "井盖"},
		{"mh-2", DEVICE, "市政府", REPORT_REPORT, "随便"},
		{"mh-2", DEVICE, NULL, REPORT_REPORT, "随便"},
		{"mh-2", WECHAT, "市政", REPORT_REPORT, NULL},
		{"mh-2", DEVICE, "市政", REPORT_SUPPLEMENT, NULL},
		{lengthy, DEVICE, "市政", REPORT_REPORT, NULL},
		{NULL, DEVICE, "市政", REPORT_REPORT, NULL},
	};
	const struct device_entry *entry;
	struct office_of_devices o;

	(void)state;
	memset(lengthy, 'x', 129);
	init(&o);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct report r = {.device = rows[i].device, .channel = &o.f.channels[rows[i].channel], .category = rows[i].category,
				   .kind = rows[i].kind};
		const struct device_kind *kind = device_watched(&o.f.office, &r, &entry);

		if (!rows[i].want != !kind || (kind && strcmp(kind->name, rows[i].want) != 0))
			fail_msg("row %zu: %s", i, kind ? kind->name : "nobody");
		assert_ptr_equal(entry, i == 0 ? &o.entry : NULL);
	}
	done(&o);
}

static void the_register_fills_in_only_what_is_not_said(void **state)
{
	struct office_of_devices o;
	struct report bare = {.device = "mh-1"}, full = {.device = "mh-1", .address = "东门", .grid = "1", .phone = "138"},
		      other = {.device = "mh-9"};

	(void)state;
	init(&o);
	device_fill(&o.f.office, &bare);
	assert_string_equal(bare.address, "幸福里3号楼前");
	assert_string_equal(bare.grid, o.entry.grid->code);
	assert_ptr_equal(bare.known_grid, o.entry.grid);
	assert_string_equal(bare.name, "城管运维");
	assert_string_equal(bare.phone, "13900000001");
	device_fill(&o.f.office, &full);
	assert_string_equal(full.address, "东门");
	assert_string_equal(full.grid, "1");
	assert_null(full.name);         /* the number is somebody else's */
	device_fill(&o.f.office, &other);
	assert_null(other.address);
	device_fill(&o.f.office, &(struct report){0});
	done(&o);
}

static void an_alarm_has_a_name_and_alarms_of_one_cause_share_theirs(void **state)
{
	static const struct category category = {.path = "市政/井盖"};
	static const struct {
		const char *alarm;
		int reading;
		bool category;
		const char *want;
	} rows[] = {{"smoke", READING_ALARM, true, "smoke"}, {"smoke", READING_VALUE, true, "smoke"}, {"", READING_VALUE, true, "value"},
		    {NULL, READING_VALUE, false, "value"}, {NULL, READING_ALARM, true, "市政/井盖"}, {NULL, READING_ALARM, false, "alarm"}};
	struct office_of_devices o;
	struct report r = {.grid = "410106003001001"};
	struct arena a = {0};

	(void)state;
	init(&o);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		r.alarm = rows[i].alarm;
		r.reading = (int8_t)rows[i].reading;
		r.known_category = rows[i].category ? &category : NULL;
		assert_string_equal(device_alarm(&r), rows[i].want);
	}
	r.known_category = &category;
	assert_string_equal(device_cause(&o.kinds[0], "open", &r, &a), "井盖/open/市政/井盖/410106003");
	r.known_category = NULL;
	r.grid = NULL;
	assert_string_equal(device_cause(&o.kinds[0], "", &r, &a), "井盖/-//");
	assert_null(device_cause(&o.kinds[1], "open", &r, &a));         /* its storms are not looked for */
	arena_done(&a);
	done(&o);
}

static void what_is_kept_of_an_alarm_is_the_same_report_when_it_is_read_again(void **state)
{
	static const char *const said[] = {
		"{\"id\":\"1\",\"text\":\"井盖移位\",\"device\":\"mh-2\"}",
		"{\"id\":\"1\",\"text\":\"井盖移位\",\"device\":\"mh-1\",\"category\":\"市政/井盖\",\"urgency\":\"urgent\",\"time\":\"2026-11-20 09:30\","
		"\"place\":{\"address\":\"东门\",\"grid\":\"410106003001001\",\"lat\":34.8,\"lon\":113.3,\"crs\":\"gcj02\",\"floor\":2},"
		"\"reporter\":{\"name\":\"李某\",\"phone\":\"13800000000\",\"ref\":\"b-7\",\"secret\":true,\"age\":70},\"accused\":\"chengguan\","
		"\"media\":[{\"url\":\"x\"}],\"reply_to\":{\"any\":1},\"battery\":3.1}",
	};
	struct office_of_devices o;
	struct arena a = {0};

	(void)state;
	init(&o);
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		struct understood first = {0}, again = {0};
		const struct report *r, *k;
		struct err e = {0};

		assert_int_equal(understand_report(&o.f.office, &o.f.channels[WECHAT], "x", AT, said[i], &a, &first, &e), 0);
		r = first.reports;
		if (understand_report(&o.f.office, &o.f.channels[WECHAT], "x", AT, device_keep(r, &a), &a, &again, &e) < 0)
			fail_msg("%s", e.text);
		k = again.reports;
		assert_memory_equal(r->digest, k->digest, sizeof(r->digest));
		assert_int_equal(r->time, k->time);
		assert_int_equal(r->secret, k->secret);
		for (size_t n = 0; n < 8; n++) {
			const char *was[] = {r->text, r->category, r->name, r->phone, r->ref, r->accused, r->address, r->grid};
			const char *is[] = {k->text, k->category, k->name, k->phone, k->ref, k->accused, k->address, k->grid};

			if (!was[n] != !is[n] || (was[n] && strcmp(was[n], is[n]) != 0))
				fail_msg("report %zu, member %zu: %s, was %s", i, n, is[n] ? is[n] : "none", was[n] ? was[n] : "none");
		}
		assert_int_equal(r->has_position, k->has_position);
		assert_true(r->extra ? json_equal(json_object_get(r->extra, "battery"), json_object_get(k->extra, "battery")) : !k->extra);
		understood_done(&first);
		understood_done(&again);
	}
	arena_done(&a);
	done(&o);
}

static void a_silence_is_a_report_with_one_id_as_long_as_it_lasts(void **state)
{
	struct device_state s = {.device = "mh-2", .seen_at = AT};
	struct understood u = {0};
	struct office_of_devices o;
	struct arena a = {0};
	struct err e;
	char id[100];

	(void)state;
	init(&o);
	for (int hours = 1; hours <= 2; hours++) {
		assert_int_equal(understand_report(&o.f.office, &o.f.channels[DEVICE], "x", AT + hours * INT64_C(3600000000),
						   device_silence(&o.kinds[0], &s, AT + hours * INT64_C(3600000000), &a), &a, &u, &e), 0);
		assert_string_equal(u.reports->category, "市政/井盖");
		assert_int_equal(u.reports->urgency, URGENCY_URGENT);
		assert_non_null(strstr(u.reports->text, "mh-2"));
		if (hours == 1)
			snprintf(id, sizeof(id), "%s", u.reports->id);
		assert_string_equal(u.reports->id, id);
		understood_done(&u);
	}
	arena_done(&a);
	done(&o);
}

static void a_pointer_names_one_member_or_none(void **state)
{
	static const char text[] = "{\"a\":{\"b/c\":1,\"d~e\":2,\"\":3},\"l\":[10,[11,null]],\"n\":null}";
	static const struct {
		const char *pointer;
		int want;               /* 0: nothing */
	} rows[] = {{"/a/b~1c", 1}, {"/a/d~0e", 2}, {"/a/", 3}, {"/l/0", 10}, {"/l/1/0", 11}, {"/l/1/1", 0}, {"/n", 0}, {"/n/x", 0}, {"a", 0},
		    {"/a/d~2e", 0}, {"/a/d~", 0}, {"/l/01", 0}, {"/l/-", 0}, {"/l/", 0}, {"/l/2", 0}, {"/l/1x", 0}, {"/l/1234567890", 0}, {"/l/0/x", 0}};
	json_t *root = json_loads(text, 0, NULL);
	char lengthy[300] = "/";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *found = pointer_get(root, rows[i].pointer);

		if ((rows[i].want == 0) != !found || (found && json_integer_value(found) != rows[i].want))
			fail_msg("%s", rows[i].pointer);
	}
	assert_ptr_equal(pointer_get(root, ""), root);
	memset(lengthy + 1, 'x', 256);
	assert_null(pointer_get(root, lengthy));
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_is_watched_as_the_register_or_else_as_the_first_kind_that_fits),
		cmocka_unit_test(the_register_fills_in_only_what_is_not_said),
		cmocka_unit_test(an_alarm_has_a_name_and_alarms_of_one_cause_share_theirs),
		cmocka_unit_test(what_is_kept_of_an_alarm_is_the_same_report_when_it_is_read_again),
		cmocka_unit_test(a_silence_is_a_report_with_one_id_as_long_as_it_lasts),
		cmocka_unit_test(a_pointer_names_one_member_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
