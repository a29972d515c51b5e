/*
 * The connection: how Paho is asked, what it answers, and when to ask again.
 *
 * A handle of Paho serves one connection after another as long as each ended with nothing
 * outstanding. When a publish meets a dead socket, Paho frees its topic and payload and keeps them
 * in the list of what it sends again on the next connection (1.3.12): rubbish that makes the broker
 * say Malformed Packet for ever, or a second free when the session is gone. So such a handle is left
 * alone for good, neither used nor destroyed, and the next connection gets a new one. For the same
 * reason no session expires with its connection: Paho would clear that list when the socket ends.
 */
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "link/link_parts.h"

enum {
	BACKOFF_FIRST_US = 100000,
	BACKOFF_MAX_US = 5000000,
	STABLE_US = 2000000, /* a connection that stood this long begins the backoff anew */
	CONNECT_TIMEOUT_S = 10,
	CLEAN_EXPIRY_S = 60, /* of a session that nobody comes back to */
	LATER_US = 200000, /* between two questions whether a connection may be made */
};

/* Full jitter: a hundred gateways that lost the same broker do not come back in step. */
static int64_t backoff_us(unsigned attempts)
{
	int64_t max = attempts < 8 ? (int64_t)BACKOFF_FIRST_US << attempts : BACKOFF_MAX_US;
	uint32_t dice = 0;

	if (getrandom(&dice, sizeof(dice), 0) < 0)
		dice = (uint32_t)clock_mono_us();
	return (max < BACKOFF_MAX_US ? max : BACKOFF_MAX_US) * (dice >> 12) / (UINT32_MAX >> 12);
}

/* Locked. */
static void away(struct link *link)
{
	int64_t now = clock_mono_us();

	if (link->state == LINK_UP && now - link->since_us >= STABLE_US)
		link->attempts = 0;
	link->state = LINK_AWAY;
	atomic_store(&link->up, false);
	link->since_us = now;
	link->next_try_us = now + backoff_us(link->attempts++);
	pthread_cond_broadcast(&link->changed);
}

void link_connect_failed(struct link *link, const char *reason)
{
	bool news;

	pthread_mutex_lock(&link->lock);
	/* An answer to an older attempt may come late; the newer one is what counts then. */
	news = link->state == LINK_CONNECTING && strcmp(link->complaint, reason) != 0;
	if (news)
		snprintf(link->complaint, sizeof(link->complaint), "%s", reason);
	if (link->state == LINK_CONNECTING)
		away(link);
	pthread_mutex_unlock(&link->lock);
	if (news) /* the same again every few seconds tells nobody anything */
		log_warn("link.connect", "cannot connect to the broker %s:%d: %s",
			 link->options.host, link->options.port, reason);
}

/* Not allowed now: no failure, so the next try is not put off further and further. */
static void connect_later(struct link *link)
{
	pthread_mutex_lock(&link->lock);
	link->attempts = 0;
	away(link);
	link->next_try_us = link->since_us + LATER_US;
	pthread_mutex_unlock(&link->lock);
}

void link_went_away(struct link *link, const char *reason, bool taken_over)
{
	bool was;

	pthread_mutex_lock(&link->lock);
	was = link->state == LINK_UP || link->state == LINK_CLOSING;
	/* Coming back at once would take the session from the other, who would take it back … */
	if (was && taken_over)
		link->wanted = false;
	if (was)
		away(link);
	link->leaving |= was;
	pthread_mutex_unlock(&link->lock);
	if (!was)
		return;
	link_lose_all(link);
	if (link->callbacks.disconnected)
		link->callbacks.disconnected(link->callbacks.arg, reason, taken_over);
	/* Only now may link_stop return, and the next connection begin. */
	pthread_mutex_lock(&link->lock);
	link->leaving = false;
	pthread_cond_broadcast(&link->changed);
	pthread_mutex_unlock(&link->lock);
}

/* ---- Paho's callbacks ----------------------------------------------------------------------- */

static size_t broker_limit(MQTTProperties *properties)
{
	if (!MQTTProperties_hasProperty(properties, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE))
		return 0;
	return (uint32_t)MQTTProperties_getNumericValue(properties,
							MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE);
}

static void on_connect(void *arg, MQTTAsync_successData5 *data)
{
	bool session = data->alt.connect.sessionPresent;
	struct link *link = arg;

	pthread_mutex_lock(&link->lock);
	link->state = LINK_UP;
	link->since_us = clock_mono_us();
	link->complaint[0] = '\0';
	link->max_packet = broker_limit(&data->properties);
	atomic_store(&link->up, true);
	pthread_cond_broadcast(&link->changed);
	pthread_mutex_unlock(&link->lock);
	count(COUNT_LINK_CONNECTS);
	if (!session && !link->options.clean)
		count(COUNT_LINK_SESSION_LOST);
	if (link->callbacks.connected)
		link->callbacks.connected(link->callbacks.arg, session);
}

static void on_connect_failed(void *arg, MQTTAsync_failureData5 *data)
{
	struct link *link = arg;
	const char *what = NULL;
	char reason[LINK_REASON];

	if (data->code > 0) /* the broker's own answer, as Paho passes it on */
		what = MQTTReasonCode_toString((enum MQTTReasonCodes)data->code);
	if (!what)
		what = data->message;
	if (!what)
		what = MQTTAsync_strerror(data->code);
	snprintf(reason, sizeof(reason), "%.50s%s%s", what ? what : "unknown error",
		 link->tls_error[0] ? ": " : "", link->tls_error);
	link->tls_error[0] = '\0';
	link_connect_failed(link, reason);
}

static void on_lost(void *arg, char *cause)
{
	link_went_away(arg, cause ? cause : "the connection was lost", false);
}

/* The broker says goodbye. Paho does not call on_lost after this. */
static void on_goodbye(void *arg, MQTTProperties *properties, enum MQTTReasonCodes code)
{
	const char *what = MQTTReasonCode_toString(code);
	char reason[LINK_REASON];

	(void)properties;
	snprintf(reason, sizeof(reason), "the broker ended the connection: %s",
		 what ? what : "no reason");
	link_went_away(arg, reason, code == MQTTREASONCODE_SESSION_TAKEN_OVER);
}

static void on_left(void *arg, MQTTAsync_successData5 *data)
{
	(void)data;
	link_went_away(arg, "disconnected on purpose", false);
}

static void on_left_failed(void *arg, MQTTAsync_failureData5 *data)
{
	(void)data;
	link_went_away(arg, "disconnected on purpose", false);
}

/* OpenSSL says thread:error:number:library:function:reason:file:line. People want the reason. */
static int on_tls_error(const char *text, size_t len, void *arg)
{
	enum { FIELDS_BEFORE = 5 };
	struct link *link = arg;
	const char *at = text, *colon, *end = text + len;

	for (int i = 0; i < FIELDS_BEFORE && (colon = memchr(at, ':', (size_t)(end - at))); i++)
		at = colon + 1;
	colon = memchr(at, ':', (size_t)(end - at));
	len = (size_t)((colon ? colon : end) - at);
	len = len < sizeof(link->tls_error) ? len : sizeof(link->tls_error) - 1;
	memcpy(link->tls_error, at, len);
	link->tls_error[len] = '\0';
	return 1;
}

/* ---- asking Paho ---------------------------------------------------------------------------- */

int link_create_paho(struct link *link, struct err *e)
{
	MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer5;
	const struct link_options *o = &link->options;
	bool six = strchr(o->host, ':');
	struct str uri = {0};
	MQTTAsync paho = NULL;
	int rc;

	create.sendWhileDisconnected = 0;
	/* Never the limit: our own window is, and what an earlier connection left comes on top. */
	create.maxBufferedMessages = 65535;
	str_addf(&uri, "%s://%s%s%s:%d", o->tls.ca ? "ssl" : "tcp", six ? "[" : "", o->host,
		 six ? "]" : "", o->port);
	rc = MQTTAsync_createWithOptions(&paho, uri.s, o->client_id, MQTTCLIENT_PERSISTENCE_NONE,
					 NULL, &create);
	if (!rc)
		rc = MQTTAsync_setCallbacks(paho, link, on_lost, link_message_arrived, NULL);
	if (!rc)
		rc = MQTTAsync_setDisconnected(paho, link, on_goodbye);
	if (!rc)
		atomic_store(&link->paho, paho);
	else
		err_set(e, ERR_BAD, "broker: %s as %s: %s", uri.s, o->client_id,
			MQTTAsync_strerror(rc));
	str_done(&uri);
	return rc ? ERR_BAD : 0;
}

/* Leaves a spent handle behind; it must not speak of its connection any more. */
static int renew_paho(struct link *link)
{
	MQTTAsync old = atomic_load(&link->paho);
	struct err e;
	bool spent;

	pthread_mutex_lock(&link->lock);
	spent = link->spent;
	pthread_mutex_unlock(&link->lock);
	if (!spent)
		return 0;
	if (link_create_paho(link, &e) < 0) {
		link_connect_failed(link, e.text);
		return ERR_AGAIN;
	}
	MQTTAsync_setCallbacks(old, link, NULL, link_message_arrived, NULL);
	MQTTAsync_setDisconnected(old, NULL, NULL);
	pthread_mutex_lock(&link->lock);
	link->spent = false;
	pthread_mutex_unlock(&link->lock);
	return 0;
}

static void set_session(const struct link *link, MQTTProperties *properties)
{
	const struct link_options *o = &link->options;
	MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL};
	MQTTProperty maximum = {.identifier = MQTTPROPERTY_CODE_RECEIVE_MAXIMUM};

	expiry.value.integer4 = o->clean ? CLEAN_EXPIRY_S : o->session_expiry_s;
	maximum.value.integer2 = (unsigned short)o->receive_maximum;
	MQTTProperties_add(properties, &expiry);
	MQTTProperties_add(properties, &maximum);
}

static void set_tls(struct link *link, MQTTAsync_SSLOptions *ssl)
{
	const struct link_tls *tls = &link->options.tls;

	ssl->trustStore = tls->ca;
	ssl->keyStore = tls->cert;
	ssl->privateKey = tls->key;
	ssl->enableServerCertAuth = 1;
	ssl->verify = 1; /* the name in the certificate, too */
	ssl->disableDefaultTrustStore = 1;
	ssl->ssl_error_cb = on_tls_error;
	ssl->ssl_error_context = link;
}

void link_connect_begin(struct link *link)
{
	MQTTAsync_connectOptions connect = MQTTAsync_connectOptions_initializer5;
	MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
	MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;
	MQTTProperties properties = MQTTProperties_initializer;
	const struct link_options *o = &link->options;
	int rc;

	if (link->callbacks.may_connect && !link->callbacks.may_connect(link->callbacks.arg)) {
		connect_later(link);
		return;
	}
	/* Waits for Paho's lock: a callback that ends the last connection is then over. */
	if (MQTTAsync_isConnected(link->paho)) {
		MQTTAsync_disconnectOptions goodbye = MQTTAsync_disconnectOptions_initializer5;

		MQTTAsync_disconnect(link->paho, &goodbye);
		link_connect_failed(link, "an older connection is still there");
		return;
	}
	if (renew_paho(link) < 0)
		return;
	set_session(link, &properties);
	connect.connectProperties = &properties;
	connect.cleanstart = o->clean;
	connect.keepAliveInterval = o->keep_alive_s;
	connect.connectTimeout = CONNECT_TIMEOUT_S;
	connect.maxInflight = 65535; /* Paho naps up to 1 s at its own limit */
	connect.automaticReconnect = 0;
	connect.username = o->user;
	connect.password = o->password;
	connect.onSuccess5 = on_connect;
	connect.onFailure5 = on_connect_failed;
	connect.context = link;
	if (o->will_topic) {
		will.topicName = o->will_topic;
		will.message = o->will_payload ? o->will_payload : "";
		will.retained = 1;
		will.qos = 1;
		connect.will = &will;
	}
	if (o->tls.ca) {
		set_tls(link, &ssl);
		connect.ssl = &ssl;
	}
	rc = MQTTAsync_connect(link->paho, &connect);
	MQTTProperties_free(&properties);
	if (rc)
		link_connect_failed(link, MQTTAsync_strerror(rc));
}

void link_disconnect_begin(struct link *link)
{
	MQTTAsync_disconnectOptions goodbye = MQTTAsync_disconnectOptions_initializer5;
	MQTTProperty at_once = {.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL};
	int rc;

	if (link->options.clean)
		MQTTProperties_add(&goodbye.properties, &at_once);
	goodbye.reasonCode = link->options.will_topic && atomic_load(&link->abrupt)
				     ? MQTTREASONCODE_DISCONNECT_WITH_WILL_MESSAGE
				     : MQTTREASONCODE_NORMAL_DISCONNECTION;
	goodbye.onSuccess5 = on_left;
	goodbye.onFailure5 = on_left_failed;
	goodbye.context = link;
	/* No wait for what is in flight: link_stop has waited, and Paho looks only every 3 s. */
	goodbye.timeout = 0;
	rc = MQTTAsync_disconnect(link->paho, &goodbye);
	MQTTProperties_free(&goodbye.properties);
	if (rc)
		link_went_away(link, "disconnected on purpose", false);
}
