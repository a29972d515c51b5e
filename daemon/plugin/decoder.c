/*
 * Loads channel plugins. A plugin is data until its descriptor has been checked: nothing of it runs
 * before the ABI number, the size, the name and the options agree. RTLD_NOW makes a missing symbol a
 * refusal at start instead of a crash at the first message; RTLD_LOCAL keeps two plugins from seeing
 * each other's symbols.
 *
 * This file does not know what a report looks like. It hands the texts that a plugin gives to the
 * core, which treats them like any message from outside: a plugin can make a bad report, never a case.
 */
#include "plugin/decoder.h"

#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/tongue.h"
#include "base/vec.h"
#include "core/understand/message.h"
#include "needle_plugin.h"
#include "settings/snapshot.h"
#include "settings/types.h"

#ifndef NEEDLE_LIBDIR
#define NEEDLE_LIBDIR "/usr/local/lib/needle"
#endif

/* A member that a plugin of this ABI must have; what comes later may be missing (struct_size tells). */
#define FIRST_SIZE (offsetof(struct needle_plugin, close) + sizeof(void (*)(void *)))

struct instance {
	const struct office *office;
	const struct channel *channel;
	const struct needle_plugin *plugin;
	void *handle;
	void *self;
	bool opened;
};
struct decoders {
	VEC(struct instance) instances;
};

static const char *const type_names[] = {
	[NEEDLE_OPTION_TEXT] = "text",
	[NEEDLE_OPTION_INTEGER] = "integer",
	[NEEDLE_OPTION_BOOLEAN] = "on or off",
};

/* ---- one plugin file ------------------------------------------------------------------------- */

static void handle_close(void **handle)
{
	if (*handle)
		dlclose(*handle);
}

static int plugin_check(const struct needle_plugin *p, const char *path, const char *name, struct err *e)
{
	if (p->abi != NEEDLE_PLUGIN_ABI)
		return err_code(e, ERR_BAD, "plugin-abi",
				"the plugin %s speaks plugin ABI %u, this daemon speaks %u: build it again "
				"with this version's needle_plugin.h", path, p->abi, NEEDLE_PLUGIN_ABI);
	if (p->struct_size < FIRST_SIZE)
		return err_code(e, ERR_BAD, "plugin-size",
				"the plugin %s has a descriptor of %u bytes where ABI %u needs %zu", path,
				p->struct_size, NEEDLE_PLUGIN_ABI, FIRST_SIZE);
	if (!p->name || strcmp(p->name, name) != 0)
		return err_code(e, ERR_BAD, "plugin-name",
				"the plugin %s calls itself \"%s\": file and name must agree", path,
				p->name ? p->name : "");
	if (!p->version || !p->help || !p->options || !p->decode)
		return err_code(e, ERR_BAD, "plugin-empty",
				"the plugin %s leaves out version, help, options or decode", path);
	return 0;
}

/* Loads NAME.so and checks its descriptor. *ret_handle holds one reference to be closed. */
static int plugin_load(const char *folder, const char *name, void **ret_handle,
		       const struct needle_plugin **ret, struct err *e)
{
	CLEANUP(handle_close) void *handle = NULL;
	const struct needle_plugin *plugin;
	char path[PATH_MAX];
	int len, r;

	if (!str_is_id(name))
		return err_code(e, ERR_BAD, "plugin-name", "the name of a decoder is an id such as \"hotline\"");
	len = snprintf(path, sizeof(path), "%s/%s.so", folder, name);
	if (len < 0 || (size_t)len >= sizeof(path))
		return err_code(e, ERR_BAD, "plugin-missing", "the plugin folder's name is too long");
	if (access(path, F_OK) != 0)
		return err_code(e, ERR_BAD, "plugin-missing", "there is no decoder \"%s\": no file %s", name, path);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!handle) {
		const char *why = dlerror();

		return err_code(e, ERR_BAD, "plugin-load", "the plugin cannot be loaded: %s", why ? why : path);
	}
	plugin = dlsym(handle, "needle_plugin");
	if (!plugin)
		return err_code(e, ERR_BAD, "plugin-symbol",
				"%s is no plugin: it does not export needle_plugin", path);
	r = plugin_check(plugin, path, name, e);
	if (r < 0)
		return r;
	*ret_handle = TAKE(handle);
	*ret = plugin;
	return 0;
}

/* ---- options --------------------------------------------------------------------------------- */

static int option_read(const struct needle_option *o, const char *text, struct needle_value *ret, struct err *e)
{
	bool flag;

	ret->text = text;
	if (o->type == NEEDLE_OPTION_INTEGER && !str_to_int(text, INT64_MIN, INT64_MAX, &ret->integer))
		return err_code(e, ERR_BAD, "option-type", "option %s wants an integer, not \"%s\"", o->name, text);
	if (o->type == NEEDLE_OPTION_BOOLEAN) {
		if (!type_bool(text, &flag))
			return err_code(e, ERR_BAD, "option-type", "option %s wants on or off, not \"%s\"", o->name,
					text);
		ret->integer = flag;
	}
	return 0;
}

static int option_unknown(const struct channel *ch, const struct needle_option *table, struct err *e)
{
	for (size_t i = 0; i < ch->n_options; i++) {
		const struct needle_option *o = table;

		while (o->name && strcmp(o->name, ch->options[i].name) != 0)
			o++;
		if (!o->name)
			return err_code(e, ERR_BAD, "option-unknown", "decoder %s has no option \"%s\"", ch->decoder,
					ch->options[i].name);
	}
	return 0;
}

/* The values in the table's order; the array is the caller's. */
static int options_read(const struct channel *ch, const struct needle_option *table, struct needle_value **ret,
			struct err *e)
{
	CLEANUP(mem_freep) struct needle_value *values = NULL;
	size_t n = 0;
	int r = option_unknown(ch, table, e);

	if (r < 0)
		return r;
	while (table[n].name)
		n++;
	values = mem_alloc((n + 1) * sizeof(*values));
	for (size_t k = 0; k < n; k++) {
		const char *text = table[k].default_text;

		for (size_t i = 0; i < ch->n_options; i++)
			if (strcmp(ch->options[i].name, table[k].name) == 0)
				text = ch->options[i].text;
		if (!text)
			return err_code(e, ERR_BAD, "option-missing", "decoder %s needs option \"%s\"", ch->decoder,
					table[k].name);
		r = option_read(&table[k], text, &values[k], e);
		if (r < 0)
			return r;
	}
	*ret = TAKE(values);
	return 0;
}

/* ---- decoding -------------------------------------------------------------------------------- */

struct collected {
	struct arena *arena;
	char **json;
	size_t n, cap;
	bool too_many;
};

static void collected_emit(void *context, const char *json, size_t len)
{
	struct collected *c = context;

	if (c->n == REPORTS_PER_MESSAGE) {
		c->too_many = true;
		return;
	}
	if (c->n == c->cap) {
		size_t cap = c->cap ? 4 * c->cap : 4;
		char **wider = arena_alloc(c->arena, cap * sizeof(*wider));

		if (c->n)
			memcpy(wider, c->json, c->n * sizeof(*wider));
		c->json = wider;
		c->cap = cap;
	}
	c->json[c->n++] = arena_strndup(c->arena, json, len);
}

/* What a plugin says may end in a log and in a receipt. */
static void why_clean(char *why, size_t size)
{
	why[size - 1] = '\0';
	if (!*why || !str_is_utf8(why, strlen(why)))
		snprintf(why, size, "the message is broken");
	for (char *p = why; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
}

static int instance_decode(void *self, const struct message *m, const char *utf8, size_t len, struct arena *a,
			   char ***ret_json, size_t *ret_n, struct err *e)
{
	const struct instance *in = self;
	struct collected c = {.arena = a};
	struct needle_output out = {sizeof(out), &c, collected_emit};
	struct needle_message msg = {.struct_size = sizeof(msg), .topic = m->topic, .channel = in->channel->id,
				     .source = NULL, .text = utf8, .text_len = len,
				     .received_us = m->received_at};
	enum needle_verdict verdict;
	char why[200] = "";

	message_channel(in->office, m->topic, a, &msg.source);
	if (!msg.source)
		msg.source = "";
	verdict = in->plugin->decode(in->self, &msg, &out, why, sizeof(why));
	if (verdict == NEEDLE_NOT_MINE)
		return DECODER_NOT_MINE;
	if (verdict != NEEDLE_DONE) {
		why_clean(why, sizeof(why));
		return err_code(e, ERR_BAD, "decoder", "decoder %s: %s", in->plugin->name, _(why));
	}
	if (c.too_many)
		return err_code(e, ERR_BAD, "too-many", "one message may hold at most %d reports",
				REPORTS_PER_MESSAGE);
	*ret_json = c.json;
	*ret_n = c.n;
	return 0;
}

/* ---- the set --------------------------------------------------------------------------------- */

static void instance_done(struct instance *in)
{
	if (in->opened && in->plugin->close)
		in->plugin->close(in->self);
	if (in->handle)
		dlclose(in->handle);
}

static int instance_open(struct instance *in, const char *folder, struct err *e)
{
	CLEANUP(mem_freep) struct needle_value *values = NULL;
	char why[200] = "";
	int r;

	r = plugin_load(folder, in->channel->decoder, &in->handle, &in->plugin, e);
	if (r < 0)
		return r;
	r = options_read(in->channel, in->plugin->options, &values, e);
	if (r < 0)
		return r;
	if (in->plugin->open && in->plugin->open(values, &in->self, why, sizeof(why)) != 0) {
		why_clean(why, sizeof(why));
		return err_code(e, ERR_BAD, "plugin-open", "decoder %s: %s", in->plugin->name, _(why));
	}
	in->opened = true;
	return 0;
}

static void set_close(struct decoders **set)
{
	decoders_close(*set);
}

int decoders_open(const char *folder, const struct office *office, struct decoders **ret, struct err *e)
{
	CLEANUP(set_close) struct decoders *set = mem_alloc(sizeof(*set));

	for (size_t i = 0; i < office->n_channels; i++) {
		struct instance in = {.office = office, .channel = &office->channels[i]};
		int r;

		if (!in.channel->decoder)
			continue;
		r = instance_open(&in, folder, e);
		if (r < 0) {
			instance_done(&in);
			err_prefix(e, "channel %s: ", in.channel->id);
			return r;
		}
		VEC_PUSH(&set->instances, in);
	}
	*ret = TAKE(set);
	return 0;
}

void decoders_close(struct decoders *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->instances.n; i++)
		instance_done(&set->instances.v[i]);
	VEC_DONE(&set->instances);
	free(set);
}

bool decoders_lookup(void *arg, const struct channel *channel, struct decoder_fn *ret)
{
	struct decoders *set = arg;

	for (size_t i = 0; i < set->instances.n; i++) {
		struct instance *in = &set->instances.v[i];

		if (strcmp(in->channel->id, channel->id) == 0) {
			*ret = (struct decoder_fn){instance_decode, in};
			return true;
		}
	}
	return false;
}

/* ---- what plugins say of themselves ------------------------------------------------------------ */

const char *decoders_folder(char *buf, size_t size)
{
	/* As built, and as installed, wherever that is. */
	static const char *const near[] = {"plugins", "../lib/needle/plugins"};
	const char *named = getenv("NEEDLE_PLUGINS");
	char exe[PATH_MAX];
	struct stat st;
	ssize_t n;
	char *slash;

	if (named && *named) {
		snprintf(buf, size, "%s", named);
		return buf;
	}
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = '\0';
	slash = strrchr(exe, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; slash && i < ARRAY_LEN(near); i++) {
		snprintf(buf, size, "%s/%s", exe, near[i]);
		if (stat(buf, &st) == 0 && S_ISDIR(st.st_mode))
			return buf;
	}
	snprintf(buf, size, "%s", NEEDLE_LIBDIR "/plugins");
	return buf;
}

bool decoders_info(void *folder, const char *name, struct decoder_info *ret)
{
	CLEANUP(handle_close) void *handle = NULL;
	const struct needle_plugin *plugin = NULL;
	struct err e = {0};

	*ret = (struct decoder_info){0};
	if (plugin_load(folder, name, &handle, &plugin, &e) < 0) {
		snprintf(ret->refused, sizeof(ret->refused), "%s", err_said(&e));
		return false;
	}
	ret->name = plugin->name;
	ret->options = plugin->options;
	return true;
}

static int is_plugin(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 3 && strcmp(d->d_name + len - 3, ".so") == 0;
}

static void plugin_print(const char *folder, const char *file, struct str *out)
{
	CLEANUP(handle_close) void *handle = NULL;
	CLEANUP(mem_freep) char *name = mem_strdup(file);
	const struct needle_plugin *p = NULL;
	struct err e = {0};

	name[strlen(name) - 3] = '\0';
	if (plugin_load(folder, name, &handle, &p, &e) < 0) {
		str_addf(out, _("%s: refused: %s\n"), name, err_said(&e));
		return;
	}
	str_addf(out, "%s %s\n    %s\n", p->name, p->version, p->help);
	for (const struct needle_option *o = p->options; o->name; o++) {
		const char *type = (size_t)o->type < ARRAY_LEN(type_names) ? type_names[o->type] : "text";

		str_addf(out, "  options.%s (%s, ", o->name, type);
		if (o->default_text)
			str_addf(out, "default \"%s\")\n", o->default_text);
		else
			str_add(out, "required)\n");
		str_addf(out, "    %s\n", o->help ? o->help : "");
	}
}

int decoders_print(const char *folder, struct str *out, struct err *e)
{
	struct dirent **files = NULL;
	int n = scandir(folder, &files, is_plugin, alphasort);

	if (n < 0)
		return err_code(e, ERR_BAD, "plugin-folder", "the plugin folder %s cannot be read: %m", folder);
	for (int i = 0; i < n; i++) {
		plugin_print(folder, files[i]->d_name, out);
		free(files[i]);
	}
	free(files);
	return 0;
}
