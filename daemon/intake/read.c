/* What `get` answers. */
#include <string.h>

#include "base/err.h"
#include "base/tongue.h"
#include "core/life/event.h"
#include "intake/transact_parts.h"
#include "store/cases.h"

/* Of max_packet_size in config/mosquitto/needle.conf, less what a result has beside its record. */
enum { RECORD_MAX = 1048576 - 16384 };

int transaction_read(struct transaction *t, const struct case_record *c, struct result *res, struct err *e)
{
	struct record rec;
	int r = cases_record(t->pg, transaction_tenant(t), c, t->b->a, &rec, e);

	if (r)
		return r < 0 ? r : 0;
	res->record = record_json(c, &rec.personal, &rec.whole, t->b->a);
	if (strlen(res->record) <= RECORD_MAX)
		return 0;
	res->result = "refused";
	res->reason = arena_printf(t->b->a, _("the record has %zu bytes; a message takes %d (needlectl show reads it)"), strlen(res->record),
				   RECORD_MAX);
	res->record = NULL;
	return 0;
}
