#include "ctl/sentence.h"

#include "ctl/ctl.h"
#include "settings/snapshot.h"

/* %s is the department; the note follows behind a colon. */
static const struct {
	const char *kind, *sentence;
} sentences[] = {
	{"assigned", N_("%s got the case")},
	{"copied", N_("%s was told of it")},
	{"accepted", N_("%s accepted it")},
	{"contacted", N_("%s spoke to the reporter")},
	{"progress", N_("%s told of progress")},
	{"due_soon", N_("%s was reminded that a limit is near")},
	{"overdue", N_("a limit of %s passed")},
	{"reminded", N_("%s was reminded")},
	{"escalated", N_("it was raised above %s")},
	{"cleared", N_("%s met a limit after all")},
	{"supervised", N_("%s gave an order")},
	{"answered", N_("%s answered an order")},
	{"urged", N_("the reporter urged %s")},
	{"supplemented", N_("the reporter told %s more")},
	{"returned", N_("%s gave it back")},
	{"transferred", N_("it was handed on to %s")},
	{"recalled", N_("it left %s")},
	{"reopened", N_("%s has to handle it again")},
	{"asked", N_("%s asked for leave")},
	{"granted", N_("%s granted leave")},
	{"denied", N_("%s denied leave")},
	{"suspended", N_("it was suspended at %s")},
	{"resumed", N_("it goes on at %s")},
	{"whistled", N_("%s was called to the spot")},
	{"reported_in", N_("%s came to the spot")},
	{"support_done", N_("%s did its part")},
	{"lifted", N_("%s was let off its part")},
	{"consulted", N_("%s called for a joint diagnosis")},
	{"outcome", N_("%s wrote down what the joint diagnosis came to")},
	{"resolved", N_("%s did the work")},
	{"rated", N_("the reporter rated the work of %s")},
	{"joined", N_("another report of the same matter came to %s")},
	{"closed", N_("it was struck off at %s")},
	{"rejected", N_("%s rejected it")},
	{"amended", N_("%s amended it")},
	{"deadline_revised", N_("a limit of %s was set anew")},
};

static const char *officer(const struct ctl *ctl, const char *dept, const char *id)
{
	const struct department *d = dept ? map_get(&ctl->settings->office.dept_by_id, dept) : NULL;

	for (size_t i = 0; d && i < d->n_officers; i++)
		if (str_equal(d->officers[i].id, id))
			return d->officers[i].name;
	return id;
}

/* A kind without a sentence is said as the word that it is. */
static void add_what(struct ctl *ctl, struct str *out, const char *kind, const char *dept)
{
	const char *name = dept ? ctl_dept_name(ctl, dept) : _("the office");

	for (size_t i = 0; i < ARRAY_LEN(sentences); i++) {
		const char *sentence = tongue(sentences[i].sentence), *place;

		if (strcmp(sentences[i].kind, kind) != 0)
			continue;
		place = strstr(sentence, "%s");
		str_addn(out, sentence, place ? (size_t)(place - sentence) : strlen(sentence));
		if (place) {
			grid_safe(out, name);
			str_add(out, place + strlen("%s"));
		}
		return;
	}
	str_add(out, say(ctl, kind));
	str_add(out, dept ? ", " : "");
	grid_safe(out, dept ? name : NULL);
}

/* Some notes are codes: "resolve", "unrated"; behind a score stands what was said with it. */
static void add_note(struct ctl *ctl, struct str *out, const char *kind, const char *note)
{
	const char *rest = strcmp(kind, "rated") == 0 ? strstr(note, ": ") : NULL;

	str_add(out, _(": "));
	if (!rest) {
		grid_safe(out, say(ctl, note));
		return;
	}
	grid_safe(out, say(ctl, arena_strndup(&ctl->arena, note, (size_t)(rest - note))));
	str_add(out, _(": "));
	grid_safe(out, rest + 2);
}

void sentence_add(struct ctl *ctl, struct str *out, const char *kind, const char *dept, const char *by, const char *note)
{
	add_what(ctl, out, kind, dept);
	if (by) {
		str_add(out, _(" ("));
		grid_safe(out, officer(ctl, dept, by));
		str_add(out, _(")"));
	}
	if (note)
		add_note(ctl, out, kind, note);
}
