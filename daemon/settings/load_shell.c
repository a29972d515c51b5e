/* What the daemon needs beside the office: broker, database, HTTP, disk, secrets. */
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "settings/load.h"
#include "settings/types.h"

/* A file that is only named here: somebody else reads it, but it must be there and inside. */
static const char *path_of(struct scope s, const char *key)
{
	const char *text = scope_text(s, key);
	CLEANUP(mem_freep) char *real = NULL;
	struct mark at = scope_mark(s, key);
	size_t n = strlen(s.l->folder);
	const char *path;

	if (!text || !type_path(text))
		return NULL;
	path = arena_printf(s.l->arena, "%s/%s", s.l->folder, text);
	real = realpath(path, NULL);
	if (real && (strncmp(real, s.l->folder, n) != 0 || real[n] != '/'))
		lint_add(&s.l->lint, "E52", &at, _("put the file into the folder"), _("%s leads out of the folder"),
			 text);
	else if (!real && !(s.l->options->flags & LOAD_SECRETS_OPTIONAL))
		lint_add(&s.l->lint, "E52", &at, _("put the file into the folder"), _("there is no file %s"), text);
	return path;
}

void load_broker(struct scope s, struct broker_settings *broker)
{
	struct scope tls = scope_in(s, "tls");

	broker->host = scope_text(s, "host");
	broker->port = (int)scope_int(s, "port");
	broker->user = scope_text(s, "user");
	broker->password = secret_fill(s.l, scope_node(s, "password"), key_child(s.row, "password"));
	broker->tls_ca = path_of(tls, "ca");
	broker->tls_cert = path_of(tls, "cert");
	broker->tls_key = secret_path(s.l, scope_node(tls, "key"));
}

void load_shell(struct loader *l)
{
	struct settings *settings = l->settings;
	struct office *office = &settings->office;
	struct scope root = scope_root(l), reload = scope_in(root, "reload"), intake = scope_in(root, "intake"),
		     privacy = scope_in(root, "privacy"), database = scope_in(root, "database");
	const struct node *dsn = scope_node(database, "dsn");

	load_broker(scope_in(root, "broker"), &settings->broker);
	settings->dsn = dsn ? secret_fill(l, dsn, key_child(database.row, "dsn")) : scope_text(database, "dsn");
	if (!type_listen(scope_text(scope_in(root, "http"), "listen"), l->arena, &settings->http.address,
			 &settings->http.port))
		settings->http.address = NULL;
	settings->intake.power = strcmp(scope_text(intake, "durability"), "power") == 0;
	settings->intake.inbox_bytes = scope_int(intake, "inbox");
	settings->reload.tests_required = strcmp(scope_text(reload, "tests"), "required") == 0;
	settings->reload.warnings_deny = strcmp(scope_text(reload, "warnings"), "deny") == 0;
	settings->reload.min_coverage = (int)scope_int(reload, "min_coverage");
	settings->privacy_keys = secret_fill(l, scope_node(privacy, "keys"), key_child(privacy.row, "keys"));
	office->visibility = (enum visibility)scope_enum(privacy, "visibility");
	office->retain_days = scope_int(privacy, "retain");
}
