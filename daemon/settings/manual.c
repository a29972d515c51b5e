/* Every key as the table has it: what a clerk looks up when the reference folder does not say enough. */
#include "settings/manual.h"

#include "base/str.h"
#include "base/tongue.h"
#include "base/vec.h"
#include "settings/table.h"

static const char *const type_words[N_KEY_TYPE] = {
	[KEY_MAP] = N_("keys"), [KEY_NAMED] = N_("names with what belongs to each"), [KEY_LIST] = N_("a list"),
	[KEY_TEXT] = N_("text"), [KEY_WORD] = N_("a word"), [KEY_ID] = N_("an id"), [KEY_PREFIX] = N_("a prefix"),
	[KEY_INT] = N_("a whole number"), [KEY_NUMBER] = N_("a number"), [KEY_BOOL] = N_("on or off"),
	[KEY_PATH] = N_("a file of the folder"), [KEY_CODE] = N_("a code in quotes"), [KEY_GRID] = N_("a grid"),
	[KEY_CATEGORY] = N_("a path such as 市政/井盖"), [KEY_MEMBER] = N_("a member such as place.grid"),
	[KEY_POINTER] = N_("a JSON pointer"), [KEY_FILTER] = N_("an MQTT filter"),
	[KEY_SOURCE] = N_("a level or a JSON pointer"), [KEY_CHARSET] = N_("a character set"),
	[KEY_TIMEZONE] = N_("a time zone of China"), [KEY_REGEX] = N_("a PCRE2 pattern"),
	[KEY_DEADLINE] = N_("a deadline such as 5 工作日 or 次日 12:00"), [KEY_SPAN] = N_("a length such as 7 自然日"),
	[KEY_SERIES] = N_("a series such as 每周五 16:00"), [KEY_STEP] = N_("a moment of a clock"),
	[KEY_TO] = N_("whom"), [KEY_DATE] = N_("a date such as 2026-07-21"), [KEY_MMDD] = N_("a day such as 06-01"),
	[KEY_MOMENT] = N_("a time such as 2026-02-13 16:40"), [KEY_AT] = N_("a time, or + and a length"),
	[KEY_DAYS] = N_("days such as 周一-周五"), [KEY_HOURS] = N_("hours such as 08:30-12:00"),
	[KEY_WINDOW] = N_("hours such as 22:00-06:00"), [KEY_MAKEUP] = N_("同周一, or hours"),
	[KEY_SIZE] = N_("a size such as 1 GiB"), [KEY_AGE] = N_("an age such as 5y"),
	[KEY_DURATION] = N_("a length such as 10 分钟"),
	[KEY_LISTEN] = N_("an address with a port, or off"), [KEY_SECRET_TEXT] = N_("${secret:NAME}"),
	[KEY_SECRET_FILE] = N_("${secret:NAME}"), [KEY_DSN] = N_("a connection string"),
};

/* A bar would end the cell. */
static void add_cell(struct str *out, const char *text)
{
	for (; *text; text++)
		if (*text == '|')
			str_add(out, "\\|");
		else
			str_addc(out, *text);
}

static void add_code(struct str *out, const char *text)
{
	str_addc(out, '`');
	add_cell(out, text);
	str_addc(out, '`');
}

static void add_type(struct str *out, const struct key_info *row)
{
	if (row->type == KEY_ENUM) {
		for (size_t i = 0; i < row->n_values; i++) {
			str_add(out, i ? ", " : "");
			add_code(out, row->values[i]);
		}
	} else if (row->type == KEY_REF) {
		str_addf(out, _("a name of `%s`"), row->ref);
	} else if (row->type == KEY_NAMED) {
		str_addf(out, _("names (%s) with what belongs to each"), _(type_words[row->name]));
	} else {
		add_cell(out, _(type_words[row->type]));
	}
	if (row->flags & KEY_OR_ONE)
		str_addf(out, "; %s", _("one item needs no brackets"));
	if (row->type == KEY_INT || row->type == KEY_NUMBER)
		str_addf(out, " %lld…%lld%s%s", (long long)row->min, (long long)row->max, row->unit ? " " : "",
			 row->unit ? row->unit : "");
}

static void add_meaning(struct str *out, const struct key_info *row)
{
	if (row->flags & KEY_REQUIRED)
		str_addf(out, "**%s** ", _("Must be written."));
	add_cell(out, _(row->help));
	if (row->flags & KEY_RESTART)
		str_addf(out, " *%s*", _("Works after a restart."));
	if (row->flags & KEY_SECRET)
		str_addf(out, " *%s*", _("Never printed, not part of the hash."));
}

static void add_row(struct str *out, const struct key_info *row)
{
	str_add(out, "| ");
	add_code(out, row->path);
	str_add(out, " | ");
	add_type(out, row);
	str_add(out, " | ");
	if (row->fallback)
		add_code(out, row->fallback);
	str_add(out, " | ");
	add_meaning(out, row);
	str_add(out, " |\n");
}

/* The section of one key at the root: itself and all below it. */
static void add_section(struct str *out, const struct key_info *section, const struct key_info *next)
{
	str_addf(out, "\n## %s\n\n| %s | %s | %s | %s |\n| - | - | - | - |\n", section->path, _("key"), _("value"),
		 _("default"), _("meaning"));
	for (const struct key_info *row = section; row->path && row != next; row++)
		add_row(out, row);
}

static void add_sections(struct str *out, const struct key_info *root)
{
	const struct key_info *section = key_next(root, NULL), *next;

	for (; section; section = next) {
		next = key_next(root, section);
		add_section(out, section, next);
	}
}

void manual_markdown(struct str *out)
{
	size_t n;

	str_addf(out, "# %s\n\n%s\n\n%s\n", _("Reference of the configuration"),
		 _("Made by `needlectl manual` from the table that the checker works with (`make docs`): do not edit it here."),
		 _("In a path `[]` is an item of a list and `*` a name of your own. A key that is not here does not exist. "
		   "`config/reference` shows each of them in its place; `needlectl deadline --help` tells how deadlines are "
		   "written."));
	add_sections(out, settings_keys(&n));
	str_addf(out, "\n# %s\n\n%s\n", _("Files of tests"),
		 _("`tests:` of needle.yaml lists them; `needlectl test` runs them. They are no part of the configuration."));
	add_sections(out, settings_test_keys(&n));
}
