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

#include "base/log.h"
#include "dispatch/parts.h"

enum { PROBES = 20000, REMEMBER_S = 24 * 3600 };

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

static int publish_all(struct dispatch *d, const char *payload, struct err *e)
{
	int r = 0;

	for (int i = 0; r == 0 && i < PROBES; i++) {
		char topic[200];

		snprintf(topic, sizeof(topic), "needle/%s/gateway/%s/probe/%d", tenant_of(d), d->o.instance, i);
		r = audit_publish(d, &(struct link_publish){.topic = topic, .payload = payload, .retained = true,
							    .payload_len = strlen(payload)}, e);
	}
	return r;
}

int probe_broker(struct dispatch *d, bool *ret_ok, struct err *e)
{
	struct arena a = {.block_size = 512};
	struct map topics;
	struct err later;
	int r;

	*ret_ok = true;
	if (remembered(d))
		return 0;
	r = publish_all(d, "p", e);
	if (r == 0)
		r = audit_collect(d, arena_printf(&a, "needle/%s/gateway/%s/probe/+", tenant_of(d), d->o.instance),
				  &topics, e);
	arena_done(&a);
	/* Cleared whatever came of it: nobody else is to see them. */
	if (publish_all(d, "", &later) < 0 && r == 0)
		log_warn("dispatch.probe", "%s", later.text);
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
