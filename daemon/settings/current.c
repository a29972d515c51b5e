#include "settings/current.h"

#include "settings/snapshot.h"

struct settings *current_get(struct current *c)
{
	struct settings *s;

	pthread_mutex_lock(&c->lock);
	s = settings_ref(c->now);
	pthread_mutex_unlock(&c->lock);
	return s;
}

struct settings *current_swap(struct current *c, struct settings *next)
{
	struct settings *before;

	pthread_mutex_lock(&c->lock);
	before = c->now;
	c->now = next;
	pthread_mutex_unlock(&c->lock);
	return before;
}
