#include "ctl/ctl.h"

#include <limits.h>
#include <unistd.h>

#include "settings/snapshot.h"
#include "store/pg.h"
#include "store/version.h"

static const struct flag flags[] = {
	{"schema", 0, "DIR", N_("folder of the migrations (else $NEEDLE_SCHEMA, that beside the program, "
			     "/usr/local/share/needle/schema)")},
	{"check", 0, NULL, N_("only say whether the database has this program's version; 1 when not")},
	{0},
};

/* Seen from the program: in a build tree, in one with sanitizers, and installed. */
static const char *const beside[] = {"../schema", "../../schema", "../share/needle/schema"};

/* The first that exists; what was named is taken as it is. */
static const char *find_folder(struct ctl *ctl)
{
	const char *named = ctl_flag(ctl, "schema"), *found;
	char exe[PATH_MAX], *slash;
	ssize_t n;

	named = named ? named : getenv("NEEDLE_SCHEMA");
	if (named && *named)
		return named;
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = '\0';
	slash = strrchr(exe, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; i < ARRAY_LEN(beside); i++) {
		found = arena_printf(&ctl->arena, "%s/%s", exe, beside[i]);
		if (access(found, R_OK) == 0)
			return found;
	}
	return "/usr/local/share/needle/schema";
}

static void on_applied(void *arg, const struct migration *m)
{
	json_array_append_new(arg, json_string(m->name));
}

static void print(struct ctl *ctl, int version, json_t *applied)
{
	size_t i;
	json_t *name;

	if (ctl->json) {
		json_t *all = json_pack("{s:i,s:i,s:b,s:O}", "version", version, "wanted", SCHEMA_VERSION, "current",
					version == SCHEMA_VERSION, "applied", applied);

		ctl_print_json(ctl, all);
		json_decref(all);
		return;
	}
	json_array_foreach(applied, i, name)
		str_addf(&ctl->out, "%s %s\n", say(ctl, "applied"), json_string_value(name));
	str_addf(&ctl->out, "%s %d", say(ctl, "the database has schema"), version);
	if (version != SCHEMA_VERSION)
		str_addf(&ctl->out, ", %s %d", say(ctl, "this program works with"), SCHEMA_VERSION);
	str_addc(&ctl->out, '\n');
}

static int migrate(struct ctl *ctl, struct pg *pg, struct err *e)
{
	json_t *applied = json_array();
	int version = 0, r = 0;

	if (!args_has(&ctl->args, "check"))
		r = version_migrate(pg, find_folder(ctl), on_applied, applied, e);
	if (r == 0)
		r = version_read(pg, &version, e);
	if (r == 0)
		print(ctl, version, applied);
	json_decref(applied);
	if (r < 0)
		return r;
	return version == SCHEMA_VERSION ? CTL_DONE : CTL_NO;
}

static int run(struct ctl *ctl, struct err *e)
{
	const char *dsn = getenv("NEEDLE_PG_DSN");
	struct pg *pg = NULL;
	int r = 0;

	if (!dsn || !*dsn) {
		r = ctl_settings(ctl, e);
		dsn = r == 0 ? ctl->settings->dsn : NULL;
	}
	if (r == 0)
		r = pg_open(dsn, "needlectl migrate", &pg, e);
	if (r == 0)
		r = migrate(ctl, pg, e);
	pg_close(pg);
	return r;
}

const struct verb verb_migrate = {
	.name = "migrate",
	.group = ctl_stored,
	.operands = "",
	.help = N_("Bring the database to this program's version."),
	.detail = N_("Applies schema/NNN_name.sql in order, each in one transaction with its row in needle.schema_version. "
		     "Forward only; run again it changes nothing. needled refuses to work on any other version than its "
		     "own.\n"),
	.flags = flags,
	.run = run,
};
