/* Where the peers of a verb are found: a flag, else the environment, else the configuration folder. */
#include "ctl/ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/time/moment.h"
#include "health/control.h"
#include "plugin/decoder.h"
#include "settings/snapshot.h"
#include "store/pg.h"
#include "store/version.h"

int ctl_usage(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vcode(e, ERR_BAD, "usage", fmt, ap);
	va_end(ap);
	return ERR_BAD;
}

int ctl_time(const struct ctl *ctl, const char *flag, int64_t otherwise, int64_t *ret, struct err *e)
{
	const char *text = ctl_flag(ctl, flag);

	*ret = otherwise;
	if (text && !moment_parse(text, ret))
		return ctl_usage(e, "--%s: '%s' is not a time such as 2026-11-20 08:31", flag, text);
	return 0;
}

int ctl_number(const struct ctl *ctl, const char *flag, int64_t min, int64_t max, int64_t otherwise, int64_t *ret,
	       struct err *e)
{
	const char *text = ctl_flag(ctl, flag);

	*ret = otherwise;
	if (text && !str_to_int(text, min, max, ret))
		return ctl_usage(e, "--%s: '%s' is not a number from %" PRId64 " to %" PRId64, flag, text, min, max);
	return 0;
}

int ctl_timeout(const struct ctl *ctl, int64_t *ret_us, struct err *e)
{
	int r = ctl_number(ctl, "timeout", 1, 3600, 10, ret_us, e);

	*ret_us *= 1000000;
	return r;
}

void ctl_print_json(struct ctl *ctl, const json_t *json)
{
	CLEANUP(mem_freep) char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

	str_add(&ctl->out, text ? text : "null");
	str_addc(&ctl->out, '\n');
}

json_t *ctl_json_text(const char *text)
{
	return text ? json_string(text) : json_null();
}

json_t *ctl_json_time(int64_t at)
{
	char text[MOMENT_TEXT];

	return at == MOMENT_NONE ? json_null() : json_string(moment_rfc3339(at, text));
}

void ctl_load_options(const struct ctl *ctl, char plugins[512], struct load_options *ret)
{
	*ret = (struct load_options){.flags = LOAD_SECRETS_OPTIONAL, .env_file = ctl_flag(ctl, "env-file"),
				     .decoder = decoders_info,
				     .decoder_arg = (void *)(uintptr_t)decoders_folder(plugins, 512)};
}

int ctl_load(struct ctl *ctl, const char *folder, struct settings **ret, struct err *e)
{
	struct load_options options;
	char plugins[512];
	int r;

	ctl_load_options(ctl, plugins, &options);
	r = settings_load(folder, &options, ret, e);
	if (r == SETTINGS_HAS_ERRORS) {
		err_code(e, ERR_BAD, "config", "%s has %zu errors: needlectl check -c %s names them", folder,
			 (*ret)->findings.n_errors, folder);
		settings_unref(*ret);
		*ret = NULL;
		return ERR_BAD;
	}
	if (r < 0) {
		snprintf(e->code, sizeof(e->code), "config");
		return r;
	}
	return 0;
}

int ctl_settings(struct ctl *ctl, struct err *e)
{
	return ctl->settings ? 0 : ctl_load(ctl, ctl->folder, &ctl->settings, e);
}

int ctl_database(struct ctl *ctl, struct pg **ret, struct err *e)
{
	const char *dsn = getenv("NEEDLE_PG_DSN");
	int r = ctl_settings(ctl, e);

	if (r < 0)
		return r;
	r = pg_open(dsn && *dsn ? dsn : ctl->settings->dsn, "needlectl", ret, e);
	if (r < 0)
		return r;
	r = version_check(*ret, e);
	if (r < 0) {
		pg_close(*ret);
		*ret = NULL;
	}
	return r;
}

const char *ctl_dept_name(const struct ctl *ctl, const char *id)
{
	const struct department *d = id ? map_get(&ctl->settings->office.dept_by_id, id) : NULL;

	return d ? d->name : id;
}

/* ---- the daemon's control socket ---- */

static int socket_path(struct ctl *ctl, struct sockaddr_un *to, struct err *e)
{
	const char *path = ctl_flag(ctl, "ctl"), *instance = ctl_flag(ctl, "instance");
	char standard[sizeof(to->sun_path)];

	path = path ? path : getenv("NEEDLE_CTL");
	if (!path || !*path) {
		int r = ctl_settings(ctl, e);

		if (r < 0)
			return r;
		control_path(ctl->settings->office.tenant, instance ? instance : "a", standard, sizeof(standard));
		path = standard;
	}
	if (strlen(path) >= sizeof(to->sun_path))
		return ctl_usage(e, "the socket's path is too long: %s", path);
	*to = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(to->sun_path, path, strlen(path));
	return 0;
}

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int talk(int fd, const char *line, struct str *answer)
{
	size_t len = strlen(line);
	char buf[4096];
	ssize_t n = 0;

	for (size_t sent = 0; sent < len; sent += (size_t)n) {
		n = send(fd, line + sent, len - sent, MSG_NOSIGNAL);
		if (n <= 0)
			return ERR_AGAIN;
	}
	while (!answer->len || answer->s[answer->len - 1] != '\n') {
		n = recv(fd, buf, sizeof(buf), 0);
		if (n <= 0)
			return ERR_AGAIN;
		str_addn(answer, buf, (size_t)n);
	}
	return 0;
}

int ctl_ask(struct ctl *ctl, json_t *request, json_t **ret, struct err *e)
{
	CLEANUP(mem_freep) char *text = json_dumps(request, JSON_COMPACT);
	CLEANUP(str_done) struct str line = {0}, answer = {0};
	CLEANUP(close_fd) int fd = -1;
	struct sockaddr_un to;
	struct timeval wait = {0};
	const char *error;
	int64_t wait_us;
	json_t *json;

	if (ctl_timeout(ctl, &wait_us, e) < 0 || socket_path(ctl, &to, e) < 0)
		return e->class;
	wait.tv_sec = wait_us / 1000000;
	str_addf(&line, "%s\n", text ? text : "");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return err_set(e, ERR_AGAIN, "the daemon cannot be reached at %s: %s", to.sun_path, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (talk(fd, line.s, &answer) < 0)
		return err_set(e, ERR_AGAIN, "the daemon at %s gave no answer", to.sun_path);
	json = json_loadb(answer.s, answer.len, 0, NULL);
	error = json_string_value(json_object_get(json, "error"));
	if (!json || error) {
		err_set(e, ERR_BAD, "the daemon says: %s", error ? error : "something that is not JSON");
		json_decref(json);
		return ERR_BAD;
	}
	*ret = json;
	return 0;
}
