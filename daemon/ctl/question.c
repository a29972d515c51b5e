#include "ctl/question.h"

#include "ctl/ctl.h"

const char *question_get(const json_t *question, const char *name)
{
	return json_string_value(json_object_get(question, name));
}

static json_t *from_flags(const struct ctl *ctl, const char *operand)
{
	CLEANUP(str_done) struct str words = {0};
	json_t *question = json_object();

	for (size_t i = 0; i < ctl->args.n_operands; i++)
		str_addf(&words, "%s%s", i ? " " : "", ctl->args.operands[i]);
	if (operand && words.len)
		json_object_set_new(question, operand, json_string(words.s));
	for (size_t i = 0; i < ctl->args.n_given; i++)
		json_object_set_new(question, ctl->args.given[i].flag->name,
				    ctl->args.given[i].flag->value ? json_string(ctl->args.given[i].value)
								   : json_true());
	return question;
}

/* Numbers may be written as such in JSON, and become texts as on a command line. */
static void numbers_to_text(json_t *question)
{
	const char *name;
	json_t *value;
	void *safe;

	json_object_foreach_safe(question, safe, name, value) {
		CLEANUP(mem_freep) char *text = json_is_number(value) ? json_dumps(value, JSON_ENCODE_ANY) : NULL;

		if (text)
			json_object_set_new(question, name, json_string(text));
	}
}

static int answer_line(struct ctl *ctl, const char *line, size_t len, question_fn *fn)
{
	json_t *question = json_loadb(line, len, 0, NULL), *answer = NULL;
	struct err e = {0};
	int r;

	numbers_to_text(question);
	r = json_is_object(question) ? fn(ctl, question, &answer, &e)
				     : err_code(&e, ERR_BAD, "not-json", "the line is not a JSON object");
	if (r < 0)
		answer = json_pack("{s:s,s:s}", "error", err_said(&e), "code", e.code);
	ctl_print_json(ctl, answer);
	json_decref(answer);
	json_decref(question);
	/* Answers go out line by line, so that another program may ask in turn. */
	fwrite(ctl->out.s, 1, ctl->out.len, stdout);
	fflush(stdout);
	str_reset(&ctl->out);
	return r < 0 ? CTL_NO : CTL_DONE;
}

static int answer_lines(struct ctl *ctl, question_fn *fn)
{
	CLEANUP(mem_freep) char *line = NULL;
	struct arena own = ctl->arena;
	int worst = CTL_DONE;
	size_t cap = 0;
	ssize_t n;

	/* What one answer needs is gone with it: a stream of questions may have no end. */
	ctl->arena = (struct arena){0};
	while ((n = getline(&line, &cap, stdin)) > 0) {
		if (strspn(line, " \t\r\n") == (size_t)n)
			continue;
		if (answer_line(ctl, line, (size_t)n, fn) != CTL_DONE)
			worst = CTL_NO;
		arena_reset(&ctl->arena);
	}
	arena_done(&ctl->arena);
	ctl->arena = own;
	return worst;
}

int question_run(struct ctl *ctl, const char *operand, question_fn *fn, question_text *text, struct err *e)
{
	json_t *question, *answer = NULL;
	int r = ctl_settings(ctl, e);

	if (r < 0)
		return r;
	if (args_has(&ctl->args, "stdin"))
		return answer_lines(ctl, fn);
	question = from_flags(ctl, operand);
	r = fn(ctl, question, &answer, e);
	if (r == 0 && ctl->json)
		ctl_print_json(ctl, answer);
	else if (r == 0)
		text(ctl, question, answer);
	json_decref(answer);
	json_decref(question);
	return r < 0 ? r : CTL_DONE;
}
