/*
 * The topic says who speaks; nothing in a payload can change that. A channel's filters are looked
 * at first and in the order of the configuration, because a channel may listen to foreign topics;
 * the tree of our own is fixed: needle/{tenant}/in/{channel}/{source}.
 */
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "core/understand/stages.h"
#include "core/understand/text.h"

enum { LEVEL_TENANT = 1, LEVEL_TREE = 2, LEVEL_NAME = 3, LEVEL_LAST = 4, OWN_LEVELS = 5 };

/* ---- levels ---------------------------------------------------------------------------------- */

/* Level n of a topic or filter as a piece of it; false when it has fewer. */
static bool level_get(const char *topic, int n, const char **ret, size_t *ret_len)
{
	for (; n > 0; n--) {
		topic = strchr(topic, '/');
		if (!topic)
			return false;
		topic++;
	}
	*ret = topic;
	*ret_len = (size_t)(strchrnul(topic, '/') - topic);
	return true;
}

static bool level_is(const char *topic, int n, const char *word)
{
	const char *level;
	size_t len;

	return level_get(topic, n, &level, &len) && strlen(word) == len &&
	       memcmp(level, word, len) == 0;
}

static int level_count(const char *topic)
{
	int n = 1;

	for (; *topic; topic++)
		n += *topic == '/';
	return n;
}

static const char *level_text(const char *topic, int n, struct arena *a)
{
	const char *level;
	size_t len;

	return level_get(topic, n, &level, &len) ? arena_strndup(a, level, len) : "";
}

/* MQTT 4.7: '+' is one level, '#' the rest and the parent; neither starts a match with '$'. */
static bool filter_matches(const char *filter, const char *topic)
{
	if (*topic == '$' && *filter != '$')
		return false;
	for (;;) {
		size_t want = strcspn(filter, "/"), have = strcspn(topic, "/");

		if (strcmp(filter, "#") == 0)
			return true;
		if (!(want == 1 && *filter == '+') &&
		    (want != have || memcmp(filter, topic, want) != 0))
			return false;
		filter += want;
		topic += have;
		if (!*filter || !*topic)
			break;
		filter++;
		topic++;
	}
	return !*topic && (!*filter || strcmp(filter, "/#") == 0);
}

/* ---- channels -------------------------------------------------------------------------------- */

static bool is_own(const struct office *office, const char *topic, const char *tree)
{
	return level_is(topic, 0, "needle") && level_is(topic, LEVEL_TENANT, office->tenant) &&
	       level_is(topic, LEVEL_TREE, tree);
}

bool topic_names_source(const struct office *office, const char *topic)
{
	return is_own(office, topic, "in") && level_count(topic) == OWN_LEVELS;
}

static int filter_source_level(const char *filter)
{
	for (int n = 0; n < level_count(filter); n++)
		if (level_is(filter, n, "+"))
			return n;
	return -1;
}

static const char *source_id(const struct channel *channel, const char *topic, int level,
			     struct arena *a)
{
	const char *text = level < 0 ? "" : level_text(topic, level, a);

	return *text ? text_topic_id(a, text) : channel->id;
}

static const struct channel *channel_by_filter(const struct office *office, const char *topic,
					       const char **ret_filter)
{
	for (size_t i = 0; i < office->n_channels; i++)
		for (size_t k = 0; k < office->channels[i].n_filters; k++)
			if (filter_matches(office->channels[i].filters[k], topic)) {
				*ret_filter = office->channels[i].filters[k];
				return &office->channels[i];
			}
	return NULL;
}

const struct channel *message_channel(const struct office *office, const char *topic,
				      struct arena *a, const char **ret_source)
{
	bool own = topic_names_source(office, topic);
	const char *filter = "";
	const struct channel *channel = channel_by_filter(office, topic, &filter);
	int level;

	if (!channel && own)
		channel = map_get(&office->channel_by_id, level_text(topic, LEVEL_NAME, a));
	if (!channel)
		return NULL;
	level = channel->source_level >= 0 ? channel->source_level : filter_source_level(filter);
	if (own)
		level = LEVEL_LAST;
	*ret_source = source_id(channel, topic, level, a);
	return channel;
}

/* ---- departments ----------------------------------------------------------------------------- */

const struct department *message_department(const struct office *office, const char *topic)
{
	const char *level;
	char id[65] = "";
	size_t len;

	if (!is_own(office, topic, "dept") || level_count(topic) != OWN_LEVELS ||
	    !level_is(topic, LEVEL_LAST, "cmd") || !level_get(topic, LEVEL_NAME, &level, &len) ||
	    len >= sizeof(id))
		return NULL;
	memcpy(id, level, len);
	return map_get(&office->dept_by_id, id);
}

static int topic_refuse(const struct office *office, const char *topic, struct understood *ret,
			struct err *e)
{
	int levels = level_count(topic);

	if (is_own(office, topic, "dept") && levels == OWN_LEVELS &&
	    level_is(topic, LEVEL_LAST, "cmd")) {
		ret->kind = MESSAGE_COMMAND;
		return err_code(e, ERR_BAD, "unknown-department",
				"the topic names no department of this office");
	}
	if (topic_names_source(office, topic))
		return err_code(e, ERR_BAD, "unknown-channel",
				"the topic names no channel of this office");
	return err_code(e, ERR_BAD, "wrong-topic",
			"no channel and no department has a topic of this form");
}

int topic_read(const struct office *office, const char *topic, struct arena *a,
	       struct understood *ret, struct err *e)
{
	ret->dept = message_department(office, topic);
	if (ret->dept) {
		ret->kind = MESSAGE_COMMAND;
		return 0;
	}
	ret->channel = message_channel(office, topic, a, &ret->source);
	return ret->channel ? 0 : topic_refuse(office, topic, ret, e);
}
