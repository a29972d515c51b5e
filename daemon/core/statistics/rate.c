#include "base/mem.h"
#include "base/str.h"
#include "core/statistics/statistics.h"

const char *const rate_of_names[N_RATE_OF] = {"received", "resolved", "rated", "closed"};
const char *const period_content_names[N_PERIOD_CONTENT] = {"overdue", "open", "due", "received", "closed", "again",
							    "supervised", "bulletin", "rates", "inspections", "hotwords", "projects"};

static void add_part(struct str *t, const char *part)
{
	str_add(t, t->len ? ", " : "");
	str_add(t, part);
}

static void add_facts(struct str *t, int64_t facts, const char *before, bool any)
{
	struct str list = {0};
	int n = 0;

	for (int i = 0; i < N_FACT; i++)
		if (facts & FACT_BIT(i))
			str_addf(&list, "%s%s%s", n++ ? (any ? " | " : ", ") : "", any ? "" : before, fact_names[i]);
	if (n) {
		str_add(t, t->len ? ", " : "");
		str_addf(t, any && n > 1 ? "(%s)" : "%s", list.s);
	}
	str_done(&list);
}

static void add_names(struct str *t, const char *what, const struct names *names)
{
	struct str list = {0};

	if (!names->n)
		return;
	str_addf(&list, "%s ", what);
	for (size_t i = 0; i < names->n; i++)
		str_addf(&list, "%s%s", i ? " | " : "", names->v[i]);
	add_part(t, list.s);
	str_done(&list);
}

static void add_selection(struct str *t, const struct selection *s)
{
	struct str one = {0};

	add_facts(&one, s->all, "", false);
	add_facts(&one, s->any, "", true);
	add_facts(&one, s->none, "not ", false);
	add_names(&one, "channel", &s->channels);
	add_names(&one, "category", &s->categories);
	add_names(&one, "department", &s->departments);
	add_names(&one, "urgency", &s->urgencies);
	add_names(&one, "horizon", &s->horizons);
	str_add(t, one.len ? one.s : "all");
	str_done(&one);
}

const char *rate_formula(const struct rate *rate, struct arena *a)
{
	CLEANUP(str_done) struct str t = {0};

	add_selection(&t, &rate->numerator);
	str_add(&t, " ÷ ");
	add_selection(&t, &rate->denominator);
	str_addf(&t, "; by %s", rate_of_names[rate->of]);
	return arena_strdup(a, t.s);
}
