/*
 * What a meeting chose among several: `votes` counts each option, and the most win. A tie is no choice. What the options are
 * called is free text, or a department's id.
 */
#include <jansson.h>
#include <stdlib.h>

#include "base/str.h"
#include "base/tongue.h"
#include "core/life/step.h"

enum { OPTIONS_MAX = 32, NAME_MAX_BYTES = 60, VOTES_MAX = 1000000 };

struct option {
	const char *name;
	int64_t votes;
};

static int by_votes(const void *left, const void *right)
{
	const struct option *a = left, *b = right;

	return a->votes < b->votes ? 1 : a->votes > b->votes ? -1 : strcmp(a->name, b->name);
}

static const char *name_of(const struct life *l, const char *option)
{
	const struct department *d = map_get(&l->office->dept_by_id, option);

	return d ? d->name : life_masked(l, option);
}

static bool read_count(const json_t *said, int64_t *ret)
{
	if (json_is_string(said))
		return str_to_int(json_string_value(said), 0, VOTES_MAX, ret);
	*ret = json_integer_value(said);
	return json_is_integer(said) && *ret >= 0 && *ret <= VOTES_MAX;
}

static bool read_options(const struct life *l, json_t *votes, struct option options[OPTIONS_MAX], size_t *ret_n)
{
	const char *name;
	json_t *count;

	*ret_n = 0;
	if (!json_is_object(votes) || json_object_size(votes) < 2 || json_object_size(votes) > OPTIONS_MAX)
		return false;
	json_object_foreach(votes, name, count) {
		struct option *option = &options[(*ret_n)++];

		if (!*name || strlen(name) > NAME_MAX_BYTES || !read_count(count, &option->votes))
			return false;
		option->name = name_of(l, name);
	}
	return true;
}

int ballot_count(struct life *l, const char **ret_chosen, const char **ret_outcome)
{
	const struct command *cmd = l->act->command;
	json_t *votes = cmd->json ? json_object_get(cmd->json, "votes") : NULL;
	struct option options[OPTIONS_MAX];
	CLEANUP(str_done) struct str t = {0};
	size_t n;

	*ret_chosen = NULL;
	*ret_outcome = cmd->outcome;
	if (!votes)
		return 0;
	if (!read_options(l, votes, options, &n))
		return life_refuse(l, "'votes' counts 2 to %d options, as in {\"first\": 12, \"second\": 30}", OPTIONS_MAX);
	qsort(options, n, sizeof(options[0]), by_votes);
	if (options[0].votes == options[1].votes)
		return life_refuse(l, "the vote chose nobody: %s and %s have %d each", options[0].name, options[1].name, (int)options[0].votes);
	for (size_t i = 0; i < n; i++)
		str_addf(&t, "%s%s %lld", i ? "、" : "", options[i].name, (long long)options[i].votes);
	*ret_chosen = options[0].name;
	*ret_outcome = arena_printf(l->a, _("chosen by vote: %s (%s)%s%s"), options[0].name, t.s, cmd->outcome ? "; " : "", cmd->outcome ? cmd->outcome : "");
	return 0;
}
