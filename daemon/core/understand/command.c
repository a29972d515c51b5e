/*
 * A department's command. Who speaks is known from the topic; whether it may is the lifecycle's
 * matter. Here only the form is read.
 */
#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/time/moment.h"
#include "core/understand/stages.h"

const char *const command_action_names[N_COMMAND_ACTION] = {
	"accept", "contact", "progress", "return", "extend", "suspend", "resume", "resolve",
	"transfer", "whistle", "report_in", "support_done", "consult", "consult_outcome",
	"next_step", "reject", "amend", "supervise", "answer", "grant", "deny", "join", "split",
	"lift", "get"};

#define TEXT(pointer, member) {pointer, offsetof(struct command, member)}
/* A place may come as in a report; what is nearer to the top wins. */
static const struct text_member {
	const char *pointer;
	size_t offset;
} texts[] = {
	TEXT("/by", by), TEXT("/note", note), TEXT("/reason", reason), TEXT("/answer", answer),
	TEXT("/to", to), TEXT("/order", order), TEXT("/text", text), TEXT("/category", category),
	TEXT("/grid", grid), TEXT("/place/grid", grid), TEXT("/address", address),
	TEXT("/place/address", address), TEXT("/place", address), TEXT("/into", into),
	TEXT("/of", of), TEXT("/outcome", outcome), TEXT("/task", task),
	TEXT("/topic", topic), TEXT("/within", within),
};
#undef TEXT

static void read_texts(json_t *object, struct arena *a, struct command *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char **member = (const char **)(void *)((char *)ret + texts[i].offset);
		const char *text =
			*member ? NULL : value_text(a, pointer_get(object, texts[i].pointer));

		if (text && *text)
			*member = text;
	}
}

/* A list of texts; one text alone is a list of one. What is no text counts as absent. */
static const char *const *read_list(const json_t *value, struct arena *a, size_t *ret_n)
{
	size_t n = json_is_array(value) ? json_array_size(value) : value != NULL;
	const char **list = arena_alloc(a, (n + 1) * sizeof(*list));

	for (size_t i = 0; i < n; i++) {
		const char *text = value_text(a, json_is_array(value) ? json_array_get(value, i) : value);

		if (text && *text)
			list[(*ret_n)++] = text;
	}
	return list;
}

static bool is_sha256(const char *s)
{
	return s && strspn(s, "0123456789abcdefABCDEF") == 64 && !s[64];
}

/* As a report has them, or addresses alone; what has no address is left out. */
static void read_media(const json_t *value, struct arena *a, struct command *ret)
{
	size_t n = json_is_array(value) ? json_array_size(value) : value != NULL;
	struct media *list = arena_alloc(a, (n + 1) * sizeof(*list));

	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_is_array(value) ? json_array_get(value, i) : value;
		const json_t *address = json_is_object(one) ? json_object_get(one, "url") : one;
		const char *url = value_text(a, address), *sha256 = value_text(a, json_object_get(one, "sha256"));

		if (json_is_string(address) && *url)
			list[ret->n_media++] = (struct media){url, value_text(a, json_object_get(one, "type")),
							      is_sha256(sha256) ? sha256 : NULL};
	}
	ret->media = list;
}

int command_read(const struct department *dept, json_t *object, struct arena *a,
		 struct command *ret, const char **ret_request, struct err *e)
{
	const char *number = value_text(a, json_object_get(object, "case"));
	const json_t *word = json_object_get(object, "action");
	int action = name_index(command_action_names, N_COMMAND_ACTION,
				json_is_string(word) ? value_text(a, word) : "");

	*ret = (struct command){.dept = dept, .until = MOMENT_NONE, .at = MOMENT_NONE, .json = object};
	/* First, for the answer to what is bad. */
	ret->case_number = number && str_is_case_number(number) ? number : NULL;
	ret->request = *ret_request = value_id(a, json_object_get(object, "request"));
	if (!ret->request)
		return err_code(e, ERR_BAD, "no-request",
				"request is no text of 1 to %d bytes without control characters",
				ID_BYTES);
	if (action < 0)
		return err_code(e, ERR_BAD, "bad-action", "action is none of the known actions");
	if (!ret->case_number)
		return err_code(e, ERR_BAD, "bad-case", "case is no case number");
	ret->action = (enum command_action)action;
	read_texts(object, a, ret);
	value_moment(a, json_object_get(object, "until"), &ret->until);
	value_moment(a, json_object_get(object, "at"), &ret->at);
	ret->departments = read_list(json_object_get(object, "departments"), a, &ret->n_departments);
	ret->parties = read_list(json_object_get(object, "parties"), a, &ret->n_parties);
	read_media(json_object_get(object, "media"), a, ret);
	return 0;
}
