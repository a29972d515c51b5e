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

static json_t *user(json_t *users, const char *name)
{
	json_t *topics = json_array();

	json_array_append_new(users, json_pack("{s:s,s:o}", "user", name, "topics", topics));
	return topics;
}

static void grant(json_t *topics, const char *access, const char *topic)
{
	json_array_append_new(topics, json_pack("{s:s,s:s}", "access", access, "topic", topic));
}

static void own(struct ctl *ctl, json_t *topics, const char *access, const char *rest)
{
	grant(topics, access, arena_printf(&ctl->arena, "needle/%s/%s", ctl->settings->office.tenant, rest));
}

/* A filter of the channel that lies outside the tenant's own tree. */
static bool is_foreign(const struct office *office, const char *filter)
{
	size_t len = strlen(office->tenant);

	return strncmp(filter, "needle/", 7) != 0 || strncmp(filter + 7, office->tenant, len) != 0 ||
	       filter[7 + len] != '/';
}

static void foreign_topics(json_t *topics, const char *access, const struct office *office, const struct channel *c)
{
	for (size_t i = 0; i < c->n_filters; i++)
		if (is_foreign(office, c->filters[i]))
			grant(topics, access, c->filters[i]);
}

static void gateway(struct ctl *ctl, json_t *users, const struct office *office)
{
	const char *name = ctl->settings->broker.user;
	json_t *topics = user(users, name ? name : "needled");

	own(ctl, topics, "readwrite", "#");
	for (size_t i = 0; i < office->n_channels; i++)
		foreign_topics(topics, "read", office, &office->channels[i]);
}

static void department(struct ctl *ctl, json_t *users, const struct department *d)
{
	json_t *topics = user(users, arena_printf(&ctl->arena, "dept-%s", d->id));

	own(ctl, topics, "read", arena_printf(&ctl->arena, "dept/%s/#", d->id));
	own(ctl, topics, "write", arena_printf(&ctl->arena, "dept/%s/cmd", d->id));
}

static void channel(struct ctl *ctl, json_t *users, const struct office *office, const struct channel *c)
{
	json_t *topics = user(users, arena_printf(&ctl->arena, "in-%s", c->id));

	own(ctl, topics, "write", arena_printf(&ctl->arena, "in/%s/#", c->id));
	foreign_topics(topics, "write", office, c);
	own(ctl, topics, "read", arena_printf(&ctl->arena, "receipt/%s/#", c->id));
	own(ctl, topics, "read", arena_printf(&ctl->arena, "out/%s/#", c->id));
}

static json_t *all_users(struct ctl *ctl, const struct office *office)
{
	static const char *const boards[] = {"wall", "report/#", "public/#", "gateway/#", "dept/+/summary"};
	json_t *users = json_array(), *wall;

	gateway(ctl, users, office);
	for (size_t i = 0; i < office->n_departments; i++)
		department(ctl, users, &office->departments[i]);
	for (size_t i = 0; i < office->n_channels; i++)
		channel(ctl, users, office, &office->channels[i]);
	wall = user(users, "wall");
	for (size_t i = 0; i < ARRAY_LEN(boards); i++)
		own(ctl, wall, "read", boards[i]);
	return users;
}

static const char *member(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static void print_acl(struct ctl *ctl, const json_t *users)
{
	const struct office *office = &ctl->settings->office;
	size_t i, k;
	json_t *one, *topic;

	str_addf(&ctl->out, "# Made by needlectl broker-acl for %s from configuration %s; do not edit.\n", office->tenant,
		 office->hash);
	json_array_foreach(users, i, one) {
		str_addf(&ctl->out, "\nuser %s\n", member(one, "user"));
		json_array_foreach(json_object_get(one, "topics"), k, topic)
			str_addf(&ctl->out, "topic %s %s\n", member(topic, "access"), member(topic, "topic"));
	}
}

static json_t *names_of(const json_t *users)
{
	json_t *names = json_array(), *one;
	size_t i;

	json_array_foreach(users, i, one)
		json_array_append(names, json_object_get(one, "user"));
	return names;
}

static void print_json(struct ctl *ctl, json_t *users)
{
	json_t *whole = json_pack("{s:s,s:s,s:O}", "tenant", ctl->settings->office.tenant, "config",
				  ctl->settings->office.hash, "users", users);

	ctl_print_json(ctl, whole);
	json_decref(whole);
}

static int run(struct ctl *ctl, struct err *e)
{
	bool names = args_has(&ctl->args, "users");
	json_t *users, *named, *one;
	size_t i;
	int r = ctl_settings(ctl, e);

	if (r < 0)
		return r;
	users = all_users(ctl, &ctl->settings->office);
	named = names_of(users);
	if (ctl->json)
		print_json(ctl, names ? named : users);
	else if (!names)
		print_acl(ctl, users);
	else
		json_array_foreach(named, i, one)
			str_addf(&ctl->out, "%s\n", json_string_value(one));
	json_decref(named);
	json_decref(users);
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
