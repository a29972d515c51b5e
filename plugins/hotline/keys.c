/* The keys of /etc/needle/hotline.yaml: rows as in settings/table.c, and reading them. */
#include "base/err.h"
#include "base/str.h"
#include "hotline.h"
#include "settings/types.h"

enum { SECOND_US = 1000000, DAY_S = 86400 };

static const char *const methods[] = {"GET", "POST", "PUT"};

#define TARGET_ROWS(at, what)                                                                                            \
	KEY(at ".url", KEY_DSN, KEY_SECRET, what),                                                                           \
	KEY(at ".method", KEY_ENUM, 0, N_("GET, POST or PUT; default GET, or POST where there is a body."), ENUM(methods)),  \
	KEY(at ".headers", KEY_NAMED, 0, N_("Headers of the request."), .name = KEY_TEXT),                                   \
	KEY(at ".headers.*", KEY_DSN, KEY_SECRET, N_("The value; ${secret:NAME} may stand in it.")),                         \
	KEY(at ".body", KEY_DSN, KEY_SECRET, N_("The body, a template."))

const struct key_info hotline_keys[] = {
	KEY("", KEY_MAP, 0, N_("The whole file.")),
	BRIDGE_ROWS("127.0.0.1:9480"),
	KEY("map", KEY_NAMED, 0, N_("Our member to a pointer into their row: /诉求内容. Left out: the decoder's own names."),
	    .name = KEY_MEMBER),
	KEY("map.*", KEY_POINTER, 0, N_("A JSON pointer.")),
	KEY("set", KEY_NAMED, 0, N_("Members with a constant."), .name = KEY_MEMBER),
	KEY("set.*", KEY_TEXT, 0, N_("The constant.")),
	KEY("formats", KEY_NAMED, 0, N_("How members are written: strptime form, unix or unixms."), .name = KEY_MEMBER),
	KEY("formats.*", KEY_TEXT, 0, N_("The form.")),
	KEY("codes", KEY_NAMED, 0, N_("Members whose values are translated."), .name = KEY_MEMBER),
	KEY("codes.*", KEY_NAMED, 0, N_("Their value to ours."), .name = KEY_TEXT),
	KEY("codes.*.*", KEY_TEXT, 0, N_("Our value.")),
	KEY("options", KEY_NAMED, 0, N_("Options of the decoder hotline."), .name = KEY_TEXT),
	KEY("options.*", KEY_TEXT, 0, N_("The option's value.")),

	KEY("folder", KEY_MAP, 0, N_("Exports (CSV, XLSX) that are put into a folder.")),
	KEY("folder.path", KEY_TEXT, KEY_REQUIRED | KEY_NONEMPTY, N_("The folder.")),
	KEY("folder.sheet", KEY_TEXT, 0, N_("The sheet of an XLSX; default the first that is not hidden.")),
	KEY("folder.every", KEY_INT, 0, N_("How often it is looked at."), .fallback = "2", .unit = "s", .min = 1, .max = 3600),
	KEY("folder.settle", KEY_INT, 0, N_("So long a file must not have changed."), .fallback = "3", .unit = "s",
	    .max = 3600),

	KEY("push", KEY_MAP, 0, N_("The platform posts its tickets to us.")),
	KEY("push.listen", KEY_LISTEN, KEY_REQUIRED, N_("Address and port, or off.")),
	KEY("push.path", KEY_TEXT, 0, N_("The path that it posts to."), .fallback = "/12345"),
	KEY("push.key", KEY_SECRET_TEXT, KEY_SECRET, N_("The key that the platform sends along.")),
	KEY("push.key_header", KEY_TEXT, 0, N_("In which header."), .fallback = "X-Api-Key"),
	KEY("push.hmac", KEY_SECRET_TEXT, KEY_SECRET, N_("The key of an HMAC-SHA-256 over the body.")),
	KEY("push.signature_header", KEY_TEXT, 0, N_("Where the platform puts it, hexadecimal or base64."),
	    .fallback = "X-Signature"),
	KEY("push.timestamp_header", KEY_TEXT, 0,
	    N_("With it the HMAC is over this header (unix seconds, at most 300 s off), a line feed, and the body.")),
	KEY("push.rows", KEY_POINTER, 0, N_("Where the tickets are in the body; default all of it is one, or a list.")),
	KEY("push.size", KEY_SIZE, 0, N_("Largest body."), .fallback = "1 MiB", .min = 1024, .max = 64 << 20),
	KEY("push.rate", KEY_INT, 0, N_("Calls a second, over all; more are answered 429."), .fallback = "500", .min = 1,
	    .max = 100000),
	KEY("push.burst", KEY_INT, 0, N_("Calls at once."), .fallback = "1000", .min = 1, .max = 100000),
	KEY("push.wait", KEY_INT, 0, N_("How long an answer waits for the gateway's receipt."), .fallback = "4", .unit = "s",
	    .max = 30),
	KEY("push.type", KEY_TEXT, 0, N_("Content type of the answers."), .fallback = "application/json"),
	KEY("push.answer", KEY_TEXT, 0, N_("The answer (200) behind the receipt: {id} {case} {result} {department}."),
	    .fallback = "{\"success\":true,\"id\":\"{id}\",\"case\":\"{case}\",\"result\":\"{result}\"}"),
	KEY("push.later", KEY_TEXT, 0, N_("The answer (202) when no receipt came in time: it is taken all the same."),
	    .fallback = "{\"success\":true,\"id\":\"{id}\",\"result\":\"accepted\"}"),
	KEY("push.refused", KEY_TEXT, 0, N_("The answer (4xx, 503) when it is not taken: {id} {reason}."),
	    .fallback = "{\"success\":false,\"id\":\"{id}\",\"message\":\"{reason}\"}"),

	KEY("pull", KEY_MAP, 0, N_("We ask the platform for tickets.")),
	TARGET_ROWS("pull", N_("The list; {since} {until} {page} {cursor} are filled in.")),
	KEY("pull.every", KEY_INT, 0, N_("How often."), .fallback = "60", .unit = "s", .min = 1, .max = 86400),
	KEY("pull.overlap", KEY_INT, 0, N_("How far {since} lies before the end of the last time."), .fallback = "600",
	    .unit = "s", .max = 604800),
	KEY("pull.start", KEY_AGE, 0, N_("How far back the first time goes."), .fallback = "1d"),
	KEY("pull.time_format", KEY_TEXT, 0, N_("How {since} and {until} are written: strftime form, unix or unixms."),
	    .fallback = "%Y-%m-%d %H:%M:%S"),
	KEY("pull.rows", KEY_POINTER, 0, N_("Where the tickets are in the answer.")),
	KEY("pull.next", KEY_POINTER, 0, N_("Where the answer names the next {cursor}; without: times and pages.")),
	KEY("pull.pages", KEY_INT, 0, N_("Pages at most, each time."), .fallback = "200", .min = 1, .max = 10000),
	KEY("pull.check", KEY_MAP, 0, N_("Is anything missing? The platform's list of numbers, compared.")),
	TARGET_ROWS("pull.check", N_("The list of numbers; {since} {until} are filled in.")),
	KEY("pull.check.every", KEY_INT, 0, N_("How often."), .fallback = "3600", .unit = "s", .min = 1, .max = 604800),
	KEY("pull.check.ids", KEY_POINTER, 0, N_("Where the list is in the answer.")),
	KEY("pull.check.id", KEY_POINTER, 0, N_("Where the number is in its items; default the items are numbers.")),
	KEY("pull.fetch", KEY_MAP, 0, N_("One ticket, for what was missing.")),
	TARGET_ROWS("pull.fetch", N_("The ticket; {id} is filled in.")),
	KEY("pull.fetch.rows", KEY_POINTER, 0, N_("Where the ticket is in the answer.")),

	KEY("back", KEY_MAP, 0, N_("Replies, back to the platform or into a file.")),
	TARGET_ROWS("back",
		    N_("The platform; {id} {number} {case} {kind} {code} {text} {time} {date} are filled in.")),
	KEY("back.ok", KEY_POINTER, 0, N_("Where a 2xx answer says whether it worked; default it did.")),
	KEY("back.ok_value", KEY_TEXT, 0, N_("What stands there when it did."), .fallback = "true"),
	KEY("back.file", KEY_TEXT, 0, N_("A CSV file that the replies are added to; {date} is filled in.")),
	KEY("back.kinds", KEY_NAMED, 0, N_("Which kinds go back, each with the platform's {code}; default all."),
	    .name = KEY_TEXT),
	KEY("back.kinds.*", KEY_TEXT, 0, N_("Its code.")),
	{0},
};

static const char *secret(struct scope s, const char *key)
{
	const struct node *node = scope_node(s, key);

	return node ? secret_fill(s.l, node, key_child(s.row, key)) : NULL;
}

static void read_target(struct scope s, struct http_target *ret)
{
	struct scope headers = scope_in(s, "headers");
	const struct node *map = scope_node(s, "headers");
	int method = scope_enum(s, "method");

	*ret = (struct http_target){.url = secret(s, "url"), .body = secret(s, "body"),
				    .method = method >= 0 ? methods[method] : NULL};
	for (size_t i = 0; map && map->kind == NODE_MAP && i < map->n && ret->n_headers < HEADERS; i++) {
		const char *value = secret_fill(s.l, map->items[i], key_child(headers.row, "*"));

		if (value)
			ret->headers[ret->n_headers++] = arena_printf(s.l->arena, "%s: %s", map->keys[i]->text, value);
	}
}

static void must_have(struct scope s, const char *key, const char *remedy, const char *what)
{
	struct mark at = scope_mark(s, NULL);

	if (s.map && !scope_node(s, key))
		lint_add(&s.l->lint, "E11", &at, remedy, "%s", what);
}

static void read_push(struct scope s, struct push_settings *p)
{
	if (!s.map || !type_listen(scope_text(s, "listen") ? scope_text(s, "listen") : "off", s.l->arena, &p->address,
				   &p->port))
		return;
	p->path = scope_text(s, "path");
	p->key = secret(s, "key");
	p->key_header = scope_text(s, "key_header");
	p->hmac = secret(s, "hmac");
	p->signature_header = scope_text(s, "signature_header");
	p->timestamp_header = scope_text(s, "timestamp_header");
	p->rows = scope_text(s, "rows");
	p->type = scope_text(s, "type");
	p->answer = scope_text(s, "answer");
	p->later = scope_text(s, "later");
	p->refused = scope_text(s, "refused");
	p->size = scope_int(s, "size");
	p->rate = scope_int(s, "rate");
	p->burst = scope_int(s, "burst");
	p->wait_us = scope_int(s, "wait") * SECOND_US;
	if (p->address && !scope_node(s, "hmac"))
		must_have(s, "key", _("add `key: \"${secret:NAME}\"` or `hmac: \"${secret:NAME}\"`"),
			  _("anybody could post tickets: there is neither key nor hmac"));
}

static void read_pull(struct scope s, struct pull_settings *p)
{
	struct scope check = scope_in(s, "check"), fetch = scope_in(s, "fetch");

	if (!s.map)
		return;
	must_have(s, "url", _("add `url:`"), _("it is not said where the platform is"));
	if (check.map) {
		must_have(check, "url", _("add `url:`"), _("it is not said where the platform is"));
		must_have(s, "fetch", _("add `fetch: {url: …{id}…}`"), _("what was found missing could not be fetched"));
	}
	read_target(s, &p->list);
	read_target(check, &p->check);
	read_target(fetch, &p->fetch);
	p->every_us = scope_int(s, "every") * SECOND_US;
	p->overlap_us = scope_int(s, "overlap") * SECOND_US;
	p->start_us = scope_int(s, "start") * DAY_S * SECOND_US;
	p->check_every_us = scope_int(check, "every") * SECOND_US;
	p->time_format = scope_text(s, "time_format");
	p->rows = scope_text(s, "rows");
	p->next = scope_text(s, "next");
	p->pages = scope_int(s, "pages");
	p->ids = scope_text(check, "ids");
	p->id = scope_text(check, "id");
	p->fetch_rows = scope_text(fetch, "rows");
}

static void read_back(struct scope s, struct back_settings *b)
{
	if (!s.map)
		return;
	read_target(s, &b->target);
	b->file = scope_text(s, "file");
	b->ok = scope_text(s, "ok");
	b->ok_value = scope_text(s, "ok_value");
	b->kinds = scope_node(s, "kinds");
	if (!scope_node(s, "url"))
		must_have(s, "file", _("add `url:` or `file:`"), _("it is not said where replies go"));
}

static void read_options(struct scope root, struct hotline *h)
{
	const struct needle_option *options = needle_plugin.options;
	const struct node *map = scope_node(root, "options");

	for (size_t i = 0; i < ARRAY_LEN(h->options) && options[i].name; i++) {
		const struct node *given = node_get(map, options[i].name);

		h->options[i].text = given && given->text ? given->text : options[i].default_text;
	}
	for (size_t i = 0; map && map->kind == NODE_MAP && i < map->n; i++) {
		bool known = false;

		for (size_t k = 0; options[k].name; k++)
			known |= strcmp(options[k].name, map->keys[i]->text) == 0;
		if (!known)
			lint_add(&root.l->lint, "E10", &map->keys[i]->at, _("take it out; the reference lists every key"),
				 _("the decoder “%s” has no option “%s”"), needle_plugin.name, map->keys[i]->text);
	}
}

void hotline_read(void *self, struct scope root)
{
	struct hotline *h = self;
	struct scope folder = scope_in(root, "folder");
	const char *channel = scope_text(root, "channel");
	struct mark at = scope_mark(root, NULL);

	load_mapping(root, &h->mapping);
	h->mapping.id = channel ? channel : "";
	read_options(root, h);
	if (folder.map) {
		h->folder_is = (struct folder_settings){.path = scope_text(folder, "path"), .sheet = scope_text(folder, "sheet"),
							.every_us = scope_int(folder, "every") * SECOND_US,
							.settle_us = scope_int(folder, "settle") * SECOND_US};
	}
	read_push(scope_in(root, "push"), &h->push_is);
	read_pull(scope_in(root, "pull"), &h->pull_is);
	read_back(scope_in(root, "back"), &h->back_is);
	if (!scope_node(root, "folder") && !scope_node(root, "push") && !scope_node(root, "pull"))
		lint_add(&root.l->lint, "E11", &at, _("add at least one of `folder:`, `push:`, `pull:`"),
			 _("nothing is said of where tickets come from"));
	if (h->mapping.n_map && !node_get(scope_node(root, "map"), "id"))
		lint_add(&root.l->lint, "E11", &at, _("add `id:` to `map:`: the ticket's number"),
			 _("the map does not say where the ticket's number is"));
}
