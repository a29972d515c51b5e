#include "ctl/ctl.h"

#include <inttypes.h>

/* The members in the order of reading; what the daemon adds beside them is only in JSON. */
static const struct {
	const char *member, *label;
} lines[] = {
	{"config", N_("configuration")}, {"last_reload", N_("last reload")}, {"broker", N_("broker")},
	{"database", N_("database")},    {"inbox", N_("inbox")},	     {"outbox", N_("outbox")},
	{"open_cases", N_("open cases")}, {"clock", N_("clock")},
};

static void value_text(const struct ctl *ctl, const json_t *v, struct str *out);

static void object_text(const struct ctl *ctl, const json_t *v, struct str *out)
{
	const char *name, *between = "";
	json_t *inner;

	json_object_foreach((json_t *)(uintptr_t)v, name, inner) {
		char no[64];

		str_add(out, between);
		snprintf(no, sizeof(no), "not %s", name);
		if (json_is_boolean(inner)) {
			grid_safe(out, say(ctl, json_is_true(inner) ? name : no));
		} else {
			str_addf(out, "%s ", say(ctl, name));
			value_text(ctl, inner, out);
		}
		between = _(", ");
	}
}

static void value_text(const struct ctl *ctl, const json_t *v, struct str *out)
{
	if (json_is_string(v))
		grid_safe(out, json_string_value(v));
	else if (json_is_integer(v))
		str_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_boolean(v))
		str_add(out, say(ctl, json_is_true(v) ? N_("yes") : N_("no")));
	else if (json_is_array(v))
		str_addf(out, "%zu", json_array_size(v));
	else if (json_is_object(v))
		object_text(ctl, v, out);
	else
		str_addc(out, '-');
}

static void print_text(struct ctl *ctl, const json_t *status)
{
	const char *instance = json_string_value(json_object_get(status, "instance"));
	const char *version = json_string_value(json_object_get(status, "version"));

	str_addf(&ctl->out, "needled %s %s: ", instance ? instance : "?", version ? version : "?");
	str_addf(&ctl->out, "%s\n",
		 say(ctl, json_is_false(json_object_get(status, "active")) ? N_("standing by") : N_("active")));
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		json_t *v = json_object_get(status, lines[i].member);

		if (!v)
			continue;
		str_add(&ctl->out, "  ");
		grid_pad(&ctl->out, say(ctl, lines[i].label), 16);
		value_text(ctl, v, &ctl->out);
		str_addc(&ctl->out, '\n');
	}
}

static int run(struct ctl *ctl, struct err *e)
{
	json_t *request = json_pack("{s:s}", "verb", "status"), *answer = NULL;
	int r = ctl_ask(ctl, request, &answer, e);

	json_decref(request);
	if (r < 0)
		return r;
	if (ctl->json)
		ctl_print_json(ctl, answer);
	else
		print_text(ctl, answer);
	json_decref(answer);
	return CTL_DONE;
}

const struct verb verb_status = {
	.name = "status",
	.group = ctl_daemon,
	.operands = "",
	.help = N_("Say how the daemon is: configuration, peers, what waits, how many cases are open."),
	.detail = "",
	.run = run,
};
