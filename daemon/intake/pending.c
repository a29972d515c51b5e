#include "intake/pending.h"

#include "intake/inbox.h"

void pending_init(struct pending *p, struct inbox *inbox)
{
	*p = (struct pending){.inbox = inbox};
	pthread_mutex_init(&p->lock, NULL);
}

void pending_done(struct pending *p)
{
	pthread_mutex_destroy(&p->lock);
}

void pending_answered(void *arg, uint64_t seq)
{
	struct pending *p = arg;
	uint64_t retire = 0;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n; i++)
		if (p->ring[(p->first + i) % PENDING].seq == seq)
			p->ring[(p->first + i) % PENDING].answered = true;
	for (; p->n && p->ring[p->first].answered; p->n--) {
		retire = p->ring[p->first].seq;
		p->first = (p->first + 1) % PENDING;
	}
	/* Under the lock: of two threads that come here, the later must not be overtaken. */
	if (retire)
		inbox_retire(p->inbox, retire);
	pthread_mutex_unlock(&p->lock);
}

bool pending_add(struct pending *p, uint64_t seq)
{
	bool fits;

	pthread_mutex_lock(&p->lock);
	fits = p->n < PENDING;
	if (fits) {
		size_t at = (p->first + p->n++) % PENDING;

		p->ring[at].seq = seq;
		p->ring[at].answered = false;
	}
	pthread_mutex_unlock(&p->lock);
	return fits;
}
