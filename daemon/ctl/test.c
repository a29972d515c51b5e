/* The tests of a folder: what differs, and which rules no test has seen winning. */
#include "ctl/ctl.h"

#include "core/office.h"
#include "settings/snapshot.h"
#include "settings/tests.h"
#include "trial/trial.h"

static const struct rule *rule_at(const struct ctl *ctl, size_t i)
{
	return &ctl->settings->office.rules[i];
}

/* ---- JSON ---- */

static json_t *failures_json(const struct trial *trial)
{
	json_t *all = json_array();

	for (size_t i = 0; i < trial->n_failures; i++) {
		const struct trial_failure *f = &trial->failures[i];

		json_array_append_new(all, json_pack("{s:s,s:i,s:s,s:s,s:o,s:o,s:o}", "file", f->test->file, "line",
						     f->mark.line, "name", f->test->name, "field", f->field, "want",
						     ctl_json_text(f->want), "got", ctl_json_text(f->got), "why",
						     ctl_json_text(f->why)));
	}
	return all;
}

static json_t *coverage_json(const struct ctl *ctl, const struct trial *trial)
{
	json_t *missing = json_array();

	for (size_t i = 0; i < trial->rules; i++)
		if (!trial->rule_won[i])
			json_array_append_new(missing, json_pack("{s:s,s:s,s:i}", "rule", rule_at(ctl, i)->id, "file",
								 rule_at(ctl, i)->file, "line", rule_at(ctl, i)->line));
	return json_pack("{s:I,s:I,s:i,s:I,s:o}", "won", (json_int_t)trial->won, "rules", (json_int_t)trial->rules,
			 "percent", trial->percent, "near", (json_int_t)trial->near, "uncovered", missing);
}

json_t *ctl_trial_json(const struct ctl *ctl, const struct trial *trial)
{
	return json_pack("{s:I,s:I,s:o,s:o}", "passed", (json_int_t)trial->passed, "failed", (json_int_t)trial->failed,
			 "coverage", coverage_json(ctl, trial), "failures", failures_json(trial));
}

/* ---- text ---- */

static void print_failures(struct ctl *ctl, const struct trial *trial)
{
	const struct test *last = NULL;

	for (size_t i = 0; i < trial->n_failures; i++) {
		const struct trial_failure *f = &trial->failures[i];

		if (f->test != last) {
			str_add(&ctl->out, "✘ ");
			grid_safe(&ctl->out, f->test->name);
			str_addc(&ctl->out, '\n');
		}
		last = f->test;
		str_addf(&ctl->out, "  %s:%d: %s: %s ", f->test->file, f->mark.line, f->field,
			 f->unwanted ? _("unwanted") : _("wanted"));
		grid_safe(&ctl->out, f->want);
		str_addf(&ctl->out, "%s%s ", _(", "), _("got"));
		grid_safe(&ctl->out, f->got ? f->got : _("nothing"));
		str_addc(&ctl->out, '\n');
		if (f->why) {
			str_add(&ctl->out, "    <- ");
			grid_safe(&ctl->out, f->why);
			str_addc(&ctl->out, '\n');
		}
	}
}

void ctl_trial_text(struct ctl *ctl, const struct trial *trial)
{
	str_addf(&ctl->out, _("%zu tests passed, %zu failed\n"), trial->passed, trial->failed);
	str_addf(&ctl->out, _("%zu of %zu rules won in a test (%d %%); %zu were missed by one condition\n"), trial->won,
		 trial->rules, trial->percent, trial->near);
	for (size_t i = 0; i < trial->rules; i++)
		if (!trial->rule_won[i]) {
			str_addf(&ctl->out, "  %s:%d: %s: ", rule_at(ctl, i)->file, rule_at(ctl, i)->line,
				 _("won in no test"));
			grid_safe(&ctl->out, rule_at(ctl, i)->id);
			str_addc(&ctl->out, '\n');
		}
}

/* ---- JUnit ---- */

static void xml(struct str *out, const char *text)
{
	static const struct {
		char c;
		const char *as;
	} escapes[] = {{'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'"', "&quot;"}};

	for (; text && *text; text++) {
		size_t i = 0;

		while (i < ARRAY_LEN(escapes) && escapes[i].c != *text)
			i++;
		if (i < ARRAY_LEN(escapes))
			str_add(out, escapes[i].as);
		else
			str_addc(out, (unsigned char)*text < ' ' ? ' ' : *text);
	}
}

static void xml_attribute(struct str *out, const char *name, const char *value)
{
	str_addf(out, " %s=\"", name);
	xml(out, value);
	str_addc(out, '"');
}

static void xml_failure(struct str *out, const struct trial_failure *f)
{
	str_add(out, "      <failure");
	xml_attribute(out, "type", f->field);
	str_addf(out, " message=\"%s: ", f->field);
	xml(out, f->unwanted ? _("unwanted") : _("wanted"));
	str_addc(out, ' ');
	xml(out, f->want);
	xml(out, _(", "));
	xml(out, _("got"));
	str_addc(out, ' ');
	xml(out, f->got ? f->got : _("nothing"));
	str_addf(out, "\">%s:%d ", f->test->file, f->mark.line);
	xml(out, f->why);
	str_add(out, "</failure>\n");
}

static void print_junit(struct ctl *ctl, const struct trial *trial)
{
	const struct settings *s = ctl->settings;
	size_t at = 0;

	str_addf(&ctl->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"needlectl test\""
			    " tests=\"%zu\" failures=\"%zu\" errors=\"0\">\n", s->n_tests, trial->failed);
	str_addf(&ctl->out, "    <properties><property name=\"coverage\" value=\"%d\"/></properties>\n", trial->percent);
	for (size_t i = 0; i < s->n_tests; i++) {
		const struct test *test = &s->tests[i];

		str_add(&ctl->out, "    <testcase");
		xml_attribute(&ctl->out, "classname", test->file);
		xml_attribute(&ctl->out, "name", test->name);
		xml_attribute(&ctl->out, "file", test->file);
		str_addf(&ctl->out, " line=\"%d\">\n", test->mark.line);
		for (; at < trial->n_failures && trial->failures[at].test == test; at++)
			xml_failure(&ctl->out, &trial->failures[at]);
		str_add(&ctl->out, "    </testcase>\n");
	}
	str_add(&ctl->out, "  </testsuite>\n</testsuites>\n");
}

static int run(struct ctl *ctl, struct err *e)
{
	struct trial trial;
	json_t *answer;
	int r = ctl_settings(ctl, e);

	if (r < 0)
		return r;
	trial_run(ctl->settings, &trial);
	if (str_equal(ctl_flag(ctl, "format"), "junit")) {
		print_junit(ctl, &trial);
	} else if (ctl->json) {
		answer = ctl_trial_json(ctl, &trial);
		ctl_print_json(ctl, answer);
		json_decref(answer);
	} else {
		print_failures(ctl, &trial);
		ctl_trial_text(ctl, &trial);
	}
	r = trial.failed ? CTL_NO : CTL_DONE;
	trial_done(&trial);
	return r;
}

const struct verb verb_test = {
	.name = "test",
	.group = ctl_offline,
	.operands = "",
	.help = N_("Run the tests of a configuration folder: messages, and what must become of them."),
	.detail = N_("The files that needle.yaml lists under tests: are run on the gateway's own functions, in simulated "
		     "time. Printed is what differs, then how many rules won in some test, and those that did not. "
		     "--format junit prints JUnit's XML.\n"),
	.formats = "junit",
	.run = run,
};
