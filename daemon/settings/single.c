/* The loader's way with a folder (load.c), cut down to one file without an office. */
#include "settings/single.h"

#include <errno.h>

#include "base/err.h"

static void load(struct loader *l, const char *name, single_build *build, void *arg, struct err *e)
{
	struct source *source = arena_alloc(l->arena, sizeof(*source));
	struct node *root;

	if (source_read(l->folder, name, SOURCE_MAX, l->arena, source, e) < 0)
		return;
	root = yaml_parse(source, &l->lint);
	if (!root || root->kind == NODE_BAD)
		return;
	l->root = root;
	if (root->kind != NODE_MAP) {
		lint_add(&l->lint, "E12", &root->at, _("begin with a key such as `tenant:`"),
			 _("the file must hold keys with values"));
		return;
	}
	shape_check(l, l->keys, root);
	build((struct scope){.l = l, .row = l->keys, .map = root}, arg);
}

int single_load(const char *path, const struct key_info *keys, const struct load_options *options, single_build *build,
		void *arg, struct single *ret, struct err *e)
{
	CLEANUP(mem_freep) char *real = realpath(path, NULL);
	struct loader l = {.options = options, .arena = &ret->arena, .keys = keys,
			   .lint = {.arena = &ret->arena, .keys = keys}, .unsure = true};  /* names of an office are not known here */
	char *slash;

	if (!real)
		return err_set(e, ERR_BAD, "%s: %s", path, strerror(errno));
	slash = strrchr(real, '/');
	l.folder = slash == real ? "/" : arena_strndup(&ret->arena, real, (size_t)(slash - real));
	e->class = 0;
	load(&l, slash + 1, build, arg, e);
	lint_finish(&l.lint, &ret->findings);
	lint_done(&l.lint);
	if (e->class < 0)
		return ERR_BAD;
	return ret->findings.n_errors ? SETTINGS_HAS_ERRORS : 0;
}

void single_done(struct single *single)
{
	arena_done(&single->arena);
}
