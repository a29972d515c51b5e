/*
 * The order of loading a folder. Two rules hold everywhere: whatever is wrong becomes a finding and the
 * work goes on, so that one run tells all; and nothing of the half-built office leaves this file while
 * there is an error.
 */
#include <errno.h>
#include <limits.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "core/understand/route.h"
#include "settings/load.h"
#include "settings/types.h"

enum { FILES_MAX = 64, INCLUDE_DEPTH = 8 };

struct file_stack {
	const char *names[INCLUDE_DEPTH];
	int depth;
	struct map seen;                /* every file that was read, by name */
	struct node *first;             /* the root of needle.yaml */
};

static void hash_add(struct loader *l, const struct source *source)
{
	char head[40];
	int n = snprintf(head, sizeof(head), "%zu\n", source->len);

	/* Names and lengths are part of it: moving text between files is another configuration. */
	if (!EVP_DigestUpdate(l->hash, source->name, strlen(source->name) + 1) ||
	    !EVP_DigestUpdate(l->hash, head, (size_t)n) ||
	    !EVP_DigestUpdate(l->hash, source->text, source->len))
		mem_die("sha256");
}

void loader_keep(struct loader *l, const struct source *source, enum file_kind kind)
{
	VEC_PUSH(&l->files, (struct settings_file){source->name, source->text, source->len, kind});
}

static void keep_files(struct loader *l)
{
	struct settings_file *files = arena_alloc(l->arena, (l->files.n + 1) * sizeof(*files));

	if (l->files.n)
		memcpy(files, l->files.v, l->files.n * sizeof(*files));
	l->settings->files = files;
	l->settings->n_files = l->files.n;
	VEC_DONE(&l->files);
}

struct source *loader_read(struct loader *l, const char *name, size_t max, const struct mark *from)
{
	struct source *source = arena_alloc(l->arena, sizeof(*source));
	struct mark here = {.source = source, .line = 1, .column = 1, .width = 1};
	struct err e = {0};

	source->name = arena_strdup(l->arena, name);
	if (source_read(l->folder, name, max, l->arena, source, &e) < 0) {
		if (from || strcmp(e.code, "missing") != 0 || strcmp(name, "needle.yaml") == 0)
			lint_add(&l->lint, "E52", from ? from : &here, _("correct the name, or put the file there"),
				   "%s", err_said(&e));
		return NULL;
	}
	source->order = ++l->n_sources;
	hash_add(l, source);
	loader_keep(l, source, FILE_DATA);
	return source;
}

/* A section that may stand in several files: its parts follow one another. */
static void merge_section(struct loader *l, const struct key_info *row, struct node *into, const struct node *part)
{
	bool list = row->type == KEY_LIST;

	if (node_is_empty(into)) {
		*into = *part;
		return;
	}
	if (node_is_empty(part) || part->kind == NODE_BAD || into->kind == NODE_BAD)
		return;
	if (part->kind != (list ? NODE_LIST : NODE_MAP) || part->kind != into->kind) {
		lint_add(&l->lint, "E12", &part->at, _("write it as in the other file"),
			   list ? _("“%s” wants a list") : _("“%s” wants keys with values"), row->path);
		return;
	}
	for (size_t i = 0; i < part->n; i++) {
		struct node *key = list ? NULL : part->keys[i];
		const struct node *first = key ? node_key(into, key->text) : NULL;

		if (first)
			lint_add(&l->lint, "E21", &key->at, _("keep one of the two"),
				   _("“%s” is defined already, in %s line %d"), key->text, first->at.source->name,
				   first->at.line);
		else
			node_add(l->arena, into, key, part->items[i]);
	}
}

static void merge(struct loader *l, const struct node *file)
{
	size_t n;
	const struct key_info *root = settings_keys(&n);

	for (size_t i = 0; i < file->n; i++) {
		struct node *key = file->keys[i], *value = file->items[i];
		const struct key_info *row = key_child(root, key->text);
		struct node *there = node_get(l->root, key->text);

		if (!there || (row && strcmp(key->text, "include") == 0)) {
			if (!there)
				node_add(l->arena, l->root, key, value);
			continue;
		}
		if (row && (row->type == KEY_NAMED || row->type == KEY_LIST)) {
			merge_section(l, row, there, value);
			continue;
		}
		lint_add(&l->lint, "E05", &key->at, _("keep one of the two"),
			   _("the key “%s” stands here a second time; the first is in %s line %d"), key->text,
			   node_key(l->root, key->text)->at.source->name, node_key(l->root, key->text)->at.line);
	}
}

static void read_file(struct loader *l, struct file_stack *stack, const char *name, const struct mark *from);

static void read_includes(struct loader *l, struct file_stack *stack, const struct node *list)
{
	for (size_t i = 0; list && list->kind == NODE_LIST && i < list->n; i++) {
		const struct node *item = list->items[i];
		bool cycle = false;

		/* A wrong path is the shape check's to report. */
		if (item->kind != NODE_TEXT || !type_path(item->text))
			continue;
		for (int k = 0; k < stack->depth; k++)
			cycle |= strcmp(stack->names[k], item->text) == 0;
		if (cycle || stack->depth == INCLUDE_DEPTH)
			lint_add(&l->lint, "E23", &item->at, _("take it out of this list"),
				   _("%s includes itself, over this file"), item->text);
		else if (map_get(&stack->seen, item->text))
			lint_add(&l->lint, "E21", &item->at, _("list each file once"),
				   _("%s is included a second time"), item->text);
		else if (stack->seen.n >= FILES_MAX)
			lint_add(&l->lint, "E52", &item->at, "", _("more than %d files"), FILES_MAX);
		else
			read_file(l, stack, item->text, &item->at);
	}
}

static void read_file(struct loader *l, struct file_stack *stack, const char *name, const struct mark *from)
{
	struct source *source = loader_read(l, name, SOURCE_MAX, from);
	struct node *file = source ? yaml_parse(source, &l->lint) : NULL;

	map_put(&stack->seen, name, stack);
	if (source)
		l->files.v[l->files.n - 1].kind = FILE_YAML;
	if (file && file->kind == NODE_MAP) {
		/* The first file's own place stands for what is missing in all of them. */
		if (!l->root->n && !stack->depth)
			l->root->at = file->at;
		merge(l, file);
		stack->names[stack->depth++] = name;
		read_includes(l, stack, node_get(file, "include"));
		stack->depth--;
		return;
	}
	l->broken = true;
	if (file && file->kind != NODE_BAD)
		lint_add(&l->lint, "E12", &file->at, _("begin with a key such as `rules:`"),
			   _("the file must hold keys with values"));
}

static void check_fallback(struct loader *l)
{
	const struct node *fallback = node_get(l->root, "fallback");

	if (!fallback && (l->broken || !key_is_missing(scope_root(l).row, l->root, "fallback")))
		return;
	if (!fallback || (fallback->kind == NODE_MAP && !node_get(fallback, "dept")) || node_is_empty(fallback))
		lint_add(&l->lint, "E24", fallback ? &fallback->at : &l->root->at,
			   _("add `fallback: {dept: …, policy: …}`: who takes what nothing else decides"),
			   _("there is no fallback department"));
}

/* Which rule's pattern is it? The index of that rule alone fails too. */
static void blame_regex(struct loader *l, const struct err *why)
{
	const struct node *rules = node_get(l->root, "rules"), *at = rules;
	struct office one = l->settings->office;

	for (size_t i = 0; i < l->settings->office.n_rules; i++) {
		struct route_index *index = NULL;
		const struct node *regex;
		struct err e = {0};

		regex = node_get(node_get(node_get(rules->items[i], "when"), "text"), "regex");
		if (!regex)
			continue;
		one.rules = &l->settings->office.rules[i];
		one.n_rules = 1;
		one.n_copies = 0;
		if (route_index_new(&one, l->arena, &index, &e) == 0) {
			route_index_free(index);
			continue;
		}
		at = regex->kind == NODE_LIST && regex->n ? regex->items[0] : regex;
		lint_add(&l->lint, "E12", &at->at, _("test the pattern, or write words instead"), "%s", err_said(&e));
		return;
	}
	at = node_get(l->root, "copies");
	lint_add(&l->lint, "E12", at ? &at->at : &l->root->at, _("test the pattern, or write words instead"), "%s",
		   why->text);
}

static void build(struct loader *l)
{
	struct office *office = &l->settings->office;
	struct scope root = scope_root(l), tenant = scope_in(root, "tenant"), fallback = scope_in(root, "fallback");
	struct route_index *index = NULL;
	struct err e = {0};

	office->tenant = scope_text(tenant, "id");
	office->name = scope_text(tenant, "name");
	office->prefix = scope_text(tenant, "prefix");
	if (!office->tenant)
		office->tenant = "";
	if (!office->name)
		office->name = office->tenant;
	load_calendars(l);
	load_departments(l);
	load_deadlines(l);
	load_categories(l);
	load_channels(l);
	load_rules(l);
	load_grids(l);
	load_devices(l);
	office->fallback_dept = scope_dept(fallback, "dept");
	office->fallback_policy = scope_policy(fallback, "policy");
	load_lifecycle(l);
	load_talk(l);
	load_statistics(l);
	load_shell(l);
	check_all(l);
	load_tests(l);
	if (l->lint.n_errors)
		return;
	if (route_index_new(office, l->arena, &index, &e) < 0)
		blame_regex(l, &e);
	office->index = index;
}

static void finish_hash(struct loader *l)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char *hex = l->settings->office.hash;
	unsigned n;

	if (!EVP_DigestFinal_ex(l->hash, digest, &n))
		mem_die("sha256");
	for (int i = 0; i < 8; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static void load_all(struct loader *l)
{
	struct file_stack stack = {0};
	size_t n;

	l->root = arena_alloc(l->arena, sizeof(*l->root));
	l->root->kind = NODE_MAP;
	l->root->at = (struct mark){.line = 1, .column = 1, .width = 1};
	read_file(l, &stack, "needle.yaml", NULL);
	map_done(&stack.seen);
	names_collect(l);
	if (l->root->n || !l->lint.n_errors) {
		check_fallback(l);
		shape_check(l, settings_keys(&n), l->root);
		build(l);
	}
	finish_hash(l);
	for (size_t k = 0; k < N_SYMBOLS; k++)
		map_done(&l->symbols[k]);
}

int settings_load(const char *folder, const struct load_options *options, struct settings **ret, struct err *e)
{
	CLEANUP(mem_freep) char *real = realpath(folder, NULL);
	struct settings *settings;
	struct loader l = {.options = options, .now = clock_now_us()};

	if (!real)
		return err_set(e, ERR_BAD, "configuration folder %s: %s", folder, strerror(errno));
	settings = mem_alloc(sizeof(*settings));
	settings->arena = mem_alloc(sizeof(*settings->arena));
	settings->refs = 1;
	settings->folder = arena_strdup(settings->arena, real);
	settings->loaded_by = options->loaded_by ? arena_strdup(settings->arena, options->loaded_by) : NULL;
	l.folder = settings->folder;
	l.settings = settings;
	l.arena = l.lint.arena = settings->arena;
	l.hash = EVP_MD_CTX_new();
	if (!l.hash || !EVP_DigestInit_ex(l.hash, EVP_sha256(), NULL))
		mem_die("sha256");
	load_all(&l);
	keep_files(&l);
	EVP_MD_CTX_free(l.hash);
	lint_finish(&l.lint, &settings->findings);
	lint_done(&l.lint);
	settings->tree = l.root;
	*ret = settings;
	return settings->findings.n_errors ? SETTINGS_HAS_ERRORS : 0;
}
