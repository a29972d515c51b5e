/*
 * The city hotline (12345). Every city's platform names the same things differently, so a shape is a
 * table: their member, our field. The first shape of which a mark is present decides; within it the
 * first name that holds something fills the field. Whatever no field takes goes on under its own name,
 * because a column that means nothing here may be the one that the office searches for later.
 *
 * Three things are more than names. A ticket number comes again when the hotline dispatches it a second
 * time: that is a new leg of the old case, never a new case and never a duplicate (`again`). And the
 * follow-up call (回访) comes as another row of the same ticket: that is a rating. So does 催单, an urge.
 *
 * A message of several rows is taken whole or not at all: half a batch could not be sent again.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "needle_plugin.h"

enum { OPTION_SECRET, OPTION_AGAIN, OPTION_URGE };
static const struct needle_option options[] = {
	[OPTION_SECRET] = {"secret_words", NEEDLE_OPTION_TEXT, "保密,要求保密,身份保密",
			   "Callers' names that mean: the caller's identity must stay secret."},
	[OPTION_AGAIN] = {"again_words", NEEDLE_OPTION_TEXT, "二次,重办,重新办理,再次派单",
			  "Words that in a dispatch type mean: this ticket comes a second time."},
	[OPTION_URGE] = {"urge_words", NEEDLE_OPTION_TEXT, "催单,催办",
			 "Words that in a dispatch type mean: the caller asks again how far it is."},
	{NULL, NEEDLE_OPTION_TEXT, NULL, NULL},
};

/* From F_PART on a member also goes on under its own name: our field holds only a part of it. */
enum field { F_NUMBER, F_TIME, F_TITLE, F_TEXT, F_CATEGORY, F_URGENCY, F_NAME, F_PHONE, F_ADDRESS, F_GRID, F_ACCUSED, F_MEDIA,
	     F_PART, F_LON, F_LAT, F_SECRET, F_COUNT, F_AGAIN, F_SCORE, F_VISIT, F_VISIT_TIME, F_COMMENT, N_FIELDS };

struct member {
	const char *theirs;
	enum field field;
};
struct shape {
	const char *marks[6];
	const struct member *members;
};

static const struct member chinese[] = {
	{"工单编号", F_NUMBER}, {"工单号", F_NUMBER}, {"受理编号", F_NUMBER}, {"派单时间", F_TIME},
	{"来电时间", F_TIME}, {"受理时间", F_TIME}, {"登记时间", F_TIME}, {"标题", F_TITLE}, {"诉求标题", F_TITLE},
	{"工单标题", F_TITLE}, {"主要内容", F_TEXT}, {"诉求内容", F_TEXT}, {"工单内容", F_TEXT}, {"反映内容", F_TEXT},
	{"问题分类", F_CATEGORY}, {"诉求类别", F_CATEGORY}, {"事项分类", F_CATEGORY}, {"紧急程度", F_URGENCY},
	{"紧急等级", F_URGENCY}, {"来电人", F_NAME}, {"诉求人", F_NAME}, {"联系人", F_NAME}, {"来电人电话", F_PHONE},
	{"联系电话", F_PHONE}, {"来电号码", F_PHONE}, {"来电人电话/账号", F_PHONE}, {"事发地址", F_ADDRESS},
	{"诉求地址", F_ADDRESS}, {"地址", F_ADDRESS}, {"被反映区", F_PART}, {"被反映街乡镇", F_PART},
	{"村/社区", F_PART}, {"小区点位", F_PART}, {"网格编码", F_GRID}, {"网格编号", F_GRID},
	{"所属网格编码", F_GRID}, {"经度", F_LON}, {"纬度", F_LAT}, {"被反映单位", F_ACCUSED},
	{"被投诉单位", F_ACCUSED}, {"被举报单位", F_ACCUSED}, {"附件", F_MEDIA}, {"图片", F_MEDIA}, {"音频", F_MEDIA},
	{"视频", F_MEDIA}, {"是否保密", F_SECRET}, {"保密", F_SECRET}, {"派单次数", F_COUNT}, {"派发次数", F_COUNT},
	{"二次派单", F_AGAIN}, {"是否二次派单", F_AGAIN}, {"派单类型", F_AGAIN}, {"办理类型", F_AGAIN},
	{"是否满意", F_SCORE}, {"满意度", F_SCORE}, {"回访结果", F_SCORE}, {"回访时间", F_VISIT_TIME},
	{"回访日期", F_VISIT_TIME}, {"回访人", F_VISIT}, {"回访方式", F_VISIT}, {"回访情况", F_VISIT},
	{"回访意见", F_COMMENT}, {"不满意原因", F_COMMENT}, {"回访内容", F_COMMENT}, {NULL, N_FIELDS},
};
static const struct member pinyin[] = {
	{"gdbh", F_NUMBER}, {"startTime", F_TIME}, {"slsj", F_TIME}, {"gdbt", F_TITLE}, {"gdnr", F_TEXT},
	{"sqnr", F_TEXT}, {"wtfl", F_CATEGORY}, {"jjcd", F_URGENCY}, {"sqr", F_NAME}, {"ldr", F_NAME},
	{"lxdh", F_PHONE}, {"sjdz", F_ADDRESS}, {"wgbm", F_GRID}, {"gridCode", F_GRID}, {"imageUrl", F_MEDIA},
	{"audioUrl", F_MEDIA}, {"fj", F_MEDIA}, {"sfbm", F_SECRET}, {"pdcs", F_COUNT}, {"pdlx", F_AGAIN},
	{"sfmy", F_SCORE}, {"hfsj", F_VISIT_TIME}, {"hfr", F_VISIT}, {"hfyj", F_COMMENT}, {NULL, N_FIELDS},
};
static const struct member event[] = {
	{"id", F_NUMBER}, {"happenTime", F_TIME}, {"createTime", F_TIME}, {"eventName", F_TITLE},
	{"eventContent", F_TEXT}, {"eventSecondType", F_CATEGORY}, {"eventFirstType", F_CATEGORY},
	{"urgencyLevel", F_URGENCY}, {"eventPlace", F_ADDRESS}, {"gridCode", F_GRID}, {"eventLong", F_LON},
	{"eventLat", F_LAT}, {"pictures", F_MEDIA}, {"video", F_MEDIA}, {"voice", F_MEDIA},
	{"dispatchCount", F_COUNT}, {NULL, N_FIELDS},
};
static const struct member caller[] = {
	{"appealNo", F_NUMBER}, {"orderNo", F_NUMBER}, {"workOrderNo", F_NUMBER}, {"appealId", F_NUMBER},
	{"id", F_NUMBER}, {"appealTime", F_TIME}, {"callTime", F_TIME}, {"createTime", F_TIME},
	{"appealSubject", F_TITLE}, {"appealContent", F_TEXT}, {"remark", F_TEXT}, {"appealType", F_CATEGORY},
	{"urgencyLevel", F_URGENCY}, {"callerName", F_NAME}, {"contactPhone", F_PHONE},
	{"incidentAddress", F_ADDRESS}, {"gridCode", F_GRID}, {"attachments", F_MEDIA}, {"isSecret", F_SECRET},
	{"dispatchCount", F_COUNT}, {"dispatchType", F_AGAIN}, {"satisfaction", F_SCORE}, {"visitTime", F_VISIT_TIME},
	{"visitor", F_VISIT}, {"visitRemark", F_COMMENT}, {NULL, N_FIELDS},
};
static const struct member workorder[] = {
	{"workordercode", F_NUMBER}, {"dispatchtime", F_TIME}, {"workordertitle", F_TITLE},
	{"workordercontent", F_TEXT}, {"workordertype", F_CATEGORY}, {"urgency", F_URGENCY}, {"callername", F_NAME},
	{"callerphone", F_PHONE}, {"area", F_PART}, {"place", F_PART}, {"gridcode", F_GRID}, {"attachments", F_MEDIA},
	{"issecret", F_SECRET}, {"dispatchcount", F_COUNT}, {"satisfaction", F_SCORE}, {"visittime", F_VISIT_TIME},
	{"visitremark", F_COMMENT}, {NULL, N_FIELDS},
};
static const struct shape shapes[] = {
	{{"工单编号", "工单号", "诉求内容", "主要内容", "派单次数"}, chinese},
	{{"gdbh", "gdnr", "gdzt", "bldlx"}, pinyin},
	{{"workordercode", "workordercontent"}, workorder},
	{{"callerName", "appealSubject", "appealType", "incidentAddress", "appealNo"}, caller},
	{{"eventName", "eventContent", "eventPlace", "eventFirstType"}, event},
};

struct word {
	const char *theirs, *ours;
};
static const struct word urgencies[] = {
	{"一般", "normal"}, {"普通", "normal"}, {"正常", "normal"}, {"平件", "normal"}, {"low", "normal"},
	{"medium", "normal"}, {"紧急", "urgent"}, {"加急", "urgent"}, {"较急", "urgent"}, {"急件", "urgent"},
	{"high", "urgent"}, {"特急", "critical"}, {"特急件", "critical"}, {"特别紧急", "critical"},
	{"非常紧急", "critical"}, {"突发", "critical"}, {"emergency", "critical"}, {NULL, NULL},
};
/* An empty word of ours: asked, but not evaluated. */
static const struct word scores[] = {
	{"非常满意", "satisfied"}, {"满意", "satisfied"}, {"satisfied", "satisfied"}, {"基本满意", "basically"},
	{"basically", "basically"}, {"不满意", "dissatisfied"}, {"非常不满意", "dissatisfied"},
	{"dissatisfied", "dissatisfied"}, {"未评价", ""}, {"未回访", ""}, {"未接通", ""}, {"无", ""}, {NULL, NULL},
};
static const char *const yes[] = {"是", "true", "1", "Y", "y", "yes", NULL};
/* The contract's own members: another meaning under such a name must not be taken for it. */
static const char *const reserved[] = {"v", "id", "kind", "time", "text", "category", "urgency", "reporter", "place", "accused",
				       "media", "about", "case", "score", "comment", "reply", "ok", "device", NULL};

/* What open() keeps: a list of the options' texts. */
static const char *option(const json_t *opts, size_t i)
{
	return json_string_value(json_array_get(opts, i));
}

/* ---- texts ----------------------------------------------------------------------------------- */

static const char *word_ours(const struct word *table, const char *theirs)
{
	for (; theirs && table->theirs; table++)
		if (strcmp(table->theirs, theirs) == 0)
			return table->ours;
	return NULL;
}

static bool is_one_of(const char *const *names, const char *text)
{
	while (*names && strcmp(*names, text) != 0)
		names++;
	return *names;
}

/* Bytes of blank at p: also the ideographic space, and the tab that keeps Excel from eating digits. */
static size_t blank_at(const char *p)
{
	if (*p == '\xe3' && p[1] == '\x80' && p[2] == '\x80')
		return 3;
	return *p && (unsigned char)*p <= ' ';
}

static size_t token_at(const char *p, const char *const *tokens)
{
	for (; *tokens; tokens++)
		if (*p == **tokens && strncmp(p, *tokens, strlen(*tokens)) == 0)
			return strlen(*tokens);
	return 0;
}

/* The next item of a list as people write lists, its length in *len; NULL at the end. */
static const char *list_next(const char *p, size_t *len)
{
	static const char *const commas[] = {",", ";", "|", "，", "；", "、", NULL};

	for (size_t n; (n = blank_at(p)) != 0 || (n = token_at(p, commas)) != 0;)
		p += n;
	for (*len = 0; p[*len] && !blank_at(p + *len) && !token_at(p + *len, commas);)
		(*len)++;
	return *len ? p : NULL;
}

/* A value as trimmed text, new; NULL for what is empty or no scalar. */
static json_t *value_text(const json_t *value)
{
	const char *p = json_string_value(value);
	size_t len;

	if (json_is_integer(value))
		return json_sprintf("%lld", (long long)json_integer_value(value));
	if (json_is_real(value))
		return json_sprintf("%.15g", json_real_value(value));
	if (json_is_boolean(value))
		return json_string(json_is_true(value) ? "true" : "false");
	if (!p)
		return NULL;
	for (size_t n; (n = blank_at(p)) != 0;)
		p += n;
	for (len = strlen(p); len; len--) {
		if ((unsigned char)p[len - 1] <= ' ')
			continue;
		if (len < 3 || strncmp(p + len - 3, "\u3000", 3) != 0)
			break;
		len -= 2;
	}
	return len ? json_stringn(p, len) : NULL;
}

/* Does a word of the list equal text, or (within) stand in it? */
static bool list_matches(const char *list, const char *text, bool within)
{
	size_t len;

	for (const char *p = list; (p = list_next(p, &len)) != NULL; p += len)
		if ((within && memmem(text, strlen(text), p, len)) ||
		    (strlen(text) == len && memcmp(text, p, len) == 0))
			return true;
	return false;
}

/* "城市管理 -> 市容 -> 井盖" is "城市管理/市容/井盖". */
static json_t *category_path(const char *text)
{
	static const char *const arrows[] = {"->", "—>", "－>", "→", "＞", "／", ">", "/", NULL};
	char *path = malloc(strlen(text) + 1);
	bool arrow = false, blank = false;
	size_t len = 0, skip;
	json_t *ret;

	for (const char *p = text; path && *p; p += skip ? skip : 1) {
		skip = token_at(p, arrows);
		arrow |= skip != 0;
		if (skip)
			continue;
		skip = blank_at(p);
		blank |= skip != 0;
		if (skip)
			continue;
		if (len && (arrow || blank))
			path[len++] = arrow ? '/' : ' ';
		arrow = blank = false;
		path[len++] = *p;
	}
	ret = len ? json_stringn(path, len) : NULL;
	free(path);
	return ret;
}

/* ---- a row as fields ------------------------------------------------------------------------- */

struct ticket {
	json_t *text[N_FIELDS];         /* strings, or NULL */
	json_t *media;                  /* array */
	json_t *extra;                  /* what goes on under its own name */
	bool number_is_real;            /* a spreadsheet has cut the number's digits */
};

static void ticket_done(struct ticket *t)
{
	for (size_t i = 0; i < N_FIELDS; i++)
		json_decref(t->text[i]);
	json_decref(t->media);
	json_decref(t->extra);
}

static const char *ticket_text(const struct ticket *t, enum field field)
{
	return json_string_value(t->text[field]);
}

/* References in a text, a list, or a list of {"url":…}. False when there are none. */
static bool media_add(json_t *media, const json_t *value)
{
	const char *text = json_string_value(value);
	bool found = false;
	const json_t *item;
	size_t i, len;

	json_array_foreach(value, i, item)
		found |= media_add(media, json_is_object(item) ? json_object_get(item, "url") : item);
	for (const char *p = text; p && (p = list_next(p, &len)) != NULL; p += len) {
		json_t *url = memchr(p, '/', len) ? json_stringn(p, len) : NULL;

		if (url)
			found |= json_array_append_new(media, json_pack("{so}", "url", url)) == 0;
	}
	return found;
}

static void ticket_take(struct ticket *t, const struct member *m, const json_t *value)
{
	json_t *text;

	if (m->field == F_MEDIA) {
		if (media_add(t->media, value))
			json_object_del(t->extra, m->theirs);
		return;
	}
	text = value_text(value);
	if (m->field == F_PART && text && t->text[F_PART]) {
		json_t *both = json_sprintf("%s%s", ticket_text(t, F_PART), json_string_value(text));

		json_decref(t->text[F_PART]);
		json_decref(text);
		t->text[F_PART] = both;
	} else if (text && !t->text[m->field]) {
		t->text[m->field] = text;
		t->number_is_real |= m->field == F_NUMBER && json_is_real(value);
		if (m->field < F_PART)
			json_object_del(t->extra, m->theirs);
	} else {
		json_decref(text);
	}
}

static void ticket_read(struct ticket *t, const struct member *members, json_t *row)
{
	*t = (struct ticket){.media = json_array(), .extra = json_copy(row)};
	for (const struct member *m = members; m->theirs; m++) {
		const json_t *value = json_object_get(row, m->theirs);

		if (value)
			ticket_take(t, m, value);
	}
}

/* ---- fields as a report ---------------------------------------------------------------------- */

/* Which dispatch of the ticket is this? 1 for the first, 0 for a count that makes no sense. */
static long ticket_dispatch(const json_t *opts, const struct ticket *t)
{
	const char *count = ticket_text(t, F_COUNT), *again = ticket_text(t, F_AGAIN);
	char *end = NULL;
	long n = count ? strtol(count, &end, 10) : 1;

	if (count && (*end || n < 0 || n > 999))
		return 0;
	if (n < 2 && again && (is_one_of(yes, again) || list_matches(option(opts, OPTION_AGAIN), again, true)))
		return 2;
	return n < 1 ? 1 : n;
}

static void put(json_t *object, const char *name, json_t *value)
{
	if (value)
		json_object_set_new(object, name, value);
}

static void put_text(json_t *object, const char *name, const char *text)
{
	put(object, name, text ? json_string(text) : NULL);
}

static json_t *or_none(json_t *object)
{
	if (json_object_size(object))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *ticket_reporter(const json_t *opts, const struct ticket *t)
{
	const char *name = ticket_text(t, F_NAME), *secret = ticket_text(t, F_SECRET);
	json_t *reporter = json_object();

	if (name && list_matches(option(opts, OPTION_SECRET), name, false))
		json_object_set_new(reporter, "secret", json_true());
	else if (!name || strcmp(name, "匿名") != 0)
		put_text(reporter, "name", name);
	if (secret && (is_one_of(yes, secret) ||
		       list_matches(option(opts, OPTION_SECRET), secret, false)))
		json_object_set_new(reporter, "secret", json_true());
	put_text(reporter, "phone", ticket_text(t, F_PHONE));
	return or_none(reporter);
}

static json_t *ticket_place(const struct ticket *t)
{
	const char *address = ticket_text(t, F_ADDRESS), *lat = ticket_text(t, F_LAT), *lon = ticket_text(t, F_LON);
	json_t *place = json_object();

	put_text(place, "address", address ? address : ticket_text(t, F_PART));
	put_text(place, "grid", ticket_text(t, F_GRID));
	if (lat && lon) {
		char *lat_end, *lon_end;
		double y = strtod(lat, &lat_end), x = strtod(lon, &lon_end);

		if (!*lat_end && !*lon_end && y >= -90 && y <= 90 && x >= -180 && x <= 180 && (y != 0 || x != 0)) {
			put(place, "lat", json_real(y));
			put(place, "lon", json_real(x));
		}
	}
	return or_none(place);
}

static json_t *ticket_words(const struct ticket *t)
{
	const char *title = ticket_text(t, F_TITLE), *text = ticket_text(t, F_TEXT);

	if (!title || (text && strstr(text, title)))
		return text ? json_string(text) : NULL;
	return text ? json_sprintf("%s\n%s", title, text) : json_string(title);
}

/* A follow-up call: it has an evaluation, and says that someone called or says nothing else. */
static bool ticket_is_visit(const struct ticket *t)
{
	const char *score = word_ours(scores, ticket_text(t, F_SCORE));

	if (!t->text[F_SCORE])
		return false;
	if (!t->text[F_TEXT] && !t->text[F_TITLE] && !t->text[F_CATEGORY])
		return true;
	return score && *score && (t->text[F_VISIT] || t->text[F_VISIT_TIME]);
}

/* NUMBER#WHAT#DIGITS: the same row sent again is the same message, the next day's another one. */
static void put_about(json_t *report, const struct ticket *t, const char *what, const char *at)
{
	char digits[32];
	size_t n = 0;

	for (const char *p = at; p && *p && n + 1 < sizeof(digits); p++)
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	digits[n] = '\0';
	put_text(report, "kind", what);
	put(report, "id", json_sprintf("%s#%s%s%s", ticket_text(t, F_NUMBER), what, n ? "#" : "", digits));
	put_text(report, "about", ticket_text(t, F_NUMBER));
	put_text(report, "time", at);
}

static void put_rating(json_t *report, const struct ticket *t, const char *score)
{
	put_about(report, t, "rate", ticket_text(t, F_VISIT_TIME));
	put_text(report, "score", score);
	put_text(report, "comment", ticket_text(t, F_COMMENT));
}

static void put_urge(json_t *report, const struct ticket *t)
{
	put_about(report, t, "urge", ticket_text(t, F_TIME));
	put(report, "text", ticket_words(t));
}

static void put_ticket(json_t *report, const json_t *opts, const struct ticket *t, long dispatch)
{
	const char *number = ticket_text(t, F_NUMBER), *urgency = ticket_text(t, F_URGENCY);
	const char *known = word_ours(urgencies, urgency), *category = ticket_text(t, F_CATEGORY);

	put_text(report, "kind", dispatch > 1 ? "again" : "report");
	if (dispatch > 1) {
		put(report, "id", json_sprintf("%s#%ld", number, dispatch));
		put_text(report, "about", number);
	} else {
		put_text(report, "id", number);
	}
	put_text(report, "time", ticket_text(t, F_TIME));
	put(report, "text", ticket_words(t));
	put(report, "category", category ? category_path(category) : NULL);
	put_text(report, "urgency", known ? known : urgency);
	put_text(report, "accused", ticket_text(t, F_ACCUSED));
	put(report, "reporter", ticket_reporter(opts, t));
	put(report, "place", ticket_place(t));
	if (json_array_size(t->media))
		json_object_set(report, "media", t->media);
}

static void put_extra(json_t *report, json_t *extra)
{
	const char *name;
	json_t *value;

	json_object_foreach(extra, name, value) {
		json_t *ours = json_sprintf("%s%s", is_one_of(reserved, name) ? "x_" : "", name);

		json_object_set(report, json_string_value(ours), value);
		json_decref(ours);
	}
}

/* One row: appends its report to `reports`, or says why not. */
static bool row_report(const json_t *opts, const struct ticket *t, json_t *reports, char *why, size_t why_size)
{
	const char *score = ticket_text(t, F_SCORE) ? word_ours(scores, ticket_text(t, F_SCORE)) : NULL;
	bool visit = ticket_is_visit(t);
	long dispatch = ticket_dispatch(opts, t);
	json_t *report;

	if (!t->text[F_NUMBER] || t->number_is_real || !dispatch || (visit && !score)) {
		snprintf(why, why_size, "%s", !t->text[F_NUMBER] ? "the ticket has no number" :
			 t->number_is_real ? "the ticket's number has lost its digits: send it as text" :
			 !dispatch ? "the count of dispatches is no number" :
			 "the evaluation of the follow-up call is none of the known words");
		return false;
	}
	if (visit && !*score)
		return true;
	report = json_object();
	if (visit)
		put_rating(report, t, score);
	else if (t->text[F_AGAIN] && list_matches(option(opts, OPTION_URGE), ticket_text(t, F_AGAIN), true))
		put_urge(report, t);
	else
		put_ticket(report, opts, t, dispatch);
	put_extra(report, t->extra);
	json_array_append_new(reports, report);
	return true;
}

/* ---- the message ----------------------------------------------------------------------------- */

static const struct shape *shape_of(const json_t *row)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		for (const char *const *mark = shapes[i].marks; *mark; mark++)
			if (json_object_get(row, *mark))
				return &shapes[i];
	return NULL;
}

/* The rows of a message: itself, a list, or what a platform's envelope holds. Borrowed. */
static json_t *rows_of(json_t *root)
{
	static const char *const envelopes[] = {"data", "rows", "list", NULL};

	for (const char *const *name = envelopes; *name && !shape_of(root); name++) {
		json_t *inner = json_object_get(root, *name);

		if (shape_of(inner) || shape_of(json_array_get(inner, 0)))
			return inner;
	}
	return root;
}

static enum needle_verdict row_decode(const json_t *opts, json_t *row, json_t *reports, char *why, size_t why_size)
{
	/* The contract's own form may hold columns that this decoder left under their own names. */
	const struct shape *shape = json_integer_value(json_object_get(row, "v")) == 1 ? NULL : shape_of(row);
	struct ticket t;
	bool good;

	if (!shape && !json_array_size(reports))
		return NEEDLE_NOT_MINE;
	if (!shape) {
		snprintf(why, why_size, "a row of the list is no ticket");
		return NEEDLE_BAD;
	}
	ticket_read(&t, shape->members, row);
	good = row_report(opts, &t, reports, why, why_size);
	ticket_done(&t);
	return good ? NEEDLE_DONE : NEEDLE_BAD;
}

static enum needle_verdict rows_decode(const json_t *opts, json_t *rows, json_t *reports, char *why, size_t why_size)
{
	enum needle_verdict verdict = NEEDLE_DONE;

	if (!json_array_size(rows))
		return row_decode(opts, rows, reports, why, why_size);
	for (size_t i = 0; i < json_array_size(rows) && verdict == NEEDLE_DONE; i++)
		verdict = row_decode(opts, json_array_get(rows, i), reports, why, why_size);
	return verdict;
}

static enum needle_verdict hotline_decode(void *self, const struct needle_message *m, const struct needle_output *out, char *why,
					  size_t why_size)
{
	json_t *root = json_loadb(m->text, m->text_len, 0, NULL);
	json_t *reports = json_array();
	enum needle_verdict verdict = rows_decode(self, rows_of(root), reports, why, why_size);
	const json_t *report;
	size_t i;

	json_array_foreach(reports, i, report) {
		char *text = json_dumps(report, JSON_COMPACT | JSON_REAL_PRECISION(15));

		if (text && verdict == NEEDLE_DONE)
			out->emit(out->context, text, strlen(text));
		free(text);
	}
	json_decref(reports);
	json_decref(root);
	return verdict;
}

static int hotline_open(const struct needle_value *values, void **self, char *why, size_t why_size)
{
	*self = json_pack("[s, s, s]", values[OPTION_SECRET].text, values[OPTION_AGAIN].text, values[OPTION_URGE].text);
	if (!*self)
		snprintf(why, why_size, "the options cannot be kept");
	return *self ? 0 : -1;
}

static void hotline_close(void *self)
{
	json_decref(self);
}

const struct needle_plugin needle_plugin = {
	.abi = NEEDLE_PLUGIN_ABI,
	.struct_size = sizeof(struct needle_plugin),
	.name = "hotline",
	.version = "1",
	.help = "City hotline (12345) tickets: Chinese column names, pinyin members (gdbh), REST forms (callerName, "
		"workordercode) and grid events; one ticket, a list, or a list in data, rows or list.",
	.options = options,
	.open = hotline_open,
	.decode = hotline_decode,
	.close = hotline_close,
};
