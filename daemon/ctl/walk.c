#include "ctl/walk.h"

#include "core/time/deadline.h"
#include "core/time/moment.h"
#include "ctl/ctl.h"

static json_t *date_json(int32_t day)
{
	struct civil c = moment_civil(moment_of_day(day, 0));
	char text[40];

	snprintf(text, sizeof(text), "%04d-%02d-%02d", c.year, c.month, c.day);
	return json_string(text);
}

json_t *walk_json(const struct due *due)
{
	json_t *walk = json_array();

	for (size_t i = 0; i < due->n_walk; i++)
		json_array_append_new(walk, json_pack("{s:o,s:b,s:o}", "date", date_json(due->walk[i].day), "counts",
						      due->walk[i].counts, "why", ctl_json_text(due->walk[i].why)));
	return walk;
}

static const char *weekday(const struct ctl *ctl, const char *date)
{
	static const char *const days[] = {N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun")};
	int64_t at = 0;

	moment_parse(date, &at);
	return say(ctl, days[moment_civil(at).weekday - 1]);
}

void walk_print(struct ctl *ctl, const json_t *walk, int indent)
{
	size_t n = json_array_size(walk), last;

	for (size_t i = 0; i < n; i = last + 1) {
		const json_t *day = json_array_get(walk, i);
		const char *date = json_string_value(json_object_get(day, "date")), *end;
		const char *why = json_string_value(json_object_get(day, "why"));
		bool counts = json_is_true(json_object_get(day, "counts"));

		for (last = i; !counts && last + 1 < n; last++) {
			const json_t *after = json_array_get(walk, last + 1);

			if (json_is_true(json_object_get(after, "counts")) ||
			    !str_equal(json_string_value(json_object_get(after, "why")), why))
				break;
		}
		end = json_string_value(json_object_get(json_array_get(walk, last), "date"));
		str_addf(&ctl->out, "%*s", indent, "");
		grid_pad(&ctl->out, arena_printf(&ctl->arena, "%s %s%s%s", date, weekday(ctl, date),
						 last > i ? " … " : "", last > i ? end : ""), 29);
		str_addf(&ctl->out, "%s  ", counts ? "+" : " ");
		grid_safe(&ctl->out, why);
		str_addc(&ctl->out, '\n');
	}
}
