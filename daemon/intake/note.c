#include <stddef.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "intake/chores.h"
#include "settings/snapshot.h"
#include "store/config.h"
#include "store/statistics.h"

int note_config(struct pg *pg, const struct settings *settings, struct err *e)
{
	CLEANUP(str_done) struct str source = {0}, findings = {0};
	struct config_note note = {.hash = settings->office.hash, .by = settings->loaded_by};

	settings_source_json(settings, &source);
	findings_json(&settings->findings, &findings);
	/* A folder too large to be kept, or not all text, is worked with all the same. */
	if (!source.cut && str_is_utf8(source.s, source.len))
		note.source = source.s;
	note.findings = findings.cut ? NULL : findings.s;
	if (store_note_config(pg, settings->office.tenant, &note, clock_now_us(), e) < 0)
		return e->class;
	return store_put_rates(pg, &settings->office, e);
}
