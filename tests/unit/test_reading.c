/* What lies in the inbox is read ahead in slices, or all at once: it must come to the same, and none of it may be lost. */
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/str.h"
#include "intake/reading.h"
#include "plugin/decoder.h"
#include "settings/snapshot.h"
#include "unit/office_fixture.h"
#include "unit/plugin_desk.h"

enum { MIB = 1024 * 1024, KINDS = 7 };

struct intake {
	struct fixture f;
	struct settings settings;
	struct decoders *decoders;
	struct inbox *inbox;
	struct reading *reading;
	char path[64];
};

/* ---- an inbox and who reads it ---------------------------------------------------------------- */
static void open_inbox(struct intake *t)
{
	struct inbox_options o = {.folder = t->path, .durability = INBOX_PROCESS, .max_bytes = 64 * MIB, .segment_bytes = 8 * MIB};
	struct err e = {0};

	if (inbox_open(&o, &t->inbox, &e) < 0)
		fail_msg("%s", e.text);
}

static int setup(void **state)
{
	struct intake *t = mem_alloc(sizeof(*t));
	struct err e = {0};

	*state = t;
	fixture_init(&t->f);
	t->f.channels[HOTLINE].decoder = "device";
	t->f.channels[PATROL].decoder = "hotline";
	t->settings.office = t->f.office;
	t->reading = mem_alloc(sizeof(*t->reading));
	snprintf(t->path, sizeof(t->path), "/tmp/needle-reading-XXXXXX");
	if (!mkdtemp(t->path))
		return -1;
	open_inbox(t);
	return decoders_open(plugin_folder(), &t->settings.office, &t->decoders, &e);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct intake *t = *state;

	reading_drop(t->reading);
	free(t->reading);
	decoders_close(t->decoders);
	inbox_close(t->inbox);
	nftw(t->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	fixture_done(&t->f);
	free(t);
	return 0;
}

static void put(struct intake *t, const char *topic, const char *payload, size_t len)
{
	struct inbox_record r = {.received_at = clock_now_us(), .topic = topic, .payload = payload, .payload_len = len, .qos = 1,
				 .response_topic = "needle/jyl/receipt/wechat/g1/mine", .correlation = "c-1", .correlation_len = 3};
	struct err e = {0};
	uint64_t seq;

	if (inbox_append(t->inbox, &r, &seq, &e) < 0)
		fail_msg("%s", e.text);
}

/* A report, the same once more, a command, what is nothing, a message of three reports, one of none, and a stranger's. */
static void put_kind(struct intake *t, int i)
{
	static const char hotline[] = "needle/jyl/in/hotline/h1", wechat[] = "needle/jyl/in/wechat/g1",
			  unrated[] = "{\"工单编号\": \"GD1\", \"回访时间\": \"2026-11-25 09:40:00\", \"是否满意\": \"未评价\"}";
	char say[512];

	switch (i % KINDS) {
	case 0:
	case 1:
		snprintf(say, sizeof(say), "{\"v\":1,\"id\":\"W-%d\",\"text\":\"路灯不亮\",\"category\":\"市政\"}", i - i % KINDS);
		break;
	case 2:
		snprintf(say, sizeof(say), "{\"v\":1,\"request\":\"q-%d\",\"case\":\"JYL20261120000001\",\"action\":\"accept\",\"by\":\"王\"}", i);
		put(t, "needle/jyl/dept/chengguan/cmd", say, strlen(say));
		return;
	case 3:
		snprintf(say, sizeof(say), "{\"v\":1,\"id\":\"W-%d\",", i);
		break;
	case 4:
		snprintf(say, sizeof(say), "[{\"imei\":\"8\",\"alarmId\":\"A-%d\",\"alarmType\":\"lost\",\"alarmTime\":1795134667},"
			 "{\"imei\":\"9\",\"alarmId\":\"B-%d\",\"alarmType\":\"E17\",\"alarmTime\":1795134668},"
			 "{\"imei\":\"7\",\"alarmId\":\"C-%d\",\"alarmType\":\"heartbeat\",\"alarmTime\":1795134669}]", i, i, i);
		put(t, hotline, say, strlen(say));
		return;
	case 5:
		put(t, "$patrol/p1", unrated, strlen(unrated));
		return;
	default:
		put(t, "needle/jyl/in/no-such-channel/x", "{}", 2);
		return;
	}
	put(t, wechat, say, strlen(say));
}

static void put_kinds(struct intake *t, int n)
{
	for (int i = 0; i < n; i++)
		put_kind(t, i);
}

static size_t more(struct intake *t, size_t max)
{
	size_t n = reading_more(t->reading, t->inbox, &t->settings, max);

	reading_understand(t->reading, t->decoders, n);
	return n;
}

/* ---- what it came to -------------------------------------------------------------------------- */
static void tell_unit(const struct unit *u, struct str *out)
{
	str_addf(out, "%llu %d %s %s %s %s %d", (unsigned long long)u->rec->seq, (int)u->kind, u->channel ? u->channel->id : "-",
		 u->dept ? u->dept->id : "-", u->source ? u->source : "-", u->readable_id ? u->readable_id : "-", u->is_reading);
	str_addf(out, " | %s %.3s %s", u->rec->response_topic, (const char *)u->rec->correlation, u->rec->topic);
	if (u->kind == UNIT_REPORT)
		str_addf(out, " | %s %s", u->report->id, u->report->text ? u->report->text : "-");
	if (u->kind == UNIT_COMMAND)
		str_addf(out, " | %s %s", u->command->request, u->command->case_number);
	if (u->kind == UNIT_DEAD)
		str_addf(out, " | %s %s", u->why.code, u->why.text);
	str_add(out, "\n");
}

static void tell(const struct reading *r, struct str *out)
{
	for (size_t i = 0; i < r->batch.n_units; i++)
		tell_unit(&r->batch.units[i], out);
}

static void drop_and_go_back(struct intake *t)
{
	reading_drop(t->reading);
	assert_int_equal(t->reading->n, 0);
	assert_null(t->reading->batch.handoff);
	inbox_rewind(t->inbox);
}

static void slices_come_to_the_same_as_all_at_once(void **state)
{
	static const size_t slices[] = {1, 2, 7, 16, 100, 254};
	struct intake *t = *state;
	CLEANUP(str_done) struct str whole = {0};

	put_kinds(t, 252);
	assert_int_equal(more(t, BATCH_MAX), 252);
	tell(t->reading, &whole);
	/* Of each seven: two reports, a command, two dead, three of one message and one that nothing is to be done of. */
	assert_int_equal(t->reading->batch.n_units, 252 / KINDS * 9);
	assert_non_null(strstr(whole.s, " | q-2 JYL20261120000001\n"));
	assert_non_null(strstr(whole.s, "A-4"));
	assert_non_null(strstr(whole.s, "C-4"));
	for (size_t i = 0; i < ARRAY_LEN(slices); i++) {
		CLEANUP(str_done) struct str again = {0};

		drop_and_go_back(t);
		while (more(t, slices[i]))
			assert_true(t->reading->n <= 252);
		tell(t->reading, &again);
		assert_string_equal(again.s, whole.s);
	}
}

static void each_message_is_counted_once_it_is_read(void **state)
{
	struct intake *t = *state;
	int64_t before = count_get(COUNT_MESSAGES_RECEIVED);

	put_kinds(t, 20);
	more(t, 3);
	more(t, BATCH_MAX);
	assert_int_equal(count_get(COUNT_MESSAGES_RECEIVED) - before, 20);
}

static void an_empty_inbox_is_no_batch_and_what_comes_later_is(void **state)
{
	struct intake *t = *state;

	assert_int_equal(more(t, BATCH_MAX), 0);
	assert_int_equal(t->reading->n, 0);
	assert_false(reading_is_full(t->reading));
	put_kinds(t, 1);
	assert_int_equal(more(t, BATCH_MAX), 1);
	assert_int_equal(more(t, BATCH_MAX), 0);
	assert_int_equal(t->reading->batch.n_units, 1);
	assert_int_equal(t->reading->records[0].seq, 1);
}

static void after_256_messages_the_next_are_of_another_batch(void **state)
{
	struct intake *t = *state;

	put_kinds(t, 600);
	for (size_t seq = 1; seq <= 600;) {
		struct handoff *h;

		while (more(t, 100))
			continue;
		assert_int_equal(t->reading->n, seq == 513 ? 88 : 256);
		assert_int_equal(reading_is_full(t->reading), seq != 513);
		assert_int_equal(t->reading->records[0].seq, seq);
		seq += t->reading->n;
		assert_int_equal(t->reading->records[t->reading->n - 1].seq, seq - 1);
		/* It goes to who publishes its answers. */
		h = t->reading->batch.handoff;
		reading_taken(t->reading);
		assert_int_equal(t->reading->n, 0);
		assert_null(t->reading->batch.handoff);
		handoff_free(h);
	}
	assert_int_equal(more(t, BATCH_MAX), 0);
}

static void large_messages_end_a_batch_before_it_takes_the_memory(void **state)
{
	struct intake *t = *state;
	CLEANUP(mem_freep) char *large = mem_alloc(MIB);
	struct handoff *h;
	size_t n = 0;

	memset(large, ' ', MIB);
	for (int i = 0; i < 12; i++)
		put(t, "needle/jyl/in/wechat/g1", large, MIB - 1);
	while (more(t, 1))
		n++;
	/* Four are four bytes less than the limit. */
	assert_int_equal(n, 5);
	assert_true(reading_is_full(t->reading));
	drop_and_go_back(t);
	assert_int_equal(more(t, BATCH_MAX), 5);
	assert_int_equal(more(t, BATCH_MAX), 0);
	h = t->reading->batch.handoff;
	reading_taken(t->reading);
	handoff_free(h);
	assert_int_equal(more(t, BATCH_MAX), 5);
	assert_int_equal(t->reading->records[0].seq, 6);
}

static void what_was_read_and_not_stored_is_there_after_a_restart(void **state)
{
	struct intake *t = *state;
	CLEANUP(str_done) struct str before = {0}, after = {0};

	put_kinds(t, 40);
	more(t, 16);
	more(t, 16);
	tell(t->reading, &before);
	reading_drop(t->reading);
	inbox_close(TAKE(t->inbox));
	open_inbox(t);
	assert_int_equal(more(t, 32), 32);
	tell(t->reading, &after);
	assert_string_equal(after.s, before.s);
	assert_int_equal(more(t, BATCH_MAX), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(slices_come_to_the_same_as_all_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(each_message_is_counted_once_it_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_inbox_is_no_batch_and_what_comes_later_is, setup, teardown),
		cmocka_unit_test_setup_teardown(after_256_messages_the_next_are_of_another_batch, setup, teardown),
		cmocka_unit_test_setup_teardown(large_messages_end_a_batch_before_it_takes_the_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_read_and_not_stored_is_there_after_a_restart, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
