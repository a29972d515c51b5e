/*
 * What may be said, and to whom. Whom a case complains about is nowhere in it: not in a queue, not told, not
 * asked. What an officer or a reporter wrote is masked before any verb sees it, so that no event, card or
 * history row can tell more; only a reply to the reporter carries an officer's words as they were written.
 */
#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "base/vec.h"
#include "core/life/step.h"
#include "core/understand/text.h"

enum { HEARD_MAX = 500 };        /* characters */

static const char hidden[] = "***";

bool life_is_accused(const struct case_record *c, const char *dept)
{
	return c->accused && strcmp(c->accused, dept) == 0;
}

const struct department *life_triage(const struct life *l)
{
	const struct office *office = l->office;
	const struct department *triage = office->life.triage;

	if (!l->c->accused || !life_is_accused(l->c, triage->id))
		return triage;
	if (office->life.supervisor && !life_is_accused(l->c, office->life.supervisor->id))
		return office->life.supervisor;
	if (triage->superior && !life_is_accused(l->c, triage->superior->id))
		return triage->superior;
	for (size_t i = 0; i < office->n_departments; i++)
		if (office->departments[i].kind == DEPT_SUPERVISOR && !life_is_accused(l->c, office->departments[i].id))
			return &office->departments[i];
	return office->fallback_dept;
}

/* ---- free text -------------------------------------------------------------------------------- */
static const char *masked(const struct life *l, const char *text, const char *name)
{
	text = text_mask(l->a, text, name);
	for (size_t i = 0; i < l->c->n_names; i++)
		text = text_mask(l->a, text, l->c->names[i]);
	return text;
}

const char *life_masked(const struct life *l, const char *text)
{
	if (!text)
		return NULL;
	return l->c->visibility == VISIBLE_SEALED ? hidden : masked(l, text, NULL);
}

/* Of a sealed case nothing. What matters may stand in the last sentence: it is not cut as a title is. */
static const char *heard(const struct life *l, const char *text)
{
	if (l->c->visibility == VISIBLE_SEALED || !text)
		return NULL;
	return text_line(l->a, masked(l, text, l->act->report->name), HEARD_MAX);
}

const char *life_heard(const struct life *l)
{
	return heard(l, l->act->report->text);
}

const char *life_comment(const struct life *l)
{
	return heard(l, l->act->report->comment);
}

const char *life_source(struct life *l)
{
	struct str t = {0};
	const char *detail;

	str_add(&t, "{\"channel\":");
	str_json(&t, l->act->report->channel->id);
	str_add(&t, ",\"id\":");
	str_json(&t, l->act->report->id);
	str_addc(&t, '}');
	detail = arena_strdup(l->a, t.s);
	str_done(&t);
	return detail;
}

static const size_t free_texts[] = {
	offsetof(struct command, note),  offsetof(struct command, answer), offsetof(struct command, reason),
	offsetof(struct command, order), offsetof(struct command, text),   offsetof(struct command, outcome),
	offsetof(struct command, task),  offsetof(struct command, topic),  offsetof(struct command, address),
};

static const char **text_at(struct command *cmd, size_t offset)
{
	return (const char **)(void *)((char *)cmd + offset);
}

static const char *text_in(const struct command *cmd, size_t offset)
{
	return *(const char *const *)(const void *)((const char *)cmd + offset);
}

static bool is_code(const struct life *l, const char *reason)
{
	for (size_t i = 0; i < l->office->life.n_returns; i++)
		if (strcmp(l->office->life.returns[i].code, reason) == 0)
			return true;
	return false;
}

/* Only phones and citizens' ids, and names: an address whose numbers mean something still leads there. */
static const char *masked_address(const struct life *l, const char *url)
{
	url = text_mask_sure(l->a, url, NULL);
	for (size_t i = 0; i < l->c->n_names; i++)
		url = text_mask_sure(l->a, url, l->c->names[i]);
	return url;
}

static void mask_media(const struct life *l, struct command *cmd)
{
	struct media *list = arena_alloc(l->a, (cmd->n_media + 1) * sizeof(*list));

	if (l->c->visibility == VISIBLE_SEALED)
		cmd->n_media = 0;
	for (size_t i = 0; i < cmd->n_media; i++) {
		list[i] = cmd->media[i];
		list[i].url = masked_address(l, list[i].url);
		list[i].type = list[i].type ? masked_address(l, list[i].type) : NULL;
	}
	cmd->media = list;
}

/* The command as everything but a reply may know it. */
const struct command *life_discreet(struct life *l, const struct command *said)
{
	struct command *cmd = arena_alloc(l->a, sizeof(*cmd));
	const char **parties;

	*cmd = *said;
	for (size_t i = 0; i < ARRAY_LEN(free_texts); i++) {
		const char **text = text_at(cmd, free_texts[i]);

		/* A reason may be a code of the configuration, which tells nothing. */
		if (*text && (free_texts[i] != offsetof(struct command, reason) || !is_code(l, *text)))
			*text = life_masked(l, *text);
	}
	if (l->c->visibility == VISIBLE_SEALED)         /* which shows no whereabouts, also no amended ones */
		cmd->address = cmd->grid = NULL;
	parties = arena_alloc(l->a, (said->n_parties + 1) * sizeof(*parties));
	for (size_t i = 0; i < said->n_parties; i++)
		parties[i] = life_masked(l, said->parties[i]);
	cmd->parties = parties;
	mask_media(l, cmd);
	return cmd;
}

/* What stands for `text` in the command as it was written. */
const char *life_plain(const struct life *l, const char *text)
{
	for (size_t i = 0; l->discreet && text && i < ARRAY_LEN(free_texts); i++)
		if (text_in(l->discreet, free_texts[i]) == text)
			return text_in(l->said, free_texts[i]);
	return text;
}
