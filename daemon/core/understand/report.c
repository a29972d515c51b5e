/*
 * An object of the contract's form becomes a report. Only what leaves nothing to do is refused: no
 * id, no content, an unknown kind, no case where one is needed. Everything else that is odd is
 * kept, in `extra`, and marked: a resident does not learn JSON because a clerk would like it.
 *
 * One table a level: a member has a function that takes its value, or says that it cannot.
 */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/device/device.h"
#include "core/time/moment.h"
#include "core/understand/stages.h"
#include "core/understand/text.h"

const char *const report_kind_names[N_REPORT_KIND] = {
	"report", "supplement", "urge", "again", "rate", "withdraw", "status", "delivered", "talk"};
const char *const score_names[N_SCORE] = {"satisfied", "basically", "dissatisfied"};

/* So much may the clocks of senders differ. */
static const int64_t ahead_us = INT64_C(5) * 60 * 1000000;
enum { OLD_DAYS = 366, PHONE_MIN = 7, PHONE_MAX = 16 };

struct reading {
	const struct report_origin *from;
	struct report *r;
	struct arena *arena;
	json_t *keep, *extra;           /* both owned by keep */
	const char *category;           /* as given */
	bool bad_id, bad_kind, bad_score;
};
struct member {
	const char *name;
	bool (*take)(struct reading *in, json_t *value);
};

/* ---- the walk over an object ----------------------------------------------------------------- */

/* Offers each member to its function; what nobody takes goes into *rest, made when needed. */
static void take_members(struct reading *in, json_t *object, const struct member *table,
			 json_t **rest)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value) {
		const struct member *m = table;

		if (json_is_null(value))
			continue;
		while (m->name && strcmp(m->name, name) != 0)
			m++;
		if (m->name && m->take(in, value))
			continue;
		if (!*rest) {
			*rest = json_object();
			json_array_append_new(in->keep, *rest);
		}
		json_object_set(*rest, name, value);
	}
}

static void keep_extra(struct reading *in, const char *name, json_t *value)
{
	if (!in->extra) {
		in->extra = json_object();
		json_array_append_new(in->keep, in->extra);
	}
	json_object_set(in->extra, name, value);
}

/* Plain texts differ only in where they end up. */
static bool take_text(struct reading *in, json_t *value, const char **ret)
{
	const char *text = value_text(in->arena, value);

	if (text && *text)
		*ret = text;
	return text != NULL;
}

/* ---- who ------------------------------------------------------------------------------------- */

static bool take_name(struct reading *in, json_t *value)
{
	return take_text(in, value, &in->r->name);
}

static bool take_ref(struct reading *in, json_t *value)
{
	return take_text(in, value, &in->r->ref);
}

/* Never kept in extra: an odd number of a person is personal all the same. */
static bool take_phone(struct reading *in, json_t *value)
{
	const char *text = value_text(in->arena, value);
	size_t digits;

	if (text && !*text)
		return true;
	in->r->phone = text ? text_phone(in->arena, text) : NULL;
	digits = in->r->phone ? strlen(in->r->phone) : 0;
	if (digits < PHONE_MIN || digits > PHONE_MAX)
		in->r->marks |= MARK_PHONE_ODD;
	return true;
}

static bool take_secret(struct reading *in, json_t *value)
{
	in->r->secret = value_is_yes(value);
	return true;
}

static bool take_reporter(struct reading *in, json_t *value)
{
	static const struct member members[] = {{"name", take_name},
						{"phone", take_phone},
						{"ref", take_ref},
						{"secret", take_secret},
						{NULL, NULL}};
	json_t *rest = NULL;

	if (!json_is_object(value))
		return take_name(in, value);
	take_members(in, value, members, &rest);
	if (rest)
		keep_extra(in, "reporter", rest);
	return true;
}

/* ---- where ----------------------------------------------------------------------------------- */

static bool take_address(struct reading *in, json_t *value)
{
	return take_text(in, value, &in->r->address);
}

static bool take_crs(struct reading *in, json_t *value)
{
	return take_text(in, value, &in->r->crs);
}

static bool take_grid(struct reading *in, json_t *value)
{
	if (!take_text(in, value, &in->r->grid))
		return false;
	if (in->r->grid)
		in->r->known_grid = place_grid(in->from->office, in->r->grid);
	if (in->r->grid && !in->r->known_grid)
		in->r->marks |= MARK_GRID_UNKNOWN;
	return true;
}

static bool take_degrees(json_t *value, double limit, double *ret)
{
	double degrees;

	if (!value_number(value, &degrees) || !(fabs(degrees) <= limit))
		return false;
	*ret = degrees;
	return true;
}

static bool take_lat(struct reading *in, json_t *value)
{
	return take_degrees(value, 90, &in->r->lat);
}

static bool take_lon(struct reading *in, json_t *value)
{
	return take_degrees(value, 180, &in->r->lon);
}

static bool take_place(struct reading *in, json_t *value)
{
	static const struct member members[] = {{"address", take_address}, {"grid", take_grid},
						{"lat", take_lat},	   {"lon", take_lon},
						{"crs", take_crs},	   {NULL, NULL}};
	json_t *rest = NULL;

	if (!json_is_object(value))
		return take_address(in, value);
	in->r->lat = in->r->lon = NAN;
	take_members(in, value, members, &rest);
	if (rest)
		keep_extra(in, "place", rest);
	/* A receiver without a fix says 0, 0: a place that would draw all such cases together. */
	in->r->has_position =
		!isnan(in->r->lat) && !isnan(in->r->lon) &&
		(fpclassify(in->r->lat) != FP_ZERO || fpclassify(in->r->lon) != FP_ZERO);
	if (!in->r->has_position)
		in->r->lat = in->r->lon = 0;
	return true;
}

/* ---- what ------------------------------------------------------------------------------------ */

static bool take_version(struct reading *in, json_t *value)
{
	(void)in;
	return json_is_integer(value) && json_integer_value(value) == 1;
}

static bool take_id(struct reading *in, json_t *value)
{
	const char *text = value_text(in->arena, value);

	in->r->id = value_id(in->arena, value);
	in->bad_id = !in->r->id && !(text && !*text);
	return true;
}

static bool take_kind(struct reading *in, json_t *value)
{
	int kind = name_index(report_kind_names, N_REPORT_KIND,
			      json_is_string(value) ? value_text(in->arena, value) : "");

	in->bad_kind = kind < 0;
	if (kind >= 0)
		in->r->kind = (enum report_kind)kind;
	return true;
}

static bool take_time(struct reading *in, json_t *value)
{
	int64_t now = in->r->received_at;

	if (!value_moment(in->arena, value, &in->r->time)) {
		in->r->marks |= MARK_TIME_BAD;
		return false;
	}
	if (in->r->time > now + ahead_us)
		in->r->marks |= MARK_TIME_FUTURE;
	else if (in->r->time < now - OLD_DAYS * MOMENT_DAY_US)
		in->r->marks |= MARK_TIME_OLD;
	return true;
}

/* As given, blanks and all; only one that is nothing but blanks is no text. */
static bool take_report_text(struct reading *in, json_t *value)
{
	if (!take_text(in, value, &in->r->text))
		return false;
	if (in->r->text && json_is_string(value))
		in->r->text = arena_strdup(in->arena, json_string_value(value));
	return true;
}

const struct category *office_category(const struct office *office, const char *path)
{
	const struct category *known = map_get(&office->category_by_path, path);

	return known ? known : map_get(&office->category_by_code, path);
}

const struct category *office_category_near(const struct office *office, struct arena *a, const char *path)
{
	char *part = arena_strdup(a, path), *slash;
	const struct category *known = office_category(office, path);

	while (!known && (slash = strrchr(part, '/')) != NULL) {
		*slash = '\0';
		known = map_get(&office->category_by_path, part);
	}
	return known;
}

static bool take_category(struct reading *in, json_t *value)
{
	const struct office *office = in->from->office;
	struct report *r = in->r;

	if (!take_text(in, value, &in->category))
		return false;
	if (!in->category)
		return true;
	r->category = in->category;
	r->known_category = office_category_near(office, in->arena, in->category);
	if (r->known_category && r->known_category == map_get(&office->category_by_code, in->category))
		r->category = r->known_category->path;
	if (!r->known_category)
		r->marks |= MARK_CATEGORY_UNKNOWN;
	return true;
}

void report_locate(const struct office *office, struct arena *a, struct report *r)
{
	r->known_category = r->category ? office_category_near(office, a, r->category) : NULL;
	r->known_grid = r->grid ? place_grid(office, r->grid) : NULL;
}

struct word {
	const char *word;
	int value;
};

static int word_value(const struct word *words, const char *text)
{
	for (; text && words->word; words++)
		if (strcasecmp(words->word, text) == 0)
			return words->value;
	return -1;
}

static bool take_urgency(struct reading *in, json_t *value)
{
	static const struct word words[] = {
		{"normal", URGENCY_NORMAL}, {"普通", URGENCY_NORMAL},
		{"一般", URGENCY_NORMAL},   {"urgent", URGENCY_URGENT},
		{"紧急", URGENCY_URGENT},   {"critical", URGENCY_CRITICAL},
		{"特急", URGENCY_CRITICAL}, {NULL, 0}};
	const char *text = value_text(in->arena, value);

	if (text && !*text)
		return true;
	in->r->urgency = (int8_t)word_value(words, text);
	if (in->r->urgency < 0)
		in->r->marks |= MARK_URGENCY_UNKNOWN;
	return in->r->urgency >= 0;
}

static bool take_device(struct reading *in, json_t *value)
{
	return take_text(in, value, &in->r->device);
}

/* An unknown state is kept as an unknown member, and the report is an alarm as any. */
static bool take_reading(struct reading *in, json_t *value)
{
	json_t *figure = json_object_get(value, "value");
	const char *state = json_string_value(json_object_get(value, "state"));
	int known = state ? name_index(reading_state_names, N_READING_STATE, state)
			  : figure ? READING_VALUE : READING_ALARM;

	if (!json_is_object(value) || known < 0 || (figure && !value_number(figure, &in->r->value)))
		return false;
	if (known == READING_VALUE && !figure)
		return false;
	in->r->reading = (int8_t)known;
	in->r->has_reading = true;
	in->r->alarm = value_id(in->arena, json_object_get(value, "alarm"));
	return true;
}

static bool take_accused(struct reading *in, json_t *value)
{
	return take_text(in, value, &in->r->accused);
}

static bool take_media(struct reading *in, json_t *value)
{
	json_t *list;

	if (json_is_array(value)) {
		in->r->media = value;
		return true;
	}
	if (!json_is_object(value))
		return false;
	list = json_array();
	json_array_append(list, value);
	json_array_append_new(in->keep, list);
	in->r->media = list;
	return true;
}

static bool take_reply_to(struct reading *in, json_t *value)
{
	in->r->reply_to = value;
	return true;
}

/* ---- about a case ---------------------------------------------------------------------------- */

static bool take_case(struct reading *in, json_t *value)
{
	const char *text = value_text(in->arena, value);

	if (text && str_is_case_number(text))
		in->r->case_number = text;
	return in->r->case_number != NULL || (text && !*text);
}

static bool take_about(struct reading *in, json_t *value)
{
	in->r->about = value_id(in->arena, value);
	return in->r->about != NULL;
}

static bool take_score(struct reading *in, json_t *value)
{
	static const struct word words[] = {{"satisfied", SCORE_SATISFIED},
					    {"满意", SCORE_SATISFIED},
					    {"basically", SCORE_BASICALLY},
					    {"基本满意", SCORE_BASICALLY},
					    {"dissatisfied", SCORE_DISSATISFIED},
					    {"不满意", SCORE_DISSATISFIED},
					    {NULL, 0}};
	int score = word_value(words, value_text(in->arena, value));

	in->bad_score = score < 0;
	if (score >= 0)
		in->r->score = (enum score)score;
	return score >= 0;
}

/* A meeting's vote instead of a score. It stays with the report as it was counted. */
static bool take_votes(struct reading *in, json_t *value)
{
	int64_t n[N_SCORE], all = 0;

	for (int i = 0; i < N_SCORE; i++) {
		json_t *one = json_object_get(value, score_names[i]);

		n[i] = json_is_integer(one) ? json_integer_value(one) : 0;
		if ((one && !json_is_integer(one)) || n[i] < 0 || n[i] > 1000000)
			in->bad_score = true;
		all += n[i];
	}
	if (!in->from->channel->vote || !all)
		in->bad_score = true;
	if (!in->bad_score)
		in->r->score = 100 * n[SCORE_DISSATISFIED] > in->from->channel->vote * all ? SCORE_DISSATISFIED :
			       2 * n[SCORE_SATISFIED] >= all ? SCORE_SATISFIED : SCORE_BASICALLY;
	return false;
}

static bool take_comment(struct reading *in, json_t *value)
{
	return take_text(in, value, &in->r->comment);
}

static bool take_reply(struct reading *in, json_t *value)
{
	in->r->reply_id = value_id(in->arena, value);
	return in->r->reply_id != NULL;
}

static bool take_ok(struct reading *in, json_t *value)
{
	in->r->delivered_ok = value_is_yes(value);
	return true;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static const struct member members[] = {
	{"v", take_version}, {"id", take_id}, {"kind", take_kind}, {"time", take_time},
	{"text", take_report_text}, {"category", take_category}, {"urgency", take_urgency},
	{"device", take_device}, {"reading", take_reading}, {"reporter", take_reporter}, {"place", take_place},
	{"accused", take_accused}, {"media", take_media}, {"reply_to", take_reply_to},
	{"case", take_case}, {"about", take_about}, {"score", take_score}, {"votes", take_votes},
	{"comment", take_comment}, {"reply", take_reply}, {"ok", take_ok}, {NULL, NULL}};

/* Bit per kind: what each of them cannot do without. */
static const uint32_t needs_text =
	1U << REPORT_REPORT | 1U << REPORT_SUPPLEMENT | 1U << REPORT_TALK;
static const uint32_t needs_no_case = 1U << REPORT_REPORT | 1U << REPORT_TALK;

static int report_check(const struct reading *in, struct err *e)
{
	const struct report *r = in->r;
	const char *kind = report_kind_names[r->kind];

	if (in->bad_id)
		return err_code(e, ERR_BAD, "bad-id",
				"id is no text of 1 to %d bytes without control characters",
				ID_BYTES);
	if (!r->id)
		return err_code(e, ERR_BAD, "no-id", "id is missing");
	if (in->bad_kind)
		return err_code(e, ERR_BAD, "bad-kind", "kind is none of the known kinds");
	if ((needs_text >> r->kind & 1) && !r->text && !r->category)
		return err_code(e, ERR_BAD, "no-text", "kind %s needs text or category", kind);
	if (!(needs_no_case >> r->kind & 1) && !r->case_number && !r->about)
		return err_code(e, ERR_BAD, "no-case",
				"kind %s needs case, a case number, or about", kind);
	if (r->kind == REPORT_RATE && (in->bad_score || r->score == N_SCORE))
		return err_code(e, ERR_BAD, "bad-score",
				"kind rate needs score: satisfied, basically or dissatisfied, or votes where its channel has a threshold");
	return 0;
}

int report_read(const struct report_origin *from, json_t *object, json_t *keep, struct arena *a,
		struct report *ret, const char **ret_id, struct err *e)
{
	struct reading in = {.from = from, .r = ret, .arena = a, .keep = keep};
	json_t *rest = NULL;
	int r;

	*ret = (struct report){.channel = from->channel,
			       .source = from->source,
			       .time = from->received_at,
			       .received_at = from->received_at,
			       .urgency = -1,
			       .shadow = "",
			       .score = N_SCORE,
			       .delivered_ok = true};
	take_members(&in, object, members, &rest);
	*ret_id = ret->id;
	r = report_check(&in, e);
	if (r < 0)
		return r;
	if (rest && in.extra)
		json_object_update_missing(rest, in.extra);
	ret->extra = rest ? rest : in.extra;
	/* A word that only a delivery has: in any other kind it is the sender's own. */
	if (ret->kind == REPORT_DELIVERED && str_is_id(json_string_value(json_object_get(rest, "way"))))
		ret->way = json_string_value(json_object_get(rest, "way"));
	if (ret->score == N_SCORE)
		ret->score = SCORE_SATISFIED;
	if (ret->text)
		ret->shadow = text_shadow(a, ret->text);
	report_digest(ret, in.category);
	return 0;
}
