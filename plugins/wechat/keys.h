#pragma once
/* What needle-wechat's file says. Texts live as long as the loaded file. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/keys.h"
#include "crypt.h"

enum account_kind { ACCOUNT_MP, ACCOUNT_WECOM, N_ACCOUNT_KIND };
enum { ACCOUNTS_MAX = 16, ROBOTS_MAX = 32, TEMPLATES_MAX = 16, TEMPLATE_FIELDS = 12 };

struct wechat_template {
	const char *kind, *id, *page;           /* kind: of a reply; page: where a tap leads, or NULL */
	bool subscription;                      /* a notice that the person has subscribed to, not a template message */
	const char *names[TEMPLATE_FIELDS], *texts[TEMPLATE_FIELDS];    /* {case} {text} {kind} {time} */
	size_t n;
};
struct wechat_account {
	const char *name;                       /* its key in the file: an id */
	enum account_kind kind;
	const char *app;                        /* AppID or CorpID: stands at the end of every envelope */
	const char *path, *token, *secret, *api;
	bool sealed;                            /* there is a key: callbacks in the clear are refused */
	unsigned char key[CRYPT_KEY];
	int64_t agent;                          /* of a WeCom app */
	bool orders;                            /* 居民上报 is pulled */
	int64_t orders_every_us;
	struct wechat_template templates[TEMPLATES_MAX];
	size_t n_templates;
};
struct wechat_robot {
	const char *name, *url;
	struct texts on;                        /* what it is told of */
	int per_minute;
};
struct wechat_settings {
	const char *office;                     /* the folder whose `conversation` holds */
	const char *address;
	int port;
	size_t body_max;
	int64_t window_us, wait_us;
	int per_second;
	size_t media_max;
	const char *media_link;                 /* put before a file's name; NULL: its path */
	int64_t media_retry_us;
	struct wechat_account accounts[ACCOUNTS_MAX];
	size_t n_accounts;
	struct wechat_robot robots[ROBOTS_MAX];
	size_t n_robots;
	struct texts alarm_words;
};

extern const struct key_info wechat_keys[];
void wechat_settings_read(struct scope root, struct wechat_settings *ret);
