/*
 * Who may say and hear what at the broker follows from the folder alone, so it is printed from it and
 * never kept by hand. An acl_file (not dynamic-security): it can be read, compared and reloaded by
 * SIGHUP. One user a department, one a channel.
 */
#include "ctl/ctl.h"

#include "settings/snapshot.h"

static const struct flag flags[] = {
	{"users", 0, NULL, N_("only the users' names, one a line, to make a password file from")},
	{0},
};

static void topic(struct str *out, const char *access, const char *tenant, const char *rest)
{
	str_addf(out, "topic %s needle/%s/%s\n", access, tenant, rest);
}

/* A filter of the channel that lies outside the tenant's own tree. */
static bool is_foreign(const struct office *office, const char *filter)
{
	size_t len = strlen(office->tenant);

	return strncmp(filter, "needle/", 7) != 0 || strncmp(filter + 7, office->tenant, len) != 0 ||
	       filter[7 + len] != '/';
}

static void foreign_topics(struct str *out, const char *access, const struct office *office,
			   const struct channel *c)
{
	for (size_t i = 0; i < c->n_filters; i++)
		if (is_foreign(office, c->filters[i]))
			str_addf(out, "topic %s %s\n", access, c->filters[i]);
}

static void gateway(struct str *out, const char *user, const struct office *office)
{
	str_addf(out, "\nuser %s\n", user);
	topic(out, "readwrite", office->tenant, "#");
	for (size_t i = 0; i < office->n_channels; i++)
		foreign_topics(out, "read", office, &office->channels[i]);
}

static void department(struct ctl *ctl, const struct office *office, const struct department *d)
{
	str_addf(&ctl->out, "\nuser dept-%s\n", d->id);
	topic(&ctl->out, "read", office->tenant, arena_printf(&ctl->arena, "dept/%s/#", d->id));
	topic(&ctl->out, "write", office->tenant, arena_printf(&ctl->arena, "dept/%s/cmd", d->id));
}

static void channel(struct ctl *ctl, const struct office *office, const struct channel *c)
{
	str_addf(&ctl->out, "\nuser in-%s\n", c->id);
	topic(&ctl->out, "write", office->tenant, arena_printf(&ctl->arena, "in/%s/#", c->id));
	foreign_topics(&ctl->out, "write", office, c);
	topic(&ctl->out, "read", office->tenant, arena_printf(&ctl->arena, "receipt/%s/#", c->id));
	topic(&ctl->out, "read", office->tenant, arena_printf(&ctl->arena, "out/%s/#", c->id));
}

static void print_acl(struct ctl *ctl, const char *user, const struct office *office)
{
	static const char *const wall[] = {"wall", "report/#", "public/#", "gateway/#", "dept/+/summary"};

	str_addf(&ctl->out, "# Made by needlectl broker-acl for %s from configuration %s; do not edit.\n",
		 office->tenant, office->hash);
	gateway(&ctl->out, user, office);
	for (size_t i = 0; i < office->n_departments; i++)
		department(ctl, office, &office->departments[i]);
	for (size_t i = 0; i < office->n_channels; i++)
		channel(ctl, office, &office->channels[i]);
	str_add(&ctl->out, "\nuser wall\n");
	for (size_t i = 0; i < ARRAY_LEN(wall); i++)
		topic(&ctl->out, "read", office->tenant, wall[i]);
}

static void print_users(struct ctl *ctl, const char *user, const struct office *office)
{
	str_addf(&ctl->out, "%s\n", user);
	for (size_t i = 0; i < office->n_departments; i++)
		str_addf(&ctl->out, "dept-%s\n", office->departments[i].id);
	for (size_t i = 0; i < office->n_channels; i++)
		str_addf(&ctl->out, "in-%s\n", office->channels[i].id);
	str_add(&ctl->out, "wall\n");
}

static int run(struct ctl *ctl, struct err *e)
{
	const char *user;
	int r = ctl_settings(ctl, e);

	if (r < 0)
		return r;
	user = ctl->settings->broker.user;
	if (args_has(&ctl->args, "users"))
		print_users(ctl, user ? user : "needled", &ctl->settings->office);
	else
		print_acl(ctl, user ? user : "needled", &ctl->settings->office);
	return CTL_DONE;
}

const struct verb verb_broker_acl = {
	.name = "broker-acl",
	.group = ctl_offline,
	.operands = "",
	.help = N_("Print Mosquitto's acl_file for the folder's departments and channels."),
	.detail = N_("Users: the gateway's own (broker: user), dept-ID and in-ID for every department and channel, and wall for "
		     "leaders' and public boards. A department reads its own tree and writes its commands; a channel writes "
		     "its messages and reads its receipts and replies. Everything else is denied.\n"),
	.flags = flags,
	.run = run,
};
