/*
 * A dead letter is retried as it came: the same bytes on the same topic through the broker, after its
 * cause was mended (a channel's map, a decoder). Its id was not used up, so it can become a case.
 */
#include "ctl/ctl.h"
#include "ctl/wire.h"

#include <inttypes.h>

#include "core/time/moment.h"
#include "settings/snapshot.h"
#include "store/pg.h"

static const struct query Q_LIST = {"ctl_dead_list",
	"SELECT id, needle.micros(at), channel, topic, reason, code, size, needle.micros(retried_at) "
	"FROM needle.v_dead_letter WHERE tenant = $1 AND ($2::text IS NULL OR channel = $2) "
	"AND ($3 OR retried_at IS NULL) ORDER BY at DESC, id DESC LIMIT $4"};
static const struct query Q_SHOW = {"ctl_dead_show",
	"SELECT id, needle.micros(at), channel, topic, reason, code, octet_length(payload), "
	"needle.micros(retried_at), payload FROM needle.dead_letter WHERE tenant = $1 AND id = $2"};
static const struct query Q_RETRIED = {"ctl_dead_retried",
	"UPDATE needle.dead_letter SET retried_at = now() WHERE tenant = $1 AND id = $2"};

static const struct flag flags[] = {
	{"channel", 0, "ID", N_("of list: only those of this channel")},
	{"all", 0, NULL, N_("of list: also those that were retried")},
	{"limit", 0, "N", N_("of list: at most N, the newest (100)")},
	{"raw", 0, NULL, N_("of show: the payload's bytes alone")},
	{0},
};

static json_t *item_json(const struct pg_rows *rows, int i)
{
	return json_pack("{s:I,s:o,s:o,s:o,s:o,s:o,s:I,s:o}", "id", (json_int_t)pg_get_int(rows, i, 0), "at",
			 ctl_json_time(pg_get_time(rows, i, 1)), "channel", ctl_json_text(pg_get(rows, i, 2)), "topic",
			 ctl_json_text(pg_get(rows, i, 3)), "reason", ctl_json_text(pg_get(rows, i, 4)), "code",
			 ctl_json_text(pg_get(rows, i, 5)), "size", (json_int_t)pg_get_int(rows, i, 6), "retried_at",
			 ctl_json_time(pg_get_time(rows, i, 7)));
}

static const char *when(struct ctl *ctl, int64_t at)
{
	char text[MOMENT_TEXT];

	return at == MOMENT_NONE ? NULL : arena_strdup(&ctl->arena, moment_human(at, false, text));
}

static void list_text(struct ctl *ctl, const struct pg_rows *rows)
{
	static const char *const heads[] = {N_("id"), N_("at"), N_("channel"), N_("topic"), N_("code"), N_("reason")};
	struct grid_table table = {.columns = ARRAY_LEN(heads)};

	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		grid_cell(&table, say(ctl, heads[i]));
	for (int i = 0; i < rows->n; i++) {
		grid_cell(&table, pg_get(rows, i, 0));
		grid_cell(&table, when(ctl, pg_get_time(rows, i, 1)));
		grid_cell(&table, pg_get(rows, i, 2));
		grid_cell(&table, pg_get(rows, i, 3));
		grid_cell(&table, pg_get(rows, i, 5));
		grid_cell(&table, pg_get(rows, i, 4));
	}
	if (rows->n)
		grid_print(&table, &ctl->out);
	else
		str_addf(&ctl->out, "%s\n", say(ctl, "There are no dead letters."));
	grid_done(&table);
}

static int list(struct ctl *ctl, struct pg *pg, struct err *e)
{
	CLEANUP(pg_rows_done) struct pg_rows rows = {0};
	struct pg_args args = {0};
	int64_t limit;
	int r = ctl_number(ctl, "limit", 1, 100000, 100, &limit, e);

	if (r < 0)
		return r;
	pg_text(&args, ctl->settings->office.tenant);
	pg_text(&args, ctl_flag(ctl, "channel"));
	pg_bool(&args, args_has(&ctl->args, "all"));
	pg_int(&args, limit);
	r = pg_run(pg, &Q_LIST, &args, &rows, e);
	if (r < 0)
		return r;
	if (ctl->json) {
		json_t *items = json_array(), *all = json_pack("{s:o}", "items", items);

		for (int i = 0; i < rows.n; i++)
			json_array_append_new(items, item_json(&rows, i));
		ctl_print_json(ctl, all);
		json_decref(all);
	} else {
		list_text(ctl, &rows);
	}
	return CTL_DONE;
}

static int find(struct ctl *ctl, struct pg *pg, struct pg_rows *ret, int64_t *ret_id, struct err *e)
{
	const char *word = ctl->args.operands[1];
	struct pg_args args = {0};
	int r;

	if (!str_to_int(word, 0, INT64_MAX, ret_id))
		return ctl_usage(e, "%s is not the id of a dead letter", word ? word : "");
	pg_text(&args, ctl->settings->office.tenant);
	pg_int(&args, *ret_id);
	r = pg_run(pg, &Q_SHOW, &args, ret, e);
	if (r == 0 && !ret->n)
		return err_set(e, ERR_BAD, "there is no dead letter %" PRId64, *ret_id);
	return r;
}

static void add_payload(struct str *out, const char *bytes, size_t len)
{
	CLEANUP(mem_freep) char *text = mem_alloc(len + 1);

	memcpy(text, bytes, len);
	for (char *line = text, *end; line; line = end) {
		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		str_add(out, "    ");
		grid_safe(out, line);
		str_addc(out, '\n');
	}
}

static void add_hex(struct str *out, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		str_addf(out, "%02x", bytes[i]);
}

static void show_text(struct ctl *ctl, const struct pg_rows *rows, const char *payload, size_t len, bool is_text)
{
	const struct {
		const char *label, *value;
	} lines[] = {
		{N_("id"), pg_get(rows, 0, 0)},	{N_("at"), when(ctl, pg_get_time(rows, 0, 1))},
		{N_("channel"), pg_get(rows, 0, 2)}, {N_("topic"), pg_get(rows, 0, 3)},
		{N_("code"), pg_get(rows, 0, 5)},	{N_("reason"), pg_get(rows, 0, 4)},
		{N_("size"), pg_get(rows, 0, 6)},	{N_("retried"), when(ctl, pg_get_time(rows, 0, 7))},
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		grid_pad(&ctl->out, say(ctl, lines[i].label), 10);
		grid_safe(&ctl->out, lines[i].value ? lines[i].value : "-");
		str_addc(&ctl->out, '\n');
	}
	str_addc(&ctl->out, '\n');
	if (is_text) {
		add_payload(&ctl->out, payload, len);
	} else {
		str_add(&ctl->out, "    ");
		add_hex(&ctl->out, (const unsigned char *)payload, len);
		str_addc(&ctl->out, '\n');
	}
}

static int show(struct ctl *ctl, struct pg *pg, struct err *e)
{
	CLEANUP(pg_rows_done) struct pg_rows rows = {0};
	CLEANUP(mem_freep) char *payload = NULL;
	bool is_text;
	int64_t id;
	size_t len;
	int r = find(ctl, pg, &rows, &id, e);

	if (r < 0)
		return r;
	payload = pg_get_bytes(&rows, 0, 8, &len);
	is_text = str_is_utf8(payload, len);
	if (args_has(&ctl->args, "raw")) {
		str_addn(&ctl->out, payload, len);
	} else if (ctl->json) {
		CLEANUP(str_done) struct str hex = {0};
		json_t *item = item_json(&rows, 0);

		str_add(&hex, "");
		add_hex(&hex, (const unsigned char *)payload, len);
		json_object_set_new(item, "payload", is_text ? json_stringn(payload, len) : json_null());
		json_object_set_new(item, "payload_hex", json_string(hex.s));
		ctl_print_json(ctl, item);
		json_decref(item);
	} else {
		show_text(ctl, &rows, payload, len, is_text);
	}
	return CTL_DONE;
}

static int mark(struct ctl *ctl, struct pg *pg, int64_t id, struct err *e)
{
	struct pg_args args = {0};

	pg_text(&args, ctl->settings->office.tenant);
	pg_int(&args, id);
	return pg_run(pg, &Q_RETRIED, &args, NULL, e);
}

static int retry(struct ctl *ctl, struct pg *pg, struct err *e)
{
	CLEANUP(pg_rows_done) struct pg_rows rows = {0};
	CLEANUP(mem_freep) char *payload = NULL;
	struct wire *wire = NULL;
	const char *topic;
	int64_t id;
	size_t len;
	int r = find(ctl, pg, &rows, &id, e);

	if (r < 0)
		return r;
	topic = pg_get(&rows, 0, 3);
	if (!topic)
		return err_set(e, ERR_BAD, "dead letter %" PRId64 " came on a topic that is not text", id);
	payload = pg_get_bytes(&rows, 0, 8, &len);
	r = wire_open(ctl, &wire, e);
	if (r == 0)
		r = wire_publish(wire, topic, payload, len, e);
	wire_close(wire);
	if (r == 0)
		r = mark(ctl, pg, id, e);
	if (r < 0)
		return r;
	if (ctl->json) {
		json_t *done = json_pack("{s:I,s:s,s:b}", "id", (json_int_t)id, "topic", topic, "retried", 1);

		ctl_print_json(ctl, done);
		json_decref(done);
	} else {
		str_addf(&ctl->out, "%s ", say(ctl, "published again on"));
		grid_safe(&ctl->out, topic);
		str_addc(&ctl->out, '\n');
	}
	return CTL_DONE;
}

static const struct {
	const char *name;
	size_t operands;
	int (*fn)(struct ctl *ctl, struct pg *pg, struct err *e);
} actions[] = {{"list", 1, list}, {"show", 2, show}, {"retry", 2, retry}};

static int run(struct ctl *ctl, struct err *e)
{
	const char *word = ctl->args.operands[0];
	struct pg *pg = NULL;
	size_t i;
	int r;

	for (i = 0; i < ARRAY_LEN(actions) && !str_equal(actions[i].name, word); i++)
		;
	if (i == ARRAY_LEN(actions) || actions[i].operands != ctl->args.n_operands)
		return ctl_usage(e, "deadletter is used as: list, show ID, retry ID");
	r = ctl_database(ctl, &pg, e);
	if (r == 0)
		r = actions[i].fn(ctl, pg, e);
	pg_close(pg);
	return r;
}

const struct verb verb_deadletter = {
	.name = "deadletter",
	.group = ctl_stored,
	.operands = "list | show ID | retry ID",
	.help = N_("Messages that could not become a case: list them, look at one, publish it again."),
	.detail = N_("retry publishes the bytes as they came on the topic they came on, through the broker, and marks the "
		     "letter. What it becomes then is told by its receipt, and if it is still dead by a new letter. show "
		     "prints what the sender wrote: personal data may be in it.\n"),
	.flags = flags,
	.min_operands = 1,
	.max_operands = 2,
	.run = run,
};
