/* From the bytes of a message to a report or a command: what is understood, what is kept, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <math.h>

#include "base/clock.h"
#include "base/str.h"
#include "unit/office_fixture.h"

/* 2026-11-20 10:00 in the office's zone */
static const int64_t ten = (INT64_C(20777) * 24 + 2) * 3600 * 1000000;
static const int64_t minute = INT64_C(60) * 1000000;

/* ---- one message ----------------------------------------------------------------------------- */

struct told {
	struct fixture f;
	struct understood u;
	struct err e;
	decoder_lookup *decoders;
	void *decoders_arg;
};

static int tell_bytes(struct told *t, const char *topic, const void *payload, size_t len)
{
	struct message m = {.topic = topic, .payload = payload, .payload_len = len, .received_at = ten};

	understood_done(&t->u);
	arena_reset(&t->f.message);
	t->e = (struct err){0};
	return understand(&t->f.office, t->decoders, t->decoders_arg, &m, &t->f.message, &t->u, &t->e);
}

static int tell(struct told *t, const char *topic, const char *payload)
{
	return tell_bytes(t, topic, payload, strlen(payload));
}

/* The one report of a message that must be good. */
static const struct report *report_of(struct told *t, const char *topic, const char *payload)
{
	int r = tell(t, topic, payload);

	if (r != 0)
		fail_msg("%s: %s %s", payload, t->e.code, t->e.text);
	assert_int_equal(t->u.kind, MESSAGE_REPORT);
	assert_int_equal(t->u.n_reports, 1);
	assert_non_null(t->u.channel);
	return &t->u.reports[0];
}

static int setup(void **state)
{
	struct told *t = mem_alloc(sizeof(*t));

	fixture_init(&t->f);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct told *t = *state;

	understood_done(&t->u);
	fixture_done(&t->f);
	free(t);
	return 0;
}

static const char wechat[] = "needle/jyl/in/wechat/g1";
static const char command[] = "needle/jyl/dept/chengguan/cmd";

/* ---- good reports ---------------------------------------------------------------------------- */

static void a_full_report_is_read_whole(void **state)
{
	struct told *t = *state;
	const struct report *r = report_of(
		t, wechat,
		"{\"v\":1, \"id\":\" GD20261120000123 \", \"kind\":\"report\", \"time\":\"2026-11-20T08:31:07+08:00\","
		"\"text\":\"幸福里３号楼前 井盖破损\", \"category\":\"020301\", \"urgency\":\"urgent\","
		"\"reporter\":{\"name\":\"李某\",\"phone\":\"+86 138-0000-0000\",\"ref\":\"openid\",\"secret\":false},"
		"\"place\":{\"address\":\"幸福里3号楼\",\"grid\":\"410106003007012\",\"lat\":34.8,\"lon\":\"113.3\",\"crs\":\"gcj02\"},"
		"\"accused\":\"chengguan\", \"media\":[{\"url\":\"https://x/1.jpg\"}], \"reply_to\":{\"any\":\"echo\"},"
		"\"weather\":\"雨\", \"device\":7}");

	assert_ptr_equal(r->channel, &t->f.channels[WECHAT]);
	assert_string_equal(r->source, "g1");
	assert_string_equal(t->u.source, "g1");
	assert_string_equal(r->id, "GD20261120000123");
	assert_int_equal(r->kind, REPORT_REPORT);
	assert_int_equal(r->time, ten - 89 * minute + 7 * 1000000);
	assert_int_equal(r->received_at, ten);
	assert_string_equal(r->text, "幸福里３号楼前 井盖破损");
	assert_string_equal(r->shadow, "幸福里3号楼前井盖破损");
	assert_string_equal(r->category, "市政/井盖");
	assert_ptr_equal(r->known_category, &t->f.categories[1]);
	assert_int_equal(r->urgency, URGENCY_URGENT);
	assert_string_equal(r->name, "李某");
	assert_string_equal(r->phone, "+8613800000000");
	assert_string_equal(r->ref, "openid");
	assert_false(r->secret);
	assert_string_equal(r->address, "幸福里3号楼");
	assert_string_equal(r->known_grid->code, "410106003007012");
	assert_true(r->has_position);
	assert_true(r->lat > 34.79 && r->lat < 34.81 && r->lon > 113.29 && r->lon < 113.31);
	assert_string_equal(r->crs, "gcj02");
	assert_string_equal(r->accused, "chengguan");
	assert_int_equal(json_array_size(r->media), 1);
	assert_string_equal(json_string_value(json_object_get(r->reply_to, "any")), "echo");
	assert_string_equal(r->device, "7");
	assert_int_equal(json_object_size(r->extra), 1);
	assert_string_equal(json_string_value(json_object_get(r->extra, "weather")), "雨");
	assert_int_equal(r->marks, 0);
}

static void the_least_report_is_enough(void **state)
{
	struct told *t = *state;
	const struct report *r = report_of(t, wechat, "\xef\xbb\xbf{\"id\":12,\"category\":\"咨询\"}");

	assert_string_equal(r->id, "12");
	assert_int_equal(r->kind, REPORT_REPORT);
	assert_int_equal(r->time, ten);
	assert_null(r->text);
	assert_string_equal(r->shadow, "");
	assert_int_equal(r->urgency, -1);
	assert_null(r->extra);
	assert_null(r->name);
	assert_false(r->has_position);
	assert_int_equal(r->marks, 0);
}

static void other_kinds_name_their_case(void **state)
{
	struct told *t = *state;
	const struct report *r = report_of(
		t, wechat,
		"{\"id\":\"r1\",\"kind\":\"rate\",\"case\":\"JYL261120000123\",\"score\":\"basically\",\"comment\":\"还行\"}");

	assert_int_equal(r->kind, REPORT_RATE);
	assert_string_equal(r->case_number, "JYL261120000123");
	assert_int_equal(r->score, SCORE_BASICALLY);
	assert_string_equal(r->comment, "还行");
	r = report_of(t, wechat,
		      "{\"id\":\"d\",\"kind\":\"delivered\",\"about\":99,\"reply\":\"a-1\",\"ok\":false}");
	assert_int_equal(r->kind, REPORT_DELIVERED);
	assert_string_equal(r->about, "99");
	assert_string_equal(r->reply_id, "a-1");
	assert_false(r->delivered_ok);
	assert_null(r->way);
	assert_string_equal(report_of(t, wechat, "{\"way\":\"passive\",\"id\":\"d\",\"kind\":\"delivered\",\"about\":\"9\"}")->way, "passive");
	assert_null(report_of(t, wechat, "{\"id\":\"d\",\"kind\":\"delivered\",\"about\":\"9\",\"way\":\"by hand\"}")->way);
	assert_null(report_of(t, wechat, "{\"id\":\"d\",\"kind\":\"urge\",\"about\":\"9\",\"way\":\"phone\"}")->way);
	assert_true(
		report_of(t, wechat, "{\"id\":\"d\",\"kind\":\"delivered\",\"about\":\"9\"}")->delivered_ok);
	r = report_of(t, wechat, "{\"id\":\"u\",\"kind\":\"urge\",\"case\":\"nonsense\",\"about\":\"9\"}");
	assert_null(r->case_number);
	assert_string_equal(json_string_value(json_object_get(r->extra, "case")), "nonsense");
	assert_int_equal(report_of(t, wechat, "{\"id\":\"t\",\"kind\":\"talk\",\"text\":\"早\"}")->kind,
			 REPORT_TALK);
	assert_int_equal(
		report_of(t, wechat, "{\"id\":\"s\",\"kind\":\"rate\",\"about\":\"9\",\"score\":\"不满意\"}")
			->score,
		SCORE_DISSATISFIED);
}

/* ---- odd, but kept --------------------------------------------------------------------------- */

static void odd_members_are_kept_and_marked(void **state)
{
	static const struct {
		const char *members;
		uint32_t marks;
		const char *extra;      /* members of extra, as JSON */
	} rows[] = {
		{"\"time\":\"2026-11-20 10:05:00\"", 0, NULL},
		{"\"time\":\"2026-11-20 10:05:01\"", MARK_TIME_FUTURE, NULL},
		{"\"time\":\"2025-11-19 10:00:00\"", 0, NULL},
		{"\"time\":\"2025-11-19 09:59:59\"", MARK_TIME_OLD, NULL},
		{"\"time\":\"昨天\"", MARK_TIME_BAD, "{\"time\":\"昨天\"}"},
		{"\"time\":{}", MARK_TIME_BAD, "{\"time\":{}}"},
		{"\"time\":1e300", MARK_TIME_BAD, "{\"time\":1e300}"},
		{"\"place\":{\"grid\":\"410106009001\"}", 0, NULL},
		{"\"place\":{\"grid\":\"370102\"}", MARK_GRID_UNKNOWN, NULL},
		{"\"place\":{\"lat\":95,\"lon\":113,\"floor\":2}", 0, "{\"place\":{\"lat\":95,\"floor\":2}}"},
		{"\"place\":\"幸福里\"", 0, NULL},
		{"\"place\":[1]", 0, "{\"place\":[1]}"},
		{"\"reporter\":{\"phone\":\"无\"}", MARK_PHONE_ODD, NULL},
		{"\"reporter\":{\"phone\":12345}", MARK_PHONE_ODD, NULL},
		{"\"reporter\":{\"phone\":\"\"}", 0, NULL},
		{"\"reporter\":{\"age\":70}", 0, "{\"reporter\":{\"age\":70}}"},
		{"\"reporter\":\"李某\"", 0, NULL},
		{"\"category\":\"外星\"", MARK_CATEGORY_UNKNOWN, NULL},
		{"\"category\":\"市政/外星\"", 0, NULL},
		{"\"category\":[]", 0, "{\"category\":[]}"},
		{"\"urgency\":\"特急\"", 0, NULL},
		{"\"urgency\":\"马上\"", MARK_URGENCY_UNKNOWN, "{\"urgency\":\"马上\"}"},
		{"\"urgency\":3", MARK_URGENCY_UNKNOWN, "{\"urgency\":3}"},
		{"\"media\":{\"url\":\"x\"}", 0, NULL},
		{"\"media\":\"x\"", 0, "{\"media\":\"x\"}"},
		{"\"accused\":{\"a\":1}", 0, "{\"accused\":{\"a\":1}}"},
		{"\"v\":2", 0, "{\"v\":2}"},
		{"\"v\":\"1\"", 0, "{\"v\":\"1\"}"},
		{"\"score\":\"great\"", 0, "{\"score\":\"great\"}"},
		{"\"reporter\":{\"phone\":[]}", MARK_PHONE_ODD, NULL},
		{"\"reporter\":{\"name\":[],\"ref\":{}}", 0, "{\"reporter\":{\"name\":[],\"ref\":{}}}"},
		{"\"place\":{\"grid\":\"\"}", 0, NULL},
		{"\"place\":{\"grid\":{}}", 0, "{\"place\":{\"grid\":{}}}"},
		{"\"place\":{\"lat\":34.8}", 0, NULL},
		{"\"place\":{\"lat\":\"北\",\"lon\":-180.5}", 0, "{\"place\":{\"lat\":\"北\",\"lon\":-180.5}}"},
		{"\"category\":\"\",\"urgency\":\"\"", 0, NULL},
		{"\"urgency\":[]", MARK_URGENCY_UNKNOWN, "{\"urgency\":[]}"},
		{"\"media\":3", 0, "{\"media\":3}"},
		{"\"case\":\"\"", 0, NULL},
		{"\"case\":\"12\",\"about\":[],\"reply\":\"\"", 0, "{\"case\":\"12\",\"about\":[],\"reply\":\"\"}"},
		{"\"reading\":\"hot\"", 0, "{\"reading\":\"hot\"}"},
		{"\"reading\":{\"state\":\"melted\"}", 0, "{\"reading\":{\"state\":\"melted\"}}"},
		{"\"reading\":{\"state\":\"value\"}", 0, "{\"reading\":{\"state\":\"value\"}}"},
		{"\"reading\":{\"value\":\"hot\"}", 0, "{\"reading\":{\"value\":\"hot\"}}"},
		{"\"reading\":{\"value\":61.5,\"alarm\":\"smoke-1\"}", 0, NULL},
		{"\"extra\":null,\"extra2\":[{\"a\":[1.5,true,null]}]", 0,
		 "{\"extra2\":[{\"a\":[1.5,true,null]}]}"},
		{"\"x\\u0041y\":\"'; DROP TABLE--<b>\"", 0, "{\"xAy\":\"'; DROP TABLE--<b>\"}"},
	};
	struct told *t = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char payload[400];
		const struct report *r;
		json_t *want = rows[i].extra ? json_loads(rows[i].extra, 0, NULL) : NULL;

		snprintf(payload, sizeof(payload), "{\"id\":\"1\",\"text\":\"x\",%s}", rows[i].members);
		r = report_of(t, wechat, payload);
		if (r->marks != rows[i].marks)
			fail_msg("%s: marks %u, want %u", rows[i].members, r->marks, rows[i].marks);
		if (want ? !json_equal(r->extra, want) : r->extra != NULL)
			fail_msg("%s: extra %s", rows[i].members, r->extra ? json_dumps(r->extra, 0) : "none");
		json_decref(want);
	}
}

/* A number that no machine number holds is a text with its digits; the others stay numbers. */
static void a_number_beyond_all_bounds_is_kept_as_text(void **state)
{
	static const struct {
		const char *given, *kept;       /* kept NULL: as given */
	} rows[] = {
		{"12345678901234567890", "\"12345678901234567890\""},
		{"-9223372036854775809", "\"-9223372036854775809\""},
		{"9223372036854775808", "\"9223372036854775808\""},
		{"9223372036854775807", NULL},
		{"-9223372036854775808", NULL},
		{"1e400", "\"1e400\""},
		{"-1.5E+400", "\"-1.5E+400\""},
		{"1e309", "\"1e309\""},
		{"1.7e308", NULL},
		{"1e-400", "0.0"},
		{"[1e400 , 7,\"1e400\",\"\\\"\",-2e999]", "[\"1e400\",7,\"1e400\",\"\\\"\",\"-2e999\"]"},
		{"{\"1e400:\":1e400}", "{\"1e400:\":\"1e400\"}"},
	};
	struct told *t = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char payload[200];
		const json_t *got;
		json_t *want = json_loads(rows[i].kept ? rows[i].kept : rows[i].given, JSON_DECODE_ANY, NULL);

		snprintf(payload, sizeof(payload), "{\"id\":\"1\",\"text\":\"x\",\"serial\":%s}", rows[i].given);
		got = json_object_get(report_of(t, wechat, payload)->extra, "serial");
		if (!json_equal(got, want))
			fail_msg("%s became %s", rows[i].given, json_dumps(got, JSON_ENCODE_ANY));
		json_decref(want);
	}
	assert_string_equal(report_of(t, wechat, "{\"id\":123456789012345678901234567890,\"text\":\"x\"}")->id,
			    "123456789012345678901234567890");
	assert_false(report_of(t, wechat, "{\"id\":\"1\",\"text\":\"x\",\"place\":{\"lat\":1e400,\"lon\":1}}")->has_position);
}

/* More than the threshold against it: dissatisfied. Half of all for it: satisfied. */
static void a_vote_is_a_score_where_its_channel_has_a_threshold(void **state)
{
	static const struct {
		const char *votes;
		int score;              /* -1: refused */
	} rows[] = {
		{"{\"satisfied\":29,\"dissatisfied\":71}", SCORE_DISSATISFIED},
		{"{\"satisfied\":30,\"dissatisfied\":70}", SCORE_BASICALLY},
		{"{\"satisfied\":50,\"basically\":1,\"dissatisfied\":49}", SCORE_SATISFIED},
		{"{\"satisfied\":49,\"basically\":51}", SCORE_BASICALLY},
		{"{\"basically\":1}", SCORE_BASICALLY},
		{"{\"dissatisfied\":1000000}", SCORE_DISSATISFIED},
		{"{\"dissatisfied\":1000001}", -1},
		{"{\"satisfied\":-1,\"basically\":5}", -1},
		{"{\"satisfied\":\"3\"}", -1},
		{"{\"satisfied\":0}", -1},
		{"{}", -1},
		{"[3,4]", -1},
	};
	struct told *t = *state;
	struct channel *channel = map_get(&t->f.office.channel_by_id, "wechat");

	for (int threshold = 0; threshold <= 70; threshold += 70) {
		channel->vote = threshold;
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			char payload[200];
			int r;

			snprintf(payload, sizeof(payload), "{\"id\":\"1\",\"kind\":\"rate\",\"about\":\"2\",\"votes\":%s}", rows[i].votes);
			r = tell(t, wechat, payload);
			if (!threshold || rows[i].score < 0) {
				if (r != ERR_BAD || strcmp(t->e.code, "bad-score") != 0)
					fail_msg("%s is not refused", rows[i].votes);
			} else if (r != 0 || (int)t->u.reports[0].score != rows[i].score) {
				fail_msg("%s: %d %s", rows[i].votes, r, r ? t->e.text : score_names[t->u.reports[0].score]);
			}
		}
	}
}

static void what_is_harmless_is_converted(void **state)
{
	struct told *t = *state;
	const struct report *r = report_of(
		t, wechat,
		"{\"id\":\"1\",\"text\":42,\"category\":\"市政/井盖/丢失\",\"urgency\":\" 一般 \",\"place\":{\"grid\":410106003007099,"
		"\"lat\":0,\"lon\":0},\"reporter\":{\"name\":\"　李某 \",\"phone\":13800000000,\"secret\":\"是\"},\"media\":{\"url\":\"x\"}}");

	assert_string_equal(r->text, "42");
	assert_string_equal(r->category, "市政/井盖/丢失");
	assert_ptr_equal(r->known_category, &t->f.categories[1]);
	assert_int_equal(r->urgency, URGENCY_NORMAL);
	assert_string_equal(r->grid, "410106003007099");
	assert_string_equal(r->known_grid->code, "410106003007");
	assert_string_equal(r->name, "李某");
	assert_string_equal(r->phone, "13800000000");
	assert_true(r->secret);
	assert_false(r->has_position);
	assert_int_equal(json_array_size(r->media), 1);
	assert_string_equal(report_of(t, wechat, "{\"id\":\"1\",\"text\":\"x\",\"place\":\"幸福里\"}")->address,
			    "幸福里");
	assert_string_equal(report_of(t, wechat, "{\"id\":\"1\",\"text\":\" x\\n\"}")->text, " x\n");
}

static void secrecy_is_believed_in_doubt(void **state)
{
	static const struct {
		const char *value;
		bool secret;
	} rows[] = {{"true", true},	{"false", false},    {"1", true},	   {"0", false},
		    {"\"true\"", true}, {"\"否\"", false},   {"\"false\"", false}, {"null", false},
		    {"\"\"", false},	{"\"maybe\"", true}, {"[]", true}};
	struct told *t = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char payload[100];

		snprintf(payload, sizeof(payload), "{\"id\":\"1\",\"text\":\"x\",\"reporter\":{\"secret\":%s}}",
			 rows[i].value);
		if (report_of(t, wechat, payload)->secret != rows[i].secret)
			fail_msg("secret %s", rows[i].value);
	}
}

static void times_come_in_many_forms(void **state)
{
	static const struct {
		const char *value;
		int64_t minutes;        /* from ten o'clock */
	} rows[] = {{"\"2026-11-20T09:00:00+08:00\"", -60},
		    {"\"2026-11-20T01:00:00Z\"", -60},
		    {"\"2026-11-20 09:00\"", -60},
		    {"\"20261120090000\"", -60},
		    {"20261120090000", -60},
		    {"1795136400", -60},
		    {"\"1795136400\"", -60},
		    {"1795136400000", -60},
		    {"1795136400.0", -60},
		    {"\"2026/11/20 9:00\"", -60}};
	struct told *t = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char payload[100];
		const struct report *r;

		snprintf(payload, sizeof(payload), "{\"id\":\"1\",\"text\":\"x\",\"time\":%s}", rows[i].value);
		r = report_of(t, wechat, payload);
		if (r->time != ten + rows[i].minutes * minute || r->marks)
			fail_msg("%s: %" PRId64 " minutes off, marks %u", rows[i].value,
				 (r->time - ten) / minute, r->marks);
	}
	assert_int_equal(report_of(t, wechat, "{\"id\":\"1\",\"text\":\"x\",\"time\":1795136400123}")->time,
			 ten - 60 * minute + 123000);
}

static void the_digest_tells_other_content_but_not_another_time(void **state)
{
	static const char *const same[] = {"{\"id\":\"1\",\"text\":\"x\",\"time\":\"2026-11-20 09:00\"}",
					   "{\"text\":\"x\",\"id\":\"1\",\"kind\":\"report\",\"v\":1}",
					   "{\"id\":\"1\",\"text\":\"x\",\"media\":[],\"weather\":\"雨\"}"};
	static const char *const other[] = {
		"{\"id\":\"1\",\"text\":\"y\"}",
		"{\"id\":\"1\",\"text\":\"x\",\"category\":\"市政\"}",
		"{\"id\":\"1\",\"text\":\"x\",\"category\":\"020301\"}",
		"{\"id\":\"1\",\"text\":\"x\",\"category\":\"市政/井盖\"}",
		"{\"id\":\"1\",\"text\":\"x\",\"urgency\":\"normal\"}",
		"{\"id\":\"1\",\"text\":\"x\",\"place\":\"x\"}",
		"{\"id\":\"1\",\"text\":\"x\",\"place\":{\"grid\":\"x\"}}",
		"{\"id\":\"1\",\"text\":\"x\",\"place\":{\"lat\":1,\"lon\":1}}",
		"{\"id\":\"1\",\"text\":\"x\",\"reporter\":\"x\"}",
		"{\"id\":\"1\",\"text\":\"x\",\"reporter\":{\"phone\":1}}",
		"{\"id\":\"1\",\"text\":\"x\",\"reporter\":{\"secret\":true}}",
		"{\"id\":\"1\",\"text\":\"x\",\"comment\":\"x\"}",
		"{\"id\":\"1\",\"text\":\"x\",\"about\":\"x\"}",
		"{\"id\":\"1\",\"text\":\"x\",\"kind\":\"talk\"}",
		"{\"id\":\"1\",\"text\":\"x\",\"accused\":\"x\"}",
		"{\"id\":\"1\",\"text\":\"x\",\"device\":\"x\"}",
		"{\"id\":\"1\",\"text\":\"x\",\"media\":[{\"url\":\"https://a/1\"}]}",
		"{\"id\":\"1\",\"text\":\"x\",\"media\":[{\"url\":\"https://a/2\"}]}",
		"{\"id\":\"1\",\"text\":\"x\",\"media\":[{\"url\":\"https://a/2\"},{\"url\":\"https://a/1\"}]}",
		"{\"id\":\"1\",\"text\":\"x\",\"reading\":{\"state\":\"alarm\"}}",
		"{\"id\":\"1\",\"text\":\"x\",\"reading\":{\"state\":\"clear\"}}",
		"{\"id\":\"1\",\"text\":\"x\",\"reading\":{\"state\":\"alarm\",\"alarm\":\"x\"}}",
		"{\"id\":\"1\",\"text\":\"x\",\"reading\":{\"state\":\"alarm\",\"value\":0.5}}",
		"{\"id\":\"1\",\"kind\":\"rate\",\"about\":\"x\",\"score\":\"satisfied\"}",
		"{\"id\":\"1\",\"kind\":\"rate\",\"about\":\"x\",\"score\":\"basically\"}"};
	unsigned char digests[ARRAY_LEN(other) + 1][16];
	struct told *t = *state;

	memcpy(digests[0], report_of(t, wechat, "{\"id\":\"1\",\"text\":\"x\"}")->digest, 16);
	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		assert_memory_equal(report_of(t, wechat, same[i])->digest, digests[0], 16);
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		memcpy(digests[i + 1], report_of(t, wechat, other[i])->digest, 16);
		for (size_t k = 0; k <= i; k++)
			if (memcmp(digests[k], digests[i + 1], 16) == 0)
				fail_msg("%s is like %zu", other[i], k);
	}
}

static void a_link_that_is_signed_anew_is_the_same_link(void **state)
{
	static const char *const links[] = {
		"{\"id\":\"1\",\"text\":\"x\",\"media\":[{\"url\":\"https://a/1?Expires=1&Signature=x\",\"type\":\"image/jpeg\"}]}",
		"{\"id\":\"1\",\"text\":\"x\",\"media\":{\"type\":\"image/jpeg\",\"url\":\"https://a/1?Expires=2&Signature=y\"}}",
		"{\"id\":\"1\",\"text\":\"x\",\"media\":[{\"url\":\"https://a/1?Expires=1&Signature=x\",\"type\":\"image/png\"}]}"};
	unsigned char digests[ARRAY_LEN(links)][16];
	struct told *t = *state;

	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		memcpy(digests[i], report_of(t, wechat, links[i])->digest, 16);
	assert_memory_equal(digests[0], digests[1], 16);
	assert_memory_not_equal(digests[0], digests[2], 16);
}

/* Digests are stored: what came before the daemon was replaced must not look like other content when it comes again. */
static void the_digest_of_a_plain_report_is_what_it_always_was(void **state)
{
	struct told *t = *state;
	char hex[33];

	str_hex(report_of(t, wechat, "{\"id\":\"1\",\"text\":\"路灯不亮\",\"category\":\"市政/路灯\",\"extra\":7}")->digest, 16, hex);
	assert_string_equal(hex, "c274feb842aa519c57a0263a35bdf587");
}

/* ---- channels -------------------------------------------------------------------------------- */

static void a_vendors_object_is_mapped(void **state)
{
	struct told *t = *state;
	const struct report *r = report_of(
		t, "vendor/AX 7/alarm",
		"{\"msgId\":7,\"desc\":\"井盖倾斜\",\"ts\":\"20.11.2026 09:30\",\"lvl\":3,\"pos\":{\"code\":\"410106003\",\"h\":1},"
		"\"dev\":\"AX 7\",\"lines\":[0,{\"a/b\":\"幸福里\"}],\"kind\":\"report\",\"volt\":3.1,\"text\":\"ignored\"}");

	assert_string_equal(r->id, "7");
	assert_string_equal(r->text, "井盖倾斜");
	assert_int_equal(r->time, ten - 30 * minute);
	assert_int_equal(r->urgency, URGENCY_CRITICAL);
	assert_string_equal(r->grid, "410106003");
	assert_string_equal(r->address, "幸福里");
	assert_string_equal(r->device, "AX 7");
	assert_string_equal(r->category, "市政/井盖");
	assert_true(r->secret);
	assert_int_equal(strncmp(r->source, "ax-7-", 5), 0);
	/* What a pointer took from the top is gone; what it took from deeper stays with its neighbours. */
	assert_null(json_object_get(r->extra, "desc"));
	assert_non_null(json_object_get(r->extra, "pos"));
	assert_non_null(json_object_get(r->extra, "lines"));
	assert_non_null(json_object_get(r->extra, "volt"));
	assert_int_equal(json_object_size(r->extra), 3);
}

static void a_mapped_channel_understands_our_own_form_too(void **state)
{
	struct told *t = *state;
	const struct report *r = report_of(
		t, "needle/jyl/in/device/x",
		"{\"id\":\"1\",\"text\":\"井盖\",\"time\":1795136400,\"urgency\":\"urgent\",\"category\":\"物业/漏水\","
		"\"place\":{\"grid\":\"410106003\",\"address\":\"a\"},\"reporter\":{\"name\":\"李\"}}");

	assert_string_equal(r->text, "井盖");
	assert_int_equal(r->time, ten - 60 * minute);
	assert_int_equal(r->urgency, URGENCY_URGENT);
	assert_string_equal(r->category, "市政/井盖"); /* a constant wins */
	assert_string_equal(r->address, "a");
	assert_string_equal(r->name, "李");
	assert_true(r->secret);
	assert_null(r->extra);
}

static void members_may_swap_their_names(void **state)
{
	static const struct member_map swap[] = {{"text", "/category"},	    {"category", "/text"},
						 {"id", "/no~1s/0"},	    {"about", "/x/01"},
						 {"accused", "no pointer"}, {"case", "/nothing"}};
	struct told *t = *state;
	const struct report *r;

	t->f.channels[WECHAT].map = swap;
	t->f.channels[WECHAT].n_map = ARRAY_LEN(swap);
	r = report_of(t, wechat, "{\"text\":\"市政\",\"category\":\"井盖\",\"no/s\":[\"a\"],\"x\":[1,2]}");
	assert_string_equal(r->text, "井盖");
	assert_string_equal(r->category, "市政");
	assert_string_equal(r->id, "a");
	assert_null(r->about);
}

/* What a channel sets, and what its codes mean, is a text; numbers and truths become such. */
static void codes_and_constants_have_the_type_of_their_member(void **state)
{
	static const struct {
		const char *member, *text, *payload;
		double lat;
		bool secret;
		const char *said;
	} rows[] = {
		{"place.lat", "39.9", "{\"id\":\"1\",\"text\":\"x\",\"place\":{\"lon\":116.4}}", 39.9, false, "x"},
		{"place.lon", "116.4", "{\"id\":\"1\",\"text\":\"x\",\"place\":{\"lat\":39.9,\"lon\":1}}", 39.9, false, "x"},
		{"place.lat", "north", "{\"id\":\"1\",\"text\":\"x\"}", 0, false, "x"},
		{"place.lat", "0", "{\"id\":\"1\",\"text\":\"x\",\"place\":{\"lon\":0}}", 0, false, "x"},
		{"reporter.secret", "yes", "{\"id\":\"1\",\"text\":\"x\"}", 0, true, "x"},
		{"reporter.secret", "0", "{\"id\":\"1\",\"text\":\"x\",\"reporter\":{\"secret\":true}}", 0, false, "x"},
		{"place.address", "桥上", "{\"id\":\"1\",\"text\":\"x\",\"place\":\"nowhere\"}", 0, false, "x"},
		{"text", "井盖", "{\"id\":\"1\",\"text\":true}", 0, false, "井盖"},
	};
	struct told *t = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct member_set set = {rows[i].member, rows[i].text};
		const struct report *r;

		t->f.channels[WECHAT].set = &set;
		t->f.channels[WECHAT].n_set = 1;
		r = report_of(t, wechat, rows[i].payload);
		assert_string_equal(r->text, rows[i].said);
		assert_int_equal(r->secret, rows[i].secret);
		if (r->has_position != (rows[i].lat > 0) || fabs(r->lat - rows[i].lat) > 1e-9)
			fail_msg("row %zu: %f", i, r->lat);
	}
	t->f.channels[WECHAT].n_set = 0;
}

static void a_code_may_stand_for_a_truth_or_for_nothing(void **state)
{
	static const struct {
		const char *payload;
		int urgency;
	} rows[] = {
		{"{\"id\":\"1\",\"text\":\"x\",\"urgency\":true}", URGENCY_CRITICAL},
		{"{\"id\":\"1\",\"text\":\"x\",\"urgency\":false}", -1},
		{"{\"id\":\"1\",\"text\":\"x\",\"urgency\":\"3\"}", URGENCY_URGENT},
		{"{\"id\":\"1\",\"text\":\"x\",\"urgency\":{\"a\":1}}", -1},
		{"{\"id\":\"1\",\"text\":\"x\",\"urgency\":\"urgent\"}", URGENCY_URGENT},
		{"{\"id\":\"1\",\"text\":\"x\"}", -1},
	};
	struct told *t = *state;
	struct code_table codes = {.member = "urgency"};

	map_put(&codes.values, "true", (void *)(uintptr_t)"critical");
	map_put(&codes.values, "3", (void *)(uintptr_t)"urgent");
	t->f.channels[WECHAT].codes = &codes;
	t->f.channels[WECHAT].n_codes = 1;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (report_of(t, wechat, rows[i].payload)->urgency != rows[i].urgency)
			fail_msg("%s: %d", rows[i].payload, t->u.reports[0].urgency);
	t->f.channels[WECHAT].n_codes = 0;
	map_done(&codes.values);
}

static void formats_read_a_vendors_time(void **state)
{
	static const struct {
		const char *format, *value;
		int64_t minutes;
	} rows[] = {
		{"%Y年%m月%d日 %H时%M分", "\"2026年11月20日 09时30分\"", -30},
		{"%y%m%d%H%M%S", "261120093000", -30},
		{"%d/%b/%Y %H:%M %z", "\"20/Nov/2026 01:30 +0000\"", -30},
		{"unix", "1795138200", -30},
		{"unixms", "\"1795138200000\"", -30},
		{"unix", "\"2026-11-20 09:30\"", -30},
		{"%d.%m.%Y", "\"2026-11-20 09:30\"", -30},
		{"%Y-%m-%d %H:%M", "\"2026-11-20 09:30:00\"", -30},
		{"%Y-%m-%d %H:%M:%S", "\"1969-11-20 09:30:00\"", 0},
		{"%Y-%m-%d %H:%M:%S", "\"2026-02-31 09:30:00\"", 0},
		{"unix", "-1", 0},
		{"unix", "1e300", 0},
	};
	struct told *t = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct member_format format = {"time", rows[i].format};
		const struct report *r;
		char payload[200];

		t->f.channels[WECHAT].formats = &format;
		t->f.channels[WECHAT].n_formats = 1;
		snprintf(payload, sizeof(payload), "{\"id\":\"1\",\"text\":\"x\",\"time\":%s}", rows[i].value);
		r = report_of(t, wechat, payload);
		if (r->time != ten + rows[i].minutes * minute)
			fail_msg("%s %s: %" PRId64 " minutes off", rows[i].format, rows[i].value,
				 (r->time - ten) / minute);
	}
	t->f.channels[WECHAT].n_formats = 0;
}

static void gb18030_is_read(void **state)
{
	/* 井盖破损 and the four-byte character U+3400 */
	static const char payload[] =
		"{\"id\":\"1\",\"from\":\"North Office\",\"text\":\"\xbe\xae\xb8\xc7\xc6\xc6\xcb\xf0\x81\x39\xee\x39\"}";
	struct told *t = *state;
	const struct report *r = report_of(t, "city/jz/tickets/n/7", payload);

	assert_string_equal(r->text, "井盖破损㐀");
	assert_int_equal(strncmp(r->source, "north-office-", 13), 0);
	assert_string_equal(t->u.source, r->source);
	assert_string_equal(report_of(t, "city/jz/tickets/n/7", "{\"id\":\"1\",\"text\":\"x\"}")->source, "n");
	/* In our own tree the answer goes where the sender said it is. */
	assert_string_equal(report_of(t, "needle/jyl/in/legacy/me", payload)->source, "me");
	assert_int_equal(tell(t, "city/jz/tickets/n", "{\"id\":\"1\",\"text\":\"\xbe\"}"), ERR_BAD);
	assert_string_equal(t->e.code, "bad-charset");
	assert_int_equal(tell(t, "city/jz/tickets/n", "{\"id\":\"1\",\"text\":\"\xff\xff\"}"), ERR_BAD);
	assert_string_equal(t->e.code, "bad-charset");
	assert_string_equal(t->u.source, "n");
}

/* ---- decoders -------------------------------------------------------------------------------- */

/* "two" gives two reports, "none" none, "bad" is refused, "odd" gives one without id; the rest is not its own. */
static int fake_decode(void *self, const struct message *m, const char *utf8, size_t len, struct arena *a,
		       char ***ret_json, size_t *ret_n, struct err *e)
{
	bool big = strcmp(utf8, "{\"no\":\"1e400\"}") == 0, two = big || strcmp(utf8, "two") == 0, odd = strcmp(utf8, "odd") == 0, none = strcmp(utf8, "none") == 0;

	(void)self;
	assert_true(big || m->payload_len == len);
	if (strcmp(utf8, "bad") == 0)
		return err_code(e, ERR_BAD, "decoder", "broken");
	*ret_n = none ? 0 : 2;
	*ret_json = arena_alloc(a, 2 * sizeof(**ret_json));
	(*ret_json)[0] = arena_strdup(a, "{\"id\":\"a\",\"text\":\"x\"}");
	(*ret_json)[1] = arena_strdup(a, odd ? "{\"text\":\"y\"}" : "{\"id\":\"b\",\"text\":\"y\"}");
	return two || odd || none ? 0 : DECODER_NOT_MINE;
}

static bool fake_lookup(void *arg, const struct channel *channel, struct decoder_fn *ret)
{
	assert_string_equal(channel->decoder, "hotline");
	*ret = (struct decoder_fn){fake_decode, NULL};
	return *(bool *)arg;
}

static void a_decoder_is_asked_first(void **state)
{
	static const char hotline[] = "needle/jyl/in/hotline/city";
	struct told *t = *state;
	bool loaded = true;

	t->decoders = fake_lookup;
	t->decoders_arg = &loaded;
	assert_int_equal(tell(t, hotline, "two"), 0);
	assert_int_equal(t->u.n_reports, 2);
	assert_string_equal(t->u.reports[1].id, "b");
	assert_string_equal(t->u.reports[1].source, "city");
	assert_int_equal(tell(t, hotline, "{\"no\":1e400}"), 0);
	assert_int_equal(t->u.n_reports, 2);
	assert_int_equal(tell(t, hotline, "none"), 0);
	assert_int_equal(t->u.n_reports, 0);
	assert_int_equal(tell(t, hotline, "bad"), ERR_BAD);
	assert_string_equal(t->e.code, "decoder");
	assert_int_equal(tell(t, hotline, "odd"), ERR_BAD);
	assert_string_equal(t->e.code, "no-id");
	assert_int_equal(t->u.n_reports, 0);
	assert_string_equal(report_of(t, hotline, "{\"id\":\"c\",\"text\":\"x\"}")->id, "c");
	loaded = false;
	assert_int_equal(tell(t, hotline, "two"), ERR_BAD);
	assert_string_equal(t->e.code, "not-json");
	assert_string_equal(report_of(t, hotline, "{\"id\":\"c\",\"text\":\"x\"}")->id, "c");
	assert_string_equal(report_of(t, wechat, "{\"id\":\"c\",\"text\":\"x\"}")->id, "c");
}

#define SHA256 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* ---- commands -------------------------------------------------------------------------------- */

static void a_command_belongs_to_the_department_of_its_topic(void **state)
{
	struct told *t = *state;
	const struct command *c = &t->u.command;

	assert_int_equal(
		tell(t, command,
		     "{\"v\":1,\"request\":\"r-1\",\"case\":\"JYL261120000123\",\"action\":\"return\",\"by\":\"wang\",\"note\":\"不归我们\","
		     "\"reason\":\"not-ours\",\"dept\":\"ducha\",\"until\":\"2026-11-20 10:01\",\"place\":{\"grid\":\"1\",\"address\":\"x\"}}"),
		0);
	assert_int_equal(t->u.kind, MESSAGE_COMMAND);
	assert_string_equal(t->u.dept->id, "chengguan");
	assert_ptr_equal(c->dept, t->u.dept);
	assert_string_equal(c->request, "r-1");
	assert_string_equal(c->case_number, "JYL261120000123");
	assert_int_equal(c->action, CMD_RETURN);
	assert_string_equal(c->by, "wang");
	assert_string_equal(c->note, "不归我们");
	assert_string_equal(c->reason, "not-ours");
	assert_int_equal(c->until, ten + minute);
	assert_string_equal(c->grid, "1");
	assert_string_equal(c->address, "x");
	assert_null(c->answer);
	assert_string_equal(json_string_value(json_object_get(c->json, "dept")), "ducha");
	assert_int_equal(
		tell(t, command,
		     "{\"request\":1,\"case\":\"JYL261120000123\",\"action\":\"get\",\"until\":\"later\"}"),
		0);
	assert_int_equal(c->action, CMD_GET);
	assert_int_equal(c->until, MOMENT_NONE);
}

static void what_a_command_shows_is_read_as_a_reports_media(void **state)
{
	static const struct {
		const char *media;
		size_t n;
		const char *url, *type;
		bool sha256;
	} rows[] = {
		{"[{\"url\":\"https://x/1.jpg\",\"type\":\"image/jpeg\",\"sha256\":\"" SHA256 "\"}]", 1, "https://x/1.jpg", "image/jpeg", true},
		{"{\"url\":\"https://x/1.jpg\",\"sha256\":\"" SHA256 "0\",\"size\":3}", 1, "https://x/1.jpg", NULL, false},
		{"\"https://x/1.jpg\"", 1, "https://x/1.jpg", NULL, false},
		{"[{\"type\":\"image/jpeg\"},null,{\"url\":\" \"},\"https://x/2.jpg\",7,[]]", 1, "https://x/2.jpg", NULL, false},
		{"[]", 0, NULL, NULL, false}, {"null", 0, NULL, NULL, false},
	};
	struct told *t = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct command *c = &t->u.command;
		char text[400];

		snprintf(text, sizeof(text), "{\"request\":1,\"case\":\"JYL261120000123\",\"action\":\"resolve\",\"media\":%s}", rows[i].media);
		assert_int_equal(tell(t, command, text), 0);
		assert_int_equal(c->n_media, rows[i].n);
		if (!rows[i].n)
			continue;
		assert_string_equal(c->media[0].url, rows[i].url);
		assert_true(str_equal(c->media[0].type, rows[i].type));
		assert_true(str_equal(c->media[0].sha256, rows[i].sha256 ? SHA256 : NULL));
	}
}

static void a_bad_command_still_names_its_case(void **state)
{
	static const struct {
		const char *command, *code, *number;
	} rows[] = {
		{"{\"request\":\"r\",\"case\":\"JYL261120000123\",\"action\":\"dance\"}", "bad-action", "JYL261120000123"},
		{"{\"case\":\"JYL261120000123\",\"action\":\"accept\"}", "no-request", "JYL261120000123"},
		{"{\"request\":\"r\",\"case\":\"JYL+\",\"action\":\"dance\"}", "bad-action", NULL},
		{"{\"request\":\"r\",\"case\":\"JYL261120000123\"", "not-json", NULL},
	};
	struct told *t = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(tell(t, command, rows[i].command), ERR_BAD);
		assert_string_equal(t->e.code, rows[i].code);
		assert_true(str_equal(t->u.command.case_number, rows[i].number));
	}
}

static void every_action_has_its_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_COMMAND_ACTION; i++)
		assert_int_equal(name_index(command_action_names, N_COMMAND_ACTION, command_action_names[i]),
				 i);
	assert_string_equal(command_action_names[CMD_CONSULT_OUTCOME], "consult_outcome");
	assert_string_equal(command_action_names[CMD_GET], "get");
	assert_string_equal(report_kind_names[REPORT_TALK], "talk");
}

/* ---- bad input ------------------------------------------------------------------------------- */

static void bad_input_is_refused_with_a_stable_reason(void **state)
{
	static const struct {
		const char *topic, *payload, *code, *readable_id;
	} rows[] = {
		{wechat, "", "empty", NULL},
		{wechat, "hello", "not-json", NULL},
		{wechat, "{", "not-json", NULL},
		{wechat, "{\"id\":\"1\",\"text\":\"x\"} x", "not-json", NULL},
		{wechat, "[]", "not-json", NULL},
		{wechat, "\"text\"", "not-json", NULL},
		{wechat, "42", "not-json", NULL},
		{wechat, "null", "not-json", NULL},
		{wechat, "{\"id\":\"1\",\"id\":\"2\",\"text\":\"x\"}", "not-json", NULL},
		{wechat, "{'id':'1'}", "not-json", NULL},
		{wechat, "{\"id\":\"1\",\"text\":\"x\",}", "not-json", NULL},
		{wechat, "{\"id\":\"1\",\"text\":\"\\ud800\"}", "not-json", NULL},
		{wechat, "{\"id\":\"1\",\"text\":\"\\ud800\\u0041\"}", "not-json", NULL},
		{wechat, "{\"id\":\"1\",\"text\":\"x\",1e400:1}", "not-json", NULL},
		{wechat, "{\"id\":\"1\",\"text\":\"x\",\"n\":01e400}", "not-json", NULL},
		{wechat, "{\"id\":\"1\",\"text\":\"x\",\"n\":1e400,\"n\":2}", "not-json", NULL},
		{wechat, "{\"id\":\"1\",\"text\":\"x\",\"n\":[1e400", "not-json", NULL},
		{wechat, "{\"id\":\"1\",\"text\":NaN}", "not-json", NULL},
		{wechat, "{\"id\":\"1\",\"text\":\"a\nb\"}", "not-json", NULL},
		{wechat, "<xml><id>1</id></xml>", "not-json", NULL},
		{wechat, "{\"id\":\"1\",\"text\":\"\xff\"}", "bad-utf8", NULL},
		{wechat, "{\"id\":\"1\",\"text\":\"\xc0\xaf\"}", "bad-utf8", NULL},
		{wechat, "{\"id\":\"1\",\"text\":\"\xed\xa0\x80\"}", "bad-utf8", NULL},
		{wechat, "{\"id\":\"1\",\"text\":\"\xbe\xae\xb8\xc7\"}", "bad-utf8", NULL},
		{wechat, "{\"id\":\"1\",\"text\":\"a\\u0000b\"}", "bad-text", NULL},
		{wechat, "{\"id\":\"1\",\"\\u0000\":\"b\"}", "bad-text", NULL},
		{wechat, "{}", "no-id", NULL},
		{wechat, "{\"id\":\"\",\"text\":\"x\"}", "no-id", NULL},
		{wechat, "{\"id\":\" \\t　\",\"text\":\"x\"}", "no-id", NULL},
		{wechat, "{\"id\":null,\"text\":\"x\"}", "no-id", NULL},
		{wechat, "{\"id\":1.5,\"text\":\"x\"}", "bad-id", NULL},
		{wechat, "{\"id\":true,\"text\":\"x\"}", "bad-id", NULL},
		{wechat, "{\"id\":{\"a\":1},\"text\":\"x\"}", "bad-id", NULL},
		{wechat, "{\"id\":\"a\\u0007b\",\"text\":\"x\"}", "bad-id", NULL},
		{wechat, "{\"id\":\"a\\u0085b\",\"text\":\"x\"}", "bad-id", NULL},
		{wechat, "{\"id\":\"1\",\"kind\":\"party\",\"text\":\"x\"}", "bad-kind", "1"},
		{wechat, "{\"id\":\"1\",\"kind\":7,\"text\":\"x\"}", "bad-kind", "1"},
		{wechat, "{\"id\":\"1\",\"kind\":[\"report\"],\"text\":\"x\"}", "bad-kind", "1"},
		{wechat, "{\"id\":\"1\"}", "no-text", "1"},
		{wechat, "{\"id\":\"1\",\"text\":\" \\n\"}", "no-text", "1"},
		{wechat, "{\"id\":\"1\",\"text\":[\"x\"]}", "no-text", "1"},
		{wechat, "{\"id\":\"1\",\"kind\":\"talk\"}", "no-text", "1"},
		{wechat, "{\"id\":\"1\",\"kind\":\"supplement\",\"about\":\"2\"}", "no-text", "1"},
		{wechat, "{\"id\":\"1\",\"kind\":\"supplement\",\"text\":\"x\"}", "no-case", "1"},
		{wechat, "{\"id\":\"+/#$\",\"kind\":\"urge\"}", "no-case", "+/#$"},
		{wechat, "{\"id\":\"1\",\"kind\":\"withdraw\",\"case\":\"jyl1\"}", "no-case", "1"},
		{wechat, "{\"id\":\"1\",\"kind\":\"status\",\"case\":\"JYL261120000123' OR 1=1\"}", "no-case",
		 "1"},
		{wechat, "{\"id\":\"1\",\"kind\":\"rate\",\"about\":\"2\"}", "bad-score", "1"},
		{wechat, "{\"id\":\"1\",\"kind\":\"rate\",\"about\":\"2\",\"score\":\"5 stars\"}", "bad-score",
		 "1"},
		{wechat, "{\"id\":\"1\",\"kind\":\"rate\",\"about\":\"2\",\"score\":5}", "bad-score", "1"},
		{command, "", "empty", NULL},
		{command, "accept", "not-json", NULL},
		{command, "[1]", "not-json", NULL},
		{command, "{\"case\":\"JYL261120000123\",\"action\":\"accept\"}", "no-request", NULL},
		{command, "{\"request\":\"\",\"case\":\"JYL261120000123\",\"action\":\"accept\"}", "no-request",
		 NULL},
		{command, "{\"request\":[],\"case\":\"JYL261120000123\",\"action\":\"accept\"}", "no-request",
		 NULL},
		{command, "{\"request\":\"a\\nb\",\"case\":\"JYL261120000123\",\"action\":\"accept\"}",
		 "no-request", NULL},
		{command, "{\"request\":\"1\",\"case\":\"JYL261120000123\"}", "bad-action", "1"},
		{command, "{\"request\":\"1\",\"case\":\"JYL261120000123\",\"action\":\"explode\"}",
		 "bad-action", "1"},
		{command, "{\"request\":\"1\",\"case\":\"JYL261120000123\",\"action\":3}", "bad-action", "1"},
		{command, "{\"request\":\"1\",\"action\":\"accept\"}", "bad-case", "1"},
		{command, "{\"request\":\"1\",\"case\":\"../../etc\",\"action\":\"accept\"}", "bad-case", "1"},
		{command, "{\"request\":\"1\",\"case\":261120000123,\"action\":\"accept\"}", "bad-case", "1"},
		{"needle/jyl/in/nobody/x", "{\"id\":\"1\",\"text\":\"x\"}", "unknown-channel", "1"},
		{"needle/jyl/in/nobody/x", "[\"1\"]", "unknown-channel", NULL},
		{"needle/jyl/in/wechat/x/y", "{\"id\":\"1\",\"text\":\"x\"}", "wrong-topic", "1"},
		{"needle/jyl/dept/nobody/cmd", "{\"request\":\"1\"}", "unknown-department", NULL},
	};
	struct told *t = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int r = tell(t, rows[i].topic, rows[i].payload);

		if (r != ERR_BAD || strcmp(t->e.code, rows[i].code) != 0)
			fail_msg("%s: %d %s, want %s", rows[i].payload, r, t->e.code, rows[i].code);
		if (!str_equal(t->u.readable_id, rows[i].readable_id))
			fail_msg("%s: readable id %s", rows[i].payload,
				 t->u.readable_id ? t->u.readable_id : "-");
		assert_true(*t->e.text);
		if (rows[i].topic == wechat)
			assert_string_equal(t->u.source, "g1");
		if (rows[i].topic == command)
			assert_string_equal(t->u.dept->id, "chengguan");
		/* The next good message is understood. */
		report_of(t, wechat, "{\"id\":\"1\",\"text\":\"x\"}");
	}
}

/* {"id":"1","text":"x","deep":[[[ … ]]]} with that many levels in all */
static int tell_deep(struct told *t, int depth)
{
	struct str s = {0};
	int r;

	str_add(&s, "{\"id\":\"1\",\"text\":\"[[[[{{{{\\\"[[\",\"deep\":");
	for (int i = 1; i < depth; i++)
		str_addc(&s, '[');
	for (int i = 1; i < depth; i++)
		str_addc(&s, ']');
	str_addc(&s, '}');
	r = tell_bytes(t, wechat, s.s, s.len);
	str_done(&s);
	return r;
}

static int tell_big(struct told *t, size_t bytes)
{
	static const char head[] = "{\"id\":\"1\",\"text\":\"";
	char *payload = mem_alloc(bytes);
	int r;

	memset(payload, 'x', bytes);
	memcpy(payload, head, sizeof(head) - 1);
	memcpy(payload + bytes - 2, "\"}", 2);
	r = tell_bytes(t, wechat, payload, bytes);
	free(payload);
	return r;
}

static int tell_long_id(struct told *t, int bytes)
{
	char payload[300];

	snprintf(payload, sizeof(payload), "{\"id\":\" %0*d \",\"text\":\"x\"}", bytes, 7);
	return tell(t, wechat, payload);
}

static void limits_are_exact(void **state)
{
	struct told *t = *state;

	assert_int_equal(tell_deep(t, 64), 0);
	assert_int_equal(tell_deep(t, 65), ERR_BAD);
	assert_string_equal(t->e.code, "too-deep");
	assert_int_equal(tell_deep(t, 100000), ERR_BAD);
	assert_string_equal(t->e.code, "too-deep");
	assert_int_equal(tell_big(t, 256 * 1024), 0);
	assert_int_equal(tell_big(t, 256 * 1024 + 1), ERR_BAD);
	assert_string_equal(t->e.code, "too-big");
	assert_int_equal(tell_long_id(t, 128), 0);
	assert_int_equal(tell_long_id(t, 129), ERR_BAD);
	assert_string_equal(t->e.code, "bad-id");
	assert_int_equal(tell_bytes(t, wechat, "{\"id\":\"1\",\"text\":\"a\0b\"}", 24), ERR_BAD);
	assert_string_equal(t->e.code, "bad-text");
	assert_int_equal(tell(t, wechat, "{\"id\":\"1\",\"text\":\"\\\\u0000\"}"), 0);
	assert_string_equal(t->u.reports[0].text, "\\u0000");
}

static void no_reason_quotes_the_message(void **state)
{
	static const char *const payloads[] = {
		"{\"id\":\"1\",\"text\":\"13800001234", "{\"13800001234\":1,\"13800001234\":2}", "13800001234",
		"{\"id\":\"13800001234\",\"kind\":\"13800001234\"}",
		"{\"id\":\"13800001234\",\"kind\":\"urge\",\"case\":\"13800001234\"}"};
	struct told *t = *state;

	for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
		assert_int_equal(tell(t, wechat, payloads[i]), ERR_BAD);
		assert_null(strstr(t->e.text, "1380000"));
	}
}

/* Cuts and flips of a good message: whatever comes out, nothing breaks. */
static void broken_bytes_break_nothing(void **state)
{
	static const char good[] =
		"{\"msgId\":7,\"desc\":\"井盖\",\"ts\":1,\"lvl\":3,\"pos\":{\"code\":\"410106003\"},\"lines\":[0,{\"a/b\":\"c\"}],"
		"\"reporter\":{\"phone\":\"138\"},\"place\":{\"lat\":1},\"reply_to\":[1.5e3,\"\\u4e00\"]}";
	struct told *t = *state;
	char payload[sizeof(good)];
	uint32_t seed = 7;

	for (size_t i = 0; i < sizeof(good); i++)
		tell_bytes(t, "vendor/x/alarm", good, i);
	for (int i = 0; i < 5000; i++) {
		memcpy(payload, good, sizeof(good));
		for (int k = 0; k < 3; k++) {
			seed = seed * 1664525 + 1013904223;
			payload[(seed >> 8) % (sizeof(good) - 1)] = (char)(seed >> 24);
		}
		tell_bytes(t, i % 2 ? "vendor/x/alarm" : "city/a/tickets/b", payload, sizeof(good) - 1);
	}
}

static void understanding_takes_microseconds(void **state)
{
	enum { TIMES = 3000 };
	static const char payload[] =
		"{\"v\":1,\"id\":\"GD20261120000123\",\"kind\":\"report\",\"time\":\"2026-11-20T08:31:07+08:00\",\"text\":\"您好，济源路街道"
		"幸福里小区3号楼前面的井盖已经破损一个多星期了，晚上没有路灯，老人孩子路过非常危险，之前给物业打过电话，物业说归城管管，"
		"城管又说要等市政来修，请尽快安排人员到现场处理，谢谢\",\"category\":\"市政/井盖\",\"urgency\":\"urgent\",\"reporter\":{\"name\":"
		"\"李某\",\"phone\":\"13800000000\"},\"place\":{\"address\":\"幸福里3号楼\",\"grid\":\"410106003007012\"}}";
	struct told *t = *state;
	int64_t started = clock_mono_us();

	for (int i = 0; i < TIMES; i++)
		assert_int_equal(tell(t, wechat, payload), 0);
	print_message("%.2f us a message\n", (double)(clock_mono_us() - started) / TIMES);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_full_report_is_read_whole),
		TEST(the_least_report_is_enough),
		TEST(other_kinds_name_their_case),
		TEST(odd_members_are_kept_and_marked),
		TEST(a_number_beyond_all_bounds_is_kept_as_text),
		TEST(a_vote_is_a_score_where_its_channel_has_a_threshold),
		TEST(what_is_harmless_is_converted),
		TEST(secrecy_is_believed_in_doubt),
		TEST(times_come_in_many_forms),
		TEST(the_digest_tells_other_content_but_not_another_time),
		TEST(a_link_that_is_signed_anew_is_the_same_link),
		TEST(the_digest_of_a_plain_report_is_what_it_always_was),
		TEST(a_vendors_object_is_mapped),
		TEST(a_mapped_channel_understands_our_own_form_too),
		TEST(members_may_swap_their_names),
		TEST(codes_and_constants_have_the_type_of_their_member),
		TEST(a_code_may_stand_for_a_truth_or_for_nothing),
		TEST(formats_read_a_vendors_time),
		TEST(gb18030_is_read),
		TEST(a_decoder_is_asked_first),
		TEST(a_command_belongs_to_the_department_of_its_topic),
		TEST(what_a_command_shows_is_read_as_a_reports_media),
		TEST(a_bad_command_still_names_its_case),
		TEST(every_action_has_its_name),
		TEST(bad_input_is_refused_with_a_stable_reason),
		TEST(limits_are_exact),
		TEST(no_reason_quotes_the_message),
		TEST(broken_bytes_break_nothing),
		TEST(understanding_takes_microseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
