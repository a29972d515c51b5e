/*
 * Personal data goes when its time is over (`privacy.retain`), a page a turn so that messages never wait long
 * for it, and an hour between looks when nothing is due.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "core/office.h"
#include "intake/chores.h"
#include "store/retain.h"

enum { PAGE = 64, TALK_PAGE = 256 };
#define HOUR_US INT64_C(3600000000)
#define DAY_US (24 * HOUR_US)

int retain_turn(struct retention *v, struct pg *pg, const struct office *office, struct handoff *h, bool *ret_more,
		struct err *e)
{
	int64_t now = clock_now_us(), before = now - office->retain_days * DAY_US;
	size_t n = 0, said = 0;
	int r;

	*ret_more = false;
	if (office->retain_days <= 0 || (now < v->next_us && now > v->last_us))
		return 0;
	r = store_forget(pg, office->tenant, before, PAGE, &h->arena, &n, e);
	if (r == 0)
		r = store_forget_talk(pg, office->tenant, before, TALK_PAGE, ret_more, &said, e);
	if (r < 0)
		return r;
	*ret_more |= n == PAGE;
	v->last_us = now - 1;
	v->next_us = *ret_more ? now : now + HOUR_US;
	if (n)
		log_notice("privacy.forgotten", "personal data of %zu closed cases was deleted", n);
	if (said)
		log_notice("privacy.forgotten", "the words of %zu lines of talk were deleted", said);
	return 0;
}
