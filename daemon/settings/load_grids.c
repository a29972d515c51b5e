/* grids.csv. The file may be missing: an office without grids has none. */
#include "base/str.h"
#include "settings/csv.h"

static const char header[] = "grid,name,community,dept,keeper";

static bool code_is_good(const char *code)
{
	size_t n = strlen(code);

	return (n == 6 || n == 9 || n == 12 || n == 15) && strspn(code, "0123456789") == n;
}

static void read_grid(struct csv *r, struct grid *grid)
{
	struct loader *l = r->l;
	struct office *office = &l->settings->office;
	const char *dept = r->fields[3];

	*grid = (struct grid){.code = r->fields[0], .name = r->fields[1], .community = r->fields[2],
			      .keeper = *r->fields[4] ? r->fields[4] : NULL};
	r->marks[0].width = (int)strlen(grid->code);
	r->marks[3].width = (int)strlen(dept);
	if (!code_is_good(grid->code))
		lint_add(&l->lint, "E12", &r->marks[0], _("6+3+3+3 digits, or the first 6, 9 or 12 of them"),
			   _("“%s” is not a grid code"), grid->code);
	else if (map_put(&office->grid_by_code, grid->code, grid))
		lint_add(&l->lint, "E21", &r->marks[0], _("keep one of the two"),
			   _("the grid %s stands here a second time"), grid->code);
	if (*dept && names_check(l, "departments", dept, &r->marks[3]))
		grid->dept = map_get(&office->dept_by_id, dept);
}

void load_grids(struct loader *l)
{
	struct office *office = &l->settings->office;
	struct grid *grids;
	struct csv r;

	if (!csv_open(l, "grids.csv", header, NULL, &r))
		return;
	grids = arena_alloc(l->arena, (r.source->n_lines + 1) * sizeof(*grids));
	while (csv_next(&r))
		read_grid(&r, &grids[office->n_grids++]);
	office->grids = grids;
}
