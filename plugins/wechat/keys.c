#include "keys.h"

#include <string.h>

#include "base/str.h"
#include "core/understand/text.h"
#include "settings/types.h"

static const char *const kinds[N_ACCOUNT_KIND] = {"mp", "wecom"};
static const char *const apis[N_ACCOUNT_KIND] = {"https://api.weixin.qq.com", "https://qyapi.weixin.qq.com"};
static const char *const robot_news[] = {"dissatisfied", "words", "unreachable", "registered", "accepted", "contacted", "progress",
					 "returned", "extended", "late", "resolved", "ask_rating", "closed", "rejected"};

const struct key_info wechat_keys[] = {
	KEY("", KEY_MAP, 0, N_("The whole configuration.")),
	BRIDGE_ROWS("127.0.0.1:9481"),
	KEY("office", KEY_TEXT, KEY_NONEMPTY, N_("The office's configuration folder: its `conversation` holds."),
	    .fallback = "/etc/needle"),
	KEY("callback", KEY_MAP, 0, N_("Where the platform's callbacks come in, behind the office's HTTPS server.")),
	KEY("callback.listen", KEY_LISTEN, 0, N_("Address and port."), .fallback = "127.0.0.1:9482"),
	KEY("callback.body", KEY_SIZE, 0, N_("Largest body."), .fallback = "64 KiB", .min = 1024, .max = 128 * 1024),
	KEY("callback.window", KEY_INT, 0, N_("How far a timestamp may be from now."), .fallback = "300", .unit = "s", .min = 10,
	    .max = 7200),
	KEY("callback.wait", KEY_INT, 0, N_("How long an answer waits for the gateway's reply, to carry it."), .fallback = "40",
	    .unit = "ms", .max = 800),
	KEY("callback.per_second", KEY_INT, 0, N_("How many are taken in a second; beyond it 429."), .fallback = "3000", .min = 1,
	    .max = 100000),
	KEY("media", KEY_MAP, 0, N_("Pictures, voices, films: kept in STATE/media by their SHA-256.")),
	KEY("media.max", KEY_SIZE, 0, N_("Largest file."), .fallback = "20 MiB", .min = 1024, .max = 100 << 20),
	KEY("media.link", KEY_TEXT, 0, N_("What stands before a file's name in a report; default the folder.")),
	KEY("media.retry", KEY_INT, 0, N_("How long a file is tried before the report goes without it."), .fallback = "60",
	    .unit = "min", .min = 1, .max = 4320),
	KEY("alarm_words", KEY_LIST, KEY_OR_ONE, N_("Words that show displeasure; robots with `words` are told.")),
	KEY("alarm_words[]", KEY_WORD, 0, N_("A word.")),
	KEY("accounts", KEY_NAMED, KEY_REQUIRED | KEY_NONEMPTY, N_("Official Accounts and WeCom apps."), .name = KEY_ID),
	KEY("accounts.*", KEY_MAP, 0, N_("An account.")),
	KEY("accounts.*.kind", KEY_ENUM, KEY_REQUIRED, N_("mp: Official Account; wecom: an app or customer service of WeCom."),
	    ENUM(kinds)),
	KEY("accounts.*.app", KEY_TEXT, KEY_REQUIRED, N_("AppID, or CorpID.")),
	KEY("accounts.*.path", KEY_TEXT, 0, N_("Path of the callback's address; default /wechat/NAME.")),
	KEY("accounts.*.token", KEY_SECRET_TEXT, KEY_REQUIRED | KEY_SECRET, N_("Token of the callback.")),
	KEY("accounts.*.aes_key", KEY_SECRET_TEXT, KEY_SECRET, N_("EncodingAESKey: 43 characters; left out: callbacks in the clear.")),
	KEY("accounts.*.secret", KEY_SECRET_TEXT, KEY_SECRET, N_("Secret, for what is asked of the platform.")),
	KEY("accounts.*.api", KEY_TEXT, 0, N_("The platform's address; default the public one.")),
	KEY("accounts.*.agent", KEY_INT, 0, N_("AgentId of a WeCom app."), .max = INT32_MAX),
	KEY("accounts.*.orders", KEY_BOOL, 0, N_("Fetch the orders of residents' reports (居民上报)?"), .fallback = "off"),
	KEY("accounts.*.orders_every", KEY_INT, 0, N_("How often."), .fallback = "60", .unit = "s", .min = 1, .max = 86400),
	KEY("accounts.*.templates", KEY_NAMED, 0, N_("Template messages for replies that customer service can no longer carry."),
	    .name = KEY_ID),
	KEY("accounts.*.templates.*", KEY_MAP, 0, N_("The template for a kind of reply; `other` for all the rest.")),
	KEY("accounts.*.templates.*.id", KEY_TEXT, KEY_REQUIRED, N_("The template's id.")),
	KEY("accounts.*.templates.*.page", KEY_TEXT, 0, N_("Where a tap leads.")),
	KEY("accounts.*.templates.*.subscription", KEY_BOOL, 0, N_("A subscribed notice (订阅通知) instead of a template message?"),
	    .fallback = "off"),
	KEY("accounts.*.templates.*.fields", KEY_NAMED, KEY_REQUIRED | KEY_NONEMPTY, N_("Its fields."), .name = KEY_TEXT),
	KEY("accounts.*.templates.*.fields.*", KEY_TEXT, 0, N_("A text with {case} {text} {time}.")),
	KEY("robots", KEY_NAMED, 0, N_("Group robots that are told of what needs eyes."), .name = KEY_ID),
	KEY("robots.*", KEY_MAP, 0, N_("A robot.")),
	KEY("robots.*.url", KEY_SECRET_TEXT, KEY_REQUIRED | KEY_SECRET, N_("Its webhook address.")),
	KEY("robots.*.on", KEY_LIST, KEY_REQUIRED | KEY_OR_ONE | KEY_NONEMPTY, N_("What it is told of.")),
	KEY("robots.*.on[]", KEY_ENUM, 0, N_("A dissatisfied rating, words of displeasure, a person whom no reply reaches, or a kind of reply."),
	    ENUM(robot_news)),
	KEY("robots.*.per_minute", KEY_INT, 0, N_("How many messages a minute."), .fallback = "20", .min = 1, .max = 1000),
	{0},
};

static const char *secret_of(struct scope s, const char *key)
{
	return secret_fill(s.l, scope_node(s, key), key_child(s.row, key));
}

static void read_template(struct scope s, const char *kind, struct wechat_template *t)
{
	const struct node *fields = scope_node(s, "fields");

	*t = (struct wechat_template){.kind = kind, .id = scope_text(s, "id"), .page = scope_text(s, "page"),
				      .subscription = scope_bool(s, "subscription") > 0};
	for (size_t i = 0; fields && fields->kind == NODE_MAP && i < fields->n && t->n < TEMPLATE_FIELDS; i++) {
		t->names[t->n] = fields->keys[i]->text;
		t->texts[t->n++] = fields->items[i]->text ? fields->items[i]->text : "";
	}
}

static void read_account(struct scope s, const char *name, struct wechat_account *a)
{
	struct scope templates = scope_in(s, "templates");
	struct mark at = scope_mark(s, "aes_key"), at_path = scope_mark(s, "path");
	const char *key = secret_of(s, "aes_key"), *path = scope_text(s, "path"), *api = scope_text(s, "api");
	int kind = scope_enum(s, "kind");

	*a = (struct wechat_account){.name = name, .kind = kind < 0 ? ACCOUNT_MP : (enum account_kind)kind,
				     .app = scope_text(s, "app"), .token = secret_of(s, "token"),
				     .secret = secret_of(s, "secret"), .agent = scope_int(s, "agent"),
				     .orders = scope_bool(s, "orders") > 0,
				     .orders_every_us = scope_int(s, "orders_every") * 1000000};
	a->path = path ? path : arena_printf(s.l->arena, "/wechat/%s", name);
	a->api = api ? api : apis[a->kind];
	if (*a->path != '/')
		lint_add(&s.l->lint, "E12", &at_path, _("write it as /wechat/app"), _("“%s” is no path"), a->path);
	a->sealed = key;
	if (key && !crypt_key(key, a->key)) {
		lint_add(&s.l->lint, "E12", &at, _("copy the 43 characters from the account's page"),
			 _("the EncodingAESKey is not 43 characters of base64"));
		lint_hide_source(&s.l->lint);
	}
	for (size_t i = 0; templates.map && templates.map->kind == NODE_MAP && i < templates.map->n && i < TEMPLATES_MAX; i++)
		read_template(scope_item(templates, i), templates.map->keys[i]->text, &a->templates[a->n_templates++]);
}

static void read_accounts(struct scope root, struct wechat_settings *ret)
{
	struct scope s = scope_in(root, "accounts");

	for (size_t i = 0; s.map && s.map->kind == NODE_MAP && i < s.map->n; i++) {
		struct mark at = s.map->keys[i]->at;

		if (i >= ACCOUNTS_MAX) {
			lint_add(&root.l->lint, "E12", &at, _("give them to a second bridge"), _("more than %d accounts"), ACCOUNTS_MAX);
			return;
		}
		read_account(scope_item(s, i), s.map->keys[i]->text, &ret->accounts[ret->n_accounts++]);
		for (size_t k = 0; k < i; k++)
			if (str_equal(ret->accounts[k].path, ret->accounts[i].path))
				lint_add(&root.l->lint, "E21", &at, _("give each a path of its own"),
					 _("“%s” is the path of two accounts"), ret->accounts[i].path);
	}
}

static void read_robots(struct scope root, struct wechat_settings *ret)
{
	struct scope s = scope_in(root, "robots");

	for (size_t i = 0; s.map && s.map->kind == NODE_MAP && i < s.map->n && i < ROBOTS_MAX; i++) {
		struct scope one = scope_item(s, i);

		ret->robots[ret->n_robots++] = (struct wechat_robot){.name = s.map->keys[i]->text, .url = secret_of(one, "url"),
								     .on = scope_texts(one, "on"),
								     .per_minute = (int)scope_int(one, "per_minute")};
	}
}

static struct texts shadows(struct scope s, const char *key)
{
	struct texts t = scope_texts(s, key);
	const char **v = arena_alloc(s.l->arena, (t.n + 1) * sizeof(*v));

	for (size_t i = 0; i < t.n; i++)
		v[i] = text_shadow(s.l->arena, t.v[i]);
	return (struct texts){v, t.n};
}

void wechat_settings_read(struct scope root, struct wechat_settings *ret)
{
	struct scope callback = scope_in(root, "callback"), media = scope_in(root, "media");
	struct mark at = scope_mark(callback, "listen");

	*ret = (struct wechat_settings){
		.office = scope_text(root, "office"), .body_max = (size_t)scope_int(callback, "body"),
		.window_us = scope_int(callback, "window") * 1000000, .wait_us = scope_int(callback, "wait") * 1000,
		.per_second = (int)scope_int(callback, "per_second"), .media_max = (size_t)scope_int(media, "max"),
		.media_link = scope_text(media, "link"), .media_retry_us = scope_int(media, "retry") * 60000000,
		.alarm_words = shadows(root, "alarm_words"),
	};
	if (!type_listen(scope_text(callback, "listen"), root.l->arena, &ret->address, &ret->port) || !ret->address)
		lint_add(&root.l->lint, "E12", &at, _("write it as 127.0.0.1:9482"), _("callbacks need an address"));
	read_accounts(root, ret);
	read_robots(root, ret);
}
