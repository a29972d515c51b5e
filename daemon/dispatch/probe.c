/*
 * Mosquitto's default of 1,000 queued messages drops the rest of a department's retained cards in
 * silence. So a broker is asked once whether it delivers as many as a large street may have open: the
 * answer is remembered in a file of the state folder for a day.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "dispatch/parts.h"

enum { PROBES = 20000, REMEMBER_S = 24 * 3600, PATIENCE_US = 20000000 };

static const char *identity(struct dispatch *d, struct arena *a)
{
	return arena_printf(a, "%s:%d", d->settings->broker.host, d->settings->broker.port);
}

static bool remembered(struct dispatch *d)
{
	struct arena a = {.block_size = 512};
	const char *want = identity(d, &a);
	char text[300] = "";
	struct stat st;
	int fd = open(d->o.probe_file, O_RDONLY | O_CLOEXEC);
	bool same = false;

	if (fd >= 0 && fstat(fd, &st) == 0 && time(NULL) - st.st_mtime < REMEMBER_S &&
	    read(fd, text, sizeof(text) - 1) > 0)
		same = strcmp(text, want) == 0;
	if (fd >= 0)
		close(fd);
	arena_done(&a);
	return same;
}

static void remember(struct dispatch *d)
{
	struct arena a = {.block_size = 512};
	const char *text = identity(d, &a);
	int fd = open(d->o.probe_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		log_warn("dispatch.probe", "cannot remember the broker's probe: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	arena_done(&a);
}

static int publish_all(struct dispatch *d, struct link *link, const char *payload, struct err *e)
{
	int64_t until = clock_mono_us() + PATIENCE_US;
	struct timespec nap = {0, 1000000};

	for (int i = 0; i < PROBES; i++) {
		char topic[200];
		int r;

		snprintf(topic, sizeof(topic), "needle/%s/gateway/%s/probe/%d", tenant_of(d), d->o.instance, i);
		while ((r = link_publish(link, &(struct link_publish){.topic = topic, .payload = payload,
								      .payload_len = strlen(payload), .qos = 0,
								      .retained = true}, e)) == ERR_AGAIN &&
		       clock_mono_us() < until && link_is_connected(link)) {
			d->o.beat(d->o.arg);
			nanosleep(&nap, NULL);
		}
		if (r < 0)
			return r;
	}
	d->o.beat(d->o.arg);
	return 0;
}

static int set(struct dispatch *d, struct link *link, struct err *e)
{
	return publish_all(d, link, "p", e);
}

static int clear(struct dispatch *d, struct link *link, struct err *e)
{
	return publish_all(d, link, "", e);
}

int probe_broker(struct dispatch *d, bool *ret_ok, struct err *e)
{
	struct arena a = {.block_size = 512};
	struct map topics;
	int r;

	*ret_ok = true;
	if (remembered(d))
		return 0;
	r = audit(d, arena_printf(&a, "needle/%s/gateway/%s/probe/+", tenant_of(d), d->o.instance), set, clear,
		  &topics, e);
	arena_done(&a);
	if (r < 0)
		return r;
	*ret_ok = topics.n >= PROBES;
	if (*ret_ok)
		remember(d);
	else
		log_error("dispatch.probe", "the broker delivered %zu of %d retained messages to one subscriber:"
			  " raise max_queued_messages (config/mosquitto)", topics.n, PROBES);
	audit_topics_done(&topics);
	return 0;
}
