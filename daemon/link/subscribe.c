/*
 * Subscribing waits for the broker's answer: a gateway that believes it listens and does not is
 * worse than one that is down. One request at a time; an answer to one that was given up is told by
 * its number.
 */
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "link/link_parts.h"

/* A filter that MQTT forbids would make the broker end the connection instead of refusing it. */
static bool is_filter(const char *filter)
{
	size_t len = strlen(filter);

	if (!len || len > UINT16_MAX || !strncmp(filter, "$share/", 7))
		return false;
	for (const char *level = filter;; level++) {
		size_t n = strcspn(level, "/");

		if (strcspn(level, "+#") < n && n > 1)
			return false; /* a wild card is a whole level */
		if (*level == '#' && level[1])
			return false; /* and this one the last */
		level += n;
		if (!*level)
			return true;
	}
}

static void answer(void *context, const int *codes, size_t n, bool failed)
{
	uint32_t generation;
	size_t slot;
	struct link *link = link_of_context(context, &slot, &generation);
	struct link_request *r = &link->request;

	pthread_mutex_lock(&link->lock);
	if (r->generation == generation && !r->answered) {
		r->answered = true;
		r->failed = failed;
		r->n_codes = n < LINK_FILTERS ? n : LINK_FILTERS;
		if (r->n_codes)
			memcpy(r->codes, codes, r->n_codes * sizeof(codes[0]));
		pthread_cond_broadcast(&link->changed);
	}
	pthread_mutex_unlock(&link->lock);
}

static void answer_codes(void *context, enum MQTTReasonCodes first, const enum MQTTReasonCodes *all,
			 int n)
{
	int codes[LINK_FILTERS] = {(int)first};

	/* Paho fills the array only when there is more than one. */
	for (int i = 0; n > 1 && all && i < n && i < LINK_FILTERS; i++)
		codes[i] = (int)all[i];
	answer(context, codes, n > 1 ? (size_t)n : 1, false);
}

static void on_subscribed(void *context, MQTTAsync_successData5 *data)
{
	answer_codes(context, data->reasonCode, data->alt.sub.reasonCodes,
		     data->alt.sub.reasonCodeCount);
}

static void on_unsubscribed(void *context, MQTTAsync_successData5 *data)
{
	answer_codes(context, data->reasonCode, data->alt.unsub.reasonCodes,
		     data->alt.unsub.reasonCodeCount);
}

static void on_failed(void *context, MQTTAsync_failureData5 *data)
{
	int code = (int)data->reasonCode;

	answer(context, &code, 1, data->code != 0 || code < 0x80);
}

static int begin(struct link *link, MQTTAsync_responseOptions *response, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&link->lock);
	link->request = (struct link_request){.generation = link->request.generation + 1};
	response->context = link_context(link, 0, link->request.generation);
	if (link->state != LINK_UP)
		rc = err_code(e, ERR_AGAIN, "not-connected", "link: not connected");
	pthread_mutex_unlock(&link->lock);
	return rc;
}

static int wait_for_answer(struct link *link, const char *const *filters, int64_t end_us,
			   struct err *e)
{
	struct link_request r;
	bool up;

	pthread_mutex_lock(&link->lock);
	while (!link->request.answered && link->state == LINK_UP && clock_mono_us() < end_us)
		link_wait_until(link, end_us);
	r = link->request;
	link->request.generation++; /* whatever comes now is too late */
	up = link->state == LINK_UP;
	pthread_mutex_unlock(&link->lock);
	if (!r.answered || r.failed)
		return err_set(e, ERR_AGAIN, "link: no answer to a subscription: %s",
			       up ? "too late" : "the connection was lost");
	for (size_t i = 0; i < r.n_codes; i++) {
		const char *why = MQTTReasonCode_toString((enum MQTTReasonCodes)r.codes[i]);

		if (r.codes[i] >= 0x80)
			return err_code(e, ERR_BAD, "subscription",
					"link: the broker refuses %s: %s", filters[i],
					why ? why : "no reason");
	}
	return 0;
}

static int ask(struct link *link, const char *const *filters, size_t n, int retained,
	       int64_t end_us, struct err *e)
{
	MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
	MQTTSubscribe_options plain = MQTTSubscribe_options_initializer, options[LINK_FILTERS];
	char *topics[LINK_FILTERS];
	int qos[LINK_FILTERS];
	int rc;

	for (size_t i = 0; i < n; i++)
		if (!is_filter(filters[i]))
			return err_code(e, ERR_BAD, "subscription",
					"link: %s is no subscription filter", filters[i]);
	rc = begin(link, &response, e);
	if (rc < 0)
		return rc;
	plain.retainHandling = (unsigned char)(retained < 0 ? 0 : retained);
	for (size_t i = 0; i < n; i++) {
		topics[i] = (char *)(uintptr_t)filters[i]; /* Paho copies them */
		qos[i] = 1;
		options[i] = plain;
	}
	response.onFailure5 = on_failed;
	response.onSuccess5 = retained < 0 ? on_unsubscribed : on_subscribed;
	response.subscribeOptions = plain;
	response.subscribeOptionsList = options;
	response.subscribeOptionsCount = (int)n;
	rc = retained < 0 ? MQTTAsync_unsubscribeMany(link->paho, (int)n, topics, &response)
			  : MQTTAsync_subscribeMany(link->paho, (int)n, topics, qos, &response);
	if (rc == MQTTASYNC_BAD_UTF8_STRING)
		return err_set(e, ERR_BAD, "link: a subscription is not UTF-8");
	if (rc)
		return err_set(e, ERR_AGAIN, "link: %s", MQTTAsync_strerror(rc));
	return wait_for_answer(link, filters, end_us, e);
}

static int ask_all(struct link *link, const char *const *filters, size_t n, int retained,
		   int timeout_ms, struct err *e)
{
	int64_t end_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i += LINK_FILTERS)
		rc = ask(link, filters + i, n - i < LINK_FILTERS ? n - i : LINK_FILTERS, retained,
			 end_us, e);
	return rc;
}

int link_subscribe(struct link *link, const char *const *filters, size_t n, int retained,
		   int timeout_ms, struct err *e)
{
	return ask_all(link, filters, n, retained, timeout_ms, e);
}

int link_unsubscribe(struct link *link, const char *const *filters, size_t n, int timeout_ms,
		     struct err *e)
{
	return ask_all(link, filters, n, -1, timeout_ms, e);
}
