#include "core/statistics/spending.h"

#include "base/mem.h"
#include "base/str.h"
#include "base/tongue.h"
#include "core/statistics/statistics.h"
#include "core/time/moment.h"

static const char *day(struct arena *a, int64_t at)
{
	struct civil c = moment_civil(at);

	return arena_printf(a, "%04d-%02d-%02d", c.year, c.month, c.day);
}

static const char *out_of_time(const struct spending *s, struct arena *a)
{
	const struct pool *pool = s->pool;

	if (pool->from != MOMENT_NONE && s->at < pool->from)
		return arena_printf(a, _("not booked: “%s” is open from %s on"), pool->name, day(a, pool->from));
	if (pool->until != MOMENT_NONE && s->at >= pool->until)
		return arena_printf(a, _("not booked: “%s” was open until %s"), pool->name, day(a, pool->until - 1));
	return NULL;
}

const char *spending_refused(const struct spending *s, struct arena *a)
{
	const char *late = s->pool ? out_of_time(s, a) : NULL;

	if (late)
		return late;
	if (s->of_case + s->amount < 0)
		return arena_printf(a, _("not booked: no more can be taken back than the %lld %s that were spent"), (long long)s->of_case, s->unit);
	if (s->amount > 0 && s->has_budget && s->of_case + s->amount > s->budget)
		return arena_printf(a, _("not booked: of the budget of %lld %s there are %lld left, this is %lld"), (long long)s->budget, s->unit,
				    (long long)(s->budget - s->of_case), (long long)s->amount);
	if (s->amount > 0 && s->pool && s->of_pool + s->amount > s->pool->amount)
		return arena_printf(a, _("not booked: of the %lld %s of “%s” there are %lld left, this is %lld"), (long long)s->pool->amount, s->unit,
				    s->pool->name, (long long)(s->pool->amount - s->of_pool), (long long)s->amount);
	return NULL;
}

const char *spending_said(const struct spending *s, struct arena *a)
{
	return s->pool ? arena_printf(a, "%lld %s, %s", (long long)s->amount, s->unit, s->pool->name)
		       : arena_printf(a, "%lld %s", (long long)s->amount, s->unit);
}
