#pragma once
/*
 * What every bridge's file has in common: who it is, the broker, the outbox, the replies. A bridge's
 * table begins with its root, then BRIDGE_ROWS, then its own, then a row without a path.
 */
#include "base/vec.h"
#include "settings/lint.h"
#include "settings/load.h"
#include "settings/table.h"

#define KEY(path_, type_, flags_, ...) \
	{.path = path_, .type = (type_), .flags = (flags_), .help = __VA_ARGS__}
#define ENUM(names) .values = (names), .n_values = ARRAY_LEN(names)

extern const char *const bridge_durabilities[2];

/* `metrics`: where /metrics is served, a text such as "127.0.0.1:9480". */
#define BRIDGE_ROWS(metrics)                                                                                            \
	KEY("version", KEY_INT, KEY_REQUIRED, N_("Version of this file's form."), .min = 1, .max = 1),                     \
	KEY("tenant", KEY_ID, KEY_REQUIRED, N_("The office: tenant.id of its needle.yaml.")),                              \
	KEY("channel", KEY_ID, KEY_REQUIRED, N_("The channel of its channels.yaml that the messages belong to.")),         \
	KEY("source", KEY_ID, KEY_REQUIRED, N_("This bridge among the sources of that channel.")),                         \
	KEY("state", KEY_TEXT, KEY_NONEMPTY, N_("Folder for what must not be lost; default $STATE_DIRECTORY.")),           \
	KEY("broker", KEY_MAP, 0, N_("The MQTT broker.")),                                                                 \
	KEY("broker.host", KEY_TEXT, 0, N_("Name or address."), .fallback = "127.0.0.1"),                                  \
	KEY("broker.port", KEY_INT, 0, N_("Port."), .fallback = "1883", .min = 1, .max = 65535),                           \
	KEY("broker.user", KEY_TEXT, 0, N_("User name; default in-CHANNEL.")),                                             \
	KEY("broker.password", KEY_SECRET_TEXT, KEY_SECRET, N_("Password.")),                                              \
	KEY("broker.tls", KEY_MAP, 0, N_("Encrypted connection; left out: none.")),                                        \
	KEY("broker.tls.ca", KEY_PATH, KEY_REQUIRED, N_("Certificate of the authority, beside this file.")),               \
	KEY("broker.tls.cert", KEY_PATH, 0, N_("The bridge's certificate.")),                                              \
	KEY("broker.tls.key", KEY_SECRET_FILE, KEY_SECRET, N_("The bridge's private key.")),                               \
	KEY("http", KEY_MAP, 0, N_("Health and metrics.")),                                                                \
	KEY("http.listen", KEY_LISTEN, 0, N_("Address and port, or off."), .fallback = metrics),                           \
	KEY("outbox", KEY_MAP, 0, N_("Messages that wait for the gateway's receipt.")),                                    \
	KEY("outbox.durability", KEY_ENUM, 0, N_("What a message that was taken survives: process or power."),             \
	    .fallback = "process", ENUM(bridge_durabilities)),                                                             \
	KEY("outbox.entries", KEY_INT, 0, N_("How many may wait before nothing more is taken."), .fallback = "50000",      \
	    .min = 100, .max = 1000000),                                                                                   \
	KEY("outbox.size", KEY_SIZE, 0, N_("How many bytes likewise."), .fallback = "256 MiB", .min = 1 << 20,             \
	    .max = INT64_C(1) << 40),                                                                                      \
	KEY("outbox.outstanding", KEY_INT, 0, N_("How many are under way at once."), .fallback = "200", .min = 1,          \
	    .max = 400),                                                                                                   \
	KEY("outbox.resend", KEY_INT, 0, N_("After how long without a receipt a message is sent again, at first."),        \
	    .fallback = "30", .unit = "s", .min = 1, .max = 3600),                                                         \
	KEY("replies", KEY_MAP, 0, N_("Replies on their way back.")),                                                      \
	KEY("replies.retry", KEY_AGE, 0, N_("How long a reply is tried before it counts as failed."), .fallback = "7d"),   \
	KEY("replies.first_retry", KEY_INT, 0, N_("The first pause between tries; it doubles up to an hour."),             \
	    .fallback = "5", .unit = "s", .min = 1, .max = 3600)

struct bridge_settings {
	const char *tenant, *channel, *source, *state;
	struct broker_settings broker;
	struct http_settings http;
	bool power;
	size_t outstanding, max_entries;
	int64_t max_bytes, resend_us, give_up_us, first_retry_us;
};
/* Texts live as long as the loaded file. */
void bridge_settings_read(struct scope root, struct bridge_settings *ret);
