/*
 * Secrets never stand in the folder's files: `${secret:NAME}` names one, and its text comes from a systemd
 * credential, a private file, or an env file. They are neither printed nor hashed, so that a new
 * password is not a new configuration.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"
#include "settings/load.h"
#include "settings/types.h"

enum { SECRET_MAX = 64 * 1024 };

struct secret {
	const char *text;
	const char *path;               /* of the file that holds it, or NULL */
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Reads the file when there is one; *ret_open tells whether others may read it. */
static bool read_secret(struct loader *l, const char *path, struct secret *ret, bool *ret_open)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char *text;
	size_t got = 0;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > SECRET_MAX)
		return false;
	text = arena_alloc(l->arena, (size_t)st.st_size + 1);
	while (got < (size_t)st.st_size) {
		n = read(fd, text + got, (size_t)st.st_size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)     /* half a secret is none: the broker would refuse it for ever */
			return false;
		got += (size_t)n;
	}
	/* An editor leaves a newline that is no part of the secret. */
	while (got && (text[got - 1] == '\n' || text[got - 1] == '\r'))
		text[--got] = '\0';
	*ret_open = st.st_mode & (S_IRWXG | S_IRWXO);
	*ret = (struct secret){.text = text, .path = arena_strdup(l->arena, path)};
	return true;
}

static bool from_credentials(struct loader *l, const char *name, struct secret *ret)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];
	bool ignored;

	if (!folder || snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return false;
	return read_secret(l, path, ret, &ignored);
}

static bool from_folder(struct loader *l, const char *name, const struct mark *at, struct secret *ret)
{
	char path[PATH_MAX];
	bool is_open;

	if (snprintf(path, sizeof(path), "%s/secrets/%s", l->folder, name) >= (int)sizeof(path) ||
	    !read_secret(l, path, ret, &is_open))
		return false;
	/* On a desk the mode means little: a copy from a repository has lost it. */
	if (is_open && !(l->options->flags & LOAD_SECRETS_OPTIONAL))
		lint_add(&l->lint, "W50", at, arena_printf(l->arena, "chmod 0600 secrets/%s", name),
			   _("secrets/%s may be read by others"), name);
	return true;
}

static bool from_env_file(struct loader *l, const char *name, struct secret *ret)
{
	struct secret file;
	bool ignored;
	size_t n = strlen(name);

	if (!l->options->env_file || !read_secret(l, l->options->env_file, &file, &ignored))
		return false;
	for (const char *line = file.text; line; line = strchr(line, '\n')) {
		size_t len;

		line += *line == '\n';
		if (strncmp(line, name, n) != 0 || line[n] != '=')
			continue;
		len = strcspn(line + n + 1, "\r\n");
		*ret = (struct secret){.text = arena_strndup(l->arena, line + n + 1, len)};
		return true;
	}
	return false;
}

static bool find_secret(struct loader *l, const char *name, const struct mark *at, struct secret *ret)
{
	if (from_credentials(l, name, ret) || from_folder(l, name, at, ret) || from_env_file(l, name, ret))
		return true;
	(l->options->flags & LOAD_SECRETS_OPTIONAL ? lint_warn : lint_add)(
		&l->lint, "E51", at,
		arena_printf(l->arena, _("put it into secrets/%s (mode 0600) or a systemd credential of that name"),
			     name),
		_("the secret “%s” is nowhere to be found"), name);
	return false;
}

/* A whole value that must be ${secret:NAME}. */
static bool reference(struct loader *l, const struct node *node, char name[65])
{
	if (type_secret(node->text, name))
		return true;
	/* The printed form of a configuration has lost its secrets: that is not giving one in clear. */
	if (strcmp(node->text, "***") == 0) {
		(l->options->flags & LOAD_SECRETS_OPTIONAL ? lint_warn : lint_add)(
			&l->lint, "E51", &node->at, _("write ${secret:NAME}"), _("the secret is masked here"));
		return false;
	}
	lint_add(&l->lint, "E50", &node->at,
		   _("write ${secret:NAME} and put the secret into secrets/NAME (mode 0600) or a systemd credential"),
		   _("a secret stands here in clear"));
	lint_hide_source(&l->lint);
	return false;
}

static bool is_hidden(const char *value)
{
	return strncmp(value, "${secret:", 9) == 0 || strncmp(value, "***", 3) == 0;
}

static bool holds_password(const char *dsn)
{
	const char *at = strstr(dsn, "password"), *user = strstr(dsn, "://");

	for (; at; at = strstr(at + 1, "password")) {
		const char *value = at + 8 + strspn(at + 8, " ");

		if (*value == '=' && !is_hidden(value + 1 + strspn(value + 1, " '")))
			return true;
	}
	if (user && (at = strchr(user, '@'))) {
		const char *colon = memchr(user + 3, ':', (size_t)(at - user - 3));

		return colon && !is_hidden(colon + 1);
	}
	return false;
}

/* A text in which references may stand. */
static const char *fill_dsn(struct loader *l, const struct node *node)
{
	CLEANUP(str_done) struct str t = {0};
	const char *from = node->text, *at;
	bool good = true;

	if (holds_password(node->text)) {
		lint_add(&l->lint, "E50", &node->at, _("write password=${secret:NAME}"),
			   _("a password stands here in clear"));
		lint_hide_source(&l->lint);
		return NULL;
	}
	for (; (at = strstr(from, "${")); from = strchr(at, '}') + 1) {
		const char *end = strchr(at, '}');
		const char *one = end ? arena_strndup(l->arena, at, (size_t)(end - at) + 1) : at;
		struct secret secret;
		char name[65];

		if (!type_secret(one, name)) {
			lint_add(&l->lint, "E51", &node->at, _("write ${secret:NAME}"), _("“%s” cannot be filled in"),
				   one);
			return NULL;
		}
		str_addn(&t, from, (size_t)(at - from));
		good = find_secret(l, name, &node->at, &secret) && good;
		if (good)
			str_add(&t, secret.text);
	}
	str_add(&t, from);
	return good ? arena_strdup(l->arena, t.s) : NULL;
}

const char *secret_fill(struct loader *l, const struct node *node, const struct key_info *row)
{
	struct secret secret;
	char name[65];

	if (!node || node->kind != NODE_TEXT)
		return NULL;
	if (row->type == KEY_DSN)
		return fill_dsn(l, node);
	return reference(l, node, name) && find_secret(l, name, &node->at, &secret) ? secret.text : NULL;
}

const char *secret_path(struct loader *l, const struct node *node)
{
	struct secret secret;
	char name[65];

	if (!node || node->kind != NODE_TEXT || !reference(l, node, name) ||
	    !find_secret(l, name, &node->at, &secret))
		return NULL;
	if (!secret.path)
		lint_add(&l->lint, "E51", &node->at, _("put the key into a file: secrets/NAME or a credential"),
			   _("a private key cannot come from an env file"));
	return secret.path;
}
